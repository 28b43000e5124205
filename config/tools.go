package config

import (
	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/toolcall"
)

// Tools configures what is decided about the calls of tools that models ask for.
type Tools struct {
	Registry []string `yaml:"registry" doc:"files in which tools are declared, relative to this one, as under known: begin with ringwall tools pin" example:"tools.yaml"`
	Unknown  string   `yaml:"unknown" doc:"what becomes of tools that are not declared: they are judged as tools that reach others and return what anybody may have written; each call waits for an approval; models do not see them; or calls are denied" enum:"allow|hold|hide|deny" default:"allow"`
	Secrets  string   `yaml:"secrets" doc:"what becomes of a call that would carry a known secret out: it goes on with the secret masked, is denied, or goes on" enum:"mask|deny|allow" default:"mask"`

	Declared *toolcall.Registry // what Registry and this file declare; nil: nothing
}

// checkTools finds what is wrong with tools, and reads their files, which are relative
// to dir.
func (c *Config) checkTools(_ *strictyaml.Positions, _ string) (errs []error) { return nil }
