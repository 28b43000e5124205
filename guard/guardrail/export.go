package guardrail

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Bedrock writes s as the request of Bedrock's CreateGuardrail. The notes say,
// in sentences, what of s Bedrock has no words for.
func (s *Spec) Bedrock(name string) (out []byte, notes []string) {
	x := &exporter{s: s}
	req := map[string]any{
		"name":                    bedrockName(name),
		"blockedInputMessaging":   s.InputMessage,
		"blockedOutputsMessaging": s.OutputMessage,
	}
	add := func(key string, v map[string]any) {
		for part, list := range v {
			if l, ok := list.([]map[string]any); ok && len(l) == 0 {
				delete(v, part)
			}
		}
		if len(v) > 0 {
			req[key] = v
		}
	}
	if s.Description != "" {
		req["description"] = s.Description
	}
	add("topicPolicyConfig", map[string]any{"topicsConfig": x.topics()})
	add("contentPolicyConfig", map[string]any{"filtersConfig": x.filters()})
	words, managed := x.words()
	add("wordPolicyConfig", map[string]any{"wordsConfig": words, "managedWordListsConfig": managed})
	add("sensitiveInformationPolicyConfig", map[string]any{"piiEntitiesConfig": x.pii(), "regexesConfig": x.regexes()})
	add("contextualGroundingPolicyConfig", map[string]any{"filtersConfig": x.grounding()})
	x.rest()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(req); err != nil {
		panic(err) // bug: maps of strings, numbers and lists always marshal
	}
	return b.Bytes(), x.notes
}

var unnamed = regexp.MustCompile(`[^0-9a-zA-Z_-]+`)

func bedrockName(name string) string {
	name = strings.Trim(unnamed.ReplaceAllString(name, "-"), "-")
	return cmp.Or(name[:min(len(name), 50)], "guardrail")
}

type exporter struct {
	s         *Spec
	notes     []string
	tokenized bool
}

func (x *exporter) note(format string, args ...any) {
	x.notes = append(x.notes, fmt.Sprintf(format, args...))
}

// ways adds what is done each way to m. With anonymize, masks can be written;
// otherwise they block.
func (x *exporter) ways(m map[string]any, what string, input, output Act, anonymize bool) map[string]any {
	for _, w := range []struct {
		way string
		act Act
	}{{"input", input}, {"output", output}} {
		action := "NONE"
		switch {
		case w.act.Off || w.act.Action > mask:
		case w.act.Action == mask && anonymize:
			action = "ANONYMIZE"
			x.tokenized = x.tokenized || w.act.Tokenize
		case w.act.Action == mask:
			action = "BLOCK"
			x.note("%s: Bedrock cannot mask it: it is blocked on the way %s.", what, w.way)
		default:
			action = "BLOCK"
		}
		m[w.way+"Action"], m[w.way+"Enabled"] = action, !w.act.Off
	}
	return m
}

// act is the action for one reason, its own or that of the rest.
func act(rest Act, by map[string]Act, reason string) Act {
	if a, ok := by[reason]; ok {
		return a
	}
	return rest
}

// either returns own if there is one.
func either(own *Act, rest Act) Act {
	if own != nil {
		return *own
	}
	return rest
}

func (x *exporter) topics() (out []map[string]any) {
	t := &x.s.Topic
	for _, d := range t.Topics {
		m := map[string]any{"name": cmp.Or(d.Title, d.Name), "definition": d.Definition, "type": "DENY"}
		if len(d.Examples) > 0 {
			m["examples"] = d.Examples
		}
		out = append(out, x.ways(m, "topic "+d.Name, either(d.Input, t.Input), either(d.Output, t.Output), false))
	}
	return out
}

func (x *exporter) filters() (out []map[string]any) {
	c := &x.s.Content
	in, inBy := c.On(0)
	on, outBy := c.On(1)
	if c.Looks() {
		for _, name := range slices.Sorted(maps.Keys(bedrockCategories)) {
			category := bedrockCategories[name]
			input, output := act(in, inBy, category), act(on, outBy, category)
			if input.Off && output.Off {
				continue
			}
			m := map[string]any{"type": name, "inputStrength": strength(c.InStrength, category, input), "outputStrength": strength(c.OutStrength, category, output)}
			out = append(out, x.ways(m, "content "+category, input, output, false))
		}
	}
	a := &x.s.Attack
	if a.Input.Off || a.Strength == None {
		return out
	}
	if !a.Output.Off {
		x.note("prompt_attack: Bedrock looks for attacks in prompts only.")
	}
	m := map[string]any{"type": "PROMPT_ATTACK", "inputStrength": strings.ToUpper(a.Strength.String()), "outputStrength": "NONE"}
	return append(out, x.ways(m, "prompt_attack", a.Input, Act{Off: true}, false))
}

func strength(by map[string]Strength, category string, a Act) string {
	s, said := by[category]
	switch {
	case a.Off:
		s = None
	case !said:
		s = Medium
	}
	return strings.ToUpper(s.String())
}

func (x *exporter) words() (words, managed []map[string]any) {
	w := &x.s.Word
	in, inBy := w.On(0)
	on, outBy := w.On(1)
	lists := append([]List{{Name: "word", Words: w.Words}}, w.Lists...)
	for _, l := range lists {
		input, output := either(l.Input, act(in, inBy, l.Name)), either(l.Output, act(on, outBy, l.Name))
		if l.Inflection || l.Obfuscated {
			x.note("word list %s: Bedrock matches words exactly as they are written.", l.Name)
		}
		for _, text := range l.Words {
			words = append(words, x.ways(map[string]any{"text": text}, "word list "+l.Name, input, output, false))
		}
	}
	for _, name := range w.Managed {
		managed = append(managed, x.ways(map[string]any{"type": strings.ToUpper(name)}, "managed list "+name, act(in, inBy, name), act(on, outBy, name), false))
	}
	return words, managed
}

func (x *exporter) pii() (out []map[string]any) {
	rules := map[string]*Rule{"pii": &x.s.PII.Rule, "secret": &x.s.Secret.Rule}
	for _, name := range slices.Sorted(maps.Keys(BedrockTypes)) {
		r := BedrockTypes[name][0]
		in, inBy := rules[r.Control].On(0)
		on, outBy := rules[r.Control].On(1)
		input, output := act(in, inBy, r.Reason), act(on, outBy, r.Reason)
		if _, said := x.s.PII.LeastBy[r.Reason]; input.Off && output.Off || name == "URL" && !said {
			continue
		}
		m := x.ways(map[string]any{"type": name}, name, input, output, true)
		m["action"] = m["inputAction"]
		if m["inputEnabled"] == false {
			m["action"] = m["outputAction"]
		}
		out = append(out, m)
	}
	return out
}

func (x *exporter) regexes() (out []map[string]any) {
	p := &x.s.PII
	for _, r := range p.Recognizers {
		input, output := either(r.Input, p.Input), either(r.Output, p.Output)
		if len(r.Words) > 0 || r.NeedContext || r.Checksum != "" || len(r.Allow) > 0 {
			x.note("recognizer %s: Bedrock knows patterns only: words, context, allowed texts and check digits are left out.", r.Name)
		}
		for i, pat := range r.Patterns {
			name := cmp.Or(r.Title, r.Name)
			if i > 0 {
				name = fmt.Sprintf("%s %d", name, i+1)
			}
			m := x.ways(map[string]any{"name": name, "pattern": pat.Regex}, "recognizer "+r.Name, input, output, true)
			if m["action"] = m["inputAction"]; r.Description != "" {
				m["description"] = r.Description
			}
			out = append(out, m)
		}
	}
	return out
}

func (x *exporter) grounding() (out []map[string]any) {
	g := &x.s.Grounding
	on, by := g.On(1)
	for _, f := range []struct {
		name  string
		least float64
	}{{"GROUNDING", g.Grounding}, {"RELEVANCE", g.Relevance}} {
		if f.least == 0 {
			continue
		}
		a := act(on, by, strings.ToLower(f.name))
		action := "BLOCK"
		if a.Action > mask {
			action = "NONE"
		}
		out = append(out, map[string]any{"type": f.name, "threshold": f.least, "action": action, "enabled": !a.Off})
	}
	return out
}

// rest notes what nothing of Bedrock stands for.
func (x *exporter) rest() {
	s := x.s
	if len(s.Judges) > 0 {
		x.note("judges: Bedrock asks nobody else.")
	}
	for _, n := range s.Rules() {
		switch n.Rule {
		case &s.Leak.Rule, &s.Link.Rule, &s.Code.Rule, &s.Disguise.Rule:
			if n.Rule.Looks() {
				x.note("%s: Bedrock does not look for it.", n.Key)
			}
		case &s.Limit.Rule:
			if s.Limit.Characters > 0 || s.Limit.Tokens > 0 || len(s.Limit.Languages) > 0 {
				x.note("limit: Bedrock has no limits of length or language.")
			}
		}
		if len(n.Rule.Origins) > 0 {
			x.note("%s: Bedrock knows no origins.", n.Key)
		}
		if s.Mode == Shadow || n.Rule.Mode == Shadow {
			x.note("%s: Bedrock has no shadow mode: its actions are in force.", n.Key)
		}
	}
	if s.Attack.FPR != 0 || s.Content.FPR != 0 || len(s.Content.FPRs) > 0 {
		x.note("fpr: Bedrock has no budgets: its strengths are those that are written.")
	}
	if in, _ := s.Secret.On(0); !in.Off {
		x.note("secret: of credentials Bedrock knows the keys of AWS and passwords.")
	}
	if in, _ := s.PII.On(0); !in.Off {
		x.note("pii: Bedrock knows 31 types; the identifiers of other countries are left out.")
	}
	if x.tokenized {
		x.note("pii, secret: Bedrock's masks cannot be undone: tokenize becomes ANONYMIZE.")
	}
	if len(s.Exceptions) > 0 {
		x.note("exceptions: Bedrock has none.")
	}
}
