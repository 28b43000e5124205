package word

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/normalize"
)

// tree is what phrases have in common. Its labels are stretches of the phrases
// themselves, so that 100,000 of them take a few bytes each beside their text.
type tree struct {
	text  []byte // the phrases, folded, one behind the other
	nodes []node // the first is the root
}

// node is a place in the tree, reached by its label. Its children stand side by
// side, sorted by the first byte of their labels.
type node struct {
	label uint32 // offset of its label in the text
	from  uint32 // its first child
	count uint16 // of its children
	size  uint8  // bytes of the label; MaxLength at most
	first byte   // of the label
	end   uint8  // what ends here: end bits
}

// Bits of node.end.
const (
	endsPhrase uint8 = 1 << iota
	endsStem         // a phrase without its last vowel, which takes endings
)

// phrases are folded phrases.
type phrases struct {
	text []byte
	all  []phrase
}

// phrase is a stretch of the text, and its first bytes, by which most phrases
// differ already: sorting compares numbers.
type phrase struct {
	key  uint64
	off  uint32
	size uint16
	end  uint8
}

func (p *phrases) phrase(i int) []byte {
	x := p.all[i]
	return p.text[x.off : x.off+uint32(x.size)]
}

// fold folds phrases, with one space where there are several.
func fold(list []string) (*phrases, error) {
	size := 0
	for _, s := range list {
		size += len(s)
	}
	p := &phrases{text: make([]byte, 0, size), all: make([]phrase, 0, len(list))}
	for i, s := range list {
		from := len(p.text)
		if len(s) <= MaxLength {
			p.text = appendFolded(p.text, s)
		}
		if n := len(p.text) - from; n == 0 || n > MaxLength {
			return nil, fmt.Errorf("phrase %d: want 1 to %d bytes that show something", i, MaxLength)
		}
		p.add(from, endsPhrase)
	}
	return p, nil
}

// add adds what the text holds from the given offset on.
func (p *phrases) add(from int, end uint8) {
	var head [8]byte
	copy(head[:], p.text[from:])
	p.all = append(p.all, phrase{binary.BigEndian.Uint64(head[:]), uint32(from), uint16(len(p.text) - from), end})
}

// stems adds the phrases without their last vowel, which endings replace.
func (p *phrases) stems() {
	for i := range len(p.all) {
		x := p.phrase(i)
		r, width := utf8.DecodeLastRune(x)
		for stem := x; slices.Contains(vowels, r) && utf8.RuneCount(stem) >= 4; { // Russian adjectives end with two
			stem = stem[:len(stem)-width]
			from := len(p.text)
			p.text = append(p.text, stem...)
			p.add(from, endsStem)
			if r, width = utf8.DecodeLastRune(stem); r < utf8.RuneSelf {
				break
			}
		}
	}
}

// appendFolded appends the folded view of s. Phrases are ASCII more often than
// not, and then need no Buffer.
func appendFolded(dst []byte, s string) []byte {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			s = strings.Join(strings.Fields(normalize.Fold(s)), " ")
			return append(dst, s...)
		}
	}
	from, space := len(dst), false
	for i := range len(s) {
		c := s[i]
		switch {
		case c == ' ' || '\t' <= c && c <= '\r':
			space = true
			continue
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		if space && len(dst) > from {
			dst = append(dst, ' ')
		}
		dst, space = append(dst, c), false
	}
	return dst
}

// grow returns the tree of the phrases, which it sorts.
func grow(p *phrases) tree {
	slices.SortFunc(p.all, func(a, b phrase) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		return bytes.Compare(p.text[a.off:a.off+uint32(a.size)], p.text[b.off:b.off+uint32(b.size)])
	})
	n := 0
	for i := range p.all { // each phrase once
		if n > 0 && bytes.Equal(p.phrase(n-1), p.phrase(i)) {
			p.all[n-1].end |= p.all[i].end
			continue
		}
		p.all[n] = p.all[i]
		n++
	}
	p.all = p.all[:n]
	t := tree{text: p.text, nodes: make([]node, 1, n+n/2+2)}
	t.hang(0, p, 0, n, 0)
	t.nodes = slices.Clip(t.nodes)
	return t
}

// hang puts the phrases from lo to hi, which have depth bytes in common, below
// the node at.
func (t *tree) hang(at int, p *phrases, lo, hi, depth int) {
	if lo < hi && int(p.all[lo].size) == depth {
		t.nodes[at].end = p.all[lo].end
		lo++
	}
	from := len(t.nodes)
	t.nodes[at].from = uint32(from)
	for i := lo; i < hi; {
		b := p.phrase(i)[depth]
		to := t.last(p, i, hi, depth, b)
		first, last := p.phrase(i), p.phrase(to-1)
		n := depth + 1 // what these two have in common, all between them have
		for n < len(first) && n < len(last) && first[n] == last[n] {
			n++
		}
		t.nodes = append(t.nodes, node{label: p.all[i].off + uint32(depth), size: uint8(n - depth), first: b})
		i = to
	}
	t.nodes[at].count = uint16(len(t.nodes) - from)
	for k, i := from, lo; i < hi; k++ {
		n := t.nodes[k]
		to := t.last(p, i, hi, depth, n.first)
		t.hang(k, p, i, to, depth+int(n.size))
		i = to
	}
}

// last returns the index behind the phrases from i on that have b at depth.
func (t *tree) last(p *phrases, i, hi, depth int, b byte) int {
	lo, step := i+1, 2
	for lo < hi { // most groups are small
		next := min(i+step, hi)
		if p.phrase(next - 1)[depth] != b {
			hi = next - 1
			break
		}
		lo = next
		step *= 2
	}
	for lo < hi {
		if mid := (lo + hi) / 2; p.phrase(mid)[depth] == b {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// child returns the child of the node n whose label begins with b, or 0.
func (t *tree) child(n uint32, b byte) uint32 {
	lo := t.nodes[n].from
	hi := lo + uint32(t.nodes[n].count)
	for lo < hi {
		mid := (lo + hi) / 2
		switch c := t.nodes[mid].first; {
		case c == b:
			return mid
		case c < b:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return 0
}
