package synth

import (
	"math/rand/v2"
	"strings"
	"unicode"
)

// noise spells a text as people type: mostly as it is, sometimes in small
// letters, in capitals, without marks, or with slips. It is the same for both
// labels.
func noise(rng *rand.Rand, s string) string {
	switch n := rng.IntN(100); {
	case n < 66:
		return s
	case n < 74:
		return strings.ToLower(s)
	case n < 77:
		return strings.ToUpper(s)
	case n < 82:
		return unmarked(s)
	case n < 94:
		return slips(rng, s)
	case n < 96:
		return strings.TrimRight(s, ".!?。！？") + pick(rng, []string{"!!!", "...", " :)", " pls", " thx", "??", " !!", "…"})
	case n < 98:
		return strings.ReplaceAll(s, ". ", pick(rng, []string{".\n", ".\n\n", " - ", "; ", "!! "}))
	default:
		return pick(rng, []string{"\n", "\"", "- ", "* ", "> ", "1. ", "...", "### "}) + s
	}
}

// unmarked returns a text in small letters without its marks.
func unmarked(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\'' && unicode.IsPunct(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// slips returns a text with about one typing error in fifteen words.
func slips(rng *rand.Rand, s string) string {
	words := strings.Split(s, " ")
	for i, w := range words {
		r := []rune(w)
		if len(r) < 4 || rng.IntN(15) > 0 {
			continue
		}
		at := 1 + rng.IntN(len(r)-2)
		if !unicode.IsLetter(r[at]) || !unicode.IsLetter(r[at+1]) {
			continue
		}
		switch rng.IntN(4) {
		case 0:
			r[at], r[at+1] = r[at+1], r[at]
		case 1:
			r = append(r[:at], r[at+1:]...)
		case 2:
			r = append(r[:at+1], r[at:]...)
		case 3:
			r[at] = rune("abcdefghijklmnopqrstuvwxyz"[rng.IntN(26)])
		}
		words[i] = string(r)
	}
	return strings.Join(words, " ")
}
