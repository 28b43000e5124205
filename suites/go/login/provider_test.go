// Package login drives the real program with the example provider of zitadel/oidc, a
// certified implementation of OpenID Connect: people log in with a browser, programs
// show tokens, keys are rotated, and the provider goes away and comes back.
//
// RINGWALL names the program; default ../../../bin/ringwall.
package login

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/oauth2"
)

var program = "../../../bin/ringwall"

func TestMain(m *testing.M) {
	if p := os.Getenv("RINGWALL"); p != "" {
		program = p
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // of the example
	os.Exit(m.Run())
}

// key signs the provider's tokens.
type key struct {
	id      string
	private *rsa.PrivateKey
}

func (k *key) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k *key) ID() string                                  { return k.id }
func (k *key) Key() any                                    { return k.private }

// shown is the public half.
type shown struct{ *key }

func (s shown) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (s shown) Use() string                        { return "sig" }
func (s shown) Key() any                           { return &s.private.PublicKey }

// jwts is a client that is given JSON Web Tokens.
type jwts struct{ op.Client }

func (jwts) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }

// provider is the example's, whose keys can be rotated.
type provider struct {
	*storage.Storage
	t       *testing.T
	URL     string
	mu      sync.Mutex
	keys    []*key // the last one signs
	handler http.Handler
	server  *http.Server
}

func (p *provider) SigningKey(context.Context) (op.SigningKey, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys[len(p.keys)-1], nil
}

func (p *provider) KeySet(context.Context) (all []op.Key, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.keys {
		all = append(all, shown{k})
	}
	return all, nil
}

func (p *provider) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := p.Storage.GetClientByClientID(ctx, id)
	return jwts{c}, err
}

// rotate has a new key sign; the old ones are shown where keep says so.
func (p *provider) rotate(keep bool) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !keep {
		p.keys = nil
	}
	p.keys = append(p.keys, &key{rand.Text(), private})
}

func newProvider(t *testing.T, gateway string) *provider {
	t.Helper()
	p := &provider{t: t, URL: "http://" + free(t)}
	p.Storage = storage.NewStorageWithClients(storage.NewUserStore(p.URL), map[string]*storage.Client{
		"web": storage.WebClient("web", "hush", gateway+"/login/callback"),
		"app": storage.WebClient("app", "quiet", "http://127.0.0.1/app"),
		"foe": storage.WebClient("foe", "loud", "http://127.0.0.1/app"),
	})
	p.rotate(false)
	p.handler = exampleop.SetupServer(p.URL, p, nil, false)
	p.start()
	t.Cleanup(p.stop)
	return p
}

func (p *provider) start() {
	p.t.Helper()
	l, err := net.Listen("tcp", strings.TrimPrefix(p.URL, "http://"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.server = &http.Server{Handler: p.handler, ReadHeaderTimeout: 10 * time.Second}
	go p.server.Serve(l) // ends with stop
}

func (p *provider) stop() { p.server.Close() }

// free is an address of this machine that nobody uses.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// agree logs test-user2 in at the page of the provider where a browser is.
func (p *provider) agree(b *http.Client, page *http.Response) *http.Response {
	p.t.Helper()
	id := page.Request.URL.Query().Get("authRequestID")
	if id == "" {
		p.t.Fatalf("the browser is not at the provider but at %s: %s", page.Request.URL, page.Status)
	}
	resp, err := b.PostForm(p.URL+"/login/username", url.Values{"username": {"test-user2"}, "password": {"verysecure"}, "id": {id}})
	if err != nil {
		p.t.Fatal(err)
	}
	return resp
}

// tokens are those that the provider gives a program.
func (p *provider) tokens(client, secret string) (access, id string) {
	p.t.Helper()
	conf := oauth2.Config{
		ClientID: client, ClientSecret: secret, RedirectURL: "http://127.0.0.1/app", Scopes: []string{"openid"},
		Endpoint: oauth2.Endpoint{AuthURL: p.URL + "/auth", TokenURL: p.URL + "/oauth/token", AuthStyle: oauth2.AuthStyleInHeader},
	}
	verifier := oauth2.GenerateVerifier()
	b := browser(nil)
	b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/app" {
			return http.ErrUseLastResponse
		}
		return nil
	}
	page, err := b.Get(conf.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)))
	if err != nil {
		p.t.Fatal(err)
	}
	resp := p.agree(b, page)
	back, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		p.t.Fatal(err)
	}
	got, err := conf.Exchange(p.t.Context(), back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		p.t.Fatal(err)
	}
	id, _ = got.Extra("id_token").(string)
	return got.AccessToken, id
}

// browser keeps cookies and follows redirects.
func browser(trusts *x509.CertPool) *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{Jar: jar, Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusts, MinVersion: tls.VersionTLS13}}}
}

// gateway is the real program, by HTTPS.
type gateway struct {
	t        *testing.T
	URL      string
	file     string // configuration
	template string
	trusts   *x509.CertPool
	process  *exec.Cmd
	log      bytes.Buffer
	mu       sync.Mutex
}

// newGateway writes a configuration in which OP stands for the provider's address, and
// starts nothing.
func newGateway(t *testing.T, config string) *gateway {
	t.Helper()
	g := &gateway{t: t, template: config, trusts: x509.NewCertPool()}
	address := free(t)
	g.URL = "https://" + address
	dir := t.TempDir()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "suite"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	g.trusts.AppendCertsFromPEM(certPEM)
	for name, b := range map[string][]byte{"tls.crt": certPEM, "tls.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g.file = filepath.Join(dir, "ringwall.yaml")
	g.template = fmt.Sprintf("listen: %s\ndata: %s\ntls: {cert: %s, key: %s}\nproviders:\n  here: {type: builtin}\ndefault_provider: here\n", address, filepath.Join(dir, "data"), filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")) + config
	return g
}

// configure writes the configuration, with pairs of texts and others for them.
func (g *gateway) configure(replace ...string) {
	g.t.Helper()
	replace = append(replace, "GATEWAY", g.URL)
	if err := os.WriteFile(g.file, []byte(strings.NewReplacer(replace...).Replace(g.template)), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

// Write takes the program's log.
func (g *gateway) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.log.Write(b)
}

func (g *gateway) says(text string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return strings.Contains(g.log.String(), text)
}

func (g *gateway) start() {
	g.t.Helper()
	g.process = exec.Command(program, "serve", "--config", g.file)
	g.process.Stderr = g
	g.process.Env = append(os.Environ(), "SUITE_CLIENT_SECRET=hush")
	out, err := g.process.StdoutPipe()
	if err != nil {
		g.t.Fatal(err)
	}
	if err := g.process.Start(); err != nil {
		g.t.Fatal(err)
	}
	line := make(chan string, 1)
	ended := make(chan error, 1)
	go func() {
		r := bufio.NewReader(out)
		s, _ := r.ReadString('\n') // "" when it ended before
		line <- s
		_, _ = io.Copy(io.Discard, r)
		ended <- g.process.Wait()
	}()
	g.t.Cleanup(func() {
		_ = g.process.Process.Signal(syscall.SIGTERM) // one that is gone has ended
		if err := <-ended; err != nil {
			g.t.Errorf("ringwall ended: %v: %s", err, g.log.String())
		}
	})
	select {
	case s := <-line:
		if !strings.HasPrefix(s, "ringwall serves ") {
			g.t.Fatalf("ringwall did not serve: %q: %s", s, g.log.String())
		}
	case <-time.After(30 * time.Second):
		g.t.Fatal("ringwall did not serve in time")
	}
}

// run runs another command of the program on this gateway's place.
func (g *gateway) run(args ...string) string {
	g.t.Helper()
	cmd := exec.Command(program, append(args, "--config", g.file)...)
	cmd.Env = append(os.Environ(), "SUITE_CLIENT_SECRET=hush")
	out, err := cmd.CombinedOutput()
	if err != nil {
		g.t.Fatalf("ringwall %v: %v: %s", args, err, out)
	}
	return string(out)
}

// ask asks the model, with pairs of header names and values.
func (g *gateway) ask(b *http.Client, header ...string) int {
	g.t.Helper()
	req, err := http.NewRequest(http.MethodPost, g.URL+"/v1/chat/completions", strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"What is the time?"}]}`))
	if err != nil {
		g.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := b.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// shows asks with a token.
func (g *gateway) shows(token string) int {
	return g.ask(browser(g.trusts), "Authorization", "Bearer "+token)
}

// until waits until done is true.
func until(t *testing.T, within time.Duration, what string, done func() bool) {
	t.Helper()
	end, again := time.After(within), time.NewTicker(50*time.Millisecond)
	defer again.Stop()
	for !done() {
		select {
		case <-again.C:
		case <-end:
			t.Fatalf("%s: it did not come in %v", what, within)
		}
	}
}
