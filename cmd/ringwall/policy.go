package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/policy"
)

func policyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "Check, test, explain and sign the policies of who may do what",
		Long: `Works with bundles of policies in the Cedar language: a directory of *.cedar files,
entities *.json, tests *.test.yaml and approvals.yaml, or one *.cedar file. A bundle
counts once the configuration names it (policy.dir).`,
	}
	c.AddCommand(policyExample(), policySchema(), policyCheck(), policyTest(), policyExplain(), policyWhatIf(), policyCompare(), policyKeygen(), policySign(), policyApprove())
	return c
}

// bundlePlace says where a bundle is.
type bundlePlace struct{ config string }

func (p *bundlePlace) flags(c *cobra.Command) {
	c.Flags().StringVar(&p.config, "config", "", "configuration `FILE`: its policy section says where the policies are, what networks are called, and who may approve")
	c.MarkFlagFilename("config", "yaml", "yml")
}

// options returns the directory, that of args before that of the configuration, and
// what the bundle is to be told.
func (p *bundlePlace) options(args []string) (dir string, opt policy.Options, err error) {
	if p.config == "" {
		if len(args) == 0 {
			return "", opt, usage(errors.New("which policies? Name their directory, or a configuration by --config"))
		}
		return args[0], policy.Options{Unapproved: true}, nil
	}
	section, err := config.LoadPolicy(p.config)
	if err != nil {
		return "", opt, usage(err)
	}
	if opt, err = section.Options(); err != nil {
		return "", opt, usage(err)
	}
	dir = section.Dir
	if len(args) > 0 {
		dir = args[0]
	}
	if dir == "" {
		return "", opt, usage(fmt.Errorf("%s: names no policies: write policy: {dir: policy}", p.config))
	}
	return dir, opt, nil
}

// load loads the bundle; change may loosen what it is held to.
func (p *bundlePlace) load(args []string, change func(*policy.Options)) (*policy.Bundle, string, error) {
	dir, opt, err := p.options(args)
	if err != nil {
		return nil, "", err
	}
	if change != nil {
		change(&opt)
	}
	b, err := policy.Load(dir, opt)
	if err != nil {
		return nil, dir, usage(err)
	}
	return b, dir, nil
}

// looking has bundles in that only a command looks at.
func looking(o *policy.Options) { o.Unapproved, o.Untested = true, true }

func policyExample() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:     "example",
		Short:   "Print policies to begin with, or write them with their entities and tests",
		Example: "  ringwall policy example\n  ringwall policy example --write policy",
		RunE: func(cmd *cobra.Command, _ []string) error {
			files := policy.Example()
			if dir == "" {
				_, err := cmd.OutOrStdout().Write(files[0].Data)
				return err
			}
			if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // policies are no secret
				return err
			}
			for _, f := range files {
				name := filepath.Join(dir, f.Name)
				if _, err := os.Stat(name); err == nil {
					return usage(fmt.Errorf("%s is there already", name))
				}
				if err := os.WriteFile(name, f.Data, 0o644); err != nil { //nolint:gosec // policies are no secret
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), name)
			}
			return nil
		},
	}
	c.Flags().StringVar(&dir, "write", "", "write the files into `DIR`")
	c.MarkFlagDirname("write")
	return c
}

func policySchema() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the schema: the words that policies may use",
		Example: "  ringwall policy schema > ringwall.cedarschema",
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(policy.Schema())
			return err
		},
	}
}

// policyRow is a policy as it is listed.
type policyRow struct {
	ID        string `json:"id"`
	Effect    string `json:"effect"`
	Protected bool   `json:"protected,omitempty"`
	File      string `json:"file"`
	Line      int    `json:"line"`
	SHA256    string `json:"sha256"`
}

func policyCheck() *cobra.Command {
	var p bundlePlace
	var format string
	c := &cobra.Command{
		Use:   "check [DIR]",
		Short: "Say what is wrong with policies, with file and line; exit 2 if anything is",
		Long: `Reads a bundle as the gateway would: every policy fits the schema, every test passes.
With --config, protected policies must have their approvals, too.`,
		Example: "  ringwall policy check policy\n  ringwall policy check --config ringwall.yaml --format json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			b, dir, err := p.load(args, nil)
			if err != nil {
				return err
			}
			rows := []policyRow{}
			waiting := 0
			for _, q := range b.Policies() {
				r := policyRow{q.ID, effectOf(q), q.Protected, q.File, q.Line, q.Digest()}
				if q.Protected && p.config == "" {
					waiting++
				}
				rows = append(rows, r)
			}
			if format == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"policies": rows, "tests": len(b.Tests()), "sha256": b.Sum()})
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "POLICY\tEFFECT\tPROTECTED\tAT")
			for _, r := range rows {
				guarded := ""
				if r.Protected {
					guarded = "yes"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s:%d\n", r.ID, r.Effect, guarded, r.File, r.Line)
			}
			if err := w.Flush(); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "\n%s: in order: %d policies, %d tests\n", dir, len(rows), len(b.Tests()))
			if waiting > 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "%d protected: name the configuration by --config to look at their approvals\n", waiting)
			}
			return nil
		},
	}
	p.flags(c)
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

func effectOf(p *policy.Policy) string {
	switch {
	case p.Forbids:
		return "forbid"
	case p.Hold != "":
		return "hold"
	}
	return "permit"
}

// testRow is a test as it is listed.
type testRow struct {
	Name     string          `json:"name"`
	Passed   bool            `json:"passed"`
	Expect   policy.Effect   `json:"expect"`
	Decision policy.Decision `json:"got"`
	File     string          `json:"file"`
	Line     int             `json:"line"`
	Error    string          `json:"error,omitempty"`
}

func policyTest() *cobra.Command {
	var p bundlePlace
	var format string
	c := &cobra.Command{
		Use:   "test [DIR] [FILE.test.yaml…]",
		Short: "Run the tests of policies, and further ones; exit 1 if one fails",
		Example: `  ringwall policy test policy
  ringwall policy test policy more.test.yaml --format json`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			more := args
			if p.config == "" && len(args) > 0 {
				args, more = args[:1], args[1:]
			} else {
				args = nil
			}
			b, _, err := p.load(args, looking)
			if err != nil {
				return err
			}
			tests, err := withTests(b, more)
			if err != nil {
				return err
			}
			failed := 0
			rows := []testRow{}
			for i := range tests {
				t := &tests[i]
				d, err := b.Run(t)
				r := testRow{Name: t.Name, Passed: err == nil, Expect: t.Expect, Decision: d, File: t.File, Line: t.Line}
				if err != nil {
					r.Error = err.Error()
					failed++
				}
				rows = append(rows, r)
			}
			out := cmd.OutOrStdout()
			if format == "json" {
				err = json.NewEncoder(out).Encode(map[string]any{"tests": rows, "failed": failed})
			} else {
				for _, r := range rows {
					if !r.Passed {
						fmt.Fprintf(out, "%s:%d: %s\n", r.File, r.Line, r.Error)
					}
				}
				_, err = fmt.Fprintf(out, "%d tests, %d failed\n", len(rows), failed)
			}
			if err == nil && failed > 0 {
				return found()
			}
			return err
		},
	}
	p.flags(c)
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

// withTests returns the tests of a bundle, and those of files.
func withTests(b *policy.Bundle, files []string) ([]policy.Test, error) {
	tests := b.Tests()
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, usage(fmt.Errorf("reading tests: %w", err))
		}
		more, err := policy.ParseTests(policy.File{Name: name, Data: data}, b.Zone())
		if err != nil {
			return nil, usage(err)
		}
		tests = append(tests, more...)
	}
	return tests, nil
}
