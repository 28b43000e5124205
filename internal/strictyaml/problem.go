package strictyaml

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong in a file. It reads
// "file:line:column: path.to.field: message", without the parts that are not
// known.
type Problem struct {
	File   string
	Line   int    // from 1; 0 when it is about the whole file
	Column int    // from 1, in characters
	Path   string // of the field, as [Positions.At] takes it
	Err    error
}

func (p *Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
	}
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", p.Line, p.Column)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Err.Error())
	return b.String()
}

func (p *Problem) Unwrap() error { return p.Err }

// Problems are the problems of a file, one a line, sorted by position. They are
// never an empty error: no problems are a nil error.
type Problems []*Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.Is and errors.As look at each problem.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// Join makes one error of the errors of several checks, in the order of the
// file. Problems inside errs, also those joined by errors.Join, are sorted by
// position; other errors follow as problems without one. It returns nil when no
// error is left.
func Join(errs ...error) error {
	var ps Problems
	for _, err := range errs {
		ps = ps.add(err)
	}
	if len(ps) == 0 {
		return nil
	}
	ps.sort()
	return ps
}

func (ps Problems) add(err error) Problems {
	if err == nil {
		return ps
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			ps = ps.add(e)
		}
		return ps
	}
	var p *Problem
	if errors.As(err, &p) {
		return append(ps, p)
	}
	return append(ps, &Problem{Err: err})
}

func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b *Problem) int {
		return cmp.Or(
			cmp.Compare(unplaced(a), unplaced(b)),
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
		)
	})
}

func unplaced(p *Problem) int {
	if p.Line == 0 && p.File == "" {
		return 1
	}
	return 0
}
