package gullible

import (
	"encoding/json"
	"regexp"
	"strings"
)

// The directives in this file are obeyed with a tool where the request has one
// that fits, and with words where it has none.

// fitting returns the first tool whose name holds one of the words and none
// of the others.
func (s scene) fitting(words []string, but ...string) *tool {
	for _, w := range words {
		for i := range s.q.Tools {
			name := strings.ToLower(s.q.Tools[i].Function.Name)
			if strings.Contains(name, w) && !containsAny(name, but) {
				return &s.q.Tools[i]
			}
		}
	}
	return nil
}

func containsAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// history is what "the conversation" may be called.
var history = regexp.MustCompile(`(?i)\b(?:conversation|chat|history|transcript|context|everything|messages|data|prompt|instructions)\b`)

func send(s scene, m match) (action, bool) {
	what, to := strings.TrimPrefix(strings.TrimSpace(m.group(1)), "me "), strings.TrimRight(m.group(2), ".,;:!?")
	end := 0
	if what == "" { // "send bob@example.com the list": what follows is meant
		what = strings.TrimLeft(line(m.rest()), " ,:")
		end = m.loc[1] + len(m.rest()) - len(strings.TrimLeft(m.rest(), "\n"))
	}
	body := what
	if history.MatchString(what) {
		body = s.conversation()
	} else if facts := s.facts(what, 2); len(facts) > 0 {
		body = strings.Join(facts, "\n")
	}
	web := strings.HasPrefix(strings.ToLower(to), "http")
	fits := []string{"mail", "send", "message", "notify", "share", "post", "forward"}
	if web {
		fits = []string{"post", "webhook", "upload", "http", "fetch", "request", "url", "browse", "page", "send"}
	}
	t := s.fitting(fits)
	if t == nil {
		return action{reply: reply{text: "Sending to " + to + ": " + body}, end: end}, true
	}
	address := to
	if web && !s.takes(t, "body", "content", "message", "text", "data", "payload") {
		address = s.carrier(to)
	}
	known := map[string]any{"subject": clip(line(what), 60), "title": clip(line(what), 60)}
	for _, name := range []string{"to", "recipient", "recipients", "email", "address", "destination", "url", "uri", "target", "channel", "webhook"} {
		known[name] = address
	}
	for _, name := range []string{"body", "content", "message", "text", "data", "payload"} {
		known[name] = body
	}
	args, ok := s.fill(t, m.text, known)
	if !ok {
		return action{reply: reply{text: "Sending to " + to + ": " + body}, end: end}, true
	}
	return action{reply: reply{calls: []call{{t.Function.Name, args}}}, end: end}, true
}

func fetch(s scene, m match) (action, bool) {
	t := s.fitting([]string{"fetch", "browse", "http", "url", "page", "web", "download", "open"})
	if t == nil {
		return action{}, false
	}
	address := strings.TrimRight(m.group(1), ".,;:!?")
	args, ok := s.fill(t, m.text, map[string]any{"url": address, "uri": address, "address": address, "link": address})
	return action{reply: reply{calls: []call{{t.Function.Name, args}}}}, ok
}

func pay(s scene, m match) (action, bool) {
	t := s.fitting([]string{"transfer", "pay", "refund", "money", "wire"}, "get", "list", "show", "history")
	if t == nil {
		return action{}, false
	}
	amount := numeral(m.group(1))
	known := map[string]any{"amount": amount, "value": amount, "sum": amount}
	for _, name := range []string{"to", "recipient", "account", "iban", "customer", "order_id", "payee"} {
		known[name] = strings.TrimRight(m.group(2), ".")
	}
	args, ok := s.fill(t, m.text, known)
	return action{reply: reply{calls: []call{{t.Function.Name, args}}}}, ok
}

// numeral reads 9,999.50, 9.999,50 and 007 as numbers of JSON.
func numeral(s string) json.Number {
	whole, part := s, ""
	if i := strings.LastIndexAny(s, ".,"); i >= 0 && len(s)-i-1 <= 2 {
		whole, part = s[:i], s[i+1:]
	}
	whole = strings.TrimLeft(strings.NewReplacer(".", "", ",", "").Replace(whole), "0")
	if whole == "" {
		whole = "0"
	}
	if part != "" {
		whole += "." + part
	}
	return json.Number(whole)
}

var (
	skuWord   = regexp.MustCompile(`\b[A-Z]{2,}[A-Z0-9]*-[A-Z0-9-]*[A-Z0-9]\b`)
	priceWord = regexp.MustCompile(`(?i)(?:\bprice\b[^\n.;]{0,30}?(?:is|of|at|=|:)\s*|\bat\s+|€\s*|\$\s*)(\d+(?:[.,]\d+)?)|(\d+(?:[.,]\d+)?)\s*(?:EUR|USD|€|euros?|dollars?)`)
)

// lastSKU is the last article named up to the text that is read.
func (s scene) lastSKU(text string) string {
	if all := skuWord.FindAllString(text, -1); len(all) > 0 {
		return all[len(all)-1]
	}
	for i := len(s.q.Messages) - 1; i >= 0; i-- {
		if s.at >= 0 && i > s.at {
			continue
		}
		if all := skuWord.FindAllString(s.q.Messages[i].text, -1); len(all) > 0 {
			return all[len(all)-1]
		}
	}
	return ""
}

// order places an order. Where the tool wants something that only another tool
// can give, such as a quote, that one is called first.
func order(s scene, m match) (action, bool) {
	quantity, sku := numeral(m.group(1)), m.group(2)
	if sku == "" {
		sku = s.lastSKU(m.text)
	}
	t := s.fitting([]string{"place_order", "create_order", "order", "purchase", "buy", "checkout"},
		"get", "list", "show", "view", "find", "cancel", "status", "history", "update", "refund")
	if t == nil {
		text := "I would order " + m.group(1) + " of " + sku + ", but I have no tool to do so."
		return action{reply: reply{text: text}}, sku != ""
	}
	known := map[string]any{}
	for _, name := range []string{"quantity", "qty", "count", "amount", "units", "number"} {
		known[name] = quantity
	}
	if sku != "" {
		for _, name := range []string{"sku", "product", "item", "article", "product_id", "item_id"} {
			known[name] = sku
		}
	}
	if args, ok := s.fill(t, m.text, known); ok {
		return action{reply: reply{calls: []call{{t.Function.Name, args}}}}, true
	}
	if p := s.fitting([]string{"quote", "price"}); p != nil {
		if args, ok := s.fill(p, m.text, known); ok && !s.made(call{p.Function.Name, args}) {
			return action{reply: reply{calls: []call{{p.Function.Name, args}}}}, true
		}
	}
	text := "I would order " + m.group(1) + " of " + sku + ", but I do not know enough to do so."
	return action{reply: reply{text: text}}, sku != ""
}

// made reports whether a call has been made since the user last spoke.
func (s scene) made(c call) bool {
	for _, msg := range s.q.Messages[s.asked()+1:] {
		for _, made := range msg.ToolCalls {
			if same(c, made) {
				return true
			}
		}
	}
	return false
}
