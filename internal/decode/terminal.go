package decode

import (
	"strings"
	"unicode/utf8"
)

// Controls of direction (UAX #9).
const (
	leftOverride  = '\u202D'
	rightOverride = '\u202E'
	popDirection  = '\u202C'
)

// undoBidi puts text that is shown in the opposite order as it is shown: what
// stands between a right-to-left override and its end, or the end of the line.
func undoBidi(s *splice) {
	text := s.text
	for i := 0; i < len(text); {
		if !strings.HasPrefix(text[i:], string(rightOverride)) {
			i++
			continue
		}
		start := i + 3
		end := start
		for end < len(text) && text[end] != '\n' && !strings.HasPrefix(text[end:], string(popDirection)) && !strings.HasPrefix(text[end:], string(rightOverride)) {
			end++
		}
		after := end
		if strings.HasPrefix(text[end:], string(popDirection)) {
			after += 3
		}
		if latin(text[start:end]) {
			s.put(i, start, "")
			s.putBytes(start, end, reverse(nil, []byte(text[start:end])), mirror)
			if after > end {
				s.put(end, after, "")
			}
		}
		i = after
	}
}

// latin reports whether s has two letters that are read from left to right.
func latin(s string) bool {
	n := 0
	for _, r := range s {
		if letterLike(r) && !rightToLeft(r) {
			if n++; n == 2 {
				return true
			}
		}
	}
	return false
}

func encodeBidi(text string) string {
	return string(rightOverride) + string(reverse(nil, []byte(text))) + string(popDirection)
}

// undoErase does what backspace (BS, DEL) does on a terminal: it takes back the
// character before it.
func undoErase(s *splice) {
	text := s.text
	for i := 0; i < len(text); {
		if text[i] != '\b' && text[i] != 0x7F {
			i++
			continue
		}
		start, end := i, i
		for end < len(text) && (text[end] == '\b' || text[end] == 0x7F) {
			end++
		}
		for range end - i {
			if start <= s.done || text[start-1] == '\n' {
				break
			}
			_, n := utf8.DecodeLastRuneInString(text[s.done:start])
			start -= n
		}
		s.put(start, end, "")
		i = end
	}
}

// encodeErase puts a character that is taken back behind each letter.
func encodeErase(text string) string {
	var b strings.Builder
	for _, r := range text {
		b.WriteRune(r)
		b.WriteString("x\b")
	}
	return b.String()
}

// undoTerminal takes out escape sequences (ECMA-48): control sequences, strings
// for the terminal, and escapes of two characters.
func undoTerminal(s *splice) {
	text := s.text
	for i := 0; i+1 < len(text); {
		if text[i] != 0x1B {
			i++
			continue
		}
		end := i + 2
		switch text[i+1] {
		case '[':
			for end < len(text) && end-i < 64 && text[end] >= 0x20 && text[end] < 0x40 {
				end++
			}
			if end < len(text) && text[end] >= 0x40 && text[end] < 0x7F {
				end++
			}
		case ']', 'P', '^', '_', 'X':
			for end < len(text) && end-i < 4096 && text[end] != '\a' && text[end] != 0x1B && text[end] != '\n' {
				end++
			}
			switch {
			case end < len(text) && text[end] == '\a':
				end++
			case strings.HasPrefix(text[min(end, len(text)):], "\x1b\\"):
				end += 2
			}
		default:
			if text[i+1] >= utf8.RuneSelf {
				end = i + 1
			}
		}
		s.put(i, end, "")
		i = end
	}
}

// encodeTerminal colours each character by itself.
func encodeTerminal(text string) string {
	var b strings.Builder
	for _, r := range text {
		b.WriteString("\x1b[0m")
		b.WriteRune(r)
	}
	return b.String()
}
