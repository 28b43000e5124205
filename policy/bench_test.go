package policy_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/policy"
)

// many returns a bundle of n policies: some for everybody, most for roles, tenants and
// models of their own, as installations have them.
func many(tb testing.TB, n int) *policy.Bundle {
	tb.Helper()
	var text strings.Builder
	for i := range n {
		switch i % 5 {
		case 0:
			fmt.Fprintf(&text, "@id(\"tenant-%d\") permit (principal in Ringwall::Tenant::\"t%d\", action in Ringwall::Action::\"use\", resource) when { context.time.hour >= 8 };\n", i, i)
		case 1:
			fmt.Fprintf(&text, "@id(\"role-%d\") permit (principal in Ringwall::Role::\"r%d\", action == Ringwall::Action::\"ask-model\", resource);\n", i, i)
		case 2:
			fmt.Fprintf(&text, "@id(\"model-%d\") forbid (principal, action == Ringwall::Action::\"ask-model\", resource == Ringwall::Model::\"m%d\") unless { principal.trust >= 3 };\n", i, i)
		case 3:
			fmt.Fprintf(&text, "@id(\"own-%d\") permit (principal, action == Ringwall::Action::\"ask-model\", resource) when { principal.tenant == \"t%d\" && principal.trust >= 2 };\n", i, i)
		default:
			fmt.Fprintf(&text, "@id(\"tool-%d\") permit (principal, action == Ringwall::Action::\"call-tool\", resource == Ringwall::Tool::\"tool-%d\") when { context.address.isInRange(ip(\"10.0.0.0/8\")) };\n", i, i)
		}
	}
	return parse(tb, text.String())
}

func parse(tb testing.TB, text string, more ...policy.File) *policy.Bundle {
	tb.Helper()
	b, err := policy.Parse(append(more, policy.File{Name: "p.cedar", Data: []byte(text)}), policy.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func asking() policy.Request {
	return policy.Request{
		Principal: ringwall.Principal{ID: "rw_a", Tenant: "t0", Trust: ringwall.Customer, Via: "key", Roles: []string{"r1", "writer"}},
		Action:    "ask-model", Resource: policy.Resource{Type: "Model", ID: "m2", Provider: "openai"},
		Context: policy.Context{
			Client: ringwall.Client{Addr: netip.MustParseAddr("10.1.2.3"), Country: "DE"}, Time: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC),
			Route: "/v1/chat/completions", Dialect: "openai", Tools: []string{"a", "b"},
		},
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{3, 100, 1000} {
		b.Run(fmt.Sprintf("policies=%d", n), func(b *testing.B) {
			bundle, r := many(b, n), asking()
			b.ReportAllocs()
			for b.Loop() {
				bundle.Decide(&r)
			}
		})
	}
	b.Run("policies=100,all=broad", func(b *testing.B) {
		var text strings.Builder
		for i := range 100 {
			fmt.Fprintf(&text, "@id(\"p%d\") permit (principal, action == Ringwall::Action::\"ask-model\", resource) when { principal.roles.contains(\"x%d\") && context.time.hour >= 8 };\n", i, i)
		}
		bundle, r := parse(b, text.String()), asking()
		b.ReportAllocs()
		for b.Loop() {
			bundle.Decide(&r)
		}
	})
	b.Run("starter", func(b *testing.B) {
		bundle, err := policy.Parse(policy.Example(), policy.Options{})
		if err != nil {
			b.Fatal(err)
		}
		r := asking()
		b.ReportAllocs()
		for b.Loop() {
			bundle.Decide(&r)
		}
	})
}
