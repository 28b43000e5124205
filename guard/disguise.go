package guard

import (
	"strings"
	"sync"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/internal/decode"
)

// Sanitize is the control under which disguises themselves are noticed. A rule
// of this control needs no scanner: the guard looks under disguises for all
// rules, and this one says what comes of there being any.
const Sanitize = "inference/sanitize"

// ReasonBounds is the reason of a finding that says that a text wears more
// disguises than are looked under.
const ReasonBounds = "disguise-bounds"

// source is a scanner of this channel, to look with once more under disguises.
type source struct {
	control string
	scanner stream.Scanner
	views   stream.Views
}

// disguised looks under the disguises of a whole text and returns the findings
// about what was there, each about the bytes that said so. If that panics nobody
// has looked, which is a finding too.
func (c *Channel) disguised(text string) (found []ringwall.Finding) {
	if c.s.Way == ringwall.Output && !c.g.buffer || len(c.sources) == 0 && !c.signals {
		return nil // of what leaves as it comes, tokens are looked under
	}
	defer func() {
		if p := recover(); p != nil {
			found = nil
			for _, s := range c.sources {
				c.looks.fail(s.control, "panic")
				found = append(found, unavailable(s.control))
			}
		}
	}()
	views, whole := decode.Find(text, decode.Bounds{})
	for i := range views {
		v := &views[i]
		if start, end := v.Changed(); c.signals && v.Suspicion > 0 && start < end {
			found = append(found, ringwall.Finding{
				Control: Sanitize, Reason: v.Reason, Severity: suspicion(v.Suspicion), Score: v.Suspicion,
				Where: ringwall.Span{Start: start, End: end}, Via: strings.Join(v.Via, "+"),
			})
		}
		found = append(found, c.under(v)...)
	}
	if !whole {
		c.looks.fail(Sanitize, "bounds")
		found = append(found, ringwall.Finding{Control: Sanitize, Reason: ReasonBounds, Severity: ringwall.High, Score: 1})
	}
	return unique(found)
}

func suspicion(score float64) ringwall.Severity {
	switch {
	case score >= 0.9:
		return ringwall.High
	case score >= 0.6:
		return ringwall.Medium
	}
	return ringwall.Low
}

// unique keeps, of findings that say the same of the same place, the surest.
func unique(fs []ringwall.Finding) []ringwall.Finding {
	type place struct {
		control, reason string
		where           ringwall.Span
	}
	seen := map[place]int{}
	out := fs[:0]
	for _, f := range fs {
		p := place{f.Control, f.Reason, f.Where}
		at, again := seen[p]
		switch {
		case !again:
			seen[p] = len(out)
			out = append(out, f)
		case f.Score > out[at].Score:
			out[at] = f
		}
	}
	return out
}

// under has the scanners that want such a view look at it, and returns what they
// found where it differs from the text.
func (c *Channel) under(v *decode.View) (found []ringwall.Finding) {
	need := stream.Decoded
	if v.Respelled {
		need |= stream.Respelled
	}
	r := inner.Get().(*stream.Redactor)
	defer inner.Put(r)
	var watches []stream.Watch
	for _, s := range c.sources {
		if s.views&need != need {
			continue
		}
		if cursor, _ := s.scanner.Begin(c.scope()); cursor != nil {
			watches = append(watches, stream.Watch{Control: s.control, Cursor: cursor})
		}
	}
	r.Reset(stream.Config{Watches: watches, Decide: func(ringwall.Finding) ringwall.Action { return ringwall.Allow }})
	r.Text(v.Text)
	c.rate(r.Scores())
	via := strings.Join(v.Via, "+")
	for _, f := range r.Findings() {
		start, end, changed := v.Span(f.Where.Start, f.Where.End)
		if !changed && !f.Unlooked() || start >= end {
			continue // it is in the text as given
		}
		f.Where, f.Via = ringwall.Span{Start: start, End: end}, via
		found = append(found, f)
	}
	r.Reset(stream.Config{})
	for _, w := range watches {
		if f, ok := w.Cursor.(stream.Freer); ok {
			f.Free()
		}
	}
	return found
}

var inner = sync.Pool{New: func() any { return stream.New(stream.Config{}) }}

// tokens looks under the disguises of a text that leaves as it comes: those of
// single stretches of ASCII without a space, which is what encodings make. It is
// a cursor beside the others, so that where the text is cut makes no difference.
type tokens struct {
	c   *Channel
	pos int
}

// Bounds on tokens: shorter ones hide nothing, longer ones are looked at in
// pieces.
const (
	leastToken = 20
	mostToken  = 2048
)

// Scan implements stream.Cursor.
func (t *tokens) Scan(w stream.Window, found func(stream.Match)) int {
	i := t.pos - w.Base
	for i < len(w.Clean) {
		if !inToken(w.Clean[i]) {
			i++
			continue
		}
		end, most := i+1, min(len(w.Clean), i+mostToken)
		for end < most && inToken(w.Clean[end]) {
			end++
		}
		if end == len(w.Clean) && end < i+mostToken && !w.Final {
			break // it may go on
		}
		if end-i >= leastToken {
			t.look(string(w.Clean[i:end]), w.Base+i, found)
		}
		i = end
	}
	t.pos = w.Base + i
	return t.pos
}

func inToken(c byte) bool { return '!' <= c && c <= '~' }

// look looks under the disguises of a token.
func (t *tokens) look(token string, at int, found func(stream.Match)) {
	views, _ := decode.Find(token, decode.Bounds{})
	var fs []ringwall.Finding
	for i := range views {
		fs = append(fs, t.c.under(&views[i])...)
	}
	for _, f := range unique(fs) {
		found(stream.Match{
			Start: at + f.Where.Start, End: at + f.Where.End, Control: f.Control,
			Reason: f.Reason, Severity: f.Severity, Score: f.Score, Via: f.Via,
		})
	}
}
