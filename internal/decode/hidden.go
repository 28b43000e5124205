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
	case r < 0x2000:
		return r == 0xAD || r == 0x34F || r == 0x61C || r == 0x115F || r == 0x1160 || r == 0x17B4 || r == 0x17B5 ||
			0x180B <= r && r <= 0x180E
	case r < 0x3000:
		return 0x200B <= r && r <= 0x200F || 0x202A <= r && r <= 0x202E || 0x2060 <= r && r <= 0x206F
	}
	return r == 0x3164 || r == 0xFEFF || r == 0xFFA0 || 0x1BCA0 <= r && r <= 0x1BCA3 || 0x1D173 <= r && r <= 0x1D17A
}

// How strange invisible characters are, by where they are.
const (
	inWord   = 0.6  // within words of alphabets
	inHan    = 0.2  // where scripts do without spaces, some mark where lines may break
	hyphens  = 0.05 // soft hyphens, as printers put them
	hyphened = 0.5  // soft hyphens, as nobody puts them
)

// undoHidden strips invisible characters where some stand within words. Joiners
// and marks of direction stay where scripts and emoji need them, and so do the
// breaks of scripts that are written without spaces.
func undoHidden(s *splice) {
	text := s.text
	odd, count := 0.0, 0
	hidden(text, func(start, end int, r, before, after rune) {
		count++
		if letterLike(before) && letterLike(after) {
			odd = max(odd, oddity(text, start, r, before, after))
		}
	})
	if count >= leastApart && 8*count >= len(text)/2 { // nobody strews them like that
		odd = max(odd, inWord)
	}
	if odd == 0 {
		return
	}
	hidden(text, func(start, end int, _, _, _ rune) { s.put(start, end, "") })
	s.strange(odd)
}

// oddity says how strange it is that r stands between two letters.
func oddity(text string, at int, r, before, after rune) float64 {
	switch {
	case r == 0xAD:
		from := max(0, at-4)
		if strings.Contains(text[from:at], "\u00AD") {
			return hyphened
		}
		return hyphens
	case unicode.In(before, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul),
		unicode.In(after, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul):
		return inHan
	}
	return inWord
}

// hidden calls f for each character that can be stripped, with the visible
// characters around it, 0 at an end of the text.
func hidden(text string, f func(start, end int, r, before, after rune)) {
	before := rune(0)
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			before = rune(text[i])
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		if !invisible(r) && !(0xFE00 <= r && r <= 0xFE0F && before < utf8.RuneSelf && isAlpha(byte(before))) {
			before = r
			i += n
			continue
		}
		after := rune(0)
		for j := i + n; j < len(text) && j < i+64; {
			a, w := utf8.DecodeRuneInString(text[j:])
			if !invisible(a) {
				after = a
				break
			}
			j += w
		}
		switch {
		case i == 0 && r == 0xFEFF: // a byte order mark
		case needed(r, before, after):
			if r == 0x200C || r == 0x200D {
				before = r
			}
		default:
			f(i, i+n, r, before, after)
		}
		i += n
	}
}

// needed reports whether r has a meaning between two characters.
func needed(r, before, after rune) bool {
	switch {
	case r == 0x200C || r == 0x200D: // joiners
		return joined(before) && (joined(after) || after == 0 || !letterLike(after)) || joined(after) && !letterLike(before)
	case r == 0x200E || r == 0x200F || r == 0x61C: // marks of direction
		return rightToLeft(before) || rightToLeft(after)
	case r == 0x115F || r == 0x1160 || r == 0x3164 || r == 0xFFA0: // fillers
		return unicode.Is(unicode.Hangul, before) || unicode.Is(unicode.Hangul, after)
	case r == 0x200B || r == 0x2060 || r == 0x17B4 || r == 0x17B5:
		return unspaced(before) || unspaced(after)
	case 0x180B <= r && r <= 0x180E:
		return unicode.Is(unicode.Mongolian, before) || unicode.Is(unicode.Mongolian, after)
	case 0x202A <= r && r <= 0x202C || 0x2066 <= r && r <= 0x2069: // embeddings and isolates
		return !letterLike(before) || !letterLike(after)
	}
	return false
}

// unspaced reports whether r is of a script that is written without spaces.
func unspaced(r rune) bool {
	return r >= 0xE00 && unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan, unicode.Tai_Tham,
		unicode.Javanese, unicode.Balinese)
}

// letterLike reports whether words are made of r.
func letterLike(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r >= 0 && isAlnum(byte(r))
	case 0x400 <= r && r < 0x482, 0x4E00 <= r && r < 0xA000, 0x3041 <= r && r < 0x3097, 0xAC00 <= r && r < 0xD7A4, 0x620 <= r && r < 0x64B:
		return true // Cyrillic, Han, Hiragana, Hangul, Arabic: soon known
	}
	return unicode.IsLetter(r)
}

// joined reports whether joiners beside r mean something: in scripts that
// join letters, and in emoji.
func joined(r rune) bool {
	return unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Devanagari, unicode.Bengali,
		unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada,
		unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Tibetan, unicode.So, unicode.Sk) ||
		r == 0xFE0F
}

func rightToLeft(r rune) bool {
	return r >= 0x590 && unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko)
}

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

// flags are the only sequences of tags that are recommended for interchange
// (UTS #51, RGI_Emoji_Tag_Sequence), in plain letters.
const flags = "gbeng gbsct gbwls"

// undoTags reads tags as the ASCII characters that they mirror. A run of them
// beside a word is another word.
func undoTags(s *splice) {
	text := s.text
	for i := 0; i < len(text); {
		if text[i] != 0xF3 && text[i] != 0xF0 {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == blackFlag {
			i += n + flagLen(text[i+n:])
			continue
		}
		if r <= tagBase || r > tagCancel {
			i += n
			continue
		}
		start, count := i, 0
		for end := i; end < len(text); end += n {
			if r, n = utf8.DecodeRuneInString(text[end:]); r <= tagBase || r > tagCancel {
				break
			}
			count++
			i = end + n
		}
		if count >= 4 && start > 0 && isAlnum(text[start-1]) {
			s.put(start, start, " ")
		}
		for ; start < i; start += n {
			if r, n = utf8.DecodeRuneInString(text[start:]); tagFirst <= r && r <= tagLast {
				s.putByte(start, start+n, byte(r-tagBase))
			} else {
				s.put(start, start+n, "")
			}
		}
		if count >= 4 && i < len(text) && isAlnum(text[i]) {
			s.put(i, i, " ")
		}
	}
}

// flagLen returns the length of the tags of a flag and their end.
func flagLen(text string) int {
	for name := range strings.FieldsSeq(flags) {
		at := 0
		for _, c := range name + "\x7f" {
			r, n := utf8.DecodeRuneInString(text[at:])
			if r != tagBase+c {
				at = 0
				break
			}
			at += n
		}
		if at > 0 {
			return at
		}
	}
	return 0
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

// undoSelectors reads runs of two or more variation selectors as bytes. What is
// no text is taken out: one character has one selector at most.
func undoSelectors(s *splice) {
	hiddenBytes(s, func(out []byte, text string, i int) ([]byte, int) {
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

func undoSneaky(s *splice) {
	hiddenBytes(s, func(out []byte, text string, i int) ([]byte, int) {
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
func hiddenBytes(s *splice, read func(out []byte, text string, i int) ([]byte, int), least int) {
	text := s.text
	var buf [64]byte
	out := buf[:0]
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		start := i
		out, i = read(out[:0], text, i)
		if i == start {
			_, n := utf8.DecodeRuneInString(text[i:])
			i += n
			continue
		}
		if len(out) < least || !utf8.Valid(out) {
			continue
		}
		if len(out) >= 4 && start > 0 && isAlnum(text[start-1]) {
			s.put(start, start, " ")
		}
		s.put(start, i, string(out))
		if len(out) >= 4 && i < len(text) && isAlnum(text[i]) {
			s.put(i, i, " ")
		}
	}
}
