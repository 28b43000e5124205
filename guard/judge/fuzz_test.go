package judge

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/ringwall/ringwall"
)

var every = &labels{controls: []string{content, attack, topic, word, grounding, personal, secret}}

func ofKind(kind string) *labels {
	l := *every
	l.table = tables[kind]
	return &l
}

// sound fails on findings that nobody could use.
func sound(t *testing.T, fs []ringwall.Finding, text string) {
	t.Helper()
	for _, f := range fs {
		if w := f.Where; !share(f.Score) || w.Start < 0 || w.End > len(text) || w.Start > w.End || f.Reason != kebab(f.Reason) && f.Reason != "" {
			t.Fatalf("finding %+v in a text of %d bytes", f, len(text))
		}
	}
}

// What is not one of the answers that a guard model gives is an error; only the
// very words for safe find nothing.
func FuzzGuardModels(f *testing.F) {
	for _, s := range []string{
		"safe", "\n\nunsafe\nS1,S10", "unsafe", "safe\nS1", "Safety: Safe\nCategories: None", "Safety: Unsafe\nCategories: Violent, PII\nRefusal: No",
		"Yes", "<score> no </score>", "No.", "<think></think>\n<score>yes</score>", "Safety: Controversial\nCategories: None",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		said := completion{text: answer}
		words := strings.Fields(strings.ToLower(answer))
		for _, m := range []struct {
			read func(completion, *labels) ([]ringwall.Finding, error)
			kind string
			safe func() bool
		}{
			{readLlama, LlamaGuard, func() bool { return len(words) == 1 && words[0] == "safe" }},
			{readQwen, Qwen3Guard, func() bool { return len(words) >= 4 && words[1] == "safe" && words[3] == "none" }},
			{readYesNo, YesNo, func() bool {
				return strings.Contains(strings.Join(words, ""), "no") && !strings.Contains(strings.ToLower(answer), "yes")
			}},
		} {
			fs, err := m.read(said, ofKind(m.kind))
			sound(t, fs, "")
			if err == nil && len(fs) == 0 && !m.safe() {
				t.Errorf("%s: %q finds nothing", m.kind, answer)
			}
			if err != nil && Of(err) != Unreadable {
				t.Errorf("%s: %v", m.kind, err)
			}
		}
	})
}

// An answer by a policy that lacks the mark is none.
func FuzzPolicy(f *testing.F) {
	for _, s := range []string{`{"id":"m","labels":{"hate":0.5}}`, "```json\n{\"id\":\"m\",\"labels\":{}}\n```", `{"id":"m","labels":{"hate":1e9}}`, `{}`, `{"id":"m","labels":{"hate":1},"x":1}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		l := &labels{controls: []string{content}, table: map[string]Target{"hate": {content, "hate"}, "insult": {content, "insult"}}}
		fs, err := readPolicy(answer, "0123456789abcdef", l)
		sound(t, fs, "")
		if err == nil && !strings.Contains(answer, "0123456789abcdef") && !strings.Contains(answer, `\u`) {
			t.Errorf("%q is taken for an answer", answer)
		}
		if fs, err = readPolicy(answer, "m", l); err == nil && len(fs) == 0 && strings.Contains(answer, `"hate":`) {
			t.Errorf("%q says nothing", answer)
		}
	})
}

// Bodies of answers are read or refused; whatever is found can be used.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`{"choices":[{"finish_reason":"stop","message":{"content":"safe"},"logprobs":{"content":[{"token":"safe","logprob":-0.1,"top_logprobs":[{"token":"unsafe","logprob":-3}]}]}}]}`,
		`{"results":[{"flagged":true,"categories":{"hate":true},"category_scores":{"hate":0.4}}]}`,
		`[{"entity_type":"PERSON","start":2,"end":5,"score":0.85}]`,
		`{"findings":[{"control":"pii","reason":"x","score":1,"start":0,"end":2}]}`,
		`{"action":"GUARDRAIL_INTERVENED","assessments":[{"contentPolicy":{"filters":[{"type":"HATE","confidence":"LOW","action":"BLOCKED"}]},"sensitiveInformationPolicy":{"piiEntities":[{"match":"ü","type":"NAME","action":"NONE","detected":true}]}}]}`,
	} {
		f.Add([]byte(s), "ü Ann 東京 \xff x")
	}
	f.Fuzz(func(t *testing.T, answer []byte, text string) {
		if said, err := readCompletion(answer); err == nil {
			fs, _ := readLlama(said, ofKind(LlamaGuard))
			sound(t, fs, "")
			fs, _ = readQwen(said, ofKind(Qwen3Guard))
			sound(t, fs, "")
		}
		fs, err := readModeration(answer, ofKind(Moderation))
		sound(t, fs, "")
		if err == nil && len(fs) == 0 && !json.Valid(answer) {
			t.Error("what is no JSON was read")
		}
		fs, _ = readPresidio(answer, text, ofKind(Presidio))
		sound(t, fs, text)
		fs, _ = readWebhook(answer, text, ofKind(Webhook))
		sound(t, fs, text)
	})
}

// Whatever a server answers to ApplyGuardrail, AWS's client and we read it or
// refuse it.
func FuzzBedrock(f *testing.F) {
	for _, s := range []string{
		`{"action":"NONE","outputs":[],"assessments":[]}`, `{"action":"GUARDRAIL_INTERVENED","assessments":[{"topicPolicy":{"topics":[{"name":"Ü","action":"BLOCKED"}]}}]}`,
		`{"action":"NONE","assessments":[{"contextualGroundingPolicy":{"filters":[{"type":"GROUNDING","score":0.1,"threshold":0.5,"action":"BLOCKED"}]}}]}`,
	} {
		f.Add(s, "some Ü text")
	}
	var body string
	client := bedrockruntime.New(bedrockruntime.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String("http://bedrock.test"), RetryMaxAttempts: 1, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AK", SecretAccessKey: "example"}, nil
		}),
		HTTPClient: &http.Client{Transport: answers(func(*http.Request) *http.Response {
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
		})},
	})
	f.Fuzz(func(t *testing.T, answer, text string) {
		body = answer
		b := &bedrock{client: client, id: "g", version: "1", labels: ofKind(Bedrock)}
		fs, err := b.ask(t.Context(), question{text: text})
		sound(t, fs, text)
		if err == nil && len(fs) == 0 && !strings.Contains(answer, "NONE") && !strings.Contains(answer, `\u`) {
			t.Errorf("%q finds nothing", answer)
		}
	})
}

type answers func(*http.Request) *http.Response

func (f answers) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

// Offsets in characters are those of the runes that a text is made of, and what
// is no UTF-8 is a character for each byte, as it is once it was written as
// JSON.
func FuzzOffsets(f *testing.F) {
	f.Add("Grüße 東京 👩‍💻", 3, 7)
	f.Add("\xff\xc3ü", 0, 2)
	f.Add("", 0, 1)
	f.Fuzz(func(t *testing.T, text string, start, end int) {
		o := &offsets{text: text}
		o.span(2, 5) // an offset that came before changes nothing
		s, ok := o.span(start, end)
		runes := []rune(text) // one for each byte that is no UTF-8
		if want := start >= 0 && start < end && end <= len(runes); ok != want {
			t.Fatalf("%d to %d of %d characters: %v", start, end, len(runes), ok)
		}
		if !ok {
			return
		}
		if got := []rune(text[s.Start:s.End]); string(got) != string(runes[start:end]) {
			t.Errorf("%d to %d are %q, want %q", start, end, string(got), string(runes[start:end]))
		}
		written, err := json.Marshal(text)
		var back string
		if err != nil || json.Unmarshal(written, &back) != nil || utf8.RuneCountInString(back) != len(runes) {
			t.Errorf("written as JSON it has %d characters, not %d", utf8.RuneCountInString(back), len(runes))
		}
	})
}

// Windows are all of a text, none is too large, none cuts a character, and each
// begins before the end of the one before it.
func FuzzCut(f *testing.F) {
	f.Add(strings.Repeat("Grüße an 東京. ", 200), uint16(600), uint16(70))
	f.Add(strings.Repeat("x", 5000), uint16(512), uint16(256))
	f.Add(strings.Repeat("\xff", 3000), uint16(512), uint16(8))
	f.Fuzz(func(t *testing.T, text string, size, overlap uint16) {
		cfg := Config{Kind: LlamaGuard, Window: int(size), Overlap: int(overlap)}
		cfg.defaults()
		at := 0
		valid := utf8.ValidString(text)
		windows := cut(text, cfg.Window, cfg.Overlap)
		for i, w := range windows {
			switch {
			case w.Start > at || i > 0 && w.Start <= windows[i-1].Start:
				t.Fatalf("window %d begins at %d behind %d", i, w.Start, at)
			case w.End-w.Start > cfg.Window:
				t.Fatalf("window %d has %d bytes", i, w.End-w.Start)
			case valid && !utf8.ValidString(text[w.Start:w.End]):
				t.Fatalf("window %d cuts a character", i)
			}
			at = w.End
		}
		if at != len(text) {
			t.Fatalf("the windows end at %d of %d", at, len(text))
		}
	})
}
