package bedrock

import (
	"encoding/base64"
	"errors"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// InvokeCodec translates InvokeModel from the words of Anthropic's models, which are
// those of their own API, which the Codec inside translates. It implements
// dialect.Codec. Nobody is asked in it: Converse has words for every model.
type InvokeCodec struct{ dialect.Codec }

var _ dialect.Codec = InvokeCodec{}

// ReadRequest implements dialect.Codec.
func (k InvokeCodec) ReadRequest(call ringwall.Call) (*ringwall.Conversation, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(call.Body, dialect.AnswerLimits); err != nil {
		return nil, dialect.Unparsed(err)
	}
	if doc.Root().Get("anthropic_version").Kind() != jsonedit.String {
		return nil, dialect.Uncarried("InvokeModel in words other than those of Anthropic's models")
	}
	call.Body = dialect.Pick(doc.Root(), func(key string) bool { return key != "anthropic_version" && key != "anthropic_beta" })
	return k.Codec.ReadRequest(call)
}

// WriteRequest implements dialect.Codec.
func (InvokeCodec) WriteRequest(*ringwall.Conversation) (ringwall.Call, error) {
	return ringwall.Call{}, errors.New("nobody is asked in InvokeModel")
}

// WriteStream implements dialect.Codec: the events stand in chunks.
func (k InvokeCodec) WriteStream(c *ringwall.Conversation) dialect.StreamWriter {
	return chunkWriter{k.Codec.WriteStream(c)}
}

type chunkWriter struct{ dialect.StreamWriter }

// Delta implements dialect.StreamWriter.
func (w chunkWriter) Delta(d ringwall.Delta, emit func([]byte)) error {
	return w.StreamWriter.Delta(d, func(event []byte) {
		b := append(make([]byte, 0, len(event)*4/3+32), `{"chunk":{"bytes":"`...)
		emit(append(base64.StdEncoding.AppendEncode(b, event), `"}}`...))
	})
}

// CountCodec translates CountTokens. It implements dialect.Codec: the number is that
// of the tokens of the prompt. Invoked reads requests of InvokeModel.
type CountCodec struct {
	Codec
	Invoked dialect.Codec
}

var _ dialect.Codec = CountCodec{}

// ReadRequest implements dialect.Codec.
func (k CountCodec) ReadRequest(call ringwall.Call) (*ringwall.Conversation, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(call.Body, dialect.AnswerLimits); err != nil {
		return nil, dialect.Unparsed(err)
	}
	input := doc.Root().Get("input")
	if converse := input.Get("converse"); converse.Exists() {
		call.Body = converse.Raw()
		return k.Codec.ReadRequest(call)
	}
	body, err := base64.StdEncoding.DecodeString(input.Get("invokeModel").Get("body").Text())
	if err != nil {
		return nil, dialect.Unparsed(err)
	}
	call.Body = body
	return k.Invoked.ReadRequest(call)
}

// WriteRequest implements dialect.Codec.
func (k CountCodec) WriteRequest(c *ringwall.Conversation) (ringwall.Call, error) {
	call, err := k.Codec.WriteRequest(c)
	if err != nil {
		return call, err
	}
	call.API = CountAPI
	call.Body, err = dialect.PickIn(call.Body, "system", "messages", "toolConfig")
	call.Body = append(append([]byte(`{"input":{"converse":`), call.Body...), "}}"...)
	return call, err
}

// ReadReply implements dialect.Codec.
func (CountCodec) ReadReply(body []byte) (*ringwall.Reply, error) {
	return dialect.ReadTokens(body, "inputTokens")
}

// WriteReply implements dialect.Codec.
func (CountCodec) WriteReply(_ *ringwall.Conversation, r *ringwall.Reply) ([]byte, error) {
	return dialect.WriteTokens(r, "inputTokens"), nil
}
