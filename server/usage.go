package server

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/valkey"
	"github.com/ringwall/ringwall/quota"
)

// Usage is what is used of limits, as it is kept outside the process that counts.
type Usage struct {
	client *valkey.Client
	shared *quota.Shared
	db     *db.DB
	ledger *quota.Ledger
}

// OpenUsage opens where c has it: in Valkey, or of calendar windows alone in the
// database.
func OpenUsage(ctx context.Context, c *config.Config) (*Usage, error) {
	client, err := c.Valkey.Open()
	if err != nil {
		return nil, err
	}
	if client != nil {
		return &Usage{client: client, shared: &quota.Shared{Client: client}}, nil
	}
	_, d, err := OpenKeys(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	l, err := quota.OpenLedger(ctx, d)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &Usage{db: d, ledger: l}, nil
}

// Shared reports whether it is in Valkey, with the windows that slide.
func (u *Usage) Shared() bool { return u.shared != nil }

// List returns what is used, most first, and no more than limit.
func (u *Usage) List(ctx context.Context, limit int) ([]quota.Entry, error) {
	if u.shared != nil {
		return u.shared.List(ctx, limit)
	}
	return u.ledger.List(ctx, time.Now(), limit)
}

// Reset makes a counter begin anew. A process that counts for itself knows it after two
// seconds.
func (u *Usage) Reset(ctx context.Context, e *quota.Entry) error {
	if u.shared != nil {
		return u.shared.Reset(ctx, e)
	}
	_, err := u.ledger.Reset(ctx, e.ID, time.Now())
	return err
}

// Close closes it.
func (u *Usage) Close() error {
	if u.client != nil {
		u.client.Close()
	}
	if u.db != nil {
		return u.db.Close()
	}
	return nil
}
