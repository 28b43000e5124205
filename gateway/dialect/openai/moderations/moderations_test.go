package moderations_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/openai/moderations"
	"github.com/ringwall/ringwall/guard"
)

func read(body string) (gateway.Inquiry, error) {
	r := httptest.NewRequest(http.MethodPost, "/v1/moderations", strings.NewReader(body))
	r.Header.Set(gateway.GuardrailHeader, "shop@2")
	return moderations.Dialect{}.Read(r, []byte(body))
}

// judged answers q as if each text with a 9 were violent.
func judged(q gateway.Question) *gateway.Judgement {
	j := &gateway.Judgement{ID: "x1", Question: q}
	look := func(texts []ringwall.Text) guard.Result {
		res := guard.Result{Verdict: ringwall.Verdict{Action: ringwall.Allow}}
		for _, t := range texts {
			if strings.Contains(t.Value, "9") {
				res.Verdict.Action = ringwall.Flag
				res.Scores = ringwall.Scores{{Name: ringwall.ScoreViolence, Value: 0.9}}
				res.Findings = append(res.Findings, ringwall.Finding{Control: "inference/content", Reason: "violence", Score: 0.9})
			}
		}
		return res
	}
	if j.In = look(q.Prompt); q.Apart {
		for i := range q.Prompt {
			j.Each = append(j.Each, look(q.Prompt[i:i+1]))
		}
	}
	return j
}

func TestEachInputHasItsResult(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		flagged    []bool
		unseen     int
		refused    string
	}{
		{"a text", `{"input":"a 9"}`, []bool{true}, 0, ""},
		{"texts", `{"input":["a","b 9","c"]}`, []bool{false, true, false}, 0, ""},
		{"an empty text", `{"input":["","a"]}`, []bool{false, false}, 0, ""},
		{"parts of one", `{"input":[{"type":"text","text":"a 9"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}`, []bool{true}, 1, ""},
		{"nothing", `{"input":[]}`, nil, 0, "at least one string"},
		{"tokens", `{"input":[1]}`, nil, 0, "tokens cannot be looked at"},
		{"strings and parts", `{"input":[{"type":"text","text":"a"},"b"]}`, nil, 0, "strings and parts"},
		{"a part of another kind", `{"input":[{"type":"sound"}]}`, nil, 0, "want text or image_url"},
		{"no object", `7`, nil, 0, "an object should stand here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, err := read(tt.body)
			if tt.refused != "" {
				var r *ringwall.Refusal
				if !errors.As(err, &r) || r.Status != 400 || !strings.Contains(r.Public, tt.refused) {
					t.Fatalf("refused with %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			q := in.Question()
			if q.Guardrail != (gateway.Ref{Name: "shop", Version: "2"}) || len(q.Unseen) != tt.unseen {
				t.Errorf("asked %+v", q)
			}
			out, err := in.Answer(judged(q))
			if err != nil {
				t.Fatal(err)
			}
			var m struct{ Results []struct{ Flagged bool } }
			if err := json.Unmarshal(out, &m); err != nil || len(m.Results) != len(tt.flagged) {
				t.Fatalf("%s, %v", out, err)
			}
			for i, want := range tt.flagged {
				if m.Results[i].Flagged != want {
					t.Errorf("%d: %s", i, out)
				}
			}
		})
	}
}

// Whatever is sent is read, with a result for each text, or refused as a mistake of
// the caller's.
func FuzzRead(f *testing.F) {
	f.Add(`{"input":["a 9",""],"model":"m"}`)
	f.Add(`{"input":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"http://a/b"}}]}`)
	f.Add(`{"input":"\ud800"}`)
	f.Add(`{"input":[[1,2]]}`)
	f.Fuzz(func(t *testing.T, body string) {
		in, err := read(body)
		if err != nil {
			var r *ringwall.Refusal
			if !errors.As(err, &r) || r.Status < 400 || r.Status > 499 {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		q := in.Question()
		out, err := in.Answer(judged(q))
		var m struct{ Results []struct{ Flagged bool } }
		if err != nil || json.Unmarshal(out, &m) != nil {
			t.Fatalf("%s, %v", out, err)
		}
		if want := len(q.Prompt); q.Apart && len(m.Results) != want || !q.Apart && len(m.Results) != 1 {
			t.Fatalf("%d texts, %s", want, out)
		}
	})
}
