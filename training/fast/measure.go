package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/attack"
	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/stream/meaning"
	"github.com/ringwall/ringwall/guard/textmodel"
	"github.com/ringwall/ringwall/internal/calibrate"
)

// judged is what a model that had not seen its source said of a text: the highest
// logits of its windows, by output, of those that are strange and of the others.
type judged struct {
	*example
	logits  []float64
	usual   []float64
	strange []float64
	ruled   float64 // how sure the rules are that it is an attack
}

// judge has a model judge texts as the product does.
func judge(m *textmodel.Model, es []*example) []judged {
	out := make([]judged, len(es))
	halves(len(es), func(i int) {
		none := slices.Repeat([]float64{math.Inf(-1)}, len(es[i].targets))
		j := judged{example: es[i], logits: slices.Clone(none), usual: slices.Clone(none), strange: none}
		n := 0
		c := m.Begin()
		c.Reset(es[i].data())
		c.Read([]byte(normalize.Fold(es[i].text)), 0, true, func(w textmodel.Judgement) {
			into := j.usual
			if w.Strange {
				into = j.strange
			}
			for o, z := range w.Logits {
				z := float64(z) - meaning.Discount(n)
				into[o] = max(into[o], z)
				j.logits[o] = max(j.logits[o], z)
			}
			n++
		})
		out[i] = j
	})
	return out
}

// write writes what became of texts, for a closer look.
func write(path string, js []judged) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	lines := json.NewEncoder(f)
	for _, j := range js {
		if err := lines.Encode(map[string]any{"source": j.source, "lang": j.lang, "kind": j.kind, "targets": j.targets, "scores": j.logits, "text": j.text}); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}

// scored is a logit and whether it should be high.
type scored struct {
	logit float64
	yes   bool
}

// of returns what is known of output o, the highest logits first. An output of -1
// is any of them.
func of(js []judged, o int) (out []scored) {
	for _, j := range js {
		switch {
		case o >= 0 && j.weights[o] > 0:
			out = append(out, scored{j.logits[o], j.targets[o] > 0})
		case o < 0:
			out = append(out, scored{slices.Max(j.logits), slices.Max(j.targets) > 0})
		}
	}
	slices.SortStableFunc(out, func(a, b scored) int { return cmp.Compare(b.logit, a.logit) })
	return out
}

// figures are what a ranking is worth.
type figures struct {
	yes, no            int
	auc, ap, at1, at01 float64
}

func rank(ss []scored) (f figures) {
	for _, s := range ss {
		if s.yes {
			f.yes++
		} else {
			f.no++
		}
	}
	if f.yes == 0 || f.no == 0 {
		return f
	}
	yes, no := 0, 0
	for _, s := range ss {
		if s.yes {
			yes++
			f.ap += float64(yes) / float64(yes+no)
			if float64(no) <= 0.01*float64(f.no) {
				f.at1++
			}
			if float64(no) <= 0.001*float64(f.no) {
				f.at01++
			}
		} else {
			no++
			f.auc += float64(yes)
		}
	}
	n := float64(f.yes)
	f.auc, f.ap, f.at1, f.at01 = f.auc/n/float64(f.no), f.ap/n, f.at1/n, f.at01/n
	return f
}

// report says what rankings are worth: a line for each output that is measured.
func (t *task) report(w io.Writer, js []judged) {
	fmt.Fprintln(w, "| | texts | of these so | AUC | average precision | recall at 1 % false positives | at 0.1 % |\n|---|---|---|---|---|---|---|")
	for o := -1; o < len(t.outputs); o++ {
		name := "any"
		if o >= 0 {
			name = t.outputs[o]
		}
		if t.name == "attack" && o != 0 {
			continue
		}
		f := rank(of(js, o))
		if f.yes == 0 || f.no == 0 {
			continue
		}
		row := func(name string, f figures) {
			fmt.Fprintf(w, "| %s | %d | %d | %.3f | %.3f | %.3f | %.3f |\n", name, f.yes+f.no, f.yes, f.auc, f.ap, f.at1, f.at01)
		}
		row(name, f)
		if both, any := withRules(js); any {
			row(name+", with the rules", rank(of(both, o)))
		}
	}
}

// withRules returns what the model and the rules together say of texts, and whether
// the rules said anything.
func withRules(js []judged) (both []judged, any bool) {
	both = slices.Clone(js)
	for i := range both {
		j := &both[i]
		any = any || j.ruled > 0
		j.logits = slices.Clone(j.logits)
		j.logits[0] = max(j.logits[0], j.ruled)
	}
	return both, any
}

// recalibrate makes logits of all windows comparable, with each other and with what
// the rules say: those of strange windows are as high as those of others that mean
// the same.
func (t *task) recalibrate(js []judged) {
	for o := range t.outputs {
		out := textmodel.Output{
			Anchors: anchors(js, o, func(j judged) float64 { return j.usual[o] }),
			Strange: anchors(js, o, func(j judged) float64 { return j.strange[o] }),
		}
		for i := range js {
			js[i].logits[o] = scoreOf(&out, &js[i], o)
		}
	}
	if t.name == "attack" {
		halves(len(js), func(i int) { js[i].ruled = ruled(js[i].example) })
	}
}

// bySource says what share of the texts of each source is over the threshold that
// one of a hundred harmless texts passes.
func (t *task) bySource(w io.Writer, js []judged) {
	o := -1
	if t.name == "attack" {
		o = 0
	}
	js, _ = withRules(js)
	var no []float64
	for _, s := range of(js, o) {
		if !s.yes {
			no = append(no, s.logit)
		}
	}
	least := no[len(no)/100]
	type tally struct{ over, n [2]int } // of harmless texts, and of the others
	all := map[string]*tally{}
	for _, j := range js {
		yes, z := slices.Max(j.targets) > 0, slices.Max(j.logits)
		if o >= 0 {
			yes, z = j.targets[o] > 0, j.logits[o]
		}
		if all[j.source] == nil {
			all[j.source] = &tally{}
		}
		of := 0
		if yes {
			of = 1
		}
		all[j.source].n[of]++
		if z > least {
			all[j.source].over[of]++
		}
	}
	share := func(over, n int) string {
		if n == 0 {
			return "–"
		}
		return fmt.Sprintf("%.3f of %d", float64(over)/float64(n), n)
	}
	fmt.Fprintln(w, "\n| source | found | harmless, and taken for it |\n|---|---|---|")
	for _, k := range slices.Sorted(maps.Keys(all)) {
		a := all[k]
		fmt.Fprintf(w, "| %s | %s | %s |\n", k, share(a.over[1], a.n[1]), share(a.over[0], a.n[0]))
	}
}

// info describes the model, with the scores that its logits mean.
func (t *task) info(held []judged, trained string) (textmodel.Info, error) {
	info := textmodel.Info{Name: t.name, Trained: trained}
	for o, name := range t.outputs {
		out := textmodel.Output{Name: name}
		if len(held) > 0 {
			if err := t.calibrate(&out, held, o); err != nil {
				return info, fmt.Errorf("%s: %w", name, err)
			}
		}
		info.Outputs = append(info.Outputs, out)
	}
	return info, nil
}

// meanings are the scores that a logit gets which a share of harmless texts reaches.
var meanings = []struct{ fpr, score float64 }{{0.5, 0.02}, {0.1, 0.1}, {0.02, 0.3}, {0.005, 0.5}, {0.001, 0.8}, {0.0002, 0.95}}

// calibrate chooses what the logits of output o mean, and measures what thresholds
// on that do. In the score of attacks the rules have their part.
func (t *task) calibrate(out *textmodel.Output, held []judged, o int) error {
	out.Anchors = anchors(held, o, func(j judged) float64 { return j.usual[o] })
	out.Strange = anchors(held, o, func(j judged) float64 { return j.strange[o] })
	var benign, positive []float64
	for _, j := range held {
		if j.weights[o] == 0 {
			continue
		}
		score := math.Round(1e3*scoreOf(out, &j, o)) / 1e3
		if o == 0 {
			score = max(score, j.ruled)
		}
		if j.targets[o] > 0 {
			positive = append(positive, score)
		} else {
			benign = append(benign, score)
		}
	}
	c, err := calibrate.New(benign, positive)
	if err != nil {
		return err
	}
	out.Curve = c.Reduced()
	for i := range out.Curve.Points {
		p := &out.Curve.Points[i]
		p.FPR, p.Recall = round(p.FPR, 1e5), round(p.Recall, 1e4)
	}
	return nil
}

// anchors chooses what the logits of harmless texts mean, of those that have any.
func anchors(held []judged, o int, logit func(judged) float64) (as []textmodel.Anchor) {
	var no []float64 // descending
	for _, j := range held {
		if z := logit(j); j.weights[o] > 0 && j.targets[o] == 0 && !math.IsInf(z, 0) {
			no = append(no, -z)
		}
	}
	if len(no) == 0 {
		return nil
	}
	slices.Sort(no)
	for _, m := range meanings {
		z := -no[min(int(m.fpr*float64(len(no))), len(no)-1)]
		if len(as) > 0 {
			z = max(z, as[len(as)-1].Logit+0.01)
		}
		as = append(as, textmodel.Anchor{Logit: round(z, 1e4), Score: m.score})
	}
	return append(as, textmodel.Anchor{Logit: round(as[len(as)-1].Logit+3, 1e4), Score: 0.999})
}

func round(x, parts float64) float64 { return math.Round(x*parts) / parts }

// scoreOf returns the score of a text.
func scoreOf(out *textmodel.Output, j *judged, o int) (score float64) {
	if z := j.usual[o]; !math.IsInf(z, 0) {
		score = meaning.Score(out, z, false)
	}
	if z := j.strange[o]; !math.IsInf(z, 0) {
		score = max(score, meaning.Score(out, z, true))
	}
	return score
}

// ruled returns how sure the rules are that a text is an attack.
func ruled(e *example) (score float64) {
	origin := ringwall.User
	if e.data() {
		origin = ringwall.Retrieved
	}
	cursor, _ := attack.Scanner{}.Begin(stream.Scope{Origin: origin})
	r := stream.New(stream.Config{
		Watches: []stream.Watch{{Control: attack.Control, Cursor: cursor}},
		Decide:  func(ringwall.Finding) ringwall.Action { return ringwall.Allow },
	})
	r.Text(e.text)
	for _, f := range r.Findings() {
		score = max(score, f.Score)
	}
	return score
}
