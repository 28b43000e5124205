package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/redact"
)

const minimal = "providers:\n  u: {base_url: http://127.0.0.1:1/v1}\ndefault_provider: u\n"

func TestWhatIsNotWrittenProtects(t *testing.T) {
	c, err := config.Parse("c.yaml", []byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := config.Loopback(c.Listen); !ok || c.Anonymous || c.Audit.KeepText || c.Limits.Body != 4<<20 {
		t.Errorf("defaults %+v", c)
	}
	if r := c.Restore; r.Enabled || r.TTL != 24*time.Hour || r.Trust != redact.From(ringwall.Anonymous) || r.Others != redact.Nobody || !r.Tools {
		t.Errorf("restore defaults %+v", r)
	}
	for what, g := range map[string]guardrail.Spec{"the default": guardrail.Default(), "an empty one": parsed(t, "{}"), "one that names a single field": parsed(t, "{pii: {input: flag}}")} {
		if g.Secret.Input.Action != ringwall.Mask || g.Attack.Input != (guardrail.Act{Action: ringwall.Block}) || g.Leak.Output != (guardrail.Act{Action: ringwall.Block}) || g.PII.Output.Action != ringwall.Mask || g.PII.FailOpen {
			t.Errorf("%s: %+v", what, g)
		}
	}
	if g := parsed(t, "{pii: {input: block}}"); g.PII.Input != (guardrail.Act{Action: ringwall.Block}) {
		t.Errorf("block became %+v", g.PII.Input)
	}
}

func parsed(t *testing.T, guardrail string) guardrail.Spec {
	t.Helper()
	c, err := config.Parse("c.yaml", []byte(minimal+"guardrail: g\nguardrails:\n  g: "+guardrail+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return c.Guardrails["g"]
}

// Every problem of a file is told, each where it stands.
func TestProblems(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"an unknown field", minimal + "anonymos: true\n", `c.yaml:4:1: anonymos: unknown field, did you mean "anonymous"?`},
		{"a repeated key", minimal + "data: a\ndata: b\n", "c.yaml:5:1: data:"},
		{"a dangling provider", "providers:\n  u: {base_url: http://h/v1}\nmodels:\n  m: {provider: v}\n", `c.yaml:4:17: models.m.provider: there is no provider "v": there are [u]`},
		{"a dangling guardrail", minimal + "guardrail: strict\n", `c.yaml:4:12: guardrail: there is no guardrail "strict"`},
		{"an API passed on to nobody", minimal + "unguarded: [{path: /v1/audio/, provider: v}]\n", `c.yaml:4:42: unguarded[0].provider: there is no provider "v": there are [u]`},
		{"a path that climbs", minimal + "unguarded: [{path: /v1/../x, provider: u}]\n", "unguarded[0].path: want a path such as /v1/audio/"},
		{"no provider", "listen: 127.0.0.1:1\n", "providers: at least one provider is needed"},
		{"no model", "providers:\n  u: {base_url: http://h/v1}\n", "default_provider: no model can be asked"},
		{"anonymous beyond loopback", minimal + "listen: 0.0.0.0:80\nanonymous: true\n", "c.yaml:5:12: anonymous: only a loopback listener"},
		{"the gullible model beyond loopback", "listen: :80\nproviders:\n  b: {type: builtin}\ndefault_provider: b\n", "behind a loopback listener"},
		{"a secret in the file", strings.Replace(minimal, "}", ", api_key: sk-123}", 1), "providers.u.api_key:"},
		{"a word for an action", minimal + "guardrails:\n  g: {pii: {input: drop}}\n", "guardrails.g.pii.input: want one of block, hold, mask, flag, allow, tokenize, or off"},
		{"everything off", minimal + "guardrails:\n  g: {pii: {input: off, output: off}, secret: {input: off, output: off}, word: {input: off, output: off}, prompt_attack: {input: off}, prompt_leak: {output: off}, link: {output: off}, output_code: {output: off}, limit: {input: off, output: off}, disguise: {input: off}, content: {input: off, output: off}, topic: {input: off, output: off}, grounding: {output: off}}\n", "nothing would be looked at"},
		{"restore as it was written once", minimal + "restore: true\n", "c.yaml:4:10: restore: want a map, found true or false: write restore: {enabled: true}"},
		{"replicas without a key of the vault", minimal + "database: env:DSN\nrestore: {enabled: true}\n", "restore.key: replicas that share a database must share the vault's key: make one with openssl rand -hex 32"},
		{"replicas without a key of answers", minimal + "database: env:DSN\nresponses: {store: database}\n", "restore.key: replicas that share a database must share the key that answers are sealed with"},
		{"answers that are forgotten at once", minimal + "responses: {ttl: 1s}\n", "responses.ttl: want one minute to 366 days"},
		{"answers that are kept nowhere", minimal + "responses: {store: disk}\n", "responses.store: \"disk\" is an unknown value (known: memory, database)"},
		{"a history that is forgotten at once", minimal + "history: {ttl: 1s}\n", "history.ttl: want one minute to 366 days"},
		{"a history of nothing", minimal + "history: {entries: 5}\n", "history.entries: want 1,000 to 10,000,000"},
		{"a history in nowhere", minimal + "history: {store: valkey}\n", "history.store"},
		{"a vault that forgets at once", minimal + "restore: {enabled: true, ttl: 1s}\n", "restore.ttl: want one minute to 366 days"},
		{"a trust that is none", minimal + "restore: {others: all}\n", "restore.others: want nobody, or the least trust that may: anonymous"},
		{"a key of the vault in the file", minimal + "restore: {key: sk-123}\n", "restore.key:"},
		{"half a certificate", minimal + "tls: {cert: a.pem}\n", "c.yaml:4:1: tls: cert and key go together"},
		{"an issuer in the clear", minimal + "oidc: [{name: a, issuer: 'http://op.example', audience: [x]}]\n", "c.yaml:4:8: oidc[0]: issuer: want https://host"},
		{"tokens for whom it may concern", minimal + "oidc: [{name: a, issuer: 'https://op.example'}]\n", "oidc[0]: audience: whom are tokens meant for?"},
		{"an issuer twice", minimal + "oidc:\n  - {name: a, issuer: 'https://op.example', audience: [x]}\n  - {name: b, issuer: 'https://op.example', audience: [y]}\n", "c.yaml:6:23: oidc[1].issuer: its tokens are taken already"},
		{"a shared secret for tokens", minimal + "oidc: [{name: a, issuer: 'https://op.example', audience: [x], algorithms: [HS256]}]\n", `oidc[0]: algorithms: "HS256" is none that is taken`},
		{"tokens that prove nobody", minimal + "oidc: [{name: a, issuer: 'https://op.example', audience: [x], trust: anonymous}]\n", "oidc[0].trust: a token proves somebody"},
		{"a trust of nobody", minimal + "oidc: [{name: a, issuer: 'https://op.example', audience: [x], trust: king}]\n", `unknown trust "king"`},
		{"a login at nobody", minimal + "login: {issuer: a, url: 'https://h.example', client_id: c}\n", `login.issuer: there is no provider "a" in oidc`},
		{"a login at an address in the clear", minimal + "oidc: [{name: a, issuer: 'https://op.example', audience: [x]}]\nlogin: {issuer: a, url: 'http://h.example', client_id: c}\n", "login.url: want https://host"},
		{"a login that sends people elsewhere", minimal + "oidc: [{name: a, issuer: 'https://op.example', audience: [x]}]\nlogin: {issuer: a, url: 'https://h.example', client_id: c, home: '//evil.example'}\n", "login.home: want a path of this host"},
		{"a login without a provider", minimal + "login: {client_id: c}\n", "login.issuer: which provider"},
		{"sessions that never end", minimal + "sessions: {absolute: 9999h}\n", "sessions: want idle of a minute or more"},
		{"a firewall beyond its levels", minimal + "waf: {paranoia: 5}\n", "c.yaml:4:17: waf.paranoia: want 1 to 4"},
		{"a firewall that lets pass by a word that is none", minimal + "waf: {mode: on}\n", "waf.mode:"},
		{"an exception without a reason", minimal + "waf: {exceptions: [{rule: \"942100\"}]}\n", "waf.exceptions[0]: a reason is needed"},
		{"an exception of no rule", minimal + "waf: {exceptions: [{rule: sql, reason: x}]}\n", `waf.exceptions[0]: there is no rule "sql"`},
		{"an exception that ends never", minimal + "waf: {exceptions: [{rule: ai-ssrf, reason: x, until: soon}]}\n", "waf.exceptions[0].until: want a day, 2030-01-31"},
		{"no address", minimal + "listen: 8080\n", "listen:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := config.Parse("c.yaml", []byte(tt.file))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "sk-123") {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	_, err := config.Parse("c.yaml", []byte("listn: x\nproviders: {u: {type: web}}\n"))
	if err == nil || !strings.Contains(err.Error(), "listn") || !strings.Contains(err.Error(), "web") {
		t.Errorf("only a part of the problems is told: %v", err)
	}
}

func TestAnthropicNeedsNoBaseURL(t *testing.T) {
	for file, ok := range map[string]bool{
		"providers: {u: {type: anthropic}}\ndefault_provider: u\n":                         true,
		"providers: {u: {type: anthropic, base_url: 'http://h:1'}}\ndefault_provider: u\n": true,
		"providers: {u: {type: anthropic, base_url: api.example}}\ndefault_provider: u\n":  false,
		"providers: {u: {type: openai}}\ndefault_provider: u\n":                            false,
	} {
		if _, err := config.Parse("c.yaml", []byte(file)); (err == nil) != ok {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestExampleIsInOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ringwall.yaml")
	example := config.Example()
	if err := os.WriteFile(file, example, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(file); err != nil {
		t.Errorf("the example is refused: %v", err)
	}
	if !bytes.Contains(config.Schema(), []byte(`"prompt_attack"`)) {
		t.Error("the schema knows no guardrails")
	}
}

func TestOverloadIsChecked(t *testing.T) {
	c, err := config.Parse("c.yaml", []byte(minimal+"overload: {connections: {exempt: [10.1.2.3, 192.0.2.0/24, '::ffff:198.51.100.1']}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Overload.Connections.Networks(); len(got) != 3 || got[0].String() != "10.1.2.3/32" || got[1].String() != "192.0.2.0/24" || got[2].String() != "198.51.100.1/32" {
		t.Errorf("exempt are %v", got)
	}
	if got := config.Default().Overload.Connections.Networks(); len(got) != 2 {
		t.Errorf("by default exempt are %v", got)
	}
	for text, want := range map[string]string{
		"{connections: {exempt: [home]}}":     `overload.connections.exempt[0]: "home" is no address and no network`,
		"{connections: {per_address: -1}}":    "overload.connections.per_address: want at least 1",
		"{memory: 1MiB}":                      "overload.memory: want at least four times limits.body (16MiB)",
		"{wait: 1m}":                          "overload.wait: want 0s to 10s",
		"{queue: -1}":                         "overload.queue: want 0 to",
		"{target: 1us}":                       "overload.target: want 100us to 1s",
		"{grace: 1ms}":                        "overload: want a min_rate of at least 1B, and a grace of at least 1s",
		"{connections: {new_per_second: -5}}": "overload.connections.new_per_second: want at least 1",
	} {
		_, err := config.Parse("c.yaml", []byte(minimal+"overload: "+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
