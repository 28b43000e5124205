package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

func TestResponsesBeforeChatCompletions(t *testing.T) {
	u := newUpstream(t, says("mail a.b@example.org at once", 3))
	h := stand(t, u, func(c *config.Config) { c.Anonymous = false })
	key := func(name string) string {
		text, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: name, Trust: ringwall.Staff})
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + text
	}
	anna, bob := key("anna"), key("bob")
	for _, stream := range []string{"", `,"stream":true`} {
		resp, body := h.ask(http.MethodPost, "/v1/responses", `{"model":"m","input":"my card is `+card+`"`+stream+`}`, "Authorization", anna)
		if resp.StatusCode != 200 || strings.Contains(body, "example.org") || !strings.Contains(body, "mail {EMAIL} at once") || strings.Contains(u.last(), card) {
			t.Fatalf("the client read %d %s, the model %s", resp.StatusCode, body, u.last())
		}
		if stream != "" && (!strings.Contains(body, "event: response.completed\n") || strings.Contains(body, "[DONE]")) {
			t.Errorf("the stream is %s", body)
		}
		at := strings.Index(body, `"resp_`)
		id := body[at+1 : at+1+len("resp_")+32]
		more := `{"model":"m","input":"and now?","previous_response_id":"` + id + `"}`
		if resp, body := h.ask(http.MethodPost, "/v1/responses", more, "Authorization", bob); resp.StatusCode != 404 || !strings.Contains(body, "previous_response_not_found") {
			t.Errorf("bob read %d %s", resp.StatusCode, body)
		}
		if resp, body := h.ask(http.MethodPost, "/v1/responses", more, "Authorization", anna); resp.StatusCode != 200 {
			t.Errorf("anna read %d %s", resp.StatusCode, body)
		}
		for _, want := range []string{"my card is {CREDIT_DEBIT_CARD_NUMBER}", "mail {EMAIL} at once", "and now?"} {
			if !strings.Contains(u.last(), want) {
				t.Errorf("the model did not read %q in %s", want, u.last())
			}
		}
	}
	if resp, body := h.ask(http.MethodPost, "/v1/responses", `{"model":"m","input":"x","previous_response_id":"resp_nope"}`, "Authorization", anna); resp.StatusCode != 404 || !strings.Contains(body, `"invalid_request_error"`) {
		t.Errorf("an unknown id: %d %s", resp.StatusCode, body)
	}
}

func TestCompletionsAndEmbeddings(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, body string) {
		switch {
		case r.URL.Path == "/v1/embeddings":
			io.WriteString(w, `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1e-3]}],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3}}`)
		case strings.Contains(body, `"stream":true`):
			w.Header().Set("Content-Type", "text/event-stream")
			for _, piece := range []string{"mail a.b@", "example", ".org at", " once"} {
				fmt.Fprintf(w, "data: {\"id\":\"c1\",\"object\":\"text_completion\",\"choices\":[{\"index\":0,\"text\":%q,\"logprobs\":{\"tokens\":[%q]},\"finish_reason\":null}]}\n\n", piece, piece)
			}
			io.WriteString(w, "data: {\"id\":\"c1\",\"object\":\"text_completion\",\"choices\":[{\"index\":0,\"text\":\"\",\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
		default:
			io.WriteString(w, `{"id":"c1","object":"text_completion","model":"m","choices":[{"index":0,"text":"mail a.b@example.org at once","logprobs":{"tokens":["a.b@example.org"]},"finish_reason":"stop"}]}`)
		}
	})
	h := stand(t, u, nil)
	if resp, body := h.ask(http.MethodPost, "/v1/embeddings", `{"model":"m","input":["a","my card is `+card+`"]}`); resp.StatusCode != 200 || !strings.Contains(body, "[0.5,-1e-3]") || strings.Contains(u.last(), card) {
		t.Errorf("%d %s, the model read %s", resp.StatusCode, body, u.last())
	}
	for _, path := range []string{"/v1/embeddings", "/v1/completions"} {
		for _, tokens := range []string{`[1,2]`, `[[1,2]]`} {
			if resp, body := h.ask(http.MethodPost, path, `{"model":"m","input":`+tokens+`,"prompt":`+tokens+`}`); resp.StatusCode != 400 || !strings.Contains(body, "tokens cannot be looked at") {
				t.Errorf("%s %s: %d %s", path, tokens, resp.StatusCode, body)
			}
		}
	}
	if _, body := h.ask(http.MethodPost, "/v1/completions", `{"model":"m","prompt":"my card is `+card+`"}`); strings.Contains(body, "example.org") || !strings.Contains(body, `"mail {EMAIL} at once"`) || strings.Contains(u.last(), card) {
		t.Errorf("the client read %s, the model %s", body, u.last())
	}
	_, body := h.ask(http.MethodPost, "/v1/completions", `{"model":"m","prompt":"x","stream":true}`)
	text := ""
	for line := range strings.Lines(body) {
		var f struct{ Choices []struct{ Text string } }
		if json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &f) == nil && len(f.Choices) > 0 {
			text += f.Choices[0].Text
		}
	}
	if text != "mail {EMAIL} at once" || strings.Contains(body, "example") || !strings.HasSuffix(body, "data: [DONE]\n\n") {
		t.Errorf("the stream says %s", body)
	}
}

func TestModerationsAskTheGuard(t *testing.T) {
	u := newUpstream(t, says("never", 3))
	h := stand(t, u, nil)
	resp, body := h.ask(http.MethodPost, "/v1/moderations", `{"input":["What a lovely morning in the garden.","I will kill you and your family, you worthless piece of shit."]}`)
	var m struct {
		ID      string
		Results []struct {
			Flagged    bool
			Categories map[string]bool
			Scores     map[string]float64 `json:"category_scores"`
		}
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil || resp.StatusCode != 200 || len(m.Results) != 2 {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	if m.Results[0].Flagged || !m.Results[1].Flagged || len(m.Results[1].Categories) != 13 || m.Results[1].Scores["violence"] <= m.Results[0].Scores["violence"] {
		t.Errorf("%s", body)
	}
	if u.last() != "" {
		t.Error("the model was asked")
	}
	if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); ev.Outcome != ringwall.Answered || ev.Dialect != "openai-moderations" {
		t.Errorf("record %+v", ev)
	}
}

func TestWhatIsNotGuardedIsRefusedByName(t *testing.T) {
	u := newUpstream(t, says("never", 3))
	h := stand(t, u, func(c *config.Config) { c.Models = map[string]config.Model{"org/m": {Provider: "u"}} })
	for path, want := range map[string]string{
		"POST /v1/images/generations": "is not guarded here", "POST /v1/audio/speech": "is not guarded here",
		"POST /v1/responses/resp_1/cancel": "is not guarded here", "POST /v1/files": "is not guarded here", "POST /v1/assistants": "is not guarded here",
		"GET /v1/models/nope": "model_not_found", "GET /v1/models/org/m": `"id":"org/m"`, "POST /v1/nothing": "not_found",
	} {
		method, path, _ := strings.Cut(path, " ")
		if _, body := h.ask(method, path, ""); !strings.Contains(body, want) {
			t.Errorf("%s %s: %s", method, path, body)
		}
	}
}

func TestAzure(t *testing.T) {
	asked := make(chan string, 8)
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, body string) {
		asked <- r.Method + " " + r.URL.RequestURI() + " " + r.Header.Get("Api-Key")
		says("fine", 2)(w, r, body)
	})
	t.Setenv("AZURE_KEY", "k1")
	for version, want := range map[string]string{
		"":           "POST /openai/v1/chat/completions k1",
		"2024-10-21": "POST /openai/deployments/m/chat/completions?api-version=2024-10-21 k1",
	} {
		h := stand(t, u, func(c *config.Config) {
			p := config.Upstream(u.URL, false)
			p.Type, p.Version = "azure", version
			var err error
			if p.Key, err = strictyaml.NewSecret("env:AZURE_KEY"); err != nil {
				t.Fatal(err)
			}
			c.Providers["u"] = p
		})
		if resp, body := h.chat(question("hi", "")); resp.StatusCode != 200 {
			t.Fatalf("%d %s", resp.StatusCode, body)
		}
		if got := <-asked; got != want {
			t.Errorf("asked %s, want %s", got, want)
		}
	}
}
