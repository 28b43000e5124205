package bedrock

import (
	"encoding/base64"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// CountCodec translates CountTokens. It implements dialect.Codec: the number is that
// of the tokens of the prompt. Invoked reads requests of InvokeModel.
type CountCodec struct {
	Codec
	Invoked dialect.Front
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
