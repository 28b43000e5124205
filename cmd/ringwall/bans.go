package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/server"
	"github.com/ringwall/ringwall/waf/ban"
)

func bansCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "bans",
		Short: "Shut out addresses, networks, callers and tenants for a while",
		Long: `Shuts out addresses, networks, callers and tenants, while the gateway runs or not: it
sees changes within a second. Who is shut out reads 403 and no more.

A subject is an address (of IPv6 its /64), a network, principal:ID, tenant:NAME,
country:DE or as:64500.`,
	}
	c.AddCommand(bansAdd(), bansList(), bansRemove())
	return c
}

// withBans opens the bans for f.
func withBans(cmd *cobra.Command, p *place, f func(*ban.Bans) error) error {
	cfg, err := p.load()
	if err != nil {
		return err
	}
	bans, db, err := server.OpenBans(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	return errors.Join(f(bans), db.Close())
}

func bansAdd() *cobra.Command {
	var p place
	var reason, length, format string
	var forever bool
	c := &cobra.Command{
		Use:   "add SUBJECT",
		Short: "Shut somebody out, in the place of a ban that there is",
		Example: `  ringwall bans add 203.0.113.9 --for 4h --reason 'guesses keys'
  ringwall bans add 2001:db8::/48 --for 7d
  ringwall bans add tenant:acme --for-ever`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			s, err := ban.ParseSubject(args[0])
			if err != nil {
				return usage(err)
			}
			b := ban.Ban{Subject: s, Reason: reason, By: "command"}
			if !forever {
				d, err := ban.ParseDuration(length)
				if err != nil || d <= 0 {
					return usage(fmt.Errorf("--for: want how long, as 4h or 7d, not %.40q", length))
				}
				b.Until = time.Now().Add(d)
			}
			return withBans(cmd, &p, func(bans *ban.Bans) error {
				b, err := bans.Add(cmd.Context(), b)
				if err != nil {
					return err
				}
				if format == "json" {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(server.Bar(b))
				}
				until := "until it is removed"
				if !b.Until.IsZero() {
					until = "until " + when(&b.Until) + " UTC"
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s is shut out %s\n", b.Subject, until)
				return nil
			})
		},
	}
	p.flags(c)
	c.Flags().StringVar(&length, "for", "4h", "how long, as 90m, 4h or 7d")
	c.Flags().BoolVar(&forever, "for-ever", false, "until the ban is removed")
	c.Flags().StringVar(&reason, "reason", "", "`TEXT` for operators; who is shut out does not read it")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

func bansList() *cobra.Command {
	var p place
	var format string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the bans that hold, those of the configuration and of CrowdSec aside",
		Example: "  ringwall bans list --format json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			return withBans(cmd, &p, func(bans *ban.Bans) error {
				list, err := bans.List(cmd.Context())
				if err != nil {
					return err
				}
				rows := make([]*server.Barred, 0, len(list))
				for _, b := range list {
					rows = append(rows, server.Bar(b))
				}
				if format == "json" {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"bans": rows})
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "SUBJECT\tBY\tSINCE\tUNTIL\tREASON")
				for _, r := range rows {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Subject, r.By, when(r.Since), when(r.Until), r.Reason)
				}
				return w.Flush()
			})
		},
	}
	p.flags(c)
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

func bansRemove() *cobra.Command {
	var p place
	c := &cobra.Command{
		Use:     "remove SUBJECT",
		Short:   "Lift a ban",
		Example: "  ringwall bans remove 203.0.113.9",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := ban.ParseSubject(args[0])
			if err != nil {
				return usage(err)
			}
			return withBans(cmd, &p, func(bans *ban.Bans) error {
				err := bans.Remove(cmd.Context(), s)
				if errors.Is(err, ban.ErrNoSuchBan) {
					return usage(fmt.Errorf("%w: ringwall bans list tells those that there are; those of the configuration and of CrowdSec are lifted there", err))
				}
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s is let in again\n", s)
				return nil
			})
		},
	}
	p.flags(c)
	return c
}
