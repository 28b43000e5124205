package gemini_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/gemini"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/sse"
)

// frame is an answer, or a piece of one.
type frame struct {
	Candidates []struct {
		Index   int
		Content struct {
			Parts []struct {
				Text         *string
				Thought      bool
				FunctionCall json.RawMessage
			}
		}
		FinishReason      string
		LogprobsResult    json.RawMessage
		GroundingMetadata struct{ GroundingSupports json.RawMessage }
	}
	UsageMetadata json.RawMessage
	Error         json.RawMessage
}

// told is what a client has of each candidate: its parts, where text that goes on
// is one, and how it ended.
type told map[int]string

func (s told) add(t testing.TB, f frame) {
	for _, c := range f.Candidates {
		if strings.Contains(s[c.Index], "END") {
			t.Fatalf("candidate %d goes on behind its end", c.Index)
		}
		for _, p := range c.Content.Parts {
			kind := "[text]"
			switch {
			case p.Text == nil:
				s[c.Index] += "[call]" + string(p.FunctionCall)
				continue
			case *p.Text == "":
				continue
			case p.Thought:
				kind = "[thought]"
			}
			if at := strings.LastIndexByte(s[c.Index], '['); at < 0 || !strings.HasPrefix(s[c.Index][at:], kind) {
				s[c.Index] += kind
			}
			s[c.Index] += strings.ReplaceAll(*p.Text, "[", "(")
		}
		if c.FinishReason != "" {
			s[c.Index] += "END " + c.FinishReason
		}
	}
}

func collect(t testing.TB, out []byte, array bool) told {
	s := told{}
	if array {
		var fs []frame
		if err := json.Unmarshal(out, &fs); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for _, f := range fs {
			s.add(t, f)
		}
		return s
	}
	for ev, err := range sse.Events(bytes.NewReader(out)) {
		var f frame
		if err != nil || json.Unmarshal(ev.Data, &f) != nil {
			t.Fatalf("%v: %s", err, ev.Data)
		}
		s.add(t, f)
	}
	return s
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// part is a part of an answer that a test makes.
type part struct {
	text    string
	thought bool
	call    string // literal; "" for text
}

func (p part) json(text string) string {
	switch {
	case p.call != "":
		return `{"functionCall":` + p.call + `}`
	case p.thought:
		return `{"text":` + quote(text) + `,"thought":true}`
	}
	return `{"text":` + quote(text) + `}`
}

// streamed streams candidates in pieces through the relay.
func streamed(t testing.TB, g *guard.Guard, cs [][]part, array bool, rng *rand.Rand) told {
	query := "?alt=sse"
	if array {
		query = ""
	}
	req, err := gemini.Dialect{}.Read(asked("m:streamGenerateContent", query), []byte(`{"contents":{"parts":{"text":"x"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	relay := gemini.Dialect{}.Relay(req, opener(g))
	var out []byte
	for i := range cs {
		var pending []string
		send := func(finish string) {
			f := fmt.Sprintf(`{"candidates":[{"content":{"parts":[%s],"role":"model"}%s,"index":%d,"logprobsResult":{"chosenCandidates":[{"token":"4111"}]}}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":7,"thoughtsTokenCount":2},"modelVersion":"m","responseId":"r"}`, strings.Join(pending, ","), finish, i)
			pending = nil
			if out, err = relay.Event(t.Context(), out, []byte(f)); err != nil {
				t.Fatalf("%s: %v", f, err)
			}
		}
		for _, p := range cs[i] {
			for rest := []rune(p.text); ; {
				n := min(len(rest), 1+rng.IntN(9))
				pending = append(pending, p.json(string(rest[:n])))
				if rest = rest[n:]; rng.IntN(3) > 0 {
					send("")
				}
				if len(rest) == 0 {
					break
				}
			}
		}
		send(`,"finishReason":"STOP"`)
	}
	out = relay.End(t.Context(), out)
	if u := relay.Usage(); u.InputTokens != 5 || u.OutputTokens != 9 || u.ReasoningTokens != 2 {
		t.Fatalf("Usage() = %+v", u)
	}
	if bytes.Contains(out, []byte("logprobsResult")) {
		t.Fatalf("tokens left: %s", out)
	}
	return collect(t, out, array)
}

// whole passes the same answer in one piece.
func whole(t testing.TB, g *guard.Guard, cs [][]part) told {
	var list []string
	for i, c := range cs {
		var parts []string
		for _, p := range c {
			parts = append(parts, p.json(p.text))
		}
		list = append(list, fmt.Sprintf(`{"content":{"parts":[%s],"role":"model"},"finishReason":"STOP","index":%d}`, strings.Join(parts, ","), i))
	}
	a, err := gemini.Dialect{}.Answer(nil, []byte(`{"candidates":[`+strings.Join(list, ",")+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	res := g.Check(t.Context(), guard.Session{Way: ringwall.Output}, a.Texts())
	return collect(t, append(append([]byte{'['}, a.Edit(res.Texts)...), ']'), true)
}

// The streamed answer equals the unary one, in every candidate and every part,
// however it is cut.
func TestStreamEqualsUnary(t *testing.T) {
	g := maskAll(t)
	pieces := []string{"The answer is here. ", "Mail a.b@example.org now, ", card + " ", "4111 1111", " 1111 1111 ", "naïve café 秘密 ", "bluebird! ", "sk-abcdefghij1234567890klmnop ", "{}\"\\\n", "ok "}
	for seed := range uint64(1500) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var cs [][]part
		for range 1 + rng.IntN(2) {
			var c []part
			for range 1 + rng.IntN(4) {
				switch rng.IntN(4) {
				case 0:
					c = append(c, part{call: `{"name":"pay","args":{"to":` + quote(pieces[rng.IntN(len(pieces))]) + `,"n":4111111111111111}}`})
				case 1:
					c = append(c, part{text: pieces[rng.IntN(len(pieces))], thought: true})
				default:
					c = append(c, part{text: pieces[rng.IntN(len(pieces))] + pieces[rng.IntN(len(pieces))]})
				}
			}
			cs = append(cs, c)
		}
		want := whole(t, g, cs)
		got := streamed(t, g, cs, seed%2 == 0, rng)
		for i := range cs {
			if got[i] != want[i] || !strings.HasSuffix(want[i], "END STOP") {
				t.Fatalf("seed %d candidate %d\ngot  %s\nwant %s", seed, i, got[i], want[i])
			}
		}
	}
}

func TestWhatRepeatsTheTextGoesWithIt(t *testing.T) {
	const body = `{"candidates":[{"content":{"parts":[{"text":"my card is %s"}]},"finishReason":"STOP","logprobsResult":{"chosenCandidates":[{"token":"4111"}]},"groundingMetadata":{"webSearchQueries":["q"],"groundingSupports":[{"segment":{"text":"card is %[1]s"}}]}}]}`
	g := maskAll(t)
	for _, text := range []string{card, "none"} {
		in := fmt.Sprintf(body, text)
		a, err := gemini.Dialect{}.Answer(nil, []byte(in))
		if err != nil {
			t.Fatal(err)
		}
		out := a.Edit(g.Check(t.Context(), guard.Session{Way: ringwall.Output}, a.Texts()).Texts)
		if text == "none" && string(out) != in {
			t.Errorf("an unchanged answer became %s", out)
		}
		frames, err := gemini.Dialect{}.Relay(nil, opener(g)).Event(t.Context(), nil, []byte(in))
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []string{string(out), strings.TrimPrefix(string(frames), "data: ")} {
			if !json.Valid([]byte(got)) || text == card && (strings.Contains(got, "4111") || strings.Contains(got, "groundingSupports")) || !strings.Contains(got, `"q"`) {
				t.Errorf("got %s", got)
			}
		}
	}
}

func TestWithheld(t *testing.T) {
	d := gateway.Declined{ID: "x1", Message: "No."}
	a, err := gemini.Dialect{}.Answer(nil, []byte(`{"candidates":[{"content":{"parts":[{"text":"bad"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1},"modelVersion":"m"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(a.Withhold(d)); got != `{"candidates":[{"content":{"parts":[{"text":"No."}],"role":"model"},"finishReason":"SAFETY","index":0}],"usageMetadata":{"promptTokenCount":1},"modelVersion":"m"}` {
		t.Errorf("Withhold() = %s", got)
	}
	g := maskAll(t)
	relay := gemini.Dialect{}.Relay(nil, opener(g))
	if got := string(relay.Withhold(nil, d)); got != "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"No.\"}],\"role\":\"model\"},\"finishReason\":\"SAFETY\",\"index\":0}]}\n\n" {
		t.Errorf("nothing said: %s", got)
	}
	if _, err := relay.Event(t.Context(), nil, []byte(`{"candidates":[{"content":{"parts":[{"text":"all is well so far, and there is more of it to be said now "}]}}],"responseId":"r"}`)); err != nil {
		t.Fatal(err)
	}
	if got := string(relay.Withhold(nil, d)); got != "data: {\"candidates\":[{\"finishReason\":\"SAFETY\",\"index\":0}],\"responseId\":\"r\"}\n\n" {
		t.Errorf("something said: %s", got)
	}
}

func TestRelayRefusesGarbage(t *testing.T) {
	g := maskAll(t)
	for name, data := range map[string]string{
		"no JSON":          `{"candidates":`,
		"an error":         `{"error":{"message":"boom"}}`,
		"no candidates":    `{"responseId":"x"}`,
		"a duplicate":      `{"candidates":[],"candidates":[]}`,
		"a call in pieces": `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}}]}}]}`,
	} {
		if out, err := (gemini.Dialect{}).Relay(nil, opener(g)).Event(t.Context(), nil, []byte(data)); err == nil || len(out) > 0 {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

func FuzzRelay(f *testing.F) {
	f.Add([]byte(`{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}`+"\n"+`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":1}}},{"text":"b"}]},"finishReason":"STOP"}]}`), true)
	f.Add([]byte(`{"candidates":[{"content":{"parts":{"text":"4111 1111"}},"logprobsResult":{},"groundingMetadata":{"groundingSupports":[{"segment":{"text":"4111 1111 1111 1111"}}],"x":"4111 1111 1111 1111"}}],"promptFeedback":{}}`+"\n"+`{"candidates":[{"content":{"parts":{"text":" 1111 1111"}}}]}`), false)
	g := maskAll(f)
	f.Fuzz(func(t *testing.T, in []byte, array bool) {
		query := "?alt=sse"
		if array {
			query = ""
		}
		req, err := gemini.Dialect{}.Read(asked("m:streamGenerateContent", query), []byte(`{"contents":{"parts":{"text":"x"}}}`))
		if err != nil {
			t.Fatal(err)
		}
		relay := gemini.Dialect{}.Relay(req, opener(g))
		reader := gemini.Codec{}.ReadStream()
		var out []byte
		for frame := range bytes.SplitSeq(in, []byte{'\n'}) {
			_ = reader.Event(frame, func(ringwall.Delta) {})
			if out, err = relay.Event(t.Context(), out, frame); err != nil {
				break
			}
		}
		out = relay.End(t.Context(), out)
		if array && !json.Valid(out) {
			t.Fatalf("sent what is no JSON: %q", out)
		}
		if bytes.Contains(out, []byte(card)) {
			t.Fatalf("a card left: %q", out)
		}
		if array {
			return
		}
		for ev, err := range sse.Events(bytes.NewReader(out)) {
			if err != nil || !json.Valid(ev.Data) {
				t.Fatalf("%v: sent what is no JSON: %q", err, ev.Data)
			}
		}
	})
}
