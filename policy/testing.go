package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// maxTests are those of one bundle.
const maxTests = 10_000

// Test is a request with what is to be decided about it.
type Test struct {
	Name    string
	Request Request
	Expect  Effect
	By      []string // ids of policies that must be among those that decide
	File    string
	Line    int
}

// Sample is a request as files write it down.
type Sample struct {
	Principal SamplePrincipal `yaml:"principal" doc:"who asks; default: nobody known"`
	Action    string          `yaml:"action" doc:"what they are about to do" default:"ask-model"`
	Resource  string          `yaml:"resource" doc:"what it is done to, type and id" example:"Model::assistant"`
	Of        SampleResource  `yaml:"of" doc:"what is known of the resource beside what the file of entities says"`
	Context   SampleContext   `yaml:"context" doc:"how the request comes"`
}

// SamplePrincipal is a caller as files write them down.
type SamplePrincipal struct {
	ID     string         `yaml:"id" doc:"of the caller" example:"alice"`
	Tenant string         `yaml:"tenant" doc:"of the caller" example:"acme"`
	Trust  ringwall.Trust `yaml:"trust" doc:"anonymous, verified, customer, staff or operator" default:"anonymous"`
	Via    string         `yaml:"via" doc:"how it was proved; a token or a session makes a User, a certificate a Workload, all others a Key" enum:"key|signature|token|certificate|session" default:"key"`
	Key    string         `yaml:"credential" doc:"public id of the credential"`
	Roles  []string       `yaml:"roles" doc:"of the caller"`
	Scopes []string       `yaml:"scopes" doc:"what the credential is good for; default: whatever the caller may"`
	ACR    string         `yaml:"acr" doc:"how strongly they proved who they are"`
	Age    *time.Duration `yaml:"session_age" doc:"how long ago"`
}

// SampleResource is what is known of a resource as files write it down.
type SampleResource struct {
	Tenant   string   `yaml:"tenant" doc:"whose it is"`
	Labels   []string `yaml:"labels" doc:"that it has"`
	Provider string   `yaml:"provider" doc:"of a model"`
	Server   string   `yaml:"server" doc:"of a tool"`
	Effect   string   `yaml:"effect" doc:"of a tool: read, write, external, destructive"`
}

// SampleContext is how a request comes as files write it down.
type SampleContext struct {
	Address   netip.Addr `yaml:"address" doc:"of the client" example:"192.0.2.7"`
	Country   string     `yaml:"country" doc:"of the client" example:"DE"`
	ASN       uint32     `yaml:"asn" doc:"of the client's network"`
	Networks  []string   `yaml:"networks" doc:"names of networks that the address is in, beside those that the configuration says"`
	Time      time.Time  `yaml:"time" doc:"when, RFC 3339; default: noon of Monday, 2026-01-05, in policy.time_zone" example:"2026-01-05T12:00:00Z"`
	Purpose   string     `yaml:"purpose" doc:"as the caller says"`
	Route     string     `yaml:"route" doc:"path that is asked"`
	Dialect   string     `yaml:"dialect" doc:"API that is spoken"`
	Stream    bool       `yaml:"stream" doc:"a stream is asked for"`
	Tools     []string   `yaml:"tools" doc:"that the model is offered"`
	MaxTokens int64      `yaml:"max_tokens" doc:"that the answer may have"`
	Data      []string   `yaml:"data" doc:"classes of data that were noticed"`
	Exception string     `yaml:"exception" doc:"of use-exception: its name in the guardrail"`
	Untrusted bool       `yaml:"untrusted" doc:"of call-tool: the model reads text that anybody may have written"`
}

// Request returns the request that s writes down; times are in zone where it says none.
func (s *Sample) Request(zone *time.Location) (Request, error) {
	typ, id, ok := strings.Cut(s.Resource, "::")
	if !ok || id == "" {
		return Request{}, fmt.Errorf("resource %q: want a type and an id, such as Model::assistant", clip(s.Resource))
	}
	if q := len(id); q > 1 && id[0] == '"' && id[q-1] == '"' {
		id = id[1 : q-1]
	}
	if zone == nil {
		zone = time.UTC
	}
	c, p := &s.Context, &s.Principal
	r := Request{
		Principal: ringwall.Principal{ID: p.ID, Tenant: p.Tenant, Trust: p.Trust, Via: p.Via, Key: p.Key, Roles: p.Roles, Scopes: p.Scopes, ACR: p.ACR},
		Action:    s.Action,
		Resource:  Resource{Type: typ, ID: id, Tenant: s.Of.Tenant, Labels: s.Of.Labels, Provider: s.Of.Provider, Server: s.Of.Server, Effect: s.Of.Effect},
		Context: Context{
			Client: ringwall.Client{Addr: c.Address.Unmap(), Country: c.Country, ASN: c.ASN}, Networks: c.Networks, Time: c.Time,
			Purpose: c.Purpose, Route: c.Route, Dialect: c.Dialect, Stream: c.Stream, Tools: c.Tools, MaxTokens: c.MaxTokens, Data: c.Data, Exception: c.Exception, Untrusted: c.Untrusted,
		},
	}
	if r.Context.Time.IsZero() {
		r.Context.Time = time.Date(2026, time.January, 5, 12, 0, 0, 0, zone)
	}
	if p.Age != nil {
		r.Principal.Proved = r.Context.Time.Add(-*p.Age)
	}
	if p.Trust != ringwall.Anonymous && p.ID == "" {
		return r, errors.New("principal: a caller who is known has an id")
	}
	return r, r.check()
}

// sampleTest is a Test as a file writes it down.
type sampleTest struct {
	Sample `yaml:",inline"`
	Name   string   `yaml:"name" doc:"of the test, in words" example:"staff may ask the big model"`
	Expect string   `yaml:"expect" doc:"what is to be decided" enum:"allow|deny|hold"`
	By     []string `yaml:"by" doc:"ids of policies that must be among those that decide"`
}

// testFile is a file of tests.
type testFile struct {
	Tests []sampleTest `yaml:"tests" doc:"requests, and what is to be decided about them"`
}

// ParseTests reads a file of tests. Its name is for errors.
func ParseTests(f File, zone *time.Location) ([]Test, error) {
	var doc testFile
	pos, err := strictyaml.Decode(f.Name, f.Data, &doc)
	if err != nil {
		return nil, err
	}
	var out []Test
	var errs []error
	names := map[string]bool{}
	for i := range doc.Tests {
		s := &doc.Tests[i]
		at := strictyaml.Index("tests", i)
		r, err := s.Request(zone)
		t := Test{Name: s.Name, Request: r, By: s.By, File: f.Name}
		t.Line, _ = pos.At(at)
		switch {
		case err != nil:
			errs = append(errs, pos.Errorf(at, "%w", err))
		case s.Name == "" || names[s.Name]:
			errs = append(errs, pos.Errorf(at+".name", "each test needs a name of its own"))
		case t.Expect.UnmarshalText([]byte(s.Expect)) != nil:
			errs = append(errs, pos.Errorf(at+".expect", "what is to be decided: allow, deny or hold?"))
		}
		names[s.Name] = true
		out = append(out, t)
	}
	return out, strictyaml.Join(errs...)
}

func (b *Bundle) addTests(f File) []error {
	tests, err := ParseTests(f, b.zone)
	if err != nil {
		return []error{err}
	}
	if len(b.tests)+len(tests) > maxTests {
		return []error{&strictyaml.Problem{File: f.Name, Err: fmt.Errorf("more than %d tests", maxTests)}}
	}
	b.tests = append(b.tests, tests...)
	return nil
}

// Run decides about the request of t and says what differs from what t expects.
func (b *Bundle) Run(t *Test) (Decision, error) {
	d := b.Decide(&t.Request)
	more := ""
	if len(d.Errors) > 0 {
		more = " (" + strings.Join(d.Errors, "; ") + ")"
	}
	switch {
	case d.Effect != t.Expect:
		return d, fmt.Errorf("test %q: %s %s is decided %s by %s, want %s%s", t.Name, t.Request.Action, t.Request.Resource, d.Effect, strings.Join(d.Policies, ", "), t.Expect, more)
	case slices.ContainsFunc(t.By, func(id string) bool { return !slices.Contains(d.Policies, id) }):
		return d, fmt.Errorf("test %q: it is decided %s by %s, want %s among them%s", t.Name, d.Effect, strings.Join(d.Policies, ", "), strings.Join(t.By, " and "), more)
	}
	return d, nil
}

// testAll runs the tests of the bundle.
func (b *Bundle) testAll() (errs []error) {
	for i := range b.tests {
		t := &b.tests[i]
		if _, err := b.Run(t); err != nil {
			errs = append(errs, &strictyaml.Problem{File: t.File, Line: t.Line, Column: 1, Err: err})
		}
	}
	return errs
}
