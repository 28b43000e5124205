// Package textmodel judges what texts mean, in microseconds: a wide and deep
// model (Cheng et al. 2016) over the words of a text.
//
//   - wide: a linear model over hashed words and short runs of words. It knows
//     phrases.
//   - deep: a text CNN (Kim 2014) over the vectors of package wordvec: filters of a
//     few pieces, the strongest answer of each within a window, one small hidden
//     layer. It knows words of like meaning. The answers of all filters to each
//     piece are a table, made when it was learnt, so that a filter costs an
//     addition a tap.
//
// A text is judged window by window, to its end: a window is two blocks of
// [Block] pieces, each block is in two of them, and the score of the text is that
// of its worst window. The cost is linear in the text. Where windows begin does
// not depend on how a text came.
//
//	text ─▶ Reader ─▶ words ─▶ Cursor ─▶ a judgement per block
//
// What the outputs are called and what comes of them is the users' business. The
// weights are learnt by training/fast. Start reading at [Model].
package textmodel

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/ringwall/ringwall/internal/calibrate"
	"github.com/ringwall/ringwall/internal/wordvec"
)

// Model is what was learnt. It is safe for concurrent use. Its tables are parts of
// the asset that it was loaded from: they are in memory once, and of a program's own
// asset in pages that are the file's.
type Model struct {
	Info Info

	words   *wordvec.Table
	lanes   int      // filters / 8
	taps    int      // pieces that a filter sees
	table   []byte   // by piece, tap, filter: an answer, biased by 128
	answers []affine // of each filter: what a sum of answers stands for
	hidden  []dense
	out     []dense

	tags    []byte    // of the wide features, two bytes by slot
	weights []byte    // by slot, output: an int8
	unit    []float32 // of a weight, by output
}

type affine struct{ scale, bias float32 }

// dense is one neuron: its weights and its bias.
type dense struct {
	weights []float32
	bias    float32
}

// Info says what a model is.
type Info struct {
	Name    string   `json:"name"`
	Trained string   `json:"trained"` // on what, by which seed
	Outputs []Output `json:"outputs"`
}

// Output is one thing that a model tells.
type Output struct {
	Name string `json:"name"`
	// Anchors give the score for a logit: between them it is interpolated. Those of
	// windows that are strange, for they are in another language than was learnt
	// from most, or in none, are their own.
	Anchors []Anchor `json:"anchors"`
	Strange []Anchor `json:"strange"`
	// Curve was measured on texts of sources left out of training.
	Curve calibrate.Curve `json:"curve"`
}

// Anchor says which score a logit means.
type Anchor struct {
	Logit float64 `json:"logit"`
	Score float64 `json:"score"`
}

// Score returns the score that a logit means, 0 to 1.
func (o *Output) Score(logit float64, strange bool) float64 {
	as := o.Anchors
	if strange {
		as = o.Strange
	}
	if len(as) == 0 {
		return 1 / (1 + math.Exp(-logit))
	}
	i, _ := slices.BinarySearchFunc(as, logit, func(a Anchor, l float64) int { return cmp.Compare(a.Logit, l) })
	switch {
	case i == 0:
		return as[0].Score * math.Exp(logit-as[0].Logit)
	case i == len(as):
		return as[i-1].Score
	}
	a, b := as[i-1], as[i]
	return a.Score + (b.Score-a.Score)*(logit-a.Logit)/(b.Logit-a.Logit)
}

// Cursor judges one text as it comes. It is owned by one goroutine.
type Cursor struct {
	m *Model
	r Reader
	v visit
}

// visit gathers what a block holds.
type visit struct {
	m     *Model
	found func(Judgement)
	ids   [maxTaps]int32 // the pieces before, the last first
	sums  []uint64       // of the piece: even lanes, odd lanes
	now   half           // of the block that grows
	last  half           // of the one before
	out   []float32
	acts  []float32 // of the filters, and whether the text is data
	hid   []float32
}

// half is what is kept of a block.
type half struct {
	best    []uint64  // strongest answers, as in sums
	wide    []float32 // sums of weights, by output
	words   int
	pieces  int
	strange int // of the pieces
}

// Begin returns a Cursor for a text that a person wrote to the model; Reset makes
// it one for data.
func (m *Model) Begin() *Cursor {
	c := &Cursor{m: m}
	c.v.m = m
	c.v.sums = make([]uint64, 2*m.lanes)
	for _, h := range []*half{&c.v.now, &c.v.last} {
		h.best, h.wide = make([]uint64, 2*m.lanes), make([]float32, len(m.unit))
	}
	c.v.out, c.v.acts, c.v.hid = make([]float32, len(m.out)), make([]float32, 8*m.lanes+1), make([]float32, len(m.hidden))
	c.Reset(false)
	return c
}

// Reset makes c ready for another text: one that nobody here wrote to the model, if
// data, such as what a tool gives back.
func (c *Cursor) Reset(data bool) {
	c.r.Reset()
	c.v.acts[len(c.v.acts)-1] = 0
	if data {
		c.v.acts[len(c.v.acts)-1] = 1
	}
	for i := range c.v.ids {
		c.v.ids[i] = none
	}
	c.v.now.clear()
	c.v.last.clear()
}

func (h *half) clear() {
	clear(h.best)
	clear(h.wide)
	h.words, h.pieces, h.strange = 0, 0, 0
}

// none is the piece before the first one.
const none = -1

// Judgement is what is said of a block, and of the window that it ends.
type Judgement struct {
	Start, End int       // of the block
	Logits     []float32 // of the window, by output
	Strange    bool      // more than a third of the window is in words that say little
}

// Read judges the blocks that are complete, and tells found, which must not keep
// the logits. The window of the text is in lower case; its first byte has the
// offset base; final says that the text ends there. It returns the offset where
// the block begins that is not yet judged.
func (c *Cursor) Read(folded []byte, base int, final bool, found func(Judgement)) int {
	c.v.found = found
	c.r.Read(c.m.words, folded, base, final, &c.v)
	c.v.found = nil
	return c.r.Start()
}

// Pending returns the offset from which on the window of the next Read must reach.
func (c *Cursor) Pending() int { return c.r.Pending() }

// Word implements Visitor.
func (v *visit) Word(ids []int32, strange int, grams *[Grams]uint64) {
	v.m.wide(v.now.wide, grams)
	v.now.words++
	v.now.pieces += len(ids)
	v.now.strange += strange
	for _, id := range ids {
		copy(v.ids[1:], v.ids[:])
		v.ids[0] = id
		v.m.answer(v.sums, &v.ids)
		strongest(v.now.best, v.sums)
	}
}

// End implements Visitor.
func (v *visit) End(start, end int) {
	m := v.m
	words := v.now.words + v.last.words
	for o := range v.out {
		v.out[o] = 0
		if o < len(m.unit) {
			v.out[o] = (v.now.wide[o] + v.last.wide[o]) * m.unit[o] / Norm(words)
		}
	}
	strongest(v.last.best, v.now.best)
	m.deep(v.last.best, v.acts, v.hid, v.out)
	strange, pieces := v.now.strange+v.last.strange, v.now.pieces+v.last.pieces
	v.found(Judgement{start, end, v.out, 3*strange > pieces})
	v.last, v.now = v.now, v.last
	v.now.clear()
}

// Norm is what the sum of the wide weights of a window of so many words is divided
// by.
func Norm(words int) float32 { return float32(math.Sqrt(float64(words + 8))) }

const (
	evens = 0x00ff00ff00ff00ff
	highs = 0x8000800080008000
)

// answer sums up what the filters answer to the pieces. The race detector would watch
// each byte of the table, which nobody writes.
//
//go:norace
func (m *Model) answer(sums []uint64, ids *[maxTaps]int32) {
	n := m.lanes
	even, odd := sums[:n], sums[n:2*n]
	clear(sums)
	for tap := range m.taps {
		id := ids[tap]
		if id == none {
			for i := range even {
				even[i] += 0x0080008000800080
				odd[i] += 0x0080008000800080
			}
			continue
		}
		at := 8 * (int(id)*m.taps + tap) * n
		row := m.table[at : at+8*n]
		for i := 0; i < len(even) && len(row) >= 8; i++ {
			x := binary.LittleEndian.Uint64(row)
			even[i] += x & evens
			odd[i] += x >> 8 & evens
			row = row[8:]
		}
	}
}

// strongest keeps the greater of each lane in best.
func strongest(best, sums []uint64) {
	for i, b := range best {
		a := sums[i]
		mask := ((a | highs) - b) & highs >> 15 * 0xffff
		best[i] = b ^ (a^b)&mask
	}
}

// deep adds to out what the hidden layer makes of the strongest answers.
func (m *Model) deep(best []uint64, acts, hid, out []float32) {
	for i := range m.lanes {
		for k := range 4 {
			at := 8*i + 2*k
			even := float32(int(best[i]>>(16*k)&0xffff) - 128*m.taps)
			odd := float32(int(best[m.lanes+i]>>(16*k)&0xffff) - 128*m.taps)
			acts[at] = max(0, even*m.answers[at].scale+m.answers[at].bias)
			acts[at+1] = max(0, odd*m.answers[at+1].scale+m.answers[at+1].bias)
		}
	}
	for j := range hid {
		hid[j] = max(0, m.hidden[j].of(acts))
	}
	for o := range out {
		out[o] += m.out[o].of(hid)
	}
}

func (d *dense) of(x []float32) float32 {
	sum := d.bias
	for i, w := range d.weights {
		sum += w * x[i]
	}
	return sum
}

// wide adds the weights of the features to sums.
//
//go:norace
func (m *Model) wide(sums []float32, grams *[Grams]uint64) {
	n := len(sums)
	for _, h := range grams {
		if at, ok := find(m.tags, h); ok {
			for o, w := range m.weights[at*n : at*n+n] {
				sums[o] += float32(int8(w))
			}
		}
	}
}

// tagOf tells features apart that would stand in one slot.
func tagOf(h uint64) uint16 { return uint16(h>>40) | 1 }

// find returns the slot of a feature, or else the free one where it would be. Tag 0
// is none; the number of slots is a power of two, and some are free.
//
//go:norace
func find(tags []byte, h uint64) (at int, ok bool) {
	last := len(tags)/2 - 1
	for at = int(h) & last; ; at = (at + 1) & last {
		switch binary.LittleEndian.Uint16(tags[2*at:]) {
		case tagOf(h):
			return at, true
		case 0:
			return at, false
		}
	}
}
