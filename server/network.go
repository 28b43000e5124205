package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/waf/address"
	"github.com/ringwall/ringwall/waf/ban"
)

// fromConfig is the source of the bans that stand in the configuration.
const fromConfig = "configuration"

// network is where requests may come from, as one configuration says. Its lists,
// feeds and databases are kept current by its chores.
type network struct {
	cfg     config.Network
	bans    *ban.Bans
	geo     *address.Geo
	feeds   map[string]*address.Feed
	bouncer *ban.Bouncer // nil: none
	lanes   [lanes][]*chore

	mu   sync.Mutex // held while the view is made anew
	view atomic.Pointer[view]
}

// view is what requests meet: it does not change.
type view struct {
	proxies address.Proxies
	rules   address.Rules
}

// lanes are what is done side by side: the chores of files, of URLs, of CrowdSec.
const lanes = 3

// chore is something that is done now and then.
type chore struct {
	name  string
	every time.Duration
	next  time.Time
	do    func(context.Context) (changed bool, err error)
	away  bool // it failed the last time
}

// networkOf builds the network of c. What did not change since the one before is
// taken over. Where asking is false nobody is asked: lists of URLs are those that were
// kept. It changes nothing but by enforce.
func networkOf(ctx context.Context, c *config.Config, bans *ban.Bans, before *network, asking bool, log *slog.Logger) (*network, error) {
	n := &network{cfg: c.Network, bans: bans, feeds: map[string]*address.Feed{}}
	if err := n.openGeo(before); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Network.Feeds)) {
		if err := n.openFeed(ctx, name, filepath.Join(c.Data, "feeds"), before, asking, log); err != nil {
			return nil, err
		}
	}
	if err := n.openBouncer(before); err != nil {
		return nil, err
	}
	if err := n.look(); err != nil {
		return nil, err
	}
	return n, nil
}

func (n *network) openGeo(before *network) error {
	if before != nil && before.cfg.Geo == n.cfg.Geo {
		n.geo = before.geo
		for _, c := range before.lanes[0] {
			if c.name == geoCountry || c.name == geoASN {
				n.lanes[0] = append(n.lanes[0], c)
			}
		}
		return nil
	}
	n.geo = &address.Geo{}
	for _, db := range []struct {
		name, file string
		open       func(string) error
	}{{geoCountry, n.cfg.Geo.Country, n.geo.OpenCountry}, {geoASN, n.cfg.Geo.ASN, n.geo.OpenASN}} {
		if db.file == "" {
			continue
		}
		seen, err := os.Stat(db.file)
		if err == nil {
			err = db.open(db.file)
		}
		if err != nil {
			return fmt.Errorf("network: %s: %w", db.name, err)
		}
		n.lanes[0] = append(n.lanes[0], &chore{name: db.name, every: time.Second, do: func(context.Context) (bool, error) {
			now, err := os.Stat(db.file)
			if err != nil || os.SameFile(seen, now) && seen.Size() == now.Size() && seen.ModTime().Equal(now.ModTime()) {
				return false, err
			}
			seen = now // it is not tried again before it is another one
			return false, db.open(db.file)
		}})
	}
	return nil
}

const (
	geoCountry = "geo.country"
	geoASN     = "geo.asn"
)

func (n *network) openFeed(ctx context.Context, name, dir string, before *network, asking bool, log *slog.Logger) error {
	cfg := n.cfg.Feeds[name]
	f := &address.Feed{Name: name, File: cfg.File, URL: cfg.URL, Dir: dir}
	known := false
	if before != nil {
		if old, ok := before.feeds[name]; ok && old.File == f.File && old.URL == f.URL {
			f, known = old, true
		}
	}
	n.feeds[name] = f
	c := &chore{name: "feed " + name, every: time.Second, do: f.Load}
	lane := 0
	if f.URL != "" {
		c.every, lane = cfg.Refresh, 1
	}
	n.lanes[lane] = append(n.lanes[lane], c)
	if known {
		c.next = time.Now().Add(c.every)
		return nil
	}
	var err error
	if f.URL != "" {
		if err = f.Recall(); err == nil {
			return nil // it is asked for anew at once, and nobody waits for it
		}
		if !asking && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	if asking || f.URL == "" {
		if _, err = f.Load(ctx); err == nil {
			c.next = time.Now().Add(c.every)
		}
	}
	switch {
	case err == nil || f.Set() != nil:
	case cfg.Optional:
		log.Warn("a feed is empty until it can be had", "feed", name, "error", err)
	default:
		return fmt.Errorf("network: %w, and none was kept before (optional: true starts without it)", err)
	}
	return nil
}

func (n *network) openBouncer(before *network) error {
	cs := n.cfg.CrowdSec
	if cs.File == "" && cs.URL == "" {
		return nil
	}
	n.bouncer = &ban.Bouncer{Bans: n.bans, File: cs.File, URL: cs.URL, Key: cs.Key.Reveal}
	if before != nil && before.bouncer != nil && before.cfg.CrowdSec == cs {
		n.bouncer = before.bouncer
	} else if err := n.bouncer.Load(); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	every := cs.Poll
	if cs.URL == "" {
		every = time.Second
	}
	n.lanes[2] = append(n.lanes[2], &chore{name: "crowdsec", every: every, do: func(ctx context.Context) (bool, error) {
		return false, n.bouncer.Refresh(ctx)
	}})
	return nil
}

// look makes the view of the lists as they are now.
func (n *network) look() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	v := &view{
		proxies: address.Proxies{Hops: n.cfg.Hops, Refuse: n.cfg.Untrusted == "refuse"},
		rules: address.Rules{
			Others:    n.crowdsec,
			ASNs:      address.Choice[uint32]{Allow: n.cfg.ASNs.Allow, Deny: n.cfg.ASNs.Deny},
			Countries: address.Choice[string]{Allow: n.cfg.Countries.Allow, Deny: n.cfg.Countries.Deny},
			Unknown:   address.Unknown(n.cfg.Countries.Unknown),
		},
	}
	if n.cfg.Header == "forwarded" {
		v.proxies.Header = address.Forwarded
	}
	for _, l := range []struct {
		into    *[]address.List
		entries []string
	}{{&v.proxies.Trusted, n.cfg.Proxies}, {&v.rules.Exempt, n.cfg.Exempt}, {&v.rules.Deny, n.cfg.Deny}, {&v.rules.Allow, n.cfg.Allow}} {
		var err error
		if *l.into, err = n.lists(l.entries); err != nil {
			return err
		}
	}
	n.view.Store(v)
	return nil
}

// lists are the sets of a list's entries: one of the addresses that stand there, and
// one of each name.
func (n *network) lists(entries []string) (all []address.List, err error) {
	var own []netip.Prefix
	for _, entry := range entries {
		texts, feed := n.cfg.List(entry)
		if feed != "" {
			all = append(all, address.List{Name: feed, Set: n.feeds[feed].Set()})
			continue
		}
		var prefixes []netip.Prefix
		for _, text := range texts {
			p, err := address.ParsePrefix(text)
			if err != nil {
				return nil, fmt.Errorf("network: %w", err)
			}
			prefixes = append(prefixes, p)
		}
		if len(texts) == 1 && texts[0] == entry {
			own = append(own, prefixes...)
			continue
		}
		all = append(all, address.List{Name: entry, Set: address.NewSet(prefixes)})
	}
	if len(own) > 0 {
		all = append([]address.List{{Set: address.NewSet(own)}}, all...)
	}
	return all, nil
}

// enforce puts what the configuration itself bans into force, and takes out what
// another one did.
func (n *network) enforce() error {
	var own []ban.Ban
	for _, text := range n.cfg.Bans.Subjects {
		s, err := ban.ParseSubject(text)
		if err != nil {
			return fmt.Errorf("network.bans.subjects: %w", err)
		}
		own = append(own, ban.Ban{Subject: s, Reason: "of the configuration", By: fromConfig})
	}
	n.bans.Put(fromConfig, own)
	if n.cfg.CrowdSec.File == "" {
		n.bans.Put(ban.FromFile, nil)
	}
	if n.cfg.CrowdSec.URL == "" {
		n.bans.Put(ban.FromLAPI, nil)
	}
	return nil
}

func (n *network) crowdsec(c ringwall.Client) (why string, refused bool) {
	b, ok := n.bans.Of(c, ban.FromFile, ban.FromLAPI)
	return b.Reason, ok
}

// decide decides about an address.
func (n *network) decide(a netip.Addr) (ringwall.Client, address.Decision) {
	c := n.geo.Client(a)
	if b, ok := n.bans.Address(c, fromConfig); ok {
		return c, address.Decision{Rule: address.ByBan, List: b.Subject.String()}
	}
	return c, n.view.Load().rules.Decide(c)
}

// spared reports whether an address is never banned automatically: who could be shut
// out so would be many, or who has to let others in again.
func (n *network) spared(a netip.Addr) bool {
	v := n.view.Load()
	_, exempt := v.rules.Exempted(a)
	_, allowed := v.rules.Allowed(a)
	return exempt || allowed || a.IsLoopback() || v.proxies.Trusts(a)
}

func (n *network) policy() ban.Policy {
	a := n.cfg.Bans.Automatic
	return ban.Policy{Faults: a.Failures, Window: a.Window, First: a.First, Longest: a.Longest}
}

// work does the chores of a lane that are due.
func (n *network) work(ctx context.Context, lane int, log *slog.Logger) {
	for _, c := range n.lanes[lane] {
		if time.Now().Before(c.next) {
			continue
		}
		changed, err := c.do(ctx)
		if ctx.Err() != nil {
			return
		}
		c.next = time.Now().Add(c.every)
		switch {
		case err != nil && !c.away:
			log.Error("what is known of addresses is not current: the last that was read stays in force", "what", c.name, "error", err)
		case err == nil && c.away:
			log.Info("what is known of addresses is current again", "what", c.name)
		}
		c.away = err != nil
		if changed {
			if err := n.look(); err != nil {
				log.Error("a list of addresses stays as it was", "what", c.name, "error", err)
			}
		}
	}
}
