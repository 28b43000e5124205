// Package leak notices when an answer gives away the operator's instructions.
//
// The instructions of the exchange are cut into folded words and put into a
// suffix automaton, which knows every run of words in them. Walking it with the
// words of an answer tells, at each word, the longest run of the instructions
// that the answer has just said. A run of [Run] words is a leak, from its first
// word on; a shorter one is held back until it is over, so that no word of a
// leak leaves before it is known as one.
//
// Building the automaton is linear in the instructions and is remembered for the
// last few of them; walking it is linear in the answer.
package leak

import (
	"hash/maphash"
	"maps"
	"sync"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
)

// Control is the id of the control that this package keeps.
const Control = "inference/prompt-leak"

// Reason is the reason of all findings.
const Reason = "system-prompt"

// Run is the number of words in a row that nobody says by chance. Instructions
// shorter than that are a leak when all of them are said, unless they are
// shorter than Shortest: "be brief" is no secret.
const (
	Run      = 8
	Shortest = 4
)

// remembered is how many instructions are kept built.
const remembered = 64

// Scanner notices runs of the exchange's instructions in its answer. The zero
// Scanner is ready to use. It must not be copied.
type Scanner struct {
	mu    sync.Mutex
	built map[uint64]*automaton
	order []uint64 // oldest first
	seed  maphash.Seed
	once  sync.Once
}

// Begin implements stream.Scanner.
func (s *Scanner) Begin(sc stream.Scope) (stream.Cursor, string) {
	if sc.Way != ringwall.Output {
		return nil, "input"
	}
	if len(sc.System) == 0 {
		return nil, "no-system-prompt"
	}
	a := s.automaton(sc.System)
	if a.need == 0 {
		return nil, "short-system-prompt"
	}
	return &cursor{a: a}, ""
}

func (s *Scanner) automaton(system []string) *automaton {
	s.once.Do(func() { s.seed, s.built = maphash.MakeSeed(), map[uint64]*automaton{} })
	var h maphash.Hash
	h.SetSeed(s.seed)
	for _, t := range system {
		h.WriteString(t)
		h.WriteByte(0xFF) // never in UTF-8
	}
	key := h.Sum64()
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.built[key]; ok {
		return a
	}
	a := build(s.seed, system)
	if len(s.order) == remembered {
		delete(s.built, s.order[0])
		s.order = s.order[1:]
	}
	s.built[key] = a
	s.order = append(s.order, key)
	return a
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

// cursor walks the automaton with an answer.
type cursor struct {
	a       *automaton
	words   stream.Words
	at      int32
	starts  []int // where the words of the current run begin, at most need of them
	run     int   // words in the current run
	leaking bool
	end     int // of the last leak so far: what comes next begins behind it
}

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	for {
		word, ok := c.words.Next(w)
		if !ok {
			break
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
		switch {
		case c.run < c.a.need:
			c.leaking = false
		case !c.leaking:
			c.leaking = true
			found(stream.Match{Start: max(c.starts[0], c.end), End: word.End, Reason: Reason, Severity: ringwall.High, Score: 1})
			c.end = word.End
		default:
			found(stream.Match{Start: c.end, End: word.End, Rest: true})
			c.end = word.End
		}
	}
	if w.Final {
		return w.End()
	}
	safe := c.words.Pending()
	if len(c.starts) > 0 {
		safe = min(safe, c.starts[0])
	}
	if c.leaking {
		safe = min(safe, c.end)
	}
	return max(safe, c.end)
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
