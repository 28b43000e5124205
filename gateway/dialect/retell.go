package dialect

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"slices"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/eventstream"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// maxRetold bounds what is kept of an answer that is read again.
const maxRetold = 4 << 20

// Retell returns what reads an answer again as the client reads it: whole, or as a
// stream of contentType. Of several codecs, the first counts that can read it.
func Retell(contentType string, stream bool, codecs ...Back) gateway.Retold {
	if !stream {
		return &retoldWhole{codecs: codecs}
	}
	r := &retoldStream{cut: cutSSE}
	switch contentType {
	case eventstream.ContentType:
		r.cut = cutFrames
	case "application/x-ndjson", "application/json": // lines, and the elements of an array
		r.cut = cutJSON
	}
	for _, c := range codecs {
		r.readers = append(r.readers, &retelling{reader: c.ReadStream()})
	}
	return r
}

// retoldWhole implements gateway.Retold.
type retoldWhole struct {
	codecs []Back
	body   []byte
}

func (r *retoldWhole) Write(out []byte) { r.body = append(r.body, out...) }

func (r *retoldWhole) Said() ([]ringwall.Part, bool) {
	for _, c := range r.codecs {
		if reply, err := c.ReadReply(r.body); err == nil {
			return reply.Parts, true
		}
	}
	return nil, false
}

// retoldStream implements gateway.Retold.
type retoldStream struct {
	cut     func(pending []byte, event func(data []byte)) (rest []byte)
	pending []byte // the beginning of an event
	readers []*retelling
	bytes   int
}

func (r *retoldStream) Write(out []byte) {
	if r.bytes += len(out); r.bytes > maxRetold {
		r.readers, r.pending = nil, nil
	}
	if len(r.readers) == 0 {
		return
	}
	in := out
	if len(r.pending) > 0 {
		r.pending = append(r.pending, out...)
		in = r.pending
	}
	rest := r.cut(in, r.event)
	r.pending = append(r.pending[:0], rest...)
}

func (r *retoldStream) event(data []byte) {
	if len(data) == 0 || string(data) == "[DONE]" {
		return
	}
	r.readers = slices.DeleteFunc(r.readers, func(t *retelling) bool {
		return t.reader.Event(data, t.delta) != nil || t.wrong
	})
}

func (r *retoldStream) Said() ([]ringwall.Part, bool) {
	for _, t := range r.readers {
		if t.ended = t.ended || t.reader.End(t.delta) == nil && !t.wrong; t.ended {
			return t.all(), true
		}
	}
	return nil, false
}

// retelling puts the parts of a streamed answer together.
type retelling struct {
	reader StreamReader
	parts  []ringwall.Part
	text   []byte // of the part that is open
	open   bool
	ended  bool
	wrong  bool // deltas that make no sense
}

func (t *retelling) delta(d ringwall.Delta) {
	switch d.Kind {
	case ringwall.DeltaOpen:
		t.close()
		if d.Part == nil {
			t.wrong = true
			return
		}
		p := *d.Part
		if p.Kind == ringwall.PartCall {
			if p.Call == nil {
				t.wrong = true
				return
			}
			call := *p.Call
			p.Call = &call
		}
		t.parts, t.open = append(t.parts, p), true
	case ringwall.DeltaText:
		if !t.open {
			t.wrong = true
			return
		}
		t.text = append(t.text, d.Text...)
	case ringwall.DeltaClose:
		t.close()
	case ringwall.DeltaBegin, ringwall.DeltaSignature, ringwall.DeltaUsage, ringwall.DeltaStop:
	}
}

func (t *retelling) close() {
	if !t.open {
		return
	}
	t.open = false
	p := &t.parts[len(t.parts)-1]
	if p.Kind == ringwall.PartCall {
		p.Call.Arguments += string(t.text)
	} else {
		p.Text += string(t.text)
	}
	t.text = t.text[:0]
}

func (t *retelling) all() []ringwall.Part {
	t.close()
	return t.parts
}

// cutSSE calls event with the data of each server-sent event that is whole (WHATWG
// HTML §9.2), and returns what is left.
func cutSSE(in []byte, event func([]byte)) []byte {
	for {
		end := bytes.Index(in, []byte("\n\n"))
		if end < 0 {
			return in
		}
		frame := in[:end]
		in = in[end+2:]
		var data []byte
		for line := range bytes.SplitSeq(frame, []byte("\n")) {
			if value, ok := bytes.CutPrefix(bytes.TrimSuffix(line, []byte("\r")), []byte("data:")); ok {
				if data != nil {
					data = append(append(slices.Clip(data), '\n'), bytes.TrimPrefix(value, []byte(" "))...)
				} else {
					data = bytes.TrimPrefix(value, []byte(" "))
				}
			}
		}
		event(data)
	}
}

// cutFrames does it for events of AWS, which it names as the provider's reader does:
// {"name": payload}. Of InvokeModel's chunks it takes out what is in them.
func cutFrames(in []byte, event func([]byte)) []byte {
	for len(in) >= 4 {
		n := int64(binary.BigEndian.Uint32(in))
		if n < 16 || n > int64(len(in)) {
			break
		}
		for m, err := range eventstream.Messages(bytes.NewReader(in[:n])) {
			if err != nil {
				break
			}
			name := m.Text(":event-type")
			if name == "" {
				name = m.Text(":exception-type")
			}
			if name == "chunk" {
				event(unchunk(m.Payload))
				continue
			}
			data := append(jsonedit.AppendQuote([]byte{'{'}, name), ':')
			event(append(append(data, m.Payload...), '}'))
		}
		in = in[n:]
	}
	return in
}

// unchunk returns what is in a chunk of InvokeModel, nil where that cannot be read.
func unchunk(payload []byte) []byte {
	var doc jsonedit.Doc
	if doc.Parse(payload, AnswerLimits) != nil {
		return nil
	}
	inner, err := base64.StdEncoding.DecodeString(doc.Root().Get("bytes").Text())
	if err != nil {
		return nil
	}
	return inner
}

// cutJSON does it for JSON objects behind one another, in lines or as elements of an
// array.
func cutJSON(in []byte, event func([]byte)) []byte {
	for {
		begin := bytes.IndexByte(in, '{')
		if begin < 0 {
			return nil
		}
		in = in[begin:]
		end := objectEnd(in)
		if end < 0 {
			return in
		}
		event(in[:end])
		in = in[end:]
	}
}

// objectEnd returns where the object ends with which in begins, -1 if it does not.
func objectEnd(in []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(in); i++ {
		switch c := in[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
