package replay

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"iter"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// maxLine bounds a record, in bytes.
const maxLine = 32 << 20

// maxInflated bounds what a compressed file holds, in bytes.
const maxInflated = 4 << 30

// Read yields the records of a file, plain or compressed by gzip: a JSON object a line.
//
//	{"id", "suite", "prompt", "steps": [{"name", "args", "output", "error"?, "malicious"?}]}
//
// Other members are left alone. An error names the line and is the last element.
func Read(r io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		in := bufio.NewReader(r)
		if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
			z, err := gzip.NewReader(in)
			if err != nil {
				yield(Record{}, fmt.Errorf("reading cases: %w", err))
				return
			}
			in = bufio.NewReader(io.LimitReader(z, maxInflated))
		}
		lines := bufio.NewScanner(in)
		lines.Buffer(make([]byte, 0, 1<<16), maxLine)
		n := 0
		for lines.Scan() {
			n++
			if len(bytes.TrimSpace(lines.Bytes())) == 0 {
				continue
			}
			rec, err := record(lines.Bytes())
			if rec.Line = n; err != nil {
				yield(Record{}, fmt.Errorf("line %d: %w", n, err))
				return
			}
			if !yield(rec, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Record{}, fmt.Errorf("line %d: %w", n+1, err))
		}
	}
}

// record reads a line.
func record(line []byte) (rec Record, err error) {
	var doc jsonedit.Doc
	if err := doc.Parse(line, jsonedit.Limits{Bytes: maxLine}); err != nil {
		return rec, err
	}
	root := doc.Root()
	if root.Kind() != jsonedit.Object {
		return rec, fmt.Errorf("want an object with id, suite, prompt and steps, not %s", root.Kind())
	}
	for _, m := range []struct {
		key  string
		to   *string
		must bool
	}{{"id", &rec.ID, true}, {"suite", &rec.Suite, false}, {"prompt", &rec.Prompt, true}} {
		v := root.Get(m.key)
		if !v.Exists() && !m.must {
			continue
		}
		if v.Kind() != jsonedit.String {
			return rec, fmt.Errorf("/%s: want a text, not %s", m.key, v.Kind())
		}
		*m.to = v.Text()
	}
	if k := root.Get("steps").Kind(); k != jsonedit.Array {
		return rec, fmt.Errorf("/steps: want a list of calls, not %s", k)
	}
	for i, v := range root.Get("steps").Elems() {
		s, err := step(v)
		if err != nil {
			return rec, fmt.Errorf("/steps/%d%w", i, err)
		}
		rec.Steps = append(rec.Steps, s)
	}
	return rec, nil
}

// step reads a call. Arguments are an object, or a text that is one, as models write
// them; they are not looked into.
func step(v jsonedit.Value) (s Step, err error) {
	if v.Kind() != jsonedit.Object {
		return s, fmt.Errorf(": want an object with name, args and output, not %s", v.Kind())
	}
	if s.Name = v.Get("name").Text(); s.Name == "" {
		return s, fmt.Errorf("/name: want the name of a tool, not %s", v.Get("name").Kind())
	}
	switch args := v.Get("args"); args.Kind() {
	case jsonedit.Object:
		s.Arguments = string(args.Raw())
	case jsonedit.String:
		s.Arguments = args.Text()
	case jsonedit.Missing, jsonedit.Null:
		s.Arguments = "{}"
	case jsonedit.Array, jsonedit.Number, jsonedit.Bool:
		return s, fmt.Errorf("/args: want an object, not %s", args.Kind())
	}
	s.Output, s.Error = written(v.Get("output")), written(v.Get("error"))
	switch m := v.Get("malicious"); m.Kind() {
	case jsonedit.Bool:
		s.Malicious = m.True()
	case jsonedit.Missing, jsonedit.Null:
	case jsonedit.Object, jsonedit.Array, jsonedit.String, jsonedit.Number:
		return s, fmt.Errorf("/malicious: want true or false, not %s", m.Kind())
	}
	return s, nil
}

// written returns a text, or what stands for it as JSON.
func written(v jsonedit.Value) string {
	switch v.Kind() {
	case jsonedit.String:
		return v.Text()
	case jsonedit.Missing, jsonedit.Null:
		return ""
	case jsonedit.Object, jsonedit.Array, jsonedit.Number, jsonedit.Bool:
	}
	return string(v.Raw())
}
