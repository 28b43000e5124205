package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall/internal/telemetry"
)

const (
	pollEvery   = 500 * time.Millisecond // so that a change is seen within a second
	writeEvery  = 10 * time.Second       // last_used
	askTimeout  = 5 * time.Second        // of one poll
	lookTimeout = 300 * time.Millisecond // of a lookup while a caller waits
	lookups     = 10                     // in a second
	writeBatch  = 500                    // keys in one transaction
)

// unread is the version of a table that was never read.
const unread = -1

var errUnknown = errors.New("there is no such key")

// Run keeps the table current and writes when keys were last used, until ctx
// ends; it then writes once more and returns nil. While the database is away it
// goes on with what is known, and says so once in the log.
func (k *Keys) Run(ctx context.Context) error {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	write := time.NewTicker(writeEvery)
	defer write.Stop()
	away := telemetry.Away{Log: k.log, Gone: "keys are served from memory: no new or revoked key is seen", Back: "keys are current again"}
	for {
		var err error
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
			defer cancel()
			if err := k.writeUses(last); err != nil {
				k.log.WarnContext(last, "writing when keys were last used", telemetry.KeyError, err)
			}
			return nil
		case <-poll.C:
			err = k.Refresh(ctx)
		case <-write.C:
			err = k.writeUses(ctx)
		}
		away.Note(ctx, err)
	}
}

// Refresh reads the keys again if another process changed them. Run calls it
// twice a second.
func (k *Keys) Refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	k.refreshing.Lock()
	defer k.refreshing.Unlock()
	start := k.now().UnixMilli()
	// The version first: a change between the two reads is then read twice, and
	// never missed.
	version, err := k.store.version(ctx)
	if err != nil {
		return fmt.Errorf("asking for changed keys: %w", err)
	}
	if version != k.version {
		k.keepPuts()
		all, err := k.store.all(ctx)
		if err != nil {
			return fmt.Errorf("reading the keys: %w", err)
		}
		before := *k.table.Load()
		k.replace(all)
		if k.version != unread {
			k.tell(ctx, before)
		}
		k.version = version
	}
	k.synced.Store(start)
	return nil
}

// tell says which keys were made or revoked since the table was before.
func (k *Keys) tell(ctx context.Context, before map[string]*entry) {
	if k.changed == nil {
		return
	}
	now := *k.table.Load()
	for _, id := range slices.Sorted(maps.Keys(now)) {
		key := now[id].key
		if old, ok := before[id]; !ok || old.key.Revoked.IsZero() && !key.Revoked.IsZero() {
			k.changed(ctx, key)
		}
	}
}

// keepPuts remembers, from now until replace, what put takes in: a slow read
// must not undo it.
func (k *Keys) keepPuts() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.puts = map[string]*entry{}
}

// replace makes the table of what was read, and of what came in meanwhile.
func (k *Keys) replace(all []*entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	old, table := *k.table.Load(), make(map[string]*entry, len(all))
	for _, e := range all {
		if len(e.key.Prefix) != idEnd {
			continue // no text could have it
		}
		id := e.key.Prefix[len(mark):]
		if known, ok := old[id]; ok {
			e.use = known.use
		}
		table[id] = e
	}
	maps.Copy(table, k.puts)
	k.puts = nil
	k.table.Store(&table)
}

// put takes a new or changed key into the table.
func (k *Keys) put(e *entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	table := maps.Clone(*k.table.Load())
	id := e.key.Prefix[len(mark):]
	if old, ok := table[id]; ok {
		e.use = old.use
	}
	table[id] = e
	if k.puts != nil {
		k.puts[id] = e
	}
	k.table.Store(&table)
}

// Age is for how long the table has not been known to be current: below a
// second while Run runs and the database answers.
func (k *Keys) Age() time.Duration {
	return time.Duration(max(0, k.now().UnixMilli()-k.synced.Load())) * time.Millisecond
}

// lookUp asks the database for a key that the table does not hold: it may have
// been made a moment ago. It does so one key at a time, and at most lookups times
// a second for all callers together, fewer when the database does not answer:
// keys that nobody made must not become load. Callers that come meanwhile wait
// for the answer, for it may be about the key that they show too.
func (k *Keys) lookUp(ctx context.Context, prefix string) (*entry, error) {
	k.mu.Lock()
	for k.looking != nil {
		looking := k.looking
		k.mu.Unlock()
		select {
		case <-looking:
		case <-ctx.Done():
			return k.inTable(prefix)
		}
		k.mu.Lock()
	}
	if e, err := k.inTable(prefix); err == nil { // while this caller waited
		k.mu.Unlock()
		return e, nil
	}
	if now := k.now().UnixMilli(); now-k.second >= 1000 || now < k.second {
		k.second, k.asked = now, 0
	}
	if k.asked >= lookups {
		k.mu.Unlock()
		return k.inTable(prefix)
	}
	k.asked++
	looking := make(chan struct{})
	k.looking = looking
	k.mu.Unlock()

	asking, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	e, err := k.store.one(asking, prefix)
	if e != nil {
		k.put(e)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.looking = nil
	close(looking)
	switch {
	case err != nil:
		if ctx.Err() == nil {
			k.asked = lookups
		}
		return nil, fmt.Errorf("%w among those in memory, and the database could not be asked: %w", errUnknown, err)
	case e == nil:
		return nil, errUnknown
	}
	return e, nil
}

// inTable returns the key that the table holds by now.
func (k *Keys) inTable(prefix string) (*entry, error) {
	if e, ok := (*k.table.Load())[prefix[len(mark):]]; ok {
		return e, nil
	}
	return nil, errUnknown
}

// writeUses writes when keys were last used, where the database does not know.
func (k *Keys) writeUses(ctx context.Context) error {
	var news []use
	for _, e := range *k.table.Load() {
		if at := e.use.at.Load(); at > e.use.written.Load() {
			news = append(news, use{e.key.Prefix, at, e.use})
		}
	}
	// Two processes that lock the same rows in another order would wait for each
	// other forever.
	slices.SortFunc(news, func(a, b use) int { return strings.Compare(a.prefix, b.prefix) })
	for batch := range slices.Chunk(news, writeBatch) {
		if err := k.store.touch(ctx, batch); err != nil {
			return fmt.Errorf("writing when keys were last used: %w", err)
		}
		for _, u := range batch {
			u.of.written.Store(u.at)
		}
	}
	return nil
}
