package stream

// Starts is a Cursor that tries one start after the other. It suits patterns
// that can be told by looking ahead a bounded way.
type Starts struct {
	// Try looks at the start i, an index into w.Clean. It returns the index at
	// which to go on, which is behind i, or i itself when more of the text is
	// needed to decide: never with w.Final.
	Try func(w Window, i int, found func(Match)) (next int)

	pos int
}

// Scan implements Cursor.
func (s *Starts) Scan(w Window, found func(Match)) int {
	i := s.pos - w.Base
	for i < len(w.Clean) {
		next := s.Try(w, i, found)
		if next <= i {
			break
		}
		i = next
	}
	s.pos = w.Base + i
	return s.pos
}

// Look is what a pattern says about a start.
type Look uint8

// Answers of a pattern.
const (
	No   Look = iota // it does not match here
	Yes              // it does
	More             // that depends on what follows the window
)
