package guard

import (
	"context"
	"slices"
	"sync"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Channel looks at one text as it comes. It is owned by one goroutine.
type Channel struct {
	g       *Guard
	s       Session
	looks   *Looks
	policy  Policy
	excuses []*Exception
	keep    ringwall.Text // where and whose the text is; the text itself only while detectors look at it
	red     *stream.Redactor
	watch   []stream.Watch
	sources []source // of watch, to look with under disguises
	signals bool     // disguises themselves are findings
	tokens  tokens
	extra   []ringwall.Finding // about all of the text
	cut     bool
	scores  ringwall.Scores // beside those of red

	whole  []asked  // rules and judges that look once the text is whole
	slow   []asked  // those that look at a stretch before it leaves
	late   []asked  // those that look at a stretch while it leaves
	ahead  []answer // of whole, where they were asked before
	held   []byte   // the text while it waits for these
	win    windows
	flying []flight
}

// flight is a stretch that late rules look at.
type flight struct {
	w       window
	answers chan []answer
}

// mostFlying bounds the stretches that late rules are behind.
const mostFlying = 4

var channels = sync.Pool{New: func() any { return &Channel{red: stream.New(stream.Config{})} }}

// Channel returns a Channel for a text of the given origin at the given path.
// The looks of all channels that share l are gathered there. The text comes by
// Write and Close; at.Value is not read.
func (g *Guard) Channel(s Session, at ringwall.Text, l *Looks) *Channel {
	c := channels.Get().(*Channel)
	*c = Channel{
		g: g, s: s, looks: l, policy: g.on(s.Way, at.Origin), excuses: g.active(&s),
		keep: ringwall.Text{Path: at.Path, Origin: at.Origin},
		red:  c.red, watch: c.watch[:0], sources: c.sources[:0], whole: c.whole[:0], slow: c.slow[:0], late: c.late[:0], held: c.held[:0], win: c.win, scores: c.scores[:0],
	}
	c.win.reset()
	if c.s.Context == nil {
		c.s.Context = context.Background()
	}
	scope := c.scope()
	for i := range g.cfg.Rules {
		r := &g.cfg.Rules[i]
		switch {
		case l.off(i) || r.Missing != "":
		case r.actions(s.Way, at.Origin) == nil:
			l.skip(i, "not-configured")
		case r.Control == Sanitize:
			c.signals = true
			l.ran(i)
		case r.Detector != nil:
			if d, why := l.begin(i, s); d != nil {
				c.detector(asked{i, d}, r.Release)
			} else {
				l.skip(i, why)
			}
		default:
			c.scanners(i, scope)
		}
	}
	c.judges()
	if s.Way == ringwall.Output && len(c.sources) > 0 {
		c.tokens = tokens{c: c}
		c.watch = append(c.watch, stream.Watch{Control: Sanitize, Cursor: &c.tokens})
	}
	c.red.Reset(c.config(nil))
	return c
}

func (c *Channel) scope() stream.Scope {
	return stream.Scope{Way: c.s.Way, Origin: c.keep.Origin, System: c.s.System}
}

// detector notes how the text waits for the detector of a rule. On the
// way in all of it is there at once.
func (c *Channel) detector(a asked, r Release) {
	switch {
	case c.s.Way == ringwall.Input || r == Strict || r == Buffer:
		c.whole = append(c.whole, a)
	case r == Window || r == CutOff && c.s.Sync:
		c.slow = append(c.slow, a)
	default:
		c.late = append(c.late, a)
	}
}

// scanners has the scanners of the i-th rule look.
func (c *Channel) scanners(i int, scope stream.Scope) {
	r := &c.g.cfg.Rules[i]
	for _, s := range r.Scanners {
		cursor, why := s.Begin(scope)
		if cursor == nil {
			c.looks.skip(i, why)
			continue
		}
		c.looks.ran(i)
		if r.Control == attackControl {
			c.scores = c.scores.Add(c.s.Way, ringwall.ScoreAttack, 0) // rules that find nothing say so
		}
		late := c.s.Way == ringwall.Output && (r.Release == CutOff && !c.s.Sync || r.Output.watches())
		c.watch = append(c.watch, stream.Watch{Control: r.Control, Cursor: cursor, Late: late})
		views := stream.AllViews
		if v, ok := s.(stream.Viewer); ok {
			views = v.Views()
		}
		if views != 0 {
			c.sources = append(c.sources, source{r.Control, s, views})
		}
	}
}

func (c *Channel) config(known []ringwall.Finding) stream.Config {
	return stream.Config{
		Watches: c.watch, Excepts: c.excepts(c.scope()), Known: known,
		Note: c.note, Decide: c.policy.Action, Token: c.token,
	}
}

// token returns what stands for a masked text.
func (c *Channel) token(f ringwall.Finding, text []byte) string {
	if c.s.Token != nil && c.policy.tokenizes(f) {
		return c.s.Token(f, text)
	}
	if own, ok := c.policy[f.Control].Token[f.Reason]; ok {
		return own
	}
	return stream.Token(f.Reason)
}

// waits reports whether nothing may leave before the text is whole.
func (c *Channel) waits() bool { return len(c.whole) > 0 || c.g.buffer && c.s.Way == ringwall.Output }

// Write adds p to the text and returns what may go out now, valid until the next
// call.
func (c *Channel) Write(p []byte) []byte {
	switch {
	case c.Blocked():
		return nil
	case c.waits():
		c.held = append(c.held, p...)
		return nil
	case len(c.slow) == 0 && len(c.late) == 0:
		return c.red.Write(p)
	}
	p = c.stretches(p, false)
	if c.Blocked() {
		return nil
	}
	return c.red.Write(p)
}

// Close ends the text and returns its rest.
func (c *Channel) Close(ctx context.Context) []byte {
	if c.Blocked() {
		return nil
	}
	if c.waits() {
		return c.text(ctx, string(c.held))
	}
	var rest []byte
	if len(c.slow) > 0 || len(c.late) > 0 {
		rest = c.stretches(nil, true)
	}
	if c.Blocked() {
		return nil
	}
	out := c.red.Text(string(rest))
	c.failures()
	return out
}

// stretches adds p to the text that detectors look at stretch by stretch, and
// returns what of it they let go.
func (c *Channel) stretches(p []byte, final bool) []byte {
	c.win.add(p)
	if len(c.slow) > 0 {
		c.held = append(c.held, p...)
		p = nil
	}
	for {
		w, ok := c.win.next(final)
		if !ok {
			break
		}
		text := c.keep
		text.Value = w.text
		if len(c.slow) > 0 {
			c.hear(c.g.detect(c.s.Context, c.slow, text), w)
			n := w.end - w.start
			p = append(p, c.held[:n]...)
			c.held = append(c.held[:0], c.held[n:]...)
		}
		if len(c.late) > 0 {
			c.land(mostFlying - 1)
			f := flight{w, make(chan []answer, 1)} // buffered: nobody may be there to hear it
			rules := slices.Clone(c.late)
			g, ctx := c.g, c.s.Context
			go func() { f.answers <- g.detect(ctx, rules, text) }()
			c.flying = append(c.flying, f)
		}
	}
	if final {
		c.land(0)
	} else {
		c.land(mostFlying)
	}
	return p
}

// land hears the late rules whose answers are there, and waits for answers until
// at most so many stretches are left.
func (c *Channel) land(most int) {
	for len(c.flying) > 0 {
		f := c.flying[0]
		if len(c.flying) > most {
			c.hear(<-f.answers, f.w)
		} else {
			select {
			case a := <-f.answers:
				c.hear(a, f.w)
			default:
				return
			}
		}
		c.flying = c.flying[1:]
	}
}

// text looks at a whole text.
func (c *Channel) text(ctx context.Context, text string) []byte {
	c.keep.Value = text
	if known := c.disguised(text); len(known) > 0 {
		slices.SortStableFunc(known, func(a, b ringwall.Finding) int { return a.Where.Start - b.Where.Start })
		c.red.Reset(c.config(known))
	}
	if len(c.whole) > 0 {
		if c.ahead == nil {
			c.ahead = c.g.detect(ctx, c.whole, c.keep)
		}
		c.hear(c.ahead, window{text: text, end: len(text)})
	}
	if rules := slices.Concat(c.slow, c.late); len(rules) > 0 {
		c.win.add([]byte(text))
		for w, ok := c.win.next(true); ok; w, ok = c.win.next(true) {
			c.hear(c.g.detect(ctx, rules, ringwall.Text{Path: c.keep.Path, Origin: c.keep.Origin, Value: w.text}), w)
		}
	}
	out := c.red.Text(text)
	c.failures()
	if c.cut {
		return nil
	}
	return out
}

// failures notes the scanners that panicked.
func (c *Channel) failures() {
	for _, f := range c.red.Findings() {
		if f.Reason == ringwall.ReasonUnavailable {
			c.looks.fail(f.Control, "panic")
		}
	}
}

// Blocked reports whether the text ended by policy: nothing more of it may go
// out.
func (c *Channel) Blocked() bool { return c.cut || c.red.Blocked() }

// Masked reports whether a part of the text was replaced.
func (c *Channel) Masked() bool { return c.red.Masked() }

// Settled returns the offset up to which the text as given went out or was
// replaced.
func (c *Channel) Settled() int { return c.red.Released() }

// Findings returns what was noticed, with the path of the text.
func (c *Channel) Findings() []ringwall.Finding {
	fs := slices.Concat(c.red.Findings(), c.extra)
	for i := range fs {
		fs[i].Path = c.keep.Path
	}
	return fs
}

// verdict returns what is to be done about the text by what was noticed so far.
func (c *Channel) verdict() ringwall.Verdict { return Decide(c.policy, c.Findings()) }

// Free gives the Channel's memory back for other texts; it must not be used
// afterwards.
func (c *Channel) Free() {
	if cap(c.held) > 1<<20 || cap(c.win.buf) > 1<<20 || len(c.flying) > 0 {
		return // let the large ones go
	}
	c.red.Reset(stream.Config{})
	c.scores = c.scores[:0]
	c.g, c.looks, c.s, c.keep, c.extra = nil, nil, Session{}, ringwall.Text{}, nil
	c.policy, c.excuses = nil, nil
	clear(c.whole[:cap(c.whole)])
	clear(c.slow[:cap(c.slow)])
	clear(c.late[:cap(c.late)])
	for _, w := range c.watch {
		if f, ok := w.Cursor.(stream.Freer); ok {
			f.Free()
		}
	}
	clear(c.watch)
	clear(c.sources)
	c.tokens = tokens{}
	channels.Put(c)
}
