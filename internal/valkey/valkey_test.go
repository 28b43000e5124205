package valkey_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringwall/ringwall/internal/valkey"
	"github.com/ringwall/ringwall/internal/valkeytest"
)

func open(t testing.TB, cfg valkey.Config) *valkey.Client {
	t.Helper()
	c, err := valkey.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestCalls(t *testing.T) {
	for name, o := range map[string]valkeytest.Options{
		"single":      {},
		"a cluster":   {Cluster: true},
		"a password":  {Password: "swordfish"},
		"what it has": {Keep: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := valkeytest.Start(t, o)
			c := open(t, valkey.Config{Addresses: []string{s.Addr()}, Password: o.Password, Cluster: o.Cluster, Timeout: 5 * time.Second})
			if _, err := c.Do(t.Context(), "GET", []string{"{a}x"}); !valkey.IsNil(err) {
				t.Errorf("nothing there: %v", err)
			}
			if _, err := c.Do(t.Context(), "SET", []string{"{a}x"}, "1"); err != nil {
				t.Fatal(err)
			}
			script := valkey.NewScript(`return redis.call("GET", KEYS[1]) .. redis.call("INCRBY", KEYS[2], ARGV[1])`)
			for i, want := range []string{"17", "114"} {
				m, err := c.Run(t.Context(), script, []string{"{a}x", "{a}y"}, []string{"7"})
				if err != nil {
					t.Fatal(err)
				}
				if got, err := m.ToString(); err != nil || got != want {
					t.Errorf("run %d: %q, %v", i, got, err)
				}
			}
			if _, err := c.Do(t.Context(), "INCRBY", []string{"{a}x"}, "one"); err == nil || errors.Is(err, valkey.ErrAway) {
				t.Errorf("a bad command: %v", err)
			}
			gone, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := c.Do(gone, "GET", []string{"{a}x"}); !errors.Is(err, context.Canceled) || errors.Is(err, valkey.ErrAway) {
				t.Errorf("nobody waits: %v", err)
			}
		})
	}
}

func TestServerComesBack(t *testing.T) {
	s := valkeytest.Start(t, valkeytest.Options{Keep: true})
	c := open(t, valkey.Config{Addresses: []string{s.Addr()}, Timeout: time.Second})
	if _, err := c.Do(t.Context(), "SET", []string{"x"}, "1"); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.Do(t.Context(), "GET", []string{"x"}); !errors.Is(err, valkey.ErrAway) {
				t.Errorf("from a server that is away: %v", err)
			}
		})
	}
	wg.Wait()
	s.Start()
	back(t, c)
	m, err := c.Do(t.Context(), "GET", []string{"x"})
	if got, _ := m.ToString(); err != nil || got != "1" {
		t.Errorf("after it came back: %q, %v", got, err)
	}
}

func TestServerThatIsNotThereYet(t *testing.T) {
	s := valkeytest.Start(t, valkeytest.Options{})
	s.Stop()
	c := open(t, valkey.Config{Addresses: []string{s.Addr()}, Timeout: time.Second})
	if _, err := c.Do(t.Context(), "PING", nil); !errors.Is(err, valkey.ErrAway) {
		t.Fatalf("before it is there: %v", err)
	}
	s.Start()
	back(t, c)
}

// back waits until the server answers.
func back(t *testing.T, c *valkey.Client) {
	t.Helper()
	late := time.After(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := c.Do(t.Context(), "PING", nil)
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatal(err)
		}
	}
}

func TestWrongPassword(t *testing.T) {
	s := valkeytest.Start(t, valkeytest.Options{Password: "swordfish"})
	c := open(t, valkey.Config{Addresses: []string{s.Addr()}, Password: "guess-42", Timeout: time.Second})
	_, err := c.Do(t.Context(), "PING", nil)
	if err == nil || strings.Contains(err.Error(), "guess-42") {
		t.Errorf("a wrong password: %v", err)
	}
}

// A server that takes connections and says nothing must cost no more than the limit.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := open(t, valkey.Config{Addresses: []string{l.Addr().String()}, Timeout: 50 * time.Millisecond})
	start := time.Now()
	if _, err := c.Do(t.Context(), "PING", nil); !errors.Is(err, valkey.ErrAway) {
		t.Errorf("from a silent server: %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	pool := certificate(t, dir)
	s := valkeytest.Start(t, valkeytest.Options{})
	s.Stop()
	_, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	tlsServer := valkeytest.Start(t, valkeytest.Options{Args: []string{
		"--tls-port", port, "--tls-cert-file", filepath.Join(dir, "cert.pem"), "--tls-key-file", filepath.Join(dir, "key.pem"),
		"--tls-auth-clients", "no", "--tls-ca-cert-file", filepath.Join(dir, "cert.pem"),
	}})
	defer tlsServer.Stop()
	c := open(t, valkey.Config{Addresses: []string{s.Addr()}, TLS: &tls.Config{RootCAs: pool, ServerName: "valkey.test"}, Timeout: 5 * time.Second})
	back(t, c)
	stranger := open(t, valkey.Config{Addresses: []string{s.Addr()}, TLS: &tls.Config{ServerName: "valkey.test"}, Timeout: time.Second})
	if _, err := stranger.Do(t.Context(), "PING", nil); !errors.Is(err, valkey.ErrAway) {
		t.Errorf("a certificate of nobody known: %v", err)
	}
}

// certificate writes a certificate of valkey.test and its key.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"valkey.test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return pool
}

func TestConfig(t *testing.T) {
	for name, test := range map[string]struct {
		cfg   valkey.Config
		fault string
	}{
		"no address":                 {valkey.Config{}, "no address"},
		"an address without a port":  {valkey.Config{Addresses: []string{"cache"}}, "is not host:port"},
		"two that are no cluster":    {valkey.Config{Addresses: []string{"a:1", "b:1"}}, "set cluster: true"},
		"a time limit below nothing": {valkey.Config{Addresses: []string{"a:1"}, Timeout: -1}, "time limit"},
	} {
		if _, err := valkey.Open(test.cfg); err == nil || !strings.Contains(err.Error(), test.fault) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := open(t, valkey.Config{Addresses: []string{"127.0.0.1:1"}})
	c.Close()
	if _, err := c.Do(t.Context(), "PING", nil); !errors.Is(err, valkey.ErrAway) {
		t.Errorf("after Close: %v", err)
	}
}
