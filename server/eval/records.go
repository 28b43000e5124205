package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/internal/calibrate"
)

// RecordsConfig says what to learn from recorded traffic.
type RecordsConfig struct {
	Entries   iter.Seq2[audit.Entry, error]
	Guardrail string    // records of this one only: "shop", or "shop@2"; "": of all
	Since     time.Time // records from then on; zero: all
	Budget    calibrate.Budget
	PerDay    float64 // requests of a day; 0: as many as were recorded
	Command   string  // the call, for the report
	Last      uint64  // number of the last entry, for Progress
	Progress  func(done, total int, what string)

	// Present returns the threshold in force of a score in texts that go one way.
	// Curve returns what thresholds of it do to what ought to be caught. Both may
	// know nothing of it.
	Present func(way ringwall.Direction, score string) (threshold float64, known bool)
	Curve   func(score string) (c calibrate.Curve, known bool)
}

// RecordsReport is what recorded traffic says of thresholds.
type RecordsReport struct {
	Command   string           `json:"command,omitempty"`
	Budget    calibrate.Budget `json:"budget"`
	Exchanges int64            `json:"exchanges"`
	Without   int64            `json:"without_scores"` // those among them that no classifier looked at
	Damaged   int64            `json:"damaged"`        // records that could not be read
	First     time.Time        `json:"first"`
	Last      time.Time        `json:"last"`
	PerDay    Number           `json:"requests_per_day"`
	Lines     []RecordsLine    `json:"classes"`
	Notes     []string         `json:"notes"`
}

// RecordsLine is what the records say of one score under one version of a
// guardrail.
type RecordsLine struct {
	Guardrail string `json:"guardrail"` // "all" where the versions together are looked at
	Direction string `json:"direction"`
	Score     string `json:"score"`
	Exchanges int64  `json:"exchanges"` // that have it and are taken as benign
	Left      int64  `json:"left_out"`  // that were blocked for it

	Median Number `json:"median"`
	P99    Number `json:"p99"`
	P999   Number `json:"p999"`
	Most   Number `json:"most"`

	Fault     string `json:"fault,omitempty"` // why there is no threshold
	Threshold Number `json:"threshold"`
	FPR       Share  `json:"fpr"`
	High      Number `json:"fpr_high"` // by Clopper and Pearson, 95 %
	PerDay    Number `json:"false_positives_per_day"`
	MostDay   Number `json:"false_positives_per_day_high"`

	Present Number `json:"threshold_now"`
	Now     Share  `json:"fpr_now"`
	NowDay  Number `json:"false_positives_per_day_now"`
	Recall  Number `json:"recall"` // on the data that the classifier was measured with
	Lost    Number `json:"recall_lost"`
}

// AllVersions is the guardrail of lines about all versions together.
const AllVersions = "all"

// Records measures scores in recorded traffic. Traffic counts as benign: whatever
// of it was an attack makes the thresholds higher than they need be. Exchanges
// that were blocked for what a score is about are left out of it.
func Records(ctx context.Context, cfg RecordsConfig) (*RecordsReport, error) {
	if cfg.Entries == nil || cfg.Budget <= 0 || cfg.Budget >= 1 || !(cfg.PerDay >= 0) {
		return nil, fmt.Errorf("%w: records and a budget above 0 are required", ErrOptions)
	}
	r := &RecordsReport{Command: cfg.Command, Budget: cfg.Budget}
	seen := map[recorded]*traffic{}
	for e, err := range cfg.Entries {
		switch {
		case errors.Is(err, audit.ErrDamaged):
			r.Damaged++
			continue
		case err != nil:
			return nil, err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		if cfg.Progress != nil && e.Seq%4096 == 0 {
			cfg.Progress(int(e.Seq), int(max(e.Seq, cfg.Last)), "records read")
		}
		ev := &e.Event
		if ev.Kind != ringwall.ExchangeEnd || ev.Verdict == nil || ev.Guardrail == "" || ev.Time.Before(cfg.Since) || !isOf(ev.Guardrail, cfg.Guardrail) {
			continue
		}
		if r.Exchanges++; r.Exchanges == 1 || ev.Time.Before(r.First) {
			r.First = ev.Time
		}
		if ev.Time.After(r.Last) {
			r.Last = ev.Time
		}
		if len(ev.Scores) == 0 {
			r.Without++
		}
		for _, s := range ev.Scores {
			for _, g := range []string{ev.Guardrail, AllVersions} {
				k := recorded{g, s.Way, s.Name}
				if seen[k] == nil {
					seen[k] = &traffic{}
				}
				if stopped(ev, s.Name) {
					seen[k].left++
				} else {
					seen[k].ranking.Add(s.Value, false)
				}
			}
		}
	}
	if r.Exchanges == 0 {
		return nil, fmt.Errorf("%w: no exchange of that guardrail and time is recorded", ErrNoRows)
	}
	perDay := cfg.PerDay
	if days := r.Last.Sub(r.First).Hours() / 24; perDay == 0 && days > 0 && r.Exchanges > 1 {
		perDay = float64(r.Exchanges) / max(days, 1)
	}
	r.PerDay = Number(perDay)
	if perDay == 0 {
		r.PerDay = Number(math.NaN())
	}
	versions := map[string]bool{}
	for k := range seen {
		versions[k.guardrail] = true
	}
	for _, k := range slices.SortedFunc(maps.Keys(seen), recorded.compare) {
		if k.guardrail != AllVersions || len(versions) > 2 {
			r.Lines = append(r.Lines, seen[k].line(k, &cfg, float64(r.PerDay)))
		}
	}
	r.Notes = r.notes(cfg.PerDay > 0)
	return r, nil
}

// isOf reports whether a guardrail, "shop@2", is the one asked for.
func isOf(name, asked string) bool {
	base, _, _ := strings.Cut(name, "@")
	return asked == "" || name == asked || base == asked
}

// stopped reports whether an exchange was blocked for what a score is about.
func stopped(ev *ringwall.Event, score string) bool {
	return ev.Verdict.Action <= ringwall.Hold && slices.ContainsFunc(ev.Findings, func(f ringwall.Finding) bool {
		return ScoreOf(f) == score && f.Shadow == "" && f.Excepted == ""
	})
}

// recorded is what scores are told apart by.
type recorded struct {
	guardrail string
	way       ringwall.Direction
	score     string
}

func (k recorded) compare(o recorded) int {
	return cmp.Or(cmp.Compare(k.way, o.way), strings.Compare(k.score, o.score), cmp.Compare(one(k.guardrail == AllVersions), one(o.guardrail == AllVersions)), strings.Compare(k.guardrail, o.guardrail))
}

// traffic is what was recorded of one score.
type traffic struct {
	ranking Ranking // of benign texts alone
	left    int64
}

func (t *traffic) line(k recorded, cfg *RecordsConfig, perDay float64) RecordsLine {
	nan := Number(math.NaN())
	n := t.ranking.total[0]
	l := RecordsLine{
		Guardrail: k.guardrail, Direction: k.way.String(), Score: k.score, Exchanges: n, Left: t.left,
		Median: t.ranking.quantile(0.5), P99: t.ranking.quantile(0.99), P999: t.ranking.quantile(0.999), Most: t.ranking.quantile(1),
		Threshold: nan, High: nan, PerDay: nan, MostDay: nan, Present: nan, NowDay: nan, Recall: nan, Lost: nan,
	}
	now := math.NaN()
	if cfg.Present != nil {
		if p, known := cfg.Present(k.way, k.score); known {
			now, l.Present = p, Number(p)
			l.Now, _ = t.ranking.Above(p)
			l.NowDay = Number(l.Now.Value() * perDay)
		}
	}
	c, err := t.ranking.Curve()
	var p calibrate.Point
	if err == nil {
		if above := math.Floor(float64(l.Most)*1000+1.5) / 1000; above <= 1 { // scores are recorded in three digits
			c.Points = append(c.Points, calibrate.Point{Score: above})
		}
		p, err = c.Threshold(cfg.Budget)
	}
	if err != nil {
		l.Fault = err.Error()
		return l
	}
	l.Threshold = Number(p.Score)
	l.FPR, _ = t.ranking.Above(p.Score)
	_, high := calibrate.Bounds(l.FPR.Hits, l.FPR.Of, 0.95)
	l.High, l.PerDay, l.MostDay = Number(high), Number(l.FPR.Value()*perDay), Number(high*perDay)
	if cfg.Curve != nil {
		if c, known := cfg.Curve(k.score); known && c.Positive > 0 {
			l.Recall = Number(c.At(p.Score).Recall)
			if !math.IsNaN(now) {
				l.Lost = Number(c.At(now).Recall) - l.Recall
			}
		}
	}
	return l
}

// quantile is the least score that so many of the negatives do not exceed.
func (r *Ranking) quantile(q float64) Number {
	out := Number(math.NaN())
	above := int64(0)
	r.steps(func(score float64, neg, _ int64) {
		if float64(above) <= (1-q)*float64(r.total[0]) {
			out = Number(score)
		}
		above += neg
	})
	return out
}

func (r *RecordsReport) notes(given bool) []string {
	out := []string{
		"Recorded traffic counts as benign. What of it was an attack that nobody stopped makes thresholds higher than they need be; exchanges that were blocked for what a score is about are left out, those that would have been in shadow mode, and those of an exception, are not.",
		"Scores are of whole exchanges, the worst of all texts that went one way, in three digits. A threshold keeps to the budget when the false positives and one more are within it. The upper bound is Clopper and Pearson's, 95 %, as if exchanges were drawn one by one; those of one conversation are not.",
		"Recall is that on the data that the classifier was measured with; that of your attacks is not in the records.",
	}
	if !given && !math.IsNaN(float64(r.PerDay)) {
		out = append(out, "Requests of a day are those of the records, over the days from the first to the last, one at least.")
	}
	return out
}

// WriteText prints the report with tables that align.
func (r *RecordsReport) WriteText(w io.Writer) error { return writeText(w, r.sections(), r.Notes) }

// WriteMarkdown prints the report under a heading of the given level, from 1.
func (r *RecordsReport) WriteMarkdown(w io.Writer, title string, level int) error {
	return writeMarkdown(w, title, level, r.Command, r.sections(), r.Notes)
}

func (r *RecordsReport) sections() []section {
	data := section{title: "Records", head: []string{"figure", "value"}, left: 1}
	data.row("exchanges", count(r.Exchanges))
	data.row("without a score", count(r.Without))
	data.row("from", r.First.UTC().Format(time.RFC3339))
	data.row("to", r.Last.UTC().Format(time.RFC3339))
	data.row("requests a day", daysOf(r.PerDay))
	if r.Damaged > 0 {
		data.row("records that could not be read", count(r.Damaged))
	}
	scores := section{
		title: "Scores", text: "Of exchanges that are taken as benign.",
		head: []string{"score", "direction", "guardrail", "exchanges", "left out", "median", "99 %", "99.9 %", "highest"}, left: 3,
	}
	budget := section{
		title: fmt.Sprintf("A budget of %s", r.Budget), text: "The lowest threshold that keeps to the budget on these records, beside the one in force.",
		head: []string{"score", "direction", "guardrail", "scores from", "false positives", "at most", "a day", "at most", "from now", "now", "a day now", "recall", "lost"}, left: 3,
	}
	for _, l := range r.Lines {
		scores.row(l.Score, l.Direction, l.Guardrail, count(l.Exchanges), count(l.Left), l.Median.String(), l.P99.String(), l.P999.String(), l.Most.String())
		if l.Fault != "" {
			budget.text += fmt.Sprintf(" %s, %s, %s: %s.", l.Score, l.Direction, l.Guardrail, l.Fault)
			continue
		}
		budget.row(l.Score, l.Direction, l.Guardrail, l.Threshold.String(), percent(l.FPR.Value()), percent(float64(l.High)), daysOf(l.PerDay), daysOf(l.MostDay),
			l.Present.String(), percent(l.Now.Value()), daysOf(l.NowDay), l.Recall.String(), l.Lost.String())
	}
	if len(r.Lines) == 0 {
		scores.text = "None of the exchanges has a score: no classifier of the guardrail gives any."
		return []section{data, scores}
	}
	return []section{data, scores, budget}
}
