package synth

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed grammar
var texts embed.FS

// class is what roots are drawn by.
type class struct {
	lang   string
	attack bool
	laid   bool // into a carrier
}

// grammars are all files, by what is drawn from them.
type grammars struct {
	roots    map[class][]*root
	carriers map[string][]*root // family "carrier"
	tasks    map[string][]*root // family "task"
	asides   map[string][]*root // kind aside
	direct   map[string][]*root // attacks of prompts, by language
	others   []string           // the languages beside English
	answers  []string           // what a model may have said before
}

// library is the grammars of this package.
var library = sync.OnceValue(func() *grammars {
	g, err := load(texts)
	if err != nil {
		// bug: the files are part of the program, and its tests read them all
		panic(err)
	}
	return g
})

// load reads all grammars of a file system.
func load(fsys fs.FS) (*grammars, error) {
	g := &grammars{
		roots: map[class][]*root{}, carriers: map[string][]*root{},
		tasks: map[string][]*root{}, direct: map[string][]*root{}, asides: map[string][]*root{},
	}
	shared, err := open(fsys, "grammar/words.txt", "", nil)
	if err != nil {
		return nil, err
	}
	langs, err := fs.ReadDir(fsys, "grammar")
	if err != nil {
		return nil, fmt.Errorf("listing the grammars: %w", err)
	}
	for _, dir := range langs {
		if !dir.IsDir() {
			continue
		}
		lang := dir.Name()
		if lang != "en" {
			g.others = append(g.others, lang)
		}
		words, err := open(fsys, path.Join("grammar", lang, "words.txt"), lang, shared)
		if err != nil {
			return nil, err
		}
		names, err := fs.Glob(fsys, path.Join("grammar", lang, "*.txt"))
		if err != nil {
			return nil, fmt.Errorf("listing the grammars: %w", err)
		}
		slices.Sort(names)
		for _, name := range names {
			f := words
			if path.Base(name) != "words.txt" {
				if f, err = open(fsys, name, lang, words); err != nil {
					return nil, err
				}
			}
			g.add(f)
		}
	}
	for _, s := range shared.rule("answer") {
		if len(s) == 1 && s[0].text != "" {
			g.answers = append(g.answers, s[0].text)
		}
	}
	return g, g.complete()
}

// open reads one file and checks it.
func open(fsys fs.FS, name, lang string, above *file) (*file, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("reading a grammar: %w", err)
	}
	f, err := read(string(text), lang, above)
	if err == nil {
		err = f.check()
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", strings.TrimPrefix(name, "grammar/"), err)
	}
	return f, nil
}

// add sorts the roots of a file by what they are for.
func (g *grammars) add(f *file) {
	for i := range f.roots {
		r := &f.roots[i]
		switch {
		case r.family == "carrier":
			g.carriers[r.lang] = append(g.carriers[r.lang], r)
			continue
		case r.kind == aside:
			g.asides[r.lang] = append(g.asides[r.lang], r)
			continue
		case r.family == "task":
			g.tasks[r.lang] = append(g.tasks[r.lang], r)
		}
		c := class{r.lang, r.attack, r.kind == payload}
		g.roots[c] = append(g.roots[c], r)
		if r.attack && r.kind == UserPrompt {
			g.direct[r.lang] = append(g.direct[r.lang], r)
		}
	}
}

// complete says what a language lacks.
func (g *grammars) complete() error {
	for _, lang := range append([]string{"en"}, g.others...) {
		for _, attack := range []bool{false, true} {
			for _, laid := range []bool{false, true} {
				if len(g.roots[class{lang, attack, laid}]) == 0 {
					return fmt.Errorf("%w: %s has no roots with attack %v and payload %v", errGrammar, lang, attack, laid)
				}
			}
		}
		if len(g.carriers[lang]) == 0 || len(g.tasks[lang]) == 0 || len(g.direct[lang]) == 0 {
			return fmt.Errorf("%w: %s has no carrier, no task or no attack in a prompt", errGrammar, lang)
		}
	}
	if len(g.others) == 0 || len(g.answers) == 0 {
		return fmt.Errorf("%w: no languages beside English, or no answers", errGrammar)
	}
	return nil
}
