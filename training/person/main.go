// Program person learns the model of package guard/person.
//
// It reads lists of names and places (extract.py), classes of words (lists),
// templates that it fills with them (templates) and annotated texts (a file of
// JSON lines), builds the gazetteer and teaches a linear model to tag tokens.
// With the same inputs and the same seed it writes the same bytes. README.md has
// the command. Start reading at main.
package main

import (
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"

	"github.com/ringwall/ringwall/guard/person"
)

func main() {
	log.SetFlags(0)
	rows := flag.String("rows", "", "annotated texts, gzipped JSON lines")
	plain := flag.String("plain", "", "more texts of that form, separated by commas: which words are common is counted in them")
	lists := flag.String("lists", "", "what extract.py wrote")
	words := flag.String("words", "lists", "folder of the classes of words")
	templates := flag.String("templates", "templates", "folder of the templates")
	out := flag.String("out", "", "where the asset goes; empty: only measure")
	hold := flag.Int("hold", 0, "keep this many tenths of the templates from learning, and measure with them")
	fold := flag.Int("fold", 0, "first of these tenths")
	seed := flag.Uint64("seed", 7, "of all chance")
	epochs := flag.Int("epochs", 10, "how often the data is gone through")
	show := flag.Int("show", 0, "print so many mistakes")
	look := flag.Int("look", 0, "print so many of what is found in the texts without annotations, of each source")
	test := flag.String("test", "", "measure with these annotated texts, too")
	flag.Parse()

	l, err := readLists(*lists, *words)
	check(err)
	ts, err := readTemplates(*templates, *hold, *fold)
	check(err)
	c, err := readRows(*rows, *hold, *fold)
	check(err)
	unlabelled, err := readPlain(*plain)
	check(err)
	asset := person.Asset{Words: gazetteer(l, ts, c, unlabelled), Scale: 0.01}
	log.Printf("%d words, %d templates (%d left out), %d rows (%d left out), %d plain", len(asset.Words), len(ts.learn), len(ts.held), len(c.learn), len(c.held), len(unlabelled))

	chance := func(stream uint64) *rand.Rand {
		return rand.New(rand.NewPCG(*seed, stream)) //nolint:gosec // it must be the same each time
	}
	t := &teacher{rng: chance(1), lists: l, templates: ts, corpus: c, plain: unlabelled}
	check(t.learn(&asset, *epochs))
	b := asset.Encode()
	log.Printf("%d bytes", len(b))
	s, err := person.Load(b)
	check(err)
	if *hold > 0 {
		measure("rows of templates left out", s, c.held, *show)
		gen := &teacher{rng: chance(2), lists: l, templates: ts}
		measure("our templates left out", s, gen.filled(ts.held, 20), *show)
	}
	measure("rows without names", s, c.clean, *show)
	if *look > 0 {
		lookAt(s, unlabelled, *look)
	}
	if *test != "" {
		tc, err := readRows(*test, 0, 0)
		check(err)
		measure("test", s, append(tc.learn, tc.clean...), *show)
	}
	if *out != "" {
		check(os.WriteFile(*out, b, 0o644)) //nolint:gosec // the asset is public
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
