package synth

import (
	"errors"
	"fmt"
	"slices"
)

// The format of a grammar file, line by line:
//
//	# a comment; so is an empty line
//	@ attack override user_prompt 3   begins a root: label, family, kind, weight
//	:order                            begins a rule that others may name
//	{please}ignore [all|any] {rules}  an alternative of the root or rule above
//
// In an alternative {rule} is filled by the rule of this file, of words.txt of
// the same language, or of words.txt beside the languages, in this order.
// {Rule} begins with a capital letter, {RULE} has only capitals. {rule#1} is
// filled once per text: where it comes again with the same tag, the same words
// come again. {rot13:rule} says a rule in a code, see codes. [a|b|] is one of
// its parts, which may be empty and may hold slots and brackets. \n is a new
// line, and a backslash before any other mark takes its meaning away.
const (
	maxNesting = 8       // brackets in brackets
	maxDepth   = 24      // rules in rules: more is a rule that names itself
	maxLine    = 1 << 14 // bytes of an alternative
	maxText    = 1 << 14 // bytes of an expansion: more is not written
	maxParts   = 1 << 14 // parts of an expansion: more are left out
)

// errGrammar is what is wrong with a grammar file, whatever it is.
var errGrammar = errors.New("synth: not a grammar")

// A root is where an expansion begins.
type root struct {
	attack  bool
	family  string
	kind    string
	lang    string
	weight  int
	options []sequence
	file    *file
}

// A sequence is the parts of an alternative.
type sequence []part

// A part is a text, a slot or a choice: the first that is set.
type part struct {
	text    string
	rule    string
	tag     string
	code    string
	form    form
	choices []sequence
}

// form is how a slot's words are spelled.
type form int

const (
	asWritten form = iota
	capital
	capitals
)

// A file is a grammar, and where to look for the rules that it lacks.
type file struct {
	rules map[string][]sequence
	roots []root
	above *file
}

// rule finds the alternatives of a rule; nil when there is none.
func (f *file) rule(name string) []sequence {
	for ; f != nil; f = f.above {
		if r := f.rules[name]; r != nil {
			return r
		}
	}
	return nil
}

// check says which slot of the file has no rule, and which rule names itself
// without an end.
func (f *file) check() error {
	var walk func(s sequence, path []string) error
	done := map[string]bool{}
	walk = func(s sequence, path []string) error {
		for _, p := range s {
			for _, c := range p.choices {
				if err := walk(c, path); err != nil {
					return err
				}
			}
			if p.rule == "" || done[p.rule] {
				continue
			}
			options := f.rule(p.rule)
			switch {
			case options == nil:
				return fmt.Errorf("%w: no rule %q", errGrammar, p.rule)
			case slices.Contains(path, p.rule) || len(path) == maxDepth:
				return fmt.Errorf("%w: rule %q comes back to itself", errGrammar, p.rule)
			}
			for _, o := range options {
				if err := walk(o, append(path, p.rule)); err != nil {
					return err
				}
			}
			done[p.rule] = true
		}
		return nil
	}
	for name, options := range f.rules {
		for _, o := range options {
			if err := walk(o, []string{name}); err != nil {
				return err
			}
		}
		done[name] = true
	}
	for _, r := range f.roots {
		if len(r.options) == 0 {
			return fmt.Errorf("%w: root %q has no alternatives", errGrammar, r.family)
		}
		for _, o := range r.options {
			if err := walk(o, nil); err != nil {
				return err
			}
		}
	}
	return nil
}
