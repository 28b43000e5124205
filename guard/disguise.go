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
// the findings about what was there, each about the whole of the disguise. If
// that panics nobody has looked, which is a finding too.
func (c *Channel) disguised(text string) (found []ringwall.Finding) {
	if c.s.Way != ringwall.Input || len(c.watch) == 0 {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			found = nil
			for _, w := range c.watch {
				c.looks.fail(w.Control, "panic")
				found = append(found, unavailable(w.Control))
			}
		}
	}()
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

// disguises finds the stretches of text that decode to readable text: base64 and
// hexadecimal, letters set apart, Unicode tags, bytes as variation selectors.
func disguises(text string) (ds []disguise) {
	for i := 0; i+minEncoded <= len(text); {
		// A run that is long enough shows at each of these places, so most bytes
		// need not be looked at.
		probe := i + minEncoded - 1
		if !encoded[text[probe]] {
			i = probe + 1
			continue
		}
		start, end := probe, probe+1
		for start > i && encoded[text[start-1]] {
			start--
		}
		for end < len(text) && encoded[text[end]] {
			end++
		}
		if end-start >= minEncoded {
			ds = appendDecoded(ds, text, start, end)
		}
		i = end + 1
	}
	ds = appendSpelled(ds, text)
	if !strings.Contains(text, "\xEF\xB8") && !strings.Contains(text, "\xF3\xA0") {
		return ds // no variation selector, and neither tag nor one of the many others
	}
	for i := 0; i < len(text); i++ {
		if c := text[i]; c == 0xEF || c == 0xF3 {
			n, s := smuggled(text[i:])
			if s != "" {
				ds = append(ds, disguise{ringwall.Span{Start: i, End: i + n}, s})
			}
			i += max(n-1, 0)
		}
	}
	return ds
}

// encoded are the bytes of base64 in both alphabets, which hold those of
// hexadecimal.
var encoded = func() (t [256]bool) {
	t = stream.AlphaNum
	for _, c := range "+/-_" {
		t[c] = true
	}
	return t
}()

// appendDecoded appends what the run text[start:end] says, or, where it says
// nothing as a whole, what its parts say: in a path or a name the signs of base64
// stand between words.
func appendDecoded(ds []disguise, text string, start, end int) []disguise {
	if s, ok := decodeRun(text[start:end]); ok {
		return append(ds, disguise{ringwall.Span{Start: start, End: padded(text, end)}, s})
	}
	for from := start; from < end; {
		to := from
		for to < end && stream.AlphaNum[text[to]] {
			to++
		}
		if to-from >= minEncoded && to-from < end-start {
			if s, ok := decodeRun(text[from:to]); ok {
				ds = append(ds, disguise{ringwall.Span{Start: from, End: padded(text, to)}, s})
			}
		}
		from = to + 1
	}
	return ds
}

// padded returns the index behind the padding at text[end].
func padded(text string, end int) int {
	for range 2 {
		if end < len(text) && text[end] == '=' {
			end++
		}
	}
	return end
}

func decodeRun(run string) (string, bool) {
	if b, err := hex.DecodeString(run); err == nil {
		if readable(b) { // digits are base64 too, of nothing that can be read
			return string(b), true
		}
	}
	if len(run)%4 == 1 { // such a length cannot be: the last character is not of it
		run = run[:len(run)-1]
	}
	enc := base64.RawStdEncoding
	if strings.ContainsAny(run, "-_") {
		enc = base64.RawURLEncoding
	}
	if b, err := enc.DecodeString(run); err == nil && readable(b) {
		return string(b), true
	}
	return "", false
}

// minSpelled is the fewest letters set apart that are taken for words.
const minSpelled = 12

// widestGap parts letters for good.
const widestGap = 5

// appendSpelled appends what stretches of single letters say: "i g n o r e",
// "i-g-n-o-r-e". What stands between two letters is the same everywhere but
// between words.
func appendSpelled(ds []disguise, text string) []disguise {
	apart := func(i int) bool { return !(stream.AlphaNum[text[i]] && stream.AlphaNum[text[i+1]]) }
	for i, read := 0, 0; i+3 < len(text); i += minSpelled {
		// Prose has letters side by side at nearly each of these places.
		if !apart(i) || !apart(i+1) || !apart(i+2) || !stream.AlphaNum[text[i]] && !stream.AlphaNum[text[i+1]] {
			continue
		}
		start := i
		for gap := 0; start > read && apart(start-1) && gap < widestGap; start-- {
			if gap++; stream.AlphaNum[text[start-1]] {
				gap = 0
			}
		}
		if start > 0 && stream.AlphaNum[text[start]] && stream.AlphaNum[text[start-1]] {
			start++ // the end of a word
		}
		for start+1 < len(text) && !stream.AlphaNum[text[start]] {
			start++
		}
		var s string
		if read, s = spelled(text, start); s != "" {
			ds = append(ds, disguise{ringwall.Span{Start: start, End: read}, s})
		}
		i = max(i, read-minSpelled)
	}
	return ds
}

// spelled reads the letters set apart from text[i] on, up to the first that is
// not alone. It returns the index up to which it read, and what they say, which
// is nothing if they are few.
func spelled(text string, i int) (end int, s string) {
	var out []byte
	letters, apart := 0, "" // what stands between the letters of a word
	end = i
scan:
	for i < len(text) {
		if stream.AlphaNum[text[i]] {
			if i+1 < len(text) && stream.AlphaNum[text[i+1]] {
				break
			}
			if out = append(out, text[i]); text[i] > '9' {
				letters++ // digits apart are a table
			}
			i++
			end = i
			continue
		}
		from := i
		for i < len(text) && !stream.AlphaNum[text[i]] && i-from < widestGap {
			i++
		}
		switch gap := text[from:i]; {
		case len(gap) == widestGap:
			break scan
		case len(out) > 0 && apart == "":
			apart = gap
		case len(out) > 0 && gap != apart:
			out = append(out, ' ')
		}
	}
	if letters < minSpelled {
		return end, ""
	}
	return end, string(out)
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
