package config

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/ringwall/ringwall/gateway/dialect/rule"
	"github.com/ringwall/ringwall/internal/jsonedit/schema"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// Requests configures what requests must meet beside what their APIs demand.
type Requests struct {
	ContentType string      `yaml:"content_type" doc:"what bodies may be said to be, which are JSON in any case: json, or what curl and the clients of Amazon Bedrock say when they are told nothing, though not from a page in a browser; strict: json alone; any: anything. A body of which nothing is said is taken" enum:"json|strict|any" default:"json"`
	Rules       []rule.Rule `yaml:"rules" doc:"what requests must meet; all rules that are about a request count"`

	Schemas map[string]*schema.Schema // of the rules, by file
}

// checkRequests finds what is wrong with rules, and reads their schemas, whose files are
// relative to dir.
func (c *Config) checkRequests(pos *strictyaml.Positions, dir string) (errs []error) {
	fail := func(path, format string, args ...any) { errs = append(errs, pos.Errorf(path, format, args...)) }
	names := map[string]bool{}
	for i := range c.Requests.Rules {
		r := &c.Requests.Rules[i]
		path := strictyaml.Index("requests.rules", i)
		r.Check(path, fail)
		if names[r.Name] && r.Name != "" {
			fail(path+".name", "there is a rule %q already", r.Name)
		}
		names[r.Name] = true
		if r.Schema == "" || c.Requests.Schemas[r.Schema] != nil {
			continue
		}
		file := r.Schema
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		c.Read = append(c.Read, file)
		s, err := loadSchema(file)
		if err != nil {
			fail(path+".schema", "%w", err)
			continue
		}
		if c.Requests.Schemas == nil {
			c.Requests.Schemas = map[string]*schema.Schema{}
		}
		c.Requests.Schemas[r.Schema] = s
	}
	return errs
}

func loadSchema(file string) (*schema.Schema, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	return schema.Compile(src)
}
