package policy_test

import (
	"strings"
	"testing"

	"github.com/ringwall/ringwall/policy"
)

// Whatever stands in a bundle: it is refused with a reason, or decides, and the wall
// between tenants stands.
func FuzzParse(f *testing.F) {
	for _, file := range policy.Example() {
		f.Add(file.Name, string(file.Data))
	}
	f.Add("a.cedar", let)
	f.Add("a.cedar", guarded)
	f.Add("a.cedar", `@id("a") /* x */ permit (principal, action, resource) when { "a;b\"//" like "*" } // ;`)
	f.Add("a.cedar", `@id("a") permit (principal, action, resource) when { if true then {a: [1, -1]}.a.contains(1) else ip("::/0").isIpv6() };`)
	f.Add("e.json", `[{"uid":{"__entity":{"type":"Ringwall::Role","id":"x"}},"parents":[],"attrs":{}}]`)
	f.Add("t.test.yaml", "tests:\n- {name: a, resource: 'Model::\"m\"', expect: deny, context: {address: '::1', time: 2026-01-01T00:00:00Z}}\n")
	f.Add("approvals.yaml", "approvals:\n- {policy: a, sha256: b, author: {name: c, signature: d}}\n")
	f.Fuzz(func(t *testing.T, name, text string) {
		if len(text) > 1<<14 {
			return
		}
		files := []policy.File{{Name: name, Data: []byte(text)}}
		if !strings.HasSuffix(name, ".cedar") {
			files = append(files, policy.File{Name: "let.cedar", Data: []byte(let)})
		}
		b, err := policy.Parse(files, policy.Options{Unapproved: true})
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Error("refused without a reason")
			}
			return
		}
		var all strings.Builder
		for _, p := range b.Policies() {
			if p.ID == policy.TenantWall {
				continue
			}
			all.WriteString(p.Text + "\n")
		}
		again, err := policy.Parse([]policy.File{{Name: "again.cedar", Data: []byte(all.String())}}, policy.Options{Unapproved: true})
		if err != nil {
			t.Fatalf("the texts of the policies are no policies: %v\n%s", err, all.String())
		}
		r := asking()
		if len(again.Policies()) != len(b.Policies()) {
			t.Fatalf("%d policies became %d", len(b.Policies()), len(again.Policies()))
		}
		b.Explain(&r)
		r.Resource.Tenant = "somebody else"
		if d := b.Decide(&r); d.Effect != policy.Deny {
			t.Errorf("%+v went through the wall", d)
		}
	})
}

func FuzzParseTests(f *testing.F) {
	for _, file := range policy.Example() {
		f.Add(string(file.Data))
	}
	f.Add("tests:\n- {name: a, resource: Model::m, expect: hold, by: [a, b], principal: {id: x, trust: staff, session_age: 1h}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		tests, err := policy.ParseTests(policy.File{Name: "t.test.yaml", Data: []byte(text)}, nil)
		if err != nil {
			return
		}
		b := parse(t, let)
		for i := range tests {
			if tests[i].Name == "" || tests[i].Line < 1 {
				t.Errorf("%+v", tests[i])
			}
			if d, err := b.Run(&tests[i]); len(d.Policies) == 0 || err == nil && d.Effect != tests[i].Expect {
				t.Errorf("%+v, %v", d, err)
			}
		}
	})
}

func FuzzParseApprovals(f *testing.F) {
	f.Add("approvals:\n- {policy: a, sha256: b, author: {name: c, signature: d}, approved_by: [{name: e, signature: f}]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := policy.ParseApprovals(policy.File{Name: "approvals.yaml", Data: []byte(text)})
		if err != nil {
			return
		}
		again, err := policy.ParseApprovals(policy.File{Name: "approvals.yaml", Data: a.Encode()})
		if err != nil || len(again.Approvals) != len(a.Approvals) {
			t.Errorf("what is written is not read: %v\n%s", err, a.Encode())
		}
	})
}
