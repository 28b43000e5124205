package telemetry_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/internal/telemetry"
)

func TestAwayIsToldOnce(t *testing.T) {
	var out strings.Builder
	a := telemetry.Away{Log: slog.New(slog.NewTextHandler(&out, nil)), Gone: "gone", Back: "back"}
	ended, end := context.WithCancel(t.Context())
	end()
	broken := errors.New("broken")
	a.Note(ended, broken)
	a.Note(t.Context(), nil)
	for _, err := range []error{nil, broken, broken, nil, nil, broken} {
		a.Note(t.Context(), err)
	}
	var told []string
	for line := range strings.Lines(out.String()) {
		_, rest, _ := strings.Cut(line, "msg=")
		told = append(told, strings.Fields(rest)[0])
	}
	if got := strings.Join(told, " "); got != "back gone back gone" {
		t.Errorf("told %q", got)
	}
}
