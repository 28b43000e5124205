package pii

import (
	"bytes"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

var (
	years = pattern{Age, ringwall.Low, 0.9, nil}
	bank  = pattern{SWIFT, ringwall.Medium, 0.9, nil}
)

// besides reads what the word t[s:e] is a part of and no row says: an age before
// the words that say so, and a hardware address that begins with letters.
func besides(t []byte, s, e, first int, buf []byte, final bool) (start, end int, p pattern, look stream.Look) {
	switch {
	case e-s == 2 && s-3 >= first && t[s-1] == '-':
		at := s
		for k := 0; k < 5 && at-3 >= first && t[at-1] == '-' && isHex(t[at-2]) && isHex(t[at-3]); k++ {
			at -= 3
		}
		if at < s && (at == 0 || !joined(t, at)) {
			if end, _, _, look = match(t, at, "hh-hh-hh-hh-hh-hh", buf, final); look != stream.No {
				return at, end, hardware, look
			}
		}
	case e-s <= 3 && isDigit(t[s]) && isDigit(t[e-1]) && (s == 0 || !joined(t, s)):
		if aged(t, s) {
			return s, e, years, stream.Yes
		}
		if e < len(t) && t[e] != ' ' && t[e] != '-' || e+1 < len(t) && t[e+1]|0x20 != 'y' && t[e+1]|0x20 != 'j' {
			return s, e, p, stream.No
		}
		for _, say := range [...]string{" years old", " year old", "-year-old", " jahre alt", " yrs old", " jaar oud"} {
			rest := t[e:min(e+len(say), len(t))]
			if !bytes.EqualFold(rest, []byte(say)[:len(rest)]) {
				continue
			}
			if len(rest) == len(say) {
				return s, e, years, stream.Yes
			}
			if !final {
				return s, e, years, stream.More
			}
		}
	}
	return s, e, p, stream.No
}

// aged reports whether the word before t[i] says that an age follows.
func aged(t []byte, i int) bool {
	end := i
	for end > 0 && i-end < 3 && contains(` :="'`, t[end-1]) {
		end--
	}
	start := end
	for start > 0 && end-start < 6 && isLetter(t[start-1]) {
		start--
	}
	switch word := t[start:end]; len(word) {
	case 3:
		return bytes.EqualFold(word, []byte("age"))
	case 4:
		return bytes.EqualFold(word, []byte("aged"))
	}
	return false
}

// namedBank reads the code of a bank behind the colon t[i] and its name.
func namedBank(t []byte, i int, final bool) (start, end int, look stream.Look) {
	k := i
	for k > 0 && i-k < 6 && isLetter(t[k-1]) {
		k--
	}
	if name := t[k:i]; !bytes.EqualFold(name, []byte("bic")) && !bytes.EqualFold(name, []byte("swift")) {
		return i, i, stream.No
	}
	start = i + 1
	if start < len(t) && t[start] == ' ' {
		start++
	}
	end = start
	for end < len(t) && end-start < 12 && stream.AlphaNum[t[end]] {
		end++
	}
	switch n := end - start; {
	case end == len(t) && !final && n < 12:
		return i, i, stream.More
	case (n == 8 || n == 11) && bic(t[start:end]) && bankOf(t[start:end]):
		return start, end, stream.Yes
	}
	return i, i, stream.No
}

// besideAccount reads the code of a bank that follows an account number which
// ends at account. t[i] is its first digit.
func besideAccount(t []byte, i, first, account int) (start, end int, ok bool) {
	start, end = i, wordEnd(t, i)
	for start > first && i-start < 12 && stream.AlphaNum[t[start-1]] {
		start--
	}
	n := end - start
	return start, end, account > 0 && start-account < 12 && start >= account && (n == 8 || n == 11) && bic(t[start:end])
}

// bankOf reports whether the letters v are capitals with a country among them.
func bankOf(v []byte) bool {
	for _, c := range v {
		if 'a' <= c && c <= 'z' {
			return false
		}
	}
	if ibanLength[string(v[4:6])] > 0 {
		return true
	}
	switch string(v[4:6]) {
	case "US", "CA", "AU", "NZ", "JP", "CN", "IN", "SG", "HK", "KR", "ZA", "TH", "MY", "PH", "ID", "TW", "VN", "MX", "AR", "CL", "CO", "PE", "NG", "KE", "MA":
		return true
	}
	return false
}

// ofGoods reports whether the word before t[i] says that the number is that of a
// thing, or of a paper about things.
func ofGoods(t []byte, i int) bool {
	end := i
	for end > 0 && i-end < 3 && contains(" :#.", t[end-1]) {
		end--
	}
	start := end
	for start > 0 && end-start < 10 && isLetter(t[start-1]) {
		start--
	}
	switch strings.ToLower(string(t[start:end])) {
	case "part", "parts", "model", "sku", "item", "article", "serial", "order", "invoice", "ticket", "batch", "lot", "tracking", "isbn", "case", "extension":
		return true
	}
	return false
}
