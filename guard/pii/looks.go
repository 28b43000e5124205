package pii

import (
	"bytes"

	"github.com/ringwall/ringwall/guard/stream"
)

// What the names of users and passwords look like.

func userChars(v []byte) bool {
	letters := 0
	for _, c := range v {
		switch {
		case isLetter(c) || c >= 0x80:
			letters++
		case isDigit(c) || contains("._-@+\\", c):
		default:
			return false
		}
	}
	return letters > 0
}

// mixes reports whether v holds letters and digits or signs: no word does.
func mixes(v []byte) bool {
	letters, others := 0, 0
	for i, c := range v {
		switch {
		case isLetter(c) || c >= 0x80:
			letters++
		case isDigit(c), contains("_#$%&*!?@^~+=", c), c == '.' && i > 0 && i < len(v)-1:
			others++
		}
	}
	return letters > 1 && others > 0
}

// speaks reports whether v speaks of a password instead of being one.
func speaks(v []byte) bool {
	for _, s := range [...]string{"pass", "pwd", "secret", "token", "value", "prompt", "hash"} {
		if bytes.Contains(v, []byte(s)) {
			return true
		}
	}
	return false
}

// name reports whether v may be a name in a program: letters and underscores.
func name(v []byte) bool {
	for _, c := range v {
		if !isLetter(c) && c != '_' {
			return false
		}
	}
	return true
}

// cased reports whether capitals stand within v between small letters as in no
// word and in few names: oneTwo, but wTqZx.
func cased(v []byte) bool {
	changes := 0
	for i := 1; i < len(v); i++ {
		if !isLetter(v[i]) {
			return false
		}
		if v[i]&0x20 == 0 && v[i-1]&0x20 != 0 {
			changes++
		}
	}
	return changes > 1
}

// strong reports whether v is hardly anything but a password.
func strong(v []byte) bool {
	digits, signs := 0, 0
	for _, c := range v {
		switch {
		case isDigit(c):
			digits++
		case !isLetter(c) && c < 0x80 && !contains("-_./:,'", c):
			signs++
		}
	}
	if n := len(v) - 1; n >= 0 && contains("!?*", v[n]) && signs == 1 && digits == 0 {
		return false // the end of a sentence
	}
	return len(v) >= 6 && (digits+signs > 0 || cased(v))
}

// hollow reports whether v stands for what is not said.
func hollow(v []byte) bool {
	if same(v) && len(v) > 0 && !stream.AlphaNum[v[0]] {
		return true
	}
	for _, s := range [...]string{"****", "xxxx", "XXXX", "${", "{{", "{", "<", "$(", "...", "%s", "[", "____", "your", "Your", "YOUR", "process.env", "os.environ"} {
		if bytes.HasPrefix(v, []byte(s)) {
			return true
		}
	}
	return false
}

// isBank reports whether v is the code of a bank.
func isBank(v, buf []byte) bool {
	if !onlyAlnum(v) {
		return false
	}
	v = upper(v, buf)
	return bic(v) && bankOf(v)
}

func onlyAlnum(v []byte) bool {
	for _, c := range v {
		if !stream.AlphaNum[c] {
			return false
		}
	}
	return true
}

func capitals(v []byte) bool {
	for _, c := range v {
		if 'a' <= c && c <= 'z' {
			return false
		}
	}
	return true
}

func upper(v, buf []byte) []byte {
	for _, c := range v {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		buf = append(buf, c)
	}
	return buf
}

// handleLike reports whether v begins as names do, with three letters that are
// not all capitals, and holds more letters than digits.
func handleLike(v []byte) bool {
	letters, digits, small := 0, 0, false
	for i, c := range v {
		switch {
		case isLetter(c) || c >= 0x80:
			letters++
			small = small || c >= 'a'
		case isDigit(c):
			digits++
			if i < 3 {
				return false
			}
		}
	}
	return small && letters > digits
}
