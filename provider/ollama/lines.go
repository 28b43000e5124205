package ollama

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/ringwall/ringwall/internal/sse"
)

// maxLine bounds the bytes of one line; a longer one is an attack or a bug.
const maxLine = sse.MaxEvent

// ErrTooLong reports a line over the bound.
var ErrTooLong = errors.New("a line is too long")

// Lines yields the lines of r that are not blank, as the data of events. Data is
// valid until the next. An error is the last element.
func Lines(r io.Reader) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		br := bufio.NewReaderSize(r, 16<<10)
		for {
			line, err := readLine(br)
			if err != nil && !errors.Is(err, io.EOF) {
				yield(sse.Event{}, err)
				return
			}
			if line = bytes.TrimSpace(line); len(line) > 0 && !yield(sse.Event{Data: line, More: more(br)}, nil) || err != nil {
				return
			}
		}
	}
}

// more reports whether a whole line that is not blank is buffered.
func more(br *bufio.Reader) bool {
	b, _ := br.Peek(br.Buffered()) // what is buffered is there
	return len(bytes.TrimSpace(b[:bytes.LastIndexByte(b, '\n')+1])) > 0
}

// readLine returns the next line. With io.EOF it returns what stood behind the
// last one.
func readLine(br *bufio.Reader) ([]byte, error) {
	var long []byte
	for {
		part, err := br.ReadSlice('\n')
		if len(long)+len(part) > maxLine {
			return nil, fmt.Errorf("%w: over %d bytes", ErrTooLong, maxLine)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, part...)
			continue
		}
		if long != nil {
			part = append(long, part...)
		}
		return part, err
	}
}
