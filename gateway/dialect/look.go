package dialect

import (
	"context"
	"slices"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/guard"
)

// Wholly passes a whole text through its Channel.
func Wholly(ctx context.Context, ch gateway.Channel, text string) []byte {
	out := slices.Clone(ch.Write([]byte(text))) // which is valid until Close
	return append(out, ch.Close(ctx)...)
}

// Looked passes each text that was found through a Channel of its own: what comes
// in one piece of a stream. It returns the texts that changed, and whether one was
// blocked.
func (l *Locator) Looked(ctx context.Context, open gateway.Open) (changed []guard.Changed, blocked bool) {
	for i, t := range l.texts {
		ch := open(t.Path)
		out := Wholly(ctx, ch, t.Value)
		blocked = blocked || ch.Blocked()
		if ch.Masked() {
			changed = append(changed, guard.Changed{Index: i, Value: string(out)})
		}
	}
	return changed, blocked
}
