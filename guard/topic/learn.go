package topic

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/internal/stem"
	"github.com/ringwall/ringwall/internal/wordvec"
)

// model is a topic as it was learned.
type model struct {
	name     string
	middle   float64     // the evidence of a score of 0.5
	score    string      // the name of its score
	to       []float32   // its direction; nil: only words count
	examples [][]float32 // their directions
	itself   []bool      // ordinary subjects that are the topic, by their place in knowledge.usual
	not      []float32   // what does not belong to it; nil: nothing was said of that
	terms    []term
	stems    map[string]float32 // of all terms; and beginnings of words that are not English
	foreign  bool               // the definition is not English

	// affinity is how much a piece, as a word, belongs to the topic, 1 to 255;
	// 0: not known yet. Four of them share a word.
	affinity []uint32
}

// term is a word that belongs to a topic.
type term struct {
	v       []float32
	weight  float32
	example bool // only an example has it
}

// Bounds on what is learned.
const (
	mostTerms = 200
	mostNear  = 8 // directions of examples; further ones are drawn into the nearest
)

// tooNear is the likeness from which on an ordinary subject is the topic itself.
const tooNear = 0.55

// exclusion finds the clauses of a definition that say what does not belong to
// the topic.
var exclusion = regexp.MustCompile(`(?i)(\b(it|this|that|which|they|these)\s+)?\b(do(es)?\s+not|don't|doesn't|is\s+not|isn't|are\s+not|aren't|not\s+including|except(ing)?(\s+for)?|exclud\w+|other\s+than|but\s+not|nor|unrelated\s+to|rather\s+than|instead\s+of)\b[^.;!?\n]*[.;!?\n]?`)

// learn makes a model of a topic.
func learn(k *knowledge, t Topic) (*model, error) {
	if t.Name == "" {
		return nil, errors.New("a name is required")
	}
	if len(t.Examples) > MostExamples {
		return nil, fmt.Errorf("%d examples, at most %d are read", len(t.Examples), MostExamples)
	}
	for _, text := range append([]string{t.Definition}, t.Examples...) {
		if len(text) > mostBytes {
			return nil, fmt.Errorf("a text of %d bytes, at most %d are read", len(text), mostBytes)
		}
	}
	title := t.Title
	if title == "" {
		title = spoken(t.Name)
	}
	not := strings.Join(exclusion.FindAllString(t.Definition, -1), " ")
	own := title + ". " + exclusion.ReplaceAllString(t.Definition, " ")
	m := &model{name: t.Name, score: "topic:" + t.Name, stems: map[string]float32{}, affinity: make([]uint32, (k.table.Len()+3)/4)}
	m.foreign = foreign(k, own)
	m.words(k, own, false)
	for _, e := range t.Examples {
		m.words(k, e, true)
	}
	if len(m.stems) == 0 {
		return nil, errors.New("neither the name nor the definition has a word to go by")
	}
	if m.foreign {
		return m, nil
	}
	m.to = k.direction(own)
	if m.to == nil {
		m.foreign = true
		return m, nil
	}
	for _, e := range t.Examples {
		if v := k.direction(e); v != nil {
			m.exemplify(v)
		}
	}
	for _, v := range m.examples {
		unit(v)
	}
	for _, u := range k.usual {
		m.itself = append(m.itself, dot(u, m.to) >= tooNear)
	}
	if v := k.direction(not); v != nil && dot(v, m.to) < 0.9 {
		m.not = v
	}
	m.try(k)
	return m, nil
}

// exemplify adds the direction of an example.
func (m *model) exemplify(v []float32) {
	if len(m.examples) < mostNear {
		m.examples = append(m.examples, v)
		return
	}
	best := slices.MaxFunc(m.examples, func(a, b []float32) int {
		if dot(a, v) < dot(b, v) {
			return -1
		}
		return 1
	})
	for i := range best {
		best[i] += v[i]
	}
}

// words makes terms of the words of a text.
func (m *model) words(k *knowledge, text string, example bool) {
	folded := []byte(normalize.Fold(text))
	var c wordvec.Cutter
	var ids []int32
	glyph := -1
	for {
		w, ok := c.Next(folded, 0, true)
		if !ok {
			return
		}
		word := folded[w.Start:w.End]
		if w.Kind == wordvec.Glyph {
			if glyph >= 0 && glyph < w.Start {
				m.stem(string(folded[glyph:w.End]), example)
			}
			glyph = w.Start
			continue
		}
		glyph = -1
		if w.Kind != wordvec.Letters || generic[string(word)] || stem.Function(word) || len(word) < 2 {
			continue
		}
		m.stem(stemOf(word, m.foreign, nil), example)
		if m.foreign || len(m.terms) >= mostTerms {
			continue
		}
		v := make([]float32, k.table.Dim())
		if ids = k.table.Pieces(ids[:0], word); !k.vector(v, ids) {
			continue
		}
		if slices.ContainsFunc(m.terms, func(t term) bool { return dot(t.v, v) > 0.999 }) {
			continue
		}
		m.terms = append(m.terms, term{v, k.weight(ids), example})
	}
}

// stem notes a stem of the topic; one that is there again says more.
func (m *model) stem(s string, example bool) {
	w, ok := m.stems[s]
	switch {
	case ok:
		w = min(w+0.1, 0.7)
	case example:
		w = 0.3
	default:
		w = 0.45
	}
	m.stems[s] = w
}

// prefix is how many letters words of languages without a stemmer are compared
// by.
const prefix = 6

// stemOf returns the stem of a word; buf is used for it.
func stemOf(word []byte, foreign bool, buf []byte) string {
	if foreign {
		return string(stem.Prefix(word, prefix))
	}
	return string(stem.English(append(buf[:0], word...)))
}

// foreign reports whether a text is hardly in English: few of its words are in
// the vocabulary, or its function words are others.
func foreign(k *knowledge, text string) bool {
	folded := []byte(normalize.Fold(text))
	var c wordvec.Cutter
	var ids []int32
	var whole, parts, glyphs, english, other int
	for {
		w, ok := c.Next(folded, 0, true)
		if !ok {
			break
		}
		switch w.Kind {
		case wordvec.Glyph:
			glyphs++
		case wordvec.Letters:
			word := folded[w.Start:w.End]
			if stem.Foreign(word) {
				other++
			} else if stem.Function(word) {
				english++
			}
			if ids = k.table.Pieces(ids[:0], word); len(ids) == 1 && ids[0] != wordvec.Unknown {
				whole++
			} else {
				parts++
			}
		case wordvec.Sign:
		}
	}
	return glyphs > whole || other > english+1 || parts > whole && english == 0
}

// belongs returns how much a piece, as a word, belongs to the topic, 0 to 254.
func (m *model) belongs(k *knowledge, id int32) uint32 {
	at, shift := &m.affinity[id/4], uint(id%4)*8
	if a := atomic.LoadUint32(at) >> shift & 0xFF; a > 0 {
		return a - 1
	}
	a := uint32(m.likeness(k, id)*254) + 1
	atomic.OrUint32(at, a<<shift)
	return a - 1
}

// What likeness of a word to a term counts, from nothing to all.
const (
	unlike, alike = 0.35, 0.85
	unlikeExample = 0.45
	ofExample     = 0.7 // of what a term of the definition counts
)

// likeness returns how much a piece is like a term, 0 to 1.
func (m *model) likeness(k *knowledge, id int32) (most float32) {
	says := min(1.5*k.rarity[id], 1)
	if k.rarity[id] <= littleSaid {
		return 0
	}
	v := make([]float32, k.table.Dim())
	if !k.vector(v, []int32{id}) {
		return 0
	}
	for _, t := range m.terms {
		c := dot(t.v, v)
		s := min((c-unlike)/(alike-unlike), 1) * t.weight
		if t.example {
			s = min((c-unlikeExample)/(alike-unlike), 1) * t.weight * ofExample
		}
		most = max(most, s)
	}
	if w, ok := m.stems[stemOf([]byte(k.table.Piece(id)), false, nil)]; ok {
		most = max(most, min(1, w*2)*ofExample)
	}
	return most * says
}
