package word

import (
	"slices"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/stream"
)

// Words under disguises are looked for in chunks: stretches without spaces and
// without signs that end words. Most chunks are letters alone and are passed
// over; of the others a key is made in which letters and what they are written
// as fall together, and the words with that key are compared letter by letter.
// A chunk counts only as a whole, so that no place or family name is cut up
// until a word is found in it.

// Bounds of disguised words.
const (
	maxChunk  = 48 // bytes; longer chunks are codes and addresses
	minLetter = 4  // letters of a word for which digits may stand
	maxApart  = 24 // letters apart that are put together
	maxGap    = 3  // bytes between them
)

// Scores: how sure a disguise is.
const (
	scoreLeet  = 0.9
	scoreApart = 0.9
	scoreStars = 0.8
)

// disguises are the words that are looked for under disguises.
type disguises struct {
	words  []hidden
	byKey  map[string][]int32
	byHead map[head][]int32
}

// hidden is a word, and the list that it belongs to.
type hidden struct {
	runes []rune
	list  int
}

// head is how words are found of which only parts can be read.
type head struct {
	first rune
	size  int
}

func newDisguises() *disguises {
	return &disguises{byKey: map[string][]int32{}, byHead: map[head][]int32{}}
}

// add adds a word of the list; phrases of several words are looked for only as
// they are written.
func (d *disguises) add(word string, list int, inflect bool) {
	forms := []string{""}
	if inflect {
		forms = []string{"", "s", "es", "ed", "ing", "er", "ers"}
	}
	for _, ending := range forms {
		runes := []rune(word + ending)
		if len(runes) < 3 || len(runes) > maxChunk {
			continue
		}
		for _, r := range runes {
			if !inWord(r) {
				return
			}
		}
		at := int32(len(d.words))
		d.words = append(d.words, hidden{runes, list})
		items := make([]item, len(runes))
		for i, r := range runes {
			items[i] = item{r, class(r)}
		}
		k := key(items)
		d.byKey[k] = append(d.byKey[k], at)
		h := head{class(runes[0]), len(runes)}
		d.byHead[h] = append(d.byHead[h], at)
	}
}

// item is a character of a chunk and the class that it belongs to.
type item struct{ r, class rune }

// class returns the letter that stands for all that r may be taken for.
func class(r rune) rune {
	if r < utf8.RuneSelf {
		if r >= 0 && leet[r] != 0 {
			return rune(leet[r])
		}
		return r
	}
	return alike(r)
}

// leet are the classes of ASCII characters that are not their own.
var leet = [utf8.RuneSelf]byte{
	'0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '6': 'g', '7': 't', '8': 'b', '9': 'g',
	'@': 'a', '$': 's', '!': 'i', '|': 'i', '+': 't', 'l': 'i', 'v': 'u',
}

// alike returns the Latin letter that a Cyrillic or Greek letter looks like, or
// r.
func alike(r rune) rune {
	switch r {
	case 'а', 'α':
		return 'a'
	case 'в', 'β', 'ь':
		return 'b'
	case 'с', 'ϲ':
		return 'c'
	case 'е', 'ε', 'з':
		return 'e'
	case 'һ', 'н':
		return 'h'
	case 'і', 'ι', 'ӏ':
		return 'i'
	case 'ј':
		return 'j'
	case 'к', 'κ':
		return 'k'
	case 'м':
		return 'm'
	case 'ո', 'п', 'η':
		return 'n'
	case 'о', 'ο':
		return 'o'
	case 'р', 'ρ':
		return 'p'
	case 'ѕ':
		return 's'
	case 'т', 'τ':
		return 't'
	case 'у', 'γ':
		return 'y'
	case 'х', 'χ':
		return 'x'
	case 'υ', 'ν':
		return 'u'
	}
	return r
}

// key writes the classes of items, each once where it is repeated.
func key(items []item) string {
	var b [4 * maxChunk]byte
	out, last := b[:0], rune(-1)
	for _, it := range items {
		if it.class != last {
			out = utf8.AppendRune(out, it.class)
			last = it.class
		}
	}
	return string(out)
}

// kind is what a byte is for disguises.
type kind uint8

const (
	ends   kind = iota // a space, or a sign that ends words
	letter             // also what begins a character beyond ASCII
	digit
	joint // a full stop, hyphen or underscore: may stand between letters
	mask  // a star: stands for a letter
	sign  // looks like a letter
)

var kinds = func() (t [256]kind) {
	for c := range t {
		switch b := byte(c); {
		case c >= utf8.RuneSelf, 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z':
			t[c] = letter
		case '0' <= b && b <= '9':
			t[c] = digit
		case b == '.' || b == '-' || b == '_':
			t[c] = joint
		case b == '*' || b == '#':
			t[c] = mask
		case b == '@' || b == '$' || b == '!' || b == '|' || b == '+':
			t[c] = sign
		}
	}
	return t
}()

// disguised looks for the next disguised word from c.chunk on, which it moves to
// what is not decided yet.
func (c *cursor) disguised(w stream.Window) {
	t := w.Folded
	i := c.chunk - w.Base
	for i < len(t) {
		if kinds[t[i]] == ends {
			i++
			continue
		}
		end, odd := chunkEnd(t, i)
		switch {
		case end-i > maxChunk: // pass over it to its end
			for end < len(t) && kinds[t[end]] != ends {
				end++
			}
			if end == len(t) && !w.Final {
				// What is left of it begins no chunk: keep a foothold in it.
				c.chunk = w.Base + max(i, end-maxChunk-1)
				return
			}
			i = end
			continue
		case end == len(t) && !w.Final:
			c.chunk = w.Base + i
			return
		}
		if alone(t, i) {
			stop, m, more := c.s.under.apart(t, i, w.Final)
			if more {
				c.chunk = w.Base + i
				return
			}
			if m.End > 0 {
				c.take(w, m)
				return
			}
			if stop > end || end-i == 1 {
				i = stop
				continue
			}
		}
		if odd {
			if m := c.s.under.chunk(t, i, end); m.End > 0 {
				c.take(w, m)
				return
			}
		}
		i = end
	}
	c.chunk = w.Base + i
}

// chunkEnd returns the end of the chunk that begins at t[i], or where it is too
// long to be one, and whether it is more than plain letters.
func chunkEnd(t []byte, i int) (end int, odd bool) {
	same := 0 // letters alike before this one
	for end = i; end < len(t) && end-i <= maxChunk; end++ {
		b := t[end]
		if b >= utf8.RuneSelf || kinds[b] > letter {
			return oddChunk(t, i)
		}
		if kinds[b] == ends {
			break
		}
		if end > i && b == t[end-1] {
			if same++; same == 2 {
				odd = true
			}
			continue
		}
		same = 0
	}
	return end, odd
}

// oddChunk is chunkEnd for chunks that are not ASCII letters alone.
func oddChunk(t []byte, i int) (end int, odd bool) {
	var last kind
	var seen [sign + 1]bool
	end = i
	for end < len(t) && end-i <= maxChunk {
		b := t[end]
		k := kinds[b]
		if k == ends {
			break
		}
		seen[k] = true
		if last == joint && k != joint { // a full stop within
			odd = true
		}
		if end >= i+2 && b == t[end-1] && b == t[end-2] ||
			b >= utf8.RuneSelf && end >= i+5 && b == t[end-2] && b == t[end-4] && t[end-1] == t[end-3] && t[end-1] == t[end-5] {
			odd = true
		}
		if k == letter && last == letter && (b >= utf8.RuneSelf) != (t[end-1] >= utf8.RuneSelf) { // two scripts
			odd = true
		}
		last = k
		end++
	}
	return end, odd || seen[sign] || seen[mask] || seen[digit] && seen[letter]
}

// alone reports whether the character at t[i] stands alone, as far as can be
// seen.
func alone(t []byte, i int) bool {
	if i+1 < len(t) && t[i] < utf8.RuneSelf && t[i+1] < utf8.RuneSelf {
		return !stream.AlphaNum[t[i+1]]
	}
	_, width := utf8.DecodeRune(t[i:])
	if i+width == len(t) {
		return true
	}
	r, _ := utf8.DecodeRune(t[i+width:])
	return !inWord(r)
}

// match is a disguised word: where it stands in the window, and what it is.
type match struct {
	Start, End int
	list       int
	score      float64
}

// take keeps m to be reported in its turn.
func (c *cursor) take(w stream.Window, m match) {
	l := &c.s.lists[m.list]
	c.next = stream.Match{Start: w.Base + m.Start, End: w.Base + m.End, Reason: l.name, Severity: l.severity, Score: m.score}
	c.waiting = true
	c.chunk = c.next.End
}

// chunk looks at the chunk t[i:end].
func (d *disguises) chunk(t []byte, i, end int) match {
	// Signs that end sentences or emphasise stand around a word, not in it.
	for i < end && (kinds[t[i]] == joint || kinds[t[i]] == mask || t[i] == '+' || t[i] == '|' || t[i] == '!') {
		i++
	}
	for end > i && (kinds[t[end-1]] == joint || kinds[t[end-1]] == mask || t[end-1] == '+' || t[end-1] == '|' || t[end-1] == '!') {
		end--
	}
	for i < end { // quotation marks and the like
		r, width := utf8.DecodeRune(t[i:end])
		if r < utf8.RuneSelf || inWord(r) {
			break
		}
		i += width
	}
	for end > i {
		r, width := utf8.DecodeLastRune(t[i:end])
		if r < utf8.RuneSelf || inWord(r) {
			break
		}
		end -= width
	}
	var buf [maxChunk]item
	items := buf[:0]
	letters, digits, signs, stars, joints := 0, 0, 0, 0, 0
	for k := i; k < end; {
		r, width := utf8.DecodeRune(t[k:end])
		switch kinds[t[k]] {
		case letter:
			letters++
		case digit:
			digits++
		case sign:
			signs++
		case mask:
			stars++
		case joint, ends:
			joints++
			k += width
			continue
		}
		items = append(items, item{r, class(r)})
		k += width
	}
	n := len(items)
	if n < 3 || letters*2 < n || joints > n {
		return match{}
	}
	switch {
	case joints > 0 && (n < minLetter || joints < n-1 && hasStop(t[i:end])):
		return match{}
	case stars > 0 && letters == n-stars && stars == n-1:
		return match{}
	case stars > 0:
		if stars*2 > n+1 || items[0].r == '*' || items[0].r == '#' || joints > 0 {
			return match{}
		}
		for _, at := range d.byHead[head{items[0].class, n}] {
			if word := d.words[at]; n >= minLetter && starred(word.runes, items) {
				return match{i, end, word.list, scoreStars}
			}
		}
		return match{}
	}
	for _, at := range d.byKey[key(items)] {
		word := d.words[at]
		if len(word.runes) < minLetter && digits > 0 || !spells(word.runes, items) {
			continue
		}
		return match{i, end, word.list, scoreLeet}
	}
	return match{}
}

func hasStop(b []byte) bool {
	return slices.Contains(b, '.')
}

// reads reports whether it may stand for the letter r.
func reads(it item, r rune) bool {
	switch {
	case it.r == r:
		return true
	case it.r < utf8.RuneSelf && kinds[byte(it.r)] != letter:
		return it.class == class(r)
	case it.r == 'v':
		return r == 'u'
	}
	return it.r != 'l' && (it.r >= utf8.RuneSelf || r >= utf8.RuneSelf) && alike(it.r) == alike(r)
}

// starred reports whether items are the word with stars for some of its letters.
func starred(word []rune, items []item) bool {
	for k, it := range items {
		if it.r != '*' && it.r != '#' && !reads(it, word[k]) {
			return false
		}
	}
	return true
}

// spells reports whether items are the word, with letters disguised or repeated:
// at least three times, since two are as many words are written.
func spells(word []rune, items []item) bool {
	k := 0
	for i := 0; i < len(word); {
		want := 1
		for i+want < len(word) && word[i+want] == word[i] {
			want++
		}
		got := 0
		for k < len(items) && reads(items[k], word[i]) && (got < want || items[k].class == items[k-1].class) {
			got++
			k++
		}
		if got < want || got > want && got < 3 {
			return false
		}
		i += want
	}
	return k == len(items)
}

// apart looks for a word whose letters stand apart from t[i] on, all in the same
// way. It returns where to go on.
func (d *disguises) apart(t []byte, i int, final bool) (stop int, m match, more bool) {
	var buf [maxApart]item
	var ends [maxApart]int
	items, gap := buf[:0], []byte(nil)
	k := i
	for len(items) < maxApart {
		if k == len(t) {
			if !final {
				return i, match{}, true
			}
			break
		}
		r, width := utf8.DecodeRune(t[k:])
		if !inWord(r) && !(r < utf8.RuneSelf && kinds[byte(r)] == sign) {
			break
		}
		after := k + width
		if after == len(t) && !final {
			return i, match{}, true
		}
		if after < len(t) {
			if next, _ := utf8.DecodeRune(t[after:]); inWord(next) {
				break // a word of several letters
			}
		}
		ends[len(items)] = after
		items = append(items, item{r, class(r)})
		k = after
		from := k
		for k < len(t) && k-from < maxGap+1 && !inWord(rune(t[k])) && t[k] < utf8.RuneSelf && kinds[t[k]] != sign {
			k++
		}
		if k == len(t) && !final {
			return i, match{}, true
		}
		if k == from || k-from > maxGap || gap != nil && string(gap) != string(t[from:k]) {
			break
		}
		gap = t[from:k]
	}
	stop = i + 1
	if _, width := utf8.DecodeRune(t[i:]); width > 1 {
		stop = i + width
	}
	if len(items) < minLetter {
		return stop, match{}, false
	}
	stop = ends[len(items)-1]
	for from := range 2 { // "a" and "I" may be words of their own
		if from == 1 && items[0].r != 'a' && items[0].r != 'i' {
			break
		}
		for cut := len(items); cut >= from+3 && cut >= len(items)-3; cut-- {
			if tail := string(runesOf(items[cut:])); tail != "" && tail != "s" && tail != "er" && tail != "ing" && tail != "you" && tail != "off" && tail != "u" {
				continue
			}
			for _, at := range d.byKey[key(items[from:cut])] {
				if word := d.words[at]; spells(word.runes, items[from:cut]) && len(items[from:cut]) >= 3 {
					start := i
					if from > 0 {
						start = ends[0] + len(gap)
					}
					return stop, match{start, ends[cut-1], word.list, scoreApart}, false
				}
			}
		}
	}
	return stop, match{}, false
}

func runesOf(items []item) []rune {
	out := make([]rune, len(items))
	for i, it := range items {
		out[i] = it.r
	}
	return out
}
