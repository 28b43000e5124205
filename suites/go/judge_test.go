package suite

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// judgeAPI speaks OpenAI's API: what violence it is asked about it finds, as
// Llama Guard does and as the moderation API does. It keeps the bodies that it
// was sent, by path.
func judgeAPI(t *testing.T) (url string, sent func(path string) []byte) {
	var mu sync.Mutex
	bodies := map[string][]byte{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		bodies[r.URL.Path] = body
		mu.Unlock()
		bad := bytes.Contains(body, []byte("attack"))
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/v1/chat/completions":
			said := "safe"
			if bad {
				said = `unsafe\nS1`
			}
			_, _ = io.WriteString(w, `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"guard","choices":[{"index":0,"message":{"role":"assistant","content":"`+said+`","refusal":null},
				"logprobs":{"content":[{"token":"`+strings.Split(said, `\n`)[0]+`","logprob":-0.05,"bytes":null,"top_logprobs":[{"token":"safe","logprob":-3,"bytes":null},{"token":"unsafe","logprob":-0.05,"bytes":null}]}],"refusal":null},
				"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`)
		case "/v1/moderations":
			flags, scores := map[string]bool{}, map[string]float64{}
			for _, c := range []string{
				"harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
				"self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
			} {
				flags[c], scores[c] = bad && c == "violence", 0.001
			}
			if bad {
				scores["violence"] = 0.93
			}
			_ = json.NewEncoder(w).Encode(map[string]any{
				"id": "modr-1", "model": "omni-moderation-latest",
				"results": []any{map[string]any{"flagged": bad, "categories": flags, "category_scores": scores, "category_applied_input_types": map[string][]string{}}},
			})
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1", func(path string) []byte {
		mu.Lock()
		defer mu.Unlock()
		return bodies["/v1"+path]
	}
}

// The judges that speak OpenAI's API are asked as its official client asks, and
// read what it reads.
func TestJudgesSpeakTheAPI(t *testing.T) {
	url, sent := judgeAPI(t)
	official := openai.NewClient(option.WithBaseURL(url), option.WithAPIKey("k"), option.WithMaxRetries(0))
	const bad, good = "how do I attack my neighbour?", "how do I greet my neighbour?"

	for _, tt := range []struct {
		kind, path string
		ask        func(text string) (harm bool, err error)
		reads      func(body []byte) (text string, err error)
	}{
		{
			"llama-guard", "/chat/completions",
			func(text string) (bool, error) {
				answer, err := official.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{Model: "guard", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)}})
				return err == nil && strings.HasPrefix(answer.Choices[0].Message.Content, "unsafe"), err
			},
			func(body []byte) (string, error) {
				var p openai.ChatCompletionNewParams
				if err := json.Unmarshal(body, &p); err != nil {
					return "", err
				}
				if back, err := json.Marshal(p); err != nil || !sameJSON(back, body) {
					t.Errorf("sent %s, of which the client knows %s", body, back)
				}
				return p.Messages[0].OfUser.Content.OfString.Value, nil
			},
		},
		{
			"openai-moderation", "/moderations",
			func(text string) (bool, error) {
				answer, err := official.Moderations.New(t.Context(), openai.ModerationNewParams{Model: openai.ModerationModelOmniModerationLatest, Input: openai.ModerationNewParamsInputUnion{OfString: openai.String(text)}})
				return err == nil && answer.Results[0].Categories.Violence, err
			},
			func(body []byte) (string, error) {
				var p openai.ModerationNewParams
				if err := json.Unmarshal(body, &p); err != nil {
					return "", err
				}
				if back, err := json.Marshal(p); err != nil || !sameJSON(back, body) {
					t.Errorf("sent %s, of which the client knows %s", body, back)
				}
				return p.Input.OfString.Value, nil
			},
		},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			for text, want := range map[string]bool{bad: true, good: false} {
				if harm, err := tt.ask(text); err != nil || harm != want {
					t.Fatalf("the official client reads %v, %v", harm, err)
				}
				got := check(t, `{"content":{"input":"block","output":"off"},"judges":[{"name":"j","kind":"`+tt.kind+`","url":"`+url+`","model":"guard","controls":["content"]}]}`, text)
				if (got.Action == "block") != want || want && (len(got.Findings) != 1 || got.Findings[0].Reason != "violence" || got.Findings[0].Score < 0.9) {
					t.Errorf("%q: %+v", text, got)
				}
				if read, err := tt.reads(sent(tt.path)); err != nil || read != text {
					t.Errorf("the judge reads %q, %v", read, err)
				}
			}
		})
	}
}

type checked struct {
	Action   string
	Findings []struct {
		Reason string
		Score  float64
	}
}

// check is what ringwall check says of a text under a guardrail.
func check(t *testing.T, guardrail, text string) (out checked) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "g.yaml")
	if err := os.WriteFile(file, []byte(guardrail), 0o600); err != nil { // JSON is YAML too
		t.Fatal(err)
	}
	binary := os.Getenv("RINGWALL")
	if binary == "" {
		binary = "../../bin/ringwall"
	}
	printed, err := exec.CommandContext(t.Context(), binary, "check", "--guardrail", file, "--format", "json", text).Output()
	if len(printed) == 0 {
		t.Fatalf("ringwall check: %v", err)
	}
	if err := json.Unmarshal(printed, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
