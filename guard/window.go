package guard

import (
	"unicode/utf8"

	"github.com/ringwall/ringwall"
)

// Sizes of the stretches in which detectors look at a text that still comes.
const (
	windowBytes  = 1024 // at most
	overlapBytes = 256  // of the text before, so that nothing hides on the border
)

// windows cuts a text that still comes into stretches. Where it cuts depends on
// the text alone, not on the pieces in which it came.
type windows struct {
	buf  []byte
	base int // offset of buf[0]
	from int // offset where the next stretch begins
}

// window is a stretch of a text, with what stands before it.
type window struct {
	text       string
	at         int // offset of text
	start, end int // offsets of what is new in it
}

func (w *windows) reset() { *w = windows{buf: w.buf[:0]} }

func (w *windows) add(p []byte) { w.buf = append(w.buf, p...) }

// next returns the next stretch, if it is complete.
func (w *windows) next(final bool) (window, bool) {
	rest := w.buf[w.from-w.base:]
	if len(rest) == 0 || len(rest) < windowBytes && !final {
		return window{}, false
	}
	n := len(rest)
	if n >= windowBytes {
		n = cutAt(rest[:windowBytes])
	}
	out := window{text: string(w.buf[:w.from-w.base+n]), at: w.base, start: w.from, end: w.from + n}
	w.from += n
	keep := max(w.from-overlapBytes-w.base, 0)
	for keep > 0 && !utf8.RuneStart(w.buf[keep]) && overlapBytes-(w.from-w.base-keep) < utf8.UTFMax {
		keep--
	}
	w.buf = append(w.buf[:0], w.buf[keep:]...)
	w.base += keep
	return out, true
}

// cutAt returns where to cut p: behind a sentence in its second half, else
// behind a word, else before its last character, which may not be complete.
func cutAt(p []byte) int {
	word := 0
	for i := len(p) - 1; i > len(p)/2; i-- {
		switch p[i] {
		case ' ', '\n', '\t':
			if c := p[i-1]; c == '.' || c == '!' || c == '?' || p[i] == '\n' {
				return i + 1
			}
			word = max(word, i+1)
		}
	}
	if word > 0 {
		return word
	}
	for i := len(p) - 1; i >= len(p)-utf8.UTFMax; i-- {
		if utf8.RuneStart(p[i]) {
			return i
		}
	}
	return len(p)
}

// place turns findings about the stretch into findings about the text. Those
// that lie before what is new in it were made before.
func (w window) place(fs []ringwall.Finding) []ringwall.Finding {
	out := fs[:0]
	for _, f := range fs {
		if !f.Where.Empty() {
			f.Where.Start, f.Where.End = max(f.Where.Start+w.at, w.start), f.Where.End+w.at
			if f.Where.Empty() {
				continue
			}
		}
		out = append(out, f)
	}
	return out
}
