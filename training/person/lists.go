package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/person"
	"github.com/ringwall/ringwall/guard/stream"
)

// lists are words by kind and locale.
type lists struct {
	by      map[string]map[string][]string
	classes map[person.Class][]string
	groups  []group // names in Latin letters of our own list
	locales map[string][]string
}

type group struct{ first, last []string }

// files says which class the words of a file have.
var files = []struct {
	name  string
	class person.Class
}{
	{"title", person.Title},
	{"particle", person.Particle},
	{"intro", person.Intro},
	{"role", person.Role},
	{"greet", person.Greet},
	{"sign", person.Sign},
	{"say", person.Say},
	{"before", person.Before},
	{"after", person.After},
	{"unit", person.Unit},
	{"address", person.Cue},
	{"org", person.Org},
	{"time", person.Time},
	{"tongue", person.Tongue},
	{"sur", person.Sur},
	{"given", person.Given},
	{"area", person.Area},
	{"glued", person.Glued},
	{"common", person.Common},
	{"region", person.Region},
}

func readLists(path, words string) (*lists, error) {
	l := &lists{by: map[string]map[string][]string{}, classes: map[person.Class][]string{}, locales: map[string][]string{}}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading lists: %w", err)
	}
	defer f.Close()
	for d := json.NewDecoder(f); d.More(); {
		var r struct {
			Kind, Locale string
			Values       []string
		}
		if err := d.Decode(&r); err != nil {
			return nil, fmt.Errorf("reading lists: %w", err)
		}
		if l.by[r.Kind] == nil {
			l.by[r.Kind] = map[string][]string{}
		}
		l.by[r.Kind][r.Locale] = append(l.by[r.Kind][r.Locale], r.Values...)
		lang, _, _ := strings.Cut(r.Locale, "_")
		if !slices.Contains(l.locales[lang], r.Locale) {
			l.locales[lang] = append(l.locales[lang], r.Locale)
		}
	}
	for _, file := range files {
		ls, err := lines(filepath.Join(words, file.name+".txt"))
		if err != nil {
			return nil, err
		}
		for _, line := range ls {
			l.classes[file.class] = append(l.classes[file.class], strings.Fields(line)...)
		}
	}
	ls, err := lines(filepath.Join(words, "names.txt"))
	if err != nil {
		return nil, err
	}
	var g group
	for _, line := range ls {
		kind, names, _ := strings.Cut(line, ":")
		switch kind {
		case "first":
			g = group{first: strings.Fields(names)}
		case "last":
			g.last = strings.Fields(names)
			l.groups = append(l.groups, g)
		}
	}
	return l, nil
}

// lines returns the lines of a file that hold more than a comment.
func lines(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading words: %w", err)
	}
	defer f.Close()
	var out []string
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if line := s.Text(); line != "" && !strings.HasPrefix(line, "# ") {
			out = append(out, line)
		}
	}
	return out, s.Err()
}

// gazetteer says of each word what it may be.
func gazetteer(l *lists, ts *templates, c *corpus, plain []doc) map[uint32]person.Class {
	g := map[uint32]person.Class{}
	counts := map[string]*count{}
	tally(counts, ts, c, plain)
	for _, words := range l.by["word"] {
		for _, w := range words {
			if utf8.RuneCountInString(w) > 1 {
				common(counts, normalize.Fold(w)).lower += 2
			}
		}
	}
	put := func(folded string, class person.Class) { g[person.Key(folded)] |= class }
	name := func(value string, class person.Class) {
		for _, part := range strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '-' || r == '\'' || r == '’' || r == '.' }) {
			part = strings.Trim(part, ",()")
			if n := utf8.RuneCountInString(part); n < 2 || strings.ToUpper(part) != strings.ToLower(part) && !unicode.IsUpper(first(part)) {
				continue
			}
			put(normalize.Fold(part), class)
		}
	}
	for locale, vs := range l.by["first"] {
		for _, v := range vs {
			if chars(v) {
				putChars(g, v, person.Given)
			} else if locale != "th_TH" {
				name(v, person.First)
			}
		}
	}
	for locale, vs := range l.by["last"] {
		for _, v := range vs {
			if chars(v) {
				putChars(g, v, person.Sur)
			} else if locale != "th_TH" {
				name(v, person.Last)
			}
		}
	}
	for locale, vs := range l.by["name"] {
		if len(l.by["last"][locale]) > 20 || locale == "th_TH" {
			continue
		}
		for _, v := range vs {
			parts := strings.Fields(v)
			if last := parts[len(parts)-1]; !chars(last) && utf8.RuneCountInString(last) > 3 {
				name(last, person.Last)
			}
		}
	}
	for _, gr := range l.groups {
		for _, v := range gr.first {
			name(v, person.First)
		}
		for _, v := range gr.last {
			name(v, person.Last)
		}
	}
	places := func(kind string, class person.Class) {
		for _, vs := range l.by[kind] {
			for _, v := range vs {
				if chars(v) {
					putChars(g, v, class)
					continue
				}
				parts := strings.FieldsFunc(v, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) })
				for _, part := range parts {
					folded := normalize.Fold(part)
					n := counts[folded]
					if len(parts) > 1 && (n != nil && n.lower > 0 || utf8.RuneCountInString(part) < 4) {
						continue
					}
					if utf8.RuneCountInString(part) >= 2 {
						put(folded, class)
					}
				}
			}
		}
	}
	places("city", person.City)
	places("state", person.Region)
	places("country", person.Country)
	for _, file := range files {
		for _, w := range l.classes[file.class] {
			folded := normalize.Fold(w)
			switch {
			case file.class == person.Glued:
				g[person.EndKey(folded)] |= person.Glued
			case chars(w):
				putChars(g, w, file.class)
			default:
				for _, part := range strings.FieldsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) }) {
					put(part, file.class)
				}
			}
		}
	}
	for _, vs := range l.by["suffix"] {
		for _, v := range vs {
			if folded := normalize.Fold(v); !chars(v) && !strings.ContainsAny(folded, " -/") && utf8.RuneCountInString(folded) > 2 {
				put(strings.Trim(folded, "."), person.After)
			}
		}
	}
	keep := map[uint32]bool{} // names that are words, too, and still names
	for _, locale := range []string{"en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT"} {
		for _, v := range l.by["first"][locale] {
			keep[person.Key(normalize.Fold(v))] = true
		}
	}
	for _, gr := range l.groups {
		for _, v := range slices.Concat(gr.first, gr.last) {
			keep[person.Key(normalize.Fold(v))] = true
		}
	}
	for w, n := range counts {
		need := 2
		key := person.Key(w)
		if n.lower >= 20 && n.lower > 4*n.capital && !keep[key] {
			g[key] &^= person.First | person.Last
		}
		if g[key]&(person.First|person.Last) != 0 {
			need = max(6, n.capital/3)
		}
		if n.lower >= need {
			g[key] |= person.Common
		}
	}
	for _, w := range l.classes[person.Common] {
		if !chars(w) {
			g[person.Key(normalize.Fold(w))] &^= person.First | person.Last | person.City
		}
	}
	return g
}

func first(s string) rune { r, _ := utf8.DecodeRuneInString(s); return r }

// chars reports whether a word is of a script whose characters are tokens.
func chars(s string) bool {
	r := first(s)
	return stream.Unspaced(r) || r >= 0xAC00 && r < 0xD7B0 || r >= 0x1100 && r < 0x1200
}

// putChars notes a word of such a script by one or two characters: of a longer
// one by those that it begins with, or ends with where it announces something.
func putChars(g map[uint32]person.Class, word string, class person.Class) {
	rs := []rune(word)
	for _, r := range rs {
		if r == ' ' || !chars(string(r)) || r >= 0x0E00 && r < 0x1000 {
			return
		}
	}
	if n := len(rs); n > 2 {
		switch class {
		case person.Given:
			return
		case person.Sur, person.City, person.Region, person.Country, person.Org, person.Title:
			rs = rs[:2]
		default:
			rs = rs[n-2:]
		}
	}
	if len(rs) == 1 && (class == person.Given && rs[0] < 0x3400 || class == person.City) {
		return
	}
	g[person.Key(normalize.Fold(string(rs)))] |= class
}

// count is how often a word is written in lower case and with a capital.
type count struct{ lower, capital int }

func common(m map[string]*count, w string) *count {
	if m[w] == nil {
		m[w] = &count{}
	}
	return m[w]
}

// tally counts the words that are no part of a name or address.
func tally(m map[string]*count, ts *templates, c *corpus, plain []doc) {
	text := func(s string, weight int) {
		for w := range strings.FieldsSeq(s) {
			w = strings.TrimFunc(w, func(r rune) bool { return unicode.IsPunct(r) && r != '@' && r != '/' && r != '_' })
			if utf8.RuneCountInString(w) < 2 || chars(w) || strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && r != '-' }) {
				continue // of an address of the net, or code
			}
			n := common(m, normalize.Fold(w))
			if unicode.IsUpper(first(w)) {
				n.capital += weight
			} else {
				n.lower += weight
			}
		}
	}
	for _, t := range ts.learn {
		for _, s := range t.segs {
			if s.hole == 0 {
				text(s.text, 2)
			}
		}
	}
	for _, ds := range [][]doc{c.learn, c.clean, plain} {
		for _, d := range ds {
			at := 0
			for _, s := range d.spans {
				text(d.text[at:s.start], 1)
				at = s.end
			}
			text(d.text[at:], 1)
		}
	}
}
