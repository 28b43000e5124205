package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/toolcall"
)

func toolsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "tools",
		Short: "Declare the tools that models may ask for, and see whether they are still what they were",
		Long: `Tools are declared in YAML: what they do, which of their arguments say who or what
is acted on, which can carry something out, what values must be, and how their
definition was when somebody looked at it. The file is named under tools.registry
in the configuration.`,
		Example: `  ringwall tools pin tools.json > tools.yaml
  ringwall tools check tools.yaml
  ringwall tools show send_email --registry tools.yaml --against new.json`,
	}
	c.AddCommand(toolsList(), toolsShow(), toolsCheck(), toolsPin())
	return c
}

// toolsIn is where tools are declared: in the configuration, or in a file of their own.
type toolsIn struct {
	place
	registry string
}

func (p *toolsIn) flags(c *cobra.Command) {
	p.place.flags(c)
	c.Flags().StringVar(&p.registry, "registry", "", "`FILE` in which tools are declared (default: the configuration's)")
	c.MarkFlagFilename("registry", "yaml", "yml")
}

func (p *toolsIn) load() (*toolcall.Registry, error) {
	if p.registry == "" {
		cfg, err := p.place.load()
		if err != nil {
			return nil, err
		}
		return cfg.Tools.Open(), nil
	}
	tools, _, err := toolcall.ReadFile(p.registry)
	if err != nil {
		return nil, usage(err)
	}
	r, err := toolcall.NewRegistry(tools...)
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", p.registry, err))
	}
	return r, nil
}

// names completes names of tools.
func (p *toolsIn) names(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	r, err := p.load()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, t := range r.Tools() {
		out = append(out, t.Name)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// toolRow is a tool as it is listed.
type toolRow struct {
	Name      string   `json:"name"`
	Server    string   `json:"server,omitempty"`
	Effect    string   `json:"effect"`
	Annotated bool     `json:"annotated"`
	Sensitive []string `json:"sensitive"`
	Payload   []string `json:"payload"`
	Trusted   []string `json:"trusted"` // fields of the output, as JSON pointers; "" is all of it
	Trust     string   `json:"trust"`
	Roles     []string `json:"roles"`
	Schema    bool     `json:"schema"`
	Pin       string   `json:"pin,omitempty"`
	PinWhole  string   `json:"pin_whole,omitempty"`
}

func rowOfTool(t *toolcall.Tool) toolRow {
	none := []string{}
	return toolRow{
		Name: t.Name, Server: t.Server, Effect: t.Effect.String(), Annotated: t.Annotated, Sensitive: append(none, t.Sensitive...), Payload: append(none, t.Payload...),
		Trusted: append(none, t.Trusted...), Trust: t.Least.String(), Roles: append(none, t.Roles...), Schema: len(t.Input) > 0, Pin: t.Pin.Model, PinWhole: t.Pin.Whole,
	}
}

func toolsList() *cobra.Command {
	var p toolsIn
	var format string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the tools that are declared",
		Example: "  ringwall tools list --config ringwall.yaml\n  ringwall tools list --registry tools.yaml --format json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			r, err := p.load()
			if err != nil {
				return err
			}
			rows := []toolRow{}
			for _, t := range r.Tools() {
				rows = append(rows, rowOfTool(t))
			}
			if format == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"tools": rows})
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "TOOL\tSERVER\tEFFECT\tSENSITIVE\tPAYLOAD\tTRUSTED OUTPUT\tFOR\tPIN")
			for _, r := range rows {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", toolcall.Visible(r.Name), or(r.Server, "-"), r.Effect, r.sensitive(), listed(r.Payload), r.output(), r.callers(), or(r.Pin[:min(12, len(r.Pin))], "-"))
			}
			return w.Flush()
		},
	}
	p.flags(c)
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

func listed(names []string) string { return or(strings.Join(names, ", "), "-") }

func (r *toolRow) sensitive() string {
	if !r.Annotated {
		return "any"
	}
	return listed(r.Sensitive)
}

func (r *toolRow) output() string {
	if slices.Contains(r.Trusted, "") {
		return "all"
	}
	return listed(r.Trusted)
}

func (r *toolRow) callers() string {
	if len(r.Roles) == 0 {
		return r.Trust
	}
	return r.Trust + ", " + strings.Join(r.Roles, " or ")
}

func toolsShow() *cobra.Command {
	var p toolsIn
	var against, format string
	c := &cobra.Command{
		Use:   "show NAME",
		Short: "Show what is declared of a tool, and how a definition differs from it",
		Long: `Shows what is declared of a tool. With --against, also how the tool of that name in
a file of definitions differs from what the registry has: what shows nothing is
visible as ⟨U+200B⟩, and letters that look like Latin ones are marked.

Exits with 1 when the definition in the file differs.`,
		Example: "  ringwall tools show send_email --registry tools.yaml --against new.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			r, err := p.load()
			if err != nil {
				return err
			}
			t := r.Find(args[0])
			if !t.Known {
				if like, ok := r.LookAlike(args[0]); ok {
					return usage(fmt.Errorf("no tool %s is declared; %s looks like it", toolcall.Visible(args[0]), toolcall.Visible(like.Name)))
				}
				return usage(fmt.Errorf("no tool %s is declared", toolcall.Visible(args[0])))
			}
			var lines []string
			if against != "" {
				if lines, err = differences(t, against); err != nil {
					return err
				}
			}
			if err := showTool(cmd.OutOrStdout(), t, lines, against, format); err != nil {
				return err
			}
			if len(lines) > 0 {
				return found()
			}
			return nil
		},
	}
	p.flags(c)
	c.ValidArgsFunction = p.names
	c.Flags().StringVar(&against, "against", "", "`FILE` of definitions with one of the tool (JSON)")
	c.MarkFlagFilename("against", "json")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

// differences says how the definition of t in a file differs from that of the registry.
func differences(t *toolcall.Tool, file string) ([]string, error) {
	defs, err := definitionsOf(file, os.Stdin)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(defs, func(d toolcall.Definition) bool { return d.Name == t.Name })
	if i < 0 {
		return nil, usage(fmt.Errorf("%s: there is no tool %s", file, toolcall.Visible(t.Name)))
	}
	now, was := defs[i], t.Definition()
	if now.Server == "" {
		now.Server = was.Server
	}
	if was.Description == "" && len(was.Input) == 0 { // nothing but pins to compare with
		if p := now.Pin(); t.Pin.Model != "" && p.Model != t.Pin.Model {
			return []string{"the pin is of another definition, which the registry does not have"}, nil
		}
		return nil, nil
	}
	if was.Pin() == now.Pin() {
		return nil, nil
	}
	return toolcall.Differences(was, now), nil
}

func showTool(w io.Writer, t *toolcall.Tool, lines []string, against, format string) error {
	row := rowOfTool(t)
	if format == "json" {
		out := struct {
			toolRow
			Title       string          `json:"title,omitempty"`
			Description string          `json:"description,omitempty"`
			Input       json.RawMessage `json:"input_schema,omitempty"`
			Differences []string        `json:"differences,omitempty"`
		}{row, t.Title, t.Description, t.Input, lines}
		return json.NewEncoder(w).Encode(out)
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"name", toolcall.Visible(t.Name)},
		{"server", or(t.Server, "-")},
		{"title", or(toolcall.Visible(t.Title), "-")},
		{"effect", row.Effect},
		{"sensitive", row.sensitive()},
		{"payload", listed(row.Payload)},
		{"trusted output", row.output()},
		{"for", row.callers()},
		{"pin", or(row.Pin, "-")},
		{"pin of all", or(row.PinWhole, "-")},
	} {
		fmt.Fprintf(tw, "%s\t%s\n", line[0], line[1])
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if t.Description != "" {
		fmt.Fprintf(w, "\n%s\n", toolcall.Visible(t.Description))
	}
	switch {
	case len(lines) > 0:
		fmt.Fprintf(w, "\nIn %s it differs:\n%s\n", against, strings.Join(lines, "\n"))
	case against != "":
		fmt.Fprintf(w, "\nIn %s it is the same.\n", against)
	}
	return nil
}

// definitionsOf reads a file of definitions; - is standard input.
func definitionsOf(file string, stdin io.Reader) ([]toolcall.Definition, error) {
	src, err := bodyIn(file, stdin)
	if err != nil {
		return nil, err
	}
	defs, err := toolcall.ReadDefinitions(src)
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", file, err))
	}
	return defs, nil
}
