package provenance

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// anchor is the part of what is looked for by which it is found fast: a run of bytes
// that stands in a text as it is, but for the case of its letters.
type anchor struct {
	run        string // in lower case
	at         int    // where it begins in what is looked for
	rare, also int    // offsets in run of the rarest byte and the next one
}

// common are the bytes of ordinary text and of what tools print, the most frequent
// first. A byte that is not among them is rarer than all.
const common = " etaoinsrhldcumfpgy.w,b\"v:0k1-_2/3'5x48697@=()jqz;<>#[]{}*\\?!+&$%"

var rarity = func() (t [256]uint8) {
	for i := range t {
		t[i] = 255
	}
	for i := range len(common) {
		t[common[i]] = uint8(i)
	}
	return t
}()

// anchorOf chooses the anchor of a folded needle. Its run is empty where there is none.
func anchorOf(needle string) anchor {
	var best anchor
	score := -1
	for i := 0; i < len(needle) && (i < 512 || best.run == ""); {
		if !rigid(needle[i]) {
			i++
			continue
		}
		start := i
		for i < len(needle) && rigid(needle[i]) {
			i++
		}
		end := i
		if r, _ := utf8.DecodeRuneInString(needle[i:]); unicode.IsMark(r) {
			end-- // with what it stands on it may be one character, é
		}
		if end == start {
			continue
		}
		a := anchorAt(needle[start:end], start)
		if s := 2*int(rarity[a.run[a.rare]]) + int(rarity[a.run[a.also]]) + min(len(a.run), 8); s > score {
			best, score = a, s
		}
	}
	return best
}

// anchorAt returns the anchor of a run, which is not empty.
func anchorAt(run string, at int) anchor {
	a := anchor{run: run, at: at}
	for j := range len(run) {
		switch {
		case j == a.rare:
		case rarity[run[j]] > rarity[run[a.rare]]:
			a.rare, a.also = j, a.rare
		case a.also == a.rare || rarity[run[j]] > rarity[run[a.also]]:
			a.also = j
		}
	}
	return a
}

// rigid says whether a folded byte stands in a text of ASCII only as itself, in either
// case: quotes, dashes and white space have several forms.
func rigid(c byte) bool { return c > ' ' && c < utf8.RuneSelf && c != '\'' && c != '-' }

// patience is how often the rarest byte of an anchor may come in vain, for each 64 bytes
// of text, until two bytes at once are looked for.
const patience = 1

// cursor goes through a text from place to place where an anchor stands.
type cursor struct {
	a        *anchor
	s        string
	from     int
	lo, hi   int  // where the rarest byte is next, in either case
	read     bool // they are
	tries    int
	sweeping bool
	// work is what may be compared in vain; it gives up when that is used up.
	work int
}

// next returns the next place; -1: there is none.
func (c *cursor) next() int {
	a, s := c.a, c.s
	last := len(s) - len(a.run)
	lower := a.run[a.rare]
	up := upper(lower)
	if !c.read {
		c.read = true
		if c.lo, c.hi = indexByte(s, lower, a.rare), len(s); up != lower {
			c.hi = indexByte(s, up, a.rare)
		}
	}
	for !c.sweeping {
		at := min(c.lo, c.hi) - a.rare
		if at > last {
			return -1
		}
		if c.lo < c.hi {
			c.lo = indexByte(s, lower, c.lo+1)
		} else {
			c.hi = indexByte(s, up, c.hi+1)
		}
		c.from = at + 1
		n := a.is(s[at:])
		if n < 0 {
			return at
		}
		if c.work -= n; c.work <= 0 {
			return -1
		}
		c.tries++
		c.sweeping = c.tries > 16+at>>6*patience
	}
	at := c.sweep(c.from)
	c.from = at + 1
	return at
}

// indexByte returns where c is next in s, from on; len(s): nowhere.
func indexByte(s string, c byte, from int) int {
	if from < len(s) {
		if i := strings.IndexByte(s[from:], c); i >= 0 {
			return from + i
		}
	}
	return len(s)
}

// is returns -1 when s, which is as long at least, begins with the run, and otherwise how
// many bytes it took to see that it does not.
func (a *anchor) is(s string) int {
	if c := s[a.also]; c >= utf8.RuneSelf || lower[c] != a.run[a.also] {
		return 0
	}
	for i := range len(a.run) {
		if c := s[i]; c >= utf8.RuneSelf || lower[c] != a.run[i] {
			return i
		}
	}
	return -1
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// sweep is next for texts in which the rarest byte is frequent: eight places at a time
// are tried for two bytes, in either case.
func (c *cursor) sweep(from int) int {
	a, s := c.a, c.s
	last := len(s) - len(a.run)
	one, two := uint64(a.run[a.rare]|0x20)*ones, uint64(a.run[a.also]|0x20)*ones
	i := from
	for reach := max(a.rare, a.also) + 8; i+reach <= len(s); i += 8 {
		x := (load(s[i+a.rare:]) | 0x20*ones) ^ one | (load(s[i+a.also:]) | 0x20*ones) ^ two
		if (x-ones)&^x&highs == 0 {
			continue
		}
		for at := i; at < i+8 && at <= last; at++ {
			if n := a.is(s[at:]); n < 0 {
				return at
			} else if c.work -= n; c.work <= 0 {
				return -1
			}
		}
	}
	for ; i <= last; i++ {
		if a.is(s[i:]) < 0 {
			return i
		}
	}
	return -1
}

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// spell is a needle that is looked for in any spelling that folds to it.
type spell struct {
	needle string // folded
	anchor anchor
}

func spellOf(value string) spell {
	n := fold(value)
	return spell{n, anchorOf(n)}
}

// found is a place in a text.
type found struct{ start, end int }

// each yields where spellings of the needle stand in s, until yield wants no more. It is
// false when it gave up, which it does where it would read the text many times over, and
// at once where there is no anchor. What hides in other forms than ASCII it does not see.
func (p *spell) each(s string, yield func(found) bool) bool {
	if p.anchor.run == "" {
		return false
	}
	head, tail := p.needle[:p.anchor.at], p.needle[p.anchor.at+len(p.anchor.run):]
	c := cursor{a: &p.anchor, s: s, work: 1<<12 + 2*len(s)}
	for {
		at := c.next()
		if at < 0 {
			return c.work > 0
		}
		if start, ok := back(s, at, head); ok {
			if end, ok := forth(s, at+len(p.anchor.run), tail); ok && !yield(found{start, end}) {
				return true
			}
		}
		if c.work -= 16; len(p.needle) > 64 {
			c.work -= len(p.needle)
		}
	}
}

// forth says whether s[i:] begins with needle, and where that ends.
func forth(s string, i int, needle string) (int, bool) {
	for needle != "" {
		if i >= len(s) {
			return 0, false
		}
		unit, end := next(s, i)
		if !strings.HasPrefix(needle, unit) {
			return 0, false
		}
		needle, i = needle[len(unit):], end
	}
	return i, true
}

// back says whether s[:i] ends with needle, and where that begins.
func back(s string, i int, needle string) (int, bool) {
	for needle != "" {
		if i <= 0 {
			return 0, false
		}
		unit, start := before(s, i)
		if !strings.HasSuffix(needle, unit) {
			return 0, false
		}
		needle, i = needle[:len(needle)-len(unit)], start
	}
	return i, true
}
