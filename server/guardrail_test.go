package server_test

import (
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/server"
)

// An age is only flagged, unless the guardrail says what to do about it.
func TestAges(t *testing.T) {
	said := guardrail.Default()
	said.PII.Reasons = map[string]guardrail.Act{"age": {Action: ringwall.Mask}}
	c := &config.Config{Guardrails: map[string]guardrail.Spec{"said": said}}
	for name, want := range map[string]ringwall.Action{"": ringwall.Flag, "said": ringwall.Mask} {
		g, err := server.Guardrail(c, name)
		if err != nil {
			t.Fatal(err)
		}
		res := g.Check(t.Context(), guard.Session{}, []ringwall.Text{{Origin: ringwall.User, Value: "She is 42 years old."}})
		if res.Verdict.Action != want {
			t.Errorf("guardrail %q: %+v", name, res.Verdict)
		}
	}
}
