package house

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// messages answers as Anthropic's Messages API does.
func (s *stub) messages(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var req request
	if err := json.Unmarshal(body, &req); err != nil || r.Header.Get("anthropic-version") == "" {
		http.Error(w, `{"type":"error","error":{"type":"invalid_request_error","message":"the stub's own words"}}`, http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.bodies[req.Model] = body
	script := s.scripts[req.Model]
	s.mu.Unlock()
	a := newAnswer(script, &req)
	w.Header().Set("Content-Type", "application/json")
	switch {
	case script.Status != 0:
		w.WriteHeader(script.Status)
		fmt.Fprintf(w, `{"type":"error","error":{"type":%q,"message":"the stub's own words"},"request_id":"req_stub"}`, script.Code)
	case strings.HasSuffix(r.URL.Path, "/count_tokens"):
		io.WriteString(w, `{"input_tokens":11}`)
	case req.Stream:
		a.streamMessage(w)
	default:
		io.WriteString(w, a.message())
	}
}

const usageOfMessage = `{"input_tokens":9,"cache_read_input_tokens":2,"cache_creation_input_tokens":0,"output_tokens":7}`

func (a *answer) messageHead(content, stop string) string {
	return fmt.Sprintf(`{"id":"msg_stub","type":"message","role":"assistant","model":%s,%s,"content":[%s],"stop_reason":%s,"stop_sequence":null,"usage":%s}`, quote(a.model), unknown, content, stop, usageOfMessage)
}

func (a *answer) messageStop() string {
	if len(a.Tools) > 0 {
		return `"tool_use"`
	}
	return `"end_turn"`
}

// message is the whole answer.
func (a *answer) message() string {
	var blocks []string
	if a.Content != "" {
		blocks = append(blocks, `{"type":"text","text":`+quote(a.Content)+`}`)
	}
	for i, t := range a.Tools {
		blocks = append(blocks, fmt.Sprintf(`{"type":"tool_use","id":"toolu_%d","name":%s,"input":%s}`, i, quote(t.Name), t.Arguments))
	}
	return a.messageHead(strings.Join(blocks, ","), a.messageStop())
}

// streamMessage says the answer in events.
func (a *answer) streamMessage(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	rc := http.NewResponseController(w)
	index := 0
	event := func(kind, more string) {
		fmt.Fprintf(w, "event: %s\ndata: {\"type\":%q%s}\n\n", kind, kind, more)
		rc.Flush() // a client that is gone misses nothing
	}
	block := func(start, kind, key, text string) {
		event("content_block_start", fmt.Sprintf(`,"index":%d,"content_block":%s`, index, start))
		for _, piece := range cut(text, a.Chunk) {
			event("content_block_delta", fmt.Sprintf(`,"index":%d,"delta":{"type":%q,%q:%s}`, index, kind, key, quote(piece)))
		}
		event("content_block_stop", fmt.Sprintf(`,"index":%d`, index))
		index++
	}
	event("message_start", `,"message":`+a.messageHead("", "null"))
	event("ping", "")
	if a.Content != "" {
		block(`{"type":"text","text":""}`, "text_delta", "text", a.Content)
	}
	if a.Cut {
		event("error", `,"error":{"type":"overloaded_error","message":"the stub's own words"}`)
		return
	}
	for i, t := range a.Tools {
		block(fmt.Sprintf(`{"type":"tool_use","id":"toolu_%d","name":%s,"input":{}}`, i, quote(t.Name)), "input_json_delta", "partial_json", t.Arguments)
	}
	event("message_delta", `,"delta":{"stop_reason":`+a.messageStop()+`,"stop_sequence":null},"usage":{"output_tokens":7}`)
	event("message_stop", "")
}
