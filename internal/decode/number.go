package decode

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// codes is a way to write characters as numbers: how many digits a number has,
// how many numbers make a text.
type codes struct {
	base       int
	short      int
	long       int
	least      int
	runes      bool // the numbers are code points, not bytes
	contiguous bool // numbers of the longest size may follow each other directly
}

var (
	binaryCodes  = codes{base: 2, short: 7, long: 8, least: 2, contiguous: true}
	octalCodes   = codes{base: 8, short: 2, long: 3, least: 4}
	decimalCodes = codes{base: 10, short: 2, long: 7, least: 5, runes: true}
)

func undoBinary(s *splice)  { binaryCodes.undo(s) }
func undoOctal(s *splice)   { octalCodes.undo(s) }
func undoDecimal(s *splice) { decimalCodes.undo(s) }

// undo replaces the runs of numbers that are readable text.
func (c codes) undo(s *splice) {
	text := s.text
	var buf [64]byte
	out := buf[:0]
	for i := 0; i < len(text); {
		if !isDigit(text[i]) || i > 0 && isAlnum(text[i-1]) {
			i++
			continue
		}
		out = out[:0]
		count, end := 0, i
		for j := i; ; {
			var next int
			var ok bool
			out, next, ok = c.token(out, text, j)
			if !ok {
				break
			}
			count += (next - j + c.long - 1) / c.long
			end, j = next, next
			for n := 0; n < 2 && j < len(text) && strings.IndexByte(" ,;\n", text[j]) >= 0; n++ {
				j++
			}
			if j == end {
				break
			}
		}
		if count >= c.least && (end == len(text) || !isAlnum(text[end])) {
			read := readable
			if c.contiguous {
				read = func(b []byte) (string, bool) {
					plain, _, ok := printable(b)
					return plain, ok
				}
			}
			if plain, ok := read(out); ok && (c.contiguous || mostlyWords(plain)) {
				s.put(i, end, plain)
			}
		}
		for end < len(text) && isAlnum(text[end]) {
			end++
		}
		i = max(end, i+1)
	}
}

// token appends what the number at text[i] stands for.
func (c codes) token(out []byte, text string, i int) ([]byte, int, bool) {
	end := i
	for end < len(text) && isDigit(text[end]) {
		if int(text[end]-'0') >= c.base {
			return out, i, false
		}
		end++
	}
	n := end - i
	if n == 0 || end < len(text) && isAlpha(text[end]) {
		return out, i, false
	}
	size := n
	if c.contiguous && n > c.long && n%c.long == 0 {
		size = c.long
	}
	if size < c.short || size > c.long {
		return out, i, false
	}
	for j := i; j < end; j += size {
		v, err := strconv.ParseUint(text[j:j+size], c.base, 32)
		switch {
		case err != nil || c.runes && v > utf8.MaxRune || !c.runes && v > 0xFF:
			return out, i, false
		case c.runes:
			out = utf8.AppendRune(out, rune(v))
		default:
			out = append(out, byte(v))
		}
	}
	return out, end, true
}

// mostlyWords reports whether at least half of the characters of s are letters
// or spaces, which lists of numbers almost never turn into.
func mostlyWords(s string) bool {
	words, total := 0, 0
	for _, r := range s {
		if r == ' ' || r >= utf8.RuneSelf || isAlpha(byte(r)) {
			words++
		}
		total++
	}
	return 2*words >= total
}

func encodeBinary(text string) string {
	out := make([]byte, 0, 9*len(text))
	for i := range len(text) {
		if i > 0 {
			out = append(out, ' ')
		}
		for bit := 7; bit >= 0; bit-- {
			out = append(out, '0'+text[i]>>bit&1)
		}
	}
	return string(out)
}

func encodeOctal(text string) string {
	out := make([]byte, 0, 4*len(text))
	for i := range len(text) {
		if i > 0 {
			out = append(out, ' ')
		}
		out = append(out, '0'+text[i]>>6, '0'+text[i]>>3&7, '0'+text[i]&7)
	}
	return string(out)
}

func encodeDecimal(text string) string {
	out := make([]byte, 0, 4*len(text))
	for i, r := range text {
		if i > 0 {
			out = append(out, ' ')
		}
		out = strconv.AppendInt(out, int64(r), 10)
	}
	return string(out)
}
