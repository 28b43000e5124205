// Package provider asks models over HTTP. What all providers share is here:
// connections that are kept, time-outs, bounded retries before anything of an
// answer has come, and errors whose words are for the operator while the client
// reads ours. The packages below speak with one kind of provider each.
package provider

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
)

// Config configures a Client. Zero fields mean the defaults.
type Config struct {
	BaseURL string // "https://api.openai.com/v1"; required
	// Sign adds to a request what proves who asks. It is called for each try.
	Sign   func(r *http.Request, body []byte) error
	Header map[string]string // sent with each request
	// Code finds in the body of an error a code that is for the client, "" for none.
	Code func(body jsonedit.Value) string

	Connect time.Duration // to establish a connection; default 10s
	First   time.Duration // until the answer begins; default 120s
	Idle    time.Duration // between two pieces of a stream; default 60s
	Retries int           // after failures before the first byte; default 2, -1: none
	Answer  int64         // bytes of an answer; default 32 MiB
	Conns   int           // kept idle; default 256

	// Transport asks; default: connections of the Client's own.
	Transport http.RoundTripper
}

// Client asks one provider. It is safe for concurrent use.
type Client struct {
	cfg    Config
	base   *url.URL
	rt     http.RoundTripper
	budget Budget
}

// Request is what a Client asks.
type Request struct {
	Method string            // default POST
	Path   string            // escaped, below the base URL, with its query: "/chat/completions"
	Header map[string]string // beside those of the Config
	Body   []byte            // JSON
}

// New returns a Client.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.User != nil || base.RawQuery != "" {
		return nil, fmt.Errorf("base URL %q: want http(s)://host[:port]/path without user and query", redacted(cfg.BaseURL))
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	set := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	set(&cfg.Connect, 10*time.Second)
	set(&cfg.First, 120*time.Second)
	set(&cfg.Idle, 60*time.Second)
	if cfg.Retries == 0 {
		cfg.Retries = 2
	}
	if cfg.Answer <= 0 {
		cfg.Answer = 32 << 20
	}
	if cfg.Conns <= 0 {
		cfg.Conns = 256
	}
	if cfg.Transport != nil {
		return &Client{cfg: cfg, base: base, rt: cfg.Transport}, nil
	}
	dialer := &net.Dialer{Timeout: cfg.Connect, KeepAlive: 30 * time.Second}
	return &Client{cfg: cfg, base: base, rt: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: cfg.Connect,
		MaxIdleConns:        cfg.Conns,
		MaxIdleConnsPerHost: cfg.Conns,
		IdleConnTimeout:     90 * time.Second,
		ForceAttemptHTTP2:   true,
		DisableCompression:  true,
		WriteBufferSize:     16 << 10,
		ReadBufferSize:      16 << 10,
	}}, nil
}

func redacted(raw string) string {
	if u, err := url.Parse(raw); err == nil {
		return u.Redacted()
	}
	return "…"
}

// Close closes idle connections.
func (c *Client) Close() {
	if t, ok := c.rt.(*http.Transport); ok && c.cfg.Transport == nil {
		t.CloseIdleConnections()
	}
}

// Whole returns the whole answer to a request, which is JSON and no error.
func (c *Client) Whole(ctx context.Context, r Request) ([]byte, error) {
	resp, cancel, err := c.ask(ctx, r) //nolint:bodyclose // the Stream closes it
	if err != nil {
		return nil, err
	}
	s := c.stream(ctx, resp, cancel)
	defer s.Close() //nolint:errcheck // nothing was written
	hint := resp.ContentLength
	if hint < 0 || hint > 1<<20 {
		hint = 4096
	}
	buf := bytes.NewBuffer(make([]byte, 0, hint+bytes.MinRead))
	if _, err := buf.ReadFrom(io.LimitReader(held{coming{s}, ringwall.HoldOf(ctx)}, c.cfg.Answer+1)); err != nil {
		var r *ringwall.Refusal
		if errors.As(err, &r) {
			return nil, err // of ours: there is no room for it
		}
		return nil, broke(fmt.Errorf("reading the model's answer: %w", timedOut(ctx, err)))
	}
	if int64(buf.Len()) > c.cfg.Answer {
		return nil, unreadable(fmt.Errorf("reading the model's answer: it is longer than %d bytes", c.cfg.Answer))
	}
	if err := c.whole(buf.Bytes(), resp.Header); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// Events yields the events of a streamed answer of server-sent events, up to the
// one that last says is the last, which is yielded when keep says so. A stream that
// ends without it ends with an error. Data is valid until the next event.
func (c *Client) Events(ctx context.Context, r Request, last func(sse.Event) (is, keep bool)) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		stream, err := c.Open(ctx, r, "text/event-stream")
		if err != nil {
			yield(sse.Event{}, err)
			return
		}
		defer stream.Close() //nolint:errcheck // nothing was written
		first := true
		for ev, err := range sse.Events(stream) {
			if err == nil && first {
				first = false
				err = c.errorIn(ev.Data)
			}
			if err != nil {
				yield(sse.Event{}, stream.Fault(err))
				return
			}
			is, keep := last(ev)
			if is && !keep {
				return
			}
			if !ev.More {
				stream.Came()
			}
			if !yield(ev, nil) || is {
				return
			}
		}
		yield(sse.Event{}, stream.Fault(fmt.Errorf("it ends before it is done: %w", io.ErrUnexpectedEOF)))
	}
}

// ask sends the request, again if need be, and returns the beginning of an
// answer. Cancel frees it.
func (c *Client) ask(ctx context.Context, r Request) (*http.Response, context.CancelFunc, error) {
	c.budget.Asked()
	for try := 0; ; try++ {
		resp, cancel, err := c.once(ctx, r)
		if err == nil {
			return resp, cancel, nil
		}
		var f *Failure
		again := errors.As(err, &f) && f.again && ctx.Err() == nil
		if !again || try >= c.cfg.Retries || once(ctx) {
			return nil, nil, err
		}
		wait := max(f.After, time.Duration(50<<try)*time.Millisecond+rand.N(50*time.Millisecond)) //nolint:gosec // only spreads the tries
		if end, ok := ctx.Deadline(); wait > longestWait || ok && time.Until(end) < wait || !c.budget.Take() {
			return nil, nil, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, err
		case <-time.After(wait):
		}
	}
}

func (c *Client) once(ctx context.Context, r Request) (*http.Response, context.CancelFunc, error) {
	u, err := url.Parse(c.base.String() + r.Path)
	if err != nil {
		return nil, nil, fmt.Errorf("asking the model: %w", err)
	}
	asked, cancel := context.WithCancel(ctx)
	req := (&http.Request{
		Method: cmp.Or(r.Method, http.MethodPost), URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Accept": {"application/json, text/event-stream"}, "User-Agent": {"ringwall"}},
	}).WithContext(asked)
	if r.Body != nil {
		req.Body = io.NopCloser(bytes.NewReader(r.Body))
		req.ContentLength = int64(len(r.Body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.Body)), nil }
		req.Header["Content-Type"] = []string{"application/json"}
	}
	for k, v := range c.cfg.Header {
		req.Header.Set(k, v)
	}
	for k, v := range r.Header {
		req.Header.Set(k, v)
	}
	if c.cfg.Sign != nil {
		if err := c.cfg.Sign(req, r.Body); err != nil {
			cancel()
			return nil, nil, fmt.Errorf("asking the model: %w", err)
		}
	}
	first := time.AfterFunc(c.cfg.First, cancel)
	resp, err := c.rt.RoundTrip(req)
	if err == nil && !first.Stop() {
		resp.Body.Close()
		err = context.Canceled
	}
	if err != nil {
		first.Stop()
		cancel()
		err = timedOut(ctx, err)
		f := &Failure{Reason: Unreachable, again: true, Err: fmt.Errorf("asking the model: %w", err)}
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			f.Reason, f.again = TimedOut, false
		case ctx.Err() != nil:
			f.Reason = Gone
		}
		return nil, nil, f
	}
	if resp.StatusCode != http.StatusOK {
		err := c.refused(resp)
		resp.Body.Close()
		cancel()
		return nil, nil, err
	}
	if enc := resp.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		resp.Body.Close()
		cancel()
		return nil, nil, unreadable(fmt.Errorf("reading the model's answer: it is compressed by %.40q, which nobody asked for", enc))
	}
	return resp, cancel, nil
}

// statusOverloaded is how some providers say that it is not the caller who asks
// too much.
const statusOverloaded = 529

// refused turns an answer with an error status into the error that the client may
// read.
func (c *Client) refused(resp *http.Response) error {
	head, _ := io.ReadAll(io.LimitReader(resp.Body, 16<<10)) // what can be read tells enough
	var doc jsonedit.Doc
	var body jsonedit.Value
	if doc.Parse(head, jsonedit.Limits{AllowNUL: true}) == nil {
		body = doc.Root()
	}
	return c.refusal(resp.StatusCode, resp.Header, body)
}

// told returns what in the body of an error is for the client, "" for nothing.
func (c *Client) told(body jsonedit.Value) string {
	if c.cfg.Code == nil || !body.Exists() {
		return ""
	}
	return c.cfg.Code(body)
}

// refusal is the failure that an error of the provider is. The provider's text is
// not passed on.
func (c *Client) refusal(status int, h http.Header, body jsonedit.Value) error {
	code := c.told(body)
	r := &ringwall.Refusal{Status: http.StatusBadGateway, Code: "upstream_error", Public: "The model could not be asked."}
	r.Err = fmt.Errorf("asking the model: it answers with status %d %s", status, code)
	f := &Failure{Reason: Unavailable, After: retryAfter(h), Err: r}
	switch s := status; {
	case s == http.StatusTooManyRequests:
		r.Status, r.Code, r.Public, r.After = s, "upstream_rate_limit", "The model is asked too often. Try again soon.", f.After
		f.Reason, f.again = RateLimited, f.After > 0
	case s == http.StatusBadRequest || s == http.StatusNotFound || s == http.StatusUnprocessableEntity || s == http.StatusRequestEntityTooLarge:
		r.Status, r.Code, r.Public = http.StatusBadRequest, "upstream_invalid_request", "The model does not accept this request."
		if code != "" {
			r.Code = code
		}
		f.Reason = Rejected
		if s == http.StatusNotFound {
			f.Reason = NoModel
		}
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		f.Reason = Denied
	case s == http.StatusRequestTimeout:
		f.Reason = TimedOut
	case s >= 400 && s < 500:
		f.Reason = Rejected
	case s == statusOverloaded:
		r.Status, r.Code, r.Public = http.StatusServiceUnavailable, "upstream_overloaded", "The model is overloaded. Try again soon."
		f.again = true
	case s == http.StatusBadGateway || s == http.StatusServiceUnavailable || s == http.StatusGatewayTimeout:
		f.again = true
	case s < 400:
		f.Reason = Unreadable
	}
	return f
}

// Bearer signs requests with a key, as OAuth 2.0 does (RFC 6750 §2.1).
func Bearer(key func() (string, error)) func(*http.Request, []byte) error {
	return KeyHeader("Authorization", "Bearer ", key)
}

// KeyHeader signs requests with a key in a header, behind a prefix.
func KeyHeader(name, prefix string, key func() (string, error)) func(*http.Request, []byte) error {
	return func(r *http.Request, _ []byte) error {
		k, err := key()
		if err != nil {
			return fmt.Errorf("reading the provider's key: %w", err)
		}
		r.Header.Set(name, prefix+k)
		return nil
	}
}
