package gemini

import (
	"encoding/json"
	"errors"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// ReadStream implements dialect.Codec.
func (Codec) ReadStream() dialect.StreamReader { return &streamReader{} }

type streamReader struct {
	replyReader
	doc    jsonedit.Doc
	begun  bool
	speech dialect.Speech
}

func (s *streamReader) Event(data []byte, emit func(ringwall.Delta)) error {
	if err := s.doc.Parse(data, dialect.AnswerLimits); err != nil {
		return err
	}
	root := s.doc.Root()
	if !s.begun {
		s.begun = true
		emit(ringwall.Delta{Kind: ringwall.DeltaBegin, ID: root.Get("responseId").Text(), Model: root.Get("modelVersion").Text()})
	}
	return s.read(root, func(p ringwall.Part) {
		flows := p.Kind == ringwall.PartText || p.Kind == ringwall.PartReasoning
		if flows && p.Text == "" && p.Signature == "" {
			return
		}
		s.speech.Say(p, emit)
	})
}

func (s *streamReader) End(emit func(ringwall.Delta)) error {
	if !s.stopped {
		return errors.New("it ends without a reason")
	}
	s.speech.Close(emit)
	emit(ringwall.Delta{Kind: ringwall.DeltaUsage, Usage: s.usage})
	emit(ringwall.Delta{Kind: ringwall.DeltaStop, Stop: s.stop})
	return nil
}

// WriteStream implements dialect.Codec.
func (Codec) WriteStream(c *ringwall.Conversation) dialect.StreamWriter {
	return &streamWriter{model: c.Model}
}

// streamWriter writes each piece of text at once, and a call when it is whole.
type streamWriter struct {
	id, model string
	part      ringwall.Part // that is being said
	usage     *genUsage
}

// Delta implements dialect.StreamWriter.
func (s *streamWriter) Delta(d ringwall.Delta, emit func([]byte)) error {
	switch d.Kind {
	case ringwall.DeltaBegin:
		s.id = d.ID
	case ringwall.DeltaOpen:
		s.part = *d.Part
		if call := d.Part.Call; call != nil {
			own := *call
			s.part.Call = &own
			return nil
		}
		s.part.Text = ""
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
		s.usage = writeUsage(d.Usage)
	case ringwall.DeltaStop:
		end := genCandidate{Content: &genContent{Parts: []genPart{}, Role: "model"}, Finish: stopWord(d.Stop)}
		return s.send(emit, genReply{Candidates: []genCandidate{end}, Usage: s.usage})
	case ringwall.DeltaSignature: // for its own provider alone
	}
	return nil
}

func (s *streamWriter) say(text string, emit func([]byte)) error {
	p := s.part
	p.Text = text
	parts, err := writeSaid(p)
	if err != nil || len(parts) == 0 {
		return err
	}
	return s.send(emit, genReply{Candidates: []genCandidate{{Content: &genContent{Parts: parts, Role: "model"}}}})
}

func (s *streamWriter) send(emit func([]byte), r genReply) error {
	r.ID, r.Model = s.id, s.model
	b, err := json.Marshal(r)
	if err == nil {
		emit(b)
	}
	return err
}
