// Package leak notices when an answer gives away the operator's instructions, the
// examples among them.
//
// The instructions of the exchange are prepared once, in three ways, and what was
// prepared is remembered within [remembered] bytes:
//
//   - as a suffix automaton of folded words, which knows every run of words in
//     them. Walking it with the words of an answer tells, at each word, the
//     longest run of the instructions that the answer has just said. A run of
//     [Run] words is a leak, from its first word on; a shorter one is held back
//     until it is over, so that no word of a leak leaves before it is known as one.
//   - as a set of package needle, which knows every run of characters: what is
//     spelled with spaces, reversed, in ROT13, leet, base64, base32, hexadecimal
//     or escapes.
//   - as the content words of each sentence that tells the model what to do. A
//     stretch of the answer with the content words of one of them, nearly all of
//     them and nearly in their order, is a paraphrase ([ReasonParaphrase]). What
//     the instructions only know, such as opening hours, may be said in other
//     words. Translations are not noticed.
//
// Preparing is linear in the instructions, looking is linear in the answer. Held
// back are at most [Run] words, or a stretch of half a kilobyte that consists of
// the instructions' words.
package leak

import (
	"container/list"
	"hash/maphash"
	"maps"
	"sync"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/stream/needle"
)

// Control is the id of the control that this package keeps.
const Control = "inference/prompt-leak"

// Reasons of findings.
const (
	Reason           = "system-prompt"     // the words of the instructions, in whatever way they are written
	ReasonParaphrase = "prompt-paraphrase" // one of their sentences in nearly its words
)

// Run is the number of words in a row that nobody says by chance. Instructions
// shorter than that are a leak when all of them are said, unless they are
// shorter than Shortest: "be brief" is no secret.
const (
	Run      = 8
	Shortest = 4
)

// Bounds on what is prepared.
const (
	remembered = 64 << 20 // bytes of memory for what is kept prepared
	disguised  = 64 << 10 // bytes of the instructions that are looked for in disguise
	runOfChars = 32       // characters of a disguise that are a leak
	leastChars = 20       // the same of shorter instructions, all of them
)

// Scanner notices the exchange's instructions in its answer. The zero Scanner is
// ready to use, by any number of goroutines. It must not be copied.
type Scanner struct {
	once  sync.Once
	seed  maphash.Seed
	mu    sync.Mutex
	known map[uint64]*list.Element // of *prepared
	order list.List                // the last used first
	bytes int
}

// prepared is what is known of the instructions of an exchange.
type prepared struct {
	key     uint64
	bytes   int
	words   *automaton
	phrases *phrases    // nil: no sentence is worth it
	needles *needle.Set // nil: there are too few characters
}

// Begin implements stream.Scanner.
func (s *Scanner) Begin(sc stream.Scope) (stream.Cursor, string) {
	if sc.Way != ringwall.Output {
		return nil, "input"
	}
	if len(sc.System) == 0 {
		return nil, "no-system-prompt"
	}
	p := s.prepared(sc.System)
	if p.words.need == 0 {
		return nil, "short-system-prompt"
	}
	c := &cursor{prepared: p, a: p.words}
	c.add = c.queue.Add
	if p.needles != nil {
		c.needles = p.needles.Begin()
	}
	return c, ""
}

// prepared returns what is known of system. Two goroutines that meet the same new
// instructions may both prepare them: nobody waits for another's work.
func (s *Scanner) prepared(system []string) *prepared {
	s.once.Do(func() { s.seed, s.known = maphash.MakeSeed(), map[uint64]*list.Element{} })
	var h maphash.Hash
	h.SetSeed(s.seed)
	for _, t := range system {
		h.WriteString(t)
		h.WriteByte(0xFF) // never in UTF-8
	}
	key := h.Sum64()
	if p := s.recall(key); p != nil {
		return p
	}
	p := prepare(s.seed, key, system)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.known[key]; ok || p.bytes > remembered {
		return p
	}
	s.known[key] = s.order.PushFront(p)
	for s.bytes += p.bytes; s.bytes > remembered; {
		last := s.order.Back()
		old := s.order.Remove(last).(*prepared)
		delete(s.known, old.key)
		s.bytes -= old.bytes
	}
	return p
}

// recall returns what is remembered under key, or nil.
func (s *Scanner) recall(key uint64) *prepared {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.known[key]
	if !ok {
		return nil
	}
	s.order.MoveToFront(e)
	return e.Value.(*prepared)
}

func prepare(seed maphash.Seed, key uint64, system []string) *prepared {
	p := &prepared{key: key, words: build(seed, system), phrases: newPhrases(seed, system), needles: needles(system)}
	p.bytes = 1024 + len(p.words.states)*perState + len(p.words.words)*perWord
	if p.phrases != nil {
		p.bytes += p.phrases.bytes
	}
	if p.needles != nil {
		p.bytes += p.needles.Bytes()
	}
	return p
}

// Memory of an automaton, about: a state has a map with one word, mostly.
const (
	perState = 320
	perWord  = 32
)

// needles returns the set of the texts that are long enough, nil if none is.
func needles(system []string) *needle.Set {
	cfg := needle.Config{Run: runOfChars, Shared: true, MaxBytes: disguised * 100}
	left := disguised
	for _, t := range system {
		if len(t) > left {
			t = t[:left]
		}
		left -= len(t)
		if enough(t) {
			cfg.Needles = append(cfg.Needles, needle.Needle{Text: t})
		}
	}
	s, err := needle.New(cfg)
	if err != nil { // texts that repeat themselves beyond measure: their words are known still
		return nil
	}
	return s
}

// enough reports whether t has the characters and words to be looked for.
func enough(t string) bool {
	chars, words, in := 0, 0, false
	for i := range len(t) {
		switch c := t[i]; {
		case stream.AlphaNum[c] || c >= 0x80:
			chars++
			if !in {
				words++
			}
			in = true
		default:
			in = false
		}
		if chars >= runOfChars {
			return true
		}
	}
	return chars >= leastChars && words >= Shortest
}

// automaton is a suffix automaton over hashed words (Blumer et al. 1985).
type automaton struct {
	seed   maphash.Seed
	states []state
	need   int // words in a row that are a leak; 0: there are too few
	words  map[uint64]struct{}
}

type state struct {
	next map[uint64]int32
	link int32
	len  int32
}

func build(seed maphash.Seed, system []string) *automaton {
	a := &automaton{seed: seed, states: []state{{link: -1}}, words: map[uint64]struct{}{}}
	longest := 0
	for _, text := range system {
		n, last := 0, int32(0)
		folded := []byte(normalize.Fold(text))
		w := stream.Window{Clean: folded, Folded: folded, Final: true}
		var ws stream.Words
		for {
			word, ok := ws.Next(w)
			if !ok {
				break
			}
			n++
			h := maphash.Bytes(seed, word.Text)
			a.words[h] = struct{}{}
			last = a.extend(last, h)
		}
		longest = max(longest, n)
	}
	if longest >= Shortest {
		a.need = min(Run, longest)
	}
	return a
}

// extend adds the word h behind the run that ends in state last, and returns the
// state of the longer run.
func (a *automaton) extend(last int32, h uint64) int32 {
	if q, ok := a.states[last].next[h]; ok { // another text of the instructions says so too
		if a.states[q].len == a.states[last].len+1 {
			return q
		}
		return a.clone(last, q, h)
	}
	cur := int32(len(a.states))
	a.states = append(a.states, state{len: a.states[last].len + 1})
	p := last
	for ; p >= 0; p = a.states[p].link {
		if _, ok := a.states[p].next[h]; ok {
			break
		}
		if a.states[p].next == nil {
			a.states[p].next = map[uint64]int32{}
		}
		a.states[p].next[h] = cur
	}
	if p >= 0 {
		q := a.states[p].next[h]
		if a.states[q].len != a.states[p].len+1 {
			q = a.clone(p, q, h)
		}
		a.states[cur].link = q
	}
	return cur
}

// clone parts the state q, as reached from p by h, from its longer runs.
func (a *automaton) clone(p, q int32, h uint64) int32 {
	c := int32(len(a.states))
	next := make(map[uint64]int32, len(a.states[q].next))
	maps.Copy(next, a.states[q].next)
	a.states = append(a.states, state{next: next, link: a.states[q].link, len: a.states[p].len + 1})
	for ; p >= 0 && a.states[p].next[h] == q; p = a.states[p].link {
		a.states[p].next[h] = c
	}
	a.states[q].link = c
	return c
}

// cursor looks through an answer.
type cursor struct {
	*prepared
	a       *automaton
	words   stream.Words
	at      int32
	starts  []int // where the words of the current run begin, at most need of them
	run     int   // words in the current run
	leaking bool
	end     int // of the last leak so far: what comes next begins behind it
	stretch stretch
	needles *needle.Cursor
	queue   needle.Queue
	add     func(stream.Match)
}

// Free implements stream.Freer.
func (c *cursor) Free() {
	if c.needles != nil {
		c.needles.Free()
		c.needles = nil
	}
}

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	safe := c.scanWords(w)
	if c.needles != nil {
		safe = min(safe, c.needles.Scan(w, c.hit))
	}
	c.queue.Flush(safe, w.Final, found)
	return safe
}

// hit takes a run of characters that was found. What is written as it is, the
// words tell.
func (c *cursor) hit(h needle.Hit) {
	if h.Via != needle.Plain {
		c.queue.Add(stream.Match{Start: h.Start, End: h.End, Reason: Reason, Severity: ringwall.High, Score: 1})
	}
}

// scanWords looks at the words that came.
func (c *cursor) scanWords(w stream.Window) int {
	for {
		word, ok := c.words.Next(w)
		if !ok {
			break
		}
		if c.phrases != nil {
			c.stretch.before(c.phrases, w, word, c.add)
		}
		c.step(maphash.Bytes(c.a.seed, word.Text))
		if c.run == 0 {
			c.starts = c.starts[:0]
		} else {
			c.starts = append(c.starts, word.Start)
			if n := len(c.starts) - min(c.run, c.a.need); n > 0 {
				c.starts = append(c.starts[:0], c.starts[n:]...)
			}
		}
		if c.leaking = c.run >= c.a.need; c.leaking {
			start := max(c.starts[0], c.end)
			if c.run > c.a.need {
				start = c.end
			}
			c.queue.Add(stream.Match{Start: start, End: word.End, Reason: Reason, Severity: ringwall.High, Score: 1})
			c.end = word.End
			c.stretch.drop()
		} else if c.phrases != nil {
			c.stretch.read(c.phrases, word, c.add)
		}
	}
	if w.Final {
		if c.phrases != nil {
			c.stretch.wait(c.phrases, w, c.add)
		}
		return w.End()
	}
	safe := c.words.Pending()
	if len(c.starts) > 0 {
		safe = min(safe, c.starts[0])
	}
	if c.leaking {
		safe = min(safe, c.end)
	}
	safe = max(safe, c.end)
	if c.phrases != nil {
		if c.stretch.wait(c.phrases, w, c.add); len(c.stretch.words) > 0 {
			safe = min(safe, c.stretch.start)
		}
	}
	return safe
}

// step follows the automaton by one word, to the longest run that ends in it.
func (c *cursor) step(h uint64) {
	if _, ok := c.a.words[h]; !ok {
		c.at, c.run = 0, 0
		return
	}
	for c.at > 0 {
		if _, ok := c.a.states[c.at].next[h]; ok {
			break
		}
		c.at = c.a.states[c.at].link
		c.run = int(c.a.states[c.at].len)
	}
	if next, ok := c.a.states[c.at].next[h]; ok {
		c.at = next
		c.run++
	}
}
