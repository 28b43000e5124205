package anthropic_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/anthropic"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

const card = "4111 1111 1111 1111"

var messages, counting = anthropic.New(jsonedit.Limits{})

// everything has a text in each place of a request that a model may read.
const everything = `{
  "model": "claude", "max_tokens": 1024, "stream": false, "temperature": 0.2, "metadata": {"user_id": "u-%[1]d"}, "x_unknown": {"deep": ["%[2]d", 1.50, null]},
  "system": [{"type": "text", "text": "be kind %[3]d", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
  "thinking": {"type": "enabled", "budget_tokens": 2048},
  "messages": [
    {"role": "user", "content": "hello %[4]d"},
    {"role": "assistant", "content": [
      {"type": "text", "text": "I look %[5]d", "citations": [{"type": "char_location", "cited_text": "c %[6]d", "document_index": 0}]},
      {"type": "tool_use", "id": "toolu_1", "name": "pay", "input": {"card": "%[7]d", "n": 3, "list": ["a", "b%[8]d"]}},
      {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpP"},
      {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q %[9]d"}},
      {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"type": "web_search_result", "title": "t %[10]d", "url": "https://a.example/%[11]d", "encrypted_content": "EqgfCioIARgBIiQ3YTAwMjY1Mi1mZjM5LTQ1NGUtODgxNC1kNjNjNTk1ZWI3Y"}]}
    ]},
    {"role": "user", "content": [
      {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": false, "content": [{"type": "text", "text": "paid %[12]d"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}]},
      {"type": "tool_result", "tool_use_id": "toolu_2", "content": "plain %[13]d"},
      {"type": "image", "source": {"type": "url", "url": "https://b.example/%[14]d.png"}},
      {"type": "document", "title": "d %[15]d", "context": "k %[16]d", "source": {"type": "text", "media_type": "text/plain", "data": "data%[17]d"}, "citations": {"enabled": true}},
      {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "part %[18]d"}]}},
      {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQK"}},
      {"type": "search_result", "source": "s %[19]d", "title": "u %[20]d", "content": [{"type": "text", "text": "found %[21]d"}]},
      {"type": "text", "text": "bye \u0025[22]d %[22]d", "new_field": "%[23]d"}
    ]}
  ],
  "tools": [{"name": "pay", "description": "pays %[24]d", "input_schema": {"type": "object", "properties": {"card": {"type": "string", "description": "number %[25]d", "enum": ["e%[26]d"]}}}},
            {"type": "web_search_20250305", "name": "web_search", "user_location": {"type": "approximate", "city": "y%[27]d"}}],
  "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"description": "f %[28]d"}}}
}`

const places = 28

func filled(at int) []byte {
	out := everything
	for i := 1; i <= places; i++ {
		v := "zero"
		if i == at {
			v = card
		}
		out = strings.ReplaceAll(out, fmt.Sprintf("%%[%d]d", i), v)
	}
	return []byte(out)
}

// TestEveryTextIsLocated puts a card number into each of those places, and wants
// it to be found there and replaced there only.
func TestEveryTextIsLocated(t *testing.T) {
	for _, d := range []gateway.Dialect{messages, counting} {
		for at := 1; at <= places; at++ {
			body := filled(at)
			req, err := d.Read(nil, body)
			if err != nil {
				t.Fatal(err)
			}
			var changed []guard.Changed
			for i, text := range req.Texts() {
				if strings.Contains(text.Value, card) {
					changed = append(changed, guard.Changed{Index: i, Value: strings.ReplaceAll(text.Value, card, "{CARD}")})
				}
			}
			if len(changed) != 1 {
				t.Errorf("place %d: the card is in %d texts", at, len(changed))
				continue
			}
			got := req.Edit(changed)
			if want := bytes.ReplaceAll(body, []byte(card), []byte("{CARD}")); !sameJSON(got, want) {
				t.Errorf("place %d: got\n%s\nwant\n%s", at, got, want)
			}
			if got := slices.Sorted(slices.Values(req.Unseen())); !slices.Equal(got, []string{"document-part", "encrypted-part", "image-part", "redacted-thinking"}) {
				t.Errorf("Unseen() = %v", got)
			}
		}
	}
}

// sameJSON compares documents but for escapes.
func sameJSON(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	xs, _ := json.Marshal(x)
	ys, _ := json.Marshal(y)
	return bytes.Equal(xs, ys)
}

func TestUnknownFieldsSurviveByteForByte(t *testing.T) {
	body := []byte("{ \"zeta\":1.0e2 ,\"model\":\"m\",\"messages\" : [ {\"content\":\"my \\u0063ard\" , \"role\":\"user\",\"x\":{\"b\":1,\"a\":2}} ] ,\"n\":1}")
	req, err := messages.Read(nil, body)
	if err != nil {
		t.Fatal(err)
	}
	if got := req.Edit(nil); !bytes.Equal(got, body) {
		t.Errorf("an unchanged request became %s", got)
	}
	got := req.Edit([]guard.Changed{{Index: 0, Value: "x\"y"}})
	if want := bytes.Replace(body, []byte(`"my \u0063ard"`), []byte(`"x\"y"`), 1); !bytes.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	req.WithModel("other")
	if got := req.Edit(nil); !bytes.Equal(got, bytes.Replace(body, []byte(`"m"`), []byte(`"other"`), 1)) {
		t.Errorf("renamed: %s", got)
	}
}

func TestOrigins(t *testing.T) {
	req, err := messages.Read(nil, []byte(`{"model":"m","system":"s","messages":[
	 {"role":"system","content":"s2"},
	 {"role":"user","content":[{"type":"text","text":"u"},{"type":"document","source":{"type":"text","data":"d"}},{"type":"search_result","title":"r","content":[]}]},
	 {"role":"assistant","content":[{"type":"text","text":"a"},{"type":"thinking","thinking":"h","signature":"c2ln"},{"type":"tool_use","id":"c","name":"f","input":{"k":"i"}},{"type":"web_fetch_tool_result","content":{"type":"web_fetch_result","content":{"type":"document","source":{"type":"text","data":"w"}}}},{"type":"bash_code_execution_tool_result","content":{"stdout":"b"}}]},
	 {"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"t"},{"type":"document","title":"e"}]}]}],
	 "tools":[{"name":"g","description":"p"}],"zzz":"?"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]ringwall.Origin{
		"s": ringwall.System, "s2": ringwall.System, "u": ringwall.User, "d": ringwall.Retrieved, "r": ringwall.Retrieved,
		"a": ringwall.Assistant, "h": ringwall.Assistant, "f": ringwall.Assistant, "i": ringwall.Assistant, "w": ringwall.Retrieved, "b": ringwall.Tool,
		"t": ringwall.Tool, "e": ringwall.Retrieved, "g": ringwall.System, "p": ringwall.System, "?": ringwall.Unverified,
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

func TestReadRefuses(t *testing.T) {
	ok := `{"role":"user","content":"x"}`
	for _, tt := range []struct{ name, body, says string }{
		{"no JSON", `{"model"`, "line 1, column 9"},
		{"an array", `[]`, "an object should stand here"},
		{"no model", `{"messages":[` + ok + `]}`, "model: a string is required"},
		{"no messages", `{"model":"m"}`, "messages: an array is required"},
		{"no message", `{"model":"m","messages":[]}`, "at least one message"},
		{"an unknown role", `{"model":"m","messages":[{"role":"tool","content":"x"}]}`, `messages[0].role: want system, user or assistant, not "tool" at line 1, column 34`},
		{"a string for a message", `{"model":"m","messages":["x"]}`, "messages[0]: an object should stand here, not string"},
		{"a number for content", `{"model":"m","messages":[{"role":"user","content":7}]}`, "messages[0].content"},
		{"a string among blocks", `{"model":"m","messages":[{"role":"user","content":["x"]}]}`, "messages[0].content[0]"},
		{"a block without a type", `{"model":"m","messages":[{"role":"user","content":[{"text":"x"}]}]}`, "messages[0].content[0].type"},
		{"a number for instructions", `{"model":"m","system":7,"messages":[` + ok + `]}`, "system: a string or an array"},
		{"a word for stream", `{"model":"m","stream":"yes","messages":[` + ok + `]}`, "stream: true or false"},
		{"a duplicate key", `{"model":"m","messages":[],"messages":[` + ok + `]}`, "duplicate key"},
		{"a NUL", `{"model":"m","messages":[{"role":"user","content":"\u0000"}]}`, "NUL"},
		{"10,000 arrays", `{"model":"m","messages":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + `}`, "nested too deeply"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := messages.Read(nil, []byte(tt.body))
			var r *ringwall.Refusal
			if !errors.As(err, &r) || r.Status != 400 || !strings.Contains(r.Public, tt.says) {
				t.Fatalf("Read() = %v, want 400 with %q", err, tt.says)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		status     int
		code, want string
	}{
		{400, "invalid_request", "invalid_request_error"},
		{400, "model_not_found", "not_found_error"},
		{401, "invalid_api_key", "authentication_error"},
		{403, "forbidden", "permission_error"},
		{404, "model_not_found", "not_found_error"},
		{413, "request_too_large", "request_too_large"},
		{429, "upstream_rate_limit", "rate_limit_error"},
		{500, "internal_error", "api_error"},
		{502, "upstream_error", "api_error"},
		{503, "guard_unavailable", "api_error"},
		{503, "overloaded", "overloaded_error"},
		{503, "upstream_overloaded", "overloaded_error"},
		{504, "upstream_timeout", "timeout_error"},
	} {
		h := http.Header{}
		var shape struct {
			Type  string
			Error struct{ Type, Message string }
			ID    string `json:"request_id"`
		}
		body := messages.AppendError(nil, h, &ringwall.Refusal{Status: tt.status, Code: tt.code, Public: "No."}, "x1")
		if err := json.Unmarshal(body, &shape); err != nil || shape.Type != "error" || shape.Error.Type != tt.want || shape.Error.Message != "No. (reference x1)" || shape.ID != "x1" || h.Get("request-id") != "x1" {
			t.Errorf("%d %s: %s, %v", tt.status, tt.code, body, err)
		}
	}
}

func TestCredential(t *testing.T) {
	for _, tt := range []struct{ key, bearer, want, err string }{
		{"", "", "", ""},
		{"rw_a", "", "rw_a", ""},
		{"", "Bearer rw_a", "rw_a", ""},
		{"rw_a", "Bearer rw_a", "rw_a", ""},
		{"rw_a", "Bearer rw_b", "", "different keys"},
		{"rw_a", "Basic rw_a", "", "Bearer"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/v1/messages", nil)
		r.Header.Set("x-api-key", tt.key)
		r.Header.Set("Authorization", tt.bearer)
		got, err := messages.Credential(r)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%q and %q: %q, %v", tt.key, tt.bearer, got, err)
		}
	}
}

func TestHeadersGoOn(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/v1/messages?beta=true", nil)
	r.Header.Set("anthropic-version", "2023-06-01")
	r.Header.Add("anthropic-beta", "a-1")
	r.Header.Add("anthropic-beta", "b-2,c-3")
	r.Header.Set("x-api-key", "rw_secret")
	req, err := messages.Read(r, []byte(`{"model":"m","messages":[{"role":"user","content":"x"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	h := req.Header()
	if len(h) != 2 || h["anthropic-version"] != "2023-06-01" || h["anthropic-beta"] != "a-1,b-2,c-3" {
		t.Errorf("Header() = %v", h)
	}
}

// A thought that is changed, or was before, is left out: nobody could prove it.
func TestChangedThoughtsAreLeftOut(t *testing.T) {
	const ask = `{"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":[%s]}]}`
	thought := `{"type":"thinking","thinking":"card ` + card + `","signature":"c2ln"}`
	mine := `{"type":"thinking","thinking":"card {CARD}","signature":"ringwall-unsigned"}`
	kept := `{"type":"thinking","thinking":"fine","signature":"c2ln"}`
	text := `{"type":"text","text":"hi"}`
	for _, tt := range []struct{ name, have, want string }{
		{"first", thought + ", " + text, text},
		{"last", text + " , " + thought, text},
		{"in between", kept + "," + thought + "," + text, kept + "," + text},
		{"two at the beginning", mine + "," + thought + "," + text, text},
		{"all of it", mine + "," + thought, `{"type":"text","text":"…"}`},
		{"one that was masked in an answer", mine + "," + text, text},
		{"none", kept + "," + text, kept + "," + text},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := messages.Read(nil, fmt.Appendf(nil, ask, tt.have))
			if err != nil {
				t.Fatal(err)
			}
			var changed []guard.Changed
			for i, text := range req.Texts() {
				if strings.Contains(text.Value, card) {
					changed = append(changed, guard.Changed{Index: i, Value: "card {CARD}"})
				}
			}
			if got, want := req.Edit(changed), fmt.Appendf(nil, ask, tt.want); !sameJSON(got, want) {
				t.Errorf("%s\nwant %s", got, want)
			}
		})
	}
}

func TestAnswerIsWithheld(t *testing.T) {
	a, err := messages.Answer(nil, []byte(`{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"secret"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":4,"cache_read_input_tokens":5,"cache_creation_input_tokens":6}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"No."}],"stop_reason":"refusal","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":4,"cache_read_input_tokens":5,"cache_creation_input_tokens":6}}`
	if got := a.Withhold(gateway.Declined{Message: "No."}); !sameJSON(got, []byte(want)) {
		t.Errorf("%s", got)
	}
	if u := a.Usage(); u != (ringwall.Usage{InputTokens: 14, OutputTokens: 4, CachedTokens: 5, CachingTokens: 6}) {
		t.Errorf("Usage() = %+v", u)
	}
}

func TestDeclinedIsAnAnswer(t *testing.T) {
	for _, stream := range []string{"false", "true"} {
		req, err := messages.Read(nil, []byte(`{"model":"claude","stream":`+stream+`,"messages":[{"role":"user","content":"x"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		out := messages.Declined(req, gateway.Declined{ID: "x1", Message: "No."})
		if stream == "true" {
			out = collect(t, out).message(t)
		}
		want := `{"id":"msg_x1","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"No."}],"stop_reason":"refusal","stop_sequence":null,"usage":{"input_tokens":0,"output_tokens":0}}`
		if !sameJSON(out, []byte(want)) {
			t.Errorf("stream %s: %s", stream, out)
		}
	}
}

func TestCounting(t *testing.T) {
	a, err := counting.Answer(nil, []byte(`{"input_tokens": 42, "note":"`+card+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	if texts := a.Texts(); len(texts) != 1 || texts[0].Value != card {
		t.Errorf("Texts() = %v", texts)
	}
	if got := a.Withhold(gateway.Declined{}); string(got) != `{"input_tokens":42}` {
		t.Errorf("withheld: %s", got)
	}
	if _, err := counting.Answer(nil, []byte(`{"output_tokens":1}`)); err == nil {
		t.Error("an answer without a number is taken")
	}
	req, err := counting.Read(nil, []byte(`{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}`))
	if err != nil || req.Stream() {
		t.Errorf("a number comes as a stream: %v", err)
	}
	if _, ok := gateway.Dialect(counting).(gateway.Decliner); ok {
		t.Error("a declined prompt is counted")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(string(filled(0)))
	f.Add(`{"model":"m","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"a\u0062","signature":"ringwall-unsigned"},{"type":"tool_use","input":{"a":["b",1]}}]}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		req, err := messages.Read(nil, []byte(body))
		if err != nil {
			return
		}
		if !json.Valid([]byte(body)) {
			t.Fatal("accepted what is no JSON")
		}
		const now = "masked \" \\ \n é"
		var all []guard.Changed
		for i := range req.Texts() {
			all = append(all, guard.Changed{Index: i, Value: now})
		}
		out := req.Edit(all)
		again, err := messages.Read(nil, out)
		if err != nil {
			t.Fatalf("an edited request cannot be read: %v\n%s", err, out)
		}
		for _, text := range again.Texts() {
			if text.Value != now && text.Value != "…" {
				t.Fatalf("%s was not replaced: %q\n%s", text.Path, text.Value, out)
			}
		}
	})
}
