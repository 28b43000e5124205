package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
)

// health is what /readyz tells.
type health struct {
	ready atomic.Bool
	mu    sync.Mutex
	err   error // of the last reload
}

func (h *health) reload(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = err
}

// healthz says that the process lives.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz says whether requests are served. A configuration that was refused does
// not make the gateway unready, for the old one serves; it is told all the same.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	s.health.mu.Lock()
	err := s.health.err
	s.health.mu.Unlock()
	body := map[string]string{"status": "ready", "config": "in force"}
	if err != nil {
		body["config"] = "refused: the previous one is in force; see the log"
	}
	if s.secrets.Len() > 0 {
		body["secrets"] = "current"
		if n := len(s.secrets.Stale()); n > 0 {
			body["secrets"] = fmt.Sprintf("stale: %d could not be read again, their last values are in force; see the log", n)
		}
	}
	s.issuers(body)
	status := http.StatusOK
	if !s.health.ready.Load() {
		status, body["status"] = http.StatusServiceUnavailable, "stopping"
	}
	writeJSON(w, status, body)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // who does not read it misses nothing
}
