// Package gateway answers requests to models: it identifies the caller, reads
// the request, has it looked at, promises a record, asks a provider, has the
// answer looked at while it comes, and settles the record.
//
// The order of the stages is the order of [exchange.run]; DESIGN's table of what
// each stage does when it cannot do its work is kept there. Evidence and
// decision come from package guard; here is the action. The gateway itself never
// matches a pattern.
//
// Everything that a request needs is in the [World] that it loads once; a reload
// swaps in another one, and requests end on the world they began with.
package gateway

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/hook"
	"github.com/ringwall/ringwall/internal/admit"
	"github.com/ringwall/ringwall/internal/sse"
	"github.com/ringwall/ringwall/policy"
	"github.com/ringwall/ringwall/provider/prices"
	"github.com/ringwall/ringwall/quota"
	"github.com/ringwall/ringwall/toolcall"
	"github.com/ringwall/ringwall/waf"
)

// Provider asks models. Implementations are safe for concurrent use and stop
// when ctx ends. Their errors wrap a *ringwall.Refusal that says what a client
// may know.
type Provider interface {
	// APIs returns the names of the dialects in which it can be asked, the one
	// that others are translated to first.
	APIs() []string
	// Complete returns the whole answer to a call.
	Complete(ctx context.Context, call ringwall.Call) ([]byte, error)
	// Events yields the data of each event of a streamed answer, without a mark
	// that only ends it. A stream that ends too early ends with an error. The data
	// is valid until the next.
	Events(ctx context.Context, call ringwall.Call) iter.Seq2[sse.Event, error]
	// Models returns the names of the models that there are.
	Models(ctx context.Context) ([]string, error)
}

// Authenticator turns what a request shows into a Principal. The context has the
// request's ringwall.Client. The error wraps ringwall.ErrUnauthenticated.
type Authenticator interface {
	Authenticate(ctx context.Context, c ringwall.Credential) (ringwall.Principal, error)
}

// Signers is an Authenticator of callers that sign. Signing returns the secret of a
// key and the Principal whom a signature with it proves; the error wraps
// ringwall.ErrUnauthenticated.
type Signers interface {
	Signing(ctx context.Context, keyID string) (p ringwall.Principal, secret string, err error)
}

// Recorder keeps the records. An error of Begin refuses the call.
type Recorder interface {
	Begin(ctx context.Context, ev ringwall.Event) (seq uint64, err error)
	End(ctx context.Context, ev ringwall.Event) error
	Digest(path string, way ringwall.Direction, origin ringwall.Origin, text string) ringwall.Digest
}

// Observer is told of each exchange that ended, and of each finding. It must not
// wait.
type Observer interface {
	Ended(x *ringwall.Exchange, outcome ringwall.Outcome, took, upstream time.Duration)
}

// Route says where the requests for a model go.
type Route struct {
	Name     string // of the provider, in the configuration
	Provider Provider
	Model    string // what the provider calls the model; "" as the client does
}

// World is everything that requests depend on. It does not change.
type World struct {
	Guard     *guard.Guard
	Models    map[string]Route // by the name that clients use
	Default   *Route           // for all other models; nil: there are none
	Anonymous bool             // let callers in that show no credential
	// Guardrails are those that callers may choose from who ask the guard and no
	// model; nil: none.
	Guardrails Guardrails
	// Translate returns p as a Provider that is asked in the words of api, nil when
	// nobody translates between the two.
	Translate func(api string, p Provider) Provider
	// Restore sends placeholders to the model instead of masks, and gives values
	// back in the answer; nil: texts are masked for good.
	Restore  *Restore
	Bypasses []Bypass     // of APIs that are passed on unlooked; others are refused
	Cache    Cache        // of answers; nil: none are kept
	Hooks    []*hook.Hook // that are asked, in order
	// Policy says who may do what; nil: nobody wrote policies, and every known caller may
	// what keys and trust let.
	Policy *policy.Bundle
	Wants  Wants  // what of requests only policies ask for; nil: they are not told
	Rules  Rules  // that requests meet; nil: what their dialects demand
	Bodies Bodies // of what type they may be said to be
	// Tools decides about the calls of tools that models ask for; nil: nobody does.
	Tools     *toolcall.Judge
	Approvals Approvals    // of calls that take one; nil: none of them runs
	Quota     *quota.Plan  // how much callers may use; nil: all they like
	Loops     *quota.Loops // that agents are kept from; nil: none
	// Price is what a model costs, by either of its names; nil: by the list of the
	// program.
	Price func(model string) (prices.Price, bool)
	// StepUp returns the challenge to a caller who must prove who they are anew, or
	// better, before they do what only callers of trust least may; "" to those who need
	// not. Nil: nobody must.
	StepUp   func(p ringwall.Principal, least ringwall.Trust) (challenge string)
	Firewall *waf.Firewall // looks at bodies before they are read; nil: nobody does
	// History says which turns of conversations went through here; nil: all are taken
	// as what they say they are.
	History History
	// Retell reads answers in the words of api again, nil where nobody can: those are
	// not signed.
	Retell func(api, contentType string, stream bool) Retold
	Close  func() // called when no request uses the World any more
}

// Limits bound what callers can make the gateway do. Zero fields mean the
// defaults.
type Limits struct {
	Body       int64         // bytes of a request; default 4 MiB
	Concurrent int           // requests at a time; default 2048
	Write      time.Duration // that a client may take to accept a piece; default 30s
	Request    time.Duration // that an exchange may take; default 10m
	Read       time.Duration // that a body may take to come; default 60s
	Rate       int64         // bytes a second that a client sends and reads at least; default 500
	Grace      time.Duration // for which a body may come more slowly, or not at all; default 5s
}

// Config configures a Gateway.
type Config struct {
	World    *World
	Auth     Authenticator
	Records  Recorder
	Observer Observer // default: none
	Memory   Memory   // default: nothing is remembered from one request to the next
	Tracer   trace.Tracer
	// Cookie returns the session of a browser that sends a request of its own accord, ""
	// where there is none. Default: no cookie counts.
	Cookie func(r *http.Request) string
	Log    *slog.Logger // default: discard
	Limits Limits
	Gate   *admit.Gate // who is let in when there is much to do; default: one of Limits.Concurrent slots
	Now    func() time.Time
}

// Gateway serves model APIs. It is safe for concurrent use.
type Gateway struct {
	cfg   Config
	world atomic.Pointer[lease]
	gate  *admit.Gate
	hints *hints
	sheds sheds
}

// New returns a Gateway.
func New(cfg Config) (*Gateway, error) {
	if cfg.World == nil || cfg.World.Guard == nil || cfg.Auth == nil || cfg.Records == nil {
		return nil, errors.New("gateway: a world with a guard, an authenticator and a recorder are required")
	}
	l := &cfg.Limits
	if l.Body <= 0 {
		l.Body = 4 << 20
	}
	if l.Concurrent <= 0 {
		l.Concurrent = 2048
	}
	if l.Write <= 0 {
		l.Write = 30 * time.Second
	}
	if l.Request <= 0 {
		l.Request = 10 * time.Minute
	}
	if l.Read <= 0 {
		l.Read = 60 * time.Second
	}
	if l.Rate <= 0 {
		l.Rate = 500
	}
	if l.Grace <= 0 {
		l.Grace = 5 * time.Second
	}
	if cfg.Gate == nil {
		cfg.Gate = admit.New(admit.Config{Slots: l.Concurrent, Wait: 200 * time.Millisecond, Queue: l.Concurrent, Bytes: admit.Bytes()})
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	g := &Gateway{cfg: cfg, gate: cfg.Gate, hints: newHints()}
	g.world.Store(newLease(cfg.World))
	return g, nil
}

// Swap makes w the World of the requests that come from now on.
func (g *Gateway) Swap(w *World) { g.world.Swap(newLease(w)).drop() }

// Guardrail returns the name of the guardrail in force.
func (g *Gateway) Guardrail() string {
	l := g.take()
	defer l.drop()
	return l.Guard.Name()
}

// Handle registers the routes of a dialect on mux.
func (g *Gateway) Handle(mux Mux, pattern string, d Dialect) {
	route := routeOf(pattern)
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, spoken(d, r), route, (*exchange).run) })
}

// routeOf returns a pattern without its method.
func routeOf(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return path
	}
	return pattern
}

// lease counts the requests that use a World, so that it is closed behind the
// last one.
type lease struct {
	*World
	uses atomic.Int64 // one for being current
}

func newLease(w *World) *lease {
	l := &lease{World: w}
	l.uses.Store(1)
	return l
}

// take returns the current World, to be given back by drop.
func (g *Gateway) take() *lease {
	for {
		l := g.world.Load()
		n := l.uses.Load()
		if n > 0 && l.uses.CompareAndSwap(n, n+1) {
			return l
		}
	}
}

func (l *lease) drop() {
	if l.uses.Add(-1) == 0 && l.Close != nil {
		l.Close()
	}
}
