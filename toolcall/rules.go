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
	// RuleUnknown says that such a value comes from nowhere that can be told.
	RuleUnknown = "unknown-argument"
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
