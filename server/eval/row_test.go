package eval_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ringwall/ringwall/server/eval"
)

func TestRowsAreRead(t *testing.T) {
	tests := []struct {
		name, line string
		want       eval.Row
	}{
		{"a number", `{"id":7,"text":"x","label":1}`, eval.Row{ID: "7", Text: "x", Task: eval.Binary, Classes: []string{"1"}}},
		{"a truth", `{"text":"x","label":false}`, eval.Row{Text: "x", Task: eval.Binary, Classes: []string{"false"}}},
		{"a name", `{"text":"x","label":"attack","category":"jailbreak","kind":"email","origin":"tool"}`, eval.Row{
			Text: "x", Task: eval.Binary, Classes: []string{"attack"}, Category: "jailbreak", Kind: "email", Origin: "tool",
		}},
		{"names", `{"text":"x","label":["hate","insult"],"known":["hate"]}`, eval.Row{Text: "x", Task: eval.Binary, Classes: []string{"hate", "insult"}, Known: []string{"hate"}}},
		{"no spans", `{"text":"","label":[]}`, eval.Row{Task: eval.Spans}},
		{"spans, in the order of their start", `{"text":"Zoë é","label":[{"start":5,"end":7,"type":"B"},{"start":0,"end":4,"type":"A"}],"annotated":["A"]}`, eval.Row{
			Text: "Zoë é", Task: eval.Spans, Spans: []eval.Span{{Start: 0, End: 4, Type: "A"}, {Start: 5, End: 7, Type: "B"}}, Known: []string{"A"},
		}},
		{"fields that were asked for", `{"text":"x","label":0,"lang":"en","n":3}`, eval.Row{Text: "x", Task: eval.Binary, Classes: []string{"0"}}},
		{"what a terminal would obey is written out", `{"id":"\u001b[2J","text":"x","label":0}`, eval.Row{ID: `\x1b[2J`, Text: "x", Task: eval.Binary, Classes: []string{"0"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rows, err := read(strings.NewReader("\ufeff\n"+test.line+"\n\n"), eval.Detect, "lang", "n")
			if err != nil || len(rows) != 1 {
				t.Fatalf("%d rows, %v; want one", len(rows), err)
			}
			got := rows[0]
			if got.Line != 2 {
				t.Errorf("it is line %d, want 2: blank lines count", got.Line)
			}
			if strings.Contains(test.line, `"lang"`) != slices.Equal(got.Fields, []string{"en", "3"}) {
				t.Errorf("fields %q", got.Fields)
			}
			got.Line, got.Fields = 0, nil
			if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", test.want) {
				t.Errorf("read as\n%#v, want\n%#v", got, test.want)
			}
		})
	}
}

func TestBadRowsAreNamed(t *testing.T) {
	tests := []struct{ name, lines, want string }{
		{"no JSON", "x", "d:1: reading JSON: "},
		{"cut off", `{"text":"x"`, "d:1: reading JSON: "},
		{"not UTF-8", "{\"text\":\"\xff\",\"label\":0}", "d:1: the line is not UTF-8"},
		{"no text", `{"label":0}`, "d:1: the row has no text"},
		{"a text that is none", `{"text":3,"label":0}`, "d:1: reading text: "},
		{"no label", `{"text":"x"}`, "d:1: the row has no label"},
		{"a label that is null", `{"text":"x","label":null}`, "d:1: the row has no label"},
		{"a number that is no class", `{"text":"x","label":2}`, "d:1: the label 2 is none of 0, 1,"},
		{"an object", `{"text":"x","label":{}}`, "d:1: the label {} is none of"},
		{"a list of neither", `{"text":"x","label":[1]}`, "d:1: reading the label: "},
		{"a span without its end", `{"text":"x","label":[{"start":0,"type":"A"}]}`, "d:1: span 0 of the label: start, end and type are needed"},
		{"a span without its type", `{"text":"x","label":[{"start":0,"end":1}]}`, "d:1: span 0 of the label: start, end and type are needed"},
		{"a span outside", `{"text":"abc","label":[{"start":0,"end":4,"type":"A"}]}`, "d:1: span 0 of the label, 0 to 4, is outside of the text of 3 bytes"},
		{"a span before", `{"text":"abc","label":[{"start":-1,"end":2,"type":"A"}]}`, "is outside of the text"},
		{"an empty span", `{"text":"abc","label":[{"start":2,"end":2,"type":"A"}]}`, "covers nothing"},
		{"offsets that count characters", `{"text":"äöü","label":[{"start":0,"end":3,"type":"A"}]}`, "cuts a character: offsets count bytes"},
		{"another task", `{"text":"x","label":0}` + "\n" + `{"text":"x","label":[]}`, "d:2: the label is one of task span, not of task binary"},
		{"a known that is no list", `{"text":"x","label":0,"known":"a"}`, "d:1: reading known: "},
		{"a long line", `{"text":"` + strings.Repeat("x", eval.MaxLine) + `","label":0}`, "d:1: the line is longer than 16777216 bytes"},
		{"gzip that is cut off", packed(t, `{"text":"x","label":0}`)[:20], "d:1: unpacking: unexpected EOF"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := read(strings.NewReader(test.lines), eval.Detect)
			if in := (*eval.InputError)(nil); !errors.As(err, &in) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want an InputError with %q", err, test.want)
			}
		})
	}
}

func TestPackedRowsAreRead(t *testing.T) {
	rows, err := read(strings.NewReader(packed(t, `{"text":"x","label":0}`)), eval.Detect)
	if err != nil || len(rows) != 1 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func read(r *strings.Reader, task eval.Task, fields ...string) (rows []eval.Row, err error) {
	for row, err := range eval.Rows("d", r, task, fields) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// What is read is whole: texts and offsets that can be sliced, of one task.
func FuzzRows(f *testing.F) {
	f.Add(`{"id":"a","text":"mail é","label":[{"start":0,"end":4,"type":"EMAIL"}],"lang":"de","annotated":["EMAIL"]}`)
	f.Add("{\"text\":\"x\",\"label\":\"attack\"}\n\n{\"text\":\"y\",\"label\":[\"none\"]}")
	f.Add("\x1f\x8b")
	f.Add(`{"text":"\ud800","label":true}`)
	f.Fuzz(func(t *testing.T, data string) {
		task := eval.Detect
		line := 0
		for row, err := range eval.Rows("d", strings.NewReader(data), eval.Detect, []string{"lang"}) {
			if err != nil {
				return
			}
			if task == eval.Detect {
				task = row.Task
			}
			if row.Task != task || row.Line <= line || len(row.Fields) != 1 || !utf8.ValidString(row.Text) {
				t.Fatalf("%q: line %d of task %q with fields %q, behind line %d of task %q", data, row.Line, row.Task, row.Fields, line, task)
			}
			line = row.Line
			if (row.Task == eval.Binary) != (len(row.Classes) > 0) || row.Task == eval.Binary && row.Spans != nil {
				t.Fatalf("%q: task %q has classes %q and spans %v", data, row.Task, row.Classes, row.Spans)
			}
			last := 0
			for _, s := range row.Spans {
				if s.Start < last || !utf8.ValidString(row.Text[s.Start:s.End]) || s.Start >= s.End || s.Type == "" {
					t.Fatalf("%q: span %v", data, s)
				}
				last = s.Start
			}
		}
	})
}
