package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/calibrate"
	"github.com/ringwall/ringwall/server/eval"
)

// fromRecords measures thresholds on recorded traffic.
type fromRecords struct {
	place                 *place
	dir, guardrail, since string
	budget                calibrate.Budget
	perDay                float64
	command               string
	notes                 []string
	progress              func(done, total int, what string)
}

func (e *fromRecords) run(ctx context.Context) (*eval.RecordsReport, error) {
	if e.budget == 0 {
		return nil, usage(errors.New("--records: say by --budget which share of false positives there may be"))
	}
	since, err := moment(e.since, time.Now())
	if err != nil {
		return nil, usage(fmt.Errorf("--since: %w", err))
	}
	dir, err := recordsDir(e.dir)
	if err != nil {
		return nil, usage(fmt.Errorf("--records: %w", err))
	}
	conf, err := e.place.load()
	if err != nil {
		return nil, err
	}
	g, err := guardOf(conf, cmp.Or(e.guardrail, conf.Guardrail), io.Discard)
	if err != nil {
		return nil, err
	}
	last, err := audit.Last(dir)
	if err != nil {
		return nil, err
	}
	r, err := eval.Records(ctx, eval.RecordsConfig{
		Last: last, Progress: e.progress,
		Entries: audit.Read(ctx, dir, 1), Guardrail: e.guardrail, Since: since, Budget: e.budget, PerDay: e.perDay, Command: e.command,
		Present: func(way ringwall.Direction, score string) (float64, bool) { return presentThreshold(g, way, score) },
		Curve: func(score string) (calibrate.Curve, bool) {
			control, _ := scoreOf(score)
			if of := builtin.Curves[control]; of != nil {
				return of(score)
			}
			return calibrate.Curve{}, false
		},
	})
	if errors.Is(err, eval.ErrOptions) || errors.Is(err, eval.ErrNoRows) {
		return nil, usage(err)
	}
	if err != nil {
		return nil, err
	}
	r.Notes = append(r.Notes, e.notes...)
	return r, nil
}

// scoreOf is the control that a score is of, and the reason of its findings; "" for
// all of them.
func scoreOf(score string) (control, reason string) {
	name, topic := strings.CutPrefix(score, "topic:")
	switch {
	case topic:
		return "inference/topic", name
	case score == ringwall.ScoreAttack:
		return "inference/prompt-attack", ""
	case score == ringwall.ScoreGrounding, score == ringwall.ScoreRelevance:
		return "", "" // there the low ones are the bad ones
	}
	return "inference/content", strings.ReplaceAll(score, "_", "-")
}

// presentThreshold is how high a score must be to count under g, of what users and
// models say.
func presentThreshold(g *guard.Guard, way ringwall.Direction, score string) (float64, bool) {
	control, reason := scoreOf(score)
	who := ringwall.User
	if way == ringwall.Output {
		who = ringwall.Assistant
	}
	least, looks := g.Least(way, who, control, reason)
	return least, looks && least <= 1
}

// recordsDir is where the records of an installation are: the directory itself, or
// the one in its data directory.
func recordsDir(dir string) (string, error) {
	for _, d := range []string{filepath.Join(dir, "audit"), dir} {
		if last, err := audit.Last(d); err == nil && last > 0 {
			return d, nil
		}
	}
	if _, err := os.Stat(dir); err != nil {
		return "", err
	}
	return "", fmt.Errorf("there are no records in %s", dir)
}

// moment reads a day, a time, or how long ago that is: 12h, 7d.
func moment(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n > 0 && n < 1e5 {
			return now.Add(-time.Duration(n * 24 * float64(time.Hour))), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("want a day such as 2030-01-31, a time such as 2030-01-31T12:00:00Z, or how long ago, such as 7d or 12h, not %q", s)
}
