package server_test

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/server"
)

// shown returns the number of the certificate that the gateway shows to who asks for a
// name.
func (a *authority) shown(addr, name string) string {
	tr := a.browse(name, false).Transport.(*http.Transport)
	c, err := tls.Dial("tcp", addr, tr.TLSClientConfig)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Text(16)
}

func TestCertificatesAreReadAgain(t *testing.T) {
	u := newUpstream(t, says("hello", 3))
	a := newAuthority(t, "ours")
	cert, key := a.server("gateway", "gateway.test", "*.gateway.test")
	otherCert, otherKey := a.server("other", "other.test")
	more := ""
	h, write := behind(t, u, func() string {
		return fmt.Sprintf("tls: {cert: %s, key: %s, certificates: [{cert: %s, key: %s}%s]}\n", cert, key, otherCert, otherKey, more)
	})
	text, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: "k", Trust: ringwall.Customer})
	if err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimPrefix(h.url, "https://")
	before, other := a.shown(addr, "gateway.test"), a.shown(addr, "other.test")
	if before == other || len(before) > 16 || len(other) > 16 {
		t.Fatalf("shown are %s and %s", before, other)
	}
	if got := a.shown(addr, "a.gateway.test"); got != before {
		t.Errorf("for a name that a star stands for: %s", got)
	}
	if c, err := tls.Dial("tcp", addr, &tls.Config{MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true}); err == nil { //nolint:gosec // it must not even come so far
		c.Close()
		t.Error("TLS 1.2 is spoken")
	}

	stood := a.browse("gateway.test", true)
	if resp, body, _, err := h.asks(stood, text); err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, body, err)
	}
	a.server("gateway", "gateway.test")
	until(t, "the new certificate is shown", func() bool { s := a.shown(addr, "gateway.test"); return s != before && len(s) <= 16 })
	if resp, _, reused, err := h.asks(stood, text); err != nil || resp.StatusCode != 200 || !reused {
		t.Errorf("the connection that stood: %v, reused %v, %v", resp, reused, err)
	}
	if got := a.shown(addr, "other.test"); got != other {
		t.Errorf("the other certificate is %s", got)
	}

	// A pair that does not fit leaves the old one in force, and readiness says so.
	now := a.shown(addr, "gateway.test")
	if err := os.WriteFile(key, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	client := a.browse("gateway.test", false)
	ready := func() string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		b := make([]byte, 200)
		n, _ := resp.Body.Read(b)
		return string(b[:n])
	}
	until(t, "the broken pair is refused", func() bool { return strings.Contains(ready(), "refused") })
	if got := a.shown(addr, "gateway.test"); got != now {
		t.Errorf("shown is %s, it was %s", got, now)
	}
	a.server("gateway", "gateway.test")
	until(t, "the pair fits again", func() bool { return !strings.Contains(ready(), "refused") })

	// What is wrong with the rest of the configuration keeps no certificate from being
	// renewed.
	more = "], nonsense: ["
	write()
	until(t, "the file is refused", func() bool { return strings.Contains(ready(), "refused") })
	now = a.shown(addr, "gateway.test")
	a.server("gateway", "gateway.test")
	until(t, "the certificate is shown all the same", func() bool { s := a.shown(addr, "gateway.test"); return s != now && len(s) <= 16 })

	// A file that is named later is followed, too.
	thirdCert, thirdKey := newAuthority(t, "x").server("third", "third.test") // in another directory
	more = fmt.Sprintf(", {cert: %s, key: %s}", thirdCert, thirdKey)
	write()
	until(t, "the file is in order", func() bool { return !strings.Contains(ready(), "refused") })
}

func TestConnectionsAreBounded(t *testing.T) {
	u := newUpstream(t, says("hello", 3))
	a := newAuthority(t, "ours")
	cert, key := a.server("gateway", "gateway.test")
	h := stand(t, u, func(c *config.Config) {
		c.TLS.Cert, c.TLS.Key = cert, key
		c.HTTP.Streams, c.HTTP.Frame, c.HTTP.Header = 7, 32<<10, 4<<10
	})
	tr := a.browse("gateway.test", true).Transport.(*http.Transport)
	cfg := tr.TLSClientConfig.Clone()
	cfg.NextProtos = []string{"h2"}
	conn, err := tls.Dial("tcp", strings.TrimPrefix(h.url, "https://"), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// The preface and an empty frame of settings (RFC 9113 §3.4); the gateway's own come first.
	if _, err := conn.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 9)
	if _, err := io.ReadFull(conn, head); err != nil || head[3] != 4 {
		t.Fatalf("% x, %v", head, err)
	}
	body := make([]byte, int(head[1])<<8|int(head[2]))
	if _, err := io.ReadFull(conn, body); err != nil {
		t.Fatal(err)
	}
	said := map[uint16]uint32{}
	for ; len(body) >= 6; body = body[6:] {
		said[binary.BigEndian.Uint16(body)] = binary.BigEndian.Uint32(body[2:])
	}
	if said[3] != 7 || said[5] != 32<<10 { // MAX_CONCURRENT_STREAMS, MAX_FRAME_SIZE
		t.Errorf("the gateway says %v", said)
	}
	for _, h2 := range []bool{false, true} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Long", strings.Repeat("a", 20<<10))
		resp, err := a.browse("gateway.test", h2).Do(r)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("HTTP/2 %v: a long head is answered by %d", h2, resp.StatusCode)
			}
		}
	}
}

func TestTLSThatCannotBeServed(t *testing.T) {
	u := newUpstream(t, says("hello", 3))
	a := newAuthority(t, "ours")
	cert, key := a.server("gateway", "gateway.test")
	_, other := a.server("other", "gateway.test")
	for name, tt := range map[string]struct {
		tls  config.TLS
		want string
	}{
		"no certificate":             {config.TLS{Cert: cert + "x", Key: key}, "reading the certificate: open"},
		"no key":                     {config.TLS{Cert: cert, Key: key + "x"}, "reading the certificate's key: open"},
		"a key of another":           {config.TLS{Cert: cert, Key: other}, "private key does not match"},
		"no CA of clients":           {config.TLS{Cert: cert, Key: key, Clients: config.Clients{Mode: "required", CA: cert + "x"}}, "certificates of clients are taken: open"},
		"a CA of clients that is no": {config.TLS{Cert: cert, Key: key, Clients: config.Clients{Mode: "required", CA: cert}}, "is no CA"},
		"no list":                    {config.TLS{Cert: cert, Key: key, Clients: config.Clients{Mode: "required", CA: a.file(), CRL: []string{cert + "x"}}}, "certificates of clients are taken: open"},
		"no CA of the directory":     {config.TLS{ACME: config.ACME{Domains: []string{"a.example"}, CA: key}}, "holds no certificate in PEM"},
	} {
		c := config.Default()
		c.Listen, c.Data, c.Anonymous, c.Default, c.TLS = "127.0.0.1:0", t.TempDir(), true, "u", tt.tls
		c.Providers = map[string]config.Provider{"u": config.Upstream(u.URL+"/v1", false)}
		if _, err := server.New(t.Context(), server.Options{Config: c}); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "PRIVATE KEY") {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
