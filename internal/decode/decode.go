// Package decode undoes disguises of text: encodings, ciphers, invisible
// characters, look-alike letters, letters apart. A reader who undoes none of
// them does not see what a model sees; one who undoes them without bounds can
// be kept busy for ever.
//
// [Table] is the one list of converters. Each goes both ways, so that who
// attacks (forward) and who looks (backward) cannot drift apart. A decoder
// finds the disguised parts of a text by itself, replaces them where they
// stand and leaves the rest as it was. [All] applies the whole table again and
// again, within bounds.
//
// Promises of every Decode in the table: it is a pure function, safe for
// concurrent use; its result is at most four times as long as its input plus
// 64 bytes; its time grows in proportion to its input. A decoder notices
// nothing and decides nothing: a changed text is no evidence of an attack.
//
// Start reading at [Converter], then [All].
package decode

import (
	"slices"
	"strings"
)

// Converter is one disguise and how to undo it.
type Converter struct {
	// Name is stable, in lower kebab-case: "base64".
	Name string
	// Decode replaces the disguised parts of text with what they hide. It
	// returns text itself and false when it finds none.
	Decode func(text string) (string, bool)
	// Encode disguises all of text. Ciphers of letters are undone only in texts
	// that hold common English words, because nothing else tells them from
	// honest text; morse, braille and NATO lose the case of letters.
	Encode func(text string) string
}

// Table lists the converters: first those that make hidden or foreign
// characters plain, then encodings, then ciphers, then habits of writing.
var Table = []Converter{
	{"zero-width", decodeZeroWidth, encodeZeroWidth},
	{"tags", decodeTags, encodeTags},
	{"variation-selectors", decodeSelectors, encodeSelectors},
	{"sneaky-bits", decodeSneaky, encodeSneaky},
	{"full-width", decodeWidth, encodeWidth},
	{"homoglyph", decodeHomoglyph, encodeHomoglyph},
	{"base64", decodeBase64, encodeBase64},
	{"base64-url", decodeBase64URL, encodeBase64URL},
	{"base32", decodeBase32, encodeBase32},
	{"hex", decodeHex, encodeHex},
	{"base58", decodeBase58, encodeBase58},
	{"ascii85", decodeASCII85, encodeASCII85},
	{"percent", decodePercent, encodePercent},
	{"html-entity", decodeHTML, encodeHTML},
	{"quoted-printable", decodeQuoted, encodeQuoted},
	{"unicode-escape", decodeUnicodeEscape, encodeUnicodeEscape},
	{"hex-escape", decodeHexEscape, encodeHexEscape},
	{"binary", decodeBinary, encodeBinary},
	{"octal", decodeOctal, encodeOctal},
	{"decimal", decodeDecimal, encodeDecimal},
	{"morse", decodeMorse, encodeMorse},
	{"braille", decodeBraille, encodeBraille},
	{"nato", decodeNATO, encodeNATO},
	{"rot13", decodeRot13, encodeRot13},
	{"rot47", decodeRot47, encodeRot47},
	{"caesar", decodeCaesar, encodeCaesar},
	{"atbash", decodeAtbash, encodeAtbash},
	{"reversed", decodeReversed, encodeReversed},
	{"flipped-words", decodeFlipped, encodeFlipped},
	{"spaced", decodeSpaced, encodeSpaced},
	{"leet", decodeLeet, encodeLeet},
	{"pig-latin", decodePigLatin, encodePigLatin},
}

// Named returns the converter of that name.
func Named(name string) (Converter, bool) {
	for _, c := range Table {
		if c.Name == name {
			return c, true
		}
	}
	return Converter{}, false
}

// Bounds of All.
const (
	MaxDepth   = 3        // disguises worn one over the other
	MaxResults = 64       // texts found
	Slack      = 64 << 10 // bytes that results may have in addition to four times the input
	margin     = 256      // bytes of unchanged text kept on each side of a change
)

// All returns what text may hide: every result of every converter, and what
// those hide, three deep. Each result is the changed part of a text with up to
// 256 bytes around it; text itself is not among them. The results come in the
// order of depth, then of [Table], each once, and are together at most four
// times as long as text plus 64 KiB. Use [Expand] to learn whether bounds cut
// the search short.
func All(text string) []string {
	found, _ := Expand(text)
	return found
}

// Expand is [All], and says whether the whole search was done: false means
// that there may be more than was found, because a bound was met. Depth is not
// such a bound: what wears four disguises is not found, and not told.
func Expand(text string) (found []string, whole bool) {
	whole = true
	left := 4*len(text) + Slack
	seen := map[string]bool{text: true}
	level := []string{text}
	for range MaxDepth {
		var next []string
		for _, parent := range level {
			for _, c := range Table {
				plain, ok := c.Decode(parent)
				if !ok || plain == parent {
					continue
				}
				plain = changed(parent, plain)
				if strings.TrimSpace(plain) == "" || seen[plain] {
					continue
				}
				if len(plain) > left || len(found) == MaxResults {
					whole = false
					continue
				}
				plain = strings.Clone(plain) // a small part must not keep a large text alive
				seen[plain] = true
				left -= len(plain)
				found = append(found, plain)
				next = append(next, plain)
			}
			if len(found) == MaxResults {
				return found, false
			}
		}
		level = next
	}
	return slices.Clip(found), whole
}

// changed cuts from after what it has in common with before, save for some
// context.
func changed(before, after string) string {
	start, n := 0, min(len(before), len(after))
	for start < n && before[start] == after[start] {
		start++
	}
	end := 0
	for end < n-start && before[len(before)-1-end] == after[len(after)-1-end] {
		end++
	}
	from := max(0, start-margin)
	to := min(len(after), len(after)-end+margin)
	for from > 0 && !isStart(after[from]) {
		from--
	}
	for to < len(after) && !isStart(after[to]) {
		to++
	}
	return after[from:to]
}

func isStart(b byte) bool { return b&0xC0 != 0x80 }

// splice is a copy of a text in which parts are replaced, made only once there
// is a part to replace.
type splice struct {
	text string
	out  strings.Builder
	done int // bytes of text that are in out
	made bool
}

// put replaces text[start:end].
func (s *splice) put(start, end int, with string) {
	if !s.made {
		s.made = true
		s.out.Grow(len(s.text))
	}
	s.out.WriteString(s.text[s.done:start])
	s.out.WriteString(with)
	s.done = end
}

// putBytes is put for bytes that the caller goes on using.
func (s *splice) putBytes(start, end int, with []byte) {
	s.put(start, start, "")
	s.out.Write(with)
	s.done = end
}

func (s *splice) result() (string, bool) {
	if !s.made {
		return s.text, false
	}
	s.out.WriteString(s.text[s.done:])
	return s.out.String(), true
}
