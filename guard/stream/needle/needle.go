// Package needle finds given texts in a stream, whatever they were written as:
// spelled with separators between the characters, in another case, in leet,
// backwards, in ROT13, in hexadecimal, base64, base32, or with the escapes of
// URLs, HTML, JSON, programs and mail. What is looked for is a [Set]; each text
// that is looked through has a [Cursor].
//
// The texts looked for ([Needle]) and the text looked through are both brought
// into one form: lower case, digits that stand for letters replaced, separators
// left out. A gram is eight characters of that form. The Set knows the place of
// each gram of each needle, forwards, backwards and in ROT13. As no match is
// shorter than [Config.Run] characters or a whole needle, it is enough to look up
// every few grams of the text; what is found is then compared to both sides.
//
// Encodings are undone on the side of the text: a run of characters of base64 is
// decoded from each of the four places where a byte may begin, and each of these
// lanes is searched in the same way. So the memory does not grow with the number
// of encodings, and a value inside a longer encoded text is found as well. Only
// one encoding is undone; what is encoded twice is left to callers.
//
// The cost is linear in the text. What must be held back is what can still become
// a match: a few characters of prose, and less than Run of anything else.
//
// Begin reading at [New] and Cursor.Scan.
package needle

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ringwall/ringwall/guard/normalize"
)

// Needle is a text that is looked for.
type Needle struct {
	Text string
	// Exact looks for the text as a whole and as it is written, plain or encoded:
	// for words that prose may hold by chance.
	Exact bool
}

// Config says what a Set looks for.
type Config struct {
	Needles []Needle
	// Run is how many characters in a row, separators not counted, of a longer
	// needle are a match; 0: only the whole.
	Run int
	// Shared makes runs count that several needles have in common, or that are
	// known to stand in many credentials. Without it what three needles share
	// gives none of them away.
	Shared bool
	// MaxBytes bounds the memory of the Set; default 64 MiB.
	MaxBytes int
}

// Bounds of a Set.
const (
	Shortest = 6  // characters of a needle, separators not counted
	Longest  = 64 // of Config.Run
)

const (
	gram       = 8
	maxStride  = 8
	perGram    = 8  // places of a gram that are kept
	perWhole   = 64 // the same for needles that are matched as a whole
	finer      = 3  // more bits of a hash for filters than for buckets
	perByte    = 24 // bytes of memory for each of a form, at most
	defaultMax = 64 << 20
)

// ErrTooLarge says that the needles would take more memory than they may.
var ErrTooLarge = errors.New("needle: too large")

// Fault says why one needle cannot be looked for.
type Fault struct {
	Needle int // index into Config.Needles
	Why    string
}

func (f *Fault) Error() string { return fmt.Sprintf("needle: needle %d: %s", f.Needle+1, f.Why) }

// Set is what is looked for. It is safe for concurrent use. Its texts show in no
// way of printing it.
type Set struct {
	text  []byte // the forms in their order, a zero before, between and behind them
	lower []byte // the same with leet digits as they were
	idle  []bool // characters that do not count: known to anybody
	forms []form

	bucket  []uint32 // by hash of a gram: where its places begin in places
	places  []uint32 // indices into text
	filter  []uint64 // bits by hash: there is such a gram
	alive   []uint64 // bits by hash: a needle holds such a gram of two to short characters
	short   int      // length of the longest of those
	size    uint     // bits of a hash
	mask    uint64   // of the bytes of a gram
	gram    int
	stride  int
	need    int // characters after which every match is known as one
	least   int // characters of the shortest match
	bound   int // characters that are compared at most before a match is reported
	needles int
}

// form is one way to write a needle.
type form struct {
	start, end int // in Set.text
	needle     int
	via        Via
	exact      []byte // the characters with their case, when they must be so
	length     int    // bytes of the text as it is, for exact
	run        int    // characters that are a match; 0: only all of them
}

// String and GoString keep the texts out of logs.
func (s *Set) String() string { return fmt.Sprintf("%d needles", s.needles) }

// GoString implements fmt.GoStringer.
func (s *Set) GoString() string { return s.String() }

// Format implements fmt.Formatter.
func (s *Set) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// Bytes returns how much memory the Set takes.
func (s *Set) Bytes() int {
	return len(s.text) + len(s.lower) + len(s.idle) + 4*len(s.bucket) + 4*len(s.places) + 8*len(s.filter) + 8*len(s.alive) + 96*len(s.forms)
}

// New returns a Set for cfg. It is an error when there is nothing to look for,
// when a needle has fewer than [Shortest] characters, when needles are so much
// alike that they cannot be told apart in bounded time, both as a [Fault], and, as
// [ErrTooLarge], when they take too much memory. Errors name needles by their
// number.
func New(cfg Config) (*Set, error) {
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = defaultMax
	}
	if cfg.Run < 0 || cfg.Run > Longest || cfg.Run > 0 && cfg.Run < Shortest {
		return nil, fmt.Errorf("needle: a run of %d characters: want %d to %d, or 0", cfg.Run, Shortest, Longest)
	}
	total := 0
	for _, n := range cfg.Needles {
		total += 3 * perByte * len(n.Text)
	}
	if total > cfg.MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes of memory are wanted, %d allowed", ErrTooLarge, total, cfg.MaxBytes)
	}
	s := &Set{text: []byte{0}, lower: []byte{0}, needles: len(cfg.Needles)}
	for i, n := range cfg.Needles {
		if err := s.add(i, n, cfg.Run); err != nil {
			return nil, err
		}
	}
	if len(s.forms) == 0 {
		return nil, errors.New("needle: nothing to look for")
	}
	s.measure()
	if !cfg.Shared {
		s.markCommon()
	}
	if err := s.index(cfg.Shared); err != nil {
		return nil, err
	}
	return s, nil
}

// add appends the forms of one needle.
func (s *Set) add(i int, n Needle, run int) error {
	folded := []byte(normalize.Fold(n.Text))
	lower := squeeze(nil, folded)
	if len(lower) < Shortest {
		return &Fault{i, fmt.Sprintf("want at least %d letters or digits", Shortest)}
	}
	f := form{needle: i}
	if n.Exact {
		clean := cleaned(n.Text)
		f.exact, f.length = squeeze(nil, clean), len(clean)
	} else if run > 0 && len(lower) >= run+4 {
		f.run = run
	}
	s.form(f, lower)
	if !ascii(n.Text) { // as its bytes are when nobody folded them
		as := squeeze(nil, lowerASCII([]byte(n.Text)))
		if !slices.Equal(as, lower) && len(as) >= Shortest {
			s.form(f, as)
		}
	}
	if n.Exact {
		return nil
	}
	back := slices.Clone(lower)
	if ascii(n.Text) {
		slices.Reverse(back)
	} else {
		r := []rune(string(lower))
		slices.Reverse(r)
		back = []byte(string(r))
	}
	f.via = Reversed
	s.form(f, back)
	f.via = Rot13
	turned := slices.Clone(lower)
	for k, c := range turned {
		if 'a' <= c && c <= 'z' {
			turned[k] = 'a' + (c-'a'+13)%26
		}
	}
	s.form(f, turned)
	return nil
}

func (s *Set) form(f form, lower []byte) {
	f.start = len(s.text)
	for _, c := range lower {
		s.text = append(s.text, canon[c])
	}
	s.lower = append(s.lower, lower...)
	f.end = len(s.text)
	s.text, s.lower = append(s.text, 0), append(s.lower, 0)
	s.forms = append(s.forms, f)
}
