package redact

import (
	"strings"
)

// A placeholder is "{KIND_hex}": the kind is the reason of the finding in upper
// case with "_" for "-", the rest the first 12, 24 or 48 hexadecimal digits of
// the keyed hash. The longer forms stand for values whose shorter form is taken.
var sizes = [...]int{12, 24, 48}

// Bounds of what becomes a placeholder. What is outside is masked for good.
const (
	maxKind  = 64       // bytes
	maxValue = 16 << 10 // bytes
	maxInner = maxKind + 1 + 48
)

// kindOf returns the kind for a reason, and "" when a placeholder could not be
// told from text.
func kindOf(reason string) string {
	if len(reason) == 0 || len(reason) > maxKind || reason[0] == '-' {
		return ""
	}
	b := []byte(reason)
	for i, c := range b {
		switch {
		case c == '-':
			b[i] = '_'
		case 'a' <= c && c <= 'z':
			b[i] = c - 'a' + 'A'
		case '0' <= c && c <= '9':
		default:
			return ""
		}
	}
	return string(b)
}

// inner returns the placeholder without its braces, in upper case: the form by
// which it is known, however it is written.
func inner(placeholder string) string {
	return strings.ToUpper(placeholder[1 : len(placeholder)-1])
}

// seen calls yield with the inner form of everything in text that reads like a
// placeholder, with or without braces, in any case, also with "\_" as Markdown
// writes it. It takes time linear in the text.
func seen(text string, yield func(inner string)) {
	var buf [maxInner]byte
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '_')
		if i < 0 {
			return
		}
		i += at
		at = i + 1
		n := 0
		for at+n < len(text) && n <= 48 && isHex(text[at+n]) {
			n++
		}
		if !isSize(n) || at+n < len(text) && isWord(text[at+n]) {
			continue
		}
		// The kind, backwards.
		w := len(buf)
		for j := at + n - 1; j >= at; j-- {
			w--
			buf[w] = upper(text[j])
		}
		w--
		buf[w] = '_'
		least := w - maxKind
		j := i
		for ; w > least; j-- {
			if j > 0 && text[j] == '_' && text[j-1] == '\\' {
				j--
			}
			if j == 0 || !isWord(text[j-1]) {
				break
			}
			w--
			buf[w] = upper(text[j-1])
		}
		kind := buf[w : len(buf)-n-1]
		if len(kind) == 0 || kind[0] == '_' || j > 0 && isWord(text[j-1]) {
			continue
		}
		yield(string(buf[w:]))
		at += n
	}
}

func isSize(n int) bool { return n == sizes[0] || n == sizes[1] || n == sizes[2] }

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// isWord reports whether c may stand in a placeholder, so that what it stands
// beside is not the whole of one. Letters beyond ASCII may stand beside one:
// many languages set no space.
func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}
