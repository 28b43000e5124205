package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Pass sends a request on as it is, with the provider's key, and returns the
// beginning of an answer that is no error. Its path and query are below the base
// URL; its headers are sent as they are. It is sent once, for its body is not kept.
// While the body goes out, the time to wait for the answer has not begun; the
// answer may be silent for as long as a stream. The caller closes its body.
func (c *Client) Pass(r *http.Request) (*http.Response, error) {
	u, err := url.Parse(c.base.String() + r.URL.Path)
	if err != nil {
		return nil, fmt.Errorf("asking the provider: %w", err)
	}
	u.RawQuery = r.URL.RawQuery
	ctx, cancel := context.WithCancel(r.Context())
	first := time.AfterFunc(c.cfg.First, cancel)
	req := (&http.Request{
		Method: r.Method, URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.Header.Clone(), ContentLength: r.ContentLength,
	}).WithContext(ctx)
	if r.Body != nil {
		req.Body = &outgoing{r.Body, first, c.cfg.First}
	}
	req.Header.Set("User-Agent", "ringwall")
	for k, v := range c.cfg.Header {
		req.Header.Set(k, v)
	}
	if c.cfg.Sign != nil {
		if err := c.cfg.Sign(req, nil); err != nil {
			first.Stop()
			cancel()
			return nil, fmt.Errorf("asking the provider: %w", err)
		}
	}
	resp, err := c.rt.RoundTrip(req)
	if err == nil && !first.Stop() {
		resp.Body.Close()
		err = context.Canceled
	}
	if err != nil {
		first.Stop()
		cancel()
		return nil, broke(fmt.Errorf("asking the provider: %w", timedOut(r.Context(), err)))
	}
	s := c.stream(r.Context(), resp, cancel)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		defer s.Close() //nolint:errcheck // nothing was written
		return nil, c.refused(resp)
	}
	resp.Body = incoming{coming{s}}
	return resp, nil
}

// outgoing is a body on its way, which puts off the time to wait for the answer.
type outgoing struct {
	io.ReadCloser
	first *time.Timer
	wait  time.Duration
}

func (o *outgoing) Read(p []byte) (int, error) {
	o.first.Reset(o.wait)
	return o.ReadCloser.Read(p)
}

// incoming is an answer on its way, whose end is told from a time-out of ours.
type incoming struct{ coming }

func (i incoming) Read(p []byte) (int, error) {
	n, err := i.coming.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = i.Fault(err)
	}
	return n, err
}
