package guardapi

import (
	"net/http"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
)

// Shield is Azure AI Content Safety's Prompt Shields, which tells of attacks and
// nothing else.
type Shield struct{ parser }

// Name implements gateway.Inquirer.
func (Shield) Name() string { return "azure-prompt-shield" }

// Credential implements gateway.Inquirer.
func (Shield) Credential(r *http.Request) (string, error) {
	return gateway.Shown(r, "Ocp-Apim-Subscription-Key")
}

// AppendError implements gateway.Inquirer.
func (Shield) AppendError(dst []byte, h http.Header, r *ringwall.Refusal, id string) []byte {
	code := "InvalidRequestBody"
	switch r.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		code = "Unauthorized"
	case http.StatusNotFound:
		code = "NotFound"
	case http.StatusConflict:
		code = "Conflict"
	case http.StatusTooManyRequests:
		code = "TooManyRequests"
	case http.StatusServiceUnavailable:
		code = "ServerBusy"
	case http.StatusInternalServerError:
		code = "InternalError"
	}
	h.Set("X-Ms-Error-Code", code)
	return errorBody(dst, map[string]any{"error": map[string]string{"code": code, "message": r.Public + " (reference " + id + ")"}})
}

// shielded is a request to tell of attacks.
type shielded struct {
	question  gateway.Question
	prompt    bool
	documents int
}

// Read implements gateway.Inquirer.
func (s Shield) Read(r *http.Request, body []byte) (gateway.Inquiry, error) {
	root, err := s.object(body)
	if err != nil {
		return nil, err
	}
	q := &shielded{question: gateway.Question{Guardrail: named(r)}}
	prompt, there, err := text(body, root.Get("userPrompt"), "userPrompt")
	if err != nil {
		return nil, err
	}
	if q.prompt = there; there {
		q.question.Prompt = append(q.question.Prompt, ringwall.Text{Path: "/userPrompt", Origin: ringwall.User, Value: prompt})
	}
	if err := list(body, root.Get("documents"), "documents"); err != nil {
		return nil, err
	}
	for i, d := range root.Get("documents").Elems() {
		value, err := required(body, d, "documents["+strconv.Itoa(i)+"]")
		if err != nil {
			return nil, err
		}
		q.question.Prompt = append(q.question.Prompt, ringwall.Text{Path: "/documents/" + strconv.Itoa(i), Origin: ringwall.Retrieved, Value: value})
		q.documents++
	}
	if len(q.question.Prompt) == 0 {
		return nil, dialect.Invalid(body, root, "", "either userPrompt or documents is required")
	}
	return q, nil
}

// Question implements gateway.Inquiry.
func (q *shielded) Question() gateway.Question { return q.question }

type shieldAnalysis struct {
	Detected bool `json:"attackDetected"`
}

// Answer implements gateway.Inquiry.
func (q *shielded) Answer(j *gateway.Judgement) ([]byte, error) {
	if !j.Ran(ringwall.Input, attack) {
		return nil, unlookedFor("attacks")
	}
	attacked := map[string]bool{}
	for _, f := range all(j) {
		if f.Control == attack {
			attacked[f.Path] = true
		}
	}
	out := struct {
		Prompt    *shieldAnalysis  `json:"userPromptAnalysis,omitempty"`
		Documents []shieldAnalysis `json:"documentsAnalysis"`
	}{Documents: make([]shieldAnalysis, q.documents)}
	if q.prompt {
		out.Prompt = &shieldAnalysis{attacked["/userPrompt"]}
	}
	for i := range out.Documents {
		out.Documents[i].Detected = attacked["/documents/"+strconv.Itoa(i)]
	}
	return encode(out)
}
