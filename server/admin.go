package server

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/web"
	"github.com/ringwall/ringwall/scope"
)

// admin is the table of what is served to those who run the gateway: on a listener of
// its own, or beside the models where there is none.
func (s *Server) admin(mux gateway.Mux) {
	mux.HandleFunc("GET /metrics", s.observing(s.load.told(s.metrics.Handler())).ServeHTTP)
	mux.HandleFunc("GET /readyz", s.observing(s.load.quick(http.HandlerFunc(s.readyz))).ServeHTTP)
	mux.HandleFunc("POST /admin/reload", s.administering(http.HandlerFunc(s.reloadNow)).ServeHTTP)
}

// adminHandler is all of the admin listener.
func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthz)
	s.admin(mux)
	s.approvalRoutes(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refused(w, http.StatusNotFound, "not_found", "There is nothing at "+r.Method+" of this path: see /metrics and /readyz.")
	})
	h := web.New(web.Group{Origins: s.cfg.Admin.Origins}).Handler(mux)
	return s.located(s.transport(s.looked(h)))
}

// observing lets those read what h tells who run the gateway. Without a listener of its
// own it is open, as what is beside the models must be for who balances them.
func (s *Server) observing(h http.Handler) http.Handler {
	if s.cfg.Admin.Listen == "" || s.cfg.Admin.Anonymous {
		return h
	}
	return s.admitted(gateway.Observe, s.cfg.Admin.Trust, h)
}

// administering lets operators alone do what h does, on whichever listener.
func (s *Server) administering(h http.Handler) http.Handler {
	return s.admitted(gateway.Administer, ringwall.Operator, h)
}

// admitted lets callers pass to h who prove by a key, a token or a certificate that they
// are trusted so far, and whose credential is good for the deed. Their Principal is in
// the context, see [principalOf].
func (s *Server) admitted(deed gateway.Deed, least ringwall.Trust, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := s.caller(r)
		if err == nil && p.Trust < least {
			err = &ringwall.Refusal{
				Status: http.StatusForbidden, Code: "forbidden", Public: "This takes a credential of trust " + least.String() + ".",
				Err: fmt.Errorf("%w: trust %s is less than %s", ringwall.ErrForbidden, p.Trust, least),
			}
		}
		if err == nil && !scope.Allows(p.Scopes, scope.Ask{Deed: string(deed), Route: r.URL.Path}) {
			err = gateway.OutOfScope(p, deed)
		}
		if err != nil {
			s.log.Warn("a caller of the administration is refused", "address", r.RemoteAddr, "path", r.URL.Path, "principal", p.ID, "error", err.Error())
			var known *ringwall.Refusal
			if !errors.As(err, &known) {
				known = &ringwall.Refusal{Status: http.StatusUnauthorized, Code: "invalid_api_key", Public: "A valid credential is required: Authorization: Bearer rw_…, or a client certificate."}
				w.Header().Set("WWW-Authenticate", `Bearer realm="ringwall"`)
			}
			refused(w, known.Status, known.Code, known.Public)
			return
		}
		h.ServeHTTP(w, r.WithContext(withPrincipal(r.Context(), p)))
	})
}

// caller finds who sent a request to the administration.
func (s *Server) caller(r *http.Request) (ringwall.Principal, error) {
	var shown ringwall.Credential
	if h := r.Header.Values("Authorization"); len(h) > 1 {
		return ringwall.Principal{}, fmt.Errorf("%w: two credentials are shown", ringwall.ErrUnauthenticated)
	} else if len(h) == 1 {
		kind, text, _ := strings.Cut(h[0], " ")
		if !strings.EqualFold(kind, "Bearer") || text == "" {
			return ringwall.Principal{}, fmt.Errorf("%w: the credential is of another kind than Bearer", ringwall.ErrUnauthenticated)
		}
		shown.Bearer = strings.TrimSpace(text)
	}
	if t := r.TLS; t != nil && len(t.VerifiedChains) > 0 {
		shown.Certificates = t.VerifiedChains[0]
	}
	p, err := s.callers.Authenticate(r.Context(), shown)
	if errors.Is(err, ringwall.ErrUnauthenticated) {
		s.fault(r.Context(), ringwall.ClientOf(r.Context()).Addr, "failed authentications")
	}
	return p, err
}

// refused answers with an error.
func refused(w http.ResponseWriter, status int, code, public string) {
	writeJSON(w, status, map[string]any{"error": map[string]any{"message": public, "type": code, "param": nil, "code": code}})
}

// readyAlone is what of readiness is told beside the models when there is an admin listener:
// nothing but whether.
func (s *Server) readyAlone(w http.ResponseWriter, _ *http.Request) {
	if !s.health.ready.Load() {
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "stopping"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

// listenAdmin takes the address of the admin listener, if there is one.
func (s *Server) listenAdmin(c *config.Config) (err error) {
	if c.Admin.Listen == "" {
		return nil
	}
	if s.adminListen, err = net.Listen("tcp", c.Admin.Listen); err != nil {
		return fmt.Errorf("listening on %s for the administration: %w", c.Admin.Listen, err)
	}
	s.adminHTTP = s.httpServer(c, s.adminHandler())
	return nil
}

// AdminURL returns the base URL of the admin listener; "" where there is none.
func (s *Server) AdminURL() string {
	if s.adminListen == nil {
		return ""
	}
	return s.scheme() + "://" + s.adminListen.Addr().String()
}

// reloading is a reload that an operator asked for.
type reloading struct {
	why  string
	done chan<- error
}

// reloadNow reads the configuration again and says whether it is in force.
func (s *Server) reloadNow(w http.ResponseWriter, r *http.Request) {
	if s.opt.Reload == nil {
		refused(w, http.StatusConflict, "no_file", "The gateway was started without a configuration file.")
		return
	}
	p, _ := principalOf(r.Context())
	done := make(chan error, 1)
	select {
	case s.reloads <- reloading{why: "asked for by " + p.ID, done: done}:
	case <-r.Context().Done():
		return
	}
	if err := <-done; err != nil {
		refused(w, http.StatusUnprocessableEntity, "config_refused", "The configuration was not taken, the old one stays in force: "+err.Error())
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"config": "in force"})
}
