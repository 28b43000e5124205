package address_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/ringwall/ringwall/waf/address"
)

func prefixes(t testing.TB, texts ...string) (all []netip.Prefix) {
	t.Helper()
	for _, s := range texts {
		p, err := address.ParsePrefix(s)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func TestParsePrefix(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"192.0.2.7", "192.0.2.7/32"},
		{"192.0.2.0/24", "192.0.2.0/24"},
		{"2001:db8::1", "2001:db8::1/128"},
		{"2001:db8::/32", "2001:db8::/32"},
		{"::ffff:192.0.2.7", "192.0.2.7/32"},
		{"::ffff:192.0.2.0/120", "192.0.2.0/24"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"192.0.2.1/24", ""},
		{"::ffff:0:0/80", ""},
		{"192.0.2.007", ""},
		{"192.0.2.0/33", ""},
		{"192.0.2.0/024", ""},
		{"fe80::1%eth0", ""},
		{"0x7f.1", ""},
		{"2130706433", ""},
		{"office", ""},
		{"", ""},
	} {
		p, err := address.ParsePrefix(tt.in)
		if got := p.String(); (err == nil) != (tt.want != "") || err == nil && got != tt.want {
			t.Errorf("ParsePrefix(%q) = %s, %v, want %q", tt.in, got, err, tt.want)
		}
	}
}

func TestSet(t *testing.T) {
	s := address.NewSet(prefixes(t, "192.0.2.0/25", "192.0.2.128/25", "10.0.0.0/8", "10.1.0.0/16", "255.255.255.255", "2001:db8::/32", "2001:db9::/32", "ffff::/16", "::1"))
	if s.Len() != 6 {
		t.Errorf("%d networks, want 6", s.Len())
	}
	for _, tt := range []struct {
		addr string
		want bool
	}{
		{"192.0.2.0", true},
		{"192.0.2.255", true},
		{"192.0.3.0", false},
		{"192.0.1.255", false},
		{"::ffff:192.0.2.9", true},
		{"10.255.255.255", true},
		{"11.0.0.0", false},
		{"255.255.255.255", true},
		{"255.255.255.254", false},
		{"0.0.0.0", false},
		{"2001:db9:ffff:ffff:ffff:ffff:ffff:ffff", true},
		{"2001:dba::", false},
		{"2001:db7:ffff::", false},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
		{"fe80::1%eth0", false},
		{"::1", true},
		{"::2", false},
		{"::", false},
	} {
		if got := s.Contains(netip.MustParseAddr(tt.addr)); got != tt.want {
			t.Errorf("Contains(%s) = %v", tt.addr, got)
		}
	}
	if s.Contains(netip.Addr{}) || (*address.Set)(nil).Contains(netip.MustParseAddr("::1")) || new(address.Set).Contains(netip.MustParseAddr("::1")) {
		t.Error("nothing contains something")
	}
	if !address.NewSet(prefixes(t, "0.0.0.0/0")).Contains(netip.MustParseAddr("9.9.9.9")) || !address.NewSet(prefixes(t, "::/0")).Contains(netip.MustParseAddr("2001::")) {
		t.Error("all is not all")
	}
}

// random are n networks, and addresses of which about half are in one.
func random(n int, v6 bool) (all []netip.Prefix, addrs []netip.Addr) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func() netip.Addr {
		if v6 {
			var b [16]byte
			binary.BigEndian.PutUint64(b[:], 0x2000<<48|r.Uint64()>>3)
			binary.BigEndian.PutUint64(b[8:], r.Uint64())
			return netip.AddrFrom16(b)
		}
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], r.Uint32())
		return netip.AddrFrom4(b)
	}
	for range n {
		a := pick()
		bits := 16 + r.IntN(17)
		if v6 {
			bits = 29 + r.IntN(36)
		}
		p, _ := a.Prefix(bits)
		all = append(all, p)
		addrs = append(addrs, a, pick())
	}
	return all, addrs
}

// A set says what its networks say one by one.
func TestSetIsItsNetworks(t *testing.T) {
	for _, kind := range []string{"IPv4", "IPv6", "hosts in one /64"} {
		all, addrs := random(500, kind != "IPv4")
		if kind == "hosts in one /64" {
			for i, a := range addrs {
				b := a.As16()
				copy(b[:8], "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF")
				addrs[i] = netip.AddrFrom16(b)
				if i%2 == 0 {
					all[i/2], _ = addrs[i].Prefix(66 + i%60)
				}
			}
		}
		s := address.NewSet(all)
		for _, a := range addrs {
			want := false
			for _, p := range all {
				want = want || p.Contains(a)
			}
			if s.Contains(a) != want {
				t.Fatalf("Contains(%s) = %v", a, !want)
			}
		}
	}
}

func BenchmarkSet(b *testing.B) {
	for _, bb := range []struct {
		name string
		v6   bool
	}{{"100000 of IPv4", false}, {"100000 of IPv6", true}} {
		all, addrs := random(100_000, bb.v6)
		s := address.NewSet(all)
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.Contains(addrs[i%len(addrs)])
			}
		})
	}
}
