package judge

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
)

// cut returns the windows in which a text is judged: of at most size bytes, each
// but the first beginning overlap bytes before the end of the one before, so
// that what lies on a border is whole in one of them. They are cut between words
// where that costs little, and never inside a character. Together they are all
// of the text.
func cut(text string, size, overlap int) (windows []ringwall.Span) {
	for start := 0; ; {
		if len(text)-start <= size {
			return append(windows, ringwall.Span{Start: start, End: len(text)})
		}
		end := border(text, start+size, start+size-size/8)
		windows = append(windows, ringwall.Span{Start: start, End: end})
		next := border(text, end-overlap, end-overlap-overlap/4)
		start = max(next, start+1)
		for start < end && !utf8.RuneStart(text[start]) { // only in what is no text
			start++
		}
	}
}

// border returns where to cut text at the latest at most: behind a blank that is
// not before least, else before a character.
func border(text string, most, least int) int {
	if i := strings.LastIndexAny(text[least:most], " \n\t"); i >= 0 {
		return least + i + 1
	}
	for i := most; i > most-utf8.UTFMax && i > 0; i-- {
		if utf8.RuneStart(text[i]) {
			return i
		}
	}
	return most
}

// offsets turns ascending offsets in characters into offsets in bytes. Bytes
// that are no UTF-8 count as a character each, as they do once they are written
// into JSON.
type offsets struct {
	text  string
	chars int // characters before at
	at    int
}

// byte returns the offset of the n-th character, and whether the text has so
// many. An n below the one before starts anew.
func (o *offsets) byte(n int) (int, bool) {
	if n < o.chars {
		o.chars, o.at = 0, 0
	}
	for o.chars < n {
		if o.at >= len(o.text) {
			return 0, false
		}
		_, w := utf8.DecodeRuneInString(o.text[o.at:])
		o.at += w
		o.chars++
	}
	return o.at, n >= 0
}

// span turns a span in characters into one in bytes. It reports whether it lies
// in the text and covers any of it.
func (o *offsets) span(start, end int) (s ringwall.Span, ok bool) {
	if start < 0 || end <= start {
		return s, false
	}
	from, ok := o.byte(start)
	if !ok {
		return s, false
	}
	to, ok := o.byte(end)
	return ringwall.Span{Start: from, End: to}, ok
}

// places returns where match stands in text; none where it does not.
func places(text, match string) (spans []ringwall.Span) {
	if match == "" {
		return nil
	}
	for at := 0; ; {
		i := strings.Index(text[at:], match)
		if i < 0 {
			return spans
		}
		spans = append(spans, ringwall.Span{Start: at + i, End: at + i + len(match)})
		at += i + len(match)
	}
}

// inert takes out of a text what could pass for the marks of a conversation, of
// a template or of our own prompts: special tokens are tokens to some servers
// wherever they stand. All of them are made of the brackets that are replaced
// here by ones that mean nothing.
func inert(text string) string { return roles.ReplaceAllString(brackets.Replace(text), "($1)") }

var (
	brackets = strings.NewReplacer("<", "‹", ">", "›", "＜", "‹", "＞", "›")
	roles    = regexp.MustCompile(`\[(/?[A-Z][A-Z_]+)\]`) // [INST], [/SYSTEM_PROMPT]
)

// whole reports whether a span begins and ends between characters.
func whole(text string, s ringwall.Span) bool {
	return utf8.RuneStart(text[s.Start]) && (s.End == len(text) || utf8.RuneStart(text[s.End]))
}
