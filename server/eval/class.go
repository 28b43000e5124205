package eval

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/calibrate"
)

// Harm is the score that is the highest of all categories of harm.
const Harm = "harm"

// harms are the scores of categories of harm.
func harms() []string {
	return slices.DeleteFunc(ringwall.ScoreNames(), func(s string) bool { return s == ringwall.ScoreAttack })
}

// classKey is the name of the score for a class of that name.
func classKey(class string) string { return strings.ReplaceAll(class, "-", "_") }

// scoreOf is the score that ranks rows such as this one.
func scoreOf(row *Row) string {
	for _, class := range slices.Concat(row.Classes, row.Known) {
		if slices.Contains(harms(), classKey(class)) {
			return Harm
		}
	}
	return ringwall.ScoreAttack
}

// rate is the score that rows are ranked by.
func (r *run) rate(seen Seen) (score float64) {
	if r.score != Harm {
		return seen.Scores[r.score]
	}
	for _, name := range harms() {
		score = max(score, seen.Scores[name])
	}
	return score
}

// ScoreOf is the score that a finding is one of, "" if of none.
func ScoreOf(f ringwall.Finding) string {
	switch f.Control {
	case "inference/prompt-attack":
		return ringwall.ScoreAttack
	case "inference/content":
		return classKey(f.Reason)
	case "inference/topic":
		return "topic:" + f.Reason
	}
	return ""
}

// classOutcome is what a row says of one class.
type classOutcome struct {
	name     string // of its score
	positive bool
	score    float64
	caught   bool // by a finding of this class
}

// classesOf is what a row says of each class. A row that tells of some classes is
// a negative of those alone; one that does not say, of all if it is of none.
func (r *run) classesOf(row *read, seen Seen, own []ringwall.Finding) (out []classOutcome) {
	is, told := map[string]bool{}, map[string]bool{}
	for _, c := range row.Classes {
		if name := r.class(c); name != "" {
			is[name] = true
		}
	}
	for _, c := range row.Known {
		told[r.class(c)] = true
	}
	names := ringwall.ScoreNames()
	for _, more := range slices.Sorted(maps.Keys(is)) {
		if !slices.Contains(names, more) {
			names = append(names, more)
		}
	}
	for _, name := range names {
		if !is[name] && (row.Known != nil && !told[name] || row.Known == nil && len(is) > 0) {
			continue
		}
		c := classOutcome{name: name, positive: is[name], score: seen.Scores[name]}
		var of []ringwall.Finding
		for _, f := range own {
			if ScoreOf(f) == name {
				of = append(of, f)
			}
		}
		c.caught = r.catches(of)
		out = append(out, c)
	}
	return out
}

// class is the score that a label is about, "" if it says that there is nothing.
func (r *run) class(label string) string {
	name := classKey(label)
	switch {
	case slices.Contains(ringwall.ScoreNames(), name) || strings.HasPrefix(label, "topic:"):
		return name
	case slices.Contains(nothing, label) || len(r.cfg.Positive) > 0 && !slices.Contains(r.cfg.Positive, label), r.score == Harm:
		return ""
	}
	return r.score
}

// classTally adds rows of one class up.
type classTally struct {
	ranking        Ranking
	caught, alarms Share
}

func (t *classTally) add(c classOutcome) {
	t.ranking.Add(c.score, c.positive)
	if c.positive {
		t.caught.Of++
		t.caught.Hits += one(c.caught)
		return
	}
	t.alarms.Of++
	t.alarms.Hits += one(c.caught)
}

// ClassLine are the figures of one class: its score against the rows that tell of
// it.
type ClassLine struct {
	Name             string `json:"name"`
	AUC              Number `json:"auc"`
	AveragePrecision Number `json:"average_precision"`
	At1              Cut    `json:"at_fpr_1_percent"`
	At01             Cut    `json:"at_fpr_0.1_percent"`
	Verdicts                // of findings of this class alone

	Budget *BudgetLine `json:"budget,omitempty"`
}

// BudgetLine is what a budget of false positives means for a class.
type BudgetLine struct {
	Budget    calibrate.Budget `json:"budget"`
	Fault     string           `json:"fault,omitempty"` // why there is no threshold; then the rest says nothing
	Threshold Number           `json:"threshold"`
	FPR       Share            `json:"fpr"`
	Low       Number           `json:"fpr_low"` // by Clopper and Pearson, 95 %
	High      Number           `json:"fpr_high"`
	Recall    Share            `json:"recall"`
	Lost      Number           `json:"recall_lost"` // against what the guardrail decides now; below 0: won
	PerDay    Number           `json:"false_positives_per_day"`
	MostDay   Number           `json:"false_positives_per_day_high"`
	NowDay    Number           `json:"false_positives_per_day_now"`
}

// classLines are the figures of the classes that the data tells of. Without a
// budget a single class that is that of all figures says nothing new.
func (r *run) classLines() (out []ClassLine) {
	for _, name := range slices.Sorted(maps.Keys(r.binary.class)) {
		t := r.binary.class[name]
		if t.caught.Of == 0 && name != r.score {
			continue
		}
		recall, threshold := t.ranking.RecallAt(0.01)
		rare, high := t.ranking.RecallAt(0.001)
		l := ClassLine{
			Name: name, AUC: Number(t.ranking.AUC()), AveragePrecision: Number(t.ranking.AveragePrecision()),
			At1: Cut{recall, Number(threshold), t.alarms.Of / 100}, At01: Cut{rare, Number(high), t.alarms.Of / 1000},
			Verdicts: Verdicts{t.caught, t.alarms},
		}
		if r.cfg.Budget > 0 {
			l.Budget = t.budget(r.cfg.Budget, r.cfg.PerDay)
		}
		out = append(out, l)
	}
	if len(out) == 1 && out[0].Name == r.score && r.cfg.Budget == 0 {
		return nil
	}
	return out
}

func (t *classTally) budget(b calibrate.Budget, perDay float64) *BudgetLine {
	nan := Number(math.NaN())
	l := &BudgetLine{Budget: b, Threshold: nan, Low: nan, High: nan, Lost: nan, PerDay: nan, MostDay: nan, NowDay: nan}
	c, err := t.ranking.Curve()
	if err == nil {
		var p calibrate.Point
		p, err = c.Threshold(b)
		l.Threshold = Number(p.Score)
	}
	if err != nil {
		l.Fault, l.Threshold = err.Error(), nan
		return l
	}
	l.FPR, l.Recall = t.ranking.Above(float64(l.Threshold))
	low, high := calibrate.Bounds(l.FPR.Hits, l.FPR.Of, 0.95)
	l.Low, l.High = Number(low), Number(high)
	l.Lost = Number(t.caught.Value() - l.Recall.Value())
	if perDay > 0 {
		l.PerDay, l.MostDay, l.NowDay = Number(l.FPR.Value()*perDay), Number(high*perDay), Number(t.alarms.Value()*perDay)
	}
	return l
}

// Curve is what thresholds do to the rows that were added.
func (r *Ranking) Curve() (calibrate.Curve, error) {
	if r.total[0] == 0 {
		return calibrate.Curve{}, calibrate.ErrNoScores
	}
	c := calibrate.Curve{Benign: int(r.total[0]), Positive: int(r.total[1])}
	var fp, tp int64
	r.steps(func(score float64, neg, pos int64) {
		fp, tp = fp+neg, tp+pos
		p := calibrate.Point{Score: score, FPR: float64(fp) / float64(r.total[0])}
		if r.total[1] > 0 {
			p.Recall = float64(tp) / float64(r.total[1])
		}
		if !math.IsInf(score, 0) {
			c.Points = append(c.Points, p)
		}
	})
	slices.Reverse(c.Points)
	return c, nil
}

func classSections(lines []ClassLine) (out []section) {
	if len(lines) == 0 {
		return nil
	}
	s := section{
		title: "By class", text: "Each class by its own score, against the rows that tell of it. Caught and false positives are the guardrail's own decision, by findings of the class.",
		head: []string{"class", "positive", "negative", "AUC", "average precision", "recall at 1 %", "recall at 0.1 %", "caught", "false positives"}, left: 1,
	}
	for _, l := range lines {
		s.row(l.Name, count(l.Recall.Of), count(l.FalseAlarms.Of), l.AUC.String(), l.AveragePrecision.String(), l.At1.Recall.String(), l.At01.Recall.String(), l.Recall.String(), l.FalseAlarms.String())
	}
	out = append(out, s)
	if lines[0].Budget == nil {
		return out
	}
	b := section{
		title: fmt.Sprintf("A budget of %s", lines[0].Budget.Budget), text: "The lowest threshold of each class that keeps to the budget on these rows, and what it does to them.",
		head: []string{"class", "scores from", "false positives", "95 % interval", "recall", "recall now", "lost"}, left: 1,
	}
	daily := slices.ContainsFunc(lines, func(l ClassLine) bool { return !math.IsNaN(float64(l.Budget.PerDay)) })
	if daily {
		b.head = append(b.head, "false positives a day", "at most", "now")
	}
	for _, l := range lines {
		x := l.Budget
		if x.Fault != "" {
			b.text += fmt.Sprintf(" %s: %s.", l.Name, x.Fault)
			continue
		}
		row := []string{
			l.Name, fmt.Sprintf("%.4g", float64(x.Threshold)), percent(x.FPR.Value()), percent(float64(x.Low)) + "–" + percent(float64(x.High)),
			Number(x.Recall.Value()).String(), Number(l.Recall.Value()).String(), x.Lost.String(),
		}
		if daily {
			row = append(row, daysOf(x.PerDay), daysOf(x.MostDay), daysOf(x.NowDay))
		}
		b.row(row...)
	}
	return append(out, b)
}

// percent prints a share of false positives.
func percent(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.3g %%", 100*v)
}

// daysOf prints so many a day.
func daysOf(n Number) string {
	if math.IsNaN(float64(n)) {
		return "–"
	}
	return fmt.Sprintf("%.1f", float64(n))
}

// classNotes say how classes and budgets were counted.
func (r *run) classNotes() (out []string) {
	if r.binary == nil || len(r.classLines()) == 0 {
		return nil
	}
	out = append(out, "A row that tells of some classes only (known) is a negative of those alone; one of another class that does not say which others it might be of is none of theirs.")
	if r.cfg.Budget > 0 {
		out = append(out, "A threshold keeps to a budget when the false positives and one more are within it, so that of n negatives no budget below 1/(n+1) can be promised. It holds for texts like these: those of other sources may score otherwise. The interval is Clopper and Pearson's.")
	}
	return out
}
