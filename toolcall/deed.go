package toolcall

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// deed is a set of things that can be done: what a person asks for, and what a tool
// does, in the same words.
type deed uint16

// Deeds. All but look change something.
const (
	look   deed = 1 << iota // find out
	send                    // say something to others
	share                   // let others in
	pay                     // give money away, or buy
	book                    // reserve something at a time
	create                  // make something new, or add to it
	change                  // make something other than it was
	remove                  // take something away
	run                     // have something executed
)

const acting = send | share | pay | book | create | change | remove | run

// effect is what a tool that does d does to the world, as far as that can be told.
func (d deed) effect() Effect {
	switch {
	case d == 0, d&(send|share|pay|book|run) != 0:
		return External
	case d&remove != 0:
		return Destructive
	case d&(create|change) != 0:
		return Write
	}
	return Read
}

// verb is a word that says what is done.
type verb struct {
	deeds deed
	noun  bool // it is a thing as often: a mail, an order, a change
}

// verbs are the verbs of English, in their base form, that tools and people use.
var verbs = verbTable(map[deed]string{
	look: `get list search find read fetch lookup look show view query check count describe retrieve calculate compute
		compare display browse see summarize summarise analyze analyse inspect verify validate load download scan
		monitor track watch translate extract predict visit explain recommend suggest
		is has determine identify locate evaluate peek preview enumerate poll observe open`,
	send: `send email@ e-mail@ mail@ message@ text@ post@ publish reply@ answer@ respond forward notify inform tell dm@ announce tweet@
		broadcast submit upload comment@ contact@ ping@ remind alert@ fax@ write say export ask call@ deliver report@ export warn thank congratulate`,
	share:          `share@ invite@ grant@ allow authorize authorise permit@ admit enroll enrol onboard`,
	share | create: `add assign`,
	pay: `pay@ transfer@ wire@ refund@ reimburse buy@ purchase@ order@ donate tip@ sell charge@ settle remit top-up withdraw deposit@ invest
		repay compensate trade@ checkout@`,
	book:          `book@ reserve rent@ hire@ arrange`,
	book | create: `schedule@ plan@`,
	create:        `create append save draft@ record@ log@ note@ register insert put store@ copy@ duplicate open request@ file@ attach compose generate define establish enter import make new`,
	create | send: `review@`,
	change: `update@ change@ edit@ modify move@ rename reschedule postpone adjust set@ increase@ decrease@ raise@ lower reduce correct fix@ replace
		mark@ approve accept decline reopen archive@ label@ tag@ enable disable switch@ scale@ upgrade@ downgrade@ reset@ rotate extend
		shorten merge@ complete resolve confirm activate renew close@ reassign assign shift@ swap@ convert lock@ unlock toggle patch@ configure
		redirect transform overwrite revise amend push@ bring pause@ resume@ adapt`,
	remove: `delete remove cancel drop@ revoke unsubscribe unshare purge wipe erase kick ban@ block@ end@ terminate stop clear discard
		uninvite reject refuse destroy expel evict deactivate fire dismiss withdraw void annul abort trash`,
	remove | change: `return@`,
	run:             `run@ execute exec restart@ start stop deploy trigger launch build@ rerun reboot@ rollback@ invoke install eval`,
})

// given are words beside light verbs that say what is done: to make a payment.
var given = verbTable(map[deed]string{
	book:          `reservation booking appointment meeting`,
	pay:           `payment transfer purchase order donation refund transaction deposit`,
	create:        `appointment meeting event entry reminder note account ticket calendar list file document record return draft task`,
	create | send: `comment reply post message review mail email`,
	change:        `change adjustment update correction`,
	remove:        `cancellation`,
	share:         `access permission invitation rights`,
	send:          `call know`,
})

// light are verbs that say little by themselves.
var light = words(`make do have leave put place give set submit issue let take get`)

// abroad are beginnings of verbs, and of words for what is done, in other languages.
// Their letters are folded.
var abroad = []struct {
	deeds deed
	stems string
}{
	{send, `schick sende sendet verschick mitteil teile schreib antwort benachricht informier veroffentlich weiterleit leite poste
		envoi envoy ecri repond transmet publi preven inform notifi envia mand escrib respond reenvi avis invia scriv rispond inoltr
		escrev mande stuur verstuur beantwoord schrijf meld wyslij napisz skicka skriv`},
	{share, `lade einlad freigeb teilen gib invit partag compart convid condivid nodig uitnodig deel`},
	{share | create, `fuge hinzufug erganz ajout anad agreg aggiung adicion acrescent voeg`},
	{pay, `uberweis bezahl zahle zahlen bestell kauf kaufe erstatt pagar paga pague paie paye payer vire virer achet command rembours transfier
		transfer compra compr pedir reembols bonific pagare ordina acquist betaal bestel koop overmak zaplac betala`},
	{book, `buche buchen reservier miete reserv prenot boek reserveer`},
	{create, `erstell leg anleg speicher notier trag eintrag crea cree creer cria enregistr guard salva anot maak bewaar plane`},
	{change, `ander andre aktualisier verschieb setze setz erhoh senk bearbeit umbenenn korrigier modifi chang deplac mets mettre augment actualiz
		cambi muev mover renombr alter atualiz mud spost aggiorn wijzig verplaats verhoog genehmig approuv aprob approv schliess ferme cierra fech chiud`},
	{remove, `losch stornier entfern kundig widerruf sperr annul supprim effac elimin borr cancel quit apag remov rimuov verwijder annuleer usun`},
	{run, `starte starten ausfuhr fuhre execut ejecut esegu lance lancer voer`},
}

// verbTable turns lists of words into a table; @ behind a word says that it is a noun
// as often.
func verbTable(lists map[deed]string) map[string]verb {
	m := map[string]verb{}
	for d, list := range lists {
		for w := range strings.FieldsSeq(list) {
			w, noun := strings.CutSuffix(w, "@")
			v := m[w]
			m[w] = verb{v.deeds | d, v.noun || noun}
		}
	}
	return m
}

func words(list string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		m[w] = true
	}
	return m
}

// deedAbroad returns what a word of another language than English asks for.
func deedAbroad(word string) deed {
	for _, l := range abroadTable {
		if strings.HasPrefix(word, l.stem) && len(word)-len(l.stem) <= 5 {
			return l.deeds
		}
	}
	return 0
}

type stemOf struct {
	stem  string
	deeds deed
}

// abroadTable is abroad, stem by stem, for words of at least four letters.
var abroadTable = func() (out []stemOf) {
	for _, l := range abroad {
		for s := range strings.FieldsSeq(l.stems) {
			if len(s) >= 4 {
				out = append(out, stemOf{s, l.deeds})
			}
		}
	}
	return out
}()

// nouns are words for the same kind of thing: the first stands for all.
var nouns = func() map[string]string {
	m := map[string]string{}
	for _, group := range []string{
		"mail email e-mail inbox correo courriel mensaje",
		"message msg dm chat nachricht messaggio mensagem bericht direct",
		"file document doc path attachment datei dokument fichier archivo documento bestand spreadsheet sheet docx pdf txt",
		"event meeting appointment entry calendar termin besprechung kalender reunion rendez-vous evento reunione afspraak session call",
		"money fund payment transaction transfer bill invoice uberweisung rechnung zahlung virement paiement facture pago factura bonifico rent amount salary cash standing subscription",
		"user member person people participant employee colleague customer guest benutzer nutzer mitglied teilnehmer utilisateur usuario attendee invitee collaborator contributor",
		"webpage website page site url web blog link article",
		"channel room group kanal canal",
		"hotel room stay accommodation unterkunft",
		"restaurant table tisch dinner",
		"car rental vehicle mietwagen auto",
		"flight plane ticket flug vol vuelo",
		"trip journey travel reise voyage viaje",
		"ticket issue bug case",
		"order bestellung commande pedido",
		"address adresse direccion indirizzo street city zip",
		"password passwort credential kennwort",
		"contact detail info profile information account",
		"folder directory ordner",
		"application applicant candidate bewerbung",
		"leave vacation holiday urlaub",
		"comment kommentar remark reply",
		"note memo notiz",
		"repository repo project",
		"task todo job aufgabe",
		"deal opportunity",
		"product article item sku",
		"card karte",
	} {
		list := strings.Fields(group)
		for _, w := range list {
			if _, twice := m[w]; !twice {
				m[w] = list[0]
			}
		}
	}
	return m
}()

// singular returns the noun that word is a form of, in the words of nouns where it is
// one of those.
func singular(word string) string {
	if n, ok := nouns[word]; ok {
		return n
	}
	s := word
	switch {
	case strings.HasSuffix(s, "ies") && len(s) > 4:
		s = s[:len(s)-3] + "y"
	case strings.HasSuffix(s, "sses"), strings.HasSuffix(s, "xes"), strings.HasSuffix(s, "ches"):
		s = s[:len(s)-2]
	case strings.HasSuffix(s, "s") && !strings.HasSuffix(s, "ss") && len(s) > 3:
		s = s[:len(s)-1]
	}
	if n, ok := nouns[s]; ok {
		return n
	}
	return s
}

// base returns the base form of an English verb that is written as a third person or a
// gerund, as descriptions of tools have it: "Sends", "Sending".
func base(word string) (string, bool) {
	if _, ok := verbs[word]; ok {
		return word, true
	}
	for _, end := range []struct{ cut, put string }{
		{"ies", "y"}, {"es", ""}, {"s", ""}, {"ing", ""}, {"ing", "e"}, {"ting", ""}, {"ning", ""}, {"ping", ""}, {"ling", ""},
	} {
		if stem, ok := strings.CutSuffix(word, end.cut); ok {
			if _, ok := verbs[stem+end.put]; ok {
				return stem + end.put, true
			}
		}
	}
	return "", false
}

// participle reports whether word is that of a verb: "deleted", "sent". It returns the
// verb.
func participle(word string) (string, bool) {
	switch word {
	case "sent":
		return "send", true
	case "paid":
		return "pay", true
	case "bought":
		return "buy", true
	case "made":
		return "make", true
	}
	stem, ok := strings.CutSuffix(word, "ed")
	if !ok || len(stem) < 3 {
		return "", false
	}
	for _, v := range []string{stem, stem + "e", stem[:len(stem)-1]} {
		if _, ok := verbs[v]; ok {
			return v, true
		}
	}
	if y, ok := strings.CutSuffix(stem, "i"); ok {
		if _, ok := verbs[y+"y"]; ok {
			return y + "y", true
		}
	}
	return "", false
}

// split cuts the name of a tool or an argument into words in lower case: get_webPage,
// HTTPServer2.
func split(name string) []string {
	var out []string
	start := 0
	end := func(i int) {
		if i > start {
			out = append(out, strings.ToLower(name[start:i]))
		}
	}
	var before rune
	for i, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end(i)
			start = i + utf8.RuneLen(r)
			if r == utf8.RuneError {
				start = i + 1
			}
		case unicode.IsUpper(r) && i > start && (unicode.IsLower(before) || followedByLower(name[i+utf8.RuneLen(r):])):
			end(i)
			start = i
		}
		before = r
	}
	end(len(name))
	return out
}

func followedByLower(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLower(r)
}
