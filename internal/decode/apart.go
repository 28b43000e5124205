package decode

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of letters that stand apart.
const (
	leastApart = 5       // letters that are taken for a word
	manyApart  = 12      // letters that are taken for words that nobody knows
	widestGap  = 12      // bytes between two of them
	maxRow     = 1 << 14 // letters joined together; longer rows are cut
	rareApart  = 0.4
	hanApart   = 0.05 // scripts without spaces are spaced for looks
)

// single is a letter or digit by itself.
type single struct{ start, end int32 }

// undoApart joins letters that stand apart: "i g n o r e", "i-g-n-o-r-e", one on
// a line. Where another gap than that between letters, or a longer one, parts
// words, it becomes one space; where nothing parts them, common words are looked
// for.
func undoApart(s *splice) {
	text := s.text
	var row []single
	last := 0
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if !letterLike(r) {
			i += n
			continue
		}
		start := i
		count := 0
		for i < len(text) {
			r, n := utf8.DecodeRuneInString(text[i:])
			if !letterLike(r) && !invisible(r) && (r < 0x300 || !unicode.Is(unicode.M, r)) {
				break
			}
			if letterLike(r) {
				count++
			}
			i += n
		}
		if len(row) > 0 && (count > 1 || start-last > widestGap || len(row) == maxRow) {
			join(s, row)
			row = row[:0]
		}
		if count == 1 {
			row = append(row, single{int32(start), int32(i)})
			last = i
		}
	}
	join(s, row)
}

// join writes the letters of a row together, if they say something.
func join(s *splice, row []single) {
	if len(row) < leastApart {
		return
	}
	text := s.text
	letters, foreign, inOrder := 0, 0, 0
	for i, c := range row {
		r, _ := utf8.DecodeRuneInString(text[c.start:])
		if !isDigit(text[c.start]) {
			letters++
		}
		if r >= 0x600 {
			foreign++
		}
		if i > 0 && c.end-c.start == 1 && text[c.start] == text[row[i-1].start]+1 {
			inOrder++
		}
	}
	if len(row) < leastApart || letters < 3 || 3*letters < len(row) || 3*inOrder > len(row) {
		return
	}
	apart := between(text, row)
	gaps := make([]string, 0, len(row)) // what stands behind each letter when they are joined
	parted := false
	words, word := 0, make([]byte, 0, 2*len(row))
	for i := 0; i+1 < len(row); i++ {
		word = append(word, text[row[i].start:row[i].end]...)
		gap := closeGap(text[row[i].end:row[i+1].start], apart)
		gaps = append(gaps, gap)
		word = append(word, gap...)
		if gap != "" {
			parted = true
			words++
		}
	}
	word = append(word, text[row[len(row)-1].start:row[len(row)-1].end]...)
	if !parted {
		joined := partWords(string(word))
		at := 0
		for i := 0; i+1 < len(row); i++ {
			at += int(row[i].end - row[i].start)
			if at < len(joined) && joined[at] == ' ' {
				gaps[i] = " "
				at++
			}
		}
		word = []byte(joined)
	}
	switch {
	case 2*foreign > len(row):
		s.strange(hanApart)
	case speaks(string(word), letters, words+1):
		s.strange(rareApart)
	default:
		return
	}
	for i, gap := range gaps {
		s.put(int(row[i].end), int(row[i+1].start), gap)
	}
	// Punctuation behind the last letter stands apart as well.
	for end := int(row[len(row)-1].end); apart != "" && strings.HasPrefix(text[end:], apart); {
		r, n := utf8.DecodeRuneInString(text[end+len(apart):])
		after := end + len(apart) + n
		if n == 0 || letterLike(r) || unicode.IsSpace(r) || after < len(text) && !isSpace(text[after]) {
			break
		}
		s.put(end, end+len(apart), "")
		end = after
	}
}

// speaks reports whether the words of s are words, as far as can be told.
func speaks(s string, letters, words int) bool {
	vowels := 0
	for i := range len(s) {
		if isVowel(s[i]) {
			vowels++
		}
	}
	if letters >= manyApart && words > 1 && 2*words < letters && letters < 12*words && 5*vowels >= letters && 3*vowels <= 2*letters {
		return true
	}
	var buf [maxWord]byte
	for w := range strings.FieldsSeq(s) {
		if len(w) < 4 || len(w) > maxWord {
			continue
		}
		word := append(buf[:0], w...)
		for i, c := range word {
			if isDigit(c) && leetLetters[c] != "" {
				word[i] = leetLetters[c][0]
			}
		}
		if worth(word) > 0 {
			return true
		}
	}
	for _, r := range s {
		if r >= 0x80 && letters >= leastApart && letters >= 2*words {
			return true
		}
	}
	return false
}

// between returns what stands between two letters of a word: what stands there
// most often; "" if there is no such thing.
func between(text string, row []single) string {
	type kind struct {
		gap   string
		count int
	}
	var kinds [16]kind
	used, best := 0, 0
	for i := 0; i+1 < len(row); i++ {
		gap := text[row[i].end:row[i+1].start]
		k := 0
		for k < used && kinds[k].gap != gap {
			k++
		}
		if k == len(kinds) {
			continue
		}
		if k == used {
			kinds[k].gap = gap
			used++
		}
		if kinds[k].count++; kinds[k].count > kinds[best].count {
			best = k
		}
	}
	if 2*kinds[best].count < len(row)-1 {
		return ""
	}
	return kinds[best].gap
}

// closeGap returns what a gap is in the joined text: nothing between two letters
// of a word; between words, what is left when the gaps within words are taken
// out.
func closeGap(gap, apart string) string {
	if gap == apart {
		return ""
	}
	if apart == "" {
		if strings.ContainsFunc(gap, unicode.IsSpace) {
			return " "
		}
		return ""
	}
	var out []byte
	rest, ok := strings.CutPrefix(gap, apart)
	for ok && rest != "" { // one character, then a gap, and so on
		_, n := utf8.DecodeRuneInString(rest)
		out = append(out, rest[:n]...)
		rest, ok = strings.CutPrefix(rest[n:], apart)
	}
	if !ok {
		rest := gap
		if strings.TrimSpace(apart) != "" {
			rest = strings.ReplaceAll(gap, apart, "")
		}
		out = append(out[:0], rest...)
	}
	spaced := strings.Join(strings.Fields(string(out)), " ")
	if r, _ := utf8.DecodeLastRune(out); unicode.IsSpace(r) || spaced == "" {
		spaced += " "
	}
	return spaced
}

// partWords puts spaces into letters that are all common words, one after the
// other, in as few words as possible; what is not is returned as it is.
func partWords(s string) string {
	starts := wordStarts(nil, s)
	if len(starts) < 2 {
		return s
	}
	out := make([]byte, 0, len(s)+len(starts))
	for i, start := range starts {
		end := len(s)
		if i+1 < len(starts) {
			end = int(starts[i+1])
			out = append(append(out, s[start:end]...), ' ')
			continue
		}
		out = append(out, s[start:end]...)
	}
	return string(out)
}

// strayLetter is what a letter costs that is in no common word, as four letters
// of one cost.
const strayLetter = 6

// wordStarts appends where the words begin that s is made of, if four fifths of
// it are common words; nothing if it is one word.
func wordStarts(dst []int16, s string) []int16 {
	if len(s) < leastApart || len(s) > 4096 {
		return dst
	}
	var lowBuf [65]byte
	var costBuf, fromBuf [65]int16
	low, cost, from := lowBuf[:0], costBuf[:], fromBuf[:]
	if len(s) > 64 {
		cost, from = make([]int16, len(s)+1), make([]int16, len(s)+1)
	}
	for i := range len(s) {
		if !isAlpha(s[i]) {
			return dst
		}
		low = append(low, s[i]|0x20)
	}
	if english[string(low)] {
		return dst
	}
	t := hashes()
	cost[0] = 1 // of the words up to here; 0: not known yet
	for start := range len(s) {
		if c := cost[start] + strayLetter; cost[start+1] == 0 || c < cost[start+1] {
			cost[start+1], from[start+1] = c, -int16(start)-1
		}
		h := uint64(0)
		for end := start + 1; end <= min(len(s), start+maxCommon); end++ {
			h = h*hashBase + uint64(low[end-1])
			if !t.has(h, plainWord) || !english[string(low[start:end])] {
				continue
			}
			c := cost[start] + 4
			if end-start <= 2 {
				c += 3 // short words are seldom meant
			}
			if cost[end] == 0 || c <= cost[end] {
				cost[end], from[end] = c, int16(start)
			}
		}
	}
	known, stray := 0, false
	for end := len(s); end > 0; {
		start := from[end]
		if start < 0 { // letters of no word are a word together
			start = -start - 1
			if stray {
				dst = dst[:len(dst)-1]
			}
			stray = true
		} else {
			known += end - int(start)
			stray = false
		}
		dst = append(dst, start)
		end = int(start)
	}
	if 5*known < 4*len(s) {
		return dst[:0]
	}
	slices.Reverse(dst)
	return dst
}

// encodeApart parts characters by one space and words by three.
func encodeApart(text string) string { return encodeWith(text, " ") }

// encodeDashed parts the letters of a word by hyphens.
func encodeDashed(text string) string {
	var b strings.Builder
	before := ' '
	for _, r := range text {
		if letterLike(before) && letterLike(r) {
			b.WriteByte('-')
		}
		b.WriteRune(r)
		before = r
	}
	return b.String()
}

func encodeWith(text, sep string) string {
	var b strings.Builder
	for i, r := range text {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// How strange words without spaces are.
const (
	named    = 0.0 // as names are made in programs
	squeezed = 0.2
)

// undoJoined parts words that stand together: ignoreAllPreviousInstructions,
// ignore_all_previous_instructions, ignoreallpreviousinstructions. All of them
// must be common words, and at least four: names in programs seldom are.
func undoJoined(s *splice) {
	text := s.text
	for i := 0; i < len(text); {
		if !isAlpha(text[i]) {
			i++
			continue
		}
		start := i
		for i < len(text) && (isAlpha(text[i]) || i+1 < len(text) && strings.IndexByte("_.+~*-", text[i]) >= 0 && isAlpha(text[i+1])) {
			i++
		}
		if i-start >= manyApart && i-start <= 4096 && (start == 0 || !isAlnum(text[start-1])) && (i == len(text) || !isDigit(text[i])) {
			part(s, start, i)
		}
	}
}

// part parts the words of the token text[start:end].
func part(s *splice, start, end int) {
	text := s.text
	words, letters, short, from := 0, 0, 0, start
	whole := true // no sign of where words begin
	ok := true
	visit := func(to int) {
		if n := to - from; n > 0 {
			words++
			letters += n
			if n <= 2 {
				short++
			}
			var buf [maxWord]byte
			ok = ok && n <= maxWord && english[string(append(buf[:0], lower(buf[:0], []byte(text[from:to]))...))]
		}
	}
	for i := start; i < end && ok; i++ {
		switch {
		case !isAlpha(text[i]):
			visit(i)
			from, whole = i+1, false
		case i > start && isUpper(text[i]) && isLower(text[i-1]):
			visit(i)
			from, whole = i, false
		}
	}
	if whole {
		var buf [64]int16
		starts := wordStarts(buf[:0], text[start:end])
		for i, at := range starts {
			next := end - start
			if i+1 < len(starts) {
				next = int(starts[i+1])
			}
			if next-int(at) >= 3 {
				words++
			}
		}
		if words < 4 || 10*(end-start) < 34*len(starts) {
			return
		}
		for _, at := range starts[1:] {
			s.put(start+int(at), start+int(at), " ")
		}
		s.strange(squeezed)
		return
	}
	visit(end)
	least := 4
	if strings.ContainsAny(text[start:end], "-.") { // an address, a date, words that belong together
		least = 5
	}
	if !ok || words < least || 2*letters < 7*words {
		return
	}
	for i := start; i < end; i++ {
		switch {
		case !isAlpha(text[i]):
			s.putByte(i, i+1, ' ')
		case i > start && isUpper(text[i]) && isLower(text[i-1]):
			s.put(i, i, " ")
		}
	}
	s.strange(named)
}

// encodeCamel writes the words of each sentence as one name.
func encodeCamel(text string) string {
	var b strings.Builder
	upper := false
	for _, r := range text {
		switch {
		case r == ' ':
			upper = true
			continue
		case upper:
			r = unicode.ToUpper(r)
		}
		upper = false
		b.WriteRune(r)
	}
	return b.String()
}

func encodeSqueezed(text string) string { return strings.ReplaceAll(text, " ", "") }

func encodeSnake(text string) string { return strings.ReplaceAll(text, " ", "_") }
