package quota

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// Entry is what is used of a limit by a subject.
type Entry struct {
	ID      string // the limit, its window and whose it is
	Limit   string
	Measure Measure
	Window  string // and by what subjects are told apart: "minute,key"
	Subject string
	Used    int64
	Ends    time.Time // when it begins anew; zero: it slides
	Updated time.Time // zero: nobody knows

	key string // in the shared store
}

// describe fills in what the ID says.
func (e *Entry) describe() {
	parts := strings.Split(e.ID, "|")
	if len(parts) < 3 {
		return
	}
	e.Limit, e.Measure, e.Window = parts[0], Measure(parts[1]), parts[2]
	parts = parts[3:]
	window, _, _ := strings.Cut(e.Window, ",")
	window, _, _ = strings.Cut(window, "@")
	if windows[window].Calendar != None && len(parts) > 0 {
		starts, err := strconv.ParseInt(parts[len(parts)-1], 10, 64)
		parts = parts[:len(parts)-1]
		if err == nil && e.Ends.IsZero() {
			_, zone, _ := strings.Cut(strings.SplitN(e.Window, ",", 2)[0], "@")
			if at, err := time.LoadLocation(zone); err == nil {
				_, e.Ends = Window{Calendar: windows[window].Calendar, Zone: at}.Span(time.Unix(starts, 0))
			}
		}
	}
	e.Subject = strings.Join(parts, "|")
}

// About reports whether one of the values of the subject is s: a tenant, a principal, a
// key.
func (e *Entry) About(s string) bool {
	want := string(appendValue(nil, s))
	return e.Subject == s || slices.Contains(strings.FieldsFunc(e.Subject, func(r rune) bool { return r == '|' || r == '/' }), want)
}

// List returns what is used of the counters that there are, most first, and no more
// than limit.
func (s *Shared) List(ctx context.Context, limit int) ([]Entry, error) {
	conn, err := s.Client.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing quotas: %w", err)
	}
	var out []Entry
	for _, node := range conn.Nodes() {
		for cursor := uint64(0); ; {
			page, err := node.Do(ctx, node.B().Scan().Cursor(cursor).Match(tag+"*").Count(500).Build()).AsScanEntry()
			if err != nil {
				return nil, fmt.Errorf("listing quotas: %w", err)
			}
			for _, key := range page.Elements {
				_, id, ok := strings.Cut(key, "}:")
				if !ok || !strings.Contains(id, "|") {
					continue
				}
				e := Entry{ID: id, key: key}
				if e.Used, err = held(ctx, node, key); err != nil {
					return nil, fmt.Errorf("listing quotas: %w", err)
				}
				e.describe()
				out = append(out, e)
			}
			if cursor = page.Cursor; cursor == 0 {
				break
			}
		}
	}
	slices.SortFunc(out, func(a, b Entry) int {
		if a.Used != b.Used {
			return int(max(-1, min(1, b.Used-a.Used)))
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out[:min(len(out), limit)], nil
}

// held is what is used of a counter of the shared store, with what left since its last
// use.
func held(ctx context.Context, node rueidis.Client, key string) (int64, error) {
	all, err := node.Do(ctx, node.B().Hgetall().Key(key).Build()).AsIntMap()
	if err != nil {
		return 0, err
	}
	var sum int64
	for slot, n := range all {
		if slot != "p" {
			sum += n
		}
	}
	return sum, nil
}

// Reset makes the counter of an Entry of List begin anew.
func (s *Shared) Reset(ctx context.Context, e *Entry) error {
	if _, err := s.Client.Do(ctx, "DEL", []string{e.key}); err != nil {
		return fmt.Errorf("resetting a quota: %w", err)
	}
	return nil
}
