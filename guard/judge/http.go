package judge

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// client speaks HTTP with one judge. Certificates are verified, redirects are
// answers like any other that is not 200, and answers have a bound.
type client struct {
	http *http.Client
	key  func() (string, error)
	most int64
}

func newClient(cfg *Config) (*client, error) {
	rt, err := transport(cfg)
	if err != nil {
		return nil, err
	}
	return &client{
		http: &http.Client{Transport: rt, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		key:  cfg.Key, most: cfg.Answer,
	}, nil
}

// transport returns the connections to a judge.
func transport(cfg *Config) (*http.Transport, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.CAFile != "" {
		pem, err := os.ReadFile(cfg.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading the certificates to trust: %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading the certificates to trust: there is none in %s", cfg.CAFile)
		}
		conf.RootCAs = pool
	}
	dial := cfg.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: cfg.Timeout, KeepAlive: 30 * time.Second}).DialContext
	}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dial, TLSClientConfig: conf, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: cfg.Timeout, MaxIdleConns: cfg.AtOnce, MaxIdleConnsPerHost: cfg.AtOnce, IdleConnTimeout: 90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10, DisableCompression: true,
	}, nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

// post sends body to url and returns the body of the answer, of which it makes
// sure that it is JSON that can be meant in one way only.
func (c *client) post(ctx context.Context, url string, body any, header func(h http.Header, sent []byte, key string)) ([]byte, error) {
	sent, err := json.Marshal(body)
	if err != nil {
		return nil, unreadable("writing the question: %T", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(sent))
	if err != nil {
		return nil, &Error{Unreachable, errors.New("the URL is none")}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "ringwall")
	key := ""
	if c.key != nil {
		if key, err = c.key(); err != nil {
			return nil, &Error{Unreachable, fmt.Errorf("reading its key: %w", err)}
		}
	}
	if header != nil {
		header(req.Header, sent, key)
	} else if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, &Error{Unreachable, bare(err)}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection serves again
		return nil, &Error{Refused, &refusal{resp.StatusCode, retryAfter(resp.Header.Get("Retry-After"))}}
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, c.most+1))
	if err != nil {
		return nil, &Error{Unreachable, bare(err)}
	}
	if int64(len(answer)) > c.most {
		return nil, unreadable("the answer has more than %d bytes", c.most)
	}
	if err := new(jsonedit.Doc).Parse(answer, jsonedit.Limits{Bytes: int(c.most), AllowNUL: true}); err != nil {
		return nil, unreadable("the answer is no JSON, or says a thing twice")
	}
	return answer, nil
}

// into reads an answer that is JSON. The error does not repeat it.
func into(answer []byte, v any) error {
	if err := json.Unmarshal(answer, v); err != nil {
		return unreadable("a member of the answer has another type than it ought to")
	}
	return nil
}

func retryAfter(v string) time.Duration {
	if n, err := strconv.Atoi(v); err == nil && n > 0 {
		return time.Duration(min(n, 3600)) * time.Second
	}
	return 0
}
