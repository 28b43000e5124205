package eval_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/server/eval"
)

// reads is a guardrail that knows the scores of a text by what it says of them:
// "hate=0.7 insult=0.2". It blocks what scores above a half.
func reads(_ context.Context, _ ringwall.Direction, text ringwall.Text) eval.Seen {
	seen := eval.Seen{Scores: map[string]float64{}}
	for _, part := range strings.Fields(text.Value) {
		name, number, _ := strings.Cut(part, "=")
		var score float64
		if _, err := fmt.Sscan(number, &score); err != nil {
			continue
		}
		seen.Scores[name] = score
		f := ringwall.Finding{Control: "inference/content", Reason: strings.ReplaceAll(name, "_", "-"), Score: score}
		if name == "prompt_attack" {
			f.Control, f.Reason = "inference/prompt-attack", "jailbreak"
		}
		if score > 0.5 {
			seen.Findings = append(seen.Findings, f)
		}
	}
	return seen
}

func readsConfig(files ...string) eval.Config {
	return eval.Config{
		Files: files, Look: reads, NoCost: true,
		Decide: func(ringwall.Direction, []ringwall.Finding) ringwall.Action { return ringwall.Block },
	}
}

func TestRowsOfSeveralClasses(t *testing.T) {
	r := run(t, readsConfig(write(t,
		`{"text":"hate=0.9 insult=0.6","label":["hate","insult"],"known":["hate","insult"]}`,
		`{"text":"hate=0.2 self_harm=0.9","label":["self-harm"]}`,
		`{"text":"hate=0.3 insult=0.7","label":["none"],"known":["hate","insult"]}`,
		`{"text":"hate=0.95","label":["none"],"known":["insult"]}`,
		`{"text":"self_harm=0.1","label":["none"]}`,
	)))
	b := r.Binary
	// Ranked by the worst of a row: positives 0.9, 0.9; negatives 0.7, 0.95, 0.1.
	if b.Score != eval.Harm || b.Recall.Of != 2 || b.FalseAlarms.Of != 3 || math.Abs(float64(b.AUC)-4./6) > 1e-9 {
		t.Errorf("ranked by %s: AUC %v, %+v", b.Score, b.AUC, b.Verdicts)
	}
	var got []string
	for _, c := range b.Classes {
		got = append(got, fmt.Sprintf("%s %d/%d %d/%d %.2f", c.Name, c.Recall.Hits, c.Recall.Of, c.FalseAlarms.Hits, c.FalseAlarms.Of, float64(c.AUC)))
	}
	// The fourth row does not tell of hate; the second says nothing of what it is not.
	want := []string{"hate 1/1 0/2 1.00", "insult 1/1 1/3 0.67", "self_harm 1/1 0/1 1.00"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatRanks(t *testing.T) {
	for _, tt := range []struct{ name, score, row, want string }{
		{"attacks", "", `{"text":"prompt_attack=1","label":"attack"}`, "prompt_attack"},
		{"harm", "", `{"text":"hate=1","label":["hate"]}`, eval.Harm},
		{"rows that tell of harm", "", `{"text":"hate=1","label":["none"],"known":["violence"]}`, eval.Harm},
		{"what was asked for", "insult", `{"text":"hate=1","label":["hate"]}`, "insult"},
	} {
		cfg := readsConfig(write(t, tt.row))
		cfg.Score = tt.score
		if got := run(t, cfg).Binary.Score; got != tt.want {
			t.Errorf("%s: by %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestBudget(t *testing.T) {
	var rows []string
	for i := range 400 {
		rows = append(rows, fmt.Sprintf(`{"text":"prompt_attack=%.4f","label":"benign"}`, float64(i)/500))
	}
	for i := range 10 {
		rows = append(rows, fmt.Sprintf(`{"text":"prompt_attack=%.4f","label":"attack"}`, 0.75+float64(i)/50))
	}
	cfg := readsConfig(write(t, rows...))
	cfg.Budget, cfg.PerDay = 0.01, 10000
	c := run(t, cfg).Binary.Classes
	if len(c) != 1 || c[0].Budget == nil {
		t.Fatalf("%+v", c)
	}
	// Three of 400 and one more are within 1 % of 401. The guardrail itself flags 149.
	b := c[0].Budget
	if b.FPR != (eval.Share{Hits: 3, Of: 400}) || b.Threshold != 0.79 && b.Threshold != 0.7940 || b.Recall.Of != 10 || c[0].FalseAlarms.Hits != 149 {
		t.Errorf("%+v; now %+v", b, c[0].Verdicts)
	}
	if lost := 1 - b.Recall.Value(); float64(b.Lost) != lost || b.PerDay != 75 || float64(b.NowDay) != 3725 || !(b.MostDay > b.PerDay) || !(b.Low < 0.0075 && b.High > 0.0075) {
		t.Errorf("lost %v of %v; a day %v, at most %v, now %v; %v to %v", b.Lost, lost, b.PerDay, b.MostDay, b.NowDay, b.Low, b.High)
	}
	cfg.Budget = 0.0001
	r := run(t, cfg)
	if fault := r.Binary.Classes[0].Budget.Fault; !strings.Contains(fault, "cannot be promised after 400 benign texts") {
		t.Errorf("a budget too small: %q", fault)
	}
	var text, md bytes.Buffer
	if err := errors.Join(r.WriteText(&text), r.WriteMarkdown(&md, "Accuracy", 1)); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{text.String(), md.String()} {
		if !strings.Contains(out, "A budget of 0.01%") || !strings.Contains(out, "cannot be promised after 400") {
			t.Errorf("printed:\n%s", out)
		}
	}
	cfg = config(write(t, `{"text":"mail","label":[]}`))
	cfg.Budget = 0.1
	if _, err := eval.Run(t.Context(), cfg); !errors.Is(err, eval.ErrOptions) {
		t.Errorf("a budget for spans: %v", err)
	}
}
