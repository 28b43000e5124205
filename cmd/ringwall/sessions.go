package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth/session"
	"github.com/ringwall/ringwall/server"
)

func sessionsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "sessions",
		Short: "List and revoke the sessions of people who logged in",
		Long: `Lists and revokes the sessions of people who logged in, while the gateway runs or
not: it sees changes within a second.`,
	}
	c.AddCommand(sessionsList(), sessionsRevoke())
	return c
}

// withSessions opens the store of sessions for f.
func withSessions(cmd *cobra.Command, p *place, f func(*session.Store) error) error {
	cfg, err := p.load()
	if err != nil {
		return err
	}
	sessions, db, err := server.OpenSessions(cmd.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return errors.Join(f(sessions), db.Close())
}

// sessionRow is a session as it is listed.
type sessionRow struct {
	ID        string         `json:"id"`
	Principal string         `json:"principal"`
	Tenant    string         `json:"tenant,omitempty"`
	Trust     ringwall.Trust `json:"trust"`
	Issuer    string         `json:"issuer"`
	State     string         `json:"state"`
	Created   time.Time      `json:"created"`
	Used      time.Time      `json:"last_used"`
	Expires   time.Time      `json:"expires"`
	Why       string         `json:"why,omitempty"`
}

func sessionsList() *cobra.Command {
	var p place
	var which session.Which
	var format string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the sessions, the newest first; their texts are not kept",
		Example: `  ringwall sessions list
  ringwall sessions list --principal u_ns423x34uzehprccel5clxswr2os43cr --format json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			if which.Principal != "" && which.Tenant != "" {
				return usage(errors.New("sessions list: want --principal or --tenant, not both"))
			}
			return withSessions(cmd, &p, func(sessions *session.Store) error {
				list, err := sessions.List(cmd.Context(), which)
				if err != nil {
					return err
				}
				rows := make([]sessionRow, 0, len(list))
				for _, s := range list {
					rows = append(rows, sessionRow{
						s.ID, s.Principal.ID, s.Principal.Tenant, s.Principal.Trust, s.Issuer, sessions.Limits().State(&s, time.Now()), s.Created, s.Used, s.Expires, s.Why,
					})
				}
				if format == "json" {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"sessions": rows})
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "SESSION\tPRINCIPAL\tTENANT\tTRUST\tISSUER\tSTATE\tEXPIRES\tLAST USED")
				for _, r := range rows {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.Principal, r.Tenant, r.Trust, r.Issuer, r.State, when(&r.Expires), when(&r.Used))
				}
				return w.Flush()
			})
		},
	}
	p.flags(c)
	c.Flags().StringVar(&which.Principal, "principal", "", "those of one `PRINCIPAL`")
	c.Flags().StringVar(&which.Tenant, "tenant", "", "those of one `TENANT`")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

func sessionsRevoke() *cobra.Command {
	var p place
	var which session.Which
	var format string
	c := &cobra.Command{
		Use:   "revoke (SESSION | --principal PRINCIPAL | --tenant TENANT)",
		Short: "End a session, or all of a principal or a tenant",
		Long: `Ends a session, or all of a principal or a tenant. Of a principal and a tenant
tokens are refused, too, that issuers signed until now. Who may still log in at
the provider can do so anew: block the account there, too.`,
		Example: `  ringwall sessions revoke s_0c81e3bd35d0c1f7a8b2
  ringwall sessions revoke --tenant acme`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			given := len(args)
			if given == 1 {
				which.ID = args[0]
			}
			for _, s := range []string{which.Principal, which.Tenant} {
				if s != "" {
					given++
				}
			}
			if given != 1 {
				return usage(errors.New("sessions revoke: want a session, --principal or --tenant: see ringwall sessions revoke --help"))
			}
			return withSessions(cmd, &p, func(sessions *session.Store) error {
				ended, err := sessions.Revoke(cmd.Context(), which, "revoked by an operator")
				if errors.Is(err, session.ErrNoSuchSession) {
					return usage(err)
				}
				if err != nil {
					return err
				}
				if format == "json" {
					ids := make([]string, 0, len(ended))
					for _, s := range ended {
						ids = append(ids, s.ID)
					}
					return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"revoked": ids})
				}
				for _, s := range ended {
					fmt.Fprintf(cmd.OutOrStdout(), "%s (%s) is revoked\n", s.ID, s.Principal.ID)
				}
				if len(ended) == 0 {
					fmt.Fprintln(cmd.OutOrStdout(), "no session was in use")
				}
				return nil
			})
		},
	}
	p.flags(c)
	c.Flags().StringVar(&which.Principal, "principal", "", "all of one `PRINCIPAL`")
	c.Flags().StringVar(&which.Tenant, "tenant", "", "all of one `TENANT`")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}
