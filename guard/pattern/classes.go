package pattern

import (
	"slices"
	"sort"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/stream"
)

// kind is what conditions such as \b ask of the characters beside a place.
type kind uint8

const (
	newline kind = 1 << iota
	wordy        // an ASCII letter, digit or underscore, as \b has it
	lettery      // belongs to a word of any script
	edge         // no character: the text begins or ends here
)

// classes cuts the characters into classes that a program cannot tell apart, so
// that a state needs one way out for each class.
type classes struct {
	ascii  [utf8.RuneSelf]uint16
	pages  [1 << 9]*[1 << 7]uint16 // the basic plane
	starts []rune                  // all of it: where a stretch of one class begins,
	of     []uint16                // and which class
	kinds  []kind                  // of each class
	shift  uint                    // so many bits number a class
}

// newClasses returns the classes of the given sets, and for each set which
// classes are in it.
func newClasses(sets [][]rune, look kind) (*classes, [][]bool) {
	all := slices.Clone(sets)
	if look&newline != 0 {
		all = append(all, []rune{'\n', '\n'})
	}
	if look&wordy != 0 {
		all = append(all, []rune{'0', '9', 'A', 'Z', '_', '_', 'a', 'z'})
	}
	if look&lettery != 0 {
		all = append(all, letters())
	}
	c := &classes{starts: []rune{0}}
	for _, set := range all {
		for i := 0; i < len(set); i += 2 {
			c.starts = append(c.starts, set[i], set[i+1]+1)
		}
	}
	slices.Sort(c.starts)
	c.starts = slices.Compact(c.starts)
	c.of = make([]uint16, len(c.starts))
	in := make([][]bool, len(sets))
	known := map[string]uint16{}
	at := make([]int, len(all)) // per set: the pair that may hold the stretch
	member := make([]byte, len(all))
	for i, r := range c.starts {
		for k, set := range all {
			for at[k] < len(set) && set[at[k]+1] < r {
				at[k] += 2
			}
			member[k] = 0
			if at[k] < len(set) && set[at[k]] <= r {
				member[k] = 1
			}
		}
		class, ok := known[string(member)]
		if !ok {
			class = uint16(len(known))
			known[string(member)] = class
			c.kinds = append(c.kinds, kindOf(r)&look)
			for k := range sets {
				in[k] = append(in[k], member[k] == 1)
			}
		}
		c.of[i] = class
	}
	for 1<<c.shift < len(c.kinds) {
		c.shift++
	}
	for r := range rune(utf8.RuneSelf) {
		c.ascii[r] = c.find(r)
	}
	c.fill()
	return c, in
}

// fill makes the pages; those that are one stretch share.
func (c *classes) fill() {
	uniform := map[uint16]*[1 << 7]uint16{}
	for p := range c.pages {
		first, last := rune(p<<7), rune(p<<7|0x7F)
		i := c.stretch(first)
		if i == c.stretch(last) {
			page := uniform[c.of[i]]
			if page == nil {
				page = new([1 << 7]uint16)
				for k := range page {
					page[k] = c.of[i]
				}
				uniform[c.of[i]] = page
			}
			c.pages[p] = page
			continue
		}
		page := new([1 << 7]uint16)
		for k := range page {
			for i+1 < len(c.starts) && c.starts[i+1] <= first+rune(k) {
				i++
			}
			page[k] = c.of[i]
		}
		c.pages[p] = page
	}
}

// stretch returns the number of the stretch that holds r.
func (c *classes) stretch(r rune) int {
	return sort.Search(len(c.starts), func(i int) bool { return c.starts[i] > r }) - 1
}

func (c *classes) find(r rune) uint16 { return c.of[c.stretch(r)] }

// rune returns the class of the character that b begins with, and its width.
func (c *classes) rune(b []byte) (class uint32, width int) {
	r, width := utf8.DecodeRune(b)
	if r < 1<<16 {
		return uint32(c.pages[r>>7][r&0x7F]), width
	}
	return uint32(c.find(r)), width
}

// kindOf returns what r is.
func kindOf(r rune) (k kind) {
	if r == '\n' {
		k |= newline
	}
	if r == '_' || r < utf8.RuneSelf && stream.AlphaNum[byte(r)] {
		k |= wordy
	}
	if inWord(r) {
		k |= lettery
	}
	return k
}

// kindBefore returns what stands before t[i]; begin says that the text begins at
// t[0].
func kindBefore(t []byte, i int, begin bool) kind {
	if i == 0 {
		if begin {
			return edge
		}
		return 0
	}
	if b := t[i-1]; b < utf8.RuneSelf {
		return kindOf(rune(b))
	}
	r, _ := utf8.DecodeLastRune(t[:i])
	return kindOf(r)
}

// inWord reports whether r belongs to a word of a script that puts spaces
// between words.
func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return stream.AlphaNum[byte(r)]
	}
	return !stream.Unspaced(r) && (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r))
}

// letters are the characters of words, as pairs of first and last.
var letters = sync.OnceValue(func() (set []rune) {
	add := func(lo, hi, stride rune) {
		for r := lo; r <= hi; r += stride {
			if inWord(r) {
				set = append(set, r)
			}
		}
	}
	for _, t := range []*unicode.RangeTable{unicode.L, unicode.N, unicode.M} {
		for _, x := range t.R16 {
			add(rune(x.Lo), rune(x.Hi), rune(x.Stride))
		}
		for _, x := range t.R32 {
			add(rune(x.Lo), rune(x.Hi), rune(x.Stride))
		}
	}
	return pairs(set)
})

// pairs writes a list of runes as pairs of first and last.
func pairs(list []rune) (set []rune) {
	slices.Sort(list)
	for _, r := range list {
		switch n := len(set); {
		case n > 0 && r <= set[n-1]:
		case n > 0 && r == set[n-1]+1:
			set[n-1] = r
		default:
			set = append(set, r, r)
		}
	}
	return set
}
