package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/db"
)

// Which picks sessions: one by its ID, or all of a principal, of a tenant, or of a
// session at an issuer. One of these is given.
type Which struct {
	ID        string
	Principal string
	Tenant    string
	Issuer    string // with SID
	SID       string
}

// condition is w in SQL, and the cut that it makes.
func (w Which) condition() (where string, args []any, c cut, err error) {
	given := 0
	for _, s := range []string{w.ID, w.Principal, w.Tenant, w.SID} {
		if s != "" {
			given++
		}
	}
	switch {
	case given != 1 || (w.Issuer != "") != (w.SID != ""):
		return "", nil, cut{}, errors.New("want one of a session, a principal, a tenant, or an issuer's session")
	case w.ID != "":
		return "id = ?", []any{w.ID}, cut{}, nil
	case w.Principal != "":
		return "principal = ?", []any{w.Principal}, cut{"principal", w.Principal}, nil
	case w.Tenant != "":
		return "tenant = ?", []any{w.Tenant}, cut{"tenant", w.Tenant}, nil
	}
	return "issuer = ? AND sid = ?", []any{w.Issuer, w.SID}, cut{}, nil
}

// Revoke ends sessions for good, and returns those that it ended. Of a principal and of
// a tenant it also makes void what issuers signed until now: see [Store.Void]. The
// error wraps [ErrNoSuchSession] where an ID is nobody's; to revoke a session again
// changes nothing and is no error.
func (s *Store) Revoke(ctx context.Context, w Which, why string) ([]Session, error) {
	where, args, c, err := w.condition()
	if err != nil {
		return nil, fmt.Errorf("revoking sessions: %w", err)
	}
	now := s.cfg.Now().UnixMilli()
	var ended []*entry
	err = s.tables.change(ctx, func(tx *db.Tx, version int64) error {
		if c.kind != "" {
			if err := setCut(ctx, tx, c, now); err != nil {
				return err
			}
		}
		rows, err := tx.Query(ctx, "SELECT "+columns+" FROM sessions WHERE "+where, args...) //nolint:gosec // conditions are ours
		if err != nil {
			return err
		}
		all, err := scanAll(rows)
		if err != nil {
			return err
		}
		if len(all) == 0 && w.ID != "" {
			return fmt.Errorf("%w: %s", ErrNoSuchSession, w.ID)
		}
		for _, e := range all {
			if e.session.Revoked.IsZero() && now < millis(e.session.Expires) {
				e.session.Revoked, e.session.Why, e.changed = date(now), why, version
				ended = append(ended, e)
			}
		}
		_, err = tx.Exec(ctx, "UPDATE sessions SET revoked = ?, why = ?, changed = ? WHERE "+where+" AND revoked = 0 AND expires > ?", //nolint:gosec // conditions are ours
			append(append([]any{now, why, version}, args...), now)...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("revoking sessions: %w", err)
	}
	return s.took(ctx, ended, c, now), nil
}

// took makes memory know of sessions that ended, and tells of them.
func (s *Store) took(ctx context.Context, ended []*entry, c cut, now int64) []Session {
	out := make([]Session, 0, len(ended))
	var news []Session // that Refresh did not come to know first
	s.mu.Lock()
	for _, e := range ended {
		was := s.known(e.hash)
		out = append(out, s.shown(s.put(e)))
		if was == nil || was.session.Revoked.IsZero() {
			news = append(news, out[len(out)-1])
		}
	}
	s.mu.Unlock()
	if c.kind != "" {
		s.addCuts(map[cut]int64{c: now}, now)
	}
	s.tell(ctx, news)
	return out
}

// addCuts adds to the cuts that are known; those that can matter no more go.
func (s *Store) addCuts(more map[cut]int64, now int64) {
	for {
		old := s.cuts.Load()
		next := map[cut]int64{}
		for _, from := range []map[cut]int64{*old, more} {
			for k, at := range from {
				if now-at <= keepCuts.Milliseconds() {
					next[k] = max(next[k], at)
				}
			}
		}
		if s.cuts.CompareAndSwap(old, &next) {
			return
		}
	}
}

// Lower lets the trust of a session fall to at most trust, for as long as it lasts; it
// never raises it. It is for who has seen a person's conversation go wrong. Trust that
// would be none ends the session.
func (s *Store) Lower(ctx context.Context, id string, trust ringwall.Trust) error {
	if trust <= ringwall.Anonymous {
		_, err := s.Revoke(ctx, Which{ID: id}, "its trust is gone")
		return err
	}
	var lowered *entry
	err := s.tables.change(ctx, func(tx *db.Tx, version int64) error {
		rows, err := tx.Query(ctx, "SELECT "+columns+" FROM sessions WHERE id = ?", id)
		if err != nil {
			return err
		}
		all, err := scanAll(rows)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return fmt.Errorf("%w: %s", ErrNoSuchSession, id)
		}
		e := all[0]
		if e.session.Principal.Trust <= trust {
			return nil
		}
		e.session.Principal.Trust, e.changed = trust, version
		lowered = e
		_, err = tx.Exec(ctx, "UPDATE sessions SET trust = ?, changed = ? WHERE id = ?", trust.String(), version, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("lowering the trust of a session: %w", err)
	}
	if lowered != nil {
		s.mu.Lock()
		s.put(lowered)
		s.mu.Unlock()
	}
	return nil
}

// Rotate gives a session a new text, and a new id: the old ones end. It is for a change
// of what the session may, after which nobody who knew its text before shall use it.
func (s *Store) Rotate(ctx context.Context, text string) (string, Session, error) {
	e, err := s.valid(ctx, text)
	if err != nil {
		return "", Session{}, err
	}
	next := s.newText()
	hash, err := s.parse(next)
	if err != nil {
		return "", Session{}, err
	}
	fresh := &entry{hash: hash, whole: true, session: e.session}
	fresh.session.ID = idOf(hash)
	fresh.used.Store(s.cfg.Now().UnixMilli())
	now := s.cfg.Now().UnixMilli()
	old := &entry{hash: e.hash, whole: true, session: e.session}
	old.used.Store(e.used.Load())
	err = s.tables.change(ctx, func(tx *db.Tx, version int64) error {
		res, err := tx.Exec(ctx, "UPDATE sessions SET revoked = ?, why = 'rotated', changed = ? WHERE id = ? AND revoked = 0", now, version, e.session.ID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, ErrNoSuchSession) // somebody revoked it meanwhile
		}
		old.session.Revoked, old.session.Why, old.changed = date(now), "rotated", version
		// As the database knows it now: its trust may have been lowered.
		var trust string
		if err := tx.QueryRow(ctx, "SELECT trust FROM sessions WHERE id = ?", e.session.ID).Scan(&trust); err != nil {
			return err
		}
		if err := fresh.session.Principal.Trust.UnmarshalText([]byte(trust)); err != nil {
			return err
		}
		fresh.changed = version
		return s.tables.insert(ctx, tx, fresh)
	})
	if err != nil {
		return "", Session{}, fmt.Errorf("rotating a session: %w", err)
	}
	fresh.session.Principal.Key = fresh.session.ID
	s.took(ctx, []*entry{old}, cut{}, now)
	return next, s.shown(fresh), nil
}

// End ends the session that has this text, where there is one.
func (s *Store) End(ctx context.Context, text, why string) error {
	e, err := s.valid(ctx, text)
	if err != nil {
		return nil //nolint:nilerr // it is good for nothing already
	}
	_, err = s.Revoke(ctx, Which{ID: e.session.ID}, why)
	return err
}

// EndAt ends the sessions that belong to one at an issuer, or where that is not said
// all of a principal.
func (s *Store) EndAt(ctx context.Context, issuer, sid, principal string) (int, error) {
	w := Which{Issuer: issuer, SID: sid}
	if sid == "" {
		w = Which{Principal: principal}
	}
	ended, err := s.Revoke(ctx, w, "logged out at "+issuer)
	return len(ended), err
}

// List returns sessions that did not expire more than a day ago, the newest first: of
// all, or of one principal or one tenant.
func (s *Store) List(ctx context.Context, w Which) ([]Session, error) {
	where, args := "1 = 1", []any(nil)
	if w != (Which{}) {
		var err error
		if where, args, _, err = w.condition(); err != nil {
			return nil, fmt.Errorf("listing sessions: %w", err)
		}
	}
	all, err := s.tables.where(ctx, where, args...)
	if err != nil {
		return nil, fmt.Errorf("listing sessions: %w", err)
	}
	out := make([]Session, 0, len(all))
	for _, e := range all {
		s.using.Lock()
		e.used.Store(max(e.used.Load(), s.uses[e.session.ID]))
		s.using.Unlock()
		out = append(out, s.shown(e))
	}
	return out, nil
}
