package topic

import (
	"math"
	"slices"
	"strings"

	"github.com/ringwall/ringwall/guard/normalize"
)

// How the evidence is weighed. What a topic is tried on when it is
// learned tells where its middle is (model.try).
const (
	ofDirection = 0.3 // of being near the topic,
	ofTerms     = 0.5 // and of its terms, beside being nearer to it than to anything else
	ofOneTerm   = 0.8
	steepness   = 9

	// What is this far from the middle, were it hardly near anything usual, is not
	// held against that, but taken for as near to it as texts usually are.
	hopeless = 0.06
	hardly   = 0.25
	usually  = 0.35
)

// near returns how near the direction of s is to the topic, or to its examples.
func (m *model) near(s *speech) float32 {
	if m.foreign || s.said == 0 {
		return 0
	}
	near := dot(s.sum, m.to)
	for _, v := range m.examples {
		near = max(near, dot(s.sum, v))
	}
	return near
}

// has returns how sure it is by its words alone that s is about the topic, the
// i-th.
func (m *model) has(s *speech, i int) float64 {
	none := float64(s.stems[i])
	if !m.foreign {
		for _, h := range s.matched[i] {
			none *= 1 - ofOneTerm*float64(h.weight)/254
		}
	}
	return 1 - none
}

// raw is the evidence before it is held against what is usual.
func (m *model) raw(s *speech, i int) float64 {
	return (1+ofDirection)*float64(s.nearest[i]) + ofTerms*s.terms[i]
}

// try finds the middle of the topic: where one in a hundred ordinary texts is, as
// far as the tenth that is nearest to it of what people say tells. How one follows
// from the other was measured on some forty topics.
func (m *model) try(k *knowledge) {
	s := newSpeech(k, 1)
	var raws []float64
	for line := range strings.SplitSeq(strings.TrimSpace(ordinary), "\n") {
		s.read(k, []*model{m}, []byte(normalize.Fold(line)))
		s.place(k)
		s.nearest[0], s.terms[0] = m.near(s), m.has(s, 0)
		raws = append(raws, m.raw(s, 0)-m.usual(k, s))
	}
	slices.Sort(raws)
	near := raws[len(raws)*9/10]
	m.middle = 0.47 + 1.04*near
	if len(m.examples) > 0 {
		m.middle = 0.49 + 0.74*near
	}
	m.middle = min(max(m.middle, 0.35), 0.85)
}

// hopeful reports whether more of what s is part of may be about the topic.
func (m *model) hopeful(s *speech, i int) bool {
	return m.raw(s, i)-hardly > m.middle-hopeless
}

// judge returns how sure it is that s is about the topic, the i-th.
func (m *model) judge(k *knowledge, s *speech, i int, exact bool) float64 {
	// Words in parts are rare, or the text is not English: then vectors say
	// little.
	if m.foreign || s.said == 0 || 2*s.broken > s.words+1 || s.glyphs > s.words {
		return 1 - float64(s.stems[i])
	}
	raw := m.raw(s, i)
	if exact || m.hopeful(s, i) {
		raw -= m.usual(k, s)
	} else {
		raw -= usually
	}
	return 1 / (1 + math.Exp(-steepness*(raw-m.middle)))
}

// The vectors stand on their principal axes: the first of them tell which
// ordinary subjects are worth looking at whole.
const (
	firstAxes = 32
	whole     = 8
)

// usual returns how near s is to the ordinary subject that it is nearest to, and
// that is not the topic.
func (m *model) usual(k *knowledge, s *speech) float64 {
	if s.nUsual == 0 {
		s.compare(k)
	}
	most := float32(0)
	for _, u := range s.usual[:s.nUsual] {
		if !m.itself[u.subject] {
			most = max(most, u.near)
		}
	}
	if m.not != nil {
		most = max(most, dot(s.sum, m.not))
	}
	return float64(most)
}

// likely is an ordinary subject and how near a sentence is to it.
type likely struct {
	subject int
	near    float32
}

// compare finds the ordinary subjects that s is nearest to.
func (s *speech) compare(k *knowledge) {
	axes := min(firstAxes, len(s.sum))
	n := 0
	for i, u := range k.usual {
		near := dot(s.sum[:axes], u[:axes])
		if n == whole && near <= s.usual[n-1].near {
			continue
		}
		n = min(n+1, whole)
		at := n - 1
		for ; at > 0 && s.usual[at-1].near < near; at-- {
			s.usual[at] = s.usual[at-1]
		}
		s.usual[at] = likely{i, near}
	}
	for i := range s.usual[:n] {
		u := &s.usual[i]
		u.near = dot(s.sum, k.usual[u.subject])
	}
	s.nUsual = n
}
