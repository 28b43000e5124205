package eval

import (
	"cmp"
	"maps"
	"slices"
	"unicode"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/secret"
)

// A finding of a credential counts when it covers so many hundredths of what is
// labelled: the rest of a key opens doors too. Of other data it must overlap.
const enough = 80

// spanOutcome is what is counted of a row of task Spans.
type spanOutcome struct {
	labels []labelled
	finds  []noticed
	words  int
	plain  int // bytes without a label
	masked int // of these, those that findings mask
}

// labelled is a label and what became of it.
type labelled struct {
	Span
	strict, partial bool
	covered         int // bytes that findings mask, whatever they take them for
}

// noticed is a finding and what became of it.
type noticed struct {
	ringwall.Finding
	strict, partial bool
	mistyped        bool // it overlaps only labels of other types
	piece           bool // it overlaps a label that it fits, but is not its finding
	neutral         bool // neither right nor wrong
}

// compare holds what was noticed in a text against its labels.
func (r *run) compare(row *read, seen Seen) *spanOutcome {
	out := &spanOutcome{words: words(row.Text)}
	var labels, all []ringwall.Span
	var fitting []targets // by label
	for _, s := range row.Spans {
		where := ringwall.Span{Start: s.Start, End: s.End}
		all = append(all, where)
		if r.vocab.ignores(s.Type) {
			continue
		}
		out.labels = append(out.labels, labelled{Span: s})
		labels, fitting = append(labels, where), append(fitting, r.vocab.of(s.Type))
	}
	var finds, masks []ringwall.Span
	for _, f := range seen.Findings {
		if !row.in.scope.has(f) || f.Where.Empty() {
			continue
		}
		n := noticed{Finding: f}
		n.neutral = !r.told(&row.Row, f) || overIgnored(r.vocab, row.Spans, f.Where)
		out.finds = append(out.finds, n)
		finds = append(finds, f.Where)
		if !n.neutral && r.cfg.Decide(r.cfg.Way, []ringwall.Finding{f}) <= ringwall.Mask {
			masks = append(masks, f.Where)
		}
	}
	fits := func(l, f int) bool { return fitting[l].fit(out.finds[f].Finding) }
	for l, f := range Match(labels, finds, func(l, f int) bool { return labels[l] == finds[f] && fits(l, f) }) {
		if f >= 0 {
			out.labels[l].strict, out.finds[f].strict = true, true
		}
	}
	owner := make([]int, len(labels)) // the finding that found it
	for l, f := range Match(labels, finds, func(l, f int) bool {
		return fits(l, f) && (out.finds[f].Control != secret.Control || 100*overlap(labels[l], finds[f]) >= enough*(labels[l].End-labels[l].Start))
	}) {
		if owner[l] = f; f >= 0 {
			out.labels[l].partial, out.finds[f].partial = true, true
		}
	}
	candidates(labels, finds, func(l int, near []int) {
		for _, f := range near {
			n := &out.finds[f]
			switch {
			case !fits(l, f):
				n.mistyped = !n.partial
			case owner[l] >= 0 && out.finds[owner[l]].Control != n.Control && !n.partial:
				n.neutral = true // two controls found the same thing: both are right
			default:
				n.piece = !n.partial
			}
		}
	})
	masked, known := union(masks), union(all)
	for i := range out.labels {
		out.labels[i].covered = covered(labels[i], masked)
	}
	out.plain = len(row.Text) - size(known)
	out.masked = size(masked)
	for _, k := range known {
		out.masked -= covered(k, masked)
	}
	return out
}

// told reports whether the row tells of findings such as f: a row may tell of some
// types only, and ignored types say nothing.
func (r *run) told(row *Row, f ringwall.Finding) bool {
	for typ := range r.vocab.ignored {
		if r.vocab.of(typ).fit(f) {
			return false
		}
	}
	return row.Known == nil || slices.ContainsFunc(row.Known, func(typ string) bool { return r.vocab.of(typ).fit(f) })
}

func overIgnored(v *vocabulary, spans []Span, where ringwall.Span) bool {
	return slices.ContainsFunc(spans, func(s Span) bool {
		return v.ignores(s.Type) && overlap(where, ringwall.Span{Start: s.Start, End: s.End}) > 0
	})
}

// words counts the words of a text: stretches without white space. A character of
// a script that puts no spaces between words counts as half of one.
func words(text string) int {
	n, halves, in := 0, 0, false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			in = false
		case r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
			halves++
			in = false
		case !in:
			n++
			in = true
		}
	}
	return n + (halves+1)/2
}

// tally adds rows of task Spans up.
type tally struct {
	rows                int64
	types               map[string]*typeTally
	reasons             map[reason]*reasonTally
	plain, masked       int64 // bytes
	clean, cleanFlagged int64 // rows without labels
	cleanWords          int64
	cleanFalse          int64
	neutral             int64
}

// reason is what a finding says, as far as figures tell findings apart.
type reason struct{ control, name string }

type typeTally struct {
	labels, strict, partial int64
	bytes, covered          int64
}

type reasonTally struct{ found, strict, partial, mistyped, pieces int64 }

func newTally() *tally {
	return &tally{types: map[string]*typeTally{}, reasons: map[reason]*reasonTally{}}
}

func (t *tally) add(o *spanOutcome) {
	t.rows++
	t.plain += int64(o.plain)
	t.masked += int64(o.masked)
	for _, l := range o.labels {
		x := t.types[l.Type]
		if x == nil {
			x = &typeTally{}
			t.types[l.Type] = x
		}
		x.labels++
		x.strict += one(l.strict)
		x.partial += one(l.partial)
		x.bytes += int64(l.End - l.Start)
		x.covered += int64(l.covered)
	}
	flagged := int64(0)
	for _, f := range o.finds {
		if f.neutral && !f.partial && !f.strict {
			t.neutral++
			continue
		}
		flagged++
		key := reason{f.Control, f.Reason}
		x := t.reasons[key]
		if x == nil {
			x = &reasonTally{}
			t.reasons[key] = x
		}
		x.found++
		x.strict += one(f.strict)
		x.partial += one(f.partial)
		x.pieces += one(f.piece)
		x.mistyped += one(f.mistyped && !f.piece)
	}
	if len(o.labels) == 0 {
		t.clean++
		t.cleanFlagged += min(1, flagged)
		t.cleanFalse += flagged
		t.cleanWords += int64(o.words)
	}
}

func one(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

// spanTally is the tally of all rows and of groups of them.
type spanTally struct {
	all     *tally
	groups  *groups[tally]
	ignored map[string]int64
}

func (r *run) countSpans(row *read, o *spanOutcome) {
	if r.spans == nil {
		r.spans = &spanTally{all: newTally(), groups: newGroups(r.fields, newTally), ignored: map[string]int64{}}
	}
	for _, s := range row.Spans {
		if r.vocab.ignores(s.Type) {
			r.spans.ignored[s.Type]++
		}
	}
	r.spans.all.add(o)
	r.spans.groups.of(row.Fields, func(t *tally) { t.add(o) })
	for _, l := range o.labels {
		if !l.partial && len(r.misses) < r.cfg.Errors && r.lookedFor(l.Type) {
			r.misses = append(r.misses, r.mistake(row, l.Type, ringwall.Span{Start: l.Start, End: l.End}, 0))
		}
	}
	for _, f := range o.finds {
		if !f.partial && !f.neutral && len(r.alarms) < r.cfg.Errors {
			r.alarms = append(r.alarms, r.mistake(row, f.Reason, f.Where, f.Score))
		}
	}
}

// maxGroups bounds the values of a field that are told apart.
const maxGroups = 500

// More is the group of the values beyond the bound, and None of rows without one.
const (
	More = "(more)"
	None = "(none)"
)

// groups are tallies by the values of fields.
type groups[T any] struct {
	fields []string
	make   func() *T
	by     []map[string]*T
}

func newGroups[T any](fields []string, create func() *T) *groups[T] {
	g := &groups[T]{fields: fields, make: create}
	for range fields {
		g.by = append(g.by, map[string]*T{})
	}
	return g
}

// of calls add for the tallies of a row with these values.
func (g *groups[T]) of(values []string, add func(*T)) {
	for i, v := range values {
		v = cmp.Or(v, None)
		t := g.by[i][v]
		if t == nil {
			if len(g.by[i]) >= maxGroups {
				v = More
			}
			if t = g.by[i][v]; t == nil {
				t = g.make()
				g.by[i][v] = t
			}
		}
		add(t)
	}
}

// each calls do for the groups of each field, in the order of their names. A field
// in which all rows agree says nothing, and is left out unless it was asked for.
func (g *groups[T]) each(asked bool, do func(field, value string, t *T)) {
	for i, field := range g.fields {
		if len(g.by[i]) < 2 && !asked {
			continue
		}
		for _, v := range slices.Sorted(maps.Keys(g.by[i])) {
			do(field, v, g.by[i][v])
		}
	}
}
