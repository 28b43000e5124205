package server

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/history"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/redact"
)

// turns is where it is known what went through here.
type turns struct {
	key   redact.Key
	store history.Store
	rows  *history.Database // the store, where it is in the database; else nil
}

// openTurns opens it. It is there even while nothing is verified: a reload may change
// that.
func openTurns(ctx context.Context, c *config.Config, d *db.DB, log *slog.Logger) (t turns, err error) {
	if t.key, err = vaultKey(c); err != nil {
		return turns{}, fmt.Errorf("opening the history: %w", err)
	}
	if !c.History.Durable() {
		t.store = history.NewMemory(history.MemoryConfig{Entries: c.History.Entries})
		return t, nil
	}
	if t.rows, err = history.Open(ctx, history.DatabaseConfig{DB: d, Entries: c.History.Entries, Log: log}); err != nil {
		return turns{}, err
	}
	t.store = t.rows
	return t, nil
}

// run deletes what has expired, until ctx ends.
func (t turns) run(ctx context.Context) error {
	if t.rows == nil {
		return nil
	}
	return t.rows.Run(ctx)
}

// verify has w tell turns that went through here from others.
func (t turns) verify(c *config.Config, w *gateway.World) error {
	if !c.History.On() {
		return nil
	}
	h, err := history.New(history.Config{Key: t.key, Store: t.store, TTL: c.History.TTL})
	if err != nil {
		return err
	}
	w.History, w.Retell = h, builtin.Retell
	return nil
}
