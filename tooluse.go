package ringwall

// ToolOutcome is what becomes of the call of a tool that a model asks for. The zero
// value denies.
type ToolOutcome uint8

// Outcomes, strictest first. Of the first three nothing reaches the client but a word
// about it.
const (
	ToolDeny  ToolOutcome = iota // a rule forbids it, whoever approves
	ToolStrip                    // it is taken out of the answer: there is no such tool for the caller, or not again
	ToolHold                     // it waits for a person's approval
	ToolMask                     // it goes on with something of its arguments masked
	ToolAllow
)

var toolOutcomeNames = names{"deny", "strip", "hold", "mask", "allow"}

func (o ToolOutcome) String() string { return toolOutcomeNames.of(int(o)) }

// Runs reports whether the client may run the call.
func (o ToolOutcome) Runs() bool { return o >= ToolMask }

// MarshalText encodes o as its lower-case name.
func (o ToolOutcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText accepts the names of the outcomes.
func (o *ToolOutcome) UnmarshalText(b []byte) error {
	i, err := toolOutcomeNames.index("outcome", string(b))
	*o = ToolOutcome(i)
	return err
}

// Source is where a value comes from. The zero value is Unknown: the model made it
// up, or hides where it has it from.
type Source uint8

// Sources of values, least trusted first.
const (
	SourceUnknown   Source = iota // in no text of the conversation
	SourceUntrusted               // only in text that anybody may have written
	SourceMinted                  // an identifier that a system of the operator's made, in an output that is trusted
	SourceSystem                  // the operator's instructions
	SourceUser                    // the words of the person who asks
)

var sourceNames = names{"unknown", "untrusted", "minted", "system", "user"}

func (s Source) String() string { return sourceNames.of(int(s)) }

// Trusted reports whether a value of this source may say who or what is acted on.
func (s Source) Trusted() bool { return s >= SourceMinted }

// MarshalText encodes s as its lower-case name.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText accepts the names of the sources.
func (s *Source) UnmarshalText(b []byte) error {
	i, err := sourceNames.index("source", string(b))
	*s = Source(i)
	return err
}

// ToolUse is what was decided about a call of a tool. It holds no value of an
// argument.
type ToolUse struct {
	ID        string        `json:"id,omitempty"` // of the call, as the client knows it
	Tool      string        `json:"tool"`
	Effect    string        `json:"effect"` // read, write, external, destructive
	Decision  ToolOutcome   `json:"decision"`
	Rule      string        `json:"rule,omitempty"`     // that decided; "" of a call that no rule is against
	Also      []string      `json:"also,omitempty"`     // other rules that are against it
	Approval  string        `json:"approval,omitempty"` // id of the one that it waits for, or that let it go
	Digest    string        `json:"digest"`             // of the tool and its exact arguments: SHA-256, hexadecimal
	Arguments []ArgumentUse `json:"arguments,omitempty"`
}

// ArgumentUse says where a value of an argument comes from.
type ArgumentUse struct {
	Path      string `json:"path"` // JSON pointer into the arguments (RFC 6901)
	Sensitive bool   `json:"sensitive,omitempty"`
	Source    Source `json:"source"`
	From      string `json:"from,omitempty"` // where it was found: "turn 3, search_emails"
	How       string `json:"how,omitempty"`  // as what: verbatim, folded, number, parts, decoded
}
