package person

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Buckets is the number of hashed features that have weights.
const Buckets = 1 << bucketBits

const bucketBits = 18

// Tag is what the model says of a token.
type Tag uint8

// Tags. An entity begins with a token of its first tag and goes on with its second.
const (
	Out Tag = iota
	BeginName
	InName
	BeginAddress
	InAddress
	Tags = 5
)

// Asset is what the model is made of.
type Asset struct {
	Words   map[uint32]Class // by Key and EndKey
	Weights [Tags][]int8     // Buckets of each
	Scale   float32          // of a weight of 1
}

// The format, all numbers little-endian: magic, version, the number of words,
// the scale, the words ascending (hash, class), the weights of each tag, and the
// SHA-256 of all that.
const (
	magic   = "RWPN"
	version = 1
	header  = len(magic) + 4 + 4 + 4
	most    = 1 << 20 // words
)

// ErrAsset reports an asset that is cut short, changed, or of another version.
var ErrAsset = errors.New("person: damaged asset")

// Encode returns a as bytes that [Load] reads.
func (a Asset) Encode() []byte {
	le := binary.LittleEndian
	b := append([]byte(nil), magic...)
	b = le.AppendUint32(b, version)
	b = le.AppendUint32(b, uint32(len(a.Words)))
	b = le.AppendUint32(b, math.Float32bits(a.Scale))
	keys := make([]uint32, 0, len(a.Words))
	for k := range a.Words {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		b = le.AppendUint32(b, k)
		b = append(b, byte(a.Words[k]), byte(a.Words[k]>>8), byte(a.Words[k]>>16))
	}
	for _, ws := range a.Weights {
		for _, w := range ws {
			b = append(b, byte(w))
		}
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// model is an asset that is ready to use.
type model struct {
	words   gazetteer
	weights []weights
	scale   float32
}

// weights are those of a feature, in eight bytes that are read at once.
type weights [8]int8

func decode(b []byte) (*model, error) {
	le := binary.LittleEndian
	if len(b) < header+sha256.Size || string(b[:len(magic)]) != magic {
		return nil, fmt.Errorf("reading the magic number: %w", ErrAsset)
	}
	if v := le.Uint32(b[4:]); v != version {
		return nil, fmt.Errorf("reading version %d, not %d: %w", v, version, ErrAsset)
	}
	body, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if got := sha256.Sum256(body); string(got[:]) != string(sum) {
		return nil, fmt.Errorf("comparing the checksum: %w", ErrAsset)
	}
	n, scale := int(le.Uint32(b[8:])), math.Float32frombits(le.Uint32(b[12:]))
	if n > most || len(body) != header+7*n+Tags*Buckets || !(scale > 0 && scale < 1) {
		return nil, fmt.Errorf("reading the sizes: %w", ErrAsset)
	}
	m := &model{words: newGazetteer(n), weights: make([]weights, Buckets), scale: scale}
	rest := body[header:]
	for range n {
		m.words.put(le.Uint32(rest), Class(rest[4])|Class(rest[5])<<8|Class(rest[6])<<16)
		rest = rest[7:]
	}
	for tag := range Tags {
		for i := range m.weights {
			m.weights[i][tag] = int8(rest[i])
		}
		rest = rest[Buckets:]
	}
	return m, nil
}
