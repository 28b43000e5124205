package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/redact"
)

// Bypass is a part of a provider's API that an operator has passed on although
// nobody looks at it here. Callers are known, requests bounded and recorded, and
// the record says of every control that it did not look.
type Bypass struct {
	Path     string // "/v1/audio/": one that ends in a slash has all below it
	Name     string // of the provider, in the configuration
	Provider Passer
	Trust    redact.Right // of callers; the zero value lets nobody
	Body     int64        // bytes of a request; default 32 MiB
}

// Passer is a Provider that is asked what no dialect knows.
type Passer interface {
	// Pass sends a request on as it is, its path being that of the API's own
	// ("/v1/files"), with the provider's key. The answer is none of an error; the
	// caller closes its body.
	Pass(r *http.Request) (*http.Response, error)
}

// UnguardedHeader is the header of an answer at which nobody looked.
const UnguardedHeader = "X-Ringwall-Unguarded"

// Unguarded answers requests of APIs that nobody looks at here: they are refused,
// unless the World has a Bypass for them. Errors are in the dialect d.
func (g *Gateway) Unguarded(d Dialect) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		broke := false
		g.serve(w, r, d, clip(r.URL.Path, 100), func(x *exchange, ctx context.Context) error {
			err := x.pass(ctx)
			broke = err != nil && x.written
			return err
		})
		if broke {
			panic(http.ErrAbortHandler) // half an answer must not look whole
		}
	}
}

// pass is the way of a request at which nobody looks.
func (x *exchange) pass(ctx context.Context) error {
	p := x.world.bypass(x.r.URL.Path)
	// An escaped path may be another one to those behind us.
	if p == nil || strings.Contains(x.r.URL.EscapedPath(), "%") || x.r.Header.Get("Upgrade") != "" {
		x.Guardrail = ""
		return &ringwall.Refusal{
			Status: http.StatusNotFound, Code: "not_guarded",
			Public: x.r.Method + " " + clip(x.r.URL.Path, 100) + " is not guarded here, so it is not passed on.",
		}
	}
	if err := x.identify(ctx); err != nil {
		return err
	}
	if !p.Trust.Allows(x.Principal.Trust) {
		return tooLittle(x.Principal.Trust, p.Trust.String())
	}
	if err := x.afford(ctx); err != nil {
		return err
	}
	if err := x.may(ctx, PassUnguarded); err != nil {
		return err
	}
	if err := x.work(ctx); err != nil {
		return err
	}
	x.ticket.Rest() // nothing is looked at
	most := cmp.Or(p.Body, 32<<20)
	if x.r.ContentLength > most {
		return tooLarge(most)
	}
	x.Provider, x.detail = p.Name, x.r.Method+" "+x.r.URL.Path
	x.Verdict = ringwall.Verdict{Action: ringwall.Flag, Reasons: []string{unguarded}}
	for _, way := range []ringwall.Direction{ringwall.Input, ringwall.Output} {
		x.Looks = append(x.Looks, x.world.Guard.Looks(way).Skip(unguarded)...)
	}
	if err := x.promise(ctx); err != nil {
		return err
	}
	began := time.Now()
	defer func() { x.upstream = time.Since(began) }()
	onward := x.onward(ctx, most)
	resp, err := p.Provider.Pass(onward)
	var big *http.MaxBytesError
	var slow *errSlow
	switch {
	case errors.As(err, &big):
		return tooLarge(most)
	case errors.As(err, &slow), err != nil && isLate(onward.Body):
		return &ringwall.Refusal{Status: http.StatusRequestTimeout, Code: "incomplete_request", Public: "The request body did not come in time.", Err: err}
	case err != nil:
		return upstreamFailed(err)
	}
	defer resp.Body.Close()
	return x.back(resp)
}

// unguarded is why no control looked.
const unguarded = "unguarded"

// bypass returns the part of an API that path is in, nil if none is passed on.
func (w *World) bypass(path string) *Bypass {
	for i, p := range w.Bypasses {
		if path == p.Path || strings.HasSuffix(p.Path, "/") && strings.HasPrefix(path, p.Path) {
			return &w.Bypasses[i]
		}
	}
	return nil
}

// tooLittle refuses a caller who is trusted less than least.
func tooLittle(has ringwall.Trust, least string) error {
	return &ringwall.Refusal{
		Status: http.StatusForbidden, Code: "forbidden", Public: "This takes a key of trust " + least + ".",
		Err: fmt.Errorf("%w: trust %s, which is less than %s", ringwall.ErrRefused, has, least),
	}
}

// Headers of requests and of answers that belong to what is passed on. All others
// stay here, credentials above all.
var (
	passedOn   = []string{"Accept", "Content-Type", "Idempotency-Key", "Openai-Beta", "Range"}
	passedBack = []string{"Accept-Ranges", "Content-Disposition", "Content-Length", "Content-Range", "Content-Type", "Retry-After"}
)

// onward returns the request as the provider gets it.
func (x *exchange) onward(ctx context.Context, most int64) *http.Request {
	r := x.r.Clone(ctx)
	r.Header = http.Header{}
	for _, name := range passedOn {
		if v := x.r.Header.Values(name); len(v) > 0 {
			r.Header[name] = v
		}
	}
	if x.r.ContentLength != 0 {
		s := &sending{ReadCloser: http.MaxBytesReader(x.w, x.r.Body, most), pace: x.pace()}
		s.due.Store(math.MaxInt64)
		s.pace.last = s.pace.began.Add(x.g.cfg.Limits.Request) // it may be large
		r.Body = s
	} else {
		r.Body = nil
	}
	return r
}

// sending is a body that is passed on while it comes, as fast as it must.
type sending struct {
	io.ReadCloser
	pace pace
	n    int
	due  atomic.Int64 // when more must have come, in Unix nanoseconds
}

// isLate reports whether more of a body should have come by now. The connection's
// deadline ends the request as a client does that leaves, so that its error may come
// first.
func isLate(body io.ReadCloser) bool {
	s, ok := body.(*sending)
	return ok && time.Now().UnixNano() >= s.due.Load()
}

func (s *sending) Read(p []byte) (int, error) {
	if err := s.pace.next(s.n); err != nil {
		return 0, err
	}
	s.due.Store(s.pace.until.UnixNano())
	n, err := s.ReadCloser.Read(p)
	s.n = n
	if err == io.EOF {
		s.due.Store(math.MaxInt64)
	}
	return n, err
}

// back gives the answer to the client while it comes.
func (x *exchange) back(resp *http.Response) error {
	h := x.w.Header()
	for _, name := range passedBack {
		if v := resp.Header.Values(name); len(v) > 0 {
			h[name] = v
		}
	}
	h.Set(UnguardedHeader, "true")
	h.Set("X-Content-Type-Options", "nosniff")
	x.status(resp.StatusCode)
	buf := make([]byte, 32<<10)
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 {
			from := time.Now()
			if err := x.write(buf[:n]); err != nil {
				return err
			}
			if err := x.rc.Flush(); err != nil {
				return &clientGone{fmt.Errorf("writing the answer: %w", err)}
			}
			if err := x.accepted(n, from); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			x.outcome = ringwall.Answered
			return nil
		case err != nil:
			return upstreamFailed(fmt.Errorf("reading the answer: %w", err))
		}
	}
}
