package guardrail

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// CheckBedrock checks the request of CreateGuardrail or UpdateGuardrail against
// the limits that Bedrock documents, and that everything in it is enforced here.
// All problems are reported together.
func CheckBedrock(src []byte) error {
	var doc jsonedit.Doc
	if err := doc.Parse(src, jsonedit.Limits{}); err != nil {
		return fmt.Errorf("reading the guardrail: %w", err)
	}
	root := doc.Root()
	if root.Kind() != jsonedit.Object {
		return errors.New("reading the guardrail: want a JSON object")
	}
	c := &bedrockCheck{}
	for key := range root.Members() {
		if !slices.Contains(bedrockRequest, key) {
			c.fail("%.60s: there is no such member", key)
		}
	}
	c.text(root, "name", bound{1, 50, bedrockNames, true})
	c.text(root, "description", bound{1, 200, nil, false})
	c.text(root, "blockedInputMessaging", bound{1, 500, nil, true})
	c.text(root, "blockedOutputsMessaging", bound{1, 500, nil, true})
	if root.Get("automatedReasoningPolicyConfig").Kind() == jsonedit.Object {
		c.fail("automatedReasoningPolicyConfig: there is no automated reasoning here, and nothing would be looked at for it")
	}
	c.topics(root.Get("topicPolicyConfig"))
	c.content(root.Get("contentPolicyConfig"))
	c.words(root.Get("wordPolicyConfig"))
	c.sensitive(root.Get("sensitiveInformationPolicyConfig"))
	c.grounding(root.Get("contextualGroundingPolicyConfig"))
	if c.policies == 0 {
		c.fail("at least one policy is required")
	}
	return errors.Join(c.problems...)
}

// bedrockRequest are the members of CreateGuardrail and UpdateGuardrail.
var bedrockRequest = []string{
	"name", "description", "topicPolicyConfig", "contentPolicyConfig", "wordPolicyConfig", "sensitiveInformationPolicyConfig", "contextualGroundingPolicyConfig",
	"automatedReasoningPolicyConfig", "crossRegionConfig", "blockedInputMessaging", "blockedOutputsMessaging", "kmsKeyId", "tags", "clientRequestToken",
}

var (
	bedrockNames  = regexp.MustCompile(`^[0-9a-zA-Z_-]+$`)
	bedrockTopics = regexp.MustCompile(`^[0-9a-zA-Z_ !?.-]+$`)
)

// bound bounds a text.
type bound struct {
	least, most int // characters
	pattern     *regexp.Regexp
	required    bool
}

type bedrockCheck struct {
	problems []error
	policies int
}

func (c *bedrockCheck) fail(format string, args ...any) {
	if len(c.problems) < 20 {
		c.problems = append(c.problems, fmt.Errorf(format, args...))
	}
}

// text checks the member of v named key.
func (c *bedrockCheck) text(v jsonedit.Value, path string, b bound) {
	m := v.Get(path[strings.LastIndexByte(path, '.')+1:])
	if !m.Exists() || m.Kind() == jsonedit.Null {
		if b.required {
			c.fail("%s: it is required", path)
		}
		return
	}
	s := m.Text()
	switch n := utf8.RuneCountInString(s); {
	case m.Kind() != jsonedit.String:
		c.fail("%s: want a string", path)
	case n < b.least || n > b.most:
		c.fail("%s: want %d to %d characters, found %d", path, b.least, b.most, n)
	case b.pattern != nil && !b.pattern.MatchString(s):
		c.fail("%s: want only characters of %s", path, b.pattern)
	}
}

// list returns the elements of the member of v named as path ends, and where each
// is.
func (c *bedrockCheck) list(v jsonedit.Value, path string, least, most int) (out []jsonedit.Value, at []string) {
	m := v.Get(path[strings.LastIndexByte(path, '.')+1:])
	switch m.Kind() {
	case jsonedit.Missing, jsonedit.Null:
		if least > 0 {
			c.fail("%s: it is required", path)
		}
		return nil, nil
	case jsonedit.Array:
	case jsonedit.Object, jsonedit.String, jsonedit.Number, jsonedit.Bool:
		c.fail("%s: want a list", path)
		return nil, nil
	}
	for i, e := range m.Elems() {
		out, at = append(out, e), append(at, path+"["+strconv.Itoa(i)+"]")
	}
	if len(out) < least || len(out) > most {
		c.fail("%s: want %d to %d entries, found %d", path, least, most, len(out))
	}
	return out, at
}

// word checks that a member is one of some words.
func (c *bedrockCheck) word(v jsonedit.Value, path string, required bool, words ...string) string {
	m := v.Get(path[strings.LastIndexByte(path, '.')+1:])
	s := m.Text()
	switch {
	case m.Kind() == jsonedit.Missing && !required || m.Kind() == jsonedit.Null && !required:
	case !slices.Contains(words, s):
		c.fail("%s: want one of %s", path, strings.Join(words, ", "))
	}
	return s
}

// ways checks the actions of an entry.
func (c *bedrockCheck) ways(v jsonedit.Value, path string, actions ...string) {
	c.word(v, path+".inputAction", false, actions...)
	c.word(v, path+".outputAction", false, actions...)
	for _, key := range []string{"inputEnabled", "outputEnabled"} {
		if m := v.Get(key); m.Exists() && m.Kind() != jsonedit.Bool && m.Kind() != jsonedit.Null {
			c.fail("%s.%s: want true or false", path, key)
		}
	}
}

func (c *bedrockCheck) policy(v jsonedit.Value, path string) bool {
	switch v.Kind() {
	case jsonedit.Object:
		c.policies++
		return true
	case jsonedit.Missing, jsonedit.Null:
	case jsonedit.Array, jsonedit.String, jsonedit.Number, jsonedit.Bool:
		c.fail("%s: want an object", path)
	}
	return false
}

// twice reports names that come twice.
func (c *bedrockCheck) twice(seen map[string]bool, path, name string) {
	if seen[name] {
		c.fail("%s: %.60q comes twice", path, name)
	}
	seen[name] = true
}

func (c *bedrockCheck) topics(p jsonedit.Value) {
	const path = "topicPolicyConfig"
	if !c.policy(p, path) {
		return
	}
	definition := 200
	if p.Get("tierConfig").Get("tierName").Is("STANDARD") {
		definition = 1000
	}
	c.tier(p, path)
	list, at := c.list(p, path+".topicsConfig", 1, 30)
	seen := map[string]bool{}
	for i, t := range list {
		c.text(t, at[i]+".name", bound{1, 100, bedrockTopics, true})
		c.text(t, at[i]+".definition", bound{1, definition, nil, true})
		c.word(t, at[i]+".type", true, "DENY")
		c.ways(t, at[i], "BLOCK", "NONE")
		c.twice(seen, at[i]+".name", t.Get("name").Text())
		examples, where := c.list(t, at[i]+".examples", 0, 5)
		for k, e := range examples {
			if n := utf8.RuneCountInString(e.Text()); n < 1 || n > 100 {
				c.fail("%s: want a text of 1 to 100 characters", where[k])
			}
		}
	}
}

func (c *bedrockCheck) tier(p jsonedit.Value, path string) {
	if t := p.Get("tierConfig"); t.Kind() == jsonedit.Object {
		c.word(t, path+".tierConfig.tierName", true, "CLASSIC", "STANDARD")
	}
}

func (c *bedrockCheck) content(p jsonedit.Value) {
	const path = "contentPolicyConfig"
	if !c.policy(p, path) {
		return
	}
	c.tier(p, path)
	list, at := c.list(p, path+".filtersConfig", 1, 6)
	seen := map[string]bool{}
	for i, f := range list {
		kind := c.word(f, at[i]+".type", true, "SEXUAL", "VIOLENCE", "HATE", "INSULTS", "MISCONDUCT", "PROMPT_ATTACK")
		c.word(f, at[i]+".inputStrength", true, "NONE", "LOW", "MEDIUM", "HIGH")
		if out := c.word(f, at[i]+".outputStrength", true, "NONE", "LOW", "MEDIUM", "HIGH"); kind == "PROMPT_ATTACK" && out != "NONE" {
			c.fail("%s.outputStrength: attacks are looked for in prompts only: want NONE", at[i])
		}
		for _, key := range []string{"inputModalities", "outputModalities"} {
			kinds, where := c.list(f, at[i]+"."+key, 0, 2)
			for k, m := range kinds {
				if !m.Is("TEXT") && !m.Is("IMAGE") {
					c.fail("%s: want TEXT or IMAGE", where[k])
				}
			}
		}
		c.ways(f, at[i], "BLOCK", "NONE")
		c.twice(seen, at[i]+".type", kind)
	}
}

func (c *bedrockCheck) words(p jsonedit.Value) {
	const path = "wordPolicyConfig"
	if !c.policy(p, path) {
		return
	}
	list, at := c.list(p, path+".wordsConfig", 0, 10000)
	for i, w := range list {
		c.text(w, at[i]+".text", bound{1, 100, nil, true})
		c.ways(w, at[i], "BLOCK", "NONE")
	}
	managed, at := c.list(p, path+".managedWordListsConfig", 0, 1)
	for i, w := range managed {
		c.word(w, at[i]+".type", true, "PROFANITY")
		c.ways(w, at[i], "BLOCK", "NONE")
	}
	if len(list)+len(managed) == 0 {
		c.fail("%s: want wordsConfig or managedWordListsConfig", path)
	}
}

func (c *bedrockCheck) sensitive(p jsonedit.Value) {
	const path = "sensitiveInformationPolicyConfig"
	if !c.policy(p, path) {
		return
	}
	list, at := c.list(p, path+".piiEntitiesConfig", 0, len(BedrockTypes))
	seen := map[string]bool{}
	for i, e := range list {
		kind := e.Get("type").Text()
		if BedrockTypes[kind] == nil {
			c.fail("%s.type: there is no type %.60q", at[i], kind)
		}
		c.word(e, at[i]+".action", true, "BLOCK", "ANONYMIZE", "NONE")
		c.ways(e, at[i], "BLOCK", "ANONYMIZE", "NONE")
		c.twice(seen, at[i]+".type", kind)
	}
	regexes, at := c.list(p, path+".regexesConfig", 0, 10)
	names := map[string]bool{}
	for i, e := range regexes {
		c.text(e, at[i]+".name", bound{1, 100, nil, true})
		c.text(e, at[i]+".description", bound{1, 1000, nil, false})
		c.text(e, at[i]+".pattern", bound{1, 500, nil, true})
		c.word(e, at[i]+".action", true, "BLOCK", "ANONYMIZE", "NONE")
		c.ways(e, at[i], "BLOCK", "ANONYMIZE", "NONE")
		c.twice(names, at[i]+".name", e.Get("name").Text())
	}
	if len(list)+len(regexes) == 0 {
		c.fail("%s: want piiEntitiesConfig or regexesConfig", path)
	}
}

func (c *bedrockCheck) grounding(p jsonedit.Value) {
	const path = "contextualGroundingPolicyConfig"
	if !c.policy(p, path) {
		return
	}
	list, at := c.list(p, path+".filtersConfig", 1, 2)
	seen := map[string]bool{}
	for i, f := range list {
		kind := c.word(f, at[i]+".type", true, "GROUNDING", "RELEVANCE")
		v := f.Get("threshold")
		share, err := -1.0, error(nil)
		if v.Kind() == jsonedit.Number {
			share, err = strconv.ParseFloat(string(v.Raw()), 64)
		}
		if err != nil || share < 0 || share > 0.99 {
			c.fail("%s.threshold: want a number from 0 to 0.99", at[i])
		}
		c.word(f, at[i]+".action", false, "BLOCK", "NONE")
		c.twice(seen, at[i]+".type", kind)
	}
}
