package decode

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// undoPercent undoes %XX and %uXXXX. In a text without spaces that holds such an
// escape, '+' is a space too. What is not UTF-8 stays as it is.
func undoPercent(s *splice) {
	text := s.text
	escaped := false
	for i := 0; i+2 < len(text) && !escaped; i++ {
		if text[i] == '%' {
			_, _, escaped = hexNumber(text, i+1, 2, 2)
			escaped = escaped || text[i+1]|0x20 == 'u'
		}
	}
	if !escaped {
		return
	}
	plus := strings.IndexByte(text, ' ') < 0
	var buf [64]byte
	bytes := buf[:0]
	for i := 0; i < len(text); {
		if text[i] == '+' && plus {
			s.putByte(i, i+1, ' ')
		}
		if text[i] != '%' {
			i++
			continue
		}
		if i+1 < len(text) && text[i+1]|0x20 == 'u' {
			if v, end, ok := hexNumber(text, i+2, 4, 4); ok {
				s.put(i, end, string(rune(v)))
				i = end
				continue
			}
		}
		bytes = bytes[:0]
		end := i
		for end < len(text) && text[end] == '%' {
			v, next, ok := hexNumber(text, end+1, 2, 2)
			if !ok {
				break
			}
			bytes = append(bytes, byte(v))
			end = next
		}
		if utf8.Valid(bytes) {
			s.putChars(i, 3, bytes)
		}
		i = max(end, i+1)
	}
}

func encodePercent(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, "%%%02X", text[i])
	}
	return b.String()
}

// longestEntity is the length of the longest named reference of HTML, and more
// than that of a number with leading zeros.
const longestEntity = 34

// undoHTML undoes character references (HTML §13.5).
func undoHTML(s *splice) {
	text := s.text
	for i := 0; i < len(text); {
		n := strings.IndexByte(text[i:], '&')
		if n < 0 {
			return
		}
		i += n
		end := i + 1
		for end < len(text) && end-i < longestEntity && (isAlnum(text[end]) || text[end] == '#') {
			end++
		}
		if end < len(text) && text[end] == ';' {
			end++
		}
		if end-i < 3 {
			i = end
			continue
		}
		plain := html.UnescapeString(text[i:end])
		if plain == text[i:end] {
			i = end
			continue
		}
		for len(plain) > 1 && end > i+1 && plain[len(plain)-1] == text[end-1] && text[end-1] < utf8.RuneSelf {
			plain, end = plain[:len(plain)-1], end-1 // a reference without its semicolon, and what follows
		}
		s.put(i, end, plain)
		i = end
	}
}

func encodeHTML(text string) string {
	var b strings.Builder
	for _, r := range text {
		fmt.Fprintf(&b, "&#%d;", r)
	}
	return b.String()
}

// undoQuoted undoes =XX and soft line breaks, where there are enough of them
// that it is not arithmetic.
func undoQuoted(s *splice) {
	text := s.text
	if !quoted(text) {
		return
	}
	var buf [64]byte
	bytes := buf[:0]
	for i := 0; i < len(text); {
		bytes = bytes[:0]
		end, soft := i, false
		for end < len(text) && text[end] == '=' {
			if v, next, ok := hexNumber(text, end+1, 2, 2); ok {
				bytes = append(bytes, byte(v))
				end = next
			} else if strings.HasPrefix(text[end:], "=\n") {
				end, soft = end+2, true
			} else if strings.HasPrefix(text[end:], "=\r\n") {
				end, soft = end+3, true
			} else {
				break
			}
		}
		if (len(bytes) > 0 || soft) && utf8.Valid(bytes) {
			s.put(i, end, string(bytes))
		}
		i = max(end, i+1)
	}
}

// quoted reports whether text has escapes that are no arithmetic: three in a
// row, an escaped equals sign, a line that goes on, or bytes beyond ASCII.
func quoted(text string) bool {
	row, all, soft := 0, 0, false
	for i := 0; i+1 < len(text); {
		if text[i] != '=' {
			row = 0
			i++
			continue
		}
		v, end, ok := hexNumber(text, i+1, 2, 2)
		if !ok {
			soft = soft || (text[i+1] == '\n' || text[i+1] == '\r') && i > 0 && text[i-1] != '='
			row = 0
			i++
			continue
		}
		all++
		if row++; row >= 3 || v == '=' && text[i+2] == 'D' || row >= 2 && v >= 0x80 {
			return true
		}
		i = end
	}
	return soft && all > 0
}

func encodeQuoted(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if i > 0 && i%24 == 0 {
			b.WriteString("=\r\n") // lines of at most 76 characters (RFC 2045 §6.7)
		}
		fmt.Fprintf(&b, "=%02X", text[i])
	}
	return b.String()
}

// undoUnicodeEscape undoes \uXXXX with its surrogate pairs, \u{X} and
// \UXXXXXXXX, after one backslash or several.
func undoUnicodeEscape(s *splice) {
	text := s.text
	if strings.IndexByte(text, '\\') < 0 {
		return
	}
	for i := 0; i < len(text); {
		r, end, ok := unicodeEscape(text, i)
		if !ok {
			i = skipBackslashes(text, i)
			continue
		}
		if utf16.IsSurrogate(r) {
			low, next, ok := unicodeEscape(text, end)
			if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
				r, end = pair, next
			}
		}
		s.put(i, end, string(r))
		i = end
	}
}

// skipBackslashes goes over one byte, or over a run of backslashes: to try each
// of them would take time that grows with the square of their number.
func skipBackslashes(text string, i int) int {
	for i++; i < len(text) && text[i-1] == '\\' && text[i] == '\\'; i++ {
	}
	return i
}

func unicodeEscape(text string, i int) (r rune, end int, ok bool) {
	start := i
	for i < len(text) && text[i] == '\\' {
		i++
	}
	if i == start || i >= len(text) {
		return 0, 0, false
	}
	value := 0
	switch {
	case text[i] == 'u' && i+1 < len(text) && text[i+1] == '{':
		if value, end, ok = hexNumber(text, i+2, 1, 6); !ok || end >= len(text) || text[end] != '}' {
			return 0, 0, false
		}
		end++
	case text[i] == 'u':
		value, end, ok = hexNumber(text, i+1, 4, 4)
	case text[i] == 'U':
		value, end, ok = hexNumber(text, i+1, 8, 8)
	}
	return rune(value), end, ok && 0 < value && value <= utf8.MaxRune
}

func encodeUnicodeEscape(text string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(text)) {
		fmt.Fprintf(&b, `\u%04x`, u)
	}
	return b.String()
}

// undoHexEscape undoes \xNN and \NNN. Their bytes are UTF-8 where that is
// possible and Latin-1 where it is not.
func undoHexEscape(s *splice) {
	text := s.text
	if strings.IndexByte(text, '\\') < 0 {
		return
	}
	var buf [64]byte
	bytes := buf[:0]
	for i := 0; i < len(text); {
		bytes = bytes[:0]
		end := i
		for {
			v, next, ok := byteEscape(text, end)
			if !ok {
				break
			}
			bytes = append(bytes, v)
			end = next
		}
		switch {
		case len(bytes) > 0 && utf8.Valid(bytes):
			for at := i; len(bytes) > 0; {
				_, n := utf8.DecodeRune(bytes)
				from := at
				for range n {
					_, at, _ = byteEscape(text, at)
				}
				s.putBytes(from, at, bytes[:n], lump)
				bytes = bytes[n:]
			}
		case len(bytes) > 0:
			runes := make([]rune, len(bytes))
			for j, b := range bytes {
				runes[j] = rune(b)
			}
			s.put(i, end, string(runes))
		}
		i = max(end, skipBackslashes(text, i))
	}
}

func byteEscape(text string, i int) (v byte, end int, ok bool) {
	start := i
	for i < len(text) && text[i] == '\\' {
		i++
	}
	if i == start || i >= len(text) {
		return 0, 0, false
	}
	if text[i] == 'x' || text[i] == 'X' {
		value, end, ok := hexNumber(text, i+1, 2, 2)
		return byte(value), end, ok
	}
	value := 0
	for end = i; end < len(text) && end < i+3 && '0' <= text[end] && text[end] <= '7'; end++ {
		value = value<<3 | int(text[end]-'0')
	}
	return byte(value), end, end == i+3 && 0x20 <= value && value <= 0xFF
}

func encodeHexEscape(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, `\x%02x`, text[i])
	}
	return b.String()
}

// undoStringEscape undoes the escapes of strings in JSON and programs that stand
// beside letters: \n, \t, \", \/. One alone is no string. A tab becomes a space:
// it is there to part words.
func undoStringEscape(s *splice) {
	text := s.text
	count := 0
	for i := 0; i+2 < len(text) && count < 2; i++ {
		if text[i] == '\\' {
			if stringEscape(text, i) != 0 {
				count++
			}
			i++
		}
	}
	if count < 2 {
		return
	}
	for i := 0; i+1 < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		if c := stringEscape(text, i); c != 0 {
			s.putByte(i, i+2, c)
		}
		i++
	}
}

// stringEscape returns what the escape at text[i] stands for, 0 if it is none.
func stringEscape(text string, i int) byte {
	switch text[i+1] {
	case 'n', 'r':
		return '\n'
	case 't':
		return ' '
	case '"', '/', '\'', '\\':
		return text[i+1]
	}
	return 0
}

func encodeStringEscape(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "/", `\/`, "\n", `\n`, "\t", `\t`, " ", `\t`).Replace(text)
}
