package dialect

import (
	"context"
	"slices"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Look passes each text of l, which came whole in a stream, through a Channel of
// its own. It returns the edits that put what was masked into its place, and
// whether policy ends the stream, or had before.
func Look(ctx context.Context, l *Locator, open gateway.Open, blocked bool) ([]jsonedit.Edit, bool) {
	var changed []guard.Changed
	for i, t := range l.Texts() {
		ch := open(t.Path)
		out := Wholly(ctx, ch, t.Value)
		blocked = blocked || ch.Blocked()
		if ch.Masked() {
			changed = append(changed, guard.Changed{Index: i, Value: string(out)})
		}
	}
	return l.Edits(changed), blocked
}

// Wholly passes a whole text through its Channel.
func Wholly(ctx context.Context, ch gateway.Channel, text string) []byte {
	out := slices.Clone(ch.Write([]byte(text))) // which is valid until Close
	return append(out, ch.Close(ctx)...)
}

// Again returns the text of v, which in a stream is most often what it was before:
// then it is no new string.
func Again(v jsonedit.Value, before *string) string {
	if !v.Is(*before) {
		*before = v.Text()
	}
	return *before
}
