package ban

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ringwall/ringwall/internal/telemetry"
)

const (
	pollEvery  = 500 * time.Millisecond // so that a change is seen within a second
	purgeEvery = 10 * time.Minute
	askTimeout = 5 * time.Second
)

// Run keeps the bans current and writes the automatic ones, until ctx ends; it then
// writes once more and returns nil. While the database is away it goes on with what is
// known, and says so once in the log.
func (b *Bans) Run(ctx context.Context) error {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	purge := time.NewTicker(purgeEvery)
	defer purge.Stop()
	away := telemetry.Away{Log: b.log, Gone: "bans are held in memory: those of other processes are not seen", Back: "bans are current again"}
	for {
		var err error
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
			defer cancel()
			if err := b.write(last); err != nil {
				b.log.WarnContext(last, "writing automatic bans", telemetry.KeyError, err)
			}
			return nil
		case <-b.wake:
			err = b.write(ctx)
		case <-poll.C:
			err = errors.Join(b.write(ctx), b.Refresh(ctx))
		case <-purge.C:
			err = b.purge(ctx)
		}
		away.Note(ctx, err)
	}
}

// Refresh reads the bans again if they changed. Run calls it twice a second.
func (b *Bans) Refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	b.refreshing.Lock()
	defer b.refreshing.Unlock()
	// The version first: a change between the two reads is then read twice, and never
	// missed.
	version, err := b.store.version(ctx)
	if err != nil {
		return fmt.Errorf("asking for changed bans: %w", err)
	}
	if version == b.version {
		return nil
	}
	all, err := b.store.all(ctx, b.now().Add(-memory), MaxBans)
	if err != nil {
		return fmt.Errorf("reading the bans: %w", err)
	}
	if full := len(all) >= MaxBans; full != b.full {
		if b.full = full; full {
			b.log.WarnContext(ctx, "there are more bans than are read: those that hold longest are in force", "reason", ErrFull.Error())
		}
	}
	// One that was added since the read is missing for one poll: the version will have
	// changed. One that waits to be written is kept.
	b.mu.Lock()
	for _, w := range b.waiting {
		all = append(all, w)
	}
	b.mu.Unlock()
	before := b.stored.all()
	b.stored.replace(all)
	if b.version != unread {
		b.tell(ctx, before, all)
	}
	b.version = version
	return nil
}

// tell says which bans were made or lifted since they were before.
func (b *Bans) tell(ctx context.Context, before, after []Ban) {
	if b.changed == nil {
		return
	}
	now := b.now()
	was := map[Subject]Ban{}
	for _, ban := range before {
		was[ban.Subject] = ban
	}
	slices.SortFunc(after, compare)
	for _, ban := range after {
		old, known := was[ban.Subject]
		delete(was, ban.Subject)
		if (!known || !old.Since.Equal(ban.Since)) && ban.active(now) {
			b.changed(ctx, ban, false)
		}
	}
	for _, ban := range before {
		if _, gone := was[ban.Subject]; gone && ban.active(now) {
			b.changed(ctx, ban, true)
		}
	}
}

// write writes the automatic bans that wait.
func (b *Bans) write(ctx context.Context) error {
	b.mu.Lock()
	batch := make([]Ban, 0, len(b.waiting))
	for _, w := range b.waiting {
		batch = append(batch, w)
	}
	b.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	// Two processes that lock the same rows in another order would wait for each other
	// forever.
	slices.SortFunc(batch, compare)
	_, err := b.store.add(ctx, batch, false, b.now(), MaxBans)
	if err != nil && !errors.Is(err, ErrFull) {
		return fmt.Errorf("writing automatic bans: %w", err)
	}
	// What does not fit holds in this process until the next change, and no longer.
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range batch {
		if now, ok := b.waiting[w.Subject]; ok && now == w {
			delete(b.waiting, w.Subject)
		}
	}
	return err
}

// purge forgets what ended so long ago that it counts for nothing.
func (b *Bans) purge(ctx context.Context) error {
	before := b.now().Add(-memory)
	b.stored.purge(before)
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if err := b.store.purge(ctx, before); err != nil {
		return fmt.Errorf("forgetting old bans: %w", err)
	}
	return nil
}
