package bedrock_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/bedrock"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/eventstream"
)

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// part is a block of an answer: some of it is "".
type part struct{ text, reasoning, signature, tool, input string }

// said is what a client has of an answer.
type said struct {
	parts []part
	stop  string
	trace string
}

// collect reads frames as a client of Converse does.
func collect(t testing.TB, frames []byte) (s said) {
	t.Helper()
	ended := map[int]bool{}
	begun := false
	for m, err := range eventstream.Messages(bytes.NewReader(frames)) {
		if err != nil {
			t.Fatal(err)
		}
		name := m.Text(":event-type")
		if m.Text(":message-type") != "event" || m.Text(":content-type") != "application/json" || !begun && name != "messageStart" {
			t.Fatalf("frame %+v", m.Headers)
		}
		begun = true
		var f struct {
			Index      int    `json:"contentBlockIndex"`
			StopReason string `json:"stopReason"`
			Start      struct {
				ToolUse *struct{ Name string } `json:"toolUse"`
			} `json:"start"`
			Delta struct {
				Text    string `json:"text"`
				ToolUse struct{ Input string }
				Reason  struct{ Text, Signature string } `json:"reasoningContent"`
			} `json:"delta"`
			Trace json.RawMessage `json:"trace"`
		}
		if err := json.Unmarshal(m.Payload, &f); err != nil {
			t.Fatalf("frame %s: %v", m.Payload, err)
		}
		if s.stop != "" && name != "metadata" || strings.HasPrefix(name, "contentBlock") && ended[f.Index] {
			t.Fatalf("the stream goes on behind its end: %s %s", name, m.Payload)
		}
		for len(s.parts) <= f.Index {
			s.parts = append(s.parts, part{})
		}
		p := &s.parts[f.Index]
		switch name {
		case "contentBlockStart":
			if f.Start.ToolUse != nil {
				p.tool = f.Start.ToolUse.Name
			}
		case "contentBlockDelta":
			p.text += f.Delta.Text
			p.reasoning += f.Delta.Reason.Text
			p.signature += f.Delta.Reason.Signature
			p.input += f.Delta.ToolUse.Input
		case "contentBlockStop":
			ended[f.Index] = true
		case "messageStop":
			s.stop = f.StopReason
		case "metadata":
			s.trace = string(f.Trace)
		}
	}
	return s
}

// events are those of a streamed answer, in pieces.
func events(parts []part, rng *rand.Rand) (out []string) {
	out = append(out, `{"messageStart":{"role":"assistant","p":"abc"}}`)
	for i, p := range parts {
		delta := func(s, before, after string) {
			for s != "" {
				r := []rune(s)
				piece := string(r[:min(len(r), 1+rng.IntN(9))])
				s = s[len(piece):]
				out = append(out, fmt.Sprintf(`{"contentBlockDelta":{"contentBlockIndex":%d,"delta":%s%s%s,"p":"abcd"}}`, i, before, quote(piece), after))
			}
		}
		if p.tool != "" {
			out = append(out, fmt.Sprintf(`{"contentBlockStart":{"start":{"toolUse":{"toolUseId":"t%d","name":%s}},"contentBlockIndex":%d}}`, i, quote(p.tool), i))
		}
		delta(p.reasoning, `{"reasoningContent":{"text":`, `}}`)
		delta(p.signature, `{"reasoningContent":{"signature":`, `}}`)
		delta(p.text, `{"text":`, `}`)
		delta(p.input, `{"toolUse":{"input":`, `}}`)
		out = append(out, fmt.Sprintf(`{"contentBlockStop":{"contentBlockIndex":%d}}`, i))
	}
	return append(out, `{"messageStop":{"stopReason":"end_turn"}}`, `{"metadata":{"usage":{"inputTokens":5,"outputTokens":7,"totalTokens":12},"metrics":{"latencyMs":3}}}`)
}

// relayed passes events through the relay.
func relayed(t testing.TB, req gateway.Request, g *guard.Guard, evs []string) []byte {
	t.Helper()
	relay := bedrock.Converse{}.Relay(req, opener(g))
	var out []byte
	for _, e := range evs {
		var err error
		if out, err = relay.Event(t.Context(), out, []byte(e)); err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		if relay.Blocked() {
			return relay.Withhold(out, gateway.Declined{Guardrail: "mask@draft", Message: "Withheld.", Way: ringwall.Output, Findings: []ringwall.Finding{{Control: "inference/word", Reason: "listed-word"}}})
		}
	}
	out = relay.End(t.Context(), out)
	if u := relay.Usage(); u.InputTokens != 5 || u.OutputTokens != 7 {
		t.Fatalf("Usage() = %+v", u)
	}
	return out
}

// whole passes the same answer in one piece.
func whole(t testing.TB, g *guard.Guard, parts []part) said {
	t.Helper()
	var b strings.Builder
	b.WriteString(`{"output":{"message":{"role":"assistant","content":[`)
	for i, p := range parts {
		if i > 0 {
			b.WriteByte(',')
		}
		switch {
		case p.tool != "":
			fmt.Fprintf(&b, `{"toolUse":{"toolUseId":"t%d","name":%s,"input":%s}}`, i, quote(p.tool), p.input)
		case p.reasoning != "":
			fmt.Fprintf(&b, `{"reasoningContent":{"reasoningText":{"text":%s,"signature":%s}}}`, quote(p.reasoning), quote(p.signature))
		default:
			fmt.Fprintf(&b, `{"text":%s}`, quote(p.text))
		}
	}
	b.WriteString(`]}},"stopReason":"end_turn"}`)
	a, err := bedrock.Converse{}.Answer(nil, []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	res := g.Check(t.Context(), guard.Session{Way: ringwall.Output}, a.Texts())
	var f struct {
		Output struct {
			Message struct {
				Content []struct {
					Text    string
					ToolUse *struct {
						Name  string
						Input json.RawMessage
					}
					ReasoningContent struct {
						ReasoningText struct{ Text, Signature string }
					}
				}
			}
		}
		StopReason string
	}
	if err := json.Unmarshal(a.Edit(res.Texts), &f); err != nil {
		t.Fatal(err)
	}
	s := said{stop: f.StopReason}
	for _, c := range f.Output.Message.Content {
		p := part{text: c.Text, reasoning: c.ReasoningContent.ReasoningText.Text, signature: c.ReasoningContent.ReasoningText.Signature}
		if c.ToolUse != nil {
			p.tool, p.input = c.ToolUse.Name, string(c.ToolUse.Input)
		}
		s.parts = append(s.parts, p)
	}
	return s
}

var pieces = []string{
	"The answer is here. ", "Mail a.b@example.org now, ", card + " ", "naïve café 秘密 ", "bluebird! ",
	"sk-abcdefghij1234567890klmnop ", "call 415-555-0132. ", "{}\"\\\n", "ok ",
}

// randomParts makes an answer.
func randomParts(rng *rand.Rand) (parts []part) {
	text := func() (s string) {
		for range 1 + rng.IntN(4) {
			s += pieces[rng.IntN(len(pieces))]
		}
		return s
	}
	for range 1 + rng.IntN(4) {
		switch rng.IntN(3) {
		case 0:
			parts = append(parts, part{text: text()})
		case 1:
			parts = append(parts, part{reasoning: text(), signature: "c2lnbmVk"})
		case 2:
			input := `{"to": ` + quote(text()) + `, "n": 4111111111111111, "l": ["x", "a.b@example.org"]}`
			parts = append(parts, part{tool: "pay", input: input})
		}
	}
	return parts
}

// The streamed answer equals the whole one, however it is cut, and the proof of
// masked reasoning is in neither.
func TestStreamEqualsWhole(t *testing.T) {
	g := maskAll(t)
	for seed := range uint64(1500) {
		rng := rand.New(rand.NewPCG(seed, 3))
		parts := randomParts(rng)
		want := whole(t, g, parts)
		got := collect(t, relayed(t, nil, g, events(parts, rng)))
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Fatalf("seed %d\ngot  %q\nwant %q", seed, got, want)
		}
		for i, p := range want.parts {
			if masked := p.reasoning != parts[i].reasoning; masked == (p.signature != "") && p.reasoning != "" {
				t.Fatalf("seed %d: masked is %v and the proof is %q", seed, masked, p.signature)
			}
		}
	}
}

// blockAll is a guardrail that ends a stream.
func blockAll(t testing.TB) *guard.Guard {
	g, err := guard.New(guard.Config{Name: "block", Rules: []guard.Rule{{Control: "inference/word", Scanners: words(t), Output: &guard.Actions{Default: ringwall.Block}}}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestPolicyEndsAStreamInBedrocksWords(t *testing.T) {
	const body = `{"messages":[{"role":"user","content":[{"text":"x"}]}],"guardrailConfig":{"trace":"enabled"}}`
	req := converse(t, body)
	for _, tt := range []struct {
		name  string
		parts []part
		want  string
	}{
		{"at once", []part{{text: "bluebird"}}, `[{"Withheld." "" "" "" ""}]`},
		{"behind a block", []part{{text: "Fine. "}, {text: "bluebird"}}, `[{"Fine. " "" "" "" ""} {"Withheld." "" "" "" ""}]`},
		{"in a tool call", []part{{tool: "pay", input: `{"a":"bluebird"}`}}, `[{"Withheld." "" "" "" ""}]`},
		{"in the name of a tool", []part{{tool: "bluebird", input: `{}`}}, `[{"Withheld." "" "" "" ""}]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := relayed(t, req, blockAll(t), events(tt.parts, rand.New(rand.NewPCG(1, 1))))
			got := collect(t, out)
			if fmt.Sprintf("%q", got.parts) != tt.want || got.stop != "guardrail_intervened" || bytes.Contains(out, []byte("bluebird")) {
				t.Errorf("got %q, want %s", got, tt.want)
			}
			same(t, []byte(got.trace), []byte(`{"guardrail":{"actionReason":"Guardrail blocked.","outputAssessments":{"mask":[{"wordPolicy":{"customWords":[{"match":"","action":"BLOCKED","detected":true}],"managedWordLists":[]}}]}}}`))
		})
	}
}

func TestDeclinedPromptsHaveAnAnswer(t *testing.T) {
	d := gateway.Declined{
		Guardrail: "shop@2", Message: "Not so.", Way: ringwall.Input, Inputs: 8,
		Findings: []ringwall.Finding{
			{Control: "inference/prompt-attack", Reason: "many-shot", Score: 0.99},
			{Control: "inference/prompt-attack", Reason: "encoding", Score: 0.6},
			{Control: "inference/prompt-attack", Reason: "jailbreak", Score: 0.9},
			{Control: "inference/content", Reason: "insult", Score: 0.6},
			{Control: "inference/pii", Reason: "us-social-security-number"},
			{Control: "inference/pii", Reason: "name"},
			{Control: "inference/topic", Reason: "medicine"},
			{Control: "inference/topic", Reason: "medicine"},
		},
		Actions: []ringwall.Action{ringwall.Flag, ringwall.Block, ringwall.Block, ringwall.Block, ringwall.Mask, ringwall.Flag, ringwall.Block, ringwall.Block},
	}
	const ask = `{"messages":[{"role":"user","content":[{"text":"x"}]}],"guardrailConfig":{"guardrailIdentifier":"shop","guardrailVersion":"2","trace":"enabled"}}`
	const trace = `{"guardrail":{"actionReason":"Guardrail blocked.","inputAssessment":{"shop":{
		"contentPolicy":{"filters":[{"type":"PROMPT_ATTACK","confidence":"HIGH","action":"BLOCKED","detected":true},{"type":"INSULTS","confidence":"MEDIUM","action":"BLOCKED","detected":true}]},
		"sensitiveInformationPolicy":{"piiEntities":[{"type":"US_SOCIAL_SECURITY_NUMBER","match":"","action":"ANONYMIZED","detected":true}],"regexes":[]},
		"topicPolicy":{"topics":[{"name":"medicine","type":"DENY","action":"BLOCKED","detected":true}]}}}}}`
	same(t, bedrock.Converse{}.Declined(converse(t, ask), d), []byte(`{"output":{"message":{"role":"assistant","content":[{"text":"Not so."}]}},"stopReason":"guardrail_intervened","usage":{"inputTokens":0,"outputTokens":0,"totalTokens":0},"metrics":{"latencyMs":0},"trace":`+trace+`}`))
	req, err := bedrock.Converse{}.Read(post("/model/m/converse-stream"), []byte(ask))
	if err != nil {
		t.Fatal(err)
	}
	got := collect(t, bedrock.Converse{}.Declined(req, d))
	if got.stop != "guardrail_intervened" || len(got.parts) != 1 || got.parts[0].text != "Not so." {
		t.Errorf("the stream says %q", got)
	}
	same(t, []byte(got.trace), []byte(trace))
	quiet := bedrock.Converse{}.Declined(converse(t, `{"messages":[{"role":"user","content":[{"text":"x"}]}]}`), d)
	if bytes.Contains(quiet, []byte("trace")) {
		t.Errorf("a trace that nobody asked for: %s", quiet)
	}
}

func TestRelayRefusesGarbage(t *testing.T) {
	g := maskAll(t)
	for name, data := range map[string]string{
		"no JSON":         `{"messageStart":`,
		"nothing":         `{}`,
		"two events":      `{"messageStart":{},"messageStop":{}}`,
		"no object":       `{"messageStart":1}`,
		"an exception":    `{"throttlingException":{"message":"slow"}}`,
		"a block of none": `{"contentBlockDelta":{"delta":{"text":"x"}}}`,
	} {
		if out, err := (bedrock.Converse{}).Relay(nil, opener(g)).Event(t.Context(), nil, []byte(data)); err == nil || len(out) > 0 {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

func TestFailuresInsideAStream(t *testing.T) {
	for status, kind := range map[int]string{429: "throttlingException", 502: "modelStreamErrorException", 503: "serviceUnavailableException", 500: "internalServerException", 400: "validationException"} {
		out := bedrock.Converse{}.Relay(nil, nil).Fail(nil, &ringwall.Refusal{Status: status, Public: "So."}, "x1")
		for m, err := range eventstream.Messages(bytes.NewReader(out)) {
			if err != nil || m.Text(":message-type") != "exception" || m.Text(":exception-type") != kind || string(m.Payload) != `{"message":"So. (reference x1)"}` {
				t.Errorf("%d: %+v %s, %v", status, m.Headers, m.Payload, err)
			}
		}
	}
}

func FuzzRelay(f *testing.F) {
	f.Add([]byte(strings.Join(events([]part{{text: "a " + card}, {tool: "pay", input: `{"a":1}`}, {reasoning: "hm", signature: "s"}}, rand.New(rand.NewPCG(1, 1))), "\n")))
	f.Add([]byte(`{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"citation":{"title":"4111 1111 1111 1111"},"toolUse":{"input":"{"},"text":"a"}}}` + "\n" + `{"contentBlockStop":{"contentBlockIndex":0}}`))
	g := maskAll(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		relay := bedrock.Converse{}.Relay(nil, opener(g))
		var out []byte
		for event := range bytes.SplitSeq(in, []byte{'\n'}) {
			var err error
			if out, err = relay.Event(t.Context(), out, event); err != nil {
				break
			}
		}
		out = relay.End(t.Context(), out)
		for m, err := range eventstream.Messages(bytes.NewReader(out)) {
			if err != nil {
				t.Fatal(err)
			}
			if !json.Valid(m.Payload) {
				t.Fatalf("sent what is no JSON: %q", m.Payload)
			}
			if bytes.Contains(m.Payload, []byte(card)) {
				t.Fatalf("a card left: %q", m.Payload)
			}
		}
	})
}

// What an event says beside a text is looked at as well.
func TestEveryTextOfAStreamIsLookedAt(t *testing.T) {
	g := maskAll(t)
	for _, tt := range []struct{ event string }{
		{`{"messageStart":{"role":"assistant","new":"%s"}}`},
		{`{"contentBlockStart":{"start":{"image":{"new":"%s"}},"contentBlockIndex":0}}`},
		{`{"contentBlockStart":{"start":{},"new":["%s"],"contentBlockIndex":0}}`},
		{`{"contentBlockDelta":{"delta":{"text":"much more than a few words of it"},"new":"%s","contentBlockIndex":0}}`},
		{`{"contentBlockDelta":{"delta":{"citation":{"title":"%s"}},"contentBlockIndex":0}}`},
		{`{"contentBlockDelta":{"delta":{"toolResult":[{"text":"%s"}]},"contentBlockIndex":0}}`},
		{`{"contentBlockStop":{"contentBlockIndex":0,"new":"%s"}}`},
		{`{"messageStop":{"stopReason":"end_turn","additionalModelResponseFields":{"new":"%s"}}}`},
		{`{"metadata":{"usage":{},"trace":{"guardrail":{"modelOutput":["%s"]}}}}`},
		{`{"newEvent":{"new":"%s"}}`},
	} {
		relay := bedrock.Converse{}.Relay(nil, opener(g))
		out, err := relay.Event(t.Context(), nil, fmt.Appendf(nil, tt.event, card))
		if err != nil || bytes.Contains(out, []byte(card)) || !bytes.Contains(out, []byte("{CREDIT_DEBIT_CARD_NUMBER}")) {
			t.Errorf("%s: %q, %v", tt.event, out, err)
		}
	}
	relay := bedrock.Converse{}.Relay(nil, opener(g))
	out, err := relay.Event(t.Context(), nil, []byte(`{"contentBlockStart":{"start":{"toolUse":{"name":"pay"}},"contentBlockIndex":0,"new":"`+card+`"}}`))
	if out = relay.End(t.Context(), out); err != nil || bytes.Contains(out, []byte(card)) || !bytes.Contains(out, []byte(`"new":"{`)) {
		t.Errorf("beside a tool call: %q, %v", out, err)
	}
	req := invoke(t, claude, `{"messages":[]}`)
	for _, event := range []string{
		`{"type":"message_start","message":{"new":"%s"}}`,
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"%s"}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"much more than a few words of it","new":"%s"}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"cited_text":"%s"}}}`,
		`{"type":"content_block_stop","index":0,"new":"%s"}`,
		`{"type":"message_delta","delta":{"new":"%s"}}`,
		`{"type":"new","new":"%s"}`,
	} {
		out, err := bedrock.Invoke{}.Relay(req, opener(g)).Event(t.Context(), nil, chunk(fmt.Sprintf(event, card)))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(bytes.Join(inner(t, out), nil)); strings.Contains(got, card) || !strings.Contains(got, "{CREDIT_DEBIT_CARD_NUMBER}") {
			t.Errorf("%s: %s", event, got)
		}
	}
}
