package gemini

import (
	"bytes"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// CountCodec translates countTokens. It implements dialect.Codec: the number is that
// of the tokens of the prompt.
type CountCodec struct{ Codec }

var _ dialect.Codec = CountCodec{}

// ReadRequest implements dialect.Codec. What is counted are the contents, or a whole
// request, which names the model again.
func (k CountCodec) ReadRequest(call ringwall.Call) (*ringwall.Conversation, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(call.Body, dialect.AnswerLimits); err != nil {
		return nil, dialect.Unparsed(err)
	}
	root := doc.Root()
	if inner := member(root, "generatecontentrequest"); inner.Exists() {
		root = inner
	}
	call.Body = dialect.Pick(root, func(key string) bool { return dialect.FoldProto(key) != "model" })
	return k.Codec.ReadRequest(call)
}

// WriteRequest implements dialect.Codec.
func (k CountCodec) WriteRequest(c *ringwall.Conversation) (ringwall.Call, error) {
	call, err := k.Codec.WriteRequest(c)
	if err != nil {
		return call, err
	}
	call.API = CountAPI
	if len(c.System) == 0 && len(c.Tools) == 0 {
		call.Body, err = dialect.PickIn(call.Body, "contents")
		return call, err
	}
	body, err := dialect.PickIn(call.Body, "contents", "systemInstruction", "tools", "toolConfig")
	out := jsonedit.AppendQuote([]byte(`{"generateContentRequest":{"model":`), "models/"+c.Model)
	out = append(append(out, ','), bytes.TrimPrefix(body, []byte{'{'})...)
	call.Body = append(out, '}')
	return call, err
}

// ReadReply implements dialect.Codec.
func (CountCodec) ReadReply(body []byte) (*ringwall.Reply, error) {
	return dialect.ReadTokens(body, "totalTokens")
}

// WriteReply implements dialect.Codec.
func (CountCodec) WriteReply(_ *ringwall.Conversation, r *ringwall.Reply) ([]byte, error) {
	return dialect.WriteTokens(r, "totalTokens"), nil
}
