package approval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Filter picks approvals.
type Filter struct {
	State  *State // nil: all
	Tenant string // "": all that are seen
	After  string // cursor of the last list; "": from the newest on
	Limit  int    // default 50, at most 200
}

// ErrCursor says that a cursor is none.
var ErrCursor = errors.New("there is no such place in the list: leave after out, and begin anew")

const (
	defaultLimit = 50
	maxLimit     = 200
	maxScanned   = 2000 // rows that are read for one list
)

// List returns the approvals that by may know of, without their arguments, the newest
// first, and the cursor of those behind them, "" where there are none.
func (s *Store) List(ctx context.Context, by Approver, f Filter) (list []Approval, next string, err error) {
	limit := min(f.Limit, maxLimit)
	if limit <= 0 {
		limit = defaultLimit
	}
	now, rules := s.cfg.Now(), s.rules.Load()
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if !by.looksEverywhere() {
		add("tenant = ?", by.Tenant)
	}
	if f.Tenant != "" {
		add("tenant = ?", f.Tenant)
	}
	if f.State != nil {
		switch *f.State {
		case Pending, Approved:
			add("state = ? AND expires > ?", f.State.String(), now.UnixMilli())
		case Expired:
			add("(state = 'expired' OR state IN ('pending', 'approved') AND expires <= ?)", now.UnixMilli())
		case Denied, Used:
			add("state = ?", f.State.String())
		}
	}
	after := f.After
	for scanned := 0; scanned < maxScanned; {
		w, a := slices.Clone(where), slices.Clone(args)
		if after != "" {
			created, id, ok := parseCursor(after)
			if !ok {
				return nil, "", ErrCursor
			}
			w, a = append(w, "(created < ? OR created = ? AND id < ?)"), append(a, created, created, id)
		}
		rows, err := s.cfg.DB.Query(ctx, "SELECT "+columns+" FROM approval_requests WHERE "+strings.Join(w, " AND ")+" ORDER BY created DESC, id DESC LIMIT ?", append(a, maxLimit)...)
		if err != nil {
			return nil, "", fmt.Errorf("listing approvals: %w", err)
		}
		page, err := scanRows(rows)
		if err != nil {
			return nil, "", fmt.Errorf("listing approvals: %w", err)
		}
		for _, r := range page {
			a := r.approval(now)
			if f.State != nil && a.State != *f.State {
				continue // one that cannot be read
			}
			if rules.sees(&a, &by) {
				if len(list) == limit {
					return list, after, nil
				}
				list = append(list, a)
			}
			after = strconv.FormatInt(a.Created.UnixMilli(), 10) + "." + a.ID
		}
		if scanned += len(page); len(page) < maxLimit {
			return list, "", nil
		}
	}
	return list, after, nil
}

func parseCursor(text string) (created int64, id string, ok bool) {
	at, id, ok := strings.Cut(text, ".")
	created, err := strconv.ParseInt(at, 10, 64)
	return created, id, ok && err == nil && strings.HasPrefix(id, idPrefix) && len(id) < 64
}

// Stats say how a person has decided lately.
type Stats struct {
	Since    time.Time     `json:"since"`
	Approved int           `json:"approved"`
	Denied   int           `json:"denied"`
	Median   time.Duration `json:"median"` // between seeing and approving
	Paused   time.Time     `json:"paused"` // until when they may approve nothing; zero: they may
}

// String says it to the person.
func (s Stats) String() string {
	all := s.Approved + s.Denied
	if all == 0 {
		return "You have decided about nothing in the last 24 hours."
	}
	text := fmt.Sprintf("You approved %d of %d in the last 24 hours", s.Approved, all)
	if s.Approved > 0 {
		text += fmt.Sprintf(", half of them within %v", s.Median.Round(time.Second))
	}
	return text + "."
}

// Stats returns how by decided in the last 24 hours.
func (s *Store) Stats(ctx context.Context, by Approver) (Stats, error) {
	now := s.cfg.Now()
	st := Stats{Since: cut(now.Add(-24 * time.Hour))}
	rows, err := s.cfg.DB.Query(ctx, "SELECT tenant, principal, via, at, thought, approve FROM approval_votes WHERE tenant = ? AND principal = ? AND at > ? ORDER BY at DESC LIMIT 1000", by.Tenant, by.ID, st.Since.UnixMilli())
	if err != nil {
		return st, fmt.Errorf("counting decisions: %w", err)
	}
	votes, err := scanVotes(rows)
	if err != nil {
		return st, fmt.Errorf("counting decisions: %w", err)
	}
	var thought []time.Duration
	for _, v := range votes {
		if v.Approve {
			st.Approved++
			thought = append(thought, v.Thought)
		} else {
			st.Denied++
		}
	}
	if slices.Sort(thought); len(thought) > 0 {
		st.Median = thought[len(thought)/2]
	}
	var until int64
	if err := s.cfg.DB.QueryRow(ctx, "SELECT coalesce(max(until), 0) FROM approval_pauses WHERE tenant = ? AND principal = ?", by.Tenant, by.ID).Scan(&until); err != nil {
		return st, fmt.Errorf("counting decisions: %w", err)
	}
	if t := date(until); t.After(now) {
		st.Paused = t
	}
	return st, nil
}

// Think is the least time between seeing something and approving it.
func (s *Store) Think() time.Duration { return s.rules.Load().Think }
