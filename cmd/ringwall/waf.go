package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/server"
	"github.com/ringwall/ringwall/waf"
)

func wafCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "waf",
		Short: "Try the web application firewall: what it says of a request, and how often it is wrong",
		Long: `The firewall looks at requests as HTTP, before their caller is known: by the OWASP
Core Rule Set and by rules of our own for AI. What it does is configured under waf.`,
		Example: `  ringwall waf rules
  ringwall waf explain request.txt
  ringwall waf test --benign prompts.jsonl`,
	}
	c.AddCommand(wafRulesCommand(), wafExplainCommand(), wafTestCommand())
	return c
}

func wafRulesCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "rules",
		Short:   "List our own rules",
		Long:    "Lists the rules of our own, which stand beside the OWASP Core Rule Set. Each refuses alone.",
		Example: "  ringwall waf rules --format json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			if format == "json" {
				type rule struct {
					ID       string `json:"id"`
					On       string `json:"on"`
					Severity string `json:"severity"`
					Message  string `json:"message"`
				}
				var out []rule
				for _, r := range waf.Rules() {
					out = append(out, rule{r.ID, r.On, r.Severity.String(), r.Message})
				}
				return json.NewEncoder(cmd.OutOrStdout()).Encode(out)
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "RULE\tLOOKS AT\tSEVERITY\tNOTICES")
			for _, r := range waf.Rules() {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", r.ID, r.On, r.Severity, r.Message)
			}
			return t.Flush()
		},
	}
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

// firewallOf is the firewall of a place, and how long loading it took.
func firewallOf(p *place) (*waf.Firewall, error) {
	c, err := p.load()
	if err != nil {
		return nil, err
	}
	return server.FirewallOf(c)
}

// explained is what explain prints.
type explained struct {
	Group   string      `json:"group"`
	Mode    string      `json:"mode"`
	Verdict string      `json:"verdict"` // refuse, notice, pass
	Score   int         `json:"score"`
	Rules   []waf.Match `json:"rules"`
}

func wafExplainCommand() *cobra.Command {
	var p place
	var format string
	c := &cobra.Command{
		Use:   "explain REQUEST-FILE",
		Short: "Say which rules fire for a request",
		Long: `Reads a request as it goes over the wire (its first line, headers, an empty line,
the body), from a file or, with -, from standard input, and says what the firewall
makes of it: which rules fire, where, and what it would do. Lines may end without a
carriage return, and a length is not needed.

Exits with 1 when the request would be refused.`,
		Example: `  ringwall waf explain request.txt
  printf 'GET /v1/models?f=../../x HTTP/1.1\nHost: x\n\n' | ringwall waf explain -`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			r, body, err := readRequest(args[0], cmd.InOrStdin())
			if err != nil {
				return usage(err)
			}
			f, err := firewallOf(&p)
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }() // it gives back memory
			x, failed := explain(f, r, body)
			if failed {
				return fmt.Errorf("the firewall could not look")
			}
			if format == "json" {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(x)
			} else {
				err = x.write(cmd.OutOrStdout())
			}
			if err == nil && x.Verdict == "refuse" {
				err = found()
			}
			return err
		},
	}
	p.flags(c)
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

// explain looks at a request as the gateway does: at the door, and then at the shape
// of its body.
func explain(f *waf.Firewall, r *http.Request, body []byte) (x explained, failed bool) {
	g := server.GroupOf(r.URL.Path)
	j := f.Look(r, g)
	x = explained{Group: g.String(), Mode: f.Mode(g).String(), Verdict: "pass", Score: j.Score, Rules: append([]waf.Match{}, j.Matches...)}
	refuse, noticed := j.Refuse, len(j.Findings) > 0
	if g == waf.Model && !j.Refuse {
		b := f.Body(r.URL.Path, body)
		x.Rules = append(x.Rules, b.Matches...)
		x.Score += b.Score
		refuse, noticed = b.Refuse, noticed || len(b.Findings) > 0
	}
	switch {
	case refuse:
		x.Verdict = "refuse"
	case noticed:
		x.Verdict = "notice"
	}
	return x, j.Failed
}

func (x *explained) write(w io.Writer) error {
	fmt.Fprintf(w, "%s: group %s, mode %s, score %d\n", x.Verdict, x.Group, x.Mode, x.Score)
	if len(x.Rules) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RULE\tSCORE\tSEVERITY\tWHERE\tNOTICES")
	for _, m := range x.Rules {
		what := m.Message
		if m.Excepted != "" {
			what += " (excused: " + m.Excepted + ")"
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\n", m.Rule, m.Score, m.Severity, cmp.Or(m.Where, "-"), what)
	}
	return t.Flush()
}

// maxRequest bounds a file with a request.
const maxRequest = 16 << 20

// readRequest reads a request as it goes over the wire, and its body.
func readRequest(name string, stdin io.Reader) (*http.Request, []byte, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the request: %w", err)
		}
		defer f.Close()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxRequest+1))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the request: %w", err)
	}
	if len(raw) > maxRequest {
		return nil, nil, fmt.Errorf("%s: the request is longer than %d bytes", name, maxRequest)
	}
	head, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok {
		head, body, _ = bytes.Cut(raw, []byte("\n\n"))
	}
	lines := strings.Split(strings.ReplaceAll(strings.TrimRight(string(head), "\r\n"), "\r\n", "\n"), "\n")
	if first := strings.Fields(lines[0]); len(first) == 2 {
		lines[0] += " HTTP/1.1"
	}
	kept, host := lines[:1], false
	for _, l := range lines[1:] {
		host = host || strings.HasPrefix(strings.ToLower(l), "host:")
		if l = strings.TrimRight(l, " "); l != "" && !strings.HasPrefix(strings.ToLower(l), "content-length:") {
			kept = append(kept, l)
		}
	}
	if !host {
		kept = append(kept, "Host: localhost")
	}
	if len(body) > 0 {
		kept = append(kept, fmt.Sprintf("Content-Length: %d", len(body)))
	}
	r, err := http.ReadRequest(bufio.NewReader(io.MultiReader(strings.NewReader(strings.Join(kept, "\r\n")+"\r\n\r\n"), bytes.NewReader(body))))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: this is no request of HTTP, and would be refused as such: %w", name, err)
	}
	return r, body, nil
}

// took is a time as tables show it.
func took(d time.Duration) string { return d.Round(10 * time.Microsecond).String() }
