package ollama

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

func stopOf(word string, calls int) ringwall.Stop {
	switch {
	case word == "length":
		return ringwall.StopLength
	case word == "content_filter":
		return ringwall.StopFilter
	case calls > 0:
		return ringwall.StopTools
	}
	return ringwall.StopEnd
}

func stopWord(s ringwall.Stop) string {
	switch s {
	case ringwall.StopLength:
		return "length"
	case ringwall.StopFilter, ringwall.StopRefusal:
		return "content_filter"
	case ringwall.StopEnd, ringwall.StopTools, ringwall.StopSequence:
	}
	return "stop"
}

// idOf is the id of an answer, which has none: always the same for the same.
func idOf(root jsonedit.Value) string {
	sum := sha256.Sum256([]byte(root.Get("model").Text() + " " + root.Get("created_at").Text()))
	return "ollama-" + hex.EncodeToString(sum[:12])
}

// parts calls part for each part of an answer, or of a piece of one.
func parts(root jsonedit.Value, id string, calls *int, part func(ringwall.Part)) {
	said, text := root.Get("message"), "content"
	if !said.Exists() {
		said, text = root, "response"
	}
	if thought := said.Get("thinking").Text(); thought != "" {
		part(ringwall.Part{Kind: ringwall.PartReasoning, Text: thought})
	}
	if words := said.Get(text).Text(); words != "" {
		part(ringwall.Part{Text: words})
	}
	for _, p := range images(said.Get("images")) {
		part(p)
	}
	for _, t := range said.Get("tool_calls").Elems() {
		call := readCall(t)
		if call.ID == "" {
			call.ID = dialect.CallID(id, *calls, call.Name, call.Arguments)
		}
		*calls++
		part(ringwall.Part{Kind: ringwall.PartCall, Call: call})
	}
}

// ReadReply implements dialect.Codec.
func (Codec) ReadReply(body []byte) (*ringwall.Reply, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, err
	}
	root, calls := doc.Root(), 0
	if err := check(root); err != nil {
		return nil, err
	}
	if !root.Get("done").True() {
		return nil, errors.New("it is not done")
	}
	r := &ringwall.Reply{ID: idOf(root), Model: root.Get("model").Text(), Usage: usage(root)}
	parts(root, r.ID, &calls, func(p ringwall.Part) { r.Parts = append(r.Parts, p) })
	r.Stop = stopOf(root.Get("done_reason").Text(), calls)
	return r, nil
}

// chatReply is an answer, or a piece of one.
type chatReply struct {
	Model    string       `json:"model"`
	Created  string       `json:"created_at"`
	Message  *chatMessage `json:"message,omitempty"`
	Response *string      `json:"response,omitempty"`
	Thinking string       `json:"thinking,omitempty"`
	Done     bool         `json:"done"`
	Reason   string       `json:"done_reason,omitempty"`
	Prompt   *int64       `json:"prompt_eval_count,omitempty"`
	Eval     *int64       `json:"eval_count,omitempty"`
}

func (k Codec) says(model string, m chatMessage) (chatReply, error) {
	r := chatReply{Model: model, Created: epoch}
	if !k.Generate {
		m.Role = "assistant"
		r.Message = &m
		return r, nil
	}
	if len(m.ToolCalls) > 0 || len(m.Images) > 0 {
		return r, errors.New("the model answers a prompt with what is no text")
	}
	r.Response, r.Thinking = &m.Content, m.Thinking
	return r, nil
}

func (r *chatReply) end(stop ringwall.Stop, u ringwall.Usage) {
	r.Done, r.Reason = true, stopWord(stop)
	r.Prompt, r.Eval = &u.InputTokens, &u.OutputTokens
}

// WriteReply implements dialect.Codec.
func (k Codec) WriteReply(c *ringwall.Conversation, r *ringwall.Reply) ([]byte, error) {
	m, err := writeMessage("assistant", r.Parts)
	if err != nil {
		return nil, fmt.Errorf("the model answers with what has no place: %v", err)
	}
	out, err := k.says(c.Model, m)
	if err != nil {
		return nil, err
	}
	out.end(r.Stop, r.Usage)
	return json.Marshal(out)
}

// ReadStream implements dialect.Codec.
func (Codec) ReadStream() dialect.StreamReader { return &streamReader{} }

type streamReader struct {
	doc    jsonedit.Doc
	id     string
	calls  int
	speech dialect.Speech
	done   bool
	stop   ringwall.Stop
	usage  ringwall.Usage
}

func (s *streamReader) Event(data []byte, emit func(ringwall.Delta)) error {
	if err := s.doc.Parse(data, dialect.AnswerLimits); err != nil {
		return err
	}
	root := s.doc.Root()
	if err := check(root); err != nil {
		return err
	}
	if s.id == "" {
		s.id = idOf(root)
		emit(ringwall.Delta{Kind: ringwall.DeltaBegin, ID: s.id, Model: root.Get("model").Text()})
	}
	parts(root, s.id, &s.calls, func(p ringwall.Part) { s.speech.Say(p, emit) })
	if root.Get("done").True() {
		s.done, s.stop, s.usage = true, stopOf(root.Get("done_reason").Text(), s.calls), usage(root)
	}
	return nil
}

func (s *streamReader) End(emit func(ringwall.Delta)) error {
	if !s.done {
		return errors.New("it ends before it is done")
	}
	s.speech.Close(emit)
	emit(ringwall.Delta{Kind: ringwall.DeltaUsage, Usage: s.usage})
	emit(ringwall.Delta{Kind: ringwall.DeltaStop, Stop: s.stop})
	return nil
}

// WriteStream implements dialect.Codec.
func (k Codec) WriteStream(c *ringwall.Conversation) dialect.StreamWriter {
	return &streamWriter{Codec: k, model: c.Model}
}

// streamWriter writes each piece of text at once, and a call when it is whole.
type streamWriter struct {
	Codec
	model string
	part  ringwall.Part // that is being said
	usage ringwall.Usage
}

// Delta implements dialect.StreamWriter.
func (s *streamWriter) Delta(d ringwall.Delta, emit func([]byte)) error {
	switch d.Kind {
	case ringwall.DeltaOpen:
		s.part = *d.Part
		if call := d.Part.Call; call != nil {
			own := *call
			s.part.Call = &own
			return nil
		}
		if d.Part.Text != "" || s.part.Kind == ringwall.PartMedia {
			return s.say(d.Part.Text, emit)
		}
	case ringwall.DeltaText:
		if s.part.Kind == ringwall.PartCall {
			s.part.Call.Arguments += d.Text
			return nil
		}
		return s.say(d.Text, emit)
	case ringwall.DeltaClose:
		if s.part.Kind == ringwall.PartCall {
			return s.say("", emit)
		}
	case ringwall.DeltaUsage:
		s.usage = d.Usage
	case ringwall.DeltaStop:
		return s.send(chatMessage{}, emit, func(r *chatReply) { r.end(d.Stop, s.usage) })
	case ringwall.DeltaBegin, ringwall.DeltaSignature:
	}
	return nil
}

func (s *streamWriter) say(text string, emit func([]byte)) error {
	p := s.part
	if p.Text = text; p.Kind == ringwall.PartRedacted {
		return nil
	}
	m, err := writeMessage("assistant", []ringwall.Part{p})
	if err != nil {
		return fmt.Errorf("the model answers with what has no place: %v", err)
	}
	return s.send(m, emit, func(*chatReply) {})
}

func (s *streamWriter) send(m chatMessage, emit func([]byte), finish func(*chatReply)) error {
	r, err := s.says(s.model, m)
	if err != nil {
		return err
	}
	finish(&r)
	b, err := json.Marshal(r)
	if err == nil {
		emit(b)
	}
	return err
}
