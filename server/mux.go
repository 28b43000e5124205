package server

import (
	"net/http"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/guardapi"
	"github.com/ringwall/ringwall/gateway/dialect/ollama"
	"github.com/ringwall/ringwall/gateway/dialect/openai/responses"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// routes is the table of what is served at which address.
func (s *Server) routes() http.Handler {
	mux := newTable(s)
	dialects := builtin.Dialects(jsonedit.Limits{Bytes: int(s.cfg.Limits.Body)})
	for pattern, d := range dialects {
		mux.speaks[pattern] = d
		s.gateway.Handle(mux, pattern, d)
	}
	limits := jsonedit.Limits{Bytes: int(s.cfg.Limits.Body)}
	inquirers := builtin.Inquirers(limits)
	for pattern, q := range inquirers {
		mux.speaks[pattern] = q
		s.gateway.HandleInquiry(mux, pattern, q)
	}
	control := guardapi.Control{Made: s.made, Shelf: shelf{s}, Limits: limits}
	for pattern, trust := range control.Routes() {
		mux.speaks[pattern] = control
		s.gateway.HandleErrand(mux, pattern, control, gateway.ManageGuardrails, trust)
	}
	for _, pattern := range guardapi.PresidioRoutes {
		s.gateway.HandleErrand(mux, pattern, guardapi.Presidio{}, gateway.AskGuard, ringwall.Anonymous)
	}
	kept := responses.Kept{Memory: s.memory}
	for _, pattern := range responses.KeptRoutes {
		s.gateway.HandleErrand(mux, pattern, kept, gateway.ReadAnswers, ringwall.Anonymous)
	}
	clients := clients{
		plain: dialects["POST /v1/chat/completions"], anthropic: dialects["POST /v1/messages"], google: dialects["POST /v1beta/models/{call}"],
	}
	mux.HandleFunc("GET /openai/models", s.gateway.Models(dialects["POST /openai/v1/chat/completions"]))
	mux.HandleFunc("GET /openai/v1/models", s.gateway.Models(dialects["POST /openai/v1/chat/completions"]))
	mux.HandleFunc("GET /v1/models", clients.served(s.gateway.Models))
	mux.HandleFunc("GET /v1beta/models", s.gateway.Models(clients.google))
	mux.HandleFunc("GET /api/tags", s.gateway.Models(dialects["POST /api/chat"]))
	mux.HandleFunc("GET /api/version", ollama.Version)
	mux.HandleFunc("GET /v1/models/{id...}", s.gateway.Model(clients.plain))
	// What of Azure's API is not answered has no provider to be passed on to.
	mux.HandleFunc("/contentsafety/", mux.otherwise(s.gateway.Unguarded(clients.plain), clients))
	for _, path := range builtin.Unguarded {
		mux.HandleFunc(path, clients.served(s.gateway.Unguarded))
	}
	mux.HandleFunc("GET /openapi.json", s.openapi)
	mux.Handle("GET /healthz", s.load.quick(http.HandlerFunc(s.healthz)))
	if s.cfg.Admin.Listen != "" {
		mux.HandleFunc("GET /readyz", s.readyAlone)
	} else {
		s.admin(mux)
	}
	s.approvalRoutes(mux)
	s.loginRoutes(mux, clients.served(s.gateway.NotFound))
	mux.HandleFunc("/", mux.otherwise(clients.served(s.gateway.NotFound), clients))
	s.table = mux
	looked := s.looked(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if pattern, ok := guardapi.Unnamed(r); ok {
			s.gateway.Inquiries(pattern, inquirers[pattern])(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !mux.malformed(w, r, clients) {
			looked.ServeHTTP(w, r)
		}
	})
}
