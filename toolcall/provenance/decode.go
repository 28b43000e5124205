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
// value, wherever in a longer one it begins, hexadecimal, percent, and the value read
// backwards.
func encodings(v string) []string {
	if len(v) < 5 || len(v) > maxEncoded {
		return nil
	}
	out := []string{hex.EncodeToString([]byte(v)), strings.ToUpper(hex.EncodeToString([]byte(v))), backwards(v)}
	if e := url.QueryEscape(v); e != v {
		out = append(out, e)
	}
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

func backwards(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}
