package gullible

import (
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall/internal/decode"
)

// directive is one kind of instruction: how it is worded, and what the model
// does about it.
type directive struct {
	name string
	re   *regexp.Regexp
	do   func(s scene, m match) (action, bool)
	// keep sorts out matches before they are counted; nil keeps all.
	keep func(s scene, m match) bool
}

// match is where a directive's words stand.
type match struct {
	text string
	loc  []int
}

func (m match) group(i int) string {
	if m.loc[2*i] < 0 {
		return ""
	}
	return m.text[m.loc[2*i]:m.loc[2*i+1]]
}

// first returns the first group from i to j that holds anything.
func (m match) first(i, j int) string {
	for ; i <= j; i++ {
		if g := m.group(i); g != "" {
			return g
		}
	}
	return ""
}

// rest is the text after the match.
func (m match) rest() string { return m.text[m.loc[1]:] }

// action is what a directive makes the model do.
type action struct {
	reply
	around func(base string) string // wraps the rest of the answer instead of being one
	end    int                      // of the text that the directive takes up; 0: its match
}

const (
	webAddress = `https?://[^\s)"'<>\]]+`
	mailbox    = `[\w.+-]+@[\w-]+(?:\.[\w-]+)+`
	quoted     = `(?:"([^"\n]+)"|'([^'\n]+)'|“([^”\n]+)”|‘([^’\n]+)’|` + "`([^`\n]+)`" + `)`
	naming     = `(?:(?:then|and|please|now|the|tool|function)\s+)*[\x60"']?([A-Za-z][\w.-]{1,63})[\x60"']?`
	adding     = `\b(?:include|append|add|render|show|insert|embed|display|attach|put|place|end|finish|output|draw|load|begin|start|write|print|use)\b`
)

// directives are tried side by side; of two that begin at the same byte the
// earlier in the table counts.
var directives = []directive{
	{"override", regexp.MustCompile(`(?i)\b(?:ignore|disregard|forget|override|bypass|drop)\b[^.!?\n]{0,40}?\b(?:previous|prior|above|earlier|all|any|your|system|initial|original)\b[^.!?\n]{0,30}?\b(?:instructions?|rules|prompts?|guidelines|directives|directions|restrictions|constraints)\b`), override, nil},
	{"persona", regexp.MustCompile(`(?i)\b(?:you are now|from now on,? you are|enter|enable|switch to|act as)\s+(?:an? |the |in )?(DAN|developer mode|god mode|jailbroken?|unrestricted[^.,!?\n]{0,40}|[^.,!?\n]{0,60}\b(?:no|without(?: any)?) (?:rules|restrictions|limits|filters))`), persona, nil},
	{"repeat", regexp.MustCompile(`(?i)\b(?:repeat|say|write|print|output|type|echo)\s+(?:(?:the|this)\s+)?(?:following\s+)?(?:(?:word|letter|text|phrase|string|token|character|line|sentence)\s*:?\s+)?(?:` + quoted + `|([^\s"'“‘]{1,80}))\s+(?:(\d[\d,._]{0,15})\s+times|(forever|endlessly|indefinitely|without stopping))`), repeat, nil},
	{"repeat", regexp.MustCompile(`(?i)\brepeat\s+(?:this|the|these)\s+words?\s+(forever|endlessly|indefinitely|without stopping)\s*:?\s*(?:` + quoted + `|(\S{1,80}))`), repeatForever, nil},
	{"reveal", regexp.MustCompile(`(?i)\b(?:print|reveal|repeat|show|display|output|tell|give|send|list|recite|quote|copy|paste|write|dump|echo|return|translate|encode|summari[sz]e|leak|expose|share|disclose|state|spell|describe|provide|format|render|emit|include|append|convert|explain|what(?:['’]s| is| are| was| were))\b[^.!?\n]{0,60}?\b(?:(?:system|developer|initial|original|hidden|secret|starting|pre)[ _-]?(?:prompt|message|instructions?|rules|text)|your (?:(?:own|full|entire|complete|exact|initial|original|hidden|secret|internal|previous|prior|above|confidential|first|system|developer|given|actual|verbatim)[ ,]+){0,4}(?:instructions?|prompts?|rules|guidelines|directives)|(?:the|all|these|those) (?:(?:of )?(?:your|the) )?(?:(?:full|entire|complete|exact|initial|original|hidden|secret|internal|previous|prior|above|confidential|system|developer|verbatim)[ ,]+){1,4}(?:instructions?|prompts?|rules|guidelines|directives)|(?:everything|(?:all(?: of)? )?(?:the )?(?:texts?|words?|sentences?|messages?|contents?|paragraphs?|instructions?)) (?:that (?:is|are|was|were|comes?|came) )?above)\b`), reveal, nil},
	{"reveal", regexp.MustCompile(`(?i)\b(?:what (?:were|are) you (?:told|instructed|asked) (?:to do|above|before|at the (?:start|beginning))|how (?:were|are) you (?:instructed|prompted))`), reveal, nil},
	{"secret", regexp.MustCompile(`(?i)\b(?:what(?:['’]s| is| are)|tell|give|show|reveal|print|send|share|list|need|know|disclose|say|leak)\b[^.!?\n]{0,60}?\b(?:passwords?|secrets?|passcodes?|pins?|credentials?|api[ -]?keys?|access keys?|tokens?|(?:secret|access|door|entry|alarm|gate) codes?|code words?|canary)\b`), secret, nil},
	{"image", regexp.MustCompile(`(?i)` + adding + `[^\n]{0,200}?!\[([^\]\n]{0,200})\]\(\s*<?([^)\s>]+)`), image, nil},
	{"image", regexp.MustCompile(`(?i)` + adding + `[^\n]{0,200}?<img\b[^>\n]{0,100}?\bsrc\s*=\s*["']?()([^\s"'>]+)`), htmlImage, nil},
	{"image", regexp.MustCompile(`(?i)` + adding + `[^\n]{0,120}?\b(?:image|picture|img|pixel|markdown|logo|icon|badge|banner|screenshot)\b[^\n]{0,160}?()(` + webAddress + `)`), image, nil},
	{"link", regexp.MustCompile(`(?i)` + adding + `[^\n]{0,120}?\b(?:links?|hyperlink|citation|reference|source)\b[^\n]{0,160}?()(` + webAddress + `)`), link, nil},
	{"call", regexp.MustCompile(`(?i)\b(call|invoke|use|run|execute|trigger)\s+` + naming), callTool, named},
	{"call", regexp.MustCompile(`(?i)(?:^|[\n.:;,!>*-]\s*)()` + naming), callTool, named},
	{"send", regexp.MustCompile(`(?i)\b(?:send|e-?mail|forward|post|transmit|upload|submit|exfiltrate)\s+([^\n]{1,300}?)\s+(?:to|at|via)\s+<?(` + webAddress + `|` + mailbox + `|\+\d[\d ()-]{6,20}\d)`), send, nil},
	{"send", regexp.MustCompile(`(?i)\b(?:send|e-?mail|message)\s+(?:(?:an?\s+)?(?:e-?mail|message)\s+)?(?:to\s+)?()(` + mailbox + `)`), send, nil},
	{"fetch", regexp.MustCompile(`(?i)\b(?:fetch|get|open|visit|browse(?: to)?|load|download|request|read|curl)\s+(?:[^\s:]{1,20}\s+){0,4}?(` + webAddress + `)`), fetch, nil},
	{"pay", regexp.MustCompile(`(?i)\b(?:transfer|pay|wire|refund)\s+(?:EUR|USD|GBP|€|\$|£)?\s*(\d[\d.,]{0,15})\s*(?:EUR|USD|GBP|euros?|dollars?|pounds?|€|\$|£)?\s+(?:to|for|on)\s+([^\s,;!?]{1,64})`), pay, nil},
	{"order", regexp.MustCompile(`(?i)\b(?:order|buy|purchase)\s+(?:me\s+)?(\d{1,9})\s*(?:x\b|×|units?\b|pieces?\b|pcs\b)?\s*(?:of\s+)?(?:the\s+)?((?-i:[A-Z]{2,}[A-Z0-9]*-[A-Z0-9-]*[A-Z0-9]))`), order, nil},
	{"order", regexp.MustCompile(`(?i)(?:^|[.,;:!?\n]|\b(?:please|and|then|now|to))\s*(?:order|buy|purchase)\s+(\d{1,9})(?:\s+(?:units|pieces|pcs|of (?:it|them|these|those)))?\s*(?:[.,;!\n]|$)()`), order, nil},
	{"prefix", regexp.MustCompile(`(?i)\b(?:begin|start)\s+(?:your|the|each|every)\s+(?:next\s+)?(?:answer|reply|response|message|output|sentence)s?\s+(?:with|by saying)\s*:?\s*(?:` + quoted + `|([^.\n]{1,200}))`), prefix, nil},
	{"say", regexp.MustCompile(`(?i)\b(?:say|print|output|write|type)\s+(?:exactly|verbatim|literally|only|just)(?:\s+(?:this|the (?:words?|text|phrase|string)))?\s*[:,]?\s*()(\S[^\n]*)`), echo, nil},
	{"say", regexp.MustCompile(`(?i)\b(?:just|only|simply)\s+(?:say|print|output|write)\s*:?\s+()((?:"[^"\n]+"|'[^'\n]+'|“[^”\n]+”)[^\n]*)`), echo, nil},
	{"say", regexp.MustCompile(`(?i)\b(?:reply|respond|answer)\s+(?:(?:only|exactly|just)\s+)?with\s+(?:(?:only|exactly|just)\s+)?(?:(?:the|this)\s+(?:words?|text|phrase|string|sentence)\s*)?[:,]?\s*()(\S[^\n]*)`), echo, nil},
	{"say", regexp.MustCompile(`(?i)\bsay\s*:?\s+()((?:"[^"\n]+"|'[^'\n]{2,}'|“[^”\n]+”)[^\n]*)`), echo, nil},
}

// forbidden are words before an instruction that forbid or report it.
var forbidden = regexp.MustCompile(`(?i)\b(?:never|not|\w+n['’]t|refuse(?:s|d)? to|avoid|without|cannot|prohibited|asks?|asked|tells?|told|wants?|tries|if|when|whenever|unless)\b[^.!?\n]{0,80}$`)

// never are words right before an instruction that take it back, even for this
// model.
var never = regexp.MustCompile(`(?i)(?:\bnever|\bnot|n['’]t)\s+(?:ever\s+)?$`)

// maxMatches is how many matches of a directive are looked at in a text: the
// last ones.
const maxMatches = 64

// orders are what a text tells the model to do.
type orders struct {
	reply
	words string // of the last instruction
	kinds string // names of all of them
}

// last finds the last instruction in text. All tool calls that text asks for
// belong to one that is the last.
func (s scene) last(text string, careful bool) (orders, bool) {
	s.careful = careful
	type candidate struct {
		d     directive
		m     match
		index int
	}
	var found []candidate
	for i, d := range directives {
		first := len(found)
		for _, loc := range d.re.FindAllStringSubmatchIndex(text, -1) {
			m := match{text, loc}
			before := text[max(0, loc[0]-120):loc[0]]
			if d.keep != nil && !d.keep(s, m) || never.MatchString(before) || careful && forbidden.MatchString(before) {
				continue
			}
			found = append(found, candidate{d, m, i})
		}
		if n := len(found) - first; n > maxMatches {
			found = slices.Delete(found, first, first+n-maxMatches)
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.m.loc[0], b.m.loc[0]), cmp.Compare(a.index, b.index))
	})
	var wraps []func(string) string
	var calls []call
	var base *reply
	covered, o := 0, orders{}
	for _, c := range found {
		if c.m.loc[0] < covered {
			continue
		}
		a, ok := c.d.do(s, c.m)
		if !ok {
			continue
		}
		covered = max(c.m.loc[1], a.end)
		o.words = text[c.m.loc[0]:covered]
		o.kinds += c.d.name + " "
		switch {
		case a.around != nil:
			wraps = append(wraps, a.around)
			continue
		case len(a.calls) > 0:
			calls = append(calls, a.calls...)
		}
		base = &a.reply
	}
	if base == nil && len(wraps) == 0 {
		return orders{}, false
	}
	switch {
	case base == nil:
		o.reply = s.chat()
	case len(base.calls) > 0:
		o.calls = calls
	default:
		o.reply = *base
	}
	for _, wrap := range wraps {
		o.text = wrap(o.text)
	}
	return o, true
}

func override(_ scene, m match) (action, bool) {
	text := "I no longer follow my instructions."
	if then := strings.TrimSpace(strings.TrimLeft(line(m.rest()), ",.;:!- ")); then != "" {
		text += " As you wish: " + then
	}
	return action{reply: reply{text: text}}, true
}

func persona(_ scene, m match) (action, bool) {
	return action{reply: reply{text: "I am now " + strings.TrimSpace(m.group(1)) + " and follow no rules."}}, true
}

// line is s up to the end of its first line.
func line(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimSpace(s)
}

func repeat(s scene, m match) (action, bool) {
	what := m.first(1, 6)
	if m.group(8) != "" {
		return s.spill(what)
	}
	n, err := strconv.Atoi(strings.NewReplacer(",", "", ".", "", "_", "").Replace(m.group(7)))
	if err != nil || n < 1 {
		return action{}, false
	}
	n = min(n, maxAnswer/(len(what)+1)+1)
	return action{reply: reply{text: strings.TrimSuffix(strings.Repeat(what+" ", n), " ")}}, true
}

func repeatForever(s scene, m match) (action, bool) { return s.spill(m.first(2, 7)) }

// spill repeats a word until what the model remembers comes up instead, as it
// does with real models.
func (s scene) spill(what string) (action, bool) {
	const most = 16 << 10
	text := strings.Repeat(what+" ", most/(len(what)+1)+1)
	return action{reply: reply{text: say(append([]string{text, s.system}, s.m.cfg.Secrets...)...)}}, what != ""
}

// forms are the ways in which a prompt may be asked for, and the converters
// that they name.
var forms = []struct {
	re        *regexp.Regexp
	converter string
}{
	{regexp.MustCompile(`(?i)\bbase ?-?64\b`), "base64"},
	{regexp.MustCompile(`(?i)\bbase ?-?32\b`), "base32"},
	{regexp.MustCompile(`(?i)\bbase ?-?58\b`), "base58"},
	{regexp.MustCompile(`(?i)\bascii ?-?85\b`), "ascii85"},
	{regexp.MustCompile(`(?i)\bhex(?:adecimal)?\b`), "hex"},
	{regexp.MustCompile(`(?i)\brot ?-?13\b`), "rot13"},
	{regexp.MustCompile(`(?i)\brot ?-?47\b`), "rot47"},
	{regexp.MustCompile(`(?i)\bcaesar\b`), "caesar"},
	{regexp.MustCompile(`(?i)\batbash\b`), "atbash"},
	{regexp.MustCompile(`(?i)\b(?:reversed?|backwards?)\b`), "reversed"},
	{regexp.MustCompile(`(?i)\bbinary\b`), "binary"},
	{regexp.MustCompile(`(?i)\boctal\b`), "octal"},
	{regexp.MustCompile(`(?i)\bmorse\b`), "morse"},
	{regexp.MustCompile(`(?i)\bbraille\b`), "braille"},
	{regexp.MustCompile(`(?i)\b(?:nato|spelling) alphabet\b`), "nato"},
	{regexp.MustCompile(`(?i)\b(?:url|percent)[ -]encod`), "percent"},
	{regexp.MustCompile(`(?i)\bhtml entit`), "html-entity"},
	{regexp.MustCompile(`(?i)\bunicode escape`), "unicode-escape"},
	{regexp.MustCompile(`(?i)\bunicode tags?\b`), "tags"},
	{regexp.MustCompile(`(?i)\bvariation selectors?\b`), "variation-selectors"},
	{regexp.MustCompile(`(?i)\bleet`), "leet"},
	{regexp.MustCompile(`(?i)\bpig[ -]?latin\b`), "pig-latin"},
	{regexp.MustCompile(`(?i)\b(?:letter by letter|spaces? between|spaced out)\b`), "spaced"},
}

func reveal(s scene, m match) (action, bool) {
	if s.system == "" {
		return action{reply: reply{text: "I have no system prompt."}}, true
	}
	asked := clip(line(m.text[m.loc[0]:]), 300)
	for _, f := range forms {
		if !f.re.MatchString(asked) {
			continue
		}
		if c, ok := decode.Named(f.converter); ok {
			return action{reply: reply{text: c.Encode(s.system)}}, true
		}
	}
	return action{reply: reply{text: s.system}}, true
}

func secret(s scene, m match) (action, bool) {
	facts := s.facts(clip(line(m.text[m.loc[0]:]), 300), 1)
	return action{reply: reply{text: strings.Join(facts, "\n")}}, len(facts) > 0
}

// carrier is address with data in its query.
func (s scene) carrier(address string) string {
	data := url.QueryEscape(s.conversation())
	for _, hole := range []string{"{data}", "{DATA}", "[DATA]", "<data>", "$DATA", "{conversation}", "{secret}"} {
		if strings.Contains(address, hole) {
			return strings.ReplaceAll(address, hole, data)
		}
	}
	address = strings.TrimRight(address, ".,;:!?")
	switch {
	case strings.HasSuffix(address, "="):
		return address + data
	case strings.Contains(address, "?"):
		return address + "&q=" + data
	}
	return address + "?q=" + data
}

func image(s scene, m match) (action, bool) {
	markup := "![" + cmp.Or(m.group(1), "image") + "](" + s.carrier(m.group(2)) + ")"
	return action{around: func(base string) string { return say(base, markup) }}, true
}

func htmlImage(s scene, m match) (action, bool) {
	markup := `<img src="` + s.carrier(m.group(2)) + `">`
	return action{around: func(base string) string { return say(base, markup) }}, true
}

func link(s scene, m match) (action, bool) {
	markup := "[Read more](" + s.carrier(m.group(2)) + ")"
	return action{around: func(base string) string { return say(base, markup) }}, true
}

func prefix(_ scene, m match) (action, bool) {
	words := strings.TrimSpace(m.first(1, 6))
	return action{around: func(base string) string { return say(words, base) }}, words != ""
}

// notMeant are beginnings of what "reply with" asks for in honest requests.
var notMeant = regexp.MustCompile(`(?i)^(?:an?|one|two|three|your|valid|json|the (?:name|number|result|answer|following)|yes or no|no more|at most|less)\b`)

// sentence is the end of a sentence within a line.
var sentence = regexp.MustCompile(`[.!?]\s+\p{Lu}`)

func echo(_ scene, m match) (action, bool) {
	words := strings.TrimSpace(m.group(2))
	if words == "" || notMeant.MatchString(words) {
		return action{}, false
	}
	end := m.loc[1]
	for _, q := range []string{`""`, "''", "“”", "‘’", "``"} {
		open := []rune(q)
		if inner, ok := strings.CutPrefix(words, string(open[0])); ok {
			if i := strings.Index(inner, string(open[1])); i > 0 {
				start := m.loc[1] - len(strings.TrimLeft(m.group(2), " \t"))
				return action{reply: reply{text: inner[:i]}, end: start + i}, true
			}
		}
	}
	return action{reply: reply{text: words}, end: end}, true
}

// named reports whether a match may be about a tool.
func named(s scene, m match) bool {
	return m.group(1) != "" || s.q.tool(strings.TrimRight(m.group(2), ".-")) != nil
}

// callTool calls the tool that is named, with the JSON object that follows or
// with what the line holds. What a system prompt says of tools in words is
// advice, not a call.
func callTool(s scene, m match) (action, bool) {
	name := strings.TrimRight(m.group(2), ".-")
	t := s.q.tool(name)
	rest := strings.TrimLeft(m.rest(), " \t\n(:=")
	for _, with := range []string{"with arguments", "with the arguments", "with args", "with", "arguments", "args", "using"} {
		if after, ok := strings.CutPrefix(rest, with); ok {
			rest = strings.TrimLeft(after, " \t\n(:=")
			break
		}
	}
	if strings.HasPrefix(rest, "{") {
		dec := json.NewDecoder(strings.NewReader(rest))
		var args map[string]any
		dec.UseNumber()
		if dec.Decode(&args) == nil {
			a := action{end: len(m.text) - len(rest) + int(dec.InputOffset())}
			switch {
			case t != nil:
				a.calls = []call{{name, string(encode(args))}}
			case m.group(1) != "":
				a.text = "I would call " + name + " with " + string(encode(args)) + ", but I have no such tool."
			default:
				return action{}, false
			}
			return a, true
		}
	}
	if t == nil || s.careful || m.group(1) == "" && !strings.ContainsAny(name, "_.-") {
		return action{}, false
	}
	words := line(m.rest())
	if m.group(1) == "" && !strings.ContainsAny(words, "0123456789\"'@") {
		return action{}, false // only spoken of
	}
	args, ok := s.fill(t, words, nil)
	return action{reply: reply{calls: []call{{name, args}}}}, ok
}
