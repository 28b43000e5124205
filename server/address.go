package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/telemetry"
	"github.com/ringwall/ringwall/waf/address"
	"github.com/ringwall/ringwall/waf/ban"
)

// turned counts and records who is turned away for where they come from.
type turned struct {
	refused   *telemetry.Counter
	automatic *telemetry.Counter

	mu     sync.Mutex
	seen   map[turnedKey]time.Time
	second time.Time
	noted  int // in that second
	missed int // that have no record of their own
}

type turnedKey struct {
	who  netip.Prefix
	rule address.Rule
}

// Bounds of the records of who is turned away: of one host and rule one a minute, of
// all some a second. All are counted.
const (
	turnedEvery  = time.Minute
	turnedHosts  = 4096
	turnedSecond = 5
)

func newTurned(m *telemetry.Metrics, bans *ban.Bans) *turned {
	t := &turned{seen: map[turnedKey]time.Time{}}
	t.refused = m.Counter("ringwall_network_refused_total", "Requests and connections that were refused for where they come from.",
		telemetry.Label{Name: "network_rule", Values: address.Refusals()})
	t.automatic = m.Counter("ringwall_bans_automatic_total", "Addresses that were banned automatically.")
	m.GaugeFunc("ringwall_bans", "Bans in memory that the database holds, those that ended within a day included.", func() float64 { return float64(bans.Len("")) })
	m.GaugeFunc("ringwall_crowdsec_decisions", "Decisions of CrowdSec in memory.", func() float64 {
		return float64(bans.Len(ban.FromFile) + bans.Len(ban.FromLAPI))
	})
	return t
}

// due reports whether somebody who is turned away gets a record, and how many got
// none since the last one.
func (t *turned) due(a netip.Addr, rule address.Rule, now time.Time) (missed int, yes bool) {
	bits := 64
	if a.Is4() {
		bits = 32
	}
	host, _ := a.Prefix(bits) // the zero address has the zero prefix
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.second) >= time.Second {
		t.second, t.noted = now, 0
	}
	k := turnedKey{host, rule}
	if at, known := t.seen[k]; known && now.Sub(at) < turnedEvery || t.noted >= turnedSecond {
		t.missed++
		return 0, false
	}
	if len(t.seen) >= turnedHosts {
		clear(t.seen)
	}
	t.seen[k] = now
	t.noted++
	missed, t.missed = t.missed, 0
	return missed, true
}

// located tells a request where it comes from, and turns away who may not come from
// there.
func (s *Server) located(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := s.network.Load()
		a, asked, err := n.view.Load().proxies.Client(r)
		if err != nil {
			s.turnAway(r.Context(), ringwall.Client{Addr: a}, address.Decision{Rule: address.ByForgery}, http.StatusBadRequest, err.Error())
			answerRefused(w, http.StatusBadRequest, "invalid_request", "The request cannot be read.")
			return
		}
		c, d := n.decide(a)
		if !d.Pass {
			s.turnAway(r.Context(), c, d, http.StatusForbidden, "")
			if n.cfg.Drop {
				panic(http.ErrAbortHandler)
			}
			answerRefused(w, http.StatusForbidden, "forbidden", "The request is refused.")
			return
		}
		ctx := ringwall.WithClient(r.Context(), c)
		if asked != (address.Origin{}) {
			ctx = address.WithOrigin(ctx, asked)
		}
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

// answerRefused answers who is turned away, in a form that all clients can read, and
// ends the connection.
func answerRefused(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Connection", "close")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"error":{"message":"`+text+`","type":"`+code+`","code":"`+code+`"}}`+"\n")
}

// turnAway counts and records who is turned away.
func (s *Server) turnAway(ctx context.Context, c ringwall.Client, d address.Decision, status int, why string) {
	s.turned.refused.Inc(string(d.Rule))
	missed, yes := s.turned.due(c.Addr, d.Rule, time.Now())
	if !yes {
		return
	}
	detail := "rule " + string(d.Rule)
	if d.List != "" {
		detail += ", " + d.List
	}
	if c.Country != "" {
		detail += ", country " + c.Country
	}
	if why != "" {
		detail = why
	}
	if missed > 0 {
		detail += fmt.Sprintf("; %d more since the last record have none", missed)
	}
	ev := ringwall.Event{ID: string(ringwall.ClientRefused), Kind: ringwall.ClientRefused, Time: time.Now(), Status: status, Outcome: ringwall.Refused, Detail: detail}
	if c.Addr.IsValid() {
		ev.Client = c.Addr.String()
	}
	if err := s.records.Note(context.WithoutCancel(ctx), ev); err != nil {
		s.log.Error("a client was turned away without a record", "error", err)
	}
}

// behind returns l as it is served: behind proxies that speak the PROXY protocol, and
// before addresses that get no answer.
func (s *Server) behind(l net.Listener) net.Listener {
	return &address.Listener{
		Listener: l, Preface: s.cfg.Network.Preface, Log: s.log,
		Trusted: func(a netip.Addr) bool { return s.network.Load().view.Load().proxies.Trusts(a) },
		Drop: func(a netip.Addr) bool {
			n := s.network.Load()
			if !n.cfg.Drop {
				return false
			}
			c, d := n.decide(a)
			if !d.Pass {
				s.turnAway(context.Background(), c, d, 0, "")
			}
			return !d.Pass
		},
	}
}

// openNetwork reads bans and networks.
func (s *Server) openNetwork(ctx context.Context, c *config.Config) (err error) {
	if s.bans, err = ban.Open(ctx, ban.Config{DB: s.db, Log: s.log, Changed: s.banChanged}); err != nil {
		return err
	}
	n, err := networkOf(ctx, c, s.bans, nil, true, s.log)
	if err != nil {
		return err
	}
	s.network.Store(n)
	return n.enforce()
}

// keepNetwork keeps what is known of addresses current until ctx ends: a lane of
// chores.
func (s *Server) keepNetwork(ctx context.Context, lane int) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		s.network.Load().work(ctx, lane, s.log)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Bans returns who is shut out.
func (s *Server) Bans() *ban.Bans { return s.bans }

// banChanged records a ban that another process made or lifted, while the gateway
// holds the records.
func (s *Server) banChanged(ctx context.Context, b ban.Ban, lifted bool) {
	kind := ringwall.BanMade
	if lifted {
		kind = ringwall.BanLifted
	}
	s.note(ctx, kind, banned(b), b.Subject.String())
}

func banned(b ban.Ban) string {
	text := "by " + b.By + ": " + b.Reason
	if !b.Until.IsZero() {
		text += ", until " + b.Until.Format(time.RFC3339)
	}
	return text
}

// fault takes down that a client did what it should not, and shuts it out where that
// is too often. It does not wait but for the record of a ban.
func (s *Server) fault(ctx context.Context, a netip.Addr, why string) {
	n := s.network.Load()
	p := n.policy()
	if p.Faults == 0 || !a.IsValid() || n.spared(a) {
		return
	}
	b, made := s.bans.Fault(a, why, p)
	if !made {
		return
	}
	s.turned.automatic.Inc()
	s.log.Warn("an address is shut out", "address", b.Subject.String(), "reason", why, "until", b.Until.Format(time.RFC3339))
	s.note(ctx, ringwall.BanMade, banned(b), b.Subject.String())
}

// observed tells the metrics of exchanges, and the bans of those that were denied.
type observed struct{ *Server }

// Ended implements gateway.Observer.
func (o observed) Ended(x *ringwall.Exchange, outcome ringwall.Outcome, took, upstream time.Duration) {
	o.metrics.Ended(x, outcome, took, upstream)
	o.called.Ended(x)
	if outcome == ringwall.Denied {
		o.fault(context.Background(), x.Client.Addr, "failed authentications")
	}
}

// unbanned lets callers prove who they are that are not shut out.
type unbanned struct {
	*auth.Callers
	bans *ban.Bans
}

// Authenticate implements gateway.Authenticator.
func (u unbanned) Authenticate(ctx context.Context, c ringwall.Credential) (ringwall.Principal, error) {
	p, err := u.Callers.Authenticate(ctx, c)
	if err != nil {
		return p, err
	}
	return u.let(p)
}

// Signing implements gateway.Signers.
func (u unbanned) Signing(ctx context.Context, keyID string) (ringwall.Principal, string, error) {
	p, secret, err := u.Callers.Signing(ctx, keyID)
	if err != nil {
		return p, "", err
	}
	if p, err = u.let(p); err != nil {
		return p, "", err
	}
	return p, secret, nil
}

func (u unbanned) let(p ringwall.Principal) (ringwall.Principal, error) {
	b, yes := u.bans.Caller(p, fromConfig)
	if !yes {
		return p, nil
	}
	return ringwall.Principal{}, &ringwall.Refusal{
		Status: http.StatusForbidden, Code: "forbidden", Public: "The request is refused.",
		Err: fmt.Errorf("%w: %s is banned by %s", ringwall.ErrRefused, b.Subject, b.By),
	}
}

// OpenBans opens the bans that c keeps, and their database, which the caller closes.
func OpenBans(ctx context.Context, c *config.Config) (*ban.Bans, *db.DB, error) {
	d, err := openDB(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	bans, err := ban.Open(ctx, ban.Config{DB: d})
	if err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	return bans, d, nil
}
