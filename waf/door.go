package waf

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/normalize"
)

// Bounds of what comes in a header.
const (
	maxURI     = 8 << 10
	maxHeaders = 100
	maxValue   = 16 << 10
)

// Door looks at a request to a model or the guard from outside: at its address and
// its headers. It never fails without saying so. What it says is kept.
func (f *Firewall) Door(r *http.Request) *Judgement {
	if f.Mode(Model) == Off {
		return offJudgement
	}
	q := normals.Get().(*normal)
	defer q.release()
	q.set(r)
	key := q.sum(&f.secret)
	if j := f.kept.get(key); j != nil {
		return j
	}
	end := nextEnd(f.cfg.Exceptions, f.cfg.Now())
	matches, blocked, err := f.outside(q)
	if err != nil {
		f.cfg.Log.Error("the firewall could not look at a request", "control", Control, "error", err.Error())
		return f.failed(Model)
	}
	j := f.judge(Model, matches, blocked)
	again := *j
	again.Kept = true
	f.kept.put(key, &again, end)
	return j
}

// outside looks at a request without its body. What is too big to be looked at is
// not looked at further.
func (f *Firewall) outside(q *normal) (matches []Match, blocked bool, err error) {
	if over := f.oversized(q); len(over) > 0 {
		if f.excuse(over, q.path); over[0].Excepted == "" {
			return over, true, nil
		}
		matches = over
	}
	own := append(f.headers(q), f.address(q)...)
	f.excuse(own, q.path)
	crs, blocked, err := f.door.look(q, nil)
	return once(append(append(matches, own...), crs...)), blocked, err
}

func (f *Firewall) oversized(q *normal) []Match {
	if len(q.uri) > maxURI {
		return []Match{f.hit(RuleOversized, "REQUEST_URI")}
	}
	if len(q.headers) > maxHeaders {
		return []Match{f.hit(RuleOversized, "REQUEST_HEADERS")}
	}
	for _, h := range q.headers {
		if len(h.value) > maxValue || len(h.name) > maxValue {
			return []Match{f.hit(RuleOversized, where("REQUEST_HEADERS", h.name))}
		}
	}
	return nil
}

// headers looks at headers by rules of ours.
func (f *Firewall) headers(q *normal) (matches []Match) {
	for _, h := range q.headers {
		at := where("REQUEST_HEADERS", h.name)
		if h.name == "User-Agent" && scanner(h.value) {
			matches = append(matches, f.hit(RuleScanner, at))
		}
		if instructs(h.value) || instructs(h.name) {
			matches = append(matches, f.hit(RuleInjection, at))
		}
		if invisible(h.value) {
			matches = append(matches, f.hit(RuleInvisible, at))
		}
	}
	return matches
}

// address looks at path and query by rules of ours, decoded once and twice.
func (f *Firewall) address(q *normal) (matches []Match) {
	if !utf8.ValidString(q.path) || strings.ContainsFunc(q.path, func(r rune) bool { return r < ' ' || r == 0x7F }) {
		matches = append(matches, f.hit(RuleMalformed, "REQUEST_URI"))
	}
	if instructs(q.path) {
		matches = append(matches, f.hit(RuleInjection, "REQUEST_URI"))
	}
	look := func(part, value string) bool {
		at := "REQUEST_FILENAME"
		if part == "query" {
			at = "ARGS_GET"
		}
		for _, rule := range [...]struct {
			id    string
			found bool
		}{
			{RuleTraversal, climbs(value)},
			{RuleSSRF, inner(value)},
			{RuleInjection, instructs(value)},
			{RuleInvisible, invisible(value)},
		} {
			if rule.found {
				matches = append(matches, f.hit(rule.id, at))
			}
		}
		switch kind, _ := Injection(value); kind {
		case KindSQL:
			matches = append(matches, f.hit(RuleSQL, at))
		case KindScript:
			matches = append(matches, f.hit(RuleScript, at))
		}
		return true
	}
	if inner(strings.TrimPrefix(q.path, "/")) { // its slashes are a URL's, not those between segments
		matches = append(matches, f.hit(RuleSSRF, "REQUEST_FILENAME"))
	}
	whole := q.values(func(part, value string) bool {
		look(part, value)
		if twice, err := url.PathUnescape(value); err == nil && twice != value {
			look(part, twice)
		}
		return true
	})
	if !whole {
		matches = append(matches, f.hit(RuleMalformed, "QUERY_STRING"))
	}
	return matches
}

// scanners are in the names that programs give themselves that look for weak spots
// of models, and of gateways before them. The Core Rule Set knows those of the web.
var scanners = []string{
	"censysinspect", "feroxbuster", "fuzz faster u fool", "garak", "gobuster", "l9explore", "l9tcpid", "leakix", "llmfuzzer", "masscan",
	"nuclei", "projectdiscovery", "promptmap", "zgrab",
}

func scanner(agent string) bool {
	agent = strings.ToLower(agent)
	for _, s := range scanners {
		if i := strings.Index(agent, s); i >= 0 && (i == 0 || !letter(agent[i-1])) {
			return true
		}
	}
	return false
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' }

// order is an instruction to forget instructions, in folded text.
var order = regexp.MustCompile(`\b(?:ignore|disregard|forget|override|bypass|discard)\s+(?:(?:all|any|every|of|the|your|my|our|these|those|its)\s+){0,4}` +
	`(?:previous|prior|above|earlier|preceding|foregoing|existing|system|safety|original|initial)\s+(?:[a-z]+\s+)?(?:instructions?|prompts?|rules|directions|directives|guidelines|messages?|context|restrictions|commands?)\b` +
	`|\b(?:reveal|print|show|repeat|output|leak|dump|display)\s+(?:(?:me|us|all|of|the|your|its)\s+){0,4}(?:system|hidden|initial|secret)\s+(?:prompt|instructions?|message)\b` +
	`|\byou are now (?:dan|in developer mode|jailbroken|unrestricted)\b|\bdo anything now\b`)

// marks are those of chat templates: they begin the turn of somebody else.
var marks = []string{
	"<|im_start|>", "<|im_end|>", "<|system|>", "<|assistant|>", "<|user|>", "<|endoftext|>", "<|eot_id|>", "<|start_header_id|>", "<|begin_of_text|>",
	"[inst]", "[/inst]", "<<sys>>", "<start_of_turn>", "<|start_of_role|>",
}

// instructs reports whether s holds instructions to a model. Words may be joined as
// they are in addresses and names of headers.
func instructs(s string) bool {
	if len(s) < 6 {
		return false
	}
	if strings.ContainsAny(s, "<[") {
		low := strings.ToLower(s)
		for _, m := range marks {
			if strings.Contains(low, m) {
				return true
			}
		}
	}
	if len(s) < 12 {
		return false
	}
	return order.MatchString(strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '+' || r == '.' || r == '/' {
			return ' '
		}
		return r
	}, normalize.Fold(s)))
}

// invisible reports whether s holds characters that show nothing: one of those that
// letters can be hidden in, or more than a joiner or two.
func invisible(s string) bool {
	n := 0
	for i, r := range s {
		switch {
		case r < utf8.RuneSelf:
		case r >= 0xE0000 && r <= 0xE0FFF:
			return true
		case normalize.Ignorable(r) && !(r == 0xFEFF && i == 0):
			n++
		}
	}
	return n > 3
}
