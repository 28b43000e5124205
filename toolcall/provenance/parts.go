package provenance

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds on values that are put together.
const (
	maxParts     = 32
	maxPartsLen  = 1 << 12 // bytes of the value
	maxPartsText = 1 << 17 // bytes of trusted text that each part is looked for in
)

// free are words that somebody who answers or forwards puts ahead of a subject.
var free = map[string]bool{"re": true, "fw": true, "fwd": true, "aw": true, "wg": true, "antw": true, "sv": true, "tr": true}

// parts looks for a value that is put together of what trusted texts have: a sentence
// of words and addresses, a path of names, a URL of one that is there whole and of
// words. What names somebody or something by itself is never put together: not the
// address of a mailbox, not a host, not an identifier. Its source is the least trusted
// that it needs.
func (x *Index) parts(q *query) Origin {
	if len(q.value) > maxPartsLen || q.mail || q.long != "" || q.number != "" || q.timed || q.quoted || x.trustedBytes() > maxPartsText {
		return Origin{}
	}
	var o Origin
	rest, join := "", joinWords
	atoms := strings.FieldsFunc(q.value, func(r rune) bool { return blank(r) || r == ',' || r == ';' || r == '|' })
	switch {
	case len(atoms) == 0 || len(atoms) > maxParts:
		return Origin{}
	case len(atoms) > 1:
		if whole(atoms) {
			return Origin{}
		}
	case q.link != nil, q.join == joinPath:
		join = joinPath
		if o, rest = x.base(q.value); q.link != nil && !o.Source.Trusted() {
			return Origin{}
		}
		if !o.Source.Trusted() && strings.ContainsAny(rest[:1], `/\~`) {
			return Origin{} // of the root, nobody said that
		}
		atoms = strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune(`/\?#&=+`, r) })
	default:
		return x.phrase(q)
	}
	if len(atoms) > maxParts {
		return Origin{}
	}
	for _, a := range atoms {
		if strings.Trim(a, ".") == "" || a == "~" {
			return Origin{} // it leads elsewhere
		}
		a = strings.TrimRight(strings.Trim(a, "\"'`()[]<>{}“”‘’"), ".:!?")
		if !strings.ContainsFunc(a, word) || free[strings.ToLower(a)] {
			continue
		}
		part := queryOf(a, false, x.o.Now)
		if join == joinPath && part.join == joinWords {
			part.join = joinPath // a folder that leads somewhere is not that folder
		}
		p := x.trusted(part)
		if !p.Source.Trusted() {
			return Origin{}
		}
		if o.How == HowNone || p.Source < o.Source {
			o = p
		}
	}
	if o.How != HowNone {
		o.How, o.Path = HowParts, ""
	}
	return o
}

// whole says whether words name one thing or person together, so that they must stand
// together: names in capitals, AB 12 34 56 C.
func whole(atoms []string) bool {
	names, groups := 0, 0
	for _, a := range atoms {
		first, _ := utf8.DecodeRuneInString(a)
		letters := strings.Count(strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) {
				return 'x'
			}
			return -1
		}, a), "x")
		numbers := strings.ContainsFunc(a, digit)
		if unicode.IsUpper(first) && !numbers {
			names++
		}
		if numbers && letters < 3 {
			groups++
		}
	}
	return names == len(atoms) && names <= 4 || groups > 1
}

// base looks for the longest piece of a URL, its host at least, or of a path, that a
// trusted text has whole, and returns where that is and what is behind it: all, where
// there is none.
func (x *Index) base(v string) (Origin, string) {
	start := strings.Index(v, "://") + 3
	if start < 3 {
		start = 0
	}
	for end := len(v); ; {
		i := strings.LastIndexAny(v[start:end], `/\?#&`)
		if i <= 0 {
			return Origin{}, v
		}
		end = start + i
		if o := x.trusted(queryOf(v[:end], false, x.o.Now)); o.Source.Trusted() {
			return o, v[end:]
		}
	}
}

// phrase looks for words that are joined by - or _ as words with spaces: project-plan.
func (x *Index) phrase(q *query) Origin {
	if q.exact || strings.ContainsFunc(q.value, func(r rune) bool { return r != '-' && r != '_' && (!word(r) || digit(r)) }) ||
		!strings.ContainsAny(strings.Trim(q.value, "-_"), "-_") {
		return Origin{}
	}
	o := x.trusted(queryOf(strings.NewReplacer("-", " ", "_", " ").Replace(q.value), false, x.o.Now))
	if o.How != HowNone {
		o.How, o.Path = HowParts, ""
	}
	return o
}

// trustedBytes is the length of all texts that are trusted, whole or in fields.
func (x *Index) trustedBytes() (n int) {
	for i := range x.texts {
		if t := &x.texts[i]; t.source.Trusted() || t.fields {
			n += len(t.raw)
		}
	}
	return n
}
