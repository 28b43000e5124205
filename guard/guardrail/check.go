package guardrail

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// Named is the part of a guardrail that is about one control.
type Named struct {
	Key     string // in the file
	Control string // id in package control
	Rule    *Rule
}

// Rules returns the parts of s, in the order in which they are looked at and
// reported.
func (s *Spec) Rules() []Named {
	return []Named{
		{"secret", "inference/secret", &s.Secret.Rule},
		{"pii", "inference/pii", &s.PII.Rule},
		{"word", "inference/word", &s.Word.Rule},
		{"prompt_attack", "inference/prompt-attack", &s.Attack.Rule},
		{"prompt_leak", "inference/prompt-leak", &s.Leak.Rule},
		{"link", "inference/link", &s.Link.Rule},
		{"output_code", "inference/output-code", &s.Code.Rule},
		{"limit", "inference/limit", &s.Limit.Rule},
		{"disguise", "inference/sanitize", &s.Disguise.Rule},
		{"content", "inference/content", &s.Content.Rule},
		{"topic", "inference/topic", &s.Topic.Rule},
		{"grounding", "inference/grounding", &s.Grounding.Rule},
	}
}

// On returns the actions of the rule for texts that go one way: the one for what
// has none of its own, and those by reason.
func (r *Rule) On(way ringwall.Direction) (Act, map[string]Act) {
	rest, own := r.Input, r.InReasons
	if way == ringwall.Output {
		rest, own = r.Output, r.OutReasons
	}
	if len(own) == 0 {
		return rest, r.Reasons
	}
	by := maps.Clone(r.Reasons)
	if by == nil {
		by = map[string]Act{}
	}
	maps.Copy(by, own)
	return rest, by
}

// Looks reports whether the rule looks at any text.
func (r *Rule) Looks() bool {
	looks := func(a Act) bool { return !a.Off }
	for _, way := range []ringwall.Direction{ringwall.Input, ringwall.Output} {
		if rest, by := r.On(way); looks(rest) || slices.ContainsFunc(slices.Collect(maps.Values(by)), looks) {
			return true
		}
	}
	return slices.ContainsFunc(slices.Collect(maps.Values(r.Origins)), looks)
}

// partsLook reports whether a list, a recognizer or a topic is looked for by an
// action of its own.
func (s *Spec) partsLook() bool {
	var acts []*Act
	for _, r := range s.PII.Recognizers {
		acts = append(acts, r.Input, r.Output)
	}
	for _, l := range s.Word.Lists {
		acts = append(acts, l.Input, l.Output)
	}
	for _, t := range s.Topic.Topics {
		acts = append(acts, t.Input, t.Output)
	}
	return slices.ContainsFunc(acts, func(a *Act) bool { return a != nil && !a.Off })
}

var kebab = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Check reports everything in s that cannot be meant, by the path of a field
// below path, which is "" for a file of its own.
func (s *Spec) Check(path string, fail func(path, format string, args ...any)) {
	in := func(key string) string {
		if path == "" {
			return key
		}
		return path + "." + key
	}
	looks := s.partsLook()
	for _, n := range s.Rules() {
		n.Rule.check(in(n.Key), fail)
		looks = looks || n.Rule.Looks()
	}
	if !looks {
		fail(path, "with everything off, nothing would be looked at")
	}
	names := map[string]string{} // by reason: where it is made
	name := func(at, reason string) {
		switch before, twice := names[reason]; {
		case !kebab.MatchString(reason) || len(reason) > 100:
			fail(at, "want a name in kebab-case, such as order-number, found %q", reason)
		case twice:
			fail(at, "%q is the name of %s already", reason, before)
		default:
			names[reason] = at
		}
	}
	for i, r := range s.PII.Recognizers {
		at := strictyaml.Index(in("pii.recognizers"), i)
		name(at+".name", r.Name)
		if len(r.Patterns) == 0 && len(r.Words) == 0 {
			fail(at, "a recognizer needs patterns or words")
		}
		for k, p := range r.Patterns {
			share(strictyaml.Index(at+".patterns", k)+".score", p.Score, fail)
		}
		if r.NeedContext && len(r.Context) == 0 {
			fail(at+".context_required", "there are no context words")
		}
	}
	for i, l := range s.Word.Lists {
		at := strictyaml.Index(in("word.lists"), i)
		name(at+".name", l.Name)
		if len(l.Words) == 0 {
			fail(at+".words", "the list is empty")
		}
	}
	for i, t := range s.Topic.Topics {
		at := strictyaml.Index(in("topic.topics"), i)
		name(at+".name", t.Name)
		if strings.TrimSpace(t.Definition) == "" {
			fail(at+".definition", "what belongs to the topic?")
		}
	}
	for _, c := range []struct {
		key string
		by  map[string]Strength
	}{{"content.input_strengths", s.Content.InStrength}, {"content.output_strengths", s.Content.OutStrength}} {
		for _, category := range slices.Sorted(maps.Keys(c.by)) {
			if !slices.Contains(Categories, category) {
				fail(strictyaml.Key(in(c.key), category), "there is no category %q: there are %v", category, Categories)
			}
		}
	}
	s.checkBudgets(in, fail)
	if t := s.Attack.Turns; t.HalfLife < 0 || t.HalfLife > 1000 {
		fail(in("prompt_attack.turns.half_life"), "want a number of turns from 0 to 1000")
	} else if t.Join < 0 || t.Join > MostJoined {
		fail(in("prompt_attack.turns.join"), "want a number of turns from 0 to %d", MostJoined)
	}
	for key, v := range map[string]float64{"grounding.grounding": s.Grounding.Grounding, "grounding.relevance": s.Grounding.Relevance} {
		if v < 0 || v > 0.99 {
			fail(in(key), "want a share from 0 to 0.99")
		}
	}
	if s.Limit.Characters < 0 || s.Limit.Tokens < 0 {
		fail(in("limit"), "limits are not negative")
	}
	s.checkJudges(in("judges"), fail)
	s.checkExceptions(in("exceptions"), fail)
}

func (s *Spec) checkExceptions(path string, fail func(path, format string, args ...any)) {
	var keys []string
	for _, n := range s.Rules() {
		keys = append(keys, n.Key)
	}
	seen := map[string]bool{}
	for i, e := range s.Exceptions {
		at := strictyaml.Index(path, i)
		switch {
		case strings.TrimSpace(e.Name) == "":
			fail(at+".name", "an exception needs a name, for the record")
		case seen[e.Name]:
			fail(at+".name", "there is an exception %q already", e.Name)
		}
		seen[e.Name] = true
		if len(e.Texts)+len(e.Patterns)+len(e.Principals)+len(e.Tenants)+len(e.Controls)+len(e.Reasons) == 0 {
			fail(at, "it would excuse everything: name texts, patterns, principals, tenants, controls or reasons")
		}
		for k, c := range e.Controls {
			if !slices.Contains(keys, c) {
				fail(strictyaml.Index(at+".controls", k), "there is no control %q: there are %v", c, keys)
			}
		}
		for k, t := range e.Texts {
			if strings.TrimSpace(t) == "" {
				fail(strictyaml.Index(at+".texts", k), "an empty text excuses nothing")
			}
		}
	}
}

func (r *Rule) check(path string, fail func(path, format string, args ...any)) {
	for _, m := range []struct {
		key string
		by  map[string]Act
	}{{"reasons", r.Reasons}, {"input_reasons", r.InReasons}, {"output_reasons", r.OutReasons}} {
		for _, reason := range slices.Sorted(maps.Keys(m.by)) {
			if !kebab.MatchString(reason) {
				fail(strictyaml.Key(path+"."+m.key, reason), "reasons are in kebab-case, such as us-social-security-number")
			}
		}
	}
	for _, o := range slices.Sorted(maps.Keys(r.Origins)) {
		var origin ringwall.Origin
		if err := origin.UnmarshalText([]byte(o)); err != nil {
			fail(strictyaml.Key(path+".origins", o), "%v", err)
		}
	}
	share(path+".threshold", r.Least, fail)
	for _, reason := range slices.Sorted(maps.Keys(r.LeastBy)) {
		share(strictyaml.Key(path+".thresholds", reason), r.LeastBy[reason], fail)
	}
}

func share(path string, v float64, fail func(path, format string, args ...any)) {
	if v < 0 || v > 1 {
		fail(path, "want a number from 0 to 1")
	}
}
