// Package route asks one of several providers for the answers of one model: targets
// among which requests are balanced by weight, and others behind them that are
// asked in order when no target answers.
//
// A [Target] is a model of a provider, with a circuit breaker that all routes share.
// A [Route] is a provider itself. It asks the next when one cannot be reached, does
// not begin to answer in time, is asked too often or has an error of its own; never
// when the request is wrong, and never when anything of an answer has come. Targets
// may speak different APIs: [Route.In] is the same route for those who ask in another.
//
// How a request is sent, and sent again to the same provider, is package provider's
// business. Start reading at [ask].
package route

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/circuit"
	"github.com/ringwall/ringwall/internal/sse"
	"github.com/ringwall/ringwall/provider"
)

// Provider asks models: what a route needs of one. It is gateway.Provider.
type Provider interface {
	APIs() []string
	Complete(ctx context.Context, call ringwall.Call) ([]byte, error)
	Events(ctx context.Context, call ringwall.Call) iter.Seq2[sse.Event, error]
	Models(ctx context.Context) ([]string, error)
}

// Observer is told of what routes do. It must not wait.
type Observer interface {
	// Tried says how a target was asked; the reason is "" when it answered.
	Tried(t *Target, reason provider.Reason, took time.Duration)
	// Fell says that a request for a model went on to another target.
	Fell(model string, reason provider.Reason)
	// Hedged says that a request for a model was sent to another target, too.
	Hedged(model string)
	// Breaker says that the circuit breaker of a target changed its state.
	Breaker(t *Target, s circuit.State)
}

type nobody struct{}

func (nobody) Tried(*Target, provider.Reason, time.Duration) {}
func (nobody) Fell(string, provider.Reason)                  {}
func (nobody) Hedged(string)                                 {}
func (nobody) Breaker(*Target, circuit.State)                {}

// TargetConfig configures a Target. Zero fields mean the defaults.
type TargetConfig struct {
	Name     string // of the provider, in the configuration
	Provider Provider
	Model    string        // what the provider calls the model; "" as the client does
	Failures int           // in a row, after which it is left alone; default 5
	Pause    time.Duration // for which it is; default 10s
	Observer Observer      // default: none
}

// Target is a model of a provider. It is safe for concurrent use.
type Target struct {
	cfg     TargetConfig
	breaker circuit.Breaker
}

// NewTarget returns a Target.
func NewTarget(cfg TargetConfig) *Target {
	if cfg.Failures <= 0 {
		cfg.Failures = 5
	}
	if cfg.Pause <= 0 {
		cfg.Pause = 10 * time.Second
	}
	if cfg.Observer == nil {
		cfg.Observer = nobody{}
	}
	t := &Target{cfg: cfg}
	t.breaker.Most, t.breaker.Pause = cfg.Failures, cfg.Pause
	t.breaker.Tell = func(s circuit.State) { cfg.Observer.Breaker(t, s) }
	return t
}

// Provider returns the name of the provider.
func (t *Target) Provider() string { return t.cfg.Name }

// Model returns what the provider calls the model, "" when that is what the client
// does.
func (t *Target) Model() string { return t.cfg.Model }

// State returns that of the circuit breaker.
func (t *Target) State() circuit.State { return t.breaker.State() }

// left takes down how a call of t ended.
func (t *Target) left(err error) {
	reason := provider.ReasonOf(err)
	var f *provider.Failure
	switch {
	case err == nil:
		t.breaker.Leave(circuit.Answered)
	case reason.Fault() && errors.As(err, &f) && f.After > 0:
		t.breaker.Rest(f.After)
	case reason.Fault():
		t.breaker.Leave(circuit.Failed)
	default:
		t.breaker.Leave(circuit.Unasked)
	}
}

// Weighted is a Target and its share of the requests.
type Weighted struct {
	Target *Target
	Weight int // default 1
}

// Config configures a Route. Zero fields mean the defaults.
type Config struct {
	Model    string     // that clients ask for
	Targets  []Weighted // among whom requests are balanced; required
	Fallback []*Target  // who are asked in order when none of those answers
	// Try is until when a target must begin to answer, or have answered whole, when
	// there are others; default: its share of the time that is left.
	Try time.Duration
	// Hedge is when the next target is asked, too, while one is still silent;
	// default: never.
	Hedge time.Duration
	// Sound reports whether a whole answer, or the first event of a stream, can be read
	// at all; when it cannot, the next target is asked. Default: all can.
	Sound    func([]byte) bool
	Observer Observer // default: none
}

// errUnsound is the error of an answer that is not Sound.
var errUnsound = errors.New("reading the model's answer: it is no JSON")

// Route is a provider that is several. It is safe for concurrent use.
type Route struct {
	cfg    Config
	legs   []leg // targets, then fallbacks
	hedges *provider.Budget
}

// leg is a target as it is asked in one API.
type leg struct {
	t      *Target
	p      Provider
	weight int // 0: a fallback
}

// New returns a Route.
func New(cfg Config) (*Route, error) {
	if len(cfg.Targets) == 0 {
		return nil, errors.New("a route needs a target")
	}
	if cfg.Observer == nil {
		cfg.Observer = nobody{}
	}
	if cfg.Sound == nil {
		cfg.Sound = func([]byte) bool { return true }
	}
	r := &Route{cfg: cfg, hedges: new(provider.Budget)}
	for _, w := range cfg.Targets {
		r.legs = append(r.legs, leg{w.Target, w.Target.cfg.Provider, max(1, w.Weight)})
	}
	for _, t := range cfg.Fallback {
		r.legs = append(r.legs, leg{t, t.cfg.Provider, 0})
	}
	for i, l := range r.legs {
		if slices.ContainsFunc(r.legs[:i], func(b leg) bool { return b.t == l.t }) {
			return nil, fmt.Errorf("a route names %s %s twice", l.t.cfg.Name, l.t.cfg.Model)
		}
	}
	return r, nil
}

// Names returns the names of the providers, each once.
func (r *Route) Names() (names []string) {
	for _, l := range r.legs {
		if !slices.Contains(names, l.t.cfg.Name) {
			names = append(names, l.t.cfg.Name)
		}
	}
	return names
}

// First returns what the provider of the first target calls the model, "" when that is
// what the client does.
func (r *Route) First() string { return r.legs[0].t.Model() }

// APIs implements gateway.Provider: those in which all targets can be asked.
func (r *Route) APIs() []string {
	return slices.DeleteFunc(slices.Clone(r.legs[0].p.APIs()), func(api string) bool {
		return slices.ContainsFunc(r.legs[1:], func(l leg) bool { return !slices.Contains(l.p.APIs(), api) })
	})
}

// In returns the route as it is asked in the words of api, nil when none of its
// targets can be: translate returns a provider of another API as one of this, nil
// when it cannot. Targets that cannot be asked so are left out.
func (r *Route) In(api string, translate func(Provider) Provider) *Route {
	in := &Route{cfg: r.cfg, hedges: r.hedges}
	for _, l := range r.legs {
		if !slices.Contains(l.p.APIs(), api) {
			l.p = translate(l.p)
		}
		if l.p != nil {
			in.legs = append(in.legs, l)
		}
	}
	if len(in.legs) == 0 {
		return nil
	}
	return in
}

// Models implements gateway.Provider: a route has one model, which has its name from
// whoever made the route.
func (r *Route) Models(context.Context) ([]string, error) { return nil, nil }

// Complete implements gateway.Provider.
func (r *Route) Complete(ctx context.Context, call ringwall.Call) ([]byte, error) {
	body, done, err := ask(ctx, r, call, func(ctx context.Context, p Provider, call ringwall.Call) ([]byte, error) {
		body, err := p.Complete(ctx, call)
		if err == nil && !r.cfg.Sound(body) {
			return nil, errUnsound
		}
		return body, err
	}, func([]byte) {})
	if err == nil {
		done()
	}
	return body, err
}

// Events implements gateway.Provider.
func (r *Route) Events(ctx context.Context, call ringwall.Call) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		s, done, err := ask(ctx, r, call, r.begin, (*begun).drop)
		if err != nil {
			yield(sse.Event{}, err)
			return
		}
		defer done()
		defer s.drop()
		for ev, ok := s.first, true; ok; {
			if !yield(ev, err) || err != nil {
				return
			}
			ev, err, ok = s.next()
		}
	}
}

// begun is a stream of which the first event has come.
type begun struct {
	first sse.Event
	next  func() (sse.Event, error, bool)
	stop  func()
}

func (r *Route) begin(ctx context.Context, p Provider, call ringwall.Call) (*begun, error) {
	s := &begun{}
	s.next, s.stop = iter.Pull2(p.Events(ctx, call))
	ev, err, ok := s.next()
	if err == nil && !ok {
		err = errors.New("reading the model's stream: it ends before it begins")
	}
	if err == nil && !r.cfg.Sound(ev.Data) {
		err = errUnsound
	}
	if err != nil {
		s.stop()
		return nil, err
	}
	s.first = ev
	return s, nil
}

func (s *begun) drop() { s.stop() }
