package limit

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
)

// Bounds of what is looked at.
const (
	fewest      = 20   // letters by which the language of a text can be told,
	fewestMore  = 60   // and of what is left behind a window
	enough      = 40   // letters after which a likely language is taken for granted,
	enoughMore  = 120  // and in windows that follow
	firstWindow = 256  // letters of the first window,
	nextWindow  = 1024 // and of those that follow
	maxWord     = 64   // bytes
)

// How sure one must be.
const (
	sure   = 0.8  // to report a language
	likely = 0.95 // to take one for granted before a window ends
)

// Language returns the language of a text, as ISO 639-1 names it, and how sure
// that is, from 0 to 1. It returns "" for a text of fewer than 20 letters.
func Language(text []byte) (code string, confidence float64) {
	var t tally
	folded := []byte(normalize.Fold(string(text)))
	for i := 0; i < len(folded); {
		start, end := nextWord(folded, i, true)
		if start == end {
			break
		}
		t.add(folded, start, end)
		i = end
	}
	if t.letters < fewest {
		return "", 0
	}
	for _, g := range t.guess(nil) {
		if g.share > confidence {
			code, confidence = g.code, g.share
		}
	}
	return code, confidence
}

// Codes returns the languages that can be told, in alphabetical order.
func Codes() []string {
	all := slices.Concat(languages().codes, []string{"zh", "ja"})
	for _, s := range scripts {
		all = append(all, s.code)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Languages notices text in languages that are not allowed. Make it with
// NewLanguages.
type Languages struct{ allowed map[string]bool }

// NewLanguages returns a Languages that allows the given languages, as ISO 639-1
// names them. A language that it cannot tell is an error; so are none.
func NewLanguages(allowed ...string) (*Languages, error) {
	l := &Languages{allowed: map[string]bool{}}
	if len(allowed) == 0 {
		return nil, fmt.Errorf("limit: no language is allowed: name at least one")
	}
	known := Codes()
	for _, code := range allowed {
		if !slices.Contains(known, code) {
			return nil, fmt.Errorf("limit: language %q: want one of %v", code, known)
		}
		l.allowed[code] = true
	}
	return l, nil
}

// Begin implements stream.Scanner.
func (l *Languages) Begin(stream.Scope) (stream.Cursor, string) {
	return &reader{allowed: l.allowed, most: firstWindow}, ""
}

// reader is the cursor of Languages.
type reader struct {
	allowed map[string]bool
	pos     int // behind the last word that was read
	start   int // of the window
	most    int // letters of the window
	checked int // letters when it was last asked
	t       tally
	guesses [32]guess
}

// Scan implements stream.Cursor.
func (c *reader) Scan(w stream.Window, found func(stream.Match)) int {
	t := w.Folded
	for {
		i := c.pos - w.Base
		start, end := nextWord(t, i, w.Final)
		if start == end {
			c.pos = w.Base + start
			if c.t.letters == 0 {
				c.start = c.pos
			}
			break
		}
		if c.t.letters == 0 {
			c.start = w.Base + start
		}
		c.t.add(t, start, end)
		c.pos = w.Base + end
		step := enough
		if c.most > firstWindow {
			step = enoughMore
		}
		if c.t.letters >= c.checked+step || c.t.letters >= c.most {
			c.checked = c.t.letters
			c.decide(c.t.letters >= c.most, found)
		}
	}
	if w.Final {
		c.pos = w.End()
		if c.t.letters >= fewestMore || c.t.letters >= fewest && c.most == firstWindow {
			c.decide(true, found)
		}
		return c.pos
	}
	return c.start
}

// decide ends the window if it can be told whether its language is allowed, or
// must be.
func (c *reader) decide(must bool, found func(stream.Match)) {
	allowed, other := 0.0, 0.0
	for _, g := range c.t.guess(c.guesses[:0]) {
		if c.allowed[g.code] {
			allowed += g.share
		} else {
			other += g.share
		}
	}
	bad := other >= sure && must || other >= likely && c.t.letters >= 4*enough
	if !must && !bad && allowed < likely {
		return
	}
	if bad {
		found(stream.Match{Start: c.start, End: c.pos, Reason: ReasonLanguage, Severity: ringwall.Low, Score: min(other, 1)})
	}
	c.t.reset()
	c.start, c.most, c.checked = c.pos, nextWindow, 0
}

// nextWord returns the next word of letters from t[i] on, equal indices if it is
// not complete or there is none. A longer one than maxWord comes in pieces.
func nextWord(t []byte, i int, final bool) (start, end int) {
	for i < len(t) {
		b := t[i]
		if b >= utf8.RuneSelf {
			if r, width := utf8.DecodeRune(t[i:]); !inWord(r) {
				i += width
				continue
			}
			break
		}
		if 'a' <= b && b <= 'z' {
			break
		}
		i++
	}
	start = i
	for i < len(t) && i-start < maxWord {
		width := 1
		if b := t[i]; b >= utf8.RuneSelf {
			var r rune
			if r, width = utf8.DecodeRune(t[i:]); !inWord(r) {
				return start, i
			}
		} else if b < 'a' || b > 'z' {
			return start, i
		}
		i += width
	}
	if i == len(t) && !final && i-start < maxWord {
		return start, start
	}
	return start, i
}

// tally is what was seen of a window.
type tally struct {
	letters int
	byKind  [allScripts]int
	scores  [maxLanguages]float32
	words   int
	known   [maxLanguages]int
}

func (t *tally) reset() { *t = tally{} }

// beside and behind are what stands before and after parts of addresses, paths and
// programs.
var beside, behind = signs("@/_\\#$<&%=.0123456789"), signs("@/_\\(=0123456789")

func signs(list string) (t [256]bool) {
	for _, c := range []byte(list) {
		t[c] = true
	}
	return t
}

// add adds the word b[start:end]. Parts of addresses, paths and names of
// programs are nobody's language.
func (t *tally) add(b []byte, start, end int) {
	if start > 0 && beside[b[start-1]] || end < len(b) && behind[b[end]] {
		return
	}
	word := b[start:end]
	r, width := utf8.DecodeRune(word)
	sc := scriptOf(r)
	if sc == han || sc == kana || sc >= alone {
		t.characters(word)
		return
	}
	n := utf8.RuneCount(word)
	if len(word) == 1 && width == 1 && r != 'a' && r != 'i' && r != 'y' && r != 'o' && r != 'e' {
		return
	}
	t.letters += n
	t.byKind[sc] += n
	t.words++
	m := languages()
	set := m.words[string(word)]
	if set != 0 {
		weight := float32(2.2)
		if n < 3 {
			weight = 0.6 * float32(n)
		}
		for rest := set; rest != 0; rest &= rest - 1 {
			i := bits.TrailingZeros64(rest)
			t.scores[i] += weight
			t.known[i]++
		}
	}
	if set == 0 {
		if at, ok := m.lent[string(word)]; ok {
			t.scores[at] += ofLent
			t.known[at]++
		}
	}
	if n < 2 || n < 4 && set != 0 { // short words say what they say as a whole
		return
	}
	g, seen := edge, 0
	for i := 0; i <= len(word); {
		next, width := ' ', 1
		if i < len(word) {
			next, width = rune(word[i]), 1
			if next >= utf8.RuneSelf {
				next, width = utf8.DecodeRune(word[i:])
			}
		}
		g = g.next(next)
		if seen++; seen >= 2 {
			for _, s := range m.of(g) {
				t.scores[s.lang] += s.log * ofGram
			}
		}
		i += width
	}
}

// ofLent is what a word counts for that says what a text is about: programs have
// scripts and systems in most languages.
const ofLent = 0.5

// ofGram is what a triple of letters counts for beside words: those of a word say
// the same thing several times.
const ofGram = 0.35

// characters adds a word of scripts that tell their language by themselves. A
// character of Chinese says as much as three letters.
func (t *tally) characters(word []byte) {
	for len(word) > 0 {
		r, width := utf8.DecodeRune(word)
		word = word[width:]
		sc, n := scriptOf(r), 1
		switch {
		case sc == han:
			n = 3
		case sc == kana:
			n = 2
		case 0x1160 <= r && r <= 0x11FF: // the rest of a Hangul syllable
			n = 0
		case 0x1100 <= r && r < 0x1160:
			n = 2
		}
		t.letters += n
		t.byKind[sc] += n
	}
}

// guess is a language and how much of the text is likely in it.
type guess struct {
	code  string
	share float64
}

// guess appends the languages that the text may be in. Their shares add up to
// less than 1 where nobody can tell.
func (t *tally) guess(all []guess) []guess {
	m := languages()
	total := float64(t.letters)
	for sc := alone; int(sc) < allScripts; sc++ {
		if n := t.byKind[sc]; n > 0 {
			all = append(all, guess{scripts[sc-alone].code, float64(n) / total})
		}
	}
	if n := t.byKind[han] + t.byKind[kana]; n > 0 {
		code := "zh"
		if t.byKind[kana]*8 >= n {
			code = "ja"
		}
		all = append(all, guess{code, float64(n) / total})
	}
	for _, sc := range []script{latin, cyrillic, arabic, devanagari} {
		if t.byKind[sc] == 0 {
			continue
		}
		share := float64(t.byKind[sc]) / total
		best := 0.0
		for i, s := range m.script {
			if s == sc {
				best = max(best, float64(t.scores[i]))
			}
		}
		sum, from := 0.0, len(all)
		for i, s := range m.script {
			if s != sc {
				continue
			}
			log := (float64(t.scores[i]) - best) * temper
			if log < -12 {
				continue
			}
			p := math.Exp(log)
			sum += p
			if p > 1e-3 {
				// Of a text in the language more than a fifth of the words are known.
				sureness := min(1, (float64(t.known[i])+0.5)/(0.2*float64(t.words)))
				all = append(all, guess{m.codes[i], p * sureness})
			}
		}
		for i := from; i < len(all); i++ {
			all[i].share *= share / sum
		}
	}
	return all
}

// temper makes likelihoods of triples, which depend on one another, into chances.
const temper = 0.6
