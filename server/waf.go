package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/telemetry"
	"github.com/ringwall/ringwall/waf"
)

// innerRoutes are the paths, and all below them, to which requests are looked at
// whole: where people log in and where things are changed.
var innerRoutes = []string{"/admin", "/approvals", "/auth", "/console", "/guardrails", "/login", "/logout", "/oauth2", "/saml", "/scim", "/sso"}

// groupOf says how requests to an address are looked at. An address that is not
// clean belongs where it leads.
func groupOf(p string) waf.Group {
	for _, at := range [...]string{p, path.Clean("/" + p)} {
		at = strings.ToLower(at)
		for _, root := range innerRoutes {
			if rest, ok := strings.CutPrefix(at, root); ok && (rest == "" || rest[0] == '/') {
				return waf.Inner
			}
		}
	}
	return waf.Model
}

// loading is a firewall that is being loaded while the rest of a world is built.
type loading struct {
	done chan struct{}
	f    *waf.Firewall
	err  error
}

func loadFirewall(c *config.Config, log *slog.Logger) *loading {
	l := &loading{done: make(chan struct{})}
	go func() {
		defer close(l.done)
		cfg, err := c.WAF.Firewall()
		if err != nil {
			l.err = fmt.Errorf("waf: %w", err)
			return
		}
		cfg.Log = log
		l.f, l.err = waf.New(cfg)
	}()
	return l
}

// before puts the firewall before w, with which it is closed. It waits until the
// firewall is loaded, also where there is no w.
func (l *loading) before(w *gateway.World, err error) (*gateway.World, error) {
	<-l.done
	switch {
	case err != nil && l.f != nil:
		return nil, errors.Join(err, l.f.Close())
	case err != nil:
		return nil, err
	case l.err != nil:
		w.Close()
		return nil, l.err
	}
	rest := w.Close
	w.Firewall, w.Close = l.f, func() {
		rest()
		_ = l.f.Close() // it gives back memory
	}
	return w, nil
}

// FirewallOf builds the firewall that c describes; the caller closes it.
func FirewallOf(c *config.Config) (*waf.Firewall, error) {
	cfg, err := c.WAF.Firewall()
	if err != nil {
		return nil, err
	}
	return waf.New(cfg)
}

// GroupOf says how requests to a path are looked at.
func GroupOf(path string) waf.Group { return groupOf(path) }

// wall is the firewall in force, and what is told of it.
type wall struct {
	firewall atomic.Pointer[waf.Firewall]
	looks    *telemetry.Counter
	kept     *telemetry.Counter
	findings *telemetry.Counter
	speaks   []spoken
	tells    pace
}

// spoken is the dialect of the addresses below a path.
type spoken struct {
	path string
	d    gateway.Dialect
}

func (l *wall) open(s *Server) {
	group := telemetry.Label{Name: "group", Values: []string{waf.Inner.String(), waf.Model.String()}}
	l.looks = s.metrics.Counter("ringwall_waf_requests_total", "Requests that the firewall looked at, by what came of it.", group,
		telemetry.Label{Name: "result", Values: []string{"passed", "noticed", "refused", "failed"}})
	l.kept = s.metrics.Counter("ringwall_waf_kept_total", "Requests of which the firewall knew what it would say, for it had looked at their like before.")
	l.findings = s.metrics.findings
	s.metrics.Declare("control", waf.Control)
	dialects := builtin.Dialects(jsonedit.Limits{Bytes: int(s.cfg.Limits.Body)})
	for _, at := range [...]struct{ path, pattern string }{
		{"/v1/messages", "POST /v1/messages"},
		{"/model", "POST /model/{modelId}/converse"},
		{"/guardrail", "POST /model/{modelId}/converse"},
		{"/guardrails", "POST /model/{modelId}/converse"},
		{"/v1beta", "POST /v1beta/models/{call}"},
		{"/api", "POST /api/chat"},
		{"", "POST /v1/chat/completions"},
	} {
		l.speaks = append(l.speaks, spoken{at.path, dialects[at.pattern]})
	}
}

// force puts f in force.
func (l *wall) force(f *waf.Firewall) { l.firewall.Store(f) }

// looked has the firewall look at requests before h sees them.
func (s *Server) looked(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := s.wall.firewall.Load()
		g := groupOf(r.URL.Path)
		j := f.Look(r, g)
		if now := s.wall.firewall.Load(); j.Failed && now != f {
			f, j = now, now.Look(r, g) // the old one was closed meanwhile
		}
		if j.Kept {
			s.wall.kept.Inc()
		}
		switch {
		case j.Refuse:
			s.shutOut(w, r, g, j)
			return
		case j.Failed:
			s.wall.looks.Inc(g.String(), "failed")
		case len(j.Findings) > 0:
			s.wall.looks.Inc(g.String(), "noticed")
		case !j.Off:
			s.wall.looks.Inc(g.String(), "passed")
		}
		if len(j.Findings) > 0 || g != waf.Model {
			r = r.WithContext(gateway.WithDoor(r.Context(), j))
		}
		h.ServeHTTP(w, r)
	})
}

// shutOut answers a request that the firewall refuses. The answer names no rule; the
// record, found by the id in the answer, does.
func (s *Server) shutOut(w http.ResponseWriter, r *http.Request, g waf.Group, j *waf.Judgement) {
	id := reference()
	no := &ringwall.Refusal{Status: http.StatusForbidden, Code: "request_refused", Public: "The request was refused. Who runs this gateway can tell why."}
	result := "refused"
	switch {
	case j.Failed:
		no.Status, no.Code, no.Public, result = http.StatusServiceUnavailable, "guard_unavailable", "The request could not be checked. Try again soon.", "failed"
	case j.TooLong:
		no.Status, no.Code = http.StatusRequestEntityTooLarge, "request_too_large"
		no.Public = fmt.Sprintf("The request body is too large: at most %d bytes are looked at here.", s.wall.firewall.Load().MaxBody())
	}
	s.wall.looks.Inc(g.String(), result)
	if !j.Failed {
		s.fault(r.Context(), ringwall.ClientOf(r.Context()).Addr, "refused by the firewall")
	}
	for _, f := range j.Findings {
		s.wall.findings.Inc(f.Control, f.Severity.String())
	}
	s.tellRefused(r, id, g, j, no.Status)
	h := w.Header()
	h.Set(gateway.Header, id)
	h.Set("Content-Type", "application/json")
	if j.Failed {
		h.Set("Retry-After", "1")
	}
	var body []byte
	for _, at := range s.wall.speaks {
		if rest, ok := strings.CutPrefix(r.URL.Path, at.path); ok && (at.path == "" || rest == "" || rest[0] == '/') {
			body = at.d.AppendError(nil, h, no, id)
			break
		}
	}
	w.WriteHeader(no.Status)
	_, _ = w.Write(body) // who does not read it misses nothing
}

// most findings that a record of a refused request holds.
const mostFindings = 16

// tellRefused writes the record of a refused request, and a line of the log: both at
// a pace, so that who is refused again and again fills no disk. The next record says
// how many there were in between.
func (s *Server) tellRefused(r *http.Request, id string, g waf.Group, j *waf.Judgement, status int) {
	missed, ok := s.wall.tells.may(time.Now())
	if !ok {
		return
	}
	state := ringwall.Ran
	if j.Failed {
		state = ringwall.Failed
	}
	ev := ringwall.Event{
		ID: id, Time: time.Now(), Route: plainRoute(r.URL.Path), Status: status, Outcome: ringwall.Refused,
		Verdict:  &ringwall.Verdict{Action: ringwall.Block, Reasons: j.Reasons()},
		Findings: j.Findings[:min(len(j.Findings), mostFindings)],
		Looks:    []ringwall.Look{{Control: waf.Control, Way: ringwall.Input, State: state}},
		Detail:   "refused at the door (" + g.String() + ")",
	}
	if missed > 0 {
		ev.Detail += fmt.Sprintf("; %d more were refused since the last record", missed)
	}
	if err := s.records.End(context.WithoutCancel(r.Context()), ev); err != nil {
		s.log.Error("a refused request has no record", "exchange", id, "error", err)
	}
	s.log.Warn("a request was refused at the door", "exchange", id, "control", waf.Control, "reason", strings.Join(ev.Verdict.Reasons, " "), "group", g.String(), "client", ringwall.ClientOf(r.Context()).Addr.String(), "unrecorded", missed)
}

// plainRoute is a path as a record may hold it: as far as it is made of plain signs,
// and no longer than an address of ours.
func plainRoute(p string) string {
	end := strings.IndexFunc(p, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._:-", r))
	})
	if end < 0 {
		end = len(p)
	}
	return p[:min(end, 100)]
}

// reference is an id of 128 random bits, as exchanges have.
func reference() string {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return "x" + hex.EncodeToString(b[:])
}

// pace lets pass sixty at once, and then one a second. The zero pace is ready.
type pace struct {
	mu     sync.Mutex
	spent  float64 // of sixty
	at     time.Time
	missed int
}

const paceMost = 60

// may reports whether one may pass, and how many might not since the last that did.
func (p *pace) may(now time.Time) (missed int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d := now.Sub(p.at); d > 0 {
		p.spent = max(0, p.spent-d.Seconds())
		p.at = now
	}
	if p.spent > paceMost-1 {
		p.missed++
		return 0, false
	}
	p.spent++
	missed, p.missed = p.missed, 0
	return missed, true
}

// warnFirewall says aloud where the firewall does not refuse.
func (s *Server) warnFirewall(c *config.Config) {
	for group, mode := range map[string]string{"model": c.WAF.Mode, "control": c.WAF.Control} {
		if m, err := waf.ParseMode(mode); err == nil && m != waf.Enforce {
			s.log.Warn("the firewall refuses nothing", "group", group, "control", waf.Control, "reason", "waf-"+mode)
		}
	}
	for _, e := range c.WAF.Exceptions {
		s.log.Info("the firewall excuses a rule", "rule", e.Rule, "target", e.Target, "path", e.Path, "until", e.Until, "reason", e.Reason)
	}
}
