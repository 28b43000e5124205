package responses

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// ReadReply implements dialect.Codec.
func (Codec) ReadReply(body []byte) (*ringwall.Reply, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, err
	}
	root := doc.Root()
	if root.Get("output").Kind() != jsonedit.Array || said(root.Get("error")) {
		return nil, errors.New("it has no output")
	}
	r := &ringwall.Reply{ID: root.Get("id").Text(), Model: root.Get("model").Text(), Usage: usage(root), Stop: stopOf(root)}
	for _, it := range root.Get("output").Elems() {
		var c ringwall.Conversation
		if err := readItem(&c, 0, it); err != nil {
			return nil, errors.New("it says what is no text")
		}
		for _, t := range c.Turns {
			r.Parts = append(r.Parts, t.Parts...)
		}
	}
	return r, nil
}

// stopOf says why a response ended.
func stopOf(response jsonedit.Value) ringwall.Stop {
	switch response.Get("incomplete_details").Get("reason").Text() {
	case "max_output_tokens":
		return ringwall.StopLength
	case "content_filter":
		return ringwall.StopFilter
	}
	for _, it := range response.Get("output").Elems() {
		if it.Get("type").Is("function_call") {
			return ringwall.StopTools
		}
	}
	return ringwall.StopEnd
}

// writer makes the items of a response. Its ids are those of this gateway, which
// nobody guesses: a later request may go on from them.
type writer struct {
	model, mark string
	n           int
}

func newWriter(c *ringwall.Conversation) writer {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return writer{model: c.Model, mark: hex.EncodeToString(b[:])}
}

func (w *writer) id() string { return "resp_" + w.mark }

// item returns a part as an item: each stands for itself.
func (w *writer) item(p ringwall.Part, status string) (object, error) {
	id := w.mark + strconv.Itoa(w.n)
	w.n++
	switch p.Kind {
	case ringwall.PartText, ringwall.PartRefusal:
		return object{"type": "message", "id": "msg_" + id, "status": status, "role": "assistant", "content": []object{content(p)}}, nil
	case ringwall.PartCall:
		call := p.Call.ID
		if call == "" {
			call = "call_" + id
		}
		return object{"type": "function_call", "id": "fc_" + id, "call_id": call, "name": p.Call.Name, "arguments": p.Call.Arguments, "status": status}, nil
	case ringwall.PartReasoning, ringwall.PartRedacted:
		summary := []object{}
		it := object{"type": "reasoning", "id": "rs_" + id, "summary": summary}
		if p.Kind == ringwall.PartRedacted {
			it["encrypted_content"] = p.Text
			return it, nil
		}
		if p.Text != "" {
			it["summary"] = append(summary, content(p))
		}
		if p.Signature != "" {
			it["encrypted_content"] = p.Signature
		}
		return it, nil
	case ringwall.PartMedia, ringwall.PartResult:
	}
	return nil, errors.New("the model answers with what is no text")
}

// content is a part of a message, or of a summary.
func content(p ringwall.Part) object {
	switch p.Kind {
	case ringwall.PartRefusal:
		return object{"type": "refusal", "refusal": p.Text}
	case ringwall.PartReasoning:
		return object{"type": "summary_text", "text": p.Text}
	default:
		return object{"type": "output_text", "text": p.Text, "annotations": []object{}, "logprobs": []object{}}
	}
}

// response is the shape of a response.
type response struct {
	ID         string  `json:"id"`
	Object     string  `json:"object"`
	Created    int64   `json:"created_at"`
	Status     string  `json:"status"`
	Error      *object `json:"error"`
	Incomplete object  `json:"incomplete_details"`
	Model      string  `json:"model"`
	Output     []any   `json:"output"`
	Parallel   bool    `json:"parallel_tool_calls"`
	Choice     string  `json:"tool_choice"`
	Tools      []any   `json:"tools"`
	Metadata   object  `json:"metadata"`
	Usage      object  `json:"usage"`
}

func (w *writer) response(status string, items []any) response {
	return response{ID: w.id(), Object: "response", Status: status, Model: w.model, Output: items, Parallel: true, Choice: "auto", Tools: []any{}, Metadata: object{}}
}

// ended sets why a response ended, and what it took.
func (r *response) ended(stop ringwall.Stop, u ringwall.Usage) {
	r.Status = "completed"
	switch stop {
	case ringwall.StopLength:
		r.Status, r.Incomplete = "incomplete", object{"reason": "max_output_tokens"}
	case ringwall.StopFilter:
		r.Status, r.Incomplete = "incomplete", object{"reason": "content_filter"}
	case ringwall.StopEnd, ringwall.StopTools, ringwall.StopSequence, ringwall.StopRefusal:
	}
	r.Usage = object{
		"input_tokens": u.InputTokens, "input_tokens_details": object{"cached_tokens": u.CachedTokens},
		"output_tokens": u.OutputTokens, "output_tokens_details": object{"reasoning_tokens": u.ReasoningTokens},
		"total_tokens": u.InputTokens + u.OutputTokens,
	}
}

// WriteReply implements dialect.Codec.
func (Codec) WriteReply(c *ringwall.Conversation, r *ringwall.Reply) ([]byte, error) {
	w := newWriter(c)
	items := []any{}
	for _, p := range r.Parts {
		it, err := w.item(p, "completed")
		if err != nil {
			return nil, err
		}
		items = append(items, it)
	}
	out := w.response("", items)
	out.ended(r.Stop, r.Usage)
	return json.Marshal(out)
}
