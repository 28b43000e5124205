package decode

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// looker is one reading of a text: it goes over it once, word by word, and
// notes what makes a converter worth asking.
type looker struct {
	text string
	seen feature

	apart, names, numbers, pairs, dots int // in a row
	groups, length                     int // words of the same length in a row, and that length
	backward, atbash, shifted, pig     int // gains of the words before
	mixed                              int // words of letters and digits
	r47                                int // in all
	marks                              int // in a row
	over                               int // marks through letters
	latin, foreign, alikes             int // words: Latin, foreign, foreign that look Latin
	wordEnd                            int // behind the last word
	script                             wordScript
	selectors                          int
	regional                           int
}

// wordScript is what the current word is made of; it may hold ASCII and other
// letters.
type wordScript struct {
	start, letters      int
	latin, alike, other bool
}

// look reads text and returns what it may wear, 0 if nothing.
func look(text string) feature {
	l := looker{text: text}
	var set [4]uint64 // bytes that stand outside of words
	token, tokenAnd, tokenOr, signs, joints := 0, uint16(0xFFFF), uint16(0), 0, 0
	for i := 0; i < len(text); {
		c := text[i]
		k := kinds[c]
		switch {
		case k&kAlnum != 0:
			end, or, and := l.word(i)
			i = end
			tokenOr |= or
			tokenAnd &= and
			l.marks = 0
			continue
		case c >= utf8.RuneSelf:
			i += l.rune(i)
			tokenAnd = 0
			continue
		}
		l.endScript(i)
		set[c>>6] |= 1 << (c & 63)
		if k&kSpace != 0 {
			l.token(i-token, tokenAnd, tokenOr, signs)
			token, tokenAnd, tokenOr, signs, joints = i+1, 0xFFFF, 0, 0, 0
		} else {
			signs++
			if k&kJoint != 0 && i > 0 && i+1 < len(text) && isAlpha(text[i-1]) && isAlpha(text[i+1]) {
				if joints++; joints >= 3 {
					l.seen |= fJoined
				}
			}
			if k&kSign != 0 && i+1 < len(text) && isAlpha(text[i+1]) {
				l.seen |= fSigns
			}
			tokenAnd &= k
			tokenOr |= k
		}
		if k&kDot != 0 && i > 0 && kinds[text[i-1]]&(kDot|kSpace) != 0 || c == '/' && i > 0 && text[i-1] == ' ' {
			if l.dots++; l.dots >= 6 {
				l.seen |= fDots
			}
		}
		i++
	}
	l.endScript(len(text))
	l.token(len(text)-token, tokenAnd, tokenOr, signs)
	l.sum(set)
	return l.seen
}

// token judges what stands between two spaces: its length, the classes that all
// and any of its bytes have, and how many of them are signs.
func (l *looker) token(n int, and, or uint16, signs int) {
	switch {
	case n >= 4 && and&kRot47 != 0 && signs >= 1:
		if l.r47 += 2; l.r47 >= 4 {
			l.seen |= fRot47
		}
	case n >= 3:
		l.r47 = max(0, l.r47-1)
	}
	if n >= 15 && signs >= 2 && or&(kCapital|kDigit) != 0 {
		l.seen |= fSymbols
	}
}

// sum draws the conclusions from what was counted.
func (l *looker) sum(set [4]uint64) {
	has := func(c byte) bool { return set[c>>6]>>(c&63)&1 == 1 }
	for _, x := range [...]struct {
		b byte
		f feature
	}{
		{'\b', fErase},
		{0x7F, fErase},
		{0x1B, fTerminal},
		{'%', fPercent},
		{'&', fEntity},
		{'=', fEquals},
		{'\\', fEscape},
		{'<', fMarkup},
		{']', fLinks},
	} {
		if has(x.b) {
			l.seen |= x.f
		}
	}
	if (has('"') || has('\'')) && (has('+') || has('&') || has('.') || has('|')) && piece(l.text) {
		l.seen |= fPieces
	}
	if l.seen&fMarkup != 0 && !has('>') {
		l.seen &^= fMarkup
	}
	if l.alikes > 0 && l.latin >= l.foreign-l.alikes {
		l.seen |= fAlike
	}
	if l.over >= 3 {
		l.seen |= fMarks
	}
}

// word reads the ASCII letters and digits at text[i] and returns their end and
// which classes any and all of them have.
func (l *looker) word(i int) (end int, or, and uint16) {
	text, start := l.text, i
	var forward, backward, power uint64 = 0, 0, 1
	previous, humps, turns := byte(0), 0, 0
	class := kinds[text[i]] & kDigit
	and = 0xFFFF
	for ; i < len(text); i++ {
		k := kinds[text[i]]
		if k&kAlnum == 0 {
			break
		}
		if k&kCapital != 0 && previous >= 'a' {
			humps++
		}
		if k&kDigit != class {
			class = k & kDigit
			turns++
		}
		previous = text[i]
		or |= k
		and &= k
		c := uint64(previous | 0x20)
		forward = forward*hashBase + c
		backward += c * power
		power *= hashBase
	}
	n := i - start
	if n >= 3 {
		l.dots = 0
	}
	if l.script.letters == 0 {
		l.script.start = start
	}
	l.script.letters += n
	if or&kLetter != 0 {
		l.script.latin = true
	}
	if or&^(kSmall|kHex) == 0 && n > 2 && n < 16 || or&kDigit == 0 {
		l.letters(text[start:i], forward, backward)
	}
	switch { // letters that may be written as digits
	case turns >= 2:
		l.seen |= fSigns
	case turns == 1:
		if l.mixed += 4; l.mixed >= 10 {
			l.seen |= fSigns
		}
	case l.mixed > 0:
		l.mixed--
	}
	l.counts(start, i, i-start == 1, or, and, humps)
	return i, or, and
}

// counts notes what stands in a row.
func (l *looker) counts(start, end int, alone bool, or, and uint16, humps int) {
	n := end - start
	near := l.wordEnd > 0 && start-l.wordEnd <= widestGap
	l.wordEnd = end
	keep := func(counter *int, ok bool, enough int, f feature) {
		switch {
		case !ok:
			*counter = 0
		case near:
			*counter++
		default:
			*counter = 1
		}
		if *counter >= enough {
			l.seen |= f
		}
	}
	keep(&l.groups, n >= 4 && n&3 == 0 && n == l.length, 3, fGroups)
	l.length = n
	keep(&l.apart, alone, leastApart, fApart)
	if and&kDigit != 0 || l.numbers > 0 {
		keep(&l.numbers, and&kDigit != 0 && n <= 8, 4, fNumbers)
	}
	if n <= 4 {
		keep(&l.pairs, and&kHex != 0 && n&1 == 0 || n == 4 && l.text[start]|0x20 != 'x' && l.text[start+1]|0x20 == 'x', 4, fPairs)
	} else {
		l.pairs = 0
	}
	switch {
	case n >= 8 && and&kHex != 0:
		l.seen |= fPairs
		l.run(start, end, or)
	case n >= 8 && (humps > 0 || or&kDigit != 0 && or&kLetter != 0 || or&kSmall == 0 && n >= 16):
		l.run(start, end, or)
	}
	if or&kDigit == 0 && (humps >= 3 || n >= 16 && n <= 4096) {
		var buf [64]int16
		if humps >= 3 || len(wordStarts(buf[:0], l.text[start:end])) >= 4 {
			l.seen |= fJoined
		}
	}
	if n >= 14 && and&kDigit != 0 {
		l.seen |= fBits
	}
	if n == 5 && start+6 < len(l.text) && l.text[end] == ' ' && l.text[start:end] == "begin" && isDigit(l.text[end+1]) {
		l.seen |= fBegin
	}
}

// run asks what may be encoded in a run of letters and digits. That is read from
// its beginning, if it is known where that is.
func (l *looker) run(start, end int, or uint16) {
	run := l.text[start:end]
	if or&kLetter != kLetter {
		l.seen |= fRun32
	}
	if len(run) >= 11 && !strings.ContainsAny(run[:11], "0OIl") {
		l.seen |= fRun58
	}
	var buf [12]byte
	if start > 0 && strings.IndexByte("+/-_", l.text[start-1]) >= 0 || end < len(l.text) && len(run) < 16 && strings.IndexByte("+/-_", l.text[end]) >= 0 {
		l.seen |= fRun
		return
	}
	n, err := base64.RawStdEncoding.Decode(buf[:], []byte(run[:min(len(run), 16)&^3]))
	if err == nil && (begins(buf[:n]) || packed(buf[:n])) {
		l.seen |= fRun
	}
	if len(run) >= 16 {
		var back [16]byte
		for i := range back {
			back[i] = run[len(run)-1-i]
		}
		if n, err := base64.RawStdEncoding.Decode(buf[:], back[:]); err == nil && begins(buf[:n]) {
			l.seen |= fRunBack
		}
	}
}

// letters asks whether a word of letters is common as it stands, backwards or
// in a cipher.
func (l *looker) letters(word string, forward, backward uint64) {
	n := len(word)
	if n < 3 || n > maxCommon {
		return
	}
	t := hashes()
	named := n >= 4 && t.has(forward, spellWord)
	if named {
		if l.names++; l.names >= 3 {
			l.seen |= fNames
		}
	} else {
		l.names = 0
	}
	if t.has(forward, plainWord) {
		l.backward, l.atbash, l.shifted, l.pig = l.backward-n, l.atbash-n, l.shifted-n, l.pig-n
		return
	}
	l.score(&l.backward, n, fBackward, t.has(backward, plainWord) && t.exact(word, reversedLetters))
	l.score(&l.atbash, n, fAtbash, t.has(atbashSum[n]-forward, plainWord) && t.exact(word, atbashLetters))
	if n >= 4 {
		l.score(&l.pig, n-3, fPig, word[n-1]|0x20 == 'y' && word[n-2]|0x20 == 'a')
		l.score(&l.shifted, n, fShifted, t.shape(word))
	}
}

// score counts for a cipher as its decoder does: what words gain by it, less
// what they are worth as they stand.
func (l *looker) score(sum *int, n int, f feature, gains bool) {
	*sum = max(*sum, 0)
	if !gains {
		*sum--
		return
	}
	if *sum += n; *sum >= enoughWords-1 {
		l.seen |= f
	}
}

// rune takes the character beyond ASCII at text[i] and returns its length.
func (l *looker) rune(i int) int {
	r, n := utf8.DecodeRuneInString(l.text[i:])
	switch {
	case r < 0x2B0:
		if r == 0xAD {
			l.seen |= fHidden
			return n
		}
		if 0x250 <= r {
			l.seen |= turned(r)
		}
		if r == 0xAA || r == 0xBA || r >= 0xC0 && r != 0xD7 && r != 0xF7 {
			if l.script.letters == 0 {
				l.script.start = i
			}
			l.script.letters++
			l.script.latin = true
			if alike(r) != 0 {
				l.script.alike = true
			}
			return n
		}
	case r < 0x370 || 0x483 <= r && r < 0x48A || 0x1AB0 <= r && r < 0x1B00 || 0x1DC0 <= r && r < 0x1E00 || 0x20D0 <= r && r < 0x2100:
		if r < 0x300 {
			l.seen |= styledFeature(r)
			break
		}
		if r == 0x34F {
			l.seen |= fHidden
			return n
		}
		if l.marks++; l.marks == 3 {
			l.seen |= fMarks
		}
		if overlay(r) {
			l.over++
		}
		return n
	case 0xFE00 <= r && r <= 0xFE0F, 0xE0100 <= r && r <= 0xE01EF:
		if l.selectors++; l.selectors == 2 {
			l.seen |= fSelector
		}
		if i > 0 && isAlpha(l.text[i-1]) {
			l.seen |= fHidden
		}
		return n
	case invisible(r):
		l.hiddenRune(r)
		return n
	case 0xE0000 <= r && r < 0xE0080:
		l.seen |= fTag
		return n
	case 0x1F1E6 <= r && r <= 0x1F1FF:
		l.regional++
		l.seen |= fStyled
	case 0x2800 <= r && r <= 0x28FF:
		l.seen |= fBraille
	case 0x2000 <= r && r < 0x2E00 || r >= 0x1D00 && r < 0x1DC0 || 0xA700 <= r && r < 0xA800 || 0xFB00 <= r && r < 0x10000 || r >= 0x1D400 && r < 0x1F200:
		l.seen |= styledFeature(r) | turned(r)
		if r == '•' || r == '·' || r == '−' || r == '–' || r == '—' {
			l.dots++
			if l.dots >= 6 {
				l.seen |= fDots
			}
		}
	case r >= 0x16A00 && r < 0x1D400:
	}
	l.selectors, l.marks = 0, 0
	if !letterLike(r) {
		l.endScript(i)
		return n
	}
	if l.script.letters == 0 {
		l.script.start = i
	}
	l.script.letters++
	if alike(r) != 0 {
		l.script.alike = true
	} else {
		l.script.other = true
	}
	return n
}

func (l *looker) hiddenRune(r rune) {
	switch {
	case r == sneakyZero || r == sneakyOne:
		l.seen |= fSneaky | fHidden
	case r == 0x202D || r == 0x202E || r == 0x2066 || r == 0x2067 || r == 0x202B:
		l.seen |= fBidi | fHidden
	default:
		l.seen |= fHidden
	}
}

// endScript judges the word that ends before text[i].
func (l *looker) endScript(i int) {
	w := l.script
	if w.letters == 0 {
		return
	}
	l.script = wordScript{}
	foreign := w.alike || w.other
	switch {
	case w.latin && w.alike:
		l.seen |= fAlike
	case w.latin && !foreign:
		l.latin++
	case foreign:
		l.foreign++
		if !w.other {
			l.alikes++
		}
	}
	if foreign && !w.latin {
		l.counts(w.start, i, w.letters == 1, 0, 0, 0)
	}
}
