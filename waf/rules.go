package waf

import (
	"strings"

	"github.com/ringwall/ringwall"
)

// Rule is a rule of ours. Each refuses alone.
type Rule struct {
	ID       string // also the reason of its findings
	Message  string
	Severity ringwall.Severity
	On       string // what it looks at: address, headers, body
}

// Ids of our rules.
const (
	RuleInjection    = "ai-injection-outside-prompt"
	RuleMetadata     = "ai-injection-in-metadata"
	RuleInvisible    = "ai-invisible-outside-prompt"
	RuleFlood        = "ai-invisible-flood"
	RuleBomb         = "ai-prompt-bomb"
	RuleNesting      = "ai-nesting"
	RuleScanner      = "ai-scanner"
	RuleSSRF         = "ai-ssrf"
	RuleTraversal    = "ai-path-traversal"
	RuleSQL          = "ai-sql-injection"
	RuleScript       = "ai-cross-site-scripting"
	RuleOversized    = "ai-oversized"
	RuleMalformed    = "ai-malformed"
	prefix           = "ai-"
	onAddress        = "address"
	onHeaders        = "headers"
	onAddressHeaders = "address, headers"
	onBody           = "body"
)

// Rules lists our rules.
//
// LLM01, LLM10, AML.T0051.001, AML.T0029, AML.T0034
func Rules() []Rule { return append([]Rule(nil), ruleTable...) }

var ruleTable = []Rule{
	{RuleInjection, "instructions to a model, or marks of a chat template, where no prompt is", ringwall.High, onAddressHeaders},
	{RuleMetadata, "instructions to a model in what is kept about a request: metadata, user, labels", ringwall.High, onBody},
	{RuleInvisible, "characters that show nothing where no text is", ringwall.Medium, onAddressHeaders},
	{RuleFlood, "a body that is mostly characters that show nothing", ringwall.High, onBody},
	{RuleBomb, "a body that is mostly one thing, said again and again", ringwall.High, onBody},
	{RuleNesting, "JSON that is nested beyond all use", ringwall.High, onBody},
	{RuleScanner, "a program that looks for weak spots, by the name that it gives itself", ringwall.Medium, onHeaders},
	{RuleSSRF, "the address of an inner service, of metadata of a cloud, or of a file, as a parameter", ringwall.High, onAddress},
	{RuleTraversal, "a path that climbs out of its directory", ringwall.High, onAddress},
	{RuleSQL, "SQL that breaks out of a value", ringwall.High, onAddress},
	{RuleScript, "a script or an event handler in a value", ringwall.High, onAddress},
	{RuleOversized, "an address over 8 KiB, more than 100 headers, or one over 16 KiB", ringwall.Medium, onAddressHeaders},
	{RuleMalformed, "an address that is not well formed", ringwall.Medium, onAddress},
}

// ours reports whether id is of a rule of ours.
func ours(id string) bool { return strings.HasPrefix(id, prefix) }

func ruleOf(id string) *Rule {
	for i := range ruleTable {
		if ruleTable[i].ID == id {
			return &ruleTable[i]
		}
	}
	return nil
}

func ruleIDs() (ids []string) {
	for _, r := range ruleTable {
		ids = append(ids, r.ID)
	}
	return ids
}

// hit is a match of a rule of ours.
func (f *Firewall) hit(id, where string) Match {
	r := ruleOf(id)
	return Match{Rule: id, Reason: id, Message: r.Message, Where: where, Score: f.cfg.Threshold, Severity: r.Severity}
}
