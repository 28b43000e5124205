package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/waf/address"
	"github.com/ringwall/ringwall/waf/ban"
)

// Whereabouts are what is known of where a request comes from.
type Whereabouts struct {
	Peer    string   `json:"peer"`             // address of the connection
	Client  string   `json:"client,omitempty"` // address that the request comes from
	Trusted bool     `json:"trusted_proxy"`    // whether the connection is a trusted proxy's
	Country string   `json:"country,omitempty"`
	ASN     uint32   `json:"asn,omitempty"`
	Lists   []string `json:"lists"` // networks and feeds that the client is in
	Ban     *Barred  `json:"ban,omitempty"`
	Pass    bool     `json:"pass"`
	Rule    string   `json:"rule"`           // that decides
	List    string   `json:"list,omitempty"` // of the rule
	Error   string   `json:"error,omitempty"`
	Proto   string   `json:"proto,omitempty"` // as a trusted proxy says
	Host    string   `json:"host,omitempty"`
}

// Barred is a ban as it is shown.
type Barred struct {
	Subject string     `json:"subject"`
	Reason  string     `json:"reason,omitempty"`
	By      string     `json:"by"`
	Since   *time.Time `json:"since,omitempty"`
	Until   *time.Time `json:"until,omitempty"` // nil: until it is removed
	Strikes int        `json:"strikes,omitempty"`
}

// Bar shows a ban.
func Bar(b ban.Ban) *Barred {
	out := &Barred{Subject: b.Subject.String(), Reason: b.Reason, By: b.By, Strikes: b.Strikes}
	if !b.Since.IsZero() {
		out.Since = &b.Since
	}
	if !b.Until.IsZero() {
		out.Until = &b.Until
	}
	return out
}

// Explain says what c makes of a request over a connection from peer, with the headers
// h. It asks nobody: of feeds behind URLs it knows what the gateway kept, and of
// CrowdSec the file.
func Explain(ctx context.Context, c *config.Config, peer netip.Addr, h http.Header) (Whereabouts, error) {
	bans, db, err := OpenBans(ctx, c)
	if err != nil {
		return Whereabouts{}, err
	}
	w, err := explain(ctx, c, bans, peer, h)
	return w, errors.Join(err, db.Close())
}

func explain(ctx context.Context, c *config.Config, bans *ban.Bans, peer netip.Addr, h http.Header) (Whereabouts, error) {
	n, err := networkOf(ctx, c, bans, nil, false, slog.New(slog.DiscardHandler))
	if err != nil {
		return Whereabouts{}, err
	}
	if err := n.enforce(); err != nil {
		return Whereabouts{}, err
	}
	peer = peer.Unmap().WithZone("")
	v := n.view.Load()
	out := Whereabouts{Peer: peer.String(), Trusted: v.proxies.Trusts(peer), Lists: []string{}}
	r := &http.Request{RemoteAddr: netip.AddrPortFrom(peer, 0).String(), Header: h.Clone()}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	a, asked, err := v.proxies.Client(r)
	if err != nil {
		out.Rule, out.Error = string(address.ByForgery), err.Error()
		return out, nil
	}
	client, d := n.decide(a)
	out.Client, out.Country, out.ASN, out.Proto, out.Host = a.String(), client.Country, client.ASN, asked.Proto, asked.Host
	out.Pass, out.Rule, out.List = d.Pass, string(d.Rule), d.List
	for name, texts := range c.Network.Networks {
		lists, err := n.lists([]string{name})
		if err != nil {
			return Whereabouts{}, err
		}
		for _, l := range lists {
			if len(texts) > 0 && l.Contains(a) {
				out.Lists = append(out.Lists, name)
			}
		}
	}
	for name, f := range n.feeds {
		if f.Contains(a) {
			out.Lists = append(out.Lists, name)
		}
	}
	slices.Sort(out.Lists)
	if b, yes := bans.Address(client, fromConfig, ban.FromFile); yes {
		out.Ban = Bar(b)
	}
	return out, nil
}
