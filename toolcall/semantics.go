package toolcall

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Meaning is what the values of an argument must be. Its zero value demands nothing
// beside what is looked for in all arguments.
type Meaning struct {
	Min       *float64 `yaml:"min" doc:"least number" example:"0"`
	Max       *float64 `yaml:"max" doc:"greatest number" example:"500"`
	Equals    string   `yaml:"equals" doc:"the value names the caller: their id, or their tenant; the argument must be there" enum:"principal.id|principal.tenant" example:"principal.id"`
	OneOf     []string `yaml:"one_of" doc:"the values that there are" example:"[EUR, USD]"`
	MaxLength int      `yaml:"max_length" doc:"most characters; 0: any" default:"0" example:"200"`
	Pattern   string   `yaml:"pattern" doc:"regular expression (RE2) for all of the value" example:"[A-Z]{2}[0-9]{6}"`
	Hosts     []string `yaml:"hosts" doc:"hosts to which a URL may lead, those of your own network included: api.example.com, *.example.com, localhost:3000" example:"[api.example.com]"`
	Schemes   []string `yaml:"schemes" doc:"schemes that a URL may have; default: http, https, ws, wss" example:"[https]"`
	Under     string   `yaml:"under" doc:"directory in which a path stays, which is absolute; links are not followed here" example:"/srv/data"`
	Excused   []string `yaml:"excused" doc:"what is not looked for in the value: ids of rules, such as shell-injection" example:"[shell-injection]"`
}

// meaning is a Meaning that is ready to be held against values.
type meaning struct {
	Meaning
	path    string
	pattern *regexp.Regexp
}

// meaningsOf reads what is said of arguments, by path.
func meaningsOf(said map[string]Meaning) ([]meaning, error) {
	out := make([]meaning, 0, len(said))
	for _, p := range slices.Sorted(maps.Keys(said)) {
		if err := checkPath(p); err != nil {
			return nil, fmt.Errorf("arguments: %w", err)
		}
		m, err := said[p].ready()
		if err != nil {
			return nil, fmt.Errorf("arguments: %s: %w", p, err)
		}
		m.path = p
		out = append(out, m)
	}
	return out, nil
}

func (m Meaning) ready() (r meaning, err error) {
	r.Meaning = m
	switch {
	case m.Min != nil && m.Max != nil && *m.Min > *m.Max:
		return r, fmt.Errorf("min: %v is more than max", *m.Min)
	case m.MaxLength < 0:
		return r, errors.New("max_length: a length is not negative")
	case m.Equals != "" && m.Equals != "principal.id" && m.Equals != "principal.tenant":
		return r, fmt.Errorf("equals: want principal.id or principal.tenant, not %q", m.Equals)
	case m.Under != "" && (!path.IsAbs(m.Under) || path.Clean(m.Under) != m.Under):
		return r, fmt.Errorf("under: want an absolute directory such as /srv/data, not %q", m.Under)
	}
	for _, h := range m.Hosts {
		if name := strings.TrimPrefix(h, "*."); name == "" || strings.ContainsAny(name, "*/@ \\") || name != strings.ToLower(name) {
			return r, fmt.Errorf("hosts: want a host in small letters, *.host or host:port, not %q", h)
		}
	}
	for _, rule := range m.Excused {
		if !slices.Contains(excusable, rule) {
			return r, fmt.Errorf("excused: there is no rule %q: there are %s", rule, strings.Join(excusable, ", "))
		}
	}
	if m.Pattern != "" {
		if r.pattern, err = regexp.Compile(`^(?:` + m.Pattern + `)$`); err != nil {
			return r, fmt.Errorf("pattern: %w", err)
		}
	}
	return r, nil
}

// Secrets is what becomes of a call that has a known secret in its arguments.
type Secrets uint8

// What becomes of it.
const (
	SecretsMasked Secrets = iota // it goes on with the secret masked
	SecretsDenied
	SecretsAllowed
)

// meant is the step that looks at what the arguments say.
func meant(_ context.Context, s *Session, c *Call, d *Decision) {
	w := walker{s: s, c: c, d: d}
	for i := range c.Tool.meanings {
		m := &c.Tool.meanings[i]
		if m.Equals != "" && !strings.Contains(m.path, "*") && !w.has(m.path) {
			w.against(RuleBound, "/"+strings.ReplaceAll(m.path, ".", "/"), "must be there")
		}
	}
	w.value(c.Arguments, nil, plainKind)
	if len(w.edits) > 0 && d.Decision != ringwall.ToolDeny {
		d.against(ringwall.ToolMask, RuleSecret, "")
		d.Masked = string(jsonedit.Splice(nil, c.Arguments.Source(), w.edits))
	}
}

// walker looks at all values of a call.
type walker struct {
	s     *Session
	c     *Call
	d     *Decision
	edits []jsonedit.Edit
	where []byte // JSON pointer of the value
}

// has reports whether there is a value at a path.
func (w *walker) has(p string) bool {
	v := w.c.Arguments
	for name := range strings.SplitSeq(p, ".") {
		if v = v.Get(name); !v.Exists() || v.Kind() == jsonedit.Null {
			return false
		}
	}
	return true
}

// against denies the call for what stands at a place.
func (w *walker) against(rule, where, what string) {
	w.d.against(ringwall.ToolDeny, rule, "Its argument "+shortened(where)+" "+what+".")
}

// value looks at v, and at what is in it. The kind is that of what it stands in, and of
// meanings those that lead to it.
func (w *walker) value(v jsonedit.Value, under []*meaning, k kind) {
	for i := range w.c.Tool.meanings {
		m := &w.c.Tool.meanings[i]
		if len(w.where) > 0 && !slices.Contains(under, m) && leads(m.path, string(w.where)) {
			under = append(slices.Clip(under), m)
		}
	}
	at := len(w.where)
	switch v.Kind() {
	case jsonedit.Object:
		for key, e := range v.Members() {
			w.where = append(append(w.where, '/'), escapeKey(key)...)
			w.key(key)
			below := kindOf(key)
			if below == plainKind {
				below = k
			}
			w.value(e, under, below)
			w.where = w.where[:at]
		}
	case jsonedit.Array:
		for i, e := range v.Elems() {
			w.where = strconv.AppendInt(append(w.where, '/'), int64(i), 10)
			w.value(e, under, k)
			w.where = w.where[:at]
		}
	case jsonedit.String:
		w.text(v, under, k)
	case jsonedit.Number:
		w.number(v, under)
	case jsonedit.Bool, jsonedit.Null, jsonedit.Missing:
		for _, m := range under {
			if m.Equals != "" || v.Kind() == jsonedit.Bool && m.constrained() {
				w.unmeant(m)
			}
		}
	}
}

// constrained reports whether m says what values there are.
func (m *meaning) constrained() bool {
	return m.Equals != "" || m.OneOf != nil || m.Min != nil || m.Max != nil || m.pattern != nil || m.Hosts != nil || m.Under != ""
}

func (w *walker) unmeant(m *meaning) {
	rule := RuleMeaning
	switch {
	case m.Equals != "":
		rule = RuleBound
	case m.Hosts != nil:
		rule = RuleHost
	case m.Under != "":
		rule = RuleOutside
	}
	w.against(rule, string(w.where), "is not what it must be here")
}

// key looks at the name of a member, which nobody may have declared.
func (w *walker) key(key string) {
	if hidden(key) {
		w.against(RuleHidden, string(w.where), "has a name that is not taken")
	}
	if find := w.s.j.cfg.Leak; len(key) >= 16 && find != nil && w.s.j.cfg.Secrets != SecretsAllowed && len(find(key)) > 0 {
		w.against(RuleSecret, "", "has a secret for its name")
	}
}

func (w *walker) number(v jsonedit.Value, under []*meaning) {
	raw := string(v.Raw())
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsInf(f, 0) || len(raw) > 64 || f == 0 && strings.ContainsAny(strings.TrimLeft(mantissa(raw), "-0."), "123456789") {
		if !excused(under, RuleNumber) {
			w.against(RuleNumber, string(w.where), "is a number that not everybody reads alike")
		}
	}
	for _, m := range under {
		switch {
		case m.Min != nil && !(f >= *m.Min), m.Max != nil && !(f <= *m.Max):
			w.against(RuleMeaning, string(w.where), "is out of range")
		case m.Equals != "" && raw != m.bound(&w.s.Principal), m.OneOf != nil && !slices.Contains(m.OneOf, raw),
			m.pattern != nil && !m.pattern.MatchString(raw), m.Hosts != nil, m.Under != "":
			w.unmeant(m)
		}
	}
}

func mantissa(raw string) string {
	m, _, _ := strings.Cut(strings.ToLower(raw), "e")
	return m
}

// bound returns what a value must be that names the caller. Nothing is the name of a
// caller that nobody knows.
func (m *meaning) bound(p *ringwall.Principal) string {
	name := p.ID
	if m.Equals == "principal.tenant" {
		name = p.Tenant
	}
	if name == "" {
		return "\x00"
	}
	return name
}

func excused(under []*meaning, rule string) bool {
	for _, m := range under {
		if slices.Contains(m.Excused, rule) {
			return true
		}
	}
	return false
}

// text looks at a text.
func (w *walker) text(v jsonedit.Value, under []*meaning, k kind) {
	s := v.Text()
	where := string(w.where)
	for _, m := range under {
		w.meaning(m, s)
		switch {
		case m.Hosts != nil || m.Schemes != nil:
			k = urlKind
		case m.Under != "":
			k = pathKind
		}
	}
	w.leak(v, s, under)
	payload, sensitive := w.c.Tool.IsPayload(where), w.c.Tool.IsSensitive(where)
	if sensitive && k == proseKind {
		k = plainKind
	}
	if payload && !sensitive && (k == plainKind || k >= queryKind && k <= urlKind) {
		k = proseKind
	}
	f := finder{inject: w.s.j.cfg.Inject, under: under}
	if rule := f.find(s, k, sensitive); rule != "" {
		w.against(rule, where, "is not taken as it is")
	}
}

// meaning holds a text against what it must be.
func (w *walker) meaning(m *meaning, s string) {
	switch {
	case m.Equals != "" && s != m.bound(&w.s.Principal):
		w.unmeant(m)
	case m.OneOf != nil && !slices.Contains(m.OneOf, s), m.pattern != nil && !m.pattern.MatchString(s):
		w.unmeant(m)
	case m.MaxLength > 0 && utf8.RuneCountInString(s) > m.MaxLength:
		w.against(RuleMeaning, string(w.where), "is too long: at most "+strconv.Itoa(m.MaxLength)+" characters are taken")
	case m.Min != nil || m.Max != nil:
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil || math.IsNaN(f) || m.Min != nil && f < *m.Min || m.Max != nil && f > *m.Max {
			w.against(RuleMeaning, string(w.where), "is out of range")
		}
	}
	if m.Under != "" && !within(m.Under, s) {
		w.against(RuleOutside, string(w.where), "leads to where it may not")
	}
	if m.Hosts != nil {
		if l := linkOf(s, true); !l.is || !m.allows(l) {
			w.against(RuleHost, string(w.where), "leads to where it may not")
		}
	}
}

// within reports whether a path stays in a directory, by its letters.
func within(dir, p string) bool {
	if p == "" || strings.HasPrefix(p, "~") || strings.ContainsAny(p, "\\\x00%") || hidden(p) {
		return false
	}
	if !path.IsAbs(p) {
		p = path.Join(dir, p)
	}
	p = path.Clean(p)
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}

// mask stands for what was masked.
const mask = "[masked]"

// leak looks for secrets, and masks or denies.
func (w *walker) leak(v jsonedit.Value, s string, under []*meaning) {
	find := w.s.j.cfg.Leak
	if find == nil || w.s.j.cfg.Secrets == SecretsAllowed || excused(under, RuleSecret) {
		return
	}
	spans := find(s)
	if len(spans) == 0 {
		return
	}
	if w.s.j.cfg.Secrets != SecretsMasked {
		w.against(RuleSecret, string(w.where), "has a secret in it")
		return
	}
	w.edits = append(w.edits, v.Set(Masked(s, spans)))
}

// Masked returns text with a mask in the place of each span. Spans may be in any order
// and overlap; what of them is not in text is left away.
func Masked(text string, spans []ringwall.Span) string {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b ringwall.Span) int { return a.Start - b.Start })
	var b strings.Builder
	at := 0
	for _, sp := range spans {
		start, end := min(max(sp.Start, 0), len(text)), min(max(sp.End, 0), len(text))
		for start > 0 && start < len(text) && !utf8.RuneStart(text[start]) {
			start--
		}
		for end < len(text) && !utf8.RuneStart(text[end]) {
			end++
		}
		if start >= end {
			continue
		}
		if start >= at {
			b.WriteString(text[at:start])
			b.WriteString(mask)
		}
		at = max(at, end)
	}
	b.WriteString(text[at:])
	return b.String()
}
