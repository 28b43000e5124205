package gateway_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/stream"
)

// long is a classifier that scores a text by its length: a third of a hundredth a
// byte.
type long struct{}

func (long) Begin(stream.Scope) (stream.Cursor, string) { return new(length), "" }

type length struct{ n int }

func (l *length) Scan(w stream.Window, found func(stream.Match)) int {
	l.n = w.End()
	if w.Final && l.n > 200 {
		found(stream.Match{Start: 0, End: 1, Reason: "violence", Severity: ringwall.High, Score: 0.5})
	}
	return l.n
}

func (l *length) Scores(yield func(string, float64)) { yield(ringwall.ScoreViolence, float64(l.n)/300) }

// The record keeps what was thought of both ways, whatever became of them.
func TestScoresAreRecorded(t *testing.T) {
	asks := func(stream string) string {
		return `{"model":"m",` + stream + `"messages":[{"role":"user","content":"hello"}]}`
	}
	viol := func(way ringwall.Direction, score float64) ringwall.Score {
		return ringwall.Score{Name: ringwall.ScoreViolence, Way: way, Value: score}
	}
	chunk := `{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"fine"},"finish_reason":"stop"}]}`
	for _, tt := range []struct {
		name, body, answer string
		status             int
		want               ringwall.Scores
	}{
		{"a whole answer", asks(""), fine, 200, ringwall.Scores{viol(ringwall.Input, 0.017), viol(ringwall.Output, 0.013)}},
		{"a streamed answer", asks(`"stream":true,`), chunk, 200, ringwall.Scores{viol(ringwall.Input, 0.017), viol(ringwall.Output, 0.013)}},
		{"a prompt that is refused", strings.Replace(asks(""), "hello", strings.Repeat("a", 240), 1), fine, 400, ringwall.Scores{viol(ringwall.Input, 0.8)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := records(t)
			g := guardrail(t, guard.Rule{Control: "inference/content", Scanners: []stream.Scanner{long{}}, Input: &guard.Actions{}, Output: &guard.Actions{}})
			_, s := serve(t, gateway.Config{Records: log, World: world(g, model{answer: tt.answer, do: func() {}})})
			resp, text := post(t, s.URL, tt.body)
			list, err := log.Query(t.Context(), audit.Filter{ID: resp.Header.Get(gateway.Header), Kind: ringwall.ExchangeEnd})
			if err != nil || len(list) != 1 || resp.StatusCode != tt.status {
				t.Fatalf("%d %s: %d records, %v", resp.StatusCode, text, len(list), err)
			}
			if got := list[0].Event.Scores; !reflect.DeepEqual(got, tt.want) {
				t.Errorf("recorded %+v, want %+v", got, tt.want)
			}
		})
	}
}
