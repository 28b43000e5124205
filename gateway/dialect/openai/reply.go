package openai

import (
	"encoding/json"
	"errors"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// stops are the reasons to stop, in the words of chat completions.
var stops = map[string]ringwall.Stop{
	"stop": ringwall.StopEnd, "length": ringwall.StopLength, "tool_calls": ringwall.StopTools, "function_call": ringwall.StopTools,
	"content_filter": ringwall.StopFilter,
}

func stopWord(s ringwall.Stop) string {
	switch s {
	case ringwall.StopLength:
		return "length"
	case ringwall.StopTools:
		return "tool_calls"
	case ringwall.StopFilter:
		return "content_filter"
	case ringwall.StopEnd, ringwall.StopSequence, ringwall.StopRefusal:
	}
	return "stop"
}

func stopOf(word string) ringwall.Stop {
	if s, ok := stops[word]; ok {
		return s
	}
	return ringwall.StopEnd
}

// ReadReply implements dialect.Codec.
func (Codec) ReadReply(body []byte) (*ringwall.Reply, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, err
	}
	root := doc.Root()
	r := &ringwall.Reply{ID: root.Get("id").Text(), Model: root.Get("model").Text(), Usage: Usage(root)}
	n := 0
	for _, c := range root.Get("choices").Elems() {
		if n++; n > 1 {
			break // it was asked for one
		}
		m := c.Get("message")
		if thought := m.Get("reasoning_content"); thought.Text() != "" {
			r.Parts = append(r.Parts, ringwall.Part{Kind: ringwall.PartReasoning, Text: thought.Text()})
		}
		if text := m.Get("content"); text.Text() != "" {
			r.Parts = append(r.Parts, ringwall.Part{Text: text.Text()})
		}
		if no := m.Get("refusal"); no.Text() != "" {
			r.Parts = append(r.Parts, ringwall.Part{Kind: ringwall.PartRefusal, Text: no.Text()})
		}
		for _, t := range m.Get("tool_calls").Elems() {
			f := t.Get("function")
			r.Parts = append(r.Parts, ringwall.Part{Kind: ringwall.PartCall, Call: &ringwall.ToolCall{ID: t.Get("id").Text(), Name: f.Get("name").Text(), Arguments: f.Get("arguments").Text()}})
		}
		r.Stop = stopOf(c.Get("finish_reason").Text())
	}
	if n == 0 {
		return nil, errors.New("it has no choices")
	}
	return r, nil
}

// Shapes of what is written.
type (
	chatReply struct {
		ID      string       `json:"id"`
		Object  string       `json:"object"`
		Created int64        `json:"created"`
		Model   string       `json:"model"`
		Choices []chatChoice `json:"choices"`
		Usage   *chatUsage   `json:"usage,omitempty"`
	}
	chatChoice struct {
		Index    int       `json:"index"`
		Message  *chatSays `json:"message,omitempty"`
		Delta    *chatSays `json:"delta,omitempty"`
		Logprobs any       `json:"logprobs"`
		Finish   *string   `json:"finish_reason"`
	}
	chatSays struct {
		Role      string     `json:"role,omitempty"`
		Content   *string    `json:"content,omitempty"`
		Refusal   *string    `json:"refusal,omitempty"`
		Reasoning string     `json:"reasoning_content,omitempty"`
		ToolCalls []chatCall `json:"tool_calls,omitempty"`
	}
	chatUsage struct {
		Input     int64  `json:"prompt_tokens"`
		Output    int64  `json:"completion_tokens"`
		Total     int64  `json:"total_tokens"`
		InDetail  object `json:"prompt_tokens_details,omitempty"`
		OutDetail object `json:"completion_tokens_details,omitempty"`
	}
)

func writeUsage(u ringwall.Usage) *chatUsage {
	out := &chatUsage{Input: u.InputTokens, Output: u.OutputTokens, Total: u.InputTokens + u.OutputTokens}
	if u.CachedTokens > 0 {
		out.InDetail = object{"cached_tokens": u.CachedTokens}
	}
	if u.ReasoningTokens > 0 {
		out.OutDetail = object{"reasoning_tokens": u.ReasoningTokens}
	}
	return out
}

// WriteReply implements dialect.Codec.
func (Codec) WriteReply(c *ringwall.Conversation, r *ringwall.Reply) ([]byte, error) {
	says := &chatSays{Role: "assistant"}
	for _, p := range r.Parts {
		switch p.Kind {
		case ringwall.PartText:
			says.Content = joined(says.Content, p.Text)
		case ringwall.PartRefusal:
			says.Refusal = joined(says.Refusal, p.Text)
		case ringwall.PartReasoning:
			says.Reasoning += p.Text
		case ringwall.PartCall:
			says.ToolCalls = append(says.ToolCalls, chatCall{ID: p.Call.ID, Type: "function", Function: chatFunction{p.Call.Name, p.Call.Arguments}})
		case ringwall.PartRedacted: // for its own provider alone
		case ringwall.PartMedia, ringwall.PartResult:
			return nil, errors.New("the model answers with what is no text")
		}
	}
	finish := stopWord(r.Stop)
	return json.Marshal(chatReply{
		ID: r.ID, Object: "chat.completion", Model: c.Model,
		Choices: []chatChoice{{Message: says, Finish: &finish}}, Usage: writeUsage(r.Usage),
	})
}

func joined(a *string, b string) *string {
	if a != nil {
		b = *a + b
	}
	return &b
}

// ReadStream implements dialect.Codec.
func (Codec) ReadStream() dialect.StreamReader { return &streamReader{} }

type streamReader struct {
	doc   jsonedit.Doc
	begun bool
	open  string // the member of the delta that is being said, "tool_calls" with the index of the call
	stop  string
}

func (s *streamReader) Event(data []byte, emit func(ringwall.Delta)) error {
	if err := s.doc.Parse(data, dialect.AnswerLimits); err != nil {
		return err
	}
	root := s.doc.Root()
	if e := root.Get("error"); e.Exists() && e.Kind() != jsonedit.Null {
		return errors.New("the model reports an error")
	}
	if !s.begun {
		s.begun = true
		emit(ringwall.Delta{Kind: ringwall.DeltaBegin, ID: root.Get("id").Text(), Model: root.Get("model").Text()})
	}
	for _, c := range root.Get("choices").Elems() {
		if i, _ := c.Get("index").Int(); i != 0 {
			continue
		}
		d := c.Get("delta")
		s.says("reasoning_content", d, ringwall.PartReasoning, emit)
		s.says("content", d, ringwall.PartText, emit)
		s.says("refusal", d, ringwall.PartRefusal, emit)
		for _, t := range d.Get("tool_calls").Elems() {
			f := t.Get("function")
			s.turn("tool_calls"+string(t.Get("index").Raw()), func() *ringwall.Part {
				return &ringwall.Part{Kind: ringwall.PartCall, Call: &ringwall.ToolCall{ID: t.Get("id").Text(), Name: f.Get("name").Text()}}
			}, emit)
			if a := f.Get("arguments").Text(); a != "" {
				emit(ringwall.Delta{Kind: ringwall.DeltaText, Text: a})
			}
		}
		if f := c.Get("finish_reason"); f.Kind() == jsonedit.String {
			s.stop = f.Text()
		}
	}
	if root.Get("usage").Kind() == jsonedit.Object {
		emit(ringwall.Delta{Kind: ringwall.DeltaUsage, Usage: Usage(root)})
	}
	return nil
}

func (s *streamReader) says(key string, delta jsonedit.Value, kind ringwall.PartKind, emit func(ringwall.Delta)) {
	text := delta.Get(key).Text()
	if text == "" {
		return
	}
	s.turn(key, func() *ringwall.Part { return &ringwall.Part{Kind: kind} }, emit)
	emit(ringwall.Delta{Kind: ringwall.DeltaText, Text: text})
}

// turn ends the part that is open and opens another, if it is another.
func (s *streamReader) turn(key string, part func() *ringwall.Part, emit func(ringwall.Delta)) {
	if s.open == key {
		return
	}
	s.close(emit)
	s.open = key
	emit(ringwall.Delta{Kind: ringwall.DeltaOpen, Part: part()})
}

func (s *streamReader) close(emit func(ringwall.Delta)) {
	if s.open != "" {
		s.open = ""
		emit(ringwall.Delta{Kind: ringwall.DeltaClose})
	}
}

func (s *streamReader) End(emit func(ringwall.Delta)) error {
	if s.stop == "" {
		return errors.New("it ends without a reason")
	}
	s.close(emit)
	emit(ringwall.Delta{Kind: ringwall.DeltaStop, Stop: stopOf(s.stop)})
	return nil
}

// WriteStream implements dialect.Codec.
func (Codec) WriteStream(c *ringwall.Conversation) dialect.StreamWriter {
	return &streamWriter{model: c.Model, calls: -1}
}

type streamWriter struct {
	id, model string
	kind      ringwall.PartKind
	calls     int // index of the call that is being said
	usage     *ringwall.Usage
}

func (s *streamWriter) frame(emit func([]byte), d chatSays, finish *string) error {
	return s.send(emit, chatReply{Choices: []chatChoice{{Delta: &d, Finish: finish}}})
}

func (s *streamWriter) send(emit func([]byte), r chatReply) error {
	r.ID, r.Object, r.Model = s.id, "chat.completion.chunk", s.model
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	emit(b)
	return nil
}

// Delta implements dialect.StreamWriter.
func (s *streamWriter) Delta(d ringwall.Delta, emit func([]byte)) error {
	switch d.Kind {
	case ringwall.DeltaBegin:
		s.id = d.ID
		return s.frame(emit, chatSays{Role: "assistant", Content: new(string)}, nil)
	case ringwall.DeltaOpen:
		s.kind = d.Part.Kind
		if s.kind == ringwall.PartCall {
			s.calls++
			at := s.calls
			return s.frame(emit, chatSays{ToolCalls: []chatCall{{Index: &at, ID: d.Part.Call.ID, Type: "function", Function: chatFunction{d.Part.Call.Name, d.Part.Call.Arguments}}}}, nil)
		}
		if d.Part.Text != "" {
			return s.text(d.Part.Text, emit)
		}
	case ringwall.DeltaText:
		return s.text(d.Text, emit)
	case ringwall.DeltaUsage:
		u := d.Usage
		s.usage = &u
	case ringwall.DeltaStop:
		finish := stopWord(d.Stop)
		if err := s.frame(emit, chatSays{}, &finish); err != nil || s.usage == nil {
			return err
		}
		return s.send(emit, chatReply{Choices: []chatChoice{}, Usage: writeUsage(*s.usage)})
	case ringwall.DeltaClose, ringwall.DeltaSignature:
	}
	return nil
}

func (s *streamWriter) text(text string, emit func([]byte)) error {
	switch s.kind {
	case ringwall.PartText:
		return s.frame(emit, chatSays{Content: &text}, nil)
	case ringwall.PartRefusal:
		return s.frame(emit, chatSays{Refusal: &text}, nil)
	case ringwall.PartReasoning:
		return s.frame(emit, chatSays{Reasoning: text}, nil)
	case ringwall.PartCall:
		at := s.calls
		return s.frame(emit, chatSays{ToolCalls: []chatCall{{Index: &at, Function: chatFunction{Arguments: text}}}}, nil)
	case ringwall.PartRedacted:
		return nil
	case ringwall.PartMedia, ringwall.PartResult:
	}
	return errors.New("the model answers with what is no text")
}
