package decode

import "strings"

// feature says which disguises a text may wear.
type feature uint64

const (
	fHidden   feature = 1 << iota // invisible characters
	fTag                          // Unicode tags
	fSelector                     // variation selectors, two in a row
	fSneaky                       // invisible operators
	fBidi                         // an override of the direction
	fErase                        // backspace, delete
	fTerminal                     // an escape character
	fMarks                        // heaps of combining marks
	fStyled                       // letters in compatibility forms
	fForms                        // Arabic presentation forms
	fAlike                        // words that look Latin and are not
	fTurned                       // letters upside down
	fBraille
	fRun // runs that may be base64
	fRun32
	fRun58
	fRunBack  // the same backwards
	fGroups   // base64 in groups of letters
	fPieces   // pieces of strings that are put together
	fSymbols  // tokens of letters and signs, as ascii85 has
	fPairs    // pairs of hexadecimal digits
	fNumbers  // numbers in a row
	fBits     // long runs of 0 and 1
	fDots     // dots and dashes
	fPercent  // %XX
	fEntity   // &…;
	fEquals   // =XX
	fEscape   // a backslash
	fMarkup   // <a, <!, </
	fLinks    // ](, ]:
	fBegin    // uuencode's header
	fNames    // words of the spelling alphabet
	fBackward // words that are common when read backwards
	fAtbash
	fShifted // words that are common when their letters are shifted
	fRot47
	fPig
	fSigns  // letters and digits or signs in one word
	fApart  // letters by themselves
	fJoined // words without space
)

// The classes of ASCII bytes.
const (
	kSmall = 1 << iota
	kCapital
	kDigit
	kSpace
	kSign // stands for a letter in leet
	kDot  // of Morse code
	kRot47
	kHex
	kJoint // may stand for a space

	kLetter = kSmall | kCapital
	kAlnum  = kLetter | kDigit
)

var kinds = func() (t [256]uint16) {
	for b := range t {
		c := byte(b)
		switch {
		case isLower(c):
			t[b] |= kSmall
		case isUpper(c):
			t[b] |= kCapital
		case isDigit(c):
			t[b] |= kDigit
		case isSpace(c):
			t[b] |= kSpace
		}
		if strings.IndexByte("@$!|+", c) >= 0 {
			t[b] |= kSign
		}
		if strings.IndexByte(".-_", c) >= 0 {
			t[b] |= kDot
		}
		if '2' <= c && c <= 'K' {
			t[b] |= kRot47
		}
		if strings.IndexByte("_.+~*-", c) >= 0 {
			t[b] |= kJoint
		}
		if hexValue(c) >= 0 {
			t[b] |= kHex
		}
	}
	return t
}()
