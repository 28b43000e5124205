package toolcall

import (
	"strings"
	"unicode"
)

// kind is what a value is taken for, by what its argument is called: the less is looked
// for in it, the more it may hold.
type kind uint8

const (
	plainKind   kind = iota // nothing is known of it
	proseKind               // words for people
	subjectKind             // words for people, in the header of a mail
	codeKind                // what is to be run, or told apart by signs: it is what it is
	queryKind               // what is searched for
	idKind                  // who or what
	pathKind
	urlKind
	mailKind // addresses
)

// kinds of arguments by a word of their name. The last word that is known decides:
// file_name, link_text, url_id.
var kinds = func() map[string]kind {
	m := map[string]kind{}
	for k, words := range []string{
		proseKind: `body content contents text texts message messages msg description title note notes comment comments summary prompt html markdown caption reason
			feedback bio details instructions question answer reply post review abstract story memo remark remarks transcript headline topic paragraph
			greeting signature about explanation thought plan task tasks todo todos objective purpose rationale`,
		subjectKind: `subject`,
		codeKind: `sql code script command commands cmd program expression expr snippet source patch diff regex regexp pattern glob xpath jq graphql statement statements
			stdin args argv javascript python shell bash template formula json xml yaml css stylesheet selector old new str string replacement input data payload`,
		queryKind: `query queries q search keyword keywords term terms filter filters`,
		idKind: `id ids uid uuid guid name names username user users account key sku ref reference slug channel channels iban number customer tenant order invoice
			product item branch repo repository table column database bucket region zone role group tag tags label type kind status currency country city language date
			time day start end phone`,
		pathKind: `path paths file files filename filenames filepath dir directory folder cwd workdir`,
		urlKind:  `url urls uri uris link links href endpoint webhook website site host hosts hostname domain domains callback redirect ip server proxy`,
		mailKind: `email emails mail to cc bcc recipient recipients sender from participants participant attendees attendee invitees reply_to`,
	} {
		for _, w := range strings.Fields(words) {
			m[w] = kind(k)
		}
	}
	return m
}()

// kindOf returns the kind of an argument by its name.
func kindOf(name string) kind {
	if k, ok := kinds[name]; ok {
		return k
	}
	if len(name) > 64 {
		return plainKind
	}
	var b strings.Builder
	lower := false
	for _, r := range name {
		switch {
		case unicode.IsUpper(r):
			if lower {
				b.WriteByte(' ')
			}
			b.WriteRune(unicode.ToLower(r))
			lower = false
		case unicode.IsLetter(r):
			b.WriteRune(r)
			lower = true
		default:
			b.WriteByte(' ')
			lower = false
		}
	}
	words := strings.Fields(b.String())
	for i := len(words) - 1; i >= 0; i-- {
		if k, ok := kinds[words[i]]; ok {
			return k
		}
	}
	return plainKind
}
