package house

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Script is what the stub answers to requests for one model. The zero Script
// says back what it was told.
type Script struct {
	// Content is the text of the answer. "{{user}}" in it, and in the arguments
	// of tool calls, stands for the text of the last user message as the stub got
	// it. Default "{{user}}", or none where there are tool calls.
	Content string `json:"content"`
	Tools   []Tool `json:"tools"`

	Chunk    int  `json:"chunk"`    // characters of a streamed piece; default 4
	Pieces   int  `json:"pieces"`   // bytes written at a time, wherever they cut; default: a frame
	Logprobs bool `json:"logprobs"` // with log probabilities

	Status int    `json:"status"` // answer with this error, and
	Code   string `json:"code"`   // this code
	Hang   bool   `json:"hang"`   // never answer
	Cut    bool   `json:"cut"`    // end a stream in its middle, without its end
}

// Tool is a tool call in an answer.
type Tool struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// maxBody bounds what the stub reads.
const maxBody = 16 << 20

// stub is a model behind OpenAI's API that says what a test wants to hear. It
// keeps a Script and the last request for each model, so tests that use models
// of their own do not meet. Beside the API it serves
//
//	PUT /script/MODEL  sets a Script
//	GET /body/MODEL    is the body of the last request, byte for byte
type stub struct {
	mu      sync.Mutex
	scripts map[string]Script
	bodies  map[string][]byte
}

func newStub() http.Handler {
	s := &stub{scripts: map[string]Script{}, bodies: map[string][]byte{}}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /script/{model}", s.setScript)
	mux.HandleFunc("GET /body/{model}", s.body)
	mux.HandleFunc("GET /v1/models", s.models)
	mux.HandleFunc("POST /v1/chat/completions", s.chat)
	mux.HandleFunc("POST /v1/messages", s.messages)
	mux.HandleFunc("POST /v1/messages/count_tokens", s.messages)
	return mux
}

func (s *stub) setScript(w http.ResponseWriter, r *http.Request) {
	var script Script
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&script); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.scripts[r.PathValue("model")] = script
	delete(s.bodies, r.PathValue("model"))
	s.mu.Unlock()
}

func (s *stub) body(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	body, ok := s.bodies[r.PathValue("model")]
	s.mu.Unlock()
	if !ok {
		http.Error(w, "the model was not asked", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

func (s *stub) models(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"object":"list","data":[{"id":"stub-large","object":"model","created":1,"owned_by":"stub"},{"id":"stub-small","object":"model","created":1,"owned_by":"stub"}]}`)
}

// request is what the stub needs to know of a request.
type request struct {
	Model    string
	Stream   bool
	Messages []struct {
		Role    string
		Content json.RawMessage
	}
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

// said is the text of the last user message.
func (r *request) said() string {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		m := r.Messages[i]
		if m.Role != "user" {
			continue
		}
		var text string
		if json.Unmarshal(m.Content, &text) == nil {
			return text
		}
		var parts []struct{ Text string }
		json.Unmarshal(m.Content, &parts) // a stub takes what it can read
		for _, p := range parts {
			text += p.Text
		}
		return text
	}
	return ""
}

func (s *stub) chat(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var req request
	if err := json.Unmarshal(body, &req); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.bodies[req.Model] = body
	script := s.scripts[req.Model]
	s.mu.Unlock()
	switch {
	case script.Hang:
		select {
		case <-r.Context().Done():
		case <-time.After(30 * time.Second):
		}
		return
	case script.Status != 0:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(script.Status)
		fmt.Fprintf(w, `{"error":{"message":"the stub's own words","type":"stub","param":null,"code":%q}}`, script.Code)
		return
	}
	a := newAnswer(script, &req)
	if req.Stream {
		a.stream(w, req.StreamOptions.IncludeUsage)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(a.whole())
}

// answer is a Script that was filled in for a request.
type answer struct {
	Script
	model string
}

func newAnswer(script Script, req *request) *answer {
	if script.Content == "" && len(script.Tools) == 0 {
		script.Content = "{{user}}"
	}
	if script.Chunk <= 0 {
		script.Chunk = 4
	}
	said := req.said()
	script.Content = strings.ReplaceAll(script.Content, "{{user}}", said)
	tools := make([]Tool, len(script.Tools))
	for i, t := range script.Tools {
		quoted := quote(said)
		tools[i] = Tool{t.Name, strings.ReplaceAll(t.Arguments, "{{user}}", quoted[1:len(quoted)-1])}
	}
	script.Tools = tools
	return &answer{script, req.Model}
}

// quote writes a string as JSON, without the escapes that HTML needs.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.Encode(s) // a string can be encoded
	return strings.TrimSuffix(b.String(), "\n")
}

// The usage of each answer, and a member that no client knows.
const (
	usage   = `{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}`
	unknown = `"x_vendor":{"ratio":1.50,"big":12345678901234567890}`
)

func (a *answer) head(object string) string {
	return fmt.Sprintf(`{"id":"chatcmpl-stub","object":%q,"created":1700000000,"model":%s,"system_fingerprint":"fp_stub",%s`, object, quote(a.model), unknown)
}

func (a *answer) finish() string {
	if len(a.Tools) > 0 {
		return "tool_calls"
	}
	return "stop"
}

// probs are the log probabilities of a piece: one token.
func (a *answer) probs(piece string) string {
	if !a.Logprobs || piece == "" {
		return "null"
	}
	return fmt.Sprintf(`{"content":[{"token":%s,"logprob":-0.25,"bytes":null,"top_logprobs":[]}],"refusal":null}`, quote(piece))
}

func (a *answer) whole() []byte {
	var b strings.Builder
	b.WriteString(a.head("chat.completion"))
	b.WriteString(`,"choices":[{"index":0,"message":{"role":"assistant","content":`)
	if a.Content == "" {
		b.WriteString("null")
	} else {
		b.WriteString(quote(a.Content))
	}
	b.WriteString(`,"refusal":null`)
	for i, t := range a.Tools {
		b.WriteString([]string{`,"tool_calls":[`, `,`}[min(i, 1)])
		fmt.Fprintf(&b, `{"id":"call_%d","type":"function","function":{"name":%s,"arguments":%s}}`, i, quote(t.Name), quote(t.Arguments))
	}
	if len(a.Tools) > 0 {
		b.WriteString("]")
	}
	fmt.Fprintf(&b, `},"logprobs":%s,"finish_reason":%q}],"usage":%s}`, a.probs(a.Content), a.finish(), usage)
	return []byte(b.String())
}

// cut cuts a text into pieces of n characters.
func cut(s string, n int) (pieces []string) {
	rs := []rune(s)
	for len(rs) > 0 {
		k := min(n, len(rs))
		pieces, rs = append(pieces, string(rs[:k])), rs[k:]
	}
	return pieces
}

// frames are the data of the events of the streamed answer.
func (a *answer) frames(withUsage bool) (frames []string) {
	add := func(delta, probs, finish string) {
		frames = append(frames, a.head("chat.completion.chunk")+`,"choices":[{"index":0,"delta":`+delta+`,"logprobs":`+probs+`,"finish_reason":`+finish+`}]}`)
	}
	add(`{"role":"assistant","content":"","refusal":null}`, "null", "null")
	for _, piece := range cut(a.Content, a.Chunk) {
		add(`{"content":`+quote(piece)+`}`, a.probs(piece), "null")
	}
	for i, t := range a.Tools {
		add(fmt.Sprintf(`{"tool_calls":[{"index":%d,"id":"call_%d","type":"function","function":{"name":%s,"arguments":""}}]}`, i, i, quote(t.Name)), "null", "null")
		for _, piece := range cut(t.Arguments, a.Chunk) {
			add(fmt.Sprintf(`{"tool_calls":[{"index":%d,"function":{"arguments":%s}}]}`, i, quote(piece)), "null", "null")
		}
	}
	if a.Cut {
		return frames[:max(1, len(frames)/2)]
	}
	add(`{}`, "null", `"`+a.finish()+`"`)
	if withUsage {
		frames = append(frames, a.head("chat.completion.chunk")+`,"choices":[],"usage":`+usage+`}`)
	}
	return append(frames, "[DONE]")
}

func (a *answer) stream(w http.ResponseWriter, withUsage bool) {
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	send := func(b []byte) {
		w.Write(b)
		rc.Flush() // a client that is gone misses nothing
	}
	var wire []byte
	for _, f := range a.frames(withUsage) {
		frame := []byte("data: " + f + "\n\n")
		if a.Pieces <= 0 {
			send(frame)
		}
		wire = append(wire, frame...)
	}
	if a.Pieces <= 0 {
		return
	}
	for len(wire) > 0 {
		n := min(a.Pieces, len(wire))
		send(wire[:n])
		wire = wire[n:]
	}
}
