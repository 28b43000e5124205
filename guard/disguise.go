package guard

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Bounds on looking under disguises: what is decoded is never longer than the
// text, so depth times length is the most that is looked at.
const (
	disguiseDepth = 3
	minEncoded    = 16 // shorter runs hold no instruction
)

// disguised looks under the disguises of a whole text on its way in and returns
// the findings about what was there, each about the whole of the disguise.
func (c *Channel) disguised(text string) []ringwall.Finding {
	if c.s.Way != ringwall.Input || len(c.watch) == 0 {
		return nil
	}
	return c.under(text, 0)
}

func (c *Channel) under(text string, depth int) (found []ringwall.Finding) {
	if depth == disguiseDepth {
		return nil
	}
	for _, d := range disguises(text) {
		inner := c.g.Channel(c.s, c.keep, c.looks)
		inner.red.Text(d.text)
		fs := append(inner.Findings(), c.under(d.text, depth+1)...)
		inner.Free()
		for _, f := range fs {
			f.Where = d.where
			found = append(found, f)
		}
	}
	return found
}

// disguise is a stretch of a text that says something else when it is decoded.
type disguise struct {
	where ringwall.Span
	text  string
}

// disguises finds the stretches of text that decode to readable text: Unicode
// tags, bytes as variation selectors, base64, hexadecimal.
func disguises(text string) (ds []disguise) {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case encoded[c]:
			end := i
			for end < len(text) && encoded[text[end]] {
				end++
			}
			if end-i >= minEncoded {
				if s, ok := decodeRun(text[i:end]); ok {
					ds = append(ds, disguise{ringwall.Span{Start: i, End: end}, s})
				}
			}
			i = end
		case c < utf8.RuneSelf:
			i++
		default:
			end, s := smuggled(text[i:])
			if s != "" {
				ds = append(ds, disguise{ringwall.Span{Start: i, End: i + end}, s})
			}
			i += max(end, 1)
		}
	}
	return ds
}

// encoded are the bytes of base64 in both alphabets, which hold those of
// hexadecimal.
var encoded = func() (t [256]bool) {
	t = stream.AlphaNum
	for _, c := range "+/-_=" {
		t[c] = true
	}
	return t
}()

func decodeRun(run string) (string, bool) {
	body := strings.TrimRight(run, "=")
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := enc.DecodeString(body); err == nil && readable(b) {
			return string(b), true
		}
	}
	if b, err := hex.DecodeString(run); err == nil && readable(b) {
		return string(b), true
	}
	return "", false
}

// readable reports whether b is text: by chance, bytes hardly ever are.
func readable(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	letters := 0
	for _, c := range b {
		switch {
		case c < 0x20 && c != '\n' && c != '\t' && c != '\r', c == 0x7f:
			return false
		case stream.AlphaNum[c] || c == ' ' || c >= utf8.RuneSelf:
			letters++
		}
	}
	return letters*10 >= len(b)*7
}

// smuggled reads the run of tags or variation selectors that text begins with.
// It returns its length in bytes, or that of the first rune when there is none.
func smuggled(text string) (end int, s string) {
	var out []byte
	for i, r := range text {
		switch {
		case 0xE0020 <= r && r <= 0xE007E:
			out = append(out, byte(r-0xE0000))
		case r == 0xE0001 || r == 0xE007F: // begin and end of a tag
		case 0xFE00 <= r && r <= 0xFE0F:
			out = append(out, byte(r-0xFE00))
		case 0xE0100 <= r && r <= 0xE01EF:
			out = append(out, byte(r-0xE0100+16))
		default:
			if i == 0 {
				_, w := utf8.DecodeRuneInString(text)
				return w, ""
			}
			if len(out) < 4 || !readable(out) {
				return i, ""
			}
			return i, string(out)
		}
		end = i + utf8.RuneLen(r)
	}
	if len(out) < 4 || !readable(out) {
		return end, ""
	}
	return end, string(out)
}
