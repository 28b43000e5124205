package eval

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
)

// Report is what came of a measurement.
type Report struct {
	Command   string    `json:"command,omitempty"`
	Guardrail string    `json:"guardrail"`
	Task      Task      `json:"task"`
	Direction string    `json:"direction"`
	Data      []DataSet `json:"data"`

	Spans  *SpanFigures   `json:"spans,omitempty"`
	Binary *BinaryFigures `json:"binary,omitempty"`

	Unavailable int64     `json:"unavailable"` // rows that the guardrail could not look at; they are in no figure
	Cost        *Cost     `json:"cost,omitempty"`
	Misses      []Mistake `json:"misses,omitempty"`
	False       []Mistake `json:"false_positives,omitempty"`
	Floors      []Floor   `json:"floors,omitempty"`
	Notes       []string  `json:"notes"` // how it was counted, and what it does not say
}

// DataSet is a file that was read.
type DataSet struct {
	Name   string `json:"name"` // without its folder
	SHA256 string `json:"sha256,omitempty"`
	Rows   int64  `json:"rows"`   // read
	Judged int64  `json:"judged"` // fewer in a sample
	Labels int64  `json:"labels"` // spans, or positive rows, of those that were read
}

// Cost is what judging took. It differs from run to run.
type Cost struct {
	Rows    int64         `json:"rows"`
	Bytes   int64         `json:"bytes"`
	Judging time.Duration `json:"judging_ns"` // by the guardrail, of all processors together
	Wall    time.Duration `json:"wall_ns"`    // of the whole run
	PerKB   Number        `json:"us_per_kb"`
	Rate    Number        `json:"mb_per_s"` // on one core
}

// Mistake is a row, or a part of one, that was judged wrongly.
type Mistake struct {
	File  string  `json:"file"`
	Line  int     `json:"line"`
	ID    string  `json:"id"`
	Type  string  `json:"type"` // of a label or category, or the reason of a finding
	Start int     `json:"start"`
	End   int     `json:"end"`
	Score float64 `json:"score"`
	Text  string  `json:"text,omitempty"` // only where it was asked for
}

func (r *run) mistake(row *read, typ string, where ringwall.Span, score float64) Mistake {
	m := Mistake{File: row.in.name, Line: row.Line, ID: row.ID, Type: typ, Start: where.Start, End: where.End, Score: score}
	if r.cfg.ShowText {
		m.Text = short(row.Text)
		if !where.Empty() {
			m.Text = short(row.Text[where.Start:where.End])
		}
	}
	return m
}

// Line are the figures of task Spans for a type, a group or all.
type Line struct {
	Name       string   `json:"name"`
	CountsAs   []string `json:"counts_as,omitempty"` // reasons, or controls, that find it
	Structured bool     `json:"structured"`
	Rows       int64    `json:"rows,omitempty"`

	Labelled int64 `json:"labelled"`
	Found    int64 `json:"found"` // true positives
	Missed   int64 `json:"missed"`
	False    int64 `json:"false"` // false positives, of which
	Mistyped int64 `json:"mistyped"`
	Pieces   int64 `json:"pieces"`

	Precision       Share  `json:"precision"`
	Recall          Share  `json:"recall"`
	F1              Number `json:"f1"`
	StrictPrecision Share  `json:"strict_precision"`
	StrictRecall    Share  `json:"strict_recall"`
	StrictF1        Number `json:"strict_f1"`

	Covered Part   `json:"covered"`         // labelled bytes that are masked
	Masked  Part   `json:"masked"`          // of groups: bytes without a label that are masked
	Clean   Share  `json:"clean"`           // of groups: rows without labels that are left alone
	PerWord Number `json:"false_per_1000w"` // of groups: false positives per 1,000 words of such rows

	Members []Line `json:"members,omitempty"` // types that share their findings; what is false is told of all together
}

// Breakdown are the figures by the values of a field.
type Breakdown struct {
	Field string `json:"field"`
	Lines []Line `json:"lines"`
}

// Count is so many of something.
type Count struct {
	Name string `json:"name"`
	N    int64  `json:"n"`
}

// SpanFigures are the figures of task Spans.
type SpanFigures struct {
	Structured   Line        `json:"structured"`
	Loose        Line        `json:"names_and_places"`
	All          Line        `json:"all"`
	AllCovered   Part        `json:"covered_with_types_not_looked_for"`
	Types        []Line      `json:"types"`
	By           []Breakdown `json:"by"`
	NotLookedFor []Count     `json:"not_looked_for"`
	Ignored      []Count     `json:"ignored"`
	Neutral      int64       `json:"neutral"` // findings that rows do not tell about
	CleanRows    int64       `json:"clean_rows"`
	CleanWords   int64       `json:"clean_words"`
}

func (r *run) report() (*Report, error) {
	rep := &Report{
		Command: r.cfg.Command, Guardrail: r.cfg.Guardrail, Task: r.task, Direction: r.cfg.Way.String(),
		Unavailable: r.failed, Misses: r.misses, False: r.alarms,
	}
	for _, in := range r.inputs {
		rep.Data = append(rep.Data, DataSet{in.name, in.digest, in.rows, in.judged, in.labels})
	}
	switch {
	case r.spans != nil:
		rep.Spans = r.spanFigures()
	case r.binary != nil:
		rep.Binary = r.binaryFigures()
	}
	if !r.cfg.NoCost {
		c := r.cost
		c.PerKB = Number(float64(c.Judging) / 1e3 / (float64(c.Bytes) / 1024))
		c.Rate = Number(float64(c.Bytes) / 1e6 / c.Judging.Seconds())
		rep.Cost = &c
	}
	rep.Notes = r.notes()
	floors, err := rep.hold(r.cfg.Floors)
	rep.Floors = floors
	return rep, err
}

// lookedFor reports whether anything may find a type: detectors say that they
// have its reason, or one had by now.
func (r *run) lookedFor(typ string) bool { return slices.ContainsFunc(r.vocab.of(typ), r.heard) }

func (r *run) heard(target string) bool {
	if strings.Contains(target, "/") || slices.Contains(r.cfg.Reasons, target) {
		return true
	}
	for k := range r.spans.all.reasons {
		if k.name == target {
			return true
		}
	}
	return false
}

// countsAs are those targets of a type that detectors look for.
func (r *run) countsAs(typ string) (out []string) {
	for _, t := range r.vocab.of(typ) {
		if r.heard(t) {
			out = append(out, t)
		}
	}
	return out
}

// line adds the types and reasons up that are chosen.
func (r *run) line(name string, t *tally, typ func(string) bool, why func(reason) bool) Line {
	l := Line{Name: name}
	for name, x := range t.types {
		if !typ(name) || !r.lookedFor(name) {
			continue
		}
		l.Labelled += x.labels
		l.Recall.Hits += x.partial
		l.StrictRecall.Hits += x.strict
		l.Covered.Hits += x.covered
		l.Covered.Of += x.bytes
	}
	for k, x := range t.reasons {
		if !why(k) {
			continue
		}
		l.Precision.Of += x.found
		l.Precision.Hits += x.partial
		l.StrictPrecision.Hits += x.strict
		l.Mistyped += x.mistyped
		l.Pieces += x.pieces
	}
	l.Recall.Of, l.StrictRecall.Of, l.StrictPrecision.Of = l.Labelled, l.Labelled, l.Precision.Of
	l.Found, l.Missed, l.False = l.Recall.Hits, l.Labelled-l.Recall.Hits, l.Precision.Of-l.Precision.Hits
	l.F1, l.StrictF1 = harmonic(l.Precision, l.Recall), harmonic(l.StrictPrecision, l.StrictRecall)
	l.PerWord = Number(math.NaN())
	return l
}

// whole adds what lines of types do not have.
func (l Line) whole(t *tally) Line {
	l.Rows = t.rows
	l.Masked = Part{t.masked, t.plain}
	l.Clean = Share{t.clean - t.cleanFlagged, t.clean}
	l.PerWord = Number(1000 * float64(t.cleanFalse) / float64(t.cleanWords))
	return l
}

func anyType(string) bool   { return true }
func anyReason(reason) bool { return true }

func (r *run) spanFigures() *SpanFigures {
	t := r.spans.all
	structured := func(typ string) bool { return r.vocab.of(typ).structured() }
	tight := func(k reason) bool { return targets{k.name}.structured() }
	s := &SpanFigures{
		Structured: r.line("structured", t, structured, tight),
		Loose: r.line("names and places", t, func(typ string) bool { return !structured(typ) },
			func(k reason) bool { return !tight(k) }),
		All:   r.line("all", t, anyType, anyReason).whole(t),
		Types: r.typeLines(t), Neutral: t.neutral, CleanRows: t.clean, CleanWords: t.cleanWords,
		NotLookedFor: []Count{}, Ignored: []Count{},
	}
	s.Structured.Structured = true
	for _, typ := range slices.Sorted(maps.Keys(t.types)) {
		x := t.types[typ]
		s.AllCovered.Hits += x.covered
		s.AllCovered.Of += x.bytes
		if !r.lookedFor(typ) {
			s.NotLookedFor = append(s.NotLookedFor, Count{typ, x.labels})
		}
	}
	for _, typ := range slices.Sorted(maps.Keys(r.spans.ignored)) {
		s.Ignored = append(s.Ignored, Count{typ, r.spans.ignored[typ]})
	}
	r.spans.groups.each(len(r.cfg.By) > 0, func(field, value string, t *tally) {
		if n := len(s.By); n == 0 || s.By[n-1].Field != field {
			s.By = append(s.By, Breakdown{Field: field})
		}
		b := &s.By[len(s.By)-1]
		b.Lines = append(b.Lines, r.line(value, t, anyType, anyReason).whole(t))
	})
	return s
}

// typeLines are the figures by type: those with a structure, then names and
// places, then findings of which the data has no label. Types that share findings
// stand under a line for all of them.
func (r *run) typeLines(t *tally) (lines []Line) {
	for _, family := range r.families(t) {
		of := func(typ string) bool { return slices.Contains(family, typ) }
		why := func(k reason) bool {
			return slices.ContainsFunc(family, func(typ string) bool { return r.fits(typ, k) })
		}
		l := r.line(strings.Join(family, ", "), t, of, why)
		l.CountsAs, l.Structured = r.countsAs(family[0]), r.vocab.of(family[0]).structured()
		if len(family) > 1 {
			l.Name = fmt.Sprintf("%d types of %s", len(family), strings.Join(l.CountsAs, ", "))
			for _, typ := range family {
				m := r.line(typ, t, func(x string) bool { return x == typ }, func(reason) bool { return false })
				m.CountsAs, m.Structured = r.countsAs(typ), r.vocab.of(typ).structured()
				l.Members = append(l.Members, m)
			}
		}
		lines = append(lines, l)
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return int(one(b.Structured) - one(a.Structured)) })
	strangers := map[string]bool{}
	for k := range t.reasons {
		if !r.known(t, k) {
			strangers[k.name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(strangers)) {
		l := r.line(name, t, func(string) bool { return false }, func(k reason) bool { return k.name == name && !r.known(t, k) })
		l.CountsAs, l.Structured = []string{name}, targets{name}.structured()
		lines = append(lines, l)
	}
	return lines
}

func (r *run) fits(typ string, k reason) bool {
	return r.vocab.of(typ).fit(ringwall.Finding{Control: k.control, Reason: k.name})
}

// known reports whether the data labels what a reason says.
func (r *run) known(t *tally, k reason) bool {
	for typ := range t.types {
		if r.lookedFor(typ) && r.fits(typ, k) {
			return true
		}
	}
	return false
}

// families are the types that are looked for, together where one finding would do
// for several.
func (r *run) families(t *tally) (out [][]string) {
	for _, typ := range slices.Sorted(maps.Keys(t.types)) {
		if !r.lookedFor(typ) {
			continue
		}
		own := r.vocab.of(typ)
		mine := []string{typ}
		rest := out[:0:0]
		for _, family := range out {
			if slices.ContainsFunc(family, func(other string) bool {
				return slices.ContainsFunc(r.vocab.of(other), func(x string) bool { return slices.Contains(own, x) })
			}) {
				mine = append(mine, family...)
			} else {
				rest = append(rest, family)
			}
		}
		slices.Sort(mine)
		out = append(rest, mine)
	}
	slices.SortFunc(out, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return out
}
