package pii

import (
	"net/netip"
	"strings"

	"github.com/ringwall/ringwall/guard/stream"
)

// readIPv4 reads an address of four numbers (RFC 1123 §2.1). Addresses that name
// no host elsewhere are nobody's: loopback, unspecified, masks, broadcast.
func readIPv4(t []byte, i int, final bool) (int, stream.Look) {
	if i > 0 && (t[i-1] == '.' || t[i-1] == '-' && i > 1 && stream.AlphaNum[t[i-2]]) {
		return i, stream.No
	}
	var addr [4]byte
	j := i
	for part := range addr {
		if part > 0 {
			if j == len(t) || t[j] != '.' {
				return i, stream.No
			}
			j++
		}
		from, v := j, 0
		for j < len(t) && isDigit(t[j]) && j-from < 3 {
			v = v*10 + int(t[j]-'0')
			j++
		}
		switch {
		case j == len(t) && !final:
			return i, stream.More
		case j == from || v > 255 || j-from > 1 && t[from] == '0':
			return i, stream.No
		}
		addr[part] = byte(v)
	}
	switch {
	case j+1 < len(t) && t[j] == '.' && isDigit(t[j+1]):
		return i, stream.No // a version, a section
	case !final && j+1 >= len(t):
		return i, stream.More
	case isVersion(t, i):
		return i, stream.No
	case addr[0] == 127 || addr[0] == 255 || addr == [4]byte{}:
		return i, stream.No
	}
	return j, ends(t, j, final)
}

// isVersion reports whether the word before t[i] says that a version follows.
func isVersion(t []byte, i int) bool {
	end := i
	for end > 0 && i-end < 2 && (t[end-1] == ' ' || t[end-1] == ':') {
		end--
	}
	start := end
	for start > 0 && end-start < 10 && isLetter(t[start-1]) {
		start--
	}
	switch strings.ToLower(string(t[start:end])) {
	case "version", "versions", "ver", "v", "release", "build", "firmware", "section", "sections", "sec", "chapter", "clause", "appendix", "rfc":
		return true
	}
	return false
}

// small reports whether v is four single digits that differ, as sections and
// versions are.
func small(v []byte) bool { return len(v) == 7 && (v[0] != v[2] || v[0] != v[4] || v[0] != v[6]) }

// hosted reports whether a word before t[i] says that a machine is meant. t is
// folded.
func hosted(t []byte, i int) bool {
	end := i
	for range 3 {
		for end > 0 && i-end < 40 && !inWord(t[end-1]) && t[end-1] != '\n' {
			end--
		}
		start := end
		for start > 0 && i-start < 60 && inWord(t[start-1]) {
			start--
		}
		if hosts[string(t[start:end])] {
			return true
		}
		end = start
	}
	return false
}

var hosts = words("ip ips ipv address addr host hosts hostname server servers client clients ping traceroute dns resolver nameserver from src dst source destination remote peer gateway router node machine vm endpoint ssh telnet curl wget http https connect connected connection firewall subnet adresse direccion indirizzo endereco rechner")

// groupBefore returns where an address begins of which t[i] is the first colon,
// behind up to four hexadecimal digits, and whether there it can begin.
func groupBefore(t []byte, i, first int) (start int, ok bool) {
	start = i
	for start > first && i-start < 4 && isHex(t[start-1]) {
		start--
	}
	if start == 0 {
		return start, true
	}
	c := t[start-1]
	return start, !stream.AlphaNum[c] && c != ':'
}

// readIPv6 reads an address in groups of hexadecimal digits (RFC 4291 §2.2).
func readIPv6(t []byte, i int, final bool) (int, stream.Look) {
	const longest = 45
	j, colons, digits := i, 0, 0
	for j < len(t) && j-i <= longest && (isHex(t[j]) || t[j] == ':' || t[j] == '.' && colons > 1) {
		switch {
		case t[j] == ':':
			if colons++; colons > 7 || colons == 2 && t[i] == ':' && t[i+1] != ':' {
				return i, stream.No
			}
		case isDigit(t[j]):
			digits++
		}
		j++
	}
	switch {
	case j-i > longest:
		return i, stream.No
	case j == len(t) && !final:
		return i, stream.More
	case colons < 2 || digits == 0:
		return i, stream.No
	}
	for j > i && (t[j-1] == '.' || t[j-1] == ':' && j > i+1 && t[j-2] != ':') { // a sentence goes on
		j--
	}
	addr, err := netip.ParseAddr(string(t[i:j]))
	if err != nil || addr.IsLoopback() || addr.IsUnspecified() {
		return i, stream.No
	}
	return j, ends(t, j, final)
}

func isHex(b byte) bool { return isDigit(b) || 'a' <= b|0x20 && b|0x20 <= 'f' }
