package grounding_test

import (
	"bufio"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/guard/grounding"
)

// claim is a line of testdata: an answer of one sentence, and what is
// wrong with it; "ok": nothing.
type claim struct{ kind, source, text string }

func claims(t testing.TB, file string) (out []claim) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	source := ""
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		kind, text, ok := strings.Cut(sc.Text(), ": ")
		switch {
		case !ok:
			t.Fatalf("what is %q?", sc.Text())
		case kind == "S":
			source = text
		default:
			out = append(out, claim{kind, source, text})
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func detector(t testing.TB) *grounding.Detector {
	t.Helper()
	d, err := grounding.New(grounding.Config{Grounding: 0.6, Relevance: 0.5, Vectors: vectors(t)})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// What is borne out scores more than what is not: in the sentences by which the
// rules were made, and in those that were written afterwards and changed nothing.
func TestAccuracy(t *testing.T) {
	for _, tt := range []struct {
		file  string
		least float64
	}{{"testdata/claims.txt", 0.92}, {"testdata/unseen.txt", 0.9}} {
		t.Run(tt.file, func(t *testing.T) { accuracy(t, claims(t, tt.file), tt.least) })
	}
}

// accuracy fails if the share of pairs of a faithful and another sentence that are
// in the right order (AUC) is below least.
func accuracy(t *testing.T, claims []claim, least float64) {
	d := detector(t)
	var good, bad []float64
	caught, of := map[string]int{}, map[string]int{}
	for _, c := range claims {
		v, err := d.Judge(t.Context(), "", []string{c.source}, c.text)
		if err != nil {
			t.Fatal(err)
		}
		of[c.kind]++
		if c.kind == "ok" {
			good = append(good, v.Grounding)
		} else {
			bad = append(bad, v.Grounding)
		}
		if (v.Grounding >= 0.6) == (c.kind == "ok") {
			caught[c.kind]++
		} else {
			t.Logf("%.2f %s: %s", v.Grounding, c.kind, c.text)
		}
	}
	better := 0.0
	for _, g := range good {
		for _, b := range bad {
			if g > b {
				better++
			} else if g == b {
				better += 0.5
			}
		}
	}
	auc := better / float64(len(good)*len(bad))
	t.Logf("AUC %.3f over %d faithful sentences and %d with an error", auc, len(good), len(bad))
	for _, kind := range slices.Sorted(maps.Keys(of)) {
		t.Logf("%-9s %d of %d are judged right at 0.6", kind, caught[kind], of[kind])
	}
	if len(good) < 20 || len(bad) < 30 || auc < least {
		t.Errorf("AUC %.3f over %d and %d", auc, len(good), len(bad))
	}
}
