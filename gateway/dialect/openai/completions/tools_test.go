package completions_test

import (
	"testing"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/openai/completions"
)

// TestNoTools: the API has neither tools nor calls, so there is nothing to offer and
// nothing to judge. Whoever teaches it some finds this.
func TestNoTools(t *testing.T) {
	req, err := completions.Dialect{}.Read(nil, []byte(`{"model":"m","prompt":"hi"}`))
	if err != nil {
		t.Fatal(err)
	}
	a, err := completions.Dialect{}.Answer(req, []byte(`{"choices":[{"index":0,"text":"x","finish_reason":"stop"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	_, acts := req.(gateway.Acting)
	_, calls := a.(gateway.Calling)
	_, judges := completions.Dialect{}.Relay(req, nil).(gateway.Judging)
	if acts || calls || judges {
		t.Error("completions have tools")
	}
}
