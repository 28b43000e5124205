package provenance

import (
	"slices"

	"github.com/ringwall/ringwall"
)

// sheet is what somebody wrote, with what was read of it.
type sheet struct {
	raw     string
	folded  string
	strange bool // nobody trusts it
	looks   looks
}

// text is a sheet of the conversation.
type text struct {
	sheet
	source    ringwall.Source
	turn      int
	tool      string
	result    int      // index of the Result whose output it is; -1: none
	fields    bool     // some fields of it may be trusted
	outline   *outline // nil: not read yet
	unescaped *sheet   // nil: the same
}

// looks says what is known of the characters of a text.
type looks uint8

const (
	unread looks = iota
	open         // what folds to ASCII is ASCII
	hidden       // ASCII may hide in other forms
)

// hides says whether ASCII may hide in it.
func (s *sheet) hides() bool {
	if s.looks == unread {
		if s.looks = open; hides(s.raw) {
			s.looks = hidden
		}
	}
	return s.looks == hidden
}

// Bounds, in bytes, on what is folded of a text that nobody trusts: to tell that a value
// stands there, from that it stands nowhere; and where somebody asks for just that.
const (
	maxFolded     = 1 << 16
	maxFoldedDeep = 1 << 20
)

// fold returns it folded whole; "" where it is longer than most and nobody trusts it.
func (s *sheet) fold(most int) string {
	if s.folded == "" && (!s.strange || len(s.raw) <= most) {
		s.folded = fold(s.raw)
	}
	return s.folded
}

// call is a call of a tool that was made: what its result repeats of it is not news.
type call struct {
	turn      int
	arguments string
	sheet     sheet // of them, once they were read
}

// gather notes who says what. It reads nothing.
func (x *Index) gather(c *ringwall.Conversation) {
	for _, p := range c.System {
		x.add(p.Text, text{source: ringwall.SourceSystem, turn: -1, result: -1})
	}
	asked := map[string]int{} // calls by id: index into x.calls; -1: answered, or several have it
	var made []ringwall.ToolCall
	for i, t := range c.Turns {
		for _, p := range t.Parts {
			switch {
			case p.Kind == ringwall.PartCall && p.Call != nil:
				if _, twice := asked[p.Call.ID]; twice {
					asked[p.Call.ID] = -1
				} else {
					asked[p.Call.ID] = len(made)
				}
				made = append(made, *p.Call)
				x.calls = append(x.calls, call{turn: i, arguments: p.Call.Arguments})
			case p.Kind == ringwall.PartResult && p.Result != nil:
				r := Result{Turn: i, CallTurn: -1, Result: p.Result}
				if n, ok := asked[p.Result.ID]; ok && n >= 0 {
					r.Call, r.CallTurn = made[n], x.calls[n].turn
					asked[p.Result.ID] = -1
				}
				x.answered(r)
			case p.Kind == ringwall.PartText:
				x.add(p.Text, text{source: x.speaker(i, t.Role), turn: i, result: -1})
			}
		}
	}
}

func (x *Index) add(s string, t text) {
	if s != "" {
		t.sheet = sheet{raw: s, strange: !t.source.Trusted()}
		x.texts = append(x.texts, t)
	}
}

// assistant marks what a model that passed said: it is no source, for it repeats what it
// read.
const assistant = ringwall.SourceUnknown

// speaker is the source of what is said in turn i.
func (x *Index) speaker(i int, role ringwall.Role) ringwall.Source {
	switch {
	case role == ringwall.RoleUser:
		return ringwall.SourceUser
	case !x.passed(i):
		return ringwall.SourceUntrusted
	case role == ringwall.RoleSystem:
		return ringwall.SourceSystem
	}
	return assistant
}

func (x *Index) passed(turn int) bool {
	return x.o.Passed == nil || turn < len(x.o.Passed) && x.o.Passed[turn]
}

// answered takes in what a tool returned. Fields are told apart only where the whole
// output is one text: of several, one may be a stranger's who writes what looks like
// fields.
func (x *Index) answered(r Result) {
	tool := r.Call.Name
	r.Believed = r.CallTurn >= 0 && !r.Result.Failed && x.passed(r.CallTurn) && x.passed(r.Turn) &&
		(r.Result.Name == "" || r.Result.Name == tool)
	if tool == "" {
		tool = r.Result.Name
	}
	var patterns []string
	if r.Believed && x.o.Trusted != nil {
		patterns = x.o.Trusted(tool)
	}
	t := text{source: ringwall.SourceUntrusted, turn: r.Turn, tool: tool, result: len(x.results)}
	switch {
	case slices.Contains(patterns, ""):
		t.source = ringwall.SourceMinted
	case len(patterns) > 0 && len(r.Result.Parts) == 1:
		t.fields = true
	}
	x.results = append(x.results, r)
	for _, p := range r.Result.Parts {
		x.add(p.Text, t)
	}
}

// firstUntrusted is [Index.Untrusted].
func (x *Index) firstUntrusted() (int, bool) {
	first := -1
	note := func(turn int) {
		if first < 0 || turn < first {
			first = turn
		}
	}
	for i := range x.texts {
		if x.texts[i].source == ringwall.SourceUntrusted {
			note(x.texts[i].turn)
			break
		}
	}
	for i, t := range x.turns {
		if slices.ContainsFunc(t.Parts, shows) {
			note(i)
			break
		}
	}
	return first, first >= 0
}

// shows says whether a part has something that is no text: it may say anything.
func shows(p ringwall.Part) bool {
	return p.Kind == ringwall.PartMedia ||
		p.Kind == ringwall.PartResult && p.Result != nil && slices.ContainsFunc(p.Result.Parts, shows)
}
