package server_test

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
)

// Narrowed keys are refused in the words of each dialect, and the model is not asked.
func TestScopes(t *testing.T) {
	u := newUpstream(t, says("hello", 3))
	h := stand(t, u, func(c *config.Config) {
		c.Anonymous = false
		c.Models = map[string]config.Model{"gpt-5": {Provider: "u"}, "gpt-5-mini": {Provider: "u"}, "o3": {Provider: "u"}}
		c.Default = ""
	})
	key := func(name string, trust ringwall.Trust, scopes ...string) string {
		text, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: name, Trust: trust, Scopes: scopes})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	gpt := key("gpt", ringwall.Operator, "model:gpt-*")
	guards := key("guards", ringwall.Operator, "ask-guard")
	chats := key("chats", ringwall.Operator, "route:/v1/chat/*")
	all := key("all", ringwall.Operator)
	const (
		chat       = `{"model":"MODEL","messages":[{"role":"user","content":"hi"}]}`
		messages   = `{"model":"MODEL","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`
		gemini     = `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`
		converse   = `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`
		moderation = `{"input":"hi"}`
	)
	for _, tt := range []struct {
		name, key, path, body string
		status                int
		want                  string
	}{
		{"a model that fits", gpt, "/v1/chat/completions", strings.Replace(chat, "MODEL", "gpt-5", 1), 200, "hello"},
		{"one that does not", gpt, "/v1/chat/completions", strings.Replace(chat, "MODEL", "o3", 1), 403, `"code":"scope"`},
		{"one that does not, in Anthropic's words", gpt, "/v1/messages", strings.Replace(messages, "MODEL", "o3", 1), 403, `"type":"permission_error"`},
		{"one that does not, in Google's", gpt, "/v1beta/models/o3:generateContent", gemini, 403, `"status":"PERMISSION_DENIED"`},
		{"one that does not, in Amazon's", gpt, "/model/o3/converse", converse, 403, `"message":"The credential is not good for this`},
		{"one that does not, in Ollama's", gpt, "/api/chat", strings.Replace(chat, "MODEL", "o3", 1), 403, `"error":"The credential is not good for this`},
		{"the guard, with a key for models", gpt, "/v1/moderations", moderation, 403, `"code":"scope"`},
		{"the guard, with a key for it", guards, "/v1/moderations", moderation, 200, `"flagged"`},
		{"a model, with a key for the guard", guards, "/v1/chat/completions", strings.Replace(chat, "MODEL", "gpt-5", 1), 403, `"code":"scope"`},
		{"guardrails, with a key for models", gpt, "/guardrails", `{"name":"x"}`, 403, "The credential is not good for this"},
		{"a route that fits", chats, "/v1/chat/completions", strings.Replace(chat, "MODEL", "o3", 1), 200, "hello"},
		{"a route that does not", chats, "/v1/messages", strings.Replace(messages, "MODEL", "o3", 1), 403, "permission_error"},
		{"a key without scopes", all, "/v1/chat/completions", strings.Replace(chat, "MODEL", "o3", 1), 200, "hello"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(u.bodies)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+tt.key)
			r.Header.Set("X-Api-Key", tt.key)
			r.Header.Set("X-Goog-Api-Key", tt.key)
			r.Header.Set("Content-Type", "application/json")
			switch { // clients of these show it in one place
			case strings.HasPrefix(tt.path, "/v1beta"):
				r.Header.Del("Authorization")
			case strings.HasPrefix(tt.path, "/v1/messages"):
				r.Header.Del("Authorization")
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != tt.status || !strings.Contains(string(b), tt.want) {
				t.Fatalf("%d %s", resp.StatusCode, b)
			}
			if tt.status != 403 {
				return
			}
			if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); ev.Outcome != ringwall.Refused || ev.Status != 403 || ev.Principal.ID == "" || !strings.Contains(ev.Detail, "scopes") {
				t.Errorf("record %+v", ev)
			}
			if len(u.bodies) != before {
				t.Error("the model was asked")
			}
		})
	}
	list := func(key string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/v1/models", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b)
	}
	if code, body := list(gpt); code != 200 || !strings.Contains(body, `"gpt-5-mini"`) || strings.Contains(body, `"o3"`) {
		t.Errorf("the list reads %d %s", code, body)
	}
	if code, body := list(guards); code != 403 {
		t.Errorf("the list of a key for the guard reads %d %s", code, body)
	}
	if code, body := list(all); code != 200 || !strings.Contains(body, `"o3"`) {
		t.Errorf("the whole list reads %d %s", code, body)
	}
}

// Rotated keys are the same caller, and keys work where they are bound to.
func TestRotatedAndBoundKeys(t *testing.T) {
	u := newUpstream(t, says("hello", 3))
	h := stand(t, u, func(c *config.Config) { c.Anonymous = false })
	first, key, err := h.Keys().Create(t.Context(), auth.Spec{Name: "app", Trust: ringwall.Staff, From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	second, _, _, err := h.Keys().Rotate(t.Context(), "app", auth.Rotation{Overlap: auth.DefaultOverlap})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{first, second} {
		resp, body := h.chat(question("hi", ""), "Authorization", "Bearer "+text)
		if resp.StatusCode != 200 {
			t.Fatalf("%d %s", resp.StatusCode, body)
		}
		if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); ev.Principal.ID != key.Prefix || ev.Principal.Key != text[:11] {
			t.Errorf("record %+v", ev.Principal)
		}
	}
	far, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: "far", Trust: ringwall.Staff, From: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	if err != nil {
		t.Fatal(err)
	}
	resp, body := h.chat(question("hi", ""), "Authorization", "Bearer "+far)
	if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); resp.StatusCode != 401 || strings.Contains(body, "127.0.0.1") || ev.Outcome != ringwall.Denied || !strings.Contains(ev.Detail, "127.0.0.1") {
		t.Errorf("a key from elsewhere: %d %s, %+v", resp.StatusCode, body, ev)
	}
}

// What a caller sent stays the caller's when the key is replaced, and is nobody else's.
func TestPlaceholdersFollowARotation(t *testing.T) {
	u := newUpstream(t, echo)
	h := stand(t, u, func(c *config.Config) { c.Anonymous, c.Restore.Enabled = false, true })
	first, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: "app", Trust: ringwall.Staff})
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: "other", Trust: ringwall.Staff})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(key, text string) string {
		t.Helper()
		resp, body := h.chat(question(text, ""), "Authorization", "Bearer "+key, "Ringwall-Conversation", "c-1")
		if resp.StatusCode != 200 {
			t.Fatalf("%d %s", resp.StatusCode, body)
		}
		return said(t, body)
	}
	if got := ask(first, "mail ann@example.org"); !strings.Contains(got, "ann@example.org") {
		t.Fatalf("the caller reads %q", got)
	}
	token := placeholder.FindString(u.last())
	second, _, _, err := h.Keys().Rotate(t.Context(), "app", auth.Rotation{})
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(second, "write to "+token); !strings.Contains(got, "ann@example.org") {
		t.Errorf("with the new key the caller reads %q", got)
	}
	if got := ask(other, "write to "+token); strings.Contains(got, "ann@example.org") {
		t.Errorf("another caller reads %q", got)
	}
}
