package audit

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Bounds of a block: what a search reads for one hit.
const (
	blockEntries = 1024
	blockBytes   = 2 << 20 // from here the next block is begun
)

// block is what the index knows of entries that follow each other in one
// segment.
type block struct {
	first, last      uint64
	entries          int
	segment          uint64
	position, length int64
	since, until     int64
	terms            bloom
}

// readRow reads what the index needs of an event, several times faster than
// encoding/json reads all of it. What it returns does not point into event.
func readRow(doc *jsonedit.Doc, event []byte) (r row, err error) {
	if err := doc.Parse(event, jsonedit.Limits{Bytes: MaxEvent, Depth: 128, AllowNUL: true}); err != nil {
		return r, err
	}
	r.term = make([]term, 0, 12)
	say := func(field byte, v jsonedit.Value) {
		if v.Kind() != jsonedit.String {
			return
		}
		text := v.Raw()
		if text = text[1 : len(text)-1]; len(text) > maxColumn || bytes.IndexByte(text, '\\') >= 0 {
			text = []byte(clip(v.Text()))
		}
		if len(text) > 0 {
			r.term = append(r.term, hashTerm(field, text))
		}
	}
	for key, v := range doc.Root().Members() {
		switch key {
		case "id":
			r.id = clip(v.Text())
			say(termID, v)
		case "kind":
			r.kind = ringwall.Kind(v.Text())
			say(termKind, v)
		case "time":
			at, err := time.Parse(time.RFC3339Nano, v.Text())
			if err != nil {
				return r, fmt.Errorf("reading its time: %w", err)
			}
			r.at = at.UnixMicro()
		case "principal":
			say(termPrincipal, v.Get("id"))
			say(termTenant, v.Get("tenant"))
		case "model":
			say(termModel, v)
		case "verdict":
			say(termAction, v.Get("action"))
			for _, reason := range v.Get("reasons").Elems() {
				say(termReason, reason)
			}
		case "outcome":
			say(termOutcome, v)
		case "status":
			r.term = append(r.term, hashTerm(termStatus, v.Raw()))
		}
	}
	return r, nil
}

// blocks puts rows into blocks, the first of which may go on with the last one
// that there is. What there is does not change: the transaction may fail.
func (x *index) blocks(rows []row) (out []*block) {
	cur := x.cur
	if cur != nil {
		c := *cur
		cur = &c
	}
	for i := range rows {
		r := &rows[i]
		if cur == nil || cur.segment != r.segment || cur.entries >= blockEntries || cur.length >= blockBytes {
			cur = &block{first: r.seq, segment: r.segment, position: r.position, since: r.at, until: r.at}
		}
		if len(out) == 0 || out[len(out)-1] != cur {
			out = append(out, cur)
		}
		cur.last, cur.length = r.seq, r.position+r.length-cur.position
		cur.entries++
		cur.since, cur.until = min(cur.since, r.at), max(cur.until, r.at)
		for _, t := range r.term {
			cur.terms.add(t)
		}
	}
	return out
}

func (b *block) save(ctx context.Context, tx *db.Tx, log string) error {
	_, err := tx.Exec(ctx, `INSERT INTO audit_blocks (log, first, last, entries, segment, position, length, since, until, terms)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (log, first) DO UPDATE SET last = excluded.last,
		entries = excluded.entries, length = excluded.length, since = excluded.since, until = excluded.until, terms = excluded.terms`,
		log, b.first, b.last, b.entries, b.segment, b.position, b.length, b.since, b.until, b.terms.String())
	return err
}

const blockColumns = `first, last, entries, segment, position, length, since, until, terms`

func (b *block) scan(scan func(...any) error) error {
	var terms string
	if err := scan(&b.first, &b.last, &b.entries, &b.segment, &b.position, &b.length, &b.since, &b.until, &terms); err != nil {
		return err
	}
	b.terms.parse(terms)
	return nil
}

// resume reads the last block, to go on with it.
func (x *index) resume(ctx context.Context) error {
	var b block
	err := b.scan(x.db.QueryRow(ctx, `SELECT `+blockColumns+` FROM audit_blocks WHERE log = ? ORDER BY first DESC LIMIT 1`, x.log).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	} else if err != nil {
		return fmt.Errorf("reading the index: %w", err)
	}
	x.cur = &b
	return nil
}

// term is something that an entry says, hashed with what it says it about.
type term uint64

// What entries can be found by.
const (
	termID byte = iota
	termKind
	termPrincipal
	termTenant
	termModel
	termAction
	termReason
	termOutcome
	termStatus
)

// hashTerm is FNV-1a: it must be the same in each process.
func hashTerm[T string | []byte](field byte, value T) term {
	const offset, prime = 14695981039346656037, 1099511628211
	h := (uint64(offset) ^ uint64(field)) * prime
	for i := range len(value) {
		h = (h ^ uint64(value[i])) * prime
	}
	return term(h)
}

// bloom is a set that may claim to have what it has not: of the terms of a full
// block, one in a thousand.
type bloom [2048]byte

// probes calls f with the bits of a term until it returns false.
func (t term) probes(f func(bit uint64) bool) bool {
	a, b := uint64(t), uint64(t)>>32|1
	for range 6 {
		if !f(a % (8 * uint64(len(bloom{})))) {
			return false
		}
		a += b
	}
	return true
}

func (s *bloom) add(t term) {
	t.probes(func(bit uint64) bool {
		s[bit/8] |= 1 << (bit % 8)
		return true
	})
}

func (s *bloom) has(t term) bool {
	return t.probes(func(bit uint64) bool { return s[bit/8]&(1<<(bit%8)) != 0 })
}

// String is the form in the database, which both kinds take alike.
func (s *bloom) String() string { return base64.StdEncoding.EncodeToString(s[:]) }

// parse reads that form. What cannot be read has everything: the block is then
// read for nothing, but no entry is lost.
func (s *bloom) parse(text string) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) != len(s) {
		for i := range s {
			s[i] = 0xFF
		}
		return
	}
	copy(s[:], b)
}

// terms are those that a block must have in which an entry fits f.
func (f *Filter) terms() (ts []term) {
	add := func(field byte, value string) {
		if value != "" {
			ts = append(ts, hashTerm(field, clip(value)))
		}
	}
	add(termID, f.ID)
	add(termKind, string(f.Kind))
	add(termPrincipal, f.Principal)
	add(termTenant, f.Tenant)
	add(termModel, f.Model)
	add(termAction, f.Action)
	add(termReason, f.Reason)
	add(termOutcome, string(f.Outcome))
	if f.Status != 0 {
		add(termStatus, strconv.Itoa(f.Status))
	}
	return ts
}

// fits reports whether an event fits f, its number and its being abandoned
// aside.
func (f *Filter) fits(e *ringwall.Event) bool {
	same := func(want, have string) bool { return want == "" || clip(want) == clip(have) }
	action, reason := "", f.Reason == ""
	if e.Verdict != nil {
		action = e.Verdict.Action.String()
		for _, r := range e.Verdict.Reasons {
			reason = reason || r == f.Reason
		}
	}
	at := e.Time.UnixMicro()
	return same(f.ID, e.ID) && same(string(f.Kind), string(e.Kind)) && same(f.Principal, e.Principal.ID) &&
		same(f.Tenant, e.Principal.Tenant) && same(f.Model, e.Model) && same(f.Action, action) && reason &&
		same(string(f.Outcome), string(e.Outcome)) && (f.Status == 0 || f.Status == e.Status) &&
		(f.Since.IsZero() || at >= f.Since.UnixMicro()) && (f.Until.IsZero() || at < f.Until.UnixMicro())
}

// needles are what the line of an entry that fits must hold: a cheap look before
// the line is read.
func (f *Filter) needles() (out [][]byte) {
	plain := func(r rune) bool { return r > ' ' && r < 0x7F && r != '"' && r != '\\' }
	for _, v := range []string{f.ID, f.Principal, f.Tenant, f.Model, f.Reason} {
		if v = clip(v); v != "" && !strings.ContainsFunc(v, func(r rune) bool { return !plain(r) }) {
			out = append(out, []byte(v))
		}
	}
	return out
}
