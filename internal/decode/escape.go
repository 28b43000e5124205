package decode

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decodePercent undoes %XX and %uXXXX. In a text without spaces that holds
// such an escape, '+' is a space too. What is not UTF-8 stays as it is.
func decodePercent(text string) (string, bool) {
	if strings.IndexByte(text, '%') < 0 {
		return text, false
	}
	plus := strings.IndexByte(text, ' ') < 0
	s := splice{text: text}
	var bytes []byte
	pluses := 0
	for i := 0; i < len(text); {
		if text[i] == '%' && i+1 < len(text) && (text[i+1] == 'u' || text[i+1] == 'U') {
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
		if len(bytes) > 0 && utf8.Valid(bytes) {
			s.put(i, end, string(bytes))
		}
		if text[i] == '+' {
			pluses++
		}
		i = max(end, i+1)
	}
	plain, ok := s.result()
	if !ok || !plus || pluses == 0 {
		return plain, ok
	}
	// An escaped plus sign is one that was meant: only the bare ones are spaces.
	return decodePercent(strings.ReplaceAll(text, "+", "%20"))
}

func encodePercent(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, "%%%02X", text[i])
	}
	return b.String()
}

func decodeHTML(text string) (string, bool) {
	if strings.IndexByte(text, '&') < 0 {
		return text, false
	}
	plain := html.UnescapeString(text)
	return plain, plain != text
}

func encodeHTML(text string) string {
	var b strings.Builder
	for _, r := range text {
		fmt.Fprintf(&b, "&#%d;", r)
	}
	return b.String()
}

// decodeQuoted undoes =XX and soft line breaks, where there are enough of them
// that it is not arithmetic.
func decodeQuoted(text string) (string, bool) {
	escapes := 0
	for i := 0; i+2 < len(text); i++ {
		if text[i] == '=' && hexValue(text[i+1]) >= 0 && hexValue(text[i+2]) >= 0 {
			escapes++
		}
	}
	if escapes < 3 {
		return text, false
	}
	s := splice{text: text}
	var bytes []byte
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
	return s.result()
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

// decodeUnicodeEscape undoes \uXXXX with its surrogate pairs, \u{X} and
// \UXXXXXXXX, after one backslash or several.
func decodeUnicodeEscape(text string) (string, bool) {
	if strings.IndexByte(text, '\\') < 0 {
		return text, false
	}
	s := splice{text: text}
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
	return s.result()
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

// decodeHexEscape undoes \xNN and \NNN. Their bytes are UTF-8 where that is
// possible and Latin-1 where it is not.
func decodeHexEscape(text string) (string, bool) {
	if strings.IndexByte(text, '\\') < 0 {
		return text, false
	}
	s := splice{text: text}
	var bytes []byte
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
			s.put(i, end, string(bytes))
		case len(bytes) > 0:
			runes := make([]rune, len(bytes))
			for j, b := range bytes {
				runes[j] = rune(b)
			}
			s.put(i, end, string(runes))
		}
		i = max(end, skipBackslashes(text, i))
	}
	return s.result()
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
