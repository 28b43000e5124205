package decode

import (
	"strings"
	"unicode/utf8"
)

// leetLetters are the letters that a sign may stand for, likeliest first.
var leetLetters = func() (t [256]string) {
	for sign, letters := range map[byte]string{
		'4': "a", '@': "a", '8': "b", '3': "e", '6': "g", '9': "g", '1': "il", '!': "i", '|': "l",
		'0': "o", '5': "s", '$': "s", '7': "t", '+': "t", '2': "z",
	} {
		t[sign] = letters
	}
	return t
}()

var leetCipher = cipher{word: unleet, enough: enoughWords}

func decodeLeet(text string) (string, bool) {
	if strings.IndexFunc(text, func(r rune) bool { return r < utf8.RuneSelf && leetLetters[r] != "" }) < 0 {
		return text, false
	}
	return leetCipher.decode(text)
}

// unleet appends word with signs as letters. Punctuation after the word stays
// what it is. Of the ways to read "1" it takes the first that makes a common
// word.
func unleet(dst, word []byte) []byte {
	end := len(word)
	for end > 0 && strings.IndexByte("!.,;:?", word[end-1]) >= 0 {
		end--
	}
	core, start := word[:end], len(dst)
	digits := true
	for _, b := range core {
		digits = digits && isDigit(b)
	}
	for way := range 4 { // what the first '1' is, what the others are
		dst = dst[:start]
		ones := 0
		for _, b := range core {
			letters := leetLetters[b]
			switch {
			case letters == "":
				dst = append(dst, b)
			case len(letters) == 1:
				dst = append(dst, letters[0])
			case ones == 0:
				dst = append(dst, letters[way&1])
				ones++
			default:
				dst = append(dst, letters[way>>1])
			}
		}
		if worth(dst[start:]) > 0 || ones == 0 && !digits {
			return append(dst, word[end:]...)
		}
	}
	dst = dst[:start]
	if digits { // a number
		return append(dst, word...)
	}
	for _, b := range core {
		if letters := leetLetters[b]; letters != "" {
			b = letters[0]
		}
		dst = append(dst, b)
	}
	return append(dst, word[end:]...)
}

func encodeLeet(text string) string {
	return strings.NewReplacer("a", "4", "A", "4", "e", "3", "E", "3", "i", "1", "I", "1",
		"o", "0", "O", "0", "s", "5", "S", "5", "t", "7", "T", "7").Replace(text)
}

// decodeSpaced joins letters that stand apart: "i g n o r e", "i.g.n.o.r.e".
// Where two or more spaces, or a space between dotted words, part words, they
// become one space; where nothing parts them, common words are looked for.
func decodeSpaced(text string) (string, bool) {
	s := splice{text: text}
	for i := 0; i < len(text); {
		if i > 0 && !isSpace(text[i-1]) || isSpace(text[i]) {
			i++
			continue
		}
		plain, end, ok := spacedRun(text, i)
		if ok {
			s.put(i, end, plain)
		}
		_, n := utf8.DecodeRuneInString(text[i:])
		i = max(end, i+n)
	}
	return s.result()
}

// spacedRun reads single characters parted by single separators from text[i] to
// end, within which no other run begins.
func spacedRun(text string, i int) (plain string, end int, ok bool) {
	_, n := utf8.DecodeRuneInString(text[i:])
	if i+n >= len(text) || strings.IndexByte(" .-_*|,", text[i+n]) < 0 {
		return "", i, false
	}
	sep := text[i+n]
	var b []byte
	letters, words := 0, false
	for at := i; ; {
		r, n := utf8.DecodeRuneInString(text[at:])
		if n == 0 || r == utf8.RuneError || r < utf8.RuneSelf && isSpace(byte(r)) {
			break
		}
		after := at + n
		if after < len(text) && text[after] != sep && !isSpace(text[after]) {
			break // a word
		}
		b = append(b, text[at:after]...)
		end = after
		if r >= utf8.RuneSelf || isAlpha(byte(r)) {
			letters++
		}
		spaces := after
		for spaces < len(text) && text[spaces] == ' ' {
			spaces++
		}
		switch {
		case spaces > after+1 || sep != ' ' && spaces > after:
			if b[len(b)-1] != ' ' && spaces < len(text) {
				_, n := utf8.DecodeRuneInString(text[spaces:])
				if spaces+n < len(text) && text[spaces+n] != sep && !isSpace(text[spaces+n]) {
					return finish(b, end, letters, words)
				}
				b = append(b, ' ')
				words = true
			}
			at = spaces
		case after < len(text) && text[after] == sep:
			at = after + 1
		default:
			return finish(b, end, letters, words)
		}
	}
	return finish(b, end, letters, words)
}

func finish(b []byte, end, letters int, words bool) (string, int, bool) {
	plain := strings.TrimRight(string(b), " ")
	if letters < 5 {
		return "", end, false
	}
	if !words {
		plain = partWords(plain)
	}
	return plain, end, true
}

// partWords puts spaces into letters that are all common words, one after the
// other, in as few words as possible; what is not is returned as it is.
func partWords(s string) string {
	const longest = 14
	low := strings.ToLower(s)
	if len(s) < 5 || len(s) > 4096 || english[low] {
		return s
	}
	fewest := make([]int16, len(s)+1) // words up to here; 0: not possible
	from := make([]int16, len(s)+1)
	for end := 1; end <= len(s); end++ {
		for start := max(0, end-longest); start < end; start++ {
			if start > 0 && fewest[start] == 0 || !english[low[start:end]] {
				continue
			}
			if n := fewest[start] + 1; fewest[end] == 0 || n < fewest[end] {
				fewest[end], from[end] = n, int16(start)
			}
		}
	}
	if fewest[len(s)] == 0 {
		return s
	}
	words := make([]string, fewest[len(s)])
	for end, i := len(s), len(words)-1; end > 0; i-- {
		start := int(from[end])
		words[i] = s[start:end]
		end = start
	}
	return strings.Join(words, " ")
}

// encodeSpaced parts characters by one space and words by three.
func encodeSpaced(text string) string {
	var b strings.Builder
	first := true
	for _, r := range text {
		if !first {
			b.WriteByte(' ')
		}
		first = false
		b.WriteRune(r)
	}
	return b.String()
}

var pigCipher = cipher{word: unpig, enough: enoughWords}

func decodePigLatin(text string) (string, bool) {
	if !strings.Contains(text, "ay") {
		return text, false
	}
	return pigCipher.decode(text)
}

// unpig appends the word that pig latin made of word: of the ways to read it,
// the first common one, or else the one that moves back the fewest letters.
func unpig(dst, word []byte) []byte {
	start := 0
	for start < len(word) && !isAlpha(word[start]) {
		start++
	}
	end := len(word)
	for end > start && !isAlpha(word[end-1]) {
		end--
	}
	core := word[start:end]
	if len(core) < 3 || string(core[len(core)-2:]) != "ay" {
		return append(dst, word...)
	}
	core = core[:len(core)-2]
	dst = append(dst, word[:start]...)
	base := len(dst)
	most := 0 // consonants at the end that may have been moved
	for most < 4 && most < len(core) && (!isVowel(core[len(core)-1-most]) || core[len(core)-1-most] == 'u') {
		most++
	}
	bare := core[:len(core)-1] // if the word began with a vowel
	if core[len(core)-1] == 'w' && (worth(bare) > 0 || len(bare) == 1) {
		return append(append(dst, bare...), word[end:]...)
	}
	for n := 1; n <= most; n++ {
		dst = append(append(dst[:base], core[len(core)-n:]...), core[:len(core)-n]...)
		if worth(dst[base:]) > 0 {
			return append(dst, word[end:]...)
		}
	}
	switch {
	case core[len(core)-1] == 'w', core[len(core)-1] == 'y' && worth(bare) > 0:
		dst = append(dst[:base], bare...)
	case most > 0:
		dst = append(append(dst[:base], core[len(core)-1]), core[:len(core)-1]...)
	default:
		dst = append(dst[:base], core...)
	}
	return append(dst, word[end:]...)
}

func isVowel(b byte) bool { return strings.IndexByte("aeiouAEIOU", b) >= 0 }

// encodePigLatin moves the consonants before a word's first vowel to its end
// and adds "ay"; a word that begins with a vowel gets "way".
func encodePigLatin(text string) string {
	out := make([]byte, 0, 2*len(text))
	for i := 0; i < len(text); {
		start := i
		for i < len(text) && isAlpha(text[i]) {
			i++
		}
		if word := text[start:i]; word != "" {
			n := 0
			for n < len(word) && !isVowel(word[n]) {
				n++
			}
			if n == 0 {
				out = append(append(out, word...), "way"...)
			} else {
				out = append(append(append(out, word[n:]...), word[:n]...), "ay"...)
			}
		}
		if i < len(text) {
			out = append(out, text[i])
			i++
		}
	}
	return string(out)
}
