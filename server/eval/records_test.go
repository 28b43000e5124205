package eval_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/internal/calibrate"
	"github.com/ringwall/ringwall/server/eval"
)

var day = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// traffic writes n exchanges to a log, ten minutes apart, and reads them: the i-th
// has a score of i out of n.
func traffic(t *testing.T, n int, more ...ringwall.Event) iter.Seq2[audit.Entry, error] {
	t.Helper()
	dir := t.TempDir()
	l, err := audit.Open(t.Context(), audit.Config{Dir: dir, Fsync: audit.FsyncNever})
	if err != nil {
		t.Fatal(err)
	}
	events := more
	for i := range n {
		events = append(events, exchange(i, float64(i)/float64(n)))
	}
	for _, ev := range events {
		if err := l.End(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return audit.Read(t.Context(), dir, 1)
}

func exchange(i int, score float64) ringwall.Event {
	return ringwall.Event{
		ID: fmt.Sprintf("x%d", i), Kind: ringwall.ExchangeEnd, Time: day.Add(time.Duration(i) * 10 * time.Minute), Guardrail: "shop@2",
		Verdict: &ringwall.Verdict{Action: ringwall.Allow}, Scores: ringwall.Scores{}.Add(ringwall.Input, "prompt_attack", score),
	}
}

// blocked is an exchange that was, or would have been, blocked by an attack.
func blocked(i int, f ringwall.Finding) ringwall.Event {
	ev := exchange(i, 1)
	f.Control, f.Reason = "inference/prompt-attack", "jailbreak"
	ev.Findings = []ringwall.Finding{f}
	if f.Shadow == "" && f.Excepted == "" {
		ev.Verdict = &ringwall.Verdict{Action: ringwall.Block}
	}
	return ev
}

func TestRecords(t *testing.T) {
	cfg := eval.RecordsConfig{
		Entries: traffic(t, 999, blocked(1, ringwall.Finding{}), blocked(2, ringwall.Finding{Shadow: "block"}), ringwall.Event{ID: "k", Kind: ringwall.KeyCreated, Time: day}),
		Budget:  0.01,
		Present: func(ringwall.Direction, string) (float64, bool) { return 0.5, true },
		Curve: func(string) (calibrate.Curve, bool) {
			return calibrate.Curve{Benign: 10, Positive: 10, Points: []calibrate.Point{{Score: 0.5, FPR: 0.5, Recall: 0.9}, {Score: 1, FPR: 0, Recall: 0.6}}}, true
		},
	}
	r, err := eval.Records(t.Context(), cfg)
	if err != nil || len(r.Lines) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	l := r.Lines[0]
	// Of 1,000 benign exchanges, one in shadow with a score of 1, nine may be flagged.
	if r.Exchanges != 1001 || l.Exchanges != 1000 || l.Left != 1 || l.Guardrail != "shop@2" || l.Direction != "input" {
		t.Errorf("report %+v", r)
	}
	if l.FPR != (eval.Share{Hits: 9, Of: 1000}) || math.Abs(float64(l.Threshold)-991./999) > 1e-9 || float64(l.High) < 0.009 || float64(l.High) > 0.018 {
		t.Errorf("threshold %v flags %+v, at most %v", l.Threshold, l.FPR, l.High)
	}
	if l.Now.Hits != 500 || l.Present != 0.5 || float64(l.Recall) != 0.6 || math.Abs(float64(l.Lost)-0.3) > 1e-9 {
		t.Errorf("now %+v from %v, recall %v, lost %v", l.Now, l.Present, l.Recall, l.Lost)
	}
	// 998 times ten minutes are 6.93 days.
	if per := float64(r.PerDay); math.Abs(per-1001/(998./144)) > 1e-6 || math.Abs(float64(l.PerDay)-per*0.009) > 1e-6 {
		t.Errorf("%v requests a day, %v false positives", per, l.PerDay)
	}
	var text, md bytes.Buffer
	if err := errors.Join(r.WriteText(&text), r.WriteMarkdown(&md, "Records", 2)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"A budget of 1%", "prompt_attack  input      shop@2", "0.9 %"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text has no %q:\n%s", want, text.String())
		}
	}
	if !strings.Contains(md.String(), "## Records") || !json.Valid(encoded(t, r)) {
		t.Errorf("as Markdown:\n%s", md.String())
	}
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRecordsByGuardrailAndTime(t *testing.T) {
	old, other := exchange(5, 0.5), exchange(6, 0.5)
	old.Guardrail, other.Guardrail = "shop@1", "bank@1"
	all := traffic(t, 500, old, other)
	for _, tt := range []struct {
		name, guardrail string
		since           time.Time
		exchanges       int64
		lines           int
	}{
		{"all", "", time.Time{}, 502, 4},
		{"one guardrail, all its versions", "shop", time.Time{}, 501, 3},
		{"one version", "shop@2", time.Time{}, 500, 1},
		{"from a time on", "shop@2", day.Add(10 * 400 * time.Minute), 100, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := eval.Records(t.Context(), eval.RecordsConfig{Entries: all, Guardrail: tt.guardrail, Since: tt.since, Budget: 0.05})
			if err != nil || r.Exchanges != tt.exchanges || len(r.Lines) != tt.lines {
				t.Fatalf("%d exchanges, %d lines, want %d, %d: %v", r.Exchanges, len(r.Lines), tt.exchanges, tt.lines, err)
			}
			if r.Lines[0].Guardrail == eval.AllVersions && tt.lines == 1 {
				t.Error("one version is told twice")
			}
		})
	}
}

func TestRecordsThatSayNothing(t *testing.T) {
	if _, err := eval.Records(t.Context(), eval.RecordsConfig{Entries: traffic(t, 3), Guardrail: "other", Budget: 0.1}); !errors.Is(err, eval.ErrNoRows) {
		t.Errorf("of another guardrail: %v", err)
	}
	if _, err := eval.Records(t.Context(), eval.RecordsConfig{Entries: traffic(t, 3)}); !errors.Is(err, eval.ErrOptions) {
		t.Errorf("without a budget: %v", err)
	}
	r, err := eval.Records(t.Context(), eval.RecordsConfig{Entries: traffic(t, 50), Budget: 0.001})
	if err != nil || !strings.Contains(r.Lines[0].Fault, "0.1% cannot be promised after 50 benign texts") {
		t.Errorf("too few: %+v, %v", r, err)
	}
	none := exchange(1, 0)
	none.Scores = nil
	if r, err := eval.Records(t.Context(), eval.RecordsConfig{Entries: traffic(t, 0, none), Budget: 0.1}); err != nil || r.Without != 1 || len(r.Lines) != 0 {
		t.Errorf("without scores: %+v, %v", r, err)
	}
}

// Where all traffic has one score, as with rules that find nothing, the threshold
// lies just above it; where that is the highest there is, nowhere.
func TestRecordsOfOneScore(t *testing.T) {
	for _, tt := range []struct{ score, want float64 }{{0, 0.001}, {0.25, 0.251}, {1, math.NaN()}} {
		var all []ringwall.Event
		for i := range 20 {
			all = append(all, exchange(i, tt.score))
		}
		r, err := eval.Records(t.Context(), eval.RecordsConfig{Entries: traffic(t, 0, all...), Budget: 0.05})
		if err != nil {
			t.Fatal(err)
		}
		if l := r.Lines[0]; math.Abs(float64(l.Threshold)-tt.want) > 1e-9 || math.IsNaN(tt.want) != math.IsNaN(float64(l.Threshold)) || (l.Fault == "") == math.IsNaN(tt.want) {
			t.Errorf("of %v: %v, %q, want %v", tt.score, l.Threshold, l.Fault, tt.want)
		}
	}
}
