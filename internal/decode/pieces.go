package decode

import "strings"

// undoPieces puts strings together that are put together: "ig" + "nore".
func undoPieces(s *splice) {
	text := s.text
	for i := 0; i < len(text); {
		n := strings.IndexAny(text[i:], "\"'`")
		if n < 0 {
			return
		}
		i += n
		if end := seam(text, i); end > 0 {
			s.put(i, end, "")
			i = end
			continue
		}
		i++
	}
}

// piece reports whether text has a seam.
func piece(text string) bool {
	for i := 0; i < len(text); i++ {
		if (text[i] == '"' || text[i] == '\'') && seam(text, i) > 0 {
			return true
		}
	}
	return false
}

// seam returns the end of the seam between two strings that begins at text[i]:
// a quote, a sign that joins, and the quote again, with letters on both sides.
// It is 0 when there is none.
func seam(text string, i int) int {
	if i == 0 || !isAlnum(text[i-1]) {
		return 0
	}
	at, signs := i+1, 0
	for ; at < len(text) && at-i < 16 && text[at] != text[i]; at++ {
		switch text[at] {
		case '+', '.', '&':
			signs++
		case '|':
			if text[at-1] == '|' {
				signs++
			}
		case ' ', '\t', '\n', '\r', '\\':
		default:
			return 0
		}
	}
	if signs == 0 || at+1 >= len(text) || text[at] != text[i] || !isAlnum(text[at+1]) {
		return 0
	}
	return at + 1
}

// encodePieces cuts words into strings of three letters.
func encodePieces(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	n := 0
	for i := range len(text) {
		if n == 3 && isAlpha(text[i]) {
			b.WriteString(`" + "`)
			n = 0
		}
		if b.WriteByte(text[i]); isAlpha(text[i]) {
			n++
		} else {
			n = 0
		}
	}
	b.WriteByte('"')
	return b.String()
}
