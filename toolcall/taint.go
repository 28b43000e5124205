package toolcall

import (
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/internal/stem"
	"github.com/ringwall/ringwall/toolcall/provenance"
)

// reading is what a session knows of its conversation. It is made when the first call
// needs it.
type reading struct {
	*provenance.Index
	tainted  bool // text was read that anybody may have written
	intent   *intent
	offered  []*profile
	byName   map[string]*profile
	outlines []*outline       // by result; nil: not taken apart yet
	named    []int8           // by result: 1 the person named what it is, -1 not, 0 nobody looked
	past     []made           // calls of this conversation
	spoke    int              // turn in which the person last spoke
	grams    []*grams         // by result; nil: not read yet
	places   map[string][]int // by value: results that may have it
}

// made is a call that was made.
type made struct {
	ringwall.ToolCall
	turn int
	ok   bool // a result says that it worked
}

// read makes the reading.
func (s *Session) read() *reading {
	if s.known != nil {
		return s.known
	}
	r := &reading{byName: map[string]*profile{}}
	if s.Conversation == nil {
		s.Conversation = &ringwall.Conversation{}
	}
	s.known = r
	r.Index = provenance.New(s.Conversation, provenance.Options{
		Trusted: func(tool string) []string { return s.j.cfg.Registry.Find(tool).Trusted },
		Passed:  s.Passed, Now: s.Now,
	})
	for _, t := range s.Conversation.Tools {
		p := s.j.profiles.of(t)
		r.offered = append(r.offered, p)
		r.byName[t.Name] = p
	}
	r.intent = s.asked()
	results := r.Results()
	r.outlines, r.named, r.grams = make([]*outline, len(results)), make([]int8, len(results)), make([]*grams, len(results))
	r.tainted = s.isTainted(r)
	r.history(s.Conversation)
	return r
}

// profile returns what is said of the tool of a call.
func (r *reading) profile(s *Session, t *Tool) *profile {
	if p, ok := r.byName[t.Name]; ok {
		return p
	}
	p := s.j.profiles.of(ringwall.ToolSpec{Name: t.Name, Description: t.Description, Schema: t.Input})
	r.byName[t.Name] = p
	return p
}

// asked reads what the person asks for: their last words, and those before where the
// last only agree or complete.
func (s *Session) asked() *intent {
	turns := s.Conversation.Turns
	var last *intent
	for i := len(turns) - 1; i >= 0; i-- {
		if turns[i].Role != ringwall.RoleUser {
			continue
		}
		var said []string
		for _, p := range turns[i].Parts {
			if p.Kind == ringwall.PartText {
				said = append(said, p.Text)
			}
		}
		if said == nil {
			continue
		}
		n := newIntent(strings.Join(said, "\n"))
		if last != nil {
			last.unclear = last.unclear || n.unclear
			last.wants, last.delegated, last.links, last.pointed = n.wants, n.delegated, last.links || n.links, last.pointed || n.pointed
			for w := range n.words {
				last.words[w] = true
			}
			for w := range n.nouns {
				last.nouns[w] = true
			}
			return last
		}
		if n.acts() || n.count > 12 {
			return n
		}
		last = n
	}
	if last == nil {
		return newIntent("")
	}
	return last
}

// isTainted reports whether text was read that anybody may have written, and that is
// long enough to say anything.
func (s *Session) isTainted(r *reading) bool {
	if _, ok := r.Untrusted(); !ok {
		return false
	}
	for _, res := range r.Results() {
		if s.believed(&res) {
			continue
		}
		for _, p := range res.Result.Parts {
			if p.Kind != ringwall.PartText || says(p.Text) {
				return true
			}
		}
	}
	for i, t := range s.Conversation.Turns {
		for _, p := range t.Parts {
			switch {
			case p.Kind == ringwall.PartMedia:
				return true
			case p.Kind == ringwall.PartText && t.Role != ringwall.RoleUser && s.Passed != nil && (i >= len(s.Passed) || !s.Passed[i]):
				return true
			}
		}
	}
	return false
}

// believed reports whether all of an output was made by a system of the operator's.
func (s *Session) believed(r *provenance.Result) bool {
	if !r.Believed {
		return false
	}
	for _, p := range s.j.cfg.Registry.Find(r.Call.Name).Trusted {
		if p == "" {
			return true
		}
	}
	return false
}

// says reports whether a text has enough words to say what is to be done.
func says(text string) bool {
	n := 0
	for i := 0; i < len(text); i++ {
		if c := lower(text[i]); c >= 'a' && c <= 'z' || c >= 0x80 {
			j := i
			for j < len(text) && (lower(text[j]) >= 'a' && lower(text[j]) <= 'z' || text[j] >= 0x80) {
				j++
			}
			if j-i > 24 { // no spaces: it may be anything
				return true
			}
			if n++; n >= 3 {
				return true
			}
			i = j
		}
	}
	return false
}

// history notes which calls were made.
func (r *reading) history(c *ringwall.Conversation) {
	at := map[string]int{}
	for i, t := range c.Turns {
		for _, p := range t.Parts {
			switch {
			case p.Kind == ringwall.PartText && t.Role == ringwall.RoleUser:
				r.spoke = i
			case p.Kind == ringwall.PartCall && p.Call != nil:
				at[p.Call.ID] = len(r.past)
				r.past = append(r.past, made{ToolCall: *p.Call, turn: i})
			case p.Kind == ringwall.PartResult && p.Result != nil:
				if n, ok := at[p.Result.ID]; ok {
					r.past[n].ok = !p.Result.Failed
				}
			}
		}
	}
}

// outline returns result i taken apart.
func (r *reading) outline(i int) *outline {
	if r.outlines[i] == nil {
		r.outlines[i] = newOutline(textOf(r.Results()[i].Result))
	}
	return r.outlines[i]
}

// textOf returns the text of an output.
func textOf(res *ringwall.ToolResult) string {
	if len(res.Parts) == 1 {
		return res.Parts[0].Text
	}
	var all []string
	for _, p := range res.Parts {
		all = append(all, p.Text)
	}
	return strings.Join(all, "\n")
}

// where returns the results whose output may have value.
func (r *reading) where(value string) []int {
	if found, ok := r.places[value]; ok {
		return found
	}
	run := longestRun(value)
	at := rarest(run)
	found := []int{}
	for i, res := range r.Results() {
		for _, p := range res.Result.Parts {
			if indexFoldAt(p.Text, run, at) >= 0 {
				found = append(found, i)
				break
			}
		}
	}
	if r.places == nil {
		r.places = map[string][]int{}
	}
	r.places[value] = found
	return found
}

// longestRun returns the longest run of ASCII letters and digits of a value, which no
// encoding of texts takes apart.
func longestRun(v string) string {
	if strings.Trim(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._+-:#") == "" {
		return v // all of it
	}
	best := ""
	for i := 0; i < len(v); {
		j := i
		for j < len(v) && (v[j] >= '0' && v[j] <= '9' || lower(v[j]) >= 'a' && lower(v[j]) <= 'z') {
			j++
		}
		if j-i > len(best) {
			best = v[i:j]
		}
		i = max(j, i+1)
	}
	if best == "" {
		return v
	}
	return best
}

// spoken reports whether prose of an output names value. A short number counts only
// where a word or a quotation mark beside it says that it names something.
func (r *reading) spoken(value string) bool {
	short := len(value) < 4 && digits(value) > 0
	for _, i := range r.where(value) {
		for _, l := range r.outline(i).leaves {
			text := l.text
			if len(text) <= len(value) {
				continue
			}
			for {
				at, ok := mentions(text, value)
				if !ok {
					break
				}
				if prose(l.text) && (!short || cued(text, at)) {
					return true
				}
				text = text[at+len(value):]
			}
		}
	}
	return false
}

// cued reports whether a short number is said to name something.
func cued(text string, at int) bool {
	before := strings.TrimRight(text[:at], " ")
	if before == "" {
		return false
	}
	switch before[len(before)-1] {
	case '\'', '"', '#', '`':
		return true
	case ':', '=', '(':
		before = strings.TrimRight(before, " :=(")
	}
	word := before
	if i := strings.LastIndexFunc(before, func(r rune) bool { return !wordRune(r) }); i >= 0 {
		word = before[i+1:]
	}
	word = strings.ToLower(word)
	_, noun := nouns[word]
	return noun || identifying[word]
}

var identifying = words(`id ids number no nr nummer num key index entry item with row record kennung numero`)

// typed reports whether value is the whole of a field of an output that a system of the
// application's made: nothing that somebody wrote into a text. A call's own arguments
// that come back, and pages of other hosts, are none. It also reports whether the person
// named the record or the output that has it.
func (s *Session) typed(r *reading, value string) (found, named bool) {
	for _, i := range r.where(value) {
		res := &r.Results()[i]
		if res.Result.Failed || res.CallTurn < 0 || r.repeats(res, value) {
			continue
		}
		if p := r.profile(s, s.j.cfg.Registry.Find(res.Call.Name)); p.outward {
			continue
		}
		o := r.outline(i)
		for j := range o.leaves {
			l := &o.leaves[j]
			if !strings.EqualFold(l.text, value) && !sameNumber(l.text, value) || prose(l.text) || o.plain && formOf(value).reaches() {
				continue
			}
			found = true
			if r.namedResult(s, i) || l.record > 0 && r.namedRecord(o, l.record) {
				return true, true
			}
		}
	}
	return found, false
}

// sameNumber reports whether two texts are the same number: 30 and 30.0.
func sameNumber(a, b string) bool {
	if !number(a) || !number(b) {
		return false
	}
	x, err := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return err == nil && err2 == nil && x == y
}

// repeats reports whether a call was given value.
func (r *reading) repeats(res *provenance.Result, value string) bool {
	_, ok := mentions(res.Call.Arguments, value)
	return ok
}

// namedResult reports whether the person's words say what was looked for: each text of
// the call's arguments is theirs, and there is one.
func (r *reading) namedResult(s *Session, i int) bool {
	if r.named[i] == 0 {
		r.named[i] = -1
		if s.theirs(r, r.Results()[i].Call.Arguments) {
			r.named[i] = 1
		}
	}
	return r.named[i] > 0
}

// namedRecord reports whether the person's words name a record of an output: a short
// field of it has a word of theirs.
func (r *reading) namedRecord(o *outline, record int) bool {
	for i := range o.leaves {
		l := &o.leaves[i]
		if l.record == record && !l.member && len(l.text) <= 60 && r.familiar(l.text) {
			return true
		}
	}
	return false
}

// familiar reports whether a text has a word that the person says, too, and that says
// which one is meant.
func (r *reading) familiar(text string) bool {
	for _, w := range split(text) {
		if len(w) >= 3 && !stem.Function([]byte(w)) && (r.intent.words[w] || !ascii(w) && r.intent.words[normalize.Fold(w)]) {
			return true
		}
	}
	return false
}
