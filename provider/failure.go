package provider

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Reason says in a word why a provider gave no answer.
type Reason string

// Reasons.
const (
	Unreachable Reason = "unreachable" // no connection, or one that broke
	TimedOut    Reason = "timed-out"   // nothing came in time
	RateLimited Reason = "rate-limit"  // asked too often (429)
	Unavailable Reason = "unavailable" // an error of its own (5xx)
	Denied      Reason = "denied"      // it does not take our key (401, 403)
	NoModel     Reason = "no-model"    // it does not have the model (404)
	Rejected    Reason = "rejected"    // it does not take the request (other 4xx)
	Unreadable  Reason = "unreadable"  // what came is no answer
	Uncarried   Reason = "uncarried"   // its API has no word for the request: it was not asked
	LeftAlone   Reason = "left-alone"  // it failed too often a moment ago: it was not asked
	Gone        Reason = "gone"        // nobody waits for the answer any more
)

// Reasons lists all reasons.
func Reasons() []Reason {
	return []Reason{Unreachable, TimedOut, RateLimited, Unavailable, Denied, NoModel, Rejected, Unreadable, Uncarried, LeftAlone, Gone}
}

// Elsewhere reports whether another provider may answer what this one did not. A
// request that is wrong is wrong everywhere.
func (r Reason) Elsewhere() bool { return r != Rejected && r != Gone }

// Fault reports whether the reason is a sign that the provider is not well.
func (r Reason) Fault() bool {
	switch r {
	case Unreachable, TimedOut, RateLimited, Unavailable, Denied, Unreadable:
		return true
	case NoModel, Rejected, Uncarried, LeftAlone, Gone:
	}
	return false
}

// Failure is the error of a provider that gave no answer.
type Failure struct {
	Reason Reason
	After  time.Duration // when the provider wants to be asked again; 0: it did not say
	again  bool          // asking again at once may help
	Err    error
}

func (f *Failure) Error() string { return f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// ReasonOf says why err, an error of a provider, is no answer.
func ReasonOf(err error) Reason {
	var f *Failure
	switch {
	case errors.Is(err, ringwall.ErrUncarried):
		return Uncarried
	case errors.As(err, &f):
		return f.Reason
	case errors.Is(err, context.DeadlineExceeded):
		return TimedOut
	case errors.Is(err, context.Canceled):
		return Gone
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Unreachable
	}
	return Unreadable
}

// unreadable is the failure of an answer that is none.
func unreadable(err error) error { return &Failure{Reason: Unreadable, Err: err} }

// longestAfter bounds what a provider may ask for in Retry-After.
const longestAfter = time.Hour

// retryAfter reads a Retry-After (RFC 9110 §10.2.3).
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil {
		return min(max(0, time.Duration(n)), longestAfter/time.Second) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return min(max(0, time.Until(at)), longestAfter)
	}
	return 0
}

// errorIn returns the error that the body of an answer is, nil when it is none: some
// providers, and what stands before them, report errors with status 200.
func (c *Client) errorIn(body []byte) error {
	if !mayBeError(body) {
		return nil
	}
	var doc jsonedit.Doc
	if doc.Parse(body, jsonedit.Limits{AllowNUL: true}) != nil {
		return nil // whoever reads it will say so
	}
	root := doc.Root()
	e := root.Get("error")
	if k := e.Kind(); !e.Exists() || k != jsonedit.Object && (k != jsonedit.String || e.Text() == "") {
		return nil
	}
	for _, said := range []string{"choices", "content", "output", "candidates", "data", "status"} {
		if root.Get(said).Exists() {
			return nil // an answer that tells of an error besides
		}
	}
	status := http.StatusBadGateway
	for _, where := range []jsonedit.Value{e.Get("code"), e.Get("status")} {
		if n, ok := where.Int(); ok && n >= 400 && n <= 599 {
			status = int(n)
			break
		}
	}
	if c.told(root) != "" {
		status = http.StatusBadRequest
	}
	return c.refusal(status, nil, root)
}

// mayBeError reports whether it is worth reading body to know whether it is an
// error.
func mayBeError(body []byte) bool {
	return bytes.Contains(body[:min(len(body), 256)], []byte(`"error"`))
}

// whole returns an error unless body may be a document of JSON, of which somebody
// else reads more.
func (c *Client) whole(body []byte, h http.Header) error {
	body = bytes.TrimSpace(body)
	if n := len(body); n < 2 || !(body[0] == '{' && body[n-1] == '}') && !(body[0] == '[' && body[n-1] == ']') {
		return unreadable(fmt.Errorf("reading the model's answer: its %d bytes, %.80q, are no JSON", n, h.Get("Content-Type")))
	}
	return c.errorIn(body)
}
