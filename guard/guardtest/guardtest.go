// Package guardtest tests scanners. Any scanner, ours or a user's, that passes
// [Run] keeps the promises that package guard relies on: it finds what it should
// and leaves the rest alone, its spans lie in the text, many texts may be looked
// at at once, and where a text is cut makes no difference.
//
// [Mask] shows what a scanner makes of one text; tests of exact spans use it.
package guardtest

import (
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Case is what a scanner must notice, and what it must leave alone.
type Case struct {
	Scope   stream.Scope
	Bad     []string // must yield at least one finding
	Good    []string // must yield none: the false positives we refuse to have
	Reasons []string // all that findings may have; nil: any in kebab-case
}

// control stands for the scanner's own: what a scanner does cannot depend on it.
const control = "example/under-test"

var kebab = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Run checks s against c and against the promises of stream.Scanner.
func Run(t *testing.T, s stream.Scanner, c Case) {
	t.Helper()
	for _, text := range c.Bad {
		_, fs := Mask(t, s, c.Scope, text)
		if len(fs) == 0 {
			t.Errorf("%q: nothing was found", text)
		}
		for _, f := range fs {
			c.check(t, text, f)
		}
	}
	for _, text := range c.Good {
		if _, fs := Mask(t, s, c.Scope, text); len(fs) > 0 {
			t.Errorf("%q: found %+v, want nothing", text, fs)
		}
	}
	texts := slices.Concat(c.Bad, c.Good)
	for _, text := range texts {
		for _, size := range []int{1, 2, 3, 7, 16} {
			cut(t, s, c.Scope, "see: "+text+" there", size)
		}
	}
	t.Run("side by side", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for _, text := range texts {
					if want, got := slices.Contains(c.Bad, text), found(s, c.Scope, text); got != want {
						t.Errorf("%q: found something: %v, want %v", text, got, want)
					}
				}
			})
		}
		wg.Wait()
	})
}

// check checks one finding in text.
func (c Case) check(t *testing.T, text string, f ringwall.Finding) {
	t.Helper()
	w := f.Where
	switch {
	case w.Start < 0 || w.End > len(text) || w.Empty():
		t.Errorf("%q: the span %v is empty or outside the text", text, w)
	case utf8.ValidString(text) && !(utf8.RuneStart(text[w.Start]) && (w.End == len(text) || utf8.RuneStart(text[w.End]))):
		t.Errorf("%q: the span %v cuts a character", text, w)
	case !kebab.MatchString(f.Reason), c.Reasons != nil && !slices.Contains(c.Reasons, f.Reason):
		t.Errorf("%q: the reason %q is not one of %v, in kebab-case", text, f.Reason, c.Reasons)
	case f.Control != control || f.Severity == ringwall.Info || f.Score <= 0 || f.Score > 1:
		t.Errorf("%q: finding %+v lacks a control, a severity or a score", text, f)
	}
}

// Mask returns what is left of text when everything that s notices in it is
// masked, and what that is. Masks are the reasons in capitals and braces.
func Mask(t testing.TB, s stream.Scanner, sc stream.Scope, text string) (string, []ringwall.Finding) {
	t.Helper()
	out, fs, _ := whole(t, s, sc, text)
	return out, fs
}

// whole is Mask with the scores of the text, if the cursor has any.
func whole(t testing.TB, s stream.Scanner, sc stream.Scope, text string) (string, []ringwall.Finding, ringwall.Scores) {
	t.Helper()
	cursor := begin(t, s, sc)
	if cursor == nil {
		return text, nil, nil
	}
	defer free(cursor)
	r := redactor(cursor)
	out := string(r.Text(text))
	return out, r.Findings(), slices.Clone(r.Scores())
}

// same reports whether two looks at a text gave the same scores, but for the order
// in which numbers were added.
func same(a, b ringwall.Scores) bool {
	return slices.EqualFunc(a, b, func(a, b ringwall.Score) bool { return a.Name == b.Name && math.Abs(a.Value-b.Value) < 1e-9 })
}

func begin(t testing.TB, s stream.Scanner, sc stream.Scope) stream.Cursor {
	t.Helper()
	cursor, why := s.Begin(sc)
	if cursor == nil && !kebab.MatchString(why) {
		t.Fatalf("there is nothing to look for, because %q: want a reason in kebab-case", why)
	}
	return cursor
}

func redactor(c stream.Cursor) *stream.Redactor {
	return stream.New(stream.Config{
		Watches: []stream.Watch{{Control: control, Cursor: c}},
		Decide:  func(ringwall.Finding) ringwall.Action { return ringwall.Mask },
	})
}

func free(c stream.Cursor) {
	if f, ok := c.(stream.Freer); ok {
		f.Free()
	}
}

func found(s stream.Scanner, sc stream.Scope, text string) bool {
	cursor, _ := s.Begin(sc)
	if cursor == nil {
		return false
	}
	defer free(cursor)
	r := redactor(cursor)
	r.Text(text)
	return len(r.Findings()) > 0
}

// Cuts sends text in pieces of random sizes, up to each of most bytes, and fails
// unless what goes out, what is noticed and the scores are those of the whole text.
func Cuts(t testing.TB, s stream.Scanner, sc stream.Scope, text string, rng *rand.Rand, most ...int) {
	t.Helper()
	want, all, scores := whole(t, s, sc, text)
	for _, n := range most {
		cursor := begin(t, s, sc)
		if cursor == nil {
			return
		}
		r := redactor(cursor)
		var got strings.Builder
		for i := 0; i < len(text); {
			k := min(1+rng.IntN(n), len(text)-i)
			got.Write(r.Write([]byte(text[i : i+k])))
			i += k
		}
		got.Write(r.Close())
		rated := slices.Clone(r.Scores())
		free(cursor)
		if !same(rated, scores) {
			t.Errorf("of %.300q in pieces: scores %+v, want %+v", text, rated, scores)
		}
		if got.String() != want || !slices.Equal(all, r.Findings()) {
			t.Errorf("of   %.300q\nsent %.300q %+v\nwant %.300q %+v", text, got.String(), r.Findings(), want, all)
			return
		}
	}
}

// cut sends text in pieces: what goes out is final, and in the end the same.
func cut(t *testing.T, s stream.Scanner, sc stream.Scope, text string, size int) {
	t.Helper()
	want, _, scores := whole(t, s, sc, text)
	cursor := begin(t, s, sc)
	if cursor == nil {
		return
	}
	defer free(cursor)
	r := redactor(cursor)
	var got strings.Builder
	for i := 0; i < len(text); i += size {
		got.Write(r.Write([]byte(text[i:min(i+size, len(text))])))
		if !strings.HasPrefix(want, got.String()) {
			t.Errorf("%q in pieces of %d: sent %q, which does not begin %q", text, size, got.String(), want)
			return
		}
	}
	got.Write(r.Close())
	if got.String() != want {
		t.Errorf("%q in pieces of %d: sent %q, want %q", text, size, got.String(), want)
	}
	if !same(r.Scores(), scores) {
		t.Errorf("%q in pieces of %d: scores %+v, want %+v", text, size, r.Scores(), scores)
	}
}

// Bench measures what looking at a text costs.
func Bench(b *testing.B, s stream.Scanner, sc stream.Scope, text string) {
	b.Helper()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	r := stream.New(stream.Config{})
	allow := func(ringwall.Finding) ringwall.Action { return ringwall.Allow }
	for b.Loop() {
		c := begin(b, s, sc)
		r.Reset(stream.Config{Watches: []stream.Watch{{Control: "bench", Cursor: c}}, Decide: allow})
		r.Text(text)
		free(c)
	}
}
