package safe_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ringwall/ringwall/internal/safe"
)

// shelf is a source whose documents a test changes.
type shelf struct {
	mu    sync.Mutex
	docs  map[string]string
	away  bool
	asked int
}

func (s *shelf) Read(_ context.Context, name string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.away {
		return "", errors.New("away")
	}
	d, ok := s.docs[name]
	if !ok {
		return "", errors.New("there is none")
	}
	return d, nil
}

func (s *shelf) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func TestReveal(t *testing.T) {
	s := safe.New(safe.Config{Sources: map[string]safe.Source{"x": &shelf{docs: map[string]string{
		"text": "hush", "empty": "", "object": `{"a":"one","n":1,"o":{},"e":"","z":null,"u":"\u00fc"}`, "list": `["hush"]`, "broken": `{"a":"hush"`,
		"long": strings.Repeat("x", safe.MaxSecret+1),
	}}}})
	for _, tt := range []struct{ ref, want, err string }{
		{"x:text", "hush", ""},
		{"x:object#a", "one", ""},
		{"x:object#u", "ü", ""},
		{"x:object", `{"a":"one","n":1,"o":{},"e":"","z":null,"u":"\u00fc"}`, ""},
		{"x:object#b", "", "there is no such key"},
		{"x:object#n", "", "is no text"},
		{"x:object#o", "", "is no text"},
		{"x:object#z", "", "is no text"},
		{"x:object#e", "", "it is empty"},
		{"x:text#a", "", "is no JSON object"},
		{"x:list#a", "", "is no JSON object"},
		{"x:broken#a", "", "is no JSON object"},
		{"x:empty", "", "it is empty"},
		{"x:long", "", "more than 65536 bytes"},
		{"x:none", "", "there is none"},
		{"y:text", "", `there is no "y:text"`},
	} {
		got, err := s.Reveal(tt.ref)
		if tt.ref == "y:text" {
			tt.err = `there is no "y" to ask`
		}
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && (!strings.Contains(err.Error(), tt.err) || !strings.HasPrefix(err.Error(), tt.ref+": ") || strings.Contains(err.Error(), "hush")) {
			t.Errorf("%s: %q, %v", tt.ref, got, err)
		}
	}
}

func TestRefresh(t *testing.T) {
	x := &shelf{docs: map[string]string{"a": "1", "o": `{"k":"1","l":"1"}`}}
	s := safe.New(safe.Config{Sources: map[string]safe.Source{"x": x}})
	ctx := t.Context()
	refs := []string{"x:a", "x:o#k", "x:o#l"}
	if _, err := s.Load(ctx, append(refs, "x:none")); err == nil || !strings.Contains(err.Error(), "x:none: there is none") {
		t.Errorf("a reference to nothing: %v", err)
	}
	x.asked = 0
	if changed, err := s.Load(ctx, refs); err != nil || len(changed) > 0 || x.asked != 2 {
		t.Errorf("loading again: %v, %v, %d documents asked for", changed, err, x.asked)
	}
	x.set(func() { x.docs["o"] = `{"k":"2","l":"1"}` })
	if changed, err := s.Refresh(ctx); err != nil || !slices.Equal(changed, []string{"x:o#k"}) {
		t.Errorf("a rotation: %v, %v", changed, err)
	}
	x.set(func() { x.docs["a"] = "2"; x.away = true })
	if changed, err := s.Refresh(ctx); err == nil || len(changed) > 0 || len(s.Stale()) != 3 {
		t.Errorf("away: %v, %v, stale %v", changed, err, s.Stale())
	}
	if v, err := s.Reveal("x:a"); v != "1" || err != nil {
		t.Errorf("away: %q, %v", v, err)
	}
	if _, err := s.Load(ctx, refs); err != nil {
		t.Errorf("loading while away: %v", err)
	}
	x.set(func() { x.away = false })
	if changed, err := s.Refresh(ctx); err != nil || !slices.Equal(changed, []string{"x:a"}) || len(s.Stale()) != 0 {
		t.Errorf("back: %v, %v, stale %v", changed, err, s.Stale())
	}
}

// What no configuration names any more is kept for as long as it is asked for.
func TestRefreshForgets(t *testing.T) {
	s := safe.New(safe.Config{Sources: map[string]safe.Source{"x": &shelf{docs: map[string]string{"a": "1", "b": "1"}}}})
	ctx := t.Context()
	for _, refs := range [][]string{{"x:a", "x:b"}, {"x:a"}} {
		if _, err := s.Load(ctx, refs); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{2, 1} {
		if want == 2 {
			if _, err := s.Reveal("x:b"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Refresh(ctx); err != nil || s.Len() != want {
			t.Errorf("%d values, %v; want %d", s.Len(), err, want)
		}
	}
}

func TestRevealBesideRefresh(t *testing.T) {
	x := &shelf{docs: map[string]string{}}
	var refs []string
	for i := range 20 {
		x.docs[fmt.Sprint(i)] = "v"
		refs = append(refs, fmt.Sprintf("x:%d", i))
	}
	s := safe.New(safe.Config{Sources: map[string]safe.Source{"x": x}})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 50 {
				for _, ref := range refs {
					if v, err := s.Reveal(ref); v != "v" || err != nil {
						t.Errorf("%s: %q, %v", ref, v, err)
					}
				}
			}
		})
		group.Go(func() {
			for range 50 {
				if _, err := s.Refresh(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkReveal(b *testing.B) {
	s := safe.New(safe.Config{Sources: map[string]safe.Source{"x": &shelf{docs: map[string]string{"o": `{"k":"1"}`}}}})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Reveal("x:o#k"); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzPick makes sure that no document gives anything but a text of its own, and
// that no error repeats a part of it.
func FuzzPick(f *testing.F) {
	for _, d := range []string{`{"k":"v"}`, `{"k":1}`, `{"k":"\ud800"}`, `{"K":"v"}`, `{"k":"a","k":"b"}`, "", "null", "{", "\xff"} {
		f.Add(d)
	}
	f.Fuzz(func(t *testing.T, document string) {
		s := safe.New(safe.Config{Sources: map[string]safe.Source{"x": &shelf{docs: map[string]string{"d": document}}}})
		v, err := s.Reveal("x:d#k")
		if (v == "") == (err == nil) || len(v) > safe.MaxSecret {
			t.Fatalf("%d bytes, %v", len(v), err)
		}
		whole, err := s.Reveal("x:d")
		if err == nil && whole != document {
			t.Fatalf("%q is revealed as %q", document, whole)
		}
	})
}
