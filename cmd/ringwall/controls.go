package main

import (
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/ringwall/ringwall/control"
	"github.com/ringwall/ringwall/threat"
)

func controlsCommand() *cobra.Command {
	var layer, format string
	c := &cobra.Command{
		Use:   "controls",
		Short: "List every protection by layer, with the threats that it answers",
		Long: `Lists every protection that Ringwall claims, with its state: done, partial or
planned. A row counts when a test proves it on real input.`,
		Example: `  ringwall controls --layer inference
  ringwall controls --format json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list := control.All()
			if layer != "" {
				var l control.Layer
				if err := l.UnmarshalText([]byte(layer)); err != nil {
					return usage(fmt.Errorf("--layer: %w", err))
				}
				list = control.Catalogue(l)
			}
			switch format {
			case "text":
				return control.WriteText(cmd.OutOrStdout(), list)
			case "json":
				return control.WriteJSON(cmd.OutOrStdout(), list)
			case "markdown":
				return control.WriteMarkdown(cmd.OutOrStdout(), list)
			}
			return usage(fmt.Errorf("--format: want text, json or markdown, not %q", format))
		},
	}
	var names []string
	for _, l := range control.Layers() {
		names = append(names, l.String())
	}
	c.Flags().StringVar(&layer, "layer", "", "one `LAYER` only")
	c.Flags().StringVar(&format, "format", "text", "text, json or markdown")
	complete(c, "layer", names...)
	complete(c, "format", "text", "json", "markdown")
	return c
}

func threatsCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "threats [ID]…",
		Short:   "List the threats that controls answer: OWASP LLM, OWASP agentic, MITRE ATLAS",
		Example: "  ringwall threats LLM01 AML.T0051.001",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, ids []string) error {
			list := threat.All()
			if len(ids) > 0 {
				list = list[:0:0]
				for _, id := range ids {
					t, ok := threat.Lookup(id)
					if !ok {
						return usage(fmt.Errorf("there is no threat %q: ringwall threats lists them", id))
					}
					list = append(list, t)
				}
			}
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			if format == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"threats": list})
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, t := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\n", t.ID, t.Framework, t.Title())
			}
			return w.Flush()
		},
	}
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "Write the man pages into a directory",
		Example: "  ringwall man /usr/local/share/man/man1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // manuals are for everybody to read
				return usage(fmt.Errorf("making the directory: %w", err))
			}
			return doc.GenManTree(cmd.Root(), &doc.GenManHeader{Title: "RINGWALL", Section: "1", Source: "Ringwall"}, args[0])
		},
	}
}
