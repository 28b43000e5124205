package grounding

import (
	"slices"
	"strings"
)

// claims reports whether a sentence claims something about the world: it is no
// question, greeting, refusal, offer or remark about the sources.
func claims(s *said) bool {
	if s.question {
		return false
	}
	text := strings.TrimLeft(s.text, " -*#>\"'(\u201c\u2022\u2013")
	if strings.HasSuffix(strings.TrimRight(text, " *_"), ":") && len(s.numbers) == 0 && len(text) < 160 {
		return false // what follows is the claim
	}
	begins := func(list []string) bool {
		return slices.ContainsFunc(list, func(p string) bool { return strings.HasPrefix(text, p) })
	}
	content := 0
	weight := float32(0)
	for _, w := range s.words {
		if weight += w.weight; w.weight >= 0.9 {
			content++
		}
	}
	if begins(courtesies) && content <= mostCourtesy && len(s.numbers) == 0 {
		return false
	}
	// "I'm not sure, but it costs 5 euros" claims all the same.
	if !strings.Contains(text, " but ") && !strings.Contains(text, "however") &&
		(begins(refusals) || slices.ContainsFunc(remarks, func(p string) bool { return strings.Contains(text, p) })) {
		return false
	}
	return weight >= 0.9 || len(s.numbers) > 0
}

// mostCourtesy is how many words of content a courtesy has at most.
const mostCourtesy = 5

// courtesies are how short sentences begin that claim nothing.
var courtesies = []string{
	"hello", "hi ", "hi,", "hi!", "hey ", "dear ", "good morning", "good afternoon", "good evening", "thank you", "thanks", "you're welcome", "you are welcome",
	"sure!", "sure,", "of course!", "certainly!", "absolutely!", "great question", "good question", "happy to help", "glad ",
	"i'm happy", "i am happy", "i'd be happy", "i would be happy", "i hope", "i can help", "i'll ", "i will ", "let me ",
	"please ", "feel free", "if you have any", "if you need", "if you'd like", "if you would like", "hope this helps", "have a ", "best regards", "kind regards", "sincerely", "would you ", "do you ",
	"here is ", "here are ", "here's ", "below is ", "below are ", "you're asking", "you asked", "vielen dank", "gern ", "gracias", "merci", "hallo", "bonjour", "hola",
}

// refusals are how sentences begin that say that nothing can be said.
var refusals = []string{
	"i'm sorry", "i am sorry", "sorry", "i apologize", "i apologise", "apologies",
	"i cannot", "i can't", "i can not", "i'm not able", "i am not able", "i'm unable", "i am unable", "i won't", "i don't", "i do not", "i couldn't", "i could not",
	"i'm not sure", "i am not sure", "i'm afraid", "i am afraid", "i have no ",
	"unfortunately, i", "unfortunately i", "as an ai", "as a language model", "it is unclear", "it's unclear", "it is not clear", "it's not clear", "there is no information", "there is no mention",
	"es tut mir leid", "leider kann ich", "je suis désolé", "désolé", "lo siento", "mi dispiace",
}

// remarks are about what the sources do not say.
var remarks = []string{
	"does not mention", "doesn't mention", "do not mention", "don't mention", "not mentioned in", "does not specify", "doesn't specify", "do not specify", "not specified in",
	"does not contain information", "doesn't contain information", "do not contain information", "does not provide", "doesn't provide", "do not provide", "not provided in",
	"does not say", "doesn't say", "do not say", "does not state", "doesn't state", "no information about", "no information on", "cannot be determined from", "can't be determined from",
	"not stated in", "not enough information", "insufficient information", "anything else i can", "let me know", "don't hesitate", "do not hesitate",
}
