package bedrock

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// stops are the reasons to stop, in the words of Converse.
var stops = map[string]ringwall.Stop{
	"end_turn": ringwall.StopEnd, "tool_use": ringwall.StopTools, "max_tokens": ringwall.StopLength, "stop_sequence": ringwall.StopSequence,
	"guardrail_intervened": ringwall.StopFilter, "content_filtered": ringwall.StopFilter, "model_context_window_exceeded": ringwall.StopLength,
}

func stopOf(word string) ringwall.Stop {
	if s, ok := stops[word]; ok {
		return s
	}
	return ringwall.StopEnd
}

func stopWord(s ringwall.Stop) string {
	switch s {
	case ringwall.StopLength:
		return "max_tokens"
	case ringwall.StopTools:
		return "tool_use"
	case ringwall.StopSequence:
		return "stop_sequence"
	case ringwall.StopFilter, ringwall.StopRefusal:
		return "content_filtered"
	case ringwall.StopEnd:
	}
	return "end_turn"
}

// ReadReply implements dialect.Codec.
func (Codec) ReadReply(body []byte) (*ringwall.Reply, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(body, dialect.AnswerLimits); err != nil {
		return nil, err
	}
	root := doc.Root()
	content := root.Get("output").Get("message").Get("content")
	if content.Kind() != jsonedit.Array {
		return nil, errors.New("it has no message")
	}
	parts, err := readBlocks(content, "content")
	if err != nil {
		return nil, err
	}
	return &ringwall.Reply{Parts: parts, Stop: stopOf(root.Get("stopReason").Text()), Usage: usage(root)}, nil
}

// WriteReply implements dialect.Codec.
func (Codec) WriteReply(_ *ringwall.Conversation, r *ringwall.Reply) ([]byte, error) {
	content, err := writeBlocks(r.Parts)
	if err != nil {
		return nil, err
	}
	if content == nil {
		content = []object{}
	}
	return json.Marshal(object{
		"output":     object{"message": object{"role": "assistant", "content": content}},
		"stopReason": stopWord(r.Stop),
		"usage":      json.RawMessage(appendUsage(nil, r.Usage)),
		"metrics":    object{"latencyMs": 0},
	})
}

// ReadStream implements dialect.Codec.
func (Codec) ReadStream() dialect.StreamReader { return &streamReader{open: -1} }

type streamReader struct {
	doc   jsonedit.Doc
	begun bool
	open  int64 // the block that is being said; -1: none
	kind  ringwall.PartKind
	stop  string
}

// Event implements dialect.StreamReader.
func (s *streamReader) Event(data []byte, emit func(ringwall.Delta)) error {
	if err := s.doc.Parse(data, dialect.AnswerLimits); err != nil {
		return err
	}
	for name, v := range s.doc.Root().Members() {
		if strings.HasSuffix(name, "Exception") {
			return errors.New("the model reports an error")
		}
		if !s.begun {
			s.begun = true
			emit(ringwall.Delta{Kind: ringwall.DeltaBegin})
		}
		index, _ := v.Get("contentBlockIndex").Int()
		switch name {
		case "contentBlockStart":
			if call := v.Get("start").Get("toolUse"); call.Exists() {
				s.turn(index, ringwall.Part{Kind: ringwall.PartCall, Call: &ringwall.ToolCall{ID: call.Get("toolUseId").Text(), Name: call.Get("name").Text()}}, emit)
			}
		case "contentBlockDelta":
			if err := s.delta(index, v.Get("delta"), emit); err != nil {
				return err
			}
		case "contentBlockStop":
			s.close(emit)
		case "messageStop":
			s.close(emit)
			s.stop = v.Get("stopReason").Text()
		case "metadata":
			emit(ringwall.Delta{Kind: ringwall.DeltaUsage, Usage: usage(v)})
		}
	}
	return nil
}

func (s *streamReader) delta(index int64, v jsonedit.Value, emit func(ringwall.Delta)) error {
	for key, m := range v.Members() {
		switch key {
		case "text":
			s.turn(index, ringwall.Part{}, emit)
			emit(ringwall.Delta{Kind: ringwall.DeltaText, Text: m.Text()})
		case "toolUse":
			if s.open != index || s.kind != ringwall.PartCall {
				return errors.New("a tool call goes on that has not begun")
			}
			emit(ringwall.Delta{Kind: ringwall.DeltaText, Text: m.Get("input").Text()})
		case "reasoningContent":
			if no := m.Get("redactedContent"); no.Exists() {
				s.turn(index, ringwall.Part{Kind: ringwall.PartRedacted}, emit)
				emit(ringwall.Delta{Kind: ringwall.DeltaText, Text: no.Text()})
				continue
			}
			s.turn(index, ringwall.Part{Kind: ringwall.PartReasoning}, emit)
			if t := m.Get("text"); t.Exists() {
				emit(ringwall.Delta{Kind: ringwall.DeltaText, Text: t.Text()})
			}
			if t := m.Get("signature"); t.Exists() {
				emit(ringwall.Delta{Kind: ringwall.DeltaSignature, Text: t.Text()})
			}
		case "citation": // where it was read is for who reads it
		default:
			return errors.New("the model answers with what is no text")
		}
	}
	return nil
}

// turn ends the block that is open and opens another, if it is another.
func (s *streamReader) turn(index int64, p ringwall.Part, emit func(ringwall.Delta)) {
	if s.open == index && s.kind == p.Kind {
		return
	}
	s.close(emit)
	s.open, s.kind = index, p.Kind
	emit(ringwall.Delta{Kind: ringwall.DeltaOpen, Part: &p})
}

func (s *streamReader) close(emit func(ringwall.Delta)) {
	if s.open >= 0 {
		s.open = -1
		emit(ringwall.Delta{Kind: ringwall.DeltaClose})
	}
}

// End implements dialect.StreamReader.
func (s *streamReader) End(emit func(ringwall.Delta)) error {
	if s.stop == "" {
		return errors.New("it ends without a reason")
	}
	emit(ringwall.Delta{Kind: ringwall.DeltaStop, Stop: stopOf(s.stop)})
	return nil
}

// WriteStream implements dialect.Codec.
func (Codec) WriteStream(*ringwall.Conversation) dialect.StreamWriter {
	return &streamWriter{index: -1}
}

type streamWriter struct {
	index int
	kind  ringwall.PartKind
	usage ringwall.Usage
}

func event(emit func([]byte), name string, payload object) error {
	b, err := json.Marshal(object{name: payload})
	if err == nil {
		emit(b)
	}
	return err
}

// Delta implements dialect.StreamWriter.
func (s *streamWriter) Delta(d ringwall.Delta, emit func([]byte)) error {
	delta := func(o object) error {
		return event(emit, "contentBlockDelta", object{"contentBlockIndex": s.index, "delta": o})
	}
	switch d.Kind {
	case ringwall.DeltaBegin:
		return event(emit, "messageStart", object{"role": "assistant"})
	case ringwall.DeltaOpen:
		s.index++
		if s.kind = d.Part.Kind; s.kind == ringwall.PartCall {
			call := d.Part.Call
			if err := event(emit, "contentBlockStart", object{"contentBlockIndex": s.index, "start": object{"toolUse": object{"toolUseId": call.ID, "name": call.Name}}}); err != nil || call.Arguments == "" {
				return err
			}
			return delta(object{"toolUse": object{"input": call.Arguments}})
		}
		if d.Part.Text == "" {
			return nil
		}
		return s.text(d.Part.Text, delta)
	case ringwall.DeltaText:
		return s.text(d.Text, delta)
	case ringwall.DeltaSignature:
		return delta(object{"reasoningContent": object{"signature": d.Text}})
	case ringwall.DeltaClose:
		return event(emit, "contentBlockStop", object{"contentBlockIndex": s.index})
	case ringwall.DeltaUsage:
		s.usage = d.Usage
	case ringwall.DeltaStop:
		if err := event(emit, "messageStop", object{"stopReason": stopWord(d.Stop)}); err != nil {
			return err
		}
		return event(emit, "metadata", object{"usage": json.RawMessage(appendUsage(nil, s.usage)), "metrics": object{"latencyMs": 0}})
	}
	return nil
}

func (s *streamWriter) text(text string, delta func(object) error) error {
	switch s.kind {
	case ringwall.PartText, ringwall.PartRefusal:
		return delta(object{"text": text})
	case ringwall.PartReasoning:
		return delta(object{"reasoningContent": object{"text": text}})
	case ringwall.PartRedacted:
		return delta(object{"reasoningContent": object{"redactedContent": text}})
	case ringwall.PartCall:
		return delta(object{"toolUse": object{"input": text}})
	case ringwall.PartMedia, ringwall.PartResult:
	}
	return errors.New("the model answers with what is no text")
}
