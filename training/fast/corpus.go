package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"strings"

	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/textmodel"
	"github.com/ringwall/ringwall/internal/wordvec"
)

// row is a labelled text.
type row struct {
	Text     string          `json:"text"`
	Label    json.RawMessage `json:"label"` // attack, benign, or a list of categories
	Category string          `json:"category"`
	Source   string          `json:"source"`
	Kind     string          `json:"kind"`
	Lang     string          `json:"lang"`
	Known    []string        `json:"known"`
	Quality  string          `json:"quality"`
}

// labels returns what the text is said to be.
func (r *row) labels() []string {
	var one string
	var many []string
	if json.Unmarshal(r.Label, &one) == nil {
		return []string{one}
	}
	_ = json.Unmarshal(r.Label, &many) // other labels are none of ours
	return many
}

// read reads gzipped JSON lines.
func read(path string) (rows []row, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var r row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, len(rows)+1, err)
		}
		rows = append(rows, r)
	}
	return rows, lines.Err()
}

// example is a text as the model learns from it.
type example struct {
	source  string
	kind    string // of text
	lang    string
	text    string
	hard    bool // harmless, though it looks otherwise
	made    bool // by us
	targets []float32
	weights []float32 // 0: not known
	share   float64   // how often it is drawn
	plain   float64   // and was, before anything was known of it; 0: the same
	blocks  []block
}

// data reports whether nobody wrote the text to a model.
func (e *example) data() bool {
	return slices.Contains([]string{"tool_output", "document", "email"}, e.kind)
}

// block is a part of a text.
type block struct {
	ids    []int32
	hashes []uint64
	feats  []int32
	words  int
}

// mostBlocks bounds what is kept of a text.
const mostBlocks = 96

// window returns the blocks of the w-th window.
func (e *example) window(w int) []block { return e.blocks[max(0, w-1) : w+1] }

func (e *example) words(w int) (n int) {
	for _, b := range e.window(w) {
		n += b.words
	}
	return n
}

// Word implements textmodel.Visitor.
func (b *block) Word(ids []int32, _ int, grams *[textmodel.Grams]uint64) {
	b.ids = append(b.ids, ids...)
	b.hashes = append(b.hashes, grams[:]...)
	b.words++
}

// cutter cuts texts into blocks.
type cutter struct {
	block
	to *example
}

// End implements textmodel.Visitor.
func (c *cutter) End(int, int) {
	if len(c.to.blocks) < mostBlocks {
		c.to.blocks = append(c.to.blocks, c.block)
	}
	c.block = block{}
}

// cut cuts the texts of examples. Those without words are dropped.
func cut(words *wordvec.Table, es []*example) []*example {
	halves(len(es), func(i int) {
		c := cutter{to: es[i]}
		var r textmodel.Reader
		r.Read(words, []byte(normalize.Fold(es[i].text)), 0, true, &c)
	})
	return slices.DeleteFunc(es, func(e *example) bool { return len(e.blocks) == 0 })
}

const (
	bucketBits = 26
	mostFeats  = 400_000
)

// features chooses the features that stand in texts of enough sources, and notes
// them in all examples.
func features(learn, all []*example, sources int) []uint64 {
	seen := make([]uint8, 1<<bucketBits)
	last := make([]uint16, 1<<bucketBits)
	bySource := slices.Clone(learn)
	sort.SliceStable(bySource, func(i, j int) bool { return bySource[i].source < bySource[j].source })
	n, source := uint16(0), ""
	for _, e := range bySource {
		if e.source != source {
			n, source = n+1, e.source
		}
		for _, b := range e.blocks {
			for _, h := range b.hashes {
				if at := h >> (64 - bucketBits); last[at] != n {
					last[at] = n
					seen[at] = min(seen[at], 254) + 1
				}
			}
		}
	}
	index := make([]int32, 1<<bucketBits)
	var feats []uint64
	for _, e := range bySource {
		for _, b := range e.blocks {
			for _, h := range b.hashes {
				at := h >> (64 - bucketBits)
				if index[at] == 0 && int(seen[at]) >= sources && len(feats) < mostFeats {
					feats = append(feats, h)
					index[at] = int32(len(feats))
				}
			}
		}
	}
	halves(len(all), func(i int) {
		for j := range all[i].blocks {
			b := &all[i].blocks[j]
			b.feats = b.feats[:0]
			for _, h := range b.hashes {
				if f := index[h>>(64-bucketBits)]; f > 0 {
					b.feats = append(b.feats, f-1)
				}
			}
		}
	})
	return feats
}

// drawer draws examples by their shares.
type drawer struct {
	es  []*example
	sum []float64
}

func newDrawer(es []*example) *drawer {
	d := &drawer{es: es}
	total := 0.0
	for _, e := range es {
		total += e.share
		d.sum = append(d.sum, total)
	}
	return d
}

func (d *drawer) draw(rng *rand.Rand) *example {
	x := rng.Float64() * d.sum[len(d.sum)-1]
	return d.es[sort.SearchFloat64s(d.sum, x)%len(d.es)]
}

// balance gives each example its share: classes alike, and within a class each
// source as the square root of its size.
func balance(es []*example, class func(*example) string, share map[string]float64) {
	size, total := map[string]float64{}, map[string]float64{}
	key := func(e *example) string { return class(e) + "\x00" + e.source }
	for _, e := range es {
		size[key(e)]++
	}
	of := func(e *example) float64 {
		s := 1.0
		for n := size[key(e)]; s*s < n; s *= 1.02 {
		}
		return s / size[key(e)]
	}
	for _, e := range es {
		total[class(e)] += of(e)
	}
	for _, e := range es {
		c := class(e)
		w, ok := share[c]
		if !ok {
			w = 1
		}
		e.share, e.plain = w*of(e)/total[c], 0
	}
}

// firstOf returns what stands before the first slash.
func firstOf(s string) string { head, _, _ := strings.Cut(s, "/"); return head }
