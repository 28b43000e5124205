package config

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/policy"
)

// Policy configures who may do what.
type Policy struct {
	Dir       string                    `yaml:"dir" doc:"directory of the policies, relative to this file: *.cedar, entities *.json, tests *.test.yaml and approvals.yaml, or one file *.cedar; empty: every known caller may what keys and trust let. It is read again when a file in it changes" example:""`
	Zone      string                    `yaml:"time_zone" doc:"of the hours and days that policies speak of" default:"UTC" example:"Europe/Berlin"`
	Networks  map[string][]netip.Prefix `yaml:"networks" doc:"networks that policies may name, by a name of your choice" example:"{office: [192.0.2.0/24]}"`
	Approvers []PolicyApprover          `yaml:"approvers" doc:"who may write and approve policies that are @protected"`
	Approvals int                       `yaml:"approvals" doc:"how many of them have to agree to such a policy, beside who wrote it" default:"1"`
	Protected []string                  `yaml:"protected" doc:"ids of policies that must be there, and @protected: without them no policies are loaded"`
}

// PolicyApprover is somebody whose signature counts.
type PolicyApprover struct {
	Name string `yaml:"name" doc:"of the person" example:"alice"`
	Key  string `yaml:"public_key" doc:"their Ed25519 public key, as ringwall policy keygen prints it" example:"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="`
}

// Options returns what policies are to be told.
func (p *Policy) Options() (policy.Options, error) {
	o := policy.Options{Approvals: p.Approvals, Protected: p.Protected}
	var err error
	if o.Zone, err = time.LoadLocation(p.Zone); err != nil {
		return o, err
	}
	for _, name := range slices.Sorted(maps.Keys(p.Networks)) {
		o.Networks = append(o.Networks, policy.Network{Name: name, Prefixes: p.Networks[name]})
	}
	for _, a := range p.Approvers {
		key, err := policy.ParsePublicKey(a.Key)
		if err != nil {
			return o, err
		}
		o.Approvers = append(o.Approvers, policy.Approver{Name: a.Name, Key: key})
	}
	return o, nil
}

// checkPolicy finds what is wrong with the policies' section.
func (c *Config) checkPolicy(fail failing) {
	p := &c.Policy
	if _, err := time.LoadLocation(p.Zone); err != nil {
		fail("policy.time_zone", "%q is not known here: want a name such as Europe/Berlin, whose data the system has, or UTC", p.Zone)
	}
	names, keys := map[string]bool{}, map[string]string{}
	for i, a := range p.Approvers {
		at := strictyaml.Index("policy.approvers", i)
		key, err := policy.ParsePublicKey(a.Key)
		switch {
		case a.Name == "" || names[a.Name]:
			fail(at+".name", "each approver needs a name of their own")
		case err != nil:
			fail(at+".public_key", "%w", err)
		case keys[string(key)] != "":
			fail(at+".public_key", "it is the key of %s, too: two people have two keys", keys[string(key)])
		}
		names[a.Name], keys[string(key)] = true, a.Name
	}
	if p.Approvals < 1 {
		fail("policy.approvals", "want 1 or more: who wrote a policy does not approve it")
	} else if len(p.Protected) > 0 && len(p.Approvers) <= p.Approvals {
		fail("policy.approvals", "%d approvals and an author are more people than the %d approvers", p.Approvals, len(p.Approvers))
	}
	if len(p.Protected) > 0 && (p.Dir == "" || len(p.Approvers) == 0) {
		fail("policy.protected", "protected policies need a policy.dir and approvers")
	}
}

// loadPolicy reads the policies that c names.
func (c *Config) loadPolicy(pos *strictyaml.Positions, dir string) error {
	if c.Policy.Dir == "" {
		return nil
	}
	if !filepath.IsAbs(c.Policy.Dir) {
		c.Policy.Dir = filepath.Join(dir, c.Policy.Dir)
	}
	if info, err := os.Stat(c.Policy.Dir); err == nil && info.IsDir() {
		c.Read = append(c.Read, c.Policy.Dir+string(filepath.Separator)+".") // so that it stands in itself
	} else {
		c.Read = append(c.Read, c.Policy.Dir)
	}
	files, err := policy.Read(c.Policy.Dir)
	if err != nil {
		return pos.Errorf("policy.dir", "%w", err)
	}
	opt, err := c.Policy.Options()
	if err != nil {
		return nil // the check says so
	}
	c.Policies, err = policy.Parse(files, opt)
	return err
}

// Content returns what is in a file of Config.Read: of a directory, the names and the
// contents of the policies in it, so that one that comes is a change.
func Content(file string) ([]byte, error) {
	if info, err := os.Stat(file); err != nil || !info.IsDir() {
		return os.ReadFile(file)
	}
	files, err := policy.Read(file)
	var out []byte
	for _, f := range files {
		out = fmt.Appendf(out, "%q %d\n", f.Name, len(f.Data))
		out = append(out, f.Data...)
	}
	return out, err
}

// LoadPolicy reads the policies' section of a file, and nothing of the rest, which need
// not be in order.
func LoadPolicy(file string) (*Policy, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	var c Config
	pos, err := strictyaml.Decode(file, src, &c)
	if err != nil {
		return nil, err
	}
	var errs []error
	c.checkPolicy(func(path, format string, args ...any) { errs = append(errs, pos.Errorf(path, format, args...)) })
	if c.Policy.Dir != "" && !filepath.IsAbs(c.Policy.Dir) {
		c.Policy.Dir = filepath.Join(filepath.Dir(file), c.Policy.Dir)
	}
	return &c.Policy, strictyaml.Join(errs...)
}
