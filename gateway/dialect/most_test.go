package dialect_test

import (
	"testing"

	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

func TestMost(t *testing.T) {
	for body, want := range map[string]int64{
		`{}`:                        -1,
		`{"a":5}`:                   5,
		`{"a":5,"b":7}`:             7,
		`{"a":5,"n":3}`:             15,
		`{"a":5,"n":-3}`:            5,
		`{"n":3}`:                   -1,
		`{"a":-1}`:                  -1,
		`{"a":0}`:                   0,
		`{"a":"many"}`:              -1,
		`{"a":9223372036854775807}`: -1,
		`{"a":4611686018427387904,"n":4611686018427387904}`: 1 << 40,
	} {
		var doc jsonedit.Doc
		if err := doc.Parse([]byte(body), jsonedit.Limits{}); err != nil {
			t.Fatal(err)
		}
		if got := dialect.Most(doc.Root().Get("n"), doc.Root().Get("a"), doc.Root().Get("b")); got != want {
			t.Errorf("%s: %d, want %d", body, got, want)
		}
	}
}
