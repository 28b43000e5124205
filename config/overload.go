package config

import (
	"net/netip"
	"time"

	"github.com/ringwall/ringwall/internal/strictyaml"
)

// Overload says what is done when more comes than can be served.
type Overload struct {
	Wait   time.Duration   `yaml:"wait" doc:"how long a request may wait for the processor when that is busy; then it is refused with 503 and Retry-After" default:"1s"`
	Queue  int             `yaml:"queue" doc:"most requests that wait for it at a time" default:"1024"`
	Target time.Duration   `yaml:"target" doc:"how long work that could go on may wait for a processor, before fewer requests are let work at a time" default:"1ms"`
	Memory strictyaml.Size `yaml:"memory" doc:"most bytes of requests and answers that are held at a time; lower trust is refused first. 0: an eighth of GOMEMLIMIT, of the control group's limit, or of the machine's memory" default:"0B"`
	Rate   strictyaml.Size `yaml:"min_rate" doc:"bytes a second that clients send and read at least, or are cut off; a restart changes it" default:"500B"`
	Grace  time.Duration   `yaml:"grace" doc:"for how long they may do less; a restart changes it" default:"5s"`

	Connections Connections `yaml:"connections" doc:"what is accepted of the network; an address is one of IPv4, or the /64 of one of IPv6"`
}

// Connections bound what is accepted of the network.
type Connections struct {
	Max     int      `yaml:"max" doc:"connections in all; 0: half of the files that the process may open, at most 16384" default:"0"`
	Address int      `yaml:"per_address" doc:"connections of one address; where there are more, the oldest that asks nothing is closed, or the new one is" default:"1024"`
	Idle    int      `yaml:"idle_per_address" doc:"connections of one address that are kept though they ask nothing" default:"512"`
	Rate    int      `yaml:"new_per_second" doc:"connections that one address may open in a second, twice as many at once" default:"200"`
	Exempt  []string `yaml:"exempt" doc:"addresses and networks that are not bounded: this machine, and the proxies that you trust" default:"[127.0.0.0/8, '::1/128']"`
}

// Networks returns the networks that are exempt.
func (c *Connections) Networks() (all []netip.Prefix) {
	for _, s := range c.Exempt {
		if p, err := network(s); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// network reads a network, or an address as one.
func network(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

// checkOverload finds what is wrong with what is done under load.
func (c *Config) checkOverload(fail failing) {
	o := &c.Overload
	if o.Wait < 0 || o.Wait > 10*time.Second {
		fail("overload.wait", "want 0s to 10s: who waits longer has given up")
	}
	if o.Queue < 0 || o.Queue > 1<<20 {
		fail("overload.queue", "want 0 to 1048576")
	}
	if o.Target < 100*time.Microsecond || o.Target > time.Second {
		fail("overload.target", "want 100us to 1s")
	}
	// Of the lowest trust one flow may hold a quarter.
	if o.Memory < 0 || o.Memory > 0 && o.Memory < 4*c.Limits.Body {
		fail("overload.memory", "want at least four times limits.body (%s), or 0 for what suits the machine", 4*c.Limits.Body)
	}
	if o.Rate < 1 || o.Grace < time.Second {
		fail("overload", "want a min_rate of at least 1B, and a grace of at least 1s")
	}
	n := &o.Connections
	for _, f := range []struct {
		name  string
		v     int
		least int
	}{{"max", n.Max, 0}, {"per_address", n.Address, 1}, {"idle_per_address", n.Idle, 1}, {"new_per_second", n.Rate, 1}} {
		if f.v < f.least {
			fail("overload.connections."+f.name, "want at least %d", f.least)
		}
	}
	for i, s := range n.Exempt {
		if _, err := network(s); err != nil {
			fail(strictyaml.Index("overload.connections.exempt", i), "%q is no address and no network: want 10.0.0.0/8 or 192.0.2.1", s)
		}
	}
}
