package synth

import (
	"encoding/base64"
	"encoding/hex"
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
}

var leetDigits = strings.NewReplacer("a", "4", "e", "3", "i", "1", "o", "0", "s", "5", "t", "7")

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
