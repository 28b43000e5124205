package secret

import (
	"strings"

	"github.com/ringwall/ringwall/guard/stream"
)

// random reports whether v mixes kinds of characters as passwords and keys do,
// and words and calls do not.
func random(v []byte) bool {
	var seen [256]bool
	var digit, lower, upper, other, distinct, turns int
	for i, c := range v {
		if !seen[c] {
			seen[c] = true
			distinct++
		}
		if i > 0 && isDigit(c) != isDigit(v[i-1]) {
			turns++
		}
		switch {
		case isDigit(c):
			digit = 1
		case isLower(c):
			lower = 1
		case 'A' <= c && c <= 'Z':
			upper = 1
		case c == '(' || c == '[':
			return false
		default:
			other = 1
		}
	}
	return digit == 1 && lower+upper+other >= 1 && distinct >= 6 && (lower+upper+other >= 2 || len(v) >= 16 || len(v) >= 10 && turns >= 3)
}

// number reports whether v is a number that is too long to count anything.
func number(v []byte) bool {
	var seen [10]bool
	distinct := 0
	for _, c := range v {
		if !isDigit(c) {
			return false
		}
		if !seen[c-'0'] {
			seen[c-'0'] = true
			distinct++
		}
	}
	return len(v) >= 16 && distinct >= 5
}

// scattered reports whether the characters of v follow each other as chance has
// it: no words, no path, no fingerprint of anything, no identifier. It is made
// for keys of services that nobody told us about.
func scattered(folded, v []byte) bool {
	if len(v) < 20 {
		return false
	}
	var seen [256]bool
	var digit, lower, upper, distinct, hex, slashes, pairs, common, turns int
	for i, c := range v {
		if !seen[c] {
			seen[c] = true
			distinct++
		}
		switch {
		case isDigit(c):
			digit = 1
		case isLower(c):
			lower = 1
		case 'A' <= c && c <= 'Z':
			upper = 1
		case c == '/':
			slashes++
		case !keyBody[c]:
			return false
		}
		if hexAny[c] || c == '-' {
			hex++
		}
		if i == 0 {
			continue
		}
		if isDigit(c) != isDigit(v[i-1]) && stream.AlphaNum[c] && stream.AlphaNum[v[i-1]] {
			turns++
		}
		if a, b := folded[i-1], folded[i]; isLower(a) && isLower(b) {
			pairs++
			if frequent[a-'a'][b-'a'] {
				common++
			}
		}
	}
	switch {
	case hex == len(v) || slashes > len(v)/16 || v[0] == '/' || v[0] == '.':
		return false
	case distinct < 10 || digit+lower+upper < 2:
		return false
	case turns >= len(v)/4: // no words do that
		return true
	}
	return pairs >= len(v)/4 && common*100 < pairs*42
}

// wordy reports whether the letters of v follow each other as they do in words.
func wordy(v []byte) bool {
	pairs, common := 0, 0
	for i := 1; i < len(v); i++ {
		if a, b := v[i-1]|0x20, v[i]|0x20; isLower(a) && isLower(b) {
			pairs++
			if frequent[a-'a'][b-'a'] {
				common++
			}
		}
	}
	return pairs >= 10 && common*100 > pairs*55
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// keyBody are the characters of keys.
var keyBody = func() (t [256]bool) {
	t = stream.AlphaNum
	for _, c := range []byte("+/=_-.~") {
		t[c] = true
	}
	return t
}()

// frequent are the pairs of letters that words are made of: a fifth of all pairs
// and three quarters of those in words, program text included.
var frequent = func() (t [26][26]bool) {
	for p := range strings.FieldsSeq("th he in er an re nd at on nt ha es st en ed to it ou ea hi is or ti as te et ng of al de se le sa si ar ve ra ld ur ro ri io ic ne me li co ch ce ma om us ns ec el ll la em ta ho so pe ot ss no ni ac ge tr ut pr po wi ad " +
		"ee id ai ap ul ct ig ie ir mo un tu lo pa ca ke ey pl di am ol im ab op ag vi bl cl fi il ow ay sh su ts wa we ef ck up ex fo av rs ep qu if ev iv ry ty ly my cr br da do be bu ba ga gr sc sp mp nc ci ht gh rt rd rm rc od os oo") {
		t[p[0]-'a'][p[1]-'a'] = true
	}
	return t
}()
