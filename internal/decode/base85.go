package decode

import (
	"encoding/ascii85"
	"encoding/binary"
	"math"
	"strings"
)

// undoASCII85 reads what stands between <~ and ~>, and bare runs that no prose
// looks like.
func undoASCII85(s *splice) {
	text := s.text
	closing := strings.LastIndex(text, "~>")
	for i := 0; i < len(text); {
		start, end, next := i, i, 0
		if i < closing && strings.HasPrefix(text[i:], "<~") {
			n := strings.Index(text[i:], "~>")
			start, end, next = i+2, i+n, i+n+2
		} else {
			for end < len(text) && '!' <= text[end] && text[end] <= 'u' {
				end++
			}
			next = end
			if end-start < 15 {
				i = max(end, i+1)
				continue
			}
		}
		read85(s, start, end, i, next, ascii85Value)
		i = next
	}
}

func ascii85Value(c byte) int { return int(c) - '!' }

// base85Alphabet are the digits of RFC 1924.
const base85Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"

var base85Values = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i := range len(base85Alphabet) {
		t[base85Alphabet[i]] = int8(i)
	}
	return t
}()

func base85Value(c byte) int { return int(base85Values[c]) }

// undoBase85 reads runs in the alphabet of RFC 1924, as Git and Python write.
func undoBase85(s *splice) {
	text := s.text
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && base85Values[text[end]] >= 0 {
			end++
		}
		if end-i >= 15 {
			read85(s, i, end, i, end, base85Value)
		}
		i = max(end, i+1)
	}
}

// read85 reads groups of five digits, most significant first, as four bytes;
// n digits that are left make n-1 bytes. What it can read replaces the text from
// first to next.
func read85(s *splice, start, end, first, next int, value func(byte) int) {
	var buf [96]byte
	out := buf[:0]
	for i := start; i < end; {
		group, n := uint64(0), 0
		for ; n < 5 && i < end; i++ {
			v := value(s.text[i])
			if isSpace(s.text[i]) {
				continue
			}
			if v < 0 || v > 84 {
				return
			}
			group = group*85 + uint64(v)
			n++
		}
		if n < 5 {
			if n < 2 {
				break
			}
			for range 5 - n {
				group = group*85 + 84
			}
		}
		if group > math.MaxUint32 {
			return
		}
		out = binary.BigEndian.AppendUint32(out, uint32(group))
		out = out[:len(out)-5+max(n, 1)]
		if n < 5 {
			break
		}
		if len(out) == 12 && !begins(out) {
			return
		}
	}
	plain, ok := readable(out)
	if !ok {
		return
	}
	s.put(first, next, plain)
}

func encodeBase85(text string) string {
	var out []byte
	for i := 0; i < len(text); i += 4 {
		var group [4]byte
		n := copy(group[:], text[i:])
		v := binary.BigEndian.Uint32(group[:])
		var digits [5]byte
		for k := 4; k >= 0; k-- {
			digits[k] = base85Alphabet[v%85]
			v /= 85
		}
		out = append(out, digits[:n+1]...)
	}
	return string(out)
}

func encodeASCII85(text string) string {
	out := make([]byte, ascii85.MaxEncodedLen(len(text)))
	return "<~" + string(out[:ascii85.Encode(out, []byte(text))]) + "~>"
}
