package config

import (
	"maps"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/waf/address"
	"github.com/ringwall/ringwall/waf/ban"
)

// Network says where requests may come from, and who is believed about it.
type Network struct {
	Proxies   []string `yaml:"trusted_proxies" doc:"addresses, networks, or names of networks and feeds, of the proxies before the gateway: they are believed whom they stand for, and nobody else is" example:"[10.0.0.0/8]"`
	Header    string   `yaml:"forwarded_header" doc:"the header by which they say it; the other one is what a client wrote, and not read" enum:"x-forwarded-for|forwarded" default:"x-forwarded-for"`
	Hops      int      `yaml:"hops" doc:"how many proxies there are at most; 0: as many as are trusted" default:"0"`
	Untrusted string   `yaml:"untrusted_headers" doc:"what becomes of headers of proxies from others: ignore, so that nobody reads them, or refuse the request with 400" enum:"ignore|refuse" default:"ignore"`
	Preface   bool     `yaml:"proxy_protocol" doc:"each connection comes from a trusted proxy and begins with a header of the PROXY protocol, version 1 or 2; others are closed" default:"false"`
	Drop      bool     `yaml:"drop" doc:"close connections of addresses that are refused, rather than answer 403" default:"false"`

	Networks map[string][]string `yaml:"networks" doc:"addresses and networks by a name of your choice, for the lists here" example:"office"`
	Feeds    map[string]Feed     `yaml:"feeds" doc:"lists of networks that others write, by a name of your choice, for the lists here" example:"drop"`

	Exempt    []string  `yaml:"exempt" doc:"let in whatever the lists below, CrowdSec, AS numbers and countries say; only a ban goes before. Addresses, networks and names" example:"[office]"`
	Deny      []string  `yaml:"deny" doc:"refused. Addresses, networks and names" example:"[drop, 198.51.100.0/24]"`
	Allow     []string  `yaml:"allow" doc:"where there are any, all others are refused. Addresses, networks and names" example:"[]"`
	ASNs      ASNs      `yaml:"asns" doc:"autonomous systems, by number"`
	Countries Countries `yaml:"countries" doc:"countries, by two letters"`
	Geo       Geo       `yaml:"geo" doc:"databases that know countries and AS numbers of addresses; they are read again when they change"`

	Bans     Bans     `yaml:"bans" doc:"who is shut out for a while, beside those of ringwall bans"`
	CrowdSec CrowdSec `yaml:"crowdsec" doc:"decisions of CrowdSec, which are followed until they end"`
}

// Feed is a list of networks that others write.
type Feed struct {
	File     string        `yaml:"file" doc:"relative to this one: text with a network a line, Spamhaus' DROP, FireHOL's netsets, or the JSON of AWS's ip-ranges; it is read again when it changes" example:"/var/lib/feeds/drop.txt"`
	URL      string        `yaml:"url" doc:"instead of a file, by HTTPS; the last good list is kept in the data directory" example:""`
	Refresh  time.Duration `yaml:"refresh" doc:"how often a URL is asked" default:"1h"`
	Optional bool          `yaml:"optional" doc:"start without it where it cannot be had and none was kept: nobody is on it then" default:"false"`
}

// ASNs are autonomous systems.
type ASNs struct {
	Allow []uint32 `yaml:"allow" doc:"where there are any, all others are refused" example:"[]"`
	Deny  []uint32 `yaml:"deny" doc:"refused" example:"[64500]"`
}

// Countries are countries.
type Countries struct {
	Allow   []string `yaml:"allow" doc:"where there are any, all others are refused" example:"[]"`
	Deny    []string `yaml:"deny" doc:"refused" example:"[KP]"`
	Unknown string   `yaml:"unknown" doc:"what becomes of addresses whose country nobody knows, private ones among them: as a country on no list, let in, or refused" enum:"unlisted|allow|deny" default:"unlisted"`
}

// Geo names databases.
type Geo struct {
	Country string `yaml:"country" doc:"MaxMind DB file of countries or cities, relative to this one" example:"/var/lib/GeoIP/GeoLite2-Country.mmdb"`
	ASN     string `yaml:"asn" doc:"MaxMind DB file of AS numbers, relative to this one" example:"/var/lib/GeoIP/GeoLite2-ASN.mmdb"`
}

// Bans configures who is shut out.
type Bans struct {
	Subjects  []string  `yaml:"subjects" doc:"who is shut out as long as it stands here: addresses (of IPv6 the /64), networks, principal:ID, tenant:NAME, country:DE, as:64500" example:"[198.51.100.7, tenant:acme]"`
	Automatic Automatic `yaml:"automatic" doc:"addresses are shut out that fail to prove who they are too often; never loopback, trusted proxies, and what is exempt or allowed above"`
}

// Automatic configures bans that nobody makes.
type Automatic struct {
	Failures int           `yaml:"failures" doc:"so many within the window; 0: never. Say first who the trusted proxies are, or all their clients are one address" default:"0"`
	Window   time.Duration `yaml:"window" doc:"of time, in which failures are counted" default:"1m"`
	First    time.Duration `yaml:"first" doc:"how long the first time; each time within a day it is twice as long" default:"10m"`
	Longest  time.Duration `yaml:"longest" doc:"and at most" default:"24h"`
}

// CrowdSec configures where its decisions are had.
type CrowdSec struct {
	File string            `yaml:"file" doc:"what cscli decisions list -o json prints, relative to this one; it is read again when it changes" example:""`
	URL  string            `yaml:"url" doc:"of the local API" example:"http://127.0.0.1:8080"`
	Key  strictyaml.Secret `yaml:"api_key" doc:"of the bouncer: cscli bouncers add ringwall" example:"env:CROWDSEC_API_KEY"`
	Poll time.Duration     `yaml:"poll" doc:"how often the local API is asked" default:"10s"`
}

// listName is what a network or a feed may be called: it is part of a file's name.
var listName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// checkNetwork finds what is wrong with where requests may come from.
func (c *Config) checkNetwork(fail failing) {
	n := &c.Network
	for _, name := range slices.Sorted(maps.Keys(n.Networks)) {
		at := strictyaml.Key("network.networks", name)
		if !listName.MatchString(name) {
			fail(at, "want a name of small letters, digits, - and _ that begins with a letter")
		}
		for i, text := range n.Networks[name] {
			if _, err := address.ParsePrefix(text); err != nil {
				fail(strictyaml.Index(at, i), "%w", err)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(n.Feeds)) {
		f, at := n.Feeds[name], strictyaml.Key("network.feeds", name)
		_, twice := n.Networks[name]
		switch {
		case !listName.MatchString(name):
			fail(at, "want a name of small letters, digits, - and _ that begins with a letter")
		case twice:
			fail(at, "there is a network %q already", name)
		case (f.File == "") == (f.URL == ""):
			fail(at, "want a file or a url")
		}
		if f.URL != "" {
			if err := address.CheckURL(f.URL); err != nil {
				fail(at+".url", "%w", err)
			}
		}
		if f.Refresh < time.Minute {
			fail(at+".refresh", "want at least 1m: the list is somebody else's")
		}
	}
	for _, l := range []struct {
		name string
		list []string
	}{{"trusted_proxies", n.Proxies}, {"exempt", n.Exempt}, {"deny", n.Deny}, {"allow", n.Allow}} {
		for i, text := range l.list {
			n.checkEntry(strictyaml.Index("network."+l.name, i), text, fail)
		}
	}
	if n.Hops < 0 || n.Hops > 32 {
		fail("network.hops", "want 0 to 32")
	}
	if len(n.Proxies) == 0 && n.Preface {
		fail("network.proxy_protocol", "nobody could connect: name the trusted_proxies, from whom such headers are taken")
	}
	n.checkGeo(fail)
	n.checkBans(fail)
}

// checkEntry finds what is wrong with an entry of a list.
func (n *Network) checkEntry(at, text string, fail failing) {
	_, network := n.Networks[text]
	_, feed := n.Feeds[text]
	if network || feed {
		return
	}
	if listName.MatchString(text) {
		fail(at, "there is no network or feed %q%s", text, among(n.Networks))
		return
	}
	p, err := address.ParsePrefix(text)
	if err != nil {
		fail(at, "%w", err)
	} else if p.Bits() == 0 && strings.HasPrefix(at, "network.trusted_proxies") {
		fail(at, "everybody would be believed who they say they are: name the proxies' own networks")
	}
}

func (n *Network) checkGeo(fail failing) {
	for _, l := range []struct {
		name string
		list []string
	}{{"allow", n.Countries.Allow}, {"deny", n.Countries.Deny}} {
		for i, code := range l.list {
			if len(code) != 2 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
				fail(strictyaml.Index("network.countries."+l.name, i), "want two capital letters, as DE")
			}
		}
	}
	if n.Geo.Country == "" && (len(n.Countries.Allow)+len(n.Countries.Deny) > 0 || n.Countries.Unknown == "deny") {
		fail("network.countries", "nobody knows countries: name geo.country, a MaxMind DB file")
	}
	if n.Geo.ASN == "" && len(n.ASNs.Allow)+len(n.ASNs.Deny) > 0 {
		fail("network.asns", "nobody knows AS numbers: name geo.asn, a MaxMind DB file")
	}
}

func (n *Network) checkBans(fail failing) {
	for i, text := range n.Bans.Subjects {
		s, err := ban.ParseSubject(text)
		at := strictyaml.Index("network.bans.subjects", i)
		switch {
		case err != nil:
			fail(at, "%w", err)
		case s.Scope == ban.Country && n.Geo.Country == "" || s.Scope == ban.AS && n.Geo.ASN == "":
			fail(at, "nobody knows it of an address: name the database in geo")
		}
	}
	a := n.Bans.Automatic
	if a.Failures < 0 || a.Failures > 0 && (a.Window < time.Second || a.First < time.Second || a.Longest < a.First) {
		fail("network.bans.automatic", "want a window and a first time of at least 1s, and a longest time that is not shorter")
	}
	cs := n.CrowdSec
	if cs.URL != "" {
		if u, err := url.Parse(cs.URL); err != nil || !isURL(cs.URL) || u.User != nil || u.RawQuery != "" {
			fail("network.crowdsec.url", "want http(s)://host[:port]")
		}
		if cs.Key.IsZero() {
			fail("network.crowdsec.api_key", "the local API takes bouncers with a key only: cscli bouncers add ringwall")
		}
		if cs.Poll < time.Second {
			fail("network.crowdsec.poll", "want at least 1s")
		}
	} else if !cs.Key.IsZero() {
		fail("network.crowdsec.url", "whose key? Name the local API")
	}
}

// locate makes the names of files those of the working directory.
func (n *Network) locate(dir string) {
	at := func(file *string) {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(dir, *file)
		}
	}
	at(&n.Geo.Country)
	at(&n.Geo.ASN)
	at(&n.CrowdSec.File)
	for name, f := range n.Feeds {
		at(&f.File)
		n.Feeds[name] = f
	}
}

// List returns what an entry of a list stands for: addresses, by hand or of a network
// with a name; or the feed of that name.
func (n *Network) List(entry string) (prefixes []string, feed string) {
	if list, ok := n.Networks[entry]; ok {
		return list, ""
	}
	if _, ok := n.Feeds[entry]; ok {
		return nil, entry
	}
	return []string{entry}, ""
}
