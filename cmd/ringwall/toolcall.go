package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/toolcall"
	"github.com/ringwall/ringwall/toolcall/replay"
)

func toolcallCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "toolcall",
		Short: "Try what is decided about calls of tools",
		Long: `Runs recorded conversations of agents through the decisions that the gateway makes
about calls of tools.`,
	}
	c.AddCommand(toolcallReplay())
	return c
}

func toolcallReplay() *cobra.Command {
	var cases, tools, annotations, format string
	c := &cobra.Command{
		Use:   "replay --cases FILE --tools FILE [--annotations FILE]",
		Short: "Replay recorded conversations and say what becomes of each call",
		Long: `Replays recorded conversations of agents without a model: the conversation so far is
built, the next call of the record is proposed, and what would become of it is
printed. A call that does not run returns an error, and the replay goes on. The same
code decides as in the gateway.

Cases are JSONL, plain or gzip, a line for each conversation:
{"id","suite","prompt","steps":[{"name","args","output","error"?,"malicious"?}]}.
Tools are JSON: the definitions by suite. Annotations are JSON: what an operator says
of the tools, by suite and name: {"effect","sensitive","payload","output"}.

An attack is stopped when at least one of its malicious calls does not run. A task is
untouched when all of its calls run. Exits with 2 when a file is not as it must be,
with 3 when it cannot be read.`,
		Example: `  ringwall toolcall replay --cases attacks.jsonl.gz --tools tools.json
  ringwall toolcall replay --cases tasks.jsonl --tools tools.json --annotations annotations.json --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			if cases == "" || tools == "" {
				return usage(errors.New("--cases and --tools are needed: see ringwall toolcall replay --help"))
			}
			set, err := replaySet(tools, annotations)
			if err != nil {
				return err
			}
			records, err := replayRecords(cases)
			if err != nil {
				return err
			}
			out := bufio.NewWriter(cmd.OutOrStdout())
			lines := json.NewEncoder(out)
			lines.SetEscapeHTML(false)
			b := newBar(cmd.ErrOrStderr())
			var n replay.Count
			for i := range records {
				if i%32 == 0 {
					b.show(i, len(records), "conversations")
				}
				r, err := set.Replay(cmd.Context(), &records[i])
				if err != nil {
					b.clear()
					return usage(fmt.Errorf("%s: %w", cases, err))
				}
				n.Add(&r)
				if format == "json" {
					if err := lines.Encode(&r); err != nil {
						return err
					}
				}
			}
			b.clear()
			if format == "text" {
				printReplay(out, &n)
			}
			return out.Flush()
		},
	}
	f := c.Flags()
	f.StringVar(&cases, "cases", "", "`FILE` of conversations, JSONL, plain or gzip")
	f.StringVar(&tools, "tools", "", "`FILE` of the tools' definitions by suite")
	f.StringVar(&annotations, "annotations", "", "`FILE` of what an operator says of the tools, by suite")
	f.StringVar(&format, "format", "text", "text or json: a line for each conversation")
	return c
}

// replaySet reads tools and what is said of them.
func replaySet(tools, annotations string) (*replay.Set, error) {
	data, err := os.ReadFile(tools)
	if err != nil {
		return nil, err
	}
	specs, err := toolcall.ReadTools(data)
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", tools, err))
	}
	var said map[string]map[string]toolcall.Tool
	if annotations != "" {
		if data, err = os.ReadFile(annotations); err != nil {
			return nil, err
		}
		if said, err = toolcall.ReadAnnotations(data); err != nil {
			return nil, usage(fmt.Errorf("%s: %w", annotations, err))
		}
	}
	set, err := replay.New(specs, said, toolcall.Config{})
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", tools, err))
	}
	return set, nil
}

// replayRecords reads conversations.
func replayRecords(name string) ([]replay.Record, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []replay.Record
	for r, err := range replay.Read(f) {
		if err != nil {
			return nil, usage(fmt.Errorf("%s: %w", name, err))
		}
		out = append(out, r)
	}
	return out, nil
}

// printReplay prints figures by suite and by rule.
func printReplay(out io.Writer, n *replay.Count) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SUITE\tATTACKS\tSTOPPED\tTASKS\tUNTOUCHED\tCALLS\tHELD\tSTRIPPED\tDENIED")
	for _, t := range append(n.Suites, n.All) {
		name := t.Suite
		if name == "" {
			name = "all"
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%s\t%d\t%s\t%d\t%d\n", name, t.Attacks, portion(t.Stopped, t.Attacks),
			t.Tasks, portion(t.Untouched, t.Tasks), t.Calls, portion(t.Held, t.Calls), t.Stripped, t.Denied)
	}
	fmt.Fprintln(w)
	if len(n.Rules) > 0 {
		fmt.Fprintln(w, "RULE\tMALICIOUS CALLS\tOTHER CALLS")
	}
	for _, r := range n.Rules {
		fmt.Fprintf(w, "%s\t%d\t%d\n", r.Name, r.Malicious, r.Rest)
	}
	w.Flush()
}

// portion prints a number with its share of all.
func portion(n, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%d (%.1f %%)", n, 100*float64(n)/float64(of))
}
