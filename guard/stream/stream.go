// Package stream looks at a text while it comes and lets go of what is safe: the
// release cursor.
//
// A [Redactor] owns one text: a prompt, or one channel of an answer (the text of
// a choice, its reasoning, the arguments of a tool call). Each piece that
// arrives is appended to the views of package normalize; every [Cursor] looks on
// from where it stopped and says up to which offset it will report nothing more;
// the smallest of those offsets is how far the text may go out. Matches in
// between are replaced by a token, or end the text, as [Config.Decide] says.
//
// The property that everything rests on, and that the fuzz target keeps: for
// every text and every way to cut it into pieces, the pieces that come out are
// the same text, and each prefix of it is final. A whole text is the case of one
// piece, so there is no second way to look.
//
// For the property to hold a Cursor decides about a start only when what it
// needs to see is there, or the text is final. The cost is linear in the text:
// what is looked at twice is bounded by the longest undecided match.
package stream

import (
	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/normalize"
)

// Context is how many bytes of the views before an undecided start stay visible:
// a Cursor must not look back further.
const Context = 64

// Scope is what a Scanner may know about a text before it comes.
type Scope struct {
	Way    ringwall.Direction
	Origin ringwall.Origin
	System []string // the operator's instructions in this exchange
}

// Scanner makes cursors. It is safe for concurrent use.
type Scanner interface {
	// Begin returns a Cursor for one text, or nil and the reason, in kebab-case,
	// why there is nothing to look for.
	Begin(Scope) (Cursor, string)
}

// Cursor looks for one control's matches in one text as it comes. It does no
// I/O, keeps no text, and takes time linear in what it has not yet decided.
type Cursor interface {
	// Scan looks at starts from where it stopped last and reports matches in
	// ascending order of start. It returns the offset before which no match
	// will start any more; with w.Final that is the end of the text.
	Scan(w Window, found func(Match)) (safe int)
}

// Views are kinds of views of a text, beside the text itself.
type Views uint8

// Kinds of views.
const (
	Decoded   Views = 1 << iota // encodings, escapes, invisible and look-alike characters undone
	Respelled                   // letters put right that were changed, moved or parted: what numbers and codes do not survive
	AllViews  = Decoded | Respelled
)

// Viewer is a Scanner that says in which views of a text it wants to look too.
// One that does not say wants all of them.
type Viewer interface{ Views() Views }

// Freer is a Cursor that can serve another text. Whoever had it from Begin calls
// Free once it is no longer used.
type Freer interface{ Free() }

// Window is the part of the views that a Cursor may look at. Offsets are counted
// from the beginning of the text.
type Window struct {
	Clean  []byte // normalised, case kept
	Folded []byte // the same in lower case, byte for byte as long
	Base   int    // offset of Clean[0]
	Final  bool   // nothing more will come
}

// End returns the offset behind the window.
func (w Window) End() int { return w.Base + len(w.Clean) }

// Match is one thing seen, in offsets of the views.
type Match struct {
	Start, End int
	Reason     string
	Severity   ringwall.Severity
	Score      float64
	// Goes on where the previous match of this Cursor ended, and is the same
	// thing: the rest of a secret that is longer than what was waited for.
	Rest bool
	// Control is whose match it is, where that is not the Watch's.
	Control string
	Via     string // under which disguises it was seen: Finding.Via
}

// Watch is a Cursor and the control that it serves.
type Watch struct {
	Control string
	Cursor  Cursor
	// Late lets the text go before this one has looked. What it finds in text that
	// is gone ends the rest.
	Late bool
}

// Config configures a Redactor.
type Config struct {
	Watches []Watch // ties between matches go to the earlier
	// Excepts excuse findings. They are asked before a finding inside them is
	// decided, so a text waits for them as it waits for the watches.
	Excepts []Except
	// Known are findings about the text, with raw spans, that were made before it
	// came: by decoding parts of it, say. In ascending order of start.
	Known []ringwall.Finding
	// Note is shown every finding as it is made and may write into it; a finding
	// that it refuses was never made. Nil takes all as they are.
	Note func(*ringwall.Finding) bool
	// Decide says what to do about a finding. Findings that it does not mask
	// leave the text as it is.
	Decide func(ringwall.Finding) ringwall.Action
	// Token returns what stands for a masked text; default [Token]. Of a match
	// that goes on (Match.Rest) it is given as much as has come.
	Token func(f ringwall.Finding, text []byte) string
}

// Redactor is the release cursor over one text. It is owned by one goroutine.
type Redactor struct {
	cfg      Config
	buf      normalize.Buffer
	safe     []int // per watch: its last answer
	spans    []span
	findings []ringwall.Finding
	last     []int    // per watch: index of its last finding, for Match.Rest
	open     []span   // what waits for the excepts to be decided
	excused  []excuse // where excepts matched
	released int      // raw offset up to which the text went out, or was replaced
	covered  int      // raw offset up to which the last token stands for the text
	blocked  bool
	masked   bool
	scored   bool // the watches were asked for their scores
	scores   ringwall.Scores
	out      []byte
	final    bool

	watch   int // the watch, or the except, that scans, for found and excepted
	found   func(Match)
	matched func(Match)
	scoring func(string, float64)
}

// span is a raw stretch to be replaced.
type span struct {
	start, end int
	watch      int
	finding    int
	rest       bool
}

// New returns a Redactor. A nil Decide blocks on every finding.
func New(cfg Config) *Redactor {
	r := &Redactor{}
	r.found, r.matched, r.scoring = r.note, r.excuse, r.addScore
	r.Reset(cfg)
	return r
}

// Reset makes r ready for another text, keeping its memory.
func (r *Redactor) Reset(cfg Config) {
	if cfg.Decide == nil {
		cfg.Decide = func(ringwall.Finding) ringwall.Action { return ringwall.Block }
	}
	if cfg.Token == nil {
		cfg.Token = func(f ringwall.Finding, _ []byte) string { return Token(f.Reason) }
	}
	r.cfg = cfg
	r.buf.Reset()
	r.safe = r.safe[:0]
	r.last = r.last[:0]
	for range cfg.Watches {
		r.safe = append(r.safe, 0)
		r.last = append(r.last, -1)
	}
	r.spans, r.findings, r.out = r.spans[:0], nil, r.out[:0]
	r.open, r.excused = r.open[:0], r.excused[:0]
	r.released, r.covered = 0, 0
	r.blocked, r.masked, r.final = false, false, false
	r.scored, r.scores = false, r.scores[:0]
	r.watch = unwatched
	for _, f := range cfg.Known {
		r.add(f)
	}
}

// Know adds a finding about text that has not gone out yet.
func (r *Redactor) Know(f ringwall.Finding) {
	r.watch = unwatched
	r.add(f)
}

const unwatched = -1 // of Redactor.watch: no cursor of ours made the finding

// Write adds p to the text and returns what may go out now, valid until the next
// call. After [Redactor.Blocked] it returns nothing.
func (r *Redactor) Write(p []byte) []byte {
	if r.blocked || r.final {
		return nil
	}
	r.buf.Append(p, false)
	return r.step(false)
}

// Close ends the text and returns its rest.
func (r *Redactor) Close() []byte { return r.Text("") }

// Text ends the text with s and returns what may go out: of a new Redactor, s is
// the whole text.
func (r *Redactor) Text(s string) []byte {
	if r.final || r.blocked && r.buf.RawLen() > 0 {
		return nil // what was known before the text came stops it, but not the looking
	}
	r.buf.AppendString(s, true)
	return r.step(true)
}

// Blocked reports whether a finding ended the text.
func (r *Redactor) Blocked() bool { return r.blocked }

// Masked reports whether a part of the text was replaced.
func (r *Redactor) Masked() bool { return r.masked }

// Findings returns what was noticed, in the order in which it was decided.
// Their spans are raw offsets.
func (r *Redactor) Findings() []ringwall.Finding { return r.findings }

// Held returns how many bytes of the text wait for what follows them.
func (r *Redactor) Held() int { return r.buf.RawLen() - r.released }

// Released returns the raw offset up to which the text is settled.
func (r *Redactor) Released() int { return r.released }

// Hidden returns how many invisible characters the text held so far.
func (r *Redactor) Hidden() int { return r.buf.Hidden() }

// step has everybody look at what was appended.
func (r *Redactor) step(final bool) []byte {
	r.out, r.final = r.out[:0], final
	clean, folded, base := r.buf.Window()
	w := Window{Clean: clean, Folded: folded, Base: base, Final: final}
	safe, seen := w.End(), w.End() // what may go out; what all have seen
	for i := range r.cfg.Watches {
		n := r.scan(i, w)
		if seen = min(seen, n); !r.cfg.Watches[i].Late {
			safe = min(safe, n)
		}
	}
	if final {
		r.score()
	}
	if len(r.cfg.Excepts) > 0 {
		safe = min(safe, r.except(w))
		seen = min(seen, safe)
	}
	if r.blocked {
		return nil
	}
	// Invisible characters wait for what they stand before, and a character whose
	// form in the views has several for all of them.
	limit := min(r.buf.End(safe), r.buf.Start(safe))
	if final {
		limit = r.buf.RawLen()
	}
	r.release(limit)
	r.buf.Trim(max(seen-Context, 0), min(r.released, limit))
	return r.out
}

// scan asks the i-th watch. One that panics has not looked: that is a finding,
// and it is not asked again.
func (r *Redactor) scan(i int, w Window) (safe int) {
	if r.safe[i] == panicked {
		return w.End()
	}
	defer func() {
		if p := recover(); p != nil {
			r.failed(i)
			safe = w.End()
		}
	}()
	r.watch = i
	r.safe[i] = r.cfg.Watches[i].Cursor.Scan(w, r.found)
	return r.safe[i]
}

const panicked = -1

// failed notes that the i-th watch panicked.
func (r *Redactor) failed(i int) {
	r.safe[i] = panicked
	r.add(ringwall.Finding{
		Control: r.cfg.Watches[i].Control, Reason: ringwall.ReasonUnavailable,
		Severity: ringwall.Critical, Score: 1,
	})
}

// note records a match of the watch that scans.
func (r *Redactor) note(m Match) {
	start, end := r.buf.Start(m.Start), r.buf.End(m.End)
	if m.Rest && r.last[r.watch] == refused {
		return
	}
	if m.Rest {
		start = r.buf.End(m.Start)
	}
	if start >= r.covered {
		start = max(start, r.released) // what is gone cannot be replaced
	}
	if m.Rest && r.last[r.watch] >= 0 {
		i := r.last[r.watch]
		r.findings[i].Where.End = end
		r.queue(span{start, end, r.watch, i, true})
		return
	}
	f := ringwall.Finding{
		Control:  r.cfg.Watches[r.watch].Control,
		Reason:   m.Reason,
		Severity: m.Severity,
		Score:    m.Score,
		Where:    ringwall.Span{Start: start, End: end},
		Via:      m.Via,
	}
	if m.Control != "" {
		f.Control = m.Control
	}
	r.last[r.watch] = r.add(f)
}

const refused = -2 // of Redactor.last: the finding was not taken

// add keeps f, and decides about it as soon as that can be done. It returns its
// index.
func (r *Redactor) add(f ringwall.Finding) int {
	if r.cfg.Note != nil && !r.cfg.Note(&f) {
		return refused
	}
	r.findings = append(r.findings, f)
	i := len(r.findings) - 1
	r.queue(span{f.Where.Start, f.Where.End, r.watch, i, false})
	return i
}

// queue decides about s, or has it wait for those who may excuse it. What is
// about the whole text nobody excuses by its place.
func (r *Redactor) queue(s span) {
	if len(r.cfg.Excepts) > 0 && s.end > s.start {
		r.open = append(r.open, s)
		return
	}
	r.decide(s)
}

// decide does what Decide says about the finding of s.
func (r *Redactor) decide(s span) {
	f := &r.findings[s.finding]
	if len(r.cfg.Excepts) > 0 && (s.rest || f.Excepted == "") {
		r.pardon(s, f)
	}
	switch r.cfg.Decide(*f) {
	case ringwall.Flag, ringwall.Allow:
	case ringwall.Mask:
		if s.end <= s.start && !s.rest || r.late(s) {
			r.blocked = true // nothing can be replaced, or it is gone: nothing more may go out
			return
		}
		r.insert(s)
	default:
		r.blocked = true
	}
}

// late reports whether the text of s went out before a watch that may be late
// had seen it.
func (r *Redactor) late(s span) bool {
	return s.watch != unwatched && r.cfg.Watches[s.watch].Late && s.start < r.released && s.start >= r.covered
}

// insert keeps spans in their order.
func (r *Redactor) insert(s span) {
	i := len(r.spans)
	for i > 0 && s.before(r.spans[i-1]) {
		i--
	}
	r.spans = append(r.spans, span{})
	copy(r.spans[i+1:], r.spans[i:])
	r.spans[i] = s
}

// before orders spans by start. What goes on goes before what begins there, so
// that it makes no difference where its pieces meet; then the order of the
// watches decides.
func (s span) before(o span) bool {
	switch {
	case s.start != o.start:
		return s.start < o.start
	case s.rest != o.rest:
		return s.rest
	}
	return s.watch < o.watch
}

// release lets the text go up to limit, the raw offset before which no further
// match will start.
func (r *Redactor) release(limit int) {
	n := 0
	for ; n < len(r.spans); n++ {
		s := r.spans[n]
		if s.start >= limit && !s.rest {
			break
		}
		r.emit(s.start)
		if s.start >= r.covered && !(s.rest && s.start == r.covered) {
			r.out = append(r.out, r.cfg.Token(r.findings[s.finding], r.buf.Raw(s.start, r.reach(n)))...)
			r.masked = true
		}
		r.covered = max(r.covered, s.end)
		r.released = max(r.released, r.covered)
	}
	r.spans = append(r.spans[:0], r.spans[n:]...)
	r.emit(limit)
}

// reach returns the end of the spans that overlap the n-th or go on with it, as
// far as they are known: one token stands for all of them.
func (r *Redactor) reach(n int) int {
	end := r.spans[n].end
	for _, s := range r.spans[n+1:] {
		if s.start > end || s.start == end && !s.rest {
			break
		}
		end = max(end, s.end)
	}
	return end
}

// emit puts out the text up to the raw offset to.
func (r *Redactor) emit(to int) {
	if to > r.released {
		r.out = append(r.out, r.buf.Raw(r.released, to)...)
		r.released = to
	}
}

// Token returns what stands for a masked text: the reason as Bedrock writes its
// types, "{US_SOCIAL_SECURITY_NUMBER}".
func Token(reason string) string {
	b := make([]byte, 0, len(reason)+2)
	b = append(b, '{')
	for _, c := range []byte(reason) {
		switch {
		case c == '-':
			c = '_'
		case 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		}
		b = append(b, c)
	}
	return string(append(b, '}'))
}
