package bedrock_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/bedrock"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/secret"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/word"
)

const card = "4111 1111 1111 1111"

func post(path string) *http.Request { return httptest.NewRequest(http.MethodPost, path, nil) }

func converse(t testing.TB, body string) gateway.Request {
	t.Helper()
	req, err := bedrock.Converse{}.Read(post("/model/m/converse"), []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// everyPlace checks that a card number is found in each of the numbered places of
// a document, %[1]d and on, and that it is replaced there only.
func everyPlace(t *testing.T, doc string, read func(body []byte) (texts []ringwall.Text, edit func([]guard.Changed) []byte)) {
	t.Helper()
	places := strings.Count(doc, "%[")
	for at := 1; at <= places; at++ {
		out := doc
		for i := 1; i <= places; i++ {
			v := "zero"
			if i == at {
				v = card
			}
			out = strings.ReplaceAll(out, fmt.Sprintf("%%[%d]d", i), v)
		}
		texts, edit := read([]byte(out))
		var changed []guard.Changed
		for i, text := range texts {
			if strings.Contains(text.Value, card) {
				changed = append(changed, guard.Changed{Index: i, Value: strings.ReplaceAll(text.Value, card, "{CARD}")})
			}
		}
		if len(changed) != 1 {
			t.Errorf("place %d: the card is in %d texts", at, len(changed))
			continue
		}
		same(t, edit(changed), []byte(strings.ReplaceAll(out, card, "{CARD}")))
	}
}

func same(t testing.TB, got, want []byte) {
	t.Helper()
	var a, b any
	if err := errors.Join(json.Unmarshal(got, &a), json.Unmarshal(want, &b)); err != nil {
		t.Fatalf("%v\n%s\n%s", err, got, want)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestEveryTextOfARequestIsLocated(t *testing.T) {
	const doc = `{
	  "system": [{"text": "be kind %[1]d"}, {"cachePoint": {"type": "default"}}, {"guardContent": {"text": {"text": "g %[2]d"}}}],
	  "messages": [
	    {"role": "user", "content": [
	      {"text": "hello %[3]d"},
	      {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}},
	      {"document": {"format": "pdf", "name": "n %[4]d", "context": "c %[5]d", "source": {"bytes": "JVBERi0="}, "citations": {"enabled": true}}},
	      {"document": {"format": "txt", "name": "m", "source": {"text": "d %[6]d"}}},
	      {"document": {"format": "txt", "name": "m", "source": {"content": [{"text": "e %[7]d"}]}}},
	      {"guardContent": {"text": {"text": "s %[8]d", "qualifiers": ["grounding_source"]}}},
	      {"searchResult": {"source": "https://x.example/%[9]d", "title": "t %[10]d", "content": [{"text": "r %[11]d"}]}},
	      {"newBlock": {"type": "short", "deep": ["u %[12]d", 1.50]}}
	    ]},
	    {"role": "assistant", "content": [
	      {"reasoningContent": {"reasoningText": {"text": "hm %[13]d"}}},
	      {"reasoningContent": {"redactedContent": "AAAA"}},
	      {"citationsContent": {"content": [{"text": "as %[14]d"}], "citations": [{"title": "ti %[15]d", "sourceContent": [{"text": "so %[16]d"}], "location": {"web": {"url": "https://x.example/%[17]d"}}}]}},
	      {"toolUse": {"toolUseId": "t1", "name": "pay", "input": {"type": "v %[18]d", "list": [{"a": "w %[19]d"}]}}}
	    ]},
	    {"role": "user", "x": "y %[20]d", "content": [
	      {"toolResult": {"toolUseId": "t1", "status": "success", "content": [{"json": {"status": "z %[21]d"}}, {"text": "q %[22]d"}, {"document": {"format": "txt", "name": "m", "source": {"text": "o %[23]d"}}}]}}
	    ]}
	  ],
	  "inferenceConfig": {"maxTokens": 5, "stopSequences": ["END"]},
	  "toolConfig": {"tools": [{"toolSpec": {"name": "pay", "description": "pays %[24]d", "inputSchema": {"json": {"type": "object", "properties": {"card": {"type": "string", "description": "k %[25]d"}}}}}}], "toolChoice": {"auto": {}}},
	  "outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"name": "r", "description": "f %[26]d", "schema": "{\"type\":\"object\",\"description\":\"l %[27]d\"}"}}}},
	  "additionalModelRequestFields": {"top_k": 3, "suffix": "i %[28]d"},
	  "requestMetadata": {"team": "j %[29]d"},
	  "newField": ["%[30]d"]
	}`
	everyPlace(t, doc, func(body []byte) ([]ringwall.Text, func([]guard.Changed) []byte) {
		req := converse(t, string(body))
		if got := fmt.Sprint(req.Unseen()); got != "[image-part document-part signed-reasoning]" {
			t.Errorf("Unseen() = %v", got)
		}
		return req.Texts(), req.Edit
	})
}

func TestEveryTextOfAnAnswerIsLocated(t *testing.T) {
	const doc = `{"output": {"message": {"role": "assistant", "content": [
	    {"text": "hello %[1]d"}, {"reasoningContent": {"reasoningText": {"text": "hm %[2]d"}}},
	    {"toolUse": {"toolUseId": "t1", "name": "pay %[3]d", "input": {"card": "%[4]d"}}},
	    {"citationsContent": {"content": [{"text": "%[5]d"}], "citations": [{"title": "%[6]d"}]}}], "new": "%[7]d"}},
	  "stopReason": "end_turn", "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 10, "cacheReadInputTokens": 3, "cacheWriteInputTokens": 4},
	  "metrics": {"latencyMs": 5}, "additionalModelResponseFields": {"stop_sequence": "%[8]d"}, "trace": {"guardrail": {"modelOutput": ["%[9]d"]}}}`
	everyPlace(t, doc, func(body []byte) ([]ringwall.Text, func([]guard.Changed) []byte) {
		a, err := bedrock.Converse{}.Answer(nil, body)
		if err != nil {
			t.Fatal(err)
		}
		if u := a.Usage(); u != (ringwall.Usage{InputTokens: 8, OutputTokens: 2, CachedTokens: 3, CachingTokens: 4}) {
			t.Errorf("Usage() = %+v", u)
		}
		return a.Texts(), a.Edit
	})
}

func TestUnknownFieldsSurviveByteForByte(t *testing.T) {
	body := []byte("{ \"zeta\":1.0e2 ,\"messages\" : [ {\"content\":[{\"text\":\"my \\u0063ard\" }], \"role\":\"user\",\"x\":{\"b\":1,\"a\":2}} ] ,\"n\":1}")
	req := converse(t, string(body))
	if got := req.Edit(nil); !bytes.Equal(got, body) {
		t.Errorf("an unchanged request became %s", got)
	}
	got := req.Edit([]guard.Changed{{Index: 0, Value: "x\"y"}})
	if want := bytes.Replace(body, []byte(`"my \u0063ard"`), []byte(`"x\"y"`), 1); !bytes.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTheGuardrailOfACallerStaysHere(t *testing.T) {
	for _, tt := range []struct{ config, ref string }{
		{`{"guardrailIdentifier":"shop","guardrailVersion":"DRAFT"}`, "shop@draft"},
		{`{"guardrailIdentifier":"arn:aws:bedrock:eu-west-1:123456789012:guardrail/shop","guardrailVersion":"2","trace":"enabled"}`, "shop@2"},
		{`{"guardrailIdentifier":"shop"}`, "shop"},
		{`{"trace":"enabled"}`, ""},
	} {
		req := converse(t, `{"messages":[{"role":"user","content":[{"text":"x"}]}],"guardrailConfig":`+tt.config+`}`)
		if n, ok := req.(gateway.Named); !ok || n.Guardrail() != tt.ref {
			t.Errorf("%s: %+v", tt.config, n.Guardrail())
		}
		if got := string(req.Edit(nil)); got != `{"messages":[{"role":"user","content":[{"text":"x"}]}]}` {
			t.Errorf("%s leaves as %s", tt.config, got)
		}
	}
}

func TestChangedReasoningLosesItsProof(t *testing.T) {
	const message = `{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"one","signature":"S1"}}},{"reasoningContent":{"reasoningText":{"text":"two","signature":"S2"}}}]}`
	req := converse(t, `{"messages":[`+message+`]}`)
	if len(req.Texts()) != 2 {
		t.Fatalf("texts %v", req.Texts())
	}
	if got := string(req.Edit([]guard.Changed{{Index: 1, Value: "2"}})); !strings.Contains(got, `"signature":"S1"`) || strings.Contains(got, "S2") {
		t.Errorf("the request became %s", got)
	}
	a, err := bedrock.Converse{}.Answer(req, []byte(`{"output":{"message":`+message+`},"stopReason":"end_turn"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(a.Edit([]guard.Changed{{Index: 0, Value: "1"}})); strings.Contains(got, "S1") || !strings.Contains(got, `"signature":"S2"`) {
		t.Errorf("the answer became %s", got)
	}
}

func TestOrigins(t *testing.T) {
	req := converse(t, `{"system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"u"},{"document":{"name":"n","source":{"text":"d"}}},{"guardContent":{"text":{"text":"g","qualifiers":["grounding_source"]}}},{"searchResult":{"title":"sr"}}]},{"role":"assistant","content":[{"text":"a"},{"toolUse":{"name":"f","input":{"k":"i"}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"x","content":[{"text":"t"},{"json":"j"}]}}]}],"toolConfig":{"tools":[{"toolSpec":{"description":"td"}}]},"zzz":"?"}`)
	want := map[string]ringwall.Origin{
		"s": ringwall.System, "u": ringwall.User, "n": ringwall.Retrieved, "d": ringwall.Retrieved, "g": ringwall.Retrieved, "sr": ringwall.Retrieved,
		"a": ringwall.Assistant, "f": ringwall.Assistant, "i": ringwall.Assistant, "t": ringwall.Tool, "j": ringwall.Tool, "td": ringwall.System, "?": ringwall.Unverified,
	}
	for _, text := range req.Texts() {
		if o, ok := want[text.Value]; !ok || o != text.Origin {
			t.Errorf("%s %q is of origin %s, want %s", text.Path, text.Value, text.Origin, o)
		}
		delete(want, text.Value)
	}
	for text := range want {
		t.Errorf("%q was not located", text)
	}
}

func TestReadsTheModelFromThePath(t *testing.T) {
	const body = `{"messages":[{"role":"user","content":[{"text":"x"}]}]}`
	mux := http.NewServeMux()
	var req gateway.Request
	var err error
	read := func(_ http.ResponseWriter, r *http.Request) { req, err = bedrock.Converse{}.Read(r, []byte(body)) }
	mux.HandleFunc("POST /model/{modelId}/converse", read)
	mux.HandleFunc("POST /model/{modelId}/converse-stream", read)
	for _, tt := range []struct {
		path, model string
		stream      bool
	}{
		{"/model/m/converse", "m", false},
		{"/model/anthropic.claude-v2%3A0/converse-stream", "anthropic.claude-v2:0", true},
		{"/model/anthropic.claude-v2:0/converse", "anthropic.claude-v2:0", false},
		{"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x/converse", "arn:aws:bedrock:us-east-1:1:inference-profile/us.x", false},
	} {
		req, err = nil, nil
		mux.ServeHTTP(httptest.NewRecorder(), post(tt.path))
		if err != nil || req == nil || req.Model() != tt.model || req.Stream() != tt.stream {
			t.Errorf("%s: %+v, %v", tt.path, req, err)
		}
	}
	for _, path := range []string{"/model/%20/converse", "/model/a%00b/converse", "/model/" + strings.Repeat("a", 3000) + "/converse", "/model/%C3%A9/converse"} {
		if _, err := (bedrock.Converse{}).Read(post(path), []byte(body)); err == nil {
			t.Errorf("%.40s was accepted", path)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	const ok = `{"role":"user","content":[{"text":"x"}]}`
	for _, tt := range []struct{ name, body, says string }{
		{"no JSON", `{"messages"`, "line 1, column 12"},
		{"an array", `[]`, "an object should stand here"},
		{"no messages", `{"system":[]}`, "messages: an array is required"},
		{"no message", `{"messages":[]}`, "at least one message"},
		{"an unknown role", `{"messages":[{"role":"system","content":[]}]}`, `messages[0].role: want user or assistant, not "system" at line 1, column 22`},
		{"a string for a message", `{"messages":["x"]}`, "messages[0]: an object should stand here, not string"},
		{"a string for content", `{"messages":[{"role":"user","content":"x"}]}`, "messages[0].content: an array of blocks"},
		{"a string among blocks", `{"messages":[{"role":"user","content":["x"]}]}`, "messages[0].content[0]"},
		{"a string for system", `{"system":"x","messages":[` + ok + `]}`, "system: an array of blocks"},
		{"a string for tools", `{"toolConfig":"x","messages":[` + ok + `]}`, "toolConfig: an object"},
		{"a number for a guardrail", `{"guardrailConfig":{"guardrailIdentifier":7},"messages":[` + ok + `]}`, "guardrailConfig.guardrailIdentifier"},
		{"an unknown word about guardrails", `{"guardrailConfig":{"off":true},"messages":[` + ok + `]}`, `there is no "off"`},
		{"a duplicate key", `{"messages":[],"messages":[` + ok + `]}`, "duplicate key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := bedrock.Converse{}.Read(post("/model/m/converse"), []byte(tt.body))
			var r *ringwall.Refusal
			if !errors.As(err, &r) || r.Status != 400 || !strings.Contains(r.Public, tt.says) {
				t.Fatalf("Read() = %v, want 400 with %q", err, tt.says)
			}
		})
	}
}

func TestErrorsAreBedrocks(t *testing.T) {
	for status, kind := range map[int]string{
		400: "ValidationException", 401: "AccessDeniedException", 403: "AccessDeniedException", 404: "ResourceNotFoundException",
		408: "ModelTimeoutException", 413: "ValidationException", 429: "ThrottlingException", 500: "InternalServerException",
		502: "ModelErrorException", 503: "ServiceUnavailableException", 504: "ModelTimeoutException",
	} {
		h := http.Header{}
		body := bedrock.Converse{}.AppendError(nil, h, &ringwall.Refusal{Status: status, Public: "So it is."}, "x1")
		if h.Get("x-amzn-ErrorType") != kind || h.Get("x-amzn-RequestId") != "x1" || string(body) != `{"message":"So it is. (reference x1)"}` {
			t.Errorf("%d: %v %s", status, h, body)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"a\u0062"},{"toolResult":{"content":[{"json":{"a":1}}]}},{"reasoningContent":{"reasoningText":{"text":"a","signature":"b"}}}]}],"guardrailConfig":{}}`)
	f.Add(`{"messages":[{"role":"user","content":[{"document":[1],"toolUse":"x","citationsContent":{"citations":["y",{"sourceContent":"z"}]}}]}],"outputConfig":{"textFormat":{"structure":{"jsonSchema":{"schema":"{\"a\":\"b\"}"}}}}}`)
	f.Fuzz(func(t *testing.T, body string) {
		req, err := bedrock.Converse{}.Read(post("/model/m/converse"), []byte(body))
		if err != nil {
			return
		}
		var all []guard.Changed
		for i := range req.Texts() {
			all = append(all, guard.Changed{Index: i, Value: "masked \" \\ \n é"})
		}
		out := req.Edit(all)
		again, err := bedrock.Converse{}.Read(post("/model/m/converse"), out)
		if err != nil {
			t.Fatalf("an edited request cannot be read: %v\n%s", err, out)
		}
		for _, text := range again.Texts() {
			if text.Value != "masked \" \\ \n é" {
				t.Fatalf("%s was not replaced: %q\n%s", text.Path, text.Value, out)
			}
		}
	})
}

// maskAll is a guardrail that masks what it notices.
func maskAll(t testing.TB) *guard.Guard {
	mask := &guard.Actions{Default: ringwall.Mask}
	g, err := guard.New(guard.Config{Name: "mask", Rules: []guard.Rule{
		{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Output: mask},
		{Control: secret.Control, Scanners: []stream.Scanner{secret.Scanner{}}, Output: mask},
		{Control: word.Control, Scanners: words(t), Output: mask},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestTheQuestionIsWhatIsMarkedAsOne(t *testing.T) {
	req := converse(t, `{"messages":[{"role":"user","content":[{"text":"u"},{"guardContent":{"text":{"text":"q","qualifiers":["query","guard_content"]}}},{"guardContent":{"text":{"text":"g"}}}]}]}`)
	q, _ := req.(gateway.Qualified)
	if got := q.Query(); len(got) != 1 || req.Texts()[got[0]].Value != "q" {
		t.Errorf("the question is %v of %+v", got, req.Texts())
	}
}

func words(t testing.TB) []stream.Scanner {
	words, err := word.New(word.List{Words: []string{"bluebird"}})
	if err != nil {
		t.Fatal(err)
	}
	return []stream.Scanner{words}
}

func opener(g *guard.Guard) gateway.Open {
	looks := g.Looks(ringwall.Output)
	return func(path string) gateway.Channel {
		return g.Channel(guard.Session{Way: ringwall.Output}, ringwall.Text{Path: path, Origin: ringwall.Assistant}, looks)
	}
}

func TestDocumentsThatAreTextsAreRead(t *testing.T) {
	in := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	doc := func(format, data string) string {
		return `{"messages":[{"role":"user","content":[{"document":{"format":"` + format + `","source":{"bytes":"` + data + `"}}}]}]}`
	}
	req := converse(t, doc("csv", in("a,"+card)))
	if texts := req.Texts(); len(texts) != 1 || texts[0].Value != "a,"+card || texts[0].Origin != ringwall.Retrieved || len(req.Unseen()) != 0 {
		t.Fatalf("texts %+v, unseen %v", texts, req.Unseen())
	}
	if got := string(req.Edit([]guard.Changed{{Index: 0, Value: "a,{CARD}"}})); got != doc("csv", in("a,{CARD}")) {
		t.Errorf("the request became %s", got)
	}
	for _, body := range []string{doc("pdf", in("text")), doc("txt", "no base64"), doc("txt", in("\xff\xfe"))} {
		if req := converse(t, body); len(req.Texts()) != 0 || len(req.Unseen()) != 1 || req.Unseen()[0] != "document-part" {
			t.Errorf("%s: texts %+v, unseen %v", body, req.Texts(), req.Unseen())
		}
	}
}

// What stands where it should not is looked at all the same.
func TestTextsInOddPlacesAreLocated(t *testing.T) {
	const ok = `{"role":"user","content":[]}`
	for _, body := range []string{
		`{"messages":[` + ok + `],"inferenceConfig":"odd"}`,
		`{"messages":[{"role":"user","content":[{"document":{"format":"txt","source":"odd"}}]}]}`,
		`{"messages":[{"role":"user","content":[{"document":"odd"}]}]}`,
		`{"messages":[{"role":"user","content":[{"toolUse":"odd"}]}]}`,
		`{"messages":[{"role":"user","content":[{"toolResult":"odd"}]}]}`,
		`{"messages":[{"role":"user","content":[{"toolResult":{"content":"odd"}}]}]}`,
		`{"messages":[{"role":"user","content":[{"toolResult":{"content":["odd"]}}]}]}`,
		`{"messages":[{"role":"user","content":[{"reasoningContent":"odd"}]}]}`,
		`{"messages":[{"role":"user","content":[{"guardContent":"odd"}]}]}`,
		`{"messages":[{"role":"user","content":[{"citationsContent":{"citations":["odd"]}}]}]}`,
		`{"messages":[{"role":"user","content":[{"citationsContent":"odd"}]}]}`,
		`{"messages":[{"role":"user","content":[{"image":"odd"}]}]}`,
		`{"messages":[` + ok + `],"system":["odd"]}`,
		`{"messages":[` + ok + `],"toolConfig":{"tools":"odd"}}`,
		`{"messages":[` + ok + `],"amazon-bedrock-guardrailConfig":"odd"}`,
	} {
		if texts := converse(t, body).Texts(); len(texts) != 1 || texts[0].Value != "odd" {
			t.Errorf("%s: %+v", body, texts)
		}
	}
}
