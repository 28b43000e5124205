package bedrock_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect/bedrock"
	"github.com/ringwall/ringwall/guard"
)

func TestWhatIsCountedIsLookedAt(t *testing.T) {
	in := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, tt := range []struct{ body, want string }{
		{`{"input": {"converse": {"messages": [{"role": "user", "content": [{"text": "x"}]}]}}}`, `{"input": {"converse": {"messages": [{"role": "user", "content": [{"text": "y"}]}]}}}`},
		{`{"input":{"invokeModel":{"body":"` + in(`{"inputText": "x"}`) + `"}}}`, `{"input":{"invokeModel":{"body":"` + in(`{"inputText": "y"}`) + `"}}}`},
	} {
		req, err := bedrock.Count{}.Read(post("/model/"+titan+"/count-tokens"), []byte(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		if texts := req.Texts(); len(texts) != 1 || texts[0].Value != "x" || texts[0].Origin != ringwall.User || req.Stream() || req.Model() != titan {
			t.Errorf("texts %+v", texts)
		}
		if got := string(req.Edit([]guard.Changed{{Index: 0, Value: "y"}})); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
		if got := string(req.Edit(nil)); got != tt.body {
			t.Errorf("unchanged it became %s", got)
		}
	}
	a, err := bedrock.Count{}.Answer(nil, []byte(`{"inputTokens":7}`))
	if err != nil || len(a.Texts()) != 0 || string(a.Edit(nil)) != `{"inputTokens":7}` {
		t.Errorf("the answer is %+v, %v", a, err)
	}
	for _, body := range []string{`{}`, `{"input":{}}`, `{"input":{"converse":{"messages":[]},"invokeModel":{"body":""}}}`, `{"input":{"invokeModel":{"body":"%"}}}`, `{"input":{"converse":"x"}}`, `{"input":{"converse":{"messages":[]}},"x":"y"}`} {
		var r *ringwall.Refusal
		if _, err := (bedrock.Count{}).Read(post("/model/m/count-tokens"), []byte(body)); !errors.As(err, &r) || r.Status != 400 || strings.Contains(body, "%") != strings.Contains(r.Public, "base64") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func FuzzCount(f *testing.F) {
	f.Add(`{"input":{"converse":{"messages":[{"role":"user","content":[{"text":"x"}]}]}}}`)
	f.Add(`{"input":{"invokeModel":{"body":"eyJwcm9tcHQiOiJ4In0="}}}`)
	f.Fuzz(func(t *testing.T, body string) {
		req, err := bedrock.Count{}.Read(post("/model/"+llama+"/count-tokens"), []byte(body))
		if err != nil {
			return
		}
		var all []guard.Changed
		for i := range req.Texts() {
			all = append(all, guard.Changed{Index: i, Value: "masked"})
		}
		again, err := bedrock.Count{}.Read(post("/model/"+llama+"/count-tokens"), req.Edit(all))
		if err != nil {
			t.Fatalf("an edited request cannot be read: %v\n%s", err, req.Edit(all))
		}
		for _, text := range again.Texts() {
			if text.Value != "masked" {
				t.Fatalf("%s was not replaced: %q", text.Path, text.Value)
			}
		}
	})
}
