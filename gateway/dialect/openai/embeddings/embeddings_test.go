package embeddings_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/openai/embeddings"
	"github.com/ringwall/ringwall/guard"
)

func TestRead(t *testing.T) {
	for _, tt := range []struct{ name, body, texts, refused string }{
		{"a string", `{"model":"m","input":"a"}`, "[/input user a]", ""},
		{"strings", `{"model":"m","input":["a","b"]}`, "[/input/0 user a /input/1 user b]", ""},
		{"what nobody knows", `{"model":"m","input":"a","encoding_format":"base64","dimensions":5,"note":"n"}`, "[/input user a /note unverified n]", ""},
		{"tokens", `{"model":"m","input":[1,2]}`, "", "tokens cannot be looked at"},
		{"lists of tokens", `{"model":"m","input":[[1],[2]]}`, "", "tokens cannot be looked at"},
		{"nothing", `{"model":"m"}`, "", "a string or an array of strings is required"},
		{"an empty list", `{"model":"m","input":[]}`, "", "at least one string"},
		{"no model", `{"input":"a"}`, "", "model"},
		{"a stream", `{"model":"m","input":"a","stream":true}`, "", "not streamed"},
		{"an object", `{"model":"m","input":{}}`, "", "a string or an array of strings should stand here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := embeddings.Dialect{}.Read(nil, []byte(tt.body))
			if tt.refused != "" {
				var r *ringwall.Refusal
				if !errors.As(err, &r) || r.Status != 400 || !strings.Contains(r.Public, tt.refused) {
					t.Errorf("refused with %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, x := range req.Texts() {
				got = append(got, fmt.Sprint(x.Path, " ", x.Origin, " ", x.Value))
			}
			if fmt.Sprint(got) != tt.texts {
				t.Errorf("texts %s, want %s", got, tt.texts)
			}
		})
	}
}

// Numbers are no texts, whole or in base64; whatever else an answer says is one.
func TestAnswer(t *testing.T) {
	const body = `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1e-3]},{"object":"embedding","index":1,"embedding":"AAAAPwAAgD8="}],"model":"m","note":"mail ann","usage":{"prompt_tokens":3,"total_tokens":3}}`
	a, err := embeddings.Dialect{}.Answer(nil, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if texts := a.Texts(); len(texts) != 1 || texts[0].Value != "mail ann" || texts[0].Origin != ringwall.Assistant {
		t.Errorf("texts %+v", texts)
	}
	if got := string(a.Edit([]guard.Changed{{Index: 0, Value: "x"}})); got != strings.Replace(body, "mail ann", "x", 1) {
		t.Errorf("%s", got)
	}
	if a.Usage().InputTokens != 3 || strings.Contains(string(a.Withhold(gateway.Declined{})), "0.5") {
		t.Errorf("usage %+v, withheld %s", a.Usage(), a.Withhold(gateway.Declined{}))
	}
	for _, bad := range []string{`{`, `{"data":7}`, `[]`} {
		if _, err := (embeddings.Dialect{}).Answer(nil, []byte(bad)); err == nil {
			t.Errorf("%s is an answer", bad)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"model":"m","input":["a",""],"encoding_format":"base64","x":{"y":["z"]}}`)
	f.Add(`{"model":"m","input":[[1,2]]}`)
	f.Fuzz(func(t *testing.T, body string) {
		req, err := embeddings.Dialect{}.Read(nil, []byte(body))
		if err != nil {
			var r *ringwall.Refusal
			if !errors.As(err, &r) || r.Status < 400 || r.Status > 499 {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		const mark = "masked \" \\ \n é"
		var all []guard.Changed
		for i := range req.Texts() {
			all = append(all, guard.Changed{Index: i, Value: mark})
		}
		again, err := embeddings.Dialect{}.Read(nil, req.Edit(all))
		if err != nil {
			t.Fatalf("an edited request cannot be read: %v\n%s", err, req.Edit(all))
		}
		for _, text := range again.Texts() {
			if text.Value != mark {
				t.Fatalf("%s was not replaced: %q", text.Path, text.Value)
			}
		}
	})
}

// All texts of an answer can be replaced.
func FuzzAnswer(f *testing.F) {
	f.Add(`{"object":"list","data":[{"embedding":[0.5],"note":"x"},{"embedding":"AAAA"}],"usage":{"prompt_tokens":3}}`)
	f.Fuzz(func(t *testing.T, body string) {
		a, err := embeddings.Dialect{}.Answer(nil, []byte(body))
		if err != nil {
			return
		}
		a.Usage()
		var all []guard.Changed
		for i := range a.Texts() {
			all = append(all, guard.Changed{Index: i, Value: "masked"})
		}
		again, err := embeddings.Dialect{}.Answer(nil, a.Edit(all))
		if err != nil {
			t.Fatalf("an edited answer cannot be read: %v", err)
		}
		for _, text := range again.Texts() {
			if text.Value != "masked" {
				t.Fatalf("%s was not replaced: %q", text.Path, text.Value)
			}
		}
	})
}
