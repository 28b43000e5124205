package server

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/approval"
	"github.com/ringwall/ringwall/auth/login"
	"github.com/ringwall/ringwall/gateway"
)

//go:embed approvals.html
var approvalsHTML string

//go:embed approvals.css
var approvalsCSS string

// approvalPage holds the templates, and the policy of what a browser may do with them:
// it runs nothing, loads nothing, and sends forms to where they came from alone.
var approvalPage = sync.OnceValue(func() (p struct {
	*template.Template
	csp string
},
) {
	p.Template = template.Must(template.New("approvals").Funcs(template.FuncMap{
		"words":  approval.SourceWords,
		"show":   approval.Show,
		"clock":  func(t time.Time) string { return t.UTC().Format("15:04:05 MST") },
		"moment": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 MST") },
		"css":    func() template.CSS { return template.CSS(approvalsCSS) }, //nolint:gosec // it is built in
		"effect": effectWords,
		"need":   needWords,
		"line":   func(p approval.Piece) bool { return strings.HasPrefix(p.Token, "U+000A") },
	}).Parse(approvalsHTML))
	sum := sha256.Sum256([]byte(approvalsCSS))
	p.csp = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	return p
})

// effectWords say what something of an effect does.
func effectWords(effect string) string {
	switch effect {
	case "read":
		return "reads: it changes nothing"
	case "write":
		return "writes: it changes something of the user's own"
	case "destructive":
		return "destroys: what it takes away cannot be had back"
	case "external":
		return "goes out: it carries something to others"
	}
	return "unknown: it may do anything"
}

func needWords(n approval.Need) string {
	who := "who asked"
	switch n.By {
	case approval.BySecond:
		who = "somebody else than who asked"
		if n.Count > 1 {
			who = "others than who asked"
		}
	case approval.ByRole:
		who = "somebody else with the role " + strings.Join(n.Roles, " or ")
	}
	if n.Count > 1 {
		who += " (" + strconv.Itoa(n.Count) + " people)"
	}
	return who
}

// approvalPages serve what waits to browsers.
func (s *Server) approvalPages(mux gateway.Mux) {
	mux.HandleFunc("GET /approvals/queue", s.browsing(s.queuePage))
	mux.HandleFunc("GET /approvals/{id}/card", s.browsing(s.cardPage))
	mux.HandleFunc("POST /approvals/{id}/card", s.browsing(s.cardForm))
}

// sheet is what a page shows.
type sheet struct {
	Title   string
	You     approval.Approver
	Stats   *approval.Stats
	Error   string
	Login   string // where a person logs in; "": nowhere
	State   string
	States  []string
	List    []approval.Approval
	Next    string
	Seen    *approval.Seen
	Card    *approval.Card
	Think   time.Duration
	Pending bool
}

// page writes a page.
func (s *Server) page(w http.ResponseWriter, status int, name string, v *sheet) {
	p := approvalPage()
	var b bytes.Buffer
	if err := p.ExecuteTemplate(&b, name, v); err != nil {
		s.log.Error("a page could not be made", "page", name, "error", err)
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.csp)
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // who does not read it misses nothing
}

// queuePath is the page that lists what waits.
const queuePath = "/approvals/queue"

// browsing serves a page to who is known, and sends browsers to log in.
func (s *Server) browsing(f func(http.ResponseWriter, *http.Request, approval.Approver)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		guarded(w)
		deed := gateway.ReadApprovals
		if r.Method == http.MethodPost {
			deed = gateway.Approve
		}
		by, err := s.speaking(r)
		if err == nil {
			err = reaches(&by, deed, r.URL.Path)
		}
		switch {
		case err != nil:
			s.log.Warn("a caller is refused approvals", "address", r.RemoteAddr, "principal", by.ID, "error", err.Error())
			v := &sheet{Title: "Log in", Error: "Log in to see what waits for you."}
			status := http.StatusUnauthorized
			var known *ringwall.Refusal
			if errors.As(err, &known) {
				v.Title, v.Error, status = "Not allowed", known.Public, known.Status
			} else if c := s.current.Load(); c.Login.On() {
				v.Login = strings.TrimSuffix(c.Login.URL, "/") + "/login?return=" + url.QueryEscape(returnTo(r.URL.Path))
			}
			s.page(w, status, "sorry", v)
		case s.approvals == nil:
			s.page(w, http.StatusNotFound, "sorry", &sheet{Title: "Nobody is asked", Error: "Nobody is asked for approvals here: what is held is refused."})
		default:
			f(w, r, by)
		}
	}
}

// returnTo is the page to come back to after a login.
func returnTo(path string) string {
	if login.Local(path) && strings.HasPrefix(path, "/approvals/") {
		return path
	}
	return queuePath
}

func (s *Server) sorry(w http.ResponseWriter, r *http.Request, err error) {
	no := s.refusalOf(r, err)
	s.page(w, no.Status, "sorry", &sheet{Title: "Nothing to see", Error: no.Public})
}

// queuePage lists what waits, or what became of it.
func (s *Server) queuePage(w http.ResponseWriter, r *http.Request, by approval.Approver) {
	q := r.URL.Query()
	if !q.Has("state") {
		q.Set("state", approval.Pending.String())
	}
	f, err := filterOf(q)
	if err != nil {
		s.page(w, http.StatusBadRequest, "sorry", &sheet{Title: "No such list", Error: sentence(err.Error())})
		return
	}
	v := &sheet{Title: "Approvals", You: by, State: f.State.String(), States: []string{"pending", "approved", "used", "denied", "expired"}}
	if v.List, v.Next, err = s.approvals.List(r.Context(), by, f); err != nil {
		s.sorry(w, r, err)
		return
	}
	st, err := s.approvals.Stats(r.Context(), by)
	if err != nil {
		s.sorry(w, r, err)
		return
	}
	v.Stats = &st
	s.page(w, http.StatusOK, "queue", v)
}

func (s *Server) cardPage(w http.ResponseWriter, r *http.Request, by approval.Approver) {
	s.card(w, r, by, http.StatusOK, "")
}

// card shows an approval, and why a decision was not taken.
func (s *Server) card(w http.ResponseWriter, r *http.Request, by approval.Approver, status int, wrong string) {
	seen, err := s.look(r, r.PathValue("id"), by)
	if err != nil {
		s.sorry(w, r, err)
		return
	}
	st, err := s.approvals.Stats(r.Context(), by)
	if err != nil {
		s.sorry(w, r, err)
		return
	}
	v := &sheet{Title: "Approval of " + approval.Plain(approval.Show(seen.Tool)), You: by, Stats: &st, Error: wrong, Seen: &seen, Pending: seen.State == approval.Pending}
	if !seen.Sealed {
		card := approval.CardOf(&seen)
		v.Card = &card
	}
	s.page(w, status, "card", v)
}

// cardForm takes what the form of a card sends.
func (s *Server) cardForm(w http.ResponseWriter, r *http.Request, by approval.Approver) {
	r.Body = http.MaxBytesReader(w, r.Body, longestSaying)
	if err := r.ParseForm(); err != nil {
		s.page(w, http.StatusBadRequest, "sorry", &sheet{Title: "Not read", Error: "The form could not be read."})
		return
	}
	id, form := r.PathValue("id"), r.PostForm
	d := approval.Decision{By: by, Token: form.Get("nonce"), Typed: form.Get("typed"), Reason: form.Get("reason")}
	var approve bool
	switch form.Get("decision") {
	case "approve":
		approve = true
	case "deny":
	default:
		s.card(w, r, by, http.StatusBadRequest, "Say what you decide: approve or deny.")
		return
	}
	if _, err := s.decide(w, r, id, approve, d); err != nil {
		no := s.refusalOf(r, err)
		if no.Status == http.StatusNotFound {
			s.sorry(w, r, err)
			return
		}
		s.card(w, r, by, no.Status, no.Public)
		return
	}
	w.Header().Set("Location", "/approvals/"+url.PathEscape(id)+"/card")
	w.WriteHeader(http.StatusSeeOther)
}
