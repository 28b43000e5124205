package server

import (
	"context"

	"github.com/ringwall/ringwall"
)

type principalKey struct{}

func withPrincipal(ctx context.Context, p ringwall.Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// principalOf returns who was admitted to a route of the administration.
func principalOf(ctx context.Context) (ringwall.Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(ringwall.Principal)
	return p, ok
}
