package decode

import (
	"slices"
	"unicode/utf8"
)

// A cipher of letters is told from honest text by words: where it makes enough
// common English words out of what are none, it is undone. A text is cut into
// tokens at white space; a token's gain is what its decoded form is worth more
// than itself; and the stretches of tokens with a large sum are rewritten.
type cipher struct {
	word   func(dst, word []byte) []byte // decodes one token; appends to dst
	whole  func(dst, span []byte) []byte // decodes a stretch of tokens; nil: token by token
	how    how                           // how the decoded bytes stand to the disguised ones
	enough int                           // gain that a stretch must have
}

type token struct {
	start, end int32
	gain       int16
	plain      bool // the token is English as it stands
}

// Bounds of the search for stretches.
const (
	maxTokens = 4096 // looked at together; longer texts are cut
	drop      = 8    // a stretch ends where its sum falls so far below its best
)

func (c cipher) undo(s *splice) {
	text := s.text
	n := 1
	for i := 0; i < len(text) && n < maxTokens; i++ {
		if isSpace(text[i]) {
			n++
		}
	}
	tokens := make([]token, 0, n)
	scratch := make([]byte, 2*maxWord)
	for at := 0; at < len(text); {
		tokens, at = c.tokens(tokens[:0], scratch, text, at)
		c.rewrite(s, tokens, scratch)
	}
}

// tokens cuts and scores text from at on, until its end or the bound.
func (c cipher) tokens(tokens []token, scratch []byte, text string, at int) ([]token, int) {
	for at < len(text) && len(tokens) < maxTokens {
		if isSpace(text[at]) {
			at++
			continue
		}
		start := at
		for at < len(text) && !isSpace(text[at]) {
			at++
		}
		t := token{start: int32(start), end: int32(at)}
		if at-start <= maxWord {
			word := scratch[:copy(scratch[:maxWord], text[start:at])]
			before := worth(word)
			after := worth(c.word(scratch[maxWord:maxWord], word))
			t.plain = before > 0
			t.gain = int16(after - before)
			if after == 0 && before == 0 && slices.ContainsFunc(word, isAlpha) {
				t.gain = -1
			}
		}
		tokens = append(tokens, t)
	}
	return tokens, at
}

// rewrite replaces the stretches among tokens that gain enough. When no token
// is English as it stands, the whole text is one disguise.
func (c cipher) rewrite(s *splice, tokens []token, scratch []byte) {
	honest := false
	for _, t := range tokens {
		honest = honest || t.gain < -1 || t.plain && t.gain < 0
	}
	for i := 0; i < len(tokens); {
		first, last, next, ok := stretch(tokens, i, c.enough)
		if !ok {
			i = next
			continue
		}
		if !honest {
			first, last = 0, len(tokens)-1
		}
		for first > i && joins(s.text, tokens[first-1], tokens[first-1].end, tokens[first].start) {
			first--
		}
		for last+1 < len(tokens) && joins(s.text, tokens[last+1], tokens[last].end, tokens[last+1].start) {
			last++
		}
		c.replace(s, tokens[first:last+1], scratch)
		i = last + 1
	}
}

// joins reports whether t, which is no English either way, belongs to the
// stretch beside it, from which text[from:to] parts it.
func joins(text string, t token, from, to int32) bool {
	if t.plain || t.gain < -1 || text[t.end-1] == ':' || text[from-1] == ':' {
		return false
	}
	return !slices.Contains([]byte(text[from:to]), '\n')
}

// stretch finds the first stretch at or after tokens[i] whose gains sum up to
// enough; next is where to go on when there is none at the first candidate.
func stretch(tokens []token, i, enough int) (first, last, next int, ok bool) {
	for i < len(tokens) && tokens[i].gain <= 0 {
		i++
	}
	first = i
	sum, best, last := 0, 0, i
	for ; i < len(tokens); i++ {
		sum += int(tokens[i].gain)
		if sum <= 0 || sum < best-drop {
			break
		}
		if sum > best {
			best, last = sum, i
		}
	}
	return first, last, max(i, first+1), best >= enough
}

func (c cipher) replace(s *splice, tokens []token, scratch []byte) {
	start, end := int(tokens[0].start), int(tokens[len(tokens)-1].end)
	if c.whole != nil {
		s.putBytes(start, end, c.whole(make([]byte, 0, end-start), []byte(s.text[start:end])), c.how)
		return
	}
	for _, t := range tokens {
		if t.end-t.start > maxWord {
			s.putBytes(int(t.start), int(t.end), c.word(nil, []byte(s.text[t.start:t.end])), c.how)
			continue
		}
		word := scratch[:copy(scratch[:maxWord], s.text[t.start:t.end])]
		if plain := c.word(scratch[maxWord:maxWord], word); string(plain) != string(word) {
			s.putBytes(int(t.start), int(t.end), plain, c.how)
		}
	}
}

// bytewise is a cipher that replaces byte by byte.
func bytewise(enough int, f func(byte) byte) cipher {
	each := func(dst, span []byte) []byte {
		for _, b := range span {
			dst = append(dst, f(b))
		}
		return dst
	}
	return cipher{word: each, whole: each, how: even, enough: enough}
}

// shift moves letters by n places.
func shift(b byte, n int) byte {
	switch {
	case isLower(b):
		return 'a' + byte((int(b-'a')+n)%26)
	case isUpper(b):
		return 'A' + byte((int(b-'A')+n)%26)
	}
	return b
}

func rot13(b byte) byte { return shift(b, 13) }

func rot47(b byte) byte {
	if '!' <= b && b <= '~' {
		return '!' + (b-'!'+47)%94
	}
	return b
}

func atbash(b byte) byte {
	switch {
	case isLower(b):
		return 'z' - (b - 'a')
	case isUpper(b):
		return 'Z' - (b - 'A')
	}
	return b
}

// enoughWords is the gain that tells a cipher from chance: two or three words.
const enoughWords = 7

var (
	rot13Cipher    = bytewise(enoughWords, rot13)
	rot47Cipher    = bytewise(enoughWords, rot47)
	atbashCipher   = bytewise(enoughWords, atbash)
	reversedCipher = cipher{word: reverse, whole: reverse, how: mirror, enough: enoughWords + 2}
	flippedCipher  = cipher{word: reverse, how: mirror, enough: enoughWords + 2}
)

func undoRot13(s *splice)    { rot13Cipher.undo(s) }
func undoRot47(s *splice)    { rot47Cipher.undo(s) }
func undoAtbash(s *splice)   { atbashCipher.undo(s) }
func undoReversed(s *splice) { reversedCipher.undo(s) }
func undoFlipped(s *splice)  { flippedCipher.undo(s) }

func encodeRot13(text string) string    { return string(rot13Cipher.whole(nil, []byte(text))) }
func encodeRot47(text string) string    { return string(rot47Cipher.whole(nil, []byte(text))) }
func encodeAtbash(text string) string   { return string(atbashCipher.whole(nil, []byte(text))) }
func encodeReversed(text string) string { return string(reverse(nil, []byte(text))) }

// encodeFlipped reverses each word and leaves the words in their places.
func encodeFlipped(text string) string {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		start := i
		for i < len(text) && !isSpace(text[i]) {
			i++
		}
		out = reverse(out, []byte(text[start:i]))
		if i < len(text) {
			out = append(out, text[i])
			i++
		}
	}
	return string(out)
}

// reverse appends the characters of span, last first.
func reverse(dst, span []byte) []byte {
	for len(span) > 0 {
		_, n := utf8.DecodeLastRune(span)
		dst = append(dst, span[len(span)-n:]...)
		span = span[:len(span)-n]
	}
	return dst
}

// caesarShift is the shift of encodeCaesar, Caesar's own.
const caesarShift = 3

func encodeCaesar(text string) string {
	out := []byte(text)
	for i, b := range out {
		out[i] = shift(b, caesarShift)
	}
	return string(out)
}

// undoCaesar tries all shifts at once: the distances between a word's
// letters tell which shifts make it a common word. The shift with the best
// stretch is undone.
func undoCaesar(s *splice) {
	text := s.text
	const enough = 2 * enoughWords // more shifts, more chance
	var sum, best [26]int
	var word, low [maxWord]byte
	for at := 0; at < len(text); {
		if isSpace(text[at]) {
			at++
			continue
		}
		start := at
		for at < len(text) && !isSpace(text[at]) {
			at++
		}
		if at-start > maxWord {
			continue
		}
		w := lower(low[:0], word[:copy(word[:], text[start:at])])
		if len(w) < 2 {
			continue
		}
		gain := len(w)
		if gain == 2 {
			gain = 1
		}
		loss := 1
		if english[string(w)] {
			loss = gain
		}
		first := int(w[0] - 'a')
		firsts := patterns[string(pattern(w))]
		for n := 1; n < 26; n++ {
			if firsts>>((first+n)%26)&1 == 1 {
				sum[n] += gain
			} else {
				sum[n] -= loss
			}
			sum[n] = max(sum[n], 0)
			best[n] = max(best[n], sum[n])
		}
	}
	n := 1
	for i := range best {
		if best[i] > best[n] {
			n = i
		}
	}
	if best[n] < enough {
		return
	}
	if n != 13 { // which is rot13
		bytewise(enough, func(b byte) byte { return shift(b, n) }).undo(s)
	}
}
