package decode

import "sync"

// maxCommon is the length of the longest word in the lists that a text is
// searched for.
const maxCommon = 15

// hashBase is the base of the polynomial hash of a word in lower case: the sum
// of its letters, each times a power of the base. The hash of the word read
// backwards, and of the word in atbash, come of the same sums.
const hashBase = 0x9E3779B97F4A7C15

// atbashSum[n] minus the hash of a word of n letters is the hash of that word in
// atbash: a letter and its opposite make 'a'+'z'.
var atbashSum = func() (t [maxCommon + 1]uint64) {
	power := uint64(1)
	for n := 1; n <= maxCommon; n++ {
		t[n] = t[n-1] + ('a'+'z')*power
		power *= hashBase
	}
	return t
}()

// common tells common words from others by two bits of a table; what it takes
// for common by chance, one word in fifty, is looked up.
type common [1 << 16]uint8

// Bits of common.
const (
	plainWord = 1 << iota
	spellWord
	shapeWord
)

func slot(h uint64) uint16 { return uint16((h * 0xD6E8FEB86659FD93) >> 48) }

func (t *common) has(h uint64, kind uint8) bool { return t[slot(h)]&kind != 0 }

func hash(word string) (h uint64) {
	for i := range len(word) {
		h = h*hashBase + uint64(word[i])
	}
	return h
}

var hashes = sync.OnceValue(func() *common {
	var t common
	for w := range english {
		t[slot(hash(w))] |= plainWord
	}
	for w := range fromNATO {
		t[slot(hash(w))] |= spellWord
	}
	for p := range patterns {
		if len(p) >= 4 {
			t[slot(hash(p))] |= shapeWord
		}
	}
	return &t
})

// exact reports whether word is common once turned.
func (t *common) exact(word string, turn func(dst []byte, word string) []byte) bool {
	var buf [maxCommon]byte
	return english[string(turn(buf[:0], word))]
}

func reversedLetters(dst []byte, word string) []byte {
	for i := len(word) - 1; i >= 0; i-- {
		dst = append(dst, word[i]|0x20)
	}
	return dst
}

func atbashLetters(dst []byte, word string) []byte {
	for i := range len(word) {
		dst = append(dst, 'a'+'z'-(word[i]|0x20))
	}
	return dst
}

// shape reports whether the letters of word stand at distances from each other
// as in a common word.
func (t *common) shape(word string) bool {
	var buf [maxCommon]byte
	first := word[0] | 0x20
	h := uint64(0)
	for i := range len(word) {
		c := word[i] | 0x20
		if c < first {
			c += 26
		}
		buf[i] = 'a' + c - first
		h = h*hashBase + uint64(buf[i])
	}
	return t.has(h, shapeWord) && patterns[string(buf[:len(word)])] != 0
}
