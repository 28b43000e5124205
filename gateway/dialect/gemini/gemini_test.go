package gemini_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/gemini"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/secret"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/word"
)

const card = "4111 1111 1111 1111"

// asked is a request to a method, as the mux gives it.
func asked(call, query string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/v1beta/models/m:x"+query, nil)
	r.SetPathValue("call", call)
	return r
}

func read(body string) (gateway.Request, error) {
	return gemini.Dialect{}.Read(asked("gemini-2.5-pro:generateContent", ""), []byte(body))
}

// TestEveryTextIsLocated puts a card number into each place of a request that a
// model may read, and wants it to be found there, of the right origin, and replaced
// there only.
func TestEveryTextIsLocated(t *testing.T) {
	const doc = `{
	  "systemInstruction": {"parts": [{"text": "be kind %[1]d"}]},
	  "contents": [
	    {"role": "user", "parts": [{"text": "hello %[2]d"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, {"fileData": {"mimeType": "video/mp4", "fileUri": "https://x.example/%[3]d"}}]},
	    {"role": "model", "parts": [{"text": "hm %[4]d", "thought": true, "thoughtSignature": "c2lnbg=="}, {"functionCall": {"id": "f1", "name": "pay", "args": {"card": "%[5]d", "n": 3, "list": ["a", "b%[6]d"]}}}]},
	    {"role": "user", "parts": [{"functionResponse": {"id": "f1", "name": "pay", "response": {"output": "r %[7]d"}, "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}}]},
	    {"role": "model", "parts": [{"executableCode": {"language": "PYTHON", "code": "print('%[8]d')"}}, {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "%[9]d"}}]},
	    {"parts": {"text": "bye \u0025[10]d %[10]d", "new_field": "%[11]d"}, "x": "%[12]d"}
	  ],
	  "tools": [{"functionDeclarations": [{"name": "pay", "description": "pays %[13]d", "parameters": {"type": "OBJECT", "properties": {"card": {"type": "STRING", "description": "number %[14]d", "enum": ["e%[15]d"]}, "user_id": {}, "userId": {}}}}]}],
	  "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["%[16]d"]}},
	  "generationConfig": {"temperature": 0.5, "stopSequences": ["END"], "responseMimeType": "application/json", "responseSchema": {"type": "STRING", "description": "d %[17]d"}},
	  "cachedContent": "c %[18]d", "x_unknown": {"deep": ["%[19]d", 1.50, null]},
	  "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
	}`
	origins := []ringwall.Origin{
		ringwall.System, ringwall.User, ringwall.User, ringwall.Assistant, ringwall.Assistant, ringwall.Assistant, ringwall.Tool, ringwall.Assistant, ringwall.Tool,
		ringwall.User, ringwall.User, ringwall.User, ringwall.System, ringwall.System, ringwall.System, ringwall.System, ringwall.System, ringwall.Unverified, ringwall.Unverified,
	}
	for at := 1; at <= len(origins); at++ {
		body := doc
		for i := range origins {
			v := "zero"
			if i+1 == at {
				v = card
			}
			body = strings.ReplaceAll(body, fmt.Sprintf("%%[%d]d", i+1), v)
		}
		req, err := read(body)
		if err != nil {
			t.Fatal(err)
		}
		var changed []guard.Changed
		for i, text := range req.Texts() {
			if strings.Contains(text.Value, card) {
				changed = append(changed, guard.Changed{Index: i, Value: strings.ReplaceAll(text.Value, card, "{CARD}")})
				if text.Origin != origins[at-1] {
					t.Errorf("%s is of origin %s, want %s", text.Path, text.Origin, origins[at-1])
				}
			}
		}
		if len(changed) != 1 {
			t.Errorf("place %d: the card is in %d texts", at, len(changed))
			continue
		}
		if got := req.Edit(changed); !bytes.Equal(got, []byte(strings.ReplaceAll(body, card, "{CARD}"))) && at != 10 {
			t.Errorf("place %d: got\n%s", at, got)
		}
		for _, kind := range []string{"image-part", "file-part", "thought-signature", "cached-content"} {
			if !strings.Contains(strings.Join(req.Unseen(), " "), kind) {
				t.Errorf("Unseen() = %v, want %s", req.Unseen(), kind)
			}
		}
	}
}

func TestTextInDisguiseIsText(t *testing.T) {
	req, err := read(`{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"do as I say"}},{"text":"x","thoughtSignature":"do as I say"},{"text":"x","mimeType":"` + strings.Repeat("do as I say ", 20) + `"}]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, text := range req.Texts() {
		if strings.HasPrefix(text.Value, "do as I say") {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d of 3 are texts: %v", n, req.Texts())
	}
}

func TestUnknownFieldsSurviveByteForByte(t *testing.T) {
	body := "{ \"zeta\":1.0e2 ,\"model\":\"models/gemini-2.5-pro\",\"contents\" : [ {\"parts\":[{\"text\":\"my \\u0063ard\" , \"x\":{\"b\":1,\"a\":2}}]} ] ,\"n\":1}"
	req, err := read(body)
	if err != nil {
		t.Fatal(err)
	}
	if req.Model() != "gemini-2.5-pro" || req.Stream() {
		t.Errorf("Model() = %s", req.Model())
	}
	if got := req.Edit(nil); string(got) != body {
		t.Errorf("an unchanged request became %s", got)
	}
	if got := req.Edit([]guard.Changed{{Index: 0, Value: "x\"y"}}); string(got) != strings.Replace(body, `"my \u0063ard"`, `"x\"y"`, 1) {
		t.Errorf("got %s", got)
	}
	req.WithModel("other")
	if got := req.Edit(nil); string(got) != strings.Replace(body, `gemini-2.5-pro`, `other`, 1) {
		t.Errorf("renamed: %s", got)
	}
}

func TestReadRefuses(t *testing.T) {
	const ok = `"contents":[{"parts":[{"text":"x"}]}]`
	for _, tt := range []struct {
		name, call, query, body string
		status                  int
		says                    string
	}{
		{"no JSON", "m:generateContent", "", `{"contents"`, 400, "line 1"},
		{"an array", "m:generateContent", "", `[]`, 400, "an object should stand here"},
		{"no contents", "m:generateContent", "", `{}`, 400, "contents: an array is required"},
		{"no content", "m:generateContent", "", `{"contents":[]}`, 400, "at least one content"},
		{"a string for a content", "m:generateContent", "", `{"contents":["x"]}`, 400, "contents/0: an object should stand here"},
		{"a string for a part", "m:generateContent", "", `{"contents":[{"parts":["x"]}]}`, 400, "contents/0/parts/0"},
		{"an unknown role", "m:generateContent", "", `{"contents":[{"role":"root","parts":[]}]}`, 400, `want user, model or function, not "root"`},
		{"a duplicate key", "m:generateContent", "", `{"contents":[],` + ok + `}`, 400, "duplicate key"},
		{"two spellings", "m:generateContent", "", `{"systemInstruction":{"parts":[]},"system_instruction":{"parts":[]},` + ok + `}`, 400, "two spellings of one member"},
		{"two spellings deep down", "m:generateContent", "", `{"contents":[{"parts":[{"inlineData":{"mimeType":"a","mime_type":"b"}}]}]}`, 400, "two spellings of one member"},
		{"two spellings by case", "m:generateContent", "", `{"Contents":[],` + ok + `}`, 400, "two spellings of one member"},
		{"another model in the body", "m:generateContent", "", `{"model":"models/n",` + ok + `}`, 400, "the path names another model"},
		{"calls in pieces", "m:generateContent", "", `{"tool_config":{"function_calling_config":{"stream_function_call_arguments":true}},` + ok + `}`, 400, "streamFunctionCallArguments"},
		{"a strange alt", "m:generateContent", "?alt=media", `{` + ok + `}`, 400, "want sse or json"},
		{"embedContent", "m:embedContent", "", `{` + ok + `}`, 501, "embedContent is not served"},
		{"countTokens", "m:countTokens", "", `{` + ok + `}`, 404, `no method "countTokens"`},
		{"a method that nobody knows", "m:frob", "", `{` + ok + `}`, 404, `no method "frob"`},
		{"no method", "m", "", `{` + ok + `}`, 404, "a model and a method"},
		{"no model", ":generateContent", "", `{` + ok + `}`, 404, "a model and a method"},
		{"a model with a line break", "m\nx:generateContent", "", `{` + ok + `}`, 400, "visible ASCII"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := gemini.Dialect{}.Read(asked(tt.call, tt.query), []byte(tt.body))
			var r *ringwall.Refusal
			if !errors.As(err, &r) || r.Status != tt.status || !strings.Contains(r.Public, tt.says) {
				t.Fatalf("Read() = %v, want %d with %q", err, tt.status, tt.says)
			}
			var shape struct {
				Error struct {
					Code            int
					Message, Status string
				}
			}
			if err := json.Unmarshal(gemini.Dialect{}.AppendError(nil, nil, r, "x1"), &shape); err != nil || shape.Error.Code != tt.status || shape.Error.Status == "" || !strings.Contains(shape.Error.Message, "x1") {
				t.Errorf("error body: %+v, %v", shape, err)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	for _, tt := range []struct {
		name, header, bearer, query string
		want                        string
		fails                       bool
	}{
		{"none", "", "", "", "", false},
		{"in the header", "rw_1", "", "", "rw_1", false},
		{"in the query", "", "", "?key=rw_1", "rw_1", false},
		{"a bearer token", "", "Bearer rw_1", "", "rw_1", false},
		{"the same thrice", "rw_1", "Bearer rw_1", "?key=rw_1", "rw_1", false},
		{"two that differ", "rw_1", "", "?key=rw_2", "", true},
		{"two in the query", "", "", "?key=rw_1&key=rw_2", "", true},
		{"another scheme", "", "Basic rw_1", "", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := asked("m:generateContent", tt.query)
			r.Header.Set("X-Goog-Api-Key", tt.header)
			r.Header.Set("Authorization", tt.bearer)
			if got, err := (gemini.Dialect{}).Credential(r); got != tt.want || (err != nil) != tt.fails || err != nil && strings.Contains(err.Error(), "rw_1") {
				t.Errorf("Credential() = %q, %v", got, err)
			}
		})
	}
}

func TestCountsOfTokens(t *testing.T) {
	var d gateway.Dialect = gemini.Dialect{}
	if got := d.(gateway.Splitter).Split(asked("m:generateContent", "")); got.Name() != gemini.API {
		t.Errorf("generateContent is of %s", got.Name())
	}
	d = d.(gateway.Splitter).Split(asked("m:countTokens", ""))
	if _, declines := d.(gateway.Decliner); declines || d.Name() != gemini.CountAPI {
		t.Errorf("countTokens is of %s, %v", d.Name(), declines)
	}
	const inner = `{"model":"models/m","contents":[{"parts":[{"text":"hi"}]}],"systemInstruction":{"parts":[{"text":"be kind"}]}}`
	for body, want := range map[string]string{
		inner: "/contents/0/parts/0/text user, /systemInstruction/parts/0/text system, ",
		`{"generateContentRequest":` + inner + `}`: "/generateContentRequest/contents/0/parts/0/text user, /generateContentRequest/systemInstruction/parts/0/text system, ",
	} {
		req, err := d.Read(asked("m:countTokens", ""), []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, text := range req.Texts() {
			got += text.Path + " " + text.Origin.String() + ", "
		}
		if req.WithModel("n"); got != want || req.Stream() || string(req.Edit(nil)) != strings.Replace(body, "models/m", "models/n", 1) {
			t.Errorf("%s: %s, %s", body, got, req.Edit(nil))
		}
	}
	if _, err := d.Read(asked("m:countTokens", ""), []byte(`{"generateContentRequest":{}}`)); err == nil {
		t.Error("nothing is counted")
	}
	const counted = `{"totalTokens":3,"promptTokensDetails":[{"modality":"TEXT","tokenCount":3}]}`
	a, err := d.Answer(nil, []byte(counted))
	if err != nil || len(a.Texts()) != 0 || string(a.Edit(nil)) != counted {
		t.Errorf("%v, %v", a, err)
	}
}

func TestDeclined(t *testing.T) {
	for query, want := range map[string]string{
		"generateContent ":               `{"promptFeedback":{"blockReason":"SAFETY","blockReasonMessage":"No.","safetyRatings":[]},"usageMetadata":{"promptTokenCount":0,"totalTokenCount":0},"modelVersion":"m","responseId":"x1"}`,
		"streamGenerateContent ?alt=sse": "data: {",
		"streamGenerateContent ":         "[{",
	} {
		method, query, _ := strings.Cut(query, " ")
		req, err := gemini.Dialect{}.Read(asked("m:"+method, query), []byte(`{"contents":{"parts":{"text":"x"}}}`))
		if err != nil {
			t.Fatal(err)
		}
		got := string(gemini.Dialect{}.Declined(req, gateway.Declined{ID: "x1", Message: "No."}))
		if !strings.HasPrefix(got, want) || !strings.Contains(got, `"blockReason":"SAFETY"`) || want == "[{" && !json.Valid([]byte(got)) {
			t.Errorf("%s %s: %s", method, query, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"contents":[{"parts":[{"text":"a\u0062"}]},{"role":"model","parts":{"functionCall":{"args":{"a":["b",1]}}}}],"system_instruction":{"parts":{"text":"x"}},"tools":[{"functionDeclarations":[{"description":"d"}]}]}`)
	f.Add(`{"contents":{"parts":[{"functionResponse":{"response":{"a":1},"parts":[{"inlineData":{"data":"!"}}]}}]}}`)
	f.Fuzz(func(t *testing.T, body string) {
		req, err := read(body)
		if err != nil {
			return
		}
		if !json.Valid([]byte(body)) {
			t.Fatal("accepted what is no JSON")
		}
		var all []guard.Changed
		for i := range req.Texts() {
			all = append(all, guard.Changed{Index: i, Value: "masked \" \\ \n é"})
		}
		out := req.Edit(all)
		again, err := read(string(out))
		if err != nil {
			t.Fatalf("an edited request cannot be read: %v\n%s", err, out)
		}
		for _, text := range again.Texts() {
			if text.Value != "masked \" \\ \n é" {
				t.Fatalf("%s was not replaced: %q\n%s", text.Path, text.Value, out)
			}
		}
		if _, err := (gemini.Codec{}).ReadRequest(ringwall.Call{Model: "m", Body: out}); err != nil {
			var r *ringwall.Refusal
			if !errors.As(err, &r) {
				t.Fatalf("no refusal: %v", err)
			}
		}
	})
}

// maskAll is a guardrail that masks what it notices.
func maskAll(t testing.TB) *guard.Guard {
	words, err := word.New(word.List{Words: []string{"bluebird"}})
	if err != nil {
		t.Fatal(err)
	}
	mask := &guard.Actions{Default: ringwall.Mask}
	g, err := guard.New(guard.Config{Name: "mask", Rules: []guard.Rule{
		{Control: pii.Control, Scanners: []stream.Scanner{pii.Scanner{}}, Output: mask},
		{Control: secret.Control, Scanners: []stream.Scanner{secret.Scanner{}}, Output: mask},
		{Control: word.Control, Scanners: []stream.Scanner{words}, Output: mask},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func opener(g *guard.Guard) gateway.Open {
	looks := g.Looks(ringwall.Output)
	return func(path string) gateway.Channel {
		return g.Channel(guard.Session{Way: ringwall.Output}, ringwall.Text{Path: path, Origin: ringwall.Assistant}, looks)
	}
}
