package decode

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// lookAlikes are pairs beside [confusables]: a letter of another script and the
// Latin letter that it is taken for. The first of a Latin letter is the one that
// encoding uses; most are in both lists.
const lookAlikes = "аaеeоoрpсcуyхxіiјjѕsԁdһhӏlԛqԝwкkѵvтtмmьbвbнh" + // Cyrillic
	"АAВBЕEКKМMНHОOРPСCТTХXІIЈJЅSԚQԜWҮYԌG" +
	"αaοoρpνvιiυuκkτtχxγyϲcϳjεeηn" + // Greek
	"ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXϹCͿJ" +
	"օoսuոnհhɑaɡgոnցg" // Armenian, IPA

//go:generate sh -c "go run ./gen < confusables.txt > alike_table.go"

// alikeEnd is where the part of [alikes] that is an array ends.
const alikeEnd = 0x600

type alikeTable struct {
	low  [alikeEnd]byte
	high map[rune]byte
	from map[rune]rune
}

var alikes = sync.OnceValue(func() *alikeTable {
	t := alikeTable{high: map[rune]byte{}, from: map[rune]rune{}}
	add := func(list string) {
		pairs := []rune(list)
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] < alikeEnd {
				t.low[pairs[i]] = byte(pairs[i+1])
			} else {
				t.high[pairs[i]] = byte(pairs[i+1])
			}
		}
	}
	add(confusables)
	add(lookAlikes)
	pairs := []rune(lookAlikes)
	for i := 0; i < len(pairs); i += 2 {
		if t.from[pairs[i+1]] == 0 {
			t.from[pairs[i+1]] = pairs[i]
		}
	}
	return &t
})

// alike returns the ASCII letter or digit that r looks like, 0 if none.
func alike(r rune) byte {
	t := alikes()
	if r < alikeEnd {
		return t.low[r]
	}
	if r < 0x3000 || 0xA000 <= r && r < 0xAC00 || r >= 0x10000 && r < 0x20000 {
		return t.high[r]
	}
	return 0
}

// undoAlike writes words in Latin letters that mix them with look-alikes of
// other scripts, and words of look-alikes alone that are common words, unless the
// text is in their script. Latin letters that are no ASCII look-alike of another
// count for words only if a common word comes of it: Turkish has a dotless i.
func undoAlike(s *splice) {
	text := s.text
	ours, theirs, alone, common, mixtures := 0, 0, 0, 0, 0
	var buf [3 * maxWord]byte
	words(text, func(start, end int, w wordScript) {
		switch {
		case w.alike && !w.latin && !w.other:
			alone++
			if end-start > 3*maxWord {
				return
			}
			if plain, _, ok := skeleton(buf[:0], text[start:end]); ok && len(plain) >= 3 && isCommon(plain) {
				common++
			}
		case w.latin:
			ours++
			if w.alike && w.letters >= 3 && end-start <= 3*maxWord {
				if _, mixed, ok := skeleton(buf[:0], text[start:end]); mixed && ok && !greekSign(text[start:end]) {
					mixtures++
				}
			}
		case w.other:
			theirs++
		}
	})
	foreign := false // the word before is of another script
	words(text, func(start, end int, w wordScript) {
		before := foreign
		foreign = w.other && !w.latin
		if !w.alike || end-start > 3*maxWord {
			return
		}
		plain, mixed, ok := skeleton(buf[:0], text[start:end])
		known := ok && len(plain) >= 2 && isCommon(plain)
		switch {
		case w.latin && mixed && !known && greekSign(text[start:end]):
			return
		case !w.other && mixed && ok && mixtures >= 2 && theirs < mixtures && !before && !foreignWord(text[end:]):
		case w.latin && mixed && ok && (w.letters >= 3 || known):
		case w.latin && known && len(plain) >= 4:
		case !w.latin && !w.other && known && (len(plain) >= 3 || len(plain) == 2 && theirs == 0) && theirs < ours && !before && !foreignWord(text[end:]):
		case !w.latin && !w.other && theirs == 0 && ours == 0 && common >= 2 && 2*common >= alone:
		default:
			return
		}
		for i, r := range text[start:end] {
			at := start + i
			if c := alike(r); c != 0 && r >= utf8.RuneSelf {
				if c == 'l' && ok && known && plain[runeIndex(text[start:at])] == 'i' {
					c = 'i'
				}
				s.putByte(at, at+utf8.RuneLen(r), c)
			}
		}
	})
}

// foreignWord reports whether the next word of text is of another script than
// Latin, and does not look like it.
func foreignWord(text string) bool {
	letters := 0
	for i, r := range text {
		if i > 64 || letters > 0 && !letterLike(r) {
			break
		}
		if r >= utf8.RuneSelf && unicode.IsLetter(r) && alike(r) == 0 && !unicode.Is(unicode.Latin, r) {
			return true
		}
		if letterLike(r) {
			letters++
		}
	}
	return false
}

// greekSign reports whether a word is a Greek letter before or behind Latin ones,
// as sciences have it: αSyn.
func greekSign(word string) bool {
	n := 0
	for i, r := range word {
		if unicode.Is(unicode.Greek, r) {
			if n++; n > 1 || i > 0 && i+utf8.RuneLen(r) < len(word) {
				return false
			}
		} else if !unicode.Is(unicode.Latin, r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return n == 1
}

// isCommon reports whether word is common, in any case.
func isCommon(word []byte) bool {
	var buf [3 * maxWord]byte
	return english[string(lower(buf[:0], word))]
}

func runeIndex(s string) int { return utf8.RuneCountInString(s) }

// skeleton appends word in ASCII; mixed says whether letters of another script
// than Latin are in it, ok whether all of it could be written.
func skeleton(dst []byte, word string) (plain []byte, mixed, ok bool) {
	ok = true
	for _, r := range word {
		switch c := alike(r); {
		case r < utf8.RuneSelf:
			dst = append(dst, byte(r))
		case c == 0:
			ok = false
			mixed = mixed || !unicode.Is(unicode.Latin, r)
		default:
			mixed = mixed || !unicode.Is(unicode.Latin, r)
			dst = append(dst, c)
		}
	}
	if ok && !isCommon(dst) { // the look-alikes of l are those of i
		for i, r := 0, []rune(word); i < len(dst); i++ {
			if dst[i] == 'l' && r[i] >= utf8.RuneSelf {
				dst[i] = 'i'
				if isCommon(dst) {
					return dst, mixed, ok
				}
				dst[i] = 'l'
			}
		}
	}
	return dst, mixed, ok
}

// words calls f for each run of letters, saying which kinds of letters it
// holds: Latin ones, look-alikes, and others.
func words(text string, f func(start, end int, w wordScript)) {
	var w wordScript
	for i, r := range text {
		if r < utf8.RuneSelf && isAlpha(byte(r)) || r >= utf8.RuneSelf && (unicode.IsLetter(r) || alike(r) != 0) {
			if w.letters == 0 {
				w.start = i
			}
			w.letters++
			switch {
			case alike(r) != 0:
				w.alike = true
				w.latin = w.latin || unicode.Is(unicode.Latin, r)
			case r < utf8.RuneSelf || unicode.Is(unicode.Latin, r):
				w.latin = true
			default:
				w.other = true
			}
			continue
		}
		if w.letters > 0 && r < utf8.RuneSelf && (isDigit(byte(r)) || r == '@' || r == '$') {
			continue // may be a letter in leet
		}
		if w.letters > 0 {
			f(w.start, i, w)
			w = wordScript{}
		}
	}
	if w.letters > 0 {
		f(w.start, len(text), w)
	}
}

func encodeHomoglyph(text string) string {
	from := alikes().from
	return strings.Map(func(r rune) rune {
		if l, ok := from[r]; ok {
			return l
		}
		return r
	}, text)
}
