package auth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"
)

// Lifetimes of keys that are replaced.
const (
	DefaultOverlap = 24 * time.Hour
	maxOverlap     = 90 * 24 * time.Hour
)

// Rotation says how a key is replaced by another.
type Rotation struct {
	// Overlap is how long the old key goes on working, at most 90 days, and never
	// longer than it would have. 0: it ends at once.
	Overlap time.Duration
	// TTL is how long the new one works, as in Spec; 0: as long as the old one was made for.
	TTL time.Duration
}

// Check says what is wrong with r.
func (r Rotation) Check() error {
	if r.Overlap < 0 || r.Overlap > maxOverlap {
		return fmt.Errorf("overlap %v: want 0 to %v", r.Overlap, maxOverlap)
	}
	return Spec{Name: "x", Trust: 1, TTL: r.TTL}.check()
}

// Rotate replaces the key in use that has this prefix or name by a new one of the same
// line: same name, tenant, trust, roles, scopes and networks, and the same principal,
// so that all that is kept for the principal stays its own. The text is returned here,
// once. The error wraps [ErrNoSuchKey] when there is no such key in use, and
// [ErrReplaced] when the prefix is that of one that was replaced.
func (k *Keys) Rotate(ctx context.Context, prefixOrName string, r Rotation) (text string, fresh, old Key, err error) {
	if err := r.Check(); err != nil {
		return "", Key{}, Key{}, fmt.Errorf("rotating a key: %w", err)
	}
	raw := newKey()
	before, after, err := k.store.replace(ctx, prefixOrName, func(old *entry) (*entry, time.Time) {
		e := &entry{hash: sha256.Sum256(raw[:]), whole: true, use: new(usage)}
		e.key = old.key
		e.key.Prefix, e.key.LastUsed, e.key.Expires = string(raw[:idEnd]), time.Time{}, time.Time{}
		ttl := r.TTL
		switch {
		case ttl != 0:
		case old.key.Expires.IsZero():
			ttl = NeverExpires
		default:
			ttl = old.key.Expires.Sub(old.key.Created)
		}
		now := k.now()
		e.live(now, ttl)
		e.finish()
		return e, date(millis(now.Add(r.Overlap)))
	})
	if err != nil {
		return "", Key{}, Key{}, fmt.Errorf("rotating a key: %w", err)
	}
	k.put(before)
	k.put(after)
	text = string(raw[:])
	clear(raw[:])
	return text, after.key, before.key, nil
}
