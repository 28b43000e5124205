package server_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// A guardrail that was exported from Bedrock and published is in force in the
// gateway by its number, whole and streamed, and the draft that differs is not.
func TestPublishedBedrockGuardrail(t *testing.T) {
	dir := t.TempDir()
	bedrock := func(action string) {
		t.Helper()
		doc := `{"name":"shop","blockedInputMessaging":"No.","blockedOutputsMessaging":"Never.",
			"wordPolicy":{"words":[{"text":"bluebird"}]},
			"sensitiveInformationPolicy":{"piiEntities":[{"type":"EMAIL","action":"` + action + `"}],"regexes":[{"name":"ref","pattern":"BK-[0-9]{6}","action":"ANONYMIZE"}]}}`
		if err := os.WriteFile(filepath.Join(dir, "shop.json"), []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	u := newUpstream(t, says("mail a.b@example.org about BK-123456 by 4111 1111 1111 1111", 4))
	load := func() *config.Config {
		t.Helper()
		c, err := config.Parse(filepath.Join(dir, "ringwall.yaml"), []byte("listen: 127.0.0.1:0\nanonymous: true\nproviders:\n  u: {base_url: "+u.URL+
			"/v1}\ndefault_provider: u\nguardrail: shop@1\nguardrail_files: {shop: shop.json}\ndata: "+filepath.Join(dir, "data")+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	bedrock("ANONYMIZE")
	c := load()
	draft := c.Guardrails["shop"]
	if v, err := server.Versions(c).Publish("shop", &draft); err != nil || v != "1" {
		t.Fatalf("published as %q: %v", v, err)
	}
	bedrock("BLOCK") // the draft goes on, version 1 does not
	h := standOn(t, u, server.Options{Config: load()})
	const want = "mail {EMAIL} about {ref} by 4111 1111 1111 1111"
	resp, body := h.chat(question("write to me@example.net", ""))
	if !strings.Contains(body, want) || !strings.Contains(u.last(), "write to {EMAIL}") {
		t.Errorf("the client read %s, the model %s", body, u.last())
	}
	if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); ev.Guardrail != "shop@1" {
		t.Errorf("the record names guardrail %q", ev.Guardrail)
	}
	resp, _ = h.chat(question("hello", `,"stream":true`))
	if got := resp.Header.Get("X-Ringwall-Stream"); got != "strict" {
		t.Errorf("the stream waits %q", got)
	}
	if resp, body := h.chat(question("about bluebird", "")); resp.StatusCode != 400 || !strings.Contains(body, "No.") {
		t.Errorf("a listed word: %d %s", resp.StatusCode, body)
	}
}

// An exception for one caller is for nobody else.
func TestExceptionForOneCaller(t *testing.T) {
	u := newUpstream(t, says("fine", 4))
	spec := guardrail.Default()
	spec.Exceptions = []guardrail.Exception{{Name: "shop", Tenants: []string{"shop"}, Controls: []string{"pii"}}}
	h := stand(t, u, func(c *config.Config) {
		c.Guardrail, c.Guardrails = "g", map[string]guardrail.Spec{"g": spec}
	})
	for tenant, want := range map[string]string{"shop": "ann@example.com", "other": "{EMAIL}"} {
		resp, _ := h.chat(question("ann@example.com", ""), h.caller(tenant, tenant, ringwall.Customer)...)
		if got := u.last(); resp.StatusCode != 200 || !strings.Contains(got, want) {
			t.Errorf("a caller of tenant %s: the model read %s", tenant, got)
		}
	}
}

// A guardrail that has a file of its own is in force anew when that file changes.
func TestGuardrailFileIsWatched(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "rails", "shop.yaml")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	u := newUpstream(t, says("fine", 4))
	main := filepath.Join(dir, "ringwall.yaml")
	write(file, "word: {words: [bluebird]}\n")
	write(main, "listen: 127.0.0.1:0\nanonymous: true\nproviders:\n  u: {base_url: "+u.URL+"/v1}\ndefault_provider: u\nguardrail: shop\nguardrail_files: {shop: rails/shop.yaml}\ndata: "+filepath.Join(dir, "data")+"\n")
	load := func() (*config.Config, error) { return config.Load(main) }
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	h := standOn(t, u, server.Options{Config: c, File: main, Reload: load})
	if resp, _ := h.chat(question("about bluebird", "")); resp.StatusCode != 400 {
		t.Fatalf("a listed word is answered with %d", resp.StatusCode)
	}
	write(file, "word: {words: [redwing]}\n")
	deadline := time.After(20 * time.Second)
	for {
		if resp, _ := h.chat(question("about bluebird", "")); resp.StatusCode == 200 {
			break
		}
		select {
		case <-deadline:
			t.Fatal("the changed guardrail is not in force")
		case <-time.After(20 * time.Millisecond):
		}
	}
	if resp, _ := h.chat(question("about redwing", "")); resp.StatusCode != 400 {
		t.Errorf("a newly listed word is answered with %d", resp.StatusCode)
	}
}
