package server_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/policy"
	"github.com/ringwall/ringwall/redact"
	"github.com/ringwall/ringwall/server"
)

const shopPolicy = `
@id("callers")
permit (principal, action in [Ringwall::Action::"ask-model", Ringwall::Action::"ask-guard", Ringwall::Action::"list-models"], resource)
when { principal.trust >= 2 };
@id("staff-models")
forbid (principal, action == Ringwall::Action::"ask-model", resource in Ringwall::Collection::"staff-only") unless { principal.trust >= 3 };
@id("dear-models") @hold("it costs a lot")
permit (principal, action == Ringwall::Action::"ask-model", resource == Ringwall::Model::"dear");
@id("no-shell")
forbid (principal, action == Ringwall::Action::"ask-model", resource) when { context.tools.contains("shell") || context.max_tokens > 1000 };
@id("no-cards")
forbid (principal, action == Ringwall::Action::"ask-model", resource == Ringwall::Model::"outside") when { context.data.contains("credit-debit-card-number") };
@id("purposes")
forbid (principal, action == Ringwall::Action::"ask-model", resource == Ringwall::Model::"study") unless { context.purpose == "research" };
`

const shopEntities = `[
 {"uid": {"type": "Ringwall::Model", "id": "inside"}, "parents": [{"type": "Ringwall::Collection", "id": "staff-only"}], "attrs": {}},
 {"uid": {"type": "Ringwall::Model", "id": "acme"}, "parents": [], "attrs": {"tenant": "acme"}}
]`

// withPolicy stands a house with policies.
func withPolicy(t *testing.T, u *upstream, text, entities string) *house {
	t.Helper()
	b, err := policy.Parse([]policy.File{{Name: "p.cedar", Data: []byte(text)}, {Name: "e.json", Data: []byte(entities)}}, policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return stand(t, u, func(c *config.Config) {
		c.Policies = b
		c.Models = map[string]config.Model{}
		for _, name := range []string{"m", "inside", "acme", "dear", "outside", "study"} {
			c.Models[name] = config.Model{Provider: "u"}
		}
		c.Unguarded = []config.Bypass{}
	})
}

func TestPolicies(t *testing.T) {
	u := newUpstream(t, says("hello", 3))
	h := withPolicy(t, u, shopPolicy, shopEntities)
	key := func(name, tenant string, trust ringwall.Trust) string {
		text, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: name, Tenant: tenant, Trust: trust})
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + text
	}
	customer, staff, acme := key("shop", "shop", ringwall.Customer), key("staff", "", ringwall.Staff), key("acme", "acme", ringwall.Customer)
	for _, tt := range []struct {
		name, key, model, text, more, purpose string
		status                                int
		policy                                string
	}{
		{"a known caller asks", customer, "m", "hi", "", "", 200, "callers"},
		{"nobody known does not", "", "m", "hi", "", "", 403, policy.NoPermit},
		{"a customer does not ask the staff's model", customer, "inside", "hi", "", "", 403, "staff-models"},
		{"staff do", staff, "inside", "hi", "", "", 200, "callers"},
		{"a tenant asks its own model", acme, "acme", "hi", "", "", 200, "callers"},
		{"another tenant does not", customer, "acme", "hi", "", "", 403, policy.TenantWall},
		{"who has no tenant does not", staff, "acme", "hi", "", "", 403, policy.TenantWall},
		{"a held deed waits for an approval", customer, "dear", "hi", "", "", 403, "dear-models"},
		{"a tool that is not to be offered", customer, "m", "hi", `,"tools":[{"type":"function","function":{"name":"shell"}}]`, "", 403, "no-shell"},
		{"another tool", customer, "m", "hi", `,"tools":[{"type":"function","function":{"name":"shelf"}}]`, "", 200, "callers"},
		{"too long an answer", customer, "m", "hi", `,"max_completion_tokens":4000`, "", 403, "no-shell"},
		{"data that is not to leave", customer, "outside", "my card is " + card, "", "", 403, "no-cards"},
		{"the same data elsewhere", customer, "m", "my card is " + card, "", "", 200, "callers"},
		{"no purpose", customer, "study", "hi", "", "", 403, "purposes"},
		{"a purpose", customer, "study", "hi", "", "research", 200, "callers"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u.mu.Lock()
			asked := len(u.bodies)
			u.mu.Unlock()
			body := strings.Replace(question(tt.text, tt.more), `"model":"m"`, fmt.Sprintf(`"model":%q`, tt.model), 1)
			header := []string{"X-Ringwall-Purpose", tt.purpose}
			if tt.key != "" {
				header = append(header, "Authorization", tt.key)
			}
			resp, text := h.chat(body, header...)
			id := resp.Header.Get("X-Ringwall-Exchange")
			if resp.StatusCode != tt.status {
				t.Fatalf("%d %s", resp.StatusCode, text)
			}
			ev := h.record(id)
			if !slices.Equal(ev.Policy, []string{tt.policy}) {
				t.Errorf("the record names the policies %v", ev.Policy)
			}
			u.mu.Lock()
			defer u.mu.Unlock()
			if tt.status == 200 {
				return
			}
			if len(u.bodies) != asked {
				t.Error("the model was asked")
			}
			if strings.Contains(text, tt.policy) || !strings.Contains(text, id) || ev.Outcome != ringwall.Refused {
				t.Errorf("the client read %s; outcome %s", text, ev.Outcome)
			}
			want := ringwall.Block
			if tt.model == "dear" {
				want = ringwall.Hold
			}
			if ev.Verdict.Action != want || strings.Contains(text, "approval") != (want == ringwall.Hold) {
				t.Errorf("verdict %s: %s", ev.Verdict.Action, text)
			}
		})
	}
	for _, tt := range []struct {
		name, key string
		want      []string
	}{
		{"a customer", customer, []string{"dear", "m", "outside"}},
		{"staff", staff, []string{"dear", "inside", "m", "outside"}},
		{"a tenant", acme, []string{"acme", "dear", "m", "outside"}},
	} {
		code, body := h.getAs("/v1/models", tt.key)
		for _, model := range []string{"m", "inside", "acme", "dear", "outside", "study"} {
			has := strings.Contains(body, fmt.Sprintf(`"id":%q`, model))
			one, _ := h.getAs("/v1/models/"+model, tt.key)
			want := slices.Contains(tt.want, model)
			if code != 200 || has != want || (one == 200) != want || !want && one != 404 {
				t.Errorf("%s: %s is listed: %t, and by name %d: %d %s", tt.name, model, has, one, code, body)
			}
		}
	}
	if code, body := h.get("/v1/models"); code != 403 {
		t.Errorf("nobody known lists models: %d %s", code, body)
	}
}

// What is no question to a model is asked about, too: errands, what is passed on
// unlooked, the guard, and exceptions of guardrails.
func TestPoliciesOfOtherDeeds(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, _ string) { _, _ = io.WriteString(w, `{"voices":[]}`) })
	for _, tt := range []struct{ name, text, more string }{
		{"nothing is permitted", `@id("other") permit (principal, action == Ringwall::Action::"call-tool", resource);`, ""},
		{"all is permitted", `@id("all") permit (principal, action, resource);`, "all"},
		{"all but", `@id("all") permit (principal, action, resource); @id("no") forbid (principal, action in [Ringwall::Action::"operate", Ringwall::Action::"ask-guard"], resource);`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := policy.Parse([]policy.File{{Name: "p.cedar", Data: []byte(tt.text)}}, policy.Options{})
			if err != nil {
				t.Fatal(err)
			}
			h := stand(t, u, func(c *config.Config) {
				c.Policies = b
				c.Unguarded = []config.Bypass{{Path: "/v1/audio/", Provider: "u", Trust: redact.From(ringwall.Staff)}}
			})
			key, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: "root", Trust: ringwall.Operator})
			if err != nil {
				t.Fatal(err)
			}
			want := 403
			if tt.more == "all" {
				want = 200
			}
			for _, path := range []string{"/guardrails", "/v1/audio/voices"} {
				if code, body := h.getAs(path, "Bearer "+key); code != want {
					t.Errorf("%s: %d %s", path, code, body)
				}
			}
			resp, body := h.post("/v1/moderations", `{"input":"hello"}`, "Authorization", "Bearer "+key)
			if resp.StatusCode != want {
				t.Errorf("the guard: %d %s", resp.StatusCode, body)
			}
		})
	}
}

// Exceptions of guardrails excuse whom policies let use them.
func TestPoliciesOfExceptions(t *testing.T) {
	u := newUpstream(t, says("hello", 3))
	b, err := policy.Parse([]policy.File{{Name: "p.cedar", Data: []byte(`@id("all") permit (principal, action == Ringwall::Action::"ask-model", resource);
@id("staff-use-exceptions") permit (principal, action == Ringwall::Action::"use-exception", resource == Ringwall::Guardrail::"shop") when { principal.trust >= 3 && context.exception == "hotline" };`)}}, policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := stand(t, u, func(c *config.Config) {
		spec := guardrail.Default()
		spec.Exceptions = []guardrail.Exception{{Name: "hotline", Texts: []string{card}}}
		c.Policies, c.Guardrail, c.Guardrails = b, "shop", map[string]guardrail.Spec{"shop": spec}
	})
	for trust, excused := range map[ringwall.Trust]bool{ringwall.Customer: false, ringwall.Staff: true} {
		key, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: trust.String(), Trust: trust})
		if err != nil {
			t.Fatal(err)
		}
		resp, body := h.chat(question("my card is "+card, ""), "Authorization", "Bearer "+key)
		if resp.StatusCode != 200 || strings.Contains(u.last(), card) != excused {
			t.Errorf("%s: %d %s; the model read %s", trust, resp.StatusCode, body, u.last())
		}
	}
}

// getAs returns what a path says to a caller.
func (h *house) getAs(path, authorization string) (int, string) {
	h.t.Helper()
	resp, body := h.ask(http.MethodGet, path, "", "Authorization", authorization)
	return resp.StatusCode, body
}

// Policies are taken when a file of them changes or comes; those that are wrong leave
// the old ones in force.
func TestPoliciesAreReloaded(t *testing.T) {
	u := newUpstream(t, says("hello", 3))
	dir := t.TempDir()
	policies := filepath.Join(dir, "policy")
	if err := os.Mkdir(policies, 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const let = `@id("all") permit (principal, action, resource);`
	write("policy/a.cedar", let)
	write("ringwall.yaml", "listen: 127.0.0.1:0\nanonymous: true\nproviders:\n  u: {base_url: "+u.URL+"/v1}\ndefault_provider: u\npolicy: {dir: policy}\ndata: "+filepath.Join(dir, "data")+"\n")
	load := func() (*config.Config, error) { return config.Load(filepath.Join(dir, "ringwall.yaml")) }
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	h := standOn(t, u, server.Options{Config: c, Reload: load, File: filepath.Join(dir, "ringwall.yaml")})
	status := func() int { resp, _ := h.chat(question("hi", "")); return resp.StatusCode }
	if got := status(); got != 200 {
		t.Fatalf("%d", got)
	}
	refused := func() bool { _, text := h.get("/readyz"); return strings.Contains(text, "refused") }
	write("policy/b.cedar", `@id("none") forbid (principal is Ringwall::Anonymous, action, resource);`)
	until(t, "a policy that came is in force", func() bool { return status() == 403 })
	write("policy/c.test.yaml", "tests:\n- {name: all may, resource: \"Model::m\", expect: allow}\n")
	until(t, "policies whose tests fail are refused", refused)
	if got := status(); got != 403 {
		t.Errorf("%d: the old policies are gone", got)
	}
	write("policy/b.cedar", "// nothing\n")
	until(t, "policies that pass are in force", func() bool { return status() == 200 })
	if refused() {
		t.Error("/readyz still tells of what was wrong")
	}
	sums := map[string]bool{}
	list, err := h.Records().Query(t.Context(), audit.Filter{Kind: ringwall.ConfigLoaded})
	for _, e := range list {
		if _, sum, ok := strings.Cut(e.Event.Detail, "policies sha256:"); ok {
			sums[sum] = true
		}
	}
	if err != nil || len(sums) != 3 {
		t.Errorf("the records tell of %d different bundles, %v", len(sums), err)
	}
}
