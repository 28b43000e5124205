package decode

import (
	"encoding/ascii85"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// run is one kind of encoded run: which bytes it is made of, how short it may
// be within other text, and how to read it.
type run struct {
	in    func(byte) bool
	least int
	pad   bool                        // '=' may follow
	looks func(string) bool           // cheap: whether it is worth reading; nil: always
	read  func(string) ([]byte, bool) // without padding; may hold line breaks
	parts func(r rune) bool           // where to cut a run that cannot be read; nil: nowhere
}

// decode replaces the readable runs of text. A run that goes on over full
// lines, as in mail, is read as one.
func (k run) decode(text string) (string, bool) {
	s := splice{text: text}
	alone := strings.TrimRight(strings.TrimSpace(text), "=")
	parted := 0 // lines before here have been tried together, in vain
	for i := 0; i < len(text); {
		if !k.in(text[i]) {
			i++
			continue
		}
		line := k.end(text, i)
		end := line
		for start := i; i >= parted && end-start >= 40; {
			next := end
			if next < len(text) && text[next] == '\r' {
				next++
			}
			if next >= len(text) || text[next] != '\n' || next+1 >= len(text) || !k.in(text[next+1]) {
				break
			}
			start = next + 1
			end = k.end(text, start)
		}
		if !k.try(&s, i, end, alone) && (end == line || !k.try(&s, i, line, alone)) {
			k.tryParts(&s, i, line, alone)
			i = line
		} else {
			i = s.done
		}
		parted = max(parted, end)
	}
	return s.result()
}

func (k run) end(text string, i int) int {
	for i < len(text) && k.in(text[i]) {
		i++
	}
	return i
}

func (k run) try(s *splice, start, end int, alone string) bool {
	least := k.least
	text := s.text[start:end]
	if len(text) == len(alone) {
		least = 4
	}
	if len(text) < least || k.looks != nil && !k.looks(text) {
		return false
	}
	b, ok := k.read(text)
	if !ok {
		return false
	}
	plain, ok := readable(b)
	if !ok {
		return false
	}
	for n := 0; k.pad && n < 6 && end < len(s.text) && s.text[end] == '='; n++ {
		end++
	}
	s.put(start, end, plain)
	return true
}

func (k run) tryParts(s *splice, start, end int, alone string) {
	if k.parts == nil {
		return
	}
	for i := start; i < end; {
		n := strings.IndexFunc(s.text[i:end], k.parts)
		if n < 0 {
			n = end - i
		}
		if i > start || i+n < end {
			k.try(s, i, i+n, alone)
		}
		i += n + 1
	}
}

// mixed reports whether a run is unlike a word of prose.
func mixed(s string) bool {
	if len(s) >= 24 {
		return true
	}
	lower, other := false, false
	for i := range len(s) {
		lower = lower || isLower(s[i])
		other = other || isDigit(s[i]) || i > 0 && isUpper(s[i])
	}
	return other
}

var (
	stdRun = run{
		in:    func(b byte) bool { return isAlnum(b) || b == '+' || b == '/' },
		least: 8, pad: true, looks: mixed,
		read:  func(s string) ([]byte, bool) { return ok(base64.RawStdEncoding.DecodeString(s)) },
		parts: func(r rune) bool { return r == '/' || r == '+' },
	}
	urlRun = run{
		in:    func(b byte) bool { return isAlnum(b) || b == '-' || b == '_' },
		least: 8, pad: true, looks: mixed,
		read:  func(s string) ([]byte, bool) { return ok(base64.RawURLEncoding.DecodeString(s)) },
		parts: func(r rune) bool { return r == '-' || r == '_' },
	}
	base32Run = run{
		in:    func(b byte) bool { return isAlpha(b) || '2' <= b && b <= '7' },
		least: 8, pad: true,
		looks: func(s string) bool { // one case, and unlike a word of prose
			upper, small, digit := false, false, false
			for i := range len(s) {
				upper, small, digit = upper || isUpper(s[i]), small || isLower(s[i]), digit || isDigit(s[i])
			}
			return !(upper && small) && (upper || digit || len(s) >= 16)
		},
		read: func(s string) ([]byte, bool) {
			return ok(base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(s)))
		},
	}
	base58Run = run{in: func(b byte) bool { return base58Value[b] != 0 }, least: 11, looks: mixed, read: readBase58}
)

func ok(b []byte, err error) ([]byte, bool) { return b, err == nil }

func decodeBase64(text string) (string, bool)    { return stdRun.decode(text) }
func decodeBase64URL(text string) (string, bool) { return urlRun.decode(text) }
func decodeBase32(text string) (string, bool)    { return base32Run.decode(text) }
func decodeBase58(text string) (string, bool)    { return base58Run.decode(text) }

func encodeBase64(text string) string    { return base64.StdEncoding.EncodeToString([]byte(text)) }
func encodeBase64URL(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
func encodeBase32(text string) string    { return base32.StdEncoding.EncodeToString([]byte(text)) }
func encodeHex(text string) string       { return hex.EncodeToString([]byte(text)) }

// decodeHex reads pairs of digits, together or with separators between them,
// with or without 0x.
func decodeHex(text string) (string, bool) {
	s := splice{text: text}
	var bytes []byte
	for i := 0; i < len(text); {
		if !isAlnum(text[i]) {
			i++
			continue
		}
		bytes = bytes[:0]
		end := i
		for j := i; ; {
			start := len(bytes)
			next := j
			if strings.HasPrefix(text[j:], "0x") || strings.HasPrefix(text[j:], "0X") {
				next += 2
			}
			for {
				v, after, ok := hexNumber(text, next, 2, 2)
				if !ok {
					break
				}
				bytes = append(bytes, byte(v))
				next = after
			}
			if len(bytes) == start || next < len(text) && isAlnum(text[next]) {
				bytes = bytes[:start] // a word, not digits
				break
			}
			end, j = next, next
			for n := 0; n < 2 && j < len(text) && strings.IndexByte(" :,-\n", text[j]) >= 0; n++ {
				j++
			}
			if j == end {
				break
			}
		}
		if len(bytes) >= 4 {
			if plain, ok := readable(bytes); ok {
				s.put(i, end, plain)
			}
		}
		for end < len(text) && isAlnum(text[end]) {
			end++
		}
		i = max(end, i+1)
	}
	return s.result()
}

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// base58Value is the digit of a byte, plus one; zero when it is none.
var base58Value = func() (v [256]uint8) {
	for i := range len(base58Alphabet) {
		v[base58Alphabet[i]] = uint8(i + 1)
	}
	return v
}()

// maxBase58 is the longest run that is read: the work grows with its square.
const maxBase58 = 4096

// readBase58 converts five digits at a time into 32-bit limbs.
func readBase58(s string) ([]byte, bool) {
	if len(s) > maxBase58 {
		return nil, false
	}
	limbs := make([]uint32, 0, len(s)/5+1) // least significant first
	zeros := 0
	for zeros < len(s) && s[zeros] == '1' {
		zeros++
	}
	for i := zeros; i < len(s); {
		scale, add := uint64(1), uint64(0)
		for n := 0; n < 5 && i < len(s); i++ {
			if digit := base58Value[s[i]]; digit != 0 { // not a line break
				scale *= 58
				add = add*58 + uint64(digit-1)
				n++
			}
		}
		for j := range limbs {
			add += uint64(limbs[j]) * scale
			limbs[j] = uint32(add)
			add >>= 32
		}
		if add > 0 {
			limbs = append(limbs, uint32(add))
		}
	}
	out := make([]byte, zeros, zeros+4*len(limbs))
	for i := len(limbs) - 1; i >= 0; i-- {
		out = binary.BigEndian.AppendUint32(out, limbs[i])
	}
	lead := zeros
	for lead < len(out) && out[lead] == 0 {
		lead++
	}
	return append(out[:zeros], out[lead:]...), true
}

// encodeBase58 writes all of text as one number, most significant digit first.
func encodeBase58(text string) string {
	digits := make([]byte, 0, len(text)*7/5+1) // least significant first
	zeros := 0
	for zeros < len(text) && text[zeros] == 0 {
		zeros++
	}
	for i := zeros; i < len(text); i++ {
		carry := int(text[i])
		for j := range digits {
			carry += int(digits[j]) << 8
			digits[j] = byte(carry % 58)
			carry /= 58
		}
		for ; carry > 0; carry /= 58 {
			digits = append(digits, byte(carry%58))
		}
	}
	out := []byte(strings.Repeat("1", zeros))
	for i := len(digits) - 1; i >= 0; i-- {
		out = append(out, base58Alphabet[digits[i]])
	}
	return string(out)
}

// decodeASCII85 reads what stands between <~ and ~>, and bare runs that no
// prose looks like.
func decodeASCII85(text string) (string, bool) {
	s := splice{text: text}
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
		if strings.IndexByte(text[start:end], 'z') >= 0 { // four zero bytes: no text
			i = next
			continue
		}
		out := make([]byte, (end-start)/5*4+4)
		n, _, err := ascii85.Decode(out, []byte(text[start:end]), true)
		if err == nil {
			if plain, ok := readable(out[:n]); ok {
				s.put(i, next, plain)
			}
		}
		i = next
	}
	return s.result()
}

func encodeASCII85(text string) string {
	out := make([]byte, ascii85.MaxEncodedLen(len(text)))
	return "<~" + string(out[:ascii85.Encode(out, []byte(text))]) + "~>"
}
