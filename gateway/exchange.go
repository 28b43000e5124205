package gateway

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/hook"
	"github.com/ringwall/ringwall/internal/admit"
	"github.com/ringwall/ringwall/redact"
)

// Header is the response header that carries the id of the exchange.
const Header = "X-Ringwall-Exchange"

// ReleaseHeader is the header of a streamed answer that says how it waits for
// the guard: strict, window, buffer or cut-off.
const ReleaseHeader = "X-Ringwall-Stream"

// EstimateHeader is the response header that says of what the answer is an estimate
// by the gateway, where no provider counts: tokens.
const EstimateHeader = "X-Ringwall-Estimate"

// exchange is a request on its way through the house.
type exchange struct {
	ringwall.Exchange
	g     *Gateway
	d     Dialect
	world *lease
	w     http.ResponseWriter
	rc    *http.ResponseController
	r     *http.Request
	span  trace.Span
	wall  wall
	outer outer // what the firewall said

	proof      func(body []byte) error // of the signature that a request shows; nil: it shows none
	req        Request
	changed    []guard.Changed // texts of the request that were masked
	inputs     int             // findings about the request
	book       *redact.Book    // what placeholders stand for; nil: texts are masked for good
	channels   []*heard
	keeps      *keeping // who is asked, when the answer may be kept
	promised   bool     // the record was begun
	written    bool     // the response has begun
	native     bool     // the provider speaks the client's dialect
	remembered bool     // the end of a stream was kept for requests that go on from it
	outcome    ringwall.Outcome
	detail     string
	asked      time.Time
	upstream   time.Duration
	limited    time.Time // when the deadline of writing was set last
	ticket     admit.Ticket
	hint       uint64        // of the credential; 0: it shows none
	sent       int64         // bytes of the answer
	waited     time.Duration // for the client to accept them
	spending   spending
	calls      calling // of tools
	turning
}

// serve answers a request in the words of d by going the way run.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request, d Dialect, route string, run func(*exchange, context.Context) error) {
	x := &exchange{g: g, d: d, w: w, rc: http.NewResponseController(w), r: r, outcome: ringwall.Broken}
	x.ID, x.Start, x.Dialect, x.Route = newID(), g.cfg.Now(), d.Name(), route
	x.Verdict, x.Client = ringwall.Verdict{Action: ringwall.Block}, ringwall.ClientOf(r.Context())
	w.Header().Set(Header, x.ID)
	if err := x.enter(); err != nil {
		x.fail(err)
		x.settle()
		return
	}
	defer x.ticket.Leave()
	x.world = g.take()
	defer x.world.drop()
	x.wall.Guard = x.world.Guard
	x.Guardrail = x.wall.Name()
	x.heed(r.Context())
	ctx, cancel := context.WithTimeout(r.Context(), g.cfg.Limits.Request)
	defer cancel()
	if g.cfg.Tracer != nil {
		ctx, x.span = x.trace(ctx)
	}
	defer func() {
		if p := recover(); p != nil {
			x.outcome, x.detail = ringwall.Broken, fmt.Sprintf("panic: %v", p)
			g.cfg.Log.Error("a request broke", "exchange", x.ID, "error", x.detail)
			if !x.written {
				x.refuse(&ringwall.Refusal{Status: http.StatusInternalServerError, Code: "internal_error", Public: "The request could not be served."})
			}
		}
		x.settle()
	}()
	if err := run(x, ctx); err != nil {
		x.fail(err)
	}
}

// run is the data's way. Each stage refuses by an error.
func (x *exchange) run(ctx context.Context) error {
	if err := x.identify(ctx); err != nil {
		return err
	}
	if err := x.read(); err != nil {
		return err
	}
	if err := x.build(ctx); err != nil {
		return err
	}
	route, err := x.permit()
	if err != nil {
		return err
	}
	if err := x.afford(ctx); err != nil {
		return err
	}
	if err := x.may(ctx, AskModel); err != nil {
		return err
	}
	if err := x.goOn(ctx); err != nil {
		return err
	}
	if err := x.offer(ctx); err != nil {
		return err
	}
	if err := x.converse(); err != nil {
		return err
	}
	x.believe(ctx)
	if err := x.hookIn(ctx); err != nil {
		return err
	}
	if err := x.mayStill(ctx, AskModel); err != nil {
		return err
	}
	if err := x.promise(ctx); err != nil {
		return err
	}
	x.req.WithModel(route.Model)
	call := ringwall.Call{API: x.Dialect, Model: cmp.Or(route.Model, x.Model), Stream: x.Stream, Header: x.req.Header(), Body: x.req.Edit(x.changed)}
	call.As = func(model string) []byte {
		x.req.WithModel(model)
		return x.req.Edit(x.changed)
	}
	call.Asked = &ringwall.Asked{}
	defer x.wasAsked(call.Asked)
	asked := x.cached(route.Provider, call)
	x.asked = time.Now()
	x.ticket.Rest() // waiting for a model costs nothing
	if x.Stream {
		err = x.relay(ctx, asked, call)
	} else {
		err = x.complete(ctx, asked, call)
	}
	if err == nil {
		x.keep()
	}
	if x.Cached {
		x.Usage = ringwall.Usage{} // nobody counted again
	}
	return err
}

// wasAsked takes down who was asked, where that was a choice.
func (x *exchange) wasAsked(a *ringwall.Asked) {
	x.Tries = a.Tries
	if a.Provider != "" {
		x.Provider, x.Target = a.Provider, a.Model
	}
}

// identify turns the credential into a Principal. One that was given and fails is
// refused: it never falls back to anonymous.
func (x *exchange) identify(ctx context.Context) error {
	if err := single(x.r); err != nil {
		return err
	}
	if d, ok := x.d.(Signed); ok {
		claim, err := d.Signature(x.r)
		if err != nil {
			return unauthorized("The signature cannot be read: "+err.Error(), err)
		}
		switch {
		case claim != nil && claim.KeyID() == nobody && x.world.Anonymous:
			return nil
		case claim != nil:
			return x.claimed(ctx, claim)
		}
	}
	bearer, err := x.d.Credential(x.r)
	if err != nil {
		return unauthorized("The credential cannot be read: "+err.Error(), err)
	}
	shown := ringwall.Credential{Bearer: x.browser(bearer)}
	if bearer == nobody {
		shown.Bearer = ""
	}
	if t := x.r.TLS; t != nil && len(t.VerifiedChains) > 0 {
		shown.Certificates = t.VerifiedChains[0]
	}
	if shown.None() {
		if x.world.Anonymous {
			return nil
		}
		return unauthorized("An API key is required: Authorization: Bearer rw_…", errors.New("no credential was given"))
	}
	p, err := x.g.cfg.Auth.Authenticate(ctx, shown)
	if err != nil {
		public := "The API key is not valid."
		if x.world.Anonymous {
			public += " Here callers may also go without one: send no key, or the word anonymous."
		}
		return unauthorized(public, err)
	}
	x.Principal = p
	return nil
}

// nobody is how clients say that they have no key that cannot leave it away.
const nobody = "anonymous"

// claimed finds the key of a signature, which is there and valid, so that nobody
// unknown makes us read a body. Who it is that calls is proved behind that.
func (x *exchange) claimed(ctx context.Context, claim Signature) error {
	const public = "The signature is not valid: it should be made with the pair that ringwall keys create --aws prints, over this request, with a clock that is right."
	signers, ok := x.g.cfg.Auth.(Signers)
	if !ok {
		return unauthorized(public, errors.New("nobody can sign here"))
	}
	p, secret, err := signers.Signing(ctx, claim.KeyID())
	if err != nil {
		return unauthorized(public, err)
	}
	x.proof = func(body []byte) error {
		if err := claim.Verify(x.r, body, secret, x.g.cfg.Now()); err != nil {
			return unauthorized(public, fmt.Errorf("key %s: %w", p.Key, err))
		}
		x.Principal = p
		return nil
	}
	return nil
}

// unauthorized refuses a credential, unless whoever looked at it did.
func unauthorized(public string, err error) error {
	var r *ringwall.Refusal
	if errors.As(err, &r) {
		return err
	}
	return &ringwall.Refusal{
		Status: http.StatusUnauthorized, Code: "invalid_api_key", Public: public,
		Err: fmt.Errorf("%w: %w", ringwall.ErrUnauthenticated, err),
	}
}

// read reads the body whole, for a request must be seen whole before any of it
// is sent on, and parses it.
func (x *exchange) read() error {
	most := x.g.cfg.Limits.Body
	if x.r.ContentLength > most {
		return tooLarge(most)
	}
	if err := x.world.Bodies.check(x.r); err != nil {
		return err
	}
	if enc := x.r.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return &ringwall.Refusal{Status: http.StatusUnsupportedMediaType, Code: "unsupported_encoding", Public: "The request body must not be compressed."}
	}
	// What a client says that it will send takes no memory before it comes.
	body := make([]byte, 0, min(max(512, x.r.ContentLength+1), 64<<10))
	if err := x.hold(cap(body)); err != nil {
		return err
	}
	pace := x.pace()
	src := http.MaxBytesReader(x.w, x.r.Body, most)
	for n := 0; ; {
		err := pace.next(n)
		if err == nil {
			n, err = src.Read(body[len(body):cap(body)])
			body = body[:len(body)+n]
		}
		if errors.Is(err, io.EOF) {
			// The time to send a request is over with it, not with the answer.
			http.NewResponseController(x.w).SetReadDeadline(time.Time{})
			break
		}
		var big *http.MaxBytesError
		var slow net.Error
		switch {
		case errors.As(err, &big):
			return tooLarge(most)
		case misframed(x.r, err):
			return &ringwall.Refusal{Status: http.StatusBadRequest, Code: "malformed_body", Public: "The chunks of the request body cannot be read: write them as RFC 9112 has them.", Err: err}
		case err != nil && !(errors.As(err, &slow) && slow.Timeout()):
			return &clientGone{fmt.Errorf("reading the request: %w", err)}
		case err != nil:
			return &ringwall.Refusal{Status: http.StatusRequestTimeout, Code: "incomplete_request", Public: "The request body did not come in time.", Err: err}
		}
		if len(body) == cap(body) {
			more := min(int64(2*cap(body)), max(x.r.ContentLength, most)+1)
			if err := x.hold(int(more) - cap(body)); err != nil {
				return err
			}
			body = append(make([]byte, 0, more), body...)
		}
	}
	if x.proof != nil {
		if err := x.proof(body); err != nil {
			return err
		}
	}
	if err := x.work(x.r.Context()); err != nil {
		return err
	}
	if err := x.shaped(body); err != nil {
		return err
	}
	x.calls.speaks = speaksOfTools(body)
	req, err := x.d.Read(x.r, body)
	if err != nil {
		return err
	}
	x.req = req
	x.Model, x.Stream, x.Prompt = req.Model(), req.Stream(), req.Texts()
	return x.validate(body)
}

func tooLarge(most int64) error {
	return &ringwall.Refusal{
		Status: http.StatusRequestEntityTooLarge, Code: "request_too_large",
		Public: fmt.Sprintf("The request body is too large: at most %d bytes are read.", most),
	}
}

// permit finds who serves the model.
func (x *exchange) permit() (Route, error) {
	route, ok := x.world.Models[x.Model]
	if !ok {
		if x.world.Default == nil {
			return Route{}, &ringwall.Refusal{Status: http.StatusNotFound, Code: "model_not_found", Public: fmt.Sprintf("The model %.80q does not exist or you may not use it.", x.Model)}
		}
		route = *x.world.Default
	}
	x.Provider = route.Name
	if slices.Contains(route.Provider.APIs(), x.Dialect) {
		x.native = true
		return route, nil
	}
	if x.world.Translate != nil {
		if p := x.world.Translate(x.Dialect, route.Provider); p != nil {
			route.Provider = p
			return route, nil
		}
	}
	return Route{}, &ringwall.Refusal{
		Status: http.StatusBadRequest, Code: "unsupported_by_model",
		Public: fmt.Sprintf("The model %.80q is behind another API, to which requests to %s cannot be carried.", x.Model, x.Route),
		Err:    fmt.Errorf("%w: %s asks %s", ringwall.ErrUncarried, x.Dialect, route.Name),
	}
}

// hookIn has the texts of the request looked at, by hooks before and behind the
// guard.
func (x *exchange) hookIn(ctx context.Context) error {
	if len(x.world.Hooks) == 0 {
		return x.lookIn(ctx)
	}
	replaced, err := x.hooked(ctx, hook.BeforeInput, ringwall.Input, x.Prompt)
	if err != nil {
		return err
	}
	x.Prompt = apply(x.Prompt, replaced)
	if err := x.lookIn(ctx); err != nil {
		return err
	}
	if len(replaced) > 0 {
		x.Verdict = x.Verdict.And(ringwall.Verdict{Action: ringwall.Mask, Reasons: []string{"hook"}})
	}
	x.changed = merge(replaced, x.changed)
	more, err := x.hooked(ctx, hook.AfterInput, ringwall.Input, apply(x.Prompt, x.changed))
	if err != nil {
		return err
	}
	x.changed = merge(x.changed, more)
	x.inputs = len(x.Findings)
	return nil
}

// lookIn has the texts of the request looked at.
func (x *exchange) lookIn(ctx context.Context) error {
	s := guard.Session{Way: ringwall.Input, Principal: x.Principal, Excuses: x.excuses(ctx), Context: ctx}
	var res guard.Result
	if x.book != nil {
		res = x.tokenise(ctx, s)
	} else {
		res = x.wall.Check(ctx, s, x.Prompt)
	}
	x.Findings, x.Looks = append(x.Findings, res.Findings...), append(x.Looks, res.Looks...)
	x.Scores, x.changed, x.inputs = res.Scores, res.Texts, len(x.Findings)
	for _, kind := range x.req.Unseen() {
		x.Looks = append(x.Looks, ringwall.Look{Control: "inference/sanitize", Way: ringwall.Input, State: ringwall.Skipped, Why: kind})
	}
	x.Verdict = res.Verdict
	if x.Verdict.Action < ringwall.Mask {
		return x.declined(ringwall.Input, res.Findings)
	}
	return nil
}

// isPolicy reports whether err is a refusal by policy.
func isPolicy(err error) bool {
	return errors.Is(err, ringwall.ErrRefused) && !errors.Is(err, ringwall.ErrUnavailable)
}

// declined is the refusal of a text: by policy, or because a control could not
// look.
func (x *exchange) declined(way ringwall.Direction, fs []ringwall.Finding) error {
	for _, f := range fs {
		if f.Unlooked() && x.wall.Decide(way, ringwall.User, []ringwall.Finding{f}).Action == ringwall.Block {
			return &ringwall.Refusal{
				Status: http.StatusServiceUnavailable, Code: "guard_unavailable", Public: "The request could not be checked. Try again soon.",
				Err: fmt.Errorf("%w: %s could not look", ringwall.ErrUnavailable, f.Control),
			}
		}
	}
	return &ringwall.Refusal{
		Status: http.StatusBadRequest, Code: codeFiltered, Public: x.withheld(way).Message,
		Err: fmt.Errorf("%w: %s", ringwall.ErrRefused, strings.Join(x.Verdict.Reasons, ", ")),
	}
}

// promise begins the record: no entry, no call.
func (x *exchange) promise(ctx context.Context) error {
	ev := x.event(ringwall.ExchangeBegin)
	if _, err := x.g.cfg.Records.Begin(ctx, ev); err != nil {
		return &ringwall.Refusal{
			Status: http.StatusServiceUnavailable, Code: "record_unavailable", Public: "The request could not be recorded, so it was not made. Try again soon.",
			Err: fmt.Errorf("%w: %w", ringwall.ErrUnavailable, err),
		}
	}
	x.promised = true
	return nil
}

// newID returns an id of 128 random bits.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return "x" + hex.EncodeToString(b[:])
}
