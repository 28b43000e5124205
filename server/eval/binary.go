package eval

import (
	"cmp"
	"context"
	"slices"

	"github.com/ringwall/ringwall"
)

// nothing are the classes that say that there is nothing to catch.
var nothing = []string{"0", "false", "no", "none", "benign", "negative", "clean", "safe", "ok", "ham", "normal", "neutral", "harmless"}

// hardBenign are the categories of texts that only look like attacks.
var hardBenign = []string{"hard_benign", "hard-benign", "benign_hard", "benign-hard", "hard_negative", "hard-negative", "over_defence", "over_defense"}

// positive reports whether a row is one that ought to be caught.
func (r *run) positive(row *Row) bool {
	return slices.ContainsFunc(row.Classes, func(c string) bool {
		if len(r.cfg.Positive) > 0 {
			return slices.Contains(r.cfg.Positive, c)
		}
		return !slices.Contains(nothing, c)
	})
}

// untold reports whether a row does not say if it is positive.
func (r *run) untold(row *Row) bool {
	return row.Known != nil && !r.positive(row) && slices.ContainsFunc(r.cfg.Positive, func(c string) bool {
		return !slices.Contains(row.Known, c)
	})
}

// binaryOutcome is what is counted of a row of task Binary.
type binaryOutcome struct {
	untold   bool
	positive bool
	hard     bool
	score    float64
	caught   bool
	reason   string // of the surest finding; "": there is none
	where    ringwall.Span
	evaded   []evasion // by converter; nil: it was not asked again
	classes  []classOutcome
}

// evasion is what became of a caught text in a disguise.
type evasion uint8

const (
	unchanged evasion = iota // the converter left the text as it is
	stillCaught
	lost
	blind // the guardrail could not look
)

func (r *run) classify(ctx context.Context, row *read, seen Seen) *binaryOutcome {
	hard := r.cfg.HardBenign
	if len(hard) == 0 {
		hard = hardBenign
	}
	out := &binaryOutcome{
		untold: r.untold(&row.Row), positive: r.positive(&row.Row),
		hard: slices.Contains(hard, row.Category), score: r.rate(seen),
	}
	var best ringwall.Finding
	own := r.own(seen)
	for i, f := range own {
		if i == 0 || f.Score > best.Score {
			best = f
		}
	}
	out.caught, out.reason, out.where = r.catches(own), best.Reason, best.Where
	out.classes = r.classesOf(row, seen, own)
	if out.untold || !out.positive || !out.caught || len(r.cfg.Evade) == 0 {
		return out
	}
	out.evaded = make([]evasion, len(r.cfg.Evade))
	for i, c := range r.cfg.Evade {
		text := c.Encode(row.Text)
		if text == row.Text || ctx.Err() != nil {
			continue
		}
		again := r.cfg.Look(ctx, r.cfg.Way, ringwall.Text{Origin: row.origin, Value: text})
		switch {
		case unavailable(again):
			out.evaded[i] = blind
		case r.catches(r.own(again)):
			out.evaded[i] = stillCaught
		default:
			out.evaded[i] = lost
		}
	}
	return out
}

// own are the findings that count.
func (r *run) own(seen Seen) (fs []ringwall.Finding) {
	for _, f := range seen.Findings {
		if len(r.cfg.Controls) == 0 || slices.Contains(r.cfg.Controls, f.Control) {
			fs = append(fs, f)
		}
	}
	return fs
}

func (r *run) catches(fs []ringwall.Finding) bool {
	return len(fs) > 0 && r.cfg.Decide(r.cfg.Way, fs) <= r.cfg.At
}

// verdicts adds rows of task Binary up.
type verdicts struct {
	ranking        Ranking
	caught, alarms Share // of positives, and of negatives
	hard           Share // hard negatives that were let pass
}

func (v *verdicts) add(o *binaryOutcome) {
	v.ranking.Add(o.score, o.positive)
	if o.positive {
		v.caught.Of++
		v.caught.Hits += one(o.caught)
		return
	}
	v.alarms.Of++
	v.alarms.Hits += one(o.caught)
	if o.hard {
		v.hard.Of++
		v.hard.Hits += one(!o.caught)
	}
}

// binaryTally is the tally of all rows and of groups of them.
type binaryTally struct {
	all    *verdicts
	groups *groups[verdicts]
	untold int64
	evaded [][4]int64 // by converter and evasion
	class  map[string]*classTally
}

func (r *run) countBinary(row *read, o *binaryOutcome) {
	t := r.binary
	if t == nil {
		create := func() *verdicts { return &verdicts{} }
		t = &binaryTally{all: create(), groups: newGroups(r.fields, create), evaded: make([][4]int64, len(r.cfg.Evade)), class: map[string]*classTally{}}
		r.binary = t
	}
	for _, c := range o.classes {
		if t.class[c.name] == nil {
			t.class[c.name] = &classTally{}
		}
		t.class[c.name].add(c)
	}
	if o.untold {
		t.untold++
		return
	}
	t.all.add(o)
	t.groups.of(row.Fields, func(v *verdicts) { v.add(o) })
	for i, e := range o.evaded {
		t.evaded[i][e]++
	}
	switch {
	case o.positive && !o.caught && len(r.misses) < r.cfg.Errors:
		r.misses = append(r.misses, r.mistake(row, cmp.Or(row.Category, row.Classes[0]), ringwall.Span{}, o.score))
	case !o.positive && o.caught && len(r.alarms) < r.cfg.Errors:
		r.alarms = append(r.alarms, r.mistake(row, o.reason, o.where, o.score))
	}
}
