package decode

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"
	"sync"
)

// maxUnpacked bounds what the compressed runs of a text are unpacked to, beside
// three times its length: more is a bomb, and is read no further.
const maxUnpacked = 16 << 10

// maxUnpacks is how many runs of a text are unpacked: each costs a window.
const maxUnpacks = 32

// undoPacked reads runs of base64 and hexadecimal that are compressed text:
// gzip, zlib and bare deflate.
func undoPacked(s *splice) {
	left, room := maxUnpacks, int64(3*len(s.text)+maxUnpacked) // what is not unpacked stays, beside it
	k := *stdRun
	k.least, k.parts = 16, nil
	if strings.ContainsAny(s.text, "-_") && !strings.ContainsAny(s.text, "+/") {
		k.in, k.read = urlRun.in, urlRun.read
	}
	read := k.read
	k.read = func(dst []byte, run string) ([]byte, bool) {
		if hexRun(run) {
			if b, err := hex.AppendDecode(dst, []byte(run)); err == nil {
				return b, true
			}
		}
		return read(dst, run)
	}
	k.worth = packed
	k.text = func(b []byte) (string, bool) {
		if !packed(b) {
			return "", false
		}
		if left == 0 || room < int64(len(inflater{}.head)) {
			s.cut = true
			return "", false
		}
		left--
		plain, ok, more := unpack(b, room)
		s.cut = s.cut || more
		room = max(0, room-int64(len(plain)))
		return plain, ok
	}
	k.undo(s)
}

func hexRun(s string) bool {
	for i := range min(len(s), 32) {
		if kinds[s[i]]&kHex == 0 {
			return false
		}
	}
	return true
}

// packed reports whether b begins as compressed data does (RFC 1950, 1951,
// 1952): a header, or a block with codes of its own or the fixed ones.
func packed(b []byte) bool {
	if len(b) < 8 || begins(b[:min(len(b), 12)]) {
		return false
	}
	return b[0] == 0x1F && b[1] == 0x8B || b[0] == 0x78 && (int(b[0])<<8|int(b[1]))%31 == 0 || b[0]&7 == 3 || b[0]&7 == 5 || b[0]&6 == 2
}

// inflater reads compressed data, again and again with the same memory.
type inflater struct {
	src  bytes.Reader
	z    io.ReadCloser
	head [64]byte
}

var inflaters sync.Pool

// unpack reads compressed text, no more than limit bytes; more says that there
// are more. What was cut off is read as far as it goes, and checksums are not
// looked at: a model might not either.
func unpack(b []byte, limit int64) (text string, ok, more bool) {
	f, ok := inflaters.Get().(*inflater)
	if !ok {
		f = &inflater{}
		f.z = flate.NewReader(&f.src)
	}
	defer inflaters.Put(f)
	f.src.Reset(body(b))
	if r, ok := f.z.(flate.Resetter); !ok || r.Reset(&f.src, nil) != nil {
		return "", false, false
	}
	n, _ := io.ReadFull(f.z, f.head[:])
	if n < 4 || !begins(f.head[:n]) {
		return "", false, false
	}
	rest, _ := io.ReadAll(io.LimitReader(f.z, limit))
	if more = int64(len(rest)) == limit; more {
		rest = rest[:max(0, len(rest)-n)]
	}
	out := append(f.head[:n:n], rest...)
	for n := 0; n < 3 && len(out) > 0; n++ { // a character may be cut
		if plain, ok := readable(out); ok {
			return plain, true, more
		}
		out = out[:len(out)-1]
	}
	return "", false, false
}

// body returns the deflated part of b.
func body(b []byte) []byte {
	switch {
	case b[0] == 0x78 && (int(b[0])<<8|int(b[1]))%31 == 0:
		return b[2:]
	case b[0] != 0x1F || b[1] != 0x8B || len(b) < 10:
		return b
	}
	flags, rest := b[3], b[10:]
	if flags&4 != 0 && len(rest) >= 2 { // extra field
		rest = rest[min(len(rest), 2+int(rest[0])+int(rest[1])<<8):]
	}
	for _, flag := range [...]byte{8, 16} { // name, comment
		if flags&flag != 0 {
			if n := bytes.IndexByte(rest, 0); n >= 0 {
				rest = rest[n+1:]
			}
		}
	}
	if flags&2 != 0 && len(rest) >= 2 { // checksum of the header
		rest = rest[2:]
	}
	return rest
}

func encodePacked(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		return text
	}
	if err := w.Close(); err != nil {
		return text
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// undoUU reads the lines between "begin MODE NAME" and "end" (POSIX uuencode).
func undoUU(s *splice) {
	text := s.text
	for i := 0; i < len(text); {
		n := strings.Index(text[i:], "begin ")
		if n < 0 {
			return
		}
		start := i + n
		i = start + len("begin ")
		line := strings.IndexByte(text[i:], '\n')
		if start > 0 && text[start-1] != '\n' && text[start-1] != ' ' || line < 5 || line > 256 || !isDigit(text[i]) || !isDigit(text[i+2]) {
			continue
		}
		at := i + line + 1
		var out []byte
		for at < len(text) {
			size := int(text[at]-' ') & 63
			end := at + 1 + (size+2)/3*4
			if text[at] < ' ' || text[at] > '`' || size == 0 || end > len(text) {
				break
			}
			for g := at + 1; g < end; g += 4 {
				v := uint32(0)
				for k := range 4 {
					v = v<<6 | uint32(text[g+k]-' ')&63
				}
				out = append(out, byte(v>>16), byte(v>>8), byte(v))
			}
			out = out[:len(out)-((size+2)/3*3-size)]
			at = end
			for at < len(text) && (text[at] == '\r' || text[at] == ' ') {
				at++
			}
			if at < len(text) && text[at] == '\n' {
				at++
			}
		}
		for _, tail := range [...]string{"`\n", " \n", "\n", "end"} {
			if strings.HasPrefix(text[min(at, len(text)):], tail) {
				at += len(tail)
			}
		}
		if plain, ok := readable(out); ok {
			s.put(start, at, plain)
		}
		i = max(i, min(at, len(text)))
	}
}

func encodeUU(text string) string {
	var b strings.Builder
	b.WriteString("begin 644 text\n")
	digit := func(v uint32) byte {
		if v &= 63; v == 0 {
			return '`'
		} else {
			return ' ' + byte(v)
		}
	}
	for i := 0; i < len(text); i += 45 {
		line := text[i:min(i+45, len(text))]
		b.WriteByte(digit(uint32(len(line))))
		for k := 0; k < len(line); k += 3 {
			var g [3]byte
			copy(g[:], line[k:])
			v := uint32(g[0])<<16 | uint32(g[1])<<8 | uint32(g[2])
			for shift := 18; shift >= 0; shift -= 6 {
				b.WriteByte(digit(v >> shift))
			}
		}
		b.WriteByte('\n')
	}
	b.WriteString("`\nend")
	return b.String()
}
