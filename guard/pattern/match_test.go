package pattern_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/guard/pattern"
)

func TestMatcher(t *testing.T) {
	exprs, err := pattern.NewMatcher(`ORD-\d+|TEST-.*`, `(?i)no-?reply@example\.com`)
	if err != nil {
		t.Fatal(err)
	}
	exact, err := pattern.NewTexts(false, "Café", "4111 1111 1111 1111")
	if err != nil {
		t.Fatal(err)
	}
	folded, err := pattern.NewTexts(true, "Café")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		m    *pattern.Matcher
		in   string
		want bool
	}{
		{"a whole match", exprs, "ORD-1", true},
		{"the other branch", exprs, "TEST-abc", true},
		{"the other expression", exprs, "NoReply@example.com", true},
		{"only a part", exprs, "ORD-1 and more", false},
		{"a part of a branch", exprs, "xTEST-abc", false},
		{"a line of several", exprs, "TEST-abc\nx", false},
		{"nothing", exprs, "", false},
		{"too long a text", exprs, "TEST-" + strings.Repeat("x", pattern.MaxWhole), false},
		{"an exact text", exact, "Café", true},
		{"another case", exact, "café", false},
		{"a folded text", folded, "CAFE\u200b", true},
		{"another text", folded, "cafes", false},
		{"no exceptions", &pattern.Matcher{}, "a", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.m.Match([]byte(tt.in)); got != tt.want {
				t.Errorf("Match(%.40q) = %v", tt.in, got)
			}
		})
	}
	if _, err := pattern.NewMatcher("a", "(?=b)"); err == nil || !strings.Contains(err.Error(), "exception 1: regular expression") {
		t.Errorf("NewMatcher: %v", err)
	}
	if _, err := pattern.NewMatcher("a)|(?:b"); err == nil {
		t.Error("an expression that is none by itself is accepted")
	}
	if _, err := pattern.NewTexts(true, "a", "\u200b"); err == nil || !strings.Contains(err.Error(), "exception 1") {
		t.Errorf("NewTexts: %v", err)
	}
}

func TestChecksums(t *testing.T) {
	specimens := map[string]struct{ good, bad []string }{
		"aba":               {[]string{"021000021", "0210-0002-1", "011401533"}, []string{"021000022", "02100002", "000000000"}},
		"damm":              {[]string{"5724"}, []string{"5723", "5742", "7524"}},
		"ean13":             {[]string{"4006381333931", "978-0-306-40615-7"}, []string{"4006381333932", "400638133393"}},
		"ean8":              {[]string{"73513537"}, []string{"73513536"}},
		"iban-mod97":        {[]string{"GB82 WEST 1234 5698 7654 32", "de89370400440532013000"}, []string{"GB82 WEST 1234 5698 7654 33", "DE89", "8937 0400 4405 3201 3000"}},
		"imei":              {[]string{"490154203237518"}, []string{"490154203237519", "49015420323751"}},
		"isbn10":            {[]string{"0-306-40615-2", "080442957X"}, []string{"0-306-40615-3", "08044X9570"}},
		"iso7064-mod11-10":  {[]string{"86095742719"}, []string{"86095742718"}},
		"iso7064-mod11-2":   {[]string{"0000-0002-1825-0097", "0000-0002-1694-233X"}, []string{"0000-0002-1825-0098"}},
		"iso7064-mod97-10":  {[]string{"5493001KJTIIGC8Y1R12", "HWUPKR0MPOU8FGXBT394"}, []string{"5493001KJTIIGC8Y1R13"}},
		"luhn":              {[]string{"4111 1111 1111 1111", "79927398713"}, []string{"4111 1111 1111 1112", "79927398710", "0000", "", "1"}},
		"luhn-alphanumeric": {[]string{"US0378331005", "AU0000XVGZA3"}, []string{"US0378331006"}},
		"mod11":             {[]string{"036536", "00006X"}, []string{"036532", "03X536"}},
		"mod97":             {[]string{"85.07.30-033 28"}, []string{"85.07.30-033 29"}},
		"verhoeff":          {[]string{"2363", "123451"}, []string{"2364", "123415"}},
	}
	var names []string
	for name, sp := range specimens {
		names = append(names, name)
		s := scanner(t, pattern.Recogniser{Name: "number", Patterns: []pattern.Pattern{{Regex: `(?s).+`}}, Checksum: name})
		for _, text := range sp.good {
			if len(look(t, s, text, nil)) != 1 {
				t.Errorf("%s: %q is refused", name, text)
			}
		}
		for _, text := range sp.bad {
			if len(look(t, s, text, nil)) != 0 {
				t.Errorf("%s: %q is accepted", name, text)
			}
		}
		if text := strings.Repeat("12345678", 9); len(look(t, s, text, nil)) != 0 {
			t.Errorf("%s: a number of %d digits is accepted", name, len(text))
		}
	}
	if slices.Sort(names); !slices.Equal(names, pattern.Checksums()) {
		t.Errorf("checksums %v, specimens for %v", pattern.Checksums(), names)
	}
}
