package eval_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/server/eval"
)

// sees are the words that the guardrail of these tests notices, in any text that
// has them: figures can be counted by hand.
var sees = map[string]ringwall.Finding{
	"mail":       {Control: "inference/pii", Reason: "email", Score: 0.9},
	"number":     {Control: "inference/pii", Reason: "phone", Score: 0.8},
	"Zoë":        {Control: "inference/pii", Reason: "name", Score: 0.7},
	"pin":        {Control: "inference/pii", Reason: "pin", Score: 0.7},
	"key":        {Control: "inference/secret", Reason: "github-pat", Score: 0.9},
	"passphrase": {Control: "inference/secret", Reason: "assigned-secret", Score: 0.9},
	"attack":     {Control: "inference/prompt-attack", Reason: "jailbreak", Score: 0.9},
	"odd":        {Control: "inference/prompt-attack", Reason: "jailbreak", Score: 0.4},
	"broken":     {Control: "inference/pii", Reason: ringwall.ReasonUnavailable},
}

func look(_ context.Context, _ ringwall.Direction, text ringwall.Text) eval.Seen {
	seen := eval.Seen{Scores: map[string]float64{}}
	at := 0
	for word := range strings.SplitAfterSeq(text.Value, " ") {
		if f, ok := sees[strings.TrimSpace(word)]; ok {
			f.Where = ringwall.Span{Start: at, End: at + len(strings.TrimSpace(word))}
			seen.Findings = append(seen.Findings, f)
			if f.Control == "inference/prompt-attack" {
				seen.Scores["prompt_attack"] = max(seen.Scores["prompt_attack"], f.Score)
			}
		}
		at += len(word)
	}
	return seen
}

// decide masks data, and blocks what is sure.
func decide(_ ringwall.Direction, fs []ringwall.Finding) ringwall.Action {
	act := ringwall.Allow
	for _, f := range fs {
		switch {
		case f.Reason == "pin":
			act = min(act, ringwall.Flag)
		case f.Control != "inference/prompt-attack":
			act = min(act, ringwall.Mask)
		case f.Score > 0.5:
			act = min(act, ringwall.Block)
		default:
			act = min(act, ringwall.Flag)
		}
	}
	return act
}

func config(files ...string) eval.Config {
	return eval.Config{Files: files, Look: look, Decide: decide, Guardrail: "test@draft", Reasons: []string{"email", "phone", "pin"}, NoCost: true}
}

// write makes a file of rows.
func write(t *testing.T, rows ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "rows.jsonl")
	if err := os.WriteFile(name, []byte(strings.Join(rows, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func run(t *testing.T, cfg eval.Config) *eval.Report {
	t.Helper()
	r, err := eval.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// line is what a test says of an eval.Line.
type line struct {
	labelled, found, missed, wrong, mistyped, pieces int64
	strict                                           int64
}

func of(l eval.Line) line {
	return line{l.Labelled, l.Found, l.Missed, l.False, l.Mistyped, l.Pieces, l.StrictRecall.Hits}
}

func TestSpans(t *testing.T) {
	tests := []struct {
		name string
		row  string
		want line
	}{
		{"the same boundaries and type", `{"text":"my mail","label":[{"start":3,"end":7,"type":"EMAIL_ADDRESS"}]}`, line{1, 1, 0, 0, 0, 0, 1}},
		{"an overlap is found, but not strictly", `{"text":"my mail","label":[{"start":0,"end":7,"type":"EMAIL_ADDRESS"}]}`, line{1, 1, 0, 0, 0, 0, 0}},
		{"missed", `{"text":"my post","label":[{"start":3,"end":7,"type":"EMAIL_ADDRESS"}]}`, line{1, 0, 1, 0, 0, 0, 0}},
		{"false", `{"text":"my mail","label":[]}`, line{0, 0, 0, 1, 0, 0, 0}},
		{"of another type: missed, and false", `{"text":"my mail","label":[{"start":3,"end":7,"type":"PHONE_NUMBER"}]}`, line{1, 0, 1, 1, 1, 0, 0}},
		{"a second finding on a label is false", `{"text":"mail mail","label":[{"start":0,"end":9,"type":"EMAIL_ADDRESS"}]}`, line{1, 1, 0, 1, 0, 1, 0}},
		{"one finding is not for two labels", `{"text":"mail","label":[{"start":0,"end":2,"type":"EMAIL"},{"start":2,"end":4,"type":"EMAIL"}]}`, line{2, 1, 1, 0, 0, 0, 0}},
		{"labels that overlap", `{"text":"mail number","label":[{"start":0,"end":11,"type":"PHONE"},{"start":0,"end":4,"type":"EMAIL"}]}`, line{2, 2, 0, 0, 0, 0, 1}},
		{"a credential of any kind", `{"text":"the key","label":[{"start":4,"end":7,"type":"gitlab-pat"}]}`, line{1, 1, 0, 0, 0, 0, 1}},
		{"four fifths of a credential will do", `{"text":"a passphrase it is","label":[{"start":2,"end":14,"type":"jwt"}]}`, line{1, 1, 0, 0, 0, 0, 0}},
		{"less will not", `{"text":"a passphrase it is","label":[{"start":2,"end":15,"type":"jwt"}]}`, line{1, 0, 1, 1, 0, 1, 0}},
		{"credentials do not ask for data", `{"text":"mail key","label":[{"start":5,"end":8,"type":"private-key"}]}`, line{1, 1, 0, 0, 0, 0, 1}},
		{"in the terms of Bedrock", `{"text":"number","label":[{"start":0,"end":6,"type":"PHONE"}]}`, line{1, 1, 0, 0, 0, 0, 1}},
		{"data does not ask for credentials", `{"text":"mail key","label":[{"start":0,"end":4,"type":"EMAIL"}]}`, line{1, 1, 0, 0, 0, 0, 1}},
		{"a row that tells of addresses says nothing of numbers", `{"text":"mail number","label":[],"annotated":["EMAIL"]}`, line{0, 0, 0, 1, 0, 0, 0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := run(t, config(write(t, test.row)))
			if got := of(r.Spans.All); got != test.want {
				t.Errorf("%s\n%+v, want\n%+v", test.row, got, test.want)
			}
		})
	}
}

// The rows of a small data set, whose figures are counted by hand below.
var small = []string{
	`{"id":"a","text":"mail mail number","label":[{"start":0,"end":4,"type":"EMAIL"},{"start":10,"end":16,"type":"PHONE"}],"lang":"en","category":"pii"}`,
	`{"id":"b","text":"post of Zoë","label":[{"start":0,"end":4,"type":"EMAIL"},{"start":8,"end":12,"type":"PERSON"}],"lang":"de","category":"pii"}`,
	`{"id":"c","text":"no pin here","label":[],"lang":"en","category":"hard_negative"}`,
	`{"id":"d","text":"nothing of the kind","label":[],"lang":"en","category":"negative"}`,
	`{"id":"e","text":"ten","label":[{"start":0,"end":3,"type":"AGE"}],"lang":"de","category":"pii"}`,
	`{"id":"f","text":"mail 数字","label":[{"start":0,"end":4,"type":"URL"},{"start":5,"end":11,"type":"PHONE"}],"lang":"zh","category":"pii"}`,
}

func TestSpanFigures(t *testing.T) {
	cfg := config(write(t, small...))
	cfg.Ignore, cfg.Errors, cfg.By = []string{"url"}, 10, []string{"lang", "category"}
	r := run(t, cfg)
	s := r.Spans
	for _, x := range []struct {
		name string
		got  eval.Line
		want line
	}{
		// Found: mail and number of a, Zoë of b; missed: post, 数字; false: the second mail, pin.
		{"all", s.All, line{5, 3, 2, 2, 0, 0, 3}},
		{"structured", s.Structured, line{4, 2, 2, 2, 0, 0, 2}},
		{"names and places", s.Loose, line{1, 1, 0, 0, 0, 0, 1}},
		{"EMAIL", s.Types[0], line{2, 1, 1, 1, 0, 0, 1}},
		{"PHONE", s.Types[1], line{2, 1, 1, 0, 0, 0, 1}},
		{"PERSON", s.Types[2], line{1, 1, 0, 0, 0, 0, 1}},
		{"pin", s.Types[3], line{0, 0, 0, 1, 0, 0, 0}},
	} {
		if got := of(x.got); got != x.want || x.got.Name != x.name {
			t.Errorf("%s is called %s and has %+v, want %+v", x.name, x.got.Name, got, x.want)
		}
	}
	for _, x := range []struct {
		name      string
		got, want eval.Share
	}{
		{"precision", s.All.Precision, eval.Share{Hits: 3, Of: 5}},
		{"recall", s.All.Recall, eval.Share{Hits: 3, Of: 5}},
		{"clean rows", s.All.Clean, eval.Share{Hits: 1, Of: 2}},
	} {
		if x.got != x.want {
			t.Errorf("%s: %d of %d, want %d of %d", x.name, x.got.Hits, x.got.Of, x.want.Hits, x.want.Of)
		}
	}
	for _, x := range []struct {
		name      string
		got, want eval.Part
	}{
		{"labelled bytes that are masked", s.All.Covered, eval.Part{Hits: 4 + 6 + 4, Of: 4 + 6 + 4 + 4 + 6}},
		{"with types that are not looked for", s.AllCovered, eval.Part{Hits: 14, Of: 24 + 3}},
		{"other bytes that are masked; pin is only flagged", s.All.Masked, eval.Part{Hits: 4, Of: 6 + 4 + 11 + 19 + 1}},
	} {
		if x.got != x.want {
			t.Errorf("%s: %d of %d, want %d of %d", x.name, x.got.Hits, x.got.Of, x.want.Hits, x.want.Of)
		}
	}
	if !near(float64(s.All.F1), 0.6) || s.CleanWords != 7 || !near(float64(s.All.PerWord), 1000.0/7) {
		t.Errorf("F1 %v, %d clean words, %v false in 1,000", s.All.F1, s.CleanWords, s.All.PerWord)
	}
	if !slices.Equal(s.NotLookedFor, []eval.Count{{Name: "AGE", N: 1}}) || !slices.Equal(s.Ignored, []eval.Count{{Name: "URL", N: 1}}) || s.Neutral != 1 {
		t.Errorf("not looked for: %v, ignored: %v, neither right nor wrong: %d", s.NotLookedFor, s.Ignored, s.Neutral)
	}
	var langs []string
	for _, l := range s.By[0].Lines {
		langs = append(langs, l.Name)
	}
	if s.By[0].Field != "lang" || !slices.Equal(langs, []string{"de", "en", "zh"}) || of(s.By[0].Lines[1]) != (line{2, 2, 0, 2, 0, 0, 2}) || s.By[0].Lines[1].Rows != 3 {
		t.Errorf("by %s: %q, en %+v", s.By[0].Field, langs, s.By[0].Lines)
	}
	// The misses of b and f, then what is false in a and c.
	if len(r.Misses) != 2 || r.Misses[0].ID != "b" || r.Misses[1].Start != 5 || len(r.False) != 2 || r.False[0].Start != 5 || r.False[0].Type != "email" || r.False[0].Text != "" {
		t.Errorf("misses %+v, false %+v", r.Misses, r.False)
	}
}

func TestTypesCanBeMapped(t *testing.T) {
	cfg := config(write(t, `{"text":"mail number","label":[{"start":0,"end":4,"type":"HANDLE"},{"start":5,"end":11,"type":"HANDLE"}]}`))
	if r := run(t, cfg); len(r.Spans.NotLookedFor) != 1 || r.Spans.All.Labelled != 0 {
		t.Errorf("a type that nobody knows: %+v", r.Spans.All)
	}
	cfg.Map = map[string][]string{"handle": {"email", "phone"}}
	if r := run(t, cfg); of(r.Spans.All) != (line{2, 2, 0, 0, 0, 0, 2}) {
		t.Errorf("once it is mapped: %+v", r.Spans.All)
	}
}

// Which findings count is known from the first rows; a type that comes later and
// asks for others is not counted wrongly in silence.
func TestTypesThatComeLate(t *testing.T) {
	rows := []string{`{"text":"mail","label":[{"start":0,"end":4,"type":"EMAIL"}]}`}
	for range 6000 {
		rows = append(rows, `{"text":"key","label":[]}`)
	}
	rows = append(rows, `{"text":"number","label":[{"start":0,"end":6,"type":"PHONE"}]}`)
	cfg := config(write(t, rows...))
	if r := run(t, cfg); of(r.Spans.All) != (line{2, 2, 0, 0, 0, 0, 2}) {
		t.Errorf("data alone: %+v", r.Spans.All)
	}
	rows = append(rows, `{"text":"key","label":[{"start":0,"end":3,"type":"gitlab-pat"}]}`)
	cfg.Files = []string{write(t, rows...)}
	if _, err := eval.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "rows.jsonl:6003: the first label of type gitlab-pat") {
		t.Errorf("a credential behind it: %v", err)
	}
	cfg.Controls = []string{"inference/pii", "inference/secret"}
	if r := run(t, cfg); of(r.Spans.All) != (line{3, 3, 0, 6000, 0, 0, 3}) {
		t.Errorf("once the controls are named: %+v", r.Spans.All)
	}
}

// Types that share their findings have one count of what is false.
func TestTypesThatShareFindings(t *testing.T) {
	r := run(t, config(write(t,
		`{"text":"key","label":[{"start":0,"end":3,"type":"gitlab-pat"}]}`,
		`{"text":"lock","label":[{"start":0,"end":4,"type":"npm-access-token"}]}`,
		`{"text":"key mail","label":[]}`,
	)))
	if len(r.Spans.Types) != 1 {
		t.Fatalf("lines of types: %+v", r.Spans.Types)
	}
	l := r.Spans.Types[0]
	if of(l) != (line{2, 1, 1, 1, 0, 0, 1}) || len(l.Members) != 2 || l.Members[0].Found != 1 || l.Members[1].Missed != 1 {
		t.Errorf("%+v", l)
	}
}

func TestBinaryFigures(t *testing.T) {
	cfg := config(write(t,
		`{"id":"1","text":"an attack","label":"attack","category":"direct","source":"x"}`,
		`{"id":"2","text":"an odd one","label":"attack","category":"direct","source":"x"}`,
		`{"id":"3","text":"quiet","label":"attack","category":"leak","source":"y"}`,
		`{"id":"4","text":"no attack","label":"benign","category":"hard_benign","source":"y"}`,
		`{"id":"5","text":"hello","label":"benign","category":"hard_benign","source":"y"}`,
		`{"id":"6","text":"my mail","label":"benign","category":"benign","source":"x"}`,
	))
	cfg.Controls, cfg.Errors = []string{"inference/prompt-attack"}, 5
	cfg.Evade = []eval.Converter{
		{Name: "none", Encode: func(s string) string { return s }},
		{Name: "apart", Encode: func(s string) string { return s + " odd" }},
		{Name: "backwards", Encode: func(s string) string { return strings.ReplaceAll(s, "attack", "kcatta") }},
		{Name: "breaking", Encode: func(string) string { return "broken" }},
	}
	r := run(t, cfg)
	b := r.Binary
	// Scores: positives 0.9, 0.4, 0; negatives 0.9, 0, 0. Of nine pairs 0.9 wins 2.5,
	// 0.4 wins 2, 0 wins 1.
	if !near(float64(b.AUC), 5.5/9) || !near(float64(b.AveragePrecision), (0.5+2.0/3+0.5)/3) {
		t.Errorf("AUC %v, average precision %v", b.AUC, b.AveragePrecision)
	}
	for _, x := range []struct {
		name      string
		got, want eval.Share
	}{
		{"recall", b.Recall, eval.Share{Hits: 1, Of: 3}},
		{"precision", b.Precision, eval.Share{Hits: 1, Of: 2}},
		{"false alarms", b.FalseAlarms, eval.Share{Hits: 1, Of: 3}},
		{"over-defence", b.OverDefence, eval.Share{Hits: 1, Of: 2}},
		{"recall at 1 %", b.At1.Recall, eval.Share{Hits: 0, Of: 3}},
		{"caught in disguise", b.Evaded, eval.Share{Hits: 1, Of: 2}},
		{"unchanged", b.Evasion[0].StillCaught, eval.Share{}},
		{"another word", b.Evasion[1].StillCaught, eval.Share{Hits: 1, Of: 1}},
		{"backwards", b.Evasion[2].StillCaught, eval.Share{Hits: 0, Of: 1}},
	} {
		if x.got != x.want {
			t.Errorf("%s: %d of %d, want %d of %d", x.name, x.got.Hits, x.got.Of, x.want.Hits, x.want.Of)
		}
	}
	if !near(float64(b.F1), 2.0/5) || b.Evasion[0].Unchanged != 1 || b.Evasion[3].Unavailable != 1 {
		t.Errorf("F1 %v, evasion %+v", b.F1, b.Evasion)
	}
	if len(b.By) != 2 || b.By[0].Field != "source" || b.By[0].Lines[0].Name != "x" || !near(float64(b.By[0].Lines[0].AUC), 1) {
		t.Errorf("by source: %+v", b.By)
	}
	if len(r.Misses) != 2 || r.Misses[0].ID != "2" || len(r.False) != 1 || r.False[0].Type != "jailbreak" || r.False[0].Start != 3 {
		t.Errorf("misses %+v, false %+v", r.Misses, r.False)
	}
	cfg.At = ringwall.Flag
	if b := run(t, cfg).Binary; b.Recall.Hits != 2 {
		t.Errorf("with flags %d positives are caught, want 2", b.Recall.Hits)
	}
}

func TestClasses(t *testing.T) {
	rows := []string{
		`{"text":"a","label":["hate","insult"],"known":["hate","insult"]}`,
		`{"text":"b","label":["none"],"known":["hate"]}`,
		`{"text":"c","label":["none"],"known":["insult"]}`,
		`{"text":"d","label":["insult"]}`,
	}
	tests := []struct {
		name                       string
		positive                   []string
		positives, negatives, left int64
	}{
		{"all but those that say there is nothing", nil, 2, 2, 0},
		{"one class, where rows tell of it", []string{"hate"}, 1, 2, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := config(write(t, rows...))
			cfg.Positive = test.positive
			b := run(t, cfg).Binary
			if b.Recall.Of != test.positives || b.FalseAlarms.Of != test.negatives || b.Untold != test.left {
				t.Errorf("%d positive, %d negative, %d untold", b.Recall.Of, b.FalseAlarms.Of, b.Untold)
			}
		})
	}
}

func TestOrigins(t *testing.T) {
	system := ringwall.System
	tests := []struct {
		name, row string
		way       ringwall.Direction
		asked     *ringwall.Origin
		want      ringwall.Origin
	}{
		{"its own word", `{"text":"x","label":0,"origin":"assistant","kind":"document"}`, ringwall.Input, &system, ringwall.Assistant},
		{"what was asked for", `{"text":"x","label":0,"kind":"document"}`, ringwall.Input, &system, ringwall.System},
		{"its kind", `{"text":"x","label":0,"kind":"document"}`, ringwall.Input, nil, ringwall.Retrieved},
		{"a tool's", `{"text":"x","label":0,"kind":"tool_output"}`, ringwall.Input, nil, ringwall.Tool},
		{"the user's", `{"text":"x","label":0}`, ringwall.Input, nil, ringwall.User},
		{"the model's", `{"text":"x","label":0}`, ringwall.Output, nil, ringwall.Assistant},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := config(write(t, test.row))
			cfg.Way, cfg.Origin = test.way, test.asked
			cfg.Look = func(_ context.Context, way ringwall.Direction, text ringwall.Text) eval.Seen {
				if way != test.way || text.Origin != test.want {
					t.Errorf("asked about %s of %s, want %s of %s", way, text.Origin, test.way, test.want)
				}
				return eval.Seen{}
			}
			run(t, cfg)
		})
	}
}

func TestRowsThatCannotBeLookedAt(t *testing.T) {
	r := run(t, config(write(t, `{"text":"broken","label":[{"start":0,"end":6,"type":"EMAIL"}]}`, `{"text":"mail","label":[{"start":0,"end":4,"type":"EMAIL"}]}`)))
	if r.Unavailable != 1 || of(r.Spans.All) != (line{1, 1, 0, 0, 0, 0, 1}) {
		t.Errorf("%d could not be looked at, figures %+v", r.Unavailable, r.Spans.All)
	}
	r = run(t, config(write(t, `{"text":"broken","label":1}`)))
	if r.Unavailable != 1 || r.Binary != nil {
		t.Errorf("%d could not be looked at, figures %+v", r.Unavailable, r.Binary)
	}
	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil || !strings.Contains(b.String(), "could not look at 1 rows") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// However many look side by side, the report is the same, byte for byte.
func TestReportsAreTheSame(t *testing.T) {
	var rows []string
	for range 300 {
		rows = append(rows, small...)
	}
	name := write(t, rows...)
	for _, sample := range []int{0, 100} {
		var first []byte
		for _, workers := range []int{1, 8, 3} {
			cfg := config(name)
			cfg.Workers, cfg.Sample, cfg.Seed, cfg.Errors = workers, sample, 7, 20
			got, err := json.Marshal(run(t, cfg))
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = got
			}
			if !bytes.Equal(got, first) {
				t.Errorf("%d workers report\n%s, want\n%s", workers, got, first)
			}
		}
	}
}

func TestSamplesAndLimits(t *testing.T) {
	var rows []string
	for range 1000 {
		rows = append(rows, `{"text":"mail","label":[]}`, `{"text":"x","label":[]}`)
	}
	name := write(t, rows...)
	judged := func(change func(*eval.Config)) (eval.DataSet, eval.Line) {
		cfg := config(name)
		change(&cfg)
		r := run(t, cfg)
		return r.Data[0], r.Spans.All
	}
	all, _ := judged(func(*eval.Config) {})
	if all.Rows != 2000 || all.Judged != 2000 || len(all.SHA256) != 64 {
		t.Errorf("all: %+v", all)
	}
	some, line := judged(func(c *eval.Config) { c.Sample = 200 })
	if some.Rows != 2000 || some.Judged != 200 || some.SHA256 != all.SHA256 {
		t.Errorf("a sample: %+v", some)
	}
	if line.False < 70 || line.False > 130 {
		t.Errorf("%d of a sample of 200 have what half of all have", line.False)
	}
	_, other := judged(func(c *eval.Config) { c.Sample, c.Seed = 200, 99 })
	_, third := judged(func(c *eval.Config) { c.Sample, c.Seed = 200, 100 })
	if other.False == line.False && third.False == line.False {
		t.Error("seeds make no difference")
	}
	few, line := judged(func(c *eval.Config) { c.Limit = 10 })
	if few.Rows != 10 || few.Judged != 10 || few.SHA256 != all.SHA256 || line.False != 5 {
		t.Errorf("a limit: %+v, %+v", few, line)
	}
}

func TestWhatCannotBeRun(t *testing.T) {
	rows := write(t, `{"text":"x","label":[]}`)
	tests := []struct {
		name   string
		change func(*eval.Config)
		is     error
		says   string
	}{
		{"no guardrail", func(c *eval.Config) { c.Look = nil }, eval.ErrOptions, "a guardrail"},
		{"no file", func(c *eval.Config) { c.Files = nil }, eval.ErrOptions, "a file is required"},
		{"a task that is none", func(c *eval.Config) { c.Task = "ternary" }, eval.ErrOptions, `no task "ternary"`},
		{"a number below 0", func(c *eval.Config) { c.Limit = -1 }, eval.ErrOptions, "below 0"},
		{"standard input twice", func(c *eval.Config) { c.Files = []string{"-", "-"} }, eval.ErrOptions, "once only"},
		{"spans in disguise", func(c *eval.Config) { c.Evade = []eval.Converter{{Name: "x"}} }, eval.ErrOptions, "disguises are for"},
		{"a floor of nothing", func(c *eval.Config) { c.Floors = []eval.Floor{{Name: "grace", Want: 1}} }, eval.ErrOptions, `no figure "grace"`},
		{"a floor of the other task", func(c *eval.Config) { c.Floors = []eval.Floor{{Name: "auc", Want: 1}} }, eval.ErrOptions, `no figure "auc" of task span`},
		{"an empty file", func(c *eval.Config) { c.Files = []string{"-"} }, eval.ErrNoRows, "no rows"},
		{"a file that is not there", func(c *eval.Config) { c.Files = []string{rows + "x"} }, os.ErrNotExist, "reading the data"},
		{"a cancelled context", func(c *eval.Config) {}, context.Canceled, "cancel"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := config(rows)
			test.change(&cfg)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if errors.Is(test.is, context.Canceled) {
				cancel()
			}
			if _, err := eval.Run(ctx, cfg); !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %v that says %q", err, test.is, test.says)
			}
		})
	}
	cfg := config(write(t, `{"text":"x","label":0,"origin":"king"}`))
	if _, err := eval.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), `rows.jsonl:1: unknown origin "king"`) {
		t.Errorf("an origin that is none: %v", err)
	}
}

func TestFloors(t *testing.T) {
	floors, err := eval.ParseFloors("recall=0.6, precision=0.7,names-f1=1")
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(write(t, small...))
	cfg.Ignore, cfg.Floors = []string{"URL"}, floors
	r := run(t, cfg)
	var met []bool
	for _, f := range r.Floors {
		met = append(met, f.Met)
	}
	if !slices.Equal(met, []bool{true, false, true}) || r.Met() {
		t.Errorf("%+v", r.Floors)
	}
	for _, bad := range []string{"", "recall", "recall=x", "recall=95", "recall=-1", "grace=0.5", "recall=1,"} {
		if _, err := eval.ParseFloors(bad); !errors.Is(err, eval.ErrOptions) {
			t.Errorf("%q is taken for floors: %v", bad, err)
		}
	}
	cfg = config(write(t, `{"text":"x","label":[]}`))
	cfg.Floors = floors[:1]
	if r := run(t, cfg); r.Met() {
		t.Error("a recall of nothing meets a floor")
	}
}

// Pages hold what they are for, no folders, no text and no markup of the data's.
func TestMarkdown(t *testing.T) {
	cfg := config(write(t, append(small, `{"id":"<b>|x|","text":"mail","label":[],"lang":"|","category":"*y*"}`)...))
	cfg.Command, cfg.Errors = "ringwall eval rows.jsonl", 9
	var b bytes.Buffer
	if err := run(t, cfg).WriteMarkdown(&b, "Personal data", 2); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{
		"## Personal data\n", "```sh\nringwall eval rows.jsonl\n```\n", "### By type\n", "| rows.jsonl | ", "| EMAIL | email | 2 |",
		`| &lt;b>\|x\| |`, `| \| | 1 |`, `| \*y\* | 1 |`, "### How it was counted, and what it does not say\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("there is no %q in\n%s", want, page)
		}
	}
	if dir := filepath.Dir(cfg.Files[0]); strings.Contains(page, dir) || strings.Contains(page, "nothing of the kind") {
		t.Errorf("a folder or a text is in\n%s", page)
	}
}
