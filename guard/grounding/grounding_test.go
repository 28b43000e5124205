package grounding_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/grounding"
)

const source = "The warranty of the Solano grill lasts two years and covers the motor. Ms Ito sold the factory in Porto to Dr Weber in May 2019 for 3.1 million euros. " +
	"Some spare parts are available in red. The lid is not dishwasher-safe."

// Each kind of error is seen, and what says the same in other words is not one.
func TestErrors(t *testing.T) {
	d := detector(t)
	for _, tt := range []struct {
		name, answer string
		borne        bool
	}{
		{"word for word", "The lid is not dishwasher-safe.", true},
		{"a number in digits", "The warranty of the grill lasts 2 years.", true},
		{"a year as months", "The warranty lasts 24 months.", true},
		{"a price written otherwise", "Ms Ito sold the factory for €3,100,000.", true},
		{"a price that was rounded", "Ms Ito sold the factory for about 3 million euros.", true},
		{"the passive", "The factory in Porto was sold to Dr Weber by Ms Ito.", true},
		{"a wrong number", "The warranty lasts three years.", false},
		{"a wrong unit", "The warranty lasts two weeks.", false},
		{"a wrong price", "Ms Ito sold the factory for 31 million euros.", false},
		{"a wrong currency", "Ms Ito sold the factory for 3.1 million dollars.", false},
		{"a wrong month", "Ms Ito sold the factory in August 2019.", false},
		{"a wrong year", "Ms Ito sold the factory in May 2009.", false},
		{"a wrong name", "Ms Tanaka sold the factory in Porto.", false},
		{"a wrong place", "Ms Ito sold the factory in Lisbon.", false},
		{"swapped roles", "Dr Weber sold the factory to Ms Ito.", false},
		{"a negation that is gone", "The lid is dishwasher-safe.", false},
		{"a negation that is new", "The warranty does not cover the motor.", false},
		{"an opposite", "Ms Ito bought the factory in Porto.", false},
		{"more than was said", "All spare parts are available in red.", false},
		{"a claim that was added", "The warranty lasts two years and includes free cleaning by a technician every summer.", false},
		{"another matter", "Bananas are rich in potassium.", false},

		{"a claim behind a hedge", "I'm not sure, but the warranty lasts nine years.", false},
		{"a claim behind a courtesy", "Here is what you need: the warranty lasts nine years and covers the motor.", false},
		{"advice with a number", "Please wait nine days before you use the grill.", false},
		{"a greeting", "Hello, and thank you for your question!", true},
		{"a question", "Would you like to hear about the price of batteries in Norway?", true},
		{"a refusal", "I'm sorry, I cannot say anything about batteries in Norway.", true},
		{"a remark on the sources", "The document does not mention batteries in Norway.", true},
		{"a hedge", "I'm not sure whether batteries are sold in Norway.", true},
		{"nothing", "", true},
		{"an offer", "Let me know if you need anything else.", true},
	} {
		v, err := d.Judge(t.Context(), "", []string{source}, tt.answer)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Grounding >= 0.6; got != tt.borne {
			t.Errorf("%s: %q has %.2f, want it borne out: %v", tt.name, tt.answer, v.Grounding, tt.borne)
		}
	}
}

func TestRelevance(t *testing.T) {
	d := detector(t)
	for _, tt := range []struct {
		query, answer string
		relevant      bool
	}{
		{"How long is the warranty?", "The warranty lasts two years.", true},
		{"What is the capital of France?", "Paris.", true},
		{"How do I reset my password?", "Click on 'Forgot password' and follow the link.", true},
		{"what's the weather like tomorrow", "Expect rain in the morning and sunshine after noon.", true},
		{"Hello!", "How can I help you?", true},
		{"What is the capital of France?", "I cannot tell.", true},
		{"When does the train to Porto leave?", "The warranty covers the motor. It lasts five years.", false},
		{"What is the capital of France?", "Bananas are a good source of potassium.", false},
		{"Which side effects does aspirin have?", "The committee approved the new bus line.", false},
	} {
		v, err := d.Judge(t.Context(), tt.query, nil, tt.answer)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Relevance >= 0.5; got != tt.relevant {
			t.Errorf("%q to %q has %.2f, want it relevant: %v", tt.answer, tt.query, v.Relevance, tt.relevant)
		}
	}
}

func TestBegin(t *testing.T) {
	both := grounding.Config{Grounding: 0.5, Relevance: 0.5}
	out := guard.Session{Way: ringwall.Output, Query: "q", Sources: []string{"s"}}
	without := func(f func(*guard.Session)) guard.Session { s := out; f(&s); return s }
	for _, tt := range []struct {
		name  string
		cfg   grounding.Config
		s     guard.Session
		looks bool
		why   string
	}{
		{"with all it needs", both, out, true, ""},
		{"without sources", both, without(func(s *guard.Session) { s.Sources = nil }), true, grounding.NoSources},
		{"with empty sources", both, without(func(s *guard.Session) { s.Sources = []string{" "} }), true, grounding.NoSources},
		{"without a question", both, without(func(s *guard.Session) { s.Query = "" }), true, grounding.NoQuery},
		{"without either", both, guard.Session{Way: ringwall.Output}, false, grounding.NoSources},
		{"grounding alone, without sources", grounding.Config{Grounding: 0.5}, without(func(s *guard.Session) { s.Sources = nil }), false, grounding.NoSources},
		{"relevance alone, without a question", grounding.Config{Relevance: 0.5}, without(func(s *guard.Session) { s.Query = "" }), false, grounding.NoQuery},
		{"on the way in", both, without(func(s *guard.Session) { s.Way = ringwall.Input }), false, "answers-only"},
	} {
		d, err := grounding.New(tt.cfg)
		if err != nil {
			t.Fatal(err)
		}
		if e, why := d.Begin(tt.s); (e != nil) != tt.looks || why != tt.why {
			t.Errorf("%s: it looks: %v, %q; want %v, %q", tt.name, e != nil, why, tt.looks, tt.why)
		}
	}
}

// A finding names the sentence; the texts of tool calls are none.
func TestFindings(t *testing.T) {
	d := detector(t)
	e, _ := d.Begin(guard.Session{Way: ringwall.Output, Sources: []string{source}})
	const answer = "The warranty covers the motor. Zürich’s warranty lasts nine years! Hello?"
	fs, err := e.Detect(t.Context(), ringwall.Text{Path: "/choices/0/message/content", Value: answer})
	if err != nil || len(fs) != 1 {
		t.Fatalf("%+v, %v", fs, err)
	}
	if f := fs[0]; answer[f.Where.Start:f.Where.End] != "Zürich’s warranty lasts nine years!" || f.Reason != grounding.Reason || f.Score < 0.5 || f.Score > 1 {
		t.Errorf("%+v", f)
	}
	for _, path := range []string{"/choices/0/message/tool_calls/0/function/arguments#/q", "/choices/0/message/reasoning_content"} {
		if fs, err := e.Detect(t.Context(), ringwall.Text{Path: path, Value: answer}); err != nil || len(fs) > 0 {
			t.Errorf("%s: %+v, %v", path, fs, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, cfg := range []grounding.Config{{}, {Grounding: 1}, {Relevance: -0.1}} {
		if _, err := grounding.New(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
	d, err := grounding.New(grounding.Config{Grounding: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Detect(t.Context(), ringwall.Text{Value: "x"}); err == nil {
		t.Error("it judges without an exchange")
	}
}

func TestEndsWithItsContext(t *testing.T) {
	d := detector(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Judge(ctx, "", []string{source}, "The lid is red."); err == nil {
		t.Error("it goes on")
	}
}

// What is said at the end of long sources is found there.
func TestLongSources(t *testing.T) {
	d := detector(t)
	var long strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&long, "Order %d was packed in hall %d by team %c. ", 10_000+i*7, i%40, 'A'+i%20)
	}
	sources := []string{long.String(), long.String() + source}
	for answer, borne := range map[string]bool{"The warranty of the grill lasts two years.": true, "The warranty of the grill lasts nine years.": false} {
		if v, err := d.Judge(t.Context(), "", sources, answer); err != nil || (v.Grounding >= 0.6) != borne {
			t.Errorf("%q has %.2f, %v", answer, v.Grounding, err)
		}
	}
}

// hostile are texts that are made to be slow, and to be read wrong.
var hostile = []string{"a", "the ", "Is Not ", "1", "1,", "1.", "1:", "$", "twenty ", "hundred ", "May 1 ", "not ", "by ", "投资", "\u0301", "\xff", "'", "A-1-", "&a", ".", "\n", "no. ", "(", "%"}

func TestWorkIsLinear(t *testing.T) {
	d := detector(t)
	for _, unit := range hostile {
		took := func(size int) time.Duration {
			text := strings.Repeat(unit, size/len(unit))
			best := time.Hour
			for range 4 {
				start := time.Now()
				if _, err := d.Judge(t.Context(), text, []string{text}, text); err != nil {
					t.Fatal(err)
				}
				best = min(best, time.Since(start))
			}
			return best
		}
		if little, much := took(8<<10), took(64<<10); much > 40*little && much > 100*time.Millisecond {
			t.Errorf("%q: 8 KB take %v, 64 KB take %v", unit, little, much)
		}
	}
}

func FuzzJudge(f *testing.F) {
	for i, h := range hostile {
		f.Add("what "+h, h+source, strings.Repeat(hostile[(i+3)%len(hostile)], 3)+" 3.1 million "+h)
	}
	d := detector(f)
	f.Fuzz(func(t *testing.T, query, source, answer string) {
		if len(query)+len(source)+len(answer) > 1<<13 {
			return
		}
		v, err := d.Judge(t.Context(), query, []string{source}, answer)
		if err != nil {
			t.Fatal(err)
		}
		scores := []float64{v.Grounding, v.Relevance}
		last := 0
		for _, c := range v.Claims {
			scores = append(scores, c.Support)
			if c.Where.Start < last || c.Where.End > len(answer) || c.Where.Empty() {
				t.Fatalf("a claim at %v of %d bytes", c.Where, len(answer))
			}
			last = c.Where.End
		}
		if slices.ContainsFunc(scores, func(s float64) bool { return !(s >= 0 && s <= 1) }) {
			t.Fatalf("scores %v", scores)
		}
		again, err := d.Judge(t.Context(), query, []string{source}, answer)
		if err != nil || again.Grounding != v.Grounding || again.Relevance != v.Relevance {
			t.Fatalf("%+v, and then %+v", v, again)
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	d := detector(b)
	var long strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&long, "Order %d was packed in hall %d by team %c. ", 10_000+i*7, i%40, 'A'+i%20)
	}
	answer := strings.Repeat("The warranty of the grill lasts two years. Ms Ito sold the factory in Porto. ", 14)[:1<<10]
	for name, s := range map[string]guard.Session{"short sources": {Sources: []string{source}}, "long sources": {Sources: []string{long.String() + source}}} {
		b.Run(name, func(b *testing.B) {
			s.Way = ringwall.Output
			e, _ := d.Begin(s)
			b.SetBytes(int64(len(answer)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Detect(b.Context(), ringwall.Text{Value: answer}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
