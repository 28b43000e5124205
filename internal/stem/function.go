package stem

import "strings"

// Function reports whether a word in lower case only says how others belong
// together: articles, pronouns, prepositions, auxiliaries and the like, of
// English and, for the commonest, of German, French, Spanish, Italian,
// Portuguese and Dutch.
func Function(word []byte) bool {
	_, ok := functions[string(word)]
	return ok
}

// Foreign reports whether a word in lower case is a function word of another
// language than English, and none of English.
func Foreign(word []byte) bool {
	english, ok := functions[string(word)]
	return ok && !english
}

// functions are function words, and whether they are English.
var functions = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(foreignWords) {
		m[w] = false
	}
	for w := range strings.FieldsSeq(functionWords) {
		m[w] = true
	}
	return m
}()

const functionWords = `
a an the this that these those some any each every either neither both all such same other another own
i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it its itself
they them their theirs themselves one ones someone somebody anyone anybody everyone everybody nobody something anything everything nothing
who whom whose which what whatever whichever whoever when where why how whether
am is are was were be been being do does did doing done have has had having can could shall should will would may might must ought
don doesn didn isn aren wasn weren hasn haven hadn won wouldn couldn shouldn mustn can't cannot ain ll ve re d s t m let lets
and or but nor so yet if then else than because since although though while whereas unless until as
of in on at by for with about against between among into through during before after above below to from up down out off over under again
further onto upon within without across along around behind beside besides beyond despite except inside near outside per toward towards via
not no yes very too also just only even still already there here now ever never always often sometimes quite rather almost perhaps maybe
please thanks thank hello hi hey ok okay sure well oh
`

const foreignWords = `
der die das den dem des ein eine einen einem einer eines und oder aber ist sind war waren wird werden wurde nicht kein keine ich du er sie es wir ihr mich mir dich dir
sich uns euch mein meine dein sein seine ihre im am an auf aus bei mit nach von vor zu zum zur durch für über unter um wie was wer wo wann warum dass wenn als auch noch nur schon sehr kann können muss soll hat haben
le la les un une des du de et ou mais est sont était être je tu il elle nous vous ils elles mon ma mes ton ta tes son sa ses ce cette ces que qui quoi dont où ne pas plus dans sur sous avec sans pour par au aux en se si
el los las una unos unas y o pero es son era fue ser estar está están yo tú ella nosotros ellos mi tu su sus este esta estos estas ese esa que quien como cuando donde no sí más muy en con sin por para del al se lo le les
il lo gli uno e ma sono io lui lei noi voi loro mio tuo suo questo questa che chi come quando dove non più molto con senza per da di nel nella della del dei
os uma ou mas são eu ele nós meu minha seu sua isso este quem onde não mais muito em com sem por para do da dos das no na
het een en of maar zijn was ik jij hij zij wij jullie mijn jouw zijn deze dit dat die wie wat waar niet geen ook nog naar van voor met op te bij
`
