package eventstream_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	aws "github.com/aws/smithy-go/eventstream"

	"github.com/ringwall/ringwall/internal/eventstream"
)

// vectors are messages as AWS's own encoder makes them.
var vectors = []struct{ event, payload, hex string }{
	{"messageStart", `{"p":"abcd","role":"assistant"}`, "00000081000000526cc176930b3a6576656e742d7479706507000c6d65737361676553746172740d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b2270223a2261626364222c22726f6c65223a22617373697374616e74227df512a005"},
	{"messageStop", `{"p":"ab","stopReason":"end_turn"}`, "00000083000000518f0874490b3a6576656e742d7479706507000b6d65737361676553746f700d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b2270223a226162222c2273746f70526561736f6e223a22656e645f7475726e227d9056e9a4"},
}

func read(r io.Reader) (out []string, err error) {
	for m, e := range eventstream.Messages(r) {
		if e != nil {
			return out, e
		}
		s := string(m.Payload)
		for _, h := range m.Headers {
			s += fmt.Sprintf("|%s=%d:%s", h.Name, h.Type, h.Value)
		}
		out = append(out, s)
	}
	return out, nil
}

func TestVectors(t *testing.T) {
	var all []byte
	for _, v := range vectors {
		want, err := hex.DecodeString(v.hex)
		if err != nil {
			t.Fatal(err)
		}
		if got := eventstream.AppendEvent(nil, v.event, []byte(v.payload)); !bytes.Equal(got, want) {
			t.Errorf("%s: wrote\n%x\nwant\n%s", v.event, got, v.hex)
		}
		all = append(all, want...)
	}
	i := 0
	for m, err := range eventstream.Messages(iotest.OneByteReader(bytes.NewReader(all))) {
		if err != nil {
			t.Fatal(err)
		}
		if m.Text(":event-type") != vectors[i].event || m.Text(":message-type") != "event" || string(m.Payload) != vectors[i].payload {
			t.Errorf("message %d: %q %s", i, m.Text(":event-type"), m.Payload)
		}
		i++
	}
	if i != len(vectors) {
		t.Errorf("%d messages", i)
	}
}

// AWS's decoder reads what we write, and we read all types of headers that its
// encoder writes.
func TestAgainstTheSDK(t *testing.T) {
	frame := eventstream.AppendException([]byte("x"), "throttlingException", []byte(`{"message":"slow"}`))[1:]
	m, err := aws.NewDecoder().Decode(bytes.NewReader(frame), nil)
	if err != nil || m.Headers.Get(":exception-type").String() != "throttlingException" || string(m.Payload) != `{"message":"slow"}` {
		t.Errorf("the SDK reads %+v, %v", m, err)
	}
	var h aws.Headers
	h.Set("yes", aws.BoolValue(true))
	h.Set("no", aws.BoolValue(false))
	h.Set("i8", aws.Int8Value(1))
	h.Set("i16", aws.Int16Value(2))
	h.Set("i32", aws.Int32Value(3))
	h.Set("i64", aws.Int64Value(4))
	h.Set("bytes", aws.BytesValue("b"))
	h.Set("string", aws.StringValue("s"))
	h.Set("uuid", aws.UUIDValue([16]byte{1}))
	var b bytes.Buffer
	if err := aws.NewEncoder().Encode(&b, aws.Message{Headers: h, Payload: []byte("p")}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for m, err := range eventstream.Messages(&b) {
		if err != nil {
			t.Fatal(err)
		}
		n = len(m.Headers)
		if m.Text("string") != "s" || m.Text("bytes") != "" || string(m.Payload) != "p" {
			t.Errorf("read %+v", m)
		}
	}
	if n != len(h) {
		t.Errorf("%d headers, want %d", n, len(h))
	}
}

// message frames headers as they are given, with right sums.
func message(total, headers uint32, rest string) string {
	b := binary.BigEndian.AppendUint32(nil, total)
	b = binary.BigEndian.AppendUint32(b, headers)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(b, rest...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)))
}

func TestRefuses(t *testing.T) {
	good := string(eventstream.AppendEvent(nil, "e", []byte("{}")))
	flip := func(at int) string { return good[:at] + string(good[at]^1) + good[at+1:] }
	for _, tt := range []struct {
		name, in string
		err      error
	}{
		{"nothing", "", nil},
		{"one message", good, nil},
		{"an empty message", message(16, 0, ""), nil},
		{"a cut in the lengths", good + good[:5], io.ErrUnexpectedEOF},
		{"a cut in the payload", good[:len(good)-5], io.ErrUnexpectedEOF},
		{"wrong lengths", flip(3), eventstream.ErrChecksum},
		{"a wrong payload", flip(len(good) - 6), eventstream.ErrChecksum},
		{"a wrong sum", flip(len(good) - 1), eventstream.ErrChecksum},
		{"too long", message(eventstream.MaxMessage+1, 0, ""), eventstream.ErrTooLong},
		{"headers that are too long", message(eventstream.MaxMessage, eventstream.MaxHeaders+1, ""), eventstream.ErrTooLong},
		{"too short", message(15, 0, ""), eventstream.ErrFormat},
		{"headers longer than the message", message(16, 1, ""), eventstream.ErrFormat},
		{"a header without a name", message(18, 2, "\x00\x00"), eventstream.ErrFormat},
		{"a header without a type", message(18, 2, "\x01a"), eventstream.ErrFormat},
		{"a header of no type", message(19, 3, "\x01a\x0a"), eventstream.ErrFormat},
		{"a string without a length", message(19, 3, "\x01a\x07"), eventstream.ErrFormat},
		{"a string that is longer than all", message(22, 6, "\x01a\x07\x00\x02b"), eventstream.ErrFormat},
		{"a header twice", message(22, 6, "\x01a\x00\x01a\x00"), eventstream.ErrFormat},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := read(iotest.HalfReader(strings.NewReader(tt.in))); !errors.Is(err, tt.err) {
				t.Errorf("got %v, want %v", err, tt.err)
			}
		})
	}
}

func TestMoreSaysWhatIsAtHand(t *testing.T) {
	two := eventstream.AppendEvent(eventstream.AppendEvent(nil, "a", nil), "b", nil)
	var got []bool
	for m, err := range eventstream.Messages(bytes.NewReader(two)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m.More)
	}
	if len(got) != 2 || !got[0] || got[1] {
		t.Errorf("More is %v", got)
	}
}

// What is written is read back, whatever the payload, one byte at a time.
func FuzzRoundTrip(f *testing.F) {
	f.Add("chunk", []byte("hello"))
	f.Fuzz(func(t *testing.T, event string, payload []byte) {
		if len(event) > 1<<14 || len(payload) > 1<<16 {
			return
		}
		got, err := read(iotest.OneByteReader(bytes.NewReader(eventstream.AppendEvent(nil, event, payload))))
		want := string(payload) + "|:event-type=7:" + event + "|:content-type=7:application/json|:message-type=7:event"
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	})
}

// The reader takes any bytes, and where they are cut makes no difference.
func FuzzMessages(f *testing.F) {
	for _, v := range vectors {
		b, _ := hex.DecodeString(v.hex)
		f.Add(b)
	}
	f.Add([]byte(message(22, 6, "\x01a\x00\x01b\x01")))
	f.Fuzz(func(t *testing.T, in []byte) {
		whole, err1 := read(bytes.NewReader(in))
		split, err2 := read(iotest.OneByteReader(bytes.NewReader(in)))
		if strings.Join(whole, "\x00") != strings.Join(split, "\x00") || (err1 == nil) != (err2 == nil) {
			t.Errorf("whole %q %v, split %q %v", whole, err1, split, err2)
		}
	})
}
