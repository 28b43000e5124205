package person

import (
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/stream"
)

// shape is how a token is written. Signs of ASCII stand for themselves.
type shape uint8

const (
	nothing  shape = iota // before the text and behind it
	lower                 // word
	capital               // Word
	upper                 // WORD
	initial               // W
	mixed                 // wOrd
	caseless              // of a script without capitals
	han
	hiragana
	katakana
	hangul // a syllable
	digit1
	digit2
	digit3
	digit4
	digit5
	digits  // six and more
	house   // 12b
	code    // b12
	newline // and
	blank   // another
	tab
	unspaced // Thai and the like
	other
)

func (s shape) word() bool    { return s >= lower && s <= hangul }
func (s shape) number() bool  { return s >= digit1 && s <= house }
func (s shape) capital() bool { return s >= capital && s <= mixed }

// char reports whether a token is one character of a longer word.
func (s shape) char() bool { return s >= han && s <= hangul }

// token is a piece of the text, in offsets of the view.
type token struct {
	start, end int
	hash       uint32
	ending     uint32        // hash of its last letters
	grams      [grams]uint32 // of three letters each: those it begins and ends with
	class      Class
	late       Class // what is known once the next token is there
	shape      shape
	gap        bool // space before it
	first      bool // of a line or sentence
	tag        Tag
}

// grams is how many letters in threes are looked at, of an uncommon word.
const grams = 6

// maxWord bounds tokens, in bytes: a longer word comes in pieces.
const maxWord = 64

type kind uint8

const (
	sign   kind = iota // a token by itself
	small              // a letter
	large              // a capital
	figure             // a digit
	space
	beyond // not ASCII
)

var kinds = func() (t [256]kind) {
	for c := range t {
		switch {
		case 'a' <= c && c <= 'z':
			t[c] = small
		case 'A' <= c && c <= 'Z':
			t[c] = large
		case '0' <= c && c <= '9':
			t[c] = figure
		case c == ' ', c == '\r', c == 0, c == '\v', c == '\f':
			t[c] = space
		case c >= utf8.RuneSelf:
			t[c] = beyond
		}
	}
	return t
}()

// cut cuts the next token off the text, if it is complete.
func (c *cursor) cut(w stream.Window) bool {
	t := w.Clean
	i := c.pos - w.Base
	for i < len(t) && (kinds[t[i]] == space || t[i] == '\n' && c.prev().shape == blank) {
		i++
		c.gap = true
	}
	c.pos = w.Base + i
	if i == len(t) {
		return false
	}
	start, end, sh := i, i, nothing
	for limit := min(len(t), i+maxWord); end < limit && kinds[t[end]] == small; {
		end++
	}
	if end > start && end < len(t) && end-start < maxWord && (kinds[t[end]] == sign || kinds[t[end]] == space) {
		c.push(w, start, end, lower) // most words of prose
		return true
	}
	end = start
	var n [4]int // letters by kind
	begun := sign
	limit := min(len(t), i+maxWord)
	for end < limit {
		k, width := kinds[t[end]], 1
		if k == beyond {
			var s shape
			k, width, s = read(t[end:])
			if k == sign {
				if end > start {
					break
				}
				sh = s
				if s == hangul {
					if width = syllable(t[end:]); end+width == len(t) && !w.Final && width < maxWord {
						return false
					}
				}
			}
		}
		if k == sign || k == space {
			if end == start {
				end += width
				if sh == nothing {
					sh = signShape(t[start])
				}
				begun = sign
			}
			break
		}
		if end == start {
			begun = k
		}
		if k == beyond { // a letter without case
			n[0]++
		} else {
			n[k]++
		}
		end += width
	}
	if begun != sign {
		if end == len(t) && end-start < maxWord && !w.Final {
			return false
		}
		sh = shaped(n, begun, end-start)
	}
	c.push(w, start, end, sh)
	return true
}

func signShape(b byte) shape {
	switch {
	case b == '\n':
		return newline
	case b == '\t':
		return tab
	case b < ' ':
		return other
	}
	return shape(b)
}

func shaped(n [4]int, begun kind, size int) shape {
	letters := n[0] + n[small] + n[large]
	switch {
	case letters == 0:
		return min(digit1+shape(size-1), digits)
	case begun == figure:
		return house
	case n[figure] > 0:
		return code
	case n[0] > 0 && n[large] == 0:
		return caseless
	case n[large] == 0:
		return lower
	case letters == 1:
		return initial
	case n[small] == 0:
		return upper
	case n[large] == 1 && begun == large:
		return capital
	}
	return mixed
}

// read reads what is not ASCII: a letter, as small, large or beyond, or a sign
// and its shape.
func read(b []byte) (kind, int, shape) {
	r, w := utf8.DecodeRune(b)
	switch {
	case 0x1100 <= r && r < 0x1200:
		return sign, w, hangul
	case 0x2010 <= r && r <= 0x2015:
		return sign, w, '-'
	case r == 0x2018 || r == 0x2019 || r == 0x02BC || r == 0x02BB:
		return sign, w, '\''
	case 0x201A <= r && r <= 0x201F || r == 0xAB || r == 0xBB || 0x3008 <= r && r <= 0x3011:
		return sign, w, '"'
	case r == 0x3001 || r == 0x060C:
		return sign, w, ','
	case r == 0x3002 || r == 0x0964 || r == 0x06D4:
		return sign, w, '.'
	case r == utf8.RuneError:
		return sign, w, other
	case stream.Unspaced(r):
		switch {
		case r >= 0x3400 && r < 0xA000 || r == 0x3005 || r >= 0xF900 || r == 0x3007:
			return sign, w, han
		case r >= 0x3040 && r < 0x30A0:
			return sign, w, hiragana
		case r >= 0x30A0 && r < 0x3100:
			return sign, w, katakana
		}
		return sign, w, unspaced
	case r == 0x30FC:
		return sign, w, katakana
	case unicode.IsUpper(r) || unicode.IsTitle(r):
		return large, w, 0
	case unicode.IsLower(r):
		return small, w, 0
	case unicode.IsLetter(r) || unicode.IsMark(r):
		return beyond, w, 0
	case unicode.IsNumber(r):
		return figure, w, 0
	}
	return sign, w, other
}

// syllable returns how many bytes of Hangul letters make the syllable at b: one
// begins where a leading consonant follows another letter.
func syllable(b []byte) int {
	n, lead := 0, true
	for n < len(b) && n < maxWord-3 {
		r, w := utf8.DecodeRune(b[n:])
		if r < 0x1100 || r >= 0x1200 {
			break
		}
		if r < 0x1160 != lead {
			if !lead {
				break
			}
			lead = false
		} else if r < 0x1160 && n > 0 {
			break // a consonant by itself
		}
		n += w
	}
	return max(n, 3)
}

// push adds the token [start, end) of the window.
func (c *cursor) push(w stream.Window, start, end int, sh shape) {
	before := c.prev()
	k := &c.tokens[c.cutN%ring]
	k.start, k.end, k.hash, k.ending, k.class, k.late = w.Base+start, w.Base+end, 0, 0, 0, 0
	k.shape, k.gap, k.tag = sh, c.gap, Out
	k.grams[0] = 0
	if sh == newline && before.shape == newline {
		k.shape = blank
	}
	k.first = before.shape > hangul && c.begins(before) || before.shape == nothing
	switch {
	case sh == lower:
		folded := w.Folded[start:end]
		k.hash = hash(folded)
		if k.class = c.model.words.class(k.hash); k.class&Common == 0 {
			c.end(k, folded)
		}
	case sh.char():
		k.hash = hash(w.Folded[start:end])
		k.class = c.model.words.class(k.hash)
		c.pair(w, before, k)
	case sh.word(), sh == code, sh == house:
		folded := w.Folded[start:end]
		k.hash = hash(folded)
		k.class = c.model.words.class(k.hash)
		c.end(k, folded)
	case sh.number():
		k.hash = uint32(sh) * 0x1003F
		if end-start <= 2 {
			k.hash += uint32(w.Clean[start])
		}
	default:
		k.hash = uint32(k.shape)*0x2003F | 1
	}
	c.cutN++
	c.pos = w.Base + end
	c.gap = false
}

// end looks at how a word ends.
func (c *cursor) end(k *token, folded []byte) {
	k.ending = ending(folded)
	k.spell(folded)
	if k.class&(street|Common) == 0 && (k.shape.capital() || k.shape == lower) && len(folded) > 5 && c.model.words.glued(folded) {
		k.class |= Glued
	}
}

// spell notes which three letters, or bytes, a word begins with and ends with,
// and the two before and after each: names are spelt like names.
func (k *token) spell(folded []byte) {
	var word [maxWord + utf8.UTFMax + 2]byte
	word[0] = '^'
	n := 1 + copy(word[1:], folded)
	word[n] = '$'
	n++
	k.grams = [grams]uint32{}
	at := 0
	for i := 0; i+3 <= n && at < grams; i++ {
		if i == grams/2 && n-3-i > grams/2 {
			i = n - 3 - (grams/2 - 1)
		}
		k.grams[at] = uint32(word[i]) | uint32(word[i+1])<<8 | uint32(word[i+2])<<16 | 1<<24
		at++
	}
}

// begins reports whether a line or a sentence begins behind the token before.
func (c *cursor) begins(before *token) bool {
	switch s := before.shape; {
	case s == nothing, s == newline, s == blank, s == '!', s == '?', s == '*', s == '#':
		return true
	case s == '.':
		return !c.shortened()
	case s == '"', s == '(', s == '-', s == '>', s == '\'':
		return before.first
	}
	return false
}

// shortened reports whether the full stop that was cut last may shorten a word.
func (c *cursor) shortened() bool {
	if c.cutN < 2 {
		return false
	}
	k := &c.tokens[(c.cutN-2)%ring]
	return k.shape == initial || k.class&(Title|Before|After|Unit) != 0 && k.end-k.start <= 5
}

// pair looks up two characters of a script without spaces as one word. What may
// begin with it is noted with the first, what it announces with the second.
func (c *cursor) pair(w stream.Window, before, k *token) {
	if !before.shape.char() || before.end != k.start || k.gap || before.start < w.Base {
		return
	}
	both := c.model.words.class(hash(w.Folded[before.start-w.Base : k.end-w.Base]))
	const backwards = Intro | Role | Greet | Sign | Say | Cue
	k.class |= both & backwards
	before.late |= both &^ backwards
}

// ending returns the hash of a word's last three letters or so.
func ending(folded []byte) uint32 {
	n := 3
	if folded[len(folded)-1] >= utf8.RuneSelf {
		n = 6
	}
	return hash(folded[max(0, len(folded)-n):])
}
