package provenance

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxEncoded bounds, in bytes, a value that is taken for an encoding.
const maxEncoded = 1 << 16

// decodings returns what a value may be an encoding of, twice over: percent, HTML,
// base64 (RFC 4648 §4, §5), hexadecimal. What it decodes to is text, of 4 bytes at least.
func decodings(v string) []string {
	if len(v) < 5 || len(v) > maxEncoded {
		return nil
	}
	out := decodeOnce(nil, v)
	for _, d := range out[:len(out):len(out)] {
		out = decodeOnce(out, d)
	}
	return out
}

func decodeOnce(out []string, v string) []string {
	keep := func(s string) {
		if len(s) >= 4 && s != v && utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool {
			return !unicode.IsPrint(r) && !unicode.IsSpace(r)
		}) < 0 {
			out = append(out, s)
		}
	}
	if strings.Contains(v, "%") {
		if s, err := url.PathUnescape(v); err == nil {
			keep(s)
		}
	}
	if strings.Contains(v, "&") {
		keep(html.UnescapeString(v))
	}
	if strings.ContainsFunc(v, func(r rune) bool { return r >= utf8.RuneSelf || r <= ' ' }) {
		return out
	}
	if s, err := hex.DecodeString(strings.TrimPrefix(v, "0x")); err == nil {
		keep(string(s))
	}
	bare := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(v, "="))
	if s, err := base64.RawStdEncoding.DecodeString(bare); err == nil {
		keep(string(s))
	}
	return out
}

// encodings returns what stands in a text that has an encoding of a value: base64 of the
// value, wherever in a longer one it begins, and hexadecimal.
func encodings(v string) []string {
	if len(v) < 5 || len(v) > maxEncoded {
		return nil
	}
	h := hex.EncodeToString([]byte(v))
	out := []string{h, strings.ToUpper(h)}
	for shift := range 3 {
		// What stands ahead and behind of the value changes the digits at its ends.
		e := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), v...))
		e = e[(shift*8+5)/6 : (shift+len(v))*8/6]
		out = append(out, e)
		if u := strings.NewReplacer("+", "-", "/", "_").Replace(e); u != e {
			out = append(out, u)
		}
	}
	return out
}

// leastCode is how long, in bytes, what may be an encoding is at least.
const leastCode = 7

// codes returns what in s may be base64 or hexadecimal: runs of their digits that are no
// word. Most of a text is not read for it.
func codes(s string) string {
	var b strings.Builder
	for i := 0; i+leastCode <= len(s); {
		j := i + leastCode - 1
		for j >= i && codeDigit[s[j]] {
			j--
		}
		if j >= i {
			i = j + 1
			continue
		}
		end := i + leastCode
		for end < len(s) && codeDigit[s[end]] {
			end++
		}
		if !spells(s[i+1 : end]) {
			b.WriteString(s[i:end])
			b.WriteByte(' ')
		}
		i = end + 1
	}
	return b.String()
}

// spells says whether s may be the end of a word: small letters, and what joins them.
func spells(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' {
			return false
		}
	}
	return true
}

var codeDigit = func() (t [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_") {
		t[c] = true
	}
	return t
}()

func backwards(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}
