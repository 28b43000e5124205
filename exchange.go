package ringwall

import "time"

// Trust says how far a caller has proved who they are. The zero value is the
// least trusted, so that forgetting to set it is safe.
type Trust uint8

// Levels of trust, least first.
const (
	Anonymous Trust = iota // no proof
	Verified               // a credential of an unknown person, such as a proven e-mail address
	Customer               // a known customer
	Staff                  // one of our own people
	Operator               // an administrator
)

var trustNames = names{"anonymous", "verified", "customer", "staff", "operator"}

func (t Trust) String() string { return trustNames.of(int(t)) }

// MarshalText encodes t as its lower-case name.
func (t Trust) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText accepts the names of the levels.
func (t *Trust) UnmarshalText(b []byte) error {
	i, err := trustNames.index("trust", string(b))
	*t = Trust(i)
	return err
}

// Origin says whose words a text is. The zero value is Unverified: words that
// nobody vouches for.
type Origin uint8

// Origins of text.
const (
	Unverified Origin = iota // from nobody known: an unknown field, an unsigned turn
	System                   // the operator's instructions, tool definitions
	User                     // the person who asks
	Assistant                // the model
	Tool                     // the result of a tool
	Retrieved                // a document fetched for the model to read
)

var originNames = names{"unverified", "system", "user", "assistant", "tool", "retrieved"}

func (o Origin) String() string { return originNames.of(int(o)) }

// MarshalText encodes o as its lower-case name.
func (o Origin) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText accepts the names of the origins.
func (o *Origin) UnmarshalText(b []byte) error {
	i, err := originNames.index("origin", string(b))
	*o = Origin(i)
	return err
}

// Untrusted reports whether instructions in text of this origin must not be
// obeyed: what a tool returned, what was retrieved, what nobody vouches for.
func (o Origin) Untrusted() bool { return o == Tool || o == Retrieved || o == Unverified }

// Direction is the way that a text goes.
type Direction uint8

// Directions.
const (
	Input  Direction = iota // to the model
	Output                  // from the model
)

var directionNames = names{"input", "output"}

func (d Direction) String() string { return directionNames.of(int(d)) }

// MarshalText encodes d as its lower-case name.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText accepts the names of the directions.
func (d *Direction) UnmarshalText(b []byte) error {
	i, err := directionNames.index("direction", string(b))
	*d = Direction(i)
	return err
}

// Principal is the caller on whose behalf an Exchange happens.
type Principal struct {
	ID     string   `json:"id,omitempty"` // stable, opaque; "" when Trust is Anonymous
	Tenant string   `json:"tenant,omitempty"`
	Trust  Trust    `json:"trust"`
	Via    string   `json:"via,omitempty"`   // how it was proved: "key", "signature", "token", "certificate", "session"; "" when it was not
	Key    string   `json:"key,omitempty"`   // the credential, where one principal may have several; public
	Roles  []string `json:"roles,omitempty"` // sorted

	// Scopes are what the credential is good for; nil: whatever its principal may. They
	// narrow, and never widen.
	Scopes []string `json:"-"`
	// Proved is when the person last proved who they are, and by what (OpenID Connect's
	// acr); zero where the credential does not say.
	Proved time.Time `json:"-"`
	ACR    string    `json:"-"`
}

// Text is one text of an Exchange: a message, a part of one, a tool's
// definition, an argument of a tool call.
type Text struct {
	Path   string // JSON pointer into the request or the answer (RFC 6901)
	Origin Origin
	Value  string
}

// Look says whether a control looked at a text, so that "not evaluated" can
// never pass for "allowed".
type Look struct {
	Control string    `json:"control"`
	By      string    `json:"by,omitempty"` // the outside judge that looked; "" for the detectors of the program
	Way     Direction `json:"direction"`
	State   LookState `json:"state"`
	Why     string    `json:"why,omitempty"` // kebab-case; of skipped and failed
	// Guardrail is the one whose control it is, where that is another than the
	// exchange's.
	Guardrail string `json:"guardrail,omitempty"`
}

// LookState is how a look went.
type LookState string

// States of a look.
const (
	Ran     LookState = "ran"
	Skipped LookState = "skipped"
	Failed  LookState = "failed"
)

// Usage is what a model counted, in tokens.
type Usage struct {
	InputTokens     int64 `json:"input_tokens"` // all of them, the cached too
	OutputTokens    int64 `json:"output_tokens"`
	CachedTokens    int64 `json:"cached_tokens,omitempty"`    // of the input, read from the provider's cache
	CachingTokens   int64 `json:"caching_tokens,omitempty"`   // of the input, written to it
	ReasoningTokens int64 `json:"reasoning_tokens,omitempty"` // of the output
}

// Exchange is one question to a model and its answer. The gateway makes it,
// every stage reads or extends it, and it ends in the audit log. One goroutine
// owns it at a time.
type Exchange struct {
	ID        string
	Start     time.Time
	Principal Principal
	Client    Client
	Dialect   string // "openai"
	Route     string // "/v1/chat/completions"
	Model     string // as the client named it
	Provider  string // name in the configuration
	Target    string // as the provider calls the model, where that was a choice
	Tries     []Try  // providers that were asked before and did not answer
	Stream    bool
	Cached    bool     // the answer was kept of an equal request
	Estimated bool     // tokens are what the gateway estimates: no provider counted them
	Guardrail string   // name and version: "default@draft"
	Policy    []string // ids of the policies that decided whether the caller may; nil: none was asked

	Prompt   []Text // the located texts of the request, as given
	Answer   []Text // the texts of the answer, as the model gave them
	Findings []Finding
	Looks    []Look
	Scores   Scores
	Tools    []ToolUse // what was decided about the calls of tools in the answer
	Verdict  Verdict
	Usage    Usage
	Status   int // HTTP status that the client read
}
