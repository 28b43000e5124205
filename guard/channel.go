package guard

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Channel looks at one text as it comes. It is owned by one goroutine.
type Channel struct {
	g     *Guard
	s     Session
	looks *Looks
	keep  ringwall.Text // where and whose the text is; the text itself only while detectors wait for it
	slow  []int         // rules that look at the whole text
	held  []byte        // the text, while it is held back for them
	red   *stream.Redactor
	watch []stream.Watch
	extra []ringwall.Finding // of the slow rules
	cut   bool
}

var channels = sync.Pool{New: func() any { return &Channel{red: stream.New(stream.Config{})} }}

// Channel returns a Channel for a text of the given origin at the given path.
// The looks of all channels that share l are gathered there. The text comes by
// Write and Close; at.Value is not read.
func (g *Guard) Channel(s Session, at ringwall.Text, l *Looks) *Channel {
	c := channels.Get().(*Channel)
	*c = Channel{g: g, s: s, looks: l, red: c.red, watch: c.watch[:0], slow: c.slow[:0], held: c.held[:0]}
	c.keep = ringwall.Text{Path: at.Path, Origin: at.Origin}
	scope := stream.Scope{Way: s.Way, Origin: at.Origin, System: s.System}
	for i, r := range g.cfg.Rules {
		switch {
		case l.off(i):
		case r.Detector != nil:
			c.slow = append(c.slow, i)
		default:
			cursor, why := r.Scanner.Begin(scope)
			if cursor == nil {
				l.skip(i, why)
				continue
			}
			l.ran(i)
			c.watch = append(c.watch, stream.Watch{Control: r.Control, Cursor: cursor})
		}
	}
	c.red.Reset(c.config(nil))
	return c
}

func (c *Channel) config(known []ringwall.Finding) stream.Config {
	return stream.Config{Watches: c.watch, Known: known, Decide: c.g.policy[c.s.Way].Action, Token: c.s.Token}
}

// Write adds p to the text and returns what may go out now, valid until the next
// call.
func (c *Channel) Write(p []byte) []byte {
	if len(c.slow) > 0 {
		c.held = append(c.held, p...)
		return nil
	}
	return c.red.Write(p)
}

// Close ends the text and returns its rest.
func (c *Channel) Close(ctx context.Context) []byte {
	if len(c.slow) > 0 {
		return c.text(ctx, string(c.held))
	}
	out := c.red.Close()
	c.failures()
	return out
}

// text looks at a whole text.
func (c *Channel) text(ctx context.Context, text string) []byte {
	c.keep.Value = text
	known := c.disguised(text)
	if len(c.slow) > 0 {
		found := c.detect(ctx)
		for _, f := range found {
			if f.Where.Empty() {
				c.extra = append(c.extra, f)
			} else {
				known = append(known, f)
			}
		}
	}
	if len(known) > 0 {
		slices.SortStableFunc(known, func(a, b ringwall.Finding) int { return a.Where.Start - b.Where.Start })
		c.red.Reset(c.config(known))
	}
	out := c.red.Text(text)
	c.failures()
	for _, f := range c.extra {
		if c.g.policy[c.s.Way].Action(f) < ringwall.Flag {
			c.cut = true
		}
	}
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

// Free gives the Channel's memory back for other texts; it must not be used
// afterwards.
func (c *Channel) Free() {
	if cap(c.held) > 1<<20 {
		return // let the large ones go
	}
	c.red.Reset(stream.Config{})
	c.g, c.looks, c.s, c.keep, c.extra = nil, nil, Session{}, ringwall.Text{}, nil
	for _, w := range c.watch {
		if f, ok := w.Cursor.(stream.Freer); ok {
			f.Free()
		}
	}
	clear(c.watch)
	channels.Put(c)
}

// detect asks the slow rules, side by side, each for at most the timeout.
func (c *Channel) detect(ctx context.Context) []ringwall.Finding {
	ctx, cancel := context.WithTimeout(ctx, c.g.cfg.Timeout)
	defer cancel()
	type answer struct {
		at  int
		fs  []ringwall.Finding
		err error
	}
	answers := make(chan answer, len(c.slow)) // buffered: a late detector never leaks
	text := c.keep
	for at, i := range c.slow {
		d := c.g.cfg.Rules[i].Detector
		go func() {
			fs, err := look(ctx, d, text)
			answers <- answer{at, fs, err}
		}()
	}
	got := make([]*answer, len(c.slow))
wait:
	for range c.slow {
		select {
		case a := <-answers:
			got[a.at] = &a
		case <-ctx.Done():
			break wait
		}
	}
	var fs []ringwall.Finding
	for at, i := range c.slow {
		control := c.g.cfg.Rules[i].Control
		switch a := got[at]; {
		case a == nil:
			c.looks.fail(control, "timeout")
			fs = append(fs, unavailable(control))
		case a.err != nil:
			c.looks.fail(control, "error")
			fs = append(fs, unavailable(control))
		default:
			c.looks.ran(i)
			fs = append(fs, bounded(a.fs, control, len(text.Value))...)
		}
	}
	return fs
}

// bounded puts findings of other people's code right: under their rule's
// control, and inside the text.
func bounded(fs []ringwall.Finding, control string, n int) []ringwall.Finding {
	for i := range fs {
		fs[i].Control = control
		if w := fs[i].Where; w.Start < 0 || w.End > n || w.Start > w.End {
			fs[i].Where = ringwall.Span{}
		}
	}
	return fs
}

func unavailable(control string) ringwall.Finding {
	return ringwall.Finding{Control: control, Reason: ringwall.ReasonUnavailable, Severity: ringwall.Critical, Score: 1}
}

// look calls d and turns a panic into an error.
func look(ctx context.Context, d Detector, text ringwall.Text) (fs []ringwall.Finding, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the detector panicked: %v", p)
		}
	}()
	return d.Detect(ctx, text)
}
