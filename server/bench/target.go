package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/server"
)

// Target says what RunTarget is.
type Target struct {
	Kind     Kind
	Upstream string   // URL of the stub; not of the stub itself
	Data     string   // directory of Ringwall's keys and records
	Profile  string   // file for a CPU profile
	Dialects []string // for which Ringwall has providers, beside OpenAI's

	In  io.Reader // what the parent says
	Out io.Writer // what it reads
}

// RunTarget serves a target on 127.0.0.1 until In ends.
func RunTarget(ctx context.Context, t Target) error {
	if t.Profile != "" {
		f, err := os.Create(t.Profile)
		if err != nil {
			return fmt.Errorf("bench: making the profile: %w", err)
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return fmt.Errorf("bench: making the profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var addr string
	var serve func() error
	var err error
	switch t.Kind {
	case Stub:
		addr, serve, err = serveStub(ctx)
	case Proxy:
		addr, serve, err = serveProxy(ctx, t.Upstream)
	case Ringwall:
		addr, serve, err = serveRingwall(ctx, t)
	default:
		err = fmt.Errorf("target %q: want %v", t.Kind, kinds)
	}
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	served := make(chan error, 1)
	go func() { served <- serve() }()
	if err := ready(ctx, addr, t.Kind); err != nil {
		stop()
		return errors.Join(err, <-served)
	}
	fmt.Fprintf(t.Out, "ready http://%s\n", addr)
	for sc := bufio.NewScanner(t.In); sc.Scan(); {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if err := json.NewEncoder(t.Out).Encode(usage{Mallocs: m.Mallocs, Bytes: m.TotalAlloc}); err != nil {
			break
		}
	}
	stop()
	return <-served
}

// ready returns once the target serves.
func ready(ctx context.Context, addr string, k Kind) error {
	if k != Ringwall {
		return nil // it listens
	}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				http.DefaultClient.CloseIdleConnections()
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// serveProxy is what one would write who only wants to pass requests on.
func serveProxy(ctx context.Context, upstream string) (string, func() error, error) {
	u, err := url.Parse(upstream)
	if err != nil {
		return "", nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(u) },
		Transport: &http.Transport{MaxIdleConns: 1024, MaxIdleConnsPerHost: 1024, DisableCompression: true},
	}
	s := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Else the server closes the request's body once the answer begins, while
		// the transport still looks for its end, and cuts the answer: the stub
		// answers faster than a model ever would.
		http.NewResponseController(w).EnableFullDuplex() //nolint:errcheck // HTTP/1 has it
		proxy.ServeHTTP(w, r)
	})}
	return l.Addr().String(), func() error {
		defer context.AfterFunc(ctx, func() { s.Close() })()
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}, nil
}

// prepare makes an API key in the data directory dir.
func prepare(ctx context.Context, dir string) (key string, err error) {
	c := config.Default()
	c.Data = dir
	keys, db, err := server.OpenKeys(ctx, c, nil)
	if err != nil {
		return "", err
	}
	key, _, err = keys.Create(ctx, auth.Spec{Name: "bench", Trust: ringwall.Staff, TTL: 24 * time.Hour})
	return key, errors.Join(err, db.Close())
}

// serveRingwall is Ringwall as an empty configuration has it.
func serveRingwall(ctx context.Context, t Target) (string, func() error, error) {
	c := config.Default()
	c.Listen, c.Data, c.Default = "127.0.0.1:0", t.Data, "upstream"
	c.Providers = map[string]config.Provider{"upstream": config.Upstream(t.Upstream+"/v1", false)}
	if len(t.Dialects) > 0 {
		ps, models := providers(t.Upstream, t.Dialects)
		maps.Copy(c.Providers, ps)
		c.Models = models
	}
	if err := c.Check(); err != nil {
		return "", nil, err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	s, err := server.New(ctx, server.Options{Config: c, Log: log})
	if err != nil {
		return "", nil, err
	}
	u, err := url.Parse(s.URL())
	if err != nil {
		return "", nil, err
	}
	return u.Host, func() error { return s.Run(ctx) }, nil
}

// serveStub answers every request with the same words. It is no net/http server:
// what it costs is taken from what is left for the targets.
func serveStub(ctx context.Context) (string, func() error, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s := newStub()
	return l.Addr().String(), func() error {
		defer context.AfterFunc(ctx, func() { l.Close() })()
		for {
			c, err := l.Accept()
			if err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
			go s.serve(c) // ends with its connection, at the latest with the process
		}
	}, nil
}

// stub holds the answers of each dialect.
type stub []answers

// answers are those of one dialect as they go over the wire.
type answers struct {
	prefix      []byte // of paths
	whole, head []byte
	chunks      [][]byte
}

func newStub() (s stub) {
	for _, d := range dialects {
		a := answers{prefix: []byte(d.prefix)}
		body := d.whole()
		a.whole = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		a.head = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n", d.media)
		for _, f := range d.frames() {
			a.chunks = append(a.chunks, fmt.Appendf(nil, "%x\r\n%s\r\n", len(f), f))
		}
		a.chunks = append(a.chunks, []byte("0\r\n\r\n"))
		s = append(s, a)
	}
	return s
}

func (s stub) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReaderSize(c, 32<<10)
	for {
		at, stream, length, err := s.head(r)
		if err != nil || length > r.Size() {
			return
		}
		body, err := r.Peek(length)
		if err != nil {
			return
		}
		stream = stream || bytes.Contains(body, []byte(`"stream":true`))
		r.Discard(length) //nolint:errcheck // it is there
		if !stream {
			_, err = c.Write(at.whole)
		} else {
			_, err = c.Write(at.head)
			for _, chunk := range at.chunks { // each at its own time, as models send them
				if err == nil {
					_, err = c.Write(chunk)
				}
			}
		}
		if err != nil {
			return
		}
	}
}

// head reads the head of a request and returns the answers to it, whether its path
// asks for a stream, and the length of its body.
func (s stub) head(r *bufio.Reader) (at *answers, stream bool, length int, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return nil, false, 0, err
	}
	path := bytes.TrimPrefix(line, []byte("POST "))
	for i := range s {
		if bytes.HasPrefix(path, s[i].prefix) {
			at = &s[i]
		}
	}
	if at == nil {
		return nil, false, 0, errors.New("bench: a request for something else")
	}
	stream = bytes.Contains(path, []byte("stream"))
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return nil, false, 0, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			return at, stream, length, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil || length < 0 {
				return nil, false, 0, errors.New("bench: a request has a wrong length")
			}
		}
	}
}
