package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones of calendar windows, where the machine has none

	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/internal/valkey"
	"github.com/ringwall/ringwall/quota"
)

// Valkey says where replicas share what they count.
type Valkey struct {
	Addresses []string          `yaml:"addresses" doc:"host:port of the server, or of some nodes of a cluster; empty: there is none, and each replica counts for itself" example:"[valkey.internal.example:6379]"`
	Username  string            `yaml:"username" doc:"of its access control list; empty: its default user" example:""`
	Password  strictyaml.Secret `yaml:"password" doc:"that goes with it" example:"env:RINGWALL_VALKEY_PASSWORD"`
	TLS       bool              `yaml:"tls" doc:"speak TLS to it" default:"false"`
	CA        string            `yaml:"ca" doc:"PEM file with the certificates that its own is signed by; default: those of the machine" example:""`
	Cluster   bool              `yaml:"cluster" doc:"the addresses are nodes of a cluster" default:"false"`
	Timeout   time.Duration     `yaml:"timeout" doc:"how long it may take to answer" default:"250ms"`
}

// Quota configures how much callers may use.
type Quota struct {
	Limits []QuotaLimit `yaml:"limits" doc:"how much of what; a request must be within all that it falls under"`
	Answer int64        `yaml:"answer" doc:"tokens that are set aside for an answer when neither its request nor earlier answers say how long it may be; what it has beyond is taken from the limits afterwards" default:"4096"`
	Away   string       `yaml:"away" doc:"when Valkey is away: refuse requests with 503, or serve the local_share" enum:"refuse|local" default:"refuse"`
	Share  float64      `yaml:"local_share" doc:"with away: local, the share of what is left of each limit that each replica may grant by itself: no more than 1 by the number of replicas" default:"0.25"`
	Loops  Loops        `yaml:"loops" doc:"agents that go round in circles are refused with 429, loop_detected"`
}

// QuotaLimit is the most of something that a subject may use in a window.
type QuotaLimit struct {
	Name    string     `yaml:"name" doc:"in answers, records and metrics; what is used is found by it" example:"per-key"`
	Measure string     `yaml:"measure" doc:"what is counted: requests; tokens read and written, or one of them; money in US dollars, by the list of prices; tool calls that answers ask for; requests at a time" enum:"requests|tokens|input_tokens|output_tokens|cached_tokens|money|tool_calls|concurrent" default:"requests"`
	Most    float64    `yaml:"most" doc:"how much" example:"60"`
	Per     string     `yaml:"per" doc:"second, minute, hour or a duration from 1s to 24h, which slide; day, week or month of the calendar; not of concurrent" default:"minute"`
	Zone    string     `yaml:"zone" doc:"time zone of day, week and month" default:"UTC"`
	By      []string   `yaml:"by" doc:"whose each is: tenant, principal, key, model, ip, route, role, tool, or several together; empty: everybody's together" example:"[key]"`
	For     QuotaMatch `yaml:"for" doc:"the requests that it is about; empty: all"`
	Warn    float64    `yaml:"warn" doc:"share of it from which is warned, by a header, the log, a metric and a record; 1: never" default:"0.8"`
}

// QuotaMatch says which requests a limit is about.
type QuotaMatch struct {
	Tenants    []string `yaml:"tenants" doc:"of these tenants" example:"[acme]"`
	Principals []string `yaml:"principals" doc:"of these principals" example:"[]"`
	Keys       []string `yaml:"keys" doc:"with these keys, by their prefixes" example:"[]"`
	Models     []string `yaml:"models" doc:"to these models, as clients name them" example:"[]"`
	Routes     []string `yaml:"routes" doc:"to these routes, such as /v1/chat/completions" example:"[]"`
	Roles      []string `yaml:"roles" doc:"of principals with one of these roles" example:"[]"`
	Networks   []string `yaml:"networks" doc:"from these networks, such as 192.0.2.0/24" example:"[]"`
	Tools      []string `yaml:"tools" doc:"calls of these tools; a limit of tool_calls with tools here, or by tool, is taken from when a call is about to run" example:"[]"`
}

// Loops says what is a loop of an agent.
type Loops struct {
	Window  time.Duration `yaml:"window" doc:"in which is counted" default:"10m"`
	Repeats int           `yaml:"repeats" doc:"times that the same call with the same result, or the same question, may be sent in a conversation; 0: any" default:"0"`
	Depth   int           `yaml:"depth" doc:"rounds of tools without a word of a person; 0: any" default:"0"`
	FanOut  int           `yaml:"fan_out" doc:"requests of one conversation in the window; 0: any" default:"0"`
}

// Limit returns l as it is kept.
func (l *QuotaLimit) Limit() (quota.Limit, error) {
	out := quota.Limit{Name: l.Name, Measure: quota.Measure(l.Measure), Warn: l.Warn}
	amount := l.Most
	if out.Measure == quota.Money {
		amount *= float64(quota.Dollar)
	} else if amount != math.Trunc(amount) {
		return out, fmt.Errorf("most: %v %s is not a whole number", l.Most, l.Measure)
	}
	if !(amount >= 0 && amount <= 1<<52) {
		return out, fmt.Errorf("most: %v is less than nothing, or more than can be counted", l.Most)
	}
	out.Most = int64(math.Round(amount))
	if out.Measure != quota.Concurrent {
		zone, err := time.LoadLocation(l.Zone)
		if err != nil || l.Zone == "Local" {
			return out, fmt.Errorf("zone: there is no time zone %.40q: want a name such as Europe/Berlin", l.Zone)
		}
		if out.Window, err = quota.ParseWindow(l.Per, zone); err != nil {
			return out, fmt.Errorf("per: %w", err)
		}
	}
	for _, by := range l.By {
		out.By = append(out.By, quota.Dimension(by))
	}
	m := &l.For
	out.For = quota.Match{Tenants: m.Tenants, Principals: m.Principals, Keys: m.Keys, Models: m.Models, Routes: m.Routes, Roles: m.Roles, Tools: m.Tools}
	for _, n := range m.Networks {
		p, err := netip.ParsePrefix(n)
		if err != nil {
			return out, fmt.Errorf("networks: %.60q is no network: want one such as 192.0.2.0/24", n)
		}
		out.For.Networks = append(out.For.Networks, p.Masked())
	}
	return out, out.Check()
}

// All returns the limits as they are kept.
func (q *Quota) All() ([]quota.Limit, error) {
	out := make([]quota.Limit, 0, len(q.Limits))
	for i := range q.Limits {
		l, err := q.Limits[i].Limit()
		if err != nil {
			return nil, fmt.Errorf("limit %s: %w", q.Limits[i].Name, err)
		}
		out = append(out, l)
	}
	return out, nil
}

// mostLimits bounds what each request is held against.
const mostLimits = 64

func (c *Config) checkQuota(fail failing) {
	q := &c.Quota
	if len(q.Limits) > mostLimits {
		fail("quota.limits", "want at most %d", mostLimits)
	}
	names := map[string]bool{}
	for i := range q.Limits {
		at := strictyaml.Index("quota.limits", i)
		if _, err := q.Limits[i].Limit(); err != nil {
			what := strings.TrimPrefix(strings.ReplaceAll(err.Error(), "quota: no limit: ", ""), "quota: no limit")
			field, rest, ok := strings.Cut(what, ": ")
			if !ok || !slices.Contains([]string{"most", "zone", "per", "networks"}, field) {
				fail(at, "%s", what)
				continue
			}
			if field == "networks" {
				field = "for.networks"
			}
			fail(at+"."+field, "%s", rest)
		}
		if names[q.Limits[i].Name] {
			fail(at+".name", "there is a limit %q already", q.Limits[i].Name)
		}
		names[q.Limits[i].Name] = true
	}
	if q.Answer < 1 || q.Answer > 1<<24 {
		fail("quota.answer", "want 1 to %d tokens", 1<<24)
	}
	if !(q.Share > 0 && q.Share <= 1) {
		fail("quota.local_share", "want a share above 0, up to 1")
	}
	l := q.Loops
	if l.Repeats < 0 || l.Depth < 0 || l.FanOut < 0 || l.Window < time.Second || l.Window > 24*time.Hour {
		fail("quota.loops", "want bounds of 0 or more, and a window of 1s to 24h")
	}
	c.checkValkey(fail)
}

func (c *Config) checkValkey(fail failing) {
	v := &c.Valkey
	for i, a := range v.Addresses {
		if host, port, err := net.SplitHostPort(a); err != nil || host == "" || port == "" {
			fail(strictyaml.Index("valkey.addresses", i), "want host:port")
		}
	}
	if len(v.Addresses) > 1 && !v.Cluster {
		fail("valkey.addresses", "several addresses are those of a cluster: set cluster: true")
	}
	if v.Timeout < time.Millisecond || v.Timeout > time.Minute {
		fail("valkey.timeout", "want 1ms to 1m")
	}
	if v.CA != "" && !v.TLS {
		fail("valkey.ca", "certificates are for TLS: set tls: true")
	}
}

// Same reports whether v says what other does.
func (v *Valkey) Same(other *Valkey) bool {
	return slices.Equal(v.Addresses, other.Addresses) && v.Username == other.Username && v.Password.Same(other.Password) &&
		v.TLS == other.TLS && v.CA == other.CA && v.Cluster == other.Cluster && v.Timeout == other.Timeout
}

// Open returns the client of the server; nil where there is none.
func (v *Valkey) Open() (*valkey.Client, error) {
	if len(v.Addresses) == 0 {
		return nil, nil
	}
	cfg := valkey.Config{Addresses: v.Addresses, Username: v.Username, Cluster: v.Cluster, Timeout: v.Timeout}
	if !v.Password.IsZero() {
		var err error
		if cfg.Password, err = v.Password.Reveal(); err != nil {
			return nil, fmt.Errorf("reading the password of Valkey: %w", err)
		}
	}
	if v.TLS {
		cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		if v.CA != "" {
			pem, err := os.ReadFile(v.CA)
			if err != nil {
				return nil, fmt.Errorf("reading valkey.ca: %w", err)
			}
			cfg.TLS.RootCAs = x509.NewCertPool()
			if !cfg.TLS.RootCAs.AppendCertsFromPEM(pem) {
				return nil, fmt.Errorf("reading valkey.ca: there is no certificate in %s", v.CA)
			}
		}
	}
	return valkey.Open(cfg)
}
