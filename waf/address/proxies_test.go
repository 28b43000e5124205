package address_test

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/waf/address"
)

func trusted(t testing.TB, texts ...string) []address.List {
	return []address.List{{Set: address.NewSet(prefixes(t, texts...))}}
}

// from is a request over a connection from peer with lines of a header.
func from(peer string, name address.Header, lines ...string) *http.Request {
	r := &http.Request{RemoteAddr: peer, Header: http.Header{}}
	for _, l := range lines {
		r.Header.Add(string(name), l)
	}
	return r
}

func TestClientBehindProxies(t *testing.T) {
	const proxy = "10.0.0.1:1234"
	xff, fwd := address.XForwardedFor, address.Forwarded
	for _, tt := range []struct {
		name   string
		peer   string
		header address.Header
		lines  []string
		hops   int
		want   string // "" is an error
	}{
		{"no proxy", "203.0.113.9:99", xff, nil, 0, "203.0.113.9"},
		{"a client that says who it is", "203.0.113.9:99", xff, []string{"127.0.0.1"}, 0, "203.0.113.9"},
		{"a client that says nonsense", "203.0.113.9:99", xff, []string{"<script>"}, 0, "203.0.113.9"},
		{"a proxy that says nothing", proxy, xff, nil, 0, "10.0.0.1"},
		{"a proxy", proxy, xff, []string{"203.0.113.9"}, 0, "203.0.113.9"},
		{"a proxy whose connection is of mapped IPv6", "[::ffff:10.0.0.1]:99", xff, []string{"203.0.113.9"}, 0, "203.0.113.9"},
		{"a client before the proxy that says who it is", proxy, xff, []string{"127.0.0.1, 203.0.113.9"}, 0, "203.0.113.9"},
		{"in a line of its own", proxy, xff, []string{"127.0.0.1", "203.0.113.9"}, 0, "203.0.113.9"},
		{"who says it is a trusted proxy", proxy, xff, []string{"127.0.0.1, 10.0.0.7, 203.0.113.9"}, 0, "203.0.113.9"},
		{"who says nonsense", proxy, xff, []string{`"; DROP TABLE, , 203.0.113.9`}, 0, "203.0.113.9"},
		{"two proxies", proxy, xff, []string{"203.0.113.9, 10.0.0.2"}, 0, "203.0.113.9"},
		{"two proxies, mapped", proxy, xff, []string{"203.0.113.9, ::ffff:10.0.0.2"}, 0, "203.0.113.9"},
		{"all are proxies", proxy, xff, []string{"10.0.0.3, 10.0.0.2"}, 0, "10.0.0.3"},
		{"one hop is read", proxy, xff, []string{"203.0.113.9, 10.0.0.2"}, 1, "10.0.0.2"},
		{"two hops are read", proxy, xff, []string{"1.2.3.4, 203.0.113.9, 10.0.0.2"}, 2, "203.0.113.9"},
		{"a port", proxy, xff, []string{"203.0.113.9:5678"}, 0, "203.0.113.9"},
		{"IPv6", proxy, xff, []string{"2001:db8::7"}, 0, "2001:db8::7"},
		{"IPv6 in brackets", proxy, xff, []string{"[2001:db8::7]"}, 0, "2001:db8::7"},
		{"IPv6 with a port", proxy, xff, []string{"[2001:db8::7]:443"}, 0, "2001:db8::7"},
		{"a zone", proxy, xff, []string{"fe80::7%eth0"}, 0, "fe80::7"},
		{"a mapped address", proxy, xff, []string{"::ffff:203.0.113.9"}, 0, "203.0.113.9"},
		{"unknown", proxy, xff, []string{"203.0.113.9, unknown"}, 0, "10.0.0.1"},
		{"unknown behind another proxy", proxy, xff, []string{"unknown, 10.0.0.2"}, 0, "10.0.0.2"},
		{"a broken one", proxy, xff, []string{"203.0.113.9, 1.2.3"}, 0, ""},
		{"an empty one", proxy, xff, []string{"203.0.113.9, "}, 0, ""},
		{"an empty line", proxy, xff, []string{""}, 0, ""},
		{"octal", proxy, xff, []string{"0313.0.113.9"}, 0, ""},
		{"a number", proxy, xff, []string{"3405803785"}, 0, ""},
		{"a port that is none", proxy, xff, []string{"203.0.113.9:99999"}, 0, ""},
		{"a name", proxy, xff, []string{"localhost"}, 0, ""},
		{"a bracket left open", proxy, xff, []string{"[2001:db8::7"}, 0, ""},
		{"forty proxies", proxy, xff, []string{strings.Repeat("10.0.0.2, ", 40) + "10.0.0.3"}, 0, ""},
		{"the other header is not read", proxy, fwd, []string{"for=1.2.3.4"}, -1, "10.0.0.1"},

		{"Forwarded", proxy, fwd, []string{"for=203.0.113.9;proto=https;by=10.0.0.1"}, 0, "203.0.113.9"},
		{"in capitals and spaces", proxy, fwd, []string{"Proto=https ; FOR=203.0.113.9 , for=10.0.0.2"}, 0, "203.0.113.9"},
		{"quoted IPv6", proxy, fwd, []string{`for="[2001:db8::7]:4711"`}, 0, "2001:db8::7"},
		{"an obfuscated port", proxy, fwd, []string{`for="203.0.113.9:_x1"`}, 0, "203.0.113.9"},
		{"an escape", proxy, fwd, []string{`for="\2\03.0.113.9"`}, 0, "203.0.113.9"},
		{"an obfuscated id", proxy, fwd, []string{"for=203.0.113.9, for=_gazonk"}, 0, "10.0.0.1"},
		{"who says who it is", proxy, fwd, []string{"for=127.0.0.1, for=203.0.113.9"}, 0, "203.0.113.9"},
		{"a comma in quotes", proxy, fwd, []string{`for=1.2.3.4;x="a, for=127.0.0.1", for=203.0.113.9`}, 0, "203.0.113.9"},
		{"a quote that swallows what the proxy says", proxy, fwd, []string{`for=127.0.0.1;x=", for=203.0.113.9`}, 0, ""},
		{"a quote that ends in the proxy's", proxy, fwd, []string{`for=", for="[2001:db8::7]"`}, 0, ""},
		{"in an earlier line it is nobody's business", proxy, fwd, []string{`for=127.0.0.1;x="`, "for=203.0.113.9"}, 0, "203.0.113.9"},
		{"nothing about whom", proxy, fwd, []string{"for=203.0.113.9, proto=https"}, 0, "10.0.0.1"},
		{"twice in one", proxy, fwd, []string{"for=203.0.113.9;for=127.0.0.1"}, 0, ""},
		{"IPv6 without quotes", proxy, fwd, []string{"for=[2001:db8::7]"}, 0, ""},
		{"an empty element", proxy, fwd, []string{"for=203.0.113.9,"}, 0, ""},
		{"no value", proxy, fwd, []string{"for"}, 0, ""},
		{"an empty value", proxy, fwd, []string{"for="}, 0, ""},
		{"words behind a quote", proxy, fwd, []string{`for="203.0.113.9"x`}, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := address.Proxies{Trusted: trusted(t, "10.0.0.0/8"), Header: tt.header, Hops: max(0, tt.hops)}
			if tt.hops < 0 {
				p.Header = "" // the default
			}
			got, _, err := p.Client(from(tt.peer, tt.header, tt.lines...))
			if tt.want == "" {
				if !errors.Is(err, address.ErrForged) {
					t.Fatalf("Client() = %s, %v, want an error", got, err)
				}
				return
			}
			if err != nil || got != netip.MustParseAddr(tt.want) {
				t.Errorf("Client() = %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestHeadersOfOthersAreRemovedOrRefused(t *testing.T) {
	forged := func() *http.Request {
		r := from("203.0.113.9:99", address.XForwardedFor, "127.0.0.1")
		for _, name := range []string{"Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"} {
			r.Header.Set(name, "for=127.0.0.1")
		}
		r.Header.Set("Accept", "a")
		return r
	}
	r := forged()
	got, o, err := (&address.Proxies{}).Client(r)
	if err != nil || got.String() != "203.0.113.9" || o != (address.Origin{}) || len(r.Header) != 1 {
		t.Errorf("Client() = %s, %+v, %v, and the headers left are %v", got, o, err, r.Header)
	}
	if _, _, err := (&address.Proxies{Refuse: true}).Client(forged()); !errors.Is(err, address.ErrForged) {
		t.Errorf("Client() = %v, want an error", err)
	}
}

func TestOriginOfTrustedProxies(t *testing.T) {
	p := address.Proxies{Trusted: trusted(t, "10.0.0.0/8")}
	for _, tt := range []struct {
		proto, host string
		want        address.Origin
		bad         bool
	}{
		{"https", "api.example.org", address.Origin{Proto: "https", Host: "api.example.org"}, false},
		{"http, HTTPS", "evil.example, api.example.org:8443", address.Origin{Proto: "https", Host: "api.example.org:8443"}, false},
		{"", "[2001:db8::7]:443", address.Origin{Host: "[2001:db8::7]:443"}, false},
		{"javascript", "", address.Origin{}, true},
		{"https", "a b", address.Origin{}, true},
		{"https", "a/b", address.Origin{}, true},
		{"https", "a@b", address.Origin{}, true},
	} {
		r := from("10.0.0.1:99", address.XForwardedFor, "203.0.113.9")
		r.Header.Set("X-Forwarded-Proto", tt.proto)
		r.Header.Set("X-Forwarded-Host", tt.host)
		if _, got, err := p.Client(r); got != tt.want || (err != nil) != tt.bad {
			t.Errorf("%q, %q: %+v, %v", tt.proto, tt.host, got, err)
		}
	}
}

// Whatever a client writes before what the proxy adds, it does not become another
// address: it is the one that the proxy saw, or the request is refused.
func FuzzNobodySpoofs(f *testing.F) {
	for _, s := range []string{"", "127.0.0.1", "127.0.0.1, 10.0.0.1", `for=127.0.0.1;x="`, `"`, `\`, "for=", ",,,", "unknown", "_x", "[::1]:5", "\x00", "é", "10.0.0.1,"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, wrote string, sameLine bool) {
		for _, tt := range []struct {
			header address.Header
			adds   string
		}{{address.XForwardedFor, "203.0.113.9"}, {address.Forwarded, "for=203.0.113.9"}, {address.Forwarded, `for="203.0.113.9:4711"`}} {
			lines := []string{wrote, tt.adds}
			if sameLine {
				lines = []string{wrote + ", " + tt.adds}
			}
			p := address.Proxies{Trusted: trusted(t, "10.0.0.0/8"), Header: tt.header}
			got, _, err := p.Client(from("10.0.0.1:99", tt.header, lines...))
			if err != nil && errors.Is(err, address.ErrForged) && tt.header == address.Forwarded && sameLine {
				continue
			}
			if err != nil || got.String() != "203.0.113.9" {
				t.Fatalf("%s %q: %s, %v", tt.header, lines, got, err)
			}
		}
	})
}

func BenchmarkClient(b *testing.B) {
	p := address.Proxies{Trusted: trusted(b, "10.0.0.0/8")}
	r := from("10.0.0.1:99", address.XForwardedFor, "198.51.100.1, 203.0.113.9, 10.0.0.2")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := p.Client(r); err != nil {
			b.Fatal(err)
		}
	}
}
