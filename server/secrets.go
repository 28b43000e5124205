package server

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/internal/safe"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// Bound returns c with its secrets that services keep read when they are needed,
// for commands that serve nobody.
func Bound(c *config.Config) *config.Config {
	return c.Bind(safe.New(safe.Config{Timeout: c.Secrets.Timeout}))
}

// Offline returns c with stand-ins for the secrets that services keep, to look
// whether it holds together without asking anybody.
func Offline(c *config.Config) *config.Config { return c.Bind(standIn{}) }

type standIn struct{}

// Reveal implements strictyaml.Keeper.
func (standIn) Reveal(ref string) (string, error) { return "stands in for " + ref, nil }

// bind reads the secrets of c that services keep, and returns c with them. One
// that was never read is an error; one that was keeps its last value when its
// service is away.
func (s *Server) bind(ctx context.Context, c *config.Config) (*config.Config, error) {
	if _, err := s.secrets.Load(ctx, strictyaml.Elsewhere(c)); err != nil {
		return nil, fmt.Errorf("reading the secrets that services keep: %w", err)
	}
	s.tellStale()
	return c.Bind(s.secrets), nil
}

// refresh reads them again, and reports whether one changed. Who asks for one
// when it is needed, as providers do for their keys, has the new value by then.
func (s *Server) refresh(ctx context.Context) bool {
	if s.secrets.Len() == 0 {
		return false
	}
	changed, err := s.secrets.Refresh(ctx)
	if ctx.Err() != nil {
		return false
	}
	if err != nil {
		s.log.Error("secrets could not be read again: their last values stay in force", "error", err.Error())
	}
	s.tellStale()
	if len(changed) > 0 {
		s.log.Info("secrets changed", "references", strings.Join(changed, " "))
	}
	return len(changed) > 0
}

func (s *Server) tellStale() {
	if s.metrics != nil {
		s.metrics.stale.Set(float64(len(s.secrets.Stale())))
	}
}

// refreshing refreshes until ctx ends, where nothing is reloaded.
func (s *Server) refreshing(ctx context.Context) error {
	tick := time.NewTicker(s.cfg.Secrets.Refresh)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.refresh(ctx)
		}
	}
}
