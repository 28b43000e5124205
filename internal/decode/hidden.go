package decode

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// invisible reports whether r is a character that a reader does not see and
// that changes nothing of what a text says.
func invisible(r rune) bool {
	switch {
	case r == 0xAD, r == 0x34F, r == 0x61C, r == 0x180E, r == 0xFEFF,
		0x200B <= r && r <= 0x200F, 0x202A <= r && r <= 0x202E,
		0x2060 <= r && r <= 0x2064, 0x2066 <= r && r <= 0x206F:
		return true
	}
	return false
}

// decodeZeroWidth strips invisible characters. Joiners stay where scripts and
// emoji need them.
func decodeZeroWidth(text string) (string, bool) {
	if isASCII(text) {
		return text, false
	}
	s := splice{text: text}
	before := rune(0)
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if !invisible(r) {
			before = r
			i += n
			continue
		}
		after, _ := utf8.DecodeRuneInString(text[i+n:])
		joiner := r == 0x200C || r == 0x200D
		mark := r == 0x200E || r == 0x200F || r == 0x61C
		if joiner && joined(before) && (joined(after) || after == utf8.RuneError) || mark && (rightToLeft(before) || rightToLeft(after)) {
			before = r
			i += n
			continue
		}
		s.put(i, i+n, "")
		i += n
	}
	return s.result()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// joined reports whether joiners beside r mean something: in scripts that
// join letters, and in emoji.
func joined(r rune) bool {
	return unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Devanagari, unicode.Bengali,
		unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada,
		unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Tibetan, unicode.So, unicode.Sk) ||
		r == 0xFE0F
}

func rightToLeft(r rune) bool { return unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac) }

func encodeZeroWidth(text string) string {
	var b strings.Builder
	for i, r := range text {
		if i > 0 {
			b.WriteRune(0x200B)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Unicode tags mirror ASCII from here on.
const (
	tagBase   = 0xE0000
	tagFirst  = 0xE0020
	tagLast   = 0xE007E
	tagCancel = 0xE007F
	blackFlag = 0x1F3F4 // with tags after it, the flag of a region
)

func decodeTags(text string) (string, bool) {
	if !strings.Contains(text, "\xF3\xA0\x80") && !strings.Contains(text, "\xF3\xA0\x81") {
		return text, false
	}
	s := splice{text: text}
	before := rune(0)
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if before == blackFlag && tagFirst <= r && r <= tagLast {
			if end, ok := flagEnd(text, i); ok {
				i, before = end, tagCancel
				continue
			}
		}
		switch {
		case tagFirst <= r && r <= tagLast:
			s.put(i, i+n, string(byte(r-tagBase)))
		case r == tagBase+1 || r == tagCancel:
			s.put(i, i+n, "")
		}
		before = r
		i += n
	}
	return s.result()
}

// flagEnd returns the end of the tags of a region's flag: three to six letters
// or digits and a cancel tag.
func flagEnd(text string, i int) (int, bool) {
	for count := 0; count <= 6; count++ {
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		if r == tagCancel {
			return i, count >= 3
		}
		if r < tagFirst || r > tagLast || !isAlnum(byte(r-tagBase)) {
			break
		}
	}
	return 0, false
}

func encodeTags(text string) string {
	return strings.Map(func(r rune) rune {
		if 0x20 <= r && r <= 0x7E {
			return tagBase + r
		}
		return r
	}, text)
}

// selector returns the byte that a variation selector stands for.
func selector(r rune) (byte, bool) {
	switch {
	case 0xFE00 <= r && r <= 0xFE0F:
		return byte(r - 0xFE00), true
	case 0xE0100 <= r && r <= 0xE01EF:
		return byte(r - 0xE0100 + 16), true
	}
	return 0, false
}

// decodeSelectors reads runs of two or more variation selectors as bytes. What
// is no text is taken out: one character has one selector at most.
func decodeSelectors(text string) (string, bool) {
	return hiddenBytes(text, func(out []byte, text string, i int) ([]byte, int) {
		for i < len(text) {
			r, n := utf8.DecodeRuneInString(text[i:])
			b, ok := selector(r)
			if !ok {
				break
			}
			out = append(out, b)
			i += n
		}
		return out, i
	}, 2)
}

func encodeSelectors(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if text[i] < 16 {
			b.WriteRune(0xFE00 + rune(text[i]))
		} else {
			b.WriteRune(0xE0100 + rune(text[i]) - 16)
		}
	}
	return b.String()
}

// Sneaky bits: an invisible times is zero, an invisible plus is one.
const (
	sneakyZero = '\u2062'
	sneakyOne  = '\u2064'
)

func decodeSneaky(text string) (string, bool) {
	return hiddenBytes(text, func(out []byte, text string, i int) ([]byte, int) {
		var b byte
		bits := 0
		for i < len(text) {
			r, n := utf8.DecodeRuneInString(text[i:])
			if r != sneakyZero && r != sneakyOne {
				break
			}
			b <<= 1
			if r == sneakyOne {
				b |= 1
			}
			if bits++; bits%8 == 0 {
				out = append(out, b)
			}
			i += n
		}
		return out, i
	}, 1)
}

func encodeSneaky(text string) string {
	var b strings.Builder
	for i := range len(text) {
		for bit := 7; bit >= 0; bit-- {
			if text[i]>>bit&1 == 1 {
				b.WriteRune(sneakyOne)
			} else {
				b.WriteRune(sneakyZero)
			}
		}
	}
	return b.String()
}

// hiddenBytes replaces the runs that read finds by the bytes they stand for,
// where these are at least least and UTF-8.
func hiddenBytes(text string, read func(out []byte, text string, i int) ([]byte, int), least int) (string, bool) {
	if isASCII(text) {
		return text, false
	}
	s := splice{text: text}
	var out []byte
	for i := 0; i < len(text); {
		end := i
		if text[i] >= utf8.RuneSelf {
			out, end = read(out[:0], text, i)
		}
		switch {
		case end == i:
			_, n := utf8.DecodeRuneInString(text[i:])
			end = i + n
		case len(out) >= least && utf8.Valid(out):
			s.put(i, end, string(out))
		}
		i = end
	}
	return s.result()
}
