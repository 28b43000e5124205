package completions_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/openai/completions"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/internal/sse"
)

func masking(t testing.TB) *guard.Guard {
	g, err := guard.New(guard.Config{Name: "mask", Rules: []guard.Rule{
		{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Output: &guard.Actions{Default: ringwall.Mask}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func relayOf(g *guard.Guard) gateway.Relay {
	looks := g.Looks(ringwall.Output)
	return completions.Dialect{}.Relay(nil, func(path string) gateway.Channel {
		return g.Channel(guard.Session{Way: ringwall.Output}, ringwall.Text{Path: path, Origin: ringwall.Assistant}, looks)
	})
}

// said is the text of the first choice in the frames of a stream.
func said(t testing.TB, frames []byte) (text string) {
	for ev, err := range sse.Events(bytes.NewReader(frames)) {
		if err != nil {
			t.Fatal(err)
		}
		var f struct{ Choices []struct{ Text string } }
		if string(ev.Data) == "[DONE]" {
			continue
		}
		if err := json.Unmarshal(ev.Data, &f); err != nil {
			t.Fatalf("%s: %v", ev.Data, err)
		}
		for _, c := range f.Choices {
			text += c.Text
		}
	}
	return text
}

func TestStreamEqualsUnary(t *testing.T) {
	g := masking(t)
	pieces := []string{"It is here. ", "Mail a.b@example.org now, ", "4111 1111 1111 1111 ", "naïve 秘密 ", "\"\\\n"}
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 3))
		text := ""
		for range 1 + rng.IntN(4) {
			text += pieces[rng.IntN(len(pieces))]
		}
		whole, _ := json.Marshal(text)
		a, err := completions.Dialect{}.Answer(nil, []byte(`{"choices":[{"index":0,"text":`+string(whole)+`,"logprobs":{"tokens":["x"]},"finish_reason":"stop"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		want := said(t, sse.Append(nil, a.Edit(g.Check(t.Context(), guard.Session{Way: ringwall.Output}, a.Texts()).Texts)))
		relay, out := relayOf(g), []byte(nil)
		for r := []rune(text); len(r) > 0; {
			n := min(len(r), 1+rng.IntN(9))
			piece, _ := json.Marshal(string(r[:n]))
			finish := "null"
			if r = r[n:]; len(r) == 0 {
				finish = `"stop"`
			}
			if out, err = relay.Event(t.Context(), out, fmt.Appendf(nil, `{"choices":[{"index":0,"text":%s,"finish_reason":%s}]}`, piece, finish)); err != nil {
				t.Fatal(err)
			}
		}
		if got := said(t, relay.End(t.Context(), out)); got != want {
			t.Fatalf("seed %d: got %q, want %q", seed, got, want)
		}
	}
}

func FuzzRelay(f *testing.F) {
	f.Add(`{"choices":[{"index":0,"text":"4111 1111 "}]}` + "\n" + `{"choices":[{"index":0,"text":"1111 1111","finish_reason":"stop"}]}`)
	g := masking(f)
	f.Fuzz(func(t *testing.T, in string) {
		relay, out := relayOf(g), []byte(nil)
		for frame := range strings.SplitSeq(in, "\n") {
			var err error
			if out, err = relay.Event(t.Context(), out, []byte(frame)); err != nil {
				break
			}
		}
		if bytes.Contains(relay.End(t.Context(), out), []byte("4111 1111 1111 1111")) {
			t.Fatal("a card left")
		}
	})
}
