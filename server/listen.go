package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/ringwall/ringwall/auth/peer"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/internal/web"
)

// httpServer is one of the listeners'.
func (s *Server) httpServer(c *config.Config, h http.Handler) *http.Server {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: c.Limits.Header,
		ReadTimeout:       c.Limits.Read,
		IdleTimeout:       c.Limits.Idle,
		MaxHeaderBytes:    int(c.HTTP.Header),
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		Protocols:         new(http.Protocols),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: c.HTTP.Streams, MaxReadFrameSize: int(c.HTTP.Frame),
			MaxReceiveBufferPerConnection: int(c.HTTP.Buffer), MaxReceiveBufferPerStream: int(c.HTTP.Buffer),
			SendPingTimeout: c.HTTP.Ping, PingTimeout: c.HTTP.Answer, WriteByteTimeout: c.HTTP.Stall,
		},
	}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetHTTP2(true)
	// AWS's client for JavaScript speaks HTTP/2 to Bedrock's runtime, also without TLS.
	srv.Protocols.SetUnencryptedHTTP2(true)
	if c.TLS.On() {
		srv.TLSConfig = s.secured.config()
	}
	return srv
}

// secure reads the certificates of c for the first time.
func (s *Server) secure(c *config.Config) error {
	s.current.Store(c)
	s.secured.peers = peer.New(nil)
	certs, err := s.certificates(&c.TLS, nil)
	if err != nil {
		return err
	}
	s.secured.use(certs)
	s.metrics.GaugeFunc("ringwall_certificate_end_seconds", "Unix time at which the first of the gateway's certificates that have files ends; 0: it has none.", func() float64 {
		if c := s.secured.state.Load(); c != nil && !c.ends.IsZero() {
			return float64(c.ends.Unix())
		}
		return 0
	})
	return nil
}

// resecure reads the certificates of the configuration in force again, when the one
// that came is not taken: they must not end because of what is wrong with something
// else. What cannot be read stays as it is.
func (s *Server) resecure() {
	certs, err := s.certificates(&s.current.Load().TLS, s.secured.state.Load())
	if err != nil {
		s.log.Error("the certificates were not taken: the old ones stay in force", "error", err.Error())
		return
	}
	s.secured.use(certs)
}

// scheme is that of the listeners' URLs.
func (s *Server) scheme() string {
	if s.cfg.TLS.On() {
		return "https"
	}
	return "http"
}

// serveAdmin serves the admin listener, if there is one, until stop is called, which
// says what went wrong. If it fails the gateway ends, too: nobody could see to it.
func (s *Server) serveAdmin() (stop func() error) {
	if s.adminHTTP == nil {
		return func() error { return nil }
	}
	served := make(chan error, 1)
	go func() {
		err := ended(serveOn(s.adminHTTP, s.adminListen))
		if err != nil {
			s.http.Close()
		}
		served <- err
	}()
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Limits.Header)
		defer cancel()
		if s.adminHTTP.Shutdown(ctx) != nil {
			s.adminHTTP.Close()
		}
		return <-served
	}
}

func serveOn(srv *http.Server, l net.Listener) error {
	if srv.TLSConfig == nil {
		return srv.Serve(l)
	}
	return srv.ServeTLS(l, "", "")
}

// ended is nil for a server that was told to stop.
func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// crossing keeps pages of other origins from asking, but those that the configuration
// in force names.
func (s *Server) crossing(h http.Handler) http.Handler {
	type made struct {
		of *config.Config
		h  http.Handler
	}
	build := func(c *config.Config) *made {
		groups := []web.Group{}
		for _, g := range c.CORS {
			groups = append(groups, web.Group{Paths: g.Paths, Origins: g.Origins, MaxAge: g.MaxAge})
		}
		origins := web.New(groups...)
		if u, err := url.Parse(c.Login.URL); err == nil && c.Login.On() {
			_ = origins.Known(u.Scheme + "://" + u.Host) // one that is no origin is none of a page either
		}
		return &made{c, origins.Handler(h)}
	}
	var last atomic.Pointer[made]
	last.Store(build(s.current.Load()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := last.Load()
		if c := s.current.Load(); now.of != c { // once a reload
			now = build(c)
			last.Store(now)
		}
		now.h.ServeHTTP(w, r)
	})
}
