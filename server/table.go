package server

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
)

// table is the mux of the routes. It remembers them, and answers what comes to none of
// them in the shape of the API that was meant.
type table struct {
	mux      *http.ServeMux
	s        *Server
	patterns []string
	speaks   map[string]gateway.Speaker // by pattern
}

func newTable(s *Server) *table {
	return &table{mux: http.NewServeMux(), s: s, speaks: map[string]gateway.Speaker{}}
}

// HandleFunc implements gateway.Mux.
func (t *table) HandleFunc(pattern string, f func(http.ResponseWriter, *http.Request)) {
	t.Handle(pattern, http.HandlerFunc(f))
}

// Handle registers a route.
func (t *table) Handle(pattern string, h http.Handler) {
	t.patterns = append(t.patterns, pattern)
	t.mux.Handle(pattern, h)
}

// ServeHTTP implements http.Handler.
func (t *table) ServeHTTP(w http.ResponseWriter, r *http.Request) { t.mux.ServeHTTP(w, r) }

// methods are those that routes are registered for; HEAD goes along with GET.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// allowed returns the methods that there are routes for at the address of a request,
// and the pattern of the first.
func (t *table) allowed(r *http.Request) (all []string, pattern string) {
	probe := *r
	for _, m := range methods {
		probe.Method = m
		_, p := t.mux.Handler(&probe)
		if method, _, named := strings.Cut(p, " "); named && (method == m || m == http.MethodHead && method == http.MethodGet) {
			all = append(all, m)
			pattern = cmp.Or(pattern, p)
		}
	}
	return all, pattern
}

// otherwise answers requests of other methods than there are routes for at their
// address; h answers the rest.
func (t *table) otherwise(h http.HandlerFunc, c clients) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		all, pattern := t.allowed(r)
		if len(all) == 0 {
			h(w, r)
			return
		}
		all = append(all, http.MethodOptions)
		w.Header().Set("Allow", strings.Join(all, ", "))
		if r.Method == http.MethodOptions { // RFC 9110 §9.3.7
			w.WriteHeader(http.StatusNoContent)
			return
		}
		s := t.speaks[pattern]
		if s == nil {
			s = c.speaker(r)
		}
		refuse := &ringwall.Refusal{
			Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", // RFC 9110 §15.5.6
			Public: fmt.Sprintf("%.20q is no method of this address: use %s.", r.Method, strings.Join(all[:len(all)-1], ", ")),
		}
		t.s.gateway.Decline(w, s, refuse)
	}
}

// Bounds of the target of a request, beside that of all its headers.
const (
	longestTarget  = 8 << 10 // bytes
	mostParameters = 64      // of the query
)

// malformed answers requests whose target does not mean the same to everybody who
// reads it, or is absurd, and reports whether it did.
func (t *table) malformed(w http.ResponseWriter, r *http.Request, c clients) bool {
	if len(r.TransferEncoding) > 0 && r.ProtoMajor == 1 {
		// Who stands before us may have taken the length for what counts, and what is
		// behind the chunks for part of the body (RFC 9112 §6.1): it is not read.
		w.Header().Set("Connection", "close")
	}
	var err error
	status, code := http.StatusBadRequest, "invalid_path"
	switch {
	case len(r.RequestURI) > longestTarget:
		status, code, err = http.StatusRequestURITooLong, "uri_too_long", fmt.Errorf("the path and the query are longer than %d bytes: send what is long in the body", longestTarget)
	case !clean(r.URL.Path):
		err = errors.New("the path holds dots for directories, or characters that no path has: write it as it is meant")
	default:
		code, err = "invalid_query", query(r.URL.RawQuery)
	}
	if err == nil {
		return false
	}
	what := err.Error()
	t.s.gateway.Decline(w, c.speaker(r), &ringwall.Refusal{Status: status, Code: code, Public: strings.ToUpper(what[:1]) + what[1:] + ".", Err: err})
	return true
}

// clean reports whether a path is no attempt to get elsewhere.
func clean(path string) bool {
	if !utf8.ValidString(path) || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return false
	}
	return !strings.Contains(path, "/.") || !slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return s == "." || s == ".." })
}

// query refuses a query of which readers would leave out parts.
func query(raw string) error {
	if raw == "" {
		return nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return errors.New("the query cannot be read: write it as name=value, joined by &, with everything else escaped")
	}
	n := 0
	for _, v := range values {
		n += len(v)
	}
	if n > mostParameters {
		return fmt.Errorf("the query has %d parameters, and at most %d are taken", n, mostParameters)
	}
	return nil
}
