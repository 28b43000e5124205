package toolcall

// Ids of the rules that decide about calls, as records and metrics have them.
const (
	// RuleArguments says that the arguments are no JSON object, or too large or deep.
	RuleArguments = "arguments-unreadable"
	// RulePolicy says that policies forbid the call, or want an approval.
	RulePolicy = "policy"
)

// Rules about where a call comes from.
const (
	// RuleUntrusted says that a value which says who or what is acted on comes from text
	// that anybody may have written.
	RuleUntrusted = "untrusted-argument"
	// RuleUnsourced says that such a value comes from nowhere that can be told.
	RuleUnsourced = "unknown-argument"
	// RuleLink says that a call would pass on a link or an account from such text.
	RuleLink = "untrusted-link"
	// RuleAsked says that the person did not ask for what the tool does.
	RuleAsked = "not-asked-for"
	// RuleTwo says that the session read untrusted text and sensitive data, and would act.
	RuleTwo = "rule-of-two"
	// RuleFlow says that a call would carry what one tool returned into another, which
	// the operator forbids.
	RuleFlow = "data-flow"
	// RuleDuplicate says that the same call was made since the person last spoke.
	RuleDuplicate = "duplicate-write"
	// RuleRepeated says that a call was made again and again.
	RuleRepeated = "repetition"
	// RuleDepth says that too many calls were made since the person last spoke.
	RuleDepth = "too-many-calls"
	// RuleLimit says that a tool was called as often as the operator allows.
	RuleLimit = "tool-limit"
)

// Ids of the rules about what is called.
const (
	// RuleUnknown says that nobody declared the tool, and how the operator wants that to
	// be taken.
	RuleUnknown = "tool-unknown"
	// RuleNotOffered says that the tool is neither declared nor among those offered.
	RuleNotOffered = "tool-not-offered"
	// RuleCaller says that the tool is not for callers of this trust, or these roles.
	RuleCaller = "tool-not-for-caller"
	// RuleChanged says that a tool is not as it was pinned.
	RuleChanged = "definition-changed"
	// RuleLookAlike says that a tool that nobody declared is called like one that somebody
	// did, or is one by another name.
	RuleLookAlike = "look-alike-tool"
)

// Ids of the rules about what the arguments are.
const (
	// RuleSchemaUnreadable says that the schema of the arguments cannot be compiled.
	RuleSchemaUnreadable = "schema-unreadable"
	// RuleSchema says that the arguments do not meet their schema.
	RuleSchema = "schema-violated"
	// RuleMeaning says that an argument is not what the operator wants it to be.
	RuleMeaning = "argument-not-allowed"
	// RuleBound says that an argument does not name the caller, as it must.
	RuleBound = "argument-not-the-callers"
	// RuleHost says that an argument leads to a host that is not among those allowed.
	RuleHost = "host-not-allowed"
	// RuleOutside says that a path leads out of the directory that the operator wants.
	RuleOutside = "path-outside"
)

// Ids of the rules about what the arguments carry. An operator may excuse an argument
// from them, by name.
const (
	RuleSQL       = "sql-injection"
	RuleScript    = "script-injection"
	RuleShell     = "shell-injection"
	RuleTraversal = "path-traversal"
	RuleInternal  = "internal-address" // or a URL of which nobody can tell where it leads
	RuleScheme    = "url-scheme"
	RuleTemplate  = "template-injection"
	RuleHeader    = "header-injection"
	RuleHidden    = "hidden-characters"
	RuleNumber    = "absurd-number"
	RuleSecret    = "secret-in-arguments"
)

// excusable are the rules from which an argument may be excused.
var excusable = []string{
	RuleSQL, RuleScript, RuleShell, RuleTraversal, RuleInternal, RuleScheme, RuleTemplate, RuleHeader, RuleHidden, RuleNumber, RuleSecret,
}
