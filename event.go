package ringwall

import "time"

// Event is the record that remains: audit keeps it, detection reads it. It
// holds no text of a prompt or an answer unless the retention setting of the
// audit log says so.
type Event struct {
	ID   string    `json:"id"`   // of the exchange, or of the administrative act
	Kind Kind      `json:"kind"` // what happened
	Time time.Time `json:"time"`

	Principal Principal `json:"principal"`
	Client    string    `json:"client,omitempty"` // address that it comes from, or the network of it that retention allows
	Dialect   string    `json:"dialect,omitempty"`
	Route     string    `json:"route,omitempty"`
	Model     string    `json:"model,omitempty"`
	Provider  string    `json:"provider,omitempty"`
	Target    string    `json:"target,omitempty"`    // as the provider calls the model, where that was a choice
	Tries     []Try     `json:"tries,omitempty"`     // providers that were asked before and did not answer
	Cached    bool      `json:"cached,omitempty"`    // the answer was kept of an equal request
	Estimated bool      `json:"estimated,omitempty"` // tokens are what the gateway estimates: no provider counted them
	Stream    bool      `json:"stream,omitempty"`
	Guardrail string    `json:"guardrail,omitempty"`
	Policy    []string  `json:"policy,omitempty"` // ids of the policies that decided whether the caller may

	Verdict  *Verdict      `json:"verdict,omitempty"` // nil until it is decided
	Findings []Finding     `json:"findings,omitempty"`
	Looks    []Look        `json:"looks,omitempty"`
	Scores   Scores        `json:"scores,omitempty"` // to three digits
	Texts    []Digest      `json:"texts,omitempty"`
	Tools    []ToolUse     `json:"tools,omitempty"` // what was decided about the calls of tools in the answer
	Usage    *Usage        `json:"usage,omitempty"`
	Status   int           `json:"status,omitempty"`   // HTTP status that the client read
	Duration time.Duration `json:"duration,omitempty"` // nanoseconds
	Outcome  Outcome       `json:"outcome,omitempty"`
	Detail   string        `json:"detail,omitempty"` // for operators; never text of a prompt
}

// Kind is what an Event tells of.
type Kind string

// Kinds of events.
const (
	ExchangeBegin Kind = "exchange-begin" // a promise: the call is about to be made
	ExchangeEnd   Kind = "exchange-end"   // the call has been answered, refused or cut
	ConfigLoaded  Kind = "config-loaded"
	ConfigRefused Kind = "config-refused"
	KeyCreated    Kind = "key-created"
	KeyRevoked    Kind = "key-revoked"
	ClientRefused Kind = "client-refused" // by where it comes from, before anything of it was read
	BanMade       Kind = "ban-made"
	BanLifted     Kind = "ban-lifted"
	Recovered     Kind = "recovered" // the log was opened after an unclean end

	SessionOpened  Kind = "session-opened"  // a person logged in
	SessionRevoked Kind = "session-revoked" // a session ended before its time
	LoginFailed    Kind = "login-failed"    // a person came back from the provider, and was not let in
	QuotaWarned    Kind = "quota-warned"    // most of a limit is used

	ApprovalAsked    Kind = "approval-asked"    // something waits for a person
	ApprovalApproved Kind = "approval-approved" // a person approved it; others may have to, too
	ApprovalDenied   Kind = "approval-denied"
	ApprovalExpired  Kind = "approval-expired" // nobody decided in time, or nobody used it
	ApprovalUsed     Kind = "approval-used"    // what was approved went on, once
	ApproverPaused   Kind = "approver-paused"  // a person approved so many that they may approve none for a while
)

// Outcome is how an Exchange ended.
type Outcome string

// Outcomes.
const (
	Answered     Outcome = "answered"
	Refused      Outcome = "refused"       // by policy, before the call
	Cut          Outcome = "cut"           // by policy, while the answer came
	BadRequest   Outcome = "bad-request"   // the request could not be read
	Denied       Outcome = "denied"        // the caller could not be identified
	ClientGone   Outcome = "client-gone"   // the client left
	UpstreamFail Outcome = "upstream-fail" // the provider failed
	Overloaded   Outcome = "overloaded"    // shed before any work
	Broken       Outcome = "broken"        // a bug of ours: a panic
)

// Digest stands for a text in a record: its length and keyed hash, and the text
// itself only where retention allows it.
type Digest struct {
	Path   string    `json:"path"`
	Way    Direction `json:"direction"`
	Origin Origin    `json:"origin"`
	Length int       `json:"length"`         // bytes
	Hash   string    `json:"hash"`           // keyed, hex: equal texts of one installation have equal hashes
	Text   string    `json:"text,omitempty"` // only where retention allows
}
