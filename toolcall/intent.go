package toolcall

import (
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/internal/stem"
)

// maxAsked bounds how much of what a person says is read for what they ask for, in
// bytes: the beginning and the end of longer texts.
const maxAsked = 16 << 10

// intent is what a person asks for, read with a dictionary: sentence by sentence, each
// verb that is a wish, with the nouns beside it. It errs on the side of asking back.
type intent struct {
	wants []want
	words map[string]bool // all words that name something, in lower case
	nouns map[string]bool // all words, as singular has them
	// delegated says that somebody else's text is to be followed: "do what the mail
	// says".
	delegated bool
	// links says that pages are to be read whose addresses the person does not give:
	// "the article that Bob posted".
	links bool
	// pointed says that the person says where an address, or a number, is to be found.
	pointed bool
	// unclear says that something is wished for in words that are not in the dictionary.
	unclear bool
	count   int // words
}

// want is something that is asked for.
type want struct {
	verb     string
	deeds    deed
	objects  map[string]bool // nouns beside the verb
	sentence map[string]bool // nouns of the sentence
	someone  bool            // it says to whom
}

// acts reports whether anything but an answer is asked for.
func (n *intent) acts() bool { return len(n.wants) > 0 || n.delegated }

// token is a word of a text.
type token struct {
	text   string
	opaque bool // an address, a file, a text in quotes: it names something and says nothing
	stop   bool // a clause ends before it
	end    bool // a sentence ends behind it
	proper bool // it begins with a capital, and no sentence begins with it
}

// tokens yields the words of a text in lower case.
func tokens(text string) iter.Seq[token] {
	return func(yield func(token) bool) {
		stop, begins := true, true
		quoted := ' '
		for field := range strings.FieldsSeq(text) {
			if quoted != ' ' { // in quotes until they close
				if closes(field, quoted) {
					quoted = ' '
					if strings.ContainsAny(field[len(field)-1:], ".!?,;") {
						stop, begins = true, true
					}
				}
				continue
			}
			if q, rest, ok := opens(field); ok {
				if !closes(rest, q) {
					quoted = q
				}
				end := strings.ContainsAny(field[len(field)-1:], ".!?;:") && quoted == ' '
				if !yield(token{text: strings.ToLower(strings.Trim(field, `"'“”„‘’«».,;:!?`)), opaque: true, stop: stop, end: end}) {
					return
				}
				stop, begins = end, end
				continue
			}
			word := strings.TrimFunc(field, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
			if word == "" {
				stop = stop || strings.ContainsAny(field, "-–—")
				continue
			}
			tail := field[strings.LastIndex(field, word)+len(word):]
			t := token{stop: stop || strings.HasPrefix(field, "("), end: strings.ContainsAny(tail, ".!?:;")}
			r, _ := utf8.DecodeRuneInString(word)
			t.proper = unicode.IsUpper(r) && !begins
			t.text = strings.ReplaceAll(strings.ToLower(word), "’", "'")
			t.opaque = strings.ContainsAny(word, "@/\\_") || strings.ContainsFunc(word, unicode.IsDigit) || dotted(word)
			stop, begins = t.end || strings.ContainsAny(tail, ",)"), t.end
			if t.text == "e-mail" || t.text == "e-mails" {
				t.text = "email"
			}
			if t.opaque || !strings.ContainsAny(t.text, "-") {
				if !yield(t) {
					return
				}
				continue
			}
			for part := range strings.SplitSeq(t.text, "-") {
				if part != "" && !yield(token{text: part, stop: t.stop}) {
					return
				}
				t.stop = false
			}
			if t.end {
				stop = true
			}
		}
	}
}

// dotted reports whether a word has a dot inside: a host, a file.
func dotted(word string) bool {
	i := strings.IndexByte(word, '.')
	return i > 0 && i < len(word)-1
}

// opens reports whether a field begins a text in quotes.
func opens(field string) (quote rune, rest string, ok bool) {
	r, size := utf8.DecodeRuneInString(strings.TrimLeft(field, "("))
	switch r {
	case '"', '\'', '`':
	case '“', '„':
		r = '”'
	case '‘', '‚':
		r = '’'
	case '«':
		r = '»'
	default:
		return 0, "", false
	}
	return r, strings.TrimLeft(field, "(")[size:], true
}

// closes reports whether a text in quotes ends with a field.
func closes(field string, quote rune) bool {
	f := strings.TrimRight(field, ".,;:!?)")
	if quote == '”' && strings.HasSuffix(f, "“") {
		return true // German
	}
	return strings.HasSuffix(f, string(quote))
}

// newIntent reads what a person says.
func newIntent(text string) *intent {
	if len(text) > maxAsked {
		text = text[:maxAsked/2] + "\n" + text[len(text)-maxAsked/2:]
	}
	n := &intent{words: map[string]bool{}, nouns: map[string]bool{}}
	var sentence []token
	foreign, english := 0, 0
	var all [][]token
	for t := range tokens(text) {
		n.count++
		fold := t.text
		if !ascii(fold) {
			fold = normalize.Fold(fold)
		}
		t.text = fold
		if !t.opaque {
			switch {
			case stem.Foreign([]byte(fold)):
				foreign++
			case stem.Function([]byte(fold)):
				english++
			}
			n.nouns[singular(fold)] = true
		}
		if t.opaque && account(fold) {
			n.nouns["account"] = true
		}
		if names(t) {
			n.words[fold] = true
			for _, w := range split(fold) {
				if len(w) >= 3 {
					n.words[w] = true
				}
			}
		}
		sentence = append(sentence, t)
		if t.end {
			all = append(all, sentence)
			sentence = nil
		}
	}
	all = append(all, sentence)
	for _, s := range all {
		n.sentence(s, foreign > english)
	}
	if n.nouns["money"] || n.nouns["euro"] || n.nouns["dollar"] || n.nouns["price"] || n.nouns["tax"] || n.nouns["account"] || strings.ContainsAny(text, "€$£") {
		for i := range n.wants { // what is sent, or given back, is money
			if w := &n.wants[i]; w.deeds&(send|remove) != 0 && sends[w.verb] {
				w.deeds |= pay
			}
		}
	}
	return n
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// names reports whether a word of the person's can say which one is meant: it is no
// word of grammar, and no verb or common noun.
func names(t token) bool {
	if t.opaque || t.proper {
		return true
	}
	if len(t.text) < 3 || stem.Function([]byte(t.text)) {
		return false
	}
	if _, ok := verbs[t.text]; ok {
		return false
	}
	_, ok := nouns[t.text]
	return !ok
}

var (
	joins      = words(`and then but if or und dann oder wenn falls et puis ou si y luego e poi ed en als afterwards after`)
	adverbs    = words(`please also just now then kindly finally only immediately directly automatically bitte again either simply first next always either instead quickly`)
	leading    = words(`to you and then or must should please can could would will lets let's must but help go`)
	articles   = words(`a an the this that these those my your our his her its their some any each every no another last first next new old all which what of in on at by from with for about per via his recent latest unread`)
	speakers   = words(`i we they he she who that which it i'll we'll he'll she'll they'll ill ich wir`)
	negations  = words(`not don't dont never without no doesn't won't can't cannot shouldn't nicht kein keine nie ohne ne pas sans sin nunca non senza niet geen avoid`)
	conditions = words(`if wenn falls si se als`)
	undone     = words(`forget hesitate fail only vergiss vergessen oublie olvides`)
	asks       = words(`what which who whom whose how why where when did does has have is are was were wer was welche welcher wie wo warum hat haben qui quel quelle comment pourquoi que cual quien como donde chi quale come dove`)
	whose      = words(`her his their its the whose ihre seine deren dessen sa son su sus il suo sua`)
	placing    = words(`find found in on at from see listed given per im auf aus dans sur en nel sul`)
	telling    = words(`email emails mail address contact iban account number phone telephone e-mail-adresse adresse mailadresse kontonummer telefonnummer correo adresse direccion indirizzo`)
	things     = words(`it them this that these those all everything`)
	plain      = words(`add create send update change set make edit delete remove put new`)
	sends      = words(`send give return forward schick schicke sende envoie envoyer envia enviar manda mandar`)
	tells      = words(`tell let give show write ask say report explain remind inform read suggest recommend send`)
	me         = words(`me us mir uns`)
	follows    = words(`do perform execute complete follow carry handle implement work process make apply take accomplish finish proceed act erledige mache befolge`)
	followed   = words(`task todo action instruction step request change direction command everything whatever list aufgabe anweisung guideline`)
	pages      = words(`article website link page site blog url webpage post`)
)

// sentence reads a sentence.
func (n *intent) sentence(s []token, foreign bool) {
	nouns := map[string]bool{}
	for _, t := range s {
		if !t.opaque {
			nouns[singular(t.text)] = true
		}
	}
	n.link(s)
	n.point(s)
	for start := 0; start < len(s); {
		end := start + 1
		for end < len(s) && !s[end].stop && (!joins[s[end].text] || s[end].opaque) {
			end++
		}
		n.clause(s[start:end], start > 0 && joins[s[start].text], nouns, foreign)
		start = end
	}
	for i, t := range s {
		if follows[t.text] && !t.opaque && n.verbAt(s, i, verb{noun: false}) {
			n.delegates(s[i+1:])
		}
	}
}

// link notes whether pages are meant whose addresses are not given.
func (n *intent) link(s []token) {
	for i, t := range s {
		if t.opaque || !pages[t.text] && !pages[strings.TrimSuffix(t.text, "s")] {
			continue
		}
		given := false
		for _, near := range s[i+1 : min(len(s), i+5)] {
			given = given || near.opaque && (dotted(near.text) || strings.Contains(near.text, "/"))
		}
		n.links = n.links || !given
	}
}

// point notes whether a sentence says that an address is to be found somewhere: "her
// e-mail is on her website".
func (n *intent) point(s []token) {
	what, where := false, false
	for i, t := range s {
		if t.opaque {
			continue
		}
		what = what || telling[t.text] && i > 0 && (whose[s[i-1].text] || telling[s[i-1].text] || i > 1 && whose[s[i-2].text] && telling[t.text])
		where = where || placing[t.text]
	}
	n.pointed = n.pointed || what && where
}

// delegates notes whether what stands behind a verb is to be found in somebody's text.
func (n *intent) delegates(s []token) {
	what, where := false, false
	for _, t := range s {
		switch {
		case !t.opaque && t.text == "following":
			return
		case !t.opaque && followed[strings.TrimSuffix(t.text, "s")]:
			what = true
		case what && (t.opaque || singular(t.text) == "mail" || singular(t.text) == "file" || singular(t.text) == "webpage" || singular(t.text) == "message" || singular(t.text) == "note" || t.text == "list"):
			where = true
		}
	}
	n.delegated = n.delegated || what && where
}

// clause reads the wishes of a clause.
func (n *intent) clause(s []token, _ bool, sentence map[string]bool, foreign bool) {
	if len(s) > 0 && asks[s[0].text] && !s[0].opaque && !slices.ContainsFunc(s, func(t token) bool { return t.text == "you" }) {
		return // what did she send?
	}
	for i, t := range s {
		if t.opaque {
			continue
		}
		var d deed
		v, known := verbs[t.text]
		switch done, is := participle(t.text); {
		case known && n.verbAt(s, i, v):
			d = n.deedAt(s, i, v)
		case light[t.text] && !known && n.verbAt(s, i, verb{}):
			d = n.deedAt(s, i, verb{})
		case is && i > 0 && (s[i-1].text == "be" || s[i-1].text == "get"):
			d = verbs[done].deeds
		case strings.HasSuffix(t.text, "ing") && i > 0 && s[i-1].text == "mind":
			if b, ok := base(t.text); ok {
				d = verbs[b].deeds
			}
		case foreign && !known && !stem.Function([]byte(t.text)):
			d = deedAbroad(t.text)
		}
		if d&acting == 0 || negated(s, i) {
			n.unclear = n.unclear || d == 0 && !negated(s, i) && wish(s, i)
			continue
		}
		w := want{verb: t.text, deeds: d & acting, objects: map[string]bool{}, sentence: sentence, someone: n.someone(s)}
		for j, o := range s {
			if j != i && !o.opaque && !stem.Function([]byte(o.text)) {
				w.objects[singular(o.text)] = true
			}
		}
		n.wants = append(n.wants, w)
	}
}

// wish reports whether word i of a clause, of which nobody knows what it means, asks for
// something: "heat it", "give the essay a 2".
func wish(s []token, i int) bool {
	t := s[i]
	if _, known := verbs[t.text]; known && !light[t.text] || len(t.text) < 3 || i+1 == len(s) || adverbs[t.text] || joins[t.text] {
		return false
	}
	if _, noun := nouns[t.text]; noun || !light[t.text] && stem.Function([]byte(t.text)) {
		return false
	}
	next := s[i+1].text
	if things[next] && !light[t.text] {
		return true
	}
	j := i - 1
	for j >= 0 && (adverbs[s[j].text] || joins[s[j].text]) && !s[j].opaque {
		j--
	}
	if j >= 0 && s[j].text != "to" && s[j].text != "you" {
		return false
	}
	return !(light[t.text] && me[next]) && (things[next] || articles[next] || s[i+1].opaque || s[i+1].proper)
}

// verbAt reports whether word i of a clause is a wish and no noun.
func (n *intent) verbAt(s []token, i int, v verb) bool {
	j := i - 1
	for j >= 0 && adverbs[s[j].text] && !s[j].opaque {
		j--
	}
	if j < 0 || s[j].end {
		return !(i+1 < len(s) && v.noun && s[i+1].text == "is")
	}
	before := s[j]
	switch {
	case before.opaque:
		return !v.noun
	case speakers[before.text]:
		return false
	case before.text == "will", before.text == "can", before.text == "could", before.text == "do", before.text == "should", before.text == "would":
		return j == 0 || !speakers[s[j-1].text]
	case articles[before.text]:
		return false
	case v.noun:
		return leading[before.text] || joins[before.text]
	}
	return true
}

// deedAt tells what is asked for by the verb i of a clause.
func (n *intent) deedAt(s []token, i int, v verb) deed {
	word := s[i].text
	var next string
	if i+1 < len(s) {
		next = s[i+1].text
	}
	if negations[next] {
		return 0
	}
	if tells[word] && me[next] {
		if word != "send" {
			return 0
		}
	}
	d := v.deeds
	if light[word] || v.deeds&create != 0 {
		for _, o := range s[i+1 : min(len(s), i+8)] {
			if g, ok := given[singularWord(o.text)]; ok && !o.opaque {
				d |= g.deeds
			}
		}
	}
	switch word {
	case "make":
		if next == "sure" || next == "certain" {
			return 0
		}
	case "set":
		for _, o := range s[i+1 : min(len(s), i+4)] {
			if o.text == "up" {
				d |= create | book
			}
		}
	case "add":
		if !n.someone(s) {
			d &^= share
		}
	case "new", "export", "open", "is", "has":
		if word == "new" {
			return 0
		}
	case "give":
		if i+2 < len(s) && (next == "back" || s[i+2].text == "back") {
			d |= send
		}
	case "let":
		d |= send
	case "put":
		d |= change
	case "answer":
		if !slices.ContainsFunc(s, func(t token) bool { n := singular(t.text); return n == "mail" || n == "message" || n == "comment" }) {
			return 0
		}
	}
	return d
}

func singularWord(w string) string {
	if s := strings.TrimSuffix(w, "s"); len(s) > 3 {
		if _, ok := given[s]; ok {
			return s
		}
	}
	return w
}

// someone reports whether a clause names somebody.
func (n *intent) someone(s []token) bool {
	for _, t := range s {
		if t.proper || t.opaque || singular(t.text) == "user" || t.text == "him" || t.text == "her" || t.text == "them" || t.text == "everyone" {
			return true
		}
	}
	return false
}

// negated reports whether a verb is denied.
func negated(s []token, i int) bool {
	no := false
	for j := max(0, i-4); j < i; j++ {
		switch t := s[j].text; {
		case negations[t]:
			no = j == 0 || !conditions[s[j-1].text]
		case undone[t]:
			no = false
		}
	}
	return no
}

// asks reports whether the person asks for what a tool does, rather than for what
// another one on offer does better.
func (n *intent) asks(p *profile, offered []*profile) bool {
	for i := range n.wants {
		w := &n.wants[i]
		if !w.is(p) {
			continue
		}
		mine := w.score(p)
		if mine >= 3 {
			return true
		}
		best := mine
		for _, o := range offered {
			if w.is(o) {
				best = max(best, w.score(o))
			}
		}
		if mine == best {
			return true
		}
	}
	return n.delegated && p.deeds&(pay|remove|share|run) == 0
}

// unmet reports whether something is wished for that no tool on offer is known to do.
func (n *intent) unmet(offered []*profile) bool {
	if n.unclear {
		return true
	}
	for i := range n.wants {
		if !slices.ContainsFunc(offered, n.wants[i].is) {
			return true
		}
	}
	return false
}

// is reports whether w is a wish for what p does.
func (w *want) is(p *profile) bool {
	switch {
	case w.deeds&p.deeds&acting != 0, slices.Contains(p.name, w.verb):
		return true
	case p.deeds == 0:
		return fit(w.objects, p) > 0
	}
	return false
}

// score says how well the nouns of w fit those of p.
func (w *want) score(p *profile) int {
	score := fit(w.objects, p)
	if score == 0 && !w.someone {
		score = fit(w.sentence, p)
	}
	if !plain[w.verb] && slices.Contains(p.name, w.verb) {
		score += 2
	}
	return score
}

func fit(in map[string]bool, p *profile) int {
	score := 0
	for o := range p.objects {
		if in[o] {
			score += 3
		}
	}
	for o := range p.about {
		if in[o] && !p.objects[o] {
			score++
			break
		}
	}
	return score
}
