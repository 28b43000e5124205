// Package openai asks models behind OpenAI's API: OpenAI itself, and whatever
// speaks as it does (vLLM, Ollama, Bedrock's OpenAI endpoint).
//
// Connections are kept and used again. A request is tried again only when
// nothing of an answer has come, a bounded number of times. What a provider says
// about an error is for the operator; the client reads our own words.
package openai

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/internal/sse"
)

// Config configures a Provider. Zero fields mean the defaults.
type Config struct {
	BaseURL string                 // "https://api.openai.com/v1"; required
	Key     func() (string, error) // the provider's API key; nil: none is sent
	Header  map[string]string      // sent with each request

	Connect time.Duration // to establish a connection; default 10s
	First   time.Duration // until the answer begins; default 120s
	Idle    time.Duration // between two pieces of a stream; default 60s
	Retries int           // after failures before the first byte; default 2, -1: none
	Answer  int64         // bytes of an answer; default 32 MiB
	Conns   int           // kept idle; default 256
}

// Provider asks models. It is safe for concurrent use.
type Provider struct {
	cfg  Config
	base *url.URL
	rt   *http.Transport
}

// New returns a Provider.
func New(cfg Config) (*Provider, error) {
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
	dialer := &net.Dialer{Timeout: cfg.Connect, KeepAlive: 30 * time.Second}
	return &Provider{cfg: cfg, base: base, rt: &http.Transport{
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
func (p *Provider) Close() { p.rt.CloseIdleConnections() }

// paths are where the APIs stand below the base URL, by the name of the dialect.
var paths = map[string]string{"openai": "/chat/completions"}

// APIs implements gateway.Provider.
func (p *Provider) APIs() []string { return []string{"openai"} }

// Complete implements gateway.Provider.
func (p *Provider) Complete(ctx context.Context, call ringwall.Call) ([]byte, error) {
	resp, cancel, err := p.ask(ctx, call)
	if err != nil {
		return nil, err
	}
	defer cancel()
	defer resp.Body.Close()
	hint := resp.ContentLength
	if hint < 0 || hint > 1<<20 {
		hint = 4096
	}
	buf := bytes.NewBuffer(make([]byte, 0, hint+bytes.MinRead))
	if _, err := buf.ReadFrom(io.LimitReader(resp.Body, p.cfg.Answer+1)); err != nil {
		return nil, fmt.Errorf("reading the model's answer: %w", timedOut(ctx, err))
	}
	if int64(buf.Len()) > p.cfg.Answer {
		return nil, fmt.Errorf("reading the model's answer: it is longer than %d bytes", p.cfg.Answer)
	}
	return buf.Bytes(), nil
}

// Events implements gateway.Provider.
func (p *Provider) Events(ctx context.Context, call ringwall.Call) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		resp, cancel, err := p.ask(ctx, call)
		if err != nil {
			yield(sse.Event{}, err)
			return
		}
		defer cancel()
		defer resp.Body.Close()
		if ct := resp.Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/event-stream") {
			yield(sse.Event{}, fmt.Errorf("reading the model's stream: it is %q, not a stream of events", ct))
			return
		}
		idle := time.AfterFunc(p.cfg.Idle, cancel)
		defer idle.Stop()
		for ev, err := range sse.Events(resp.Body) {
			if err != nil {
				yield(sse.Event{}, fmt.Errorf("reading the model's stream: %w", timedOut(ctx, err)))
				return
			}
			if string(ev.Data) == "[DONE]" {
				return
			}
			if !ev.More {
				idle.Reset(p.cfg.Idle)
			}
			if !yield(ev, nil) {
				return
			}
		}
		yield(sse.Event{}, fmt.Errorf("reading the model's stream: it ends before it is done: %w", io.ErrUnexpectedEOF))
	}
}

// timedOut tells our own time-outs from the end of the caller's context.
func timedOut(ctx context.Context, err error) error {
	if ctx.Err() == nil && errors.Is(err, context.Canceled) {
		return fmt.Errorf("nothing came for too long: %w", context.DeadlineExceeded)
	}
	return err
}

// ask sends the request, again if need be, and returns the beginning of an
// answer. Cancel frees it.
func (p *Provider) ask(ctx context.Context, call ringwall.Call) (*http.Response, context.CancelFunc, error) {
	for try := 0; ; try++ {
		resp, cancel, err := p.once(ctx, http.MethodPost, paths[call.API], call.Body)
		if err == nil {
			return resp, cancel, nil
		}
		var f *failure
		again := errors.As(err, &f) && f.again && ctx.Err() == nil
		if !again || try >= p.cfg.Retries {
			return nil, nil, err
		}
		wait := time.Duration(50<<try)*time.Millisecond + rand.N(50*time.Millisecond) //nolint:gosec // only spreads the tries
		select {
		case <-ctx.Done():
			return nil, nil, err
		case <-time.After(wait):
		}
	}
}

func (p *Provider) once(ctx context.Context, method, path string, body []byte) (*http.Response, context.CancelFunc, error) {
	asked, cancel := context.WithCancel(ctx)
	u := *p.base
	u.Path += path
	req := (&http.Request{
		Method: method, URL: &u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Accept": {"application/json, text/event-stream"}, "User-Agent": {"ringwall"}},
	}).WithContext(asked)
	if body != nil {
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.ContentLength = int64(len(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		req.Header["Content-Type"] = []string{"application/json"}
	}
	for k, v := range p.cfg.Header {
		req.Header.Set(k, v)
	}
	if p.cfg.Key != nil {
		key, err := p.cfg.Key()
		if err != nil {
			cancel()
			return nil, nil, fmt.Errorf("asking the model: reading the provider's key: %w", err)
		}
		req.Header["Authorization"] = []string{"Bearer " + key}
	}
	first := time.AfterFunc(p.cfg.First, cancel)
	resp, err := p.rt.RoundTrip(req)
	if err == nil && !first.Stop() {
		resp.Body.Close()
		err = context.Canceled
	}
	if err != nil {
		first.Stop()
		cancel()
		err = timedOut(ctx, err)
		return nil, nil, &failure{again: !errors.Is(err, context.DeadlineExceeded), err: fmt.Errorf("asking the model: %w", err)}
	}
	if resp.StatusCode != http.StatusOK {
		err := refused(resp)
		resp.Body.Close()
		cancel()
		return nil, nil, err
	}
	return resp, cancel, nil
}

// failure is an error before the first byte of an answer.
type failure struct {
	again bool // trying again may help
	err   error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// told are the codes of OpenAI's errors that say what is wrong with the request,
// and so are for the client.
var told = []string{
	"context_length_exceeded", "model_not_found", "invalid_value", "unsupported_value", "unsupported_parameter",
	"string_above_max_length", "invalid_image", "content_policy_violation",
}

// refused turns an answer with an error status into the error that the client may
// read. The provider's text is not passed on.
func refused(resp *http.Response) error {
	head, _ := io.ReadAll(io.LimitReader(resp.Body, 16<<10)) // what can be read tells enough
	var doc jsonedit.Doc
	code := ""
	if doc.Parse(head, jsonedit.Limits{AllowNUL: true}) == nil {
		code = doc.Root().Get("error").Get("code").Text()
	}
	if !slices.Contains(told, code) {
		code = ""
	}
	r := &ringwall.Refusal{Status: http.StatusBadGateway, Code: "upstream_error", Public: "The model could not be asked."}
	r.Err = fmt.Errorf("asking the model: it answers with status %d %s", resp.StatusCode, code)
	again := false
	switch s := resp.StatusCode; {
	case s == http.StatusTooManyRequests:
		r.Status, r.Code, r.Public = s, "upstream_rate_limit", "The model is asked too often. Try again soon."
	case s == http.StatusBadRequest || s == http.StatusNotFound || s == http.StatusUnprocessableEntity || s == http.StatusRequestEntityTooLarge:
		r.Status, r.Code, r.Public = http.StatusBadRequest, "upstream_invalid_request", "The model does not accept this request."
		if code != "" {
			r.Code = code
		}
	case s == http.StatusBadGateway || s == http.StatusServiceUnavailable || s == http.StatusGatewayTimeout:
		again = true
	}
	return &failure{again: again, err: r}
}

// Models implements gateway.Provider.
func (p *Provider) Models(ctx context.Context) ([]string, error) {
	resp, cancel, err := p.once(ctx, http.MethodGet, "/models", nil)
	if err != nil {
		return nil, err
	}
	defer cancel()
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return nil, fmt.Errorf("reading the list of models: %w", err)
	}
	var doc jsonedit.Doc
	if err := doc.Parse(body, jsonedit.Limits{AllowNUL: true}); err != nil {
		return nil, fmt.Errorf("reading the list of models: %w", err)
	}
	var names []string
	for _, m := range doc.Root().Get("data").Elems() {
		names = append(names, m.Get("id").Text())
	}
	return names, nil
}
