package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/approval"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/policy"
	"github.com/ringwall/ringwall/redact"
	"github.com/ringwall/ringwall/scope"
)

// OpenApprovals opens the approvals that c names, and their database, which the caller
// closes. Records of what is done there are written by a gateway that runs, or by the
// next one.
func OpenApprovals(ctx context.Context, c *config.Config) (*approval.Store, *db.DB, error) {
	if why := noApprovals(c); why != "" {
		return nil, nil, errors.New(why)
	}
	d, err := openDB(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	store, err := openApprovals(ctx, c, d, nil, nil)
	if err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	return store, d, nil
}

// noApprovals says why nobody is asked, "" where people are.
func noApprovals(c *config.Config) string {
	switch {
	case c.Approvals.Off:
		return "the configuration says approvals: {off: true}: nobody is asked"
	case !c.Approvals.Sealed(c):
		return "nobody is asked for approvals: replicas that share a database must share the key that arguments are sealed with: make one with openssl rand -hex 32, and name it as restore.key, by a reference such as env:NAME"
	}
	return ""
}

func openApprovals(ctx context.Context, c *config.Config, d *db.DB, log *slog.Logger, record func(context.Context, ringwall.Event) error) (*approval.Store, error) {
	root, err := vaultKey(c)
	if err != nil {
		return nil, err
	}
	key, err := approvalKey(root)
	if err != nil {
		return nil, err
	}
	return approval.Open(ctx, approval.Config{DB: d, Key: key, Rules: c.Approvals.Rules(), Log: log, Record: record})
}

func approvalKey(root redact.Key) ([32]byte, error) {
	b, err := root.Derive("approval", "", 32)
	if err != nil {
		return [32]byte{}, err
	}
	return [32]byte(b), nil
}

// openPending opens what waits for people; s.approvals stays nil where nobody is asked,
// and then what is held is refused.
func (s *Server) openPending(ctx context.Context, c *config.Config) (err error) {
	if why := noApprovals(c); why != "" {
		s.log.Warn("what is held stays refused", "reason", why)
		return nil
	}
	if err := webhookKnown(c); err != nil {
		return err
	}
	s.notices = make(chan notice, mostNotices)
	s.approvals, err = openApprovals(ctx, c, s.db, s.log, func(ctx context.Context, ev ringwall.Event) error {
		if err := s.records.Note(ctx, ev); err != nil {
			return err
		}
		s.announce(&ev)
		return nil
	})
	return err
}

// approvalRoutes serve what waits for people, to programs and to browsers.
func (s *Server) approvalRoutes(mux gateway.Mux) {
	list := s.deciding(gateway.ReadApprovals, s.listApprovals)
	mux.HandleFunc("GET /approvals", func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept"), "text/html") { // a browser that comes for a page
			guarded(w)
			w.Header().Set("Location", queuePath)
			w.WriteHeader(http.StatusSeeOther)
			return
		}
		list(w, r)
	})
	mux.HandleFunc("GET /approvals/{id}", s.deciding(gateway.ReadApprovals, s.readApproval))
	mux.HandleFunc("POST /approvals/{id}/approve", s.deciding(gateway.Approve, s.decideApproval(true)))
	mux.HandleFunc("POST /approvals/{id}/deny", s.deciding(gateway.Approve, s.decideApproval(false)))
	s.approvalPages(mux)
}

// speaking returns who sends a request about approvals: by the session of a browser, or
// by a credential that programs show.
func (s *Server) speaking(r *http.Request) (by approval.Approver, err error) {
	if text := s.cookie(r); text != "" && r.Header.Get("Authorization") == "" {
		by.Principal, err = s.callers.Authenticate(r.Context(), ringwall.Credential{Bearer: text})
		by.Browser = true
	} else {
		by.Principal, err = s.caller(r)
	}
	if err == nil && (by.ID == "" || by.Trust <= ringwall.Anonymous) {
		err = fmt.Errorf("%w: nobody", ringwall.ErrUnauthenticated)
	}
	return by, err
}

// reaches refuses credentials that are not good for a deed. Who may approve may read.
func reaches(by *approval.Approver, deed gateway.Deed, path string) error {
	ask := scope.Ask{Deed: string(deed), Route: path}
	if scope.Allows(by.Scopes, ask) {
		return nil
	}
	if ask.Deed = string(gateway.Approve); deed == gateway.ReadApprovals && scope.Allows(by.Scopes, ask) {
		return nil
	}
	return gateway.OutOfScope(by.Principal, deed)
}

// deciding serves f to who is known, and whose credential is good for the deed.
func (s *Server) deciding(deed gateway.Deed, f func(http.ResponseWriter, *http.Request, approval.Approver)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		guarded(w)
		by, err := s.speaking(r)
		if err == nil {
			err = reaches(&by, deed, r.URL.Path)
		}
		switch {
		case err != nil:
			s.log.Warn("a caller is refused approvals", "address", r.RemoteAddr, "principal", by.ID, "error", err.Error())
			var known *ringwall.Refusal
			if !errors.As(err, &known) {
				known = &ringwall.Refusal{Status: http.StatusUnauthorized, Code: "invalid_api_key", Public: "A valid credential is required: a session of this host, or Authorization: Bearer rw_…"}
				w.Header().Set("WWW-Authenticate", `Bearer realm="ringwall"`)
			}
			refused(w, known.Status, known.Code, known.Public)
		case s.approvals == nil:
			refused(w, http.StatusNotFound, "approvals_off", "Nobody is asked for approvals here: what is held is refused.")
		default:
			f(w, r, by)
		}
	}
}

// guarded keeps an answer out of caches and frames.
func guarded(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Cookie, Authorization, Origin, Sec-Fetch-Site")
}

// approvalRow is an approval as it is told in JSON.
type approvalRow struct {
	ID           string         `json:"id"`
	State        approval.State `json:"state"`
	Kind         string         `json:"kind"`
	Tool         string         `json:"tool"`
	Effect       string         `json:"effect"`
	Principal    string         `json:"principal"`
	Tenant       string         `json:"tenant,omitempty"`
	Conversation string         `json:"conversation,omitempty"`
	Exchange     string         `json:"exchange,omitempty"`
	Digest       string         `json:"digest"`
	Rules        []string       `json:"rules,omitempty"`
	Need         approval.Need  `json:"need"`
	Left         int            `json:"left"` // people who have to approve still
	Created      time.Time      `json:"created"`
	Expires      time.Time      `json:"expires"`
	Ended        *time.Time     `json:"ended,omitempty"`
	Reason       string         `json:"reason,omitempty"`
}

// ApprovalRow is an approval as the API and the command line tell of it.
func ApprovalRow(a *approval.Approval) any { return rowOf(a) }

func rowOf(a *approval.Approval) approvalRow {
	r := approvalRow{
		ID: a.ID, State: a.State, Kind: a.Kind, Tool: a.Tool, Effect: a.Effect, Principal: a.Principal.ID, Tenant: a.Principal.Tenant,
		Conversation: a.Conversation, Exchange: a.Exchange, Digest: a.Digest, Rules: a.Rules, Need: a.Need, Left: a.Left(),
		Created: a.Created, Expires: a.Expires, Reason: a.Reason,
	}
	if !a.Ended.IsZero() {
		r.Ended = &a.Ended
	}
	return r
}

// approvalDetail is an approval with what a person reads before they decide.
type approvalDetail struct {
	approvalRow
	Arguments *string         `json:"arguments,omitempty"` // as they are, not there once they are dropped
	Card      *approval.Card  `json:"card,omitempty"`
	Votes     []approval.Vote `json:"votes"`
	May       bool            `json:"may_decide"`
	Why       string          `json:"may_not_because,omitempty"`
	Nonce     string          `json:"nonce,omitempty"` // to approve with
	Type      string          `json:"type,omitempty"`  // what has to be typed to approve, in words
	You       string          `json:"you,omitempty"`   // how the person decided lately
}

func detailOf(v *approval.Seen, st *approval.Stats) approvalDetail {
	d := approvalDetail{approvalRow: rowOf(&v.Approval), Votes: v.Votes, May: v.May == nil && v.State == approval.Pending, Nonce: v.Token}
	if v.Votes == nil {
		d.Votes = []approval.Vote{}
	}
	if !v.Sealed {
		card := approval.CardOf(v)
		d.Arguments, d.Card, d.Type = &v.Arguments, &card, card.Confirm.Ask
	}
	switch {
	case v.Bad != nil:
		d.Why = v.Bad.Error()
	case v.May != nil:
		d.Why = v.May.Error()
	}
	if st != nil {
		d.You = st.String()
	}
	return d
}

// ApprovalDetail is what a person reads before they decide, as the API and the command
// line tell of it.
func ApprovalDetail(v *approval.Seen, st *approval.Stats) any { return detailOf(v, st) }

// listApprovals lists what the caller may know of.
func (s *Server) listApprovals(w http.ResponseWriter, r *http.Request, by approval.Approver) {
	f, err := filterOf(r.URL.Query())
	if err != nil {
		refused(w, http.StatusBadRequest, "invalid_query", sentence(err.Error()))
		return
	}
	list, next, err := s.approvals.List(r.Context(), by, f)
	if err != nil {
		s.approvalError(w, r, err)
		return
	}
	rows := make([]approvalRow, 0, len(list))
	for i := range list {
		rows = append(rows, rowOf(&list[i]))
	}
	body := map[string]any{"approvals": rows}
	if next != "" {
		body["next"] = next
	}
	writeJSON(w, http.StatusOK, body)
}

// filterOf reads state, tenant, after and limit.
func filterOf(q url.Values) (f approval.Filter, err error) {
	for name, values := range q {
		if len(values) != 1 {
			return f, fmt.Errorf("the parameter %.20q is there %d times", name, len(values))
		}
		switch v := values[0]; name {
		case "state":
			var st approval.State
			if err := st.UnmarshalText([]byte(v)); err != nil {
				return f, fmt.Errorf("state: want one of %v", approval.States())
			}
			f.State = &st
		case "tenant":
			f.Tenant = v
		case "after":
			f.After = v
		case "limit":
			if f.Limit, err = strconv.Atoi(v); err != nil || f.Limit < 1 || f.Limit > 200 {
				return f, errors.New("limit: want 1 to 200")
			}
		default:
			return f, fmt.Errorf("there is no parameter %.20q: there are state, tenant, after and limit", name)
		}
	}
	return f, nil
}

// look shows an approval to a person, as far as policies let them.
func (s *Server) look(r *http.Request, id string, by approval.Approver) (approval.Seen, error) {
	v, err := s.approvals.Look(r.Context(), id, by)
	if err != nil || v.May != nil {
		return v, err
	}
	if err := s.policiesLet(r, &v.Approval, by.Principal); err != nil {
		if by.ID != v.Principal.ID || by.Tenant != v.Principal.Tenant {
			return approval.Seen{}, err
		}
		v.May, v.Token = err, ""
	}
	return v, nil
}

// policiesLet has policies decide whether somebody may approve something.
func (s *Server) policiesLet(r *http.Request, a *approval.Approval, p ringwall.Principal) error {
	b := s.rails.Load().config.Policies
	if b == nil {
		return nil
	}
	d := b.Decide(&policy.Request{
		Principal: p, Action: string(gateway.Approve),
		Resource: policy.Resource{Type: "Console", ID: "approvals", Labels: []string{"effect:" + a.Effect, "kind:" + a.Kind, "by:" + a.Need.By, "tool:" + a.Tool}},
		Context:  policy.Context{Client: ringwall.ClientOf(r.Context()), Time: time.Now(), Route: "/approvals", Purpose: r.Header.Get(gateway.PurposeHeader)},
	})
	if d.Effect == policy.Allow {
		return nil
	}
	return &ringwall.Refusal{
		Status: http.StatusForbidden, Code: "forbidden", Public: "Policies do not let you approve this.",
		Err: fmt.Errorf("%w: approve is denied by %v", ringwall.ErrForbidden, d.Policies),
	}
}

func (s *Server) readApproval(w http.ResponseWriter, r *http.Request, by approval.Approver) {
	v, err := s.look(r, r.PathValue("id"), by)
	if err != nil {
		s.approvalError(w, r, err)
		return
	}
	st, err := s.approvals.Stats(r.Context(), by)
	if err != nil {
		s.approvalError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, detailOf(&v, &st))
}

// saying is the body of a decision.
type saying struct {
	Nonce  string `json:"nonce"`
	Typed  string `json:"typed"`
	Reason string `json:"reason"`
}

const longestSaying = 16 << 10

func (s *Server) decideApproval(approve bool) func(http.ResponseWriter, *http.Request, approval.Approver) {
	return func(w http.ResponseWriter, r *http.Request, by approval.Approver) {
		var in saying
		dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, longestSaying))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil && (approve || !errors.Is(err, io.EOF)) {
			refused(w, http.StatusBadRequest, "invalid_body", `The body has to be a JSON object of nonce, typed and reason: {"nonce": "…", "typed": "…"}.`)
			return
		}
		a, err := s.decide(w, r, r.PathValue("id"), approve, approval.Decision{By: by, Token: in.Nonce, Typed: in.Typed, Reason: in.Reason})
		if err != nil {
			s.approvalError(w, r, err)
			return
		}
		writeJSON(w, http.StatusOK, rowOf(&a))
	}
}

// decide takes a person's decision, if policies and the proof of who they are let them.
func (s *Server) decide(w http.ResponseWriter, r *http.Request, id string, approve bool, d approval.Decision) (approval.Approval, error) {
	if !approve {
		return s.approvals.Deny(r.Context(), id, d)
	}
	a, err := s.approvals.Get(r.Context(), id)
	if err != nil {
		return a, err
	}
	v, err := s.look(r, id, d.By) // what they may not see they may not hear of
	if err != nil {
		return a, err
	}
	if v.May != nil {
		return a, v.May
	}
	if up := stepUp(s.current.Load()); up != nil && a.Effect != "read" && a.Effect != "write" {
		if challenge := up(d.By.Principal, ringwall.Operator); challenge != "" {
			w.Header().Set("WWW-Authenticate", challenge)
			return a, &ringwall.Refusal{
				Status: http.StatusUnauthorized, Code: gateway.CodeStepUp, Public: "Approving this takes a stronger or fresher login: see WWW-Authenticate.",
				Err: fmt.Errorf("%w: approving takes a step-up", ringwall.ErrUnauthenticated),
			}
		}
	}
	return s.approvals.Approve(r.Context(), id, d)
}

// approvalErrors is the table of what callers read of conditions.
var approvalErrors = []struct {
	err    error
	status int
	code   string
}{
	{approval.ErrNotFound, http.StatusNotFound, "not_found"},
	{approval.ErrDone, http.StatusConflict, "not_pending"},
	{approval.ErrTwice, http.StatusConflict, "already_approved"},
	{approval.ErrNotYours, http.StatusForbidden, "not_yours"},
	{approval.ErrUnread, http.StatusPreconditionRequired, "read_first"},
	{approval.ErrNotTyped, http.StatusUnprocessableEntity, "confirmation_required"},
	{approval.ErrPaused, http.StatusTooManyRequests, "paused"},
	{approval.ErrCursor, http.StatusBadRequest, "invalid_query"},
}

// refusalOf is what a person may read of an error.
func (s *Server) refusalOf(r *http.Request, err error) *ringwall.Refusal {
	var known *ringwall.Refusal
	if errors.As(err, &known) {
		return known
	}
	for _, c := range approvalErrors {
		if errors.Is(err, c.err) {
			return &ringwall.Refusal{Status: c.status, Code: c.code, Public: sentence(err.Error()), Err: err}
		}
	}
	s.log.ErrorContext(r.Context(), "an approval could not be read or decided about", "error", err)
	return &ringwall.Refusal{Status: http.StatusServiceUnavailable, Code: "approvals_unavailable", Public: "Nothing can be decided now, and nothing is approved. Try again soon.", Err: err}
}

func (s *Server) approvalError(w http.ResponseWriter, r *http.Request, err error) {
	no := s.refusalOf(r, err)
	if no.Code == "paused" {
		w.Header().Set("Retry-After", strconv.Itoa(int(cmp.Or(s.current.Load().Approvals.Pause, time.Minute)/time.Second)))
	}
	refused(w, no.Status, no.Code, no.Public)
}

// sentence makes one of an error's text.
func sentence(text string) string {
	if text == "" {
		return text
	}
	first := text[:1]
	if first >= "a" && first <= "z" {
		first = string(text[0] - 'a' + 'A')
	}
	return first + text[1:] + "."
}

// Approvals returns what waits for people; nil where nobody is asked.
func (s *Server) Approvals() *approval.Store { return s.approvals }
