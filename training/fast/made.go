package main

import (
	"fmt"
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
	wordy(seed, n/6, harmless, func(text string) {
		e := attackExample(text, "made/words", attacksynth.UserPrompt, "", "", false)
		e.made = true
		out = append(out, e)
	})
	return out
}

// wordy makes harmless texts of a few words that stand in harmless texts, of words
// said again and again, and of what stands for data and for values: whoever says so
// little attacks nobody.
func wordy(seed uint64, n int, from []string, add func(text string)) {
	rng := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // it must be the same each time
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	few := func(most int) string {
		words := strings.Fields(from[rng.IntN(len(from))])
		if len(words) == 0 {
			return "hello"
		}
		k := min(len(words), 1+rng.IntN(most))
		at := rng.IntN(len(words) - k + 1)
		return strings.Join(words[at:at+k], " ")
	}
	value := func() string {
		switch rng.IntN(4) {
		case 0:
			return fmt.Sprintf("{%s_%012x}", pick("EMAIL", "PHONE", "NAME", "ADDRESS", "PASSWORD", "CREDIT_DEBIT_CARD_NUMBER", "JWT", "US_SOCIAL_SECURITY_NUMBER", "URL"), rng.Uint64()>>16)
		case 1:
			return fmt.Sprintf("%x", rng.Uint64())
		case 2:
			return fmt.Sprintf("%s-%d", pick("NW", "ORD", "SKU", "INV", "T"), rng.IntN(1_000_000))
		}
		return fmt.Sprintf("https://%s.example/%s?%s=%x", pick("shop", "x", "docs", "api"), pick("a", "p/1", "search", "orders"), pick("q", "id", "ref", "token"), rng.Uint32())
	}
	for range n {
		switch rng.IntN(5) {
		case 0:
			add(strings.TrimSpace(strings.Repeat(few(4)+pick(" ", "\n", ", "), 2+rng.IntN(40))))
		case 1:
			add(few(6) + pick(" ", ": ", " = ", ", ") + value() + pick("", ".", " "+few(4), ", "+few(2)+" "+value()))
		case 2:
			words := strings.Fields(from[rng.IntN(len(from))])
			if len(words) > 0 {
				words[rng.IntN(len(words))] = value()
			}
			add(strings.Join(words, " "))
		default:
			add(few(3))
		}
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
	wordy(seed, n/6, harmless, func(text string) {
		e := contentExample(text, "made/words", "post", []string{contentsynth.None}, categories)
		e.made = true
		out = append(out, e)
	})
	return out
}
