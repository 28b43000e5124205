package synth_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ringwall/ringwall/training/attack/synth"
)

var carriers = []synth.Carrier{
	{Text: "The quarterly figures are in.\n\nSales grew by a tenth. Costs did not.\n\nThe board meets in May.", Kind: synth.Document, Lang: "en"},
	{Text: `{"title": "Kettle", "text": "Boils fast. The lid is loose."}`, Kind: synth.ToolOutput, Lang: "en"},
	{Text: "Hi Ann,\n\nthe parcel came today.\n\nBest,\nTom", Kind: synth.Email, Lang: "en"},
	{Text: "func main() {\n\tprintln(1)\n}", Kind: synth.Code, Lang: "en"},
}

func rows(seed uint64, n int, carriers []synth.Carrier) []synth.Row {
	return slices.Collect(synth.Rows(seed, n, carriers))
}

func TestSeedDecidesRows(t *testing.T) {
	a := rows(7, 3000, carriers)
	if len(a) != 3000 {
		t.Fatalf("%d rows, want 3000", len(a))
	}
	if !slices.Equal(a, rows(7, 3000, carriers)) {
		t.Error("the same seed gave other rows")
	}
	if !slices.Equal(a[:500], rows(7, 500, carriers)) {
		t.Error("fewer rows are not the first of more")
	}
	if slices.Equal(a[:100], rows(8, 100, carriers)) {
		t.Error("another seed gave the same rows")
	}
}

func TestEveryKindAndLanguageHasBothLabels(t *testing.T) {
	type cell struct {
		by, name string
		attack   bool
	}
	counts := map[cell]int{}
	attacks := 0
	langs := map[string]bool{}
	all := rows(1, 20000, carriers)
	for _, r := range all {
		counts[cell{"kind", r.Kind, r.Attack}]++
		counts[cell{"lang", r.Lang, r.Attack}]++
		langs[r.Lang] = true
		if r.Attack {
			attacks++
		}
	}
	if share := float64(attacks) / float64(len(all)); share < 0.4 || share > 0.6 {
		t.Errorf("%.2f of the rows are attacks, want about half", share)
	}
	for _, attack := range []bool{true, false} {
		for _, kind := range []string{synth.UserPrompt, synth.ToolOutput, synth.Document, synth.Email, synth.Code} {
			if n := counts[cell{"kind", kind, attack}]; n < len(all)/100 {
				t.Errorf("%d rows of kind %s with attack %v", n, kind, attack)
			}
		}
		for lang := range langs {
			if n := counts[cell{"lang", lang, attack}]; n < 50 {
				t.Errorf("%d rows in %s with attack %v", n, lang, attack)
			}
		}
	}
}

func TestRowsAreWholeTexts(t *testing.T) {
	seen := map[string]bool{}
	all := rows(3, 20000, carriers)
	for _, r := range all {
		switch {
		case strings.TrimSpace(r.Text) == "":
			t.Errorf("an empty row of family %s", r.Family)
		case !utf8.ValidString(r.Text):
			t.Errorf("family %s: %q is not UTF-8", r.Family, r.Text)
		case len(r.Text) > 1<<15:
			t.Errorf("family %s: a row of %d bytes", r.Family, len(r.Text))
		}
		seen[r.Text] = true
	}
	if len(seen) < len(all)*85/100 {
		t.Errorf("%d of %d rows are distinct, want breadth", len(seen), len(all))
	}
}

func TestCarriersDoNotTellTheLabel(t *testing.T) {
	with, without := 0, 0
	for _, r := range rows(5, 20000, carriers) {
		if strings.Contains(r.Text, "lid is loose") || strings.Contains(r.Text, "board meets in May") {
			if r.Attack {
				with++
			} else {
				without++
			}
		}
	}
	if with == 0 || without == 0 || with > without*3/2 || without > with*3/2 {
		t.Errorf("carriers came %d times with an attack and %d times without", with, without)
	}
}

func TestCarriersThatCannotServeAreLeftOut(t *testing.T) {
	bad := []synth.Carrier{{Text: "  ", Kind: synth.Document, Lang: "en"}, {Text: "x", Kind: "video", Lang: "en"}}
	if !slices.Equal(rows(2, 500, bad), rows(2, 500, nil)) {
		t.Error("a blank carrier or one of an unknown kind changed the rows")
	}
}

func TestReadingStopsWhenAsked(t *testing.T) {
	n := 0
	for range synth.Rows(1, 1000, nil) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
}

func BenchmarkRows(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for range synth.Rows(1, 100, carriers) {
		}
	}
}
