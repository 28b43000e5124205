package grounding

import (
	"context"
	"math"
	"slices"

	"github.com/ringwall/ringwall/internal/sentence"
)

// Bounds on the work for one sentence of an answer, which do not depend on how
// long the sources are.
const (
	mostVisits   = 4096 // sentences of the sources that share a word with it
	mostEvidence = 3    // that bear it out together
	mostUnlike   = 12   // words whose likes are looked for
)

// sentenceBytes bounds a sentence of sources and of answers.
const sentenceBytes = 600

// index is what the sources of an exchange say, and its question. It is not
// changed once it is made.
type index struct {
	said    []said
	at      map[string][]int32 // by stem: the sentences that have it, each once
	numbers map[int64][]number // by the logarithm of their values, roughly
	asked   map[string]bool    // stems of the question
	told    []number           // and its numbers
	named   map[string]bool    // stems that are written as names
	capital bool               // every other word has a capital, which says nothing
	initial map[string]bool    // abbreviations of names of several words: "un"
}

// newIndex reads the sources and the question.
func newIndex(ctx context.Context, sources []string, query string) (*index, error) {
	x := &index{at: map[string][]int32{}, numbers: map[int64][]number{}, asked: map[string]bool{}, named: map[string]bool{}, initial: map[string]bool{}}
	var r reader
	for _, src := range sources {
		for start, end := range sentence.Each(src, sentenceBytes) {
			if len(x.said)%256 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			x.add(r.read(src[start:end]))
		}
	}
	var words, named, english, foreign int
	for i := range x.said {
		words += len(x.said[i].words)
		english += x.said[i].english
		foreign += x.said[i].foreign
		for _, w := range x.said[i].words {
			if w.name {
				named++
			}
		}
	}
	x.capital = named*3 > words && foreign > english // German
	for i := range x.said {
		x.proper(&x.said[i])
	}
	for start, end := range sentence.Each(query, sentenceBytes) {
		s := r.read(query[start:end])
		for _, w := range s.words {
			x.asked[w.stem] = true
		}
		for _, n := range s.numbers {
			x.told = append(x.told, n.number)
		}
	}
	return x, nil
}

func (x *index) add(s said) {
	id := int32(len(x.said))
	var initials []byte
	for i, w := range s.words {
		if at := x.at[w.stem]; len(at) == 0 || at[len(at)-1] != id {
			x.at[w.stem] = append(at, id)
		}
		if w.name {
			x.named[w.stem] = true
		}
		if w.name || w.opens {
			if i > 0 && s.words[i-1].at < w.at-2 {
				initials = initials[:0]
			}
			if len(w.form) > 0 {
				initials = append(initials, w.form[0])
			}
			for from := max(0, len(initials)-6); len(initials)-from >= 2; from++ {
				x.initial[string(initials[from:])] = true
			}
		} else {
			initials = initials[:0]
		}
	}
	// "chief financial officer" is a CFO.
	for i := range s.words {
		var b [5]byte
		for k := 0; k < len(b) && i+k < len(s.words) && len(s.words[i+k].form) > 0 && s.words[i+k].at == s.words[i].at+k; k++ {
			if b[k] = s.words[i+k].form[0]; k >= 2 {
				x.initial[string(b[:k+1])] = true
			}
		}
	}
	for _, n := range s.numbers {
		for _, v := range []float64{n.value, n.other} {
			b := bucket(v)
			if at := x.numbers[b]; len(at) < 256 && !slices.Contains(at, n.number) {
				x.numbers[b] = append(at, n.number)
			}
		}
	}
	x.said = append(x.said, s)
}

// proper says again of the words of s which are names, now that all are known
// that are.
func (x *index) proper(s *said) {
	for i := range s.words {
		w := &s.words[i]
		if w.opens && (x.named[w.stem] || i+1 < len(s.words) && s.words[i+1].name && s.words[i+1].at == w.at+1 && !s.words[i+1].code) {
			w.name = true
		}
		if x.capital && !w.code {
			w.name = false
		}
	}
}

// bucket is where a number is kept: those that are near have the same or the
// next.
func bucket(v float64) int64 {
	if v == 0 {
		return math.MinInt64
	}
	return int64(math.Floor(math.Log(math.Abs(v)) * 8))
}

// says reports whether any source has the number.
func (x *index) says(n number) bool {
	for _, v := range []float64{n.value, n.other} {
		b := bucket(v)
		for _, k := range []int64{b, b - 1, b + 1} {
			if slices.ContainsFunc(x.numbers[k], n.agrees) {
				return true
			}
		}
	}
	return false
}

// rarity is the weight of a stem: of what is in every sentence little.
func (x *index) rarity(stem string) float32 {
	n := len(x.at[stem])
	if n == 0 {
		return 1
	}
	share := float64(n) / float64(len(x.said)+4)
	return float32(min(1, 0.35+0.25*math.Log(1/share)))
}

// match is a sentence of the sources and how much of a claim it has.
type match struct {
	id     int32
	weight float32
}

// nearest returns the sentences that have most of the claim's words, best first.
func (x *index) nearest(c *said, weights []float32) []match {
	type hit struct {
		at     []int32
		weight float32
	}
	var hits []hit
	seen := map[string]bool{}
	for i, w := range c.words {
		if at := x.at[w.stem]; len(at) > 0 && !seen[w.stem] {
			seen[w.stem] = true
			hits = append(hits, hit{at, weights[i]})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return len(a.at) - len(b.at) })
	score := map[int32]float32{}
	visits := 0
	for _, h := range hits {
		for _, id := range h.at {
			if visits++; visits > mostVisits {
				break
			}
			score[id] += h.weight
		}
	}
	out := make([]match, 0, len(score))
	for id, w := range score {
		// Of two that have as much, the one that says little else.
		out = append(out, match{id, w - 0.002*float32(min(len(x.said[id].words), 100))})
	}
	slices.SortFunc(out, func(a, b match) int {
		switch {
		case a.weight > b.weight:
			return -1
		case a.weight < b.weight:
			return 1
		}
		return int(a.id - b.id)
	})
	return out[:min(len(out), 16)]
}
