package leak

import (
	"bytes"
	"hash/maphash"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
)

// Bounds on paraphrases.
const (
	fewest     = 6   // content words that a paraphrase shares with a sentence
	longest    = 512 // bytes of a stretch of an answer that is judged at once
	mostPlaces = 8   // of a word in the instructions that are remembered
	stem       = 6   // bytes of a word that are compared
)

// phrases are the content words of those sentences of the instructions that tell
// the model what to do or what to keep to itself. What else the instructions
// say, opening hours and prices, is there to be told.
type phrases struct {
	seed   maphash.Seed
	places map[uint64][]place
	filter [1 << 10]uint64 // bits by hash: there is such a word
	bytes  int
}

// place is where a content word stands.
type place struct{ sentence, at int32 }

// newPhrases returns the content words of texts, or nil when no sentence of them
// has enough.
func newPhrases(seed maphash.Seed, texts []string) *phrases {
	p := &phrases{seed: seed, places: map[uint64][]place{}}
	sentence := int32(0)
	for _, text := range texts {
		for s := range strings.FieldsFuncSeq(normalize.Fold(text), func(r rune) bool { return r == '\n' || r == '.' || r == '!' || r == '?' || r == '。' }) {
			if p.add(s, sentence) {
				sentence++
			}
		}
	}
	if sentence == 0 {
		return nil
	}
	p.bytes = len(p.places)*(64+8*4) + len(p.filter)*8
	return p
}

// add adds the sentence s, if it tells the model something.
func (p *phrases) add(s string, number int32) bool {
	w := stream.Window{Folded: []byte(s), Final: true}
	var ws stream.Words
	var hashes []uint64
	tells := false
	for {
		word, ok := ws.Next(w)
		if !ok {
			break
		}
		tells = tells || telling[string(word.Text)]
		if content(word.Text) {
			hashes = append(hashes, p.hash(word.Text))
		}
	}
	if !tells || len(hashes) < fewest-1 {
		return false
	}
	for i, h := range hashes {
		if list := p.places[h]; len(list) < mostPlaces {
			p.places[h] = append(list, place{number, int32(i)})
		}
		p.filter[h>>58|h>>6&0x3C0] |= 1 << (h & 63)
	}
	return true
}

// hash returns the hash of the stem of a word.
func (p *phrases) hash(word []byte) uint64 {
	if len(word) > stem {
		n := stem
		for n < len(word) && !utf8.RuneStart(word[n]) {
			n++
		}
		word = word[:n]
	} else if n := len(word) - 1; n > 2 && word[n] == 's' {
		word = word[:n]
	}
	return maphash.Bytes(p.seed, word)
}

// may reports whether a word of the hash h may be one of the instructions.
func (p *phrases) may(h uint64) bool { return p.filter[h>>58|h>>6&0x3C0]>>(h&63)&1 != 0 }

// content reports whether a folded word says something by itself.
func content(word []byte) bool {
	if len(word) < 3 {
		return len(word) > 0 && '0' <= word[0] && word[0] <= '9'
	}
	if r, n := utf8.DecodeRune(word); n == len(word) && stream.Unspaced(r) {
		return false // a character is no word
	}
	return !empty[string(word)]
}

// stretch is the part of an answer that may be a paraphrase: from a word of the
// instructions on, for as long as most that follow are such words.
type stretch struct {
	start, end int // of the first and the last word of the instructions
	last       int // end of the last word
	words      []uint64
	kept       int // words up to the last of the instructions
	credit     int
}

// before judges the stretch if it is over before a word.
func (st *stretch) before(p *phrases, w stream.Window, word stream.Word, found func(stream.Match)) {
	if len(st.words) > 0 && (word.End-st.start > longest || ended(w, st.last, word.Start)) {
		st.judge(p, found)
	}
}

// read adds a word of the answer.
func (st *stretch) read(p *phrases, word stream.Word, found func(stream.Match)) {
	h := p.hash(word.Text)
	hit := p.may(h)
	if !hit && len(st.words) == 0 {
		return
	}
	if hit {
		_, hit = p.places[h]
		hit = hit && content(word.Text)
	}
	switch {
	case hit && len(st.words) == 0:
		*st = stretch{start: word.Start, end: word.End, last: word.End, words: append(st.words, h), kept: 1, credit: 2}
		return
	case len(st.words) == 0:
		return
	case hit:
		st.words = append(st.words, h)
		st.kept, st.end = len(st.words), word.End
		st.credit = min(st.credit+2, 6)
	case content(word.Text):
		st.words = append(st.words, h)
		st.credit -= 3
	}
	if st.last = word.End; st.credit < 0 {
		st.judge(p, found)
	}
}

// wait judges the stretch when nothing can be added to it.
func (st *stretch) wait(p *phrases, w stream.Window, found func(stream.Match)) {
	if len(st.words) > 0 && (w.Final || w.End()-st.start > longest+64 || ended(w, st.last, w.End())) {
		st.judge(p, found)
	}
}

// drop forgets the stretch.
func (st *stretch) drop() { *st = stretch{words: st.words[:0]} }

// ended reports whether a sentence ends between the offsets from and to: with a
// stop and a space, or an empty line.
func ended(w stream.Window, from, to int) bool {
	gap := w.Folded[from-w.Base : to-w.Base]
	for i, c := range gap {
		switch c {
		case '.', '!', '?':
			if i+1 < len(gap) && (gap[i+1] == ' ' || gap[i+1] == '\n') {
				return true
			}
		case '\n':
			if i > 0 && gap[i-1] == '\n' {
				return true
			}
		}
	}
	return false
}

// judge reports the stretch if it is a paraphrase of one sentence: at least seven
// of ten words are its words, at least [fewest] different ones, and most of them
// follow each other as they do there.
func (st *stretch) judge(p *phrases, found func(stream.Match)) {
	defer st.drop()
	words := st.words[:st.kept]
	if len(words) < fewest {
		return
	}
	best, sentence := 0, int32(-1)
	count := map[int32]int{}
	seen := map[uint64]bool{}
	for _, h := range words {
		if seen[h] {
			continue
		}
		seen[h] = true
		of := int32(-1)
		for _, at := range p.places[h] {
			if at.sentence == of {
				continue
			}
			of = at.sentence
			if count[of]++; count[of] > best || count[of] == best && of < sentence {
				best, sentence = count[of], of
			}
		}
	}
	if best < fewest || best*10 < len(seen)*7 {
		return
	}
	if ordered := p.ordered(words, sentence); ordered*10 < best*7 {
		return
	}
	share := float64(best) / float64(len(seen))
	found(stream.Match{Start: st.start, End: st.end, Reason: ReasonParaphrase, Severity: ringwall.High, Score: 0.6 + (share-0.7)*0.3/0.3})
}

// ordered returns how many of the words stand in the sentence in this order, at
// most: the longest rising row of their places.
func (p *phrases) ordered(words []uint64, sentence int32) int {
	var tails []int32 // the lowest place with which a row of that length ends
	for _, h := range words {
		for _, at := range p.places[h] {
			if at.sentence != sentence {
				continue
			}
			k := len(tails)
			for k > 0 && tails[k-1] >= at.at {
				k--
			}
			if k == len(tails) {
				tails = append(tails, at.at)
			} else {
				tails[k] = at.at
			}
			break
		}
	}
	return len(tails)
}

// set returns the folded words of lists.
func set(lists ...string) map[string]bool {
	m := map[string]bool{}
	for _, l := range lists {
		for w := range bytes.FieldsSeq([]byte(normalize.Fold(l))) {
			m[string(w)] = true
		}
	}
	return m
}

// telling are words of sentences that tell somebody what to do or to keep secret,
// in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish and
// Russian.
var telling = set(
	"you your yours never always must should shall not don do only avoid ensure refuse respond reply reveal disclose share mention say tell ask keep confidential secret internal private instructions instruction rules rule forbidden allowed password code if unless",
	"du dein deine sie ihr ihre nie niemals immer muss musst sollst sollen darfst nicht nur vermeide antworte verrate nenne teile sage sag frage geheim vertraulich intern anweisungen regeln verboten passwort falls wenn",
	"tu vous votre vos ton ta jamais toujours doit dois devez ne pas seulement évite évitez réponds répondez révèle révélez partage mentionne dis demande secret confidentiel interne consignes règles interdit si", //nolint:misspell // French
	"tú usted tu su nunca siempre debe debes no solo evita responde revela reveles comparte menciones digas pregunta secreto confidencial interno instrucciones reglas prohibido si",                                //nolint:misspell // Spanish
	"lei tuo mai sempre deve devi non solo evita rispondi rivela rivelare condividere segreto riservato interno istruzioni regole vietato se",
	"você seu sua nunca sempre deve não apenas evite responda revele compartilhe segredo confidencial interno instruções regras proibido se", //nolint:misspell // Portuguese
	"jij je u uw nooit altijd moet mag niet alleen vermijd antwoord onthul deel geheim vertrouwelijk intern instructies regels verboden als",
	"jesteś twój twoje nigdy zawsze musisz nie tylko unikaj odpowiadaj ujawniaj tajne poufne wewnętrzne instrukcje zasady jeśli",
	"ты вы твой ваш никогда всегда должен должны не только избегай отвечай раскрывай сообщай секрет секретно конфиденциально инструкции правила если",
)

// empty are words that say nothing by themselves, in the same languages.
var empty = set(
	"the and for are was were been being have has had does did with that this these those from into onto upon about above below over under again then than they them their there here what which who whom whose when where why how all any both each few more most other some such can will just also its his her hers our ours him she you your yours not but out off own same too very would could should may might shall must",
	"der die das den dem des ein eine einen einem einer eines und oder aber ist sind war waren sein seine wird werden wurde hat haben hatte mit von für auf aus bei nach vor über unter durch gegen ohne zum zur sich nicht auch noch nur schon wie was wer wenn dann dass als man ihr sie wir uns euch ihnen ihre ihren ihrem",
	"les des une est sont était être avoir ont avec pour par sur sous dans entre sans mais que qui quoi dont où cette ces ses leur leurs nous vous ils elles pas plus aux son",
	"los las una unos unas del que con por para como más pero sus este esta estos estas ese esa son fue ser estar han había entre sobre sin hasta desde",
	"gli una dei delle della dello nel nella con per che non sono era essere avere hanno come più anche questo questa questi queste tra fra sul sulla",
	"uma uns umas dos das nos nas com por para que não são foi ser ter como mais mas também este esta isso entre sobre sem",
	"het een van voor met aan bij naar over onder door zonder maar dat die dit deze zijn was waren hebben heeft niet ook nog als",
	"jest dla oraz ale lub czy jak tak się przez przy pod nad bez jego jej ich ten tego temu tym które który która",
	"это как так что для или при над под без его она они оно был была было были есть",
)
