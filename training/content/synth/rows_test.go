package synth_test

import (
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/training/content/synth"
)

const seed = 7

func TestTheSameSeedMakesTheSameRows(t *testing.T) {
	next, stop := iter.Pull(synth.Rows(seed, 2000))
	defer stop()
	same := 0
	other := slices.Collect(synth.Rows(seed+1, 2000))
	i := 0
	for row := range synth.Rows(seed, 2000) {
		again, ok := next()
		if !ok || again.Text != row.Text || !slices.Equal(again.Labels, row.Labels) || again.Lang != row.Lang || again.Kind != row.Kind {
			t.Fatalf("row %d is %+v, then %+v", i, row, again)
		}
		if other[i].Text == row.Text {
			same++
		}
		i++
	}
	if i != 2000 {
		t.Errorf("%d rows of 2000", i)
	}
	if same > 20 {
		t.Errorf("another seed makes %d rows that are the same", same)
	}
}

func TestEveryLanguageHasEveryLabel(t *testing.T) {
	type cell struct{ lang, label string }
	rows := map[cell]int{}
	kinds := map[string]int{}
	for row := range synth.Rows(seed, 60000) {
		for _, label := range row.Labels {
			rows[cell{row.Lang, label}]++
		}
		kinds[row.Kind]++
		if slices.Contains(row.Labels, synth.None) && len(row.Labels) > 1 {
			t.Errorf("%q is fine and is not: %v", row.Text, row.Labels)
		}
		for _, label := range row.Unsure {
			if slices.Contains(row.Labels, label) {
				t.Errorf("%q is %s and may not be", row.Text, label)
			}
		}
	}
	for _, lang := range []string{"en", "de", "fr", "es", "it", "pt", "ko", "zh", "ja", "ru", "ar", "hi", "nl", "pl", "tr", "vi", "id", "sv", "uk", "th"} {
		for _, label := range append([]string{synth.None}, synth.Categories...) {
			if rows[cell{lang, label}] < 20 {
				t.Errorf("%d rows of 60000 are %s in %s", rows[cell{lang, label}], label, lang)
			}
		}
	}
	for _, kind := range synth.Kinds {
		if kinds[kind] < 1000 {
			t.Errorf("%d rows of 60000 are of kind %s", kinds[kind], kind)
		}
	}
}

func TestTextsAreWhole(t *testing.T) {
	seen := map[string]int{}
	n := 0
	for row := range synth.Rows(seed, 40000) {
		n++
		seen[row.Text]++
		if strings.ContainsAny(row.Text, "{}|\\@") {
			t.Errorf("%s %v: %q shows its template", row.Lang, row.Labels, row.Text)
		}
		if strings.TrimSpace(row.Text) == "" || len(row.Text) > 4000 {
			t.Errorf("%s %v: %d bytes", row.Lang, row.Labels, len(row.Text))
		}
	}
	if len(seen) < n*9/10 {
		t.Errorf("%d texts in %d rows", len(seen), n)
	}
}

// What is learnt is a manner of speaking when there are few of them.
func TestEveryCategoryHasManyTemplates(t *testing.T) {
	names, err := filepath.Glob("texts/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var pieces []string
	for _, name := range names {
		piece, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		pieces = append(pieces, strings.NewReplacer("{X.", "{violence.", "XLABELS", "violence misconduct").Replace(string(piece)))
	}
	g, err := synth.ParseGrammar(pieces...)
	if err != nil {
		t.Fatal(err)
	}
	templates, texts := map[string]int{}, map[string]float64{}
	for _, group := range g.Groups {
		for _, label := range group.Head[2:] {
			for _, text := range group.Texts {
				templates[label]++
				texts[label] += g.Count(text)
			}
		}
	}
	for _, label := range append([]string{synth.None}, synth.Categories...) {
		want := 120
		if label == synth.None {
			want = 400
		}
		if templates[label] < want || texts[label] < 1e6 {
			t.Errorf("%s: %d templates for %.0f texts, want %d for millions", label, templates[label], texts[label], want)
		}
	}
}

func BenchmarkRows(b *testing.B) {
	b.ReportAllocs()
	next, stop := iter.Pull(synth.Rows(seed, 1<<40))
	defer stop()
	for b.Loop() {
		if _, ok := next(); !ok {
			b.Fatal("the rows end")
		}
	}
}
