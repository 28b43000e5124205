package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/quota"
	"github.com/ringwall/ringwall/server"
)

func quotaCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "quota",
		Short: "Show and reset what is used of limits, and try limits on the past",
		Long: `Shows what is used of the limits of the configuration, makes it begin anew, and
says which requests of the past limits would have refused.

With Valkey all limits are shown. Without it, those of days, weeks and months are in
the database; those that slide are in the process that serves, and end within a day.`,
	}
	c.AddCommand(quotaList(), quotaShow(), quotaReset(), quotaSimulate())
	return c
}

// usageRow is an entry as it is listed.
type usageRow struct {
	Limit   string     `json:"limit"`
	Measure string     `json:"measure"`
	Window  string     `json:"window"`
	Subject string     `json:"subject"`
	Used    float64    `json:"used"`
	Most    *float64   `json:"most,omitempty"` // of the configuration; nil: there is none of this name
	Ends    *time.Time `json:"ends,omitempty"`
}

func rowOf(cfg *config.Config, e *quota.Entry) usageRow {
	r := usageRow{Limit: e.Limit, Measure: string(e.Measure), Window: e.Window, Subject: e.Subject, Used: float64(e.Used)}
	if e.Measure == quota.Money {
		r.Used /= float64(quota.Dollar)
	}
	for _, l := range cfg.Quota.Limits {
		if l.Name == e.Limit {
			r.Most = &l.Most
		}
	}
	if !e.Ends.IsZero() {
		ends := e.Ends.UTC()
		r.Ends = &ends
	}
	return r
}

// printUsage prints entries.
func printUsage(out io.Writer, cfg *config.Config, format string, list []quota.Entry) error {
	rows := make([]usageRow, len(list))
	for i := range list {
		rows[i] = rowOf(cfg, &list[i])
	}
	if format == "json" {
		return json.NewEncoder(out).Encode(map[string]any{"usage": rows})
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LIMIT\tMEASURE\tWINDOW\tSUBJECT\tUSED\tMOST\tENDS")
	for _, r := range rows {
		most, ends := "-", "slides"
		if r.Most != nil {
			most = amount(*r.Most)
		}
		if r.Ends != nil {
			ends = r.Ends.Format("2006-01-02 15:04 MST")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Limit, r.Measure, r.Window, or(r.Subject, "everybody"), amount(r.Used), most, ends)
	}
	return w.Flush()
}

func amount(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// withUsage opens what is used for f.
func withUsage(cmd *cobra.Command, p *place, f func(*config.Config, *server.Usage) error) error {
	cfg, err := p.load()
	if err != nil {
		return err
	}
	u, err := server.OpenUsage(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	return errors.Join(f(cfg, u), u.Close())
}

// mostEntries is how many entries are looked through.
const mostEntries = 1 << 20

func quotaList() *cobra.Command {
	var p place
	var n int
	var format string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List what is used, most first",
		Example: "  ringwall quota list --config ringwall.yaml\n  ringwall quota list -n 5 --format json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			if n < 1 || n > mostEntries {
				return usage(fmt.Errorf("-n: want 1 to %d", mostEntries))
			}
			return withUsage(cmd, &p, func(cfg *config.Config, u *server.Usage) error {
				list, err := u.List(cmd.Context(), n)
				if err != nil {
					return err
				}
				return printUsage(cmd.OutOrStdout(), cfg, format, list)
			})
		},
	}
	p.flags(c)
	c.Flags().IntVarP(&n, "lines", "n", 100, "`NUMBER` of lines")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

// about finds the entries of a limit and a subject; "" is any.
func about(cmd *cobra.Command, u *server.Usage, limit, subject string) ([]quota.Entry, error) {
	all, err := u.List(cmd.Context(), mostEntries)
	if err != nil {
		return nil, err
	}
	var out []quota.Entry
	for i := range all {
		if (limit == "" || all[i].Limit == limit) && (subject == "" || all[i].About(subject)) {
			out = append(out, all[i])
		}
	}
	return out, nil
}

func quotaShow() *cobra.Command {
	var p place
	var format string
	c := &cobra.Command{
		Use:     "show SUBJECT",
		Short:   "Show what a tenant, principal, key, model or address has used",
		Example: "  ringwall quota show acme\n  ringwall quota show rw_k7mq2xvd --format json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			return withUsage(cmd, &p, func(cfg *config.Config, u *server.Usage) error {
				list, err := about(cmd, u, "", args[0])
				if err != nil {
					return err
				}
				return printUsage(cmd.OutOrStdout(), cfg, format, list)
			})
		},
	}
	p.flags(c)
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

func quotaReset() *cobra.Command {
	var p place
	var all bool
	c := &cobra.Command{
		Use:   "reset LIMIT (SUBJECT | --all)",
		Short: "Make what is used of a limit begin anew",
		Long: `Makes what a subject has used of a limit begin anew: nothing is used then. Gateways
know it at once with Valkey, and after two seconds without.`,
		Example: "  ringwall quota reset monthly acme\n  ringwall quota reset monthly --all",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			subject := ""
			switch {
			case len(args) == 2 && all:
				return usage(errors.New("quota reset: a subject, or --all: not both"))
			case len(args) == 2 && args[1] != "":
				subject = args[1]
			case !all:
				return usage(errors.New("quota reset: whose? Name a subject, or say --all"))
			}
			return withUsage(cmd, &p, func(_ *config.Config, u *server.Usage) error {
				list, err := about(cmd, u, args[0], subject)
				if err != nil {
					return err
				}
				if len(list) == 0 {
					return usage(fmt.Errorf("quota reset: nothing is used of the limit %q by %s", args[0], or(subject, "anybody")))
				}
				for i := range list {
					if err := u.Reset(cmd.Context(), &list[i]); err != nil {
						return err
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%s of %s begins anew\n", list[i].Limit, or(list[i].Subject, "everybody"))
				}
				return nil
			})
		},
	}
	p.flags(c)
	c.Flags().BoolVar(&all, "all", false, "of all subjects")
	return c
}

// priced says what models cost, by the list of a configuration.
type priced struct{ cfg *config.Config }

// Price implements quota.Costs.
func (p priced) Price(model string) quota.Price {
	return server.QuotaPrice(p.cfg, model)
}

// Cost implements quota.Costs.
func (p priced) Cost(model string, u ringwall.Usage) int64 {
	price, _ := server.PriceOf(p.cfg, model) // of one that is not known nothing is counted: it is refused
	return int64(price.Cost(u) * float64(quota.Dollar))
}

func quotaSimulate() *cobra.Command {
	var p place
	var file, format string
	c := &cobra.Command{
		Use:   "simulate --usage FILE",
		Short: "Say which requests of the past the limits would have refused; exit 1 if any",
		Long: `Holds requests of the past against the limits of the configuration, as they came and
went. Each line of the file is a JSON object, in the order of time:

  {"time":"2026-03-01T12:00:00Z","tenant":"acme","principal":"ann","model":"gpt-5",
   "input_tokens":900,"output_tokens":250,"seconds":4.2}

and may have key, roles, ip, route, max_tokens, cached_tokens and tool_calls.`,
		Example: "  ringwall quota simulate --config new.yaml --usage last-week.jsonl",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			if file == "" {
				return usage(errors.New("quota simulate: which requests? Say --usage FILE"))
			}
			cfg, err := p.load()
			if err != nil {
				return err
			}
			limits, err := cfg.Quota.All()
			if err != nil {
				return usage(err)
			}
			if len(limits) == 0 {
				return usage(errors.New("quota simulate: the configuration has no limits"))
			}
			f, err := os.Open(file)
			if err != nil {
				return usage(fmt.Errorf("reading the usage: %w", err))
			}
			defer f.Close()
			return simulate(cmd, cfg, limits, f, format)
		},
	}
	p.flags(c)
	c.Flags().StringVar(&file, "usage", "", "JSONL `FILE` of requests")
	c.MarkFlagFilename("usage", "jsonl")
	c.Flags().StringVar(&format, "format", "text", "text or json: a line for each request that would have been refused")
	complete(c, "format", "text", "json")
	return c
}

// refusal is a request that would have been refused, as it is printed.
type refusal struct {
	Line      int       `json:"request"` // counted from 1
	Time      time.Time `json:"time"`
	Tenant    string    `json:"tenant,omitempty"`
	Principal string    `json:"principal,omitempty"`
	Model     string    `json:"model,omitempty"`
	Limit     string    `json:"limit"`
	After     float64   `json:"after_seconds,omitempty"`
}

func simulate(cmd *cobra.Command, cfg *config.Config, limits []quota.Limit, f *os.File, format string) error {
	total, refused := 0, 0
	by := map[string]int{}
	out := json.NewEncoder(cmd.OutOrStdout())
	size := int64(1)
	if info, err := f.Stat(); err == nil {
		size = max(1, info.Size())
	}
	bar := newBar(cmd.ErrOrStderr())
	err := quota.Simulate(cmd.Context(), limits, cfg.Quota.Answer, priced{cfg}, quota.Records(f), func(r *quota.Record, e *quota.Exceeded) error {
		total++
		if total%1000 == 0 {
			if at, err := f.Seek(0, io.SeekCurrent); err == nil {
				bar.show(int(at*100/size), 100, "percent of the file")
			}
		}
		if e == nil {
			return nil
		}
		refused++
		by[e.Limit.Name]++
		if format == "json" {
			return out.Encode(refusal{total, r.Time.UTC(), r.Tenant, r.Principal, r.Model, e.Limit.Name, e.After.Seconds()})
		}
		return nil
	})
	bar.clear()
	if err != nil {
		return usage(fmt.Errorf("simulating %s: %w", f.Name(), err))
	}
	if format == "text" {
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "LIMIT\tREFUSED")
		for _, l := range limits {
			fmt.Fprintf(w, "%s\t%d\n", l.Name, by[l.Name])
		}
		if err := w.Flush(); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%d of %d requests would have been refused\n", refused, total)
	}
	if refused > 0 {
		return found()
	}
	return nil
}
