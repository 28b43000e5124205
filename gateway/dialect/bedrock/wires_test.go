package bedrock_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/bedrock"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/internal/eventstream"
)

// wire is a way in which a model of Bedrock answers.
type wire struct {
	name  string
	req   func(t testing.TB) gateway.Request
	d     gateway.Dialect
	whole func([]item) string
	said  func(events []item, rng *rand.Rand) []string
	heard func(t testing.TB, body []byte) ([]item, string)   // of a whole answer
	read  func(t testing.TB, frames []byte) ([]item, string) // of a streamed one
}

// item is a part of an answer: a call where it has a name.
type item struct{ id, name, args, text, reasoning string }

func converseWhole(items []item) string {
	var blocks []string
	for _, it := range items {
		switch {
		case it.name == "server":
			blocks = append(blocks, `{"toolUse":{"toolUseId":`+quote(it.id)+`,"name":"server","type":"server_tool_use","input":`+it.args+`}}`)
		case it.name != "":
			blocks = append(blocks, `{"toolUse":{"toolUseId":`+quote(it.id)+`,"name":`+quote(it.name)+`,"input":`+it.args+`}}`)
		case it.reasoning != "":
			blocks = append(blocks, `{"reasoningContent":{"reasoningText":{"text":`+quote(it.reasoning)+`}}}`)
		default:
			blocks = append(blocks, `{"text":`+quote(it.text)+`}`)
		}
	}
	return `{"output":{"message":{"role":"assistant","content":[` + strings.Join(blocks, ", ") + `]}},"stopReason":"tool_use","usage":{"inputTokens":5,"outputTokens":7}}`
}

func converseEvents(items []item, rng *rand.Rand) (out []string) {
	out = append(out, `{"messageStart":{"role":"assistant","p":"abc"}}`)
	for i, it := range items {
		delta := func(s, before, after string) {
			for _, piece := range dialecttest.Pieces(rng, s) {
				out = append(out, fmt.Sprintf(`{"contentBlockDelta":{"contentBlockIndex":%d,"delta":%s%s%s,"p":"abcd"}}`, i, before, quote(piece), after))
			}
		}
		switch {
		case it.name != "":
			kind := ""
			if it.name == "server" {
				kind = `,"type":"server_tool_use"`
			}
			out = append(out, fmt.Sprintf(`{"contentBlockStart":{"start":{"toolUse":{"toolUseId":%s,"name":%s%s}},"contentBlockIndex":%d}}`, quote(it.id), quote(it.name), kind, i))
			delta(it.args, `{"toolUse":{"input":`, `}}`)
		case it.reasoning != "":
			delta(it.reasoning, `{"reasoningContent":{"text":`, `}}`)
		default:
			delta(it.text, `{"text":`, `}`)
		}
		if i < len(items)-1 || rng.IntN(4) > 0 { // some leave the last open
			out = append(out, fmt.Sprintf(`{"contentBlockStop":{"contentBlockIndex":%d}}`, i))
		}
	}
	return append(out, `{"messageStop":{"stopReason":"tool_use"}}`, `{"metadata":{"usage":{"inputTokens":5,"outputTokens":7,"totalTokens":12},"metrics":{"latencyMs":3}}}`)
}

func compact(t testing.TB, raw []byte) string {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func converseHeard(t testing.TB, body []byte) (items []item, stop string) {
	var f struct {
		Output struct {
			Message struct {
				Content []struct {
					Text    string
					ToolUse *struct {
						ID    string `json:"toolUseId"`
						Name  string
						Input json.RawMessage
					}
					Reasoning struct {
						Text struct{ Text string } `json:"reasoningText"`
					} `json:"reasoningContent"`
				}
			}
		}
		StopReason string
	}
	if err := json.Unmarshal(body, &f); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	for _, c := range f.Output.Message.Content {
		it := item{text: c.Text, reasoning: c.Reasoning.Text.Text}
		if c.ToolUse != nil {
			it.id, it.name, it.args = c.ToolUse.ID, c.ToolUse.Name, compact(t, c.ToolUse.Input)
		}
		items = append(items, it)
	}
	return items, f.StopReason
}

// stream puts blocks together, whose indices have no gaps.
type assembly struct {
	items []item
	ended map[int]bool
	stop  string
}

func (a *assembly) at(t testing.TB, i int) *item {
	if a.stop != "" || i > len(a.items) || a.ended[i] {
		t.Fatalf("an event of block %d behind %d blocks", i, len(a.items))
	}
	if i == len(a.items) {
		a.items = append(a.items, item{})
	}
	return &a.items[i]
}

func (a *assembly) end(t testing.TB, i int) {
	it := a.at(t, i)
	if it.name != "" {
		it.args = compact(t, []byte(it.args))
	}
	if a.ended == nil {
		a.ended = map[int]bool{}
	}
	a.ended[i] = true
}

func (a *assembly) converse(t testing.TB, name string, payload []byte) {
	var f struct {
		Index      int    `json:"contentBlockIndex"`
		StopReason string `json:"stopReason"`
		Start      struct {
			ToolUse *struct {
				ID   string `json:"toolUseId"`
				Name string
			}
		}
		Delta struct {
			Text    string
			ToolUse struct{ Input string }
			Reason  struct{ Text string } `json:"reasoningContent"`
		}
	}
	if err := json.Unmarshal(payload, &f); err != nil {
		t.Fatalf("%s: %v", payload, err)
	}
	switch name {
	case "contentBlockStart":
		if it := a.at(t, f.Index); f.Start.ToolUse == nil {
			t.Fatalf("a start that clients cannot read: %s", payload)
		} else {
			it.id, it.name = f.Start.ToolUse.ID, f.Start.ToolUse.Name
		}
	case "contentBlockDelta":
		it := a.at(t, f.Index)
		it.text, it.reasoning, it.args = it.text+f.Delta.Text, it.reasoning+f.Delta.Reason.Text, it.args+f.Delta.ToolUse.Input
	case "contentBlockStop":
		a.end(t, f.Index)
	case "messageStop":
		a.stop = f.StopReason
	}
}

var wires = []wire{
	{
		"converse", func(testing.TB) gateway.Request { return nil },
		bedrock.Converse{},
		converseWhole, converseEvents, converseHeard,
		func(t testing.TB, frames []byte) ([]item, string) {
			var a assembly
			for m, err := range eventstream.Messages(bytes.NewReader(frames)) {
				if err != nil {
					t.Fatal(err)
				}
				a.converse(t, m.Text(":event-type"), m.Payload)
			}
			return a.items, a.stop
		},
	},
	{
		"nova", func(t testing.TB) gateway.Request {
			return invoke(t, nova, `{"messages":[{"role":"user","content":[]}]}`)
		},
		bedrock.Invoke{},
		converseWhole,
		func(items []item, rng *rand.Rand) (out []string) {
			for _, e := range converseEvents(items, rng) {
				out = append(out, string(chunk(e)))
			}
			return out
		},
		converseHeard,
		func(t testing.TB, frames []byte) ([]item, string) {
			var a assembly
			for _, e := range inner(t, frames) {
				var f map[string]json.RawMessage
				if err := json.Unmarshal(e, &f); err != nil {
					t.Fatal(err)
				}
				for name, payload := range f {
					a.converse(t, name, payload)
				}
			}
			return a.items, a.stop
		},
	},
	{
		"claude", func(t testing.TB) gateway.Request {
			return invoke(t, claude, `{"messages":[{"role":"user","content":[]}]}`)
		},
		bedrock.Invoke{},
		claudeWhole, claudeEvents, claudeHeard, claudeRead,
	},
}

func claudeBlock(it item, empty bool) string {
	args := it.args
	if empty {
		args, it.text, it.reasoning = "{}", "", strings.Repeat(" ", len(it.reasoning)) // which tells the kinds apart
	}
	switch {
	case it.name == "server":
		return `{"type":"server_tool_use","id":` + quote(it.id) + `,"name":"server","input":` + args + `}`
	case it.name != "":
		return `{"type":"tool_use","id":` + quote(it.id) + `,"name":` + quote(it.name) + `,"input":` + args + `}`
	case it.reasoning != "":
		return `{"type":"thinking","thinking":` + quote(strings.TrimLeft(it.reasoning, " ")) + `}`
	}
	return `{"type":"text","text":` + quote(it.text) + `}`
}

func claudeWhole(items []item) string {
	var blocks []string
	for _, it := range items {
		blocks = append(blocks, claudeBlock(it, false))
	}
	return `{"id":"m","type":"message","role":"assistant","content":[` + strings.Join(blocks, ",") + `],"stop_reason":"tool_use","usage":{"input_tokens":5,"output_tokens":7}}`
}

func claudeEvents(items []item, rng *rand.Rand) (out []string) {
	event := func(format string, args ...any) { out = append(out, string(chunk(fmt.Sprintf(format, args...)))) }
	event(`{"type":"message_start","message":{"id":"m","content":[],"usage":{"input_tokens":5}}}`)
	for i, it := range items {
		event(`{"type":"content_block_start","index":%d,"content_block":%s}`, i, claudeBlock(it, true))
		delta := func(s, kind, key string) {
			for _, piece := range dialecttest.Pieces(rng, s) {
				event(`{"type":"content_block_delta","index":%d,"delta":{"type":%q,%q:%s}}`, i, kind, key, quote(piece))
			}
		}
		switch {
		case it.name != "":
			delta(it.args, "input_json_delta", "partial_json")
		case it.reasoning != "":
			delta(it.reasoning, "thinking_delta", "thinking")
		default:
			delta(it.text, "text_delta", "text")
		}
		event(`{"type":"content_block_stop","index":%d}`, i)
	}
	event(`{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":7}}`)
	event(`{"type":"message_stop"}`)
	return out
}

type claudeSaid struct {
	Type, ID, Name, Text, Thinking string
	Input                          json.RawMessage
}

func (c claudeSaid) item(t testing.TB) item {
	it := item{id: c.ID, name: c.Name, text: c.Text, reasoning: c.Thinking}
	if c.Name != "" {
		it.args = compact(t, c.Input)
	}
	return it
}

func claudeHeard(t testing.TB, body []byte) (items []item, stop string) {
	var f struct {
		Content []claudeSaid
		Stop    string `json:"stop_reason"`
	}
	if err := json.Unmarshal(body, &f); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	for _, c := range f.Content {
		items = append(items, c.item(t))
	}
	return items, f.Stop
}

func claudeRead(t testing.TB, frames []byte) (items []item, stop string) {
	var a assembly
	for _, e := range inner(t, frames) {
		var f struct {
			Type  string
			Index int
			Block claudeSaid `json:"content_block"`
			Delta struct {
				Type, Text, Thinking string
				Partial              string `json:"partial_json"`
				Stop                 string `json:"stop_reason"`
			}
		}
		if err := json.Unmarshal(e, &f); err != nil {
			t.Fatal(err)
		}
		switch f.Type {
		case "content_block_start":
			if f.Index != len(a.items) {
				t.Fatalf("block %d begins behind %d", f.Index, len(a.items))
			}
			it := a.at(t, f.Index)
			if *it = f.Block.item(t); it.args == "{}" {
				it.args = ""
			}
		case "content_block_delta":
			if f.Index >= len(a.items) {
				t.Fatalf("block %d goes on and has not begun", f.Index)
			}
			it := a.at(t, f.Index)
			it.text, it.reasoning, it.args = it.text+f.Delta.Text, it.reasoning+f.Delta.Thinking, it.args+f.Delta.Partial
		case "content_block_stop":
			a.end(t, f.Index)
		case "message_delta":
			a.stop = f.Delta.Stop
		}
	}
	return a.items, a.stop
}
