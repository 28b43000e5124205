package guardapi

import (
	"cmp"
	"net/http"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
)

// LLMGuard is the API server of LLM Guard: /analyze/prompt and /analyze/output.
type LLMGuard struct {
	parser
	output bool
}

// Name implements gateway.Inquirer.
func (LLMGuard) Name() string { return "llm-guard" }

// Credential implements gateway.Inquirer.
func (LLMGuard) Credential(r *http.Request) (string, error) { return gateway.Shown(r) }

// AppendError implements gateway.Inquirer.
func (LLMGuard) AppendError(dst []byte, _ http.Header, r *ringwall.Refusal, id string) []byte {
	return errorBody(dst, map[string]any{"message": r.Public + " (reference " + id + ")", "details": nil})
}

// analyzed is a request to look at a prompt or an output.
type analyzed struct {
	question gateway.Question
	way      ringwall.Direction
}

// Read implements gateway.Inquirer. Scanners that a request would suppress look
// all the same: callers can only add protection.
func (l LLMGuard) Read(r *http.Request, body []byte) (gateway.Inquiry, error) {
	root, err := l.object(body)
	if err != nil {
		return nil, err
	}
	prompt, err := required(body, root.Get("prompt"), "prompt")
	if err != nil {
		return nil, err
	}
	q := &analyzed{question: gateway.Question{Guardrail: named(r)}}
	if !l.output {
		q.question.Prompt = []ringwall.Text{{Path: "/prompt", Origin: ringwall.User, Value: prompt}}
		return q, nil
	}
	output, err := required(body, root.Get("output"), "output")
	if err != nil {
		return nil, err
	}
	q.way, q.question.Query = ringwall.Output, prompt
	q.question.Answer = []ringwall.Text{{Path: "/output", Origin: ringwall.Assistant, Value: output}}
	return q, nil
}

// Question implements gateway.Inquiry.
func (q *analyzed) Question() gateway.Question { return q.question }

// llmGuardScanners are the scanners by control and, where that has several, by
// reason.
var llmGuardScanners = map[string]string{
	attack: "PromptInjection", secret: "Secrets", topic: "BanTopics", word: "BanSubstrings", content: "Toxicity", links: "MaliciousURLs",
	grounding: "FactualConsistency", "relevance": "Relevance",
	"inference/limit": "TokenLimit", "language": "Language", "inference/sanitize": "InvisibleText", "inference/output-code": "BanCode", "inference/prompt-leak": "PromptLeak",
}

func (q *analyzed) scanner(control, reason string) string {
	if control == personal && q.way == ringwall.Output {
		return "Sensitive"
	}
	if control == personal {
		return "Anonymize"
	}
	return cmp.Or(llmGuardScanners[reason], llmGuardScanners[control], control)
}

// Answer implements gateway.Inquiry.
func (q *analyzed) Answer(j *gateway.Judgement) ([]byte, error) {
	scanners := map[string]float64{}
	looks := j.In.Looks
	if q.way == ringwall.Output {
		looks = j.Out.Looks
	}
	for _, l := range looks {
		if l.State == ringwall.Ran {
			scanners[q.scanner(l.Control, "")] = 0
		}
	}
	for _, f := range all(j) {
		name := q.scanner(f.Control, f.Reason)
		scanners[name] = max(scanners[name], f.Score)
	}
	sane := changed(j, q.way, 0)
	if j.Verdict().Action < ringwall.Mask {
		sane = j.Guardrail.Message(q.way)
	}
	out := map[string]any{"is_valid": !acted(j), "scanners": scanners, "sanitized_prompt": sane}
	if q.way == ringwall.Output {
		delete(out, "sanitized_prompt")
		out["sanitized_output"] = sane
	}
	return encode(out)
}
