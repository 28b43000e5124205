package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/hook"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// rules is a hook that answers what a test wants, and checks the signature.
func rules(t *testing.T, answer func(q hook.Question) string) (url string, asked func() []hook.Question) {
	var mu sync.Mutex
	var questions []hook.Question
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if got := r.Header.Get(hook.SignatureHeader); got != hook.Signature("our secret", r.Header.Get(hook.TimestampHeader), body) || r.Header.Get(hook.TimestampHeader) == "" {
			t.Errorf("signature %q", got)
		}
		var q hook.Question
		if err := json.Unmarshal(body, &q); err != nil {
			t.Error(err)
		}
		mu.Lock()
		questions = append(questions, q)
		mu.Unlock()
		a := answer(q)
		if a == "silence" {
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, a)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []hook.Question { mu.Lock(); defer mu.Unlock(); return slices.Clone(questions) }
}

// replace answers that a text in which old stands is another.
func replace(q hook.Question, old, text string) string {
	for _, t := range q.Texts {
		if strings.Contains(t.Text, old) {
			b, _ := json.Marshal(hook.Answer{Action: hook.ReplaceText, Texts: []hook.Replace{{Index: t.Index, Text: text}}})
			return strings.Replace(string(b), `"reason":"",`, "", 1)
		}
	}
	return `{"action":"allow"}`
}

func TestHooks(t *testing.T) {
	t.Setenv("HOOK_SECRET", "our secret")
	secret, err := strictyaml.NewSecret("env:HOOK_SECRET")
	if err != nil {
		t.Fatal(err)
	}
	block := func(hook.Question) string { return `{"action":"block","reason":"our-rule"}` }
	for _, tt := range []struct {
		name    string
		stage   hook.Stage
		open    bool
		answer  func(hook.Question) string
		status  int
		reads   string // the client
		asks    string // the model is asked with; "-": it is not
		outcome ringwall.Outcome
	}{
		{"allows", hook.BeforeInput, false, func(hook.Question) string { return `{"action":"allow"}` }, 200, "fine, mail {EMAIL}", "hello", ringwall.Answered},
		{"blocks a request", hook.BeforeInput, false, block, 400, "content_filter", "-", ringwall.Refused},
		{"replaces what the guard will look at", hook.BeforeInput, false, func(q hook.Question) string { return replace(q, "hello", "my card is "+card) }, 200, "fine", "my card is {CREDIT_DEBIT_CARD_NUMBER}", ringwall.Answered},
		{"replaces what the model will read", hook.AfterInput, false, func(q hook.Question) string { return replace(q, "hello", "good day") }, 200, "fine", "good day", ringwall.Answered},
		{"blocks what the model will read", hook.AfterInput, false, block, 400, "content_filter", "-", ringwall.Refused},
		{"blocks an answer", hook.BeforeOutput, false, block, 200, "content_filter", "hello", ringwall.Cut},
		{"replaces an answer", hook.BeforeOutput, false, func(q hook.Question) string { return replace(q, "{EMAIL}", "nothing to see") }, 200, "nothing to see", "hello", ringwall.Answered},
		{"allows an answer", hook.BeforeOutput, false, func(hook.Question) string { return `{"action":"allow"}` }, 200, "fine, mail {EMAIL}", "hello", ringwall.Answered},
		{"is silent", hook.BeforeInput, false, func(hook.Question) string { return "silence" }, 503, "guard_unavailable", "-", ringwall.Refused},
		{"is silent about an answer", hook.BeforeOutput, false, func(hook.Question) string { return "silence" }, 503, "guard_unavailable", "hello", ringwall.Refused},
		{"is silent and may be", hook.BeforeInput, true, func(hook.Question) string { return "silence" }, 200, "fine, mail {EMAIL}", "hello", ringwall.Answered},
		{"answers garbage", hook.AfterInput, false, func(hook.Question) string { return `{"action":"allow","action":"block"}` }, 503, "guard_unavailable", "-", ringwall.Refused},
		{"wants what there is not", hook.AfterInput, false, func(hook.Question) string { return `{"action":"pass"}` }, 503, "guard_unavailable", "-", ringwall.Refused},
		{"replaces what there is not", hook.AfterInput, false, func(hook.Question) string { return `{"action":"replace","texts":[{"index":99,"text":"x"}]}` }, 503, "guard_unavailable", "-", ringwall.Refused},
	} {
		for _, stream := range []string{"", `,"stream":true`} {
			t.Run(tt.name+stream, func(t *testing.T) {
				u := newUpstream(t, says("fine, mail a.b@example.org", 4))
				url, asked := rules(t, tt.answer)
				h := stand(t, u, func(c *config.Config) {
					c.Hooks = []config.Hook{{Name: "ours", URL: url, Secret: secret, Stages: []string{string(tt.stage)}, Timeout: 300 * time.Millisecond, FailOpen: tt.open}}
				})
				resp, body := h.chat(question("hello", stream))
				said := body
				if stream != "" && resp.StatusCode == 200 {
					said = toldBy(body) + body
				}
				if resp.StatusCode != tt.status || !strings.Contains(said, tt.reads) || strings.Contains(said, "example.org") || strings.Contains(body, "our-rule") {
					t.Errorf("the client read %d %s", resp.StatusCode, body)
				}
				if tt.outcome == ringwall.Cut && strings.Contains(said, "fine") {
					t.Errorf("what was refused left: %s", body)
				}
				if got := u.last(); tt.asks == "-" && got != "" || tt.asks != "-" && !strings.Contains(got, tt.asks) {
					t.Errorf("the model was asked with %s", got)
				}
				ev := h.record(resp.Header.Get("X-Ringwall-Exchange"))
				looked := slices.ContainsFunc(ev.Looks, func(l ringwall.Look) bool { return l.By == "ours" && l.Why == string(tt.stage) })
				if ev.Outcome != tt.outcome || !looked {
					t.Errorf("record %s, looks %+v", ev.Outcome, ev.Looks)
				}
				if tt.name[:6] == "blocks" && !slices.Contains(ev.Verdict.Reasons, "our-rule") {
					t.Errorf("verdict %+v", ev.Verdict)
				}
				if qs := asked(); len(qs) != 1 || qs[0].Exchange != ev.ID || qs[0].Model != "m" || qs[0].Hook != "ours" || len(qs[0].Texts) == 0 {
					t.Errorf("it was asked %+v", qs)
				}
			})
		}
	}
}

// toldBy returns what the pieces of a stream say together.
func toldBy(body string) (text string) {
	for line := range strings.Lines(body) {
		var f struct {
			Choices []struct{ Delta struct{ Content string } }
		}
		if json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &f) == nil && len(f.Choices) > 0 {
			text += f.Choices[0].Delta.Content
		}
	}
	return text
}
