// Package person notices people's names and postal addresses in free text: what
// has no structure and must be known by language.
//
// The clean view is cut into small tokens: words, numbers, single signs, and in
// scripts without spaces single characters. Each is looked up in a gazetteer,
// which says what a word may be: a first name, a family name, what a street is
// called by, a title, a word after which a name is given, or just a common word.
// Most tokens of prose cannot belong to a name or an address, and that ends the
// matter. About the others a small linear model decides, from left to right, by
// the words, their classes and their shapes around the token and by what was
// decided before. It looks at most six tokens and 128 bytes ahead, so where the
// text is cut makes no difference and little is held back; a name ends after 96
// bytes and an address after 256 at the latest.
//
// The gazetteer and the weights of the model are one asset, learnt by the program
// in training/person, which says from what. It is checked when it is loaded.
//
// A word of which nothing is known right before a name belongs to it. An address
// without a number, or with nothing that is or announces a street, is none.
//
// The score of a match is the mean probability of its tokens; what the model
// thinks less likely than not is not reported. What has a structure, such as an
// e-mail address, is left to package pii. Start reading at the cursor.
package person

import (
	_ "embed" // for the asset
	"sync"

	"github.com/ringwall/ringwall/guard/stream"
)

// Reasons: Bedrock's names of the types, in kebab-case.
const (
	Name    = "name"
	Address = "address"
)

// Reasons lists all reasons.
var Reasons = []string{Name, Address}

//go:embed person.bin
var embedded []byte

var shared = sync.OnceValues(func() (*Scanner, error) { return Load(embedded) })

// New returns a Scanner with the model that comes with the program. The model is
// loaded once; an error says that it is damaged.
func New() (*Scanner, error) { return shared() }

// Scanner notices names and postal addresses. It is safe for concurrent use.
type Scanner struct {
	model   *model
	cursors sync.Pool
}

// Load returns a Scanner with the model of an asset that [Asset.Encode] wrote.
func Load(asset []byte) (*Scanner, error) {
	m, err := decode(asset)
	if err != nil {
		return nil, err
	}
	s := &Scanner{model: m}
	s.cursors.New = func() any { return &cursor{model: m, home: s} }
	return s, nil
}

// Begin implements stream.Scanner.
func (s *Scanner) Begin(stream.Scope) (stream.Cursor, string) {
	return s.cursors.Get().(*cursor), ""
}

// Free implements stream.Freer.
func (c *cursor) Free() {
	s := c.home
	*c = cursor{model: c.model, home: s}
	s.cursors.Put(c)
}
