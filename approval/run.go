package approval

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/telemetry"
)

const (
	pollEvery  = 500 * time.Millisecond // acts of other processes, such as the command line
	sweepEvery = 5 * time.Second
	purgeEvery = 10 * time.Minute
	askTimeout = 5 * time.Second
	lease      = 30 * time.Second // of an act, in which its record is written
	batch      = 100
)

// act takes down that something happened, in the transaction in which it did.
func (s *Store) act(ctx context.Context, tx *db.Tx, kind ringwall.Kind, a *Approval, by *Approver, detail string) error {
	ev := ringwall.Event{
		ID: a.ID, Kind: kind, Time: s.cfg.Now(), Principal: a.Principal,
		Tools: []ringwall.ToolUse{{Tool: a.Tool, Effect: a.Effect, Decision: ringwall.ToolHold, Approval: a.ID, Digest: a.Digest}},
	}
	if len(a.Rules) > 0 {
		ev.Tools[0].Rule, ev.Tools[0].Also = a.Rules[0], a.Rules[1:]
	}
	if kind == ringwall.ApprovalUsed {
		ev.Tools[0].Decision = ringwall.ToolAllow
	}
	words := []string{"by " + a.Need.By}
	if len(a.Need.Roles) > 0 {
		words[0] += " " + strings.Join(a.Need.Roles, ",")
	}
	if by != nil {
		ev.Principal = by.Principal
		words = append(words, "asked by "+a.Principal.ID)
	}
	if a.Exchange != "" {
		words = append(words, "exchange "+a.Exchange)
	}
	if detail != "" {
		words = append(words, detail)
	}
	ev.Detail = strings.Join(words, "; ")
	return s.write(ctx, tx, &ev)
}

func (s *Store) write(ctx context.Context, tx *db.Tx, ev *ringwall.Event) error {
	text, err := json.Marshal(ev)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO approval_acts (id, at, event, leased) VALUES (?, ?, ?, 0)", fmt.Sprintf("%020d-%s", time.Now().UnixNano(), rand.Text()), ev.Time.UnixMilli(), string(text))
	return err
}

// tell wakes who waits in this process.
func (s *Store) tell() {
	s.mu.Lock()
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
	select {
	case s.acts <- struct{}{}:
	default:
	}
}

// next is closed at the next change in this process.
func (s *Store) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Run writes records, ends what has expired and forgets what is old, until ctx ends; it
// then writes the last records and returns nil.
func (s *Store) Run(ctx context.Context) error {
	poll, sweep, purge := time.NewTicker(pollEvery), time.NewTicker(sweepEvery), time.NewTicker(purgeEvery)
	defer poll.Stop()
	defer sweep.Stop()
	defer purge.Stop()
	away := telemetry.Away{Log: s.cfg.Log, Gone: "the database of approvals is away: nothing is approved", Back: "approvals are decided about again"}
	for {
		var err error
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
			defer cancel()
			if err := s.Flush(last); err != nil {
				s.cfg.Log.WarnContext(last, "records of approvals wait in the database", telemetry.KeyError, err)
			}
			return nil
		case <-s.acts:
			err = s.Flush(ctx)
		case <-poll.C:
			err = s.Flush(ctx)
		case <-sweep.C:
			err = s.Sweep(ctx)
		case <-purge.C:
			err = s.purge(ctx)
		}
		away.Note(ctx, err)
	}
}

// Flush writes the records of what happened, here and in other processes, such as the
// command line.
func (s *Store) Flush(ctx context.Context) error {
	if s.cfg.Record == nil {
		return nil
	}
	for {
		n, err := s.flush(ctx)
		if err != nil {
			return fmt.Errorf("writing records of approvals: %w", err)
		}
		if n < batch {
			return nil
		}
	}
}

func (s *Store) flush(ctx context.Context) (n int, err error) {
	now := s.cfg.Now().UnixMilli()
	type waiting struct{ id, event string }
	var all []waiting
	rows, err := s.cfg.DB.Query(ctx, "SELECT id, event FROM approval_acts WHERE leased < ? ORDER BY id LIMIT ?", now, batch)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var w waiting
		if err := rows.Scan(&w.id, &w.event); err != nil {
			return 0, err
		}
		all = append(all, w)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, err
	}
	for _, w := range all {
		res, err := s.cfg.DB.Exec(ctx, "UPDATE approval_acts SET leased = ? WHERE id = ? AND leased < ?", now+lease.Milliseconds(), w.id, now)
		if err != nil {
			return 0, err
		}
		if got, err := res.RowsAffected(); err != nil || got == 0 {
			if err != nil {
				return 0, err
			}
			continue // another process writes it
		}
		var ev ringwall.Event
		if err := json.Unmarshal([]byte(w.event), &ev); err != nil {
			s.cfg.Log.ErrorContext(ctx, "an act has no record: it cannot be read", telemetry.KeyError, err)
		} else if err := s.cfg.Record(ctx, ev); err != nil {
			return 0, err // the lease ends, and it is tried again
		}
		if _, err := s.cfg.DB.Exec(ctx, "DELETE FROM approval_acts WHERE id = ?", w.id); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}

// Sweep ends what has expired, and drops the arguments of what ended some time ago. Run
// does it every few seconds; that something has expired holds without it.
func (s *Store) Sweep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	now, rules := s.cfg.Now(), s.rules.Load()
	rows, err := s.cfg.DB.Query(ctx, "SELECT "+columns+" FROM approval_requests WHERE state IN ('pending', 'approved') AND expires <= ? LIMIT ?", now.UnixMilli(), batch)
	if err != nil {
		return fmt.Errorf("ending expired approvals: %w", err)
	}
	stale, err := scanRows(rows)
	if err != nil {
		return fmt.Errorf("ending expired approvals: %w", err)
	}
	for _, r := range stale {
		if err := s.cfg.DB.Tx(ctx, func(tx *db.Tx) error { return s.expire(ctx, tx, r, now, rules) }); err != nil {
			return fmt.Errorf("ending expired approvals: %w", err)
		}
	}
	if len(stale) > 0 {
		s.tell()
	}
	if rules.Show > 0 {
		if _, err := s.cfg.DB.Exec(ctx, "UPDATE approval_requests SET sealed = '' WHERE sealed <> '' AND ended > 0 AND ended < ?", now.Add(-rules.Show).UnixMilli()); err != nil {
			return fmt.Errorf("dropping arguments: %w", err)
		}
	}
	return nil
}

// purge forgets what is old.
func (s *Store) purge(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	now, keep := s.cfg.Now(), s.rules.Load().Keep
	for _, query := range []string{
		"DELETE FROM approval_requests WHERE ended > 0 AND ended < ? AND expires < ?",
		"DELETE FROM approval_known WHERE at < ? AND at < ?",
		"DELETE FROM approval_pauses WHERE until < ? AND until < ?",
	} {
		old := now.Add(-keep)
		if strings.Contains(query, "known") {
			old = now.Add(-knownFor)
		}
		if _, err := s.cfg.DB.Exec(ctx, query, old.UnixMilli(), now.UnixMilli()); err != nil {
			return fmt.Errorf("forgetting old approvals: %w", err)
		}
	}
	return nil
}

// knownFor is how long a value is known after it went through an approval.
const knownFor = 366 * 24 * time.Hour

// Get returns an approval as the gateway sees it, without its arguments. The error wraps
// ErrNotFound.
func (s *Store) Get(ctx context.Context, id string) (Approval, error) {
	r, err := s.row(ctx, id)
	if err != nil {
		return Approval{ID: id, Reason: "unknown"}, err
	}
	return r.approval(s.cfg.Now()), nil
}

// Wait returns the approval once it is decided about, and at the latest after d: an
// approval that is still Pending then waits on. Gateways that share the database see
// each other's decisions within a quarter of a second.
func (s *Store) Wait(ctx context.Context, id string, d time.Duration) (Approval, error) {
	end := time.NewTimer(d)
	defer end.Stop()
	poll := time.NewTicker(250 * time.Millisecond)
	defer poll.Stop()
	for {
		changed := s.next() // before it is read, so that no change is missed
		a, err := s.Get(ctx, id)
		if err != nil || a.State != Pending {
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-end.C:
			return a, nil
		case <-changed:
		case <-poll.C:
		}
	}
}
