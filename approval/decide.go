package approval

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/db"
)

// Decision is what a person says about an approval.
type Decision struct {
	By    Approver
	Token string // that Look gave: since when they have read it
	Typed string // what [Confirm] asks for, where it does
	// Reason says why it is denied, in words for operators; need not be given.
	Reason string
}

const maxReason = 256 // bytes

// row reads an approval with its votes.
func (s *Store) row(ctx context.Context, id string) (*row, error) {
	if !strings.HasPrefix(id, idPrefix) || len(id) > 64 {
		return nil, ErrNotFound
	}
	r, err := scanRow(s.cfg.DB.QueryRow(ctx, "SELECT "+columns+" FROM approval_requests WHERE id = ?", id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading an approval: %w", err)
	}
	rows, err := s.cfg.DB.Query(ctx, "SELECT tenant, principal, via, at, thought, approve FROM approval_votes WHERE approval = ? ORDER BY at, principal", id)
	if err != nil {
		return nil, fmt.Errorf("reading an approval: %w", err)
	}
	if r.Votes, err = scanVotes(rows); err != nil {
		return nil, fmt.Errorf("reading an approval: %w", err)
	}
	return r, nil
}

func scanVotes(rows *sql.Rows) (out []Vote, err error) {
	defer rows.Close()
	for rows.Next() {
		var v Vote
		var at, thought, approve int64
		if err := rows.Scan(&v.Tenant, &v.Principal, &v.Via, &at, &thought, &approve); err != nil {
			return nil, err
		}
		v.At, v.Thought, v.Approve = date(at), time.Duration(thought)*time.Millisecond, approve == 1
		out = append(out, v)
	}
	return out, rows.Err()
}

// Seen is an approval as a person sees it.
type Seen struct {
	Approval
	May   error    // why the person may not decide; nil: they may
	Token string   // to approve with; "" where they may not
	First []string // pointers of sensitive values that went through no approval of the tenant before
	Bad   error    // why the arguments cannot be read: then it can only be denied
}

// Look shows an approval to a person who may decide about it or asked for it. The error
// wraps ErrNotFound for all others.
func (s *Store) Look(ctx context.Context, id string, by Approver) (Seen, error) {
	r, err := s.row(ctx, id)
	if err != nil {
		return Seen{}, err
	}
	now, rules := s.cfg.Now(), s.rules.Load()
	v := Seen{Approval: r.approval(now)}
	if !rules.sees(&v.Approval, &by) {
		return Seen{}, ErrNotFound
	}
	v.May = rules.forbids(&v.Approval, &by)
	if v.Bad = s.unseal(r, &v.Approval); v.Bad != nil {
		s.cfg.Log.WarnContext(ctx, "the arguments of an approval cannot be read", "approval", id)
	}
	if v.May == nil && v.State == Pending && v.Bad == nil {
		v.Token = s.token(&v.Approval, &by, now)
	}
	if !v.Sealed {
		if v.First, err = s.first(ctx, &v.Approval); err != nil {
			return Seen{}, fmt.Errorf("reading an approval: %w", err)
		}
	}
	return v, nil
}

// tokenLen is the length of a token: eight bytes of time and sixteen of proof.
const tokenLen = 32

// token says that by was shown a at a time.
func (s *Store) token(a *Approval, by *Approver, at time.Time) string {
	raw := binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli()))
	return base64.RawURLEncoding.EncodeToString(append(raw, s.proof(a, by, raw)...))
}

func (s *Store) proof(a *Approval, by *Approver, at []byte) []byte {
	return mac(s.keys.token, a.ID, a.Digest, by.Tenant, by.ID, string(at))[:16]
}

// read returns when by was shown a, by the token that they were given then.
func (s *Store) read(a *Approval, by *Approver, token string) (at time.Time, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(token) != tokenLen || len(raw) != 24 || !hmac.Equal(raw[8:], s.proof(a, by, raw[:8])) {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(raw[:8]))), true
}

// Approve takes a person's approval down. Once as many have approved as are needed, it
// can be used. The error wraps ErrNotFound, ErrDone, ErrNotYours, ErrTwice, ErrUnread,
// ErrNotTyped or ErrPaused; with all but ErrPaused nothing has changed.
func (s *Store) Approve(ctx context.Context, id string, d Decision) (Approval, error) {
	now, rules := s.cfg.Now(), s.rules.Load()
	r, a, err := s.mine(ctx, id, &d.By, now, rules)
	if err != nil {
		return a, err
	}
	full := a
	if err := s.unseal(r, &full); err != nil || full.Sealed {
		return a, fmt.Errorf("%w: %w", ErrUnread, errDamaged)
	}
	seen, ok := s.read(&a, &d.By, d.Token)
	if !ok {
		return a, fmt.Errorf("%w: the token of what you were shown is missing, or another's", ErrUnread)
	}
	thought := now.Sub(seen)
	if thought < rules.Think || thought < 0 {
		return a, fmt.Errorf("%w: that took %v", ErrUnread, max(0, thought).Round(100*time.Millisecond))
	}
	if c := Confirm(&full); c.Text != "" && !c.Typed(d.Typed) {
		return a, fmt.Errorf("%w: %s", ErrNotTyped, c.Ask)
	}
	var paused time.Time
	err = s.cfg.DB.Tx(ctx, func(tx *db.Tx) error {
		if paused, err = s.pause(ctx, tx, &d.By, now, rules); err != nil || !paused.IsZero() {
			return err
		}
		// The row first, which has others who decide wait.
		locked, err := s.lock(ctx, tx, id, now)
		if err != nil {
			return err
		}
		a = locked.approval(now)
		if err := s.vote(ctx, tx, &a, &d.By, now, thought, true); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM approval_votes WHERE approval = ? AND approve = 1", id).Scan(&n); err != nil {
			return err
		}
		detail := fmt.Sprintf("%d of %d, after %v", n, a.Need.Count, thought.Round(time.Second))
		if n >= a.Need.Count {
			a.State, a.Expires = Approved, cut(now.Add(rules.Approved))
			if _, err := tx.Exec(ctx, "UPDATE approval_requests SET state = 'approved', expires = ? WHERE id = ? AND state = 'pending'", a.Expires.UnixMilli(), id); err != nil {
				return err
			}
			if err := s.remember(ctx, tx, &full, now); err != nil {
				return err
			}
		}
		return s.act(ctx, tx, ringwall.ApprovalApproved, &a, &d.By, detail)
	})
	if err == nil && !paused.IsZero() {
		s.tell()
		return a, fmt.Errorf("%w, until %s", ErrPaused, paused.UTC().Format("15:04:05 MST"))
	}
	if err != nil {
		return a, known("approving", err)
	}
	s.tell()
	return s.decided(ctx, a)
}

// Deny ends what waits, or is approved and not used yet, at once. Who asked may, too, by
// whatever credential. The error wraps ErrNotFound, ErrDone or ErrNotYours.
func (s *Store) Deny(ctx context.Context, id string, d Decision) (Approval, error) {
	now, rules := s.cfg.Now(), s.rules.Load()
	r, err := s.row(ctx, id)
	if err != nil {
		return Approval{}, err
	}
	a := r.approval(now)
	if !rules.sees(&a, &d.By) {
		return Approval{}, ErrNotFound
	}
	if !rules.ends(&a, &d.By) {
		return a, fmt.Errorf("%w: your credential is for looking", ErrNotYours)
	}
	if a.State != Pending && a.State != Approved {
		return a, fmt.Errorf("%w: it is %s", ErrDone, a.State)
	}
	thought := time.Duration(0)
	if at, ok := s.read(&a, &d.By, d.Token); ok {
		thought = max(0, now.Sub(at))
	}
	reason := d.Reason
	if len(reason) > maxReason {
		reason = reason[:maxReason]
	}
	if reason = strings.ToValidUTF8(reason, ""); !utf8.ValidString(reason) || reason == "" {
		reason = "denied"
	}
	err = s.cfg.DB.Tx(ctx, func(tx *db.Tx) error {
		until := cut(now.Add(rules.Denied))
		res, err := tx.Exec(ctx, "UPDATE approval_requests SET state = 'denied', reason = ?, expires = ?, ended = ? WHERE id = ? AND state IN ('pending', 'approved') AND expires > ?",
			reason, until.UnixMilli(), now.UnixMilli(), id, now.UnixMilli())
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrDone)
		}
		a.State, a.Reason, a.Expires, a.Ended = Denied, reason, until, cut(now)
		if err := s.drop(ctx, tx, r, rules); err != nil {
			return err
		}
		if err := s.vote(ctx, tx, &a, &d.By, now, thought, false); err != nil {
			return err
		}
		return s.act(ctx, tx, ringwall.ApprovalDenied, &a, &d.By, "")
	})
	if err != nil {
		return a, known("denying", err)
	}
	s.tell()
	return s.decided(ctx, a)
}

// mine returns an approval that waits and that by may decide about.
func (s *Store) mine(ctx context.Context, id string, by *Approver, now time.Time, rules *Rules) (*row, Approval, error) {
	r, err := s.row(ctx, id)
	if err != nil {
		return nil, Approval{}, err
	}
	a := r.approval(now)
	if !rules.sees(&a, by) {
		return nil, Approval{}, ErrNotFound
	}
	if err := rules.forbids(&a, by); err != nil {
		return nil, a, err
	}
	if a.State != Pending {
		return nil, a, fmt.Errorf("%w: it is %s", ErrDone, a.State)
	}
	return r, a, nil
}

// lock reads what waits so that nobody else changes it until tx ends.
func (s *Store) lock(ctx context.Context, tx *db.Tx, id string, now time.Time) (*row, error) {
	r, err := scanRow(tx.QueryRow(ctx, "UPDATE approval_requests SET state = state WHERE id = ? AND state = 'pending' AND expires > ? RETURNING "+columns, id, now.UnixMilli()).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrDone
	}
	return r, err
}

// vote takes down what by says. Who has approved may still deny.
func (s *Store) vote(ctx context.Context, tx *db.Tx, a *Approval, by *Approver, now time.Time, thought time.Duration, approve bool) error {
	yes := 0
	onConflict := "DO UPDATE SET approve = 0, at = excluded.at, thought = excluded.thought"
	if approve {
		yes, onConflict = 1, "DO NOTHING"
	}
	res, err := tx.Exec(ctx, "INSERT INTO approval_votes (approval, tenant, principal, via, at, thought, approve) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (approval, tenant, principal) "+onConflict,
		a.ID, by.Tenant, by.ID, by.Via, now.UnixMilli(), thought.Milliseconds(), yes)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrTwice)
	}
	return nil
}

// pause says until when by may approve nothing, zero where they may. Who approves too
// many begins one.
func (s *Store) pause(ctx context.Context, tx *db.Tx, by *Approver, now time.Time, rules *Rules) (until time.Time, err error) {
	var millis int64
	// It writes, so that two approvals of one person do not count past each other.
	err = tx.QueryRow(ctx, "INSERT INTO approval_pauses (tenant, principal, until) VALUES (?, ?, 0) ON CONFLICT (tenant, principal) DO UPDATE SET until = approval_pauses.until RETURNING until", by.Tenant, by.ID).Scan(&millis)
	if err != nil {
		return until, err
	}
	if until = date(millis); until.After(now) {
		return until, nil
	}
	var n int
	since := now.Add(-rules.Within)
	if until.After(since) {
		since = until // those before the last pause count no more
	}
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM approval_votes WHERE tenant = ? AND principal = ? AND approve = 1 AND at > ?", by.Tenant, by.ID, since.UnixMilli()).Scan(&n); err != nil {
		return until, err
	}
	if n < rules.Most {
		return time.Time{}, nil
	}
	until = cut(now.Add(rules.Pause))
	if _, err := tx.Exec(ctx, "UPDATE approval_pauses SET until = ? WHERE tenant = ? AND principal = ?", until.UnixMilli(), by.Tenant, by.ID); err != nil {
		return until, err
	}
	return until, s.write(ctx, tx, &ringwall.Event{
		ID: by.ID, Kind: ringwall.ApproverPaused, Time: now, Principal: by.Principal,
		Detail: fmt.Sprintf("%d approvals in %v: none for %v", n, rules.Within, rules.Pause),
	})
}

// decided returns a with all votes.
func (s *Store) decided(ctx context.Context, a Approval) (Approval, error) {
	r, err := s.row(ctx, a.ID)
	if err != nil {
		return a, nil //nolint:nilerr // it is decided all the same
	}
	return r.approval(s.cfg.Now()), nil
}

// known leaves conditions as they are and says of other errors what was being done.
func known(doing string, err error) error {
	for _, e := range []error{ErrNotFound, ErrDone, ErrTwice} {
		if errors.Is(err, e) {
			return err
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}
