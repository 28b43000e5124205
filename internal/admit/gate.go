// Package admit decides which requests a busy server takes in, and which it turns away
// before they cost anything.
//
// A request holds a [Ticket]. [Gate.Enter] gives it a slot, at once or never: slots
// bound how many requests are under way, those that wait for somebody else included.
// [Gate.Work] lets it use the processor; that is what is scarce, so it waits here for
// its turn, shortly, and is turned away when the turn does not come. [Ticket.Rest] gives
// the right back before the request waits for others, [Ticket.Hold] counts what it keeps
// in memory, [Ticket.Leave] ends it.
//
// How many may work at a time is found out, not configured: the limit rises while
// goroutines that could run do run at once, and falls when they wait for a processor
// (AIMD on the scheduler's latency). The time that a model takes is not part of that,
// so that slow models do not look like overload.
//
// Who is let in first: the higher [Class]; within one, every [Flow] in turn, so that
// who asks a thousand times waits for itself; within a flow who came first, and where
// more comes than can be served the newest. Of slots and memory a class has only a share, and
// no flow may take the last of it.
//
// It knows neither HTTP nor who callers are. Start reading at [Gate].
package admit

import (
	"errors"
	"hash/maphash"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Class is how much a request matters; the zero value matters least.
type Class uint8

// Classes is how many there are.
const Classes = 5

// Flow is on whose behalf a request comes, as [Gate.Flow] names it: a tenant, an address.
type Flow uint64

// Reason is why a request was turned away.
type Reason string

// Reasons.
const (
	Slots  Reason = "slots"  // too many are under way
	Share  Reason = "share"  // too many of one flow are
	Queue  Reason = "queue"  // too many wait for the processor
	Wait   Reason = "wait"   // it waited too long
	Memory Reason = "memory" // too many bytes are held
)

// Reasons are all reasons there are.
var Reasons = []string{string(Slots), string(Share), string(Queue), string(Wait), string(Memory)}

// Shed is the error of a request that is turned away.
type Shed struct{ Reason Reason }

func (s *Shed) Error() string { return "admit: " + string(s.Reason) }

// Is reports whether target is ErrShed.
func (*Shed) Is(target error) bool { return target == ErrShed }

// ErrShed is what every Shed is.
var ErrShed = errors.New("admit: turned away")

var (
	shedSlots  = &Shed{Slots}
	shedShare  = &Shed{Share}
	shedQueue  = &Shed{Queue}
	shedWait   = &Shed{Wait}
	shedMemory = &Shed{Memory}
)

// Config bounds a Gate.
type Config struct {
	Slots  int           // requests under way at a time; required
	Wait   time.Duration // that a request may wait for the processor; 0: it does not wait
	Queue  int           // requests that may wait at a time
	Target time.Duration // how long what could run may wait for a processor
	Bytes  int64         // that may be held; 0: not bounded

	// Pressure returns how long goroutines waited for a processor since it was called
	// last, and how much of the memory limit is in use, 0 to 1; default: what the
	// runtime measures.
	Pressure func() (wait time.Duration, memory float64)
	// Shed is told of who is turned away, Waited of how long one waited that had to.
	// They must not wait; nil: nobody is told.
	Shed   func(Reason, Class)
	Waited func(Class, time.Duration)
}

// window is how often the limit is thought over.
const window = 10 * time.Millisecond

// Gate lets requests in. It is safe for concurrent use.
type Gate struct {
	seed    maphash.Seed
	waiters sync.Pool

	mu    sync.Mutex
	cfg   Config
	flows map[Flow]*flow
	spare *flow // not in use, by next

	slots   int
	classes [Classes]int // of the slots
	bytes   int64
	active  int // flows with tickets in front
	working int
	lines   [Classes]line
	queued  int

	penned atomic.Int32

	limit  float64 // of working
	strain int     // windows in a row in which what could run had to wait too long
	busy   bool    // what can run waits a little
	peak   int     // of working in this window
	passed int     // tickets that were let work in this window
	rate   float64 // of them, a second
	began  time.Time
	least  Class // that is let in: the runtime is short of it
}

// flow is what the requests of one Flow have.
type flow struct {
	id    Flow
	held  int // slots
	front int // tickets that work, wait for that, or have not come so far
	bytes int64
	lanes [Classes]lane
	next  *flow // while it is spare
}

// Ticket is a request's. The zero value is ready for Enter; it must not be copied, and
// one goroutine uses it at a time.
type Ticket struct {
	gate    *Gate
	flow    *flow
	class   Class
	front   bool
	working bool
	bytes   int64
}

// New returns a Gate.
func New(cfg Config) *Gate {
	g := &Gate{seed: maphash.MakeSeed(), flows: map[Flow]*flow{}, began: time.Now()}
	g.waiters.New = newWaiter
	g.limit = float64(32 * runtime.GOMAXPROCS(0))
	for i := range g.lines {
		g.lines[i].class = Class(i)
	}
	g.Set(cfg)
	return g
}

// Set makes cfg bound what comes from now on.
func (g *Gate) Set(cfg Config) {
	if cfg.Pressure == nil {
		cfg.Pressure = newMeter().read
	}
	if cfg.Target <= 0 {
		cfg.Target = time.Millisecond
	}
	if cfg.Shed == nil {
		cfg.Shed = func(Reason, Class) {}
	}
	if cfg.Waited == nil {
		cfg.Waited = func(Class, time.Duration) {}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cfg = cfg
	g.limit = min(g.limit, float64(max(1, cfg.Slots)))
	g.dispatch()
}

// Flow names a flow by what kind it is of and its name.
func (g *Gate) Flow(kind byte, name string) Flow {
	return Flow(maphash.String(g.seed, name) + uint64(kind)*0x9e3779b97f4a7c15)
}

// FlowOf is Flow for a name of bytes.
func (g *Gate) FlowOf(kind byte, name []byte) Flow {
	return Flow(maphash.Bytes(g.seed, name) + uint64(kind)*0x9e3779b97f4a7c15)
}

// shares is which part of all slots a class may take with those below it, in percent.
var shares = [Classes]int{60, 70, 85, 95, 100}

// part is the share of a class of n, at least 1.
func part(n int64, c Class) int64 { return max(1, (n*int64(shares[c])+99)/100) }

// greed is how many times what is left one flow may take of slots.
const greed = 8

// Enter gives t a slot, or a *Shed. The class may be a guess, and so may the flow:
// Work is told them for good.
func (g *Gate) Enter(t *Ticket, c Class, of Flow) error {
	now := time.Now()
	g.mu.Lock()
	g.look(now)
	f := g.flow(of)
	shed := g.mayEnter(c, f)
	if shed == nil {
		g.slots++
		g.classes[c]++
		f.held++
		g.forward(f)
		*t = Ticket{gate: g, flow: f, class: c, front: true}
		g.mu.Unlock()
		return nil
	}
	g.release(f)
	tell := g.cfg.Shed
	g.mu.Unlock()
	tell(shed.Reason, c)
	return shed
}

// mayEnter says why a request may not have a slot, nil when it may.
func (g *Gate) mayEnter(c Class, f *flow) *Shed {
	most := part(int64(g.cfg.Slots), c)
	switch {
	case int64(g.slots) >= most:
		return shedSlots
	case f.held >= greed*int(most-int64(g.slots)):
		return shedShare
	case c < g.least:
		return shedMemory
	}
	// Where more wait than will be served, a flow that has its part already is turned
	// away before its request is even read.
	if room := g.room(); g.queued > 0 && g.queued >= room && f.front >= max(fewest, (int(g.limit)+room)/g.active) {
		return shedQueue
	}
	return nil
}

const (
	fewest   = 16 // requests of a flow that may always be in front
	leastOut = 64 // requests that may wait, in all
)

// room is how many may wait: as many as have been served of late in the time that one
// may wait. More would wait in vain.
func (g *Gate) room() int {
	n := max(leastOut, int(2*g.limit), int(g.rate*g.cfg.Wait.Seconds()))
	return min(n, g.cfg.Queue)
}

// flow returns the flow of that name.
func (g *Gate) flow(id Flow) *flow {
	f := g.flows[id]
	if f == nil {
		if f = g.spare; f != nil {
			g.spare, f.next = f.next, nil
		} else {
			f = &flow{}
		}
		f.id = id
		g.flows[id] = f
	}
	return f
}

// release keeps a flow for another one once it has nothing.
func (g *Gate) release(f *flow) {
	if f.held == 0 {
		delete(g.flows, f.id)
		f.next, g.spare = g.spare, f
	}
}

// forward and back count a ticket of a flow in front, or no longer.
func (g *Gate) forward(f *flow) {
	if f.front++; f.front == 1 {
		g.active++
	}
}

func (g *Gate) back(f *flow) {
	if f.front--; f.front == 0 {
		g.active--
	}
}

// become makes t one of another class and flow, or says why it cannot be.
func (g *Gate) become(t *Ticket, c Class, of Flow) *Shed {
	if c != t.class {
		if c < t.class && int64(g.slots) > part(int64(g.cfg.Slots), c) {
			return shedSlots
		}
		g.classes[t.class]--
		g.classes[c]++
		t.class = c
	}
	if of == t.flow.id {
		return nil
	}
	f := g.flow(of)
	if left := part(int64(g.cfg.Slots), c) - int64(g.slots) + 1; f.held >= greed*int(left) {
		g.release(f)
		return shedShare
	}
	t.flow.held--
	t.flow.bytes -= t.bytes
	f.held++
	f.bytes += t.bytes
	if t.front {
		g.back(t.flow)
		g.forward(f)
	}
	g.release(t.flow)
	t.flow = f
	return nil
}

// Rest ends the right to work that Work gave, for somebody else to have it. It may be
// called again.
func (t *Ticket) Rest() {
	g := t.gate
	if g == nil || !t.front {
		return
	}
	g.mu.Lock()
	g.rest(t)
	g.mu.Unlock()
}

func (g *Gate) rest(t *Ticket) {
	if !t.front {
		return
	}
	t.front = false
	g.back(t.flow)
	if t.working {
		t.working = false
		g.working--
		g.dispatch()
	}
}

// Pause lets others work while t waits for somebody in the middle of its work, and
// resume has it go on, without a further wait: what is begun is finished.
func (t *Ticket) Pause() (resume func()) {
	g := t.gate
	if g == nil || !t.working {
		return func() {}
	}
	g.mu.Lock()
	t.working = false
	g.working--
	g.dispatch()
	g.mu.Unlock()
	return func() {
		g.mu.Lock()
		if t.front {
			t.working = true
			g.working++
		}
		g.mu.Unlock()
	}
}

// Leave gives back all that t has. It may be called again, and before Enter.
func (t *Ticket) Leave() {
	g := t.gate
	if g == nil {
		return
	}
	g.mu.Lock()
	g.rest(t)
	g.slots--
	g.classes[t.class]--
	t.flow.held--
	t.flow.bytes -= t.bytes
	g.bytes -= t.bytes
	g.release(t.flow)
	*t = Ticket{}
	g.mu.Unlock()
}

// Class returns the class of t.
func (t *Ticket) Class() Class { return t.class }

// State is what a Gate holds.
type State struct {
	InFlight [Classes]int
	Queued   [Classes]int
	Working  int
	Limit    int
	Bytes    int64
	Flows    int
}

// State returns what g holds now.
func (g *Gate) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.look(time.Now())
	s := State{InFlight: g.classes, Working: g.working, Limit: int(g.limit), Bytes: g.bytes, Flows: len(g.flows)}
	for i := range g.lines {
		s.Queued[i] = g.lines[i].n
	}
	return s
}
