// Program fast learns the models of package guard/textmodel that guard/attack
// and guard/content judge by. README.md has the command.
//
// It reads labelled texts, adds texts that it makes, cuts them as the product
// does, and learns. With -folds it leaves sources out in turn and says what the
// model makes of them; that is where thresholds come from. With the same inputs
// and the same seed it writes the same bytes, on any number of cores of one
// architecture. Start reading at main.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringwall/ringwall/guard/textmodel"
	"github.com/ringwall/ringwall/internal/wordvec"
)

func main() {
	log.SetFlags(0)
	name := flag.String("task", "attack", "what to learn: attack or content")
	data := flag.String("data", "data", "folder of prompt_attack/train.jsonl.gz and content/train.jsonl.gz")
	out := flag.String("out", "", "where the asset goes; empty: only measure")
	folds := flag.String("folds", "", "leave these folds of sources out in turn, as 0,1,2, or all")
	seed := flag.Uint64("seed", 7, "of all chance")
	batches := flag.Int("batches", 3000, "how many batches it learns from")
	filters := flag.Int("filters", 48, "filters of the deep half")
	taps := flag.Int("taps", 4, "pieces that a filter sees")
	sources := flag.Int("sources", 5, "sources in which a feature of the wide half must stand")
	alone := flag.Float64("alone", 0.5, "share of texts that only one half of the model sees")
	made := flag.Int("made", 80000, "texts to make")
	page := flag.String("report", "", "write what became of the texts left out to this file, as Markdown")
	dump := flag.String("dump", "", "write what became of the texts left out to this file, as JSON lines")
	flag.Parse()

	words, err := wordvec.Default()
	check(err)
	t, err := newTask(*name, *data, *seed, *made)
	check(err)
	t.examples = cut(words, t.examples)
	log.Printf("%s: %d texts", t.name, len(t.examples))
	s := shape{
		filters: *filters, taps: *taps, hidden: 32, batches: *batches, batch: 128,
		rate: 2e-3, wideRate: 0.2, wideDecay: 1e-5, dropout: 0.3, unknown: 0.12, alone: *alone, sources: *sources, wides: t.wides,
	}
	var held []judged
	for _, f := range which(*folds, t.folds) {
		start := time.Now()
		learn, rest := t.split(f)
		w := train(t, s, words, learn, t.examples, *seed)
		m := pack(w, words)
		js := judge(m, rest)
		log.Printf("fold %d: learnt from %d, %d features, %s", f, len(learn), len(w.Grams), time.Since(start).Round(time.Second))
		t.report(os.Stderr, js)
		held = append(held, js...)
	}
	if len(held) > 0 {
		log.Print("all folds")
		t.recalibrate(held)
		t.report(os.Stderr, held)
		check(t.publish(*page, held))
	}
	check(write(*dump, held))
	if *out == "" {
		return
	}
	w := train(t, s, words, t.examples, t.examples, *seed)
	w.Info, err = t.info(held, fmt.Sprintf("%d texts of %d sources and %d made, seed %d", len(t.examples), len(t.sources()), *made, *seed))
	check(err)
	b, err := w.Encode()
	check(err)
	check(os.WriteFile(*out, b, 0o644)) //nolint:gosec // the asset is public
	log.Printf("%s: %d bytes, %d features", filepath.Base(*out), len(b), len(w.Grams))
}

// train learns from some of the examples.
func train(t *task, s shape, words *wordvec.Table, learn, all []*example, seed uint64) *textmodel.Weights {
	made := cut(words, t.make(learn))
	learn = slices.Concat(learn, made)
	t.balance(learn)
	feats := features(learn, slices.Concat(all, made), s.sources)
	l := newLearner(s, words, len(t.outputs), feats, seed)
	info, err := t.info(nil, "")
	check(err)
	d := newDrawer(learn)
	l.learn(d.draw, func(step int) {
		if step < s.batches && step%(s.batches/mines) == 0 {
			mine(pack(l.weights(info), words), learn)
			*d = *newDrawer(learn)
		}
	})
	return l.weights(info)
}

// mines is into how many parts learning is parted: between them harmless texts that
// the model is most mistaken about are given more room.
const mines = 5

// mine has harmless texts drawn the more often the more the model takes them for
// something else: what counts is the mistakes among the few that score high.
func mine(m *textmodel.Model, learn []*example) {
	js := judge(m, learn)
	was, is := 0.0, 0.0
	for i := range js {
		e := js[i].example
		if slices.Max(e.targets) > 0 {
			continue
		}
		if e.plain == 0 {
			e.plain = e.share
		}
		worst := math.Inf(-1)
		for o, z := range js[i].logits {
			if e.weights[o] == 1 {
				worst = max(worst, z)
			}
		}
		was += e.plain
		e.share = e.plain * (0.2 + 4/(1+math.Exp(-worst)))
		is += e.share
	}
	for _, e := range learn {
		if e.plain > 0 {
			e.share *= was / is
		}
	}
}

// pack makes of weights what the product judges by.
func pack(w *textmodel.Weights, words *wordvec.Table) *textmodel.Model {
	b, err := w.Encode()
	check(err)
	m, err := textmodel.Load(b, words)
	check(err)
	return m
}

// publish writes what became of texts to a file.
func (t *task) publish(path string, held []judged) error {
	if path == "" {
		return nil
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s: texts of sources left out of training\n\nPrinted by `make train-fast`: the sources are left out in %d parts, and each part is judged by a model that saw none of it.\n\n", t.name, t.folds)
	t.report(&b, held)
	fmt.Fprintln(&b, "\nBy source, at the threshold that one of a hundred of all these harmless texts passes:")
	t.bySource(&b, held)
	return os.WriteFile(path, b.Bytes(), 0o644) //nolint:gosec // it is public
}

func which(list string, n int) (out []int) {
	if list == "all" {
		for f := range n {
			out = append(out, f)
		}
		return out
	}
	for _, f := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		i, err := strconv.Atoi(f)
		check(err)
		out = append(out, i)
	}
	return slices.Compact(out)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
