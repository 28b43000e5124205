package decode

import (
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
)

// View is a text as it reads when some of its disguises are undone.
type View struct {
	// Text is the changed part of the text, with some of the text around it.
	// Where unchanged text between two changes was left out, three line feeds
	// stand for it.
	Text string
	// Via names the converters that were undone, outermost first.
	Via []string
	// Reason is what the strangest of them is reported as.
	Reason string
	// Suspicion is how strange it is to find these disguises in an ordinary
	// text, 0 to 1.
	Suspicion float64
	Respelled bool // one of them respells

	layers []layer // outermost first
	weight float64 // of the strangest converter
}

// layer maps a text to the one that it was made of.
type layer struct {
	edits    []edit
	from, to string
}

// Span returns the bytes of the original text that the bytes start to end of
// [View.Text] come from, and whether they differ from them. What an encoding
// hides comes from the whole of the encoded run; of disguises that are put on
// character by character, each character comes from its own bytes.
func (v *View) Span(start, end int) (s, e int, changed bool) {
	start, end = max(0, min(start, len(v.Text))), max(0, min(end, len(v.Text)))
	if end < start {
		end = start
	}
	for _, l := range slices.Backward(v.layers) {
		var c bool
		start, end, c = l.span(start, end)
		changed = changed || c
	}
	return start, end, changed
}

func (l *layer) span(start, end int) (s, e int, changed bool) {
	// The first edit that ends behind start, then the one that holds end-1.
	i := sort.Search(len(l.edits), func(i int) bool { return int(l.edits[i].to) > start })
	if start == end {
		p := l.point(start, i)
		return p, p, false
	}
	first, last := i, i-1
	for ; i < len(l.edits) && int(l.edits[i].at) < end; i++ {
		last = i
	}
	s, e = l.outside(start, first-1), 0
	if first <= last && int(l.edits[first].at) <= start {
		s, e = l.edits[first].piece(start, end)
	}
	switch {
	case last >= first && int(l.edits[last].to) >= end && l.edits[last].at != l.edits[last].to:
		from, to := l.edits[last].piece(start, end)
		s, e = min(s, from), max(e, to)
	default:
		e = max(e, l.outside(end-1, last)+1)
	}
	for k := first; k <= last && !changed; k++ {
		changed = l.differs(l.edits[k], start, end)
	}
	return s, e, changed
}

// point maps a place between two bytes.
func (l *layer) point(at, i int) int {
	if i < len(l.edits) && int(l.edits[i].at) <= at {
		s, _ := l.edits[i].piece(at, at+1)
		return s
	}
	return l.outside(at, i-1)
}

// outside maps a byte that no edit wrote and that stands behind edits[i].
func (l *layer) outside(at, i int) int {
	if i < 0 {
		return at
	}
	return int(l.edits[i].end) + at - int(l.edits[i].to)
}

// piece returns which bytes the part of the edit within start and end is from.
func (e edit) piece(start, end int) (int, int) {
	from, to := max(0, start-int(e.at)), min(int(e.to-e.at), end-int(e.at))
	switch e.how {
	case even:
		return int(e.start) + from, int(e.start) + to
	case mirror:
		return int(e.end) - to, int(e.end) - from
	default:
		return int(e.start), int(e.end)
	}
}

// differs reports whether the bytes start to end that e wrote are others than
// those they come from.
func (l *layer) differs(e edit, start, end int) bool {
	if e.how == even {
		from, to := max(start, int(e.at)), min(end, int(e.to))
		at := int(e.start) + from - int(e.at)
		return l.to[from:to] != l.from[at:at+to-from]
	}
	return e.how != gap
}

// Bounds of [Find]. A field that is zero means the default.
type Bounds struct {
	Depth   int // disguises worn one over the other: 3
	Results int // views: 64
	Bytes   int // of all views: four times the text and 64 KiB
	Work    int // bytes that converters may look at: 48 times the text and 1 MiB
}

// Defaults of [Bounds].
const (
	MaxDepth   = 3
	MaxResults = 64
	Slack      = 64 << 10 // bytes that results may have in addition to four times the input
)

// What a view keeps of the text around a change: an attack that is half in leet
// must read as one.
const (
	margin = 256  // bytes beside what was encoded
	wide   = 1024 // bytes beside what was disguised character by character
)

// maxText is the longest text that is looked into: a map counts in 32 bits.
const maxText = math.MaxInt32 / 8

// Find returns what text says when its disguises are undone: one by one and,
// where they are worn one over the other, one after the other. Disguises of the
// looks of letters are undone all at once and count as one.
//
// whole is false when there may be more than was found, because a bound cut the
// search short. Depth is not such a bound: what wears more disguises is not
// found, and not told. The result depends on nothing but the arguments. The
// work grows in proportion to the text; an ordinary text is read once, and
// costs no memory.
func Find(text string, b Bounds) (views []View, whole bool) {
	if len(text) > maxText {
		return nil, false
	}
	seen := look(text)
	if seen == 0 {
		return nil, true
	}
	f, ok := finders.Get().(*finder)
	if !ok {
		f = &finder{}
	}
	defer func() {
		f.s.reset("")
		*f = finder{s: f.s}
		finders.Put(f)
	}()
	f.bounds, f.text, f.whole = b.orDefaults(len(text)), text, true
	level := f.expand(View{Text: text}, seen)
	for depth := 1; depth < f.bounds.Depth && len(level) > 0; depth++ {
		var next []int
		for _, i := range level {
			if seen := look(f.views[i].Text); seen != 0 {
				next = append(next, f.expand(f.views[i], seen)...)
			}
		}
		level = next
	}
	return slices.Clip(f.views), f.whole
}

// All is the texts of [Find], with the default bounds.
func All(text string) []string {
	views, _ := Find(text, Bounds{})
	texts := make([]string, len(views))
	for i, v := range views {
		texts[i] = v.Text
	}
	return texts
}

func (b Bounds) orDefaults(n int) Bounds {
	if b.Depth == 0 {
		b.Depth = MaxDepth
	}
	if b.Results == 0 {
		b.Results = MaxResults
	}
	if b.Bytes == 0 {
		b.Bytes = 4*n + Slack
	}
	if b.Work == 0 {
		b.Work = 48*n + 1<<20
	}
	return b
}

// finders are finders of the past, for their memory.
var finders sync.Pool

// finder is a search under way.
type finder struct {
	s      splice
	bounds Bounds
	text   string
	seen   map[string]bool
	views  []View
	whole  bool
}

// expand adds the views that v has under one more disguise, and returns where
// they are.
func (f *finder) expand(v View, seen feature) (added []int) {
	from := len(f.views)
	looks, lseen, any := v, seen, false
	for i := range Table {
		c := &Table[i]
		switch {
		case c.undo == nil || c.needs&seen == 0 && (!c.looks || c.needs&lseen == 0):
		case !c.looks:
			if next, ok := f.undo(v, c, f.bounds.Bytes); ok {
				f.add(next)
			}
		case c.needs&lseen != 0:
			if next, ok := f.undo(looks, c, f.bounds.Bytes); ok {
				looks, lseen, any = next, look(next.Text), true
			}
		}
	}
	if any {
		f.add(looks)
	}
	for i := from; i < len(f.views); i++ {
		added = append(added, i)
	}
	return added
}

// undo returns v without the disguise that c undoes.
func (f *finder) undo(v View, c *Converter, limit int) (View, bool) {
	if f.bounds.Work < len(v.Text) {
		f.whole = false
		return View{}, false
	}
	f.bounds.Work -= len(v.Text)
	s := &f.s
	s.reset(v.Text)
	c.undo(s)
	f.whole = f.whole && !s.cut
	if !s.found() {
		return View{}, false
	}
	around := margin
	if c.looks || c.wide {
		around = wide
	}
	text, edits, ok := s.render(around, limit)
	if !ok {
		f.whole = false
		return View{}, false
	}
	if strings.TrimSpace(text) == "" {
		return View{}, false
	}
	weight := c.Weight
	if s.odd >= 0 {
		weight = s.odd
	}
	next := View{
		Text: text, Via: append(slices.Clip(v.Via), c.Name), Reason: v.Reason, weight: max(weight, v.weight),
		Respelled: v.Respelled || c.Respells,
		Suspicion: 1 - (1-v.Suspicion)*(1-weight),
		layers:    append(slices.Clip(v.layers), layer{edits, v.Text, text}),
	}
	if weight > v.weight || next.Reason == "" {
		next.Reason = c.Reason
	}
	return next, true
}

// add keeps v unless there is one like it, or a bound is met.
func (f *finder) add(v View) {
	if f.seen == nil {
		f.seen = map[string]bool{f.text: true}
	}
	if f.seen[v.Text] {
		return
	}
	if len(f.views) == f.bounds.Results || len(v.Text) > f.bounds.Bytes {
		f.whole = false
		return
	}
	f.seen[v.Text] = true
	f.bounds.Bytes -= len(v.Text)
	f.views = append(f.views, v)
}

// Changed returns the bytes of the original text from the first that was changed
// to the last.
func (v *View) Changed() (start, end int) {
	if len(v.layers) == 0 {
		return 0, 0
	}
	first := true
	for _, e := range v.layers[0].edits {
		if e.how == gap {
			continue
		}
		if first {
			start, first = int(e.start), false
		}
		end = int(e.end)
	}
	return start, end
}
