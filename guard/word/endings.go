package word

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
)

// vowels are letters that endings take the place of: a phrase that ends with one
// also counts as a stem.
var vowels = []rune("aeiouyаеиоуыэюяьй")

// Endings that words take, by how long the word must be for them: the shorter it
// is, the likelier an ending makes another word of it ("car" and "card").
const (
	endingsOfAll  = "s"
	endingsOfFour = "es ed er ers ing ings en e y st"
	// German, Dutch and Scandinavian; French, Spanish, Portuguese and Italian;
	// Polish and Czech; Turkish; Finnish and Hungarian; Russian and its
	// neighbours; particles of Korean.
	endingsOfFive = "d n t em ern erinnen innen in te ten tet et end ende jes je na ar or arna erna ene " +
		"a as o os i ent ant ons ez ais ait ait aient es ado ada ados adas ando endo iendo ar er ir are ere ire ato ata ati ate " +
		"u ow ami ach om ie ego ych ymi y " +
		"lar ler lari leri larin lerin da de dan den in un i u a ya ye nin nun la le " +
		"ssa sta lla lta lle ksi ban ben nak nek val vel bol ok ek ot k " +
		"а я у ю ы и е о ой ей ом ем ам ям ами ями ах ях ов ев ый ий ая яя ое ее ые ие ую юю ого его ому ему ых их ыми ими ть л ла ли ешь ет ем ете ут ют ит ишь ят ат " +
		"은 는 이 가 을 를 에 의 도 로 와 과 에서 에게 으로 들 들이 들은 만 까지 부터 이나 이다 입니다"
	// What may take the place of a last vowel.
	endingsOfStems = "ing ings ed er ers es en ies ied ier ier i ie a as e o os ado ada ando endo iendo ar ere ire ato ata ati ate ons ez ent " +
		"а я у ю ы и е о ой ей ом ем ам ям ами ями ах ях ов ев ь й ый ий ая яя ое ее ые ие ую юю ого его ому ему ых их ыми ими ок ек"
)

// longestEnding bounds an ending, in bytes of the folded view.
const longestEnding = 24

type tables struct {
	least map[string]int
	stems map[string]bool
}

// endingTables are the endings: how many letters a word needs for each, and
// which may stand for a vowel.
var endingTables = sync.OnceValue(func() tables {
	t := tables{map[string]int{}, map[string]bool{}}
	for letters, list := range map[int]string{3: endingsOfAll, 4: endingsOfFour, 5: endingsOfFive} {
		for e := range strings.FieldsSeq(normalize.Fold(list)) {
			if old, ok := t.least[e]; !ok || letters < old {
				t.least[e] = letters
			}
		}
	}
	for e := range strings.FieldsSeq(normalize.Fold(endingsOfStems)) {
		t.stems[e] = true
	}
	return t
})

// ending reports whether what follows t[j], up to the end of the word, is a
// usual ending of the phrase t[i:j], and where it ends.
func ending(t []byte, i, j int, kind uint8, final bool) (to int, look stream.Look) {
	to = j
	for to < len(t) && to-j < longestEnding {
		r, width := utf8.DecodeRune(t[to:])
		if !inWord(r) {
			break
		}
		to += width
	}
	if to == len(t) && !final && to-j < longestEnding {
		return i, stream.More
	}
	if to-j >= longestEnding {
		return i, stream.No
	}
	known, rest := endingTables(), t[j:to]
	if kind&endsStem != 0 && known.stems[string(rest)] {
		return to, stream.Yes
	}
	if kind&endsPhrase == 0 {
		return i, stream.No
	}
	letters := utf8.RuneCount(t[max(i, j-32):j])
	if least, ok := known.least[string(rest)]; ok && letters >= least {
		return to, stream.Yes
	}
	// A last consonant is doubled before some endings: "stop", "stopping".
	if letters >= 3 && rest[0] == t[j-1] && len(rest) > 1 {
		switch string(rest[1:]) {
		case "ing", "ed", "er", "ers", "y", "en", "es":
			return to, stream.Yes
		}
	}
	return i, stream.No
}
