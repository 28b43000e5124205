package quota

import (
	"math"
	"net/netip"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/ringwall/ringwall"
)

// Claim is what a request is about to use.
type Claim struct {
	Principal ringwall.Principal
	Addr      netip.Addr
	Model     string // as the client names it; "": no model is asked
	Route     string
	Tool      string // that is about to be called; "": it is a request to a model

	Input  int64 // tokens that the model will read, about
	Output int64 // most tokens that it may write
	Calls  int64 // tool calls that it may ask for, about
	Price  Price
}

// Price is what a model costs, in parts of a Dollar for a million tokens. The zero
// Price is not known.
type Price struct {
	Known         bool
	Input, Output int64
}

// PriceOf makes prices in dollars for a million tokens a Price, rounded up.
func PriceOf(input, output float64, known bool) Price {
	return Price{Known: known, Input: Dollars(input), Output: Dollars(output)}
}

// Dollars makes an amount in dollars one in parts of a Dollar, rounded up; no more than
// a million.
func Dollars(f float64) int64 { return int64(math.Ceil(max(0, min(f, 1e6)) * float64(Dollar))) }

// Used is what a request did use.
type Used struct {
	Usage     ringwall.Usage
	Money     int64 // in parts of a Dollar
	ToolCalls int64
}

// limit is a Limit, ready for use.
type limit struct {
	Limit
	prefix string // of its keys
	slot   int64  // milliseconds of a slot; 0: of the calendar
	own    bool   // its subjects are callers
	warn   int64  // from which use is warned
	last   *atomic.Pointer[span]
}

// Plan is the limits that are in force. It does not change, and is safe for concurrent
// use.
type Plan struct {
	q      *Quota
	limits []limit
	spread bool // no limit is of several tenants
	priced bool // a limit counts Money
	tools  bool // a limit is about single tools
}

// Plan returns the limits as they are used. Counters are found by the name, the window
// and the dimensions of a limit: they go on from one Plan to the next.
func (q *Quota) Plan(limits []Limit) (*Plan, error) {
	p := &Plan{q: q, spread: true}
	names := map[string]bool{}
	for _, l := range limits {
		if err := l.Check(); err != nil {
			return nil, err
		}
		if names[l.Name] {
			return nil, errTwice(l.Name)
		}
		names[l.Name] = true
		c := limit{Limit: l, own: slices.ContainsFunc(l.By, Dimension.own), last: new(atomic.Pointer[span])}
		share := l.Warn
		if share == 0 {
			share = DefaultWarn
		}
		c.warn = max(1, int64(float64(l.Most)*share))
		if share == 1 {
			c.warn = most + 1
		}
		switch {
		case l.Measure == Concurrent:
			c.slot = q.cfg.Lease.Milliseconds()/Slots + 1
		case l.Window.Calendar == None:
			c.slot = (l.Window.Length.Milliseconds() + Slots - 1) / Slots
		}
		c.prefix = l.Name + "|" + string(l.Measure) + "|" + window(&l)
		for _, d := range l.By {
			c.prefix += "," + string(d)
		}
		p.limits = append(p.limits, c)
		p.tools = p.tools || l.tools()
		p.priced = p.priced || l.Measure == Money
		p.spread = p.spread && slices.ContainsFunc(l.By, func(d Dimension) bool { return d == Tenant || d == Principal })
	}
	return p, nil
}

// window names the window of a limit in its keys.
func window(l *Limit) string {
	switch {
	case l.Measure == Concurrent:
		return "now"
	case l.Window.Calendar != None && l.Window.Zone != nil:
		return l.Window.String() + "@" + l.Window.Zone.String()
	}
	return l.Window.String()
}

// Limits returns the limits.
func (p *Plan) Limits() []Limit {
	out := make([]Limit, len(p.limits))
	for i := range p.limits {
		out[i] = p.limits[i].Limit
	}
	return out
}

// Priced reports whether a limit counts money.
func (p *Plan) Priced() bool { return p != nil && p.priced }

// Tools reports whether a limit is about calls of single tools.
func (p *Plan) Tools() bool { return p != nil && p.tools }

// cost is what a claim takes of a limit: fixed, and unit for each token of output.
func (l *limit) cost(c *Claim) (fixed, unit int64) {
	asks := l.Measure == Requests || l.Measure == Concurrent
	if !asks && c.Model == "" {
		return 0, 0
	}
	switch l.Measure {
	case Requests, Concurrent:
		return 1, 0
	case Tokens:
		return c.Input, 1
	case Input:
		return c.Input, 0
	case Output:
		return 0, 1
	case Cached:
		return c.Input, 0 // it cannot be more
	case ToolCalls:
		return max(1, c.Calls), 0 // the rest is taken when it is known
	case Money:
		return perMillion(c.Input, c.Price.Input), perMillion(1, c.Price.Output)
	}
	return 0, 0
}

// perMillion is the price of tokens, rounded up.
func perMillion(tokens, price int64) int64 {
	const million = 1_000_000
	whole, rest := tokens/million, tokens%million
	return min(most, whole*price+(rest*price+million-1)/million)
}

// value is what was used of what a limit counts.
func (l *limit) value(u *Used) int64 {
	switch l.Measure {
	case Requests:
		return 1
	case Tokens:
		return u.Usage.InputTokens + u.Usage.OutputTokens
	case Input:
		return u.Usage.InputTokens
	case Output:
		return u.Usage.OutputTokens
	case Cached:
		return u.Usage.CachedTokens
	case Money:
		return u.Money
	case ToolCalls:
		return u.ToolCalls
	case Concurrent:
	}
	return 0
}

// longestSubject is how long a value is that tells subjects apart. Longer ones are
// clients' inventions, and share a counter with others that begin and end alike.
const longestSubject = 160

// appendSubject appends who c is to a limit by d. A bar would end a value.
func appendSubject(dst []byte, d Dimension, c *Claim, role string) []byte {
	dst = append(dst, '|')
	var v string
	switch d {
	case Tenant:
		v = c.Principal.Tenant
	case Principal:
		dst = append(appendValue(dst, c.Principal.Tenant), '/')
		v = c.Principal.ID
	case Key:
		dst = append(appendValue(dst, c.Principal.Tenant), '/')
		v = keyOf(&c.Principal)
	case Model:
		v = c.Model
	case Route:
		v = c.Route
	case Role:
		v = role
	case Tool:
		v = c.Tool
	case IP:
		addr := c.Addr.Unmap()
		if !addr.IsValid() {
			return append(dst, '-')
		}
		if addr.Is6() {
			if net, err := addr.WithZone("").Prefix(64); err == nil {
				addr = net.Addr()
			}
		}
		return addr.AppendTo(dst)
	}
	return appendValue(dst, v)
}

// appendValue appends v so that no two values read alike: letters, digits and few marks
// stand as they are, other bytes as % and two digits. Nobody is "-".
func appendValue(dst []byte, v string) []byte {
	if v == "" {
		return append(dst, '-')
	}
	if v == "-" {
		return append(dst, "%2d"...)
	}
	if len(v) > longestSubject {
		const half = longestSubject/2 - 8
		dst = appendValue(dst, v[:half])
		dst = append(dst, "%+"...)
		dst = append(strconv.AppendInt(dst, int64(len(v)), 10), '+')
		return appendValue(dst, v[len(v)-half:])
	}
	const digits = "0123456789abcdef"
	for i := range len(v) {
		b := v[i]
		if b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '_' || b == '.' || b == '@' || b == ':' {
			dst = append(dst, b)
		} else {
			dst = append(dst, '%', digits[b>>4], digits[b&15])
		}
	}
	return dst
}
