package decode

import "strings"

// glyph is a sign of a leet word: what it stands for, likeliest first.
type glyph struct {
	start, end int
	letters    string
}

// drawn are the letters that are drawn with several signs, longest first.
var drawn = [...]struct{ signs, letters string }{
	{`|\/|`, "m"},
	{`/\/\`, "m"},
	{`\/\/`, "w"},
	{`|_|`, "u"},
	{`|\|`, "n"},
	{`|-|`, "h"},
	{`/\/`, "n"},
	{`\/`, "v"},
	{`/\`, "a"},
	{`|<`, "k"},
	{`|)`, "d"},
	{`|3`, "b"},
	{`|2`, "r"},
	{`()`, "o"},
	{`><`, "x"},
}

// leetLetters are the letters that a sign may stand for, likeliest first.
var leetLetters = func() (t [256]string) {
	for _, x := range [...]struct {
		sign    byte
		letters string
	}{
		{'4', "a"},
		{'@', "a"},
		{'8', "b"},
		{'3', "e"},
		{'6', "gb"},
		{'9', "g"},
		{'1', "il"},
		{'!', "il"},
		{'|', "li"},
		{'0', "o"},
		{'5', "s"},
		{'$', "s"},
		{'7', "t"},
		{'+', "t"},
		{'2', "z"},
	} {
		t[x.sign] = x.letters
	}
	return t
}()

// leetPart are the bytes that leet words are made of.
var leetPart = func() (t [256]bool) {
	for b := range t {
		t[b] = isAlnum(byte(b)) || strings.IndexByte("@$!|+()<>[]/\\_-", byte(b)) >= 0
	}
	return t
}()

// maxReadings bounds the ways to read a word that are tried.
const maxReadings = 32

// maxSigns is how many signs wait for a stretch to be judged.
const maxSigns = 1 << 12

// leetSign is a sign and the letter that it is read as.
type leetSign struct {
	start, end int32
	letter     byte
}

// leetWord says how a word may be read.
type leetWord struct {
	worth int  // how much it speaks for leet
	sure  bool // enough by itself
}

// leetGap is how many plain words may stand between words of one stretch.
const leetGap = 4

// undoLeet reads words that mix letters with digits and signs, where at least
// one long word or several short ones become common words. Words among them that
// are no common words are read by the likeliest letters.
func undoLeet(s *splice) {
	text := s.text
	var (
		buf        [32]leetSign
		pending    = buf[:0]
		sum, plain int
		sure       bool
	)
	flush := func() {
		if sure || sum >= enoughWords {
			for _, g := range pending {
				s.putByte(int(g.start), int(g.end), g.letter)
			}
		}
		pending, sum, plain, sure = pending[:0], 0, 0, false
	}
	for i := 0; i < len(text); {
		if !leetPart[text[i]] {
			i++
			continue
		}
		start, letters, digits, signs := i, 0, 0, 0
		for ; i < len(text) && leetPart[text[i]] && (text[i] != '-' || i > 0 && i+1 < len(text) && text[i-1] == '|' && text[i+1] == '|'); i++ {
			switch {
			case isAlpha(text[i]):
				letters++
			case isDigit(text[i]):
				digits++
			default:
				signs++
			}
		}
		if i == start {
			i++
			continue
		}
		from, to := trimLeet(text, start, i)
		if ordinal(text[from:to]) {
			continue
		}
		if to-from > maxWord || digits+signs == 0 || to-from < 2 || letters == 0 && len(pending) == 0 && signs == 0 {
			if letters > 0 && len(pending) > 0 {
				if plain++; plain > leetGap {
					flush()
				}
			}
			continue
		}
		var w leetWord
		var ok bool
		pending, w, ok = readLeet(pending, text, from, to)
		if !ok {
			if letters > 0 && len(pending) > 0 {
				if plain++; plain > leetGap {
					flush()
				}
			}
			continue
		}
		if len(pending) > maxSigns {
			flush()
		}
		sum += w.worth
		sure = sure || w.sure
		plain = 0
	}
	flush()
}

// ordinal reports whether s is a number in order, as English writes them.
func ordinal(s string) bool {
	if len(s) < 3 {
		return false
	}
	for i := range len(s) - 2 {
		if !isDigit(s[i]) {
			return false
		}
	}
	last := s[len(s)-3]
	switch strings.ToLower(s[len(s)-2:]) {
	case "st":
		return last == '1'
	case "nd":
		return last == '2'
	case "rd":
		return last == '3'
	case "th":
		return last == '0' || last >= '4' || len(s) > 3 && s[len(s)-4] == '1'
	case "am", "pm":
		return true
	}
	return false
}

// trimLeet returns the word text[start:end] without punctuation around it.
func trimLeet(text string, start, end int) (int, int) {
	for start < end && strings.IndexByte("<>[]/\\_", text[start]) >= 0 && !strings.HasPrefix(text[start:end], `\/`) && !strings.HasPrefix(text[start:end], `/\`) {
		start++
	}
	for end > start && strings.IndexByte("!>[](/)\\_", text[end-1]) >= 0 && !strings.HasSuffix(text[start:end], "|)") &&
		!strings.HasSuffix(text[start:end], `\/`) && !strings.HasSuffix(text[start:end], `/\`) && !strings.HasSuffix(text[start:end], "()") {
		end--
	}
	if end > start && text[start] == '(' && !strings.HasPrefix(text[start:end], "()") && strings.IndexByte(text[start:end], ')') < 0 {
		start++
	}
	return start, end
}

// readLeet reads a word and appends its signs. It fails if the word has no sign
// for a letter, or holds what stands for none.
func readLeet(dst []leetSign, text string, start, end int) (out []leetSign, w leetWord, ok bool) {
	var buf [maxWord]glyph
	glyphs := buf[:0]
	letters, signs, inside := 0, 0, 0
scan:
	for i := start; i < end; {
		if isAlpha(text[i]) {
			glyphs = append(glyphs, glyph{i, i + 1, ""})
			if letters++; signs > 0 {
				inside = signs
			}
			i++
			continue
		}
		signs++
		for _, d := range drawn {
			if strings.HasPrefix(text[i:end], d.signs) {
				glyphs = append(glyphs, glyph{i, i + len(d.signs), d.letters})
				i += len(d.signs)
				continue scan
			}
		}
		sign := leetLetters[text[i]]
		if sign == "" {
			return dst, w, false
		}
		glyphs = append(glyphs, glyph{i, i + 1, sign})
		i++
	}
	if signs == 0 {
		return dst, w, false
	}
	t := hashes()
	var word [maxWord]byte
	reading, known := word[:len(glyphs)], false
	for way := range maxReadings {
		if len(glyphs) > maxCommon {
			break
		}
		rest, h := way, uint64(0)
		for i, g := range glyphs {
			switch n := len(g.letters); n {
			case 0:
				reading[i] = text[g.start]
			default:
				reading[i] = g.letters[rest%n]
				rest /= n
			}
			h = h*hashBase + uint64(reading[i]|0x20)
		}
		if rest > 0 {
			break // all ways are tried
		}
		if known = t.has(h, plainWord) && isCommon(reading); known {
			break
		}
	}
	switch {
	case known && signs == 1 && (!isAlnum(text[start]) || !isAlnum(text[end-1])): // a variable, a name, an exclamation
	case known && letters > 0:
		w.worth = worth(reading)
		w.sure = len(reading) >= 5 && (inside > 0 && letters >= 2 || signs >= 2)
	case known:
	case letters >= 2 || letters == 1 && len(glyphs) >= 3:
		for i, g := range glyphs {
			if g.letters != "" {
				reading[i] = g.letters[0]
			}
		}
	default:
		return dst, w, false
	}
	for i, g := range glyphs {
		if g.letters != "" {
			dst = append(dst, leetSign{int32(g.start), int32(g.end), reading[i]})
		}
	}
	return dst, w, true
}

func encodeLeet(text string) string {
	return strings.NewReplacer("a", "4", "A", "4", "e", "3", "E", "3", "i", "1", "I", "1",
		"o", "0", "O", "0", "s", "5", "S", "5", "t", "7", "T", "7").Replace(text)
}
