package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// respond asks for an answer and returns its id.
func (h *house) respond(body string, header ...string) string {
	h.t.Helper()
	resp, text := h.ask(http.MethodPost, "/v1/responses", body, header...)
	var r struct{ ID string }
	if err := json.Unmarshal([]byte(text), &r); err != nil || resp.StatusCode != 200 {
		h.t.Fatalf("%d %s", resp.StatusCode, text)
	}
	return r.ID
}

// What is kept in the database outlives the gateway, and other gateways on it know it.
func TestAnswersOutliveTheGateway(t *testing.T) {
	u := newUpstream(t, says("mail a.b@example.org at once", 3))
	data := t.TempDir()
	durable := func(c *config.Config) { c.Data, c.Responses.Store = data, "database" }
	h := stand(t, u, durable)
	anna, bob := h.caller("anna", "", ringwall.Staff), h.caller("bob", "", ringwall.Staff)
	id := h.respond(`{"model":"m","input":"the bird is blue"}`, anna...)
	replica := func(c *config.Config) {
		durable(c)
		c.Data = t.TempDir()
		// As on PostgreSQL: another gateway, with the same database and key.
		for _, name := range []string{"ringwall.db", "vault.key"} {
			b, err := os.ReadFile(filepath.Join(data, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(c.Data, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.stop()
	for _, again := range []*house{stand(t, u, durable), stand(t, u, replica)} {
		more := fmt.Sprintf(`{"model":"m","input":"and now?","previous_response_id":%q}`, id)
		if resp, body := again.ask(http.MethodPost, "/v1/responses", more, bob...); resp.StatusCode != 404 {
			t.Errorf("bob read %d %s", resp.StatusCode, body)
		}
		if resp, body := again.ask(http.MethodPost, "/v1/responses", more, anna...); resp.StatusCode != 200 || !strings.Contains(u.last(), "the bird is blue") {
			t.Errorf("anna read %d %s, the model %s", resp.StatusCode, body, u.last())
		}
	}
	var found bool
	for _, name := range []string{"ringwall.db", "ringwall.db-wal"} {
		b, err := os.ReadFile(filepath.Join(data, name))
		found = found || err == nil && (strings.Contains(string(b), "bird is blue") || strings.Contains(string(b), id))
	}
	if found {
		t.Error("the database holds what was said")
	}
}

// Who got an answer may have it again, read what it was an answer to, and have it
// forgotten.
func TestKeptAnswers(t *testing.T) {
	u := newUpstream(t, says("mail a.b@example.org at once", 3))
	h := stand(t, u, nil)
	anna, bob := h.caller("anna", "", ringwall.Staff), h.caller("bob", "", ringwall.Staff)
	first := h.respond(`{"model":"m","input":"my card is `+card+`"}`, anna...)
	id := h.respond(`{"model":"m","input":"and now?","previous_response_id":"`+first+`"}`, anna...)
	ask := func(method, path string, status int, by []string, want ...string) string {
		t.Helper()
		resp, body := h.ask(method, "/v1/responses/"+path, "", by...)
		if resp.StatusCode != status {
			t.Errorf("%s %s: %d %s", method, path, resp.StatusCode, body)
		}
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s %s: want %s in %s", method, path, w, body)
			}
		}
		return body
	}
	ask("GET", id, 200, anna, `"id":"`+id+`"`, "mail {EMAIL} at once")
	if body := ask("GET", id+"/input_items", 200, anna, "{CREDIT_DEBIT_CARD_NUMBER}", `"object":"list"`, `"has_more":false`); strings.Contains(body, card) || strings.Index(body, "and now?") > strings.Index(body, "CREDIT") {
		t.Errorf("the input is %s", body)
	}
	ask("GET", id+"/input_items?limit=1&order=asc", 200, anna, "CREDIT", `"has_more":true`, `"first_id":"item_0"`)
	ask("GET", id+"/input_items?order=asc&after=item_0&limit=5", 200, anna, "and now?", `"has_more":false`)
	ask("GET", id+"/input_items?after=nope", 400, anna, "there is no item")
	ask("GET", id+"/input_items?limit=1000", 400, anna, "from 1 to 100")
	ask("GET", id+"/input_items?order=up", 400, anna, "asc or desc")
	ask("GET", id+"?stream=true", 400, anna, "is given whole")
	for _, path := range []string{id, id + "/input_items", "resp_nope"} {
		ask("GET", path, 404, bob, `"code":"response_not_found"`)
	}
	ask("DELETE", id, 404, bob)
	ask("DELETE", id, 200, anna, `"deleted":true`)
	ask("GET", id, 404, anna)
	if resp, _ := h.ask(http.MethodPost, "/v1/responses", `{"model":"m","input":"x","previous_response_id":"`+id+`"}`, anna...); resp.StatusCode != 404 {
		t.Errorf("it goes on from what was deleted: %d", resp.StatusCode)
	}
	ask("GET", first, 200, anna)
}

// Of what the provider keeps only whose it is is known here.
func TestAnswersThatTheProviderKeeps(t *testing.T) {
	t.Setenv("OPENAI_KEY_OF_A_TEST", "k")
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		fmt.Fprint(w, `{"id":"resp_7","object":"response","status":"completed","model":"m","output":[{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"fine","annotations":[]}]}]}`)
	})
	h := stand(t, u, func(c *config.Config) {
		p := c.Providers["u"]
		p.APIs = []string{"openai-responses"}
		p.Key, _ = strictyaml.NewSecret("env:OPENAI_KEY_OF_A_TEST")
		c.Providers["u"] = p
	})
	anna, bob := h.caller("anna", "", ringwall.Staff), h.caller("bob", "", ringwall.Staff)
	id := h.respond(`{"model":"m","input":"hello"}`, anna...)
	if resp, body := h.ask("GET", "/v1/responses/"+id, "", anna...); resp.StatusCode != 404 || !strings.Contains(body, "kept by the provider alone") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	more := `{"model":"m","input":"and now?","previous_response_id":"` + id + `"}`
	if resp, body := h.ask("POST", "/v1/responses", more, anna...); resp.StatusCode != 200 || !strings.Contains(u.last(), `"previous_response_id":"resp_7"`) {
		t.Errorf("%d %s, the model read %s", resp.StatusCode, body, u.last())
	}
	if resp, body := h.ask("POST", "/v1/responses", more, bob...); resp.StatusCode != 404 {
		t.Errorf("bob: %d %s", resp.StatusCode, body)
	}
}
