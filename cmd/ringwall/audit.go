package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/server"
)

func auditCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Short: "Read, prove and export the records",
		Long: `Reads the records of exchanges and of administrative acts, also while the gateway
writes them, and proves that none was changed, removed or put elsewhere.`,
	}
	c.AddCommand(auditTail(), auditShow(), auditVerify(), auditExport())
	return c
}

func auditDir(p *place) (string, error) {
	c, err := p.load()
	if err != nil {
		return "", err
	}
	dir := server.AuditDir(c)
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("there are no records in %s: name the installation with --data or --config", dir)
	}
	return dir, nil
}

func auditTail() *cobra.Command {
	var p place
	var n int
	var follow bool
	var format string
	c := &cobra.Command{
		Use:     "tail",
		Short:   "Show the newest records",
		Example: "  ringwall audit tail -n 5\n  ringwall audit tail -f --format json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := auditDir(&p)
			if err != nil {
				return err
			}
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			if n < 0 || n > audit.MaxLimit {
				return usage(fmt.Errorf("-n: want 0 to %d", audit.MaxLimit))
			}
			t := &tail{out: cmd.OutOrStdout(), err: cmd.ErrOrStderr(), json: format == "json"}
			return t.run(cmd.Context(), dir, n, follow)
		},
	}
	p.flags(c)
	c.Flags().IntVarP(&n, "lines", "n", 20, "`NUMBER` of records")
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on as records come")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

type tail struct {
	out  io.Writer
	err  io.Writer // for damaged records
	json bool
}

func (t *tail) run(ctx context.Context, dir string, n int, follow bool) error {
	last, err := audit.Last(dir)
	if err != nil {
		return err
	}
	from := uint64(1)
	if last > uint64(n) {
		from = last - uint64(n) + 1
	}
	for {
		for e, err := range audit.Read(ctx, dir, from) {
			if errors.Is(err, audit.ErrDamaged) {
				fmt.Fprintln(t.err, "ringwall:", err)
				continue
			}
			if err != nil {
				return err
			}
			if err := t.print(&e); err != nil {
				return err
			}
			from = e.Seq + 1
		}
		if !follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (t *tail) print(e *audit.Entry) error {
	if t.json {
		_, err := fmt.Fprintf(t.out, "%s\n", e.Line)
		return err
	}
	ev := &e.Event
	verdict, reasons := "", ""
	if ev.Verdict != nil {
		verdict = ev.Verdict.Action.String()
		if len(ev.Verdict.Reasons) > 0 {
			reasons = fmt.Sprint(ev.Verdict.Reasons)
		}
	}
	_, err := fmt.Fprintf(t.out, "%6d  %s  %-14s  %-33s  %-10s  %-13s  %-6s %3d  %s%s\n", e.Seq, ev.Time.UTC().Format("2006-01-02 15:04:05.000"),
		ev.Kind, ev.ID, or(ev.Principal.ID, ev.Principal.Trust.String()), ev.Outcome, verdict, ev.Status, reasons, detail(ev))
	return err
}

func detail(ev *ringwall.Event) string {
	if ev.Detail == "" {
		return ""
	}
	return " " + ev.Detail
}

func or(s, t string) string {
	if s == "" {
		return t
	}
	return s
}

func auditShow() *cobra.Command {
	var p place
	var tools bool
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show all records of one exchange, whole",
		Long: `Shows all records of an exchange by the id that its response carried in the header x-ringwall-exchange. With --tools it
shows what was decided about the calls of tools in it alone, and where the values of their arguments come from.`,
		Example: "  ringwall audit show x0123456789abcdef0123456789abcdef\n  ringwall audit show x0123456789abcdef0123456789abcdef --tools",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := auditDir(&p)
			if err != nil {
				return err
			}
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetIndent("", "  ")
			n := 0
			for e, err := range audit.Read(cmd.Context(), dir, 1) {
				if err != nil && !errors.Is(err, audit.ErrDamaged) {
					return err
				}
				if e.Event.ID != args[0] {
					continue
				}
				n++
				if tools {
					if err := showTools(cmd.OutOrStdout(), e.Event.Tools); err != nil {
						return err
					}
					continue
				}
				if err := enc.Encode(map[string]any{"seq": e.Seq, "hash": e.Hash, "segment": e.Segment, "offset": e.Offset, "event": e.Event}); err != nil {
					return err
				}
			}
			if n == 0 {
				return usage(fmt.Errorf("there is no record of %q", args[0]))
			}
			return nil
		},
	}
	p.flags(c)
	c.Flags().BoolVar(&tools, "tools", false, "show the calls of tools as a table")
	return c
}

// showTools prints what was decided about calls, and of each where its values come from.
func showTools(out io.Writer, tools []ringwall.ToolUse) error {
	if len(tools) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TOOL\tEFFECT\tDECISION\tRULES\tAPPROVAL\tID")
	for i := range tools {
		t := &tools[i]
		rules := or(strings.Join(append(slices.DeleteFunc([]string{t.Rule}, isEmpty), t.Also...), ","), "-")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", plain(t.Tool), t.Effect, t.Decision, rules, or(t.Approval, "-"), or(plain(t.ID), "-"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if !slices.ContainsFunc(tools, func(t ringwall.ToolUse) bool { return len(t.Arguments) > 0 }) {
		return nil
	}
	fmt.Fprintln(out)
	w = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TOOL\tARGUMENT\tSENSITIVE\tSOURCE\tFROM\tHOW")
	for i := range tools {
		for _, a := range tools[i].Arguments {
			fmt.Fprintf(w, "%s\t%s\t%t\t%s\t%s\t%s\n", plain(tools[i].Tool), or(plain(a.Path), "/"), a.Sensitive, a.Source, or(plain(a.From), "-"), or(a.How, "-"))
		}
	}
	return w.Flush()
}

func isEmpty(s string) bool { return s == "" }

// plain is a name that a model or a client chose, as a terminal may show it.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return '?'
		}
		return r
	}, s)
}

func auditVerify() *cobra.Command {
	var p place
	var format string
	c := &cobra.Command{
		Use:   "verify",
		Short: "Prove that no record was changed, removed or put elsewhere; exit 1 if one was",
		Long: `Checks the chain of hashes through all segments and that the log does not end
before the head that was signed last. Each problem is named with the records,
the file and the byte.`,
		Example: "  ringwall audit verify --data /var/lib/ringwall",
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := auditDir(&p)
			if err != nil {
				return err
			}
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			rep, err := audit.Verify(cmd.Context(), dir, progress(cmd.ErrOrStderr(), "verifying"))
			if err != nil {
				return err
			}
			if format == "json" {
				if err := json.NewEncoder(cmd.OutOrStdout()).Encode(rep); err != nil {
					return err
				}
			} else {
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, pr := range rep.Problems {
					fmt.Fprintln(w, pr)
				}
				if rep.Torn != nil {
					fmt.Fprintln(w, "the last line was not written whole; nobody was told that it was")
				}
				fmt.Fprintf(w, "%d records in %d segments, %d problems\n", rep.Entries, rep.Segments, len(rep.Problems))
				if err := w.Flush(); err != nil {
					return err
				}
			}
			if !rep.OK() {
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

// progress returns a progress bar for a terminal, else nil.
func progress(w io.Writer, what string) func(done, total int64) {
	f, ok := w.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return nil
	}
	bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true), progressbar.OptionClearOnFinish())
	return func(done, total int64) {
		bar.ChangeMax64(total)
		bar.Set64(done)
	}
}

func auditExport() *cobra.Command {
	var p place
	var format, out string
	c := &cobra.Command{
		Use:     "export",
		Short:   "Write all records as JSONL, byte for byte as they were chained, or as CSV",
		Example: "  ringwall audit export --format csv --out records.csv",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			dir, err := auditDir(&p)
			if err != nil {
				return err
			}
			if err := oneOf("format", format, "jsonl", "csv"); err != nil {
				return err
			}
			f := audit.JSONL
			if format == "csv" {
				f = audit.CSV
			}
			w := cmd.OutOrStdout()
			if out != "" {
				file, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
				if err != nil {
					return usage(err)
				}
				defer func() { err = errors.Join(err, file.Close()) }()
				w = file
			}
			return audit.Export(cmd.Context(), w, f, audit.Read(cmd.Context(), dir, 1))
		},
	}
	p.flags(c)
	c.Flags().StringVar(&format, "format", "jsonl", "jsonl or csv")
	c.Flags().StringVar(&out, "out", "", "new `FILE` to write to (default: standard output)")
	complete(c, "format", "jsonl", "csv")
	c.MarkFlagFilename("out")
	return c
}
