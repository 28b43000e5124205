package address

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// maxHops is how many hops are read at most: more proxies in a row do not exist.
const maxHops = 32

// ErrForged says that somebody who is no trusted proxy sent a header of proxies, or
// that a trusted one sent a broken one.
var ErrForged = errors.New("a header that says where a request comes from is not as it should be")

// Proxies knows which proxies are trusted to say whom they stand for. The zero value
// trusts none: a client is who connects. It is safe for concurrent use.
type Proxies struct {
	Trusted []List
	Header  Header // default XForwardedFor; the other one is not read
	// Hops is how many of the header's elements are read, from the right; 0: as long
	// as they are trusted proxies.
	Hops int
	// Refuse makes headers of proxies from others an error; otherwise they are
	// removed, and nobody reads them.
	Refuse bool
}

// Origin is what trusted proxies say that a client asked for.
type Origin struct {
	Proto string // "http", "https"; "" when nobody says
	Host  string // with its port, where there is one
}

type originKey struct{}

// WithOrigin returns a context of a request that asked for o.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf returns what trusted proxies say that the request of ctx asked for; the
// zero Origin where there were none.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}

// told are the headers by which proxies say what only they may.
var told = []string{string(XForwardedFor), string(Forwarded), "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Real-Ip"}

// Client returns the address that r comes from: that of the connection, and where
// that is a trusted proxy's, the last one of its header that is none. The error wraps
// [ErrForged]. From others than trusted proxies, it removes the headers of proxies
// from r.
//
// Where a trusted proxy says that it does not know, or does not tell, the address is
// that proxy's: the last that is known.
func (p *Proxies) Client(r *http.Request) (netip.Addr, Origin, error) {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, Origin{}, nil //nolint:nilerr // the connection has no address: a test's, a socket's
	}
	peer := plain(at.Addr())
	if !p.Trusts(peer) {
		for _, name := range told {
			if _, there := r.Header[name]; !there {
				continue
			}
			if p.Refuse {
				return peer, Origin{}, fmt.Errorf("%w: %s is no trusted proxy and sent %s", ErrForged, peer, name)
			}
			delete(r.Header, name)
		}
		return peer, Origin{}, nil
	}
	client, err := p.walk(peer, r.Header)
	if err != nil {
		return peer, Origin{}, fmt.Errorf("%w: the trusted proxy %s sent %s: %w", ErrForged, peer, p.header(), err)
	}
	o, err := originOf(r.Header)
	if err != nil {
		return peer, Origin{}, fmt.Errorf("%w: the trusted proxy %s: %w", ErrForged, peer, err)
	}
	return client, o, nil
}

// Trusts reports whether a is the address of a trusted proxy.
func (p *Proxies) Trusts(a netip.Addr) bool {
	_, ok := on(p.Trusted, a)
	return ok
}

func (p *Proxies) header() Header {
	if p.Header == "" {
		return XForwardedFor
	}
	return p.Header
}

// walk goes from the trusted proxy at through those before it, the last line of the
// header first. What is left of the first hop that is no trusted proxy was written by
// nobody who is, and only read where it is in the same line.
func (p *Proxies) walk(at netip.Addr, h http.Header) (netip.Addr, error) {
	var buf [8]hop
	steps := 0
	for _, line := range slices.Backward(h.Values(string(p.header()))) {
		hops, err := p.rightmost(buf[:0], line)
		if err != nil {
			return netip.Addr{}, err
		}
		for _, hop := range slices.Backward(hops) {
			if steps++; steps > maxHops {
				return netip.Addr{}, fmt.Errorf("there are more than %d hops", maxHops)
			}
			if !hop.addr.IsValid() {
				return at, nil
			}
			at = hop.addr
			if steps == p.Hops || !p.Trusts(at) {
				return at, nil
			}
		}
	}
	return at, nil
}

// rightmost reads as much of line as a walk needs. X-Forwarded-For is read from the
// right only as far as hops are trusted, so that what a client wrote before it is
// nobody's business; Forwarded has to be read whole.
func (p *Proxies) rightmost(dst []hop, line string) ([]hop, error) {
	if p.header() == Forwarded {
		return hopsOf(dst, Forwarded, line)
	}
	for n := 0; ; n++ {
		i := strings.LastIndexByte(line, ',')
		node, err := parseNode(trim(line[i+1:]))
		if err != nil {
			return nil, err
		}
		dst = append(dst, node)
		if i < 0 || n >= maxHops || !node.addr.IsValid() || !p.Trusts(node.addr) {
			slices.Reverse(dst)
			return dst, nil
		}
		line = line[:i]
	}
}

var (
	errProto = errors.New("X-Forwarded-Proto is neither http nor https")
	errHost  = errors.New("X-Forwarded-Host is no host")
)

// originOf reads what the last proxy says that was asked for.
func originOf(h http.Header) (o Origin, err error) {
	if proto := last(h, "X-Forwarded-Proto"); proto != "" {
		if o.Proto = strings.ToLower(proto); o.Proto != "http" && o.Proto != "https" {
			return Origin{}, errProto
		}
	}
	o.Host = last(h, "X-Forwarded-Host")
	if len(o.Host) > 255+6 || strings.ContainsFunc(o.Host, notHost) {
		return Origin{}, errHost
	}
	return o, nil
}

// last is the last element of a header that is a list.
func last(h http.Header, name string) string {
	lines := h[name]
	if len(lines) == 0 {
		return ""
	}
	line := lines[len(lines)-1]
	return trim(line[strings.LastIndexByte(line, ',')+1:])
}

func notHost(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(".-_:[]", r))
}
