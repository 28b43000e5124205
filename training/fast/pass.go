package main

import (
	"math"

	"github.com/ringwall/ringwall/guard/textmodel"
	"github.com/ringwall/ringwall/internal/wordvec"
)

// pass takes one text through the model and back.
type pass struct {
	l  *learner
	ex *example

	ids     []int32 // rows of the pieces of the batch, all blocks
	ends    []int   // where the blocks end in ids
	best    []float32
	where   []int32     // positions of best, by block and filter
	drop    []float32   // of the strongest answers: 0, or what the others are multiplied by
	acts    [][]float32 // by window
	hid     [][]float32
	logits  []float32
	worst   []int     // window, by output
	slopes  []float32 // of the loss by the logits
	data    float32   // 1: it sees that the text is data
	sawWide bool
	sawDeep bool
	back    []float32 // of hidden neurons
	given   []give
	gOut    []float32
	gObias  []float32
	gHidden []float32
	gHbias  []float32
	gBias   []float32
}

// give is a slope for the answer of a filter at a position.
type give struct {
	pos    int32
	filter int32
	slope  float32
}

func newPass(l *learner) *pass {
	p := &pass{
		l: l, drop: make([]float32, l.filters), back: make([]float32, l.shape.hidden),
		logits: make([]float32, l.outputs), worst: make([]int, l.outputs), slopes: make([]float32, l.outputs),
		gOut: make([]float32, len(l.out.x)), gObias: make([]float32, l.outputs),
		gHidden: make([]float32, len(l.hidden.x)), gHbias: make([]float32, l.shape.hidden), gBias: make([]float32, l.filters),
	}
	return p
}

// take makes p ready for a text. All chance is here, and here one after the other.
func (p *pass) take(ex *example) {
	l := p.l
	p.ex, p.ids, p.ends = ex, p.ids[:0], p.ends[:0]
	for _, b := range ex.blocks {
		for _, id := range b.ids {
			if l.rng.Float64() < l.unknown {
				id = wordvec.Unknown
			}
			p.ids = append(p.ids, l.use(id))
		}
		p.ends = append(p.ends, len(p.ids))
	}
	for k := range p.drop {
		p.drop[k] = 0
		if l.rng.Float64() >= l.dropout {
			p.drop[k] = float32(1 / (1 - l.dropout))
		}
	}
	p.data = 0
	if l.rng.Float64() < 0.5 && ex.data() {
		p.data = 1 // of the others it has to find out
	}
	r := l.rng.Float64()
	p.sawDeep, p.sawWide = r >= l.alone/2, r < l.alone/2 || r >= l.alone
}

// forward computes the logits, and what the loss has to say to them.
func (p *pass) forward() {
	l, n, k := p.l, len(p.ends), p.l.filters
	p.answers()
	for len(p.acts) < n {
		p.acts = append(p.acts, make([]float32, k+1))
		p.hid = append(p.hid, make([]float32, l.shape.hidden))
	}
	for o := range p.logits {
		p.logits[o] = float32(math.Inf(-1))
	}
	for w := range n {
		acts, hid := p.acts[w], p.hid[w]
		if p.sawDeep {
			for f := range k {
				b, _ := p.strongest(w, f)
				acts[f] = max(0, b+l.bias.x[f]) * p.drop[f]
			}
			acts[k] = p.data
			for j := range hid {
				sum := l.hbias.x[j]
				for f, a := range acts {
					sum += a * l.hidden.x[j*(k+1)+f]
				}
				hid[j] = max(0, sum)
			}
		}
		for o := range p.logits {
			z := l.obias.x[o]
			if p.sawDeep {
				for j, h := range hid {
					z += h * l.out.x[o*len(hid)+j]
				}
			}
			if p.sawWide && o < l.wides {
				z += p.wide(w, o)
			}
			if z > p.logits[o] {
				p.logits[o], p.worst[o] = z, w
			}
		}
	}
	for o, z := range p.logits {
		p.slopes[o] = 0
		if weight := p.ex.weights[o]; weight > 0 {
			p.slopes[o] = weight * (float32(1/(1+math.Exp(-float64(z)))) - p.ex.targets[o])
		}
	}
}

// answers finds the strongest answer of each filter in each block.
func (p *pass) answers() {
	l, k := p.l, p.l.filters
	n := len(p.ends) * k
	if cap(p.best) < n {
		p.best, p.where = make([]float32, n), make([]int32, n)
	}
	p.best, p.where = p.best[:n], p.where[:n]
	if !p.sawDeep {
		return
	}
	sums := make([]float32, k)
	from := 0
	for b, end := range p.ends {
		best, where := p.best[b*k:b*k+k], p.where[b*k:b*k+k]
		for f := range best {
			best[f] = float32(math.Inf(-1))
		}
		for pos := from; pos < end; pos++ {
			clear(sums)
			for tap := range min(l.taps, pos+1) {
				row := l.table[p.ids[pos-tap]][tap*k:][:k]
				for f := range sums {
					sums[f] += row[f]
				}
			}
			for f, s := range sums {
				if s > best[f] {
					best[f], where[f] = s, int32(pos)
				}
			}
		}
		from = end
	}
}

// strongest returns the strongest answer of a filter in a window, and where.
func (p *pass) strongest(w, f int) (float32, int32) {
	k := p.l.filters
	b, at := p.best[w*k+f], p.where[w*k+f]
	if w > 0 && p.best[(w-1)*k+f] > b {
		return p.best[(w-1)*k+f], p.where[(w-1)*k+f]
	}
	return b, at
}

// wide returns what the features of a window say for an output.
func (p *pass) wide(w, o int) (sum float32) {
	for _, b := range p.ex.window(w) {
		for _, f := range b.feats {
			sum += p.l.wide[int(f)*p.l.wides+o]
		}
	}
	return sum / textmodel.Norm(p.ex.words(w))
}

// backward computes the slopes of the parameters.
func (p *pass) backward() {
	p.given = p.given[:0]
	if !p.sawDeep {
		return
	}
	l, k := p.l, p.l.filters
	for o, g := range p.slopes {
		if g == 0 {
			continue
		}
		w := p.worst[o]
		acts, hid := p.acts[w], p.hid[w]
		p.gObias[o] += g
		for j, h := range hid {
			p.gOut[o*len(hid)+j] += g * h
			p.back[j] = 0
			if h > 0 {
				p.back[j] = g * l.out.x[o*len(hid)+j]
				p.gHbias[j] += p.back[j]
			}
		}
		for f, a := range acts {
			if a <= 0 {
				continue
			}
			var slope float32
			for j, back := range p.back {
				p.gHidden[j*(k+1)+f] += back * a
				slope += back * l.hidden.x[j*(k+1)+f]
			}
			if f == k {
				continue
			}
			slope *= p.drop[f]
			_, at := p.strongest(w, f)
			p.gBias[f] += slope
			p.given = append(p.given, give{at, int32(f), slope})
		}
	}
}

// collect adds the slopes of this text to those of the batch.
func (p *pass) collect() {
	l, k := p.l, p.l.filters
	if !p.sawDeep {
		for o, g := range p.slopes {
			l.obias.g[o] += g
		}
		return
	}
	for _, g := range p.given {
		for tap := range min(l.taps, int(g.pos)+1) {
			l.grad[p.ids[int(g.pos)-tap]][tap*k+int(g.filter)] += g.slope
		}
	}
	for _, s := range [][2][]float32{{l.out.g, p.gOut}, {l.obias.g, p.gObias}, {l.hidden.g, p.gHidden}, {l.hbias.g, p.gHbias}, {l.bias.g, p.gBias}} {
		for i, g := range s[1] {
			s[0][i] += g
		}
		clear(s[1])
	}
}
