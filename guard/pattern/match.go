package pattern

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/ringwall/ringwall/guard/normalize"
)

// Matcher tells whether a whole text is one of those that are meant: what a
// policy makes an exception for. It is safe for concurrent use; the zero Matcher
// matches nothing.
type Matcher struct {
	exprs []*regexp.Regexp
	texts map[string]bool
	fold  bool
}

// MaxWhole is the length up to which a Matcher looks at a text, in bytes. A
// longer text is no exception.
const MaxWhole = 4 << 10

// NewMatcher returns a Matcher for texts that one of the regular expressions
// matches from beginning to end. Unlike those of a Recogniser they see the text
// as it is.
func NewMatcher(exprs ...string) (*Matcher, error) {
	m := &Matcher{}
	for i, expr := range exprs {
		if _, err := parse(expr); err != nil {
			return nil, fmt.Errorf("pattern: exception %d: %w", i, err)
		}
		re, err := regexp.Compile(`\A(?:` + expr + `)\z`)
		if err != nil {
			return nil, fmt.Errorf("pattern: exception %d: %w", i, wrong(expr, 0, err.Error()))
		}
		m.exprs = append(m.exprs, re)
	}
	return m, nil
}

// NewTexts returns a Matcher for the given texts; fold says that case, accents,
// width and invisible characters make no difference. An empty text is an error:
// it would be an exception for nothing.
func NewTexts(fold bool, texts ...string) (*Matcher, error) {
	m := &Matcher{texts: make(map[string]bool, len(texts)), fold: fold}
	for i, t := range texts {
		if t = m.form(t); t == "" || len(t) > MaxWhole {
			return nil, fmt.Errorf("pattern: exception %d: want 1 to %d bytes that show something", i, MaxWhole)
		}
		m.texts[t] = true
	}
	return m, nil
}

// form is how texts are compared.
func (m *Matcher) form(t string) string {
	if !m.fold {
		return t
	}
	return strings.TrimSpace(normalize.Fold(t))
}

// Match reports whether the whole text is meant.
func (m *Matcher) Match(whole []byte) bool {
	if len(whole) > MaxWhole {
		return false
	}
	for _, re := range m.exprs {
		if re.Match(whole) {
			return true
		}
	}
	return len(m.texts) > 0 && m.texts[m.form(string(whole))]
}
