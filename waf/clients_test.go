package waf_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/waf"
)

// request is one as clients write it: METHOD TARGET, then a header on each line.
func request(t testing.TB, head, body string) *http.Request {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(head), "\n")
	method, target, _ := strings.Cut(lines[0], " ")
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body == "" {
		r = httptest.NewRequest(method, target, http.NoBody)
	}
	r.Host = "127.0.0.1:8080"
	for _, l := range lines[1:] {
		name, value, ok := strings.Cut(l, ": ")
		if !ok {
			t.Fatalf("no header: %q", l)
		}
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Add(name, value)
	}
	return r
}

func open(t testing.TB, cfg waf.Config) *waf.Firewall {
	t.Helper()
	f, err := waf.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// clients are requests as the libraries of those APIs send them.
var clients = map[string]string{
	"OpenAI for Python": `POST /v1/chat/completions
Accept: application/json
Accept-Encoding: gzip, deflate
Authorization: Bearer rw_abcdefghijklmnopqrstuvwxyz012345
Connection: keep-alive
Content-Type: application/json
User-Agent: OpenAI/Python 1.109.1
X-Stainless-Arch: x64
X-Stainless-Async: async:asyncio
X-Stainless-Lang: python
X-Stainless-Os: Linux
X-Stainless-Package-Version: 1.109.1
X-Stainless-Raw-Response: true
X-Stainless-Read-Timeout: 600
X-Stainless-Retry-Count: 0
X-Stainless-Runtime: CPython
X-Stainless-Runtime-Version: 3.12.3`,
	"OpenAI for Node": `POST /v1/responses
Accept: application/json
Accept-Language: *
Accept-Encoding: br, gzip, deflate
Sec-Fetch-Mode: cors
Authorization: Bearer rw_abcdefghijklmnopqrstuvwxyz012345
Content-Type: application/json
Openai-Organization: org-abc123
Openai-Project: proj_abc123
User-Agent: OpenAI/JS 6.1.0
X-Stainless-Arch: arm64
X-Stainless-Lang: js
X-Stainless-Os: MacOS
X-Stainless-Package-Version: 6.1.0
X-Stainless-Retry-Count: 2
X-Stainless-Runtime: node
X-Stainless-Runtime-Version: v22.18.0
X-Stainless-Timeout: 600`,
	"OpenAI in a browser": `POST /v1/chat/completions
Accept: application/json
Accept-Language: de-DE,de;q=0.9,en;q=0.8
Authorization: Bearer rw_abcdefghijklmnopqrstuvwxyz012345
Content-Type: application/json
Origin: https://app.example
Referer: https://app.example/chat?conversation=6f1d
Sec-Ch-Ua: "Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"
Sec-Ch-Ua-Mobile: ?0
Sec-Ch-Ua-Platform: "macOS"
Sec-Fetch-Dest: empty
Sec-Fetch-Mode: cors
Sec-Fetch-Site: cross-site
User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36`,
	"Azure OpenAI": `POST /openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21
Accept: application/json
Api-Key: rw_abcdefghijklmnopqrstuvwxyz012345
Content-Type: application/json
User-Agent: AzureOpenAI/Python 1.109.1
X-Ms-Client-Request-Id: 2b3c7f0a-5d5e-4f1c-9a67-0e3f8f1b2c4d`,
	"Azure for .NET": `POST /openai/deployments/gpt-4o/chat/completions?api-version=2025-04-01-preview
Accept: application/json
Api-Key: rw_abcdefghijklmnopqrstuvwxyz012345
Content-Type: application/json
User-Agent: azsdk-net-AI.OpenAI/2.1.0 (.NET 9.0.4; Ubuntu 24.04.2 LTS)
X-Ms-Return-Client-Request-Id: true`,
	"Anthropic for Python": `POST /v1/messages
Accept: application/json
Accept-Encoding: gzip, deflate
Anthropic-Beta: prompt-caching-2024-07-31,output-128k-2025-02-19
Anthropic-Version: 2023-06-01
Content-Type: application/json
User-Agent: Anthropic/Python 0.71.0
X-Api-Key: rw_abcdefghijklmnopqrstuvwxyz012345
X-Stainless-Async: false
X-Stainless-Helper-Method: stream
X-Stainless-Lang: python
X-Stainless-Retry-Count: 0
X-Stainless-Stream-Helper: messages`,
	"Claude Code": `POST /v1/messages?beta=true
Accept: application/json
Anthropic-Beta: claude-code-20250219,oauth-2025-04-20,interleaved-thinking-2025-05-14
Anthropic-Dangerous-Direct-Browser-Access: true
Anthropic-Version: 2023-06-01
Authorization: Bearer rw_abcdefghijklmnopqrstuvwxyz012345
Content-Type: application/json
User-Agent: claude-cli/2.0.14 (external, cli)
X-App: cli
X-Stainless-Helper-Method: stream`,
	"Codex": `POST /v1/responses
Accept: text/event-stream
Authorization: Bearer rw_abcdefghijklmnopqrstuvwxyz012345
Content-Type: application/json
Conversation_id: 0199b2a1-8f5d-7e01-a6c2-1f3d5b7a9c2e
Originator: codex_cli_rs
Session_id: 0199b2a1-8f5d-7e01-a6c2-1f3d5b7a9c2e
User-Agent: codex_cli_rs/0.44.0 (Ubuntu 24.4.0; x86_64) xterm-256color`,
	"boto3": `POST /model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse
Accept: application/json
Amz-Sdk-Invocation-Id: 6f1d6b1c-3a3d-4f51-9a5e-2d4c6b8a0f12
Amz-Sdk-Request: ttl=20260101T000000Z; attempt=1; max=5
Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024
Content-Type: application/json
Expect: 100-continue
User-Agent: Boto3/1.40.50 md/Botocore#1.40.50 ua/2.1 os/linux#6.8.0-1021-aws md/arch#x86_64 lang/python#3.12.3 md/pyimpl#CPython m/Z,b,D,N cfg/retry-mode#standard Botocore/1.40.50
X-Amz-Date: 20260101T000000Z
X-Amz-Security-Token: IQoJb3JpZ2luX2VjEKr//////////wEaCXVzLWVhc3QtMSJHMEUCIQDxyz/abc+def==`,
	"boto3 with an inference profile": `POST /model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabcdefghij12/converse-stream
Amz-Sdk-Invocation-Id: 6f1d6b1c-3a3d-4f51-9a5e-2d4c6b8a0f12
Content-Type: application/json
User-Agent: Boto3/1.40.50 md/Botocore#1.40.50 ua/2.1 os/macos#25.0.0 md/arch#arm64 lang/python#3.13.0 md/pyimpl#CPython m/b,Z,D cfg/retry-mode#legacy Botocore/1.40.50`,
	"AWS for JavaScript": `POST /model/us.amazon.nova-lite-v1%3A0/invoke-with-response-stream
Amz-Sdk-Invocation-Id: 6f1d6b1c-3a3d-4f51-9a5e-2d4c6b8a0f12
Amz-Sdk-Request: attempt=1; max=3
Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=accept;content-length;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-user-agent, Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024
Content-Type: application/json
User-Agent: aws-sdk-js/3.901.0 ua/2.1 os/linux#6.8.0 lang/js md/nodejs#22.18.0 api/bedrock-runtime#3.901.0 m/E,N
X-Amz-Content-Sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
X-Amz-Date: 20260101T000000Z
X-Amz-User-Agent: aws-sdk-js/3.901.0`,
	"AWS for Go": `POST /guardrail/gr-1/version/DRAFT/apply
Amz-Sdk-Invocation-Id: 6f1d6b1c-3a3d-4f51-9a5e-2d4c6b8a0f12
Amz-Sdk-Request: attempt=1; max=3
Content-Type: application/json
User-Agent: aws-sdk-go-v2/1.47.8 ua/2.1 os/linux lang/go#1.26.0 md/GOOS#linux md/GOARCH#amd64 api/bedrockruntime#1.63.11 m/E,g`,
	"AWS for Java": `POST /model/meta.llama3-70b-instruct-v1%3A0/converse
Amz-Sdk-Invocation-Id: 6f1d6b1c-3a3d-4f51-9a5e-2d4c6b8a0f12
Amz-Sdk-Request: attempt=1; max=4
Content-Type: application/json
User-Agent: aws-sdk-java/2.34.5 md/io#apache md/http#Apache ua/2.1 os/Linux#6.8.0 lang/java#21.0.8 md/OpenJDK_64-Bit_Server_VM#21.0.8+9-LTS md/vendor#Eclipse_Adoptium md/en_US m/D,N,E`,
	"Google Gen AI for Python": `POST /v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse
Accept: */*
Content-Type: application/json
User-Agent: google-genai-sdk/1.41.0 gl-python/3.12.3
X-Goog-Api-Client: google-genai-sdk/1.41.0 gl-python/3.12.3
X-Goog-Api-Key: AIzaSyA-1234567890abcdefghijklmnopqrstu`,
	"Google for JavaScript, with a key in its address": `POST /v1beta/models/gemini-2.0-flash-001:generateContent?key=AIzaSyA-1234567890abcdefghijklmnopqrstu&$alt=json%3Benum-encoding%3Dint
Content-Type: application/json
User-Agent: node
X-Goog-Api-Client: gl-node/22.18.0 gapic/1.2.3 gax/4.3.8 rest/`,
	"tuned models of Google": `POST /v1beta/models/tunedModels%2Fmy-model-a1b2c3:generateContent
Content-Type: application/json; charset=UTF-8
User-Agent: google-api-nodejs-client/9.15.1
X-Goog-Request-Params: model=tunedModels%2Fmy-model-a1b2c3`,
	"Ollama": `POST /api/chat
Accept: application/x-ndjson
Content-Type: application/json
User-Agent: ollama-python/0.6.0 (x86_64 linux) Python/3.12.3`,
	"Ollama for Go": `POST /api/generate
Accept: application/x-ndjson
Content-Type: application/json
User-Agent: ollama/0.17.4 (amd64 linux) Go/go1.26.0`,
	"LangChain": `POST /v1/chat/completions
Accept: application/json
Content-Type: application/json
Http-Referer: https://app.example/
User-Agent: langchainjs-openai/1.0.0 ((node/v22.18.0; linux; x64))
X-Title: My App: notes & drafts`,
	"LiteLLM": `POST /v1/embeddings
Content-Type: application/json
User-Agent: litellm/1.77.7
X-Litellm-Tags: team-a,prod`,
	"AI SDK": `POST /v1/chat/completions
Content-Type: application/json
User-Agent: ai/5.0.60 ai-sdk/openai/2.0.42 ai-sdk/provider-utils/3.0.10 runtime/node.js/v22.18.0`,
	"an agent whose name is JSON": `POST /v1/chat/completions
Content-Type: application/json
X-Client-Info: {"bindings_version":"1.0.0","httplib":"requests","lang":"python","lang_version":"3.12.3","platform":"Linux-6.8.0-x86_64-with-glibc2.39","publisher":"openai","uname":"Linux host 6.8.0 #1 SMP x86_64"}
User-Agent: OpenAI/v1 PythonBindings/0.28.1`,
	"tracing": `POST /v1/chat/completions
Baggage: sentry-environment=production,sentry-release=1.2.3,sentry-trace_id=0af7651916cd43dd8448eb211c80319c,userId=alice
Content-Type: application/json
Sentry-Trace: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1
Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
Tracestate: congo=t61rcWkgMzE,rojo=00f067aa0ba902b7
User-Agent: python-httpx/0.28.1
X-Request-Id: 0b6e0a1e-7f8e-4b43-9d8e-5a4a1a0d2a11`,
	"behind proxies": `POST /v1/chat/completions
Cdn-Loop: cloudflare; loops=1
Cf-Connecting-Ip: 2001:db8::7
Cf-Ray: 8f1a2b3c4d5e6f70-FRA
Content-Type: application/json
Forwarded: for="[2001:db8:cafe::17]:4711";proto=https;by=203.0.113.43
User-Agent: Go-http-client/2.0
Via: 1.1 varnish, 1.1 google
X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678
X-Forwarded-For: 203.0.113.7, 10.0.0.1
X-Forwarded-Host: models.internal.example
X-Forwarded-Proto: https`,
	"curl": `GET /v1/models
Accept: */*
User-Agent: curl/8.5.0`,
	"Prometheus": `GET /metrics
Accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1
Accept-Encoding: gzip
User-Agent: Prometheus/3.6.0
X-Prometheus-Scrape-Timeout-Seconds: 10`,
	"Kubernetes": `GET /readyz
Accept: */*
Connection: close
User-Agent: kube-probe/1.34`,
	"HEAD of a monitor":             "HEAD /healthz\nUser-Agent: Uptime-Kuma/2.0.1",
	"nobody in particular":          "POST /v1/chat/completions\nContent-Type: application/json",
	"nobody who says what it sends": "POST /v1/chat/completions\nUser-Agent: Go-http-client/1.1",
	"curl -d":                       "POST /v1/chat/completions\nContent-Type: application/x-www-form-urlencoded\nUser-Agent: curl/8.5.0\nAccept: */*",
	"an answer that is kept":        "DELETE /v1/responses/resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b\nUser-Agent: OpenAI/Python 1.109.1",
	"a page of answers":             "GET /v1/responses/resp_67ccd2bed1ec/input_items?limit=20&order=desc&after=msg_67ccd2bed1ec&include[]=reasoning.encrypted_content\nUser-Agent: OpenAI/Python 1.109.1",
	"Presidio":                      "POST /analyze\nContent-Type: application/json\nUser-Agent: python-requests/2.32.5\nAccept: */*\nAccept-Encoding: gzip, deflate",
	"a model of a hub":              "POST /v1/models/hf.co%2Fbartowski%2FLlama-3.2-1B-Instruct-GGUF:generateContent\nContent-Type: application/json\nUser-Agent: x/1",
}

// What the libraries of the APIs send is never refused, and never noticed either.
func TestClientsPass(t *testing.T) {
	for _, paranoia := range []int{1, 2} {
		f := open(t, waf.Config{Paranoia: paranoia})
		for name, head := range clients {
			method, _, _ := strings.Cut(head, " ")
			body := `{"model":"m","messages":[{"role":"user","content":"hello"}]}`
			if method != http.MethodPost {
				body = ""
			}
			j := f.Door(request(t, head, body))
			if j.Refuse || j.Failed || paranoia == 1 && len(j.Findings) > 0 {
				t.Errorf("%s, at paranoia %d: refused %v: %+v", name, paranoia, j.Refuse, j.Matches)
			}
		}
	}
}

// priced are the names of the models whose prices are known.
func priced(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("../provider/prices/prices.json")
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Models map[string]any }
	if err := json.Unmarshal(b, &list); err != nil || len(list.Models) < 20 {
		t.Fatalf("%d models: %v", len(list.Models), err)
	}
	return slices.Collect(maps.Keys(list.Models))
}

// No name of a model looks like an attack, in any of the places where APIs have it.
func TestNamesOfModelsPass(t *testing.T) {
	f := open(t, waf.Config{})
	models := append(priced(t), "anthropic.claude-3-5-sonnet-20241022-v2%3A0", "llama3.2:1b-instruct-q4_K_M", "qwen2.5-coder:32b", "ft:gpt-4o-mini-2024-07-18:my-org:custom-suffix:AbCdEf12",
		"arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Ainference-profile%2Feu.anthropic.claude-sonnet-4-20250514-v1%3A0", "o1", "o3-mini", "deepseek-ai%2FDeepSeek-R1-Distill-Qwen-32B", "@cf%2Fmeta%2Fllama-3-8b-instruct", "gpt-4-32k-0613", "text-embedding-3-small")
	for _, m := range models {
		for _, route := range []string{"POST /model/%/converse", "POST /v1beta/models/%:generateContent", "POST /openai/deployments/%/chat/completions?api-version=2024-10-21", "GET /v1/models/%", "GET /v1/models?model=%"} {
			body := "{}"
			if strings.HasPrefix(route, "GET") {
				body = ""
			}
			r := request(t, strings.Replace(route, "%", m, 1)+"\nUser-Agent: x/1\nContent-Type: application/json", body)
			if j := f.Door(r); len(j.Findings) > 0 {
				t.Errorf("%s: %+v", r.URL, j.Matches)
			}
		}
	}
}
