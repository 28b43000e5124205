package telemetry

import (
	"context"
	"log/slog"
)

// Away tells a log once that something is away, and once that it is back, however often
// it is tried. One goroutine uses it.
type Away struct {
	Log        *slog.Logger
	Gone, Back string // what is told, the same each time; Back may be "": nothing is

	away bool
}

// Note takes down how a try ended. What ends with ctx is not told.
func (a *Away) Note(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case err != nil && !a.away:
		a.Log.WarnContext(ctx, a.Gone, KeyError, err) //nolint:sloglint // constant where it is set
	case err == nil && a.away && a.Back != "":
		a.Log.InfoContext(ctx, a.Back) //nolint:sloglint // constant where it is set
	}
	a.away = err != nil
}
