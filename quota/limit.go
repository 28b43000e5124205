package quota

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
)

// Measure is what a limit counts.
type Measure string

// Measures.
const (
	Requests   Measure = "requests"
	Tokens     Measure = "tokens" // read and written
	Input      Measure = "input_tokens"
	Output     Measure = "output_tokens"
	Cached     Measure = "cached_tokens" // of the input, read from the provider's cache; known only afterwards
	Money      Measure = "money"
	ToolCalls  Measure = "tool_calls" // that answers ask for; known only afterwards
	Concurrent Measure = "concurrent" // requests at a time
)

// Measures are all measures.
var Measures = []Measure{Requests, Tokens, Input, Output, Cached, Money, ToolCalls, Concurrent}

// Dollar is the unit of [Money]: a billion to a US dollar.
const Dollar int64 = 1_000_000_000

// most is the largest limit: Valkey counts in floating point, exactly up to 2^53.
const most = 1 << 52

// Dimension is a property of a request by which subjects of a limit are told apart.
type Dimension string

// Dimensions.
const (
	Tenant    Dimension = "tenant"
	Principal Dimension = "principal" // of a tenant
	Key       Dimension = "key"       // the credential
	Model     Dimension = "model"     // as clients name it
	IP        Dimension = "ip"        // of IPv6 the network of 64 bits
	Route     Dimension = "route"
	Role      Dimension = "role" // of each of the principal's roles
	Tool      Dimension = "tool" // that a model asks for: of ToolCalls alone
)

// Dimensions are all dimensions.
var Dimensions = []Dimension{Tenant, Principal, Key, Model, IP, Route, Role, Tool}

// own reports whether subjects of d are callers: what is used of a limit by them is
// theirs to know.
func (d Dimension) own() bool { return d == Tenant || d == Principal || d == Key || d == IP }

// Limit is the most of something that a subject may have in a window.
type Limit struct {
	Name    string // unique, stable: counters are found by it
	Measure Measure
	Most    int64 // of Money: in parts of a Dollar
	Window  Window
	By      []Dimension // none: everybody together
	For     Match
	Warn    float64 // share of Most from which is warned; 0: DefaultWarn, 1: never
}

// DefaultWarn is the share of a limit from which is warned.
const DefaultWarn = 0.8

// Match says which requests a limit is about: those that have one of the values of
// each field that is not empty.
type Match struct {
	Tenants, Principals, Keys, Models, Routes, Roles []string
	Networks                                         []netip.Prefix
	Tools                                            []string // calls of these, of ToolCalls alone
}

func (m *Match) holds(c *Claim) bool {
	p := &c.Principal
	return among(m.Tools, c.Tool) && among(m.Tenants, p.Tenant) && among(m.Principals, p.ID) && among(m.Keys, keyOf(p)) && among(m.Models, c.Model) && among(m.Routes, c.Route) &&
		(len(m.Roles) == 0 || slices.ContainsFunc(m.Roles, func(r string) bool { return slices.Contains(p.Roles, r) })) &&
		(len(m.Networks) == 0 || slices.ContainsFunc(m.Networks, func(n netip.Prefix) bool { return n.Contains(c.Addr.Unmap()) }))
}

func among(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) }

// keyOf names the credential: of a principal that has one only, the principal.
func keyOf(p *ringwall.Principal) string {
	if p.Key != "" {
		return p.Key
	}
	return p.ID
}

// errLimit says what of a Limit cannot be.
var errLimit = errors.New("quota: no limit")

// tools reports whether l is about calls of single tools, which are set aside when they
// are about to run, and not about requests.
func (l *Limit) tools() bool { return len(l.For.Tools) > 0 || slices.Contains(l.By, Tool) }

// Check finds what is wrong with l.
func (l *Limit) Check() error {
	switch {
	case l.Name == "" || len(l.Name) > 64 || strings.ContainsFunc(l.Name, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`{}|"`, r) }):
		return fmt.Errorf("%w: a name has 1 to 64 characters, without spaces, braces, bars and quotes, and %q has not", errLimit, l.Name)
	case !slices.Contains(Measures, l.Measure):
		return fmt.Errorf("%w: nothing counts %q: there are %v", errLimit, l.Measure, Measures)
	case l.Most < 0 || l.Most > most:
		return fmt.Errorf("%w: %d is not from 0 to %d", errLimit, l.Most, int64(most))
	case l.Warn < 0 || l.Warn > 1:
		return fmt.Errorf("%w: a share of %v to warn from is not from 0 to 1", errLimit, l.Warn)
	case l.tools() && l.Measure != ToolCalls:
		return fmt.Errorf("%w: of single tools %s are counted, and not %s", errLimit, ToolCalls, l.Measure)
	case l.Measure == Concurrent && l.Window != Window{}:
		return fmt.Errorf("%w: what goes on at a time has no window", errLimit)
	case l.Measure != Concurrent:
		if err := l.Window.check(); err != nil {
			return err
		}
	}
	for i, d := range l.By {
		if !slices.Contains(Dimensions, d) {
			return fmt.Errorf("%w: nobody is told apart by %q: there are %v", errLimit, d, Dimensions)
		}
		if slices.Contains(l.By[:i], d) {
			return fmt.Errorf("%w: %q stands twice", errLimit, d)
		}
	}
	return nil
}

// Calendar is a part of the calendar.
type Calendar uint8

// Parts of the calendar.
const (
	None Calendar = iota
	Day
	Week // from Monday (ISO 8601)
	Month
)

// Window is the time in which a limit counts: of a Length that slides, or a part of
// the calendar in a zone.
type Window struct {
	Length   time.Duration
	Calendar Calendar
	Zone     *time.Location // of Calendar; nil: UTC
}

// Bounds of windows that slide.
const (
	Shortest = time.Second
	Longest  = 24 * time.Hour
)

// windows are the windows that have names.
var windows = map[string]Window{
	"second": {Length: time.Second}, "minute": {Length: time.Minute}, "hour": {Length: time.Hour},
	"day": {Calendar: Day}, "week": {Calendar: Week}, "month": {Calendar: Month},
}

// ParseWindow reads a window: second, minute, hour, or a duration from 1s to 24h, which
// slide; day, week or month of the calendar, in zone.
func ParseWindow(s string, zone *time.Location) (Window, error) {
	w, ok := windows[s]
	if !ok {
		d, err := time.ParseDuration(s)
		if err != nil {
			return Window{}, fmt.Errorf("%w: %.40q is no window: want second, minute, hour, day, week, month, or a duration such as 90s", errLimit, s)
		}
		w.Length = d
	}
	if w.Calendar != None {
		w.Zone = zone
	}
	return w, w.check()
}

func (w Window) check() error {
	switch {
	case w.Calendar > Month, w.Calendar != None && w.Length != 0:
		return fmt.Errorf("%w: a window is of a length or of the calendar", errLimit)
	case w.Calendar == None && (w.Length < Shortest || w.Length > Longest):
		return fmt.Errorf("%w: a window of %v is not from %v to %v: longer ones are of the calendar, day, week or month", errLimit, w.Length, Shortest, Longest)
	case w.Calendar == None && w.Length%time.Millisecond != 0:
		return fmt.Errorf("%w: a window is of whole milliseconds, and %v is not", errLimit, w.Length)
	}
	return nil
}

func (w Window) String() string {
	for name, known := range windows {
		if known.Length == w.Length && known.Calendar == w.Calendar {
			return name
		}
	}
	return w.Length.String()
}

// Span returns the part of the calendar that t is in, from start up to and not with
// end. Parts follow each other without gaps, whatever clocks are put forward or back.
func (w Window) Span(t time.Time) (start, end time.Time) {
	zone := w.Zone
	if zone == nil {
		zone = time.UTC
	}
	t = t.In(zone)
	for shift := 0; ; {
		start, end = w.at(t, shift), w.at(t, shift+1)
		// Where midnight is skipped, the day of a moment may begin behind it.
		switch {
		case t.Before(start):
			shift--
		case !t.Before(end):
			shift++
		default:
			return start, end
		}
	}
}

// at is the beginning of the part that is shift parts behind that of t.
func (w Window) at(t time.Time, shift int) time.Time {
	y, m, d := t.Date()
	switch w.Calendar {
	case Week:
		d += 7*shift - (int(t.Weekday())+6)%7
	case Month:
		m, d = m+time.Month(shift), 1
	default:
		d += shift
	}
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}
