package responses

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// ReadStream implements dialect.Codec.
func (Codec) ReadStream() dialect.StreamReader { return &streamReader{} }

type streamReader struct {
	doc   jsonedit.Doc
	begun bool
	ended bool
	open  string // the text that is being said; "" for none
}

// spoken are the kinds of parts that events give, by the type of the event.
var spoken = map[string]ringwall.PartKind{
	"response.output_text.delta": ringwall.PartText, "response.refusal.delta": ringwall.PartRefusal,
	"response.reasoning_summary_text.delta": ringwall.PartReasoning, "response.reasoning_text.delta": ringwall.PartReasoning,
	"response.function_call_arguments.delta": ringwall.PartCall,
}

// Event implements dialect.StreamReader.
func (s *streamReader) Event(data []byte, emit func(ringwall.Delta)) error {
	if err := s.doc.Parse(data, dialect.AnswerLimits); err != nil {
		return err
	}
	root := s.doc.Root()
	kind, response := root.Get("type").Text(), root.Get("response")
	if kind == "error" || kind == "response.failed" || said(response.Get("error")) {
		return errors.New("the model reports an error")
	}
	if !s.begun {
		s.begun = true
		emit(ringwall.Delta{Kind: ringwall.DeltaBegin, ID: response.Get("id").Text(), Model: response.Get("model").Text()})
	}
	switch {
	case kind == "response.output_item.added":
		s.close(emit)
		if it := root.Get("item"); it.Get("type").Is("function_call") {
			s.turn(ringwall.Part{Kind: ringwall.PartCall, Call: &ringwall.ToolCall{ID: it.Get("call_id").Text(), Name: it.Get("name").Text()}}, "call", emit)
		}
	case kind == "response.output_item.done":
		s.close(emit)
		if it := root.Get("item"); it.Get("type").Is("reasoning") {
			for _, p := range readReasoning(it) {
				if p.Kind == ringwall.PartRedacted {
					s.turn(p, "sealed", emit)
					s.close(emit)
				}
			}
		}
	case strings.HasSuffix(kind, ".delta"):
		part, known := spoken[kind]
		if !known {
			return errors.New("the model says what is no text")
		}
		if part != ringwall.PartCall {
			at := placeOf(root, root.Get("item_id").Text())
			s.turn(ringwall.Part{Kind: part}, at.path(member(strings.TrimSuffix(kind, ".delta"))), emit)
		} else if s.open != "call" {
			return errors.New("arguments come without their call")
		}
		if text := root.Get("delta").Text(); text != "" {
			emit(ringwall.Delta{Kind: ringwall.DeltaText, Text: text})
		}
	case kind == "response.completed" || kind == "response.incomplete":
		s.close(emit)
		emit(ringwall.Delta{Kind: ringwall.DeltaUsage, Usage: usage(response)})
		emit(ringwall.Delta{Kind: ringwall.DeltaStop, Stop: stopOf(response)})
		s.ended = true
	}
	return nil
}

// turn opens a part, unless it is the one that is open.
func (s *streamReader) turn(p ringwall.Part, key string, emit func(ringwall.Delta)) {
	if s.open == key {
		return
	}
	s.close(emit)
	s.open = key
	emit(ringwall.Delta{Kind: ringwall.DeltaOpen, Part: &p})
}

func (s *streamReader) close(emit func(ringwall.Delta)) {
	if s.open != "" {
		s.open = ""
		emit(ringwall.Delta{Kind: ringwall.DeltaClose})
	}
}

// End implements dialect.StreamReader.
func (s *streamReader) End(func(ringwall.Delta)) error {
	if !s.ended {
		return errors.New("it ends before it is complete")
	}
	return nil
}

// WriteStream implements dialect.Codec.
func (Codec) WriteStream(c *ringwall.Conversation) dialect.StreamWriter {
	return &streamWriter{writer: newWriter(c)}
}

type streamWriter struct {
	writer
	number int64
	part   ringwall.Part // that is being said
	id     string        // of its item
	items  []any
	usage  ringwall.Usage
	err    error
}

// event emits an event.
func (s *streamWriter) event(emit func([]byte), kind string, members object) {
	members["type"], members["sequence_number"] = "response."+kind, s.number
	s.number++
	b, err := json.Marshal(members)
	if err != nil {
		s.err = err
		return
	}
	emit(b)
}

// at adds to the members of an event where the text that is being said stands.
func (s *streamWriter) at(members object) object {
	members["output_index"], members["item_id"] = len(s.items), s.id
	switch s.part.Kind {
	case ringwall.PartText, ringwall.PartRefusal:
		members["content_index"] = 0
	case ringwall.PartReasoning:
		members["summary_index"] = 0
	default:
	}
	return members
}

// says are the kinds of events by the kind of the part that they give.
var says = map[ringwall.PartKind]string{
	ringwall.PartText: "output_text", ringwall.PartRefusal: "refusal",
	ringwall.PartReasoning: "reasoning_summary_text", ringwall.PartCall: "function_call_arguments",
}

// Delta implements dialect.StreamWriter.
func (s *streamWriter) Delta(d ringwall.Delta, emit func([]byte)) error {
	switch d.Kind {
	case ringwall.DeltaBegin:
		s.event(emit, "created", object{"response": s.response("in_progress", []any{})})
		s.event(emit, "in_progress", object{"response": s.response("in_progress", []any{})})
	case ringwall.DeltaOpen:
		if err := s.begin(*d.Part, emit); err != nil {
			return err
		}
	case ringwall.DeltaText:
		s.text(d.Text, emit)
	case ringwall.DeltaSignature:
		s.part.Signature += d.Text
	case ringwall.DeltaClose:
		if err := s.finish(emit); err != nil {
			return err
		}
	case ringwall.DeltaUsage:
		s.usage = d.Usage
	case ringwall.DeltaStop:
		r := s.response("", s.items)
		if s.items == nil {
			r.Output = []any{}
		}
		r.ended(d.Stop, s.usage)
		s.event(emit, r.Status, object{"response": r})
	}
	return s.err
}

// begin begins an item.
func (s *streamWriter) begin(p ringwall.Part, emit func([]byte)) error {
	given := p.Text
	s.part = p
	if p.Kind == ringwall.PartCall {
		call := *p.Call
		given, call.Arguments = call.Arguments, ""
		s.part.Call = &call
	} else if p.Kind != ringwall.PartRedacted {
		s.part.Text = ""
	}
	it, err := s.item(s.part, "in_progress")
	if err != nil {
		return err
	}
	s.n-- // the same item is written again when it is done
	s.id, _ = it["id"].(string)
	part := content(s.part)
	switch p.Kind {
	case ringwall.PartText, ringwall.PartRefusal:
		it["content"] = []object{}
	case ringwall.PartReasoning, ringwall.PartRedacted:
		it["summary"] = []object{}
	default:
	}
	s.event(emit, "output_item.added", object{"output_index": len(s.items), "item": it})
	switch p.Kind {
	case ringwall.PartText, ringwall.PartRefusal:
		s.event(emit, "content_part.added", s.at(object{"part": part}))
	case ringwall.PartReasoning:
		s.event(emit, "reasoning_summary_part.added", s.at(object{"part": part}))
	default:
	}
	if p.Kind != ringwall.PartRedacted {
		s.text(given, emit)
	}
	return nil
}

// text says a piece.
func (s *streamWriter) text(piece string, emit func([]byte)) {
	if piece == "" {
		return
	}
	if s.part.Kind == ringwall.PartCall {
		s.part.Call.Arguments += piece
	} else {
		s.part.Text += piece
	}
	if kind, ok := says[s.part.Kind]; ok {
		members := s.at(object{"delta": piece})
		if s.part.Kind == ringwall.PartText {
			members["logprobs"] = []object{}
		}
		s.event(emit, kind+".delta", members)
	}
}

// finish ends an item.
func (s *streamWriter) finish(emit func([]byte)) error {
	part := content(s.part)
	switch s.part.Kind {
	case ringwall.PartText, ringwall.PartRefusal:
		members := s.at(object{"text": s.part.Text, "logprobs": []object{}})
		if s.part.Kind == ringwall.PartRefusal {
			members = s.at(object{"refusal": s.part.Text})
		}
		s.event(emit, says[s.part.Kind]+".done", members)
		s.event(emit, "content_part.done", s.at(object{"part": part}))
	case ringwall.PartReasoning:
		s.event(emit, "reasoning_summary_text.done", s.at(object{"text": s.part.Text}))
		s.event(emit, "reasoning_summary_part.done", s.at(object{"part": part}))
	case ringwall.PartCall:
		s.event(emit, "function_call_arguments.done", s.at(object{"name": s.part.Call.Name, "arguments": s.part.Call.Arguments}))
	default:
	}
	it, err := s.item(s.part, "completed")
	if err != nil {
		return err
	}
	s.event(emit, "output_item.done", object{"output_index": len(s.items), "item": it})
	s.items = append(s.items, it)
	return nil
}
