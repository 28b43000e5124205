package provenance

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/url"
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
