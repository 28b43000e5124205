package ringwall

import "context"

type holdKey struct{}

// WithHold returns a context of a request whose answer is counted while it comes: f is
// told of each n bytes that are about to be kept, and its error, which is a *Refusal,
// says that there is no room for them. It is safe for concurrent use.
func WithHold(ctx context.Context, f func(n int64) error) context.Context {
	return context.WithValue(ctx, holdKey{}, f)
}

// HoldOf returns what is told of bytes that are kept; it is nil where nobody counts.
func HoldOf(ctx context.Context) func(n int64) error {
	f, _ := ctx.Value(holdKey{}).(func(int64) error)
	return f
}
