package anthropic

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// ReadStream implements dialect.Codec.
func (Codec) ReadStream() dialect.StreamReader { return &streamReader{} }

type streamReader struct {
	doc    jsonedit.Doc
	tokens tokens
	begun  bool
	blocks []*comingBlock // that are open, or wait; the first is being said
	stop   ringwall.Delta
	ended  bool
}

// comingBlock is a block whose words come. Blocks may come side by side; parts are
// said one after another.
type comingBlock struct {
	index  int64
	kind   ringwall.PartKind
	said   bool // it says something
	closed bool
	held   []ringwall.Delta // until it is the first
}

// Event implements dialect.StreamReader.
func (s *streamReader) Event(data []byte, emit func(ringwall.Delta)) error {
	if err := s.doc.Parse(data, dialect.AnswerLimits); err != nil {
		return err
	}
	root := s.doc.Root()
	kind := root.Get("type").Text()
	if s.ended || s.begun == (kind == "message_start") && kind != "ping" && kind != "error" {
		return fmt.Errorf("an event of type %.40q is not for this place", kind)
	}
	switch kind {
	case "error":
		return errors.New("the model reports an error")
	case "message_start":
		s.begun = true
		m := root.Get("message")
		emit(ringwall.Delta{Kind: ringwall.DeltaBegin, ID: m.Get("id").Text(), Model: m.Get("model").Text()})
		s.usage(m.Get("usage"), emit)
	case "content_block_start", "content_block_delta", "content_block_stop":
		return s.block(kind, root, emit)
	case "message_delta":
		d := root.Get("delta")
		s.stop = ringwall.Delta{Kind: ringwall.DeltaStop, Stop: stopOf(d.Get("stop_reason").Text()), Sequence: d.Get("stop_sequence").Text()}
		s.usage(root.Get("usage"), emit)
	case "message_stop":
		s.ended = true
	}
	return nil
}

func (s *streamReader) usage(v jsonedit.Value, emit func(ringwall.Delta)) {
	if v.Kind() == jsonedit.Object {
		s.tokens.read(v)
		emit(ringwall.Delta{Kind: ringwall.DeltaUsage, Usage: s.tokens.usage()})
	}
}

// block reads an event of a block.
func (s *streamReader) block(kind string, root jsonedit.Value, emit func(ringwall.Delta)) error {
	index, _ := root.Get("index").Int()
	var b *comingBlock
	for _, open := range s.blocks {
		if open.index == index && !open.closed {
			b = open
		}
	}
	switch {
	case kind == "content_block_start" && b == nil && len(s.blocks) < maxBlocks:
		return s.begin(index, root.Get("content_block"), emit)
	case kind == "content_block_delta" && b != nil:
		s.delta(b, root.Get("delta"), emit)
	case kind == "content_block_stop" && b != nil:
		s.close(b, emit)
	default:
		return fmt.Errorf("an event of type %s is not for block %d", kind, index)
	}
	return nil
}

// say emits what a block says, or keeps it until its turn comes.
func (s *streamReader) say(b *comingBlock, d ringwall.Delta, emit func(ringwall.Delta)) {
	if b == s.blocks[0] {
		emit(d)
	} else {
		b.held = append(b.held, d)
	}
}

func (s *streamReader) begin(index int64, v jsonedit.Value, emit func(ringwall.Delta)) error {
	p, err := readSaid(v)
	if err != nil {
		return err
	}
	b := &comingBlock{index: index, kind: p.Kind}
	s.blocks = append(s.blocks, b)
	text, signature := p.Text, p.Signature
	switch p.Kind {
	case ringwall.PartCall:
		if text = p.Call.Arguments; text == "{}" {
			text = "" // it comes
		}
		p.Call.Arguments = ""
	case ringwall.PartRedacted:
		text = "" // it is all there
	default:
		p.Text, p.Signature = "", ""
	}
	s.say(b, ringwall.Delta{Kind: ringwall.DeltaOpen, Part: &p}, emit)
	s.text(b, text, emit)
	if signature != "" {
		s.say(b, ringwall.Delta{Kind: ringwall.DeltaSignature, Text: signature}, emit)
	}
	return nil
}

func (s *streamReader) delta(b *comingBlock, d jsonedit.Value, emit func(ringwall.Delta)) {
	switch d.Get("type").Text() {
	case "text_delta":
		s.text(b, d.Get("text").Text(), emit)
	case "thinking_delta":
		s.text(b, d.Get("thinking").Text(), emit)
	case "input_json_delta":
		s.text(b, d.Get("partial_json").Text(), emit)
	case "signature_delta":
		s.say(b, ringwall.Delta{Kind: ringwall.DeltaSignature, Text: d.Get("signature").Text()}, emit)
	}
}

func (s *streamReader) text(b *comingBlock, text string, emit func(ringwall.Delta)) {
	if text != "" {
		b.said = true
		s.say(b, ringwall.Delta{Kind: ringwall.DeltaText, Text: text}, emit)
	}
}

// close ends a block; those that waited for it have their turn.
func (s *streamReader) close(b *comingBlock, emit func(ringwall.Delta)) {
	if b.kind == ringwall.PartCall && !b.said {
		s.text(b, "{}", emit)
	}
	s.say(b, ringwall.Delta{Kind: ringwall.DeltaClose}, emit)
	b.closed = true
	for len(s.blocks) > 0 && s.blocks[0].closed {
		if s.blocks = s.blocks[1:]; len(s.blocks) > 0 {
			for _, d := range s.blocks[0].held {
				emit(d)
			}
			s.blocks[0].held = nil
		}
	}
}

// End implements dialect.StreamReader.
func (s *streamReader) End(emit func(ringwall.Delta)) error {
	if !s.ended || s.stop.Kind != ringwall.DeltaStop {
		return errors.New("it ends without a reason")
	}
	for len(s.blocks) > 0 {
		s.close(s.blocks[0], emit)
	}
	emit(s.stop)
	return nil
}

// WriteStream implements dialect.Codec.
func (Codec) WriteStream(c *ringwall.Conversation) dialect.StreamWriter {
	return &streamWriter{model: c.Model, index: -1}
}

type streamWriter struct {
	model     string
	index     int // of the block that is being said
	kind      ringwall.PartKind
	signature string
	refused   bool
	usage     ringwall.Usage
}

// Delta implements dialect.StreamWriter.
func (s *streamWriter) Delta(d ringwall.Delta, emit func([]byte)) error {
	switch d.Kind {
	case ringwall.DeltaBegin:
		return send(emit, object{"type": "message_start", "message": writtenReply{ID: d.ID, Type: "message", Role: "assistant", Model: s.model, Content: []object{}}})
	case ringwall.DeltaOpen:
		return s.open(d.Part, emit)
	case ringwall.DeltaText:
		return s.text(d.Text, emit)
	case ringwall.DeltaSignature:
		s.signature += d.Text
	case ringwall.DeltaClose:
		if s.kind == ringwall.PartReasoning {
			if s.signature == "" {
				s.signature = unsigned
			}
			if err := s.delta("signature_delta", "signature", s.signature, emit); err != nil {
				return err
			}
			s.signature = ""
		}
		return send(emit, object{"type": "content_block_stop", "index": s.index})
	case ringwall.DeltaUsage:
		s.usage = d.Usage
	case ringwall.DeltaStop:
		stop := object{"type": "message_delta", "delta": writeStop(d.Stop, d.Sequence, s.refused), "usage": writeUsage(s.usage)}
		if err := send(emit, stop); err != nil {
			return err
		}
		return send(emit, object{"type": "message_stop"})
	}
	return nil
}

func (s *streamWriter) open(p *ringwall.Part, emit func([]byte)) error {
	s.index++
	s.kind = p.Kind
	block, text := object{"type": "text", "text": ""}, p.Text
	switch p.Kind {
	case ringwall.PartText:
	case ringwall.PartRefusal:
		s.refused = true
	case ringwall.PartReasoning:
		block, s.signature = object{"type": "thinking", "thinking": "", "signature": ""}, p.Signature
	case ringwall.PartRedacted:
		block, text = object{"type": "redacted_thinking", "data": p.Text}, ""
	case ringwall.PartCall:
		block, text = object{"type": "tool_use", "id": p.Call.ID, "name": p.Call.Name, "input": object{}}, p.Call.Arguments
	case ringwall.PartMedia, ringwall.PartResult:
		return errNoText
	}
	if err := send(emit, object{"type": "content_block_start", "index": s.index, "content_block": block}); err != nil {
		return err
	}
	return s.text(text, emit)
}

func (s *streamWriter) text(text string, emit func([]byte)) error {
	if text == "" {
		return nil
	}
	switch s.kind {
	case ringwall.PartReasoning:
		return s.delta("thinking_delta", "thinking", text, emit)
	case ringwall.PartCall:
		return s.delta("input_json_delta", "partial_json", text, emit)
	case ringwall.PartText, ringwall.PartRefusal:
		return s.delta("text_delta", "text", text, emit)
	case ringwall.PartMedia, ringwall.PartResult, ringwall.PartRedacted:
	}
	return errNoText
}

func (s *streamWriter) delta(kind, key, text string, emit func([]byte)) error {
	return send(emit, object{"type": "content_block_delta", "index": s.index, "delta": object{"type": kind, key: text}})
}

func send(emit func([]byte), event object) error {
	b, err := json.Marshal(event)
	if err != nil {
		return err
	}
	emit(b)
	return nil
}
