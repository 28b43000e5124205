package judge_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/judge"
)

const (
	content  = "inference/content"
	attack   = "inference/prompt-attack"
	personal = "inference/pii"
	topic    = "inference/topic"
	word     = "inference/word"
)

func input(s string) ringwall.Text { return ringwall.Text{Origin: ringwall.User, Value: s} }

// made returns a judge for cfg, closed when the test ends. Tries that fail are
// not made again unless cfg says so.
func made(t testing.TB, cfg judge.Config) *judge.Judge {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "test"
	}
	if cfg.Retries == 0 {
		cfg.Retries = -1
	}
	j, err := judge.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.Close)
	return j
}

// says is a server that answers each request with body.
func says(t testing.TB, status int, body string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// completion is what POST /chat/completions answers.
func completion(text string, logprobs any) string {
	b, err := json.Marshal(map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
		"choices": []any{map[string]any{
			"index": 0, "finish_reason": "stop", "logprobs": logprobs,
			"message": map[string]any{"role": "assistant", "content": text, "refusal": nil},
		}},
		"usage": map[string]any{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
	})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// first are the log-probabilities of one token.
func first(prefix string, alternatives map[string]float64) any {
	var list []any
	for _, p := range strings.SplitAfter(prefix, " ") {
		if p != "" {
			list = append(list, map[string]any{"token": p, "logprob": 0, "top_logprobs": []any{}})
		}
	}
	var top []any
	for token, p := range alternatives {
		top = append(top, map[string]any{"token": token, "logprob": p})
	}
	return map[string]any{"content": append(list, map[string]any{"token": "x", "logprob": 0, "top_logprobs": top})}
}

type said struct {
	reason string
	score  float64
}

// look asks j, and returns what it said by reason and score.
func look(t *testing.T, j *judge.Judge, way ringwall.Direction, text string) ([]said, error) {
	t.Helper()
	fs, err := j.Judge(t.Context(), way, input(text))
	var out []said
	for _, f := range fs {
		out = append(out, said{f.Control + " " + f.Reason, float64(int(f.Score*100+0.5)) / 100})
	}
	return out, err
}

// Answers that are none, whatever the kind of judge, are errors that say why
// without repeating a word of them.
func TestWhatIsNoAnswer(t *testing.T) {
	const canary = "the-secret-of-the-answer"
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   judge.Result
	}{
		{"an error of the server", 500, `{"error":"` + canary + `"}`, judge.Refused},
		{"too many requests", 429, canary, judge.Refused},
		{"not let in", 401, canary, judge.Refused},
		{"a redirect", 302, canary, judge.Refused},
		{"no content", 204, "", judge.Refused},
		{"empty", 200, "", judge.Unreadable},
		{"no JSON", 200, "<html>" + canary, judge.Unreadable},
		{"another JSON", 200, `"` + canary + `"`, judge.Unreadable},
		{"an empty object", 200, `{}`, judge.Unreadable},
		{"null", 200, `null`, judge.Unreadable},
		{"members that say nothing", 200, `{"choices":[],"results":[],"action":"` + canary + `"}`, judge.Unreadable},
		{"members of another type", 200, `{"choices":"` + canary + `","results":7,"findings":{},"action":[]}`, judge.Unreadable},
		{"a member twice", 200, `{"findings":[],"findings":[],"action":"NONE","action":"NONE"}`, judge.Unreadable},
		{"far too much", 200, `{"findings":[` + strings.Repeat(" ", 1<<16) + `],"action":"NONE","assessments":[]}`, judge.Unreadable},
	} {
		for _, kind := range judge.Kinds() {
			if kind == judge.Bedrock && (tt.name == "a member twice" || tt.name == "no content") {
				continue // AWS's client reads the one, and takes the other for an answer that says nothing
			}
			t.Run(kind+": "+tt.name, func(t *testing.T) {
				control := content
				if kind == judge.Presidio {
					control = personal
				}
				j := made(t, awsTest(judge.Config{
					Kind: kind, Controls: []string{control}, URL: says(t, tt.status, tt.body), Model: "m", Policy: "p", Guardrail: "g", Answer: 1 << 15,
					Key: func() (string, error) { return "the-key", nil },
				}, t))
				fs, err := j.Judge(t.Context(), ringwall.Input, input("the-text"))
				if judge.Of(err) != tt.want || len(fs) > 0 {
					t.Fatalf("%v, %v, want %s", fs, err, tt.want)
				}
				for _, leaked := range []string{canary, "the-key", "the-text"} {
					if strings.Contains(err.Error(), leaked) {
						t.Errorf("the error repeats %q: %v", leaked, err)
					}
				}
			})
		}
	}
}

// awsTest has Bedrock's client find a Region and credentials.
func awsTest(cfg judge.Config, t *testing.T) judge.Config {
	if cfg.Kind == judge.Bedrock {
		t.Setenv("AWS_ACCESS_KEY_ID", "AKIA"+"EXAMPLE")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "example")
		t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
		t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
		t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
		cfg.Region = "eu-central-1"
	}
	return cfg
}

// A judge whose certificate nobody vouches for is not asked; with the file of
// who does, it is.
func TestTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, completion("safe", nil))
	}))
	t.Cleanup(s.Close)
	s.Config.ErrorLog = quiet()
	cfg := judge.Config{Kind: judge.LlamaGuard, Controls: []string{content}, URL: s.URL, Model: "m"}
	if _, err := look(t, made(t, cfg), ringwall.Input, "x"); judge.Of(err) != judge.Unreachable {
		t.Errorf("a strange certificate: %v", err)
	}
	cfg.CAFile = pemFile(t, s.Certificate().Raw)
	if _, err := look(t, made(t, cfg), ringwall.Input, "x"); err != nil {
		t.Errorf("a certificate that the file vouches for: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	ok := judge.Config{Name: "j", Kind: judge.LlamaGuard, Controls: []string{content}, URL: "http://h/v1", Model: "m"}
	for _, tt := range []struct {
		name   string
		change func(*judge.Config)
		want   string
	}{
		{"no name", func(c *judge.Config) { c.Name = "" }, "name"},
		{"no kind", func(c *judge.Config) { c.Kind = "oracle" }, "one of llama-guard"},
		{"no controls", func(c *judge.Config) { c.Controls = nil }, "controls"},
		{"no URL", func(c *judge.Config) { c.URL = "" }, "URL"},
		{"no model", func(c *judge.Config) { c.Model = "" }, "model"},
		{"a URL with a key", func(c *judge.Config) { c.URL = "http://user:word@h/v1" }, "without user"},
		{"a file of no certificates", func(c *judge.Config) { c.CAFile = "/dev/null" }, "none in"},
		{"a label of a control that it does not serve", func(c *judge.Config) { c.Labels = map[string]judge.Target{"S1": {Control: attack, Reason: "x"}} }, "does not serve"},
		{"a webhook without a key", func(c *judge.Config) { c.Kind = judge.Webhook }, "signed"},
		{"Bedrock without a guardrail", func(c *judge.Config) { c.Kind = judge.Bedrock }, "Bedrock guardrail"},
		{"a control of which it finds nothing", func(c *judge.Config) { c.Controls = []string{content, personal} }, "finds nothing of inference/pii"},
		{"a model without topics", func(c *judge.Config) { c.Kind, c.Controls = judge.Chat, []string{topic} }, "nothing to ask"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := ok
			tt.change(&cfg)
			if _, err := judge.New(cfg); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "user:word") {
				t.Errorf("error %v, want one of %q", err, tt.want)
			}
		})
	}
}

// A client that leaves ends the call, and is no failure of the judge.
func TestWhoLeaves(t *testing.T) {
	began, ended := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(began)
		<-r.Context().Done()
		close(ended)
	}))
	t.Cleanup(s.Close)
	j := made(t, judge.Config{Kind: judge.LlamaGuard, Controls: []string{content}, URL: s.URL, Model: "m", Failures: 1, Timeout: time.Minute})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-began; cancel() }()
	if _, err := j.Judge(ctx, ringwall.Input, input("x")); judge.Of(err) != judge.Gone {
		t.Errorf("error %v", err)
	}
	<-ended
	if s := j.State(); s != judge.Closed {
		t.Errorf("the breaker is %s", s)
	}
	j.Close()
	if _, err := j.Judge(t.Context(), ringwall.Input, input("x")); judge.Of(err) != judge.Gone {
		t.Errorf("after Close: %v", err)
	}
}

var errTest = errors.New("a test's")
