package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/server"
)

func networkCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "network",
		Short: "Explain where requests may come from",
	}
	c.AddCommand(networkExplain())
	return c
}

func networkExplain() *cobra.Command {
	var p place
	var headers []string
	var format string
	c := &cobra.Command{
		Use:   "explain ADDRESS",
		Short: "Say what is known of an address, and which rule decides; exit 1 if it is refused",
		Long: `Says what is known of an address that connects: its country and autonomous system,
the lists that it is on, its ban, and which rule decides whether it is let in. With
--header, as the proxy at that address would send it, the client behind it is told.

Nobody is asked: of feeds behind a URL it knows what the gateway kept last, and of
CrowdSec the file, not the decisions that the gateway has from the local API.`,
		Example: `  ringwall network explain 203.0.113.9 --config ringwall.yaml
  ringwall network explain 10.0.0.1 --header 'X-Forwarded-For: 203.0.113.9, 10.0.0.2' --config ringwall.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			peer, err := netip.ParseAddr(args[0])
			if err != nil {
				return usage(fmt.Errorf("%.60q is no address, as 203.0.113.9 and 2001:db8::7 are", args[0]))
			}
			h := http.Header{}
			for _, line := range headers {
				name, value, ok := strings.Cut(line, ":")
				if !ok || name == "" {
					return usage(fmt.Errorf("--header: want 'Name: value', not %.60q", line))
				}
				h.Add(name, strings.TrimSpace(value))
			}
			cfg, err := p.load()
			if err != nil {
				return err
			}
			w, err := server.Explain(cmd.Context(), cfg, peer, h)
			if err != nil {
				return err
			}
			if format == "json" {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(w)
			} else {
				err = explainNetwork(cmd, w)
			}
			if err == nil && !w.Pass {
				return found()
			}
			return err
		},
	}
	p.flags(c)
	c.Flags().StringArrayVar(&headers, "header", nil, "`HEADER` that is sent with the request, 'Name: value'; several are")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

func explainNetwork(cmd *cobra.Command, w server.Whereabouts) error {
	t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	row := func(name, value string) { fmt.Fprintf(t, "%s\t%s\n", name, cmp.Or(value, "-")) }
	peer := w.Peer
	if w.Trusted {
		peer += ", a trusted proxy"
	}
	row("connection", peer)
	if w.Error != "" {
		row("refused", "400: "+w.Error)
		return t.Flush()
	}
	row("client", w.Client)
	if w.Proto+w.Host != "" {
		row("asked for", strings.Trim(w.Proto+"://"+w.Host, ":/"))
	}
	row("country", w.Country)
	asn := ""
	if w.ASN != 0 {
		asn = fmt.Sprintf("AS%d", w.ASN)
	}
	row("system", asn)
	row("lists", strings.Join(w.Lists, ", "))
	ban := ""
	if b := w.Ban; b != nil {
		ban = b.Subject + " by " + b.By
		if b.Reason != "" {
			ban += ": " + b.Reason
		}
		if b.Until != nil {
			ban += ", until " + when(b.Until) + " UTC"
		}
	}
	row("ban", ban)
	rule := "by rule " + w.Rule
	if w.List != "" {
		rule += ", " + w.List
	}
	if w.Pass {
		row("let in", rule)
	} else {
		row("refused", rule)
	}
	return errors.Join(t.Flush())
}
