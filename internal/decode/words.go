package decode

import "strings"

// commonWords are common English words, and those that instructions to models
// and talk in a shop are made of. They tell plain text from ciphers; a text
// that holds none of them is not taken for English.
const commonWords = `
a i an am as at be by do go he if in is it me my no of oh ok on or so to up us we
about above access account act action add address admin after again agent all allow allowed also always
and another answer any anything app are around ask asked assistant away back bad base because been before
begin being below best better between big book both bring but buy bypass call called came can cannot card
cat change chat check city clear click close code cold come command company complete computer confidential
contact content context continue control conversation convert copy could country credentials credit customer
customers data database date day days decode decoded delete describe details developer did different direct
directly directive directives disable discount discard display document does dog done dont door down dump
each easy eat email enable encode encoded encoding end english enter even every everything exact exactly
example execute explain export face fact family far father few file files filter filters final find fire
first five follow following food for forget forward found four free friend from full function game
gave get girl give given giving goes going good got great group guard guidelines had half hand happy hard has
have head hear hello help her here hidden high him his history hold home hope hour hours house how
however human idea ignore image important include including information initial input inside instead instruction
instructions internal into invoice its itself just keep key keys kind knew know known language large last later
learn leave left less let letter letters life light like limit line lines link list little live long
look lost lot love made mail main make making man manager many may mean means men message
messages might mind mode model money month more morning most mother move much must myself name names
need network never new next night not note nothing now number numbers off offer office often old once
one only open operator order orders other our out output over own page paper part party pass
password passwords path pay payment people person phone picture place plain plan play please point policy possible
power present previous price prices print prior private problem product products prompt prompts provide public put
question questions quick quote quoted read ready real really reason receive refund refunds refuse remember
remove render repeat replace reply report request respond response rest restrictions result return reveal review
reviews right role room rule rules run safe safety said same save saw say school search second secret secrets
security see seem send sent sentence server set seven several shall she ship shop should show side silent
simple since six small some someone something soon source speak spell start state stay step still stock
stop store story street string such summary supplier support sure system take talk task tell ten text than
thank thanks that the their them then there these they thing things think this those thought thousand three
through ticket time times today told token tokens tomorrow too took tool tools top transfer translate tree true trust try
turn two under understand unit units unless until upon url use used user users using value verbatim very
view visit voice wait walk want was watch water way website week well went were what when where which while
white who whole whom why will window wish with within without woman word words work world would write
written wrong year years yes yesterday yet you young your yours yourself
apple april black blue brown red green fox jumps lazy zero eight nine warehouse admin table look
`

// english are the common words by themselves; patterns are the same words by
// the distances of their letters, which a Caesar cipher does not change: each
// with the set of first letters that make it a word.
var (
	english  = wordSet(commonWords)
	patterns = wordPatterns(commonWords)
)

func wordSet(list string) map[string]bool {
	set := make(map[string]bool, 1024)
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}

func wordPatterns(list string) map[string]uint32 {
	set := make(map[string]uint32, 1024)
	for w := range strings.FieldsSeq(list) {
		if b := []byte(w); len(b) > 1 {
			first := b[0] - 'a'
			set[string(pattern(b))] |= 1 << first
		}
	}
	return set
}

// pattern shifts the lower-case letters of b so that the first is 'a'.
func pattern(b []byte) []byte {
	first := b[0] - 'a'
	for i := range b {
		b[i] = 'a' + (b[i]-'a'+26-first)%26
	}
	return b
}

// maxWord is the longest word that is looked at, in bytes: no common word with
// quotes and a full stop around it is longer.
const maxWord = 40

// lower appends the letters of word in lower case, without what stands around
// them; nothing when the word holds anything but ASCII letters between.
func lower(dst, word []byte) []byte {
	for len(word) > 0 && !isAlpha(word[0]) {
		word = word[1:]
	}
	for len(word) > 0 && !isAlpha(word[len(word)-1]) {
		word = word[:len(word)-1]
	}
	for _, b := range word {
		switch {
		case b == '\'': // don't
		case !isAlpha(b):
			return dst[:0]
		default:
			dst = append(dst, b|0x20)
		}
	}
	return dst
}

// worth scores a word: how much it speaks for English.
func worth(word []byte) int {
	var buf [maxWord]byte
	w := lower(buf[:0], word)
	if len(w) < 2 || !english[string(w)] {
		return 0
	}
	if len(w) == 2 {
		return 1
	}
	return len(w)
}
