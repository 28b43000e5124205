package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
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
	files := append([]string{s.opt.File}, s.cfg.Read...)
	seen := s.cfg.Sum
	if s.opt.File != "" {
		w, err := fsnotify.NewWatcher()
		if err == nil {
			defer w.Close()
			// The directories, for editors and Kubernetes put a new file in the place
			// of the old one.
			for _, f := range files {
				err = errors.Join(err, w.Add(filepath.Dir(f)))
			}
		}
		if err != nil {
			s.log.Warn("the configuration file is not watched: reload by SIGHUP", "error", err)
		} else {
			events = w.Events
		}
	}
	refresh := time.NewTicker(s.cfg.Secrets.Refresh)
	defer refresh.Stop()
	timer := time.NewTimer(settle) // the file may have changed since it was read
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hup:
			s.reload(ctx, "SIGHUP")
			seen = sum(files)
		case <-refresh.C:
			if s.refresh(ctx) {
				s.reload(ctx, "a secret changed")
				seen = sum(files)
			}
		case _, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			timer.Reset(settle)
		case <-timer.C:
			if now := sum(files); now != seen {
				seen = now
				s.reload(ctx, "the file changed")
			}
		}
	}
}

// sum is that of the contents of files; one that cannot be read has none.
func sum(files []string) [sha256.Size]byte {
	var parts [][]byte
	for _, f := range files {
		b, _ := os.ReadFile(f)
		parts = append(parts, b)
	}
	return config.Sum(parts)
}

// reload swaps in the world that the configuration describes now. When it
// describes none, the old one stays.
func (s *Server) reload(ctx context.Context, why string) {
	err := s.renew(ctx)
	s.metrics.reloaded(err)
	s.health.reload(err)
	if err != nil {
		s.log.Error("the configuration was not taken: the old one stays in force", "reason", why, "error", err.Error())
		s.note(ctx, ringwall.ConfigRefused, why, "")
		return
	}
	s.log.Info("the configuration is in force", "reason", why)
	s.note(ctx, ringwall.ConfigLoaded, why, "")
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
	w, err := s.world(c)
	if err != nil {
		return err
	}
	w.Restore = s.restore(c)
	s.metrics.declare(c)
	s.routed.declare(s.metrics.Metrics, c)
	s.warn(c, w)
	s.rails.Store(w.Guardrails.(*rails))
	s.wall.force(w.Firewall)
	s.gateway.Swap(w)
	return nil
}

// fixed names a setting that differs and that a running process cannot change.
func fixed(old, now *config.Config) string {
	switch {
	case old.Listen != now.Listen:
		return "listen"
	case old.TLS != now.TLS:
		return "tls"
	case old.Data != now.Data:
		return "data"
	case !old.Database.Same(now.Database):
		return "database"
	case old.Limits != now.Limits:
		return "limits"
	case old.Audit != now.Audit:
		return "audit"
	case old.Log != now.Log:
		return "log"
	case old.Restore.Enabled != now.Restore.Enabled:
		return "restore.enabled"
	case !old.Restore.Key.Same(now.Restore.Key):
		return "restore.key"
	case old.Responses != now.Responses:
		return "responses"
	case old.Tracing.Endpoint != now.Tracing.Endpoint:
		return "tracing"
	case old.Secrets != now.Secrets:
		return "secrets"
	}
	return ""
}
