package decode

import (
	"bytes"
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"
)

// morse is indexed by character.
var morse = map[byte]string{
	'a': ".-", 'b': "-...", 'c': "-.-.", 'd': "-..", 'e': ".", 'f': "..-.", 'g': "--.", 'h': "....", 'i': "..",
	'j': ".---", 'k': "-.-", 'l': ".-..", 'm': "--", 'n': "-.", 'o': "---", 'p': ".--.", 'q': "--.-", 'r': ".-.",
	's': "...", 't': "-", 'u': "..-", 'v': "...-", 'w': ".--", 'x': "-..-", 'y': "-.--", 'z': "--..",
	'0': "-----", '1': ".----", '2': "..---", '3': "...--", '4': "....-", '5': ".....", '6': "-....", '7': "--...",
	'8': "---..", '9': "----.", '.': ".-.-.-", ',': "--..--", '?': "..--..", '\'': ".----.", '!': "-.-.--",
	'/': "-..-.", '(': "-.--.", ')': "-.--.-", '&': ".-...", ':': "---...", ';': "-.-.-.", '=': "-...-",
	'+': ".-.-.", '-': "-....-", '_': "..--.-", '"': ".-..-.", '$': "...-..-", '@': ".--.-.",
}

// nato are the words of the spelling alphabet, a to z.
var nato = [26]string{
	"alfa", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett", "kilo", "lima",
	"mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango", "uniform", "victor", "whiskey",
	"xray", "yankee", "zulu",
}

var (
	fromMorse = invert(morse)
	fromNATO  = func() map[string]byte {
		m := map[string]byte{"alpha": 'a', "juliet": 'j', "x-ray": 'x', "whisky": 'w'}
		for i, w := range nato {
			m[w] = byte('a' + i)
		}
		return m
	}()
)

func invert(m map[byte]string) map[string]byte {
	out := make(map[string]byte, len(m))
	for b, s := range m {
		out[s] = b
	}
	return out
}

// spelled replaces runs of code words that make at least least characters, of
// which three differ. Within a run a slash is a space, and a character that
// literal accepts stands for itself.
func spelled(s *splice, least int, code func(string) (byte, bool), literal func(rune) bool) {
	text := s.text
	var buf [64]byte
	out := buf[:0]
	var kinds uint64
	from, end, count, keep := -1, 0, 0, 0 // of the run: its bytes, its code words, what of out counts
	flush := func() {
		if count >= least && (bits.OnesCount64(kinds) >= 7 || bits.OnesCount64(kinds) >= 3 && fieldsWorth(out[:keep]) >= 3) {
			s.put(from, end, string(bytes.TrimRight(out[:keep], " ")))
		}
		from, count, keep, kinds, out = -1, 0, 0, 0, out[:0]
	}
	for i := 0; i < len(text); {
		if isSpace(text[i]) {
			i++
			continue
		}
		start := i
		for i < len(text) && !isSpace(text[i]) {
			i++
		}
		word := text[start:i]
		if b, ok := code(word); ok {
			if from < 0 {
				from = start
			}
			out = append(out, b)
			end, keep = i, len(out)
			kinds |= 1 << (b & 63)
			count++
			continue
		}
		if from < 0 {
			continue
		}
		switch r, n := utf8.DecodeRuneInString(word); {
		case word == "/":
			out = append(out, ' ')
		case n == len(word) && literal(r):
			out = append(out, word...)
			end, keep = i, len(out)
		default:
			flush()
		}
	}
	flush()
}

func undoMorse(s *splice) {
	spelled(s, 4, func(word string) (byte, bool) {
		var buf [8]byte
		code := buf[:0]
		for _, r := range word {
			if len(code) == len(buf) {
				return 0, false
			}
			switch r {
			case '.', '·', '•':
				code = append(code, '.')
			case '-', '−', '–', '—', '_':
				code = append(code, '-')
			default:
				return 0, false
			}
		}
		b, ok := fromMorse[string(code)]
		return b, ok
	}, unicode.IsLetter)
}

func encodeMorse(text string) string {
	return spell(text, func(b byte) string { return morse[b] })
}

func undoNATO(s *splice) {
	spelled(s, 3, func(word string) (byte, bool) {
		word = strings.TrimRight(word, ",.;")
		if len(word) > 8 {
			return 0, false
		}
		b, ok := fromNATO[strings.ToLower(word)]
		return b, ok
	}, func(r rune) bool { return r != '|' })
}

func encodeNATO(text string) string {
	return spell(text, func(b byte) string {
		if isLower(b) {
			return nato[b-'a']
		}
		return ""
	})
}

// spell writes each character as its code word, or as itself.
func spell(text string, code func(byte) string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		word := ""
		if r < utf8.RuneSelf {
			word = code(byte(r))
		}
		switch {
		case r == ' ':
			b.WriteByte('/')
		case word != "":
			b.WriteString(word)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// brailleCells are the dots of a to z, as offsets from U+2800.
const brailleCells = "\x01\x03\x09\x19\x11\x0b\x1b\x13\x0a\x1a\x05\x07\x0d\x1d\x15\x0f\x1f\x17\x0e\x1e\x25\x27\x3a\x2d\x3d\x35"

// Signs of braille that are not letters.
const (
	brailleBlank   = '⠀'
	brailleNumber  = '⠼'
	brailleLetter  = '⠰'
	brailleCapital = '⠠'
)

// brailleMarks are the punctuation marks, each before its cell.
const brailleMarks = ".⠲,⠂?⠦!⠖;⠆:⠒-⠤'⠄"

func undoBraille(s *splice) {
	text := s.text
	number, capital := false, false
	for i, r := range text {
		if r < 0x2800 || r > 0x28FF {
			number = false
			continue
		}
		end := i + utf8.RuneLen(r)
		plain := ""
		switch at := strings.IndexByte(brailleCells, byte(r-0x2800)); {
		case r == brailleNumber:
			number = true
		case r == brailleCapital:
			capital = true
		case r == brailleLetter:
			number = false
		case r == brailleBlank:
			plain, number = " ", false
		case at >= 0 && number && at < 10:
			plain = string('0' + byte(at+1)%10)
		case at >= 0:
			b := byte('a' + at)
			if capital {
				b -= 0x20
			}
			plain, number, capital = string(b), false, false
		default:
			number = false
			if m := strings.IndexRune(brailleMarks, r); m > 0 {
				plain = brailleMarks[m-1 : m]
			} else {
				continue
			}
		}
		s.put(i, end, plain)
	}
}

func encodeBraille(text string) string {
	var b strings.Builder
	number := false
	for _, r := range strings.ToLower(text) {
		switch {
		case 'a' <= r && r <= 'z':
			if number && r <= 'j' {
				b.WriteRune(brailleLetter)
			}
			number = false
			b.WriteRune(0x2800 + rune(brailleCells[r-'a']))
		case '0' <= r && r <= '9':
			if !number {
				b.WriteRune(brailleNumber)
			}
			number = true
			b.WriteRune(0x2800 + rune(brailleCells[(r-'0'+9)%10]))
		default:
			number = false
			if m := strings.IndexRune(brailleMarks, r); r < utf8.RuneSelf && m >= 0 {
				r, _ = utf8.DecodeRuneInString(brailleMarks[m+1:])
			} else if r == ' ' {
				r = brailleBlank
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}
