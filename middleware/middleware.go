// Package middleware guards model calls inside another Go program, without a gateway
// of its own: [Guard.Handler] stands before an http.Handler that answers as OpenAI's
// chat completions do, and [Guard.Transport] behind an http.Client that asks such an
// API.
//
// Both are the same house as the gateway: requests are parsed strictly, looked at and
// masked; answers too, whole or while they stream; what policy refuses has an error in
// OpenAI's shape. What is not here is what a program has already: identity, which
// [Config] is told, and providers.
//
//	guardrail := guardrail.Default()
//	g, err := builtin.Guard("mine", "1", &guardrail)
//	m, err := middleware.New(middleware.Config{Guard: g})
//	client := &http.Client{Transport: m.Transport(http.DefaultTransport)}
//
// Start reading at [New].
package middleware

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/provider"
	ask "github.com/ringwall/ringwall/provider/openai"
)

// Config configures a Guard. Zero fields mean the defaults.
type Config struct {
	Guard *guard.Guard // required; the caller closes it
	// Principal says who makes a request, for exceptions and records. An error refuses
	// it with 401. Default: nobody in particular.
	Principal func(r *http.Request) (ringwall.Principal, error)
	// Records keeps the records; when one cannot be begun the model is not asked. An
	// *audit.Log is one. Default: Ended alone is told.
	Records gateway.Recorder
	// Ended is told of each exchange that ended, unless there are Records.
	Ended  func(ringwall.Event)
	Limits gateway.Limits
	// Chat reports whether a request is one of chat completions. Default: a POST to a
	// path that ends in /chat/completions.
	Chat func(r *http.Request) bool
	// PassUnlooked lets requests with a body through that are none of chat completions,
	// which nobody looks at. Otherwise they are refused.
	PassUnlooked bool
}

// Guard guards calls of models. It is safe for concurrent use.
type Guard struct{ cfg Config }

// New returns a Guard.
func New(cfg Config) (*Guard, error) {
	if cfg.Guard == nil {
		return nil, errors.New("middleware: a guard is required")
	}
	if cfg.Chat == nil {
		cfg.Chat = isChat
	}
	if cfg.Principal == nil {
		cfg.Principal = func(*http.Request) (ringwall.Principal, error) { return ringwall.Principal{}, nil }
	}
	if cfg.Records == nil {
		cfg.Records = unkept{cfg.Ended}
	}
	if cfg.Limits.Body <= 0 {
		cfg.Limits.Body = 4 << 20
	}
	return &Guard{cfg}, nil
}

func isChat(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/chat/completions")
}

// Handler returns a handler that guards next: what clients send to it, and what it
// answers.
func (g *Guard) Handler(next http.Handler) http.Handler {
	chat := g.before(within{next})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case g.cfg.Chat(r):
			chat.ServeHTTP(w, r)
		case g.passes(r):
			next.ServeHTTP(w, r)
		default:
			h := w.Header()
			h.Set("Content-Type", "application/json")
			body := openai.Chat{}.AppendError(nil, h, unlooked(r), "none")
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write(body) // who does not read it misses nothing
		}
	})
}

// Transport returns a RoundTripper that guards base: what the program asks through
// it, and what it is answered. Refusals are answers with an error status.
func (g *Guard) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &transport{g: g, base: base, chat: within{g.before(base)}}
}

type transport struct {
	g    *Guard
	base http.RoundTripper
	chat within
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case t.g.cfg.Chat(r):
		return t.chat.RoundTrip(r)
	case t.g.passes(r):
		return t.base.RoundTrip(r)
	}
	if r.Body != nil {
		r.Body.Close()
	}
	return nil, unlooked(r)
}

// passes reports whether a request that is no chat may go on.
func (g *Guard) passes(r *http.Request) bool {
	if g.cfg.PassUnlooked {
		return true
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, "":
		return (r.Body == nil || r.Body == http.NoBody) && r.Header.Get("Upgrade") == ""
	}
	return false
}

func unlooked(r *http.Request) *ringwall.Refusal {
	return &ringwall.Refusal{
		Status: http.StatusNotFound, Code: "not_found", Public: "Only chat completions may be asked for here.",
		Err: fmt.Errorf("middleware: nobody looks at %s %.100q: see PassUnlooked", r.Method, r.URL.Path),
	}
}

// before returns a handler that guards chat completions which rt is asked for.
func (g *Guard) before(rt http.RoundTripper) http.Handler {
	p, err := ask.New(ask.Config{Config: provider.Config{BaseURL: "http://as.asked", Transport: rt, Sign: as, Retries: -1}})
	if err != nil {
		// bug: the base URL is ours
		panic(err)
	}
	d := openai.Chat{Limits: jsonedit.Limits{Bytes: int(g.cfg.Limits.Body)}}
	gate, err := gateway.New(gateway.Config{
		World: &gateway.World{Guard: g.cfg.Guard, Anonymous: true, Default: &gateway.Route{Name: "upstream", Provider: p}},
		Auth:  told{}, Records: g.cfg.Records, Limits: g.cfg.Limits,
	})
	if err != nil {
		// bug: everything that is required is there
		panic(err)
	}
	mux := http.NewServeMux()
	gate.Handle(mux, route, d)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := g.cfg.Principal(r)
		in := r.Clone(context.WithValue(r.Context(), originalKey{}, &original{r, who, err}))
		in.URL.Path, in.URL.RawPath = route, ""
		in.Header.Set("Authorization", "Bearer original") // that of the request is for the model
		mux.ServeHTTP(w, in)
	})
}

// route is where the gateway has chat completions, wherever the program has them.
const route = "/v1/chat/completions"

// original is a request as it came.
type original struct {
	r   *http.Request
	who ringwall.Principal
	err error
}

type originalKey struct{}

// told is the Authenticator of callers whom the program knows already.
type told struct{}

// Authenticate implements gateway.Authenticator.
func (told) Authenticate(ctx context.Context, _ ringwall.Credential) (ringwall.Principal, error) {
	o := ctx.Value(originalKey{}).(*original)
	return o.who, o.err
}

// unsent are the headers of a request that do not belong to the guarded one.
var unsent = map[string]bool{
	"Accept-Encoding": true, "Connection": true, "Content-Encoding": true, "Content-Length": true, "Expect": true, "Keep-Alive": true,
	"Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

// as makes r the request that came, with the body that is left of it.
func as(r *http.Request, _ []byte) error {
	o := r.Context().Value(originalKey{}).(*original)
	u := *o.r.URL
	r.URL, r.Host, r.RemoteAddr = &u, o.r.Host, o.r.RemoteAddr
	for name, values := range o.r.Header {
		if !unsent[name] {
			r.Header[name] = values
		}
	}
	return nil
}

// unkept is a Recorder that keeps nothing.
type unkept struct{ ended func(ringwall.Event) }

// Begin implements gateway.Recorder.
func (unkept) Begin(context.Context, ringwall.Event) (uint64, error) { return 0, nil }

// End implements gateway.Recorder.
func (u unkept) End(_ context.Context, ev ringwall.Event) error {
	if u.ended != nil {
		u.ended(ev)
	}
	return nil
}

// Digest implements gateway.Recorder: of a text nothing remains but its length.
func (unkept) Digest(path string, way ringwall.Direction, origin ringwall.Origin, text string) ringwall.Digest {
	return ringwall.Digest{Path: path, Way: way, Origin: origin, Length: len(text)}
}
