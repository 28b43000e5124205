package decode

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// runs is one kind of encoded run: which bytes it is made of, how short it may
// be within other text, and how to read it.
type runs struct {
	in    *[256]bool
	least int
	pad   bool                                      // '=' may follow
	looks func(string) bool                         // cheap: whether it is worth reading; nil: always
	read  func(dst []byte, s string) ([]byte, bool) // without padding; may hold line breaks
	probe int                                       // so many characters are whole bytes; 0: cannot be read in part
	parts func(r rune) bool                         // where to cut a run that cannot be read; nil: nowhere
	worth func(b []byte) bool                       // whether bytes that begin so are worth reading; nil: begins
	text  func(b []byte) (string, bool)             // what the bytes say; nil: readable
}

// undo replaces the readable runs of a text. A run that goes on over full lines,
// as in mail, is read as one.
func (k *runs) undo(s *splice) {
	text := s.text
	alone := len(strings.TrimRight(strings.TrimSpace(text), "="))
	least := k.least
	if alone < 32 {
		least = min(least, 4)
	}
	parted := 0 // lines before here have been tried together, in vain
	for i := 0; i+least <= len(text); {
		// A run that is long enough shows at each of these places, so most bytes
		// need not be looked at.
		probe := i + least - 1
		if !k.in[text[probe]] {
			i = probe + 1
			continue
		}
		for probe > i && k.in[text[probe-1]] {
			probe--
		}
		i = probe
		line := k.end(text, i)
		end := line
		for start := i; i >= parted && end-start >= 40; {
			next := end
			for next < len(text) && (text[next] == ' ' || text[next] == '\t') && next-end < 8 {
				next++
			}
			if next < len(text) && text[next] == '\r' {
				next++
			}
			if next >= len(text) || text[next] != '\n' {
				break
			}
			for next++; next < len(text) && strings.IndexByte(" \t>", text[next]) >= 0 && next-end < 16; {
				next++
			}
			if next >= len(text) || !k.in[text[next]] {
				break
			}
			start = next
			end = k.end(text, start)
		}
		if !k.try(s, i, end, alone) && (end == line || !k.try(s, i, line, alone)) {
			k.tryParts(s, i, line, alone)
			i = line
		} else {
			i = s.done
		}
		parted = max(parted, end)
	}
}

func (k *runs) end(text string, i int) int {
	for i < len(text) && k.in[text[i]] {
		i++
	}
	return i
}

func (k *runs) try(s *splice, start, end, alone int) bool {
	least := k.least
	text := s.text[start:end]
	if len(text) == alone {
		least = min(4, least)
	}
	if len(text) < least || k.looks != nil && !k.looks(text) {
		return false
	}
	if k.probe > 0 && len(text) > k.probe {
		b, ok := k.read(s.scratch[:0], text[:k.probe])
		s.scratch = b[:0]
		worth := k.worth
		if worth == nil {
			worth = begins
		}
		if ok && !worth(b) {
			return false
		}
	}
	b, ok := k.read(s.scratch[:0], text)
	s.scratch = b[:0]
	if !ok {
		return false
	}
	says := k.text
	if says == nil {
		says = readable
	}
	plain, ok := says(b)
	if !ok {
		return false
	}
	for n := 0; k.pad && n < 6 && end < len(s.text) && s.text[end] == '='; n++ {
		end++
	}
	s.put(start, end, plain)
	return true
}

// begins reports whether b may be how a text begins; the last character may be
// cut.
func begins(b []byte) bool {
	if len(b) >= 4 && b[1] == 0 {
		return true // UTF-16
	}
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			if b[i] < ' ' && b[i] != '\n' && b[i] != '\r' && b[i] != '\t' && b[i] != 0x1B && b[i] != '\b' || b[i] == 0x7F {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return len(b)-i < utf8.UTFMax && !utf8.FullRune(b[i:])
		}
		i += n
	}
	return true
}

func (k *runs) tryParts(s *splice, start, end, alone int) {
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

func setOf(in func(byte) bool) *[256]bool {
	var t [256]bool
	for b := range t {
		t[b] = in(byte(b))
	}
	return &t
}

func base64Read(enc *base64.Encoding) func(dst []byte, s string) ([]byte, bool) {
	return func(dst []byte, s string) ([]byte, bool) {
		if len(s) > 80 && strings.ContainsAny(s, " \t>") {
			s = strings.Map(func(r rune) rune { // what lines of a mail begin and end with
				if r == ' ' || r == '\t' || r == '>' {
					return -1
				}
				return r
			}, s)
		}
		dst, err := enc.AppendDecode(dst, []byte(s))
		if err != nil && len(s)%4 == 1 { // such a length cannot be: the last character is not of it
			dst, err = enc.AppendDecode(dst[:0], []byte(s[:len(s)-1]))
		}
		return dst, err == nil
	}
}

func base32Read(enc *base32.Encoding) func(dst []byte, s string) ([]byte, bool) {
	enc = enc.WithPadding(base32.NoPadding)
	return func(dst []byte, s string) ([]byte, bool) {
		dst, err := enc.AppendDecode(dst, []byte(strings.ToUpper(s)))
		return dst, err == nil
	}
}

// oneCase reports whether s has letters of one case only and is unlike a word of
// prose.
func oneCase(s string) bool {
	upper, small, digit := false, false, false
	for i := range len(s) {
		upper, small, digit = upper || isUpper(s[i]), small || isLower(s[i]), digit || isDigit(s[i])
	}
	return !(upper && small) && (upper || digit || len(s) >= 16)
}

var (
	stdRun = &runs{
		in:    setOf(func(b byte) bool { return isAlnum(b) || b == '+' || b == '/' }),
		least: 8, pad: true, looks: mixed, probe: 16, read: base64Read(base64.RawStdEncoding),
		parts: func(r rune) bool { return r == '/' || r == '+' },
	}
	urlRun = &runs{
		in:    setOf(func(b byte) bool { return isAlnum(b) || b == '-' || b == '_' }),
		least: 8, pad: true, looks: mixed, probe: 16, read: base64Read(base64.RawURLEncoding),
		parts: func(r rune) bool { return r == '-' || r == '_' },
	}
	base32Run = &runs{
		in:    setOf(func(b byte) bool { return isAlpha(b) || '2' <= b && b <= '7' }),
		least: 8, pad: true, looks: oneCase, probe: 16, read: base32Read(base32.StdEncoding),
	}
	base32HexRun = &runs{
		in:    setOf(func(b byte) bool { return isDigit(b) || 'A' <= b && b <= 'V' || 'a' <= b && b <= 'v' }),
		least: 8, pad: true, looks: oneCase, probe: 16, read: base32Read(base32.HexEncoding),
	}
	base58Run = &runs{in: setOf(func(b byte) bool { return base58Value[b] != 0 }), least: 16, looks: mixed, read: readBase58}
)

// undoBackward reads runs of base64 that are written from their end.
func undoBackward(s *splice) {
	k := *stdRun
	k.least, k.parts, k.probe = 16, nil, 0
	k.read = func(dst []byte, run string) ([]byte, bool) {
		return stdRun.read(dst, string(reverse(nil, []byte(run))))
	}
	k.undo(s)
}

func encodeBackward(text string) string {
	return string(reverse(nil, []byte(base64.RawStdEncoding.EncodeToString([]byte(text)))))
}

// undoGroups reads base64 that is written in groups of the same length: at
// least four of them, with a space or a line break between.
func undoGroups(s *splice) {
	text := s.text
	for i := 0; i < len(text); {
		if !stdRun.in[text[i]] {
			i++
			continue
		}
		start, size, count := i, 0, 0
		var run []byte
		end := i
		for i < len(text) && stdRun.in[text[i]] {
			from := i
			i = stdRun.end(text, i)
			if size == 0 {
				size = i - from
			}
			if i-from > size || size < 4 || size&3 != 0 {
				break
			}
			run = append(run, text[from:i]...)
			end = i
			if count++; i-from < size || i+1 >= len(text) || !isSpace(text[i]) || !stdRun.in[text[i+1]] {
				break
			}
			i++
		}
		if count < 4 || !mixed(string(run)) {
			continue
		}
		b, ok := stdRun.read(s.scratch[:0], string(run))
		s.scratch = b[:0]
		if !ok || !begins(b[:min(len(b), 12)]) {
			continue
		}
		if plain, ok := readable(b); ok {
			for n := 0; n < 2 && end < len(text) && text[end] == '='; n++ {
				end++
			}
			s.put(start, end, plain)
			i = max(i, end)
		}
	}
}

func encodeGroups(text string) string {
	var b strings.Builder
	for i, c := range []byte(encodeBase64(text)) {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteByte(c)
	}
	return b.String()
}

func encodeBase32Hex(text string) string { return base32.HexEncoding.EncodeToString([]byte(text)) }
func encodeBase64(text string) string    { return base64.StdEncoding.EncodeToString([]byte(text)) }
func encodeBase64URL(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
func encodeBase32(text string) string    { return base32.StdEncoding.EncodeToString([]byte(text)) }
func encodeHex(text string) string       { return hex.EncodeToString([]byte(text)) }

// decodeHex reads pairs of digits, together or with separators between them,
// with or without 0x.
func undoHex(s *splice) {
	text := s.text
	var buf [64]byte
	bytes := buf[:0]
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
}
