package textmodel

import (
	"unicode/utf8"

	"github.com/ringwall/ringwall/internal/wordvec"
)

// Block is the number of pieces of a block. What is judged at once, a window, is
// a block and the one before it.
const Block = 48

// mostBlock bounds the bytes of a block: words may be long.
const mostBlock = 640

// Grams is the number of hashed features of a word: itself, with one and with two
// words before it, and with the word two and three before it.
const Grams = 5

// Visitor is shown the pieces and the features of a text, word by word.
type Visitor interface {
	// Word is shown the ids of the pieces of a word, how many of them are strange,
	// and the hashes of its features.
	Word(ids []int32, strange int, grams *[Grams]uint64)
	// End is shown the offsets between which the block stands that ends here.
	End(start, end int)
}

// Reader cuts a growing text in lower case into blocks of words. Where it cuts
// depends on the text alone. The zero Reader is ready. It is owned by one
// goroutine.
type Reader struct {
	cut    wordvec.Cutter
	before [3]uint64 // hashes of the words before, the last first
	ids    []int32
	grams  [Grams]uint64
	n      int // pieces in the block
	start  int // offset where the block begins
	end    int // and where its last word ends
}

// Reset makes r ready for another text.
func (r *Reader) Reset() { *r = Reader{ids: r.ids[:0]} }

// Start returns the offset where the block begins that is not yet complete.
func (r *Reader) Start() int {
	if r.n == 0 {
		return r.cut.Pending()
	}
	return r.start
}

// Pending returns the offset from which on the window of the next call must reach.
func (r *Reader) Pending() int { return r.cut.Pending() }

// Read shows v the words that are complete. The window is text, whose first byte
// has the offset base; final says that it ends there.
func (r *Reader) Read(t *wordvec.Table, text []byte, base int, final bool, v Visitor) {
	for {
		w, ok := r.cut.Next(text, base, final)
		if !ok {
			break
		}
		word := text[w.Start-base : w.End-base]
		coded := isCode(word)
		if coded {
			r.ids = append(r.ids[:0], wordvec.Unknown)
		} else {
			r.ids = t.Pieces(r.ids[:0], word)
		}
		if r.n > 0 && (r.n+len(r.ids) > Block || w.End-r.start > mostBlock) {
			r.close(v)
		}
		if r.n == 0 {
			r.start = w.Start
		}
		h := hash(word)
		if coded {
			h = 1
		}
		before := r.before
		b := &r.before
		r.grams = [Grams]uint64{h, mix(h, b[0], 1), mix(mix(h, b[0], 2), b[1], 2), mix(h, b[1], 3), mix(h, b[2], 4)}
		b[2], b[1], b[0] = b[1], b[0], h
		r.n, r.end = r.n+len(r.ids), w.End
		odd := strange(word, r.ids)
		if h == before[0] || h == before[1] || h == before[2] {
			odd = len(r.ids) // said again and again, a word says nothing
		}
		v.Word(r.ids, odd, &r.grams)
	}
	if final && r.n > 0 {
		r.close(v)
	}
}

// isCode reports whether a word is an id, a digest or a key rather than a word:
// digits and letters by turns. One is like another, and means nothing.
func isCode(word []byte) bool {
	if len(word) < 8 {
		return false
	}
	turns, last := 0, false
	for i, c := range word {
		digit := '0' <= c && c <= '9'
		if i > 0 && digit != last {
			turns++
		}
		last = digit
	}
	return turns >= 3
}

// strange counts the pieces of a word that say little: in letters that the
// vocabulary has singly only, unknown, or parts of a word that it does not know.
func strange(word []byte, ids []int32) int {
	if word[0] >= utf8.RuneSelf || ids[0] == wordvec.Unknown {
		return len(ids)
	}
	return len(ids) - 1
}

func (r *Reader) close(v Visitor) {
	v.End(r.start, r.end)
	r.n = 0
}

// hash is FNV-1a, finished by a mix.
func hash(word []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range word {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h ^ h>>32
}

// mix makes a feature of a word and one before it.
func mix(h, before, kind uint64) uint64 {
	h = (h + kind*0x9e3779b97f4a7c15) ^ before*0xff51afd7ed558ccd
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>29
}
