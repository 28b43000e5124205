package guard

import (
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

// Exception excuses findings. Every field that is set narrows it; one that sets
// none excuses everything, for everybody, for ever.
type Exception struct {
	Name       string           // in the record of what it excused
	Scanners   []stream.Scanner // it excuses what lies inside their matches
	Principals []string         // ids of those whom it is for
	Tenants    []string
	Controls   []string // ids of the controls whose findings it excuses
	Reasons    []string
	Until      time.Time // from then on it excuses nothing; zero: it stays
}

// covers reports whether e may excuse f, wherever f is. That nobody could look
// is never excused.
func (e *Exception) covers(f ringwall.Finding) bool {
	return !f.Unlooked() && among(e.Controls, f.Control) && among(e.Reasons, f.Reason)
}

func among(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) }

// active returns the exceptions that are for who asks in s at this time.
func (g *Guard) active(s *Session) (out []*Exception) {
	if len(g.cfg.Exceptions) == 0 {
		return nil
	}
	now, p := g.cfg.Now(), &s.Principal
	for i := range g.cfg.Exceptions {
		e := &g.cfg.Exceptions[i]
		if (e.Until.IsZero() || now.Before(e.Until)) && among(e.Principals, p.ID) && among(e.Tenants, p.Tenant) && (s.Excuses == nil || s.Excuses(g.cfg.Name, e.Name)) {
			out = append(out, e)
		}
	}
	return out
}

// excepts returns cursors for the exceptions that go by the text.
func (c *Channel) excepts(scope stream.Scope) (out []stream.Except) {
	for _, e := range c.excuses {
		for _, s := range e.Scanners {
			if cursor, _ := s.Begin(scope); cursor != nil {
				out = append(out, stream.Except{Name: e.Name, Cursor: cursor, Covers: e.covers})
			}
		}
	}
	return out
}

// note is what every finding passes when it is made.
func (c *Channel) note(f *ringwall.Finding) bool {
	c.heed(f)
	if !c.policy.note(f) {
		return false
	}
	for _, e := range c.excuses {
		if len(e.Scanners) == 0 && e.covers(*f) {
			f.Excepted = e.Name
			return true
		}
	}
	return true
}

// pardon excuses findings about the whole of text, where an exception matches
// all of it.
func (c *Channel) pardon(fs []ringwall.Finding, text string) {
	excepts := c.excepts(c.scope())
	if len(excepts) == 0 {
		return
	}
	start := len(text) - len(strings.TrimLeft(text, " \t\r\n"))
	end := len(strings.TrimRight(text, " \t\r\n"))
	for _, x := range excepts {
		r := stream.New(stream.Config{
			Watches: []stream.Watch{{Cursor: x.Cursor}},
			Decide:  func(ringwall.Finding) ringwall.Action { return ringwall.Allow },
		})
		r.Text(text)
		for _, m := range r.Findings() {
			if m.Where.Start > start || m.Where.End < end {
				continue
			}
			for i, f := range fs {
				if f.Where.Empty() && f.Excepted == "" && x.Covers(f) {
					fs[i].Excepted = x.Name
				}
			}
		}
	}
}
