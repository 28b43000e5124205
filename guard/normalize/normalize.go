// Package normalize gives a text the views in which detectors look for
// disguised words, with a map from each view back to the bytes as given.
//
// [Buffer] holds a text that may still be growing. Beside the raw bytes it keeps
// two views of the same length:
//
//	clean   compatibility forms undone (NFKD, UAX #15), invisible and bidi
//	        control characters dropped (UTS #39, TR #36), combining marks over
//	        Latin dropped, decimal digits of every script written 0 to 9
//	folded  clean, in lower case
//
// Both are made rune by rune. Composing, as NFKC does, would have to wait for
// the next rune and would make a view depend on where a stream was cut; taking
// apart needs no neighbour, and for matching it does not matter which of the
// two it is, as long as both sides do the same ([Fold]).
//
// The views are for looking only. What reaches a model or a person is the raw
// text, edited at the raw offsets that [Buffer.Start] and [Buffer.End] give, so
// emoji, Persian and Hindi keep their joiners.
package normalize

import (
	"encoding/binary"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Buffer is a text and its views. All offsets are counted from the beginning of
// the text, also after [Buffer.Trim] forgot it. The zero Buffer is an empty
// text. A Buffer is owned by one goroutine.
type Buffer struct {
	raw     []byte
	rawBase int // offset of raw[0]
	read    int // offset up to which raw is in the views

	clean, folded []byte
	base          int // offset of clean[0] in the views

	runs   []run
	hidden int // runes dropped so far
}

// run says where a stretch of the view comes from; it reaches to the next run.
type run struct {
	view, raw int
	width     int // 0: byte for byte; else all of it comes from so many raw bytes
}

// Reset makes b an empty text that keeps its memory.
func (b *Buffer) Reset() {
	*b = Buffer{raw: b.raw[:0], clean: b.clean[:0], folded: b.folded[:0], runs: b.runs[:0]}
}

// Append adds p to the text. An unfinished rune at the end waits for its rest;
// final says that none will come.
func (b *Buffer) Append(p []byte, final bool) {
	b.raw = append(b.raw, p...)
	b.take(final)
}

// AppendString is Append for a string.
func (b *Buffer) AppendString(s string, final bool) {
	b.raw = append(b.raw, s...)
	b.take(final)
}

// take shows in the views what was appended.
func (b *Buffer) take(final bool) {
	for b.ascii() {
		if !b.runes(final) {
			return
		}
	}
}

// ascii takes the ASCII bytes that come next: they stand for themselves. It
// reports whether anything else follows.
func (b *Buffer) ascii() (more bool) {
	rest := b.raw[b.read-b.rawBase:]
	n := 0
	for n+8 <= len(rest) && binary.LittleEndian.Uint64(rest[n:])&highBits == 0 {
		n += 8
	}
	for n < len(rest) && rest[n] < utf8.RuneSelf {
		n++
	}
	if n == 0 {
		return len(rest) > 0
	}
	b.note(0)
	b.clean = append(b.clean, rest[:n]...)
	at := len(b.folded)
	b.folded = append(b.folded, rest[:n]...)
	lowerASCII(b.folded[at:])
	b.read += n
	return n < len(rest)
}

const highBits = 0x8080808080808080

// lowerASCII writes ASCII letters in lower case, eight bytes at a time: of a
// byte below 0x80, adding 0x80-'A' sets the high bit from 'A' on, and adding
// 0x7F-'Z' sets it behind 'Z'; where they differ stands a capital.
func lowerASCII(p []byte) {
	const ones = 0x0101010101010101
	for len(p) >= 8 {
		x := binary.LittleEndian.Uint64(p)
		capitals := ((x + ones*(0x80-'A')) ^ (x + ones*(0x7F-'Z'))) & highBits
		binary.LittleEndian.PutUint64(p, x|capitals>>2)
		p = p[8:]
	}
	for i, c := range p {
		if 'A' <= c && c <= 'Z' {
			p[i] = c + 'a' - 'A'
		}
	}
}

// runes takes the runes beyond ASCII that come next. It reports whether it came
// to their end, and something follows.
func (b *Buffer) runes(final bool) bool {
	t := table()
	even := false // the last run goes on byte for byte
	for rest := b.raw[b.read-b.rawBase:]; len(rest) > 0; {
		if rest[0] < utf8.RuneSelf {
			return true
		}
		r, w := utf8.DecodeRune(rest)
		if r == utf8.RuneError && !final && !utf8.FullRune(rest) {
			return false
		}
		n, form := slow, uint64(0)
		if i := at(r); i >= 0 {
			n, form = int(t.len[i]), t.bytes[i]
		}
		switch {
		case n == w:
			if !even {
				b.note(0)
				even = true
			}
			b.append(form, n)
			b.read += w
		case n != slow:
			b.form(form, n, w)
			even = false
		case plain(r):
			b.note(0)
			b.clean = append(b.clean, rest[:w]...)
			b.folded = append(b.folded, rest[:w]...)
			b.read += w
		default:
			b.slow(r, rest[:w])
			even = false
		}
		rest = rest[w:]
	}
	return false
}

// append adds a form of the table to the views.
func (b *Buffer) append(form uint64, n int) {
	b.clean = append(b.clean, byte(form), byte(form>>8), byte(form>>16), byte(form>>24))[:len(b.clean)+n]
	b.folded = append(b.folded, byte(form>>32), byte(form>>40), byte(form>>48), byte(form>>56))[:len(b.folded)+n]
}

// form takes a rune of w bytes whose form has n bytes, another number.
func (b *Buffer) form(form uint64, n, w int) {
	if n == 0 {
		b.hidden++
		b.read += w
		b.note(0)
		return
	}
	b.note(w)
	b.append(form, n)
	b.read += w
	b.note(0)
}

// slow takes a rune that the table does not hold.
func (b *Buffer) slow(r rune, raw []byte) {
	w := len(raw)
	if hides(r) {
		b.form(0, 0, w)
		return
	}
	var tmp [32]byte
	form := decompose(tmp[:0], r, raw)
	even := len(form) == w && utf8.RuneCount(form) == 1 // "⒳" is as long as "(x)"
	if even {
		b.note(0)
	} else {
		b.note(w)
	}
	b.clean = append(b.clean, form...)
	b.folded = appendLower(b.folded, form)
	b.read += w
	if !even {
		b.note(0)
	}
}

// note begins a run at the end of the view unless the last one goes on byte for
// byte.
func (b *Buffer) note(width int) {
	view, raw := b.base+len(b.clean), b.read
	if n := len(b.runs); n > 0 {
		last := &b.runs[n-1]
		if width == 0 && last.width == 0 && view-last.view == raw-last.raw {
			return
		}
		if last.view == view { // nothing came of it
			*last = run{view, raw, width}
			return
		}
	}
	b.runs = append(b.runs, run{view, raw, width})
}

// Window returns the views from the earliest offset that is still there to the
// end, and that offset. They are valid until the next Append, Trim or Reset.
func (b *Buffer) Window() (clean, folded []byte, base int) { return b.clean, b.folded, b.base }

// Len returns the length of the views so far.
func (b *Buffer) Len() int { return b.base + len(b.clean) }

// Raw returns the raw bytes [start, end), as long as they were not trimmed.
func (b *Buffer) Raw(start, end int) []byte { return b.raw[start-b.rawBase : end-b.rawBase] }

// RawLen returns the length of the raw text so far.
func (b *Buffer) RawLen() int { return b.rawBase + len(b.raw) }

// Read returns the raw offset up to which the views show the text: all of it but
// an unfinished rune.
func (b *Buffer) Read() int { return b.read }

// Hidden returns how many invisible characters and stray marks were dropped.
func (b *Buffer) Hidden() int { return b.hidden }

// Start returns the raw offset where the byte of the view at off begins; at the
// view's end, where the view has read to.
func (b *Buffer) Start(off int) int {
	if off >= b.Len() {
		return b.read
	}
	r := b.runs[b.runAt(off)]
	if r.width == 0 {
		return r.raw + off - r.view
	}
	return r.raw
}

// End returns the raw offset where the byte of the view before off ends.
func (b *Buffer) End(off int) int {
	if off <= b.base {
		return b.Start(off)
	}
	r := b.runs[b.runAt(off-1)]
	if r.width == 0 {
		return r.raw + off - r.view
	}
	return r.raw + r.width
}

func (b *Buffer) runAt(off int) int {
	lo, hi := 0, len(b.runs)-1
	for lo < hi {
		mid := int(uint(lo+hi+1) >> 1)
		if b.runs[mid].view <= off {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}

// Trim forgets the views before view and the raw text before raw.
func (b *Buffer) Trim(view, raw int) {
	if n := view - b.base; n > 0 {
		b.clean = append(b.clean[:0], b.clean[n:]...)
		b.folded = append(b.folded[:0], b.folded[n:]...)
		b.base = view
		if i := b.runAt(view); i > 0 {
			b.runs = append(b.runs[:0], b.runs[i:]...)
		}
	}
	if n := raw - b.rawBase; n > 0 {
		b.raw = append(b.raw[:0], b.raw[n:]...)
		b.rawBase = raw
	}
}

// Fold returns the folded view of s: what word lists are compared by.
func Fold(s string) string {
	var b Buffer
	b.Append([]byte(s), true)
	return string(b.folded)
}

// decompose appends the compatibility decomposition of r without its marks.
func decompose(dst []byte, r rune, raw []byte) []byte {
	if r == utf8.RuneError {
		return utf8.AppendRune(dst, r)
	}
	if r >= hangul && r < hangul+19*21*28 {
		return appendJamo(dst, r-hangul)
	}
	form := norm.NFKD.Properties(raw).Decomposition()
	if form == nil {
		return appendPlain(dst, r)
	}
	for len(form) > 0 {
		r, w := utf8.DecodeRune(form)
		if !mark(r) && !Ignorable(r) {
			dst = appendPlain(dst, r)
		}
		form = form[w:]
	}
	return dst
}

// hangul is the first of the Hangul syllables, which are composed of letters by
// their number (The Unicode Standard, §3.12).
const hangul = 0xAC00

func appendJamo(dst []byte, n rune) []byte {
	dst = utf8.AppendRune(dst, 0x1100+n/(21*28))
	dst = utf8.AppendRune(dst, 0x1161+n%(21*28)/28)
	if last := n % 28; last > 0 {
		dst = utf8.AppendRune(dst, 0x11A7+last)
	}
	return dst
}

func appendPlain(dst []byte, r rune) []byte {
	switch {
	case r < utf8.RuneSelf:
		return append(dst, byte(r))
	case r == 0x2800: // the blank Braille pattern looks like a space
		return append(dst, ' ')
	case unicode.Is(unicode.Nd, r):
		return append(dst, digit(r))
	case unicode.Is(unicode.Zs, r):
		return append(dst, ' ')
	}
	return utf8.AppendRune(dst, r)
}

// digit returns the ASCII digit of a decimal digit: Unicode gives each script
// ten of them in a row (The Unicode Standard, §4.6).
func digit(r rune) byte {
	n := 0
	for n < 9 && unicode.Is(unicode.Nd, r-rune(n)-1) {
		n++
	}
	if r >= 0x1D7CE && r <= 0x1D7FF { // mathematical digits: five tens side by side
		n = int(r-0x1D7CE) % 10
	}
	return '0' + byte(n)
}

// appendLower appends form in lower case, of the same length: where the lower
// case of a rune is longer or shorter it stays as it is.
func appendLower(dst, form []byte) []byte {
	for len(form) > 0 {
		r, w := utf8.DecodeRune(form)
		l := unicode.ToLower(r)
		if l == 'ς' {
			l = 'σ'
		}
		if utf8.RuneLen(l) != w {
			l = r
		}
		dst = utf8.AppendRune(dst, l)
		form = form[w:]
	}
	return dst
}

// mark reports whether r is a combining mark that is only put over or through
// letters which mean the same without it: Latin, Greek and Cyrillic accents and
// the heaps of them called zalgo. Vowel signs of Indic scripts, Hebrew points and
// Arabic harakat are letters of their own and stay.
func mark(r rune) bool {
	return r >= 0x300 && (r <= 0x36F && r != 0x34F || 0x483 <= r && r <= 0x489 || 0x1AB0 <= r && r <= 0x1AFF ||
		0x1DC0 <= r && r <= 0x1DFF || 0x20D0 <= r && r <= 0x20FF || 0xFE20 <= r && r <= 0xFE2F)
}

// Ignorable reports whether r shows nothing: the code points with the property
// Default_Ignorable_Code_Point, among them joiners, bidi controls, variation
// selectors, tags and fillers.
func Ignorable(r rune) bool {
	switch {
	case r < 0xAD:
		return false
	case r < 0x300:
		return r == 0xAD
	case r < 0x2000:
		return r == 0x34F || r == 0x61C || r == 0x115F || r == 0x1160 || r == 0x17B4 || r == 0x17B5 || 0x180B <= r && r <= 0x180F
	case r < 0x3000:
		return 0x200B <= r && r <= 0x200F || 0x202A <= r && r <= 0x202E || 0x2060 <= r && r <= 0x206F
	case r < 0x10000:
		return r == 0x3164 || 0xFE00 <= r && r <= 0xFE0F || r == 0xFEFF || r == 0xFFA0 || 0xFFF0 <= r && r <= 0xFFF8
	}
	return 0x1BCA0 <= r && r <= 0x1BCA3 || 0x1D173 <= r && r <= 0x1D17A || 0xE0000 <= r && r <= 0xE0FFF
}
