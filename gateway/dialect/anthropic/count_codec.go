package anthropic

import (
	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
)

// CountCodec translates requests that count the tokens of a prompt. It implements
// dialect.Codec: the number is that of the tokens of the prompt.
type CountCodec struct{ Codec }

var _ dialect.Codec = CountCodec{}

// WriteRequest implements dialect.Codec.
func (k CountCodec) WriteRequest(c *ringwall.Conversation) (ringwall.Call, error) {
	call, err := k.Codec.WriteRequest(c)
	if err != nil {
		return call, err
	}
	call.API = Count
	call.Body, err = dialect.PickIn(call.Body, "model", "system", "messages", "tools", "tool_choice")
	return call, err
}

// ReadReply implements dialect.Codec.
func (CountCodec) ReadReply(body []byte) (*ringwall.Reply, error) {
	return dialect.ReadTokens(body, "input_tokens")
}

// WriteReply implements dialect.Codec.
func (CountCodec) WriteReply(_ *ringwall.Conversation, r *ringwall.Reply) ([]byte, error) {
	return dialect.WriteTokens(r, "input_tokens"), nil
}
