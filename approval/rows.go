package approval

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/db"
)

const columns = "id, state, reason, tenant, principal, trust, via, credential, conversation, kind, tool, effect, digest, rules, need, exchange, sealed, created, expires, ended"

// row is a row of approvals.
type row struct {
	Approval
	state  State // as it stands there, whatever the time is
	sealed string
}

// stale reports whether its time is over although it still says that it waits, or can be
// used.
func (r *row) stale(now time.Time) bool {
	return (r.state == Pending || r.state == Approved) && !now.Before(r.Expires)
}

// approval is the row as it is to be told.
func (r *row) approval(now time.Time) Approval {
	a := r.Approval
	a.State = r.state
	if r.stale(now) {
		a.State = Expired
	}
	a.Sealed = true
	return a
}

func scanRow(scan func(...any) error) (*row, error) {
	var r row
	var state, trust, rules, need string
	var created, expires, ended int64
	p := &r.Principal
	if err := scan(&r.ID, &state, &r.Reason, &p.Tenant, &p.ID, &trust, &p.Via, &p.Key, &r.Conversation, &r.Kind, &r.Tool, &r.Effect,
		&r.Digest, &rules, &need, &r.Exchange, &r.sealed, &created, &expires, &ended); err != nil {
		return nil, err
	}
	r.state = stateOf(state)
	r.Created, r.Expires, r.Ended = date(created), date(expires), date(ended)
	if json.Unmarshal([]byte(rules), &r.Rules) != nil || json.Unmarshal([]byte(need), &r.Need) != nil || p.Trust.UnmarshalText([]byte(trust)) != nil || r.Need.Check() != nil {
		r.state, r.Reason = Denied, "unreadable"
	}
	return &r, nil
}

func scanRows(rows *sql.Rows) (out []*row, err error) {
	defer rows.Close()
	for rows.Next() {
		r, err := scanRow(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

func (s *Store) newest(ctx context.Context, tx *db.Tx, slot string) (*row, error) {
	return scanRow(tx.QueryRow(ctx, "SELECT "+columns+" FROM approval_requests WHERE slot = ? ORDER BY created DESC, ended = 0 DESC, ended DESC, id LIMIT 1", slot).Scan)
}

func (s *Store) insert(ctx context.Context, tx *db.Tx, slot string, a *Approval) error {
	rules, err := json.Marshal(a.Rules)
	if err != nil {
		return err
	}
	need, err := json.Marshal(a.Need)
	if err != nil {
		return err
	}
	sealed, err := s.seal(a)
	if err != nil {
		return err
	}
	p := &a.Principal
	_, err = tx.Exec(ctx, "INSERT INTO approval_requests (slot, "+columns+") VALUES (?, ?, 'pending', '', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
		slot, a.ID, p.Tenant, p.ID, p.Trust.String(), p.Via, p.Key, a.Conversation, a.Kind, a.Tool, a.Effect, a.Digest, string(rules), string(need), a.Exchange,
		sealed, a.Created.UnixMilli(), a.Expires.UnixMilli())
	return err
}

// shown is what is sealed: that which nobody but who decides may read.
type shown struct {
	Arguments  string                 `json:"arguments"`
	Provenance []ringwall.ArgumentUse `json:"provenance,omitempty"`
}

// about is what the seal is bound to: a row whose seal is another's does not open.
func about(a *Approval) []byte { return []byte(a.ID + "\x00" + a.Tool + "\x00" + a.Digest) }

func (s *Store) cipher() (cipher.AEAD, error) {
	block, err := aes.NewCipher(s.keys.seal)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (s *Store) seal(a *Approval) (string, error) {
	plain, err := json.Marshal(shown{a.Arguments, a.Provenance})
	if err != nil {
		return "", err
	}
	box, err := s.cipher()
	if err != nil {
		return "", err
	}
	return base64.RawStdEncoding.EncodeToString(box.Seal(nil, nil, plain, about(a))), nil //nolint:gosec // it makes a random nonce itself
}

var errDamaged = errors.New("its arguments cannot be read: it can only be denied")

// unseal puts into a what is sealed in r.
func (s *Store) unseal(r *row, a *Approval) error {
	if r.sealed == "" {
		return nil
	}
	box, err := s.cipher()
	if err != nil {
		return err
	}
	raw, err := base64.RawStdEncoding.DecodeString(r.sealed)
	if err != nil {
		return errDamaged
	}
	plain, err := box.Open(nil, nil, raw, about(a))
	if err != nil {
		return errDamaged
	}
	var in shown
	if err := json.Unmarshal(plain, &in); err != nil {
		return errDamaged
	}
	a.Arguments, a.Provenance, a.Sealed = in.Arguments, in.Provenance, false
	return nil
}

const idPrefix = "ap_"

// newID is an id of 100 random bits.
func newID() string { return idPrefix + rand.Text()[:20] }

// hash is a keyed hash of parts, in hexadecimal digits.
func hash(key []byte, parts ...string) string { return hex.EncodeToString(mac(key, parts...)) }

func mac(key []byte, parts ...string) []byte {
	m := hmac.New(sha256.New, key)
	for _, p := range parts {
		var n [8]byte
		for i := range n {
			n[i] = byte(len(p) >> (8 * i))
		}
		m.Write(n[:])
		m.Write([]byte(p))
	}
	return m.Sum(nil)
}

// cut is t as the database keeps it.
func cut(t time.Time) time.Time { return date(t.UnixMilli()) }

func date(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}
