// Package web keeps browsers from being used against their owners: it lets pages of
// chosen origins ask (CORS, the Fetch standard §3.2), and refuses requests that change
// something and that a page of another origin had a browser send (CSRF).
//
// Nothing is allowed that is not named. Programs that are no browser are not touched:
// they send neither Origin nor Sec-Fetch-Site.
//
// Start reading at [Origins.Handler].
package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Group is what pages of some origins may ask.
type Group struct {
	Paths   []string      // what the paths of the group begin with; none: all
	Origins []string      // that may ask, as browsers write them; none: only pages of the same origin
	MaxAge  time.Duration // for which a browser may remember the answer to a preflight
}

// Origins are the groups of a listener. The first group that a path is in counts. The
// zero value lets only pages of the same origin ask. It is safe for concurrent use.
type Origins struct {
	groups []Group
	cross  http.CrossOriginProtection
}

// New returns the Origins of groups.
func New(groups ...Group) *Origins { return &Origins{groups: groups} }

// What a page may send and read, where its origin may.
const (
	methods = "GET, HEAD, POST, PUT, PATCH, DELETE"
	exposed = "Retry-After, X-Ringwall-Exchange, X-Ringwall-Stream, X-Ringwall-Estimate, X-Ringwall-Unguarded"
)

// Known makes origin, "https://gateway.example", one of the listener's own: browsers know
// it by that name where a proxy stands before it. It is called before Handler.
func (o *Origins) Known(origin string) error { return o.cross.AddTrustedOrigin(origin) }

// Handler answers preflights, tells browsers which pages may read the answers of h, and
// refuses what a page of an origin that is not named has a browser send, if it may
// change something. Credentials that browsers send by themselves, such as cookies, are
// never allowed from other origins.
func (o *Origins) Handler(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		g := o.group(r.URL.Path)
		if g != nil {
			w.Header().Add("Vary", "Origin") // also for who shows none: caches must not mix them up
		}
		allowed := g != nil && origin != "" && slices.Contains(g.Origins, origin)
		if allowed {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Expose-Headers", exposed)
		}
		if r.Method == http.MethodOptions && origin != "" && r.Header.Get("Access-Control-Request-Method") != "" {
			o.preflight(w, r, g, allowed)
			return
		}
		if err := o.cross.Check(r); err != nil && !allowed {
			refuse(w, "Pages of another origin may not ask here: its operator has to name the origin in the configuration.")
			return
		}
		h.ServeHTTP(w, r)
	})
}

// preflight answers whether a page may ask what a browser is about to.
func (o *Origins) preflight(w http.ResponseWriter, r *http.Request, g *Group, allowed bool) {
	if !allowed {
		refuse(w, "Pages of another origin may not ask here: its operator has to name the origin in the configuration.")
		return
	}
	h := w.Header()
	h.Add("Vary", "Access-Control-Request-Method")
	h.Add("Vary", "Access-Control-Request-Headers")
	h.Set("Access-Control-Allow-Methods", methods)
	// Authorization must be named; a star would not stand for it.
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" && len(asked) <= 1024 && !strings.ContainsAny(asked, "\r\n") {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	h.Set("Access-Control-Max-Age", strconv.Itoa(int(g.MaxAge/time.Second)))
	w.WriteHeader(http.StatusNoContent)
}

// group returns the group that a path is in; nil: none.
func (o *Origins) group(path string) *Group {
	for i, g := range o.groups {
		if len(g.Paths) == 0 || slices.ContainsFunc(g.Paths, func(p string) bool { return strings.HasPrefix(path, p) }) {
			return &o.groups[i]
		}
	}
	return nil
}

func refuse(w http.ResponseWriter, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	fmt.Fprintf(w, "{\"error\":{\"message\":%q,\"type\":\"permission_error\",\"param\":null,\"code\":\"cross_origin\"}}\n", why)
}
