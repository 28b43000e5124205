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
	"github.com/ringwall/ringwall/provider/prices"
)

// caching are requests with all that their APIs say of prompts that are kept, and
// answers that say how many tokens were: 5 are read as they are, 900 from the cache,
// 90 are written to it, where the API has a word for that.
var caching = []struct {
	kind, path, body, answer string
	usage                    ringwall.Usage
}{
	{
		"anthropic", "/v1/messages",
		`{"model":"m", "max_tokens":9,"cache_control":{"type":"ephemeral"},` +
			`"system":[{"type":"text","text":"Be  kind.","cache_control":{"type":"ephemeral","ttl":"1h"}}],` +
			`"tools":[{"name":"look","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}],` +
			`"messages":[{"role":"user","content":[{"type":"text","text":"my card is %s","cache_control":{"type":"ephemeral","ttl":"5m"}}]}]}`,
		`{"id":"r","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"fine"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":90,"cache_read_input_tokens":900,"cache_creation":{"ephemeral_5m_input_tokens":90,"ephemeral_1h_input_tokens":0},"output_tokens":2}}`,
		ringwall.Usage{InputTokens: 995, OutputTokens: 2, CachedTokens: 900, CachingTokens: 90},
	},
	{
		"bedrock", "/model/m/converse",
		`{"system":[{"text":"Be  kind."},{"cachePoint":{"type":"default","ttl":"1h"}}],` +
			`"toolConfig":{"tools":[{"toolSpec":{"name":"look","inputSchema":{"json":{"type":"object"}}}},{"cachePoint":{"type":"default"}}]},` +
			`"messages":[{"role":"user","content":[{"text":"my card is %s"},{"cachePoint":{"type":"default"}}]}]}`,
		`{"output":{"message":{"role":"assistant","content":[{"text":"fine"}]}},"stopReason":"end_turn","usage":{"inputTokens":5,"outputTokens":2,"totalTokens":997,"cacheReadInputTokens":900,"cacheWriteInputTokens":90},"metrics":{"latencyMs":1}}`,
		ringwall.Usage{InputTokens: 995, OutputTokens: 2, CachedTokens: 900, CachingTokens: 90},
	},
	{
		"gemini", "/v1beta/models/m:generateContent",
		`{"cachedContent":"cachedContents/c-1", "contents":[{"role":"user","parts":[{"text":"my card is %s"}]}]}`,
		`{"candidates":[{"content":{"parts":[{"text":"fine"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":995,"candidatesTokenCount":2,"totalTokenCount":997,"cachedContentTokenCount":900},"modelVersion":"m","responseId":"r"}`,
		ringwall.Usage{InputTokens: 995, OutputTokens: 2, CachedTokens: 900},
	},
	{
		"openai", "/v1/chat/completions",
		`{"model":"m", "prompt_cache_key":"k-1","prompt_cache_retention":"24h","messages":[{"role":"user","content":[{"type":"text","text":"my card is %s","cache_control":{"type":"ephemeral"}}]}]}`,
		`{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"fine"},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":995,"completion_tokens":2,"total_tokens":997,"prompt_tokens_details":{"cached_tokens":900}}}`,
		ringwall.Usage{InputTokens: 995, OutputTokens: 2, CachedTokens: 900},
	},
	{
		"openai", "/v1/responses",
		`{"model":"m", "prompt_cache_key":"k-1","prompt_cache_retention":"24h","input":[{"role":"user","content":"my card is %s"}]}`,
		`{"id":"resp_1","object":"response","created_at":1,"status":"completed","model":"m","output":[{"id":"msg_1","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"fine","annotations":[]}]}],"usage":{"input_tokens":995,"input_tokens_details":{"cached_tokens":900},"output_tokens":2,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":997}}`,
		ringwall.Usage{InputTokens: 995, OutputTokens: 2, CachedTokens: 900},
	},
}

// What a request says of a prompt that is kept goes on byte for byte, and what the
// provider says of it is in the record, from where prices tell what it cost.
func TestPromptCachesArePassedThrough(t *testing.T) {
	t.Setenv("BEDROCK_KEY_OF_A_TEST", "k")
	price := prices.Price{Input: 1, Cached: 0.1, Caching: 1.25, Output: 5}
	for _, tt := range caching {
		t.Run(tt.kind+" "+tt.path, func(t *testing.T) {
			answer := func(w http.ResponseWriter, _ *http.Request, _ string) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, tt.answer)
			}
			var h *house
			var header []string
			switch tt.kind {
			case "bedrock":
				h = bedrockHouse(t, answer)
			case "openai":
				u := newUpstream(t, answer)
				h = stand(t, u, func(c *config.Config) {
					p := c.Providers["u"]
					p.APIs = []string{"openai", "openai-responses"}
					c.Providers["u"] = p
				})
			default:
				h = before(t, newUpstream(t, answer), tt.kind)
			}
			resp, body := h.post(tt.path, fmt.Sprintf(tt.body, card), header...)
			if want := fmt.Sprintf(tt.body, "{CREDIT_DEBIT_CARD_NUMBER}"); resp.StatusCode != 200 || h.u.last() != want {
				t.Errorf("%d %s; the model read %s\nwant %s", resp.StatusCode, body, h.u.last(), want)
			}
			if body != tt.answer {
				t.Errorf("the client read %s\nwant %s", body, tt.answer)
			}
			ev := h.record(resp.Header.Get("X-Ringwall-Exchange"))
			if ev.Usage == nil || *ev.Usage != tt.usage {
				t.Fatalf("the record has %+v, want %+v", ev.Usage, tt.usage)
			}
			plain := tt.usage.InputTokens - tt.usage.CachedTokens - tt.usage.CachingTokens
			want := (float64(plain) + 900*0.1 + float64(tt.usage.CachingTokens)*1.25 + 2*5) / 1e6
			if got := price.Cost(*ev.Usage); got < want*0.999 || got > want*1.001 {
				t.Errorf("it cost %g, want %g", got, want)
			}
		})
	}
}

// Marks are translated where the other API has them, and are left away where it has
// none; the counts of what was kept come back in the words of who asked.
func TestPromptCachesAreTranslated(t *testing.T) {
	t.Setenv("BEDROCK_KEY_OF_A_TEST", "k")
	for _, tt := range []struct {
		name   string
		client int // of caching
		server int
		reads  []string // what the model reads
		lacks  string
		says   []string // what the client reads
	}{
		{"Anthropic before Bedrock", 0, 1, []string{
			`"system":[{"text":"Be  kind."},{"cachePoint":{"ttl":"1h","type":"default"}}]`,
			`},{"cachePoint":{"type":"default"}}]`, `{"text":"my card is {CREDIT_DEBIT_CARD_NUMBER}"},{"cachePoint":{"type":"default"}}`,
		}, "cache_control", []string{`"input_tokens":5`, `"cache_read_input_tokens":900`, `"cache_creation_input_tokens":90`}},
		{"Bedrock before Anthropic", 1, 0, []string{
			`"system":[{"cache_control":{"ttl":"1h","type":"ephemeral"},"text":"Be  kind.","type":"text"}]`,
			`"cache_control":{"type":"ephemeral"},"text":"my card is`, `"cache_control":{"type":"ephemeral"}}]`,
		}, "cachePoint", []string{`"inputTokens":5`, `"cacheReadInputTokens":900`, `"cacheWriteInputTokens":90`}},
		{"Anthropic before Gemini", 0, 2, []string{"Be  kind."}, "cache", []string{`"input_tokens":95`, `"cache_read_input_tokens":900`}},
		{"Anthropic before OpenAI", 0, 3, []string{"Be  kind."}, "cache", []string{`"input_tokens":95`, `"cache_read_input_tokens":900`}},
		{"chat completions before Anthropic", 3, 0, []string{`"cache_control":{"type":"ephemeral"},"text":"my card is`}, "prompt_cache", []string{`"prompt_tokens":995`, `"cached_tokens":900`}},
		{"chat completions before Gemini", 3, 2, []string{"my card is"}, "cache", []string{`"prompt_tokens":995`, `"cached_tokens":900`}},
		{"responses before Bedrock", 4, 1, []string{"my card is"}, "cache", []string{`"input_tokens":995`, `"cached_tokens":900`}},
		{"Bedrock before OpenAI", 1, 3, []string{"Be  kind."}, "cache", []string{`"inputTokens":95`, `"cacheReadInputTokens":900`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asks, told := caching[tt.client], caching[tt.server]
			answer := func(w http.ResponseWriter, _ *http.Request, _ string) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, told.answer)
			}
			h := bedrockHouse
			if told.kind != "bedrock" {
				h = func(t *testing.T, answer func(http.ResponseWriter, *http.Request, string)) *house {
					return before(t, newUpstream(t, answer), told.kind)
				}
			}
			house := h(t, answer)
			resp, body := house.post(asks.path, fmt.Sprintf(asks.body, card))
			read := house.u.last()
			for _, want := range tt.reads {
				if !strings.Contains(read, want) {
					t.Errorf("the model read %s\nwithout %s", read, want)
				}
			}
			if strings.Contains(read, tt.lacks) {
				t.Errorf("the model read %s, with %q", read, tt.lacks)
			}
			for _, want := range tt.says {
				if resp.StatusCode != 200 || !strings.Contains(body, want) {
					t.Errorf("the client read %d %s\nwithout %s", resp.StatusCode, body, want)
				}
			}
			if ev := house.record(resp.Header.Get("X-Ringwall-Exchange")); ev.Usage == nil || ev.Usage.InputTokens != 995 || ev.Usage.CachedTokens != 900 {
				t.Errorf("the record has %+v", ev.Usage)
			}
		})
	}
}

// What a provider has cached is no hint but a part of the prompt.
func TestCachedContentIsNotLeftAway(t *testing.T) {
	u := newUpstream(t, says("fine", 3))
	resp, body := stand(t, u, nil).post(caching[2].path, fmt.Sprintf(caching[2].body, "none"))
	if resp.StatusCode != 400 || !strings.Contains(body, "cachedContent") || u.last() != "" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

// A conversation that goes on begins upstream with the very bytes that it began with
// before, masked or with placeholders, so that what the provider has cached of it is
// found again.
func TestPrefixesStay(t *testing.T) {
	const message = `{"role":"%s","content":[{"type":"text","text":%s}]}`
	turns := []string{
		"My card is " + card + ", my mail a.b@example.org. I am Hannah Weber.",
		"I also use c.d@example.net and the card 5500 0000 0000 0004; a.b@example.org is old.",
		"Call me at +44 20 7946 0958, or write to a.b@example.org.",
		"My IBAN is DE89 3704 0044 0532 0130 00, the card still " + card + ".",
		"Thanks!",
	}
	for _, tt := range []struct {
		name    string
		restore bool
	}{{"masked", false}, {"with placeholders", true}} {
		t.Run(tt.name, func(t *testing.T) {
			u := newUpstream(t, nil)
			u.answer = func(w http.ResponseWriter, r *http.Request, body string) {
				var q struct {
					Messages []struct{ Content []struct{ Text string } }
				}
				if err := json.Unmarshal([]byte(body), &q); err != nil {
					t.Error(err)
				}
				text, _ := json.Marshal("You said: " + q.Messages[len(q.Messages)-1].Content[0].Text)
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"id":"r","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":%s}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":2}}`, text)
			}
			h := stand(t, u, func(c *config.Config) {
				c.Providers = map[string]config.Provider{"u": {Type: "anthropic", BaseURL: u.URL}}
				c.Restore.Enabled, c.Anonymous = tt.restore, false
			})
			key, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: "a", Tenant: "acme", Trust: ringwall.Staff})
			if err != nil {
				t.Fatal(err)
			}
			const head = `{"model":"m","max_tokens":9,"system":[{"type":"text","text":"You are Nora. Mails go to desk@example.com.","cache_control":{"type":"ephemeral"}}],"messages":[`
			history, before, asked := "", "", ""
			for i, turn := range turns {
				text, _ := json.Marshal(turn)
				history += fmt.Sprintf(message, "user", text)
				asked = head + history + "]}"
				for range 2 { // the same request is the same bytes
					resp, body := h.post("/v1/messages", asked, "Authorization", "Bearer "+key)
					if resp.StatusCode != 200 {
						t.Fatalf("turn %d: %d %s", i, resp.StatusCode, body)
					}
					read := u.last()
					if strings.Contains(read, "4111") || strings.Contains(read, "a.b@example.org") {
						t.Fatalf("turn %d: the model read %s", i, read)
					}
					if !strings.HasPrefix(read, before) {
						t.Fatalf("turn %d: the model read\n%s\nwhich does not begin with\n%s", i, read, before)
					}
					before = read
					var answer struct{ Content []struct{ Text string } }
					if err := json.Unmarshal([]byte(body), &answer); err != nil {
						t.Fatal(err)
					}
					text, _ = json.Marshal(answer.Content[0].Text)
				}
				before = strings.TrimSuffix(before, "]}")
				history += "," + fmt.Sprintf(message, "assistant", text) + ","
			}
		})
	}
}
