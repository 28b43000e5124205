package main

import (
	"slices"

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
	return out
}

// madeContent makes harmful and harmless texts.
func madeContent(seed uint64, n int) (out []*example) {
	for r := range contentsynth.Rows(seed, n) {
		known := slices.DeleteFunc(slices.Clone(categories), func(c string) bool { return slices.Contains(r.Unsure, c) })
		e := contentExample(r.Text, "made/"+r.Lang+"/"+r.Kind, r.Kind, r.Labels, known)
		e.made = true
		out = append(out, e)
	}
	return out
}
