package eval

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"unicode/utf8"
)

// MaxLine bounds a line of the data, in bytes.
const MaxLine = 16 << 20

// Task is what the labels of a data set are about.
type Task string

// Tasks.
const (
	Detect Task = ""       // whatever the first row is
	Spans  Task = "span"   // labels are parts of the text
	Binary Task = "binary" // labels are about the whole text
)

// Span is a labelled part of a text, in UTF-8 byte offsets.
type Span struct {
	Start, End int
	Type       string
}

// Row is a labelled text.
type Row struct {
	Line     int // of the file, from 1
	ID       string
	Text     string
	Task     Task
	Spans    []Span   // of a row of task Spans
	Classes  []string // of a row of task Binary: "0", "1", "true", "false" or names
	Known    []string // the only types or classes that this row tells of; nil: all
	Category string
	Kind     string
	Origin   string
	Fields   []string // the values of the fields that were asked for; "" where there is none
}

// InputError is a line of the data that cannot be what it should be.
type InputError struct {
	Name string
	Line int
	Err  error
}

func (e *InputError) Error() string { return fmt.Sprintf("%s:%d: %v", e.Name, e.Line, e.Err) }

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// Rows reads labelled texts, a JSON object on each line, plain or compressed by
// gzip. The rows are of one task: that of the first, unless task says. Each row
// brings the values of fields. Blank lines are left out. An error ends the
// sequence; it is an [*InputError] where the data is at fault.
func Rows(name string, r io.Reader, task Task, fields []string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		plain, err := unpack(r)
		if err != nil {
			yield(Row{}, fmt.Errorf("reading %s: %w", name, err))
			return
		}
		sc := bufio.NewScanner(plain)
		sc.Buffer(make([]byte, 64<<10), MaxLine)
		n := 0
		for sc.Scan() && sc.Err() == nil { // what came before a failure may be half a line
			n++
			line := sc.Bytes()
			if n == 1 {
				line = bytes.TrimPrefix(line, []byte("\ufeff"))
			}
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			row, err := parseRow(line, fields)
			if err == nil && task != Detect && row.Task != task {
				err = fmt.Errorf("the label is one of task %s, not of task %s", row.Task, task)
			}
			if err != nil {
				yield(Row{}, &InputError{name, n, err})
				return
			}
			task, row.Line = row.Task, n
			if !yield(row, nil) {
				return
			}
		}
		switch err := sc.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			yield(Row{}, &InputError{name, n + 1, fmt.Errorf("the line is longer than %d bytes", MaxLine)})
		case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.Is(err, io.ErrUnexpectedEOF):
			yield(Row{}, &InputError{name, n + 1, fmt.Errorf("unpacking: %w", err)})
		case err != nil:
			yield(Row{}, fmt.Errorf("%s:%d: reading the line: %w", name, n+1, err))
		}
	}
}

// unpack looks through gzip where it is, which the first two bytes tell.
func unpack(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, err := b.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return b, nil
	}
	return gzip.NewReader(b)
}

func parseRow(line []byte, fields []string) (Row, error) {
	var row Row
	if !utf8.Valid(line) {
		return row, errors.New("the line is not UTF-8")
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil {
		return row, fmt.Errorf("reading JSON: %w", err)
	}
	var text *string
	for _, f := range []struct {
		name string
		to   any
	}{
		{"text", &text},
		{"category", &row.Category},
		{"kind", &row.Kind},
		{"origin", &row.Origin},
		{"annotated", &row.Known},
		{"known", &row.Known},
	} {
		if v, ok := raw[f.name]; ok {
			if err := json.Unmarshal(v, f.to); err != nil {
				return row, fmt.Errorf("reading %s: %w", f.name, err)
			}
		}
	}
	if text == nil {
		return row, errors.New("the row has no text")
	}
	row.Text, row.ID = *text, short(value(raw["id"]))
	for _, f := range fields {
		row.Fields = append(row.Fields, short(value(raw[f])))
	}
	return row, row.label(raw["label"])
}

// value is what a field says, as a text.
func value(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// short bounds what is kept of a name that came with the data, and takes out what
// a terminal would obey.
func short(s string) string {
	const most = 120
	if len(s) > most {
		s = s[:most]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
		s += "…"
	}
	for _, r := range s {
		if !strconv.IsPrint(r) {
			q := strconv.Quote(s)
			return q[1 : len(q)-1]
		}
	}
	return s
}

// label reads a label: 0, 1, true, false, a name, names, or spans.
func (row *Row) label(raw json.RawMessage) error {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return errors.New("the row has no label")
	}
	row.Task = Binary
	switch s := string(raw); {
	case s == "0", s == "1", s == "true", s == "false":
		row.Classes = []string{s}
		return nil
	case raw[0] == '"':
		row.Classes = []string{value(raw)}
		return nil
	case raw[0] != '[':
		return fmt.Errorf("the label %s is none of 0, 1, true, false, a name, a list of names, a list of spans", short(s))
	}
	if json.Unmarshal(raw, &row.Classes) == nil && len(row.Classes) > 0 {
		return nil
	}
	row.Task, row.Classes = Spans, nil
	var spans []struct {
		Start, End *int
		Type       string
	}
	if err := json.Unmarshal(raw, &spans); err != nil {
		return fmt.Errorf("reading the label: %w", err)
	}
	for i, s := range spans {
		if s.Start == nil || s.End == nil || s.Type == "" {
			return fmt.Errorf("span %d of the label: start, end and type are needed", i)
		}
		if fault := spanFault(row.Text, *s.Start, *s.End); fault != "" {
			return fmt.Errorf("span %d of the label, %d to %d, %s", i, *s.Start, *s.End, fault)
		}
		row.Spans = append(row.Spans, Span{*s.Start, *s.End, short(s.Type)})
	}
	slices.SortStableFunc(row.Spans, func(a, b Span) int { return a.Start - b.Start })
	return nil
}

func spanFault(text string, start, end int) string {
	switch {
	case start < 0 || end > len(text):
		return fmt.Sprintf("is outside of the text of %d bytes", len(text))
	case start >= end:
		return "covers nothing"
	case !utf8.RuneStart(text[start]) || end < len(text) && !utf8.RuneStart(text[end]):
		return "cuts a character: offsets count bytes"
	}
	return ""
}
