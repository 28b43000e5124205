package gateway

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/admit"
	"github.com/ringwall/ringwall/provider/tally"
)

// clientGone says that the client does not read any more.
type clientGone struct{ err error }

func (e *clientGone) Error() string { return e.err.Error() }
func (e *clientGone) Unwrap() error { return e.err }

// upstreamFailed makes an error of a provider one that a client may see.
func upstreamFailed(err error) error {
	if errors.Is(err, ringwall.ErrUncarried) {
		return err // the provider was not asked
	}
	r := &ringwall.Refusal{Status: http.StatusBadGateway, Code: "upstream_error", Public: "The model could not be asked."}
	var known *ringwall.Refusal
	switch {
	case errors.As(err, &known):
		*r = *known
	case errors.Is(err, context.DeadlineExceeded):
		r.Status, r.Code, r.Public = http.StatusGatewayTimeout, "upstream_timeout", "The model did not answer in time."
	}
	r.Err = &upstreamError{err}
	return r
}

// upstreamError marks errors that are not the caller's.
type upstreamError struct{ err error }

func (e *upstreamError) Error() string { return e.err.Error() }
func (e *upstreamError) Unwrap() error { return e.err }

// statusClientGone is what the record says when nobody reads the answer any more;
// nginx writes it so.
const statusClientGone = 499

// fail answers with an error, in whatever way is still open.
func (x *exchange) fail(err error) {
	x.detail = err.Error()
	var gone *clientGone
	var up *upstreamError
	var r *ringwall.Refusal
	known := errors.As(err, &r)
	switch {
	case errors.As(err, &gone), x.r.Context().Err() != nil && !(known && r.Status == http.StatusRequestTimeout):
		x.outcome = ringwall.ClientGone
		x.status(statusClientGone)
		return
	case !known:
		r = &ringwall.Refusal{Status: http.StatusInternalServerError, Code: "internal_error", Public: "The request could not be served.", Err: err}
	}
	switch {
	case errors.Is(err, admit.ErrShed):
		x.outcome = ringwall.Overloaded
	case errors.As(err, &up):
		x.outcome = ringwall.UpstreamFail
	case errors.Is(err, ringwall.ErrRefused), errors.Is(err, ringwall.ErrForbidden), errors.Is(err, ringwall.ErrUnavailable), errors.Is(err, ringwall.ErrQuotaExceeded):
		x.outcome = ringwall.Refused
	case errors.Is(err, ringwall.ErrUnauthenticated):
		x.outcome = ringwall.Denied
	case r.Status >= 500:
		x.outcome = ringwall.Broken
	default:
		x.outcome = ringwall.BadRequest
	}
	if x.written {
		return
	}
	if d, ok := x.d.(Decliner); ok && r.Code == codeFiltered {
		x.w.Header().Set("Content-Type", x.contentType(x.Stream))
		x.status(http.StatusOK)
		_ = x.write(d.Declined(x.req, x.withheld(ringwall.Input))) // who does not read it misses nothing
		return
	}
	x.refuse(r)
}

// codeFiltered is the code of refusals by policy of what was asked.
const codeFiltered = "content_filter"

// refuse answers with an error in the client's dialect.
func (x *exchange) refuse(r *ringwall.Refusal) {
	h := x.w.Header()
	h.Set("Content-Type", "application/json")
	if r.Status == http.StatusUnauthorized && h.Get("WWW-Authenticate") == "" {
		h.Set("WWW-Authenticate", `Bearer realm="ringwall"`)
	}
	if r.After >= 0 && (r.Status == http.StatusServiceUnavailable || r.Status == http.StatusTooManyRequests) {
		h.Set("Retry-After", strconv.Itoa(max(1, int(r.After.Round(time.Second)/time.Second))))
	}
	body := x.d.AppendError(nil, h, r, x.ID) // before the status: it sets headers
	x.status(r.Status)
	_ = x.write(body) // who does not read an error misses nothing
}

func (x *exchange) status(code int) {
	if !x.written {
		x.written, x.Status = true, code
		x.ticket.Rest()
		x.w.WriteHeader(code)
	}
}

// settle ends the record, whatever happened.
func (x *exchange) settle() {
	x.estimate()
	x.lookedAtCalls()
	x.repay()
	x.leave()
	if x.unrecorded() {
		if o := x.g.cfg.Observer; o != nil {
			o.Ended(&x.Exchange, x.outcome, x.g.cfg.Now().Sub(x.Start), 0)
		}
		return
	}
	ev := x.event(ringwall.ExchangeEnd)
	ev.Duration = x.g.cfg.Now().Sub(x.Start)
	if err := x.g.cfg.Records.End(context.WithoutCancel(x.r.Context()), ev); err != nil {
		x.g.cfg.Log.Error("an exchange ended without a record", "exchange", x.ID, "error", err)
	}
	if x.span != nil {
		x.endTrace()
	}
	if o := x.g.cfg.Observer; o != nil {
		o.Ended(&x.Exchange, x.outcome, ev.Duration, x.upstream)
	}
}

// estimate fills in what a model read and said, where the provider did not say: many
// do not at the end of a stream that nobody asked it of.
func (x *exchange) estimate() {
	if x.Usage != (ringwall.Usage{}) || x.Cached || x.Estimated || x.asked.IsZero() || len(x.Answer) == 0 {
		return
	}
	for i := range x.Answer {
		x.Usage.OutputTokens += int64(tally.Estimate(x.Answer[i].Value))
	}
	if x.Usage.OutputTokens == 0 {
		return
	}
	x.Usage.InputTokens, x.Estimated = tally.Texts("", x.Prompt), true
}

// event is the record of x as it stands.
func (x *exchange) event(kind ringwall.Kind) ringwall.Event {
	ev := ringwall.Event{
		ID: x.ID, Kind: kind, Time: x.g.cfg.Now(), Principal: x.Principal, Dialect: x.Dialect, Route: x.Route,
		Model: clip(x.Model, 256), Provider: x.Provider, Stream: x.Stream, Guardrail: x.Guardrail, Policy: x.Policy,
	}
	if x.Client.Addr.IsValid() {
		ev.Client = x.Client.Addr.String()
	}
	if kind == ringwall.ExchangeBegin {
		ev.Texts = make([]ringwall.Digest, 0, len(x.Prompt))
		x.digest(&ev, ringwall.Input, x.Prompt)
		return ev
	}
	v := x.Verdict
	v.Reasons = slices.Clone(v.Reasons)
	ev.Target, ev.Tries, ev.Cached, ev.Estimated = x.Target, x.Tries, x.Cached, x.Estimated
	ev.Verdict, ev.Findings, ev.Looks, ev.Scores = &v, x.Findings, x.Looks, x.Scores.Rounded(3)
	ev.Tools = x.Tools
	ev.Status, ev.Outcome, ev.Detail = x.Status, x.outcome, clip(x.restored(x.detail), 512)
	if x.Usage != (ringwall.Usage{}) {
		u := x.Usage
		ev.Usage = &u
	}
	if !x.promised {
		x.digest(&ev, ringwall.Input, x.Prompt)
	}
	x.digest(&ev, ringwall.Output, x.Answer)
	return ev
}

// digest adds to ev what a record may hold of texts.
func (x *exchange) digest(ev *ringwall.Event, way ringwall.Direction, texts []ringwall.Text) {
	for _, t := range texts {
		ev.Texts = append(ev.Texts, x.g.cfg.Records.Digest(t.Path, way, t.Origin, t.Value))
	}
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
