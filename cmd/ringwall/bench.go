package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/server/bench"
)

func benchCommand() *cobra.Command {
	var opt bench.Options
	var format, mode string
	var quick, fail bool
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure what the gateway costs on this machine",
		Long: `Asks a stub of a model directly, through a bare reverse proxy and through Ringwall
with the default guardrail, keys, limits and records, in turns, and prints what
Ringwall adds: latency, CPU time, allocations and memory. Each target is a process
of its own on 127.0.0.1; nothing else is asked, and all end with this one.

Compare ratios, differences and CPU times; absolute latencies say as much about
the machine as about the gateway.

With --dialect the stub speaks the APIs of other providers, too, and Ringwall has
a provider of each type before it: Bedrock with its binary frames and signed
requests. What each dialect adds to a bare proxy of the same bytes is printed
beside what OpenAI's chat completions add in the same rounds.`,
		Example: `  ringwall bench --quick
  ringwall bench --format json > before.json
  ringwall bench --only unary-1k --mode saturation --concurrency 128
  ringwall bench --dialect anthropic,bedrock-converse --duration 500ms --rounds 9`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format != "text" && format != "json" {
				return usage(fmt.Errorf("--format: want text or json, not %q", format))
			}
			if quick && !cmd.Flags().Changed("duration") {
				opt.Duration = time.Second
			}
			if mode != "" {
				opt.Modes = []bench.Mode{bench.Mode(mode)}
			}
			self, err := os.Executable()
			if err != nil {
				return fmt.Errorf("finding this program: %w", err)
			}
			opt.Target = []string{self, "bench", "target"}
			bar := newBar(cmd.ErrOrStderr())
			opt.Progress = bar.show
			r, err := bench.Run(cmd.Context(), opt)
			bar.clear()
			if errors.Is(err, bench.ErrOptions) {
				return usage(err)
			}
			if err != nil {
				return err
			}
			if format == "json" {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				err = enc.Encode(r)
			} else {
				err = r.Write(cmd.OutOrStdout())
			}
			if err == nil && fail && !r.Met() {
				err = found()
			}
			return err
		},
	}
	f := c.Flags()
	f.DurationVar(&opt.Duration, "duration", 3*time.Second, "`TIME` for each cell of the tables")
	f.BoolVar(&quick, "quick", false, "one second for each cell")
	f.IntVar(&opt.Rounds, "rounds", 3, "`TIMES` that each cell is measured; the median counts")
	f.IntVar(&opt.Concurrency, "concurrency", 64, "`CONNECTIONS` that ask without pause at saturation")
	f.IntVar(&opt.Rate, "rate", 1500, "`REQUESTS` a second at fixed rate; a tenth of it for streams")
	f.StringSliceVar(&opt.Only, "only", nil, "`NAMES` of the requests to measure: unary-1k, unary-8k, stream-1k, stream-8k")
	f.StringSliceVar(&opt.Dialects, "dialect", nil, "`APIS` to hold against openai: "+strings.Join(bench.Dialects()[1:], ", ")+", or all")
	f.StringVar(&mode, "mode", "", "measure at saturation or at fixed-rate only")
	f.StringVar(&format, "format", "text", "text or json")
	f.BoolVar(&fail, "fail-on-target", false, "exit with 1 when a target is missed")
	f.StringVar(&opt.Profile, "cpuprofile", "", "`FILE` for a CPU profile of Ringwall, all cells together")
	f.MarkHidden("cpuprofile")
	complete(c, "format", "text", "json")
	complete(c, "dialect", append(bench.Dialects(), "all")...)
	complete(c, "mode", string(bench.Saturation), string(bench.FixedRate))
	c.AddCommand(benchTargetCommand())
	return c
}

// benchTargetCommand is what bench calls itself as.
func benchTargetCommand() *cobra.Command {
	var t bench.Target
	var kind string
	c := &cobra.Command{
		Use: "target", Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if kind == "" {
				return usage(errors.New("bench target: --kind is needed"))
			}
			t.Kind, t.In, t.Out = bench.Kind(kind), cmd.InOrStdin(), cmd.OutOrStdout()
			return bench.RunTarget(cmd.Context(), t)
		},
	}
	c.Flags().StringVar(&kind, "kind", "", "stub, proxy or ringwall")
	c.Flags().StringVar(&t.Upstream, "upstream", "", "`URL` of the stub")
	c.Flags().StringVar(&t.Data, "data", "", "`DIR` of keys and records")
	c.Flags().StringSliceVar(&t.Dialects, "dialect", nil, "`APIS` of providers")
	c.Flags().StringVar(&t.Profile, "cpuprofile", "", "`FILE` for a CPU profile")
	return c
}

// bar is a progress bar, drawn on terminals only.
type bar struct{ out io.Writer }

func newBar(w io.Writer) bar {
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return bar{w}
		}
	}
	return bar{io.Discard}
}

func (b bar) show(done, total int, what string) {
	const width = 30
	n := width * done / max(1, total)
	fmt.Fprintf(b.out, "\r\x1b[K[%s%s] %d/%d %s", strings.Repeat("#", n), strings.Repeat(".", width-n), done, total, what)
}

func (b bar) clear() { fmt.Fprint(b.out, "\r\x1b[K") }
