package secret

import (
	"bytes"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

const maxHeader = 80 // of -----BEGIN … PRIVATE KEY-----

// readPEM reads the header of a private key (RFC 7468); the key is swallowed.
func readPEM(t []byte, i int, final bool) (m stream.Match, rest swallower, look stream.Look) {
	begin := []byte("-----BEGIN ")
	got := t[i:]
	if n := min(len(got), len(begin)); !bytes.Equal(got[:n], begin[:n]) {
		return m, nil, stream.No
	} else if n < len(begin) {
		return m, nil, unless(final)
	}
	label := got[len(begin):]
	j := 0
	for j < len(label) && j < maxHeader && (label[j] == ' ' || 'A' <= label[j] && label[j] <= 'Z' || '0' <= label[j] && label[j] <= '9') {
		j++
	}
	tail := label[j:min(len(label), j+5)]
	switch {
	case j == maxHeader:
		return m, nil, stream.No
	case len(tail) < 5 && bytes.HasPrefix([]byte("-----"), tail):
		return m, nil, unless(final)
	case string(tail) != "-----" || !bytes.Contains(label[:j], []byte("PRIVATE KEY")):
		return m, nil, stream.No
	}
	m = stream.Match{Start: i, End: i + len(begin) + j + 5, Reason: "private-key", Severity: ringwall.Critical, Score: 0.99}
	return m, swallowPEM, stream.Yes
}

// swallowPEM goes on through words of base64, written in lines, in one line, or
// with escaped line ends, up to and with the -----END line. A word of prose ends
// it.
func swallowPEM(t []byte, i int, final bool) (end int, more bool) {
	for i < len(t) {
		j := i
		for j < len(t) && (t[j] == '\n' || t[j] == '\r' || t[j] == ' ' || t[j] == '\t' || t[j] == '\\') {
			j++
			if t[j-1] == '\\' && j < len(t) && (t[j] == 'n' || t[j] == 'r') {
				j++
			}
		}
		if j == len(t) {
			return i, true
		}
		if t[j] == '-' {
			footer, look := readFooter(t, j, final)
			if look == stream.More {
				return i, true
			}
			if look == stream.Yes {
				return footer, false
			}
			return i, false
		}
		k := j
		fresh := j > i || i == 0 || !base64Body[t[i-1]] // not the rest of a word that went on
		plain := fresh                                  // might be a word of prose
		for k < len(t) && base64Body[t[k]] {
			c := t[k]
			plain = plain && (k-j >= 16 || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' && k == j)
			k++
		}
		switch {
		case k == j:
			return i, false
		case fresh && k == len(t) && !final && k-j < 16:
			return i, true
		case plain && k-j < 16:
			return i, false
		}
		i = k
	}
	return i, true
}

// readFooter reads -----END … -----.
func readFooter(t []byte, i int, final bool) (end int, look stream.Look) {
	const mark = "-----END "
	got := t[i:]
	n := min(len(got), len(mark))
	if string(got[:n]) != mark[:n] {
		return i, stream.No
	}
	for j := n; j < len(got) && j < maxHeader; j++ {
		if got[j] == '\n' {
			return i + j, stream.Yes
		}
		if j >= len(mark)+5 && string(got[j-5:j]) == "-----" {
			return i + j, stream.Yes
		}
	}
	if len(got) < maxHeader && !final {
		return i, stream.More
	}
	return i + min(len(got), maxHeader), stream.Yes
}
