package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/policy"
	"github.com/ringwall/ringwall/scope"
)

// sample is a request given by flags.
type sample struct {
	policy.Sample
	trust, address, at string
	age                time.Duration
}

func (s *sample) resourceFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.Action, "action", "ask-model", "what is to be done: see ringwall policy schema")
	f.StringVar(&s.Resource, "resource", "", "what it is done to: `TYPE::ID`, such as Model::assistant")
	f.StringVar(&s.Of.Tenant, "resource-tenant", "", "`TENANT` that the resource belongs to")
	f.StringSliceVar(&s.Of.Labels, "label", nil, "`LABEL` of the resource")
	f.StringVar(&s.Of.Effect, "effect", "", "of a tool: read, write, external, destructive")
	f.StringVar(&s.Of.Server, "server", "", "`NAME` of the server of a tool")
	f.StringVar(&s.Of.Provider, "provider", "", "`NAME` of the provider of a model")
	f.StringVar(&s.address, "address", "", "`ADDRESS` of the client")
	f.StringVar(&s.Context.Country, "country", "", "`COUNTRY` of the client: DE")
	f.Uint32Var(&s.Context.ASN, "asn", 0, "`NUMBER` of the client's network")
	f.StringSliceVar(&s.Context.Networks, "network", nil, "`NAME` of a network that the client is in")
	f.StringVar(&s.at, "time", "", "`TIME` of the request (RFC 3339; default: now)")
	f.StringVar(&s.Context.Purpose, "purpose", "", "`PURPOSE` that the caller says")
	f.StringVar(&s.Context.Route, "route", "", "`PATH` that is asked")
	f.StringVar(&s.Context.Dialect, "dialect", "", "`API` that is spoken")
	f.BoolVar(&s.Context.Stream, "stream", false, "a stream is asked for")
	f.StringSliceVar(&s.Context.Tools, "tool", nil, "`NAME` of a tool that the model is offered")
	f.Int64Var(&s.Context.MaxTokens, "max-tokens", 0, "that the answer may have")
	f.StringSliceVar(&s.Context.Data, "data-class", nil, "`CLASS` of data that was noticed: iban")
	f.StringVar(&s.Context.Exception, "exception", "", "of use-exception: `NAME` of the exception")
	complete(c, "action", policy.Actions()...)
}

func (s *sample) callerFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.Principal.ID, "principal", "", "`ID` of the caller")
	f.StringVar(&s.Principal.Tenant, "tenant", "", "`TENANT` of the caller")
	f.StringVar(&s.trust, "trust", ringwall.Anonymous.String(), "of the caller: anonymous, verified, customer, staff, operator")
	f.StringVar(&s.Principal.Via, "via", "key", "how the caller is proved: key, signature, token, certificate, session")
	f.StringSliceVar(&s.Principal.Roles, "role", nil, "`ROLE` of the caller")
	f.StringSliceVar(&s.Principal.Scopes, "scope", nil, "`SCOPE` of the credential (default: whatever the caller may)")
	f.StringVar(&s.Principal.ACR, "acr", "", "how strongly the caller proved who they are")
	f.DurationVar(&s.age, "session-age", -1, "how long ago")
	complete(c, "trust", "anonymous", "verified", "customer", "staff", "operator")
	complete(c, "via", "key", "signature", "token", "certificate", "session")
}

// request returns the request that the flags say.
func (s *sample) request(b *policy.Bundle) (policy.Request, error) {
	var err error
	if s.Resource == "" {
		return policy.Request{}, usage(errors.New("what is it done to? Say --resource TYPE::ID, such as Model::assistant"))
	}
	if err = s.Principal.Trust.UnmarshalText([]byte(cmp.Or(s.trust, "anonymous"))); err != nil {
		return policy.Request{}, usage(fmt.Errorf("--trust: %w", err))
	}
	if s.Principal.Trust != ringwall.Anonymous && s.Principal.ID == "" {
		s.Principal.ID = "somebody"
	}
	if s.address != "" {
		if s.Context.Address, err = netip.ParseAddr(s.address); err != nil {
			return policy.Request{}, usage(fmt.Errorf("--address: %w", err))
		}
	}
	s.Context.Time = time.Now()
	if s.at != "" {
		if s.Context.Time, err = time.Parse(time.RFC3339, s.at); err != nil {
			return policy.Request{}, usage(fmt.Errorf("--time: want RFC 3339, as in 2026-01-05T12:00:00Z: %w", err))
		}
	}
	if s.age >= 0 {
		s.Principal.Age = &s.age
	}
	r, err := s.Request(b.Zone())
	if err != nil {
		return r, usage(err)
	}
	return r, nil
}

func policyExplain() *cobra.Command {
	var p bundlePlace
	var s sample
	var format string
	var near int
	c := &cobra.Command{
		Use:   "explain [DIR]",
		Short: "Decide about one request and say why; exit 1 unless it is allowed",
		Long: `Decides about a request that flags describe, and names the policies that decided,
and of those that nearly did what does not hold.`,
		Example: `  ringwall policy explain policy --trust customer --tenant shop --resource Model::frontier
  ringwall policy explain --config ringwall.yaml --trust staff --action call-tool --resource Tool::send_mail --format json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			b, _, err := p.load(args, looking)
			if err != nil {
				return err
			}
			r, err := s.request(b)
			if err != nil {
				return err
			}
			d, why := b.Decide(&r), b.Explain(&r)
			if n := near + len(d.Policies); len(why) > n {
				why = why[:n]
			}
			if format == "json" {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
					policy.Decision
					Explained []policy.Explanation `json:"explained"`
				}{d, why})
			} else {
				err = writeExplained(cmd.OutOrStdout(), &r, d, why)
			}
			if err == nil && d.Effect != policy.Allow {
				return found()
			}
			return err
		},
	}
	p.flags(c)
	s.callerFlags(c)
	s.resourceFlags(c)
	c.Flags().IntVar(&near, "near", 5, "how many policies are shown that do not apply")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

func writeExplained(w io.Writer, r *policy.Request, d policy.Decision, why []policy.Explanation) error {
	fmt.Fprintf(w, "%s: %s %s, by %s\n", d.Effect, r.Action, r.Resource, strings.Join(d.Policies, ", "))
	for _, hold := range d.Holds {
		fmt.Fprintf(w, "an approval is needed: %s\n", hold)
	}
	for _, e := range d.Errors {
		fmt.Fprintf(w, "error: %s\n", e)
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "POLICY\tEFFECT\tAPPLIES\tAT\tWHAT DOES NOT HOLD")
	for _, x := range why {
		applies := "no"
		if x.Applies {
			applies = "yes"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", x.Policy, x.Effect, applies, x.At, strings.Join(x.Failed, "; "))
	}
	return t.Flush()
}

// callerRow is what one caller may.
type callerRow struct {
	Principal ringwall.Principal `json:"principal"`
	policy.Decision
}

// decided is what comes of a request: the scopes of a credential go before all policy.
func decided(b *policy.Bundle, r *policy.Request) policy.Decision {
	ask := scope.Ask{Deed: r.Action, Route: r.Context.Route}
	if r.Resource.Type == "Model" {
		ask.Model = r.Resource.ID
	}
	known := slices.Contains(scope.Deeds, r.Action) // those of tools and data are no scopes yet
	if known && !scope.Allows(r.Principal.Scopes, ask) {
		return policy.Decision{Effect: policy.Deny, Policies: []string{"scopes of the credential"}}
	}
	return b.Decide(r)
}

func policyWhatIf() *cobra.Command {
	var p bundlePlace
	var s sample
	var callers, data, format string
	c := &cobra.Command{
		Use:   "what-if [DIR]",
		Short: "Say who could do something: for each known caller allowed, held or denied, and by which policy",
		Long: `Decides about the same request for each of many callers: those of a file (--callers),
or those who hold the installation's API keys (--data), or else those of the tests.`,
		Example: `  ringwall policy what-if policy --action call-tool --resource Tool::place_order
  ringwall policy what-if --config ringwall.yaml --data ringwall-data --resource Model::frontier --format json
  ringwall policy what-if policy --callers people.yaml --resource Model::frontier`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			b, _, err := p.load(args, looking)
			if err != nil {
				return err
			}
			r, err := s.request(b)
			if err != nil {
				return err
			}
			who, err := whoIsKnown(cmd, b, callers, &place{config: p.config, data: data})
			if err != nil {
				return err
			}
			rows := []callerRow{}
			for _, one := range who {
				r.Principal = one
				rows = append(rows, callerRow{one, decided(b, &r)})
			}
			if format == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"action": r.Action, "resource": r.Resource.String(), "callers": rows})
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "CALLER\tTENANT\tTRUST\tVIA\tROLES\tDECISION\tBY")
			for _, x := range rows {
				q := x.Principal
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", cmp.Or(q.ID, "-"), cmp.Or(q.Tenant, "-"), q.Trust, cmp.Or(q.Via, "-"),
					cmp.Or(strings.Join(q.Roles, ","), "-"), x.Effect, strings.Join(x.Policies, ","))
			}
			return t.Flush()
		},
	}
	p.flags(c)
	s.resourceFlags(c)
	c.Flags().StringVar(&callers, "callers", "", "`FILE` of callers: callers: [{id: alice, tenant: acme, trust: staff, via: session, roles: [writer]}]")
	c.Flags().StringVar(&data, "data", "", "data `DIR` of the installation whose API keys are meant")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	c.MarkFlagDirname("data")
	complete(c, "format", "text", "json")
	return c
}

// whoIsKnown returns callers: of a file, of an installation, or of the tests.
func whoIsKnown(cmd *cobra.Command, b *policy.Bundle, file string, p *place) (who []ringwall.Principal, err error) {
	switch {
	case file != "":
		src, err := os.ReadFile(file)
		if err != nil {
			return nil, usage(fmt.Errorf("reading callers: %w", err))
		}
		var doc struct {
			Callers []policy.SamplePrincipal `yaml:"callers" doc:"callers"`
		}
		if _, err := strictyaml.Decode(file, src, &doc); err != nil {
			return nil, usage(err)
		}
		for _, q := range doc.Callers {
			who = append(who, ringwall.Principal{ID: q.ID, Tenant: q.Tenant, Trust: q.Trust, Via: q.Via, Key: q.Key, Roles: q.Roles, Scopes: q.Scopes, ACR: q.ACR})
		}
		return who, nil
	case p.data != "":
		err := withKeys(cmd, p, func(keys *auth.Keys) error {
			all, err := keys.List(cmd.Context())
			for _, k := range all {
				if state := row(k).State; state == "valid" || state == "replaced" {
					who = append(who, ringwall.Principal{ID: k.Principal, Key: k.Prefix, Tenant: k.Tenant, Trust: k.Trust, Via: "key", Roles: k.Roles, Scopes: k.Scopes})
				}
			}
			return err
		})
		return who, err
	}
	seen := map[string]bool{}
	for _, t := range b.Tests() {
		q := t.Request.Principal
		q.Proved = time.Time{}
		if key := fmt.Sprint(q); !seen[key] {
			seen[key] = true
			who = append(who, q)
		}
	}
	return who, nil
}

// changeRow is a request about which two bundles decide differently.
type changeRow struct {
	Name     string          `json:"name"`
	Action   string          `json:"action"`
	Resource string          `json:"resource"`
	Old      policy.Decision `json:"old"`
	New      policy.Decision `json:"new"`
}

func policyCompare() *cobra.Command {
	var p bundlePlace
	var data, format string
	var most int
	c := &cobra.Command{
		Use:   "compare OLD NEW [FILE.test.yaml…]",
		Short: "Say about which requests two bundles decide differently; exit 1 if there are any",
		Long: `Decides twice about the requests of the tests of both bundles, of further files, and,
with --data, about those of the installation's records: of these the caller, the
model and the time are known, and nothing of where they came from.`,
		Example: `  ringwall policy compare policy policy.new
  ringwall policy compare policy policy.new --data ringwall-data --last 10000 --format json`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			old, _, err := p.load(args[:1], looking)
			if err != nil {
				return err
			}
			now, _, err := p.load(args[1:2], looking)
			if err != nil {
				return err
			}
			tests, err := withTests(old, args[2:])
			if err != nil {
				return err
			}
			for _, t := range now.Tests() {
				same := func(o policy.Test) bool { return o.Name == t.Name && reflect.DeepEqual(o.Request, t.Request) }
				if !slices.ContainsFunc(tests, same) {
					tests = append(tests, t)
				}
			}
			if data != "" {
				asked, err := recorded(cmd, &place{config: p.config, data: data}, most)
				if err != nil {
					return err
				}
				tests = append(tests, asked...)
			}
			rows := []changeRow{}
			for _, x := range now.Compare(old, tests) {
				rows = append(rows, changeRow{x.Test.Name, x.Test.Request.Action, x.Test.Request.Resource.String(), x.Old, x.New})
			}
			out := cmd.OutOrStdout()
			if format == "json" {
				err = json.NewEncoder(out).Encode(map[string]any{"requests": len(tests), "changes": rows})
			} else {
				t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
				fmt.Fprintln(t, "REQUEST\tACTION\tRESOURCE\tOLD\tNEW\tBY")
				for _, r := range rows {
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.Action, r.Resource, r.Old.Effect, r.New.Effect, strings.Join(r.New.Policies, ","))
				}
				if len(rows) > 0 {
					t.Flush()
				}
				_, err = fmt.Fprintf(out, "%d requests, %d are decided differently\n", len(tests), len(rows))
			}
			if err == nil && len(rows) > 0 {
				return found()
			}
			return err
		},
	}
	p.flags(c)
	c.Flags().StringVar(&data, "data", "", "data `DIR` of the installation whose records are meant")
	c.Flags().IntVar(&most, "last", 1000, "`NUMBER` of records, the newest")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	c.MarkFlagDirname("data")
	complete(c, "format", "text", "json")
	return c
}

// recorded returns the requests to models of the newest records.
func recorded(cmd *cobra.Command, p *place, most int) ([]policy.Test, error) {
	dir, err := auditDir(p)
	if err != nil {
		return nil, err
	}
	var out []policy.Test
	for e, err := range audit.Read(cmd.Context(), dir, 0) {
		if err != nil {
			return nil, err
		}
		ev := e.Event
		if ev.Kind != ringwall.ExchangeEnd || ev.Model == "" {
			continue
		}
		out = append(out, policy.Test{Name: ev.ID, Request: policy.Request{
			Principal: ev.Principal, Action: "ask-model", Resource: policy.Resource{Type: "Model", ID: ev.Model, Provider: ev.Provider},
			Context: policy.Context{Time: ev.Time, Route: ev.Route, Dialect: ev.Dialect, Stream: ev.Stream},
		}})
		if len(out) > 2*max(most, 1) {
			out = slices.Clone(out[len(out)-most:])
		}
	}
	if len(out) > most {
		out = out[len(out)-most:]
	}
	return out, nil
}
