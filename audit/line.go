package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// MaxEvent bounds an event as it is written, in bytes. A larger one is refused.
const MaxEvent = 16 << 20

// maxLine bounds a line, the newline included: what stands around an event is
// shorter than this.
const maxLine = MaxEvent + 512

// A Sum is a SHA-256 hash.
type Sum [sha256.Size]byte

func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// MarshalText encodes s as 64 hexadecimal digits.
func (s Sum) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// UnmarshalText accepts 64 lower-case hexadecimal digits.
func (s *Sum) UnmarshalText(b []byte) error {
	if !s.parse(b) {
		return fmt.Errorf("%q is no hash: want %d lower-case hexadecimal digits", b, 2*len(s))
	}
	return nil
}

// parse accepts lower case only: of one hash there must be one spelling, or a
// bit of the file could change and nobody would see it.
func (s *Sum) parse(b []byte) bool {
	if len(b) != 2*len(s) || bytes.ContainsAny(b, "ABCDEF") {
		return false
	}
	_, err := hex.Decode(s[:], b)
	return err == nil
}

// The fixed parts of a line, and the lengths that follow from them.
const (
	lineSeq   = `{"seq":`
	linePrev  = `,"prev":"`
	lineEvent = `","event":`
	lineHash  = `,"hash":"`
	lineEnd   = `"}`

	hashDigits = 2 * sha256.Size
	lineTail   = len(lineHash) + hashDigits + len(lineEnd)
)

// appendLine appends the line of an entry, newline included, to b, which must
// be empty, and returns the entry's hash.
func appendLine(b []byte, seq uint64, prev *Sum, event []byte) ([]byte, Sum) {
	b = append(b, lineSeq...)
	b = strconv.AppendUint(b, seq, 10)
	b = append(b, linePrev...)
	b = hex.AppendEncode(b, prev[:])
	b = append(b, lineEvent...)
	b = append(b, event...)
	sum := Sum(sha256.Sum256(b))
	b = append(b, lineHash...)
	b = hex.AppendEncode(b, sum[:])
	b = append(b, lineEnd...)
	return append(b, '\n'), sum
}

// leadingSeq reads the sequence number at the start of a line.
func leadingSeq(line []byte) (uint64, bool) {
	rest, ok := bytes.CutPrefix(line, []byte(lineSeq))
	digits, _, comma := bytes.Cut(rest, []byte(","))
	seq, err := strconv.ParseUint(string(digits), 10, 64)
	return seq, ok && comma && err == nil
}

// fields are the parts of a line. Its event points into the line.
type fields struct {
	seq   uint64
	prev  Sum
	event []byte
	hash  Sum // as the line says
	sum   Sum // as it is
}

// sound reports whether the line is as it was written.
func (f *fields) sound() bool { return f.hash == f.sum }

var errForm = errors.New("not in the form of an entry")

// parseLine takes a line without its newline apart. It accepts only what
// appendLine writes, but for a wrong hash: that is for sound to say.
func parseLine(line []byte) (fields, error) {
	var f fields
	rest, ok := bytes.CutPrefix(line, []byte(lineSeq))
	if !ok {
		return f, errForm
	}
	n := 0
	for n < len(rest) && '0' <= rest[n] && rest[n] <= '9' {
		n++
	}
	if n == 0 || n > 19 || rest[0] == '0' {
		return f, errForm
	}
	f.seq, _ = strconv.ParseUint(string(rest[:n]), 10, 64) // 19 digits always fit
	if f.seq > math.MaxInt64 {                             // the index could not hold it
		return f, errForm
	}
	rest = rest[n:]
	if len(rest) < len(linePrev)+hashDigits+len(lineEvent)+len("{}")+lineTail {
		return f, errForm
	}
	head, rest := rest[:len(linePrev)+hashDigits+len(lineEvent)], rest[len(linePrev)+hashDigits+len(lineEvent):]
	prev := head[len(linePrev) : len(linePrev)+hashDigits]
	if !bytes.HasPrefix(head, []byte(linePrev)) || !f.prev.parse(prev) || !bytes.HasSuffix(head, []byte(lineEvent)) {
		return f, errForm
	}
	f.event = rest[:len(rest)-lineTail]
	tail := rest[len(rest)-lineTail:]
	hash := tail[len(lineHash) : len(lineHash)+hashDigits]
	if !bytes.HasPrefix(tail, []byte(lineHash)) || !f.hash.parse(hash) || !bytes.HasSuffix(tail, []byte(lineEnd)) {
		return f, errForm
	}
	if f.event[0] != '{' || f.event[len(f.event)-1] != '}' {
		return f, errForm
	}
	f.sum = sha256.Sum256(line[:len(line)-lineTail])
	return f, nil
}

// lineReader reads the lines of a segment, in bounded memory.
type lineReader struct {
	r      *bufio.Reader
	offset int64 // of the next line
	buf    []byte
}

func newLineReader(r io.Reader, offset int64) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 256<<10), offset: offset}
}

// rawLine is a line as it stands in a segment.
type rawLine struct {
	offset int64
	size   int64  // bytes, the newline included
	text   []byte // without its newline, until the next call; nil when it is longer than maxLine
	whole  bool   // a newline ends it
}

// next returns the next line, and io.EOF after the last.
func (r *lineReader) next() (rawLine, error) {
	line := rawLine{offset: r.offset}
	r.buf = r.buf[:0]
	for {
		part, err := r.r.ReadSlice('\n')
		line.size += int64(len(part))
		if line.size <= maxLine {
			r.buf = append(r.buf, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return line, err
		}
		line.whole = err == nil
		break
	}
	if line.size == 0 {
		return line, io.EOF
	}
	r.offset += line.size
	if line.size <= maxLine {
		line.text = bytes.TrimSuffix(r.buf, []byte("\n"))
	}
	return line, nil
}
