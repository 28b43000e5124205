package topic

import (
	"math"
	"strings"
	"sync"

	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/internal/stem"
	"github.com/ringwall/ringwall/internal/wordvec"
)

// knowledge is what all topics share.
type knowledge struct {
	table   *wordvec.Table
	rarity  []float32 // by piece: how much a word says of what a text is about, 0 to 1
	inverse []float32 // by piece: what brings its vector to length 1
	usual   [][]float32
}

// Vectors of words that say little are short: the encoder puts them near to the
// middle of all. Lengths from and to which a word says more.
const (
	shortVector = 2.7
	longVector  = 4.0
)

// littleSaid is the weight of words that say nothing by themselves.
const littleSaid = 0.05

var known = sync.OnceValues(func() (*knowledge, error) {
	t, err := wordvec.Default()
	if err != nil {
		return nil, err
	}
	k := &knowledge{table: t, rarity: make([]float32, t.Len()), inverse: make([]float32, t.Len())}
	for id := range int32(t.Len()) {
		sum := 0.0
		for _, x := range t.Vector(id) {
			sum += float64(x) * float64(x)
		}
		if sum == 0 {
			continue
		}
		length := math.Sqrt(sum)
		k.inverse[id] = float32(1 / length)
		r := (length*float64(t.Scale()) - shortVector) / (longVector - shortVector)
		k.rarity[id] = float32(min(max(r, littleSaid), 1))
		if p := t.Piece(id); generic[p] || stem.Function([]byte(p)) {
			k.rarity[id] = littleSaid
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(background), "\n") {
		if v := k.direction(line); v != nil {
			k.usual = append(k.usual, v)
		}
	}
	return k, nil
})

// direction returns the mean of the words of a text, by how much they say, at
// length 1; nil if it has none.
func (k *knowledge) direction(text string) []float32 {
	s := newSpeech(k, 0)
	s.read(k, nil, []byte(normalize.Fold(text)))
	s.place(k)
	if s.said == 0 {
		return nil
	}
	return s.sum
}

// vector writes the vector of a word at length 1 into v; false: it has none.
func (k *knowledge) vector(v []float32, ids []int32) bool {
	clear(v)
	for _, id := range ids {
		if id == wordvec.Unknown {
			return false
		}
		for i, x := range k.table.Vector(id) {
			v[i] += float32(x)
		}
	}
	return unit(v)
}

// weight returns how much a word says of what a text is about.
func (k *knowledge) weight(ids []int32) (w float32) {
	for _, id := range ids {
		w = max(w, k.rarity[id])
	}
	return w
}

// unit brings v to length 1.
func unit(v []float32) bool {
	sum := dot(v, v)
	if sum == 0 {
		return false
	}
	f := float32(1 / math.Sqrt(float64(sum)))
	for i := range v {
		v[i] *= f
	}
	return true
}

// dot returns the sum of the products, in a fixed order.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	for len(a) >= 8 && len(b) >= 8 {
		x, y := (*[8]float32)(a), (*[8]float32)(b)
		s0 += x[0]*y[0] + x[4]*y[4]
		s1 += x[1]*y[1] + x[5]*y[5]
		s2 += x[2]*y[2] + x[6]*y[6]
		s3 += x[3]*y[3] + x[7]*y[7]
		a, b = a[8:], b[8:]
	}
	for i := range min(len(a), len(b)) {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

// generic are words of definitions and requests that say nothing of a topic.
var generic = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`
		definition topic topics content question questions talk talks discussion discussions discuss conversation conversations information advice recommendation
		recommendations related relating includes include including concerning regarding various thing things person people someone user users customer customers
		kind type kinds types such making getting using finding having another way ways help need want get make use give tell know find see look say think would
		like much many new good matter matters subject subjects request requests asking asks ask about involving matter words word text texts message messages
		example examples might able want wants wanted needs looking try trying let`) {
		m[w] = true
	}
	return m
}()
