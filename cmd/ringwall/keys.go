package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/server"
)

func keysCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "keys",
		Short: "Make, list, rotate and revoke the API keys of callers",
		Long: `Makes, lists, rotates and revokes the API keys of callers, while the gateway runs or
not: it sees changes within a second.`,
	}
	c.AddCommand(keysCreate(), keysList(), keysRotate(), keysRevoke())
	return c
}

// withKeys opens the store of keys for f.
func withKeys(cmd *cobra.Command, p *place, f func(*auth.Keys) error) error {
	cfg, err := p.load()
	if err != nil {
		return err
	}
	keys, db, err := server.OpenKeys(cmd.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return errors.Join(f(keys), db.Close())
}

func keysCreate() *cobra.Command {
	var p place
	var spec auth.Spec
	var trust, format string
	var forever, aws bool
	var narrow narrowing
	c := &cobra.Command{
		Use:   "create [NAME]",
		Short: "Make a key; it is shown once",
		Long: `Makes a key, which is shown once.

A key is good for all that its trust lets its caller do, unless it has scopes: words
that say what it is good for. ask-model, ask-guard, list-models, pass-unguarded,
manage-guardrails, read-answers, approve, read-approvals, observe and administer are
deeds; model:gpt-* names models, route:/v1/chat/* paths. Words of one kind add up; a request must fit one of each
kind that is there.`,
		Example: `  ringwall keys create ci --tenant shop --ttl 720h
  ringwall keys create support --trust staff --format json
  ringwall keys create app --scope model:gpt-* --scope ask-model --from 10.0.0.0/8
  ringwall keys create batch --aws`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			switch {
			case len(args) == 1 && spec.Name != "":
				return usage(errors.New("keys create: the name is given twice"))
			case len(args) == 1:
				spec.Name = args[0]
			case spec.Name == "":
				spec.Name = "key-" + time.Now().UTC().Format("20060102-150405.000")
			}
			if err := spec.Trust.UnmarshalText([]byte(trust)); err != nil {
				return usage(fmt.Errorf("--trust: %w", err))
			}
			if forever {
				spec.TTL = auth.NeverExpires
			}
			if err := narrow.into(&spec); err != nil {
				return err
			}
			return withKeys(cmd, &p, func(keys *auth.Keys) error {
				if _, err := keys.Secret(""); aws && err != nil {
					return usage(fmt.Errorf("%w: write signing_key into the configuration", err))
				}
				text, k, err := keys.Create(cmd.Context(), spec)
				if err != nil {
					return usage(err)
				}
				if err := show(cmd, keys, text, k, format, aws); err != nil || format == "json" {
					return err
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "This key is shown once. It is of trust %s%s and %s.\n", k.Trust, tenant(k), expiry(k))
				return nil
			})
		},
	}
	p.flags(c)
	narrow.flags(c)
	c.Flags().StringVar(&spec.Name, "name", "", "`NAME` of the key (default: made of the time)")
	c.Flags().StringVar(&spec.Tenant, "tenant", "", "`TENANT` that the key belongs to")
	c.Flags().StringVar(&trust, "trust", ringwall.Customer.String(), "how far the caller is trusted: verified, customer, staff, operator")
	c.Flags().DurationVar(&spec.TTL, "ttl", auth.DefaultTTL, "how long the key is valid")
	c.Flags().BoolVar(&forever, "never-expires", false, "the key is valid until it is revoked")
	c.Flags().BoolVar(&aws, "aws", false, "print the pair by which AWS's clients sign, instead of the key")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "trust", "verified", "customer", "staff", "operator")
	complete(c, "format", "text", "json")
	return c
}

// show prints a key that was made, or the pair by which its holder signs.
func show(cmd *cobra.Command, keys *auth.Keys, text string, k auth.Key, format string, aws bool) (err error) {
	secret := ""
	if aws {
		if secret, err = keys.Secret(k.Prefix); err != nil {
			return err
		}
	}
	switch {
	case format == "json":
		return json.NewEncoder(cmd.OutOrStdout()).Encode(struct { //nolint:gosec // it is shown once, to who made it
			Text   string `json:"key"`
			Secret string `json:"aws_secret_access_key,omitempty"` // the prefix is the access key's id
			keyRow
		}{text, secret, row(k)})
	case aws:
		fmt.Fprintf(cmd.OutOrStdout(), "AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\n", k.Prefix, secret)
	default:
		fmt.Fprintln(cmd.OutOrStdout(), text)
	}
	return nil
}

func tenant(k auth.Key) string {
	if k.Tenant == "" {
		return ""
	}
	return " for tenant " + k.Tenant
}

func expiry(k auth.Key) string {
	if k.Expires.IsZero() {
		return "never expires"
	}
	return "expires on " + k.Expires.UTC().Format(time.DateTime) + " UTC"
}

// keyRow is a key as it is listed.
type keyRow struct {
	Prefix    string         `json:"prefix"`
	Principal string         `json:"principal,omitempty"` // where it is not the prefix
	Name      string         `json:"name"`
	Tenant    string         `json:"tenant,omitempty"`
	Trust     ringwall.Trust `json:"trust"`
	Roles     []string       `json:"roles,omitempty"`
	Scopes    []string       `json:"scopes,omitempty"`
	From      []netip.Prefix `json:"from,omitempty"`
	State     string         `json:"state"`
	Created   time.Time      `json:"created"`
	Expires   *time.Time     `json:"expires,omitempty"`
	LastUsed  *time.Time     `json:"last_used,omitempty"`
}

func row(k auth.Key) keyRow {
	r := keyRow{Prefix: k.Prefix, Name: k.Name, Tenant: k.Tenant, Trust: k.Trust, Roles: k.Roles, Scopes: k.Scopes, From: k.From, State: "valid", Created: k.Created.UTC()}
	if k.Principal != k.Prefix {
		r.Principal = k.Principal
	}
	if !k.Replaced.IsZero() {
		r.State = "replaced" // and works until it expires
	}
	if !k.Expires.IsZero() {
		r.Expires = &k.Expires
		if !k.Expires.After(time.Now()) {
			r.State = "expired"
		}
	}
	if !k.Revoked.IsZero() {
		r.State = "revoked"
	}
	if !k.LastUsed.IsZero() {
		r.LastUsed = &k.LastUsed
	}
	return r
}

func keysList() *cobra.Command {
	var p place
	var format string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the keys; their texts are not kept",
		Example: "  ringwall keys list --format json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			return withKeys(cmd, &p, func(keys *auth.Keys) error {
				list, err := keys.List(cmd.Context())
				if err != nil {
					return err
				}
				rows := make([]keyRow, 0, len(list))
				for _, k := range list {
					rows = append(rows, row(k))
				}
				if format == "json" {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"keys": rows})
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "PREFIX\tNAME\tTENANT\tTRUST\tSTATE\tEXPIRES\tLAST USED\tNARROWED TO")
				for _, r := range rows {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Prefix, r.Name, r.Tenant, r.Trust, r.State, when(r.Expires), when(r.LastUsed), r.narrowed())
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

func when(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.UTC().Format(time.DateTime)
}

func keysRevoke() *cobra.Command {
	var p place
	c := &cobra.Command{
		Use:   "revoke PREFIX|NAME",
		Short: "Revoke a key, for good",
		Long: `Revokes a key, for good: the one with a prefix, or all of a name, with those that were
replaced and still work.`,
		Example: "  ringwall keys revoke rw_k7mq2xvd",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withKeys(cmd, &p, func(keys *auth.Keys) error {
				ended, err := keys.Revoke(cmd.Context(), args[0])
				if errors.Is(err, auth.ErrNoSuchKey) {
					return usage(err)
				}
				if err != nil {
					return err
				}
				for _, k := range ended {
					fmt.Fprintf(cmd.OutOrStdout(), "%s (%s) is revoked\n", k.Prefix, k.Name)
				}
				return nil
			})
		},
	}
	p.flags(c)
	return c
}
