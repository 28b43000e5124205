// Package wordvec knows words: it cuts text into the pieces of a vocabulary and
// has a vector for each, so that words of like meaning are near each other.
//
// The vocabulary is that of uncased BERT, cut by WordPiece (Wu et al. 2016):
// greedily, longest piece first. The vectors are distilled from the sentence
// encoder all-MiniLM-L6-v2 (Apache-2.0): what it makes of each piece alone, on its
// principal axes. They know what words mean, not what sentences do; they are good
// for English, and little for languages that the vocabulary has letters of only.
//
//	text ─▶ Cutter ─▶ words ─▶ Table.Pieces ─▶ ids ─▶ Table.Vector
//	                                   └─────────────▶ Table.Embed, of a whole text
//
// training/wordvec makes the asset. Start reading at [Table].
package wordvec

import (
	"crypto/sha256"
	_ "embed" // the asset
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
)

//go:embed wordvec.bin
var asset []byte

// Unknown is the id of what the vocabulary has no pieces for.
const Unknown = 100

// Table is a vocabulary with its vectors. It is safe for concurrent use.
type Table struct {
	dim     int
	scale   float32
	pieces  []string
	weights []uint8 // how much a piece says, of 255
	vectors []int8
	slots   []slot
	longest int // bytes of the longest piece
}

// slot is a place of the hash table of pieces; tag 0 is none.
type slot struct {
	tag uint32
	id  int32
}

const slotBits = 16

// ErrAsset reports an asset that is cut short, changed, or of another version.
var ErrAsset = errors.New("wordvec: damaged asset")

// Default returns the table that comes with the program.
var Default = sync.OnceValues(func() (*Table, error) { return Load(asset) })

// The format, all numbers little-endian: magic, version, the number of pieces,
// the dimension, the scale of the vectors, the pieces, each behind its length, a
// weight for each, the vectors, and the SHA-256 of all that.
const (
	magic   = "RWWV"
	version = 1
	header  = len(magic) + 4*4
	mostDim = 1024
)

// Load reads an asset.
func Load(b []byte) (*Table, error) {
	if len(b) < header+sha256.Size || string(b[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: no word vectors", ErrAsset)
	}
	body := b[:len(b)-sha256.Size]
	if sha256.Sum256(body) != [sha256.Size]byte(b[len(body):]) {
		return nil, fmt.Errorf("%w: the checksum does not match", ErrAsset)
	}
	le := binary.LittleEndian
	if v := le.Uint32(body[4:]); v != version {
		return nil, fmt.Errorf("%w: version %d, want %d", ErrAsset, v, version)
	}
	n, dim := int(le.Uint32(body[8:])), int(le.Uint32(body[12:]))
	if n == 0 || n > 1<<(slotBits-1) || dim == 0 || dim > mostDim {
		return nil, fmt.Errorf("%w: %d pieces of %d dimensions", ErrAsset, n, dim)
	}
	t := &Table{dim: dim, scale: math.Float32frombits(le.Uint32(body[16:])), slots: make([]slot, 1<<slotBits)}
	rest := body[header:]
	for id := range n {
		if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
			return nil, fmt.Errorf("%w: piece %d is cut short", ErrAsset, id)
		}
		p := string(rest[1 : 1+rest[0]])
		rest = rest[1+len(p):]
		t.pieces = append(t.pieces, p)
		if len(p) > 2 && p[0] == '[' { // [CLS] and the like stand in no text
			continue
		}
		h := begin
		if tail, within := strings.CutPrefix(p, "##"); within && tail != "" {
			h, p = within0, tail
		}
		for i := range len(p) {
			h = step(h, p[i])
		}
		t.longest = max(t.longest, len(p))
		t.put(h, int32(id))
	}
	if len(rest) != n+n*dim {
		return nil, fmt.Errorf("%w: %d bytes of vectors, want %d", ErrAsset, len(rest), n+n*dim)
	}
	t.weights = rest[:n:n]
	t.vectors = make([]int8, n*dim)
	for i, v := range rest[n:] {
		t.vectors[i] = int8(v)
	}
	return t, nil
}

// Hashes of pieces at the beginning of words and within them (FNV-1a, with two
// bases).
const (
	begin   uint64 = 14695981039346656037
	within0 uint64 = 10995116282117
	prime   uint64 = 1099511628211
)

func step(h uint64, c byte) uint64 { return (h ^ uint64(c)) * prime }

func tag(h uint64) uint32 { return uint32(h>>32) | 1 }

func place(h uint64) uint64 { return (h ^ h>>29) & (1<<slotBits - 1) }

func (t *Table) put(h uint64, id int32) {
	at := place(h)
	for t.slots[at].tag != 0 {
		at = (at + 1) & (1<<slotBits - 1)
	}
	t.slots[at] = slot{tag(h), id}
}

func (t *Table) find(h uint64) (int32, bool) {
	want := tag(h)
	for at := place(h); ; at = (at + 1) & (1<<slotBits - 1) {
		switch t.slots[at].tag {
		case want:
			return t.slots[at].id, true
		case 0:
			return 0, false
		}
	}
}

// Len returns the number of pieces.
func (t *Table) Len() int { return len(t.pieces) }

// Dim returns the dimension of the vectors.
func (t *Table) Dim() int { return t.dim }

// Piece returns the text of a piece; that of one within a word begins with ##.
func (t *Table) Piece(id int32) string { return t.pieces[id] }

// Vector returns the vector of a piece, in units of [Table.Scale]. It must not be
// changed.
func (t *Table) Vector(id int32) []int8 { return t.vectors[int(id)*t.dim : (int(id)+1)*t.dim] }

// Scale returns what a vector's 1 stands for.
func (t *Table) Scale() float32 { return t.scale }

// Weight returns how much a piece says, 0 to 1: the more frequent, the less.
func (t *Table) Weight(id int32) float32 { return float32(t.weights[id]) / 255 }

// mostPiece bounds the bytes of a piece that are looked up at once.
const mostPiece = 32

// Pieces appends the ids of the pieces of a word, as a Cutter cuts it, to ids. A
// word that the vocabulary cannot spell is Unknown.
func (t *Table) Pieces(ids []int32, word []byte) []int32 {
	first := len(ids)
	var hashes [mostPiece]uint64
	for h := begin; len(word) > 0; h = within0 {
		n := min(len(word), t.longest, mostPiece)
		for i := range n {
			h = step(h, word[i])
			hashes[i] = h
		}
		for ; n > 0; n-- {
			if id, ok := t.find(hashes[n-1]); ok {
				ids = append(ids, id)
				break
			}
		}
		if n == 0 {
			return append(ids[:first], Unknown)
		}
		word = word[n:]
	}
	return ids
}

// Embed returns the mean of the vectors of the words of a text in lower case
// without accents (normalize.Fold), each by its weight, at unit length: the dot
// product of two is the cosine between them. It reuses into where that is large
// enough, and returns nil for a text without words that say anything.
func (t *Table) Embed(folded []byte, into []float32) []float32 {
	if cap(into) < t.dim {
		into = make([]float32, t.dim)
	}
	into = into[:t.dim]
	clear(into)
	var c Cutter
	var ids []int32
	for {
		w, ok := c.Next(folded, 0, true)
		if !ok {
			break
		}
		if w.Kind != Sign {
			ids = t.Pieces(ids[:0], folded[w.Start:w.End])
			for _, id := range ids {
				t.add(into, id)
			}
		}
	}
	return unit(into)
}

func (t *Table) add(sum []float32, id int32) {
	if id == Unknown {
		return
	}
	w := t.Weight(id) * t.scale
	for i, v := range t.Vector(id) {
		sum[i] += w * float32(v)
	}
}

// unit brings v to length 1; nil if it has none.
func unit(v []float32) []float32 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return nil
	}
	f := float32(1 / math.Sqrt(sum))
	for i := range v {
		v[i] *= f
	}
	return v
}
