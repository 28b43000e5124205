package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/ringwall/ringwall/auth/peer"
	"github.com/ringwall/ringwall/config"
)

// secured is the TLS of the listeners: what is in force for the connections that come
// now. Those that stand keep what they were made with, but for the certificates of
// clients, which are looked at again with each request.
type secured struct {
	state atomic.Pointer[certificates]
	peers *peer.Peers
}

// certificates is what one configuration makes of its files.
type certificates struct {
	from      config.TLS
	usual     *tls.Config
	challenge *tls.Config // for a CA that asks whether we are who we say (RFC 8737)
	book      *peer.Book  // nil: no certificates of clients are taken
	acme      *autocert.Manager
	ends      time.Time // when the first of the certificates of files does
}

// certificates reads the files of t. What old holds of a CA by ACME is kept, where its
// settings are the same.
func (s *Server) certificates(t *config.TLS, old *certificates) (*certificates, error) {
	if !t.On() {
		return nil, nil
	}
	c := &certificates{from: *t}
	for _, p := range t.Pairs() {
		pair, err := loadPair(p)
		if err != nil {
			return nil, err
		}
		if c.ends.IsZero() || pair.Leaf.NotAfter.Before(c.ends) {
			c.ends = pair.Leaf.NotAfter
		}
		if c.usual == nil {
			c.usual = &tls.Config{}
		}
		c.usual.Certificates = append(c.usual.Certificates, pair)
	}
	if c.usual == nil {
		c.usual = &tls.Config{}
	}
	c.usual.MinVersion = tls.VersionTLS13
	c.usual.NextProtos = []string{"h2", "http/1.1"}
	if err := s.openACME(c, old); err != nil {
		return nil, err
	}
	return c, s.openClients(c)
}

// loadPair reads a certificate and its key, of which nothing is left behind but what
// signs.
func loadPair(p config.Certificate) (tls.Certificate, error) {
	cert, err := os.ReadFile(p.Cert)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("reading the certificate: %w", err)
	}
	key, err := os.ReadFile(p.Key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("reading the certificate's key: %w", err)
	}
	defer clear(key)
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("reading the certificate %s and its key %s: %w", p.Cert, p.Key, err)
	}
	return pair, nil
}

// openACME lets a CA be asked for certificates.
func (s *Server) openACME(c, old *certificates) error {
	a := c.from.ACME
	if len(a.Domains) == 0 {
		return nil
	}
	if old != nil && old.acme != nil && reflect.DeepEqual(old.from.ACME, a) {
		c.acme = old.acme
	} else {
		client := &acme.Client{DirectoryURL: a.Directory, UserAgent: "ringwall/" + s.opt.Version}
		if a.Directory == "" {
			client.DirectoryURL = autocert.DefaultACMEDirectory
		}
		if a.CA != "" {
			file, err := os.ReadFile(a.CA)
			if err != nil {
				return fmt.Errorf("reading the CAs of the ACME directory: %w", err)
			}
			pool := x509.NewCertPool()
			if !pool.AppendCertsFromPEM(file) {
				return fmt.Errorf("reading the CAs of the ACME directory: %s holds no certificate in PEM", a.CA)
			}
			client.HTTPClient = &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, Proxy: http.ProxyFromEnvironment}}
		}
		c.acme = &autocert.Manager{
			Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(filepath.Join(s.cfg.Data, "acme")),
			HostPolicy: autocert.HostWhitelist(a.Domains...), Email: a.Email, Client: client,
		}
	}
	manager := c.acme
	c.usual.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if !slices.Contains(a.Domains, hello.ServerName) {
			return nil, nil // one of those that have files
		}
		return manager.GetCertificate(hello)
	}
	// Whoever speaks only this gets a certificate that proves the domain to the CA, and
	// no word of HTTP.
	c.challenge = &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{acme.ALPNProto}, GetCertificate: manager.GetCertificate}
	return nil
}

// openClients reads whose certificates are taken.
func (s *Server) openClients(c *certificates) error {
	k := &c.from.Clients
	if !k.Takes() {
		return nil
	}
	cfg := peer.Config{Domains: k.Domains, Identities: k.Peers()}
	for i, name := range append([]string{k.CA}, k.CRL...) {
		data, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("reading what certificates of clients are taken: %w", err)
		}
		if i == 0 {
			cfg.CA = peer.File{Name: name, Data: data}
		} else {
			cfg.CRLs = append(cfg.CRLs, peer.File{Name: name, Data: data})
		}
	}
	book, err := peer.Read(cfg)
	if err != nil {
		return err
	}
	c.book = book
	c.usual.ClientCAs = book.Pool()
	c.usual.ClientAuth = tls.VerifyClientCertIfGiven
	if k.Mode == "required" {
		c.usual.ClientAuth = tls.RequireAndVerifyClientCert
	}
	// Also of connections that go on with a session, for which crypto/tls verifies less.
	c.usual.VerifyConnection = func(now tls.ConnectionState) error {
		if len(now.PeerCertificates) == 0 {
			return nil
		}
		return s.secured.peers.Check(now.VerifiedChains)
	}
	return nil
}

// use puts c in force; nil where there is no TLS.
func (t *secured) use(c *certificates) {
	if c == nil {
		return
	}
	t.state.Store(c)
	t.peers.Use(c.book)
}

// config is that of a listener.
func (t *secured) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			c := t.state.Load()
			if c.challenge != nil && slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}) {
				return c.challenge, nil
			}
			return c.usual, nil
		},
	}
}

var errNoCertificate = errors.New("a client certificate is required")

// transport looks at the connection of each request that comes by TLS: whether the
// client's certificate is still good, and what browsers are to remember.
func (s *Server) transport(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.secured.state.Load()
		if r.TLS == nil || c == nil {
			h.ServeHTTP(w, r)
			return
		}
		if c.from.HSTS > 0 {
			w.Header().Set("Strict-Transport-Security", "max-age="+strconv.FormatInt(int64(c.from.HSTS/time.Second), 10))
		}
		if err := s.shown(c, r.TLS); err != nil {
			s.log.Warn("a client's certificate is refused", "address", r.RemoteAddr, "reason", err.Error())
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Connection", "close") // over HTTP/2: no more streams, then the end
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":{"message":"The client certificate is not valid.","type":"authentication_error","param":null,"code":"invalid_certificate"}}` + "\n"))
			return
		}
		h.ServeHTTP(w, r)
	})
}

// shown refuses a connection by what its client showed when it was made.
func (s *Server) shown(c *certificates, now *tls.ConnectionState) error {
	switch {
	case c.book == nil:
		return nil
	case len(now.PeerCertificates) > 0:
		return s.secured.peers.Check(now.VerifiedChains)
	case c.from.Clients.Mode == "required": // the connection is older than that
		return errNoCertificate
	}
	return nil
}

// order has certificates made of which there are none yet, so that the first client
// need not wait, and an operator reads in the log what is wrong.
func (s *Server) order(ctx context.Context) {
	c := s.secured.state.Load()
	if c == nil || c.acme == nil {
		return
	}
	for _, domain := range c.from.ACME.Domains {
		hello := &tls.ClientHelloInfo{ServerName: domain, SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}, SupportedCurves: []tls.CurveID{tls.CurveP256}, CipherSuites: []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
		done := make(chan struct{})
		go func() { // it cannot be told to stop, and ends by itself within five minutes
			defer close(done)
			if cert, err := c.acme.GetCertificate(hello); err != nil {
				s.log.Error("a certificate cannot be had", "domain", domain, "error", err.Error())
			} else if cert.Leaf != nil {
				s.log.Info("a certificate is there", "domain", domain, "until", cert.Leaf.NotAfter.UTC().Format(time.RFC3339))
			}
		}()
		select {
		case <-done:
		case <-ctx.Done():
			return
		}
	}
}
