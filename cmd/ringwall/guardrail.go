package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/server"
)

func guardrailCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "guardrail",
		Short: "Read, compare, publish and exchange guardrails",
		Long: `Reads, compares, publishes and exchanges guardrails. A guardrail is named as in the
configuration, NAME; NAME@2 is its published version 2; a name that ends in .yaml
or .json is a file: a guardrail by itself, or one exported from Amazon Bedrock.`,
	}
	c.AddCommand(guardrailList(), guardrailShow(), guardrailValidate(), guardrailDiff(), guardrailPublish(), guardrailImport(), guardrailExport(), guardrailReasons())
	return c
}

// findGuardrail returns a guardrail of the configuration, a published version of
// one, or one that is a file.
func findGuardrail(c *config.Config, ref string) (name, version string, s *guardrail.Spec, err error) {
	for _, ext := range []string{".yaml", ".yml", ".json"} {
		if base, ok := strings.CutSuffix(filepath.Base(ref), ext); ok {
			s, err := guardrail.Load(ref)
			if err != nil {
				return "", "", nil, usage(err)
			}
			return base, guardrail.Draft, strictyaml.Bind(s, c.Keeper), nil
		}
	}
	name, version, s, err = server.FindGuardrail(c, ref)
	if err != nil {
		return "", "", nil, usage(err)
	}
	return name, version, s, nil
}

// guardOf makes a guard of the guardrail ref, "" for the one in force. Why outside
// judges could not look is said on w.
func guardOf(c *config.Config, ref string, w io.Writer) (*guard.Guard, error) {
	name, version, s, err := findGuardrail(c, cmp.Or(ref, c.Guardrail))
	if err != nil {
		return nil, err
	}
	g, err := builtin.Heard(name, version, s, builtin.Curves, &complaints{w: w})
	if err != nil {
		return nil, usage(err)
	}
	return g, nil
}

func guardrailList() *cobra.Command {
	var p place
	var format string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the guardrails of the configuration and their published versions",
		Example: "  ringwall guardrail list --config ringwall.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.load()
			if err != nil {
				return err
			}
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			type line struct {
				Name        string   `json:"name"`
				InForce     bool     `json:"in_force"`
				Versions    []string `json:"versions"`
				Mode        string   `json:"mode"`
				Description string   `json:"description,omitempty"`
			}
			var lines []line
			force, _, _ := strings.Cut(cfg.Guardrail, "@")
			if force == "" {
				force = "default"
			}
			names := slices.Sorted(maps.Keys(cfg.Guardrails))
			if !slices.Contains(names, "default") {
				names = append(names, "default")
			}
			for _, name := range names {
				_, _, s, err := server.FindGuardrail(cfg, name)
				if err != nil {
					return err
				}
				versions, err := server.Versions(cfg).Versions(name)
				if err != nil {
					return err
				}
				lines = append(lines, line{name, name == force, append([]string{guardrail.Draft}, versions...), s.Mode.String(), s.Description})
			}
			out := cmd.OutOrStdout()
			if format == "json" {
				return json.NewEncoder(out).Encode(lines)
			}
			w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tIN FORCE\tMODE\tVERSIONS\tDESCRIPTION")
			for _, l := range lines {
				mark := ""
				if l.InForce {
					mark = "yes"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", l.Name, mark, l.Mode, strings.Join(l.Versions, " "), l.Description)
			}
			return w.Flush()
		},
	}
	p.flags(c)
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

func guardrailShow() *cobra.Command {
	var p place
	var all bool
	c := &cobra.Command{
		Use:   "show [NAME]",
		Short: "Print a guardrail as a file (default: the one in force)",
		Long: `Prints a guardrail as a file (default: the one in force). What its budgets of false
positives mean is said in comments: the threshold, and what is caught with it.`,
		Example: `  ringwall guardrail show --all
  ringwall guardrail show shop@2 --config ringwall.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, _, _, s, err := p.guardrail(args)
			if err != nil {
				return err
			}
			if _, err = cmd.OutOrStdout().Write(s.YAML(all)); err != nil {
				return err
			}
			return showBudgets(cmd.OutOrStdout(), s)
		},
	}
	p.flags(c)
	c.Flags().BoolVar(&all, "all", false, "every field, also those that have their default")
	return c
}

// showBudgets prints, as comments of the file, what the budgets of s mean.
func showBudgets(w io.Writer, s *guardrail.Spec) error {
	budgets, err := builtin.Budgets(s, builtin.Curves)
	if err != nil {
		_, err = fmt.Fprintf(w, "# %v\n", err)
		return err
	}
	for _, t := range budgets {
		if _, err := fmt.Fprintf(w, "# %s: %s\n", t.Key, budgetMeans(t)); err != nil {
			return err
		}
	}
	return nil
}

// budgetMeans says what a budget means for a score.
func budgetMeans(t builtin.Threshold) string {
	caught := "what it catches is not known"
	if t.Positive > 0 {
		caught = fmt.Sprintf("catches %.1f %% of %d that ought to be caught", 100*t.Recall, t.Positive)
	}
	return fmt.Sprintf("%s from %.4g on; %s, and flagged %.2g %% of %d that ought to pass", t.Score, t.Point.Score, caught, 100*t.FPR, t.Benign)
}

// guardrail returns the guardrail that the only argument names, or the one in
// force.
func (p *place) guardrail(args []string) (cfg *config.Config, name, version string, s *guardrail.Spec, err error) {
	if cfg, err = p.load(); err != nil {
		return nil, "", "", nil, err
	}
	ref := cfg.Guardrail
	if len(args) > 0 {
		ref = args[0]
	}
	name, version, s, err = findGuardrail(cfg, ref)
	return cfg, name, version, s, err
}

// say prints notes, a line each.
func say(w io.Writer, notes []string) {
	for _, n := range notes {
		fmt.Fprintln(w, n)
	}
}

func guardrailValidate() *cobra.Command {
	var p place
	c := &cobra.Command{
		Use:   "validate [NAME]…",
		Short: "Say what is wrong with guardrails, with line and column; exit 2 if anything is",
		Long: `Says what is wrong with guardrails, with line and column, and what in them nobody
looks for yet. Without a name, all guardrails of the configuration are read.`,
		Example: `  ringwall guardrail validate --config ringwall.yaml
  ringwall guardrail validate shop.yaml exported.json`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := p.load()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				args = slices.Sorted(maps.Keys(cfg.Guardrails))
				if len(args) == 0 {
					args = []string{"default"}
				}
			}
			cfg = server.Offline(cfg)
			var errs []error
			for _, ref := range args {
				name, version, s, err := findGuardrail(cfg, ref)
				if err == nil {
					_, err = builtin.Guard(name, version, s)
				}
				if err != nil {
					errs = append(errs, err)
					continue
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: in order\n", ref)
			}
			if err := errors.Join(errs...); err != nil {
				return usage(err)
			}
			return nil
		},
	}
	p.flags(c)
	return c
}

func guardrailDiff() *cobra.Command {
	var p place
	var format string
	c := &cobra.Command{
		Use:   "diff OLD [NEW]",
		Short: "Say what changes from one guardrail to another; exit 1 if anything does",
		Long: `Says what changes from one guardrail to another, and where that is plain whether it
protects more or less. Without NEW, it is the draft of OLD's name.`,
		Example: `  ringwall guardrail diff shop@1 --config ringwall.yaml
  ringwall guardrail diff default shop.yaml`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := p.load()
			if err != nil {
				return err
			}
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			if len(args) == 1 {
				name, _, _ := strings.Cut(args[0], "@")
				args = append(args, name)
			}
			_, _, was, err := findGuardrail(cfg, args[0])
			if err != nil {
				return err
			}
			_, _, is, err := findGuardrail(cfg, args[1])
			if err != nil {
				return err
			}
			changes := guardrail.Diff(was, is)
			out := cmd.OutOrStdout()
			if format == "json" {
				if err := json.NewEncoder(out).Encode(append([]guardrail.Change{}, changes...)); err != nil {
					return err
				}
			} else {
				for _, c := range changes {
					fmt.Fprintln(out, c)
				}
			}
			if len(changes) > 0 {
				return found()
			}
			return nil
		},
	}
	p.flags(c)
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

func guardrailPublish() *cobra.Command {
	var p place
	c := &cobra.Command{
		Use:   "publish [NAME]",
		Short: "Keep the draft of a guardrail as its next version, which never changes",
		Long: `Keeps the draft of a guardrail as its next version, which never changes, in the data
directory. The configuration puts it in force by guardrail: NAME@VERSION.`,
		Example: "  ringwall guardrail publish shop --config ringwall.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, name, version, s, err := p.guardrail(args)
			if err != nil {
				return err
			}
			if version != guardrail.Draft {
				return usage(fmt.Errorf("%s@%s is published already", name, version))
			}
			if _, err := builtin.Guard(name, version, s); err != nil {
				return usage(err)
			}
			if version, err = server.Versions(cfg).Publish(name, s); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s@%s\n", name, version)
			return nil
		},
	}
	p.flags(c)
	return c
}

func guardrailImport() *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE",
		Short: "Print a guardrail of Amazon Bedrock as one of ours",
		Long: `Prints a guardrail that was exported from Amazon Bedrock as one of ours: the JSON of
get-guardrail, create-guardrail or AWS::Bedrock::Guardrail; - for standard input.
It does what Bedrock documents; what was left out is said on standard error.`,
		Example: `  aws bedrock get-guardrail --guardrail-identifier abc | ringwall guardrail import - > shop.yaml`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := readAll(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			name, s, notes, err := guardrail.FromBedrock(src)
			if err != nil {
				return usage(fmt.Errorf("%s: %w", args[0], err))
			}
			say(cmd.ErrOrStderr(), notes)
			if name != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "# %s, imported from Amazon Bedrock\n", strings.Join(strings.Fields(name), " "))
			}
			_, err = cmd.OutOrStdout().Write(s.YAML(false))
			return err
		},
	}
}

func guardrailExport() *cobra.Command {
	var p place
	c := &cobra.Command{
		Use:   "export [NAME]",
		Short: "Print a guardrail as a CreateGuardrail request of Amazon Bedrock",
		Long: `Prints a guardrail as a CreateGuardrail request of Amazon Bedrock. What Bedrock has
no words for is said on standard error.`,
		Example: "  ringwall guardrail export shop --config ringwall.yaml > shop.json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, name, _, s, err := p.guardrail(args)
			if err != nil {
				return err
			}
			out, notes := s.Bedrock(name)
			say(cmd.ErrOrStderr(), notes)
			_, err = cmd.OutOrStdout().Write(out)
			return err
		},
	}
	p.flags(c)
	return c
}

func guardrailReasons() *cobra.Command {
	var p place
	var format string
	c := &cobra.Command{
		Use:   "reasons [NAME]",
		Short: "List what a guardrail may find, by the names that reasons have in it",
		Long: `Lists what a guardrail may find, by the names that reasons, thresholds and
exceptions have for it. Kinds of credentials are not listed: github-pat,
stripe-secret-key and so on, by service.`,
		Example: "  ringwall guardrail reasons | grep ' JP '",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			_, _, _, s, err := p.guardrail(args)
			if err != nil {
				return err
			}
			reasons := builtin.Reasons(s)
			if format == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(reasons)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "CONTROL\tREASON\tCOUNTRY\tBEDROCK\tWHAT IT IS")
			for _, r := range reasons {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Control, r.Reason, r.Country, r.Bedrock, r.Title)
			}
			return w.Flush()
		},
	}
	p.flags(c)
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

// mostGuardrail bounds a guardrail that is read.
const mostGuardrail = 16 << 20

// readAll reads a file, or standard input for "-".
func readAll(name string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, usage(err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, mostGuardrail+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(b) > mostGuardrail {
		return nil, usage(fmt.Errorf("%s is larger than %d bytes", name, mostGuardrail))
	}
	return b, nil
}
