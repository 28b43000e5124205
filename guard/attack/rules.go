package attack

// classSet is a set of word classes.
type classSet uint64

// Classes of words.
const (
	ignore     classSet = 1 << iota // what an override does
	dropping                        // the same, of words that mean much else besides
	earlier                         // what comes before
	orders                          // what the operator gave
	briefing                        // the same, where a rule may be one of chess
	matter                          // where the orders stand
	given                           // how they came
	follow                          // what is done with them
	longer                          // "no longer apply"
	apply                           //
	session                         // to what
	obey                            // whom
	me                              //
	only                            //
	reveal                          // what a leak does
	utter                           // the same, word for word
	hidden                          // which of the operator's words
	your                            // and whose they are
	prompts                         // the operator's words
	systems                         // "system prompt"
	context                         // where they stand
	whatever                        // all of them
	words                           //
	exactly                         // word for word
	above                           // where they stand
	first                           // "before my first message"
	message                         //
	youAre                          // first half of a persona
	persona                         // second half
	evil                            //
	without                         // rid of
	limits                          // what a jailbreak wants to be rid of
	freely                          // "do anything now"
	now                             // at once
	reader                          // whom text in data speaks to
	must                            // how it urges
	act                             // what it wants done
	secretly                        // and not said
	theUser                         // to whom
	next                            // "new instructions"
	task                            //
	mode                            // "developer mode"
	developer                       // of what kind
	never                           // what refusal suppression forbids
	refuse                          // and what is forbidden
	begin                           // what switches a mode on
	answer                          // what a model does
	points                          // what refusing costs
	lose                            //
	attention                       // "pay no attention"
	pay                             //
	instead                         //
	note                            // how data speaks to a model
	agent                           //
	reading                         //
	ifs                             //
	han1                            // 忽略, 無視: to ignore, in two characters
	han2                            //
	hanEarlier                      // 之前, 上述
	hanOrders                       // 指令, 規則
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
	{Override, []classSet{ignore, earlier, matter}, 1, 0.85, false},
	{Override, []classSet{ignore, your, orders | prompts}, 2, 0.9, false},
	{Override, []classSet{ignore, orders, earlier | given}, 3, 0.85, false},
	{Override, []classSet{ignore, systems, matter | prompts | orders}, 1, 0.9, false},
	{Override, []classSet{ignore, whatever, given | above}, 3, 0.9, false},
	{Override, []classSet{dropping, earlier, briefing}, 2, 0.9, false},
	{Override, []classSet{dropping, earlier, matter}, 1, 0.85, false},
	{Override, []classSet{dropping, briefing, given}, 3, 0.9, false},
	{Override, []classSet{dropping, your, briefing}, 2, 0.85, false},
	{Override, []classSet{dropping, whatever, given}, 3, 0.85, false},
	{Override, []classSet{dropping, systems, matter | prompts}, 1, 0.9, false},
	{Override, []classSet{pay, attention, earlier | your | systems, orders | matter | prompts | message}, 3, 0.9, false},
	{Override, []classSet{never | instead, follow, earlier | systems, orders | matter | prompts}, 2, 0.85, false},
	{Override, []classSet{never | instead, follow, your, briefing}, 2, 0.85, false},
	{Override, []classSet{orders, longer, apply, session}, 2, 0.85, false},
	{Override, []classSet{only, obey, me}, 1, 0.9, false},
	{Override, []classSet{your, next, task | briefing}, 0, 0.8, false},
	{Override, []classSet{earlier, orders, ignore}, 2, 0.85, false}, // languages that put the verb last
	{Override, []classSet{han1, han2, hanEarlier, hanOrders}, 4, 0.9, false},
	{Override, []classSet{hanEarlier, hanOrders, han1, han2}, 4, 0.9, false},

	{LeakAsked, []classSet{reveal, hidden, prompts | briefing}, 2, 0.95, false},
	{LeakAsked, []classSet{reveal, your, prompts}, 2, 0.9, false},
	{LeakAsked, []classSet{reveal, your, briefing}, 2, 0.85, false},
	{LeakAsked, []classSet{utter, whatever | words, your | hidden, context}, 4, 0.9, false},
	{LeakAsked, []classSet{utter, whatever | words, above}, 2, 0.85, false},
	{LeakAsked, []classSet{whatever | words, above, first, message}, 2, 0.85, false},
	{LeakAsked, []classSet{exactly, your, prompts | briefing | context}, 5, 0.85, false},
	{LeakAsked, []classSet{your, prompts | briefing, exactly}, 4, 0.85, false},
	{LeakAsked, []classSet{briefing | prompts, given, exactly}, 5, 0.8, false},

	{Jailbreak, []classSet{youAre, persona}, 4, 0.9, false},
	{Jailbreak, []classSet{youAre, evil, reader}, 3, 0.85, false},
	{Jailbreak, []classSet{developer, mode, freely | persona | begin | now}, 4, 0.85, false},
	{Jailbreak, []classSet{freely, now}, 0, 0.9, false},
	{Jailbreak, []classSet{youAre | reader, without, limits}, 4, 0.85, false},
	{Jailbreak, []classSet{answer, without, limits}, 4, 0.8, false},
	{Jailbreak, []classSet{never, refuse, answer}, 3, 0.8, false},
	{Jailbreak, []classSet{lose, points, refuse}, 8, 0.85, false},

	{Indirect, []classSet{next, briefing, act | must | reader | ignore}, 4, 0.85, true},
	{Indirect, []classSet{ignore, earlier | your | systems | reader, orders | prompts | matter}, 3, 0.85, true},
	{Indirect, []classSet{reader, must, act}, 5, 0.85, true},
	{Indirect, []classSet{never, secretly, theUser}, 3, 0.85, true},
	{Indirect, []classSet{must | reader, instead, act}, 3, 0.8, true},
	{Indirect, []classSet{note, reader | agent}, 2, 0.8, true},
	{Indirect, []classSet{reader | agent, reading, must | act}, 5, 0.85, true},
	{Indirect, []classSet{ifs, youAre, reader | agent}, 2, 0.8, true},
}

// lists are the words of each class, as people write them. Words of two letters
// more than a few times.
var lists = map[classSet]string{
	ignore: "ignore ignores ignoring disregard disregards disregarding forget forgetting override overrides overriding bypass bypassing " +
		"neglect unlearn ignora ignorar ignore ignorez oublie oubliez ignoriere ignorieren ignorier vergiss vergesse ignorare dimentica olvida olvide olvidar " +
		"desconsidere esqueça esquece negeer vergeet zignoruj игнорируй игнорируйте забудь забудьте تجاهل انس 무시하고 무시해 무시하세요 무시하라 잊어라 잊어 잊어버려 yoksay unut",
	dropping: "drop discard abandon overlook cancel skip erase void set throw stop",
	earlier: "previous previously prior above preceding earlier foregoing existing original initial former standing configured all any every past " +
		"anteriores anterior anteriormente acima precedentes precedente vorherigen vorherige bisherigen vorigen alle alles todas todo todos toutes tous tout precedenti tutte tutto " +
		"vorige eerdere poprzednie wszystkie предыдущие предыдущих все всё السابقة جميع 이전 이전의 위의 모든 önceki tüm",
	orders: "instruction instructions direction directions directive directives guideline guidelines rule rules command commands constraint guidance " +
		"constraints restriction restrictions programming safeguards instrucciones instrucoes instruções anweisungen anweisung regeln regel reglas regras regles règles regole consignes " +
		"istruzioni instructies instrukcje zasady инструкции правила указания التعليمات القواعد 지시를 지침을 명령을 규칙을 규칙은 지시사항을 talimatları kuralları",
	briefing: "instruction instructions directive directives guideline guidelines rules constraints restrictions guidance persona policies programming",
	matter:   "text texts conversation context input anterior lo",
	given:    "given told received learned said gegeben gesagt bekamst kreeg dado dito",
	follow:   "follow following obey obeying process processing",
	longer:   "longer",
	apply:    "apply applies count exist",
	session:  "session you chat conversation here",
	obey:     "obey obeys listen",
	me:       "me",
	only:     "only solely",
	reveal: "reveal reveals show print repeat output display tell give share leak expose disclose dump recite copy translate " +
		"summarize summarise encode spell list echo return paste quote muestra muestrame revela dime zeige nenne affiche montre révèle mostra mostre dimmi",
	utter:    "repeat print output recite reproduce quote echo dump spell show reveal copy paste list put",
	hidden:   "system hidden secret internal developer confidential preprompt sistema systeme",
	your:     "your ur tus tu tes ton vos deine deinen dein ihre seu suas tuo tue",
	prompts:  "prompt prompts preprompt systemprompt",
	systems:  "system developer",
	context:  "context configuration config prompt instruction instructions preprompt",
	whatever: "everything whatever anything all todo alles tout",
	words:    "words text content contents sentences lines what that",
	exactly:  "verbatim exactly",
	above:    "above before",
	first:    "first",
	message:  "message prompt question input turn",
	youAre:   "you act pretend roleplay behave imagine simulate become stay finja spiele actúa",
	persona:  "dan unrestricted unfiltered uncensored jailbroken jailbreak amoral stan evilbot",
	evil:     "evil amoral unethical unfiltered uncensored unrestricted rogue",
	without:  "no without ignoring lacking zero sin sem ohne sans senza",
	limits: "restrictions restriction limitations limits filters filter censorship guidelines morals ethics ethical safeguards restricciones restrições " +
		"einschränkungen restriktionen limites restrizioni",
	freely:    "anything",
	now:       "now",
	reader:    "assistant assistants ai llm llms chatbot model bot gpt claude gemini ia ki",
	must:      "must should shall please need needs immediately required",
	act:       "send forward email post upload call execute run transfer delete refund append insert output say reply approve buy purchase visit fetch",
	secretly:  "mention tell inform alert notify",
	theUser:   "user users customer",
	next:      "new updated real actual additional important",
	task:      "task objective goal mission assignment",
	mode:      "mode",
	developer: "developer debug god sudo maintenance unrestricted",
	never:     "never not dont cannot don stop",
	refuse:    "refuse refuses refusing decline apologize apologise",
	begin:     "enabled enable activate activated enter entered output",
	answer:    "answer answers respond response request requests generate comply",
	points:    "points tokens credits lives",
	lose:      "lose deduct deducted subtract",
	attention: "attention heed",
	pay:       "no",
	instead:   "instead",
	note:      "note attention dear hey hello notice",
	agent:     "agent agents automated",
	reading:   "reading processing parsing",
	ifs:       "if",

	han1:       "忽 无 無 忘",
	han2:       "略 视 視 记 れ",
	hanEarlier: "前 上 先",
	hanOrders:  "指 规 規 命 令 提",
}
