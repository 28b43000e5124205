package ban

import (
	"net/netip"
	"sync"
	"time"
)

// Bounds of what strangers can make grow.
const (
	maxWatched = 65_536 // hosts whose faults are counted
	maxWaiting = 10_000 // automatic bans that the database does not hold yet
)

// memory is how long behind its end an automatic ban counts for the next one.
const memory = 24 * time.Hour

// Policy says when who fails is shut out, and how long. The zero Policy shuts nobody
// out.
type Policy struct {
	Faults  int           // so many within Window; 0: never
	Window  time.Duration // default 1 minute
	First   time.Duration // how long the first time; each time it is twice as long. Default 10 minutes
	Longest time.Duration // and at most. Default 24 hours
}

func (p *Policy) window() time.Duration {
	if p.Window <= 0 {
		return time.Minute
	}
	return p.Window
}

// length is how long a ban is behind a number of others.
func (p *Policy) length(strikes int) time.Duration {
	d, most := p.First, p.Longest
	if d <= 0 {
		d = 10 * time.Minute
	}
	if most <= 0 {
		most = 24 * time.Hour
	}
	for range min(strikes, 32) {
		if d >= most/2 {
			return max(most, p.First)
		}
		d *= 2
	}
	return min(d, max(most, p.First))
}

// watch counts faults by host: a bucket for each that leaks its size in a window, so
// that faults in a row fill it and those far between never do. The zero value is ready.
type watch struct {
	mu    sync.Mutex
	hosts map[netip.Prefix]bucket
}

type bucket struct {
	level float64
	at    time.Time
}

// fault takes down one fault, and reports whether the bucket is full; it is empty then.
func (w *watch) fault(host netip.Prefix, now time.Time, p Policy) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hosts == nil {
		w.hosts = map[netip.Prefix]bucket{}
	}
	k, known := w.hosts[host]
	if !known && len(w.hosts) >= maxWatched {
		w.makeRoom()
	}
	leaked := now.Sub(k.at).Seconds() * float64(p.Faults) / p.window().Seconds()
	if k.level = max(0, k.level-max(0, leaked)) + 1; k.level > float64(p.Faults)-0.999 {
		// As many as Faults within the window, less one that may have leaked meanwhile.
		delete(w.hosts, host)
		return true
	}
	k.at = now
	w.hosts[host] = k
	return false
}

// makeRoom forgets the host that failed longest ago of a few: all of them, at each
// fault of a stranger, would be work that strangers can make.
func (w *watch) makeRoom() {
	var oldest netip.Prefix
	var at time.Time
	looked := 0
	for host, k := range w.hosts { // begins anywhere
		if looked == 0 || k.at.Before(at) {
			oldest, at = host, k.at
		}
		if looked++; looked == 16 {
			break
		}
	}
	delete(w.hosts, oldest)
}

// forget makes the bucket of a host empty.
func (w *watch) forget(s Subject) {
	p, err := netip.ParsePrefix(s.Value)
	if s.Scope != Address || err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.hosts, p)
}
