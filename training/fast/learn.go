package main

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/ringwall/ringwall/guard/textmodel"
	"github.com/ringwall/ringwall/internal/wordvec"
)

// shape says how large a model is and how it learns.
type shape struct {
	filters, taps, hidden int
	wides                 int // outputs that the wide half speaks to: the first
	batches, batch        int
	rate                  float64 // of Adam, at the most
	wideRate              float64 // of AdaGrad
	wideDecay             float64
	dropout               float64 // of strongest answers
	unknown               float64 // share of pieces that are made unknown
	alone                 float64 // share of texts that only one half of the model sees
	sources               int     // a wide feature stands in texts of so many sources
}

// learner holds a model while it learns.
type learner struct {
	shape
	words   *wordvec.Table
	vectors [][]float32
	outputs int
	rng     *rand.Rand

	filter, bias, hidden, hbias, out, obias *tensor
	wide                                    []float32 // by feature, output
	slope                                   []float32 // sums of squares, for AdaGrad
	feats                                   []uint64  // hashes of the features

	row   []int32 // of a piece in this batch; -1: none
	used  []int32 // pieces in this batch
	table [][]float32
	grad  [][]float32
}

// tensor is a parameter and what Adam knows of it.
type tensor struct {
	x, g, m, v []float32
	decay      float32
}

func newTensor(n int, decay float32, fill func() float32) *tensor {
	t := &tensor{make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n), decay}
	if fill != nil {
		for i := range t.x {
			t.x[i] = fill()
		}
	}
	return t
}

// newLearner prepares a model with outputs for features that are given by their
// hashes.
func newLearner(s shape, words *wordvec.Table, outputs int, feats []uint64, seed uint64) *learner {
	l := &learner{
		shape: s, words: words, outputs: outputs, feats: feats,
		rng:  rand.New(rand.NewPCG(seed, 1)), //nolint:gosec // it must be the same each time
		wide: make([]float32, len(feats)*s.wides), slope: make([]float32, len(feats)*s.wides),
		row: make([]int32, words.Len()),
	}
	dim := words.Dim()
	var sum float64
	for id := range int32(words.Len()) {
		v := make([]float32, dim)
		for i, q := range words.Vector(id) {
			v[i] = float32(q) * words.Scale()
			sum += float64(v[i]) * float64(v[i])
		}
		l.vectors = append(l.vectors, v)
	}
	one := float32(1 / math.Sqrt(sum/float64(words.Len()*dim)))
	for _, v := range l.vectors {
		for i := range v {
			v[i] *= one
		}
	}
	normal := func(scale float64) func() float32 {
		return func() float32 { return float32(l.rng.NormFloat64() * scale) }
	}
	const decay = 2e-5
	l.filter = newTensor(s.taps*dim*s.filters, decay, normal(1/math.Sqrt(float64(s.taps*dim))))
	l.bias = newTensor(s.filters, 0, nil)
	l.hidden = newTensor(s.hidden*(s.filters+1), decay, normal(1/math.Sqrt(float64(s.filters))))
	l.hbias = newTensor(s.hidden, 0, nil)
	l.out = newTensor(outputs*s.hidden, decay, normal(1/math.Sqrt(float64(s.hidden))))
	l.obias = newTensor(outputs, 0, nil)
	for i := range l.row {
		l.row[i] = -1
	}
	return l
}

// learn shows the model batches of texts. After each it calls progress, which may
// change what is drawn.
func (l *learner) learn(draw func(*rand.Rand) *example, progress func(step int)) {
	batch := make([]*pass, l.batch)
	for i := range batch {
		batch[i] = newPass(l)
	}
	for step := 1; step <= l.batches; step++ {
		for _, p := range batch {
			p.take(draw(l.rng))
		}
		l.rows()
		halves(len(batch), func(i int) { batch[i].forward(); batch[i].backward() })
		for _, p := range batch {
			p.collect()
		}
		l.backward()
		l.adam(step)
		l.adagrad(batch, step)
		for _, id := range l.used {
			l.row[id] = -1
		}
		l.used = l.used[:0]
		progress(step)
	}
}

// halves runs do for 0 to n-1 on two cores.
func halves(n int, do func(int)) {
	var wg sync.WaitGroup
	for half := range 2 {
		wg.Go(func() {
			for i := half; i < n; i += 2 {
				do(i)
			}
		})
	}
	wg.Wait()
}

// use returns the row of a piece in this batch.
func (l *learner) use(id int32) int32 {
	if l.row[id] < 0 {
		l.row[id] = int32(len(l.used))
		l.used = append(l.used, id)
	}
	return l.row[id]
}

// rows computes what the filters answer to the pieces of the batch.
func (l *learner) rows() {
	width := l.taps * l.filters
	for len(l.table) < len(l.used) {
		l.table = append(l.table, make([]float32, width))
		l.grad = append(l.grad, make([]float32, width))
	}
	halves(len(l.used), func(i int) {
		clear(l.grad[i])
		l.answer(l.table[i], l.used[i])
	})
}

// answer computes what the filters answer to a piece at each tap.
func (l *learner) answer(into []float32, id int32) {
	clear(into)
	dim, k := len(l.vectors[id]), l.filters
	for tap := range l.taps {
		row := into[tap*k : tap*k+k]
		for i, x := range l.vectors[id] {
			w := l.filter.x[(tap*dim+i)*k:][:k]
			for j := range row {
				row[j] += x * w[j]
			}
		}
	}
}

// backward turns the slopes of the answers into those of the filters.
func (l *learner) backward() {
	k := l.filters
	halves(l.taps, func(tap int) {
		for u, id := range l.used {
			g := l.grad[u][tap*k : tap*k+k]
			if !slices.ContainsFunc(g, func(x float32) bool { return x != 0 }) {
				continue
			}
			dim := len(l.vectors[id])
			for i, x := range l.vectors[id] {
				w := l.filter.g[(tap*dim+i)*k:][:k]
				for j := range w {
					w[j] += x * g[j]
				}
			}
		}
	})
}

// adam moves the dense parameters (Kingma and Ba 2015), the faster the earlier.
func (l *learner) adam(step int) {
	const b1, b2 = 0.9, 0.99
	rate := l.pace(step, l.rate)
	c1, c2 := 1-math.Pow(b1, float64(step)), 1-math.Pow(b2, float64(step))
	for _, t := range []*tensor{l.filter, l.bias, l.hidden, l.hbias, l.out, l.obias} {
		for i, g := range t.g {
			g = g/float32(l.batch) + t.decay*t.x[i]
			t.m[i] = b1*t.m[i] + (1-b1)*g
			t.v[i] = b2*t.v[i] + (1-b2)*g*g
			t.x[i] -= float32(rate * float64(t.m[i]) / c1 / (math.Sqrt(float64(t.v[i])/c2) + 1e-8))
		}
		clear(t.g)
	}
}

func (l *learner) pace(step int, most float64) float64 {
	return most * min(1, float64(step)/50) * (1 - 0.95*float64(step)/float64(l.batches))
}

// adagrad moves the weights of the features of the batch (Duchi et al. 2011).
func (l *learner) adagrad(batch []*pass, step int) {
	rate := l.pace(step, l.wideRate)
	for _, p := range batch {
		for o, w := range p.worst {
			g := p.slopes[o]
			if g == 0 || !p.sawWide || o >= l.wides {
				continue
			}
			g /= textmodel.Norm(p.ex.words(w))
			for _, b := range p.ex.window(w) {
				for _, f := range b.feats {
					at := int(f)*l.wides + o
					d := g + float32(l.wideDecay)*l.wide[at]
					l.slope[at] += d * d
					l.wide[at] -= float32(rate) * d / float32(math.Sqrt(float64(l.slope[at])+1e-6))
				}
			}
		}
	}
}

// weights packs the model up.
func (l *learner) weights(info textmodel.Info) *textmodel.Weights {
	w := &textmodel.Weights{
		Info: info, Pieces: l.words.Len(), Filters: l.filters, Taps: l.taps,
		Table: make([]float32, l.words.Len()*l.taps*l.filters),
		Wides: l.wides, Bias: l.bias.x, HBias: l.hbias.x, OBias: l.obias.x, Grams: map[uint64][]float32{},
	}
	width := l.taps * l.filters
	halves(l.words.Len(), func(id int) { l.answer(w.Table[id*width:(id+1)*width], int32(id)) })
	for j := range l.shape.hidden {
		w.Hidden = append(w.Hidden, l.hidden.x[j*(l.filters+1):(j+1)*(l.filters+1)])
	}
	for o := range l.outputs {
		w.Out = append(w.Out, l.out.x[o*l.shape.hidden:(o+1)*l.shape.hidden])
	}
	for _, f := range l.strongest() {
		w.Grams[l.feats[f]] = l.wide[f*l.wides : (f+1)*l.wides]
	}
	return w
}

// mostGrams bounds the features that are kept: those that say most.
const mostGrams = 120_000

// strongest returns the features that are kept.
func (l *learner) strongest() []int {
	says := make([]float32, len(l.feats))
	order := make([]int, len(l.feats))
	for f := range order {
		order[f] = f
		for _, w := range l.wide[f*l.wides : (f+1)*l.wides] {
			says[f] = max(says[f], w, -w)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(says[b], says[a]) })
	order = order[:min(len(order), mostGrams)]
	for len(order) > 0 && says[order[len(order)-1]] == 0 {
		order = order[:len(order)-1]
	}
	return order
}
