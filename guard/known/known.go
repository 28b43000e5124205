// Package known notices the operator's own secrets, and canaries: values that are
// listed in the configuration, wherever they show, on the way in and on the way
// out, and however they are written down.
//
// Looking for the values is the business of package needle, which says what ways
// of writing are seen through. This package says what to look for: a value that
// chance may hold, a short one or a word, is found only as it is or encoded; any
// other in every way, and in parts: [Config.Run] characters in a row of a value
// that is longer. What three values have in common, or what stands in everybody's
// keys, gives none of them away.
//
// A canary is a value that means nothing and is put where nobody should read it:
// into a system prompt, a document, a record. Make one with [Canary]. In the
// operator's own instructions on their way to the model it is where it belongs.
//
// Values show in no error, no finding and no printed form of what holds them.
package known

import (
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/stream/needle"
)

// Reasons of findings.
const (
	ReasonSecret = "known-secret"
	ReasonCanary = "canary"
)

// Bounds of a list.
const (
	MaxValues = 10_000
	MinLength = 8    // bytes of a value
	MaxLength = 4096 // the same
	MaxTotal  = 2 << 20
)

// defaultRun is how many characters of a value count as a part of it.
const defaultRun = 12

// Kind says what a value is.
type Kind uint8

// Kinds of values.
const (
	Secret      Kind = iota // a credential, or what else must stay inside
	CanaryToken             // a value that nobody has a reason to write
)

// Text is a value. It never shows when it is printed or logged.
type Text string

// String implements fmt.Stringer.
func (Text) String() string { return "[redacted]" }

// Format implements fmt.Formatter.
func (t Text) Format(f fmt.State, _ rune) { fmt.Fprint(f, t.String()) }

// MarshalText implements encoding.TextMarshaler.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// Value is a value to look for.
type Value struct {
	Name string // for errors; not secret
	Text Text   // 8 to 4096 bytes
	Kind Kind
}

// Config configures a Scanner.
type Config struct {
	Values []Value
	// Run is how many characters in a row of a value that is at least four
	// characters longer are found, separators not counted: 12 by default, 6 to 64;
	// below 0 only whole values are.
	Run int
	// MaxBytes bounds the memory of the tables: 128 MiB by default. They take about
	// 50 bytes for each byte of a value.
	MaxBytes int
}

// Scanner notices the values of its list. Make it with New. It is safe for
// concurrent use.
type Scanner struct {
	all     list // values and canaries
	secrets list // values alone
}

// list is a set of needles and the kinds of their values.
type list struct {
	set   *needle.Set
	kinds []Kind
}

// New returns a Scanner for cfg. Values that are too short or too long, too many
// of them, or more than fit the memory are errors, which name a value by its name
// or number.
func New(cfg Config) (*Scanner, error) {
	if len(cfg.Values) > MaxValues {
		return nil, fmt.Errorf("known: %d values: at most %d are allowed", len(cfg.Values), MaxValues)
	}
	switch {
	case cfg.Run == 0:
		cfg.Run = defaultRun
	case cfg.Run < 0:
		cfg.Run = 0
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 128 << 20
	}
	total, canaries := 0, 0
	for i, v := range cfg.Values {
		if len(v.Text) < MinLength || len(v.Text) > MaxLength {
			return nil, fmt.Errorf("known: value %s: want %d to %d bytes", label(v, i), MinLength, MaxLength)
		}
		if v.Kind == CanaryToken {
			canaries++
		}
		if total += len(v.Text); total > MaxTotal {
			return nil, fmt.Errorf("known: values of more than %d bytes together", MaxTotal)
		}
	}
	s := &Scanner{}
	var err error
	if s.all, err = newList(cfg, true); err != nil {
		return nil, err
	}
	if s.secrets = s.all; canaries > 0 {
		if s.secrets, err = newList(cfg, false); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// newList returns the list of cfg, with or without canaries.
func newList(cfg Config, canaries bool) (l list, err error) {
	var needles []needle.Needle
	var at []int
	for i, v := range cfg.Values {
		if v.Kind == CanaryToken && !canaries {
			continue
		}
		needles = append(needles, needle.Needle{Text: string(v.Text), Exact: plain(string(v.Text))})
		l.kinds, at = append(l.kinds, v.Kind), append(at, i)
	}
	if len(needles) == 0 {
		return l, nil
	}
	l.set, err = needle.New(needle.Config{Needles: needles, Run: cfg.Run, MaxBytes: cfg.MaxBytes})
	var fault *needle.Fault
	switch {
	case errors.As(err, &fault):
		i := at[fault.Needle]
		return l, fmt.Errorf("known: value %s: %s", label(cfg.Values[i], i), fault.Why)
	case err != nil:
		return l, fmt.Errorf("known: %w", err)
	}
	return l, nil
}

// label is how an error speaks of a value.
func label(v Value, i int) string {
	if v.Name != "" {
		return fmt.Sprintf("%q", v.Name)
	}
	return fmt.Sprint(i + 1)
}

// plain reports whether v may stand in a text by chance: a word, a short number,
// few characters again and again.
func plain(v string) bool {
	var seen [256]bool
	var digit, lower, upper, other, distinct int
	for i := range len(v) {
		c := v[i]
		if !seen[c] {
			seen[c] = true
			distinct++
		}
		switch {
		case '0' <= c && c <= '9':
			digit = 1
		case 'a' <= c && c <= 'z':
			lower = 1
		case 'A' <= c && c <= 'Z':
			upper = 1
		default:
			other = 1
		}
	}
	kinds := digit + lower + upper + other
	switch {
	case distinct < 6:
		return true
	case len(v) < 12:
		return kinds < 3
	case len(v) < 16:
		return kinds < 2
	}
	return distinct < 8
}

// Bytes returns how much memory the tables take.
func (s *Scanner) Bytes() int {
	n := 0
	if s.all.set != nil {
		n = s.all.set.Bytes()
	}
	if s.secrets.set != nil && s.secrets.set != s.all.set {
		n += s.secrets.set.Bytes()
	}
	return n
}

// String says how many values there are.
func (s *Scanner) String() string { return fmt.Sprintf("%d values", len(s.all.kinds)) }

// Format implements fmt.Formatter.
func (s *Scanner) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// Begin implements stream.Scanner.
func (s *Scanner) Begin(sc stream.Scope) (stream.Cursor, string) {
	l := &s.all
	if sc.Way == ringwall.Input && sc.Origin == ringwall.System {
		l = &s.secrets
	}
	if l.set == nil {
		return nil, "empty-list"
	}
	c := cursors.Get().(*cursor)
	c.list, c.needles = l, l.set.Begin()
	return c, ""
}

var cursors = sync.Pool{New: func() any {
	c := new(cursor)
	c.hit = c.add
	return c
}}

// cursor looks through one text.
type cursor struct {
	list    *list
	needles *needle.Cursor
	queue   needle.Queue
	hit     func(needle.Hit)
}

// Free implements stream.Freer.
func (c *cursor) Free() {
	c.needles.Free()
	c.needles, c.list = nil, nil
	c.queue.Reset()
	cursors.Put(c)
}

// Scan implements stream.Cursor.
func (c *cursor) Scan(w stream.Window, found func(stream.Match)) int {
	safe := c.needles.Scan(w, c.hit)
	c.queue.Flush(safe, w.Final, found)
	return safe
}

// add turns a hit into a match: the more of a value there is, the surer.
func (c *cursor) add(h needle.Hit) {
	m := stream.Match{Start: h.Start, End: h.End, Reason: ReasonSecret, Severity: ringwall.Critical, Score: 0.6 + 0.4*float64(h.Run)/float64(h.Of)}
	if h.Run >= needle.Longest {
		m.Score = 1
	}
	if c.list.kinds[h.Needle] == CanaryToken {
		m.Reason = ReasonCanary
	}
	c.queue.Add(m)
}

// canaryPrefix makes canaries known for what they are to people who find one.
const canaryPrefix = "rwc-"

// Canary returns a new canary of 160 bits read from random, which crypto/rand
// gives: letters and digits that stand in no text by chance and survive a change
// of case.
func Canary(random io.Reader) (string, error) {
	var b [20]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("making a canary: %w", err)
	}
	return canaryPrefix + base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").EncodeToString(b[:]), nil
}
