package pattern_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/guard/pattern"
	"github.com/ringwall/ringwall/guard/stream"
)

// typical are expressions as users write them.
var typical = []string{
	`\bORD-\d{6,10}\b`, `\bEMP\d{5}\b`, `\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}\b`,
	`\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b`,
	`[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+`, `\+?\d{1,3}[ -]?\(?\d{2,4}\)?[ -]?\d{3,4}[ -]?\d{3,4}`, `\b\d{3}-\d{2}-\d{4}\b`,
	`\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b`, `\b\d{4}-\d{2}-\d{2}\b`, `\b\d{1,2}/\d{1,2}/\d{2,4}\b`, `\[[^\]]{1,100}\]\([^)]{1,200}\)`,
	`(?i)\bproject[ -](?:atlas|borealis|cobalt)\b`, `(?i)internal use only`, `\bCUST[-_ ]?\d{4,12}\b`, `\b(?:\d{1,3}\.){3}\d{1,3}\b`,
	`https?://[^\s"'<>]{4,200}`, `\b(?:\d[ -]?){13,16}\b`, `(?i)(?:invoice|rechnung)\s*(?:no|nr)\.?\s*\d+`, `\bT-\d{3}/\d{4}\b`, `\$\d{1,3}(?:,\d{3})*(?:\.\d{2})?`,
}

func recognisers(n int) (rs []pattern.Recogniser, res []*regexp.Regexp) {
	for i := range n {
		expr := typical[i%len(typical)]
		if round := i / len(typical); round > 0 {
			expr = strings.NewReplacer("ORD", fmt.Sprintf("OR%c", 'F'+round), "EMP", fmt.Sprintf("EM%c", 'A'+round), "project", fmt.Sprintf("plan%d", round), "CUST", fmt.Sprintf("CU%d", round)).Replace(expr) + fmt.Sprintf("(?:#%d)?", round)
		}
		rs = append(rs, pattern.Recogniser{Name: fmt.Sprintf("r%d", i), Patterns: []pattern.Pattern{{Regex: expr}}})
		res = append(res, regexp.MustCompile(expr))
	}
	return rs, res
}

var texts = []struct{ name, text string }{
	{"prose", strings.Repeat("The committee met on Tuesday to review 14 open questions about shipping to Zurich, and agreed on most. Nobody could say whether the parcel had left on the 3rd; the carrier's page was silent. ", 50)[:8<<10]},
	{"dense", strings.Repeat("ORD-1234567 for ana.lopez@example.com (+49 151 2345678), 2026-11-23, $1,299.00, 192.168.12.7, CUST-88123 see [note](https://intra.example.com/x?id=9) and 5c8b1f6e-33a2-4a90-9df0-0c2f1b7a9e11; GB82 WEST 1234 5698 7654 32. ", 60)[:8<<10]},
}

// scan looks at a text without the work of normalising it.
func scan(b testing.TB, s *pattern.Scanner, text []byte, size int, found func(stream.Match)) {
	c, _ := s.Begin(stream.Scope{})
	if c == nil {
		b.Fatal("nothing to look for")
	}
	for n := min(size, len(text)); ; n = min(n+size, len(text)) {
		final := n == len(text)
		c.Scan(stream.Window{Clean: text[:n], Folded: text[:n], Final: final}, found)
		if final {
			c.(stream.Freer).Free()
			return
		}
	}
}

func BenchmarkScan(b *testing.B) {
	for _, n := range []int{1, 20, 60} {
		rs, res := recognisers(n)
		s := scanner(b, rs...)
		for _, tt := range texts {
			text := []byte(tt.text)
			b.Run(fmt.Sprintf("%d-%s/engine", n, tt.name), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					scan(b, s, text, len(text), func(stream.Match) {})
				}
			})
			b.Run(fmt.Sprintf("%d-%s/stdlib", n, tt.name), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					for _, re := range res {
						re.FindAllIndex(text, -1)
					}
				}
			})
		}
	}
}

// BenchmarkToken is what one more token of an answer costs.
func BenchmarkToken(b *testing.B) {
	rs, _ := recognisers(20)
	s := scanner(b, rs...)
	for _, tt := range texts {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			c, _ := s.Begin(stream.Scope{})
			text := []byte(tt.text)
			n, base := 0, 0
			for b.Loop() {
				if n+5 > len(text) {
					c, _ = s.Begin(stream.Scope{})
					n, base = 0, 0
				}
				n += 5
				w := stream.Window{Clean: text[base:n], Folded: text[base:n], Base: base}
				base = max(0, c.Scan(w, func(stream.Match) {})-stream.Context)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	rs, _ := recognisers(20)
	b.ReportAllocs()
	for b.Loop() {
		scanner(b, rs...)
	}
}

var worstTexts = map[string]string{
	"one letter": "a", "digits": "4", "digits and hyphens": "1234-", "dotted letters": "a.", "at signs": "a@", "brackets": "[a](", "hex": "0a1b2c3d-", "iban": "GB82 ", "dates": "2026-11-", "order": "ORD-", "capitals": "AB", "spaces": " ", "Han": "秘",
	"slashes": "https://", "groups": "12 34 ", "dollars": "$1,",
}

func BenchmarkWorst(b *testing.B) {
	rs, _ := recognisers(20)
	s := scanner(b, rs...)
	for name, piece := range worstTexts {
		b.Run(name, func(b *testing.B) {
			text := []byte(strings.Repeat(piece, 64<<10/len(piece)))
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				scan(b, s, text, len(text), func(stream.Match) {})
			}
		})
	}
}
