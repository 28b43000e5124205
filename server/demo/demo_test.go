package demo_test

import (
	"strings"
	"testing"

	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/server/demo"
)

// Every row comes out as it must, and each request behind the gateway has a
// record in a log that verifies.
func TestDemo(t *testing.T) {
	var out strings.Builder
	data := t.TempDir()
	if err := demo.Run(t.Context(), demo.Options{Data: data, Once: true, Out: &out}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if n := strings.Count(out.String(), "untouched"); n != 13 { // twelve rows and the sentence
		t.Errorf("%d honest requests are untouched:\n%s", n-1, out.String())
	}
	if n := strings.Count(out.String(), "BREACHED"); n < 9 {
		t.Errorf("%d attacks succeed against the bare model", n)
	}
	rep, err := audit.Verify(t.Context(), data+"/audit", nil)
	if err != nil || !rep.OK() || rep.Entries < 36 {
		t.Errorf("%+v, %v", rep, err)
	}
}
