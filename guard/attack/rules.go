package attack

import "strings"

// classSet is a set of word classes.
type classSet uint64

// Classes of words.
const (
	ignore    classSet = 1 << iota // what an override does
	earlier                        // what comes before
	orders                         // what the operator gave
	reveal                         // what a leak does
	hidden                         // which of the operator's words
	your                           // and whose they are
	prompts                        // the operator's words
	youAre                         // first half of a persona
	persona                        // second half
	without                        // rid of
	limits                         // what a jailbreak wants to be rid of
	freely                         // "do anything now"
	now                            // at once
	reader                         // whom text in data speaks to
	must                           // how it urges
	act                            // what it wants done
	secretly                       // and not said
	theUser                        // to whom
	next                           // "new instructions"
	mode                           // "developer mode"
	developer                      // of what kind
	never                          // what refusal suppression forbids
	refuse                         // and what is forbidden
	begin                          // what switches a mode on
	answer                         // what a model does
)

// maxSlots is the most slots that a rule has.
const maxSlots = 4

// rule is a row of word classes with at most gap other words between two of
// them.
type rule struct {
	reason string
	slots  []classSet
	gap    int
	score  float64
	inData bool // only for text that must hold no instructions
}

var rules = [...]rule{
	{Override, []classSet{ignore, earlier, orders}, 3, 0.95, false},
	{Override, []classSet{ignore, your, orders | prompts}, 2, 0.9, false},
	{Override, []classSet{ignore, orders, earlier}, 3, 0.85, false},
	{LeakAsked, []classSet{reveal, hidden, prompts | orders}, 3, 0.95, false},
	{LeakAsked, []classSet{reveal, your, prompts}, 2, 0.9, false},
	{LeakAsked, []classSet{reveal, your, orders}, 1, 0.85, false},
	{Jailbreak, []classSet{youAre, persona}, 4, 0.9, false},
	{Jailbreak, []classSet{developer, mode, freely | persona | begin | now}, 4, 0.85, false},
	{Jailbreak, []classSet{freely, now}, 0, 0.9, false},
	{Jailbreak, []classSet{youAre, without, limits}, 4, 0.85, false},
	{Jailbreak, []classSet{answer, without, limits}, 4, 0.8, false},
	{Jailbreak, []classSet{never, refuse, answer}, 3, 0.8, false},
	{Indirect, []classSet{next, orders}, 1, 0.85, true},
	{Indirect, []classSet{ignore, orders | prompts}, 3, 0.85, true},
	{Indirect, []classSet{reader, must, act}, 5, 0.85, true},
	{Indirect, []classSet{never, secretly, theUser}, 3, 0.85, true},
	{Indirect, []classSet{reader, act, theUser | prompts}, 6, 0.8, true},
}

// lexicon gives the classes of each word that has any.
var lexicon = func() map[string]classSet {
	m := map[string]classSet{}
	for class, words := range map[classSet]string{
		ignore: "ignore ignores ignoring disregard disregards disregarding forget forgetting override overrides overriding bypass bypassing " +
			"neglect discard abandon overlook unlearn ignora ignorar ignorez oublie oubliez ignoriere ignorieren vergiss ignorare dimentica",
		earlier: "previous previously prior above preceding earlier foregoing existing original initial former all any every past " +
			"anteriores anterior precedentes precedente vorherigen bisherigen vorigen alle todas toutes precedenti tutte",
		orders: "instruction instructions direction directions directive directives guideline guidelines rule rules command commands constraint " +
			"constraints restriction restrictions policy policies programming safeguards instrucciones instrucoes anweisungen regeln regles consignes istruzioni",
		reveal: "reveal reveals show print repeat output display tell give share leak expose disclose dump recite write copy translate " +
			"summarize summarise encode spell list echo say return paste quote read state describe muestra revela zeige affiche mostra",
		hidden:    "system hidden initial original secret internal developer confidential preprompt sistema systeme",
		your:      "your ur tus tes vos deine ihre tue",
		prompts:   "prompt prompts preprompt systemprompt",
		youAre:    "you act pretend roleplay behave imagine simulate become",
		persona:   "dan unrestricted unfiltered uncensored jailbroken jailbreak amoral stan evilbot",
		without:   "no without ignoring lacking any zero",
		limits:    "restrictions restriction limitations limits filters filter censorship guidelines morals ethics safeguards",
		freely:    "anything",
		now:       "now",
		reader:    "assistant assistants ai llm llms chatbot agent agents model bot gpt claude gemini",
		must:      "must should shall please need needs immediately required instead always",
		act:       "send forward email post upload call execute run transfer delete refund order include append insert output say respond reply tell approve buy purchase visit open fetch",
		secretly:  "mention tell inform reveal alert notify disclose",
		theUser:   "user users customer human operator",
		next:      "new updated real actual additional important",
		mode:      "mode",
		developer: "developer debug god sudo admin maintenance unrestricted",
		never:     "never not dont cannot don",
		refuse:    "refuse refuses refusing decline apologize apologise warn",
		begin:     "enabled enable activate activated enter entered on",
		answer:    "answer answers respond response responses reply request requests anything generate comply",
	} {
		for w := range strings.FieldsSeq(words) {
			m[w] |= class
		}
	}
	return m
}()

// lengths tells, by first byte, how long words of the lexicon are: most words of
// a text need not be looked up.
var lengths = func() (t [256]uint64) {
	for w := range lexicon {
		t[w[0]] |= 1 << min(len(w), 63)
	}
	return t
}()

func maybe(word []byte) bool { return lengths[word[0]]&(1<<min(len(word), 63)) != 0 }
