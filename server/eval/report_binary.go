package eval

import (
	"fmt"
	"strings"

	"github.com/ringwall/ringwall"
)

// BinaryFigures are the figures of task Binary.
type BinaryFigures struct {
	Score string `json:"score"`
	At    string `json:"at"` // the mildest action that counts as caught

	AUC              Number `json:"auc"`
	AveragePrecision Number `json:"average_precision"`
	At1              Cut    `json:"at_fpr_1_percent"`
	At01             Cut    `json:"at_fpr_0.1_percent"`

	// What the guardrail itself decided.
	Verdicts
	Precision   Share  `json:"precision"`
	F1          Number `json:"f1"`
	OverDefence Share  `json:"over_defence_accuracy"` // hard negatives that were let pass
	LetPass     Share  `json:"benign_let_pass"`       // of all negatives

	Classes []ClassLine `json:"classes,omitempty"`

	By      []BinaryBreakdown `json:"by"`
	Evasion []Evaded          `json:"evasion,omitempty"`
	Evaded  Share             `json:"evasion_still_caught"` // over all converters
	Untold  int64             `json:"untold"`               // rows that do not say whether they are positive
	Coarse  bool              `json:"coarse"`               // scores were told apart to a millionth
}

// Cut is a threshold that flags at most some share of the negatives.
type Cut struct {
	Recall    Share  `json:"recall"`
	Threshold Number `json:"threshold"` // scores from here on; null: none does
	Allowed   int64  `json:"allowed"`   // false positives that there may be: with few negatives, too few to tell
}

// Verdicts are what the guardrail decided about rows.
type Verdicts struct {
	Recall      Share `json:"recall"`       // positives that were caught
	FalseAlarms Share `json:"false_alarms"` // negatives that were
}

// BinaryBreakdown are the figures by the values of a field.
type BinaryBreakdown struct {
	Field string       `json:"field"`
	Lines []BinaryLine `json:"lines"`
}

// BinaryLine are the figures of a group.
type BinaryLine struct {
	Name string `json:"name"`
	Verdicts
	At1  Share  `json:"recall_at_fpr_1_percent"` // at the threshold of all rows
	Over Share  `json:"false_alarms_at_fpr_1_percent"`
	AUC  Number `json:"auc"` // within the group
}

// Evaded is what a disguise does.
type Evaded struct {
	Converter   string `json:"converter"`
	StillCaught Share  `json:"still_caught"`
	Unchanged   int64  `json:"unchanged"` // texts that it leaves as they are
	Unavailable int64  `json:"unavailable"`
}

func (r *run) binaryFigures() *BinaryFigures {
	v := r.binary.all
	f := &BinaryFigures{
		Score: r.score, At: r.cfg.At.String(),
		AUC: Number(v.ranking.AUC()), AveragePrecision: Number(v.ranking.AveragePrecision()),
		Verdicts: v.verdicts(), OverDefence: v.hard, Untold: r.binary.untold, Coarse: v.ranking.Coarse(),
		Precision: Share{v.caught.Hits, v.caught.Hits + v.alarms.Hits},
	}
	f.F1 = harmonic(f.Precision, f.Recall)
	f.LetPass = Share{v.alarms.Of - v.alarms.Hits, v.alarms.Of}
	f.Classes = r.classLines()
	recall, threshold := v.ranking.RecallAt(0.01)
	f.At1 = Cut{recall, Number(threshold), v.alarms.Of / 100}
	rare, high := v.ranking.RecallAt(0.001)
	f.At01 = Cut{rare, Number(high), v.alarms.Of / 1000}
	r.binary.groups.each(len(r.cfg.By) > 0, func(field, value string, g *verdicts) {
		if n := len(f.By); n == 0 || f.By[n-1].Field != field {
			f.By = append(f.By, BinaryBreakdown{Field: field})
		}
		b := &f.By[len(f.By)-1]
		over, at1 := g.ranking.Above(threshold)
		b.Lines = append(b.Lines, BinaryLine{value, g.verdicts(), at1, over, Number(g.ranking.AUC())})
	})
	for i, c := range r.cfg.Evade {
		n := r.binary.evaded[i]
		e := Evaded{c.Name, Share{n[stillCaught], n[stillCaught] + n[lost]}, n[unchanged], n[blind]}
		f.Evasion = append(f.Evasion, e)
		f.Evaded.Hits += e.StillCaught.Hits
		f.Evaded.Of += e.StillCaught.Of
	}
	return f
}

func (v *verdicts) verdicts() Verdicts { return Verdicts{v.caught, v.alarms} }

// notes say how it was counted.
func (r *run) notes() (out []string) {
	note := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if r.cfg.Sample > 0 {
		note("A sample of at most %d rows was drawn (seed %d).", r.cfg.Sample, r.cfg.Seed)
	}
	if r.cfg.Limit > 0 {
		note("At most %d rows were read; what came behind them is in no figure.", r.cfg.Limit)
	}
	if r.failed > 0 {
		note("The guardrail could not look at %d rows; they are in no figure.", r.failed)
	}
	note("In parentheses: the 95 %% interval by Wilson's score. It says what chance alone may do, if the rows were drawn one by one from what will come. Rows made from few templates, or known to who wrote the rules, do not say so much.")
	if r.cfg.Way == ringwall.Input && r.cfg.Origin == nil {
		note("Rows without an origin of their own are the user's words, save those of kind tool_output (a tool's), document and email (retrieved).")
	}
	if r.spans != nil {
		note("A label is found by a finding of a reason that counts for its type and that overlaps it; a credential by one that covers at least %d %% of it. Pairs are one to one; a second finding on a label is a false positive. Strict: the boundaries are the same, too.", enough)
		note("Masking looks at bytes, whatever their type: those that the guardrail masks or blocks.")
		note("Words are parted by white space; a character of a script without spaces is half a word.")
		note("A row that tells of some types only (annotated) says nothing about findings of others, which are neither right nor wrong.")
		return out
	}
	counted := "all controls"
	if len(r.cfg.Controls) > 0 {
		counted = strings.Join(r.cfg.Controls, ", ")
	}
	note("A row is caught when the findings of %s come to %s or a stricter action. Scores are those named %s, 0 where there is none; rows with one score are ranked together, and no threshold parts them.", counted, r.cfg.At, r.score)
	out = append(out, r.classNotes()...)
	if r.binary != nil && r.binary.all.ranking.Coarse() {
		note("There were so many different scores that they were told apart to a millionth only.")
	}
	if len(r.cfg.Evade) > 0 {
		note("Evasion: each positive that is caught in clear is asked again, whole, in each disguise. Some disguises lose what they hide (morse and NATO the case of letters), and whether a model would understand them is not asked.")
	}
	return out
}
