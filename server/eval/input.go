package eval

import (
	"cmp"
	"container/heap"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/ringwall/ringwall"
)

// input is a file on its way in.
type input struct {
	name   string // base name, for reports
	index  int
	digest string // SHA-256 of the file as it is; "": not known
	rows   int64  // read
	judged int64
	labels int64 // spans, or positive rows, of those that were read
	scope  *scope
}

// read is a row that was read.
type read struct {
	Row
	in     *input
	origin ringwall.Origin
}

// At first so many rows, or bytes of text, of a file are looked at to learn which
// types it labels.
const (
	peekRows  = 5000
	peekBytes = 32 << 20
)

// errEnough ends reading at the limit.
var errEnough = errors.New("enough rows")

// read calls each for all rows to be judged.
func (r *run) read(ctx context.Context, each func(*read) error) error {
	take := each
	var drawn *sample
	if r.cfg.Sample > 0 {
		drawn = &sample{n: r.cfg.Sample, seed: r.cfg.Seed}
		take = func(row *read) error { drawn.offer(row); return nil }
	}
	meter := newMeter(&r.cfg)
	left := r.cfg.Limit
	for i, name := range r.cfg.Files {
		in := &input{name: filepath.Base(name), index: i}
		if name == "-" {
			in.name = "standard input"
		}
		r.inputs = append(r.inputs, in)
		err := r.file(ctx, in, name, meter, &left, take)
		if errors.Is(err, errEnough) {
			break
		}
		if err != nil {
			return err
		}
	}
	if drawn == nil {
		return nil
	}
	rows := drawn.inOrder()
	for i, row := range rows {
		if r.cfg.Progress != nil && i%16 == 0 {
			r.cfg.Progress(i, len(rows), "judging")
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) file(ctx context.Context, in *input, name string, m *meter, left *int, take func(*read) error) error {
	from := r.cfg.Stdin
	if from == nil {
		from = eof{}
	}
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("reading the data: %w", err)
		}
		defer f.Close()
		from = f
	}
	sum := sha256.New()
	raw := io.TeeReader(from, io.MultiWriter(sum, m))
	p := peek{run: r, in: in, types: map[string]bool{}, take: take}
	enough := false
	for row, err := range Rows(name, raw, r.expected(), r.fields) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		got := &read{Row: row, in: in}
		if got.origin, err = r.origin(&row); err != nil {
			return &InputError{name, row.Line, err}
		}
		if r.task = row.Task; r.task == Spans && len(r.cfg.Evade) > 0 {
			return errEvade
		}
		if r.task == Spans && r.cfg.Budget > 0 {
			return errBudget
		}
		if r.score == "" {
			r.score = scoreOf(&row)
		}
		in.rows++
		in.labels += r.labels(&row)
		if err := p.add(got); err != nil {
			return err
		}
		if *left--; *left == 0 {
			enough = true
			break
		}
	}
	if err := p.flush(); err != nil {
		return err
	}
	if name != "-" || !enough { // a pipe may never end
		if err := hashed(in, sum, raw); err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
	}
	if enough {
		return errEnough
	}
	return nil
}

// hashed reads what is left, for the hash.
func hashed(in *input, sum hash.Hash, raw io.Reader) error {
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return err
	}
	in.digest = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// expected is the task of the rows to come.
func (r *run) expected() Task {
	if r.task != Detect {
		return r.task
	}
	return r.cfg.Task
}

func (r *run) labels(row *Row) int64 {
	if row.Task == Spans {
		return int64(len(row.Spans))
	}
	if r.positive(row) {
		return 1
	}
	return 0
}

// kinds are the kinds of rows that say whose words they are.
var kinds = map[string]ringwall.Origin{"tool_output": ringwall.Tool, "document": ringwall.Retrieved, "email": ringwall.Retrieved}

// origin says whose words a row is: its own field, then what was asked for, then
// its kind, then who speaks in that direction.
func (r *run) origin(row *Row) (ringwall.Origin, error) {
	if row.Origin != "" {
		var o ringwall.Origin
		err := o.UnmarshalText([]byte(row.Origin))
		return o, err
	}
	if r.cfg.Origin != nil {
		return *r.cfg.Origin, nil
	}
	if r.cfg.Way == ringwall.Output {
		return ringwall.Assistant, nil
	}
	if o, ok := kinds[row.Kind]; ok {
		return o, nil
	}
	return ringwall.User, nil
}

// peek holds the first rows of a file back until it is known what they label.
type peek struct {
	*run
	in    *input
	types map[string]bool
	held  []*read
	size  int
	take  func(*read) error
}

func (p *peek) add(row *read) error {
	for _, s := range row.Spans {
		if p.types[s.Type] {
			continue
		}
		p.types[s.Type] = true
		if p.in.scope == nil || len(p.cfg.Controls) > 0 {
			continue
		}
		for _, control := range p.vocab.scopeOf(map[string]bool{s.Type: true}, nil).controls {
			if !slices.Contains(p.in.scope.controls, control) {
				return &InputError{p.in.name, row.Line, fmt.Errorf("the first label of type %s, which %s looks for, comes after figures were begun without it: name all controls that count", s.Type, control)}
			}
		}
	}
	if p.in.scope != nil {
		return p.take(row)
	}
	p.held = append(p.held, row)
	if p.size += len(row.Text); len(p.held) < peekRows && p.size < peekBytes {
		return nil
	}
	return p.flush()
}

func (p *peek) flush() error {
	if p.in.scope == nil {
		p.in.scope = p.vocab.scopeOf(p.types, p.cfg.Controls)
	}
	for _, row := range p.held {
		if err := p.take(row); err != nil {
			return err
		}
	}
	p.held = nil
	return nil
}

// sample draws n rows at random: those with the lowest hash of their place.
type sample struct {
	n    int
	seed uint64
	rows []ticket
}

type ticket struct {
	number uint64
	row    *read
}

func (s *sample) Len() int           { return len(s.rows) }
func (s *sample) Less(i, j int) bool { return s.rows[i].number > s.rows[j].number }
func (s *sample) Swap(i, j int)      { s.rows[i], s.rows[j] = s.rows[j], s.rows[i] }
func (s *sample) Push(x any)         { s.rows = append(s.rows, x.(ticket)) }

func (s *sample) Pop() any {
	last := len(s.rows) - 1
	x := s.rows[last]
	s.rows = s.rows[:last]
	return x
}

func (s *sample) offer(row *read) {
	number := scramble(scramble(s.seed+uint64(row.in.index)) + uint64(row.Line))
	if len(s.rows) == s.n {
		if number >= s.rows[0].number {
			return
		}
		heap.Pop(s)
	}
	heap.Push(s, ticket{number, row})
}

// scramble is the finaliser of SplitMix64, a bijection without visible order.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (s *sample) inOrder() []*read {
	slices.SortFunc(s.rows, func(a, b ticket) int {
		return cmp.Or(a.row.in.index-b.row.in.index, a.row.Line-b.row.Line)
	})
	rows := make([]*read, len(s.rows))
	for i, t := range s.rows {
		rows[i] = t.row
	}
	return rows
}

// meter tells how far the files are read.
type meter struct {
	told        func(done, total int, what string)
	done, total int64
	last        int64
}

func newMeter(cfg *Config) *meter {
	m := &meter{told: cfg.Progress}
	for _, name := range cfg.Files {
		if info, err := os.Stat(name); err == nil {
			m.total += info.Size()
		}
	}
	return m
}

func (m *meter) Write(b []byte) (int, error) {
	const kb = 1 << 10
	if m.done += int64(len(b)); m.told != nil && m.done-m.last >= 64*kb {
		m.last = m.done
		m.told(int(m.done/kb), int(max(m.done, m.total)/kb), "KB read")
	}
	return len(b), nil
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
