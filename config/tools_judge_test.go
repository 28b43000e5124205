package config_test

import (
	"strings"
	"testing"

	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/toolcall"
)

func TestDecisionsAboutCalls(t *testing.T) {
	tests := []struct{ name, yaml, want string }{
		{"nothing said", "", ""},
		{"all said", `
    definitions: ignore
    rule_of_two: acting
    confidential: [payroll]
    flows:
    - {name: stays, from: [payroll], to: [external], then: hold, unless: named, least: 16}
    limits:
    - {tool: send_mail, per_conversation: 5, per_answer: 2}`, ""},
		{"a flow from nowhere", `
    flows:
    - {name: stays, to: [external]}`, "the flow needs tools that it comes from"},
		{"a flow of any four letters", `
    flows:
    - {from: [a], to: [external], least: 4}`, "4 characters are the same by chance"},
		{"a limit of no tool", `
    limits:
    - {per_answer: 2}`, "needs the name of a tool"},
		{"two limits of a tool", `
    limits:
    - {tool: a, per_answer: 2}
    - {tool: a, per_answer: 3}`, `"a" has a limit already`},
		{"a number below nothing", "\n    repeats: -1", "numbers above 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := "tools:\n  decisions:" + tt.yaml
			if tt.yaml == "" {
				src = ""
			}
			src = minimal + src
			c, err := config.Parse("ringwall.yaml", []byte(src))
			switch {
			case tt.want == "" && err != nil:
				t.Fatal(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Fatalf("got %v, want %q", err, tt.want)
			case tt.name == "all said":
				r := c.Tools.Decisions.Rules()
				if !r.Strict || r.Two != toolcall.TwoActing || len(r.Flows) != 1 || !r.Flows[0].Named || r.Limits["send_mail"].Answer != 2 {
					t.Errorf("got %+v", r)
				}
			}
		})
	}
}
