package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/approval"
	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/toolcall"
)

// Approvals says who lets go what is held, and bounds what people are asked.
type Approvals struct {
	Off          bool           `yaml:"off" doc:"ask nobody: what is held stays refused" default:"false"`
	Needs        []ApprovalNeed `yaml:"needs" doc:"who approves calls of tools, by what they do; default: who asked approves what reads, writes or goes to others, a second person what destroys"`
	Trust        ringwall.Trust `yaml:"trust" doc:"least trust of a second person: verified, customer, staff or operator" default:"staff"`
	StandIn      []string       `yaml:"stand_in" doc:"roles of those who may approve in the place of a user of their tenant, such as one whose agent has a key of its own" example:"[support]"`
	Pending      time.Duration  `yaml:"pending" doc:"how long something waits; then it is denied" default:"10m"`
	Valid        time.Duration  `yaml:"valid" doc:"how long what is approved can be used, once" default:"5m"`
	Denied       time.Duration  `yaml:"denied" doc:"how long the same call in the same conversation is denied again without asking" default:"15m"`
	Wait         time.Duration  `yaml:"wait" doc:"how long a request waits for a decision before its client is told to come back; at most 1m" default:"0s"`
	Keep         time.Duration  `yaml:"keep" doc:"how long is known what became of approvals" default:"720h"`
	Show         time.Duration  `yaml:"keep_arguments" doc:"how long arguments can be read behind the end of an approval; they are sealed" default:"0s"`
	Conversation int            `yaml:"per_conversation" doc:"most that wait at a time in a conversation; what is more is denied" default:"3"`
	Principal    int            `yaml:"per_principal" doc:"most that wait at a time of a principal" default:"20"`
	Hourly       int            `yaml:"per_hour" doc:"most that a principal asks for in an hour" default:"60"`
	Think        time.Duration  `yaml:"think" doc:"least time between seeing something and approving it" default:"2s"`
	Most         int            `yaml:"most" doc:"how many one person approves within the time below before they must pause" default:"10"`
	Within       time.Duration  `yaml:"within" doc:"that time" default:"5m"`
	Pause        time.Duration  `yaml:"pause" doc:"how long the pause is" default:"5m"`
	Same         bool           `yaml:"same_credential" doc:"let users approve by the credential that asked, if it has the scope approve: who drives the agent can then approve what it does" default:"false"`
}

// ApprovalNeed says who approves what has certain effects.
type ApprovalNeed struct {
	Effects []string `yaml:"effects" doc:"read, write, external, destructive" example:"[destructive]"`
	By      string   `yaml:"by" doc:"user: who asked, over another way; second: somebody else of the tenant; role: somebody else with one of the roles" enum:"user|second|role" default:"second"`
	Roles   []string `yaml:"roles" doc:"of by: role" example:"[]"`
	Count   int      `yaml:"count" doc:"how many different people; of user 1" default:"1"`
}

// Rules returns a as the store takes it.
func (a *Approvals) Rules() approval.Rules {
	r := approval.Rules{
		Needs: map[string]approval.Need{}, Trust: a.Trust, StandIn: a.StandIn, Pending: a.Pending, Approved: a.Valid, Denied: a.Denied, Keep: a.Keep, Show: a.Show,
		Conversation: a.Conversation, Principal: a.Principal, Hourly: a.Hourly, Think: a.Think, Most: a.Most, Within: a.Within, Pause: a.Pause, SameCredential: a.Same,
	}
	for _, n := range a.Needs {
		for _, e := range n.Effects {
			r.Needs[e] = approval.Need{By: n.By, Roles: n.Roles, Count: n.Count}
		}
	}
	return r
}

// Sealed reports whether there is a key that arguments can be sealed with: replicas that
// share a database must share it.
func (a *Approvals) Sealed(c *Config) bool { return c.Database.IsZero() || !c.Restore.Key.IsZero() }

func (c *Config) checkApprovals(fail failing) {
	a := &c.Approvals
	seen := map[string]bool{}
	for i, n := range a.Needs {
		at := strictyaml.Index("approvals.needs", i)
		if len(n.Effects) == 0 {
			fail(at+".effects", "of what? Name effects: read, write, external, destructive")
		}
		for j, e := range n.Effects {
			path := strictyaml.Index(at+".effects", j)
			if !slices.Contains(toolcall.Effects(), e) {
				fail(path, "unknown effect %q: want one of %v", e, toolcall.Effects())
			}
			if seen[e] {
				fail(path, "who approves %s is said twice", e)
			}
			seen[e] = true
		}
		if err := (approval.Need{By: n.By, Roles: n.Roles, Count: n.Count}).Check(); err != nil {
			fail(at, "%v", err)
		}
	}
	if a.Trust == ringwall.Anonymous {
		fail("approvals.trust", "want verified, customer, staff or operator")
	}
	for _, f := range []struct {
		name        string
		is          time.Duration
		least, most time.Duration
	}{
		{"pending", a.Pending, time.Second, 7 * 24 * time.Hour},
		{"valid", a.Valid, time.Second, 24 * time.Hour},
		{"denied", a.Denied, time.Second, 7 * 24 * time.Hour},
		{"wait", a.Wait, 0, time.Minute},
		{"keep", a.Keep, time.Hour, 10 * 366 * 24 * time.Hour},
		{"keep_arguments", a.Show, 0, 366 * 24 * time.Hour},
		{"think", a.Think, time.Second, time.Hour},
		{"within", a.Within, time.Second, 24 * time.Hour},
		{"pause", a.Pause, time.Second, 24 * time.Hour},
	} {
		if f.is < f.least || f.is > f.most {
			fail("approvals."+f.name, "want %s to %s", short(f.least), short(f.most))
		}
	}
	for name, n := range map[string]int{"per_conversation": a.Conversation, "per_principal": a.Principal, "per_hour": a.Hourly, "most": a.Most} {
		if n < 1 || n > 10_000 {
			fail("approvals."+name, "want 1 to 10000")
		}
	}
}

// short writes a time as people do.
func short(d time.Duration) string {
	switch {
	case d == 0:
		return "0s"
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}
