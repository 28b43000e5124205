// Package acme_test has the real program get its certificate from a real CA: Pebble, the
// ACME server that the makers of Let's Encrypt test clients against, which connects to
// the program's listener to see whose the domain is (tls-alpn-01, RFC 8737).
//
// RINGWALL names the program; default ../../../bin/ringwall.
package acme_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

const domain = "llm.gateway.test"

// names answers that every name is this machine.
func names(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		if len(q.Question) == 1 && q.Question[0].Qtype == dns.TypeA {
			m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: net.IPv4(127, 0, 0, 1)})
		}
		w.WriteMsg(m)
	})}
	done := make(chan struct{})
	go func() { defer close(done); srv.ActivateAndServe() }()
	t.Cleanup(func() { srv.Shutdown(); <-done })
	return l.Addr().String()
}

// gateway runs the program until stop.
func gateway(t *testing.T, config string) (addr netip.AddrPort, stop func()) {
	t.Helper()
	binary := os.Getenv("RINGWALL")
	if binary == "" {
		binary = "../../../bin/ringwall"
	}
	c := exec.Command(binary, "serve", "--config", config)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			c.Process.Signal(syscall.SIGTERM)
			if err := c.Wait(); err != nil {
				t.Errorf("the gateway ended: %v", err)
			}
		}
	}
	t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	host, ok := strings.CutPrefix(strings.TrimSpace(line), "ringwall serves https://")
	if addr, err = netip.ParseAddrPort(strings.TrimSuffix(host, "/v1")); !ok || err != nil {
		t.Fatalf("it says %q: %v", line, err)
	}
	return addr, stop
}

func TestCertificateOfPebble(t *testing.T) {
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	dir := t.TempDir()
	var front http.Handler
	open := make(chan struct{})
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-open // until the CA knows where the gateway listens
		front.ServeHTTP(w, r)
	}))
	defer server.Close()
	write := func(name string, data []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	trust := write("directory.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	config := write("ringwall.yaml", []byte(`listen: 127.0.0.1:0
data: `+filepath.Join(dir, "data")+`
log: {level: warn}
tls:
  acme: {domains: [`+domain+`], email: ops@gateway.test, directory: "`+server.URL+wfe.DirectoryPath+`", ca: `+trust+`, accept_terms: true}
providers: {u: {base_url: "http://127.0.0.1:1/v1"}}
default_provider: u
`))
	addr, stop := gateway(t, config)

	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	authority := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "default"}})
	validation := va.New(quiet, 1, int(addr.Port()), true, names(t), store)
	w := wfe.New(quiet, store, validation, authority, []string{"pebble.letsencrypt.org"}, true, false, 1, 1)
	front = w.Handler()
	close(open)

	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.GetRootCert(0).PEM())
	dial := func(name string) (*x509.Certificate, error) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		d := &tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS12}}
		c, err := d.DialContext(ctx, "tcp", addr.String())
		if err != nil {
			return nil, err
		}
		defer c.Close()
		return c.(*tls.Conn).ConnectionState().PeerCertificates[0], nil
	}
	first, err := dial(domain)
	if err != nil {
		t.Fatalf("no certificate was had: %v", err)
	}
	if len(first.DNSNames) != 1 || first.DNSNames[0] != domain {
		t.Errorf("the certificate is of %v", first.DNSNames)
	}
	if _, err := dial("other.gateway.test"); err == nil {
		t.Error("a certificate was had for a name that nobody allowed")
	}
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: domain, MinVersion: tls.VersionTLS13}}}
	resp, err := client.Get("https://" + addr.String() + "/healthz")
	if err != nil || resp.StatusCode != 200 || resp.Header.Get("Strict-Transport-Security") == "" {
		t.Fatalf("%+v, %v", resp, err)
	}
	resp.Body.Close()
	client.CloseIdleConnections()

	// What is kept is for its owner's eyes, and outlives the program; the CA is not asked again.
	kept := 0
	err = filepath.WalkDir(filepath.Join(dir, "data", "acme"), func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		if info.Mode().IsRegular() {
			kept++
		}
		return nil
	})
	if err != nil || kept < 2 {
		t.Errorf("%d files are kept, %v", kept, err)
	}
	stop()
	server.Close()
	addr, _ = gateway(t, config)
	second, err := dial(domain)
	if err != nil || !second.Equal(first) {
		t.Errorf("after a restart without the CA: %v", err)
	}
}
