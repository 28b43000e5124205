package topic

import (
	"math"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/internal/sentence"
	"github.com/ringwall/ringwall/internal/stem"
	"github.com/ringwall/ringwall/internal/wordvec"
)

// cursor looks through one text.
type cursor struct {
	home        *Scanner
	k           *knowledge
	cut         sentence.Cutter
	now, before *speech // this sentence and the one before
	both        *speech
	sentences   int       // judged
	most        []float64 // the highest score so far, by topic
}

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	for {
		start, end, ok := c.cut.Next(w.Folded, w.Base, w.Final)
		if !ok {
			break
		}
		c.judge(w.Folded[start-w.Base:end-w.Base], start, end, found)
	}
	if w.Final {
		return w.End()
	}
	return c.cut.Pending()
}

// judge judges a sentence.
func (c *cursor) judge(text []byte, start, end int, found func(stream.Match)) {
	s := c.now
	s.read(c.k, c.home.models, text)
	exact := c.sentences < precise
	c.sentences++
	s.promising = exact
	for i, m := range c.home.models {
		s.terms[i] = m.has(s, i)
		s.promising = s.promising || s.terms[i] >= promise
	}
	hopeful := false
	if s.promising || c.before.promising {
		s.place(c.k)
		for i, m := range c.home.models {
			s.nearest[i] = m.near(s)
			hopeful = hopeful || m.hopeful(s, i) || m.hopeful(c.before, i)
		}
	}
	together := hopeful && s.words > 0 && c.before.words > 0 && min(s.words, c.before.words) < few && s.words+c.before.words <= many
	if together {
		c.before.place(c.k)
		c.both.join(c.before, s)
	}
	for i, m := range c.home.models {
		score := m.judge(c.k, s, i, exact)
		if together && (m.hopeful(s, i) || m.hopeful(c.before, i)) {
			c.both.nearest[i], c.both.terms[i] = m.near(c.both), m.has(c.both, i)
			score = max(score, m.judge(c.k, c.both, i, exact))
		}
		c.most[i] = max(c.most[i], score)
		if score >= floor {
			found(stream.Match{Start: start, End: end, Reason: m.name, Severity: ringwall.Medium, Score: math.Round(score*1000) / 1000})
		}
	}
	c.now, c.before = c.before, c.now
}

// precise is how many sentences of a text are judged as well as can be. In the
// rest, what is far from all topics is only told to be far.
const precise = 4

// promise is from which share of its terms on a sentence is held against the
// direction of a topic. What has none of them is not near to it.
const promise = 0.35

// Sentences are judged together with the one before if either has few words, and
// both not many.
const few, many = 6, 40

// Scores implements stream.Scorer: the highest score of each topic.
func (c *cursor) Scores(yield func(name string, score float64)) {
	for i, m := range c.home.models {
		yield(m.score, c.most[i])
	}
}

// Free implements stream.Freer.
func (c *cursor) Free() {
	c.cut.Reset()
	clear(c.most)
	c.sentences = 0
	c.now.clear()
	c.before.clear()
	c.both.clear()
	c.home.cursors.Put(c)
}

// speech is what a sentence says.
type speech struct {
	sum       []float32 // of the vectors of its words, by how much they say
	raw       []float32 // sum before it was brought to length 1
	said      float32   // sum of these weights
	words     int       // that say something
	broken    int       // of them in parts: rare, misspelt or not English
	matched   [][top]hit
	nearest   []float32 // by topic: how near it is
	terms     []float64 // and what of its terms it has
	stems     []float32 // by topic: what of the terms' stems it has, as a chance that it has not
	seen      [64]uint32
	nSeen     int
	scratch   []float32
	ids       []int32
	all       []int32 // the pieces of each word, behind their number
	placed    bool    // its direction is known
	promising bool    // it has terms of some topic
	buf       []byte
	glyphs    int
	usual     [whole]likely // the ordinary subjects that it is nearest to
	nUsual    int           // how many; 0: not known yet
}

// top is how many words count for a topic.
const top = 6

// hit is a word that belongs to a topic.
type hit struct {
	piece  int32
	weight uint32
}

func newSpeech(k *knowledge, topics int) *speech {
	s := &speech{
		sum: make([]float32, k.table.Dim()), raw: make([]float32, k.table.Dim()), scratch: make([]float32, k.table.Dim()),
		matched: make([][top]hit, topics), stems: make([]float32, topics), nearest: make([]float32, topics), terms: make([]float64, topics), ids: make([]int32, 0, 16), buf: make([]byte, 0, wordvec.MostWord),
	}
	s.clear()
	return s
}

func (s *speech) clear() {
	clear(s.matched)
	clear(s.nearest)
	clear(s.terms)
	for i := range s.stems {
		s.stems[i] = 1
	}
	s.said, s.words, s.broken, s.nSeen, s.glyphs, s.nUsual = 0, 0, 0, 0, 0, 0
	s.all, s.placed, s.promising = s.all[:0], false, false
}

// read reads a sentence.
func (s *speech) read(k *knowledge, models []*model, folded []byte) {
	s.clear()
	var c wordvec.Cutter
	glyph := -1
	for {
		w, ok := c.Next(folded, 0, true)
		if !ok {
			break
		}
		switch w.Kind {
		case wordvec.Letters:
			s.word(k, models, folded[w.Start:w.End])
		case wordvec.Glyph:
			if glyph >= 0 {
				s.glyphs++
				s.has(models, folded[glyph:w.End], true)
			}
			glyph = w.Start
			continue
		case wordvec.Sign:
		}
		glyph = -1
	}
}

// place finds the direction of s.
func (s *speech) place(k *knowledge) {
	if s.placed {
		return
	}
	s.placed = true
	clear(s.raw)
	for at := 0; at < len(s.all); {
		n := int(s.all[at])
		ids := s.all[at+1 : at+1+n]
		at += 1 + n
		if n == 1 {
			f := k.rarity[ids[0]] * k.inverse[ids[0]]
			raw := s.raw
			for i, x := range k.table.Vector(ids[0]) {
				raw[i] += f * float32(x)
			}
			continue
		}
		if k.vector(s.scratch, ids) {
			r := k.weight(ids)
			for i, x := range s.scratch {
				s.raw[i] += r * x
			}
		}
	}
	copy(s.sum, s.raw)
	s.settle()
}

// word reads a word.
func (s *speech) word(k *knowledge, models []*model, word []byte) {
	s.ids = k.table.Pieces(s.ids[:0], word)
	if id := s.ids[0]; len(s.ids) == 1 && id != wordvec.Unknown {
		r := k.rarity[id]
		if r <= littleSaid {
			return
		}
		s.all = append(s.all, 1, id)
		s.said += r
		s.words++
		for i, m := range models {
			if m.foreign {
				s.one(m, i, word)
			} else if a := m.belongs(k, id); a > 0 {
				s.hit(i, id, a)
			}
		}
		return
	}
	s.words++
	s.broken++
	s.has(models, word, false)
	if s.ids[0] == wordvec.Unknown {
		return
	}
	s.all = append(append(s.all, int32(len(s.ids))), s.ids...)
	s.said += k.weight(s.ids)
	for i, m := range models {
		if m.foreign {
			continue
		}
		a := uint32(0)
		for _, id := range s.ids {
			a += m.belongs(k, id)
		}
		if a /= uint32(len(s.ids)); a > 0 {
			s.hit(i, s.ids[0], a)
		}
	}
}

// has notes a word, or two glyphs, that may be a term by its letters.
func (s *speech) has(models []*model, word []byte, glyphs bool) {
	if glyphs {
		for i, m := range models {
			s.count(m, i, word)
		}
		return
	}
	if stem.Function(word) {
		return
	}
	english := false
	for i, m := range models {
		if m.foreign {
			s.one(m, i, word)
			continue
		}
		if !english {
			s.buf = append(s.buf[:0], word...)
			s.buf, english = stem.English(s.buf), true
		}
		s.count(m, i, s.buf)
	}
}

// one notes a word for a topic that is not English.
func (s *speech) one(m *model, i int, word []byte) { s.count(m, i, stem.Prefix(word, prefix)) }

// count notes a stem, once.
func (s *speech) count(m *model, i int, st []byte) {
	w, ok := m.stems[string(st)]
	if !ok {
		return
	}
	h := uint32(2166136261) + uint32(i)
	for _, b := range st {
		h = (h ^ uint32(b)) * 16777619
	}
	for _, o := range s.seen[:s.nSeen] {
		if o == h {
			return
		}
	}
	if s.nSeen < len(s.seen) {
		s.seen[s.nSeen] = h
		s.nSeen++
		s.stems[i] *= 1 - w
	}
}

// hit keeps the words that belong most to a topic, each once.
func (s *speech) hit(topic int, piece int32, weight uint32) {
	hits := &s.matched[topic]
	for i := range hits {
		h := &hits[i]
		if h.weight == 0 || h.piece == piece {
			h.piece, h.weight = piece, max(h.weight, weight)
			return
		}
	}
	least := 0
	for i := range hits {
		if hits[i].weight < hits[least].weight {
			least = i
		}
	}
	if hits[least].weight < weight {
		hits[least] = hit{piece, weight}
	}
}

// join makes s of two sentences.
func (s *speech) join(a, b *speech) {
	s.clear()
	for i := range s.sum {
		s.sum[i] = a.raw[i] + b.raw[i]
	}
	s.said, s.words, s.broken, s.glyphs = a.said+b.said, a.words+b.words, a.broken+b.broken, a.glyphs+b.glyphs
	for t := range s.matched {
		s.stems[t] = a.stems[t] * b.stems[t]
		s.matched[t] = a.matched[t]
		for _, h := range b.matched[t] {
			if h.weight > 0 {
				s.hit(t, h.piece, h.weight)
			}
		}
	}
	s.placed = true
	s.settle()
}

// settle brings the direction to length 1.
func (s *speech) settle() {
	if !unit(s.sum) {
		s.said = 0
	}
}
