package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math"
	"os"
	"slices"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/attack"
	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/textmodel"
	"github.com/ringwall/ringwall/internal/calibrate"
)

// judged is what a model that had not seen its source said of a text.
type judged struct {
	*example
	logits []float64
}

// judge has a model judge texts as the product does.
func judge(m *textmodel.Model, es []*example) []judged {
	out := make([]judged, len(es))
	halves(len(es), func(i int) {
		out[i] = judged{es[i], make([]float64, len(es[i].targets))}
		for o := range out[i].logits {
			out[i].logits[o] = math.Inf(-1)
		}
		m.Begin().Read([]byte(normalize.Fold(es[i].text)), 0, true, func(_, _ int, logits []float32) {
			for o, z := range logits {
				out[i].logits[o] = max(out[i].logits[o], float64(z))
			}
		})
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
		if err := lines.Encode(map[string]any{"source": j.source, "lang": j.lang, "kind": j.kind, "targets": j.targets, "logits": j.logits, "text": j.text}); err != nil {
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

// report says what rankings are worth.
func (t *task) report(js []judged) {
	for o := -1; o < len(t.outputs); o++ {
		name := "any"
		if o >= 0 {
			name = t.outputs[o]
		}
		if t.name == "attack" && o != 0 {
			continue
		}
		f := rank(of(js, o))
		log.Printf("  %-14s AUC %.4f  AP %.3f  recall %.3f at 1 %%, %.3f at 0.1 %%  (%d of %d)", name, f.auc, f.ap, f.at1, f.at01, f.yes, f.yes+f.no)
	}
}

// bySource says what share of the texts of each source is over the threshold that
// one of a hundred harmless texts passes.
func (t *task) bySource(js []judged) {
	o := -1
	if t.name == "attack" {
		o = 0
	}
	var no []float64
	for _, s := range of(js, o) {
		if !s.yes {
			no = append(no, s.logit)
		}
	}
	least := no[len(no)/100]
	type tally struct{ over, n int }
	all := map[string]*tally{}
	for _, j := range js {
		yes, z := slices.Max(j.targets) > 0, slices.Max(j.logits)
		if o >= 0 {
			yes, z = j.targets[o] > 0, j.logits[o]
		}
		key := j.source + " harmless"
		if yes {
			key = j.source
		}
		if all[key] == nil {
			all[key] = &tally{}
		}
		all[key].n++
		if z > least {
			all[key].over++
		}
	}
	keys := make([]string, 0, len(all))
	for k := range all {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		log.Printf("  %-40s %6d texts, %.3f over the threshold", k, all[k].n, float64(all[k].over)/float64(all[k].n))
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

// meaning is the score that a logit gets which a share of harmless texts reaches.
var meaning = []struct{ fpr, score float64 }{{0.5, 0.02}, {0.1, 0.1}, {0.02, 0.3}, {0.005, 0.5}, {0.001, 0.8}, {0.0002, 0.95}}

// calibrate chooses what the logits of output o mean, and measures what thresholds
// on that do. In the score of attacks the rules have their part.
func (t *task) calibrate(out *textmodel.Output, held []judged, o int) error {
	var no []float64 // logits, descending
	for _, s := range of(held, o) {
		if !s.yes {
			no = append(no, s.logit)
		}
	}
	if len(no) == 0 {
		return nil
	}
	round := func(x float64) float64 { return math.Round(x*1e4) / 1e4 }
	for _, m := range meaning {
		z := no[min(int(m.fpr*float64(len(no))), len(no)-1)]
		if n := len(out.Anchors); n > 0 {
			z = max(z, out.Anchors[n-1].Logit+0.01)
		}
		out.Anchors = append(out.Anchors, textmodel.Anchor{Logit: round(z), Score: m.score})
	}
	last := out.Anchors[len(out.Anchors)-1].Logit
	out.Anchors = append(out.Anchors, textmodel.Anchor{Logit: round(last + 3), Score: 0.999})

	var benign, positive []float64
	for _, j := range held {
		if j.weights[o] == 0 {
			continue
		}
		score := out.Score(j.logits[o])
		if out.Name == ringwall.ScoreAttack {
			score = max(score, ruled(j.text))
		}
		if score = math.Round(score*1e3) / 1e3; j.targets[o] > 0 {
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
		p.FPR, p.Recall = math.Round(p.FPR*1e5)/1e5, round(p.Recall)
	}
	return nil
}

// ruled returns how sure the rules are that a text is an attack.
func ruled(text string) (score float64) {
	cursor, _ := attack.Scanner{}.Begin(stream.Scope{Origin: ringwall.User})
	r := stream.New(stream.Config{
		Watches: []stream.Watch{{Control: attack.Control, Cursor: cursor}},
		Decide:  func(ringwall.Finding) ringwall.Action { return ringwall.Allow },
	})
	r.Text(text)
	for _, f := range r.Findings() {
		score = max(score, f.Score)
	}
	return score
}
