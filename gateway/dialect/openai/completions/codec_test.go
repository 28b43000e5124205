package completions_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect/openai/completions"
	"github.com/ringwall/ringwall/guard"
)

const everything = `{"model":"m","prompt":"Once upon a time","stream":true,"max_tokens":5,"temperature":0.5,"top_p":0.9,"top_k":3,"seed":7,"presence_penalty":0.1,"frequency_penalty":0.2,"stop":["END","FIN"],"user":"u","n":1,"best_of":1,"echo":false,"suffix":"","metadata":{"a":"b"},"service_tier":"auto","stream_options":{"include_usage":true}}`

func TestRequestsAreTranslated(t *testing.T) {
	c, err := completions.Codec{}.ReadRequest(ringwall.Call{Model: "m", Stream: true, Body: []byte(everything)})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Turns) != 1 || c.Turns[0].Role != ringwall.RoleUser || c.Turns[0].Parts[0].Text != "Once upon a time" || *c.Sampling.MaxTokens != 5 || *c.Sampling.TopK != 3 || len(c.Sampling.Stop) != 2 || c.User != "u" || !c.Stream {
		t.Errorf("%+v", c)
	}
	call, err := completions.Codec{}.WriteRequest(c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := completions.Codec{}.ReadRequest(call)
	if err != nil || !reflect.DeepEqual(again, c) || call.API != completions.API || call.Model != "m" {
		t.Errorf("%s: %+v, %v; want %+v", call.Body, again, err, c)
	}
}

func TestWhatCannotBeCarriedIsNamed(t *testing.T) {
	for body, what := range map[string]string{
		`{"prompt":["a","b"]}`:             "several prompts in one request",
		`{"prompt":"x","n":2}`:             "n, several answers to one request",
		`{"prompt":"x","best_of":3}`:       "best_of, several answers to one request",
		`{"prompt":"x","echo":true}`:       "echo",
		`{"prompt":"x","suffix":"y"}`:      "suffix",
		`{"prompt":"x","logprobs":3}`:      "logprobs",
		`{"prompt":"x","logit_bias":{}}`:   "logit_bias",
		`{"prompt":"x","something_new":1}`: "something_new",
	} {
		_, err := completions.Codec{}.ReadRequest(ringwall.Call{Body: []byte(body)})
		if !errors.Is(err, ringwall.ErrUncarried) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v, want %s to be named", body, err, what)
		}
	}
	user := ringwall.Turn{Role: ringwall.RoleUser, Parts: []ringwall.Part{{Text: "x"}}}
	for what, c := range map[string]ringwall.Conversation{
		"instructions":      {System: []ringwall.Part{{Text: "be nice"}}, Turns: []ringwall.Turn{user}},
		"several turns":     {Turns: []ringwall.Turn{user, {Role: ringwall.RoleAssistant}, user}},
		"tools":             {Turns: []ringwall.Turn{user}, Tools: []ringwall.ToolSpec{{Name: "f"}}},
		"format":            {Turns: []ringwall.Turn{user}, Format: &ringwall.Format{}},
		"effort":            {Turns: []ringwall.Turn{user}, Effort: "high"},
		"that is no text":   {Turns: []ringwall.Turn{{Role: ringwall.RoleUser, Parts: []ringwall.Part{{Kind: ringwall.PartMedia}}}}},
		"of several turns ": {Turns: []ringwall.Turn{{Role: ringwall.RoleAssistant}}},
	} {
		if _, err := (completions.Codec{}).WriteRequest(&c); !errors.Is(err, ringwall.ErrUncarried) || !strings.Contains(err.Error(), strings.TrimSpace(what)) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestRepliesAreTranslated(t *testing.T) {
	for _, finish := range []string{"stop", "length", "content_filter"} {
		body := `{"id":"c1","object":"text_completion","created":0,"model":"m","choices":[{"index":0,"text":"there was","logprobs":null,"finish_reason":"` + finish + `"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`
		r, err := completions.Codec{}.ReadReply([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		out, err := completions.Codec{}.WriteReply(&ringwall.Conversation{Model: "m"}, r)
		if err != nil || string(out) != body {
			t.Errorf("%s, %v; want %s", out, err, body)
		}
	}
	out, err := completions.Codec{}.WriteReply(&ringwall.Conversation{}, &ringwall.Reply{Parts: []ringwall.Part{
		{Kind: ringwall.PartReasoning, Text: "hm"}, {Text: "a"}, {Kind: ringwall.PartRefusal, Text: "b"},
	}})
	if err != nil || !strings.Contains(string(out), `"text":"ab"`) {
		t.Errorf("%s, %v", out, err)
	}
	for what, bad := range map[string]func() error{
		"no choices": func() error { _, err := completions.Codec{}.ReadReply([]byte(`{"choices":[]}`)); return err },
		"no JSON":    func() error { _, err := completions.Codec{}.ReadReply([]byte(`{`)); return err },
		"a tool call": func() error {
			_, err := completions.Codec{}.WriteReply(&ringwall.Conversation{}, &ringwall.Reply{Parts: []ringwall.Part{{Kind: ringwall.PartCall}}})
			return err
		},
	} {
		if bad() == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// streamed translates the events of a stream into those of another.
func streamed(t testing.TB, events []string) (out []string, err error) {
	in, to := completions.Codec{}.ReadStream(), completions.Codec{}.WriteStream(&ringwall.Conversation{Model: "m"})
	pass := func(d ringwall.Delta) {
		if err := to.Delta(d, func(data []byte) { out = append(out, string(data)) }); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range events {
		if err := in.Event([]byte(e), pass); err != nil {
			return out, err
		}
	}
	return out, in.End(pass)
}

// A translated stream says what a whole translated answer says, however it is cut;
// and so it does behind the guard.
func TestTranslatedStreamsEqualWhole(t *testing.T) {
	g := masking(t)
	pieces := []string{"It is here. ", "Mail a.b@example.org now, ", "4111 1111 1111 1111 ", "naïve 秘密 ", "\"\\\n"}
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 5))
		text := ""
		for range 1 + rng.IntN(4) {
			text += pieces[rng.IntN(len(pieces))]
		}
		quoted, _ := json.Marshal(text)
		r, err := completions.Codec{}.ReadReply(fmt.Appendf(nil, `{"id":"c1","choices":[{"index":0,"text":%s,"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}`, quoted))
		if err != nil {
			t.Fatal(err)
		}
		whole, err := completions.Codec{}.WriteReply(&ringwall.Conversation{Model: "m"}, r)
		if err != nil {
			t.Fatal(err)
		}
		a, err := completions.Dialect{}.Answer(nil, whole)
		if err != nil {
			t.Fatal(err)
		}
		var want struct{ Choices []struct{ Text string } }
		if err := json.Unmarshal(a.Edit(g.Check(t.Context(), guard.Session{Way: ringwall.Output}, a.Texts()).Texts), &want); err != nil {
			t.Fatal(err)
		}
		var events []string
		for rest := []rune(text); len(rest) > 0; {
			n := min(len(rest), 1+rng.IntN(9))
			piece, _ := json.Marshal(string(rest[:n]))
			events = append(events, fmt.Sprintf(`{"id":"c1","choices":[{"index":0,"text":%s,"finish_reason":null}]}`, piece))
			rest = rest[n:]
		}
		events = append(events, `{"id":"c1","choices":[{"index":0,"text":"","finish_reason":"length"}]}`, `{"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}`)
		out, err := streamed(t, events)
		if err != nil {
			t.Fatal(err)
		}
		relay, frames := relayOf(g), []byte(nil)
		for _, e := range out {
			if frames, err = relay.Event(t.Context(), frames, []byte(e)); err != nil {
				t.Fatal(err)
			}
		}
		frames = relay.End(t.Context(), frames)
		if got := said(t, frames); got != want.Choices[0].Text || relay.Usage().OutputTokens != 4 || !strings.Contains(string(frames), `"finish_reason":"length"`) {
			t.Fatalf("seed %d: got %q, %+v, want %q", seed, got, relay.Usage(), want.Choices[0].Text)
		}
	}
}

func TestStreamsThatFail(t *testing.T) {
	for what, events := range map[string][]string{
		"an error":       {`{"error":{"message":"secret"}}`},
		"no JSON":        {`{`},
		"no end":         {`{"choices":[{"index":0,"text":"a","finish_reason":null}]}`},
		"nothing at all": nil,
	} {
		if _, err := streamed(t, events); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Whatever is read is written as JSON, and what a stream says arrives.
func FuzzCodec(f *testing.F) {
	f.Add(everything, `{"choices":[{"index":0,"text":"a"}]}`+"\n"+`{"choices":[{"index":0,"text":"b","finish_reason":"stop"}],"usage":{"prompt_tokens":1}}`)
	f.Add(`{"prompt":["x"],"stop":"y"}`, `{"choices":[{"index":1,"text":"a"}]}`)
	f.Fuzz(func(t *testing.T, body, events string) {
		if c, err := (completions.Codec{}).ReadRequest(ringwall.Call{Body: []byte(body)}); err == nil {
			if out, err := (completions.Codec{}).WriteRequest(c); err == nil && !json.Valid(out.Body) {
				t.Fatalf("wrote %s", out.Body)
			}
		}
		if r, err := (completions.Codec{}).ReadReply([]byte(body)); err == nil {
			if out, err := (completions.Codec{}).WriteReply(&ringwall.Conversation{}, r); err != nil || !json.Valid(out) {
				t.Fatalf("wrote %s, %v", out, err)
			}
		}
		in, out := completions.Codec{}.ReadStream(), completions.Codec{}.WriteStream(&ringwall.Conversation{})
		said, told := "", ""
		pass := func(d ringwall.Delta) {
			said += d.Text
			if err := out.Delta(d, func(data []byte) {
				var e struct{ Choices []struct{ Text string } }
				if json.Unmarshal(data, &e) != nil {
					t.Fatalf("wrote %s", data)
				}
				for _, c := range e.Choices {
					told += c.Text
				}
			}); err != nil {
				t.Fatal(err)
			}
		}
		for e := range strings.SplitSeq(events, "\n") {
			if in.Event([]byte(e), pass) != nil {
				break
			}
		}
		if said != told {
			t.Fatalf("%q became %q", said, told)
		}
	})
}

// Whatever is read can be edited, and is then what the edit says.
func FuzzRead(f *testing.F) {
	f.Add(everything)
	f.Add(`{"model":"m","prompt":["a","b\ud83d\ude00"],"suffix":"c","x":{"y":["z"]}}`)
	f.Fuzz(func(t *testing.T, body string) {
		req, err := completions.Dialect{}.Read(nil, []byte(body))
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
		req.WithModel("other")
		again, err := completions.Dialect{}.Read(nil, req.Edit(all))
		if err != nil {
			t.Fatalf("an edited request cannot be read: %v\n%s", err, req.Edit(all))
		}
		if again.Model() != "other" || len(again.Texts()) != len(req.Texts()) {
			t.Fatalf("%s", req.Edit(all))
		}
		for _, text := range again.Texts() {
			if text.Value != mark {
				t.Fatalf("%s was not replaced: %q", text.Path, text.Value)
			}
		}
	})
}
