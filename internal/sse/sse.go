// Package sse reads and writes server-sent events as model APIs send them
// (WHATWG HTML §9.2).
//
// The reader takes lines, runes and events that are split over reads in any
// way, bounds them, and tells an end from a cut: a stream that ends inside an
// event is io.ErrUnexpectedEOF, where a browser would stay silent.
package sse

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// MaxEvent bounds the bytes of one event; a longer one is an attack or a bug.
const MaxEvent = 4 << 20

// ErrTooLong reports an event over MaxEvent.
var ErrTooLong = errors.New("sse: event too long")

// Event is one event.
type Event struct {
	Name string // the event field, "" where there is none
	Data []byte // the data lines, joined by newlines
	// More says that the next event came together with this one: it is at hand,
	// and getting it does not wait.
	More bool
}

// Events yields the events of r. Data is valid until the next event. An error is
// the last element: ErrTooLong, io.ErrUnexpectedEOF or what reading said.
func Events(r io.Reader) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		br := bufio.NewReaderSize(r, 16<<10)
		var data []byte
		var name, last string      // last: the one before, most often the same
		seen, first := false, true // seen: the event has a data line
		for {
			line, err := readLine(br)
			if err == nil || len(line) > 0 && errors.Is(err, io.EOF) {
				if first {
					line = bytes.TrimPrefix(line, []byte("\uFEFF"))
					first = false
				}
			}
			switch {
			case errors.Is(err, io.EOF) && (len(line) > 0 || seen):
				yield(Event{}, fmt.Errorf("sse: the stream ends inside an event: %w", io.ErrUnexpectedEOF))
				return
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(Event{}, err)
				return
			case len(line) == 0:
				if seen && !yield(Event{name, data, more(br)}, nil) {
					return
				}
				data, name, seen = data[:0], "", false
				continue
			}
			field, value, _ := bytes.Cut(line, []byte{':'})
			value = bytes.TrimPrefix(value, []byte{' '})
			switch string(field) {
			case "data":
				if len(data)+len(value) > MaxEvent {
					yield(Event{}, ErrTooLong)
					return
				}
				if seen {
					data = append(data, '\n')
				}
				data, seen = append(data, value...), true
			case "event":
				if string(value) != last {
					last = string(value)
				}
				name = last
			}
		}
	}
}

// more reports whether a whole event is buffered. One that begins neither with its
// data nor with its name is not looked for: saying no is always safe.
func more(br *bufio.Reader) bool {
	b, _ := br.Peek(br.Buffered()) // what is buffered is there
	end := bytes.Index(b, []byte("\n\n"))
	if end < 0 {
		end = bytes.Index(b, []byte("\n\r\n"))
	}
	return end >= 0 && (bytes.HasPrefix(b, []byte("data:")) || bytes.HasPrefix(b, []byte("event:")) && bytes.Contains(b[:end], []byte("\ndata:")))
}

// readLine returns the next line without its end, which is LF or CRLF (no model API ends
// lines with a lone CR). With
// io.EOF it returns what stood behind the last one.
func readLine(br *bufio.Reader) ([]byte, error) {
	var long []byte
	for {
		part, err := br.ReadSlice('\n')
		if len(long)+len(part) > MaxEvent {
			return nil, ErrTooLong
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, part...)
			continue
		}
		if long != nil {
			part = append(long, part...)
		}
		if err == nil {
			part = part[:len(part)-1]
			part = bytes.TrimSuffix(part, []byte{'\r'})
		}
		return part, err
	}
}

// Append appends an event with the given data to dst: one data line for each
// line of data, and the blank line that ends it.
func Append(dst, data []byte) []byte {
	for {
		line, rest, more := bytes.Cut(data, []byte{'\n'})
		dst = append(dst, "data: "...)
		dst = append(dst, line...)
		dst = append(dst, '\n')
		if !more {
			return append(dst, '\n')
		}
		data = rest
	}
}
