package builtin

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/attack"
	"github.com/ringwall/ringwall/guard/grounding"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/guard/injection"
	"github.com/ringwall/ringwall/guard/known"
	"github.com/ringwall/ringwall/guard/leak"
	"github.com/ringwall/ringwall/guard/limit"
	"github.com/ringwall/ringwall/guard/link"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/word"
	"github.com/ringwall/ringwall/internal/decode"
)

// Reason is something that a control may find.
type Reason struct {
	Control string `json:"control"` // by its key in a guardrail
	Reason  string `json:"reason"`
	Title   string `json:"title,omitempty"`
	Country string `json:"country,omitempty"` // ISO 3166-1 alpha-2, of identifiers
	Bedrock string `json:"bedrock,omitempty"` // its name there
}

// Reasons lists what a guardrail may find, by control in the order of the
// document. Kinds of credentials are not among them: they are made of the names
// of services.
func Reasons(s *guardrail.Spec) (out []Reason) {
	add := func(control string, reasons ...string) {
		for _, r := range reasons {
			out = append(out, Reason{Control: control, Reason: r})
		}
	}
	for _, t := range pii.Types() {
		out = append(out, Reason{"pii", t.Reason, t.Title, t.Country, t.Bedrock})
	}
	for _, r := range s.PII.Recognizers {
		out = append(out, Reason{Control: "pii", Reason: r.Name, Title: r.Title})
	}
	add("word", word.Reason, word.ReasonProfanity, word.ReasonMildProfanity)
	for _, l := range s.Word.Lists {
		add("word", l.Name)
	}
	add("prompt_attack", attack.Reasons...)
	add("prompt_attack", attack.Injection, guard.ReasonTurns)
	add("prompt_leak", leak.Reason, leak.ReasonParaphrase, known.ReasonCanary)
	add("link", link.Reason, link.ReasonData, link.ReasonScript, link.ReasonDataURI, link.ReasonDenied, link.ReasonLookalike,
		link.ReasonCredentials, link.ReasonRawIP, link.ReasonShortener, link.ReasonRemoteImage, link.ReasonHost)
	add("output_code", injection.ReasonSQL, injection.ReasonNoSQL, injection.ReasonLDAP, injection.ReasonShell, injection.ReasonScript,
		injection.ReasonTemplate, injection.ReasonPath, injection.ReasonHeader, injection.ReasonTerminal, injection.ReasonFormula, injection.ReasonXML)
	add("limit", limit.ReasonLong, limit.ReasonRepetition, limit.ReasonLanguage)
	add("disguise", guard.ReasonBounds)
	for _, c := range decode.Table {
		if !slices.ContainsFunc(out, func(r Reason) bool { return r.Control == "disguise" && r.Reason == c.Reason }) {
			add("disguise", c.Reason)
		}
	}
	add("content", guardrail.Categories...)
	for _, t := range s.Topic.Topics {
		add("topic", t.Name)
	}
	add("grounding", grounding.Reason, grounding.ReasonRelevance)
	return out
}

// dangling reports a reason that s names and that nobody ever gives.
func dangling(s *guardrail.Spec) error {
	there := map[string]map[string]bool{}
	for _, r := range Reasons(s) {
		if there[r.Control] == nil {
			there[r.Control] = map[string]bool{}
		}
		there[r.Control][r.Reason] = true
	}
	for _, n := range s.Rules() {
		for key, named := range map[string][]string{
			"reasons":        slices.Sorted(maps.Keys(n.Rule.Reasons)),
			"input_reasons":  slices.Sorted(maps.Keys(n.Rule.InReasons)),
			"output_reasons": slices.Sorted(maps.Keys(n.Rule.OutReasons)),
			"thresholds":     slices.Sorted(maps.Keys(n.Rule.LeastBy)),
		} {
			for _, reason := range named {
				if there[n.Key] == nil || there[n.Key][reason] {
					continue
				}
				hint := ""
				for _, r := range slices.Sorted(maps.Keys(there[n.Key])) {
					if strings.Contains(r, reason) || strings.Contains(reason, r) {
						hint = fmt.Sprintf(", perhaps %q", r)
						break
					}
				}
				return fmt.Errorf("%s.%s: there is no reason %q%s: ringwall guardrail reasons lists them", n.Key, key, reason, hint)
			}
		}
	}
	return nil
}
