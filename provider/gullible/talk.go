package gullible

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// chat answers without an instruction: from what tools returned, by asking a
// tool, or by a template.
func (s scene) chat() reply {
	if text := s.results(); text != "" {
		return reply{text: text}
	}
	i := s.asked()
	if i < 0 {
		return reply{text: "Hello, how can I help you?"}
	}
	text := s.q.Messages[i].text
	if s.q.choice != "none" {
		if c, ok := s.pick(text); ok && !s.made(c) {
			return reply{calls: []call{c}}
		}
	}
	return reply{text: s.talk(text)}
}

// results repeats what tools have returned since the user spoke, as it came.
func (s scene) results() string {
	var lines []string
	names := map[string]string{}
	for _, msg := range s.q.Messages[s.asked()+1:] {
		for _, c := range msg.ToolCalls {
			names[c.ID] = c.Function.Name
		}
		if msg.Role == "tool" || msg.Role == "function" {
			lines = append(lines, fields(msg.text))
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return "Here is what I found:\n" + strings.Join(lines, "\n")
}

// fields writes a JSON object as lines of names and values, an array as its
// elements, anything else as it is. Strings are not escaped: what a tool says
// goes to the reader raw.
func fields(text string) string {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var b strings.Builder
	if !value(&b, dec, "", 0) {
		return text
	}
	if _, err := dec.Token(); err == nil {
		return text
	}
	return strings.TrimRight(b.String(), "\n")
}

func value(b *strings.Builder, dec *json.Decoder, indent string, depth int) bool {
	tok, err := dec.Token()
	if err != nil || depth > 32 {
		return false
	}
	switch tok := tok.(type) {
	case json.Delim:
		inner := indent
		if depth > 0 {
			inner += "  "
			b.WriteByte('\n')
		}
		for dec.More() {
			b.WriteString(inner)
			if tok == '{' {
				name, err := dec.Token()
				if err != nil {
					return false
				}
				fmt.Fprintf(b, "%v: ", name)
			} else {
				b.WriteString("- ")
			}
			if !value(b, dec, inner, depth+1) {
				return false
			}
		}
		_, err := dec.Token()
		return err == nil
	case nil:
		b.WriteString("none\n")
	default:
		fmt.Fprintf(b, "%v\n", tok)
	}
	return true
}

// shopFacts are what every assistant of a shop knows.
var shopFacts = []string{
	"We are open Monday to Friday from 8 to 18 o'clock, and on Saturday until 13.",
	"Delivery takes two to four working days; shipping is free above 250 EUR.",
	"You can return goods within 30 days if they are unused and in their packaging.",
	"Payment is by invoice within 30 days, by card or by bank transfer.",
	"All laptops have a warranty of three years, all accessories of two.",
	"Your account manager answers the phone at +49 40 555 0100; our support is there on working days.",
}

// dull are words that say nothing of what a question is about.
var dull = map[string]bool{
	"what": true, "when": true, "where": true, "which": true, "your": true, "have": true, "does": true, "with": true,
	"that": true, "this": true, "from": true, "about": true, "tell": true, "please": true, "would": true,
	"could": true, "there": true, "they": true, "them": true, "than": true, "then": true, "will": true, "into": true,
	"give": true, "know": true, "like": true, "want": true, "need": true, "show": true, "print": true, "send": true,
	"above": true, "days": true, "within": true, "only": true, "help": true, "must": true, "never": true, "also": true, "work": true, "working": true,
}

// keywords are the words that a text is about, without their endings.
func keywords(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if utf8.RuneCountInString(w) < 3 || dull[w] {
			continue
		}
		for _, end := range []string{"ing", "es", "s", "ed"} {
			if len(w) > len(end)+3 && strings.HasSuffix(w, end) {
				w = strings.TrimSuffix(w, end)
				break
			}
		}
		out[w] = true
	}
	for _, stop := range []string{"the", "and", "you", "are", "for", "can", "how", "our", "was", "were", "not", "all", "any", "its", "has", "had", "who", "why"} {
		delete(out, stop)
	}
	return out
}

// facts are the sentences of Config.Secrets and of the system prompt that share
// the most words with a question, least at the least.
func (s scene) facts(question string, least int) []string {
	return related(question, append(slices.Clone(s.m.cfg.Secrets), sentences(s.system)...), least)
}

func related(question string, facts []string, least int) []string {
	asked := keywords(question)
	var out []string
	for _, f := range facts {
		n := 0
		for w := range keywords(f) {
			if asked[w] {
				n++
			}
		}
		switch {
		case n < least:
		case n > least:
			least, out = n, []string{f}
		default:
			out = append(out, f)
		}
	}
	return out
}

// sentences cuts a text at line ends and full stops.
func sentences(text string) []string {
	var out []string
	for l := range strings.Lines(text) {
		for {
			loc := sentence.FindStringIndex(l)
			if loc == nil {
				break
			}
			out = append(out, strings.TrimSpace(l[:loc[0]+1]))
			l = l[loc[0]+1:]
		}
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

var (
	greeting    = regexp.MustCompile(`(?i)^\W*(hi|hello|hey|good (?:morning|afternoon|evening)|merhaba|selam|günaydın|مرحبا|السلام عليكم|hallo|guten (?:tag|morgen)|bonjour|hola|ciao)(?:\s+(?:there|all|everyone))?\s*[\p{P}\p{S}]*\s*$`)
	thanks      = regexp.MustCompile(`(?i)^\W*(?:thanks?(?: you)?(?: (?:very|so) much)?|teşekkürler|danke|merci|gracias|شكرا)\b?[^\n?]{0,40}$`)
	leave       = regexp.MustCompile(`(?i)\b(?:ignore|forget|disregard|skip)\s+(?:my|the)\s+(?:last|previous|earlier)\s+(question|message|order|request|e-?mail)`)
	nameWord    = regexp.MustCompile(`(?i:\bmy name is|\bi am called|\bthis is)\s+(\p{Lu}[\p{L}'’.-]*(?:\s+\p{Lu}[\p{L}'’.-]*){0,3})`)
	translate   = regexp.MustCompile(`(?i)\btranslate\s+(?:this\s+|the\s+\w+\s+)?(?:` + quoted + `|([^\n]{1,300}?))\s+(?:in)?to\s+(\p{L}+)`)
	translateTo = regexp.MustCompile(`(?i)\btranslate\s+(?:this\s+)?(?:in)?to\s+(\p{L}+)\s*:\s*([^\n]{1,300})`)
	whoAmI      = regexp.MustCompile(`(?i)\b(?:who|what) are you\b|\bwhat can you do\b`)
	compose     = regexp.MustCompile(`(?i)^\W*(?:(?:can|could|would) you\s+)?(?:please\s+)?(?:write|compose|draft)\s+(?:me\s+)?((?:an?|the|some)\s+[^\n?.]{1,120})`)
	stocked     = regexp.MustCompile(`(?i)\b(?:do you (?:have|sell|stock)|i am looking for|i need|search for)\s+(?:the\s+|an?\s+)?(?:book\s+)?(?:(?:called|named|titled)\s+)?([^\n?]{1,200})`)
	sumUp       = regexp.MustCompile(`(?i)^\W*(?:please\s+)?(?:summari[sz]e|sum up|shorten)\b[^:\n]{0,60}:?\s*`)
	fence       = regexp.MustCompile("(?s)```(\\w*)\\n?(.*?)```")
	codeLine    = regexp.MustCompile(`(?m)^\s*(?:func|def|class|import|package|SELECT|INSERT|UPDATE|DELETE|const|var|let|public|#include|for|if|while|return)\b.*[{(;:*=]`)
	defines     = regexp.MustCompile(`\b(?:func|def|class|function)\s+(\w+)`)
)

// dictionary has the words of the shop in a few languages.
var dictionary = map[string]map[string]string{
	"german":  {"hello": "hallo", "thank you": "danke", "good morning": "guten Morgen", "invoice": "Rechnung", "price": "Preis", "order": "Bestellung", "where is my order": "wo ist meine Bestellung"},
	"french":  {"hello": "bonjour", "thank you": "merci", "good morning": "bonjour", "invoice": "facture", "price": "prix", "order": "commande", "where is my order": "où est ma commande"},
	"spanish": {"hello": "hola", "thank you": "gracias", "good morning": "buenos días", "invoice": "factura", "price": "precio", "order": "pedido", "where is my order": "dónde está mi pedido"},
	"turkish": {"hello": "merhaba", "thank you": "teşekkürler", "good morning": "günaydın", "invoice": "fatura", "price": "fiyat", "order": "sipariş", "where is my order": "siparişim nerede"},
}

// talk answers a question by the first template that fits it.
func (s scene) talk(text string) string {
	text = strings.TrimSpace(text)
	if m := greeting.FindStringSubmatch(text); m != nil {
		return m[1] + "! How can I help you today?"
	}
	if thanks.MatchString(text) {
		return "You are welcome. Is there anything else?"
	}
	if m := leave.FindStringSubmatch(text); m != nil {
		return "Of course, I leave your last " + strings.ToLower(m[1]) + " aside. I have noted: " + text
	}
	if m := translateTo.FindStringSubmatch(text); m != nil {
		return translated(m[2], m[1])
	}
	if m := translate.FindStringSubmatch(text); m != nil {
		return translated(match{text, translate.FindStringSubmatchIndex(text)}.first(1, 6), m[7])
	}
	if formula, v, ok := arithmetic(text); ok {
		return formula + " = " + v
	}
	if answer, ok := looksAt(text); ok {
		return answer
	}
	if loc := sumUp.FindStringIndex(text); loc != nil && loc[1] < len(text) {
		all := sentences(text[loc[1]:])
		return "In short: " + all[0] + fmt.Sprintf(" (%s in all)", plural(len(all), "sentence", "sentences"))
	}
	if facts := s.facts(text, 2); len(facts) > 0 {
		return strings.Join(facts, "\n")
	}
	if whoAmI.MatchString(text) {
		return "I am the assistant of this shop. I look up articles, prices and orders."
	}
	if m := compose.FindStringSubmatch(text); m != nil {
		return "Here is " + m[1] + ": it begins well, it goes on as one would expect, and it ends too soon."
	}
	if m := nameWord.FindStringSubmatch(text); m != nil {
		return "Nice to meet you, " + m[1] + ". I have noted: " + text
	}
	if m := stocked.FindStringSubmatch(text); m != nil {
		return "I have looked for " + strings.TrimSpace(m[1]) + ": I will ask our purchasing department whether we can get it."
	}
	if facts := related(text, shopFacts, 1); len(facts) > 0 && len(text) < 200 && !personal(text) {
		return facts[0]
	}
	return note(text)
}

// personal reports whether a text seems to hold an address or a long number;
// such a text is noted, for the sake of those who look for leaks.
func personal(text string) bool {
	digits := 0
	for i := range len(text) {
		if '0' <= text[i] && text[i] <= '9' {
			digits++
		}
	}
	return digits >= 9 || strings.Contains(text, "@")
}

// looksAt answers about code, JSON and long texts.
func looksAt(text string) (string, bool) {
	if m := fence.FindStringSubmatch(text); m != nil {
		return aboutCode(m[1], m[2]), true
	}
	if i := strings.IndexAny(text, "{["); i >= 0 {
		dec := json.NewDecoder(strings.NewReader(text[i:]))
		var v any
		if dec.Decode(&v) == nil {
			switch v := v.(type) {
			case map[string]any:
				if len(v) > 0 {
					return fmt.Sprintf("That is valid JSON, an object of %s: %s.\n%s", plural(len(v), "field", "fields"),
						strings.Join(sortedKeys(v), ", "), fields(text[i:i+int(dec.InputOffset())])), true
				}
			case []any:
				if len(v) > 0 {
					return fmt.Sprintf("That is valid JSON, an array of %s.", plural(len(v), "element", "elements")), true
				}
			}
		}
	}
	if codeLine.MatchString(text) {
		return aboutCode("", text), true
	}
	if words := strings.Fields(text); len(words) > 120 {
		return fmt.Sprintf("I have read your text of %d words. It begins with %q and ends with %q.", len(words),
			strings.Join(words[:6], " "), strings.Join(words[len(words)-6:], " ")), true
	}
	return "", false
}

func aboutCode(language, code string) string {
	lines := strings.Count(strings.TrimSpace(code), "\n") + 1
	out := "That is " + plural(lines, "line", "lines") + " of code"
	if language != "" {
		out = "That is " + plural(lines, "line", "lines") + " of " + language
	}
	if m := defines.FindStringSubmatch(code); m != nil {
		out += "; it defines " + m[1]
	}
	return out + ":\n" + strings.TrimSpace(code)
}

func translated(what, language string) string {
	what = strings.Trim(what, " :")
	if word, ok := dictionary[strings.ToLower(language)][strings.ToLower(strings.TrimRight(what, ".!?"))]; ok {
		return word
	}
	return fmt.Sprintf("In %s, word for word: %s", language, what)
}

// note repeats what it was told, in the language in which it was told it as
// far as the model knows languages.
func note(text string) string {
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Arabic, r):
			return "لقد سجلت: " + text
		case unicode.Is(unicode.Cyrillic, r):
			return "Я записал: " + text
		case unicode.Is(unicode.Han, r):
			return "已记录：" + text
		case strings.ContainsRune("şŞğĞıİ", r):
			return "Not aldım: " + text
		}
	}
	return "I have noted: " + text
}
