package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
)

// Clients of Azure OpenAI change one base URL, too: the deployment is the model.
func TestAddressesOfAzure(t *testing.T) {
	u := newUpstream(t, says("mail a.b@example.org at once", 3))
	h := stand(t, u, func(c *config.Config) {
		c.Anonymous, c.Default = false, ""
		c.Models = map[string]config.Model{"mini": {Provider: "u", Model: "gpt-5-mini"}}
	})
	key, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: "anna", Trust: ringwall.Staff})
	if err != nil {
		t.Fatal(err)
	}
	const asks = `"messages":[{"role":"user","content":"hello"}]}`
	for _, tt := range []struct{ name, path, body string }{
		{"a deployment", "/openai/deployments/mini/chat/completions?api-version=2024-10-21", `{` + asks},
		{"a deployment and a model", "/openai/deployments/mini/chat/completions?api-version=2024-10-21", `{"model":"other",` + asks},
		{"the v1 API", "/openai/v1/chat/completions", `{"model":"mini",` + asks},
		{"responses", "/openai/responses?api-version=2025-03-01-preview", `{"model":"mini","input":"hello"}`},
		{"responses of the v1 API", "/openai/v1/responses", `{"model":"mini","input":"hello"}`},
	} {
		resp, body := h.ask(http.MethodPost, tt.path, tt.body, "Api-Key", key)
		if resp.StatusCode != 200 || !strings.Contains(body, "mail {EMAIL} at once") || !strings.Contains(u.last(), `"gpt-5-mini"`) {
			t.Errorf("%s: %d %s, the model read %s", tt.name, resp.StatusCode, body, u.last())
		}
	}
	for _, tt := range []struct {
		name, path, body string
		header           []string
		status           int
	}{
		{"no key", "/openai/v1/chat/completions", `{"model":"mini",` + asks, nil, 401},
		{"two keys", "/openai/v1/chat/completions", `{"model":"mini",` + asks, []string{"Api-Key", key, "Authorization", "Bearer other"}, 401},
		{"Azure's header elsewhere", "/v1/chat/completions", `{"model":"mini",` + asks, []string{"Api-Key", key}, 401},
		{"no such deployment", "/openai/deployments/none/chat/completions", `{` + asks, []string{"Api-Key", key}, 404},
		{"no JSON", "/openai/deployments/mini/chat/completions", `{`, []string{"Api-Key", key}, 400},
		{"two models", "/openai/deployments/mini/chat/completions", `{"model":"a","model":"b",` + asks, []string{"Api-Key", key}, 400},
		{"an array", "/openai/deployments/mini/chat/completions", `[]`, []string{"Api-Key", key}, 400},
	} {
		if resp, body := h.ask(http.MethodPost, tt.path, tt.body, tt.header...); resp.StatusCode != tt.status {
			t.Errorf("%s: %d %s", tt.name, resp.StatusCode, body)
		}
	}
	if resp, body := h.ask(http.MethodGet, "/openai/v1/models", "", "Api-Key", key); resp.StatusCode != 200 || !strings.Contains(body, `"id":"mini"`) {
		t.Errorf("models: %d %s", resp.StatusCode, body)
	}
}
