// Package dialecttest is what the tests of dialects share.
package dialecttest

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"reflect"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/sse"
)

// Recorded is a gateway.Provider that answers what was recorded, and keeps what it
// was asked. It is owned by one goroutine.
type Recorded struct {
	API    string   // that it speaks; "": none
	Answer string   // whole
	Stream []string // the data of the events of a streamed one
	Call   ringwall.Call
}

// APIs implements gateway.Provider.
func (r *Recorded) APIs() []string {
	if r.API == "" {
		return nil
	}
	return []string{r.API}
}

// Models implements gateway.Provider.
func (r *Recorded) Models(context.Context) ([]string, error) { return nil, nil }

// Complete implements gateway.Provider.
func (r *Recorded) Complete(_ context.Context, call ringwall.Call) ([]byte, error) {
	r.Call = call
	return []byte(r.Answer), nil
}

// Events implements gateway.Provider.
func (r *Recorded) Events(_ context.Context, call ringwall.Call) iter.Seq2[sse.Event, error] {
	r.Call = call
	return func(yield func(sse.Event, error) bool) {
		for _, e := range r.Stream {
			if !yield(sse.Event{Data: []byte(e)}, nil) {
				return
			}
		}
	}
}

// Same fails the test when two documents of JSON say something else.
func Same[T string | []byte](t testing.TB, got, want T) {
	t.Helper()
	var a, b any
	if err := errors.Join(json.Unmarshal([]byte(got), &a), json.Unmarshal([]byte(want), &b)); err != nil {
		t.Fatalf("%v\n%s\nwant %s", err, got, want)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// Counted fails the test when of an answer that counts tokens, as d reads it,
// anything beside the number cannot be replaced, or the number does not stay.
func Counted(t testing.TB, d gateway.Dialect, body string) {
	t.Helper()
	a, err := d.Answer(nil, []byte(body))
	if err != nil {
		return
	}
	a.Usage()
	if out := a.Withhold(gateway.Declined{Message: "no"}); !json.Valid(out) {
		t.Fatalf("withheld %s", out)
	}
	var all []guard.Changed
	for i := range a.Texts() {
		all = append(all, guard.Changed{Index: i, Value: "masked"})
	}
	out := a.Edit(all)
	again, err := d.Answer(nil, out)
	if err != nil {
		t.Fatalf("an edited answer cannot be read: %v\n%s", err, out)
	}
	for _, text := range again.Texts() {
		if text.Value != "masked" {
			t.Fatalf("%s was not replaced: %q\n%s", text.Path, text.Value, out)
		}
	}
}
