package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/toolcall"
)

func toolsCheck() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "check FILE…",
		Short: "Say what is wrong with tools, or missing",
		Long: `Reads files in which tools are declared (YAML), or definitions as clients and
servers hand them around (JSON), and says of each tool what is wrong or missing:
nobody said which arguments are sensitive; no schema, or one that cannot be read; no
pin, or one of another definition; characters that show nothing; names that look like
another's, in all files together.

Exits with 1 when there is something to say.`,
		Example: "  ringwall tools check tools.yaml\n  ringwall tools check mail.json files.json --format json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			var all []toolcall.Tool
			for _, file := range args {
				tools, err := toolsOf(file, cmd.InOrStdin())
				if err != nil {
					return err
				}
				all = append(all, tools...)
			}
			faults := toolcall.Faults(all)
			if err := printFaults(cmd.OutOrStdout(), len(all), faults, format); err != nil {
				return err
			}
			if len(faults) > 0 {
				return found()
			}
			return nil
		},
	}
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

func printFaults(w io.Writer, tools int, faults []toolcall.Fault, format string) error {
	if format == "json" {
		return json.NewEncoder(w).Encode(map[string]any{"tools": tools, "faults": append([]toolcall.Fault{}, faults...)})
	}
	if len(faults) == 0 {
		_, err := fmt.Fprintf(w, "Nothing is wrong with the tools, and nothing missing: %d looked at.\n", tools)
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TOOL\tWHAT\tWHY")
	for _, f := range faults {
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.Tool, f.What, f.Why)
	}
	return t.Flush()
}

// toolsOf reads tools that are declared, or definitions of some.
func toolsOf(file string, stdin io.Reader) ([]toolcall.Tool, error) {
	if ext := filepath.Ext(file); ext == ".yaml" || ext == ".yml" {
		tools, _, err := toolcall.ReadFile(file)
		if err != nil {
			return nil, usage(err)
		}
		return tools, nil
	}
	defs, err := definitionsOf(file, stdin)
	if err != nil {
		return nil, err
	}
	tools := make([]toolcall.Tool, len(defs))
	for i, d := range defs {
		tools[i] = toolcall.Tool{Name: d.Name, Server: d.Server, Title: d.Title, Description: d.Description, Input: d.Input, Output: d.Output, Hints: d.Hints}
	}
	return tools, nil
}

func toolsPin() *cobra.Command {
	var registry, server string
	c := &cobra.Command{
		Use:   "pin (FILE | -)",
		Short: "Write down how definitions of tools are now",
		Long: `Reads definitions of tools (JSON): the tools of a request in the words of OpenAI,
Anthropic, Bedrock or Gemini, alone or in the whole request, or the result of MCP's
tools/list. Prints a file in which they are declared, with their pins: to be looked
at, and filled in with what they do. A tool whose definition differs from its pin is
hidden from models, and its calls are denied.

With --registry, what is declared there stays, and is printed with the new pins;
comments are lost.`,
		Example: `  ringwall tools pin tools.json > tools.yaml
  ringwall tools pin - --server mail < answer.json
  ringwall tools pin new.json --registry tools.yaml > pinned.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			defs, err := definitionsOf(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			var f toolcall.File
			if registry != "" {
				src, err := os.ReadFile(registry)
				if err != nil {
					return usage(fmt.Errorf("reading the registry of tools: %w", err))
				}
				old, err := toolcall.ParseFile(registry, src)
				if err != nil {
					return usage(err)
				}
				f = *old
			}
			for i := range defs {
				if server != "" {
					defs[i].Server = server
				}
				if v := toolcall.Visible(defs[i].Name); v != defs[i].Name {
					fmt.Fprintf(cmd.ErrOrStderr(), "ringwall: the name of the tool %s is not what it seems\n", v)
				}
			}
			f.Tools = toolcall.Pinned(defs, f.Tools)
			_, err = cmd.OutOrStdout().Write(f.Encode())
			return err
		},
	}
	c.Flags().StringVar(&registry, "registry", "", "`FILE` in which they are declared")
	c.MarkFlagFilename("registry", "yaml", "yml")
	c.Flags().StringVar(&server, "server", "", "`NAME` of the server that offers them")
	c.RegisterFlagCompletionFunc("server", cobra.NoFileCompletions)
	return c
}
