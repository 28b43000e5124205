package policy_test

import (
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/policy"
)

const let = `@id("let") permit (principal, action, resource);` + "\n"

func TestDecide(t *testing.T) {
	entities := policy.File{Name: "e.json", Data: []byte(`[
		{"uid": {"type": "Ringwall::Role", "id": "writer"}, "parents": [{"type": "Ringwall::Role", "id": "reader"}], "attrs": {}},
		{"uid": {"type": "Ringwall::User", "id": "bob"}, "parents": [{"type": "Ringwall::Group", "id": "night"}], "attrs": {"tenant": "acme"}},
		{"uid": {"type": "Ringwall::Model", "id": "big"}, "parents": [{"type": "Ringwall::Collection", "id": "c"}], "attrs": {"labels": ["dear"]}},
		{"uid": {"type": "Ringwall::Collection", "id": "c"}, "parents": [{"type": "Ringwall::Collection", "id": "d"}], "attrs": {}},
		{"uid": {"type": "Ringwall::Model", "id": "theirs"}, "parents": [], "attrs": {"tenant": "acme"}}
	]`)}
	with := func(change ...func(*policy.Request)) policy.Request {
		r := asking()
		for _, f := range change {
			f(&r)
		}
		return r
	}
	model := func(id string) func(*policy.Request) {
		return func(r *policy.Request) { r.Resource = policy.Resource{Type: "Model", ID: id} }
	}
	as := func(p ringwall.Principal) func(*policy.Request) { return func(r *policy.Request) { r.Principal = p } }
	for _, tt := range []struct {
		name, policies string
		r              policy.Request
		want           policy.Effect
		by             []string
	}{
		{"nothing permits", `@id("other") permit (principal, action == Ringwall::Action::"call-tool", resource);`, with(), policy.Deny, []string{policy.NoPermit}},
		{"one permits", let, with(), policy.Allow, []string{"let"}},
		{"all that permit are named", let + `@id("also") permit (principal, action in Ringwall::Action::"use", resource);`, with(), policy.Allow, []string{"also", "let"}},
		{"a forbid is stronger", let + `@id("no") forbid (principal, action, resource) when { principal.trust == 2 };`, with(), policy.Deny, []string{"no"}},
		{"a hold is stronger than a permit", let + `@id("ask") @hold("it is dear") permit (principal, action, resource);`, with(), policy.Hold, []string{"ask"}},
		{"a forbid is stronger than a hold", `@id("ask") @hold("x") permit (principal, action, resource); @id("no") forbid (principal, action, resource);`, with(), policy.Deny, []string{"no"}},
		{"a forbid that fails denies", let + `@id("broken") forbid (principal, action, resource) when { context.max_tokens * 2 > 10 };`, with(func(r *policy.Request) { r.Context.MaxTokens = math.MaxInt64 }), policy.Deny, []string{"broken"}},
		{"a permit that fails does not let", `@id("broken") permit (principal, action, resource) when { context.max_tokens * 2 > 10 };`, with(func(r *policy.Request) { r.Context.MaxTokens = math.MaxInt64 }), policy.Deny, []string{policy.NoPermit}},
		{"a hold that fails holds", let + `@id("broken") @hold("x") permit (principal, action, resource) when { context.max_tokens * 2 > 10 };`, with(func(r *policy.Request) { r.Context.MaxTokens = math.MaxInt64 }), policy.Hold, []string{"broken"}},
		{"a tenant's own", let, with(model("theirs"), as(ringwall.Principal{ID: "a", Tenant: "acme", Trust: ringwall.Customer})), policy.Allow, []string{"let"}},
		{"another tenant's", let, with(model("theirs")), policy.Deny, []string{policy.TenantWall}},
		{"another tenant's for an operator of none", let, with(model("theirs"), as(ringwall.Principal{ID: "root", Trust: ringwall.Operator})), policy.Deny, []string{policy.TenantWall}},
		{"another tenant's by the request", let, with(func(r *policy.Request) { r.Resource.Tenant = "else" }), policy.Deny, []string{policy.TenantWall}},
		{"a role of the token", `@id("r") permit (principal in Ringwall::Role::"writer", action, resource);`, with(), policy.Allow, []string{"r"}},
		{"a role that another is a part of", `@id("r") permit (principal in Ringwall::Role::"reader", action, resource);`, with(), policy.Allow, []string{"r"}},
		{"not a role", `@id("r") permit (principal in Ringwall::Role::"admin", action, resource);`, with(), policy.Deny, []string{policy.NoPermit}},
		{"a group of the file", `@id("g") permit (principal in Ringwall::Group::"night", action, resource);`, with(as(ringwall.Principal{ID: "bob", Tenant: "acme", Trust: ringwall.Staff, Via: "session"})), policy.Allow, []string{"g"}},
		{"the same name in another tenant", `@id("g") permit (principal in Ringwall::Group::"night", action, resource);`, with(as(ringwall.Principal{ID: "bob", Tenant: "else", Trust: ringwall.Staff, Via: "session"})), policy.Deny, []string{policy.NoPermit}},
		{"the same name as a key", `@id("g") permit (principal in Ringwall::Group::"night", action, resource);`, with(as(ringwall.Principal{ID: "bob", Tenant: "acme", Trust: ringwall.Staff, Via: "key"})), policy.Deny, []string{policy.NoPermit}},
		{"a tenant in the head", `@id("t") permit (principal in Ringwall::Tenant::"t0", action, resource);`, with(), policy.Allow, []string{"t"}},
		{"a tenant in the condition", `@id("t") permit (principal, action, resource) when { principal.tenant == "t0" && principal.trust == 2 };`, with(), policy.Allow, []string{"t"}},
		{"another tenant in the condition", `@id("t") permit (principal, action, resource) when { principal.tenant == "t1" };`, with(), policy.Deny, []string{policy.NoPermit}},
		{"unless it is another tenant", `@id("t") permit (principal, action, resource) unless { principal.tenant == "t1" };`, with(), policy.Allow, []string{"t"}},
		{"a collection in a collection", `@id("c") permit (principal, action, resource in Ringwall::Collection::"d");`, with(model("big")), policy.Allow, []string{"c"}},
		{"a label", `@id("l") permit (principal, action == Ringwall::Action::"ask-model", resource) when { resource.labels.contains("dear") };`, with(model("big")), policy.Allow, []string{"l"}},
		{"nobody known", `@id("a") permit (principal is Ringwall::Anonymous, action, resource) when { principal.trust_name == "anonymous" };`, with(as(ringwall.Principal{})), policy.Allow, []string{"a"}},
		{"nobody known with a stranger's id", `@id("a") permit (principal == Ringwall::User::"bob", action, resource);`, with(as(ringwall.Principal{ID: "bob", Via: "token"})), policy.Deny, []string{policy.NoPermit}},
		{"an address", `@id("i") permit (principal, action, resource) when { context.address.isInRange(ip("10.0.0.0/8")) };`, with(), policy.Allow, []string{"i"}},
		{"an address that nobody knows", `@id("i") permit (principal, action, resource) when { context.address.isInRange(ip("0.0.0.0/0")) };`, with(func(r *policy.Request) { r.Context.Client = ringwall.Client{} }), policy.Deny, []string{policy.NoPermit}},
		{"a country", `@id("c") permit (principal, action, resource) when { ["DE", "FR"].contains(context.country) };`, with(), policy.Allow, []string{"c"}},
		{
			"a session of known age", `@id("s") permit (principal, action, resource) when { context has session_age && context.session_age < 60 };`,
			with(func(r *policy.Request) { r.Principal.Proved = r.Context.Time.Add(-30 * time.Second) }), policy.Allow,
			[]string{"s"},
		},
		{"a session of unknown age", `@id("s") permit (principal, action, resource) when { context has session_age && context.session_age < 60 };`, with(), policy.Deny, []string{policy.NoPermit}},
		{
			"scopes", `@id("s") permit (principal, action, resource) when { !principal.scoped || principal.scopes.contains("models") };`,
			with(func(r *policy.Request) { r.Principal.Scopes = []string{} }), policy.Deny,
			[]string{policy.NoPermit},
		},
		{"an action that there is not", let, with(func(r *policy.Request) { r.Action = "fly" }), policy.Deny, []string{policy.Unasked}},
		{"a resource that does not fit", let, with(func(r *policy.Request) { r.Resource.Type = "Tool" }), policy.Deny, []string{policy.Unasked}},
		{"no time", let, with(func(r *policy.Request) { r.Context.Time = time.Time{} }), policy.Deny, []string{policy.Unasked}},
		{"too many tools", let, with(func(r *policy.Request) { r.Context.Tools = make([]string, 600) }), policy.Deny, []string{policy.Unasked}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := parse(t, tt.policies, entities)
			d := b.Decide(&tt.r)
			if d.Effect != tt.want || !slices.Equal(d.Policies, tt.by) {
				t.Errorf("%s by %v (%v), want %s by %v", d.Effect, d.Policies, d.Errors, tt.want, tt.by)
			}
			for _, x := range b.Explain(&tt.r) {
				if d.Effect == policy.Allow && slices.Contains(d.Policies, x.Policy) != (x.Applies && x.Effect != "forbid") {
					t.Errorf("explained otherwise: %+v", x)
				}
			}
		})
	}
}

func TestNoPoliciesDeny(t *testing.T) {
	var b *policy.Bundle
	r := asking()
	if d := b.Decide(&r); d.Effect != policy.Deny || len(d.Policies) == 0 {
		t.Errorf("%+v", d)
	}
	if d := (policy.Decision{}); d.Effect != policy.Deny {
		t.Error("the zero decision does not deny")
	}
}

// The index must not change what is decided: a policy behind a stretch that keeps it
// out of the index decides the same.
func TestTheIndexChangesNothing(t *testing.T) {
	heads := []string{
		`principal in Ringwall::Role::"r1"`, `principal in Ringwall::Tenant::"t0"`, `principal == Ringwall::Key::"rw_a"`,
		`principal is Ringwall::Key in Ringwall::Role::"writer"`, `principal == Ringwall::Key::"rw_b"`, `principal in Ringwall::Role::"none"`, `principal is Ringwall::User`,
	}
	for _, head := range heads {
		for _, res := range []string{"resource", `resource == Ringwall::Model::"m2"`, `resource == Ringwall::Model::"m3"`} {
			indexed := parse(t, fmt.Sprintf(`@id("p") permit (%s, action == Ringwall::Action::"ask-model", %s);`, head, res))
			cond := func(s string) string {
				if s == "resource" {
					return "true"
				}
				return s
			}
			plain := parse(t, fmt.Sprintf(`@id("p") permit (principal, action, resource) when { action == Ringwall::Action::"ask-model" && %s && %s };`, cond(head), cond(res)))
			r := asking()
			if a, b := indexed.Decide(&r), plain.Decide(&r); a.Effect != b.Effect {
				t.Errorf("%s, %s: %s and %s", head, res, a.Effect, b.Effect)
			}
		}
	}
}

func TestTime(t *testing.T) {
	berlin := time.FixedZone("Berlin", 3600)
	text := `@id("t") permit (principal, action, resource) when { context.time.hour == 0 && context.time.minute == 30 && context.time.weekday == 1 && context.time.date == "2026-01-05" && context.time.epoch == 1767569400 };`
	b, err := policy.Parse([]policy.File{{Name: "p.cedar", Data: []byte(text)}}, policy.Options{Zone: berlin})
	if err != nil {
		t.Fatal(err)
	}
	r := asking()
	r.Context.Time = time.Date(2026, 1, 4, 23, 30, 0, 0, time.UTC)
	if d := b.Decide(&r); d.Effect != policy.Allow {
		t.Errorf("%+v", d)
	}
}

func TestNetworks(t *testing.T) {
	b, err := policy.Parse([]policy.File{{Name: "p.cedar", Data: []byte(`@id("t") permit (principal, action, resource) when { context.networks.contains("office") };`)}},
		policy.Options{Networks: []policy.Network{{Name: "office", Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}}}})
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]policy.Effect{"192.0.2.9": policy.Allow, "::ffff:192.0.2.9": policy.Allow, "2001:db8::1": policy.Allow, "198.51.100.1": policy.Deny, "fe80::1%eth0": policy.Deny} {
		r := asking()
		r.Context.Client.Addr = netip.MustParseAddr(addr)
		if d := b.Decide(&r); d.Effect != want {
			t.Errorf("%s: %+v", addr, d)
		}
	}
}

func TestRefuses(t *testing.T) {
	deep := `@id("d") permit (principal, action, resource) when { ` + strings.Repeat("(", 100_000) + "true" + strings.Repeat(")", 100_000) + " };"
	ifs := `@id("d") permit (principal, action, resource) when { ` + strings.Repeat("if true then true else ", 10_000) + "true };"
	for _, tt := range []struct{ name, file, text, want string }{
		{"no policy", "a.cedar", "// nothing", "there is no policy"},
		{"no id", "a.cedar", "\npermit (principal, action, resource);", "a.cedar:2:1: the policy that begins here has no name"},
		{"an id twice", "a.cedar", let + "\n" + let, "a.cedar:3:1: there is a policy \"let\" already, in a.cedar:1"},
		{"an id of ours", "a.cedar", `@id("ringwall/tenant-wall") permit (principal, action, resource);`, "the program's own"},
		{"an id with a space", "a.cedar", `@id("a b") permit (principal, action, resource);`, "want lower-case letters"},
		{"an annotation that there is not", "a.cedar", `@id("a") @protetced("") permit (principal, action, resource);`, "there is no annotation @protetced"},
		{"a forbid that holds", "a.cedar", `@id("a") @hold("x") forbid (principal, action, resource);`, "a forbid cannot hold"},
		{"a hold for nothing", "a.cedar", `@id("a") @hold permit (principal, action, resource);`, "says what the approval is needed for"},
		{"a mistake", "a.cedar", let + `@id("a") permit (principal, action, resource) when { principal.trust >= };`, "a.cedar:2:1: the policy that begins here cannot be read"},
		{"an attribute that there is not", "a.cedar", `@id("a") permit (principal, action, resource) when { principal.age > 3 };`, "a.cedar:1:1: policy a: it does not fit the schema"},
		{"a number for a text", "a.cedar", `@id("a") permit (principal, action, resource) when { principal.tenant == 3 };`, "does not fit the schema"},
		{"an optional attribute without asking", "a.cedar", `@id("a") permit (principal, action, resource) when { context.session_age > 3 };`, "does not fit the schema"},
		{"an action that there is not", "a.cedar", `@id("a") permit (principal, action == Ringwall::Action::"fly", resource);`, "does not fit the schema"},
		{"another namespace", "a.cedar", `@id("a") permit (principal == User::"a", action, resource);`, "does not fit the schema"},
		{"a comparison of the whole context", "a.cedar", `@id("a") permit (principal, action, resource) when { context == {a: 1} };`, "does not fit the schema"},
		{"no semicolon", "a.cedar", `@id("a") permit (principal, action, resource)`, "is a semicolon missing"},
		{"a text without end", "a.cedar", `@id("a) permit (principal, action, resource);`, "a text that has no end"},
		{"too deep", "a.cedar", deep, "nested more than 64 deep"},
		{"too many ifs", "a.cedar", ifs, "nested more than 64 deep"},
		{"too large", "a.cedar", strings.Repeat("\n", policy.MaxFile+1), "at most 262144 are read"},
		{"another file", "a.txt", "x", "a.txt: is no part of a bundle"},
		{"entities that are none", "e.json", `{"a":1}`, "e.json: cannot be read as entities"},
		{"an entity of another type", "e.json", `[{"uid":{"type":"Photo","id":"x"},"parents":[],"attrs":{}}]`, "there is no such type"},
		{"an entity twice", "e.json", `[{"uid":{"type":"Ringwall::Role","id":"x"},"parents":[],"attrs":{}},{"uid":{"type":"Ringwall::Role","id":"x"},"parents":[],"attrs":{}}]`, "duplicate"},
		{"a caller who is said to be trusted", "e.json", `[{"uid":{"type":"Ringwall::User","id":"x"},"parents":[],"attrs":{"trust":4}}]`, "want the tenant and the parents only"},
		{"a model with an odd attribute", "e.json", `[{"uid":{"type":"Ringwall::Model","id":"x"},"parents":[],"attrs":{"colour":"red"}}]`, "e.json: Ringwall::Model::\"x\""},
		{"a model in a role", "e.json", `[{"uid":{"type":"Ringwall::Model","id":"x"},"parents":[{"type":"Ringwall::Role","id":"r"}],"attrs":{}}]`, "e.json"},
		{"a test that fails", "t.test.yaml", "tests:\n- name: one\n  principal: {id: a, trust: staff}\n  resource: Model::m\n  expect: deny\n", `t.test.yaml:2:1: test "one": ask-model Model::m is decided allow by let, want deny`},
		{"a test by another policy", "t.test.yaml", "tests:\n- name: one\n  principal: {id: a, trust: staff}\n  resource: Model::m\n  expect: allow\n  by: [other]\n", "want other among them"},
		{"a test without a name", "t.test.yaml", "tests:\n- resource: Model::m\n  expect: allow\n", "t.test.yaml:2:3: tests[0].name"},
		{"a test that expects nothing", "t.test.yaml", "tests:\n- name: a\n  resource: Model::m\n", "tests[0].expect"},
		{"a test of an odd resource", "t.test.yaml", "tests:\n- name: a\n  resource: Tool::m\n  expect: deny\n", "ask-model is done to a Model"},
		{"a test with a field that there is not", "t.test.yaml", "tests:\n- name: a\n  resource: Model::m\n  expect: allow\n  wants: x\n", "t.test.yaml:5"},
		{"a known caller without an id", "t.test.yaml", "tests:\n- name: a\n  principal: {trust: staff}\n  resource: Model::m\n  expect: allow\n", "has an id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := []policy.File{{Name: tt.file, Data: []byte(tt.text)}}
			if !strings.HasSuffix(tt.file, ".cedar") {
				files = append(files, policy.File{Name: "let.cedar", Data: []byte(let)})
			}
			_, err := policy.Parse(files, policy.Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v\nwant %s", err, tt.want)
			}
		})
	}
}

// A circle of roles or collections is no reason to go round for ever.
func TestCircles(t *testing.T) {
	b := parse(t, `@id("a") permit (principal in Ringwall::Role::"c", action, resource);`, policy.File{Name: "e.json", Data: []byte(`[
		{"uid": {"type": "Ringwall::Role", "id": "r1"}, "parents": [{"type": "Ringwall::Role", "id": "b"}], "attrs": {}},
		{"uid": {"type": "Ringwall::Role", "id": "b"}, "parents": [{"type": "Ringwall::Role", "id": "r1"}, {"type": "Ringwall::Role", "id": "c"}], "attrs": {}}
	]`)})
	r := asking()
	if d := b.Decide(&r); d.Effect != policy.Allow {
		t.Errorf("%+v", d)
	}
}

func TestExplain(t *testing.T) {
	b := parse(t, `@id("near") permit (principal in Ringwall::Role::"r1", action, resource) when { principal.trust >= 3 && context.country == "DE" } unless { context.asn == 0 };
@id("far") permit (principal == Ringwall::Key::"x", action, resource == Ringwall::Model::"y") when { principal.trust >= 3 && context.country == "FR" };
@id("other") permit (principal, action == Ringwall::Action::"call-tool", resource);`)
	r := asking()
	got := b.Explain(&r)
	var names []string
	for _, x := range got {
		names = append(names, x.Policy)
	}
	if !slices.Equal(names, []string{"near", "far"}) {
		t.Fatalf("%+v", got)
	}
	if want := []string{"when principal.trust >= 3", "unless context.asn == 0"}; !slices.Equal(got[0].Failed, want) {
		t.Errorf("%q, want %q", got[0].Failed, want)
	}
	if want := []string{`principal == Ringwall::Key::"x"`, `resource == Ringwall::Model::"y"`, "when principal.trust >= 3", `when context.country == "FR"`}; !slices.Equal(got[1].Failed, want) {
		t.Errorf("%q, want %q", got[1].Failed, want)
	}
}

func TestCompare(t *testing.T) {
	old, now := parse(t, let), parse(t, let+`@id("no") forbid (principal, action, resource == Ringwall::Model::"m2");`)
	tests := []policy.Test{{Name: "one", Request: asking()}, {Name: "two", Request: asking()}}
	tests[1].Request.Resource.ID = "m3"
	got := now.Compare(old, tests)
	if len(got) != 1 || got[0].Test.Name != "one" || got[0].Old.Effect != policy.Allow || got[0].New.Effect != policy.Deny {
		t.Errorf("%+v", got)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.cedar": let, ".hidden.cedar": "x", "README.md": "x", "b.test.yaml": "tests: []\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	names, err := policy.Names(dir)
	if err != nil || len(names) != 2 {
		t.Errorf("%v, %v", names, err)
	}
	if _, err := policy.Load(dir, policy.Options{}); err != nil {
		t.Error(err)
	}
	if _, err := policy.Load(filepath.Join(dir, "a.cedar"), policy.Options{}); err != nil {
		t.Error(err)
	}
	for _, path := range []string{filepath.Join(dir, "README.md"), filepath.Join(dir, "none")} {
		if _, err := policy.Load(path, policy.Options{}); err == nil {
			t.Errorf("%s is loaded", path)
		}
	}
}
