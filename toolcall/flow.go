package toolcall

import (
	"context"
	"hash/maphash"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/decode"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/toolcall/provenance"
)

const publicFlow = "It would carry data to where it must not go. Leave that data out, or ask the user."

// leastCarried is how many letters and digits in a row count as carried, where a flow
// does not say.
const leastCarried = 24

// flowing looks for what tools returned in what a call carries out. What is confidential
// goes to nobody but those whom the person named, whatever flows there are.
func flowing(_ context.Context, s *Session, c *Call, d *Decision) {
	rules := &s.j.cfg.Rules
	if len(rules.Flows) == 0 && len(rules.Confidential) == 0 {
		return
	}
	r := s.read()
	m := s.semantics(r, c.Tool)
	var carried *grams // of the payload, made once
	carries := func(f *Flow) bool {
		for i, res := range r.Results() {
			if res.Result.Failed || !s.comesFrom(f, &res) {
				continue
			}
			if carried == nil {
				carried = payload(c)
			}
			if r.grams[i] == nil {
				r.grams[i] = newGrams(textOf(res.Result))
			}
			least := f.Least
			if least == 0 {
				least = leastCarried
			}
			if carried.shares(r.grams[i], least) {
				return true
			}
		}
		return false
	}
	for i := range rules.Flows {
		f := &rules.Flows[i]
		if goesTo(f, c.Name, m.effect) && (!f.Named || !d.named()) && carries(f) {
			d.against(f.Then, RuleFlow, publicFlow)
		}
	}
	if m.effect == External && !d.named() && carries(&Flow{From: []string{"confidential"}}) {
		d.against(ringwall.ToolHold, RuleFlow, publicFlow)
	}
}

func (s *Session) comesFrom(f *Flow, res *provenance.Result) bool {
	for _, from := range f.From {
		switch {
		case from == res.Call.Name,
			from == "confidential" && s.j.cfg.Rules.confidential(res.Call.Name),
			from == "untrusted" && !s.believed(res):
			return true
		}
	}
	return false
}

func goesTo(f *Flow, tool string, e Effect) bool {
	return slices.Contains(f.To, tool) || slices.Contains(f.To, e.String())
}

// payload returns what a call carries: all texts and numbers of its arguments, and what
// they are encodings of.
func payload(c *Call) *grams {
	var all strings.Builder
	each(c.Arguments, func(v string) {
		all.WriteString(v)
		all.WriteByte('\n')
		for _, view := range decode.All(v) {
			all.WriteString(view)
			all.WriteByte('\n')
		}
	})
	return newGrams(all.String())
}

// each calls f for each text and number of v.
func each(v jsonedit.Value, f func(string)) {
	switch v.Kind() {
	case jsonedit.Object:
		for _, m := range v.Members() {
			each(m, f)
		}
	case jsonedit.Array:
		for _, e := range v.Elems() {
			each(e, f)
		}
	case jsonedit.String:
		f(v.Text())
	case jsonedit.Number:
		f(string(v.Raw()))
	case jsonedit.Bool, jsonedit.Null, jsonedit.Missing:
	}
}

// grams are the letters and digits of a text, in lower case, without anything between
// them: what is left of it when somebody writes it otherwise.
type grams struct {
	text string
	cut  map[int]map[uint64][]int32 // by length: where pieces of it begin, by their hash
}

var gramSeed = maphash.MakeSeed()

func newGrams(text string) *grams {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			if c = lower(c); c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
				out = append(out, c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			out = utf8.AppendRune(out, unicode.ToLower(r))
		}
		i += n
	}
	return &grams{text: string(out)}
}

// maxSame bounds in how many places of a source a run is compared.
const maxSame = 8

// shares reports whether n letters and digits in a row are in both texts. The source is
// cut into pieces of half of n, one of which lies whole within whatever is that long.
func (g *grams) shares(source *grams, n int) bool {
	half := n / 2
	pieces := source.pieces(half)
	for i := 0; i+half <= len(g.text); i++ {
		for _, at := range pieces[maphash.String(gramSeed, g.text[i:i+half])] {
			if overlap(g.text, i, source.text, int(at), n) >= n {
				return true
			}
		}
	}
	return false
}

// pieces returns where the pieces of n bytes of g begin.
func (g *grams) pieces(n int) map[uint64][]int32 {
	if all, ok := g.cut[n]; ok {
		return all
	}
	all := make(map[uint64][]int32, len(g.text)/n+1)
	for i := 0; i+n <= len(g.text); i += n {
		h := maphash.String(gramSeed, g.text[i:i+n])
		if len(all[h]) < maxSame {
			all[h] = append(all[h], int32(i))
		}
	}
	if g.cut == nil {
		g.cut = map[int]map[uint64][]int32{}
	}
	g.cut[n] = all
	return all
}

// overlap returns how many bytes around a[i:] and b[j:] are the same, up to n on each
// side.
func overlap(a string, i int, b string, j, n int) int {
	same := 0
	for k := 1; k <= n && i-k >= 0 && j-k >= 0 && a[i-k] == b[j-k]; k++ {
		same++
	}
	for k := 0; k < n && i+k < len(a) && j+k < len(b) && a[i+k] == b[j+k]; k++ {
		same++
	}
	return same
}
