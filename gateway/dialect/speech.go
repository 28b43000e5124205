package dialect

import "github.com/ringwall/ringwall"

// Speech tells in deltas what a stream says that has no marks of where parts begin
// and end: text and reasoning flow for as long as the kind stays the same, all else
// comes whole. The zero Speech is ready. It is owned by one goroutine.
type Speech struct {
	open bool
	kind ringwall.PartKind // of the part that is open
}

// Say emits what p says.
func (s *Speech) Say(p ringwall.Part, emit func(ringwall.Delta)) {
	flows := p.Kind == ringwall.PartText || p.Kind == ringwall.PartReasoning
	if !flows || !s.open || s.kind != p.Kind {
		s.Close(emit)
		s.open, s.kind = true, p.Kind
		part := ringwall.Part{Kind: p.Kind, Media: p.Media}
		if p.Call != nil {
			part.Call = &ringwall.ToolCall{ID: p.Call.ID, Name: p.Call.Name}
			p.Text = p.Call.Arguments
		}
		emit(ringwall.Delta{Kind: ringwall.DeltaOpen, Part: &part})
	}
	if p.Text != "" {
		emit(ringwall.Delta{Kind: ringwall.DeltaText, Text: p.Text})
	}
	if p.Signature != "" {
		emit(ringwall.Delta{Kind: ringwall.DeltaSignature, Text: p.Signature})
	}
	if !flows {
		s.Close(emit)
	}
}

// Close emits the end of the part that is open, if one is.
func (s *Speech) Close(emit func(ringwall.Delta)) {
	if s.open {
		s.open = false
		emit(ringwall.Delta{Kind: ringwall.DeltaClose})
	}
}
