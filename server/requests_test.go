package server_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/rule"
	"github.com/ringwall/ringwall/server"
)

func TestRulesOfRequests(t *testing.T) {
	u := newUpstream(t, says("yes", 3))
	h := stand(t, u, func(c *config.Config) {
		c.Requests.Rules = []rule.Rule{
			{Name: "cheap", Models: []string{"m"}, Clamp: true, MaxTokens: 50, Choices: 1},
			{Name: "plain", Tools: "refused", Roles: "strict"},
			{Name: "short", Routes: []string{"/v1/moderations", "/v1/messages"}, Prompt: 3},
		}
	})
	resp, _ := h.chat(question("hi "+card, `,"max_tokens":900,"n":3`))
	if got := u.last(); resp.StatusCode != 200 || !strings.Contains(got, `"max_tokens":50,"n":1,"messages"`) || strings.Contains(got, card) {
		t.Errorf("%d, and the model read %s", resp.StatusCode, got)
	}
	if got := resp.Header.Get(gateway.LoweredHeader); got != "/max_tokens, /n" {
		t.Errorf("the client reads that %q was lowered", got)
	}
	if ev := h.record(resp.Header.Get(gateway.Header)); ev.Detail != "lowered /max_tokens, /n" || ev.Outcome != ringwall.Answered {
		t.Errorf("the record says %q, %s", ev.Detail, ev.Outcome)
	}
	for _, tt := range []struct {
		name, path, body string
		want             string // of the error, in the shape of the dialect
	}{
		{"in OpenAI's shape", "/v1/chat/completions", question("hi", `,"tools":[{"type":"function","function":{"name":"a"}}]`), `"type":"invalid_request_error"`},
		{"in Anthropic's shape", "/v1/messages", `{"model":"x","max_tokens":5,"messages":[{"role":"assistant","content":"no"}]}`, `"error":{"type":"invalid_request_error"`},
		{"in Google's shape", "/v1beta/models/x:generateContent", `{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"user","parts":[{"text":"a"}]}]}`, `"status":"INVALID_ARGUMENT"`},
		{"in Amazon's shape", "/model/x/converse", `{"messages":[{"role":"user","content":[{"toolResult":{"toolUseId":"1","content":[]}}]}]}`, `{"message":"The request is not taken: /messages/0`},
		{"where no model is asked", "/v1/moderations", `{"input":"four"}`, "its texts are 4 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := h.ask(http.MethodPost, tt.path, tt.body)
			if resp.StatusCode != 400 || !strings.Contains(body, tt.want) || !strings.Contains(body, "The request is not taken: ") || !json.Valid([]byte(body)) {
				t.Errorf("%d %s, want %s", resp.StatusCode, body, tt.want)
			}
			ev := h.record(resp.Header.Get(gateway.Header))
			if ev.Outcome != ringwall.BadRequest || ev.Status != 400 || !strings.Contains(ev.Detail, "rule ") {
				t.Errorf("the record says %s %d %q", ev.Outcome, ev.Status, ev.Detail)
			}
		})
	}
}

func TestRulesAreReloaded(t *testing.T) {
	u := newUpstream(t, says("yes", 3))
	dir := t.TempDir()
	file := filepath.Join(dir, "c.yaml")
	write := func(name, text string) {
		t.Helper()
		tmp := filepath.Join(dir, "new")
		if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write("s.json", `{"required":["user"]}`)
	write("c.yaml", "listen: 127.0.0.1:0\ndata: "+filepath.Join(dir, "data")+"\nanonymous: true\nproviders:\n  u: {base_url: "+u.URL+"/v1}\ndefault_provider: u\nrequests:\n  rules:\n    - {name: s, schema: s.json}\n")
	load := func() (*config.Config, error) { return config.Load(file) }
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	h := standOn(t, u, server.Options{Config: c, Reload: load, File: file})
	if resp, body := h.ask(http.MethodGet, "/supportedentities", ""); resp.StatusCode != 200 {
		t.Errorf("a rule about everything is about what has no body, too: %d %s", resp.StatusCode, body)
	}
	if resp, body := h.chat(question("hi", "")); resp.StatusCode != 400 || !strings.Contains(body, `the schema requires \"user\"`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	write("s.json", `{"required":["model"]}`)
	until(t, "the schema is read again", func() bool { resp, _ := h.chat(question("hi", "")); return resp.StatusCode == 200 })
	write("s.json", `{"required":1}`)
	until(t, "a schema that is none is refused", func() bool { _, text := h.get("/readyz"); return strings.Contains(text, "refused") })
	if resp, body := h.chat(question("hi", "")); resp.StatusCode != 200 {
		t.Errorf("a schema that is none took the rules away: %d %s", resp.StatusCode, body)
	}
}

func TestContentTypes(t *testing.T) {
	u := newUpstream(t, says("yes", 3))
	of := func(kind string) *house {
		return stand(t, u, func(c *config.Config) {
			c.CORS = []config.CORS{{Origins: []string{"https://other.example"}}}
			if kind != "" {
				c.Requests.ContentType = kind
			}
		})
	}
	lenient, strict, anything := of(""), of("strict"), of("any")
	for _, tt := range []struct {
		name, given            string
		header                 []string
		lenient, strict, other int
	}{
		{"none", "", nil, 200, 200, 200},
		{"JSON", "application/json", nil, 200, 200, 200},
		{"JSON in UTF-8", `Application/JSON; charset="UTF-8"`, nil, 200, 200, 200},
		{"a kind of JSON", "application/vnd.api+json", nil, 200, 200, 200},
		{"JSON in UTF-16", "application/json; charset=utf-16", nil, 415, 415, 200},
		{"a text", "text/plain;charset=UTF-8", nil, 415, 415, 200},
		{"a form", "multipart/form-data; boundary=x", nil, 415, 415, 200},
		{"nonsense", "json; ;", nil, 415, 415, 200},
		{"what curl says", "application/x-www-form-urlencoded", nil, 200, 415, 200},
		{"what a page says that means no good", "application/x-www-form-urlencoded", []string{"Origin", "https://other.example"}, 415, 415, 200},
		{"what a browser says", "application/x-www-form-urlencoded", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://other.example"}, 415, 415, 200},
	} {
		for h, want := range map[*house]int{lenient: tt.lenient, strict: tt.strict, anything: tt.other} {
			header := tt.header
			if tt.given != "" {
				header = append([]string{"Content-Type", tt.given}, header...)
			}
			resp, body := h.chat(question("hi", ""), header...)
			if resp.StatusCode != want {
				t.Errorf("%s, where bodies are %s: %d %s, want %d", tt.name, h.config.Requests.ContentType, resp.StatusCode, body, want)
			}
			if want == 415 && !strings.Contains(body, "send Content-Type: application/json") {
				t.Errorf("%s: %s", tt.name, body)
			}
		}
	}
}
