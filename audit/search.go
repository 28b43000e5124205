package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// maxNamed bounds the damaged entries that one search names.
const maxNamed = 100

// check refuses what no entry can fit.
func (f *Filter) check() error {
	if f.Action != "" && !slices.Contains(ringwall.ActionNames(), f.Action) {
		return fmt.Errorf("unknown action %q: want one of %v", f.Action, ringwall.ActionNames())
	}
	if strings.ContainsAny(f.Reason, " %_\x00") {
		return fmt.Errorf("%q is no reason: reasons are kebab-case", f.Reason)
	}
	if f.Limit < 0 || f.Limit > MaxLimit {
		return fmt.Errorf("limit %d is not between 0 and %d", f.Limit, MaxLimit)
	}
	return nil
}

// search is a query on its way through the blocks.
type search struct {
	x       *index
	f       *Filter
	limit   int
	terms   []term
	needles [][]byte
	doc     jsonedit.Doc
	only    []uint64 // the numbers that fit, ascending, when f.Abandoned
	upTo    uint64   // what is indexed: the last block may grow meanwhile

	found   []place
	damaged []error
}

// search begins a search, up to what is indexed now.
func (x *index) search(ctx context.Context, f *Filter) (*search, error) {
	s := &search{x: x, f: f, limit: f.Limit, terms: f.terms(), needles: f.needles()}
	if s.limit == 0 {
		s.limit = 100
	}
	x.mu.Lock()
	s.upTo = x.at.seq
	x.mu.Unlock()
	if !f.Abandoned {
		return s, nil
	}
	rows, err := x.db.Query(ctx, `SELECT seq FROM audit_open WHERE log = ? AND noted > 0 ORDER BY seq`, x.log)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var seq uint64
		if err := rows.Scan(&seq); err != nil {
			return nil, err
		}
		s.only = append(s.only, seq)
	}
	return s, rows.Err()
}

// run finds the places of the entries that fit, in their order.
func (s *search) run(ctx context.Context) error {
	where, args := `log = ?`, []any{s.x.log}
	add := func(wanted bool, condition string, arg any) {
		if wanted {
			where += ` AND ` + condition
			args = append(args, arg)
		}
	}
	add(!s.f.Since.IsZero(), `until >= ?`, s.f.Since.UnixMicro())
	add(!s.f.Until.IsZero(), `since < ?`, s.f.Until.UnixMicro())
	add(s.f.Before != 0, `first < ?`, s.f.Before)
	add(s.f.After != 0, `last > ?`, s.f.After)
	order := ` ORDER BY first DESC`
	if s.f.Oldest {
		order = ` ORDER BY first`
	}
	rows, err := s.x.db.Query(ctx, `SELECT `+blockColumns+` FROM audit_blocks WHERE `+where+order, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() && len(s.found) < s.limit {
		var b block
		if err := b.scan(rows.Scan); err != nil {
			return err
		}
		if slices.ContainsFunc(s.terms, func(t term) bool { return !b.terms.has(t) }) || s.f.Abandoned && !s.within(&b) {
			continue
		}
		places, err := s.block(ctx, &b)
		if err != nil {
			return err
		}
		if !s.f.Oldest {
			slices.Reverse(places)
		}
		s.found = append(s.found, places[:min(len(places), s.limit-len(s.found))]...)
	}
	return rows.Err()
}

// within reports whether one of the only numbers that fit is in b.
func (s *search) within(b *block) bool {
	i, _ := slices.BinarySearch(s.only, b.first)
	return i < len(s.only) && s.only[i] <= b.last
}

// block returns the places of the entries of a block that fit, oldest first.
func (s *search) block(ctx context.Context, b *block) (places []place, err error) {
	end := b.position + b.length
	read := false
	err = readLines(s.x.dir, b.segment, b.position, func(line rawLine) (bool, error) {
		if line.offset >= end {
			return false, nil
		}
		read = line.offset+line.size >= end
		if err := ctx.Err(); err != nil {
			return false, err
		}
		f, err := parseLine(line.text)
		if err != nil || !line.whole || !f.sound() || f.seq < b.first || f.seq > b.last {
			s.damage(b, line.offset)
			return true, nil
		}
		if s.line(&f) {
			places = append(places, place{f.seq, b.segment, line.offset, line.size, f.hash})
		}
		return true, nil
	})
	if errors.Is(err, fs.ErrNotExist) || err == nil && !read {
		s.damage(b, b.position)
		return places, nil
	}
	return places, err
}

func (s *search) damage(b *block, at int64) {
	if len(s.damaged) < maxNamed {
		s.damaged = append(s.damaged, fmt.Errorf("%w between %d and %d: %s at byte %d", ErrDamaged, b.first, b.last, segmentName(b.segment), at))
	}
}

// line reports whether a sound line fits.
func (s *search) line(f *fields) bool {
	if s.f.Before != 0 && f.seq >= s.f.Before || s.f.After != 0 && f.seq <= s.f.After || f.seq > s.upTo {
		return false
	}
	if s.f.Abandoned {
		if _, ok := slices.BinarySearch(s.only, f.seq); !ok {
			return false
		}
	}
	for _, n := range s.needles {
		if !bytes.Contains(f.event, n) {
			return false
		}
	}
	if len(s.terms) > 0 || !s.f.Since.IsZero() || !s.f.Until.IsZero() {
		return s.says(f.event)
	}
	return true
}

// says reports whether an event is what the filter wants: most are not, and that
// is found out cheaply.
func (s *search) says(event []byte) bool {
	r, err := readRow(&s.doc, event)
	if err != nil || slices.ContainsFunc(s.terms, func(t term) bool { return !slices.Contains(r.term, t) }) {
		return false
	}
	var e ringwall.Event
	if err := json.Unmarshal(event, &e); err != nil {
		return false // it could not be indexed either
	}
	return s.f.fits(&e)
}
