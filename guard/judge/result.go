package judge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
)

// Result is how a look of a judge ended.
type Result string

// Results. Those after Skipped are why it could not look.
const (
	Ran     Result = "ran"
	Cached  Result = "cached" // every part was known
	Skipped Result = "skipped"

	Timeout     Result = "timeout"      // no answer in time
	Busy        Result = "busy"         // no slot among the calls at once
	Budget      Result = "budget"       // the calls of the minute are used up
	TooLong     Result = "too-long"     // more bytes than may be sent
	CircuitOpen Result = "circuit-open" // it failed too often, and is left alone
	Unreachable Result = "unreachable"  // no connection, or one that broke
	Refused     Result = "refused"      // it answered with an error
	Unreadable  Result = "unreadable"   // its answer is not what it ought to be
	Gone        Result = "gone"         // who asked has left, or the judge was closed
)

// Results lists all results.
func Results() []Result {
	return []Result{Ran, Cached, Skipped, Timeout, Busy, Budget, TooLong, CircuitOpen, Unreachable, Refused, Unreadable, Gone}
}

// Error is why a judge could not look. It holds no word of a text, of an answer
// or of a key.
type Error struct {
	Result Result
	Err    error
}

func (e *Error) Error() string { return "asking the judge: " + string(e.Result) + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Why says in kebab-case why nobody could look.
func (e *Error) Why() string { return string(e.Result) }

// Of returns the Result of an error of a Judge, "" of any other.
func Of(err error) Result {
	var e *Error
	if errors.As(err, &e) {
		return e.Result
	}
	return ""
}

func result(err error) Result {
	if r := Of(err); r != "" {
		return r
	}
	return Gone
}

// timely makes an *Error of err, and tells that time was over from that somebody
// left.
func timely(ctx context.Context, err error) error {
	var out net.Error
	switch cause := context.Cause(ctx); {
	case err == nil:
		return nil
	case errors.Is(cause, context.DeadlineExceeded):
		return &Error{Timeout, context.DeadlineExceeded}
	case Of(err) != "" && cause == nil:
		return err
	case cause != nil:
		if Of(err) != "" && Of(err) != Unreachable {
			return err
		}
		return &Error{Gone, context.Canceled}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &out) && out.Timeout():
		return &Error{Timeout, context.DeadlineExceeded}
	}
	return &Error{Unreachable, bare(err)}
}

// bare takes the address off an error of a client: there may be more in it than
// a log should hold.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func unreadable(format string, args ...any) error {
	return &Error{Unreadable, fmt.Errorf(format, args...)}
}

// refusal is an answer that is an error.
type refusal struct {
	status int           // of HTTP
	after  time.Duration // when to come again
}

func (r *refusal) Error() string { return fmt.Sprintf("it answered with status %d", r.status) }

// final marks an error after which the same call must not be made again.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// again reports whether a call may be made once more, and when. To judge a text
// changes nothing, so that asking twice is safe; but what took all the time once
// will do so again, and what was understood and refused stays refused.
func again(err error, tries, most int) (wait time.Duration, ok bool) {
	var stop final
	if tries >= most || errors.As(err, &stop) {
		return 0, false
	}
	const pause = 100 * time.Millisecond
	var r *refusal
	switch {
	case Of(err) == Unreachable:
		return pause, true
	case errors.As(err, &r):
		switch r.status {
		case 429, 502, 503, 504:
			return max(r.after, pause), r.after <= 2*time.Second
		}
	}
	return 0, false
}

// Observer hears what judges do. Its methods must be quick and safe for
// concurrent use. Errors hold no text.
type Observer interface {
	// Judged says how a look at a text ended, and how long the text waited.
	Judged(judge string, r Result, took time.Duration, err error)
	// Called says how one call went.
	Called(judge string, took time.Duration, err error)
	// Breaker says that the circuit breaker changed its state.
	Breaker(judge string, s State)
}

type nobody struct{}

func (nobody) Judged(string, Result, time.Duration, error) {}
func (nobody) Called(string, time.Duration, error)         {}
func (nobody) Breaker(string, State)                       {}
