package config

import (
	"path/filepath"

	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/toolcall"
)

// Tools configures what is decided about the calls of tools that models ask for.
type Tools struct {
	Registry []string               `yaml:"registry" doc:"files in which tools are declared, relative to this one: begin with ringwall tools pin" example:"[]"`
	Known    []toolcall.Declaration `yaml:"known" doc:"tools that are declared here"`
	Unknown  string                 `yaml:"unknown" doc:"what becomes of tools that are not declared: they are judged as tools that reach others and return what anybody may have written; each call waits for an approval; models do not see them; or calls are denied" enum:"allow|hold|hide|deny" default:"allow"`
	Secrets  string                 `yaml:"secrets" doc:"what becomes of a call with a secret that is known in its arguments: it goes on with the secret masked, is denied, or goes on" enum:"mask|deny|allow" default:"mask"`

	Decisions ToolDecisions `yaml:"decisions" doc:"how calls are decided about by where their values come from, and by what was asked for"`

	Declared *toolcall.Registry // of Registry and Known; nil: nothing is declared
}

// Open returns the tools that are declared, read when the configuration was; nil: none
// are.
func (t *Tools) Open() *toolcall.Registry { return t.Declared }

// Treatment returns what becomes of tools that are not declared, and of secrets.
func (t *Tools) Treatment() (toolcall.Unknown, toolcall.Secrets) {
	unknown, ok := map[string]toolcall.Unknown{
		"allow": toolcall.UnknownJudged, "hold": toolcall.UnknownHeld, "hide": toolcall.UnknownHidden, "": toolcall.UnknownJudged,
	}[t.Unknown]
	if !ok {
		unknown = toolcall.UnknownDenied
	}
	secrets, ok := map[string]toolcall.Secrets{"mask": toolcall.SecretsMasked, "allow": toolcall.SecretsAllowed, "": toolcall.SecretsMasked}[t.Secrets]
	if !ok {
		secrets = toolcall.SecretsDenied
	}
	return unknown, secrets
}

// checkTools finds what is wrong with tools, and reads their files, which are relative
// to dir.
func (c *Config) checkTools(pos *strictyaml.Positions, dir string) (errs []error) {
	t := &c.Tools
	fail := func(path, format string, args ...any) { errs = append(errs, pos.Errorf(path, format, args...)) }
	all := toolcall.Declared(t.Known, nil, "tools.known", fail)
	for i, file := range t.Registry {
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		tools, read, err := toolcall.ReadFile(file)
		c.Read = append(c.Read, read...)
		if err != nil {
			fail(strictyaml.Index("tools.registry", i), "%w", err)
		}
		all = append(all, tools...)
	}
	errs = append(errs, t.Decisions.check(pos)...)
	if len(errs) > 0 || len(all) == 0 {
		return errs
	}
	declared, err := toolcall.NewRegistry(all...)
	if err != nil {
		fail("tools", "%w", err)
	}
	t.Declared = declared
	return errs
}
