package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cedar-policy/cedar-go/types"

	"github.com/ringwall/ringwall"
)

// Limits on what of a request policies see. What is longer is cut, and a request that
// says more is refused.
const (
	maxText = 1024 // bytes of one text
	maxList = 512  // entries of one list
)

// Request is what somebody is about to do.
type Request struct {
	Principal ringwall.Principal
	Action    string // one of Actions
	Resource  Resource
	Context   Context
}

// Resource is what something is done to. Where the bundle knows it by its file of
// entities, it has what that says besides.
type Resource struct {
	Type     string // "Model": a type of the schema that the action can be done to
	ID       string
	Tenant   string   // whose it is; "" where it is everybody's or only the bundle knows
	Labels   []string // beside those of the file of entities
	Provider string   // of a Model: its name in the configuration
	Server   string   // of a Tool
	Effect   string   // of a Tool: read, write, external, destructive
}

// String returns the resource as tests and commands name it: Model::assistant.
func (r Resource) String() string { return r.Type + "::" + r.ID }

// Context is how a request comes.
type Context struct {
	Client    ringwall.Client
	Networks  []string  // beside those that the bundle knows the address to be in
	Time      time.Time // now; required
	Purpose   string
	Route     string
	Dialect   string
	Stream    bool
	Tools     []string
	MaxTokens int64
	Data      []string // classes of data that were noticed
	Exception string   // of use-exception: its name in the guardrail
	Untrusted bool     // of call-tool: the model reads text that anybody may have written
}

// PrincipalType returns the type of the schema that p is of.
func PrincipalType(p ringwall.Principal) string {
	switch {
	case p.Trust == ringwall.Anonymous || p.ID == "":
		return "Anonymous"
	case p.Via == "token" || p.Via == "session":
		return "User"
	case p.Via == "certificate":
		return "Workload"
	}
	return "Key"
}

// principalID returns the id that p has as an entity.
func principalID(p ringwall.Principal) string {
	if PrincipalType(p) == "Anonymous" {
		return "anonymous"
	}
	return p.ID
}

// check refuses what no policy can decide about.
func (r *Request) check() error {
	known := resourceTypes(r.Action)
	switch {
	case known == nil:
		return fmt.Errorf("there is no action %q: there are %s", clip(r.Action), strings.Join(Actions(), ", "))
	case !slices.Contains(known, r.Resource.Type):
		return fmt.Errorf("%s is done to a %s, not to a %q", r.Action, strings.Join(known, " or a "), clip(r.Resource.Type))
	case r.Context.Time.IsZero():
		return fmt.Errorf("the time of the request is not known")
	case max(len(r.Context.Tools), len(r.Context.Data), len(r.Context.Networks), len(r.Principal.Roles), len(r.Principal.Scopes), len(r.Resource.Labels)) > maxList:
		return fmt.Errorf("a list of the request has more than %d entries", maxList)
	case max(len(r.Resource.ID), len(r.Principal.ID), len(r.Principal.Tenant), len(r.Resource.Tenant)) > maxText:
		return fmt.Errorf("an id of the request has more than %d bytes", maxText)
	}
	for _, role := range r.Principal.Roles {
		if len(role) > maxText {
			return fmt.Errorf("a role of the request has more than %d bytes", maxText)
		}
	}
	return nil
}

// clip cuts what somebody sent to what a policy or an error may hold.
func clip(s string) string {
	if len(s) > maxText {
		return s[:maxText]
	}
	return s
}

// asked is a Request in Cedar's words.
type asked struct {
	*Bundle
	principal, action, resource types.Entity
	context                     types.Record
}

// Get implements types.EntityGetter.
func (a *asked) Get(uid types.EntityUID) (types.Entity, bool) {
	switch uid {
	case a.principal.UID:
		return a.principal, true
	case a.resource.UID:
		return a.resource, true
	}
	e, ok := a.entities[uid]
	return e, ok
}

// attributes collects those that some policy reads, for each costs time.
type attributes struct {
	reads map[string]bool
	whole bool // all are read
	m     types.RecordMap
}

func (a *attributes) wants(name string) bool { return a.whole || a.reads[name] }

func (a *attributes) text(name, s string) {
	if a.wants(name) {
		a.m[types.String(name)] = types.String(clip(s))
	}
}

func (a *attributes) long(name string, n int64) {
	if a.wants(name) {
		a.m[types.String(name)] = types.Long(n)
	}
}

func (a *attributes) flag(name string, b bool) {
	if a.wants(name) {
		a.m[types.String(name)] = types.Boolean(b)
	}
}

func (a *attributes) list(name string, list []string) {
	if a.wants(name) {
		a.m[types.String(name)] = setOf(list)
	}
}

func setOf(lists ...[]string) types.Set {
	var values []types.Value
	for _, list := range lists {
		for _, s := range list {
			values = append(values, types.String(clip(s)))
		}
	}
	return types.NewSet(values...)
}

func (b *Bundle) attributes() attributes {
	return attributes{reads: b.reads, whole: b.whole, m: types.RecordMap{}}
}

// ask puts r into Cedar's words.
func (b *Bundle) ask(r *Request) *asked {
	return &asked{
		Bundle: b, principal: b.principal(&r.Principal), action: types.Entity{UID: uid("Action", r.Action)},
		resource: b.resource(&r.Resource), context: b.context(r),
	}
}

func (b *Bundle) principal(p *ringwall.Principal) types.Entity {
	e := types.Entity{UID: uid(PrincipalType(*p), principalID(*p))}
	parents := make([]types.EntityUID, 0, len(p.Roles)+4)
	for _, role := range p.Roles {
		parents = append(parents, uid("Role", role))
	}
	if p.Tenant != "" {
		parents = append(parents, uid("Tenant", p.Tenant))
	}
	// The same id may be somebody else's in another tenant.
	if known, ok := b.entities[e.UID]; ok && tenantOf(known) == p.Tenant {
		for parent := range known.Parents.All() {
			parents = append(parents, parent)
		}
	}
	e.Parents = types.NewEntityUIDSet(parents...)
	a := b.attributes()
	a.text("tenant", p.Tenant)
	a.long("trust", int64(p.Trust))
	a.text("trust_name", p.Trust.String())
	a.list("roles", p.Roles)
	a.text("via", p.Via)
	a.text("credential", p.Key)
	a.flag("scoped", p.Scopes != nil)
	a.list("scopes", p.Scopes)
	e.Attributes = types.NewRecord(a.m)
	return e
}

func tenantOf(e types.Entity) string {
	v, _ := e.Attributes.Get("tenant")
	s, _ := v.(types.String)
	return string(s)
}

func (b *Bundle) resource(r *Resource) types.Entity {
	e := types.Entity{UID: uid(r.Type, r.ID)}
	known := b.entities[e.UID]
	if r.Tenant != "" && tenantOf(known) != "" && tenantOf(known) != r.Tenant {
		known = types.Entity{} // another tenant's, of the same name
	}
	e.Parents = known.Parents
	own := *r
	if own.Tenant == "" {
		own.Tenant = tenantOf(known)
	}
	text := func(to *string, name types.String) {
		if v, there := known.Attributes.Get(name); there {
			if s, _ := v.(types.String); s != "" {
				*to = string(s) // what the operator wrote counts more than what a server says of itself
			}
		}
	}
	text(&own.Provider, "provider")
	text(&own.Server, "server")
	text(&own.Effect, "effect")
	a := b.attributes()
	a.text("tenant", own.Tenant)
	if a.wants("labels") {
		a.m["labels"] = labels(known, r.Labels)
	}
	switch r.Type {
	case "Model":
		a.text("provider", own.Provider)
	case "Tool":
		a.text("server", own.Server)
		a.text("effect", own.Effect)
		if v, there := known.Attributes.Get("least_trust"); there && a.wants("least_trust") {
			a.m["least_trust"] = v
		} else {
			a.long("least_trust", int64(ringwall.Operator))
		}
	}
	e.Attributes = types.NewRecord(a.m)
	return e
}

// labels returns those of the file of entities and of the request.
func labels(known types.Entity, more []string) types.Value {
	v, _ := known.Attributes.Get("labels")
	set, _ := v.(types.Set)
	if len(more) == 0 {
		return set
	}
	all := slices.Collect(set.All())
	for _, label := range more {
		all = append(all, types.String(clip(label)))
	}
	return types.NewSet(all...)
}

func (b *Bundle) context(r *Request) types.Record {
	c, a := &r.Context, b.attributes()
	addr := c.Client.Addr
	if !addr.IsValid() {
		addr = netip.IPv6Unspecified()
	}
	addr = addr.Unmap().WithZone("")
	if a.wants("address") {
		a.m["address"] = types.IPAddr(netip.PrefixFrom(addr, addr.BitLen()))
	}
	a.text("country", c.Client.Country)
	a.long("asn", int64(c.Client.ASN))
	if a.wants("networks") {
		a.m["networks"] = setOf(c.Networks, b.networksOf(addr))
	}
	if a.wants("time") {
		a.m["time"] = b.time(c.Time.In(b.zone))
	}
	if a.wants("now") {
		a.m["now"] = types.NewDatetime(c.Time)
	}
	a.text("purpose", c.Purpose)
	a.text("route", c.Route)
	a.text("dialect", c.Dialect)
	a.flag("stream", c.Stream)
	a.list("tools", c.Tools)
	a.long("max_tokens", c.MaxTokens)
	a.list("data", c.Data)
	a.text("exception", c.Exception)
	a.flag("untrusted", c.Untrusted)
	a.text("acr", r.Principal.ACR)
	if at := r.Principal.Proved; !at.IsZero() {
		a.long("session_age", max(0, int64(c.Time.Sub(at)/time.Second)))
	}
	return types.NewRecord(a.m)
}

// time returns the parts of a time.
func (b *Bundle) time(t time.Time) types.Record {
	a := b.attributes()
	a.whole = a.whole || b.wholeTime
	a.long("hour", int64(t.Hour()))
	a.long("minute", int64(t.Minute()))
	a.long("weekday", int64((t.Weekday()+6)%7+1))
	if a.wants("date") {
		a.text("date", t.Format(time.DateOnly))
	}
	a.long("epoch", t.Unix())
	return types.NewRecord(a.m)
}

// networksOf returns the names of the networks that addr is in, sorted.
func (b *Bundle) networksOf(addr netip.Addr) (names []string) {
	for _, n := range b.networks {
		if slices.ContainsFunc(n.Prefixes, func(p netip.Prefix) bool { return p.Contains(addr) }) {
			names = append(names, n.Name)
		}
	}
	return names
}
