package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/word"
	"github.com/ringwall/ringwall/internal/sse"
)

// naming is a dialect in which a header names a guardrail, and another says that
// answers wait for it.
type naming struct{ openai.Chat }

type namedRequest struct {
	gateway.Request
	name string
	sync bool
}

func (r namedRequest) Guardrail() string { return r.name }
func (r namedRequest) Sync() bool        { return r.sync }

func (n naming) Read(r *http.Request, body []byte) (gateway.Request, error) {
	req, err := n.Chat.Read(r, body)
	return namedRequest{req, r.Header.Get("Guardrail"), r.Header.Get("Sync") != ""}, err
}

func (n naming) Answer(r gateway.Request, body []byte) (gateway.Answer, error) {
	return n.Chat.Answer(r.(namedRequest).Request, body)
}

func (n naming) Relay(r gateway.Request, open gateway.Open) gateway.Relay {
	return n.Chat.Relay(r.(namedRequest).Request, open)
}

// shelf finds guardrails by name.
type shelf map[string]*guard.Guard

func (s shelf) Find(_ context.Context, ref gateway.Ref) (gateway.Guardrail, error) {
	if g := s[ref.Name]; g != nil {
		return gateway.Guardrail{Guard: g, Name: ref.Name, Version: "draft"}, nil
	}
	return gateway.Guardrail{}, fmt.Errorf("%w: %s", gateway.ErrNoGuardrail, ref)
}

// pieces is a Provider that says a text in pieces.
type pieces struct {
	model
	text []string
	sent chan string // what it was asked; nil: nobody wants to know
}

func (p pieces) Complete(_ context.Context, c ringwall.Call) ([]byte, error) {
	if p.sent != nil {
		p.sent <- string(c.Body)
	}
	b, err := json.Marshal(strings.Join(p.text, ""))
	return fmt.Appendf(nil, `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":%s},"finish_reason":"stop"}]}`, b), err
}

func (p pieces) Events(context.Context, ringwall.Call) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		for i := range len(p.text) + 1 {
			delta := `"delta":{},"finish_reason":"stop"`
			if i < len(p.text) {
				b, _ := json.Marshal(p.text[i])
				delta = `"delta":{"content":` + string(b) + `},"finish_reason":null`
			}
			if !yield(sse.Event{Data: []byte(`{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,` + delta + `}]}`)}, nil) {
				return
			}
		}
	}
}

// listed is a rule about a word.
func listed(t *testing.T, a ringwall.Action, words ...string) guard.Rule {
	w, err := word.New(word.List{Words: words})
	if err != nil {
		t.Fatal(err)
	}
	act := &guard.Actions{Default: a}
	return guard.Rule{Control: word.Control, Scanners: []stream.Scanner{w}, Input: act, Output: act}
}

func masks(a ringwall.Action) guard.Rule {
	act := &guard.Actions{Default: a}
	return guard.Rule{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Input: act, Output: act}
}

func walled(t *testing.T, log gateway.Recorder, p pieces, force, other *guard.Guard) string {
	w := &gateway.World{Guard: force, Guardrails: shelf{"other": other, "test": force}, Anonymous: true, Default: &gateway.Route{Name: "p", Provider: p}}
	g, err := gateway.New(gateway.Config{Auth: nobody{}, Records: log, World: w})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	g.Handle(mux, "POST /v1/chat/completions", naming{})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// asked sends a question and returns what was said, and whether it was withheld.
func asked(t *testing.T, url, text, guardrail string, stream bool, header ...string) (said string, withheld bool, resp *http.Response) {
	b, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"model":"m","stream":%v,"messages":[{"role":"user","content":%s}]}`, stream, b)
	req, err := http.NewRequest(http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Guardrail", guardrail)
	for _, h := range header {
		req.Header.Set(h, "1")
	}
	resp, err = http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var f struct {
		Choices []struct {
			Delta, Message struct{ Content string }
			Finish         string `json:"finish_reason"`
		}
		Error struct{ Message string }
	}
	if !stream {
		if err := json.NewDecoder(resp.Body).Decode(&f); err != nil {
			t.Fatal(err)
		}
		if len(f.Choices) == 0 {
			return f.Error.Message, true, resp
		}
		return f.Choices[0].Message.Content, f.Choices[0].Finish == "content_filter", resp
	}
	for ev, err := range sse.Events(resp.Body) {
		if err != nil {
			t.Fatal(err)
		}
		if string(ev.Data) == "[DONE]" {
			continue
		}
		if err := json.Unmarshal(ev.Data, &f); err != nil {
			t.Fatal(err)
		}
		for _, c := range f.Choices {
			said += c.Delta.Content
			withheld = withheld || c.Finish == "content_filter"
			f.Choices = nil
		}
	}
	return said, withheld, resp
}

// A finding of either guardrail counts, and the stricter decision wins.
func TestANamedGuardrailLooksBesideTheOneInForce(t *testing.T) {
	log := records(t)
	build := func(name string, rules ...guard.Rule) *guard.Guard {
		g, err := guard.New(guard.Config{Name: name, Rules: rules, InputMessage: "no, says " + name, OutputMessage: "no, says " + name})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	force := build("test", masks(ringwall.Mask), listed(t, ringwall.Block, "magpie"))
	other := build("other", masks(ringwall.Block), listed(t, ringwall.Mask, "bluebird"))
	mild := build("other", listed(t, ringwall.Mask, "bluebird", "EMAIL"))
	for _, tt := range []struct {
		name, text, guardrail string
		other                 *guard.Guard
		want                  string // what the model reads; "" when it is not asked
		told                  string
	}{
		{"nobody is named", "ann@example.com bluebird", "", other, "{EMAIL} bluebird", ""},
		{"the one in force is named", "ann@example.com bluebird", "test", other, "{EMAIL} bluebird", ""},
		{"the other one masks", "a bluebird", "other", other, "a {LISTED_WORD}", ""},
		{"both mask", "ann@example.com bluebird", "other", mild, "{{LISTED_WORD}} {LISTED_WORD}", ""},
		{"the other one blocks what is masked", "ann@example.com", "other", other, "", "no, says other"},
		{"the one in force blocks", "bluebird and magpie", "other", other, "", "no, says test"},
		{"there is none", "hello", "nobody", other, "", `The guardrail "nobody" does not exist.`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := pieces{text: []string{"fine"}, sent: make(chan string, 1)}
			said, withheld, resp := asked(t, walled(t, log, p, force, tt.other), tt.text, tt.guardrail, false)
			if tt.want == "" {
				if !withheld || !strings.Contains(said, tt.told) || len(p.sent) > 0 {
					t.Errorf("the client read %q", said)
				}
			} else if got := <-p.sent; withheld || said != "fine" || !strings.Contains(got, `"content":"`+tt.want+`"`) {
				t.Errorf("the client read %q, the model %s", said, got)
			}
			list, err := log.Query(t.Context(), audit.Filter{ID: resp.Header.Get(gateway.Header), Kind: ringwall.ExchangeEnd})
			if err != nil || len(list) != 1 {
				t.Fatalf("%+v, %v", list, err)
			}
			looks := 0
			for _, l := range list[0].Event.Looks {
				if l.Guardrail == "other@draft" {
					looks++
				}
			}
			if ev := list[0].Event; ev.Guardrail != "test@draft" || (looks > 0) != (tt.guardrail == "other") {
				t.Errorf("the record says %s, %d looks", ev.Guardrail, looks)
			}
		})
	}
}

// A streamed answer that two guardrails look at says what a whole one says, however
// it is cut, and nothing of what either withholds.
func TestTwoGuardrailsStreamAsTheyAnswer(t *testing.T) {
	log := records(t)
	build := func(name string, rules ...guard.Rule) *guard.Guard {
		g, err := guard.New(guard.Config{Name: name, Rules: rules})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	// What one masks the other may mask, block, or find in the mask.
	guards := []*guard.Guard{
		build("other", masks(ringwall.Mask), listed(t, ringwall.Block, "magpie")),
		build("other", listed(t, ringwall.Mask, "bluebird", "EMAIL")),
		build("other", masks(ringwall.Block)),
		build("other", listed(t, ringwall.Block, "EMAIL")),
	}
	force := build("test", masks(ringwall.Mask), listed(t, ringwall.Block, "jackdaw"))
	vocabulary := []string{"hello ", "ann@example.com ", "a bluebird ", "magpie ", "jackdaw ", "naïve 🐦 ", "4111 1111 1111 1111 ", "EMA", "IL ", "blue", "bird ", "\n"}
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 7))
		var text string
		for range 1 + rng.IntN(6) {
			text += vocabulary[rng.IntN(len(vocabulary))]
		}
		p := pieces{}
		for rest := []rune(text); len(rest) > 0; {
			n := 1 + rng.IntN(min(5, len(rest)))
			p.text, rest = append(p.text, string(rest[:n])), rest[n:]
		}
		other := guards[seed%uint64(len(guards))]
		url := walled(t, log, p, force, other)
		want, cut, _ := asked(t, url, "hello", "other", false)
		got, cutToo, resp := asked(t, url, "hello", "other", true)
		if cut != cutToo || !cut && got != want || cut && (strings.Contains(got, "jackdaw") || strings.Contains(got, "@")) {
			t.Fatalf("seed %d: %q is %q, %v whole and %q, %v streamed", seed, p.text, want, cut, got, cutToo)
		}
		if w := resp.Header.Get(gateway.ReleaseHeader); w != "strict" {
			t.Fatalf("the stream waits %q", w)
		}
	}
}

// A caller may have a stream wait for rules that would let it leave; not the other
// way round.
func TestACallerMayHaveAStreamWait(t *testing.T) {
	log := records(t)
	detector := guard.Func(func(_ context.Context, text ringwall.Text) ([]ringwall.Finding, error) {
		if strings.Contains(text.Value, "jackdaw") {
			return []ringwall.Finding{{Control: "inference/content", Reason: "hate", Score: 1}}, nil
		}
		return nil, nil
	})
	late, err := guard.New(guard.Config{Name: "test", Rules: []guard.Rule{{Control: "inference/content", Detector: detector, Output: &guard.Actions{}, Release: guard.CutOff}}})
	if err != nil {
		t.Fatal(err)
	}
	url := walled(t, log, pieces{text: strings.SplitAfter("a jackdaw sits on the roof and sings", " ")}, late, guardrail(t))
	for _, name := range []string{"", "other"} {
		if _, _, resp := asked(t, url, "hello", name, true); resp.Header.Get(gateway.ReleaseHeader) != "cut-off" {
			t.Errorf("%q waits %q", name, resp.Header.Get(gateway.ReleaseHeader))
		}
		said, withheld, resp := asked(t, url, "hello", name, true, "Sync")
		if resp.Header.Get(gateway.ReleaseHeader) != "window" || !withheld || strings.Contains(said, "jackdaw") {
			t.Errorf("%q waits %q and says %q", name, resp.Header.Get(gateway.ReleaseHeader), said)
		}
	}
}
