package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/server"
	"github.com/ringwall/ringwall/waf/ban"
)

// raw writes a request over a connection of its own and returns the status; 0 when the
// connection was closed without an answer.
func (h *house) raw(preface string, header ...string) int {
	h.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		return 0 // reset before we knew that it was there
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	body := question("hello", "")
	_, _ = fmt.Fprintf(c, "%sPOST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s",
		preface, len(body), lines(header), body)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func lines(header []string) (s string) {
	for _, l := range header {
		s += l + "\r\n"
	}
	return s
}

// events waits for n records of a kind.
func (h *house) events(kind ringwall.Kind, n int) (out []ringwall.Event) {
	h.t.Helper()
	h.until(func() bool {
		list, err := h.Records().Query(h.t.Context(), audit.Filter{Kind: kind})
		if err != nil {
			h.t.Fatal(err)
		}
		out = out[:0]
		for _, e := range list {
			out = append(out, e.Event)
		}
		return len(out) >= n
	}, string(kind))
	return out
}

func (h *house) until(done func() bool, what string) {
	h.t.Helper()
	end := time.After(10 * time.Second)
	for !done() {
		select {
		case <-end:
			h.t.Fatalf("it did not come: %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

const xff = "X-Forwarded-For: "

// What a client says of where it comes from counts for nothing, and what a trusted
// proxy says counts.
func TestSpoofing(t *testing.T) {
	u := newUpstream(t, says("fine", 3))
	direct := stand(t, u, func(c *config.Config) { c.Network.Deny = []string{"203.0.113.0/24"} })
	strict := stand(t, u, func(c *config.Config) { c.Network.Untrusted = "refuse" })
	proxied := stand(t, u, func(c *config.Config) {
		c.Network.Proxies, c.Network.Deny, c.Network.Allow = []string{"127.0.0.1", "10.0.0.0/8"}, []string{"203.0.113.0/24"}, []string{"198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"}
	})
	standard := stand(t, u, func(c *config.Config) {
		c.Network.Proxies, c.Network.Header, c.Network.Deny = []string{"127.0.0.1"}, "forwarded", []string{"203.0.113.0/24"}
	})
	for _, tt := range []struct {
		name   string
		h      *house
		header []string
		want   int
	}{
		{"nobody is trusted: a denied address in the header", direct, []string{xff + "203.0.113.9"}, 200},
		{"nobody is trusted: nonsense in the header", direct, []string{xff + "\"';--"}, 200},
		{"nobody is trusted, and headers are refused", strict, []string{xff + "198.51.100.1"}, 400},
		{"nobody is trusted, and there is no header", strict, nil, 200},
		{"the other header is refused too", strict, []string{"X-Real-IP: 198.51.100.1"}, 400},
		{"through a proxy", proxied, []string{xff + "198.51.100.1"}, 200},
		{"through a proxy, denied", proxied, []string{xff + "203.0.113.9"}, 403},
		{"through a proxy, denied, written as IPv6", proxied, []string{xff + "::ffff:203.0.113.9"}, 403},
		{"through a proxy, denied, with a port", proxied, []string{xff + "203.0.113.9:4711"}, 403},
		{"through a proxy, not allowed", proxied, []string{xff + "192.0.2.1"}, 403},
		{"through a proxy, it says it is somebody else", proxied, []string{xff + "198.51.100.1, 203.0.113.9"}, 403},
		{"in a line of its own", proxied, []string{xff + "198.51.100.1", xff + "203.0.113.9"}, 403},
		{"it says that it is a proxy", proxied, []string{xff + "198.51.100.1, 10.0.0.9, 203.0.113.9"}, 403},
		{"through two proxies", proxied, []string{xff + "198.51.100.1, 10.0.0.9"}, 200},
		{"the other header is not believed", proxied, []string{"Forwarded: for=198.51.100.1", xff + "203.0.113.9"}, 403},
		{"the other header alone is not believed", proxied, []string{"Forwarded: for=198.51.100.1"}, 403},
		{"a proxy that says nothing is not allowed itself", proxied, nil, 403},
		{"a proxy that says nonsense", proxied, []string{xff + "198.51.100.1, 1.2"}, 400},
		{"a proxy that says nothing in the header", proxied, []string{xff}, 400},
		{"IPv6 behind a proxy", proxied, []string{xff + "2001:db8::1"}, 200},
		{"a scheme that is none", proxied, []string{xff + "198.51.100.1", "X-Forwarded-Proto: gopher"}, 400},
		{"a host that is none", proxied, []string{xff + "198.51.100.1", "X-Forwarded-Host: a/b"}, 400},
		{"Forwarded", standard, []string{`Forwarded: for="198.51.100.1:47";proto=https`}, 200},
		{"Forwarded, denied", standard, []string{`Forwarded: for=198.51.100.1, for="203.0.113.9:_x"`}, 403},
		{"Forwarded, a quote left open before", standard, []string{`Forwarded: for=198.51.100.1;x=", for=203.0.113.9`}, 400},
		{"Forwarded, and X-Forwarded-For is not believed", standard, []string{xff + "198.51.100.1", "Forwarded: for=203.0.113.9"}, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := *tt.h
			h.t = t
			if got := h.raw("", tt.header...); got != tt.want {
				t.Errorf("answered %d, want %d", got, tt.want)
			}
		})
	}
	ev := proxied.events(ringwall.ClientRefused, 1)
	if ev[0].Client == "" || ev[0].Outcome != ringwall.Refused || ev[0].Detail == "" {
		t.Errorf("record %+v", ev[0])
	}
	if list := proxied.events(ringwall.ExchangeEnd, 1); list[0].Client == "127.0.0.1" || list[0].Client == "" {
		t.Errorf("the record of an exchange says it comes from %q", list[0].Client)
	}
}

func TestPrefaceOfTheListener(t *testing.T) {
	u := newUpstream(t, says("fine", 3))
	h := stand(t, u, func(c *config.Config) {
		c.Network.Proxies, c.Network.Preface, c.Network.Deny = []string{"127.0.0.1"}, true, []string{"203.0.113.0/24"}
	})
	none := stand(t, u, func(c *config.Config) { c.Network.Proxies, c.Network.Preface = []string{"192.0.2.1"}, true })
	for _, tt := range []struct {
		name, preface string
		h             *house
		header        string
		want          int
	}{
		{"a header", "PROXY TCP4 198.51.100.1 127.0.0.1 1 2\r\n", h, "X-A: b", 200},
		{"a denied address", "PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\n", h, "X-A: b", 403},
		{"a denied address that says it is another", "PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\n", h, xff + "198.51.100.1", 403},
		{"no header", "", h, "X-A: b", 0},
		{"of nobody who is trusted", "PROXY TCP4 198.51.100.1 127.0.0.1 1 2\r\n", none, "X-A: b", 0},
	} {
		if got := tt.h.raw(tt.preface, tt.header); got != tt.want {
			t.Errorf("%s: answered %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestBansAreHeld(t *testing.T) {
	u := newUpstream(t, says("fine", 3))
	h := stand(t, u, func(c *config.Config) {
		c.Network.Proxies, c.Network.Bans.Subjects = []string{"127.0.0.1"}, []string{"198.51.100.9", "tenant:gone"}
	})
	shut := func(text string) {
		t.Helper()
		s, err := ban.ParseSubject(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Bans().Add(t.Context(), ban.Ban{Subject: s, By: "test", Until: time.Now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	shut("203.0.113.9")
	shut("2001:db8::/64")
	for addr, want := range map[string]int{"203.0.113.9": 403, "203.0.113.8": 200, "2001:db8::5": 403, "198.51.100.9": 403, "198.51.100.8": 200} {
		if got := h.raw("", xff+addr); got != want {
			t.Errorf("%s is answered %d, want %d", addr, got, want)
		}
	}
	for _, tenant := range []string{"gone", "here"} {
		text, key, err := h.Keys().Create(t.Context(), auth.Spec{Name: tenant, Tenant: tenant, Trust: ringwall.Customer})
		if err != nil {
			t.Fatal(err)
		}
		bearer, addr := "Authorization: Bearer "+text, xff+"198.51.100.8"
		if got, want := h.raw("", bearer, addr), map[string]int{"gone": 403, "here": 200}[tenant]; got != want {
			t.Errorf("tenant %s is answered %d, want %d", tenant, got, want)
		}
		shut("principal:" + key.Prefix)
		if got := h.raw("", bearer, addr); got != 403 {
			t.Errorf("a banned principal is answered %d", got)
		}
	}
	resp, err := http.Get(h.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Fatalf("metrics are answered %d", resp.StatusCode)
	}
	b, _ := io.ReadAll(resp.Body)
	for _, want := range []string{`ringwall_network_refused_total{network_rule="ban"} 3`, "ringwall_bans 4"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
}

func TestFailuresBan(t *testing.T) {
	u := newUpstream(t, says("fine", 3))
	h := stand(t, u, func(c *config.Config) {
		c.Network.Proxies, c.Network.Exempt, c.Network.Bans.Automatic.Failures = []string{"127.0.0.1"}, []string{"198.51.100.0/24"}, 3
	})
	wrong := "Authorization: Bearer rw_nobody"
	for _, tt := range []struct {
		addr string
		want [5]int
	}{
		{"203.0.113.9", [5]int{401, 401, 401, 403, 403}},
		{"198.51.100.9", [5]int{401, 401, 401, 401, 401}}, // exempt
		{"127.0.0.1", [5]int{401, 401, 401, 401, 401}},
	} {
		for i, want := range tt.want {
			if got := h.raw("", wrong, xff+tt.addr); got != want {
				t.Errorf("failure %d of %s is answered %d, want %d", i+1, tt.addr, got, want)
			}
		}
	}
	for i, want := range []int{401, 401, 401, 403} { // at the administration too
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/admin/reload", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", "192.0.2.9")
		req.Header.Set("Authorization", "Bearer rw_nobody")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("failure %d at the administration is answered %d, want %d", i+1, resp.StatusCode, want)
		}
	}
	if got := h.raw("", xff+"203.0.113.10"); got != 200 {
		t.Errorf("a neighbour is answered %d", got)
	}
	ev := h.events(ringwall.BanMade, 2)
	if ev[0].ID != "203.0.113.9" && ev[1].ID != "203.0.113.9" || !strings.Contains(ev[0].Detail, "failed authentications") {
		t.Errorf("record %+v", ev[0])
	}
	if got := h.events(ringwall.ClientRefused, 2); len(got) != 2 {
		t.Errorf("three refusals of two addresses have %d records", len(got))
	}
}

func TestDrop(t *testing.T) {
	u := newUpstream(t, says("fine", 3))
	for name, change := range map[string]func(*config.Config){
		"at accept": func(c *config.Config) { c.Network.Deny = []string{"127.0.0.1"} },
		"behind a proxy": func(c *config.Config) {
			c.Network.Proxies, c.Network.Deny = []string{"127.0.0.1"}, []string{"203.0.113.9"}
		},
	} {
		h := stand(t, u, func(c *config.Config) { c.Network.Drop = true; change(c) })
		if got := h.raw("", xff+"203.0.113.9"); got != 0 {
			t.Errorf("%s: answered %d", name, got)
		}
	}
}

func geoDB(t *testing.T, file string, records map[string]string) {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "GeoLite2-Country", Description: map[string]string{"en": "of a test"}, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for network, code := range records {
		_, n, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(n, mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String(code)}}); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Create(file + ".new")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// Countries, feeds and CrowdSec's file are followed without a restart, and stay in
// force when what comes is broken.
func TestNetworkFilesAreFollowed(t *testing.T) {
	dir := t.TempDir()
	geo, feed, decisions := filepath.Join(dir, "c.mmdb"), filepath.Join(dir, "feed"), filepath.Join(dir, "decisions.json")
	write := func(file, src string) {
		t.Helper()
		if err := os.WriteFile(file+".new", []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	geoDB(t, geo, map[string]string{"203.0.113.0/24": "DE", "198.51.100.0/24": "FR"})
	write(feed, "203.0.113.66\n")
	write(decisions, "null")
	u := newUpstream(t, says("fine", 3))
	h := stand(t, u, func(c *config.Config) {
		n := &c.Network
		n.Proxies, n.Geo.Country, n.Countries.Allow = []string{"127.0.0.1"}, geo, []string{"DE"}
		n.Feeds, n.Deny, n.CrowdSec.File = map[string]config.Feed{"bad": {File: feed, Refresh: time.Hour}}, []string{"bad"}, decisions
	})
	for addr, want := range map[string]int{"203.0.113.9": 200, "203.0.113.66": 403, "198.51.100.9": 403, "192.0.2.1": 403} {
		if got := h.raw("", xff+addr); got != want {
			t.Errorf("%s is answered %d, want %d", addr, got, want)
		}
	}
	answered := func(addr string, want int) func() bool {
		return func() bool { return h.raw("", xff+addr) == want }
	}
	write(feed, "nonsense\n")
	write(decisions, "[")
	write(geo, "nonsense")
	h.until(answered("203.0.113.66", 403), "the old feed")
	h.until(answered("203.0.113.9", 200), "the old countries")
	write(feed, "203.0.113.67\n")
	h.until(answered("203.0.113.67", 403), "the new feed")
	h.until(answered("203.0.113.66", 200), "and not the old one")
	write(decisions, `[{"duration":"1h","id":1,"scope":"Ip","type":"ban","value":"203.0.113.68","scenario":"s"}]`)
	h.until(answered("203.0.113.68", 403), "the decision")
	geoDB(t, geo, map[string]string{"198.51.100.0/24": "DE"})
	h.until(answered("198.51.100.9", 200), "the new countries")

	for name, change := range map[string]func(*config.Network){
		"geo.country": func(n *config.Network) { n.Geo.Country = filepath.Join(dir, "none.mmdb") },
		"the feed bad": func(n *config.Network) {
			n.Feeds = map[string]config.Feed{"bad": {File: filepath.Join(dir, "none")}}
		},
		"decisions of CrowdSec": func(n *config.Network) { n.CrowdSec.File = filepath.Join(dir, "none") },
	} {
		c := config.Default()
		c.Listen, c.Data, c.Default = "127.0.0.1:0", t.TempDir(), "u"
		c.Providers = map[string]config.Provider{"u": config.Upstream(u.URL+"/v1", false)}
		change(&c.Network)
		if _, err := server.New(t.Context(), server.Options{Config: c}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("a start without its file: %v, want %q", err, name)
		}
	}
}

// A reload takes the network of the new configuration, and what is wrong with it
// leaves the old one.
func TestNetworkReload(t *testing.T) {
	u := newUpstream(t, says("fine", 3))
	file := filepath.Join(t.TempDir(), "ringwall.yaml")
	data := t.TempDir()
	write := func(network string) {
		t.Helper()
		src := "listen: 127.0.0.1:0\nanonymous: true\ndata: " + data + "\nproviders: {u: {base_url: " + u.URL + "/v1}}\ndefault_provider: u\nnetwork: " + network + "\n"
		if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	load := func() (*config.Config, error) { return config.Load(file) }
	write("{trusted_proxies: [127.0.0.1], deny: [203.0.113.9]}")
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	h := standOn(t, u, server.Options{Config: c, Reload: load, File: file})
	if got := h.raw("", xff+"203.0.113.9"); got != 403 {
		t.Errorf("answered %d", got)
	}
	write("{trusted_proxies: [127.0.0.1], networks: {shut: [198.51.100.0/24]}, deny: [shut], bans: {subjects: [192.0.2.1]}}")
	h.until(func() bool { return h.raw("", xff+"203.0.113.9") == 200 }, "the new configuration")
	for addr, want := range map[string]int{"198.51.100.9": 403, "192.0.2.1": 403} {
		if got := h.raw("", xff+addr); got != want {
			t.Errorf("%s is answered %d, want %d", addr, got, want)
		}
	}
	write("{trusted_proxies: [127.0.0.1], geo: {country: none.mmdb}}")
	h.events(ringwall.ConfigRefused, 1)
	if got := h.raw("", xff+"198.51.100.9"); got != 403 {
		t.Errorf("behind a refused configuration: %d", got)
	}
	write("{trusted_proxies: [127.0.0.1], proxy_protocol: true}")
	h.events(ringwall.ConfigRefused, 2)
}

// What another process bans is held here within a second, and recorded here.
func TestBansOfAnotherProcess(t *testing.T) {
	u := newUpstream(t, says("fine", 3))
	h := stand(t, u, func(c *config.Config) { c.Network.Proxies = []string{"127.0.0.1"} })
	bans, db, err := server.OpenBans(context.Background(), h.config)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := ban.Host(mustAddr(t, "203.0.113.9"))
	if _, err := bans.Add(t.Context(), ban.Ban{Subject: s, By: "command", Reason: "of a test"}); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	h.until(func() bool { return h.raw("", xff+"203.0.113.9") == 403 }, "the ban")
	t.Logf("in force after %v", time.Since(start))
	if ev := h.events(ringwall.BanMade, 1); ev[0].ID != "203.0.113.9" {
		t.Errorf("record %+v", ev[0])
	}
	if err := bans.Remove(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	h.until(func() bool { return h.raw("", xff+"203.0.113.9") == 200 }, "the pardon")
	h.events(ringwall.BanLifted, 1)
}

func TestKeptAddress(t *testing.T) {
	u := newUpstream(t, says("fine", 3))
	for keep, want := range map[string]string{"true": "203.0.113.9", "false": "", "truncated": "203.0.113.0/24"} {
		h := stand(t, u, func(c *config.Config) {
			c.Network.Proxies, c.Audit.Address = []string{"127.0.0.1"}, keep
		})
		resp, _ := h.chat(question("hello", ""), "X-Forwarded-For", "203.0.113.9")
		if got := h.record(resp.Header.Get("X-Ringwall-Exchange")).Client; got != want {
			t.Errorf("keep_address: %s keeps %q, want %q", keep, got, want)
		}
	}
}

func mustAddr(t *testing.T, text string) netip.Addr {
	t.Helper()
	a, err := netip.ParseAddr(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
