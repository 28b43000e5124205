package admit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall/internal/admit"
)

// calm is the pressure of a machine that has nothing to do.
func calm() (time.Duration, float64) { return 0, 0 }

// gate returns a Gate whose tests say how long goroutines wait for a processor.
func gate(cfg admit.Config) *admit.Gate {
	if cfg.Pressure == nil {
		cfg.Pressure = calm
	}
	return admit.New(cfg)
}

// why returns the reason of an error of a Gate.
func why(err error) admit.Reason {
	var s *admit.Shed
	if errors.As(err, &s) && errors.Is(err, admit.ErrShed) {
		return s.Reason
	}
	if err != nil {
		return admit.Reason(err.Error())
	}
	return ""
}

func TestAClassHasOnlyItsShareOfSlots(t *testing.T) {
	g := gate(admit.Config{Slots: 100})
	in := [admit.Classes]int{}
	for c := range admit.Class(admit.Classes) {
		for i := 0; ; i++ {
			// A flow for each, for no flow may have them all.
			if err := g.Enter(&admit.Ticket{}, c, g.Flow('a', fmt.Sprint(c, i))); err != nil {
				if why(err) != admit.Slots {
					t.Fatalf("class %d: %v", c, err)
				}
				break
			}
			in[c]++
		}
	}
	if want := [admit.Classes]int{60, 10, 15, 10, 5}; in != want {
		t.Errorf("slots by class %v, want %v", in, want)
	}
}

func TestAFlowLeavesSomeSlotsToOthers(t *testing.T) {
	g := gate(admit.Config{Slots: 90})
	n := 0
	for ; g.Enter(&admit.Ticket{}, 4, g.Flow('a', "greedy")) == nil; n++ {
	}
	if n != 80 {
		t.Errorf("one flow has %d of 90 slots, want 80", n)
	}
	if err := g.Enter(&admit.Ticket{}, 4, g.Flow('a', "modest")); err != nil {
		t.Errorf("another flow: %v", err)
	}
	// A gate of few slots gives them all.
	g = gate(admit.Config{Slots: 2})
	for i := range 3 {
		err := g.Enter(&admit.Ticket{}, 0, g.Flow('a', "only"))
		if (err == nil) != (i < 2) {
			t.Errorf("request %d of 2: %v", i+1, err)
		}
	}
}

func TestTicketsGiveBackWhatTheyHave(t *testing.T) {
	g := gate(admit.Config{Slots: 10, Bytes: 1000})
	var x admit.Ticket
	x.Leave() // before it entered
	for range 50 {
		if err := g.Enter(&x, 1, g.Flow('a', "one")); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(x.Hold(100), g.Work(t.Context(), &x, 2, g.Flow('t', "two")), g.Answer(&x, 50)); err != nil {
			t.Fatal(err)
		}
		if s := g.State(); s.InFlight != [admit.Classes]int{2: 1} || s.Working != 1 || s.Bytes != 150 || s.Flows != 1 {
			t.Fatalf("%+v", s)
		}
		resume := x.Pause()
		if s := g.State(); s.Working != 0 {
			t.Fatalf("while it pauses %+v", s)
		}
		resume()
		x.Rest()
		x.Rest()
		if s := g.State(); s.Working != 0 || s.InFlight[2] != 1 {
			t.Fatalf("at rest %+v", s)
		}
		x.Leave()
		x.Leave()
		if s := g.State(); s.InFlight != [admit.Classes]int{} || s.Bytes != 0 || s.Flows != 0 {
			t.Fatalf("at the end %+v", s)
		}
	}
}

// full returns a Gate whose every right to work is taken, and what gives one back.
func full(t *testing.T, cfg admit.Config) (g *admit.Gate, one func()) {
	t.Helper()
	cfg.Slots = 10000
	g = gate(cfg)
	n := g.State().Limit
	held := make([]admit.Ticket, n)
	for i := range held {
		f := g.Flow('x', fmt.Sprint(i))
		if err := errors.Join(g.Enter(&held[i], 4, f), g.Work(t.Context(), &held[i], 4, f)); err != nil {
			t.Fatal(err)
		}
	}
	return g, func() {
		held[0].Rest()
		held = held[1:]
	}
}

// queue has requests wait one behind the other, and returns the order in which
// they got their turn, or why they were turned away.
type queue struct {
	g    *admit.Gate
	mu   sync.Mutex
	said []string
	wg   sync.WaitGroup
}

func (q *queue) come(ctx context.Context, c admit.Class, flow, name string) {
	q.wg.Go(func() {
		var x admit.Ticket
		defer x.Leave()
		f := q.g.Flow('a', flow)
		err := q.g.Enter(&x, c, f)
		if err == nil {
			err = q.g.Work(ctx, &x, c, f)
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		if err != nil {
			name += ":" + string(why(err))
		}
		q.said = append(q.said, name)
	})
	synctest.Wait()
}

func (q *queue) wait() string {
	q.wg.Wait()
	return strings.Join(q.said, " ")
}

// Higher classes first; in a class each flow in turn; in a flow who came first, and the
// newest once the oldest has waited for long.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, one := full(t, admit.Config{Wait: 100 * time.Millisecond, Queue: 1000})
		q := &queue{g: g}
		for i, r := range []struct {
			c    admit.Class
			flow string
		}{{0, "a"}, {0, "a"}, {0, "a"}, {0, "b"}, {2, "c"}, {4, "c"}, {0, "d"}} {
			q.come(t.Context(), r.c, r.flow, fmt.Sprint(r.flow, i))
		}
		one() // each that leaves gives its turn to the next
		if got, want := q.wait(), "c5 c4 a0 b3 d6 a1 a2"; got != want {
			t.Errorf("turns %s, want %s", got, want)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		g, one := full(t, admit.Config{Wait: 100 * time.Millisecond, Queue: 1000})
		q := &queue{g: g}
		for i := range 3 {
			q.come(t.Context(), 0, "a", fmt.Sprint(i))
		}
		<-time.After(60 * time.Millisecond) // of the clock of the bubble
		one()
		if got, want := q.wait(), "2 1 0"; got != want {
			t.Errorf("turns %s, want %s", got, want)
		}
	})
}

func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, one := full(t, admit.Config{Wait: 100 * time.Millisecond, Queue: 1000})
		q := &queue{g: g}
		ctx, leave := context.WithCancel(t.Context())
		began := time.Now()
		q.come(t.Context(), 0, "a", "slow")
		q.come(ctx, 0, "a", "left")
		leave()
		if got, want := q.wait(), "left:context canceled slow:wait"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if took := time.Since(began); took != 100*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		if s := g.State(); s.Queued != [admit.Classes]int{} {
			t.Errorf("%+v", s)
		}
		one()
		q.come(t.Context(), 0, "a", "next")
		q.wait()
		if s := g.State(); s.Working >= s.Limit {
			t.Errorf("%+v", s)
		}
	})
}

// A queue that is full lets the important in, and takes from those that have most.
func TestAFullQueueMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := map[admit.Reason]int{}
		g, one := full(t, admit.Config{Wait: time.Hour, Queue: 3, Shed: func(r admit.Reason, _ admit.Class) { told[r]++ }})
		q := &queue{g: g}
		q.come(t.Context(), 1, "flood", "f0")
		q.come(t.Context(), 1, "flood", "f1")
		q.come(t.Context(), 1, "flood", "f2")
		q.come(t.Context(), 1, "flood", "f3") // pushes its own out
		q.come(t.Context(), 1, "other", "o0") // pushes the flood's out
		q.come(t.Context(), 0, "low", "l0")   // finds none below it
		q.come(t.Context(), 3, "high", "h0")
		one()
		if got, want := q.wait(), "f0:queue f1:queue l0:queue f2:queue h0 f3 o0"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if told[admit.Queue] != 4 {
			t.Errorf("told of %v", told)
		}
	})
}

// Once more wait than can be served, who has a fair part is turned away at the door,
// and learns that late; nobody else is.
func TestAFloodIsTurnedAwayAtTheDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, one := full(t, admit.Config{Wait: 100 * time.Millisecond, Queue: 16})
		q := &queue{g: g}
		for i := range 16 {
			q.come(t.Context(), 1, "flood", fmt.Sprint("f", i))
		}
		began := time.Now()
		err := g.Enter(&admit.Ticket{}, 1, g.Flow('a', "flood"))
		if why(err) != admit.Queue {
			t.Errorf("the flood is let in: %v", err)
		}
		for i := range 16 {
			if err := g.Enter(&admit.Ticket{}, 1, g.Flow('a', "other")); err != nil {
				t.Errorf("request %d of somebody else: %v", i, err)
			}
		}
		g.Pen(t.Context())
		if took := time.Since(began); took < 100*time.Millisecond || took > 300*time.Millisecond {
			t.Errorf("it was kept %v", took)
		}
		ctx, leave := context.WithCancel(t.Context())
		leave()
		began = time.Now()
		g.Pen(ctx)
		if took := time.Since(began); took != 0 {
			t.Errorf("one that left was kept %v", took)
		}
		one()
		q.wait()
	})
}

func TestTheLimitFollowsThePressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wait time.Duration
		g, _ := full(t, admit.Config{Wait: time.Hour, Queue: 10, Target: 5 * time.Millisecond, Pressure: func() (time.Duration, float64) { return wait, 0 }})
		began := g.State().Limit
		step := func(n int, p time.Duration) int {
			wait = p
			for range n {
				<-time.After(60 * time.Millisecond)
				g.State()
			}
			return g.State().Limit
		}
		if got := step(10, time.Millisecond); got <= began {
			t.Errorf("a limit of %d that is used stays %d while nothing waits", began, got)
		}
		before := step(1, 0)
		if got := step(1, time.Second); got != before {
			t.Errorf("one bad window made %d of a limit of %d", got, before)
		}
		low := step(100, 30*time.Millisecond)
		if low >= began/2 || low < 1 {
			t.Errorf("a limit of %d became %d", began, low)
		}
		if got := step(80, 0); got < began {
			t.Errorf("the limit stays %d", got)
		}
	})
}

func TestMemory(t *testing.T) {
	var memory float64
	g := gate(admit.Config{Slots: 100, Bytes: 1000, Pressure: func() (time.Duration, float64) { return 0, memory }})
	enter := func(c admit.Class, flow string) *admit.Ticket {
		x := &admit.Ticket{}
		if err := g.Enter(x, c, g.Flow('a', flow)); err != nil {
			t.Fatal(err)
		}
		return x
	}
	a, a2, b, high := enter(0, "a"), enter(0, "a"), enter(0, "b"), enter(4, "o")
	for i, tt := range []struct {
		x    *admit.Ticket
		n    int64
		want admit.Reason
	}{
		{a, 400, ""},             // of 480 that the lowest class may
		{a2, 50, admit.Memory},   // its flow has enough
		{b, 50, ""},              // another flow
		{b, 50, admit.Memory},    // there is no more for the class
		{high, 300, ""},          // the highest may more
		{high, 51, admit.Memory}, // the rest is for answers
	} {
		if err := tt.x.Hold(tt.n); why(err) != tt.want {
			t.Errorf("%d: holding %d: %v, want %q", i, tt.n, err, tt.want)
		}
	}
	if err := g.Answer(a, 250); err != nil {
		t.Errorf("an answer: %v", err)
	}
	if err := g.Answer(a, 1); why(err) != admit.Memory {
		t.Errorf("an answer too many: %v", err)
	}
	for _, x := range []*admit.Ticket{a, a2, b, high} {
		x.Leave()
	}
	if s := g.State(); s.Bytes != 0 {
		t.Errorf("%+v", s)
	}
	// One answer that is larger than everything has been bought already.
	a = enter(0, "a")
	if err := g.Answer(a, 2000); err != nil {
		t.Error(err)
	}
	a.Leave()
}

// What the runtime holds beyond its limit turns lower classes away.
func TestMemoryOfTheRuntime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for memory, want := range map[float64]admit.Class{0.5: 0, 0.85: 2, 0.93: 3, 0.99: 4} {
			g := gate(admit.Config{Slots: 100, Pressure: func() (time.Duration, float64) { return 0, memory }})
			<-time.After(time.Second)
			for c := range admit.Class(admit.Classes) {
				err := g.Enter(&admit.Ticket{}, c, g.Flow('a', "a"))
				if (why(err) == admit.Memory) != (c < want) {
					t.Errorf("with %v of the memory in use class %d: %v", memory, c, err)
				}
			}
		}
	})
}

// Many at once leave nothing behind, whatever becomes of them.
func TestNothingIsLost(t *testing.T) {
	g := admit.New(admit.Config{Slots: 300, Wait: time.Millisecond, Queue: 20, Bytes: 1 << 20})
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for k := range 300 {
				ctx, cancel := context.WithCancel(t.Context())
				if k%5 == 0 {
					cancel()
				}
				var x admit.Ticket
				f := g.Flow('a', fmt.Sprint(i%7))
				if g.Enter(&x, admit.Class(i%3), f) == nil {
					if x.Hold(512) == nil && g.Work(ctx, &x, admit.Class(k%5), g.Flow('t', fmt.Sprint(k%11))) == nil && k%2 == 0 {
						x.Pause()()
						x.Rest()
					}
				}
				x.Leave()
				cancel()
			}
		})
	}
	wg.Wait()
	if s := g.State(); s.InFlight != [admit.Classes]int{} || s.Queued != [admit.Classes]int{} || s.Working != 0 || s.Bytes != 0 || s.Flows != 0 {
		t.Errorf("left behind: %+v", s)
	}
}

func BenchmarkAdmission(b *testing.B) {
	g := admit.New(admit.Config{Slots: 2048, Wait: 100 * time.Millisecond, Queue: 512, Bytes: 1 << 30})
	ctx := b.Context()
	b.ReportAllocs()
	var x admit.Ticket
	for b.Loop() {
		f := g.Flow('t', "tenant")
		if g.Enter(&x, 2, f) != nil || x.Hold(1024) != nil || g.Work(ctx, &x, 2, f) != nil {
			b.Fatal("turned away")
		}
		x.Rest()
		x.Leave()
	}
}

func BenchmarkTurnedAway(b *testing.B) {
	g := admit.New(admit.Config{Slots: 1})
	var x, y admit.Ticket
	if err := g.Enter(&x, 0, 1); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if g.Enter(&y, 0, 2) == nil {
			b.Fatal("let in")
		}
	}
}
