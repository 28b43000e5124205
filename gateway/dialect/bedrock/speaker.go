package bedrock

import (
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/eventstream"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// speaker writes the frames of a stream in the words of a family of models. What a
// delta adds to is one of "text", "reasoning", "signature" and "input".
type speaker interface {
	event(dst []byte, name string, payload []byte) []byte
	delta(dst []byte, index int64, at, s string) []byte
	stop(dst []byte, index int64) []byte
	// path is where what is said stands in a whole answer.
	path(index int64, at string) string
	// call finds the texts of the start of a tool call.
	call(l *locator, start jsonedit.Value, index int64)
	// asked is the call that a start begins, and whether the client is to run it.
	asked(start jsonedit.Value) (call ringwall.ToolCall, client bool)
	// input returns the edit that has a start say nothing of the arguments.
	input(start jsonedit.Value) []jsonedit.Edit
	// note writes a text as all of a block, or as more of one that has begun.
	note(dst []byte, index int64, text string, begun bool) []byte
	// invoked reports whether InvokeModel says it.
	invoked() bool
	// intervened writes the end of a stream that policy ends, with the message of
	// d as the block index unless the model's message has ended; begun says whether
	// it had begun.
	intervened(dst []byte, r *relay, begun, stopped bool, index int64, d gateway.Declined) []byte
}

// conversing speaks as Converse does.
type conversing struct{}

func (conversing) event(dst []byte, name string, payload []byte) []byte {
	return eventstream.AppendEvent(dst, name, payload)
}

func (conversing) delta(dst []byte, index int64, at, s string) []byte {
	return eventstream.AppendEvent(dst, "contentBlockDelta", deltaOf(index, at, s))
}

func (conversing) stop(dst []byte, index int64) []byte {
	return eventstream.AppendEvent(dst, "contentBlockStop", stopOfBlock(index))
}

func (conversing) path(index int64, at string) string {
	path := contentPath + "/" + strconv.FormatInt(index, 10)
	switch at {
	case "text":
		return path + "/text"
	case "reasoning":
		return path + "/reasoningContent/reasoningText/text"
	case "input":
		return path + "/toolUse/input"
	}
	return path
}

func (c conversing) call(l *locator, start jsonedit.Value, index int64) {
	at := c.path(index, "")
	for key, v := range start.Members() {
		if key != "start" {
			l.All(v, at+"/"+dialect.Pointer(key), key, ringwall.Assistant)
		}
	}
	l.block(start.Get("start"), at, ringwall.Assistant)
}

func (conversing) asked(start jsonedit.Value) (call ringwall.ToolCall, client bool) {
	v := start.Get("start").Get("toolUse")
	return callOf(v), !serves(v)
}

func (conversing) input(jsonedit.Value) []jsonedit.Edit { return nil }

// note implements speaker. In Converse only calls have a start.
func (conversing) note(dst []byte, index int64, text string, _ bool) []byte {
	return conversing{}.delta(dst, index, "text", text)
}

func (conversing) invoked() bool { return false }

func (c conversing) intervened(dst []byte, r *relay, begun, stopped bool, index int64, d gateway.Declined) []byte {
	return intervened(dst, c, r, begun, stopped, index, d)
}

// intervened ends a stream of events as Converse has them.
func intervened(dst []byte, say speaker, r *relay, begun, stopped bool, index int64, d gateway.Declined) []byte {
	if !begun {
		dst = say.event(dst, "messageStart", []byte(`{"role":"assistant"}`))
	}
	if !stopped {
		dst = say.stop(say.delta(dst, index, "text", d.Message), index)
		dst = say.event(dst, "messageStop", []byte(`{"stopReason":"guardrail_intervened"}`))
	}
	return say.event(dst, "metadata", appendCounts([]byte{'{'}, r.usage, r.named, d))
}
