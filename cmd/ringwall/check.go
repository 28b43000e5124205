package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/guard"
)

// maxLine bounds a line of --jsonl, and the text of an argument or of standard
// input.
const maxLine = 16 << 20

// judged is what check prints of a text.
type judged struct {
	ID       json.RawMessage `json:"id,omitempty"` // as it was given
	Action   ringwall.Action `json:"action"`
	Text     string          `json:"text"`
	Findings []spotted       `json:"findings"`
	Scores   scores          `json:"scores"`
}

type spotted struct {
	Control  string            `json:"control"`
	Reason   string            `json:"reason"`
	Severity ringwall.Severity `json:"severity"`
	Start    int               `json:"start"`
	End      int               `json:"end"`
	Score    float64           `json:"score"`
	Via      string            `json:"via,omitempty"`
	Shadow   string            `json:"shadow,omitempty"`
	Excepted string            `json:"excepted,omitempty"`
}

// remark says of a finding what a table has no column for.
func (s spotted) remark() string {
	var out []string
	for _, r := range []struct{ what, value string }{{"hidden by", s.Via}, {"in shadow, else", s.Shadow}, {"excused by", s.Excepted}} {
		if r.value != "" {
			out = append(out, r.what+" "+r.value)
		}
	}
	return strings.Join(out, "; ")
}

// scores prints the classes that every answer has, in their order, and then those
// of this guardrail alone, such as its topics.
type scores map[string]float64

func (s scores) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	names := ringwall.ScoreNames()
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for i, name := range names {
		sep := byte(',')
		if i == 0 {
			sep = '{'
		}
		fmt.Fprintf(&b, "%c%q:%g", sep, name, math.Round(s[name]*1e6)/1e6)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func checkCommand() *cobra.Command {
	var p place
	var guardrail, jsonl, source, origin, format, failOn, query string
	var files []string
	c := &cobra.Command{
		Use:   "check [TEXT]…",
		Short: "Judge text against a guardrail",
		Long: `Judges texts: the arguments, or standard input, or the lines of a JSONL file
{"id","text","source":"input|output","origin"?,"query"?,"sources"?}, and prints for
each what a guardrail would do, the text as it would go on, and what was noticed.
Spans are UTF-8 byte offsets into the given text.

Grounding holds an answer against the texts that it is to follow from and against
what was asked: --sources and --query, or the members of a line.

Exits with 1 when a text is judged --fail-on or stricter.`,
		Example: `  ringwall check 'my card is 4111 1111 1111 1111'
  ringwall check --source output --format json < answer.txt
  ringwall check --source output --query 'How long is the warranty?' --sources terms.txt 'It is five years.'
  ringwall check --jsonl prompts.jsonl --guardrail strict --config ringwall.yaml`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := p.load()
			if err != nil {
				return err
			}
			g, err := guardOf(cfg, guardrail, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			if err := oneOf("fail-on", failOn, "block", "hold", "mask", "flag"); err != nil {
				return err
			}
			if jsonl != "" && len(args) > 0 {
				return usage(errors.New("either texts or --jsonl"))
			}
			var limit ringwall.Action
			if err := limit.UnmarshalText([]byte(failOn)); err != nil {
				return err // an action, as was made sure
			}
			j := &judge{g: g, out: bufio.NewWriter(cmd.OutOrStdout()), limit: limit, json: format == "json"}
			if j.ask.Query = query; len(files) > 0 {
				if j.ask.Sources, err = sourcesIn(files); err != nil {
					return err
				}
			}
			if jsonl != "" {
				j.json = true
				err = j.file(cmd.Context(), jsonl, cmd.InOrStdin(), source, origin)
			} else {
				err = j.texts(cmd.Context(), args, cmd.InOrStdin(), source, origin)
			}
			if err := errors.Join(err, j.out.Flush()); err != nil {
				return err
			}
			if j.hit {
				return found()
			}
			return nil
		},
	}
	p.flags(c)
	f := c.Flags()
	f.StringVar(&guardrail, "guardrail", "", "`NAME` of the guardrail, NAME@VERSION, or a file with one (default: the one in force)")
	f.StringVar(&jsonl, "jsonl", "", "JSONL `FILE` of texts; - for standard input")
	f.StringVar(&source, "source", "input", "which way the text goes: input or output")
	f.StringVar(&origin, "origin", "", "whose words it is: system, user, assistant, tool, retrieved, unverified")
	f.StringVar(&query, "query", "", "`TEXT` of the question that is answered")
	f.StringArrayVar(&files, "sources", nil, "`FILE` that the answer is to follow from; may be given again")
	f.StringVar(&format, "format", "text", "text or json")
	f.StringVar(&failOn, "fail-on", "block", "the mildest action that exits with 1: block, hold, mask or flag")
	complete(c, "source", "input", "output")
	complete(c, "format", "text", "json")
	complete(c, "fail-on", "block", "hold", "mask", "flag")
	complete(c, "origin", "system", "user", "assistant", "tool", "retrieved", "unverified")
	return c
}

// complete has the shell offer the values of a flag.
func complete(c *cobra.Command, flag string, values ...string) {
	c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// judge judges texts and prints what comes of it.
type judge struct {
	g     *guard.Guard
	out   *bufio.Writer
	limit ringwall.Action
	json  bool
	hit   bool
	ask   guard.Session // the question and the sources of texts that bring none
}

// sourcesIn reads the sources of answers.
func sourcesIn(files []string) (texts []string, err error) {
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading the sources: %w", err)
		}
		texts = append(texts, string(b))
	}
	return texts, nil
}

func (j *judge) texts(ctx context.Context, args []string, stdin io.Reader, source, origin string) error {
	way, who, err := direction(source, origin)
	if err != nil {
		return usage(err)
	}
	if len(args) == 0 {
		text, err := io.ReadAll(io.LimitReader(stdin, maxLine+1))
		if err != nil {
			return fmt.Errorf("reading standard input: %w", err)
		}
		if len(text) > maxLine {
			return fmt.Errorf("standard input is longer than %d bytes: cut it up", maxLine)
		}
		args = []string{strings.TrimSuffix(string(text), "\n")}
	}
	for _, text := range args {
		if err := j.print(j.look(ctx, j.ask, nil, text, way, who)); err != nil {
			return err
		}
	}
	return nil
}

// file judges the lines of a file; source and origin are those of lines that
// say nothing of it.
func (j *judge) file(ctx context.Context, name string, stdin io.Reader, source, origin string) error {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("reading the texts: %w", err)
		}
		defer f.Close()
		in = f
	}
	sc := bufio.NewScanner(in)
	sc.Buffer(make([]byte, 64<<10), maxLine)
	n := 1
	for ; sc.Scan(); n++ {
		if len(bytes.TrimSpace(sc.Bytes())) == 0 {
			continue
		}
		var line struct {
			ID     json.RawMessage `json:"id"`
			Text   *string         `json:"text"`
			Source string          `json:"source"`
			Origin string          `json:"origin"`

			Query   *string  `json:"query"`
			Sources []string `json:"sources"`
		}
		if err := json.Unmarshal(sc.Bytes(), &line); err != nil {
			return usage(fmt.Errorf("%s:%d: %w", name, n, err))
		}
		if line.Text == nil {
			return usage(fmt.Errorf("%s:%d: the line has no text", name, n))
		}
		way, who, err := direction(or(line.Source, source), or(line.Origin, origin))
		if err != nil {
			return usage(fmt.Errorf("%s:%d: %w", name, n, err))
		}
		ask := j.ask
		if line.Query != nil {
			ask.Query = *line.Query
		}
		if line.Sources != nil {
			ask.Sources = line.Sources
		}
		if err := j.print(j.look(ctx, ask, line.ID, *line.Text, way, who)); err != nil {
			return err
		}
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("%s:%d: reading the line: %w", name, n, err)
	}
	return nil
}

// direction reads source and origin; where no origin is given it is who speaks
// in that direction.
func direction(source, origin string) (way ringwall.Direction, who ringwall.Origin, err error) {
	if source != "" {
		if err := way.UnmarshalText([]byte(source)); err != nil {
			return 0, 0, err
		}
	}
	if who = ringwall.User; way == ringwall.Output {
		who = ringwall.Assistant
	}
	if origin != "" {
		err = who.UnmarshalText([]byte(origin))
	}
	return way, who, err
}

func (j *judge) look(ctx context.Context, s guard.Session, id json.RawMessage, text string, way ringwall.Direction, who ringwall.Origin) judged {
	s.Way = way
	res := j.g.Check(ctx, s, []ringwall.Text{{Origin: who, Value: text}})
	out := judged{ID: id, Action: res.Verdict.Action, Text: text, Findings: []spotted{}, Scores: scores{}}
	switch {
	case out.Action < ringwall.Mask:
		out.Text = j.g.Message(way)
	case len(res.Texts) > 0:
		out.Text = res.Texts[0].Value
	}
	for _, f := range res.Findings {
		out.Findings = append(out.Findings, spotted{f.Control, f.Reason, f.Severity, f.Where.Start, f.Where.End, f.Score, f.Via, f.Shadow, f.Excepted})
	}
	for _, s := range res.Scores {
		out.Scores[s.Name] = s.Value
	}
	for _, name := range ringwall.ScoreNames() {
		if _, ok := out.Scores[name]; ok {
			continue
		}
		// The guardrail does not look for it, and people ask how the text scores.
		rated, _ := builtin.Rate(ctx, way, ringwall.Text{Origin: who, Value: text}) // it was made of the same parts as j.g
		for _, s := range rated {
			if _, ok := out.Scores[s.Name]; !ok {
				out.Scores[s.Name] = s.Value
			}
		}
		break
	}
	return out
}

func (j *judge) print(v judged) error {
	j.hit = j.hit || v.Action <= j.limit && v.Action != ringwall.Allow
	if j.json {
		enc := json.NewEncoder(j.out)
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	}
	fmt.Fprintf(j.out, "%s\t%s\n", v.Action, v.Text)
	w := tabwriter.NewWriter(j.out, 0, 0, 2, ' ', 0)
	for _, f := range v.Findings {
		line := fmt.Sprintf("  %s\t%s\t%s\t%d-%d\t%.2f", f.Control, f.Reason, f.Severity, f.Start, f.End, f.Score)
		if r := f.remark(); r != "" {
			line += "\t" + r
		}
		fmt.Fprintln(w, line)
	}
	return w.Flush()
}
