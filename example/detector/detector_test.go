package detector_test

import (
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/example/detector"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/stream"
)

// tests are what the detector must notice and what it must leave alone.
var tests = []struct{ name, text, want string }{
	{"a ticket", "see INC-1234567 for details", "see {INCIDENT_TICKET} for details"},
	{"in lower case, at the end", "see inc-1234567", "see {INCIDENT_TICKET}"},
	{"alone", "INC-1234567", "{INCIDENT_TICKET}"},
	{"two", "INC-1234567,INC-7654321.", "{INCIDENT_TICKET},{INCIDENT_TICKET}."},
	{"in wide letters", "siehe ＩＮＣ－１２３４５６７!", "siehe {INCIDENT_TICKET}!"},
	{"with an invisible character in it", "see INC-123\u200b4567.", "see {INCIDENT_TICKET}."},

	{"too short", "INC-123456 and INC-", "INC-123456 and INC-"},
	{"too long", "INC-12345678", "INC-12345678"},
	{"inside a word", "ZINC-1234567", "ZINC-1234567"},
	{"going on as a word", "INC-1234567a", "INC-1234567a"},
	{"prose with an i in it", "incidents increase in winter, inc.", "incidents increase in winter, inc."},
	{"nothing", "", ""},
}

func newGuard(t testing.TB) *guard.Guard {
	t.Helper()
	mask := &guard.Actions{Default: ringwall.Mask}
	g, err := guard.New(guard.Config{Name: "tickets", Rules: []guard.Rule{
		{Control: detector.Control, Scanners: []stream.Scanner{detector.Scanner{}}, Input: mask, Output: mask},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestTicketsAreMasked(t *testing.T) {
	g := newGuard(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			res := g.Check(t.Context(), guard.Session{Way: ringwall.Input}, []ringwall.Text{{Value: test.text}})
			got := test.text
			if len(res.Texts) > 0 {
				got = res.Texts[0].Value
			}
			if got != test.want {
				t.Errorf("%q becomes %q, want %q", test.text, got, test.want)
			}
			for _, f := range res.Findings {
				if f.Control != detector.Control || f.Reason != detector.Reason {
					t.Errorf("finding %+v: want control %s and reason %s", f, detector.Control, detector.Reason)
				}
			}
		})
	}
}

// However a text is cut into pieces, the same comes out of it.
func TestCutsMakeNoDifference(t *testing.T) {
	g := newGuard(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for size := 1; size <= len(test.text); size++ {
				if got := streamed(t, g, test.text, size); got != test.want {
					t.Fatalf("in pieces of %d bytes %q becomes %q, want %q", size, test.text, got, test.want)
				}
			}
		})
	}
}

func FuzzCutsMakeNoDifference(f *testing.F) {
	for i, test := range tests {
		f.Add(test.text, i+1)
	}
	g := newGuard(f)
	f.Fuzz(func(t *testing.T, text string, size int) {
		if size < 1 || len(text) > 1<<12 {
			return
		}
		want := streamed(t, g, text, len(text)+1)
		if got := streamed(t, g, text, size); got != want {
			t.Errorf("in pieces of %d bytes %q becomes %q, whole %q", size, text, got, want)
		}
	})
}

func streamed(t *testing.T, g *guard.Guard, text string, size int) string {
	c := g.Channel(guard.Session{Way: ringwall.Output}, ringwall.Text{Origin: ringwall.Assistant}, g.Looks(ringwall.Output))
	defer c.Free()
	var out strings.Builder
	for len(text) > 0 {
		n := min(size, len(text))
		out.Write(c.Write([]byte(text[:n])))
		text = text[n:]
	}
	out.Write(c.Close(t.Context()))
	return out.String()
}

func BenchmarkProse(b *testing.B) {
	g := newGuard(b)
	text := []ringwall.Text{{Value: strings.Repeat("The committee met on Tuesday to review 14 open questions. ", 140)}}
	b.SetBytes(int64(len(text[0].Value)))
	b.ReportAllocs()
	for b.Loop() {
		g.Check(b.Context(), guard.Session{Way: ringwall.Output}, text)
	}
}
