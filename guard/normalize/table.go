package normalize

import (
	"sync"
	"unicode/utf8"
)

// forms holds what the views show for the runes of most scripts that are
// written with case, accents or compatibility forms, so that they cost a look
// into a table each. Han needs no table: it stands for itself.
type forms struct {
	bytes [tableLen]uint64 // up to four bytes of clean, and above them as many of folded
	len   [tableLen]uint8  // of each; 0: the rune is dropped; slow: its form is no entry
}

// The table covers the runes from lowFirst up to lowEnd, and from highFirst to
// the end of the basic plane: Latin to kana; compatibility forms, full width.
const (
	lowFirst, lowEnd   = 0x80, 0x3400
	highFirst, highEnd = 0xF900, 0xFFFE
	tableLen           = lowEnd - lowFirst + highEnd - highFirst
	slow               = 0xFF
)

var table = sync.OnceValue(func() *forms {
	var t forms
	var raw [utf8.UTFMax]byte
	for i := range t.len {
		r := rune(i + lowFirst)
		if r >= lowEnd {
			r += highFirst - lowEnd
		}
		if hides(r) || r == utf8.RuneError {
			if r == utf8.RuneError { // also stands for bytes that are no UTF-8
				t.len[i] = slow
			}
			continue
		}
		form := decompose(nil, r, raw[:utf8.EncodeRune(raw[:], r)])
		if len(form) > 4 || len(form) == utf8.RuneLen(r) && utf8.RuneCount(form) != 1 {
			t.len[i] = slow
			continue
		}
		folded := appendLower(nil, form)
		for k := range form {
			t.bytes[i] |= uint64(form[k])<<(8*k) | uint64(folded[k])<<(8*k+32)
		}
		t.len[i] = uint8(len(form))
	}
	return &t
})

// at returns the place of r in the table, or -1.
func at(r rune) int {
	switch {
	case lowFirst <= r && r < lowEnd:
		return int(r) - lowFirst
	case highFirst <= r && r < highEnd:
		return int(r) - highFirst + lowEnd - lowFirst
	}
	return -1
}

// plain reports whether r stands for itself in both views: Han, which neither
// has case nor comes apart.
func plain(r rune) bool { return lowEnd <= r && r < 0xA000 || 0x20000 <= r && r < 0x2F800 }

// hides reports whether the views do not show r.
func hides(r rune) bool { return Ignorable(r) || mark(r) }
