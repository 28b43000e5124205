package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/guard"
)

// plain is an API that is sent a text and answers the verdict.
type plain struct{ gateway.Common }

func (plain) Name() string { return "plain" }

func (plain) Read(r *http.Request, body []byte) (gateway.Inquiry, error) {
	if string(body) == "panic" {
		panic("boom")
	}
	return plainly{gateway.Ref{Name: r.URL.Query().Get("guardrail")}, string(body)}, nil
}

func (plain) AppendError(dst []byte, h http.Header, r *ringwall.Refusal, _ string) []byte {
	h.Set("X-Kind", r.Code)
	return fmt.Appendf(dst, "%q", r.Public)
}

func (plain) Do(_ context.Context, _ *http.Request, body []byte, _ ringwall.Principal) (int, []byte, error) {
	return http.StatusAccepted, body, nil
}

type plainly struct {
	ref  gateway.Ref
	text string
}

func (p plainly) Question() gateway.Question {
	return gateway.Question{Guardrail: p.ref, Prompt: []ringwall.Text{{Path: "/text", Origin: ringwall.User, Value: p.text}}, Unseen: []string{"image-part"}}
}

func (p plainly) Answer(j *gateway.Judgement) ([]byte, error) {
	return fmt.Appendf(nil, "%q", j.Verdict().Action), nil
}

// one is a choice of one guardrail.
type one struct{ *guard.Guard }

func (o one) Find(_ context.Context, ref gateway.Ref) (gateway.Guardrail, error) {
	switch ref.Name {
	case "":
		return gateway.Guardrail{Guard: o.Guard, Name: "test", Version: "draft"}, nil
	case "broken":
		return gateway.Guardrail{}, errors.New("its key is away")
	}
	return gateway.Guardrail{}, fmt.Errorf("%w: %s", gateway.ErrNoGuardrail, ref)
}

func inquire(t *testing.T, g *guard.Guard, log gateway.Recorder) *httptest.Server {
	w := world(g, model{do: func() { t.Error("a model was asked") }})
	w.Guardrails = one{g}
	house, err := gateway.New(gateway.Config{Auth: nobody{}, Records: log, World: w, Limits: gateway.Limits{Body: 1 << 10}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	house.HandleInquiry(mux, "POST /plain", plain{})
	house.HandleErrand(mux, "POST /errand", plain{}, gateway.AskGuard, ringwall.Anonymous)
	house.HandleErrand(mux, "POST /secret", plain{}, gateway.AskGuard, ringwall.Operator)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// unrecorded records nothing.
type unrecorded struct{ gateway.Recorder }

func (unrecorded) Begin(context.Context, ringwall.Event) (uint64, error) {
	return 0, errors.New("the disk is full")
}

// Whatever happens, an inquiry is answered or refused in the API's own way, and
// recorded.
func TestInquiries(t *testing.T) {
	log := records(t)
	away := guardrail(t, guard.Rule{Control: "inference/pii", Input: &guard.Actions{}, Detector: guard.Func(func(context.Context, ringwall.Text) ([]ringwall.Finding, error) {
		return nil, errors.New("the detector is away")
	})})
	for _, tt := range []struct {
		name, path, body string
		guard            *guard.Guard
		records          gateway.Recorder
		status           int
		want             string
		outcome          ringwall.Outcome
	}{
		{"something is found", "/plain", "mail ann@example.com", guardrail(t), log, 200, `"mask"`, ringwall.Answered},
		{"nothing is found", "/plain", "hello", guardrail(t), log, 200, `"allow"`, ringwall.Answered},
		{"there is no such guardrail", "/plain?guardrail=nope", "hello", guardrail(t), log, 404, "does not exist", ringwall.BadRequest},
		{"the guardrail cannot be built", "/plain?guardrail=broken", "hello", guardrail(t), log, 503, "cannot be used", ringwall.Refused},
		{"a detector could not look", "/plain", "hello", away, log, 503, "could not be checked", ringwall.Refused},
		{"a panic", "/plain", "panic", guardrail(t), log, 500, "could not be served", ringwall.Broken},
		{"a long text", "/plain", strings.Repeat("a", 2<<10), guardrail(t), log, 413, "too large", ringwall.BadRequest},
		{"no record, no answer", "/plain", "hello", guardrail(t), unrecorded{log}, 503, "could not be recorded", ringwall.Refused},
		{"an errand", "/errand", "7", guardrail(t), log, 202, "7", ringwall.Answered},
		{"no record, no errand", "/errand", "7", guardrail(t), unrecorded{log}, 503, "could not be recorded", ringwall.Refused},
		{"an errand for others", "/secret", "7", guardrail(t), log, 403, "a key of trust operator", ringwall.Refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, err := http.Post(inquire(t, tt.guard, tt.records).URL+tt.path, "application/json", strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tt.status || !strings.Contains(string(body), tt.want) || (resp.Header.Get("X-Kind") != "") != (tt.status >= 400) {
				t.Errorf("%d %v %s", resp.StatusCode, resp.Header, body)
			}
			list, err := log.Query(t.Context(), audit.Filter{ID: resp.Header.Get(gateway.Header), Kind: ringwall.ExchangeEnd})
			if err != nil || len(list) != 1 || list[0].Event.Outcome != tt.outcome || list[0].Event.Status != tt.status || list[0].Event.Dialect != "plain" {
				t.Errorf("records %+v, %v", list, err)
			}
		})
	}
}
