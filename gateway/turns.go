package gateway

import (
	"cmp"
	"context"
	"slices"

	"github.com/ringwall/ringwall"
)

// History knows which turns of a conversation went through here. It is safe for
// concurrent use.
type History interface {
	// Look holds a conversation against what was signed in this session of an owner.
	// The token is what the client carries of it, "" where that is nothing. An error
	// says that nobody can tell now; what it returns then knows nothing, and signs.
	Look(ctx context.Context, owner, session string, c *ringwall.Conversation, token string) (Past, error)
}

// Past is what is known of a conversation. One goroutine owns it.
type Past interface {
	// Passed says of each turn whether it counts: that of the model went through here
	// as it stands, at its place before the last answer that did; results of tools did,
	// or are those that such an answer waits for; what the person says always counts.
	Passed() []bool
	// Sign signs the conversation up to an answer, as the client reads it, for the
	// requests that go on from it. It is called once. Where the client carries the
	// token that is returned, nothing is kept.
	Sign(ctx context.Context, answer []ringwall.Part, carried bool) (token string, err error)
}

// Retold reads an answer again, as the client reads it. One goroutine owns it.
type Retold interface {
	// Write takes what goes out.
	Write(out []byte)
	// Said returns what was said, once all of it went out.
	Said() ([]ringwall.Part, bool)
}

// HistoryControl is the control that tells whose words turns are, in records.
const HistoryControl = "inference/history"

// Of what a HistoryControl records.
const (
	ReasonUnverifiedTurn = "unverified-turn"     // of a finding: words of the model that did not go through here; AML.T0092
	whyHistoryAway       = "history-unavailable" // of a look that failed
	whyUntold            = "conversation-untold" // the same
)

// HistoryHeader is the request header by which a client says that it carries what is
// known of its conversation itself: the token that came in the response header of that
// name with the last answer, or nothing in the first request. Answers that stream have
// none.
const HistoryHeader = "X-Ringwall-History"

// turning is what an exchange knows of the turns of its conversation.
type turning struct {
	past    Past   // nil: nothing is signed
	retold  Retold // the answer; nil: it is not read again
	carried bool   // the client carries the token
	follows bool   // the request goes on from an answer to this caller, which the provider keeps
}

// believe tells the turns that went through here from those that did not: words of
// the model that did not are nobody's.
func (x *exchange) believe(ctx context.Context) {
	if _, ok := x.req.(Acting); !ok || x.world.History == nil {
		return
	}
	look := ringwall.Look{Control: HistoryControl, Way: ringwall.Input, State: ringwall.Ran}
	defer func() { x.Looks = append(x.Looks, look) }()
	c, err := x.conversation()
	if err != nil {
		look.State, look.Why = ringwall.Failed, whyUntold
		x.disbelieve(nil)
		return
	}
	tokens := x.r.Header.Values(HistoryHeader)
	carried := ""
	if len(tokens) == 1 {
		carried = tokens[0]
	}
	x.carried = len(tokens) > 0 && !x.Stream
	past, err := x.world.History.Look(ctx, Owner(x.Principal), x.session(c), c, carried)
	if err != nil {
		look.State, look.Why = ringwall.Failed, whyHistoryAway
	}
	x.past, x.calls.passed = past, x.following(c.Turns, past.Passed())
	if x.world.Retell != nil {
		x.retold = x.world.Retell(x.Dialect, x.contentType(x.Stream), x.Stream)
	}
	x.disbelieve(c.Turns)
}

// following believes results in the first turns of a request that goes on from an
// answer by its id: the calls that they are for are with the provider, which knows them.
func (x *exchange) following(turns []ringwall.Turn, passed []bool) []bool {
	for i := range passed {
		if !x.follows || turns[i].Role == ringwall.RoleAssistant {
			break
		}
		passed[i] = true
	}
	return passed
}

// session names the conversation for the history: as the application does, or else as
// that of its end user. Without either, a conversation is told by what is said in it.
func (x *exchange) session(c *ringwall.Conversation) string {
	if name := x.r.Header.Get(ConversationHeader); name != "" {
		return "named\x00" + name
	}
	for _, t := range x.Prompt {
		if t.Path == conversationPath && t.Value != "" {
			return "named\x00" + t.Value
		}
	}
	if c.User != "" {
		return "user\x00" + c.User
	}
	return ""
}

// disbelieve marks the texts of the model's turns that did not pass as nobody's. Texts
// belong to turns by their order; where they do not fit together, all of the model's
// are marked unless all passed. Turns are nil where nobody could tell them.
func (x *exchange) disbelieve(turns []ringwall.Turn) {
	var runs []bool // of the model's turns behind one another: whether they passed
	before, all := ringwall.RoleUser, turns != nil
	for i, t := range turns {
		switch {
		case t.Role == ringwall.RoleSystem:
			continue
		case t.Role == ringwall.RoleAssistant && before != ringwall.RoleAssistant:
			runs = append(runs, true)
		}
		if t.Role == ringwall.RoleAssistant && !x.calls.passed[i] {
			runs[len(runs)-1], all = false, false
		}
		before = t.Role
	}
	if all {
		return
	}
	texts := make([]int, len(x.Prompt)) // the run that a text is of, from 1; 0: none
	n, speaks := 0, false
	for i, t := range x.Prompt {
		switch t.Origin {
		case ringwall.Assistant:
			if !speaks {
				n, speaks = n+1, true
			}
			texts[i] = n
		case ringwall.User, ringwall.Tool, ringwall.Retrieved:
			speaks = false
		case ringwall.System, ringwall.Unverified:
		}
	}
	first := ""
	prompt := slices.Clone(x.Prompt)
	for i, run := range texts {
		if run > 0 && (n != len(runs) || !runs[run-1]) {
			prompt[i].Origin = ringwall.Unverified
			first = cmp.Or(first, prompt[i].Path)
		}
	}
	x.Prompt = prompt
	x.Findings = append(x.Findings, ringwall.Finding{
		Control: HistoryControl, Reason: ReasonUnverifiedTurn, Severity: ringwall.Info, Score: 1, Path: first,
		Shadow: ringwall.Flag.String(), // it decides nothing by itself
	})
}

// told takes what goes out to the client, and signs it before its end does: who reads
// the end may ask again at once. It returns the token of a client that carries it.
func (x *exchange) told(out []byte) string {
	if x.past == nil || x.retold == nil {
		return ""
	}
	x.retold.Write(out)
	answer, whole := x.retold.Said()
	if !whole {
		return ""
	}
	past := x.past
	x.past, x.retold = nil, nil
	// A client that left may come back with what it read.
	token, err := past.Sign(context.WithoutCancel(x.r.Context()), answer, x.carried)
	if err != nil {
		x.g.cfg.Log.Debug("an answer is not signed: it will be taken as unverified", "exchange", x.ID, "error", err)
	}
	return token
}

// toldWhole is told for a whole answer.
func (x *exchange) toldWhole(out []byte) {
	if token := x.told(out); token != "" {
		x.w.Header().Set(HistoryHeader, token)
	}
}
