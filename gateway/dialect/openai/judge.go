package openai

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

var _ gateway.Judging = (*relay)(nil)

// Judge implements gateway.Judging: the calls of a choice come out together, when it
// ends.
func (r *relay) Judge(judge func(ctx context.Context, calls []ringwall.ToolCall) []gateway.Ruling) {
	r.judge = judge
}

// ruled puts rulings on the calls of a choice in force and returns the notes on those
// that do not go out.
func (r *relay) ruled(ctx context.Context, c *choice) string {
	// As a whole answer has them: in the order of its list.
	slices.SortStableFunc(c.tools, func(a, b *tool) int {
		if a.index < 0 || b.index < 0 {
			return cmp.Compare(b.index, a.index) // the one of the old kind is the last
		}
		return cmp.Compare(a.index, b.index)
	})
	docs := make([]jsonedit.Doc, len(c.tools))
	ws := make([]wish, len(c.tools))
	asked := make([]ringwall.ToolCall, len(c.tools))
	for i, t := range c.tools {
		if docs[i].Parse(t.whole, dialect.AnswerLimits) != nil { // what is no call is none
			r.blocked = true
			return ""
		}
		ws[i] = wish{"tool_calls", i, docs[i].Root()}
		if t.index < 0 {
			ws[i].key = "function_call"
		}
		asked[i] = ws[i].call()
	}
	rulings := make([]gateway.Ruling, len(asked))
	copy(rulings, r.judge(ctx, asked))
	var notes []string
	runs, calls := 0, 0
	for i, t := range c.tools {
		rule := rulings[i]
		if t.gone = !rule.Runs; t.gone {
			notes = append(notes, rule.Note)
			continue
		}
		runs++
		var edits []jsonedit.Edit
		if rule.Arguments != "" {
			edits = ws[i].become(rule.Arguments)
		}
		if t.index >= 0 {
			if calls < i && docs[i].Root().Kind() == jsonedit.Object { // others are gone
				edits = append(edits, docs[i].Root().SetMember("index", strconv.AppendInt(nil, int64(calls), 10)))
			}
			calls++
		}
		if len(edits) > 0 {
			t.whole = dialect.Splice(t.whole, edits)
		}
	}
	c.mute = runs == 0
	return dialect.Noted("", notes...)
}

// noted returns the last piece of a text with a note behind it.
func (f *field) noted(note string) []byte {
	switch {
	case note == "":
	case f.out+len(f.last) > 0:
		return append(append(f.last, "\n\n"...), note...)
	}
	return append(f.last, note...)
}
