package person

import (
	"encoding/binary"

	"github.com/ringwall/ringwall/guard/stream"
)

// Class says what a word may be, one bit for each.
type Class uint32

// Classes. Their order is a part of the asset's format.
const (
	First    Class = 1 << iota // a given name
	Last                       // a family name
	Common                     // a word that is often written in lower case
	City                       // a place
	Region                     // a state or province, or its abbreviation
	Country                    //
	Title                      // Dr, Frau, さん
	Particle                   // van, de la, bin
	Intro                      // a name follows: "name", "llamo", 氏名
	Role                       // what people are: customer, wife
	Greet                      // Dear, Hallo
	Sign                       // Regards, Gruß
	Say                        // what people do: said, works
	Before                     // before a street's name: rue, ul
	After                      // behind it: Street, út
	Glued                      // at its end: straße, gatan
	Unit                       // of a building: Apt, piso
	Cue                        // an address follows: address, lives
	Org                        // Inc, University
	Time                       // months, days
	Tongue                     // languages, peoples, products
	Sur                        // a family name in Han, or Hangul
	Given                      // a given name there
	Area                       // the end of a part of an address there

	street = Before | After | Glued
	named  = First | Last
)

// gazetteer is a table of hashes of words, open addressing with linear probing.
type gazetteer []entry // a power of two of them, at most half of them used

type entry struct {
	key   uint32 // 0: free
	class Class
}

func newGazetteer(n int) gazetteer {
	size := 16
	for size < 2*n {
		size *= 2
	}
	return make(gazetteer, size)
}

func (g gazetteer) put(key uint32, c Class) {
	mask := uint32(len(g) - 1)
	i := key & mask
	for g[i].key != 0 && g[i].key != key {
		i = (i + 1) & mask
	}
	g[i] = entry{key, c}
}

func (g gazetteer) class(key uint32) Class {
	mask := uint32(len(g) - 1)
	for i := key & mask; ; i = (i + 1) & mask {
		switch g[i].key {
		case key:
			return g[i].class
		case 0:
			return 0
		}
	}
}

// hash returns the hash of a folded word; it is never 0.
func hash(word []byte) uint32 {
	const k = 0x9E3779B97F4A7C15
	h := uint64(len(word)) * k
	for len(word) >= 8 {
		h = (h ^ binary.LittleEndian.Uint64(word)) * k
		h ^= h >> 29
		word = word[8:]
	}
	var x uint64
	switch n := len(word); {
	case n >= 4: // the two halves overlap
		x = uint64(binary.LittleEndian.Uint32(word)) | uint64(binary.LittleEndian.Uint32(word[n-4:]))<<32
	case n > 0:
		x = uint64(word[0]) | uint64(word[n/2])<<8 | uint64(word[n-1])<<16
	}
	h = (h ^ x) * k
	return uint32(h>>32) | 1
}

// Key returns what a folded word is looked up by in a gazetteer. A pair of
// characters of a script without spaces is one word.
func Key(folded string) uint32 { return hash([]byte(folded)) }

// EndKey is Key for the ending of a word.
func EndKey(folded string) uint32 { return endKey([]byte(folded)) }

func endKey(folded []byte) uint32 { return hash(folded)*0x9E3779B1 | 1 }

// glued reports whether a word ends like the name of a street.
func (g gazetteer) glued(folded []byte) bool {
	for n := 3; n <= 9 && n+2 < len(folded); n++ {
		if at := len(folded) - n; folded[at]&0xC0 != 0x80 && g.class(endKey(folded[at:]))&Glued != 0 {
			return true
		}
	}
	return false
}

var _ stream.Scanner = (*Scanner)(nil)
