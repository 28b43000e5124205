package grounding_test

import (
	"testing"

	"github.com/ringwall/ringwall/internal/wordvec"
)

func vectors(t testing.TB) *wordvec.Table {
	t.Helper()
	v, err := wordvec.Default()
	if err != nil {
		t.Fatal(err)
	}
	return v
}
