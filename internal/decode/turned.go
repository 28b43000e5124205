package decode

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// turnedLetters are the letters a to z upside down. Those that are letters of
// their own the other way round give away nothing.
const turnedLetters = "ɐqɔpǝɟƃɥᴉɾʞꞁɯuodbɹsʇnʌʍxʎz"

var fromTurned = sync.OnceValue(func() map[rune]byte {
	m := map[rune]byte{'ı': 'i', 'ɓ': 'g', 'ʃ': 'l', 'ן': 'l', 'ɡ': 'b', '˙': '.', '¿': '?', '¡': '!', '‘': ',', '∀': 'A', 'Ɔ': 'C', 'Ǝ': 'E', 'Ⅎ': 'F', '⅁': 'G', '˥': 'L', 'Ԁ': 'P', '⊥': 'T', '∩': 'U', 'Λ': 'V', '⅄': 'Y'}
	n := 0
	for _, r := range turnedLetters {
		m[r] = 'a' + byte(n)
		n++
	}
	return m
})

// turned reports whether r is a letter upside down that is hardly used upright.
func turned(r rune) feature {
	switch r {
	case 'ɐ', 'ɔ', 'ǝ', 'ɟ', 'ɥ', 'ɯ', 'ɹ', 'ʇ', 'ʌ', 'ʍ', 'ʎ', 'ᴉ', 'ʞ':
		return fTurned
	}
	return 0
}

// undoTurned reads lines with letters upside down, from their end if the words
// are common that way.
func undoTurned(s *splice) {
	text := s.text
	for start := 0; start < len(text); {
		end := strings.IndexByte(text[start:], '\n')
		if end < 0 {
			end = len(text) - start
		}
		end += start
		from, to := turnedPart(text[start:end])
		if to > from {
			from, to = from+start, to+start
			backward := unturn(nil, reverse(nil, []byte(text[from:to])))
			forward := unturn(nil, []byte(text[from:to]))
			if fieldsWorth(backward) >= fieldsWorth(forward) && fieldsWorth(backward) > 3 {
				s.putBytes(from, to, backward, lump)
			} else if fieldsWorth(forward) > 3 {
				s.putBytes(from, to, forward, lump)
			}
		}
		start = end + 1
	}
}

// turnedPart returns from the first to the last word with a turned letter.
func turnedPart(line string) (from, to int) {
	from = -1
	word, has, count := 0, false, 0
	for i, r := range line + " " {
		if r == ' ' || r == '\t' {
			if has {
				if from < 0 {
					from = word
				}
				to = i
			}
			word, has = i+1, false
			continue
		}
		if turned(r) != 0 {
			has = true
			count++
		}
	}
	if count < 3 {
		return 0, 0
	}
	return from, to
}

func unturn(dst, text []byte) []byte {
	m := fromTurned()
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if c := m[r]; c != 0 {
			dst = append(dst, c)
		} else {
			dst = append(dst, text[:n]...)
		}
		text = text[n:]
	}
	return dst
}

func fieldsWorth(text []byte) (sum int) {
	for w := range strings.FieldsSeq(string(text)) {
		if len(w) <= maxWord {
			sum += worth([]byte(w))
		}
	}
	return sum
}

func encodeTurned(text string) string {
	letters := []rune(turnedLetters)
	return string(reverse(nil, []byte(strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return letters[r-'a']
		case r == '.':
			return '˙'
		case r == '?':
			return '¿'
		case r == '!':
			return '¡'
		case r == ',':
			return '‘'
		}
		return r
	}, strings.ToLower(text)))))
}
