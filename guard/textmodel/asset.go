package textmodel

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/ringwall/ringwall/internal/wordvec"
)

// ErrAsset reports an asset that is cut short, changed, of another version, or
// made for other word vectors.
var ErrAsset = errors.New("textmodel: damaged asset")

// maxTaps bounds the pieces that a filter sees.
const maxTaps = 8

// Weights are a model as it is learnt, before it is packed.
type Weights struct {
	Info    Info
	Pieces  int         // of the vocabulary
	Filters int         // a multiple of 8
	Taps    int         // at most 8; tap 0 is the last piece
	Table   []float32   // by piece, tap, filter
	Bias    []float32   // by filter
	Hidden  [][]float32 // by neuron, filter; the last: whether the text is data
	HBias   []float32
	Out     [][]float32 // by output, neuron of the hidden layer
	OBias   []float32
	Wides   int                  // outputs that have wide weights: the first
	Grams   map[uint64][]float32 // by hash of a feature: weights by output
}

// sizes stand behind the Info in an asset.
type sizes struct{ Pieces, Filters, Taps, Hidden, Outputs, Wides, Slots uint32 }

// The format, all numbers little-endian: magic, version, the length of the Info
// and the Info as JSON, the sizes, the scales and biases of the filters, the
// hidden layer and the outputs (weights, then bias, of each neuron), the units of
// the wide weights, the table (by piece, tap and filter), the tags and the wide
// weights, and the SHA-256 of all that.
const (
	magic    = "RWTM"
	version  = 1
	mostInfo = 1 << 20
)

// Encode packs w: answers and wide weights into a byte each.
func (w *Weights) Encode() ([]byte, error) {
	info, err := json.Marshal(w.Info)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	put := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) } // a bytes.Buffer takes everything
	b.WriteString(magic)
	put([]uint32{version, uint32(len(info))})
	b.Write(info)
	slots := 1
	for slots < 2*len(w.Grams) {
		slots *= 2
	}
	put(sizes{uint32(w.Pieces), uint32(w.Filters), uint32(w.Taps), uint32(len(w.Hidden)), uint32(len(w.Out)), uint32(w.Wides), uint32(slots)})
	most := make([]float32, w.Filters)
	for i, x := range w.Table {
		most[i%w.Filters] = max(most[i%w.Filters], abs(x))
	}
	for k, m := range most {
		put([]float32{m / 127, w.Bias[k]})
	}
	for j, row := range w.Hidden {
		put(append(slices.Clone(row), w.HBias[j]))
	}
	for o, row := range w.Out {
		put(append(slices.Clone(row), w.OBias[o]))
	}
	unit := make([]float32, w.Wides)
	for _, ws := range w.Grams {
		for o, x := range ws {
			unit[o] = max(unit[o], abs(x)/127)
		}
	}
	put(unit)
	for i, x := range w.Table {
		b.WriteByte(byte(128 + quantum(x, most[i%w.Filters]/127)))
	}
	tags, weights := make([]byte, 2*slots), make([]byte, slots*w.Wides)
	for _, h := range sorted(w.Grams) {
		at, taken := find(tags, h)
		if taken {
			continue // it cannot be told from one that matters more
		}
		binary.LittleEndian.PutUint16(tags[2*at:], tagOf(h))
		for o, x := range w.Grams[h] {
			weights[at*w.Wides+o] = byte(int8(quantum(x, unit[o])))
		}
	}
	b.Write(tags)
	b.Write(weights)
	sum := sha256.Sum256(b.Bytes())
	return append(b.Bytes(), sum[:]...), nil
}

// sorted returns the features, those that matter most first.
func sorted(grams map[uint64][]float32) []uint64 {
	weight := func(ws []float32) (m float32) {
		for _, w := range ws {
			m = max(m, abs(w))
		}
		return m
	}
	keys := make([]uint64, 0, len(grams))
	for h := range grams {
		keys = append(keys, h)
	}
	slices.SortFunc(keys, func(a, b uint64) int {
		return cmp.Or(cmp.Compare(weight(grams[b]), weight(grams[a])), cmp.Compare(a, b))
	})
	return keys
}

func abs(x float32) float32 { return max(x, -x) }

// quantum returns x in units, -127 to 127.
func quantum(x, unit float32) int {
	if unit == 0 {
		return 0
	}
	return int(max(-127, min(127, math.Round(float64(x/unit)))))
}

// Load reads an asset that stands on the given word vectors. The model keeps b, which
// must not change any more.
func Load(b []byte, words *wordvec.Table) (*Model, error) {
	if len(b) < len(magic)+8+sha256.Size || string(b[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: no text model", ErrAsset)
	}
	body := b[:len(b)-sha256.Size]
	if sha256.Sum256(body) != [sha256.Size]byte(b[len(body):]) {
		return nil, fmt.Errorf("%w: the checksum does not match", ErrAsset)
	}
	r := reader{b: body[len(magic):]}
	if v := r.uint32(); v != version {
		return nil, fmt.Errorf("%w: version %d, want %d", ErrAsset, v, version)
	}
	m := &Model{words: words}
	if n := r.uint32(); n > mostInfo {
		return nil, fmt.Errorf("%w: %d bytes of description", ErrAsset, n)
	} else if err := json.Unmarshal(r.take(int(n)), &m.Info); err != nil {
		return nil, fmt.Errorf("%w: its description: %w", ErrAsset, err)
	}
	s := sizes{r.uint32(), r.uint32(), r.uint32(), r.uint32(), r.uint32(), r.uint32(), r.uint32()}
	if err := s.check(words, len(m.Info.Outputs)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAsset, err)
	}
	m.lanes, m.taps = int(s.Filters/8), int(s.Taps)
	for range s.Filters {
		m.answers = append(m.answers, affine{r.float(), r.float()})
	}
	for range s.Hidden {
		m.hidden = append(m.hidden, dense{r.floats(s.Filters + 1), r.float()})
	}
	for range s.Outputs {
		m.out = append(m.out, dense{r.floats(s.Hidden), r.float()})
	}
	m.unit = r.floats(s.Wides)
	m.table = r.take(int(s.Pieces) * int(s.Taps) * int(s.Filters))
	m.tags = r.take(2 * int(s.Slots))
	m.weights = r.take(int(s.Slots) * int(s.Wides))
	if r.err != nil || len(r.b) > 0 || !someFree(m.tags) {
		return nil, fmt.Errorf("%w: its parts do not fit together", ErrAsset)
	}
	return m, nil
}

// someFree reports whether a search in tags ends.
func someFree(tags []byte) bool {
	for at := 0; at < len(tags); at += 2 {
		if tags[at] == 0 && tags[at+1] == 0 {
			return true
		}
	}
	return false
}

// check bounds what an asset may ask for, before anything is made.
func (s sizes) check(words *wordvec.Table, outputs int) error {
	switch {
	case int(s.Pieces) != words.Len():
		return fmt.Errorf("made for %d pieces, there are %d", s.Pieces, words.Len())
	case s.Filters == 0 || s.Filters%8 != 0 || s.Filters > 512 || s.Taps == 0 || s.Taps > maxTaps || s.Hidden > 512:
		return fmt.Errorf("%d filters of %d taps, %d hidden", s.Filters, s.Taps, s.Hidden)
	case s.Outputs == 0 || s.Outputs > 64 || int(s.Outputs) != outputs || s.Wides > s.Outputs:
		return fmt.Errorf("%d outputs, %d described", s.Outputs, outputs)
	case s.Slots == 0 || s.Slots&(s.Slots-1) != 0 || s.Slots > 1<<22:
		return fmt.Errorf("%d slots", s.Slots)
	}
	return nil
}

// reader takes an asset apart. After an error it only returns zeros.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int) []byte {
	if len(r.b) < n {
		r.err, r.b = io.ErrUnexpectedEOF, nil
		return make([]byte, min(n, 8))
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) uint32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }

func (r *reader) float() float32 {
	f := math.Float32frombits(r.uint32())
	if f != f || math.IsInf(float64(f), 0) {
		r.err = errors.New("a weight that is no number")
	}
	return f
}

func (r *reader) floats(n uint32) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = r.float()
	}
	return out
}
