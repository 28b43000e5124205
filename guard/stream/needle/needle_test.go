package needle_test

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/stream/needle"
)

// Values of no meaning.
const (
	key     = "zk-7Qm2xV9dLr4TnB8wYc5HsJ1f"
	word    = "Tr0ub4dor"
	phrase  = "Über allen Gipfeln ist Ruh, 42!"
	russian = "жуки ползут по зелёной траве"
	number  = "550e8400-e29b-41d4-a716-446655440000"
)

func set(t testing.TB, run int, needles ...needle.Needle) *needle.Set {
	t.Helper()
	s, err := needle.New(needle.Config{Needles: needles, Run: run})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// scanner makes a Set a stream.Scanner.
type scanner struct{ *needle.Set }

type cursor struct {
	*needle.Cursor
	q needle.Queue
}

func (s scanner) Begin(stream.Scope) (stream.Cursor, string) {
	return &cursor{Cursor: s.Set.Begin()}, ""
}

func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	safe := c.Cursor.Scan(w, func(h needle.Hit) {
		c.q.Add(stream.Match{Start: h.Start, End: h.End, Reason: "x", Severity: 3, Score: 1})
	})
	c.q.Flush(safe, w.Final, found)
	return safe
}

func masked(t testing.TB, s *needle.Set, text string) string {
	t.Helper()
	out, _ := guardtest.Mask(t, scanner{s}, stream.Scope{}, text)
	return out
}

func each(s, format string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

func reversed(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}

func rot13(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return 'a' + (r-'a'+13)%26
		case 'A' <= r && r <= 'Z':
			return 'A' + (r-'A'+13)%26
		}
		return r
	}, s)
}

// ways to write a text so that it says the same.
var ways = []struct {
	name  string
	write func(string) string
}{
	{"plain", func(s string) string { return s }},
	{"upper case", strings.ToUpper},
	{"lower case", strings.ToLower},
	{"full width", func(s string) string {
		return strings.Map(func(r rune) rune {
			if '!' < r && r < 0x7F {
				return r + 0xFEE0
			}
			return r
		}, s)
	}},
	{"spaces between", func(s string) string { return strings.Join(strings.Split(s, ""), " ") }},
	{"hyphens between", func(s string) string { return strings.Join(strings.Split(s, ""), "-") }},
	{"dots between", func(s string) string { return strings.Join(strings.Split(s, ""), " . ") }},
	{"line ends between", func(s string) string { return strings.Join(strings.Split(s, ""), "\r\n") }},
	{"nothing to see between", func(s string) string { return strings.Join(strings.Split(s, ""), "\u200b") }},
	{"bullets between", func(s string) string { return strings.Join(strings.Split(s, ""), "·") }},
	{"a list of strings", func(s string) string { return `["` + strings.Join(strings.Split(s, ""), `", "`) + `"]` }},
	{"reversed", reversed},
	{"ROT13", rot13},
	{"leet", func(s string) string { return strings.NewReplacer("e", "3", "t", "7", "o", "0", "s", "5").Replace(s) }},
	{"hex", func(s string) string { return hex.EncodeToString([]byte(s)) }},
	{"hex in capitals", func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }},
	{"hex with spaces", func(s string) string { return each(s, "%02x ") }},
	{"hex with colons", func(s string) string { return each(s, "%02X:") }},
	{"hex behind 0x", func(s string) string { return each(s, "0x%02x, ") }},
	{"hex after something", func(s string) string { return "a" + hex.EncodeToString([]byte(s)) }},
	{"escapes", func(s string) string { return each(s, `\x%02x`) }},
	{"octal", func(s string) string { return each(s, `\%03o`) }},
	{"Unicode escapes", func(s string) string {
		var b strings.Builder
		for _, r := range s {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		return b.String()
	}},
	{"one escape", func(s string) string { return strings.Replace(s, s[3:4], fmt.Sprintf(`\u%04x`, s[3]), 1) }},
	{"per cent", func(s string) string { return each(s, "%%%02X") }},
	{"per cent where it must be", url.QueryEscape},
	{"entities", func(s string) string {
		var b strings.Builder
		for _, r := range s {
			fmt.Fprintf(&b, "&#%d;", r)
		}
		return b.String()
	}},
	{"hexadecimal entities", func(s string) string {
		var b strings.Builder
		for _, r := range s {
			fmt.Fprintf(&b, "&#x%x;", r)
		}
		return b.String()
	}},
	{"HTML", html.EscapeString},
	{"quoted-printable", func(s string) string { return each(s, "=%02X") }},
	{"base64", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }},
	{"base64, one behind", func(s string) string { return base64.StdEncoding.EncodeToString([]byte("a" + s + "b")) }},
	{"base64, two behind", func(s string) string { return base64.URLEncoding.EncodeToString([]byte("ab" + s + "cde")) }},
	{"base64 of three lines", func(s string) string {
		b := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("some words before ", 4) + s + " and behind"))
		return b[:64] + "\n" + b[64:]
	}},
	{"base64 of UTF-16", func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte(strings.Join(strings.Split(s, ""), "\x00") + "\x00"))
	}},
	{"base64 within a name", func(s string) string { return "name_" + base64.RawURLEncoding.EncodeToString([]byte(s)) }},
	{"base32", func(s string) string { return base32.StdEncoding.EncodeToString([]byte(s)) }},
	{"base32 after something", func(s string) string { return "abc" + strings.ToLower(base32.StdEncoding.EncodeToString([]byte(s))) }},
}

func TestWays(t *testing.T) {
	s := set(t, 12, needle.Needle{Text: key}, needle.Needle{Text: word}, needle.Needle{Text: phrase}, needle.Needle{Text: number})
	for _, way := range ways {
		for _, value := range []string{key, word, phrase, number} {
			in := "It is " + way.write(value) + " they say."
			if got := masked(t, s, in); strings.Count(got, "{X}") != 1 || way.name != "base64 of three lines" && len(got) > 60 {
				t.Errorf("%s of %q: %q became %q", way.name, value, in, got)
			}
		}
	}
}

func TestExact(t *testing.T) {
	s := set(t, 12, needle.Needle{Text: "Sunshine", Exact: true}, needle.Needle{Text: "blue-water", Exact: true})
	for _, tt := range []struct{ in, want string }{
		{"the Sunshine of", "the {X} of"},
		{"the sunshine of", "the sunshine of"},
		{"the Sun shine of", "the Sun shine of"},
		{"by blue-water here", "by {X} here"},
		{"by blue water here", "by {X} here"},
		{"by blue - water here", "by blue - water here"},
		{base64.StdEncoding.EncodeToString([]byte("my Sunshine")), "{X}"},
	} {
		if got := masked(t, s, tt.in); strings.Contains(got, "{X}") != strings.Contains(tt.want, "{X}") {
			t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestParts(t *testing.T) {
	s := set(t, 12, needle.Needle{Text: key}, needle.Needle{Text: word}, needle.Needle{Text: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + strings.Repeat("Qx7d", 5)})
	for _, tt := range []struct{ name, in, want string }{
		{"twelve", "a 7Qm2xV9dLr4T b", "a {X} b"},
		{"eleven", "a 7Qm2xV9dLr4 b", "a 7Qm2xV9dLr4 b"},
		{"halves", key[:15] + "\nand " + key[15:], "{X}\nand {X}"},
		{"a part of a short one", "Tr0ub4do", "Tr0ub4do"},
		{"what everybody has", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"},
		{"two side by side", key + " " + word, "{X} {X}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := masked(t, s, tt.in); got != tt.want {
				t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

// What many needles begin with gives none of them away, all of one does.
func TestManyAlike(t *testing.T) {
	var list []needle.Needle
	for i := range 2000 {
		list = append(list, needle.Needle{Text: fmt.Sprintf("nordwind-trade-coupon-%06d", i*7919%1000000)})
	}
	s := set(t, 12, list...)
	if got := masked(t, s, "the nordwind-trade-coupon-x"); strings.Contains(got, "{X}") {
		t.Errorf("what all begin with is found: %q", got)
	}
	for _, n := range list[:50] {
		if got := masked(t, s, "the "+n.Text+" is"); got != "the {X} is" {
			t.Errorf("%q became %q", n.Text, got)
		}
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  needle.Config
		want string
	}{
		{"nothing", needle.Config{}, "nothing to look for"},
		{"a short one", needle.Config{Needles: []needle.Needle{{Text: "a-b-c-d-e"}}}, "needle 1: want at least 6"},
		{"a short run", needle.Config{Run: 3}, "a run of 3"},
		{"a long run", needle.Config{Run: 65}, "a run of 65"},
	} {
		if _, err := needle.New(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	_, err := needle.New(needle.Config{Needles: []needle.Needle{{Text: strings.Repeat("x", 100)}}, MaxBytes: 1000})
	if !errors.Is(err, needle.ErrTooLarge) {
		t.Errorf("%v, want ErrTooLarge", err)
	}
	s := set(t, 12, needle.Needle{Text: key})
	for _, shown := range []string{fmt.Sprint(s), fmt.Sprintf("%+v %#v %s %q", s, s, s, s)} {
		if strings.Contains(shown, key[3:8]) || strings.Contains(shown, strings.ToLower(key[3:8])) {
			t.Errorf("shows %q", shown)
		}
	}
}

// pieces are what the texts of the property test are put together from.
func pieces(rng *rand.Rand) string {
	plain := []string{"the quick brown fox ", "7Qm2xV9dLr4T", "zk7", "%", "\\", "\\x", "=", "&#", "0x", "a", " ", "\n", "decade ", "7a 6b ", "QUJDRA==", "zu zk-7Qm2", "Ü", "🙏🏽, 👩\u200d👧 ", "übrigens ", "жук ", "\u200b", "·", "— ", "\xff", "                           "}
	var b strings.Builder
	for range 1 + rng.IntN(8) {
		if rng.IntN(2) == 0 {
			b.WriteString(plain[rng.IntN(len(plain))])
			continue
		}
		v := []string{key, word, phrase, number, russian}[rng.IntN(5)]
		s := ways[rng.IntN(len(ways))].write(v)
		from := rng.IntN(len(s)) * rng.IntN(2)
		to := len(s) - rng.IntN(len(s)-from)*rng.IntN(2)
		b.WriteString(s[from:to])
		if rng.IntN(2) == 0 {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// Where a text is cut makes no difference.
func TestPieces(t *testing.T) {
	sets := []*needle.Set{
		set(t, 12, needle.Needle{Text: key}, needle.Needle{Text: word}, needle.Needle{Text: phrase}, needle.Needle{Text: number}, needle.Needle{Text: russian}),
		set(t, 16, needle.Needle{Text: key}, needle.Needle{Text: number}),
		set(t, 0, needle.Needle{Text: key}, needle.Needle{Text: word, Exact: true}),
		set(t, 12, needle.Needle{Text: strings.Repeat(key+word+phrase, 4)}),
	}
	n := 20_000
	if testing.Short() {
		n = 500
	}
	for seed := range n {
		rng := rand.New(rand.NewPCG(uint64(seed), 1))
		s, text := sets[rng.IntN(len(sets))], pieces(rng)
		if !same(t, s, text, func() int { return 1 + rng.IntN(9) }) {
			return
		}
	}
}

// same checks that text in pieces gives what it gives as a whole.
func same(t *testing.T, s *needle.Set, text string, size func() int) bool {
	t.Helper()
	want := masked(t, s, text)
	c, _ := scanner{s}.Begin(stream.Scope{})
	defer c.(stream.Freer).Free()
	r := stream.New(stream.Config{Watches: []stream.Watch{{Control: "x", Cursor: c}}, Decide: maskAll})
	var got strings.Builder
	for rest := text; rest != ""; {
		n := min(size(), len(rest))
		got.Write(r.Write([]byte(rest[:n])))
		rest = rest[n:]
		if utf8.ValidString(text) && !utf8.ValidString(got.String()) {
			t.Errorf("of %q\nsent %q, which cuts a character", text, got.String())
			return false
		}
		if !strings.HasPrefix(want, got.String()) {
			t.Errorf("of %q\nsent %q\nwhich does not begin\n     %q", text, got.String(), want)
			return false
		}
	}
	got.Write(r.Close())
	if got.String() != want {
		t.Errorf("of %q\nsent %q\nwant %q", text, got.String(), want)
		return false
	}
	return true
}

func maskAll(ringwall.Finding) ringwall.Action { return ringwall.Mask }

func FuzzPieces(f *testing.F) {
	for _, way := range ways {
		f.Add("x "+way.write(key)+" y "+way.write(word), uint8(3))
	}
	s := set(f, 12, needle.Needle{Text: key}, needle.Needle{Text: word}, needle.Needle{Text: phrase}, needle.Needle{Text: number})
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		same(t, s, text, func() int { return 1 + int(size) })
	})
}

func BenchmarkScan(b *testing.B) {
	s := set(b, 12, needle.Needle{Text: key}, needle.Needle{Text: phrase}, needle.Needle{Text: number})
	for name, unit := range map[string]string{
		"prose":  "The committee met on Tuesday to review 14 open questions about the discount code, and agreed on most. ",
		"base64": base64.StdEncoding.EncodeToString([]byte("The committee met on Tuesday, and agreed.")), "one letter": "a", "hex": "0a1b2c3d4e5f", "escapes": "%41", "near": "7Qm2xV9dLr4", "spaces": " ",
	} {
		text := []byte(strings.Repeat(unit, 8<<10/len(unit)))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				c := s.Begin()
				c.Scan(stream.Window{Clean: text, Folded: []byte(text), Final: true}, func(needle.Hit) {})
				c.Free()
			}
		})
	}
}
