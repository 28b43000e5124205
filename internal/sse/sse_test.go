package sse_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ringwall/ringwall/internal/sse"
)

func read(r io.Reader) (data []string, err error) {
	for ev, e := range sse.Events(r) {
		if e != nil {
			return data, e
		}
		data = append(data, ev.Name+"|"+string(ev.Data))
	}
	return data, nil
}

func TestEvents(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
		err            error
	}{
		{"two events", "data: a\n\ndata: b\n\n", "|a,|b", nil},
		{"names, comments and unknown fields", ": ping\nevent: x\nid: 7\ndata: a\n\n", "x|a", nil},
		{"CRLF and no blank behind the colon", "data:a\r\n\r\n", "|a", nil},
		{"lines are joined", "data: a\ndata: b\n\n", "|a\nb", nil},
		{"an empty data line is an event", "data\n\n", "|", nil},
		{"a byte order mark", "\uFEFFdata: a\n\n", "|a", nil},
		{"no events", "\n\n: ping\n\n", "", nil},
		{"a cut inside a line", "data: a\n\ndata: b", "|a", io.ErrUnexpectedEOF},
		{"a cut between lines", "data: a\n\ndata: b\n", "|a", io.ErrUnexpectedEOF},
		{"an endless line", "data: " + strings.Repeat("a", sse.MaxEvent+10), "", sse.ErrTooLong},
		{"endless lines", strings.Repeat("data: "+strings.Repeat("a", 1<<20)+"\n", 6), "", sse.ErrTooLong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := read(iotest.HalfReader(strings.NewReader(tt.in)))
			if strings.Join(got, ",") != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// Events that came together are told from those that are still to come.
func TestMore(t *testing.T) {
	const in = "event: a\ndata: 1\n\nevent: b\ndata: 2\n\ndata: 3\n\nevent: c\n\n: x\n\nevent: d\r\ndata: 4\r\n\r\n"
	want := []bool{true, true, false, false}
	n := 0
	for ev, err := range sse.Events(strings.NewReader(in)) {
		if err != nil {
			t.Fatal(err)
		}
		if ev.More != want[n] {
			t.Errorf("behind %q, More is %v", ev.Data, ev.More)
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d events", n)
	}
}

// What is written is read back, whatever the data, one byte at a time.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("hello\nworld"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Contains(data, []byte{'\r'}) || len(data) > 1<<16 {
			return
		}
		got, err := read(iotest.OneByteReader(bytes.NewReader(sse.Append(nil, data))))
		if err != nil || len(got) != 1 || got[0] != "|"+string(data) {
			t.Errorf("got %q, %v; want %q", got, err, data)
		}
	})
}

// The reader takes any bytes, and where they are cut makes no difference.
func FuzzEvents(f *testing.F) {
	f.Add([]byte("data: a\r\n\r\nevent: b\ndata:c\n\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		whole, err1 := read(bytes.NewReader(in))
		split, err2 := read(iotest.OneByteReader(bytes.NewReader(in)))
		if strings.Join(whole, "\x00") != strings.Join(split, "\x00") || (err1 == nil) != (err2 == nil) {
			t.Errorf("whole %q %v, split %q %v", whole, err1, split, err2)
		}
	})
}
