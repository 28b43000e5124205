package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/server"
)

// A list behind a URL holds while its server is away, over a restart too.
func TestFeedBehindAURL(t *testing.T) {
	feed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "203.0.113.0/24") }))
	u, data := newUpstream(t, says("fine", 3)), t.TempDir()
	change := func(c *config.Config) {
		c.Data = data
		c.Network.Proxies, c.Network.Deny = []string{"127.0.0.1"}, []string{"bad"}
		c.Network.Feeds = map[string]config.Feed{"bad": {URL: feed.URL, Refresh: time.Hour}}
	}
	h := stand(t, u, change)
	if got := h.raw("", xff+"203.0.113.9"); got != 403 {
		t.Errorf("answered %d", got)
	}
	h.stop()
	feed.Close()
	h = stand(t, u, change)
	if got := h.raw("", xff+"203.0.113.9"); got != 403 {
		t.Errorf("behind a restart without its server, answered %d", got)
	}
	h.stop()

	data = t.TempDir()
	c := config.Default()
	c.Listen, c.Default = "127.0.0.1:0", "u"
	c.Providers = map[string]config.Provider{"u": config.Upstream(u.URL+"/v1", false)}
	change(c)
	if _, err := server.New(t.Context(), server.Options{Config: c}); err == nil || !strings.Contains(err.Error(), "reading the feed bad") || !strings.Contains(err.Error(), "optional: true") {
		t.Errorf("a start without any list: %v", err)
	}
	h = stand(t, u, func(c *config.Config) {
		change(c)
		f := c.Network.Feeds["bad"]
		f.Optional = true
		c.Network.Feeds["bad"] = f
	})
	if got := h.raw("", xff+"203.0.113.9"); got != 200 {
		t.Errorf("where the list is optional, answered %d", got)
	}
}

// Decisions of CrowdSec's local API are followed, hold while it is away, and are asked
// for again when it is back.
func TestCrowdSecsLocalAPI(t *testing.T) {
	var state atomic.Int32 // 0: the server is away, 1: two decisions, 2: one is deleted
	const one = `{"duration":"1h","id":1,"origin":"cscli","scenario":"s","scope":"Ip","type":"ban","value":"203.0.113.9"}`
	const two = `{"duration":"1h","id":2,"origin":"cscli","scenario":"s","scope":"Range","type":"ban","value":"198.51.100.0/24"}`
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		whole := r.URL.Query().Get("startup") == "true"
		switch {
		case r.Header.Get("X-Api-Key") != "hush":
			w.WriteHeader(http.StatusForbidden)
		case state.Load() == 0:
			w.WriteHeader(http.StatusBadGateway)
		case state.Load() == 1 && whole:
			fmt.Fprint(w, `{"new":[`+one+`,`+two+`],"deleted":null}`)
		case state.Load() == 2 && whole:
			fmt.Fprint(w, `{"new":[`+two+`],"deleted":null}`)
		case state.Load() == 2:
			fmt.Fprint(w, `{"new":null,"deleted":[`+one+`]}`)
		default:
			fmt.Fprint(w, `{"new":null,"deleted":null}`)
		}
	}))
	defer api.Close()
	t.Setenv("CROWDSEC_KEY", "hush")
	key, err := strictyaml.NewSecret("env:CROWDSEC_KEY")
	if err != nil {
		t.Fatal(err)
	}
	h := stand(t, newUpstream(t, says("fine", 3)), func(c *config.Config) {
		c.Network.Proxies, c.Network.Exempt = []string{"127.0.0.1"}, []string{"198.51.100.7"}
		c.Network.CrowdSec.URL, c.Network.CrowdSec.Key, c.Network.CrowdSec.Poll = api.URL, key, time.Second
	})
	answered := func(addr string, want int) func() bool {
		return func() bool { return h.raw("", xff+addr) == want }
	}
	if !answered("203.0.113.9", 200)() {
		t.Error("nobody decided anything yet")
	}
	state.Store(1)
	h.until(answered("203.0.113.9", 403), "the decision")
	if !answered("198.51.100.8", 403)() || !answered("198.51.100.7", 200)() {
		t.Error("a range is not refused, or who is exempt is")
	}
	state.Store(0)
	if !answered("203.0.113.9", 403)() {
		t.Error("the decision does not hold while the server is away")
	}
	state.Store(2)
	h.until(answered("203.0.113.9", 200), "the pardon")
	if !answered("198.51.100.8", 403)() {
		t.Error("the other decision is gone")
	}
}
