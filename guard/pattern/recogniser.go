package pattern

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
)

// recogniser is a Recogniser that can look.
type recogniser struct {
	no       int
	name     string
	auto     *automaton
	loose    *prog     // for its sentinel
	scores   []float64 // by rank, the highest first
	severity ringwall.Severity
	context  [][]byte // in the folded form
	required bool
	boost    float64
	allow    map[string]bool // in the clean form
	checksum func([]byte) bool
}

var kebab = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// build makes a recogniser; what is wrong with it is said at once.
func build(c Recogniser) (*recogniser, []error) {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	r := &recogniser{name: c.Name, severity: c.Severity, required: c.ContextRequired, boost: c.ContextBoost}
	if len(c.Name) > 100 || !kebab.MatchString(c.Name) {
		fault("name: %q: want up to 100 lower-case letters and digits in parts joined by hyphens, such as employee-id", c.Name)
	}
	if len(c.Patterns) == 0 && len(c.Words) == 0 {
		fault("patterns: it has neither patterns nor words, so there is nothing to look for: give one")
	}
	if r.severity == ringwall.Info {
		r.severity = ringwall.Medium
	} else if r.severity > ringwall.Critical {
		fault("severity: %v: want low, medium, high or critical", r.severity)
	}
	if !between(c.Score) {
		fault("score: %v: want a number up to 1", c.Score)
	}
	if !between(c.ContextBoost) {
		fault("context boost: %v: want a number up to 1", c.ContextBoost)
	}
	if r.boost == 0 {
		r.boost = DefaultBoost
	}
	if c.ContextRequired && len(c.Context) == 0 {
		fault("context: it is required, and there is none: list words, or strike context required")
	}
	limit := func(field string, n, most int) bool {
		if n > most {
			fault("%s: there are %d: at most %d are allowed", field, n, most)
		}
		return n <= most
	}
	if limit("context", len(c.Context), MaxContext) {
		for i, w := range c.Context {
			f := strings.Join(strings.Fields(normalize.Fold(w)), " ")
			if f == "" || len(f) >= contextLen {
				fault("context: word %d: want 1 to %d bytes that show something", i, contextLen-1)
			}
			r.context = append(r.context, []byte(f))
		}
	}
	if limit("allow", len(c.Allow), MaxAllow) {
		r.allow = map[string]bool{}
		for i, a := range c.Allow {
			if a == "" || len(a) > MaxPending {
				fault("allow: text %d: want 1 to %d bytes", i, MaxPending)
			}
			r.allow[clean(a)] = true
		}
	}
	if c.Checksum != "" {
		if r.checksum = checksums[c.Checksum]; r.checksum == nil {
			fault("checksum: there is none named %q: use one of %s", c.Checksum, strings.Join(Checksums(), ", "))
		}
	}
	if limit("patterns", len(c.Patterns), MaxPatterns) && limit("words", len(c.Words), MaxWords) {
		errs = append(errs, r.compile(c)...)
	}
	return r, errs
}

// between reports whether a score lies in 0 to 1; NaN does not.
func between(score float64) bool { return score >= 0 && score <= 1 }

// compile makes the program of the patterns and words.
func (r *recogniser) compile(c Recogniser) (errs []error) {
	score := c.Score
	if score == 0 {
		score = DefaultScore
	}
	patterns := slices.Clone(c.Patterns)
	for i := range patterns {
		if !between(patterns[i].Score) {
			errs = append(errs, fmt.Errorf("pattern %d: score %v: want a number up to 1", i, patterns[i].Score))
		}
		if patterns[i].Score == 0 {
			patterns[i].Score = score
		}
		r.scores = append(r.scores, patterns[i].Score)
	}
	sure := 1.0
	if c.Score != 0 {
		sure = c.Score
	}
	r.scores = append(r.scores, sure)
	slices.SortFunc(r.scores, func(a, b float64) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	p := &prog{}
	r.loose = &prog{}
	for i, x := range patterns {
		rank := slices.Index(r.scores, x.Score)
		s, err := compile(x.Regex, false)
		if err != nil {
			errs = append(errs, fmt.Errorf("pattern %d: %w", i, err))
			continue
		}
		p.add(s, rank)
		if s, err = compile(x.Regex, true); err != nil {
			errs = append(errs, fmt.Errorf("pattern %d: %w", i, err))
			continue
		}
		r.loose.add(s, rank)
	}
	before := len(p.insts)
	var terms [][]rune
	for i, w := range c.Words {
		term := []rune(strings.Join(strings.Fields(normalize.Fold(w)), " "))
		if len(term) == 0 || len(w) > MaxTerm {
			errs = append(errs, fmt.Errorf("word %d: want 1 to %d bytes that show something", i, MaxTerm))
			continue
		}
		terms = append(terms, term)
	}
	if len(terms) > 0 {
		slices.SortFunc(terms, slices.Compare)
		terms = slices.CompactFunc(terms, slices.Equal)
		p.addWords(terms, slices.Index(r.scores, sure))
		r.loose.addWords(terms, slices.Index(r.scores, sure))
	}
	if n := len(p.insts) - before; n > maxWordProgram {
		errs = append(errs, fmt.Errorf("words: they are too long together: use the word filter for lists of more than about %d characters", maxWordProgram))
	}
	if len(p.insts) > maxOwnProgram {
		errs = append(errs, fmt.Errorf("patterns: they come to %d instructions together, at most %d are allowed: make them several recognisers", len(p.insts), maxOwnProgram))
	}
	if len(errs) == 0 {
		p.finish()
		r.auto = newAutomaton(p, false, trackerStates)
	}
	return errs
}

// clean returns the clean view of s.
func clean(s string) string {
	var b normalize.Buffer
	b.AppendString(s, true)
	view, _, _ := b.Window()
	return string(view)
}

// holds reports whether a match is what it looks like. A match that is too long
// to be seen whole satisfies no check digits, and is no exception.
func (r *recogniser) holds(t []byte, long bool) bool {
	if long {
		return r.checksum == nil
	}
	return !r.allow[string(t)] && (r.checksum == nil || r.checksum(t))
}

// contextLen is how far from a match its context may stand, in bytes.
const contextLen = stream.Context

// near reports whether one of the words of context stands between two offsets.
// What stands before from is not looked at unless it is part of the match: it may
// have been forgotten.
func (r *recogniser) near(x *text, from, to int, behind bool) bool {
	view := x.folded
	first := from == 0
	from -= x.base
	to -= x.base
	for _, word := range r.context {
		for at := from; ; at++ {
			n := bytes.Index(view[at:to], word)
			if n < 0 {
				break
			}
			at += n
			end := at + len(word)
			if end < to && view[end] == 's' && (end+1 == len(view) || !joined(view[:end+1], view[end+1:])) {
				end++
			}
			if end < len(view) && joined(view[:end], view[end:]) {
				continue
			}
			switch {
			case at == from && first, behind && !joined(view[:at], view[at:]), at > from && !joined(view[from:at], view[at:]):
				return true
			}
		}
	}
	return false
}

// joined reports whether the end of a and the beginning of b belong to one word.
func joined(a, b []byte) bool {
	ra, _ := utf8.DecodeLastRune(a)
	rb, _ := utf8.DecodeRune(b)
	return inWord(ra) && inWord(rb)
}

// raised returns the score of a match with context.
func (r *recogniser) raised(score float64) float64 {
	return min(1, max(score+r.boost, contextFloor))
}
