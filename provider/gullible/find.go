package gullible

import (
	"encoding/json"
	"regexp"
	"strings"
)

var (
	webWord    = regexp.MustCompile(`(?i)` + webAddress)
	mailWord   = regexp.MustCompile(mailbox)
	dateWord   = regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}\b`)
	countWord  = regexp.MustCompile(`(?i)(?:^|[^\w-])(\d{1,9})\s*(?:x\b|×|units?\b|pieces?\b|pcs\b|of\b|[A-Z]{2,}[A-Z0-9]*-)`)
	numberWord = regexp.MustCompile(`(?:^|[^\w.-])(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\b`)
	idWord     = regexp.MustCompile(`\b(?:[A-Z]{1,8}-?\d[\w-]*|\d{1,12})\b`)
	placeWord  = regexp.MustCompile(`\b(?:in|at|from|site)\s+([\p{Lu}][\p{L}-]+)`)
	searchWord = regexp.MustCompile(`(?i)\b(?:search(?:ing)?(?: (?:for|the \w+ for))?|find(?: me)?|look(?:ing)? (?:for|up)|about|do you (?:have|sell|stock))\s+(?:any\s+|some\s+|an?\s+|the\s+)?(?:book(?: called| named)?\s+)?([^\n]{1,300})`)
	quotedWord = regexp.MustCompile(quoted)
)

// find looks for the value of one parameter in the text, then in what tools
// returned before.
func (s scene) find(name string, p property, text string) (any, bool) {
	low := strings.ToLower(name)
	for _, e := range p.Enum {
		if word, ok := e.(string); ok && word != "" && strings.Contains(strings.ToLower(text), strings.ToLower(word)) {
			return e, true
		}
	}
	if len(p.Enum) > 0 {
		return nil, false
	}
	switch low {
	case "sku", "product", "item", "article", "product_id", "item_id", "product_sku":
		sku := s.lastSKU(text)
		return sku, sku != ""
	case "quantity", "qty", "count", "units", "amount", "number", "n":
		if v := firstGroup(countWord, text); v != "" {
			return numeral(v), true
		}
		if low != "amount" && low != "number" {
			return nil, false
		}
		return amount(low, text)
	case "price", "unit_price", "unitprice", "total", "discount", "percent", "value":
		if v := firstGroup(priceWord, text); v != "" {
			return numeral(v), true
		}
		return nil, false
	case "q", "query", "search", "term", "terms", "keywords", "keyword", "text_query":
		return query(text), true
	case "url", "uri", "link", "href", "page", "website":
		v := strings.TrimRight(webWord.FindString(text), ".,;:!?")
		return v, v != ""
	case "to", "recipient", "recipients", "email", "mail":
		v := mailWord.FindString(text)
		return v, v != ""
	case "idempotency_key", "request_id", "nonce":
		seed := []string{"key"} // one for each question, however often it is thought about
		if i := s.asked(); i >= 0 {
			seed = append(seed, s.q.Messages[i].text)
		}
		return "key-" + id(s.m.hash(seed...))[:12], true
	case "date", "day", "from_date", "to_date":
		v := dateWord.FindString(text)
		return v, v != ""
	case "site", "location", "warehouse", "city", "country":
		v := firstGroup(placeWord, text)
		return v, v != ""
	case "body", "content", "message", "text", "note", "description", "reason", "comment", "question", "subject", "title", "summary":
		return clip(strings.TrimSpace(text), 400), true
	}
	if isID(low) || strings.HasSuffix(low, "_number") {
		if v := identifier(low, text); v != "" {
			return v, true
		}
		if i := s.asked(); i >= 0 {
			if v := identifier(low, s.q.Messages[i].text); v != "" && low != "id" {
				return v, true
			}
		}
	}
	return s.returned(name)
}

// nounWord are nouns of which a number is the name, not the amount.
var nounWord = regexp.MustCompile(`(?i)(?:order|address|customer|ticket|account|invoice|number|no\.?|#)\s*$`)

// amount is the number after its name, or else the first that names nothing.
func amount(name, text string) (any, bool) {
	var v any
	for _, loc := range numberWord.FindAllStringSubmatchIndex(text, 8) {
		before := strings.ToLower(text[max(0, loc[2]-16):loc[2]])
		n := numeral(text[loc[2]:loc[3]])
		if strings.Contains(before, name) {
			return n, true
		}
		if v == nil && !nounWord.MatchString(before) {
			v = n
		}
	}
	return v, v != nil
}

// firstGroup is the first group of re in text that holds anything.
func firstGroup(re *regexp.Regexp, text string) string {
	for _, g := range re.FindAllStringSubmatch(text, 8) {
		for _, v := range g[1:] {
			if v != "" {
				return v
			}
		}
	}
	return ""
}

// query is what a question searches for.
func query(text string) string {
	if v := firstGroup(quotedWord, text); v != "" {
		return clip(v, 200)
	}
	if m := searchWord.FindStringSubmatch(text); m != nil {
		return clip(strings.TrimRight(strings.TrimSpace(m[1]), "?.!"), 200)
	}
	return clip(strings.TrimSpace(text), 200)
}

// identifier finds "order 1002" for order_id and "address 9" for ship_to_id.
func identifier(name, text string) string {
	noun := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_number"), "id"), "_")
	low := strings.ToLower(text)
	for _, n := range []string{noun, map[string]string{"ship_to": "address", "shipto": "address", "address": "ship to"}[noun]} {
		for from := 0; n != ""; {
			i := strings.Index(low[from:], n)
			if i < 0 {
				break
			}
			from += i + len(n)
			if from > len(text) {
				break // lower case can be longer
			}
			tail := clip(text[from:], 32)
			loc := idWord.FindStringIndex(tail)
			if loc != nil && len(strings.Fields(tail[:loc[0]])) <= 2 && !strings.ContainsAny(tail[:loc[0]], ".!?\n") {
				return tail[loc[0]:loc[1]]
			}
		}
	}
	if name == "id" {
		return idWord.FindString(text)
	}
	return ""
}

// returned looks for a field of that name in what tools returned, the latest
// first.
func (s scene) returned(name string) (any, bool) {
	for i := len(s.q.Messages) - 1; i >= 0; i-- {
		if role := s.q.Messages[i].Role; role != "tool" && role != "function" {
			continue
		}
		dec := json.NewDecoder(strings.NewReader(s.q.Messages[i].text))
		dec.UseNumber()
		var v any
		if dec.Decode(&v) != nil {
			continue
		}
		if found, ok := field(v, name, 0); ok {
			return found, true
		}
	}
	return nil, false
}

func field(v any, name string, depth int) (any, bool) {
	if depth > 16 {
		return nil, false
	}
	switch v := v.(type) {
	case map[string]any:
		if found, ok := v[name]; ok && found != nil {
			return found, true
		}
		for _, k := range sortedKeys(v) {
			if found, ok := field(v[k], name, depth+1); ok {
				return found, true
			}
		}
	case []any:
		for _, e := range v {
			if found, ok := field(e, name, depth+1); ok {
				return found, true
			}
		}
	}
	return nil, false
}
