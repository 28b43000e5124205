package ringwall

// Conversation is what a model is asked, in the words of no API: a request of one
// dialect becomes one of another through it. What it has no word for cannot be
// carried across, and is refused by name. Within one dialect nothing is
// translated; see [Call].
type Conversation struct {
	Model    string
	Stream   bool
	System   []Part // the operator's instructions
	Turns    []Turn
	Tools    []ToolSpec
	Choice   ToolChoice
	Sampling Sampling
	Format   *Format // of the answer; nil: free text
	Effort   string  // of reasoning: none, minimal, low, medium, high; "": the model's own
	Thinking int64   // tokens that reasoning may take; 0: the model's own
	User     string  // the end user, as the application calls them
	Form     string  // in which of several forms of its API it was asked, so that the answer is in the same
}

// Role is who speaks in a Turn.
type Role uint8

// Roles.
const (
	RoleUser Role = iota
	RoleAssistant
	RoleSystem // the operator's, behind the first turn: some APIs know none there
)

// Turn is what somebody says.
type Turn struct {
	Role  Role
	Parts []Part // results of tools stand in turns of the user
}

// PartKind is what a Part is.
type PartKind uint8

// Kinds of parts.
const (
	PartText      PartKind = iota // Text
	PartMedia                     // Media
	PartCall                      // Call: the model asks for a tool
	PartResult                    // Result: what the tool returned
	PartReasoning                 // Text, which the model thought; Signature proves it
	PartRedacted                  // Text, which is reasoning that only the provider can read
	PartRefusal                   // Text, by which the model declines
)

// Part is a piece of what is said.
type Part struct {
	Kind      PartKind
	Text      string
	Signature string // of PartReasoning: opaque, kept as it is
	Media     *Media
	Call      *ToolCall
	Result    *ToolResult
	Cache     Cache // how long the provider may keep the prompt up to here
}

// Cache says how long a provider may keep a prompt up to a place, so that it reads it
// for less the next time. It changes no answer.
type Cache uint8

// How long.
const (
	CacheUnsaid Cache = iota
	CacheShort        // the provider's usual time, some minutes
	CacheLong         // an hour
)

// MediaKind is what a Media shows.
type MediaKind uint8

// Kinds of media.
const (
	Image MediaKind = iota
	Document
	Audio
	Video
)

// Media is an image, a document, a sound: its bytes, or where they are.
type Media struct {
	Kind MediaKind
	MIME string // "image/png"
	Name string // of a document
	Data string // base64 (RFC 4648 §4); "" where URL is given
	URL  string
}

// ToolCall is the wish of a model to use a tool.
type ToolCall struct {
	ID, Name  string
	Arguments string // a JSON object
}

// ToolResult is what a tool returned.
type ToolResult struct {
	ID, Name string // of the call; Name may be unknown
	Parts    []Part
	Failed   bool
}

// ToolSpec is a tool that the model may ask for.
type ToolSpec struct {
	Name, Description string
	Schema            []byte // JSON Schema of the arguments
	Strict            bool
	Cache             Cache // how long the provider may keep the prompt up to here
}

// ChoiceMode says which tools a model may ask for.
type ChoiceMode uint8

// Modes.
const (
	ChoiceUnsaid   ChoiceMode = iota
	ChoiceAuto                // any or none
	ChoiceNone                // none
	ChoiceRequired            // at least one
	ChoiceNamed               // ToolChoice.Name
)

// ToolChoice says which tools a model may ask for.
type ToolChoice struct {
	Mode   ChoiceMode
	Name   string
	Single bool // not several at once
}

// Sampling says how a model chooses words. Nil fields are the model's own.
type Sampling struct {
	MaxTokens           *int64
	Temperature, TopP   *float64
	TopK, Seed          *int64
	Presence, Frequency *float64 // penalties
	Stop                []string
}

// Format is what an answer must look like: any JSON object, or one of a schema.
type Format struct {
	Name, Description string
	Schema            []byte // JSON Schema; nil: any object
	Strict            bool
}

// Stop is why an answer ended.
type Stop string

// Reasons to stop.
const (
	StopEnd      Stop = "end"      // the model had said all
	StopLength   Stop = "length"   // Sampling.MaxTokens, or the model's window
	StopTools    Stop = "tools"    // it waits for tools
	StopSequence Stop = "sequence" // one of Sampling.Stop
	StopFilter   Stop = "filter"   // a filter of the provider, or ours
	StopRefusal  Stop = "refusal"  // the model declined
)

// Reply is the answer of a model, in the words of no API.
type Reply struct {
	ID, Model string
	Parts     []Part
	Stop      Stop
	Sequence  string // of StopSequence, where the provider says it
	Usage     Usage
}

// DeltaKind is what a Delta does.
type DeltaKind uint8

// Kinds of deltas, in the order in which they come: one DeltaBegin; of each part,
// one after another, one DeltaOpen, any number of DeltaText and DeltaSignature and
// one DeltaClose; any number of DeltaUsage; one DeltaStop, which is the last.
const (
	DeltaBegin     DeltaKind = iota // ID, Model
	DeltaOpen                       // Part, with what is known of it: the id and name of a call
	DeltaText                       // Text goes on: words, reasoning, the arguments of a call
	DeltaSignature                  // Text is the signature of reasoning
	DeltaClose
	DeltaUsage // Usage, which replaces what was said before
	DeltaStop  // Stop, Sequence
)

// Delta is a step of a streamed answer.
type Delta struct {
	Kind      DeltaKind
	ID, Model string
	Part      *Part
	Text      string
	Usage     Usage
	Stop      Stop
	Sequence  string
}

// Call is a request on its way to a provider, in the words of one API.
type Call struct {
	API    string // whose words: the name of a dialect
	Model  string // as the provider calls it
	Stream bool
	Header map[string]string // what of the client's headers belongs to the request
	Body   []byte
	// As returns Body with another model named; nil: Body names none. It is called by
	// one goroutine at a time.
	As func(model string) []byte
	// Asked is where a provider that is several writes down whom it asked, before it
	// yields anything; nil: nowhere.
	Asked *Asked
}

// For returns the call for another model; "" is the same.
func (c Call) For(model string) Call {
	if model == "" || model == c.Model {
		return c
	}
	c.Model = model
	if c.As != nil {
		c.Body = c.As(model)
	}
	return c
}

// Asked says whom a provider that is several asked.
type Asked struct {
	Provider, Model string // who answered; "" when nobody did
	Tries           []Try  // who did not, in order
	Estimated       bool   // nobody was asked: the answer is an estimate of ours
}

// Try is a provider that was asked and did not answer, or was left out.
type Try struct {
	Provider string `json:"provider"`
	Model    string `json:"model,omitempty"` // as the provider calls it; "" as the client does
	Reason   string `json:"reason"`          // kebab-case
}
