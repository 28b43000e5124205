package redact

import (
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Ways in which a model writes the three marks of a placeholder: as it read
// them, escaped for Markdown, for HTML and for JSON. In lower case.
var (
	openings = []string{"{", `\{`, "&#123;", "&#x7b;", "&lbrace;", "&lcub;", `\u007b`}
	closings = []string{"}", `\}`, "&#125;", "&#x7d;", "&rbrace;", "&rcub;", `\u007d`}
	joints   = []string{`\_`, "&#95;", "&#x5f;", "&lowbar;", `\u005f`} // besides "_"
)

// maxSpaces is how many spaces may stand between a brace and what it holds.
const maxSpaces = 2

// known are the placeholders that there are in an exchange, for restorers.
type known struct {
	list    []string // inner forms, sorted
	entries map[string]*entry
	first   [256]bool // bytes that a placeholder may begin with
}

func newKnown(entries map[string]*entry) *known {
	k := &known{list: slices.Sorted(maps.Keys(entries)), entries: entries}
	for _, c := range []byte(`{\&`) {
		k.first[c] = true
	}
	for _, in := range k.list {
		c := in[0]
		k.first[c] = true
		if 'A' <= c && c <= 'Z' {
			k.first[c-'A'+'a'] = true
		}
	}
	return k
}

// Empty reports whether the exchange has no placeholders: nothing can come back.
func (b *Book) Empty() bool { return len(b.entries) == 0 }

// Form says how a value is written where its placeholder stood.
type Form uint8

// Forms.
const (
	Plain    Form = iota // as it was
	Argument             // of a tool call: as it was, and only if the policy restores there
	JSON                 // inside a string of JSON, in the arguments of a tool call
)

// Restorer puts values back into one text as it comes. Where the text is cut
// makes no difference. What a placeholder may begin with waits for its rest, a
// few hundred bytes at most; everything else goes out at once. It is owned by
// the goroutine that owns its Book.
//
// A placeholder is known with or without braces, in any case, with its marks
// escaped; it begins and ends where a word does, unless braces do. Only those of
// the exchange are looked for. Values are not looked at again.
type Restorer struct {
	b        *Book
	k        *known
	form     Form
	prev     byte // that the text had before kept
	kept     []byte
	out      []byte
	restored bool
}

// Restorer returns a Restorer for a text that goes to the caller. It is to be
// made when the Book is settled.
func (b *Book) Restorer(form Form) *Restorer {
	if b.known == nil {
		b.known = newKnown(b.entries)
	}
	return &Restorer{b: b, k: b.known, form: form, prev: ' '}
}

// Restore puts values back into a whole text.
func (b *Book) Restore(text string, form Form) string {
	if b.Empty() {
		return text
	}
	return string(b.Restorer(form).Write([]byte(text), true))
}

// Restored reports whether a value was put back.
func (r *Restorer) Restored() bool { return r.restored }

// Write adds p to the text, which ends with it if final is set, and returns what
// may go out now, valid until the next call.
func (r *Restorer) Write(p []byte, final bool) []byte {
	r.out = r.out[:0]
	b := p
	if len(r.kept) > 0 {
		r.kept = append(r.kept, p...)
		b = r.kept
	}
	from, i := 0, 0
scan:
	for i < len(b) {
		c := b[i]
		if !r.k.first[c] {
			i++
			continue
		}
		prev := r.prev
		if i > 0 {
			prev = b[i-1]
		}
		if isWord(c) && isWord(prev) { // in the middle of a word, as most are
			i++
			continue
		}
		e, n := r.k.match(b[i:], prev, final)
		switch {
		case n == waits:
			break scan
		case n == 0:
			i++
		default:
			r.out = append(r.out, b[from:i]...)
			r.replace(e, b[i:i+n])
			i += n
			from = i
		}
	}
	r.out = append(r.out, b[from:i]...)
	if i > 0 {
		r.prev = b[i-1]
	}
	r.kept = append(r.kept[:0], b[i:]...)
	return r.out
}

// replace puts out what stands for a placeholder that was written as raw.
func (r *Restorer) replace(e *entry, raw []byte) {
	rep := &r.b.report
	if !e.may || r.form != Plain && !r.b.policy.Tools {
		if rep.Withheld == nil {
			rep.Withheld = map[string]int{}
		}
		rep.Withheld[e.reason]++
		r.out = append(r.out, raw...)
		return
	}
	if rep.Restored == nil {
		rep.Restored = map[string]int{}
	}
	rep.Restored[e.reason]++
	r.restored = true
	if r.form == JSON {
		quoted := jsonedit.AppendQuote(nil, e.value)
		r.out = append(r.out, quoted[1:len(quoted)-1]...)
		return
	}
	r.out = append(r.out, e.value...)
}

// waits says that what follows decides.
const waits = -1

// match returns the placeholder that b begins with and its length, 0 when there
// is none, or waits.
func (k *known) match(b []byte, prev byte, final bool) (*entry, int) {
	i, wait := begins(b, openings, final)
	if wait {
		return nil, waits
	}
	braced := i > 0
	if braced {
		i += spaces(b[i:])
		if i == len(b) && !final {
			return nil, waits
		}
	} else if isWord(prev) {
		return nil, 0
	}
	// The list shrinks to those that begin like this.
	list, depth := k.list, 0
	for i < len(b) {
		c, n := b[i], 1
		if !isWord(c) {
			if n, wait = begins(b[i:], joints, final); wait {
				return nil, waits
			} else if n == 0 {
				break
			}
			c = '_'
		}
		if list = narrow(list, depth, upper(c)); len(list) == 0 {
			return nil, 0
		}
		depth++
		i += n
	}
	switch {
	case depth == 0 && !braced:
		return nil, 0
	case i == len(b) && !final:
		return nil, waits
	case len(list[0]) != depth:
		return nil, 0
	}
	if braced {
		j := i + spaces(b[i:])
		if j == len(b) && !final {
			return nil, waits
		}
		n, wait := begins(b[j:], closings, final)
		if wait {
			return nil, waits
		} else if n == 0 {
			return nil, 0
		}
		i = j + n
	}
	return k.entries[list[0]], i
}

// narrow returns the part of a sorted list whose elements have c at the given
// depth; all of them are equal before it.
func narrow(list []string, depth int, c byte) []string {
	at := func(i int) int {
		if len(list[i]) <= depth {
			return -1
		}
		return int(list[i][depth])
	}
	from := sort.Search(len(list), func(i int) bool { return at(i) >= int(c) })
	list = list[from:]
	if len(list) == 0 || at(0) != int(c) {
		return nil
	}
	return list[:sort.Search(len(list), func(i int) bool { return at(i) > int(c) })]
}

// begins returns the length of the form that b begins with, in any case, 0 for
// none; or, unless the text is final, that b is too short to tell.
func begins(b []byte, forms []string, final bool) (n int, wait bool) {
	if len(b) == 0 {
		return 0, !final
	}
	if b[0] > '&' && b[0] < '\\' { // none of theirs
		return 0, false
	}
	for _, f := range forms {
		m := min(len(b), len(f))
		if b[0] != f[0] || !strings.EqualFold(string(b[:m]), f[:m]) {
			continue
		}
		if m == len(f) {
			return m, false
		}
		wait = wait || !final
	}
	return 0, wait
}

func spaces(b []byte) (n int) {
	for n < len(b) && n < maxSpaces && b[n] == ' ' {
		n++
	}
	return n
}
