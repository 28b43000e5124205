package toolcall

// Ids of the rules that decide about calls, as records and metrics have them.
const (
	// RuleArguments says that the arguments are no JSON object, or too large or deep.
	RuleArguments = "arguments-unreadable"
	// RulePolicy says that policies forbid the call, or want an approval.
	RulePolicy = "policy"
)
