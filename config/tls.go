package config

import (
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/auth/peer"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// TLS configures the certificates of the listeners, and those of clients. All of it is
// read again when a file of it changes.
type TLS struct {
	Cert         string        `yaml:"cert" doc:"PEM file with the certificate and its chain" example:"/etc/ringwall/tls.crt"`
	Key          string        `yaml:"key" doc:"PEM file with its private key" example:"/etc/ringwall/tls.key"`
	Certificates []Certificate `yaml:"certificates" doc:"more of them: which one is shown, the name decides that the client asks for"`
	ACME         ACME          `yaml:"acme" doc:"certificates that are had from a CA by ACME (RFC 8555), and renewed; the CA must reach the listener as port 443 of the domains (tls-alpn-01)"`
	Clients      Clients       `yaml:"clients" doc:"certificates of clients"`
	HSTS         time.Duration `yaml:"hsts" doc:"how long browsers are told to come by TLS only; 0: they are not" default:"8760h"`
}

// Certificate names a certificate and its key.
type Certificate struct {
	Cert string `yaml:"cert" doc:"PEM file with the certificate and its chain" example:"/etc/ringwall/other.crt"`
	Key  string `yaml:"key" doc:"PEM file with its private key" example:"/etc/ringwall/other.key"`
}

// ACME says from whom certificates are had.
type ACME struct {
	Domains   []string `yaml:"domains" doc:"names that certificates are had for; empty: none" example:"[llm.example.org]"`
	Email     string   `yaml:"email" doc:"where the CA writes when something is wrong" example:"ops@example.org"`
	Directory string   `yaml:"directory" doc:"of the CA; default: Let's Encrypt" example:"https://acme-v02.api.letsencrypt.org/directory"`
	CA        string   `yaml:"ca" doc:"PEM file of CAs by which the directory's own TLS is verified; default: the system's" example:""`
	Accept    bool     `yaml:"accept_terms" doc:"you accept the terms of service of the CA" default:"false" example:"true"`
}

// Clients says which certificates of clients are taken, and whose they are.
type Clients struct {
	Mode       string     `yaml:"mode" doc:"off: none is asked for; optional: one that is shown must be right; required: nobody connects without" enum:"off|optional|required" default:"off"`
	CA         string     `yaml:"ca" doc:"PEM file of the CAs that vouch for clients" example:"/etc/ringwall/clients.pem"`
	CRL        []string   `yaml:"crl" doc:"files of revocation lists; with one, every issuer needs one that is current" example:"[]"`
	Domains    []string   `yaml:"trust_domains" doc:"SPIFFE trust domains that are allowed" example:"[example.org]"`
	Identities []Identity `yaml:"identities" doc:"who the holders are, the first that fits; whom none fits is refused"`
}

// Identity says who the holders of certificates are.
type Identity struct {
	SPIFFE  string         `yaml:"spiffe" doc:"a SPIFFE id; a star stands for characters within a segment, /** at the end for all below" example:"spiffe://example.org/ns/shop/*"`
	DNS     string         `yaml:"dns" doc:"or a DNS name among the certificate's; *. in front stands for one label" example:""`
	Subject string         `yaml:"subject" doc:"or its whole subject, as RFC 4514 writes it: CN=batch,O=Shop" example:""`
	Tenant  string         `yaml:"tenant" doc:"on whose behalf they call" example:"shop"`
	Trust   ringwall.Trust `yaml:"trust" doc:"how far they are trusted: verified, customer, staff or operator" default:"customer"`
	Roles   []string       `yaml:"roles" doc:"roles that they have" example:"[]"`
	Scopes  []string       `yaml:"scopes" doc:"what they are good for, as of keys; empty: all that they may" example:"[]"`
}

// HTTP bounds connections.
type HTTP struct {
	Header  strictyaml.Size `yaml:"header_bytes" doc:"largest head of a request" default:"64KiB"`
	Streams int             `yaml:"streams" doc:"HTTP/2: requests at a time on one connection" default:"128"`
	Frame   strictyaml.Size `yaml:"frame" doc:"HTTP/2: largest frame that is read, 16KiB to 1MiB" default:"64KiB"`
	Buffer  strictyaml.Size `yaml:"buffer" doc:"HTTP/2: most that a client may send on one connection before it is read, 64KiB to 4MiB: a body waits with its sender, not here" default:"256KiB"`
	Ping    time.Duration   `yaml:"ping" doc:"HTTP/2: silence after which a connection is tried by a ping" default:"30s"`
	Answer  time.Duration   `yaml:"ping_timeout" doc:"HTTP/2: how long the answer to a ping may take, before the connection is closed" default:"15s"`
	Stall   time.Duration   `yaml:"stall" doc:"HTTP/2: how long a client may accept nothing at all, before the connection is closed" default:"60s"`
}

// On reports whether the listeners speak TLS.
func (t *TLS) On() bool { return t.Cert != "" || len(t.Certificates) > 0 || len(t.ACME.Domains) > 0 }

// Pairs returns all certificates that have files, the one that is shown to who asks for
// no name first.
func (t *TLS) Pairs() []Certificate {
	if t.Cert == "" {
		return t.Certificates
	}
	return append([]Certificate{{t.Cert, t.Key}}, t.Certificates...)
}

// Files returns the files that t names.
func (t *TLS) Files() (files []string) {
	for _, c := range t.Pairs() {
		files = append(files, c.Cert, c.Key)
	}
	if t.ACME.CA != "" {
		files = append(files, t.ACME.CA)
	}
	if t.Clients.Takes() {
		files = append(append(files, t.Clients.CA), t.Clients.CRL...)
	}
	return files
}

// Takes reports whether certificates of clients are asked for.
func (c *Clients) Takes() bool { return c.Mode == "optional" || c.Mode == "required" }

// Peers returns the identities as package peer takes them.
func (c *Clients) Peers() []peer.Identity {
	out := make([]peer.Identity, len(c.Identities))
	for i, id := range c.Identities {
		out[i] = peer.Identity{SPIFFE: id.SPIFFE, DNS: id.DNS, Subject: id.Subject, Tenant: id.Tenant, Trust: id.Trust, Roles: id.Roles}
		if len(id.Scopes) > 0 { // an empty list of the file is none
			out[i].Scopes = id.Scopes
		}
	}
	return out
}

// checkTLS finds what is wrong with the certificates.
func (c *Config) checkTLS(fail failing) {
	t := &c.TLS
	if (t.Cert == "") != (t.Key == "") {
		fail("tls", "cert and key go together")
	}
	for i, p := range t.Certificates {
		if p.Cert == "" || p.Key == "" {
			fail(strictyaml.Index("tls.certificates", i), "cert and key go together")
		}
	}
	if t.HSTS < 0 {
		fail("tls.hsts", "times are not negative")
	}
	a := &t.ACME
	for i, d := range a.Domains {
		if d != strings.ToLower(d) || !strings.Contains(strings.Trim(d, "."), ".") || strings.ContainsAny(d, "*/: ") {
			fail(strictyaml.Index("tls.acme.domains", i), "want a whole name in small letters, without stars: llm.example.org")
		}
	}
	if len(a.Domains) > 0 && !a.Accept {
		fail("tls.acme.accept_terms", "a CA gives certificates to those alone who accept its terms: read them, and write accept_terms: true")
	}
	if a.Directory != "" && !strings.HasPrefix(a.Directory, "https://") {
		fail("tls.acme.directory", "want https://host[:port]/path")
	}
	k := &t.Clients
	switch {
	case !k.Takes():
	case !t.On():
		fail("tls.clients", "clients show certificates in TLS alone: the gateway needs a certificate of its own")
	case k.CA == "":
		fail("tls.clients.ca", "who vouches for clients?")
	case slices.Contains(k.CRL, ""):
		fail("tls.clients.crl", "want names of files")
	}
	for i, id := range k.Peers() {
		path := strictyaml.Index("tls.clients.identities", i)
		if err := id.Check(k.Domains); err != nil {
			fail(path, "%v", err)
		}
		if err := auth.CheckRoles(id.Roles); err != nil {
			fail(path+".roles", "%v", err)
		}
	}
	h := &c.HTTP
	if h.Header < 4<<10 || h.Header > 1<<20 || h.Streams < 1 || h.Streams > 10_000 || h.Frame < 16<<10 || h.Frame > 1<<20 || h.Buffer < 64<<10 || h.Buffer > 4<<20 {
		fail("http", "want header_bytes from 4KiB to 1MiB, streams from 1 to 10000, frame from 16KiB to 1MiB, buffer from 64KiB to 4MiB")
	}
	if h.Ping < time.Second || h.Answer < time.Second || h.Stall < time.Second {
		fail("http", "want times of at least 1s")
	}
}
