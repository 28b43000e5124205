package provenance

import (
	"iter"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Options say what an Index believes. The zero Options trust no output.
type Options struct {
	// Trusted returns the fields of a tool's output that systems of the operator's make
	// and nobody else can write: JSON pointers (RFC 6901) in which * is any member or
	// element, ** any number of them, and a field takes along what is below it. "" is
	// all of the output. Nil: no output is trusted.
	Trusted func(tool string) []string
	// Passed says of each turn whether it went through the gateway as it stands, in this
	// conversation. What stands in other turns is believed of the person alone; a turn
	// beyond its end did not pass. Nil: nobody looked, and all are believed.
	Passed []bool
	// Now is when the conversation goes on, so that "tomorrow" is a date; zero: such
	// words are none.
	Now time.Time
}

// Index looks for values in a conversation. It reads a text when a value is looked for
// that may be there, and remembers what it read. One goroutine owns it; the conversation
// must not change meanwhile.
type Index struct {
	o       Options
	turns   []ringwall.Turn
	texts   []text   // in the order of the conversation
	results []Result // in the order of the conversation
	calls   []call   // in the order of the conversation
	known   map[key]Origin
	strange map[string]Origin
}

// Result is what a tool returned, with the call that it answers.
type Result struct {
	Turn     int // in which it stands
	Call     ringwall.ToolCall
	CallTurn int                  // in which the call stands; -1: nobody asked for it
	Result   *ringwall.ToolResult // as the conversation has it
	// Believed says that the result answers a call and both passed; only then its
	// trusted fields are trusted.
	Believed bool
}

// New returns an Index over a conversation. Its cost grows with the number of parts, not
// with their length.
func New(c *ringwall.Conversation, o Options) *Index {
	if c == nil {
		c = &ringwall.Conversation{}
	}
	x := &Index{o: o, turns: c.Turns}
	x.gather(c)
	return x
}

// Trace says where a value comes from. The most trusted source that has it counts.
func (x *Index) Trace(value string) Origin { return x.trace(value, false) }

// TraceNumber is Trace for a number as JSON writes it: it is found by its value, in
// words as well, "two hundred" for 200. An identifier that happens to be a number is
// better given to Trace.
func (x *Index) TraceNumber(literal string) Origin { return x.trace(literal, true) }

// TraceValue yields every text and number in v with its origin, by JSON pointer from v
// (RFC 6901): "" is v itself. True, false and null name nobody and are left out.
func (x *Index) TraceValue(v jsonedit.Value) iter.Seq2[string, Origin] {
	return func(yield func(string, Origin) bool) { x.leaves(v, "", yield) }
}

// AlsoUntrusted says whether, and where, a value stands in text that anybody may have
// written, wherever else it stands. It looks further than Trace does, into encodings of
// the value in such a text, and a text that it cannot read whole counts as having it. A
// value that a stranger only describes it does not see.
func (x *Index) AlsoUntrusted(value string) (Origin, bool) { return x.strangers(value) }

// Untrusted returns the first turn with something that anybody may have written: the
// output of a tool that is not trusted whole, a document or an image, a turn that is not
// believed. It is false for a conversation without.
func (x *Index) Untrusted() (turn int, ok bool) { return x.firstUntrusted() }

// Asked yields the texts of the person who asks, by turn, in order.
func (x *Index) Asked() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i := range x.texts {
			if t := &x.texts[i]; t.source == ringwall.SourceUser && !yield(t.turn, t.raw) {
				return
			}
		}
	}
}

// Results returns what tools returned, in the order of the conversation. The caller must
// not change it.
func (x *Index) Results() []Result { return x.results }
