package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"slices"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
)

// settle is how long a file must be still before it is read: editors write in
// several steps.
const settle = 100 * time.Millisecond

// watch reloads on SIGHUP and when the file changed, until ctx ends.
func (s *Server) watch(ctx context.Context) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)

	var events chan fsnotify.Event
	files := s.files()
	seen := s.cfg.Sum
	var watcher *fsnotify.Watcher
	if s.opt.File != "" {
		w, err := fsnotify.NewWatcher()
		if err == nil {
			defer w.Close()
			err = follows(w, files)
		}
		if err != nil {
			s.log.Warn("the configuration file is not watched: reload by SIGHUP", "error", err)
		} else {
			watcher, events = w, w.Events
		}
	}
	refresh := time.NewTicker(s.cfg.Secrets.Refresh)
	defer refresh.Stop()
	timer := time.NewTimer(settle) // the file may have changed since it was read
	take := func(why string) error {
		seen = s.sum(files) // before they are read: what changes meanwhile is taken next
		err := s.reload(ctx, why)
		if named := s.files(); !slices.Equal(named, files) {
			files = named
			if err == nil {
				seen = s.current.Load().Sum
			}
			if watcher != nil {
				if err := follows(watcher, files); err != nil {
					s.log.Warn("a file is not watched: reload by SIGHUP", "error", err)
				}
				timer.Reset(settle) // one of them may have changed since it was read
			}
		}
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hup:
			_ = take("SIGHUP") // the log says what is wrong
		case ask := <-s.reloads:
			ask.done <- take(ask.why)
		case <-refresh.C:
			if s.refresh(ctx) {
				_ = take("a secret changed")
			}
		case _, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			timer.Reset(settle)
		case <-timer.C:
			if s.sum(files) != seen {
				_ = take("the file changed")
			}
		}
	}
}

// follows has the directories of files watched, for editors and Kubernetes put a new
// file in the place of the old one.
func follows(w *fsnotify.Watcher, files []string) (err error) {
	for _, f := range files {
		err = errors.Join(err, w.Add(filepath.Dir(f)))
	}
	return err
}

// sum is that of the contents of files, the configuration's first; one that cannot be
// read counts as empty.
func (s *Server) sum(files []string) [sha256.Size]byte {
	src, _ := os.ReadFile(files[0])
	return config.SumOf(src, files[1:])
}

// reload swaps in the world that the configuration describes now. When it
// describes none, the old one stays.
func (s *Server) reload(ctx context.Context, why string) error {
	err := s.renew(ctx)
	s.metrics.reloaded(err)
	s.health.reload(err)
	if err != nil {
		s.log.Error("the configuration was not taken: the old one stays in force", "reason", why, "error", err.Error())
		s.note(ctx, ringwall.ConfigRefused, why, "")
		s.resecure()
		return err
	}
	s.log.Info("the configuration is in force", "reason", why)
	s.note(ctx, ringwall.ConfigLoaded, why+s.withPolicies(), "")
	return nil
}

func (s *Server) renew(ctx context.Context) error {
	c, err := s.opt.Reload()
	if err != nil {
		return err
	}
	if what := fixed(s.cfg, c); what != "" {
		return fmt.Errorf("%s changed, which only a restart can do", what)
	}
	if c, err = s.bind(ctx, c); err != nil {
		return err
	}
	certs, err := s.certificates(&c.TLS, s.secured.state.Load())
	if err != nil {
		return err
	}
	if err := webhookKnown(c); err != nil {
		return err
	}
	use, err := s.meet(c)
	if err != nil {
		return err
	}
	n, err := networkOf(ctx, c, s.bans, s.network.Load(), true, s.log)
	if err != nil {
		return err
	}
	w, err := s.world(c)
	if err != nil {
		return err
	}
	if err := errors.Join(s.limit(c, w), s.turns.verify(c, w), n.enforce()); err != nil {
		w.Close()
		return err
	}
	s.network.Store(n)
	use()
	w.Restore, w.StepUp = s.restore(c), stepUp(c)
	if s.approvals != nil {
		if err := s.approvals.Configure(c.Approvals.Rules()); err != nil {
			s.log.Error("the rules of approvals were not taken", "error", err) // bug: they were checked
		}
	}
	s.secured.use(certs)
	s.current.Store(c)
	s.metrics.declare(c)
	s.routed.declare(s.metrics.Metrics, c)
	s.warn(c, w)
	s.rails.Store(w.Guardrails.(*rails))
	s.load.reload(c)
	s.wall.force(w.Firewall)
	s.gateway.Swap(w)
	return nil
}

// fixed names a setting that differs and that a running process cannot change.
func fixed(old, now *config.Config) string {
	switch {
	case old.Listen != now.Listen:
		return "listen"
	case old.TLS.On() != now.TLS.On():
		return "tls"
	case old.HTTP != now.HTTP:
		return "http"
	case !reflect.DeepEqual(old.Admin, now.Admin):
		return "admin"
	case old.Data != now.Data:
		return "data"
	case !old.Database.Same(now.Database):
		return "database"
	case old.Limits != now.Limits:
		return "limits"
	case old.Overload.Rate != now.Overload.Rate || old.Overload.Grace != now.Overload.Grace:
		return "overload.min_rate or grace"
	case old.Audit != now.Audit:
		return "audit"
	case old.Log != now.Log:
		return "log"
	case old.Restore.Enabled != now.Restore.Enabled:
		return "restore.enabled"
	case !old.Restore.Key.Same(now.Restore.Key):
		return "restore.key"
	case old.Approvals.Off != now.Approvals.Off:
		return "approvals.off"
	case old.Responses != now.Responses:
		return "responses"
	case old.History.Store != now.History.Store || old.History.Entries != now.History.Entries:
		return "history.store or entries"
	case old.Tracing.Endpoint != now.Tracing.Endpoint:
		return "tracing"
	case old.Network.Preface != now.Network.Preface:
		return "network.proxy_protocol"
	case !old.Valkey.Same(&now.Valkey):
		return "valkey"
	case old.Quota.Answer != now.Quota.Answer, old.Quota.Away != now.Quota.Away, old.Quota.Share != now.Quota.Share:
		return "quota.answer, quota.away or quota.local_share"
	case old.Secrets != now.Secrets:
		return "secrets"
	}
	return ""
}
