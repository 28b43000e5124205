package needle

import (
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/stream"
)

// Via is how a needle was written.
type Via uint8

// Ways to write.
const (
	Plain    Via = iota // as it is, but for case
	Spaced              // with separators between the characters
	Leet                // with digits and signs for letters
	Reversed            // backwards
	Rot13               // with each letter moved by thirteen
	Encoded             // in base64, base32, hexadecimal or escapes
)

// Hit is a needle, or a part of one, that was found.
type Hit struct {
	Start, End int // offsets of the view
	Needle     int // index into Config.Needles
	Run        int // characters that were found
	Of         int // characters of the needle
	Via        Via
}

// Cursor looks through one text. It is owned by one goroutine.
type Cursor struct {
	set     *Set
	clean   []byte // of the window, while Scan works
	base    int
	done    int // offset up to which all was read
	plain   lane
	escaped escapes
	runs    [3]run
	pending []Hit // found, and not before what is still looked at
}

var cursors = sync.Pool{New: func() any { return new(Cursor) }}

// Begin returns a Cursor for another text.
func (s *Set) Begin() *Cursor {
	c := cursors.Get().(*Cursor)
	c.set = s
	c.runs[0].begin(s, &base64Values, 6, 4)
	c.runs[1].begin(s, &base32Values, 5, 8)
	c.runs[2].begin(s, &hexValues, 4, 2)
	return c
}

// Free implements stream.Freer.
func (c *Cursor) Free() {
	c.set, c.clean, c.base, c.done, c.pending = nil, nil, 0, 0, c.pending[:0]
	c.plain.reset()
	c.escaped.reset()
	for i := range c.runs {
		c.runs[i].reset()
	}
	cursors.Put(c)
}

// block is how much text is searched at once, which bounds the memory.
const block = 4096

// Scan looks at the text that came since the last call and reports what is
// found, in ascending order of start. It returns the offset before which nothing
// will be found any more.
func (c *Cursor) Scan(w stream.Window, found func(Hit)) (safe int) {
	c.clean, c.base = w.Clean, w.Base
	safe = w.End()
	undecided := -1
	for more := true; more; more = c.done < w.End() {
		i := c.done - w.Base
		end := min(i+block, len(w.Folded))
		c.plain.squeeze(w.Folded[i:end], c.done)
		c.done = w.Base + end
		undecided = c.search(&c.plain, c.closed(&c.plain, c.done, w.Final && end == len(w.Folded)))
		c.plain.trim(c.set)
	}
	safe = min(safe, c.held(&c.plain, undecided, c.done))
	safe = min(safe, c.unescape(w))
	for i := range c.runs {
		safe = min(safe, c.runs[i].scan(c, w))
	}
	if w.Final {
		safe = w.End()
	}
	safe = c.word(c.down(safe))
	c.emit(safe, w.Final, found)
	c.clean = nil
	return safe
}

// closed reports whether l, which was read up to the offset at, cannot go on.
func (c *Cursor) closed(l *lane, at int, final bool) bool {
	return final || len(l.canon) > 0 && at-l.stop(l.end()-1) > maxGap
}

// held returns the offset from which on l, which was read up to the offset at,
// may still hold a match.
func (c *Cursor) held(l *lane, undecided, at int) int {
	switch {
	case len(l.canon) == 0 || c.closed(l, at, false):
		return at
	case l.live > 0:
		return l.part.End
	}
	floor := max(l.base, l.floor)
	if l == &c.plain { // what was matched may, with an escape, be a part of more
		floor = l.base
	}
	from := l.hold(c.set, l.end(), floor, at)
	if undecided >= 0 {
		from = min(from, undecided)
	}
	return from
}

// add notes a match in l, unless it is one that the plain lane finds.
func (c *Cursor) add(l *lane, from, to int, h Hit) bool {
	if l == &c.escaped.lane && !c.escaped.within(from, to) {
		return false
	}
	h.Start, h.End = c.down(h.Start), c.up(h.End)
	c.pending = append(c.pending, h)
	return true
}

// longestWord bounds the words that are not parted by what is held back.
const longestWord = 24

// word returns the offset where the word begins in which off lies: people read a
// stream, and words should come as one.
func (c *Cursor) word(off int) int {
	i := off - c.base
	if i >= len(c.clean) {
		return off
	}
	k := i
	for k > 0 && i-k < longestWord && stream.AlphaNum[c.clean[k]] && stream.AlphaNum[c.clean[k-1]] {
		k--
	}
	return off - (i - k)
}

// down and up return the offset of the nearest beginning of a character: matches
// and what goes out hold whole ones.
func (c *Cursor) down(off int) int {
	for i := off - c.base; i > 0 && i < len(c.clean) && !utf8.RuneStart(c.clean[i]); i-- {
		off--
	}
	return off
}

func (c *Cursor) up(off int) int {
	for i := off - c.base; i < len(c.clean) && !utf8.RuneStart(c.clean[i]); i++ {
		off++
	}
	return off
}

// emit reports what begins before safe.
func (c *Cursor) emit(safe int, final bool, found func(Hit)) {
	if len(c.pending) == 0 {
		return
	}
	slices.SortStableFunc(c.pending, func(a, b Hit) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return b.End - a.End
	})
	n := 0
	for ; n < len(c.pending) && (final || c.pending[n].Start < safe); n++ {
		found(c.pending[n])
	}
	c.pending = append(c.pending[:0], c.pending[n:]...)
}
