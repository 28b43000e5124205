package approval

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/scope"
)

// Rules say who approves what, and bound what people are asked. Zero fields mean the
// defaults of [DefaultRules].
type Rules struct {
	Needs    map[string]Need // by effect; of one that is not there that of "external"
	Trust    ringwall.Trust  // least trust of a second person
	StandIn  []string        // roles of those who may approve in the place of a user, of the same tenant
	Pending  time.Duration   // how long something waits
	Approved time.Duration   // how long an approval can be used
	Denied   time.Duration   // how long the same is denied without asking
	Keep     time.Duration   // how long is known what became of it
	Show     time.Duration   // how long arguments are kept behind the end

	Conversation int // pending at a time in a conversation of a principal
	Principal    int // pending at a time of a principal
	Hourly       int // asked in an hour by a principal

	Think  time.Duration // least time between seeing and approving
	Most   int           // approvals of one person in Within, and then Pause
	Within time.Duration
	Pause  time.Duration

	// SameCredential lets users approve by the credential that asked: whoever drives
	// the agent can then approve what it does.
	SameCredential bool
}

// DefaultRules are the rules where nobody wrote others.
func DefaultRules() Rules {
	return Rules{
		Needs: map[string]Need{
			"read": {By: ByUser, Count: 1}, "write": {By: ByUser, Count: 1}, "external": {By: ByUser, Count: 1}, "destructive": {By: BySecond, Count: 1},
		},
		Trust:   ringwall.Staff,
		Pending: 10 * time.Minute, Approved: 5 * time.Minute, Denied: 15 * time.Minute, Keep: 30 * 24 * time.Hour,
		Conversation: 3, Principal: 20, Hourly: 60,
		Think: 2 * time.Second, Most: 10, Within: 5 * time.Minute, Pause: 5 * time.Minute,
	}
}

// filled returns r with the defaults for what it does not say.
func (r Rules) filled() Rules {
	d := DefaultRules()
	needs := maps.Clone(d.Needs)
	maps.Copy(needs, r.Needs)
	r.Needs = needs
	if r.Trust == ringwall.Anonymous {
		r.Trust = d.Trust
	}
	for _, f := range []struct {
		at  *time.Duration
		def time.Duration
	}{{&r.Pending, d.Pending}, {&r.Approved, d.Approved}, {&r.Denied, d.Denied}, {&r.Keep, d.Keep}, {&r.Think, d.Think}, {&r.Within, d.Within}, {&r.Pause, d.Pause}} {
		if *f.at == 0 {
			*f.at = f.def
		}
	}
	for _, f := range []struct {
		at  *int
		def int
	}{{&r.Conversation, d.Conversation}, {&r.Principal, d.Principal}, {&r.Hourly, d.Hourly}, {&r.Most, d.Most}} {
		if *f.at == 0 {
			*f.at = f.def
		}
	}
	return r
}

// Check says what is wrong with r.
func (r Rules) Check() error {
	r = r.filled()
	for _, effect := range slices.Sorted(maps.Keys(r.Needs)) {
		if err := r.Needs[effect].Check(); err != nil {
			return fmt.Errorf("approvals of %s: %w", effect, err)
		}
	}
	if min(r.Pending, r.Approved, r.Denied, r.Keep, r.Within, r.Pause) < time.Second || r.Think < 0 || r.Show < 0 {
		return errors.New("approvals: times are a second or more")
	}
	if r.Pending > 7*24*time.Hour || r.Approved > 24*time.Hour {
		return errors.New("approvals: nothing waits longer than 168h, and an approval can be used for 24h at most")
	}
	if min(r.Conversation, r.Principal, r.Hourly, r.Most) < 1 {
		return errors.New("approvals: want numbers of 1 or more")
	}
	return nil
}

// need is who has to approve what has an effect.
func (r *Rules) need(effect string) Need {
	if n, ok := r.Needs[effect]; ok {
		return n
	}
	return r.Needs["external"]
}

// Deeds, as scopes name them.
const (
	deedApprove = "approve"
	deedRead    = "read-approvals"
)

// named reports whether the credential was made for a deed: its scopes say so. One
// without scopes is good for all that its principal may, and an agent's is one of those.
func named(p *ringwall.Principal, deed string) bool {
	return slices.Contains(p.Scopes, deed) && scope.Allows(p.Scopes, scope.Ask{Deed: deed, Route: "/approvals/"})
}

// person reports whether it is a person who speaks, as far as the way shows.
func (by *Approver) person() bool {
	if by.ID == "" || by.Trust <= ringwall.Anonymous {
		return false
	}
	return by.Browser && by.Via == "session" || by.machine() || named(&by.Principal, deedApprove)
}

// machine reports whether it is who works at the machine.
func (by *Approver) machine() bool { return by.Via == "process" && by.Trust == ringwall.Operator }

// everywhere reports whether by is an operator of all tenants.
func (by *Approver) everywhere() bool {
	return by.machine() || by.Trust == ringwall.Operator && by.Tenant == "" && named(&by.Principal, deedApprove)
}

func hasOne(roles, want []string) bool {
	return slices.ContainsFunc(want, func(w string) bool { return slices.Contains(roles, w) })
}

// asked reports whether by is the principal who asked.
func (by *Approver) asked(a *Approval) bool {
	return by.ID == a.Principal.ID && by.Tenant == a.Principal.Tenant
}

// otherWay reports whether by, who asked, speaks over another way than the one that
// asked. All keys of a line are in one hand.
func (by *Approver) otherWay(a *Approval) bool {
	return by.Browser || !program(&by.Principal) && by.Key != "" && by.Key != a.Principal.Key
}

// program reports whether p is no person: keys and certificates are principals of their
// own, whoever holds them.
func program(p *ringwall.Principal) bool { return p.Via != "session" && p.Via != "token" }

// forbids says why by may not decide about a; nil: by may. The error wraps ErrNotYours.
func (r *Rules) forbids(a *Approval, by *Approver) error {
	no := func(why string) error { return fmt.Errorf("%w: %s", ErrNotYours, why) }
	if !by.person() {
		return no("approving takes a browser session, or a credential with the scope approve")
	}
	if by.Tenant != a.Principal.Tenant && !by.everywhere() {
		return no("it is another tenant's")
	}
	if by.asked(a) {
		switch {
		case a.Need.By != ByUser:
			return no("somebody else than who asked has to approve it")
		case !r.SameCredential && !by.otherWay(a):
			return no("the credential that asked cannot approve: use a browser session, or another credential of yours with the scope approve")
		}
		return nil
	}
	if by.ID == a.Principal.ID || by.Key != "" && by.Key == a.Principal.Key {
		return no("somebody else than who asked has to approve it")
	}
	switch a.Need.By {
	case ByUser:
		second := program(&a.Principal) && by.Trust >= r.Trust // nobody else could
		if !second && !by.everywhere() && !hasOne(by.Roles, r.StandIn) {
			return no("who asked has to approve it")
		}
	case BySecond:
		if by.Trust < r.Trust {
			return no("a second person needs trust " + r.Trust.String())
		}
	case ByRole:
		if !by.machine() && !hasOne(by.Roles, a.Need.Roles) {
			return no("it takes one of the roles that are asked for")
		}
	default:
		return no("nobody can say who may")
	}
	return nil
}

// sees reports whether by may know of a: who may decide, who asked, and whose credential
// was made for looking.
func (r *Rules) sees(a *Approval, by *Approver) bool {
	return r.ends(a, by) || by.looksOn() && (by.Tenant == a.Principal.Tenant && by.Trust >= r.Trust || by.looksEverywhere())
}

// ends reports whether by may deny a: who may decide, and who asked.
func (r *Rules) ends(a *Approval, by *Approver) bool {
	return by.asked(a) && by.ID != "" || r.forbids(a, by) == nil
}

// looksOn reports whether the credential was made for looking.
func (by *Approver) looksOn() bool { return by.ID != "" && named(&by.Principal, deedRead) }

// looksEverywhere reports whether by may look at what is of all tenants.
func (by *Approver) looksEverywhere() bool {
	return by.everywhere() || by.looksOn() && by.Trust == ringwall.Operator && by.Tenant == ""
}
