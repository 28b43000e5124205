package main

import (
	"math/rand/v2"
	"slices"
	"strings"

	attacksynth "github.com/ringwall/ringwall/training/attack/synth"
	contentsynth "github.com/ringwall/ringwall/training/content/synth"
)

// Carriers are harmless texts of such lengths, in bytes.
const (
	leastCarrier = 120
	mostCarrier  = 6000
)

// madeAttacks makes attacks and harmless texts, some of them in harmless texts
// that are learnt from anyway.
func madeAttacks(seed uint64, n int, learn []*example) (out []*example) {
	var carriers []attacksynth.Carrier
	for _, e := range learn {
		if e.targets[0] == 0 && firstOf(e.source) != "content" && len(e.text) >= leastCarrier && len(e.text) <= mostCarrier {
			carriers = append(carriers, attacksynth.Carrier{Text: e.text, Kind: e.kind, Lang: e.lang})
		}
	}
	for r := range attacksynth.Rows(seed, n, carriers) {
		e := attackExample(r.Text, "made/"+r.Family, r.Kind, r.Lang, "", r.Attack)
		e.made = true
		out = append(out, e)
	}
	var harmless []string
	for _, e := range learn {
		if e.targets[0] == 0 {
			harmless = append(harmless, e.text)
		}
	}
	wordy(seed, n/10, harmless, func(text string) {
		e := attackExample(text, "made/words", attacksynth.UserPrompt, "", "", false)
		e.made = true
		out = append(out, e)
	})
	return out
}

// wordy makes harmless texts of a few words that stand in harmless texts: whoever
// says so little attacks nobody.
func wordy(seed uint64, n int, from []string, add func(text string)) {
	rng := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // it must be the same each time
	for range n {
		words := strings.Fields(from[rng.IntN(len(from))])
		if len(words) == 0 {
			continue
		}
		k := min(len(words), 1+rng.IntN(3))
		at := rng.IntN(len(words) - k + 1)
		add(strings.Join(words[at:at+k], " "))
	}
}

// madeContent makes harmful and harmless texts.
func madeContent(seed uint64, n int, learn []*example) (out []*example) {
	for r := range contentsynth.Rows(seed, n) {
		known := slices.DeleteFunc(slices.Clone(categories), func(c string) bool { return slices.Contains(r.Unsure, c) })
		e := contentExample(r.Text, "made/"+r.Lang+"/"+r.Kind, r.Kind, r.Labels, known)
		e.made = true
		out = append(out, e)
	}
	var harmless []string
	for _, e := range learn {
		if !slices.Contains(e.targets, 1) && !slices.Contains(e.weights, 0) {
			harmless = append(harmless, e.text)
		}
	}
	wordy(seed, n/10, harmless, func(text string) {
		e := contentExample(text, "made/words", "post", []string{contentsynth.None}, categories)
		e.made = true
		out = append(out, e)
	})
	return out
}
