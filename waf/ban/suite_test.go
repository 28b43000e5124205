package ban_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/waf/ban"
)

func TestBanHoldsAndEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, "192.0.2.7", time.Hour)
		w.add(t, "198.51.100.0/24", 0)
		w.add(t, "2001:db8::1", time.Hour)
		w.add(t, "2001:db8:1::/48", time.Hour)
		w.add(t, "2001:db8:2::1/128", time.Hour)
		for _, b := range []*ban.Bans{w.bans, w.open(t, openDB(t, w.dsn))} {
			for addr, want := range map[string]bool{
				"192.0.2.7": true, "::ffff:192.0.2.7": true, "192.0.2.8": false, "198.51.100.255": true, "198.51.101.0": false,
				"2001:db8::ffff:1": true, "2001:db8:0:1::1": false, "2001:db8:1:ffff::1": true, "2001:db8:2::1": true, "2001:db8:2::2": false,
			} {
				if banned(b, addr) != want {
					t.Errorf("%s is banned: %v", addr, !want)
				}
			}
			if _, yes := b.Address(ringwall.Client{}); yes {
				t.Error("nobody is banned")
			}
		}
		w.clock.move(time.Hour)
		for addr, want := range map[string]bool{"192.0.2.7": false, "198.51.100.1": true, "2001:db8::1": false} {
			if banned(w.bans, addr) != want {
				t.Errorf("behind an hour, %s is banned: %v", addr, !want)
			}
		}
		list, err := w.bans.List(t.Context())
		if err != nil || len(list) != 1 || list[0].Subject.String() != "198.51.100.0/24" || list[0].Reason != "of a test" || list[0].By != "test" || !list[0].Until.IsZero() {
			t.Errorf("List() = %+v, %v", list, err)
		}
	})
}

func TestOtherProcessesSeeBans(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		other := w.open(t, openDB(t, w.dsn))
		w.add(t, "192.0.2.7", time.Hour)
		w.add(t, "tenant:acme", 0)
		refresh(t, other)
		if !banned(other, "192.0.2.7") {
			t.Error("a ban is not seen")
		}
		if err := w.bans.Remove(t.Context(), subject(t, "192.0.2.7")); err != nil || banned(w.bans, "192.0.2.7") {
			t.Errorf("Remove() = %v", err)
		}
		refresh(t, other)
		if banned(other, "192.0.2.7") {
			t.Error("a lifted ban is held")
		}
		if want := []string{"+192.0.2.7", "+tenant:acme", "-192.0.2.7"}; !slices.Equal(w.told, want) {
			t.Errorf("told %v, want %v", w.told, want)
		}
		if err := w.bans.Remove(t.Context(), subject(t, "192.0.2.7")); !errors.Is(err, ban.ErrNoSuchBan) {
			t.Errorf("lifted twice: %v", err)
		}
	})
}

func TestCallers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(t, "principal:rw_abcdefgh", time.Hour)
		w.add(t, "tenant:acme", time.Hour)
		w.bans.Put("configuration", []ban.Ban{{Subject: subject(t, "principal:sub|1:2")}})
		for _, tt := range []struct {
			p    ringwall.Principal
			want bool
		}{
			{ringwall.Principal{}, false},
			{ringwall.Principal{ID: "rw_abcdefgh"}, true},
			{ringwall.Principal{ID: "rw_other", Tenant: "acme"}, true},
			{ringwall.Principal{ID: "acme", Tenant: "rw_abcdefgh"}, false},
			{ringwall.Principal{ID: "sub|1:2"}, true},
		} {
			if _, yes := w.bans.Caller(tt.p, "configuration", "none"); yes != tt.want {
				t.Errorf("%+v is banned: %v", tt.p, yes)
			}
		}
		w.clock.move(time.Hour)
		if _, yes := w.bans.Caller(ringwall.Principal{ID: "rw_abcdefgh", Tenant: "acme"}); yes {
			t.Error("a caller is banned for ever")
		}
	})
}

func TestCountriesAndSystems(t *testing.T) {
	w := newWorld(t, databases[0].dsn(t))
	w.add(t, "country:kp", time.Hour)
	w.add(t, "as:64500", time.Hour)
	for _, tt := range []struct {
		c    ringwall.Client
		want bool
	}{
		{ringwall.Client{Country: "KP"}, true},
		{ringwall.Client{Country: "KR"}, false},
		{ringwall.Client{ASN: 64500}, true},
		{ringwall.Client{ASN: 64501}, false},
		{at("192.0.2.1"), false},
	} {
		if _, yes := w.bans.Address(tt.c); yes != tt.want {
			t.Errorf("%+v is banned: %v", tt.c, yes)
		}
	}
	if err := w.bans.Remove(t.Context(), subject(t, "country:KP")); err != nil {
		t.Fatal(err)
	}
	if _, yes := w.bans.Address(ringwall.Client{Country: "KP"}); yes {
		t.Error("a lifted ban of a country is held")
	}
}

func TestResponsesDoNotShorten(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		long := w.add(t, "192.0.2.7", 0)
		got, err := w.bans.Ban(t.Context(), ban.Ban{Subject: long.Subject, Until: w.clock.Now().Add(time.Hour), By: "playbook"})
		if err != nil || !got.Until.IsZero() || got.By != "test" {
			t.Errorf("Ban() = %+v, %v, want the one that holds longer", got, err)
		}
		w.add(t, "192.0.2.7", time.Hour)
		w.clock.move(time.Hour)
		if banned(w.bans, "192.0.2.7") {
			t.Error("Add did not replace a ban")
		}
		if _, err := w.bans.Add(t.Context(), ban.Ban{Subject: long.Subject, Until: w.clock.Now()}); err == nil {
			t.Error("a ban that is over was made")
		}
	})
}

var policy = ban.Policy{Faults: 5, Window: time.Minute, First: 10 * time.Minute, Longest: time.Hour}

// faults are n of one address, an interval apart; it tells how many made a ban.
func (w *world) faults(b *ban.Bans, addr string, n int, apart time.Duration) (bans []time.Duration) {
	for range n {
		if made, yes := b.Fault(netip.MustParseAddr(addr), "failed authentications", policy); yes {
			bans = append(bans, made.Until.Sub(made.Since))
		}
		w.clock.move(apart)
	}
	return bans
}

func TestFaults(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if got := w.faults(w.bans, "192.0.2.7", 4, 0); got != nil || banned(w.bans, "192.0.2.7") {
			t.Errorf("four faults ban for %v", got)
		}
		if got := w.faults(w.bans, "192.0.2.7", 1, 0); !slices.Equal(got, []time.Duration{10 * time.Minute}) || !banned(w.bans, "192.0.2.7") || banned(w.bans, "192.0.2.8") {
			t.Errorf("the fifth fault bans for %v", got)
		}
		if got := w.faults(w.bans, "192.0.2.7", 20, 0); got != nil {
			t.Errorf("who is banned is banned again: %v", got)
		}
		if got := w.faults(w.bans, "192.0.2.9", 50, 13*time.Second); got != nil {
			t.Errorf("faults that are far between ban for %v", got)
		}
		w.clock.move(10 * time.Minute)
		if banned(w.bans, "192.0.2.7") {
			t.Error("the ban does not end")
		}
		var all []time.Duration
		for range 5 {
			all = append(all, w.faults(w.bans, "192.0.2.7", 5, time.Second)...)
			w.clock.move(time.Hour)
		}
		if want := []time.Duration{20 * time.Minute, 40 * time.Minute, time.Hour, time.Hour, time.Hour}; !slices.Equal(all, want) {
			t.Errorf("the next ones are %v, want %v", all, want)
		}
		if got := w.faults(w.bans, "2001:db8::1", 3, 0); got != nil {
			t.Errorf("three faults ban for %v", got)
		}
		if got := w.faults(w.bans, "2001:db8::2", 2, 0); len(got) != 1 || !banned(w.bans, "2001:db8::3") || banned(w.bans, "2001:db8:0:1::3") {
			t.Errorf("five faults of one /64 ban for %v", got)
		}
		if _, yes := w.bans.Fault(netip.MustParseAddr("192.0.2.1"), "x", ban.Policy{}); yes {
			t.Error("the zero policy bans")
		}
	})
}

// An automatic ban comes to other processes and over a restart, and the next one is
// longer there too.
func TestFaultsAreWritten(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		run(t, w.bans, func() {
			w.faults(w.bans, "192.0.2.7", 5, 0)
			other := w.open(t, openDB(t, w.dsn))
			until(t, func() bool { refresh(t, other); return banned(other, "192.0.2.7") })
			w.clock.move(10 * time.Minute)
			if got := w.faults(other, "192.0.2.7", 5, 0); !slices.Equal(got, []time.Duration{20 * time.Minute}) {
				t.Errorf("there the next ban is %v", got)
			}
		})
		if err := w.bans.Remove(t.Context(), subject(t, "192.0.2.7")); err != nil {
			t.Fatal(err)
		}
		if got := w.faults(w.bans, "192.0.2.7", 5, 0); !slices.Equal(got, []time.Duration{10 * time.Minute}) {
			t.Errorf("behind a pardon it is %v", got)
		}
	})
}

// run runs b while f does.
func run(t *testing.T, b *ban.Bans, f func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	f()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func until(t *testing.T, done func() bool) {
	t.Helper()
	end := time.After(10 * time.Second)
	for !done() {
		select {
		case <-end:
			t.Fatal("it did not come")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestDatabaseAway(t *testing.T) {
	w := newWorld(t, databases[0].dsn(t))
	w.add(t, "192.0.2.7", time.Hour)
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	run(t, w.bans, func() {
		w.faults(w.bans, "192.0.2.8", 5, 0)
		until(t, func() bool { return w.bans.Refresh(t.Context()) != nil })
		if !banned(w.bans, "192.0.2.7") || !banned(w.bans, "192.0.2.8") {
			t.Error("bans are forgotten when the database is away")
		}
		if _, err := w.bans.Add(t.Context(), ban.Ban{Subject: subject(t, "192.0.2.9")}); err == nil {
			t.Error("a ban that nobody else will know of was made")
		}
	})
	if log := w.log.String(); !strings.Contains(log, "writing automatic bans") {
		t.Errorf("logged: %s", log)
	}
}

// Strangers cannot make memory grow: of many hosts, few faults of each are counted.
func TestWatchIsBounded(t *testing.T) {
	w := newWorld(t, databases[0].dsn(t))
	for i := range 200_000 {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if _, yes := w.bans.Fault(a, "x", policy); yes {
			t.Fatal("one fault is a ban")
		}
	}
	if got := w.faults(w.bans, "192.0.2.7", 5, 0); len(got) != 1 {
		t.Errorf("in a crowd, five faults ban for %v", got)
	}
}

func TestOldBansAreForgotten(t *testing.T) {
	w := newWorld(t, databases[0].dsn(t))
	w.faults(w.bans, "192.0.2.7", 5, 0)
	w.clock.move(10*time.Minute + 25*time.Hour)
	w.add(t, "192.0.2.8", time.Hour) // a change: all are read again
	refresh(t, w.bans)
	if w.bans.Len("") > 2 {
		t.Errorf("%d bans in memory", w.bans.Len(""))
	}
}

func TestParseSubject(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "192.0.2.7/32": "192.0.2.7", "192.0.2.7/24": "192.0.2.0/24", "::ffff:192.0.2.7": "192.0.2.7", "::ffff:192.0.2.0/120": "192.0.2.0/24",
		"2001:db8::1": "2001:db8::/64", "2001:db8::1/128": "2001:db8::1/128", "principal:rw_a:b": "principal:rw_a:b", "Tenant:Acme": "tenant:Acme", "country:de": "country:DE", "as:064500": "as:64500",
		"": "", "example.org": "", "192.0.2": "", "0.0.0.0/0": "", "::/0": "", "::ffff:0:0/96": "", "::": "::/64", "fe80::1%eth0": "", "principal:": "", "tenant:a\nb": "", "country:DEU": "", "country:1é": "", "as:0": "", "as:4294967296": "", "host:1": "",
		"principal:" + strings.Repeat("x", 257): "",
	} {
		s, err := ban.ParseSubject(text)
		if (err == nil) != (want != "") || err == nil && s.String() != want {
			t.Errorf("ParseSubject(%q) = %s, %v, want %q", text, s, err, want)
		}
	}
}

func FuzzParseSubject(f *testing.F) {
	for _, s := range []string{"192.0.2.7", "2001:db8::/48", "principal:x", "country:DE", "as:1", "::ffff:1.2.3.4/120", "tenant:é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ban.ParseSubject(text)
		if err != nil {
			return
		}
		if again, err := ban.ParseSubject(s.String()); err != nil || again != s {
			t.Fatalf("%q is %+v, and again %+v, %v", text, s, again, err)
		}
	})
}

func BenchmarkAddress(b *testing.B) {
	w := newWorld(b, databases[0].dsn(b))
	var all []ban.Ban
	for i := range 100_000 {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 24+i%9)
		s, err := ban.Network(p)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, ban.Ban{Subject: s})
	}
	w.bans.Put("many", all)
	for _, addr := range []string{"10.0.200.7", "192.0.2.7"} {
		b.Run(fmt.Sprintf("100000, %s", addr), func(b *testing.B) {
			c := at(addr)
			b.ReportAllocs()
			for b.Loop() {
				w.bans.Address(c, "many")
			}
		})
	}
}
