package approval

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ringwall/ringwall"
)

// Conditions that callers test with errors.Is.
var (
	ErrNotFound  = errors.New("there is no such approval")
	ErrDone      = errors.New("it does not wait for anybody any more")
	ErrNotYours  = errors.New("it is not for you to decide")
	ErrTwice     = errors.New("you have approved it already; somebody else has to, too")
	ErrUnread    = errors.New("read it first")
	ErrNotTyped  = errors.New("type what it is about")
	ErrPaused    = errors.New("you have approved many in a short time: have a break")
	ErrDifferent = errors.New("the digest is not that of the arguments")
)

// State is where an approval stands. The zero value is Denied.
type State uint8

// States.
const (
	Denied State = iota
	Expired
	Pending
	Approved
	Used
)

var stateNames = [...]string{"denied", "expired", "pending", "approved", "used"}

// States are their names.
func States() []string { return slices.Clone(stateNames[:]) }

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("unknown(%d)", uint8(s))
}

// MarshalText encodes s as its lower-case name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText accepts the names of the states. What is none is Denied, and an error.
func (s *State) UnmarshalText(b []byte) error {
	i := slices.Index(stateNames[:], string(b))
	*s = State(max(i, 0))
	if i < 0 {
		return fmt.Errorf("unknown state %.20q: want one of %v", b, stateNames)
	}
	return nil
}

// stateOf reads what the database says; what nobody knows is denied.
func stateOf(text string) (s State) {
	_ = s.UnmarshalText([]byte(text)) // Denied, then
	return s
}

// Kinds of what waits.
const (
	ToolCall = "tool-call" // a call of a tool; its digest is that of package toolcall
	Deed     = "deed"      // what a policy holds; the tool is the deed, and the arguments say on what
)

// Who has to approve.
const (
	ByUser   = "user"   // who asked, over another way than the one that asked; or who may stand in
	BySecond = "second" // somebody else of the same tenant: four eyes
	ByRole   = "role"   // somebody else who has one of the roles
)

// Need says who has to approve something. The zero Need is that of the effect, by the
// [Rules].
type Need struct {
	By    string   `json:"by"`
	Roles []string `json:"roles,omitempty"` // of ByRole
	Count int      `json:"count"`           // different people; of ByUser 1
}

// Check says what is wrong with n.
func (n Need) Check() error {
	switch {
	case n.By != ByUser && n.By != BySecond && n.By != ByRole:
		return fmt.Errorf("approved by %.20q: want user, second or role", n.By)
	case n.By == ByRole && len(n.Roles) == 0:
		return errors.New("approved by role: want roles")
	case n.By != ByRole && len(n.Roles) > 0:
		return errors.New("roles are for what is approved by role")
	case n.By == ByUser && n.Count != 1, n.Count < 1, n.Count > 10:
		return errors.New("want a count from 1 to 10, and of user 1")
	}
	return nil
}

// Request is what is to be approved. Principal, Conversation, Kind and Digest say which
// it is; the rest is for people to see.
type Request struct {
	Principal    ringwall.Principal
	Conversation string // "": none is known, and it is approved for whichever is none
	Kind         string // default ToolCall
	Tool         string
	Effect       string // read, write, external, destructive; what is none counts as external
	Digest       string
	Arguments    string // exactly as they are; of a ToolCall those that Digest is of
	Rules        []string
	Provenance   []ringwall.ArgumentUse
	Exchange     string
	Need         Need      // zero: by the effect
	Expires      time.Time // zero: by the Rules
}

// Approval is what became of a Request.
type Approval struct {
	ID      string
	State   State
	Reason  string // why it is denied, in words for operators
	Request        // without Arguments and Provenance once they are dropped
	Sealed  bool   // arguments and provenance are not shown, or were dropped
	Created time.Time
	Ended   time.Time // when it was denied, used, or found to be expired
	Votes   []Vote
}

// Vote is a person's word.
type Vote struct {
	Principal string        `json:"principal"`
	Tenant    string        `json:"tenant,omitempty"`
	Via       string        `json:"via"`
	At        time.Time     `json:"at"`
	Thought   time.Duration `json:"thought"` // since they were first shown it; 0: nobody knows
	Approve   bool          `json:"approve"`
}

// approvals counts those who approved.
func (a *Approval) approvals() (n int) {
	for _, v := range a.Votes {
		if v.Approve {
			n++
		}
	}
	return n
}

// Left is how many people have to approve still.
func (a *Approval) Left() int {
	if a.State != Pending {
		return 0
	}
	return max(0, a.Need.Count-a.approvals())
}

// Approver is a person who looks and decides.
type Approver struct {
	ringwall.Principal
	// Browser says that the principal is proved by the cookie of a session, which a
	// browser sends where a person clicks. Other credentials need the scope approve.
	Browser bool
}

// Machine is who works at the machine itself, and could change the database as well.
func Machine(name string) Approver {
	return Approver{Principal: ringwall.Principal{ID: "machine:" + name, Trust: ringwall.Operator, Via: "process"}}
}
