package decode

import (
	"slices"
	"unicode/utf8"
)

// splice gathers the changes that a decoder makes to a text. Parts are put in
// ascending order and do not overlap.
type splice struct {
	text  string
	out   []byte  // what the edits write; with whole, the result so far
	edits []edit  // nil with whole
	done  int     // bytes of text that are edited or passed
	odd   float64 // how strange the strangest part is; below 0: as the converter says
	whole bool    // only the whole result is wanted, and no map
	cut   bool    // there is more than was read

	scratch []byte // for decoders to use
}

// edit says that text[start:end] becomes out[at:to].
type edit struct {
	start, end int32
	at, to     int32
	how        how
}

// how tells which bytes of an edit come from which.
type how uint8

const (
	lump   how = iota // all of it from all of it
	even              // byte for byte, some of them perhaps unchanged
	mirror            // the characters in the opposite order
	gap               // nothing: a stretch of text that is left out
)

const (
	// maxEdits bounds the memory of a map: what comes behind is one edit.
	maxEdits = 1 << 16
	// evenGap is how many unchanged bytes two edits may have between them that
	// become one: to copy them is cheaper than another edit.
	evenGap = 24
)

// kept is how much memory a splice keeps for the next text.
const kept = 64 << 10

// reset makes s ready for text.
func (s *splice) reset(text string) {
	*s = splice{text: text, odd: -1, out: s.out[:0], edits: s.edits[:0], scratch: s.scratch[:0]}
	if cap(s.out) > kept {
		s.out = nil
	}
	if cap(s.edits) > kept/16 {
		s.edits = nil
	}
	if cap(s.scratch) > kept {
		s.scratch = nil
	}
}

func (s *splice) found() bool { return s.whole && s.done > 0 || len(s.edits) > 0 }

// put replaces text[start:end].
func (s *splice) put(start, end int, with string) {
	s.ready(start, end, len(with), lump)
	s.out = append(s.out, with...)
}

// putBytes is put for bytes that the caller goes on using.
func (s *splice) putBytes(start, end int, with []byte, h how) {
	if h == even && !s.whole && len(s.edits) > 0 {
		if last := &s.edits[len(s.edits)-1]; last.how == even && start-int(last.end) <= evenGap {
			s.out = append(s.out, s.text[last.end:start]...)
			s.out = append(s.out, with...)
			last.end, last.to, s.done = int32(end), int32(len(s.out)), end
			return
		}
	}
	s.ready(start, end, len(with), h)
	s.out = append(s.out, with...)
}

// putByte replaces text[start:end] by one byte.
func (s *splice) putByte(start, end int, with byte) {
	b := [1]byte{with}
	h := lump
	if end == start+1 {
		h = even
	}
	s.putBytes(start, end, b[:], h)
}

// ready notes an edit whose n bytes are written next.
func (s *splice) ready(start, end, n int, h how) {
	if s.whole {
		if s.out == nil {
			s.out = make([]byte, 0, len(s.text)+n)
		}
		s.out = append(s.out, s.text[s.done:start]...)
		s.done = end
		return
	}
	if len(s.edits) >= maxEdits {
		last := &s.edits[len(s.edits)-1]
		s.out = append(s.out, s.text[last.end:start]...)
		last.end, last.to, last.how, s.done = int32(end), int32(len(s.out)+n), lump, end
		return
	}
	if len(s.edits) == cap(s.edits) {
		s.edits = slices.Grow(s.edits, max(8, len(s.edits)))
	}
	s.edits = append(s.edits, edit{int32(start), int32(end), int32(len(s.out)), int32(len(s.out) + n), h})
	s.done = end
}

// putChars replaces what begins at start and writes each byte of with in width
// bytes, character by character.
func (s *splice) putChars(start, width int, with []byte) {
	for len(with) > 0 {
		_, n := utf8.DecodeRune(with)
		s.putBytes(start, start+n*width, with[:n], lump)
		start += n * width
		with = with[n:]
	}
}

// strange says how strange the part just found is: the strangest counts.
func (s *splice) strange(weight float64) { s.odd = max(s.odd, weight) }

// result is the whole text with all changes.
func (s *splice) result() string { return string(append(s.out, s.text[s.done:]...)) }

// elided stands in a view where text was left out: enough to part sentences.
const elided = "\n\n\n"

// render writes the changed parts of the text with up to margin bytes around
// each, and their edits with the places in what is written. It gives up when
// that would be longer than limit.
func (s *splice) render(margin, limit int) (string, []edit, bool) {
	edits := make([]edit, 0, len(s.edits)+8)
	var out []byte
	grow := func(n int) bool {
		if len(out)+n > limit {
			return false
		}
		if out == nil {
			out = make([]byte, 0, min(limit, len(s.text)+n))
		}
		return true
	}
	leave := func(from, to int) {
		if from >= to {
			return
		}
		sep := elided
		if from == 0 || to == len(s.text) {
			sep = ""
		}
		edits = append(edits, edit{int32(from), int32(to), int32(len(out)), int32(len(out) + len(sep)), gap})
		out = append(out, sep...)
	}
	done := 0
	for i, e := range s.edits {
		start := int(e.start)
		stop, from := start, start // what is left out
		switch {
		case i == 0 && start > margin:
			stop, from = 0, boundary(s.text, start-margin)
		case i > 0 && start-done > 2*margin+len(elided):
			stop, from = boundary(s.text, done+margin), boundary(s.text, start-margin)
		}
		if !grow(stop - done + start - from + int(e.to-e.at) + len(elided)) {
			return "", nil, false
		}
		out = append(out, s.text[done:stop]...)
		leave(stop, from)
		out = append(out, s.text[from:start]...)
		at := int32(len(out))
		out = append(out, s.out[e.at:e.to]...)
		edits = append(edits, edit{e.start, e.end, at, int32(len(out)), e.how})
		done = int(e.end)
	}
	stop := len(s.text)
	if stop-done > margin {
		stop = boundary(s.text, done+margin)
	}
	if !grow(stop - done) {
		return "", nil, false
	}
	out = append(out, s.text[done:stop]...)
	leave(stop, len(s.text))
	return string(out), edits, true
}

// boundary returns where the character at text[i] begins.
func boundary(text string, i int) int {
	for n := 0; n < 3 && 0 < i && i < len(text) && !isStart(text[i]); n++ {
		i--
	}
	return i
}

func isStart(b byte) bool { return b&0xC0 != 0x80 }
