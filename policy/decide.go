package policy

import (
	"fmt"
	"iter"
	"slices"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
)

// Effect is what a decision comes to. The zero value denies.
type Effect uint8

// Effects, strictest first.
const (
	Deny Effect = iota
	Hold        // only with somebody's approval
	Allow
)

var effects = []string{"deny", "hold", "allow"}

func (e Effect) String() string {
	if int(e) >= len(effects) {
		return fmt.Sprintf("unknown(%d)", uint8(e))
	}
	return effects[e]
}

// MarshalText encodes e as its lower-case name.
func (e Effect) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText accepts the names of the effects.
func (e *Effect) UnmarshalText(text []byte) error {
	i := slices.Index(effects, string(text))
	if i < 0 {
		return fmt.Errorf("unknown effect %q: want one of %v", clip(string(text)), effects)
	}
	*e = Effect(i)
	return nil
}

// What stands in a Decision where no policy of the bundle decided.
const (
	TenantWall = ours + "tenant-wall" // the resource is another tenant's
	NoPermit   = ours + "no-permit"   // no policy permits it
	Unasked    = ours + "not-asked"   // the request is none that policies can decide about
)

// Decision is what policies say about a request. The zero Decision denies.
type Decision struct {
	Effect   Effect   `json:"decision"`
	Policies []string `json:"policies"`         // the ids of those that decided, sorted; never empty
	Holds    []string `json:"holds,omitempty"`  // of Hold: what the approval is needed for
	Errors   []string `json:"errors,omitempty"` // of policies that could not be evaluated: "id: what"
}

// wall keeps tenants apart. No other policy can lift it, for a forbid is stronger than
// all permits, and nobody else may use its name.
const wall = `@id("` + TenantWall + `")
@description("What is a tenant's is for its own callers only.")
forbid (principal, action, resource) when { resource.tenant != "" && resource.tenant != principal.tenant };`

// addWall adds it.
func (b *Bundle) addWall() error {
	var c cedar.Policy
	if err := c.UnmarshalCedar([]byte(wall)); err != nil {
		return fmt.Errorf("reading the wall between tenants: %w", err)
	}
	p := &Policy{ID: TenantWall, Forbids: true, File: "ringwall", Line: 1, Text: wall, cedar: &c}
	if err := valid(p); err != nil {
		return err
	}
	b.add(p)
	return nil
}

// index finds the policies that an action may concern by whom or what they name, so
// that those of other tenants, roles and resources cost nothing.
type index struct {
	all   []*Policy // that name nobody and nothing
	named map[types.EntityUID][]*Policy
}

// build fills what follows from the policies.
func (b *Bundle) build() {
	for _, p := range b.policies {
		tree := (*ast.Policy)(p.cedar.AST())
		key, named := named(tree)
		for _, action := range actionsOf(tree.Action) {
			i := b.index[action]
			if i == nil {
				i = &index{named: map[types.EntityUID][]*Policy{}}
				b.index[action] = i
			}
			if named {
				i.named[key] = append(i.named[key], p)
			} else {
				i.all = append(i.all, p)
			}
		}
		for _, c := range tree.Conditions {
			b.note(c.Body)
		}
	}
}

// note takes down what attributes a condition reads.
func (b *Bundle) note(n ast.IsNode) {
	ast.Inspect(ast.NewNode(n), func(n ast.IsNode) bool {
		var arg ast.IsNode
		switch n := n.(type) {
		case ast.NodeTypeAccess:
			b.reads[string(n.Value)], arg = true, n.Arg
			b.wholeTime = b.wholeTime || isTime(n)
		case ast.NodeTypeHas:
			b.reads[string(n.Value)], arg = true, n.Arg
		case ast.NodeTypeVariable:
			if n.Name == "context" {
				b.whole = true
			}
		}
		if isTime(arg) {
			b.reads["time"] = true
			return false // a part of it, not the whole
		}
		v, ok := arg.(ast.NodeTypeVariable)
		return !ok || v.Name != "context" // an attribute of it, not the whole
	})
}

// isTime reports whether n is context.time.
func isTime(n ast.IsNode) bool {
	a, ok := n.(ast.NodeTypeAccess)
	if !ok || a.Value != "time" {
		return false
	}
	v, ok := a.Arg.(ast.NodeTypeVariable)
	return ok && v.Name == "context"
}

// actionsOf returns the actions that the head of a policy names.
func actionsOf(scope ast.IsActionScopeNode) (names []string) {
	add := func(uids ...types.EntityUID) {
		for _, uid := range uids {
			names = append(names, words().actions[string(uid.ID)]...)
		}
	}
	switch s := scope.(type) {
	case ast.ScopeTypeEq:
		add(s.Entity)
	case ast.ScopeTypeIn:
		add(s.Entity)
	case ast.ScopeTypeInSet:
		add(s.Entities...)
	default:
		names = Actions()
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// named returns the entity without which a policy cannot fit: the caller, or a role,
// a group or a tenant of theirs; or the resource, or a collection that it is in.
func named(p *ast.Policy) (types.EntityUID, bool) {
	for _, scope := range []ast.IsScopeNode{p.Principal, p.Resource} {
		switch s := scope.(type) {
		case ast.ScopeTypeEq:
			return s.Entity, true
		case ast.ScopeTypeIn:
			return s.Entity, true
		case ast.ScopeTypeIsIn:
			return s.Entity, true
		}
	}
	// Or a condition that comes before all others, so that none of them could fail.
	if len(p.Conditions) == 0 || p.Conditions[0].Condition != ast.ConditionWhen {
		return types.EntityUID{}, false
	}
	n := p.Conditions[0].Body
	for {
		and, ok := n.(ast.NodeTypeAnd)
		if !ok {
			break
		}
		n = and.Left
	}
	eq, ok := n.(ast.NodeTypeEquals)
	if !ok {
		return types.EntityUID{}, false
	}
	access, ok := eq.Left.(ast.NodeTypeAccess)
	if !ok || access.Value != "tenant" {
		return types.EntityUID{}, false
	}
	of, ok := access.Arg.(ast.NodeTypeVariable)
	value, is := eq.Right.(ast.NodeValue)
	if !ok || !is || of.Name != "principal" {
		return types.EntityUID{}, false
	}
	tenant, ok := value.Value.(types.String)
	return uid("Tenant", string(tenant)), ok && tenant != ""
}

// candidates are the policies that may fit a request.
type candidates []*Policy

// All implements cedar.PolicyIterator.
func (c candidates) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for _, p := range c {
			if !yield(cedar.PolicyID(p.ID), p.cedar) {
				return
			}
		}
	}
}

// candidates returns those of a request.
func (b *Bundle) candidates(a *asked, action string) candidates {
	i := b.index[action]
	if i == nil {
		return nil
	}
	if len(i.named) == 0 {
		return i.all
	}
	out := slices.Clone(i.all)
	seen := make(map[types.EntityUID]bool, 8)
	var climb func(uid types.EntityUID)
	climb = func(uid types.EntityUID) {
		if seen[uid] {
			return
		}
		seen[uid] = true
		out = append(out, i.named[uid]...)
		if e, ok := a.Get(uid); ok {
			for parent := range e.Parents.All() {
				climb(parent)
			}
		}
	}
	climb(a.principal.UID)
	climb(a.resource.UID)
	return out
}

// Decide says whether r is allowed. A policy that cannot be evaluated never lets
// anything: a forbid then denies, and a permit that holds then holds.
func (b *Bundle) Decide(r *Request) Decision {
	if b == nil {
		return Decision{Policies: []string{Unasked}, Errors: []string{"there are no policies"}}
	}
	if err := r.check(); err != nil {
		return Decision{Policies: []string{Unasked}, Errors: []string{err.Error()}}
	}
	a := b.ask(r)
	effect, diag := cedar.Authorize(b.candidates(a, r.Action), a, cedar.Request{
		Principal: a.principal.UID, Action: a.action.UID, Resource: a.resource.UID, Context: a.context,
	})
	d := Decision{}
	if effect == cedar.Allow {
		d.Effect = Allow
	}
	var failed []string // of forbids
	holding := func(id cedar.PolicyID) {
		if p := b.byID[id]; d.Effect != Deny && p.Hold != "" {
			if d.Effect == Allow {
				d.Effect, d.Policies = Hold, nil
			}
			d.Policies, d.Holds = append(d.Policies, p.ID), append(d.Holds, p.Hold)
		}
	}
	for _, e := range diag.Errors {
		d.Errors = append(d.Errors, string(e.PolicyID)+": "+e.Message)
		if b.byID[e.PolicyID].Forbids {
			failed = append(failed, string(e.PolicyID))
		}
		holding(e.PolicyID)
	}
	for _, reason := range diag.Reasons {
		if d.Effect != Hold {
			d.Policies = append(d.Policies, string(reason.PolicyID))
		}
		holding(reason.PolicyID)
	}
	switch {
	case len(failed) > 0 && effect == cedar.Allow:
		d.Effect, d.Policies, d.Holds = Deny, failed, nil
	case len(failed) > 0:
		d.Policies = append(d.Policies, failed...)
	}
	if len(d.Policies) == 0 {
		d.Policies = []string{NoPermit}
	}
	slices.Sort(d.Policies)
	slices.Sort(d.Holds)
	d.Holds = slices.Compact(d.Holds)
	slices.Sort(d.Errors)
	return d
}
