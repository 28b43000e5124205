package synth

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// codes are the ways to hide words that a slot may ask for. Benign grammars use
// them too: that a text holds base64 does not make it an attack.
var codes = map[string]func(string) string{
	"base64":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"hex":     func(s string) string { return hex.EncodeToString([]byte(s)) },
	"url":     url.QueryEscape,
	"rot13":   rot13,
	"reverse": reverse,
	"spaced":  func(s string) string { return strings.Join(strings.Split(s, ""), " ") },
	"dashed":  func(s string) string { return strings.Join(strings.Split(s, ""), "-") },
	"leet":    func(s string) string { return leetDigits.Replace(s) },
	"morse":   morse,
	"upper":   strings.ToUpper,
	"under":   func(s string) string { return strings.ReplaceAll(s, " ", "_") },
	"dotted":  func(s string) string { return strings.ReplaceAll(s, " ", ".") },
	"escape":  func(s string) string { return strings.ReplaceAll(s, " ", `\x20`) },
	"camel":   func(s string) string { return strings.ReplaceAll(titled(s), " ", "") },
	"percent": url.PathEscape,
	"entity":  entities,
	"zero":    func(s string) string { return strings.Join(strings.Split(s, ""), "\u200b") },
	"wide":    wide,
	"glyph":   func(s string) string { return lookAlikes.Replace(s) },
}

var leetDigits = strings.NewReplacer("a", "4", "e", "3", "i", "1", "o", "0", "s", "5", "t", "7")

// titled writes the first letter of each word as a capital.
func titled(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		words[i] = capital.of(w)
	}
	return strings.Join(words, " ")
}

// entities writes each letter as a character reference of HTML.
func entities(s string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, "&#%d;", r)
	}
	return b.String()
}

// wide writes ASCII letters in their full width forms (Unicode block FF00).
func wide(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r - '!' + '\uff01'
		}
		return r
	}, s)
}

// lookAlikes are Cyrillic letters that look like Latin ones.
var lookAlikes = strings.NewReplacer("a", "\u0430", "e", "\u0435", "o", "\u043e", "p", "\u0440", "c", "\u0441", "x", "\u0445")

func rot13(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return 'a' + (r-'a'+13)%26
		case r >= 'A' && r <= 'Z':
			return 'A' + (r-'A'+13)%26
		}
		return r
	}, s)
}

func reverse(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}

// morseLetters are the signs of a to z (ITU-R M.1677-1).
var morseLetters = strings.Fields(".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --..")

func morse(s string) string {
	var out []string
	for _, r := range s {
		switch r = unicode.ToLower(r); {
		case r >= 'a' && r <= 'z':
			out = append(out, morseLetters[r-'a'])
		case r == ' ':
			out = append(out, "/")
		}
	}
	return strings.Join(out, " ")
}
