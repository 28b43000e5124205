// Package eventstream reads and writes the binary framing of AWS's streams,
// application/vnd.amazon.eventstream.
//
// A message is
//
//	u32 total length, u32 length of the headers, u32 CRC-32 of those 8 bytes,
//	headers, payload, u32 CRC-32 of everything before
//
// and a header is a name, a type and a value. All numbers are big-endian, the
// checksums are those of IEEE 802.3. The reader takes messages that are split over
// reads in any way, bounds them, checks both sums, and tells an end from a cut.
package eventstream

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
)

// ContentType is the media type of such streams.
const ContentType = "application/vnd.amazon.eventstream"

// Bounds on a message; a longer one is an attack or a bug.
const (
	MaxMessage = 16 << 20
	MaxHeaders = 128 << 10
)

const (
	prelude  = 12 // lengths and their sum
	overhead = prelude + 4
)

// Conditions that end a stream.
var (
	ErrTooLong  = errors.New("eventstream: message too long")
	ErrChecksum = errors.New("eventstream: wrong checksum")
	ErrFormat   = errors.New("eventstream: malformed message")
)

// Type is the type of a header's value.
type Type uint8

// Types of values.
const (
	True Type = iota
	False
	Int8
	Int16
	Int32
	Int64
	Bytes
	String
	Timestamp // milliseconds since 1970
	UUID
)

// sizes are the lengths of values that have no length of their own.
var sizes = [...]int{True: 0, False: 0, Int8: 1, Int16: 2, Int32: 4, Int64: 8, Timestamp: 8, UUID: 16}

// Header is a header of a message.
type Header struct {
	Name  string
	Type  Type
	Value []byte // as on the wire, without its length
}

// Message is one message. What it holds is valid until the next is read.
type Message struct {
	Headers []Header
	Payload []byte
	// More says that the next message came together with this one: it is at hand,
	// and getting it does not wait.
	More bool
}

// Text returns the header of that name, "" when there is none that is a string.
func (m *Message) Text(name string) string { return string(m.Value(name)) }

// Value is Text as it stands in the message.
func (m *Message) Value(name string) []byte {
	for _, h := range m.Headers {
		if h.Name == name && h.Type == String {
			return h.Value
		}
	}
	return nil
}

// Messages yields the messages of r. An error is the last element: ErrTooLong,
// ErrChecksum, ErrFormat, io.ErrUnexpectedEOF, or what reading said.
func Messages(r io.Reader) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		br := bufio.NewReaderSize(r, 16<<10)
		var buf []byte
		var m Message
		for {
			var err error
			if buf, err = read(br, buf[:0]); errors.Is(err, io.EOF) {
				return
			}
			if err == nil {
				m.Headers, m.Payload, err = parse(buf, m.Headers[:0])
			}
			if err != nil {
				yield(Message{}, err)
				return
			}
			m.More = more(br)
			if !yield(m, nil) {
				return
			}
		}
	}
}

// read appends the bytes of the next message to buf. io.EOF means that there is
// none.
func read(br *bufio.Reader, buf []byte) ([]byte, error) {
	head, err := br.Peek(prelude)
	switch {
	case errors.Is(err, io.EOF) && len(head) == 0:
		return buf, io.EOF
	case errors.Is(err, io.EOF):
		return buf, cut()
	case err != nil:
		return buf, err
	}
	total, headers := int64(binary.BigEndian.Uint32(head)), int64(binary.BigEndian.Uint32(head[4:]))
	switch {
	case crc32.ChecksumIEEE(head[:8]) != binary.BigEndian.Uint32(head[8:]):
		return buf, fmt.Errorf("%w of the lengths", ErrChecksum)
	case total > MaxMessage || headers > MaxHeaders:
		return buf, ErrTooLong
	case total < overhead || headers > total-overhead:
		return buf, fmt.Errorf("%w: the lengths contradict each other", ErrFormat)
	}
	// What is claimed is not believed: the buffer grows with what comes.
	for int64(len(buf)) < total {
		from := len(buf)
		buf = append(buf, make([]byte, min(total-int64(from), 64<<10))...)
		if _, err := io.ReadFull(br, buf[from:]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return buf, cut()
		} else if err != nil {
			return buf, err
		}
	}
	if end := total - 4; crc32.ChecksumIEEE(buf[:end]) != binary.BigEndian.Uint32(buf[end:]) {
		return buf, ErrChecksum
	}
	return buf, nil
}

func cut() error {
	return fmt.Errorf("eventstream: the stream ends inside a message: %w", io.ErrUnexpectedEOF)
}

// parse takes a message apart whose lengths and sums are right.
func parse(b []byte, hs []Header) ([]Header, []byte, error) {
	n := int(binary.BigEndian.Uint32(b[4:]))
	rest, payload := b[prelude:prelude+n], b[prelude+n:len(b)-4]
	for len(rest) > 0 {
		name := int(rest[0])
		if name == 0 || len(rest) < 1+name+1 {
			return nil, nil, fmt.Errorf("%w: a header without a name", ErrFormat)
		}
		h := Header{Name: nameOf(rest[1 : 1+name]), Type: Type(rest[1+name])}
		rest = rest[2+name:]
		size := 0
		switch {
		case h.Type > UUID:
			return nil, nil, fmt.Errorf("%w: a header of type %d", ErrFormat, h.Type)
		case h.Type != Bytes && h.Type != String:
			size = sizes[h.Type]
		case len(rest) < 2:
			return nil, nil, fmt.Errorf("%w: a header without a length", ErrFormat)
		default:
			size = int(binary.BigEndian.Uint16(rest))
			rest = rest[2:]
		}
		if size > len(rest) {
			return nil, nil, fmt.Errorf("%w: a header is longer than the headers", ErrFormat)
		}
		h.Value, rest = rest[:size:size], rest[size:]
		for _, have := range hs {
			if have.Name == h.Name {
				return nil, nil, fmt.Errorf("%w: a header twice", ErrFormat)
			}
		}
		hs = append(hs, h)
	}
	return hs, payload, nil
}

// nameOf returns the name of a header; those that stand in every message are no new
// strings.
func nameOf(b []byte) string {
	for _, known := range [...]string{":event-type", ":content-type", ":message-type"} {
		if string(b) == known {
			return known
		}
	}
	return string(b)
}

// more reports whether a whole message is buffered.
func more(br *bufio.Reader) bool {
	b, _ := br.Peek(br.Buffered()) // what is buffered is there
	return len(b) >= prelude && uint32(len(b)) >= binary.BigEndian.Uint32(b)
}

// Append appends a message whose headers are all strings, given as names and
// values in turn. Values are at most 32767 bytes long, names at most 255.
func Append(dst, payload []byte, headers ...string) []byte {
	from := len(dst)
	dst = append(dst, make([]byte, prelude)...)
	for i := 0; i+1 < len(headers); i += 2 {
		name, value := headers[i], headers[i+1]
		dst = append(dst, byte(len(name)))
		dst = append(dst, name...)
		dst = append(dst, byte(String))
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(value)))
		dst = append(dst, value...)
	}
	n := len(dst) - from - prelude
	dst = append(dst, payload...)
	head := dst[from:]
	binary.BigEndian.PutUint32(head, uint32(len(head)+4))
	binary.BigEndian.PutUint32(head[4:], uint32(n))
	binary.BigEndian.PutUint32(head[8:], crc32.ChecksumIEEE(head[:8]))
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(head))
}

// AppendEvent appends an event whose payload is JSON.
func AppendEvent(dst []byte, event string, payload []byte) []byte {
	return Append(dst, payload, ":event-type", event, ":content-type", "application/json", ":message-type", "event")
}

// AppendException appends an error that the API knows; its payload is JSON.
func AppendException(dst []byte, exception string, payload []byte) []byte {
	return Append(dst, payload, ":exception-type", exception, ":content-type", "application/json", ":message-type", "exception")
}
