package grounding

import (
	"github.com/ringwall/ringwall/internal/wordvec"
)

// likeness tells how alike words mean. The zero likeness knows none.
type likeness struct {
	vectors *wordvec.Table
	known   map[string][]float32 // by form
}

// mostKnown bounds the words whose vectors are kept while an answer is judged.
const mostKnown = 1 << 14

func newLikeness(v *wordvec.Table) *likeness {
	return &likeness{vectors: v, known: map[string][]float32{}}
}

// vector returns the vector of a word, nil if it has none.
func (l *likeness) vector(form string) []float32 {
	if l.vectors == nil || form == "" {
		return nil
	}
	v, ok := l.known[form]
	if !ok {
		if len(l.known) >= mostKnown {
			clear(l.known)
		}
		v = l.vectors.Embed([]byte(form), nil)
		l.known[form] = v
	}
	return v
}

func dot(a, b []float32) (sum float32) {
	if len(a) != len(b) {
		return 0
	}
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// Words below the first likeness are taken for unlike, from the second on for
// all but equal.
const (
	unlikeWords = 0.55
	alikeWords  = 0.9
)

// best returns how alike to w the likest word of the evidence is, 0 to 0.9. A
// word that begins like it counts for something.
func (l *likeness) best(w word, evidence []*said) float32 {
	best := float32(0)
	v := l.vector(w.form)
	for _, s := range evidence {
		for i := range s.words {
			o := &s.words[i]
			if n := common(w.stem, o.stem); n >= 5 && n*4 >= 3*min(len(w.stem), len(o.stem)) {
				best = max(best, 0.7)
			}
			if v == nil || w.name || o.name {
				continue // Friday is like Monday
			}
			if c := dot(v, l.vector(o.form)); c > unlikeWords {
				best = max(best, 0.9*min(1, (c-unlikeWords)/(alikeWords-unlikeWords)))
			}
		}
	}
	return best
}

// common returns how many bytes a and b begin alike with.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// mostRelevant bounds the claims that are held against the question.
const mostRelevant = 64

// relevance says whether claims are to the question. Each is read together with
// its evidence: "Paris" is to the question for a capital because a source says
// that it is one.
func (j *judge) relevance(query string, claims []claimed) float64 {
	q := (&reader{}).read(clipped(query))
	if len(q.words) == 0 || len(claims) == 0 {
		return 1 // nothing is asked for by name, or nothing is claimed
	}
	var spoken []*said
	for i := range claims[:min(len(claims), mostRelevant)] {
		c := &claims[i].said
		spoken = append(spoken, c)
	}
	var behind []*said
	for _, c := range spoken {
		j.weigh(c)
		if near := j.x.nearest(c, j.weights); len(near) > 0 && len(c.words) <= 8 {
			behind = append(behind, &j.x.said[near[0].id])
		}
	}
	var all, got float32
	for _, w := range q.words {
		weight := w.weight
		all += weight
		share := float32(0)
		for _, s := range spoken {
			if has(s, w.stem) {
				share = 1
				break
			}
		}
		if share == 0 {
			share = j.near.best(w, spoken)
		}
		if share < 0.8 {
			for _, s := range behind {
				if has(s, w.stem) {
					share = 0.8
					break
				}
			}
		}
		got += weight * share
	}
	if all == 0 {
		return 1
	}
	score := float64(got / all)
	if j.near.vectors != nil {
		score = max(score, j.whole(&q, spoken))
	}
	if len(spoken) == 1 && len(spoken[0].words)+len(spoken[0].numbers) <= 2 && len(j.x.said) == 0 {
		score = max(score, 0.6) // a number or a name alone may be the answer
	}
	return min(score*1.5, 1)
}

// whole compares what the question and the claims mean as wholes.
func (j *judge) whole(q *said, spoken []*said) float64 {
	asked := j.near.direction(q)
	if asked == nil {
		return 0
	}
	best := float32(0)
	for _, s := range spoken {
		best = max(best, dot(asked, j.near.direction(s)))
	}
	return 0.75 * float64(min(max((best-0.3)/0.4, 0), 1))
}

// direction returns the vector of the words of s that say something, nil if it
// has none.
func (l *likeness) direction(s *said) []float32 {
	var b []byte
	for _, w := range s.words {
		if w.weight >= 0.3 {
			b = append(append(b, w.form...), ' ')
		}
	}
	return l.vectors.Embed(b, nil)
}

// clipped bounds what is read of a question: its end, which is what is asked.
func clipped(query string) string {
	const most = 4000
	if len(query) > most {
		return query[len(query)-most:]
	}
	return query
}
