package gateway

import (
	"context"
	"net/http"

	"github.com/ringwall/ringwall"
)

// Errands is an API by which callers change or read what the gateway keeps,
// rather than have something looked at. It does I/O.
type Errands interface {
	// Name is the API's name in records: "bedrock-control".
	Name() string
	// Credential returns the key that a request shows, as [Dialect]'s does.
	Credential(r *http.Request) (string, error)
	// Do does what a request asks for and returns the status and the body, in JSON,
	// of its answer. The error is a *ringwall.Refusal, or one of ours.
	Do(ctx context.Context, r *http.Request, body []byte, p ringwall.Principal) (status int, answer []byte, err error)
	// AppendError appends the body of an error to dst, and sets the headers that
	// errors have in this API.
	AppendError(dst []byte, h http.Header, r *ringwall.Refusal, id string) []byte
}

// HandleErrand registers a route on mux that only callers may take who are
// trusted so far. Each request is in the records before it has an effect.
func (g *Gateway) HandleErrand(mux Mux, pattern string, e Errands, deed Deed, least ringwall.Trust) {
	d := asking{errand{e}}
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		g.serve(w, r, d, routeOf(pattern), func(x *exchange, ctx context.Context) error { return x.errand(ctx, e, deed, least) })
	})
}

// errand is the way of an errand.
func (x *exchange) errand(ctx context.Context, e Errands, deed Deed, least ringwall.Trust) error {
	if err := x.identify(ctx); err != nil {
		return err
	}
	if x.proof == nil { // whose signature it is is proved with the body
		if err := x.trusted(least); err != nil {
			return err
		}
	}
	if err := x.read(); err != nil {
		return err
	}
	if err := x.trusted(least); err != nil {
		return err
	}
	if err := x.afford(ctx); err != nil {
		return err
	}
	if err := x.may(ctx, deed); err != nil {
		return err
	}
	x.Guardrail = "" // none is asked
	if err := x.promise(ctx); err != nil {
		return err
	}
	r := x.r
	if r.Method == http.MethodHead { // a route of GET takes it along, and it must do no more than that
		r = r.Clone(ctx)
		r.Method = http.MethodGet
	}
	status, out, err := e.Do(ctx, r, x.req.(inquiry).Inquiry.(sent), x.Principal)
	if err != nil {
		return err
	}
	x.outcome, x.Verdict = ringwall.Answered, ringwall.Verdict{Action: ringwall.Allow}
	x.detail = x.r.Method + " " + x.r.URL.EscapedPath()
	x.w.Header().Set("Content-Type", "application/json")
	x.status(status)
	return x.write(out)
}

// trusted refuses callers who are trusted less.
func (x *exchange) trusted(least ringwall.Trust) error {
	if x.Principal.Trust >= least {
		return nil
	}
	return tooLittle(x.Principal.Trust, least.String())
}

// errand lets Errands be read as inquiries are: their bodies wait for Do.
type errand struct{ Errands }

// Signature implements Signed, where the Errands do.
func (e errand) Signature(r *http.Request) (Signature, error) {
	if s, ok := e.Errands.(Signed); ok {
		return s.Signature(r)
	}
	return nil, nil
}

// Read implements Inquirer.
func (errand) Read(_ *http.Request, body []byte) (Inquiry, error) { return sent(body), nil }

// sent is the body of an errand.
type sent []byte

// Question implements Inquiry.
func (sent) Question() Question { return Question{} }

// Answer implements Inquiry.
func (sent) Answer(*Judgement) ([]byte, error) { return nil, errNoModel }
