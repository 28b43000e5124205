package bedrock

import (
	"encoding/base64"
	"slices"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// InvokeCodec reads requests of InvokeModel whose words others know, those of
// Anthropic's models and of Nova, and writes their answers. It implements
// dialect.Front.
type InvokeCodec struct {
	Messages dialect.Front // Anthropic's messages
}

var _ dialect.Front = InvokeCodec{}

// forms are what a Conversation calls the families of which there is a codec.
var forms = map[family]string{anthropic: "anthropic", nova: "nova"}

// wordsOf tells the family in whose words a body is, where the model does not say it:
// it may be a profile, or a name of the operator's.
func wordsOf(root jsonedit.Value) family {
	switch {
	case root.Get("anthropic_version").Exists():
		return anthropic
	case root.Get("schemaVersion").Exists():
		return nova
	}
	return unknown
}

// versions are the members of a body that say in whose words it is, and for which
// parts of them the service is asked.
var versions = dialect.NameSet("anthropic_version", "anthropic_beta", "schemaVersion")

// renamed are members of Nova's inferenceConfig that are called otherwise in
// Converse's.
var renamed = map[string]string{"max_new_tokens": "maxTokens", "top_p": "topP", "top_k": "topK"}

// ReadRequest implements dialect.Front.
func (c InvokeCodec) ReadRequest(call ringwall.Call) (*ringwall.Conversation, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(call.Body, dialect.AnswerLimits); err != nil {
		return nil, dialect.Unparsed(err)
	}
	root := doc.Root()
	words := wordsOf(root)
	edits := root.Remove(func(key string) bool { return versions[key] })
	var from dialect.Front
	switch words {
	case anthropic:
		from = c.Messages
	case nova:
		from = Codec{}
		for key, v := range root.Get("inferenceConfig").Members() {
			if to, ok := renamed[key]; ok {
				edits = append(edits, v.SetKey(to))
			}
		}
	case unknown, titan, llama:
		return nil, dialect.Uncarried("a body that is neither in the words of Anthropic's models (anthropic_version) nor in those of Nova (schemaVersion)")
	}
	slices.SortFunc(edits, func(a, b jsonedit.Edit) int { return a.Start - b.Start })
	call.Body = jsonedit.Splice(nil, call.Body, edits)
	conversation, err := from.ReadRequest(call)
	if err != nil {
		return nil, err
	}
	conversation.Form = forms[words]
	return conversation, nil
}

// front returns the codec of what c was read from.
func (c InvokeCodec) front(of *ringwall.Conversation) dialect.Front {
	if of.Form == forms[anthropic] {
		return c.Messages
	}
	return Codec{}
}

// WriteReply implements dialect.Front.
func (c InvokeCodec) WriteReply(to *ringwall.Conversation, r *ringwall.Reply) ([]byte, error) {
	return c.front(to).WriteReply(to, r)
}

// WriteStream implements dialect.Front.
func (c InvokeCodec) WriteStream(to *ringwall.Conversation) dialect.StreamWriter {
	return chunkWriter{c.front(to).WriteStream(to)}
}

// chunkWriter writes the events of a model as chunks of bytes.
type chunkWriter struct{ dialect.StreamWriter }

// Delta implements dialect.StreamWriter.
func (c chunkWriter) Delta(d ringwall.Delta, emit func([]byte)) error {
	return c.StreamWriter.Delta(d, func(event []byte) {
		b := append(make([]byte, 0, len(event)*4/3+32), `{"chunk":{"bytes":"`...)
		emit(append(base64.StdEncoding.AppendEncode(b, event), `"}}`...))
	})
}
