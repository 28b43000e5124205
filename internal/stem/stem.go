// Package stem brings the forms of a word together: "refunds", "refunded" and
// "refunding" have one stem. Stems are for comparing only; they need not be
// words, and two words that mean different things may share one.
//
// [English] takes English endings off, fewer than Porter's algorithm does
// (M. F. Porter, An algorithm for suffix stripping, 1980), so that unlike words
// stay apart. [Prefix] suits languages that it does not know: their words
// usually change at the end. [Function] tells words that say how other words
// belong together from those that say what a text is about.
package stem

import "unicode/utf8"

// English returns the stem of a word in lower case: a part of word, whose bytes
// it may change. Words that are not ASCII letters throughout stay as they are.
func English(word []byte) []byte {
	for _, b := range word {
		if b < 'a' || b > 'z' {
			return word
		}
	}
	w := word
	if len(w) < 4 || string(w) == "news" {
		return w
	}
	w = plural(w)
	w = verb(w)
	w = derived(w)
	n := len(w)
	switch {
	case n > 3 && w[n-1] == 'e':
		w = w[:n-1]
	case n > 2 && w[n-1] == 'y' && !vowel(w, n-2):
		w[n-1] = 'i'
	}
	return doubled(w)
}

func plural(w []byte) []byte {
	n := len(w)
	switch {
	case w[n-1] != 's' || w[n-2] == 's' || w[n-2] == 'u' || w[n-2] == 'i':
		return w
	case n > 4 && w[n-2] == 'e' && w[n-3] == 'i':
		w[n-3] = 'y'
		return w[:n-2]
	case n > 4 && w[n-2] == 'e' && (w[n-3] == 'x' || w[n-3] == 'z' || w[n-3] == 's' || w[n-3] == 'h' && (w[n-4] == 'c' || w[n-4] == 's')):
		return w[:n-2]
	}
	return w[:n-1]
}

// verb takes -ing and -ed off.
func verb(w []byte) []byte {
	n := len(w)
	switch {
	case n > 4 && has(w, "ied"):
		w[n-3] = 'y'
		return w[:n-2]
	case n > 6 && has(w, "ated"):
		return w[:n-4]
	case n > 7 && has(w, "ating"):
		return w[:n-5]
	case n > 4 && has(w, "ed") && !has(w, "eed") && syllable(w[:n-2]):
		return w[:n-2]
	case n > 5 && has(w, "ing") && syllable(w[:n-3]):
		return w[:n-3]
	}
	return w
}

// endings are those that make other words of a word, what stands for them, and
// the fewest letters that must be left.
var endings = []struct {
	end, by string
	least   int
}{
	{"ization", "iz", 3},
	{"isation", "iz", 3},
	{"ication", "y", 3},
	{"ation", "", 3},
	{"ition", "it", 3},
	{"tion", "t", 3},
	{"sion", "s", 3},
	{"fulness", "", 3},
	{"iveness", "", 3},
	{"ment", "", 3},
	{"ness", "", 3},
	{"ically", "ic", 3},
	{"ical", "ic", 3},
	{"ially", "", 4},
	{"ial", "", 5},
	{"ally", "", 4},
	{"al", "", 5},
	{"ously", "", 4},
	{"ous", "", 4},
	{"fully", "", 3},
	{"ful", "", 3},
	{"ably", "", 4},
	{"able", "", 4},
	{"ibly", "", 4},
	{"ible", "", 4},
	{"ively", "", 4},
	{"ive", "", 4},
	{"ility", "", 4},
	{"ity", "", 4},
	{"ate", "", 3},
	{"ism", "", 4},
	{"ist", "", 4},
	{"ise", "iz", 3},
	{"ly", "", 4},
	{"ance", "", 4},
	{"ence", "", 4},
	{"ant", "", 5},
	{"er", "", 4},
	{"or", "", 4},
}

func derived(w []byte) []byte {
	for i := range endings {
		e := &endings[i]
		if n := len(w) - len(e.end); n >= e.least && w[len(w)-1] == e.end[len(e.end)-1] && has(w, e.end) && syllable(w[:n]) {
			return append(w[:n], e.by...)
		}
	}
	return w
}

func has(w []byte, end string) bool {
	return len(w) > len(end) && string(w[len(w)-len(end):]) == end
}

// doubled makes one of the two consonants that a word ends with: "stopp".
func doubled(w []byte) []byte {
	if n := len(w); n > 3 && w[n-1] == w[n-2] && !vowel(w, n-1) && w[n-1] != 's' {
		return w[:n-1]
	}
	return w
}

func vowel(w []byte, i int) bool {
	switch w[i] {
	case 'a', 'e', 'i', 'o', 'u':
		return true
	case 'y':
		return i > 0 && !vowel(w, i-1)
	}
	return false
}

// syllable reports whether w can be said: it has a vowel and three letters.
func syllable(w []byte) bool {
	if len(w) < 3 {
		return false
	}
	for i := range w {
		if vowel(w, i) {
			return true
		}
	}
	return false
}

// Prefix returns the first letters of a word that is longer than n letters, and
// shorter words as they are.
func Prefix(word []byte, n int) []byte {
	i := 0
	for ; n > 0 && i < len(word); n-- {
		_, w := utf8.DecodeRune(word[i:])
		i += w
	}
	return word[:i]
}
