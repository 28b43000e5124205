package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/internal/valkeytest"
	"github.com/ringwall/ringwall/server"
)

// most is a limit for everybody by address, which tests share.
func most(measure string, n float64, per string) config.QuotaLimit {
	l := config.QuotaLimit{Name: "l-" + measure, Measure: measure, Most: n, Per: per, Zone: "UTC", By: []string{"ip"}, Warn: 0.8}
	if measure == "concurrent" {
		l.Per = ""
	}
	return l
}

// metered answers with a usage of 20 and 150 tokens, a while after it was asked.
func metered(after time.Duration, spent *atomic.Int64) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, r *http.Request, body string) {
		select {
		case <-time.After(after):
		case <-r.Context().Done():
			return
		}
		spent.Add(170)
		if !strings.Contains(body, `"stream":true`) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"fine"},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":150,"total_tokens":170}}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for range 30 {
			io.WriteString(w, `data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"one two three four five "},"finish_reason":null}]}`+"\n\n")
		}
		io.WriteString(w, `data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\n"+
			`data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":150,"total_tokens":170}}`+"\n\ndata: [DONE]\n\n")
	}
}

// rush sends the same request from many clients at once, several times each, and
// returns how many were answered and refused.
func rush(t *testing.T, houses []*house, clients, each int, body string) (answered, refused int64) {
	t.Helper()
	var ok, no, other atomic.Int64
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range clients {
		h := houses[i%len(houses)]
		wg.Go(func() {
			<-start
			for range each {
				req, err := http.NewRequest(http.MethodPost, h.url+"/v1/chat/completions", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				b, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				switch resp.StatusCode {
				case 200:
					ok.Add(1)
				case 429:
					no.Add(1)
				default:
					if other.Add(1) == 1 {
						t.Errorf("%d %s", resp.StatusCode, b)
					}
				}
			}
		})
	}
	close(start)
	wg.Wait()
	http.DefaultClient.CloseIdleConnections() // which would hold up the end of the houses
	return ok.Load(), no.Load()
}

// A gateway that reads what is used before the answer and books it behind let 10.6
// times its limit through: 106 of 100 clients' requests of 170 tokens at a limit of
// 1,700. Here the limit holds, whatever requests say of their length.
func TestQuotaHoldsAtAnyConcurrency(t *testing.T) {
	for name, more := range map[string]string{
		"no length":      "",
		"a length":       `,"max_tokens":150`,
		"a lie":          `,"max_tokens":1`,
		"a stream":       `,"stream":true,"max_tokens":150`,
		"a short stream": `,"stream":true`,
	} {
		t.Run(name, func(t *testing.T) {
			var spent atomic.Int64
			h := stand(t, newUpstream(t, metered(20*time.Millisecond, &spent)), func(c *config.Config) {
				c.Quota.Limits = []config.QuotaLimit{most("tokens", 1700, "hour")}
			})
			ok, no := rush(t, []*house{h}, 100, 3, question("hello", more))
			t.Logf("%d answered, %d refused, %d of 1700 tokens: %.3f", ok, no, spent.Load(), float64(spent.Load())/1700)
			if spent.Load() > 1700+170 {
				t.Errorf("%d tokens of 1700", spent.Load())
			}
			if ok == 0 || no == 0 {
				t.Errorf("%d answered, %d refused", ok, no)
			}
		})
	}
}

// Several replicas share one limit in Valkey.
func TestQuotaOfReplicas(t *testing.T) {
	v := valkeytest.Start(t, valkeytest.Options{Password: "swordfish"})
	t.Setenv("RINGWALL_TEST_VALKEY", "swordfish")
	var spent atomic.Int64
	u := newUpstream(t, metered(20*time.Millisecond, &spent))
	var houses []*house
	for range 3 {
		houses = append(houses, stand(t, u, func(c *config.Config) {
			c.Valkey.Addresses, c.Valkey.Timeout = []string{v.Addr()}, 5*time.Second
			if err := c.Valkey.Password.UnmarshalText([]byte("env:RINGWALL_TEST_VALKEY")); err != nil {
				t.Fatal(err)
			}
			c.Quota.Limits = []config.QuotaLimit{most("tokens", 3400, "hour"), most("requests", 1000, "minute")}
		}))
	}
	ok, no := rush(t, houses, 100, 3, question("hello", ""))
	t.Logf("%d answered, %d refused, %d of 3400 tokens: %.3f", ok, no, spent.Load(), float64(spent.Load())/3400)
	if spent.Load() > 3400+3*170 || ok == 0 || no == 0 {
		t.Errorf("%d tokens of 3400, %d answered", spent.Load(), ok)
	}
	v.Stop()
	if resp, body := houses[0].chat(question("hello", "")); resp.StatusCode != 503 || !strings.Contains(body, "quota_unavailable") {
		t.Errorf("without Valkey: %d %s", resp.StatusCode, body)
	}
}

func TestQuotaRequestsAndHeaders(t *testing.T) {
	u := newUpstream(t, says("hello", 5))
	h := stand(t, u, func(c *config.Config) {
		c.Quota.Limits = []config.QuotaLimit{most("requests", 2, "minute"), most("tokens", 100_000, "hour"), {Name: "all", Measure: "requests", Most: 1000, Per: "day", Zone: "Europe/Berlin"}}
	})
	resp, _ := h.chat(question("hello", ""))
	for name, want := range map[string]string{
		"X-Ratelimit-Limit-Requests": "2", "X-Ratelimit-Remaining-Requests": "1", "X-Ratelimit-Limit-Tokens": "100000",
		"Ratelimit-Policy": `"l-requests";q=2;qu="requests";w=60, "l-tokens";q=100000;qu="tokens";w=3600`,
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if left := resp.Header.Get("RateLimit"); !strings.HasPrefix(left, `"l-requests";r=1;t=6`) || strings.Contains(left, "all") {
		t.Errorf("left: %s", left)
	}
	resp, _ = h.chat(question("hello", ""))
	if w := resp.Header.Get("X-Ringwall-Quota-Warning"); w != "l-requests;used=1.00" {
		t.Errorf("warning %q", w)
	}
	resp, body := h.chat(question("hello", ""))
	if resp.StatusCode != 429 || !strings.Contains(body, `"type":"rate_limit_error"`) || !strings.Contains(body, `"code":"rate_limit_exceeded"`) || !strings.Contains(body, "Your limit l-requests of 2 requests per minute is used up. Try again in") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if after := resp.Header.Get("Retry-After"); len(after) != 2 || after > "62" || after < "50" {
		t.Errorf("again after %q", after)
	}
	if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); ev.Outcome != ringwall.Refused || !strings.Contains(ev.Detail, "l-requests") {
		t.Errorf("record %+v", ev)
	}
	if _, metrics := h.get("/metrics"); !strings.Contains(metrics, `ringwall_quota_refused_total{limit="l-requests"} 1`) {
		t.Error("no metric of the refusal")
	}
	// Requests that ask the guard alone count.
	if resp, body := h.ask(http.MethodPost, "/v2/guard", `{"messages":[{"role":"user","content":"hi"}]}`); resp.StatusCode != 429 {
		t.Errorf("the guard: %d %s", resp.StatusCode, body)
	}
}

func TestQuotaInEachDialect(t *testing.T) {
	h := stand(t, newUpstream(t, says("hello", 5)), func(c *config.Config) {
		l := most("requests", 0, "month")
		c.Quota.Limits = []config.QuotaLimit{l}
	})
	for path, want := range map[string]string{
		"/v1/chat/completions":                   `"code":"insufficient_quota"`,
		"/v1/messages":                           `"type":"rate_limit_error"`,
		"/model/m/converse":                      `"message":`,
		"/v1beta/models/m:generateContent":       `"status":"RESOURCE_EXHAUSTED"`,
		"/api/chat":                              `"error":`,
		"/v1/responses":                          `"code":"insufficient_quota"`,
		"/v1beta/models/m:countTokens":           `"status":"RESOURCE_EXHAUSTED"`,
		"/guardrail/default/version/DRAFT/apply": `"message":`,
	} {
		body := map[string]string{
			"/v1/messages": `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`, "/model/m/converse": `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`,
			"/v1beta/models/m:generateContent": `{"contents":[{"parts":[{"text":"hi"}]}]}`, "/v1beta/models/m:countTokens": `{"contents":[{"parts":[{"text":"hi"}]}]}`,
			"/v1/responses": `{"model":"m","input":"hi"}`, "/guardrail/default/version/DRAFT/apply": `{"source":"INPUT","content":[{"text":{"text":"hi"}}]}`,
		}[path]
		if body == "" {
			body = question("hi", "")
		}
		resp, got := h.ask(http.MethodPost, path, body)
		if resp.StatusCode != 429 || !strings.Contains(got, want) || resp.Header.Get("RateLimit") == "" {
			t.Errorf("%s: %d %s", path, resp.StatusCode, got)
		}
		if path == "/v1/messages" && (resp.Header.Get("Anthropic-Ratelimit-Requests-Remaining") != "0" || resp.Header.Get("Anthropic-Ratelimit-Requests-Reset") == "") {
			t.Errorf("%s: %v", path, resp.Header)
		}
		if path == "/model/m/converse" && resp.Header.Get("X-Amzn-Errortype") != "ThrottlingException" {
			t.Errorf("%s: %v", path, resp.Header)
		}
	}
}

func TestQuotaCutsStreams(t *testing.T) {
	h := stand(t, newUpstream(t, says(strings.Repeat("one two three four five six seven eight ", 20_000), 40)), func(c *config.Config) {
		c.Quota.Limits = []config.QuotaLimit{most("output_tokens", 600, "hour")}
	})
	resp, body := h.chat(question("count", `,"stream":true`))
	if resp.StatusCode != 200 || !strings.HasSuffix(body, "data: [DONE]\n\n") || !strings.Contains(body, "finish_reason\":\"") {
		t.Fatalf("%d …%s", resp.StatusCode, body[max(0, len(body)-300):])
	}
	if n := strings.Count(body, "eight"); n < 20 || n > 120 {
		t.Errorf("%d times eight words left within 600 tokens", n)
	}
	ev := h.record(resp.Header.Get("X-Ringwall-Exchange"))
	if ev.Outcome != ringwall.Cut || ev.Detail != "quota" {
		t.Errorf("record %s %q", ev.Outcome, ev.Detail)
	}
	select {
	case <-h.u.gone:
	case <-time.After(10 * time.Second):
		t.Error("the model goes on")
	}
	if resp, _ := h.chat(question("count", `,"stream":true`)); resp.StatusCode != 429 {
		t.Errorf("again: %d", resp.StatusCode)
	}
}

func TestQuotaIsSettledWhateverHappens(t *testing.T) {
	block := make(chan struct{})
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, body string) {
		switch {
		case strings.Contains(body, "fail"):
			w.WriteHeader(500)
		case strings.Contains(body, "hang"):
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q},\"finish_reason\":null}]}\n\n", strings.Repeat("word and word ", 30))
			http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
			case <-block:
			}
		default:
			says("hello", 5)(w, r, body)
		}
	})
	defer close(block)
	h := stand(t, u, func(c *config.Config) {
		p := c.Providers["u"]
		p.Retries = -1
		c.Providers["u"] = p
		c.Quota.Limits = []config.QuotaLimit{most("tokens", 10_000, "hour"), most("requests", 100, "hour")}
	})
	remaining := func(resp *http.Response) string {
		return resp.Header.Get("X-Ratelimit-Remaining-Requests") + " " + resp.Header.Get("X-Ratelimit-Remaining-Tokens")
	}
	long := question("hello", `,"max_tokens":1000`)
	first, _ := h.chat(long)
	if got := remaining(first); !strings.HasPrefix(got, "99 5") { // of the first answer the longer is expected
		t.Errorf("before the first: %s", got)
	}
	second, _ := h.chat(long)
	if got := remaining(second); !strings.HasPrefix(got, "98 89") { // 7 used, and some 1020 set aside
		t.Errorf("before the second: %s", got)
	}
	if resp, _ := h.chat(question("fail", `,"max_tokens":1000`)); resp.StatusCode != 502 {
		t.Errorf("%d", resp.StatusCode)
	}
	third, _ := h.chat(long)
	if got := remaining(third); !strings.HasPrefix(got, "96 89") { // the provider's failure cost a request
		t.Errorf("behind a failure: %s", got)
	}

	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"/v1/chat/completions", strings.NewReader(question("hang", `,"stream":true,"max_tokens":5000`)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	cancel()
	resp.Body.Close()
	if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); ev.Outcome != ringwall.ClientGone {
		t.Errorf("record %s", ev.Outcome)
	}
	last, _ := h.chat(long)
	var requests, tokens int
	fmt.Sscan(remaining(last), &requests, &tokens)
	if requests != 94 || tokens < 8700 || tokens > 8950 { // what was said counts: some 90 tokens
		t.Errorf("behind a client that left: %d requests, %d tokens", requests, tokens)
	}
}

func TestBudgetsOutliveARestart(t *testing.T) {
	data := t.TempDir()
	var spent atomic.Int64
	u := newUpstream(t, metered(0, &spent))
	run := func(requests int) (codes []int) {
		c := config.Default()
		c.Listen, c.Data, c.Anonymous, c.Default = "127.0.0.1:0", data, true, "u"
		c.Providers = map[string]config.Provider{"u": config.Upstream(u.URL+"/v1", false)}
		c.Models = map[string]config.Model{"m": {Provider: "u", Model: "gpt-4o"}} // 2.50 and 10 dollars for a million
		c.Quota.Limits = []config.QuotaLimit{most("money", 0.01, "month")}
		h := standOn(t, u, server.Options{Config: c})
		for range requests {
			resp, _ := h.chat(question("hello", `,"max_tokens":150`))
			codes = append(codes, resp.StatusCode)
		}
		h.stop()
		return codes
	}
	var all []int
	for range 4 {
		all = append(all, run(2)...)
	}
	if got := fmt.Sprint(all); got != "[200 200 200 200 200 200 200 429]" && got != "[200 200 200 200 200 200 429 429]" {
		t.Errorf("0.155 cents each of a cent: %s", got)
	}
}

func TestLoopsAreBroken(t *testing.T) {
	h := stand(t, newUpstream(t, says("hello", 5)), func(c *config.Config) {
		c.Quota.Loops.Repeats, c.Quota.Loops.Depth = 3, 5
	})
	round := `{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{\"at\":\"shelf\"}"}}]},{"role":"tool","tool_call_id":"c","content":"nothing there"}`
	ask := func(rounds int) (int, string) {
		messages := `{"role":"user","content":"find it"}`
		for range rounds {
			messages += "," + round
		}
		resp, body := h.chat(`{"model":"m","messages":[` + messages + `]}`)
		return resp.StatusCode, body
	}
	for i := range 5 {
		status, body := ask(i + 1)
		if want := map[bool]int{true: 200, false: 429}[i < 3]; status != want || want == 429 && !strings.Contains(body, `"code":"loop_detected"`) {
			t.Errorf("round %d: %d %s", i+1, status, body)
		}
	}
	if status, body := ask(6); status != 429 || !strings.Contains(body, "without a word of a person") {
		t.Errorf("six rounds: %d %s", status, body)
	}
}

func TestQuotaWarnsOnce(t *testing.T) {
	h := stand(t, newUpstream(t, says("hello", 5)), func(c *config.Config) {
		c.Quota.Limits = []config.QuotaLimit{most("requests", 10, "hour")}
	})
	for range 10 {
		h.chat(question("hello", ""))
	}
	late := time.After(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		_, metrics := h.get("/metrics")
		if strings.Contains(metrics, `ringwall_quota_warnings_total{limit="l-requests"} 1`) {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("nobody was warned")
		}
	}
}
