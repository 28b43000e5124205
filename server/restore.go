package server

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/recall"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/redact"
)

// openVault opens the vault of what placeholders stand for, where c has one.
func openVault(ctx context.Context, c *config.Config, d *db.DB, log *slog.Logger) (*redact.Vault, error) {
	if !c.Restore.Enabled {
		return nil, nil
	}
	key, err := vaultKey(c)
	if err != nil {
		return nil, err
	}
	return redact.Open(ctx, redact.Config{DB: d, Key: key, Log: log})
}

// vaultKey reads the root key that c names, or the one in the data directory.
func vaultKey(c *config.Config) (redact.Key, error) {
	if c.Restore.Key.IsZero() {
		return redact.OpenKey(c.Data)
	}
	text, err := c.Restore.Key.Reveal()
	if err != nil {
		return redact.Key{}, fmt.Errorf("reading the vault's key: %w", err)
	}
	return redact.ParseKey(text)
}

// openMemory opens the memory of answers that requests go on from; store is nil where
// it is in the process.
func openMemory(ctx context.Context, c *config.Config, d *db.DB, log *slog.Logger) (m gateway.Memory, store *recall.Store, err error) {
	if !c.Responses.Durable() {
		return recall.New(recall.Config{TTL: c.Responses.TTL}), nil, nil
	}
	key, err := vaultKey(c)
	if err != nil {
		return nil, nil, err
	}
	store, err = recall.Open(ctx, recall.StoreConfig{DB: d, Key: key, TTL: c.Responses.TTL, Log: log})
	return store, store, err
}

// restore is what a World does about values.
func (s *Server) restore(c *config.Config) *gateway.Restore {
	if s.vault == nil {
		return nil
	}
	r := c.Restore
	return &gateway.Restore{Vault: s.vault, Policy: redact.Policy{TTL: r.TTL, Own: r.Trust, Others: r.Others, Tools: r.Tools}}
}
