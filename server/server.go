// Package server puts the house together and keeps it running: it builds the
// gateway from a configuration, serves it, reloads it, and ends it in order.
//
// A reload builds a complete new world from the file, checks it, and swaps it
// in; requests end on the world they began with. When the file is wrong the old
// world stays, and the log, a metric, /readyz and the records say so.
//
// Start reading at [New], then [Server.Run].
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/approval"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/recall"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/safe"
	"github.com/ringwall/ringwall/internal/telemetry"
	"github.com/ringwall/ringwall/redact"
	"github.com/ringwall/ringwall/waf/ban"
)

// Options say what a Server serves.
type Options struct {
	Config *config.Config // required
	// Reload returns the configuration anew, and File is watched for it; without
	// File nothing is watched.
	Reload func() (*config.Config, error)
	File   string

	Log     *slog.Logger
	Version string
}

// Server is the whole house on one listener.
type Server struct {
	opt     Options
	cfg     *config.Config
	log     *slog.Logger
	db      *db.DB
	keys    *auth.Keys
	people  *people
	callers unbanned
	records *audit.Log
	vault   *redact.Vault // nil: nothing is restored
	// approvals wait for people; nil: nobody is asked, and what is held is refused.
	approvals *approval.Store
	notices   chan notice // of them, that a service is to be told
	memory    gateway.Memory
	answers   *recall.Store // the memory, where it is in the database; else nil
	gateway   *gateway.Gateway
	metrics   *metrics
	judged    *judged
	made      *guardrail.Made
	rails     atomic.Pointer[rails] // of the world in force
	routed    *routed
	table     *table
	wall      wall
	http      *http.Server
	listen    net.Listener
	stop      func(context.Context) error // of the tracer
	secrets   *safe.Store
	health    health
	bans      *ban.Bans
	network   atomic.Pointer[network]
	turned    *turned
	called    *called
	load      *overload

	secured     secured
	current     atomic.Pointer[config.Config] // in force
	reloads     chan reloading
	adminHTTP   *http.Server // nil: there is no admin listener
	adminListen net.Listener

	accounts accounts
	turns    turns
}

// OpenKeys opens the store of API keys that c names, and its database, which the
// caller closes.
func OpenKeys(ctx context.Context, c *config.Config, log *slog.Logger) (*auth.Keys, *db.DB, error) {
	return openKeys(ctx, c, log, nil)
}

func openKeys(ctx context.Context, c *config.Config, log *slog.Logger, changed func(context.Context, auth.Key)) (*auth.Keys, *db.DB, error) {
	d, err := openDB(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	root, err := signingRoot(c)
	if err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	keys, err := auth.Open(ctx, auth.Config{DB: d, Log: log, Changed: changed, Root: root})
	if err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	return keys, d, nil
}

// openDB opens the database of c, which is in the data directory unless c names one.
func openDB(ctx context.Context, c *config.Config) (*db.DB, error) {
	dsn := filepath.Join(c.Data, "ringwall.db")
	if !c.Database.IsZero() {
		var err error
		if dsn, err = c.Database.Reveal(); err != nil {
			return nil, fmt.Errorf("reading the database's DSN: %w", err)
		}
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	return db.Open(ctx, db.Config{DSN: dsn})
}

// signingRoot reads the root that c names, or the one in the data directory. Replicas
// that share a database would each have another one there.
func signingRoot(c *config.Config) (*auth.Root, error) {
	switch {
	case !c.Signing.IsZero():
		text, err := c.Signing.Reveal()
		if err != nil {
			return nil, fmt.Errorf("reading the signing root: %w", err)
		}
		return auth.ParseRoot(text)
	case c.Database.IsZero():
		return auth.OpenRoot(c.Data)
	}
	return nil, nil
}

// AuditDir is where the records are.
func AuditDir(c *config.Config) string { return filepath.Join(c.Data, "audit") }

// New builds a Server and takes its address and its data directory. It serves
// nobody before Run.
func New(ctx context.Context, opt Options) (*Server, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{opt: opt, cfg: opt.Config, log: opt.Log, reloads: make(chan reloading)}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *Server) open(ctx context.Context) error {
	s.secrets = safe.New(safe.Config{Timeout: s.cfg.Secrets.Timeout})
	c, err := s.bind(ctx, s.cfg)
	if err != nil {
		return err
	}
	s.cfg = c
	if s.keys, s.db, err = openKeys(ctx, c, s.log, s.keyChanged); err != nil {
		return err
	}
	if err := s.openNetwork(ctx, c); err != nil {
		return err
	}
	index := s.db
	if c.Database.IsZero() {
		index = nil // beside the records, so that the two are moved together
	}
	if s.records, err = audit.Open(ctx, audit.Config{
		Dir: AuditDir(c), Fsync: audit.Fsync(c.Audit.Fsync), Interval: c.Audit.Interval, SegmentBytes: int64(c.Audit.Segment),
		KeepText: c.Audit.KeepText, Address: audit.Address(c.Audit.Address), Index: index, Log: s.log,
	}); err != nil {
		return err
	}
	if err := s.openPeople(ctx, c); err != nil {
		return err
	}
	use, err := s.meet(c)
	if err != nil {
		return err
	}
	use()
	if s.vault, err = openVault(ctx, c, s.db, s.log); err != nil {
		return err
	}
	if s.memory, s.answers, err = openMemory(ctx, c, s.db, s.log); err != nil {
		return err
	}
	if s.turns, err = openTurns(ctx, c, s.db, s.log); err != nil {
		return err
	}
	if err := s.openPending(ctx, c); err != nil {
		return err
	}
	s.metrics = newMetrics(s.opt.Version, s.keys)
	s.metrics.declare(c)
	s.turned = newTurned(s.metrics.Metrics, s.bans)
	s.called = newCalled(s.metrics.Metrics)
	s.load = newOverload(s.metrics.Metrics, c)
	if err := s.openQuota(ctx, c); err != nil {
		return err
	}
	s.judged = newJudged(s.metrics.Metrics, s.log)
	s.routed = newRouted(s.metrics.Metrics, s.log)
	s.routed.declare(s.metrics.Metrics, c)
	s.wall.open(s)
	if s.made, err = guardrail.OpenMade(Versions(c)); err != nil {
		return err
	}
	w, err := s.world(c)
	if err != nil {
		return err
	}
	w.Restore, w.StepUp = s.restore(c), stepUp(c)
	if err := s.turns.verify(c, w); err != nil {
		return err
	}
	if err := s.limit(c, w); err != nil {
		return err
	}
	tracer, stop, err := telemetry.NewTracer(ctx, telemetry.TraceConfig{
		Endpoint: c.Tracing.Endpoint, Headers: c.Tracing.Headers, Service: "ringwall", Version: s.opt.Version, SampleRatio: c.Tracing.Sample, Log: s.log,
	})
	if err != nil {
		return err
	}
	s.stop = stop
	if c.Tracing.Endpoint == "" {
		tracer = nil
	}
	s.rails.Store(w.Guardrails.(*rails))
	if err := s.secure(c); err != nil {
		return err
	}
	s.callers.Peers = s.secured.peers
	s.wall.force(w.Firewall)
	s.gateway, err = gateway.New(gateway.Config{
		World: w, Auth: s.callers, Cookie: s.cookie, Records: s.records, Observer: observed{s}, Memory: s.memory, Tracer: tracer, Log: s.log, Gate: s.load.gate,
		Limits: gateway.Limits{
			Body: int64(c.Limits.Body), Concurrent: c.Limits.Concurrent, Write: c.Limits.Write, Request: c.Limits.Request,
			Read: c.Limits.Read, Rate: int64(c.Overload.Rate), Grace: c.Overload.Grace,
		},
	})
	if err != nil {
		return err
	}
	s.warn(c, w)
	if s.listen, err = net.Listen("tcp", c.Listen); err != nil {
		return fmt.Errorf("listening on %s: %w", c.Listen, err)
	}
	s.listen = s.behind(s.load.before(s.listen, c))
	s.http = s.httpServer(c, s.edge(s.routes()))
	s.load.serves(s.http)
	return s.listenAdmin(c)
}

// warn says aloud what weakens the protection.
func (s *Server) warn(c *config.Config, w *gateway.World) {
	for _, weak := range w.Guard.WeakRules() {
		s.log.Warn("a control protects less than it could", "control", weak.Control, "reason", weak.Why)
	}
	for _, name := range inTheClear(c) {
		s.log.Warn("an outside judge is sent texts in the clear", "judge", name, "reason", "http")
	}
	for _, h := range c.Hooks {
		if h.FailOpen {
			s.log.Warn("a hook that gives no answer lets pass", "hook", h.Name, "reason", "fail-open")
		}
	}
	if c.Approvals.Same {
		s.log.Warn("users may approve by the credential that asked", "reason", "approvals-same-credential")
	}
	s.warnOfIssuers(c)
	for _, u := range c.Unguarded {
		s.log.Warn("a part of an API is passed on although nobody looks at it", "path", u.Path, "provider", u.Provider, "reason", "unguarded")
	}
	s.warnFirewall(c)
	if c.Anonymous {
		s.log.Warn("callers are let in without a key", "reason", "anonymous")
	}
	if c.Admin.Listen != "" && c.Admin.Anonymous {
		s.log.Warn("metrics and readiness are told without a key", "reason", "admin-anonymous")
	}
	if k := c.TLS.Clients; k.Takes() && len(k.CRL) == 0 {
		s.log.Warn("certificates of clients cannot be revoked: there is no list", "reason", "no-crl")
	}
	for _, g := range c.CORS {
		s.log.Warn("pages of other origins may ask from a browser", "origins", g.Origins, "paths", g.Paths, "reason", "cors")
	}
	if c.Restore.Enabled && c.Restore.Others != redact.Nobody {
		s.log.Warn("callers may read what others of their tenant sent in the same conversation", "trust", c.Restore.Others.String(), "reason", "restore-others")
	}
	if c.Audit.KeepText {
		s.log.Warn("the records keep the texts of prompts and answers", "reason", "keep-text")
	}
	if c.Responses.Durable() {
		s.log.Info("answers are kept in the database, sealed, for requests that go on from them", "ttl", c.Responses.TTL.String())
	}
}

// URL returns the base URL of the gateway.
func (s *Server) URL() string {
	return s.scheme() + "://" + s.listen.Addr().String()
}

// Records returns the audit log.
func (s *Server) Records() *audit.Log { return s.records }

// heapGrowth is by how many percent the heap may grow before garbage is
// collected. What a gateway keeps is small (some 25 MB) and what it uses is
// short-lived: more would cost memory at saturation and save no time that shows.
const heapGrowth = 150

// Run serves until ctx ends, then lets requests end for as long as the
// configuration allows, and closes everything. It is called once. Unless the
// environment sets GOGC, it sets it for the process.
func (s *Server) Run(ctx context.Context) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	var group errgroup.Group
	group.Go(func() error { return s.records.Run(work) })
	group.Go(func() error { return s.keys.Run(work) })
	group.Go(func() error { return s.people.tokens.Run(work) })
	group.Go(func() error { return s.people.sessions.Run(work) })
	group.Go(func() error { return s.bans.Run(work) })
	for lane := range lanes {
		group.Go(func() error { return s.keepNetwork(work, lane) })
	}
	group.Go(func() error { return s.runQuota(work) })
	if s.vault != nil {
		group.Go(func() error { return s.vault.Run(work) })
	}
	if s.approvals != nil {
		group.Go(func() error { return s.approvals.Run(work) })
		group.Go(func() error { return s.tellNotices(work) })
	}
	if s.answers != nil {
		group.Go(func() error { return s.answers.Run(work) })
	}
	group.Go(func() error { return s.turns.run(work) })
	if s.opt.Reload != nil {
		group.Go(func() error { return s.watch(work) })
	} else {
		group.Go(func() error { return s.refreshing(work) })
	}
	served := make(chan error, 1)
	go func() { served <- ended(serveOn(s.http, s.listen)) }()
	stopAdmin := s.serveAdmin()
	group.Go(func() error {
		s.order(work)
		return nil
	})
	s.note(ctx, ringwall.ConfigLoaded, "start"+s.withPolicies(), "")
	s.health.ready.Store(true)
	s.log.Info("serving", "address", s.URL(), "guardrail", s.gateway.Guardrail())
	if admin := s.AdminURL(); admin != "" {
		s.log.Info("serving the administration", "address", admin)
	}

	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
		s.health.ready.Store(false)
		s.log.Info("stopping: requests may end", "drain", s.cfg.Limits.Drain.String())
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Limits.Drain)
		if s.http.Shutdown(drain) != nil {
			s.log.Warn("requests did not end in time and are cut")
			s.http.Close()
		}
		cancel()
		err = <-served
	}
	stopWork()
	return errors.Join(err, stopAdmin(), group.Wait(), s.close())
}

func (s *Server) close() error {
	var errs []error
	if s.http == nil && s.listen != nil {
		errs = append(errs, s.listen.Close())
	}
	if s.adminHTTP == nil && s.adminListen != nil {
		errs = append(errs, s.adminListen.Close())
	}
	if s.stop != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		errs = append(errs, s.stop(ctx))
		cancel()
	}
	if s.records != nil {
		errs = append(errs, s.records.Close())
	}
	if s.accounts.client != nil {
		s.accounts.client.Close()
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}

// keyChanged records that a key was made or revoked, which the command line does
// while the gateway holds the records.
func (s *Server) keyChanged(ctx context.Context, k auth.Key) {
	kind := ringwall.KeyCreated
	if !k.Revoked.IsZero() {
		kind = ringwall.KeyRevoked
	}
	detail := "name " + k.Name + ", trust " + k.Trust.String()
	if k.Principal != k.Prefix {
		detail += ", of principal " + k.Principal
	}
	s.note(ctx, kind, detail, k.Prefix)
}

// note records an administrative act; about names what it is about.
func (s *Server) note(ctx context.Context, kind ringwall.Kind, detail, about string) {
	if about == "" {
		about = string(kind)
	}
	ev := ringwall.Event{ID: about, Kind: kind, Time: time.Now(), Detail: detail, Principal: ringwall.Principal{Trust: ringwall.Operator, Via: "process"}}
	if err := s.records.Note(ctx, ev); err != nil {
		s.log.Error("an administrative act has no record", "kind", string(kind), "error", err)
	}
}

// Keys returns the API keys.
func (s *Server) Keys() *auth.Keys { return s.keys }
