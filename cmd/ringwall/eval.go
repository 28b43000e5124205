package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/person"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/internal/decode"
	"github.com/ringwall/ringwall/server/eval"
)

func evalCommand() *cobra.Command {
	var p place
	var cfg eval.Config
	var guardrail, direction, origin, task, at, format, floors, title string
	var maps, notes []string
	var evade bool
	var records, since, budget string
	level := 1
	cost := true
	c := &cobra.Command{
		Use:   "eval [FILE]…",
		Short: "Measure a guardrail on texts whose labels are known",
		Long: `Runs labelled texts through a guardrail and prints how well it did. A FILE is
JSONL, plain or gzip, - for standard input, a line for each text:
{"id","text","label","category"?,"source"?,"lang"?,"kind"?,"origin"?,"annotated"?}.

A label is about the whole text (0, 1, true, false, a name such as "attack" or
"benign", a list of names), or a list of spans {"start","end","type"} in UTF-8
bytes. Rows with "annotated" tell of those types only. Types that no detector
looks for are listed and in no figure.

With --budget it also says, for each class, which threshold keeps to that share of
false positives, and what is caught with it. With --records DIR instead of files it
says so from recorded traffic, taken as benign but for what was blocked.

Texts are not printed unless --show-text is given. Exits with 1 when a figure is
under its floor, with 3 when the guardrail could not look at some rows. Floors are
FIGURE=NUMBER,…; the figures of spans are
` + wrapped(eval.FloorNames(eval.Spans)) + `;
those of whole texts
` + wrapped(eval.FloorNames(eval.Binary)) + `.`,
		Example: `  ringwall eval pii.jsonl.gz --by lang,source
  ringwall eval attacks.jsonl --control inference/prompt-attack --evade --fail-under 'auc=0.87,over-defence=0.9'
  ringwall eval content.jsonl --budget 0.5% --requests-per-day 100000
  ringwall eval --budget 0.1% --records /var/lib/ringwall --guardrail shop --since 7d
  ringwall eval secrets.jsonl --errors 20 --format markdown --title Credentials`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json", "markdown"); err != nil {
				return err
			}
			if (len(args) > 0) == (records != "") {
				return usage(errors.New("either files or --records: see ringwall eval --help"))
			}
			if budget != "" {
				if err := cfg.Budget.UnmarshalText([]byte(budget)); err != nil {
					return usage(fmt.Errorf("--budget: %w", err))
				}
			}
			if !(cfg.PerDay >= 0) {
				return usage(errors.New("--requests-per-day: want a number above 0"))
			}
			if records != "" {
				e := fromRecords{place: &p, dir: records, guardrail: guardrail, since: since, budget: cfg.Budget, perDay: cfg.PerDay, command: called(cmd, args), notes: notes}
				bar := newBar(cmd.ErrOrStderr())
				e.progress = bar.show
				r, err := e.run(cmd.Context())
				bar.clear()
				if err != nil {
					return err
				}
				return printReport(cmd, r, format, title, level)
			}
			if since != "" {
				return usage(errors.New("--since is for --records"))
			}
			if err := oneOf("at", at, "block", "hold", "mask", "flag"); err != nil {
				return err
			}
			if cfg.Score != "" && !strings.HasPrefix(cfg.Score, "topic:") {
				if err := oneOf("score", cfg.Score, scoreNames()...); err != nil {
					return err
				}
			}
			if err := errors.Join(cfg.At.UnmarshalText([]byte(at)), cfg.Way.UnmarshalText([]byte(direction))); err != nil {
				return usage(err)
			}
			if origin != "" {
				cfg.Origin = new(ringwall.Origin)
				if err := cfg.Origin.UnmarshalText([]byte(origin)); err != nil {
					return usage(fmt.Errorf("--origin: %w", err))
				}
			}
			var err error
			if cfg.Map, err = typeMap(maps); err != nil {
				return usage(err)
			}
			if floors != "" {
				if cfg.Floors, err = eval.ParseFloors(floors); err != nil {
					return usage(fmt.Errorf("--fail-under: %w", err))
				}
			}
			conf, err := p.load()
			if err != nil {
				return err
			}
			g, err := guardOf(conf, guardrail, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if evade {
				cfg.Evade = disguises()
			}
			cfg.Task, cfg.Files, cfg.Stdin, cfg.NoCost = eval.Task(task), args, cmd.InOrStdin(), !cost
			cfg.Command = called(cmd, args)
			throughGuard(&cfg, g)
			bar := newBar(cmd.ErrOrStderr())
			cfg.Progress = bar.show
			r, err := eval.Run(cmd.Context(), cfg)
			bar.clear()
			if in := (*eval.InputError)(nil); errors.As(err, &in) || errors.Is(err, eval.ErrOptions) || errors.Is(err, eval.ErrNoRows) {
				return usage(err)
			}
			if err != nil {
				return err
			}
			r.Notes = append(r.Notes, notes...)
			if err := printReport(cmd, r, format, title, level); err != nil {
				return err
			}
			switch {
			case r.Unavailable > 0:
				return fmt.Errorf("the guardrail could not look at %d rows", r.Unavailable)
			case !r.Met():
				return found()
			}
			return nil
		},
	}
	p.flags(c)
	f := c.Flags()
	f.StringVar(&guardrail, "guardrail", "", "`NAME` of the guardrail, NAME@VERSION, or a file with one (default: the one in force)")
	f.StringVar(&task, "task", "", "what labels are about: span or binary (default: as in the first row)")
	f.StringVar(&direction, "direction", "input", "which way the texts go: input or output")
	f.StringVar(&origin, "origin", "", "whose words rows are that do not say: system, user, assistant, tool, retrieved, unverified (default: by their kind)")
	f.StringSliceVar(&cfg.Controls, "control", nil, "`IDS` of the controls whose findings count (default: those that look for what is labelled; for whole texts, all)")
	f.StringVar(&cfg.Score, "score", "", "`NAME` of the score that ranks whole texts, harm for the highest of all categories (default: harm where the first row tells of categories, else prompt_attack)")
	f.StringVar(&at, "at", "block", "the mildest action that counts as caught: block, hold, mask or flag")
	f.StringSliceVar(&cfg.Positive, "positive", nil, "`NAMES` of labels that ought to be caught (default: all but benign, none, clean and the like)")
	f.StringSliceVar(&cfg.HardBenign, "hard-benign", nil, "`CATEGORIES` of over-defence (default: hard_benign, hard_negative and the like)")
	f.StringArrayVar(&maps, "map", nil, "`TYPE=REASON[,REASON]`: what finds a type of label, a reason or a whole control")
	f.StringSliceVar(&cfg.Ignore, "ignore", nil, "`TYPES` of labels to leave out")
	f.StringSliceVar(&cfg.By, "by", nil, "`FIELDS` of rows to break figures down by (default: lang,source,category)")
	f.BoolVar(&evade, "evade", false, "ask what was caught again in every disguise")
	f.StringVar(&budget, "budget", "", "`SHARE` of what is harmless that may be flagged, as in 0.5%, 0.005 or 1/200: say which thresholds keep to it")
	f.Float64Var(&cfg.PerDay, "requests-per-day", 0, "`NUMBER` of texts of a day, to say how many false positives that is (default: those of the records)")
	f.StringVar(&records, "records", "", "learn from the records in `DIR`, a data directory or the records in it, instead of from files")
	f.StringVar(&since, "since", "", "of the records, those from `TIME` on: 7d, 12h, 2030-01-31")
	f.IntVar(&cfg.Limit, "limit", 0, "read at most `ROWS`")
	f.IntVar(&cfg.Sample, "sample", 0, "judge `ROWS` drawn at random")
	f.Uint64Var(&cfg.Seed, "seed", 1, "`NUMBER` that a sample is drawn with")
	f.IntVar(&cfg.Errors, "errors", 0, "list the first `N` misses and false positives")
	f.BoolVar(&cfg.ShowText, "show-text", false, "print the texts of --errors, which may be personal")
	f.BoolVar(&cost, "cost", true, "print what judging took, which differs from run to run")
	f.StringVar(&floors, "fail-under", "", "exit with 1 when a figure is under one of the `FLOORS`")
	f.StringVar(&format, "format", "text", "text, json or markdown")
	f.StringVar(&title, "title", "Accuracy", "`TEXT` of the heading of Markdown")
	f.IntVar(&level, "level", 1, "`LEVEL` of the heading of Markdown, from 1")
	f.StringArrayVar(&notes, "note", nil, "`TEXT` to add to what the report says of itself")
	complete(c, "task", "span", "binary")
	complete(c, "direction", "input", "output")
	complete(c, "origin", "system", "user", "assistant", "tool", "retrieved", "unverified")
	complete(c, "at", "block", "hold", "mask", "flag")
	complete(c, "score", scoreNames()...)
	complete(c, "format", "text", "json", "markdown")
	return c
}

// wrapped is a list that fits a terminal.
func wrapped(names []string) string {
	lines := []string{""}
	for i, name := range names {
		last := &lines[len(lines)-1]
		if i > 0 {
			*last += ", "
		}
		if len(*last)+len(name) > 78 {
			*last = strings.TrimSuffix(*last, " ")
			lines = append(lines, name)
		} else {
			*last += name
		}
	}
	return strings.Join(lines, "\n")
}

// scoreNames are the scores that texts can be ranked by.
func scoreNames() []string {
	return append(ringwall.ScoreNames(), ringwall.ScoreGrounding, ringwall.ScoreRelevance, eval.Harm)
}

// report is what can be printed in three formats.
type report interface {
	WriteText(w io.Writer) error
	WriteMarkdown(w io.Writer, title string, level int) error
}

func printReport(cmd *cobra.Command, r report, format, title string, level int) error {
	switch format {
	case "json":
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(r)
	case "markdown":
		return r.WriteMarkdown(cmd.OutOrStdout(), title, level)
	}
	return r.WriteText(cmd.OutOrStdout())
}

// throughGuard has eval ask g as ringwall check does.
func throughGuard(cfg *eval.Config, g *guard.Guard) {
	j := &judge{g: g}
	cfg.Guardrail, cfg.Reasons = g.Name(), slices.Concat(pii.Reasons, person.Reasons)
	cfg.Look = func(ctx context.Context, way ringwall.Direction, text ringwall.Text) eval.Seen {
		v := j.look(ctx, guard.Session{}, nil, text.Value, way, text.Origin)
		seen := eval.Seen{Scores: v.Scores}
		for _, f := range v.Findings {
			seen.Findings = append(seen.Findings, ringwall.Finding{
				Control: f.Control, Reason: f.Reason, Severity: f.Severity, Score: f.Score,
				Where: ringwall.Span{Start: f.Start, End: f.End},
			})
		}
		return seen
	}
	cfg.Decide = func(way ringwall.Direction, fs []ringwall.Finding) ringwall.Action {
		return g.Decide(way, ringwall.User, fs).Action
	}
}

func disguises() (out []eval.Converter) {
	for _, c := range decode.Table {
		out = append(out, eval.Converter{Name: c.Name, Encode: c.Encode})
	}
	return out
}

// typeMap reads --map.
func typeMap(args []string) (map[string][]string, error) {
	out := map[string][]string{}
	for _, arg := range args {
		typ, reasons, _ := strings.Cut(arg, "=")
		if typ == "" || reasons == "" {
			return nil, fmt.Errorf("--map: want TYPE=REASON[,REASON], not %q", arg)
		}
		out[typ] = append(out[typ], strings.Split(reasons, ",")...)
	}
	return out, nil
}

// evalFlags are the flags that a report repeats, in their order there: those that
// say what is measured and how.
var evalFlags = []string{
	"config", "data", "guardrail", "task", "direction", "origin", "control", "score", "at", "positive", "hard-benign", "map", "ignore",
	"by", "evade", "budget", "requests-per-day", "records", "since", "limit", "sample", "seed", "errors", "show-text", "cost", "fail-under",
}

// called is the command line, with files by their names alone.
func called(cmd *cobra.Command, args []string) string {
	line := []string{cmd.CommandPath()}
	for _, name := range evalFlags {
		f := cmd.Flags().Lookup(name)
		if !f.Changed {
			continue
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(interface{ GetSlice() []string }); ok {
			if values = list.GetSlice(); f.Value.Type() == "stringSlice" {
				values = []string{strings.Join(values, ",")}
			}
		}
		for _, v := range values {
			switch {
			case name == "config" || name == "data" || name == "records":
				v = filepath.Base(v)
			case f.Value.Type() == "bool" && v == "true":
				line = append(line, "--"+name)
				continue
			}
			line = append(line, "--"+name+"="+quoted(v))
		}
	}
	for _, a := range args {
		line = append(line, quoted(filepath.Base(a)))
	}
	return strings.Join(line, " ")
}

// quoted is a word as a shell takes it.
func quoted(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.,/=:@+%", r)
	}
	if s != "" && strings.TrimFunc(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
