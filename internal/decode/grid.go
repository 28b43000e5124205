package decode

import (
	"strconv"
	"strings"
)

// undoLetterNumbers reads letters written as their places in the alphabet, 1 to
// 26: 9-7-14-15-18-5.
func undoLetterNumbers(s *splice) {
	numbered(s, func(number string) byte {
		n := 0
		for i := range len(number) {
			n = 10*n + int(number[i]-'0')
		}
		if n < 1 || n > 26 || number[0] == '0' && len(number) == 1 {
			return 0
		}
		return 'a' + byte(n-1)
	})
}

// grid are the letters of the tap code and of the square of Polybius, row by
// row; C stands for K.
const grid = "abcdefghijlmnopqrstuvwxyz"

// undoTap reads the tap code, as pairs of digits or as dots.
func undoTap(s *splice) {
	if strings.Contains(s.text, ". .") {
		undoTapDots(s)
	}
	if s.found() {
		return
	}
	numbered(s, func(number string) byte {
		if len(number) != 2 || number[0] < '1' || number[0] > '5' || number[1] < '1' || number[1] > '5' {
			return 0
		}
		return grid[(number[0]-'1')*5+number[1]-'1']
	})
}

// numbered replaces rows of numbers by letters, where these are common words.
func numbered(s *splice, letter func(string) byte) {
	text := s.text
	var row []single
	flush := func() {
		writeNumbers(s, row, letter)
		row = row[:0]
	}
	for i := 0; i < len(text); {
		if !isAlnum(text[i]) {
			i++
			continue
		}
		start, digits := i, true
		for i < len(text) && isAlnum(text[i]) {
			digits = digits && isDigit(text[i])
			i++
		}
		number := digits && i-start <= 2 && letter(text[start:i]) != 0
		if len(row) > 0 && (!number || start-int(row[len(row)-1].end) > widestGap || len(row) == maxRow) {
			flush()
		}
		if number {
			row = append(row, single{int32(start), int32(i)})
		}
	}
	flush()
}

func writeNumbers(s *splice, row []single, letter func(string) byte) {
	if len(row) < leastApart {
		return
	}
	text := s.text
	apart := between(text, row)
	if apart == "" || len(apart) > 3 {
		return
	}
	word := make([]byte, 0, 2*len(row))
	gaps := make([]string, len(row))
	parted := false
	for i, c := range row {
		word = append(word, letter(text[c.start:c.end]))
		if i+1 < len(row) {
			gaps[i] = closeGap(text[c.end:row[i+1].start], apart)
			word = append(word, gaps[i]...)
			parted = parted || gaps[i] != ""
		}
	}
	if !parted {
		joined := partWords(string(word))
		for i, at := 0, 1; i+1 < len(row); i, at = i+1, at+1 {
			if at < len(joined) && joined[at] == ' ' {
				gaps[i] = " "
				at++
			}
		}
		word = []byte(joined)
	}
	if w := fieldsWorth(word); w < leastApart || 2*w < len(row) {
		return
	}
	for i, c := range row {
		s.putByte(int(c.start), int(c.end), letter(text[c.start:c.end]))
		if i+1 < len(row) {
			s.put(int(c.end), int(row[i+1].start), gaps[i])
		}
	}
}

func encodeLetterNumbers(text string) string {
	out := make([]byte, 0, 4*len(text))
	for i := range len(text) {
		if !isAlpha(text[i]) {
			out = append(out, text[i])
			continue
		}
		if i > 0 && isAlpha(text[i-1]) {
			out = append(out, '-')
		}
		out = strconv.AppendInt(out, int64(text[i]|0x20-'a'+1), 10)
	}
	return string(out)
}

// undoTapDots reads rows of dots: those of a letter's row, a space, those of its
// column; a slash parts words.
func undoTapDots(s *splice) {
	text := s.text
	var out []byte
	start, end, first := -1, 0, 0 // of the stretch; the row that waits for its column
	flush := func() {
		if start >= 0 && len(out) >= leastApart && fieldsWorth(out) >= leastApart {
			s.put(start, end, string(out))
		}
		start, first, out = -1, 0, out[:0]
	}
	for i := 0; i < len(text); {
		if isSpace(text[i]) {
			i++
			continue
		}
		from := i
		dots := 0
		for i < len(text) && !isSpace(text[i]) {
			if text[i] == '.' {
				dots++
			}
			i++
		}
		switch n := i - from; {
		case n == dots && n <= 5:
			if start < 0 {
				start = from
			}
			if first == 0 {
				first = n
				continue
			}
			out = append(out, grid[(first-1)*5+n-1])
			first, end = 0, i
		case n == 1 && start >= 0 && first == 0:
			if text[from] == '/' {
				out = append(out, ' ')
			} else {
				out = append(out, text[from])
			}
			end = i
		default:
			flush()
		}
	}
	flush()
}

func encodeTap(text string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if b.Len() > 0 && c != '.' {
			b.WriteByte(' ')
		}
		if isAlpha(c) {
			c |= 0x20
		}
		if c == 'k' {
			c = 'c'
		}
		at := strings.IndexByte(grid, c)
		switch {
		case c == ' ':
			b.WriteByte('/')
		case c == '.': // would be taken for a tap
		case at < 0:
			b.WriteByte(c)
		default:
			b.WriteString(strings.Repeat(".", at/5+1) + " " + strings.Repeat(".", at%5+1))
		}
	}
	return b.String()
}
