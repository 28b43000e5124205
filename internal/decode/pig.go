package decode

import "strings"

var pigCipher = cipher{word: unpig, enough: enoughWords + 3}

func undoPigLatin(s *splice) { pigCipher.undo(s) }

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
