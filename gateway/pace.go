package gateway

import (
	"errors"
	"fmt"
	"time"
)

// pace has a client send a body at a least rate, whatever it takes in all: who sends a
// byte now and then holds a request for nothing.
type pace struct {
	x     *exchange
	began time.Time
	until time.Time // of the deadline that is set
	last  time.Time // until when all must have come
	n     int64
}

func (x *exchange) pace() pace {
	now := time.Now()
	return pace{x: x, began: now, last: now.Add(x.g.cfg.Limits.Read)}
}

// errSlow says that a client sends or reads too slowly. It is a time-out (net.Error).
type errSlow struct{ what string }

func (e *errSlow) Error() string { return e.what }

// Timeout implements net.Error.
func (*errSlow) Timeout() bool { return true }

// Temporary implements net.Error.
func (*errSlow) Temporary() bool { return false }

// next is called before each read, with how many bytes the last one gave.
func (p *pace) next(n int) error {
	p.n += int64(n)
	now := time.Now()
	l := &p.x.g.cfg.Limits
	if p.until.Sub(now) > l.Grace/2 || p.until.Equal(p.last) {
		return nil // setting a deadline costs as much as reading a piece
	}
	if took := now.Sub(p.began) - l.Grace; took > 0 && p.n < int64(took.Seconds()*float64(l.Rate)) {
		return &errSlow{fmt.Sprintf("the client sends less than %d bytes a second", l.Rate)}
	}
	if p.until = now.Add(l.Grace); p.until.After(p.last) {
		p.until = p.last
	}
	p.x.rc.SetReadDeadline(p.until)
	return nil
}

// accepted takes down that the client accepted n bytes of the answer since from. One
// that keeps us waiting longer than it may, and takes less than it must, is left.
func (x *exchange) accepted(n int, from time.Time) error {
	x.sent += int64(n)
	took := time.Since(from)
	if took < 100*time.Millisecond { // nobody waited
		return nil
	}
	l := &x.g.cfg.Limits
	if x.waited += took; x.waited > l.Write && x.sent < int64(x.waited.Seconds()*float64(l.Rate)) {
		return &clientGone{errReads}
	}
	return nil
}

var errReads = errors.New("writing the answer: the client reads too slowly")
