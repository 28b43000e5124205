package completions

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Codec translates completions: a prompt is what the user says, and a completion is
// what the model answers. It implements dialect.Codec.
type Codec struct{}

var _ dialect.Codec = Codec{}

// ReadRequest implements dialect.Codec.
func (Codec) ReadRequest(call ringwall.Call) (*ringwall.Conversation, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(call.Body, dialect.AnswerLimits); err != nil {
		return nil, dialect.Unparsed(err)
	}
	c := &ringwall.Conversation{Model: call.Model, Stream: call.Stream}
	for key, v := range doc.Root().Members() {
		if v.Kind() == jsonedit.Null {
			continue
		}
		var err error
		switch s := &c.Sampling; key {
		case "model", "stream", "stream_options", "metadata", "service_tier":
		case "prompt":
			texts := dialect.Strings(v)
			if len(texts) != 1 {
				return nil, dialect.Uncarried("several prompts in one request")
			}
			c.Turns = []ringwall.Turn{{Role: ringwall.RoleUser, Parts: []ringwall.Part{{Text: texts[0]}}}}
		case "max_tokens":
			s.MaxTokens = dialect.Int(v)
		case "temperature":
			s.Temperature = dialect.Float(v)
		case "top_p":
			s.TopP = dialect.Float(v)
		case "top_k":
			s.TopK = dialect.Int(v)
		case "seed":
			s.Seed = dialect.Int(v)
		case "presence_penalty":
			s.Presence = dialect.Float(v)
		case "frequency_penalty":
			s.Frequency = dialect.Float(v)
		case "stop":
			s.Stop = dialect.Strings(v)
		case "user":
			c.User = v.Text()
		case "n", "best_of":
			if n, ok := v.Int(); !ok || n != 1 {
				err = dialect.Uncarried(key + ", several answers to one request")
			}
		case "echo":
			if v.True() {
				err = dialect.Uncarried(key)
			}
		case "suffix":
			if v.Text() != "" {
				err = dialect.Uncarried(key)
			}
		default:
			err = dialect.Uncarried(key)
		}
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

// request is the shape of a request.
type request struct {
	Model         string          `json:"model"`
	Prompt        string          `json:"prompt"`
	Stream        bool            `json:"stream,omitempty"`
	StreamOptions map[string]bool `json:"stream_options,omitempty"`
	MaxTokens     *int64          `json:"max_tokens,omitempty"`
	Temperature   *float64        `json:"temperature,omitempty"`
	TopP          *float64        `json:"top_p,omitempty"`
	TopK          *int64          `json:"top_k,omitempty"`
	Seed          *int64          `json:"seed,omitempty"`
	Presence      *float64        `json:"presence_penalty,omitempty"`
	Frequency     *float64        `json:"frequency_penalty,omitempty"`
	Stop          []string        `json:"stop,omitempty"`
	User          string          `json:"user,omitempty"`
}

// WriteRequest implements dialect.Codec. A conversation that is more than one thing
// that a user says has no words here.
func (Codec) WriteRequest(c *ringwall.Conversation) (ringwall.Call, error) {
	switch {
	case len(c.System) > 0:
		return ringwall.Call{}, dialect.Uncarried("instructions beside a prompt")
	case len(c.Turns) != 1 || c.Turns[0].Role != ringwall.RoleUser:
		return ringwall.Call{}, dialect.Uncarried("a conversation of several turns")
	case len(c.Tools) > 0:
		return ringwall.Call{}, dialect.Uncarried("tools")
	case c.Format != nil:
		return ringwall.Call{}, dialect.Uncarried("a format of the answer")
	case c.Effort != "" || c.Thinking > 0:
		return ringwall.Call{}, dialect.Uncarried("an effort of reasoning")
	}
	var prompt strings.Builder
	for _, p := range c.Turns[0].Parts {
		if p.Kind != ringwall.PartText {
			return ringwall.Call{}, dialect.Uncarried("a part of a prompt that is no text")
		}
		prompt.WriteString(p.Text)
	}
	s := &c.Sampling
	q := request{
		Model: c.Model, Prompt: prompt.String(), Stream: c.Stream, MaxTokens: s.MaxTokens, Temperature: s.Temperature, TopP: s.TopP,
		TopK: s.TopK, Seed: s.Seed, Presence: s.Presence, Frequency: s.Frequency, Stop: s.Stop, User: c.User,
	}
	if c.Stream {
		q.StreamOptions = map[string]bool{"include_usage": true}
	}
	body, err := json.Marshal(q)
	return ringwall.Call{API: API, Model: c.Model, Stream: c.Stream, Body: body}, err
}

// ReadReply implements dialect.Codec.
func (Codec) ReadReply(body []byte) (*ringwall.Reply, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, err
	}
	root := doc.Root()
	for _, c := range root.Get("choices").Elems() {
		return &ringwall.Reply{
			ID: root.Get("id").Text(), Model: root.Get("model").Text(), Parts: []ringwall.Part{{Text: c.Get("text").Text()}},
			Stop: stopOf(c.Get("finish_reason").Text()), Usage: openai.Usage(root),
		}, nil
	}
	return nil, errors.New("it has no choices")
}

func stopOf(word string) ringwall.Stop {
	switch word {
	case "length":
		return ringwall.StopLength
	case "content_filter":
		return ringwall.StopFilter
	}
	return ringwall.StopEnd
}

func stopWord(s ringwall.Stop) string {
	switch s {
	case ringwall.StopLength:
		return "length"
	case ringwall.StopFilter:
		return "content_filter"
	case ringwall.StopEnd, ringwall.StopSequence, ringwall.StopRefusal, ringwall.StopTools:
	}
	return "stop"
}

// Shapes of what is written.
type (
	reply struct {
		ID      string  `json:"id"`
		Object  string  `json:"object"`
		Created int64   `json:"created"`
		Model   string  `json:"model"`
		Choices []says  `json:"choices"`
		Usage   *counts `json:"usage,omitempty"`
	}
	says struct {
		Index    int     `json:"index"`
		Text     string  `json:"text"`
		Logprobs any     `json:"logprobs"`
		Finish   *string `json:"finish_reason"`
	}
	counts struct {
		Input  int64 `json:"prompt_tokens"`
		Output int64 `json:"completion_tokens"`
		Total  int64 `json:"total_tokens"`
	}
)

func count(u ringwall.Usage) *counts {
	return &counts{u.InputTokens, u.OutputTokens, u.InputTokens + u.OutputTokens}
}

// spoken reports whether a part is of what a completion says. What a model thought
// has no place there, and what it will not say is said.
func spoken(k ringwall.PartKind) (bool, error) {
	switch k {
	case ringwall.PartText, ringwall.PartRefusal:
		return true, nil
	case ringwall.PartReasoning, ringwall.PartRedacted:
		return false, nil
	case ringwall.PartCall, ringwall.PartMedia, ringwall.PartResult:
	}
	return false, errors.New("the model answers with what is no text")
}

// WriteReply implements dialect.Codec.
func (Codec) WriteReply(c *ringwall.Conversation, r *ringwall.Reply) ([]byte, error) {
	finish := stopWord(r.Stop)
	one := says{Finish: &finish}
	for _, p := range r.Parts {
		is, err := spoken(p.Kind)
		if err != nil {
			return nil, err
		}
		if is {
			one.Text += p.Text
		}
	}
	return json.Marshal(reply{ID: r.ID, Object: "text_completion", Model: c.Model, Choices: []says{one}, Usage: count(r.Usage)})
}

// ReadStream implements dialect.Codec.
func (Codec) ReadStream() dialect.StreamReader { return &streamReader{} }

type streamReader struct {
	doc   jsonedit.Doc
	begun bool
	stop  string
}

// Event implements dialect.StreamReader.
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
		emit(ringwall.Delta{Kind: ringwall.DeltaOpen, Part: &ringwall.Part{}})
	}
	for _, c := range root.Get("choices").Elems() {
		if i, _ := c.Get("index").Int(); i != 0 {
			continue
		}
		if text := c.Get("text").Text(); text != "" {
			emit(ringwall.Delta{Kind: ringwall.DeltaText, Text: text})
		}
		if f := c.Get("finish_reason"); f.Kind() == jsonedit.String {
			s.stop = f.Text()
		}
	}
	if root.Get("usage").Kind() == jsonedit.Object {
		emit(ringwall.Delta{Kind: ringwall.DeltaUsage, Usage: openai.Usage(root)})
	}
	return nil
}

// End implements dialect.StreamReader.
func (s *streamReader) End(emit func(ringwall.Delta)) error {
	if s.stop == "" {
		return errors.New("it ends without a reason")
	}
	emit(ringwall.Delta{Kind: ringwall.DeltaClose})
	emit(ringwall.Delta{Kind: ringwall.DeltaStop, Stop: stopOf(s.stop)})
	return nil
}

// WriteStream implements dialect.Codec.
func (Codec) WriteStream(c *ringwall.Conversation) dialect.StreamWriter {
	return &streamWriter{model: c.Model}
}

type streamWriter struct {
	id, model string
	speaks    bool // the part that is open is spoken
	usage     *ringwall.Usage
}

// Delta implements dialect.StreamWriter.
func (s *streamWriter) Delta(d ringwall.Delta, emit func([]byte)) error {
	text := d.Text
	switch d.Kind {
	case ringwall.DeltaBegin:
		s.id = d.ID
		return nil
	case ringwall.DeltaOpen:
		var err error
		if s.speaks, err = spoken(d.Part.Kind); err != nil {
			return err
		}
		text = d.Part.Text
	case ringwall.DeltaText:
	case ringwall.DeltaUsage:
		u := d.Usage
		s.usage = &u
		return nil
	case ringwall.DeltaStop:
		finish := stopWord(d.Stop)
		if err := s.send(emit, reply{Choices: []says{{Finish: &finish}}}); err != nil || s.usage == nil {
			return err
		}
		return s.send(emit, reply{Choices: []says{}, Usage: count(*s.usage)})
	case ringwall.DeltaSignature, ringwall.DeltaClose:
		return nil
	}
	if text == "" || !s.speaks {
		return nil
	}
	return s.send(emit, reply{Choices: []says{{Text: text}}})
}

func (s *streamWriter) send(emit func([]byte), r reply) error {
	r.ID, r.Object, r.Model = s.id, "text_completion", s.model
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	emit(b)
	return nil
}
