package route_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/circuit"
	"github.com/ringwall/ringwall/internal/sse"
	"github.com/ringwall/ringwall/provider"
	"github.com/ringwall/ringwall/provider/route"
)

// fake is a Provider that does what a test wants.
type fake struct {
	name   string
	api    string
	mu     sync.Mutex
	calls  []string // models that it was asked for
	silent time.Duration
	err    error // before anything came
	late   error // behind the first event
	panics bool
}

func (f *fake) APIs() []string                           { return []string{cmp.Or(f.api, "openai")} }
func (f *fake) Models(context.Context) ([]string, error) { return nil, nil }

func (f *fake) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fake) asked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.calls)
}

func (f *fake) ask(ctx context.Context, call ringwall.Call) error {
	f.mu.Lock()
	f.calls = append(f.calls, call.Model+" "+string(call.Body))
	err := f.err
	f.mu.Unlock()
	if f.panics {
		panic("boom")
	}
	select {
	case <-time.After(f.silent):
	case <-ctx.Done():
		return ctx.Err()
	}
	return err
}

func (f *fake) Complete(ctx context.Context, call ringwall.Call) ([]byte, error) {
	if err := f.ask(ctx, call); err != nil {
		return nil, err
	}
	return []byte(f.name), nil
}

func (f *fake) Events(ctx context.Context, call ringwall.Call) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		if err := f.ask(ctx, call); err != nil {
			yield(sse.Event{}, err)
			return
		}
		if !yield(sse.Event{Data: []byte(f.name)}, nil) {
			return
		}
		if f.late != nil {
			yield(sse.Event{}, f.late)
			return
		}
		yield(sse.Event{Data: []byte(" says more")}, nil)
	}
}

func fail(reason provider.Reason, after time.Duration) error {
	return &provider.Failure{Reason: reason, After: after, Err: &ringwall.Refusal{Status: http.StatusBadGateway, Code: string(reason)}}
}

func target(f *fake, model string) *route.Target {
	return route.NewTarget(route.TargetConfig{Name: f.name, Provider: f, Model: model, Failures: 3, Pause: time.Minute})
}

func chain(t *testing.T, cfg route.Config, fakes ...*fake) *route.Route {
	t.Helper()
	for i, f := range fakes {
		if i == 0 {
			cfg.Targets = []route.Weighted{{Target: target(f, f.name+"-1")}}
		} else {
			cfg.Fallback = append(cfg.Fallback, target(f, f.name+"-1"))
		}
	}
	cfg.Model = "assistant"
	r, err := route.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func call() ringwall.Call {
	return ringwall.Call{
		API: "openai", Model: "assistant", Body: []byte("assistant"), Asked: &ringwall.Asked{},
		As: func(model string) []byte { return []byte("body for " + model) },
	}
}

// streamed returns what a stream says, and the error at its end.
func streamed(ctx context.Context, r *route.Route, c ringwall.Call) (text string, err error) {
	for ev, e := range r.Events(ctx, c) {
		if e != nil {
			return text, e
		}
		text += string(ev.Data)
	}
	return text, nil
}

// Another target is asked for what may go well there, and for nothing else; whole
// and streamed.
func TestFallsBack(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		next bool
	}{
		{"a connection that breaks", fail(provider.Unreachable, 0), true},
		{"a time-out", fmt.Errorf("asking: %w", context.DeadlineExceeded), true},
		{"asked too often", fail(provider.RateLimited, 0), true},
		{"an error of its own", fail(provider.Unavailable, 0), true},
		{"a key that is not taken", fail(provider.Denied, 0), true},
		{"a model that is gone", fail(provider.NoModel, 0), true},
		{"garbage", errors.New("reading the model's answer: garbage"), true},
		{"an API without a word for it", fmt.Errorf("%w: a video", ringwall.ErrUncarried), true},
		{"a request that is wrong", fail(provider.Rejected, 0), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := &fake{name: "a", err: tt.err}, &fake{name: "b"}
			r := chain(t, route.Config{}, a, b)
			for _, stream := range []bool{false, true} {
				c := call()
				var text string
				var err error
				if stream {
					text, err = streamed(t.Context(), r, c)
				} else {
					var body []byte
					body, err = r.Complete(t.Context(), c)
					text = string(body)
				}
				if !tt.next {
					if !errors.Is(err, tt.err) || b.asked() != 0 || c.Asked.Provider != "" {
						t.Errorf("%q, %v: b was asked %d times", text, err, b.asked())
					}
					continue
				}
				if err != nil || !strings.HasPrefix(text, "b") {
					t.Errorf("%q, %v", text, err)
				}
				want := ringwall.Asked{Provider: "b", Model: "b-1", Tries: []ringwall.Try{{Provider: "a", Model: "a-1", Reason: string(provider.ReasonOf(tt.err))}}}
				if !reflect.DeepEqual(*c.Asked, want) {
					t.Errorf("it wrote down %+v, want %+v", *c.Asked, want)
				}
				if b.calls[0] != "b-1 body for b-1" {
					t.Errorf("b was asked for %q", b.calls[0])
				}
			}
		})
	}
}

// Behind the first event nobody else is asked: the client has read it.
func TestAStreamThatBreaksIsNotBegunAnew(t *testing.T) {
	broke := fail(provider.Unreachable, 0)
	a, b := &fake{name: "a", late: broke}, &fake{name: "b"}
	text, err := streamed(t.Context(), chain(t, route.Config{}, a, b), call())
	if text != "a" || !errors.Is(err, broke) || b.asked() != 0 {
		t.Errorf("%q, %v; b was asked %d times", text, err, b.asked())
	}
}

func TestBalances(t *testing.T) {
	a, b := &fake{name: "a"}, &fake{name: "b"}
	r, err := route.New(route.Config{Targets: []route.Weighted{{target(a, ""), 3}, {target(b, ""), 1}}})
	if err != nil {
		t.Fatal(err)
	}
	for range 4000 {
		if _, err := r.Complete(t.Context(), call()); err != nil {
			t.Fatal(err)
		}
	}
	if n := a.asked(); n < 2850 || n > 3150 || n+b.asked() != 4000 {
		t.Errorf("a was asked %d times of 4000, want some 3000", n)
	}
	if a.calls[0] != "assistant assistant" {
		t.Errorf("a was asked for %q", a.calls[0])
	}
}

// A target that fails is left alone, tried again by one request, and taken back.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &fake{name: "a", err: fail(provider.Unavailable, 0)}, &fake{name: "b"}
		r := chain(t, route.Config{}, a, b)
		for range 10 {
			if body, err := r.Complete(t.Context(), call()); err != nil || string(body) != "b" {
				t.Fatalf("%s, %v", body, err)
			}
		}
		if a.asked() != 3 {
			t.Errorf("a was asked %d times, want 3", a.asked())
		}
		<-time.After(time.Minute)
		_, _ = r.Complete(t.Context(), call())
		_, _ = r.Complete(t.Context(), call())
		if a.asked() != 4 {
			t.Errorf("behind the pause a was asked %d times, want once more", a.asked())
		}
		<-time.After(time.Minute)
		a.set(nil)
		if body, err := r.Complete(t.Context(), call()); err != nil || string(body) != "a" {
			t.Errorf("%s, %v", body, err)
		}
		// When nobody is left the client learns when to come again.
		a.set(fail(provider.RateLimited, 20*time.Second))
		b.set(fail(provider.RateLimited, 30*time.Second))
		_, _ = r.Complete(t.Context(), call())
		_, err := r.Complete(t.Context(), call())
		var ref *ringwall.Refusal
		if !errors.As(err, &ref) || ref.Status != 503 || ref.After != 20*time.Second {
			t.Errorf("%v", err)
		}
	})
}

// One that is silent does not use up the time of the others.
func TestTimeIsShared(t *testing.T) {
	for _, tt := range []struct {
		name string
		try  time.Duration
		want time.Duration
	}{
		{"by the configuration", 2 * time.Second, 2 * time.Second},
		{"by the deadline", 0, 5 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				a, b := &fake{name: "a", silent: time.Hour}, &fake{name: "b", silent: 3 * time.Second}
				c, start := call(), time.Now()
				text, err := streamed(ctx, chain(t, route.Config{Try: tt.try}, a, b), c)
				if err != nil || text != "b says more" || time.Since(start) != tt.want+3*time.Second || c.Asked.Tries[0].Reason != "timed-out" {
					t.Errorf("%q, %v in %s, %+v", text, err, time.Since(start), c.Asked)
				}
			})
		})
	}
}

func TestHedges(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b *fake
		want string
		took time.Duration
	}{
		{"the second is faster", &fake{silent: time.Minute}, &fake{silent: time.Second}, "b", 3 * time.Second},
		{"the first is faster all the same", &fake{silent: 3 * time.Second}, &fake{silent: time.Minute}, "a", 3 * time.Second},
		{"the first is fast", &fake{silent: time.Second}, &fake{}, "a", time.Second},
		{"the first fails at once", &fake{err: fail(provider.Unreachable, 0)}, &fake{silent: time.Second}, "b", time.Second},
		{"the second panics", &fake{silent: 5 * time.Second}, &fake{panics: true}, "a", 5 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, stream := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					a, b := tt.a, tt.b
					a.name, b.name = "a", "b"
					r, c, start := chain(t, route.Config{Hedge: 2 * time.Second}, a, b), call(), time.Now()
					var text string
					var err error
					if stream {
						text, err = streamed(t.Context(), r, c)
						text = strings.TrimSuffix(text, " says more")
					} else {
						var body []byte
						body, err = r.Complete(t.Context(), c)
						text = string(body)
					}
					if err != nil || text != tt.want || time.Since(start) != tt.took || c.Asked.Provider != tt.want {
						t.Errorf("%q, %v in %s", text, err, time.Since(start))
					}
				})
			}
		})
	}
}

// Who is called off, by the client or for one who was faster, is not unwell.
func TestCalledOffIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &fake{name: "a", silent: time.Hour}
		ta := target(a, "")
		b := &fake{name: "b"}
		r, err := route.New(route.Config{Targets: []route.Weighted{{Target: ta}}, Fallback: []*route.Target{target(b, "")}})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			if _, err := r.Complete(ctx, call()); err == nil {
				t.Error("an answer for nobody")
			}
		}
		if ta.State() != circuit.Closed || b.asked() != 0 {
			t.Errorf("a is %s, b was asked %d times", ta.State(), b.asked())
		}
	})
}

// Each target is asked in an API of its own, or left out.
func TestTranslatesPerTarget(t *testing.T) {
	a, b, c := &fake{name: "a", err: fail(provider.Unavailable, 0)}, &fake{name: "b", api: "bedrock"}, &fake{name: "c", api: "smoke"}
	r := chain(t, route.Config{}, a, c, b)
	if got := r.APIs(); len(got) != 0 {
		t.Errorf("all can be asked in %v", got)
	}
	var translated []string
	in := r.In("openai", func(p route.Provider) route.Provider {
		f := p.(*fake)
		translated = append(translated, f.name)
		if f.api == "smoke" {
			return nil
		}
		return &fake{name: f.name + ", translated"}
	})
	body, err := in.Complete(t.Context(), call())
	if err != nil || string(body) != "b, translated" || !slices.Equal(translated, []string{"c", "b"}) || c.asked() != 0 {
		t.Errorf("%s, %v; %v", body, err, translated)
	}
	if r.In("anthropic", func(route.Provider) route.Provider { return nil }) != nil {
		t.Error("a route without targets")
	}
}

// A target that panics has failed; the next is asked.
func TestAPanicIsAFailure(t *testing.T) {
	a, b := &fake{name: "a", panics: true}, &fake{name: "b"}
	text, err := streamed(t.Context(), chain(t, route.Config{}, a, b), call())
	if err != nil || text != "b says more" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestARouteIsRefused(t *testing.T) {
	a := target(&fake{name: "a"}, "")
	for _, cfg := range []route.Config{{}, {Targets: []route.Weighted{{Target: a}}, Fallback: []*route.Target{a}}} {
		if r, err := route.New(cfg); err == nil {
			t.Errorf("New(%+v) = %v", cfg, r)
		}
	}
}
