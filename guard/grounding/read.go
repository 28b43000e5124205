package grounding

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/internal/stem"
)

// word is a word of a sentence that says what it is about.
type word struct {
	stem    string
	form    string  // in lower case
	weight  float32 // of the word by itself
	at      int     // where it stands, in words
	name    bool    // a name or a code: it has a capital, or digits
	opens   bool    // the first of its sentence, whose capital says nothing
	negated bool
	code    bool // a name that has digits or signs
	calm    bool // a month, which does nothing
	inside  bool // "in Lisbon": it says where or of what, not who
	than    bool // "taller than"
	by      int  // "was bought by": where "by" stands, behind which is who did it; 0: nowhere
}

// counted is a number and where it stands.
type counted struct {
	number
	at int
}

// said is what was read of a sentence.
type said struct {
	words    []word
	numbers  []counted
	amount   int  // how much "some" or "all" says, 1 to 5; 0: neither
	only     bool // "only"
	modal    bool // "may", "could"
	question bool
	english  int // function words of English, and of other languages
	foreign  int
	text     string // in lower case
}

// reader reads sentences. It is owned by one goroutine.
type reader struct {
	views normalize.Buffer
	s     said
	at    int  // words read
	neg   int  // how many more words are negated
	aux   int  // where "was" or the like stood last; 0: nowhere
	prep  int  // where "in" or the like stood last
	about bool // the next number need not be exact
	sign  string
	open  bool    // a number in words goes on:
	whole float64 // its thousands and more
	half  float64 // and the rest
	form  []byte
}

// read reads one sentence.
func (r *reader) read(text string) said {
	r.views.Reset()
	r.views.AppendString(text, true)
	clean, folded, _ := r.views.Window()
	*r = reader{views: r.views, form: r.form}
	r.s.text = string(folded)
	for i := 0; i < len(folded); {
		i = r.token(clean, folded, i)
	}
	r.closeNumber()
	last := strings.TrimRight(r.s.text, " \"')*_")
	r.s.question = strings.HasSuffix(last, "?") || strings.HasSuffix(last, "\u061f")
	return r.s
}

// token reads what begins at i and returns the index behind it.
func (r *reader) token(clean, folded []byte, i int) int {
	b := folded[i]
	switch {
	case digit(b):
		return r.figures(folded, i)
	case b == ' ', b == '-':
		return i + 1
	case b < utf8.RuneSelf && !('a' <= b && b <= 'z'):
		r.punctuation(b)
		return i + 1
	}
	c, n := utf8.DecodeRune(folded[i:])
	switch {
	case c == '€' || c == '£' || c == '¥' || c == '₹':
		r.currency(string(c))
		return i + n
	case stream.Unspaced(c):
		r.alone(folded, i, n)
		return i + n
	case !unicode.IsLetter(c):
		return i + n
	}
	end, code := i, false
	for end < len(folded) && end-i < 64 {
		c, n := utf8.DecodeRune(folded[end:])
		if c == '\'' || c == 0x2019 {
			if next, _ := utf8.DecodeRune(folded[min(end+n, len(folded)):]); !unicode.IsLetter(next) {
				break
			}
		} else if c == '-' || c == '/' || c == '.' || c == '&' || c == '_' { // R2-D2, AT&T
			next := min(end+n, len(folded)-1)
			if c == '&' && alnum(folded[next]) || alnum(folded[next]) && (code || digit(folded[next])) && end+n < len(folded) {
				code = true
			} else {
				break
			}
		} else if digit(byte(c)) && c < utf8.RuneSelf {
			code = true
		} else if !unicode.IsLetter(c) && !unicode.IsMark(c) || stream.Unspaced(c) {
			break
		}
		end += n
	}
	r.word(clean[i:end], folded[i:end], code)
	return end
}

func alnum(b byte) bool { return digit(b) || 'a' <= b && b <= 'z' }

// punctuation ends what goes on inside a clause only.
func (r *reader) punctuation(b byte) {
	switch b {
	case ',', ';', ':', '(', ')', '\n', '.', '!', '?':
		r.closeNumber()
		r.neg = 0
		if b != ',' {
			r.about = false
		}
	case '%':
		if n := len(r.s.numbers); n > 0 && r.s.numbers[n-1].at == r.at && r.s.numbers[n-1].kind == plain {
			r.s.numbers[n-1].kind = percent
		}
	case '$':
		r.currency("$")
	case '~':
		r.about = true
	}
}

// alone reads a character of a script without spaces: two of them are a word.
func (r *reader) alone(folded []byte, i, n int) {
	r.at++
	if j := i + n; j < len(folded) {
		if c, m := utf8.DecodeRune(folded[j:]); stream.Unspaced(c) {
			r.s.words = append(r.s.words, word{stem: string(folded[i : j+m]), weight: 0.6, at: r.at, negated: r.neg > 0})
			r.neg = max(r.neg-1, 0)
		}
	}
	switch string(folded[i : i+n]) {
	case "不", "没", "沒", "无", "無", "未", "非":
		r.neg = scope
	}
}

// scope is how many words a negation reaches over.
const scope = 5

// word reads a word.
func (r *reader) word(clean, folded []byte, code bool) {
	form := strings.ReplaceAll(string(folded), "\u2019", "'")
	short, _, _ := strings.Cut(form, "'")
	switch {
	case stem.Foreign(folded):
		r.s.foreign++
	case stem.Function(folded):
		r.s.english++
	}
	if strings.HasSuffix(form, "n't") || form == "cannot" || negations[form] {
		r.closeNumber()
		r.at++
		if backward[form] { // "women were excluded", "Er kommt nicht"
			for k := len(r.s.words) - 1; k >= max(len(r.s.words)-2, 0); k-- {
				r.s.words[k].negated = true
			}
		}
		if st := string(stem.English(append(r.form[:0], short...))); !stem.Function(folded) && !strings.Contains(form, "'") && form != "cannot" {
			r.put(word{stem: st, form: short, weight: 0.5})
		}
		if r.neg = scope; apart[form] {
			r.neg = 1
		}
		return
	}
	if code {
		r.put(word{stem: form, form: form, weight: 1.5, name: true, code: true})
		return
	}
	c, _ := utf8.DecodeRune(clean)
	capital := unicode.IsUpper(c) || unicode.IsTitle(c)
	if r.number(short, capital) {
		return
	}
	r.closeNumber()
	switch {
	case form == "only":
		r.s.only = true
		r.neg = 0 // not only
	case form == "than":
		if n := len(r.s.words); n > 0 {
			r.s.words[n-1].than = true
		}
	case form == "but" || form == "however" || form == "although" || form == "while" || form == "whereas" || form == "because":
		r.neg = 0
	case hedges[form]:
		r.s.modal = true
	case approximates[form]:
		r.about = true
	}
	if a := amounts[form]; a > 0 && (r.s.amount == 0 || a == 5) {
		r.s.amount = a
	}
	switch form {
	case "is", "are", "was", "were", "be", "been", "being":
		r.aux = r.at + 1
	case "by":
		r.did()
	case "in", "at", "of", "from", "near", "for", "on", "with", "to":
		r.prep = r.at + 1
	case "the":
		if r.prep == r.at {
			r.prep = r.at + 1
		}
	}
	if n := len(r.s.numbers); n > 0 && r.s.numbers[n-1].at == r.at && r.behind(&r.s.numbers[n-1].number, short) {
		return
	}
	relation := opposites[short] != nil
	if stem.Function(folded) && !relation && !(capital && len(form) > 1 && strings.ToUpper(string(clean)) == string(clean) && r.at > 0) || len(short) == 1 && !capital {
		r.at++
		return
	}
	r.form = append(r.form[:0], short...)
	w := word{stem: string(stem.English(r.form)), form: short, weight: 1, calm: weekdays[form], name: capital && r.at > 0, opens: r.at == 0 && capital}
	if base, ok := irregular[short]; ok {
		w.stem = base
	}
	switch {
	case stem.Function(folded):
		w.weight = 0.3
		w.name = false
	case light[w.stem]:
		w.weight = 0.35
		w.name = false
	case w.name:
		w.weight = 1.5
	}
	r.put(w)
}

// did notes that who did something comes behind it: "was signed on Friday by".
func (r *reader) did() {
	for k := len(r.s.words) - 1; k >= 0 && r.aux > 0; k-- {
		w := &r.s.words[k]
		if w.at <= r.aux || w.at > r.aux+4 {
			continue
		}
		if strings.HasSuffix(w.form, "ed") || strings.HasSuffix(w.form, "en") || acts[w.form] {
			w.by = r.at + 1
			return
		}
	}
}

func (r *reader) put(w word) {
	r.at++
	w.at, w.negated, w.inside = r.at, r.neg > 0, r.prep == r.at-1 && r.prep > 0
	if r.neg > 0 {
		r.neg--
	}
	r.s.words = append(r.s.words, w)
}
