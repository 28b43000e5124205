package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall/internal/telemetry"
)

const (
	pollEvery   = 500 * time.Millisecond // so that a change is seen within a second
	writeEvery  = 10 * time.Second
	purgeEvery  = 5 * time.Minute
	askTimeout  = 5 * time.Second
	loadTimeout = 2 * time.Second // while a caller waits
	writeBatch  = 500
)

func (s *Store) inMemory(hash [sha256.Size]byte) *entry {
	s.mu.RLock()
	e, ok := s.young[hash]
	again := false
	if !ok {
		e, again = s.old[hash]
	}
	s.mu.RUnlock()
	if again {
		s.mu.Lock()
		e = s.put(e)
		s.mu.Unlock()
	}
	return e
}

// known returns the entry in memory, or nil. The lock is held.
func (s *Store) known(hash [sha256.Size]byte) *entry {
	if e := s.young[hash]; e != nil {
		return e
	}
	return s.old[hash]
}

// put takes an entry into memory, unless a newer one is there, and returns the one that
// is. The lock is held. When the young ones are many they become the old ones, which
// are forgotten.
func (s *Store) put(e *entry) *entry {
	if known := s.known(e.hash); known != nil && known != e {
		used := max(known.used.Load(), e.used.Load())
		if known.changed > e.changed {
			e = known
		}
		e.used.Store(used)
	}
	if s.young == nil || len(s.young) >= max(1, s.cfg.Size/2) {
		s.young, s.old = map[[sha256.Size]byte]*entry{}, s.young
	}
	s.young[e.hash] = e
	return e
}

// load reads a session from the database; one that is not there is an entry without an
// id. What changes while it is read is read again.
func (s *Store) load(ctx context.Context, hash [sha256.Size]byte) (*entry, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	for range 4 {
		s.mu.RLock()
		before := s.version
		s.mu.RUnlock()
		all, err := s.tables.where(ctx, "id = ? AND hash = ?", idOf(hash), hex.EncodeToString(hash[:]))
		if err != nil {
			return nil, fmt.Errorf("it is not known here, and the database could not be asked: %w", err)
		}
		e := &entry{hash: hash}
		if len(all) == 1 {
			e = all[0]
		}
		e.read = s.cfg.Now().UnixMilli()
		s.mu.Lock()
		if s.version == before {
			e = s.put(e)
			s.mu.Unlock()
			return e, nil
		}
		s.mu.Unlock()
	}
	return nil, errors.New("sessions change too fast")
}

// Run keeps memory current until ctx ends; it then writes once more when sessions were
// used, and returns nil.
func (s *Store) Run(ctx context.Context) error {
	poll, write, purge := time.NewTicker(pollEvery), time.NewTicker(writeEvery), time.NewTicker(purgeEvery)
	defer poll.Stop()
	defer write.Stop()
	defer purge.Stop()
	away := telemetry.Away{Log: s.cfg.Log, Gone: "sessions are served from memory: no revoked one is seen", Back: "sessions are current again"}
	for {
		var err error
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
			defer cancel()
			if err := s.writeUses(last); err != nil {
				s.cfg.Log.WarnContext(last, "writing when sessions were last used", telemetry.KeyError, err)
			}
			return nil
		case <-poll.C:
			err = s.Refresh(ctx)
		case <-write.C:
			err = s.writeUses(ctx)
		case <-purge.C:
			err = s.tables.purge(ctx, s.cfg.Now())
		}
		away.Note(ctx, err)
	}
}

// Refresh reads what other processes changed. Run calls it twice a second.
func (s *Store) Refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	start := s.cfg.Now().UnixMilli()
	version, err := s.tables.version(ctx)
	if err != nil {
		return fmt.Errorf("asking for changed sessions: %w", err)
	}
	s.mu.RLock()
	known := s.version
	s.mu.RUnlock()
	if version != known {
		if err := s.catchUp(ctx, known, version, start); err != nil {
			return fmt.Errorf("reading changed sessions: %w", err)
		}
	}
	s.synced.Store(start)
	return nil
}

// catchUp reads what changed behind version known, up to version now at least.
func (s *Store) catchUp(ctx context.Context, known, now, start int64) error {
	cuts, err := s.tables.cuts(ctx)
	if err != nil {
		return err
	}
	var changed []*entry
	if known >= 0 { // or memory is empty
		if changed, err = s.tables.where(ctx, "changed > ?", known); err != nil {
			return err
		}
	}
	var ended []Session
	s.mu.Lock()
	for _, e := range changed {
		e.read = start
		if was := s.known(e.hash); !e.session.Revoked.IsZero() && (was == nil || was.session.Revoked.IsZero()) {
			ended = append(ended, s.shown(e))
		}
		s.put(e)
	}
	s.version = now
	s.mu.Unlock()
	s.addCuts(cuts, start)
	s.tell(ctx, ended)
	return nil
}

func (s *Store) tell(ctx context.Context, ended []Session) {
	if s.cfg.Revoked == nil {
		return
	}
	for _, e := range ended {
		s.cfg.Revoked(ctx, e)
	}
}

// writeUses writes when sessions were last used.
func (s *Store) writeUses(ctx context.Context) error {
	s.using.Lock()
	news := make([]use, 0, len(s.uses))
	for id, at := range s.uses {
		news = append(news, use{id, at})
	}
	s.uses = map[string]int64{}
	s.using.Unlock()
	// In one order: two processes that lock the same rows in another would wait for each
	// other.
	slices.SortFunc(news, func(a, b use) int { return strings.Compare(a.id, b.id) })
	for batch := range slices.Chunk(news, writeBatch) {
		if err := s.tables.touch(ctx, batch); err != nil {
			s.using.Lock()
			for _, u := range news {
				s.uses[u.id] = max(s.uses[u.id], u.at)
			}
			s.using.Unlock()
			return fmt.Errorf("writing when sessions were last used: %w", err)
		}
	}
	return nil
}
