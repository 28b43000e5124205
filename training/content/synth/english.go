package synth

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// doubled are verbs of more than one syllable that double their last letter.
var doubled = map[string]bool{"commit": true, "begin": true, "forget": true, "submit": true, "admit": true, "permit": true, "control": true, "expel": true, "kidnap": true, "upset": true}

// ing puts the first word of an English phrase into the form that ends in "ing":
// "rob a bank" becomes "robbing a bank".
func ing(phrase string) string {
	verb, rest, more := strings.Cut(phrase, " ")
	if more {
		rest = " " + rest
	}
	if more && (strings.HasSuffix(verb, "ally") || strings.HasSuffix(verb, "etly")) {
		return verb + " " + ing(rest[1:]) // "secretly film"
	}
	return gerund(verb) + rest
}

// articles puts "an" before vowels and "a" before other letters.
func articles(text string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, " a")
		if i < 0 {
			break
		}
		j := i + len(" a")
		article := strings.TrimPrefix(text[j:], "n")
		next, ok := strings.CutPrefix(article, " ")
		if !ok || next == "" {
			b.WriteString(text[:j])
			text = text[j:]
			continue
		}
		b.WriteString(text[:j])
		if sounds(next) {
			b.WriteByte('n')
		}
		text = article
	}
	b.WriteString(text)
	return b.String()
}

// sounds reports whether a word begins with the sound of a vowel.
func sounds(word string) bool {
	word = strings.ToLower(word)
	for _, not := range []string{"uni", "use", "usu", "eu", "one", "u ", "ut"} {
		if strings.HasPrefix(word, not) {
			return strings.HasPrefix(word, "unim") || strings.HasPrefix(word, "utt")
		}
	}
	return strings.IndexByte("aeiou", word[0]) >= 0 || strings.HasPrefix(word, "x-") || strings.HasPrefix(word, "sms") || strings.HasPrefix(word, "hour") || strings.HasPrefix(word, "honest")
}

func gerund(verb string) string {
	n := len(verb)
	switch {
	case n < 2 || verb == "be":
	case strings.HasSuffix(verb, "ie"):
		return verb[:n-2] + "ying"
	case strings.HasSuffix(verb, "ee"), strings.HasSuffix(verb, "oe"), strings.HasSuffix(verb, "ye"):
	case verb[n-1] == 'e':
		return verb[:n-1] + "ing"
	case strings.HasSuffix(verb, "ic"):
		return verb + "king"
	case doubled[verb], n >= 3 && vowels(verb) == 1 && !vowel(verb[n-1]) && vowel(verb[n-2]) && !strings.ContainsRune("wxy", rune(verb[n-1])):
		return verb + verb[n-1:] + "ing"
	}
	return verb + "ing"
}

func vowel(b byte) bool { return strings.IndexByte("aeiouy", b) >= 0 }

func vowels(s string) (n int) {
	for i := range len(s) {
		if vowel(s[i]) && !(i > 0 && s[i-1] == 'q') {
			n++
		}
	}
	return n
}

// capital puts a capital at the beginning.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}
