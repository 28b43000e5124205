package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/guardrail"
)

// Inquirer reads and writes an API whose requests ask the guard and no model.
// Its methods do no I/O and are safe for concurrent use.
type Inquirer interface {
	// Name is the API's name in records: "bedrock-guardrail".
	Name() string
	// Credential returns the key that a request shows, as [Dialect]'s does.
	Credential(r *http.Request) (string, error)
	// Read parses a request strictly. The error is a *ringwall.Refusal that says
	// where the request is wrong.
	Read(r *http.Request, body []byte) (Inquiry, error)
	// AppendError appends the body of an error to dst, and sets the headers that
	// errors have in this API.
	AppendError(dst []byte, h http.Header, r *ringwall.Refusal, id string) []byte
}

// Inquiry is what a request asks the guard. It is owned by one goroutine.
type Inquiry interface {
	Question() Question
	// Answer is the body of the answer, in JSON. An error that is no
	// *ringwall.Refusal is a bug.
	Answer(j *Judgement) ([]byte, error)
}

// Question is what the guard is asked: about texts on the way to a model, on the
// way from it, or both.
type Question struct {
	Guardrail Ref
	Prompt    []ringwall.Text
	Answer    []ringwall.Text
	// Query and Sources are what an answer is judged by, beside what of the Prompt
	// is such.
	Query   string
	Sources []string
	Unseen  []string // the kinds of parts that are no text, in kebab-case
	// Apart says that the texts of the Prompt have nothing to do with each other:
	// each is looked at for itself.
	Apart bool
}

// Ref names a guardrail. The zero Ref is the one in force, a version of "" its
// draft.
type Ref struct{ Name, Version string }

// GuardrailHeader is the request header that names a guardrail, "shop" or "shop@2",
// in APIs that have no place for it: the one that is asked, or, where a model is asked,
// one that looks beside the one in force.
const GuardrailHeader = "X-Ringwall-Guardrail"

// ParseRef reads the name of a guardrail, "shop" or "shop@2".
func ParseRef(s string) Ref {
	name, version, _ := strings.Cut(s, "@")
	if strings.EqualFold(version, guardrail.Draft) {
		version = ""
	}
	return Ref{Name: name, Version: version}
}

func (r Ref) String() string {
	if r.Version == "" {
		return r.Name
	}
	return r.Name + "@" + r.Version
}

// Guardrail is a guard and the document that it was made of.
type Guardrail struct {
	*guard.Guard
	Spec          *guardrail.Spec
	Name, Version string
}

// Guardrails finds guardrails. Implementations are safe for concurrent use.
type Guardrails interface {
	// Find returns the guardrail that ref names, which is in use until ctx ends.
	// The error wraps ErrNoGuardrail if there is none.
	Find(ctx context.Context, ref Ref) (Guardrail, error)
}

// ErrNoGuardrail reports a guardrail that there is not.
var ErrNoGuardrail = errors.New("gateway: no such guardrail")

// Judgement is what came of a Question. It is owned by one goroutine.
type Judgement struct {
	ID        string // of the exchange
	Guardrail Guardrail
	Principal ringwall.Principal
	Question  Question
	In, Out   guard.Result // about Prompt and about Answer
	// Each is what came of each text of the Prompt, where these are Apart.
	Each []guard.Result
	Took time.Duration

	paths [2]map[string]*ringwall.Text // by direction; made when they are needed
}

// Action returns what the guardrail does about a finding alone.
func (j *Judgement) Action(way ringwall.Direction, f ringwall.Finding) ringwall.Action {
	origin := ringwall.Unverified
	if t := j.Text(way, f.Path); t != nil {
		origin = t.Origin
	}
	return j.Guardrail.Decide(way, origin, []ringwall.Finding{f}).Action
}

// Text returns the text at path, nil if there is none.
func (j *Judgement) Text(way ringwall.Direction, path string) *ringwall.Text {
	if j.paths[way] == nil {
		texts := j.Question.Prompt
		if way == ringwall.Output {
			texts = j.Question.Answer
		}
		j.paths[way] = make(map[string]*ringwall.Text, len(texts))
		for i := range texts {
			j.paths[way][texts[i].Path] = &texts[i]
		}
	}
	return j.paths[way][path]
}

// Ran reports whether control looked at a text that went that way.
func (j *Judgement) Ran(way ringwall.Direction, control string) bool {
	res := &j.In
	if way == ringwall.Output {
		res = &j.Out
	}
	for _, l := range res.Looks {
		if l.Control == control && l.State == ringwall.Ran {
			return true
		}
	}
	return false
}

// Verdict is that of both ways.
func (j *Judgement) Verdict() ringwall.Verdict { return j.In.Verdict.And(j.Out.Verdict) }

// HandleInquiry registers a route at which the guard is asked on mux.
func (g *Gateway) HandleInquiry(mux Mux, pattern string, q Inquirer) {
	mux.HandleFunc(pattern, g.Inquiries(pattern, q))
}

// Inquiries answers requests of a route at which the guard is asked.
func (g *Gateway) Inquiries(pattern string, q Inquirer) http.HandlerFunc {
	d := asking{q}
	return func(w http.ResponseWriter, r *http.Request) {
		g.serve(w, r, d, routeOf(pattern), (*exchange).inquire)
	}
}

// inquire is the way of a request that asks the guard.
func (x *exchange) inquire(ctx context.Context) error {
	if err := x.identify(ctx); err != nil {
		return err
	}
	if err := x.read(); err != nil {
		return err
	}
	if err := x.afford(ctx); err != nil {
		return err
	}
	if err := x.may(ctx, AskGuard); err != nil {
		return err
	}
	asked := x.req.(inquiry)
	j, err := x.judge(ctx, asked.Question())
	if err != nil {
		return err
	}
	if err := x.promise(ctx); err != nil {
		return err
	}
	out, err := asked.Inquiry.Answer(j)
	if err != nil {
		return err
	}
	x.outcome = ringwall.Answered
	x.w.Header().Set("Content-Type", "application/json")
	x.status(http.StatusOK)
	return x.write(out)
}

// judge has the guardrail that q names look at its texts.
func (x *exchange) judge(ctx context.Context, q Question) (*Judgement, error) {
	x.Prompt, x.Answer = q.Prompt, q.Answer
	rail, err := x.find(ctx, q.Guardrail)
	if err != nil {
		return nil, err
	}
	x.Guardrail = rail.Guard.Name()
	j := &Judgement{ID: x.ID, Guardrail: rail, Principal: x.Principal, Question: q}
	allow := ringwall.Verdict{Action: ringwall.Allow}
	j.In.Verdict, j.Out.Verdict = allow, allow
	began := time.Now()
	if len(q.Prompt) > 0 {
		j.In, j.Each = q.look(ctx, rail.Guard, guard.Session{Way: ringwall.Input, Principal: x.Principal, Excuses: x.excuses(ctx), Context: ctx})
		x.hear(j.In)
	}
	x.inputs = len(j.In.Findings)
	if len(q.Answer) > 0 {
		s := x.answering(ctx)
		if q.Query != "" {
			s.Query = q.Query
		}
		s.Sources = append(s.Sources, q.Sources...)
		j.Out = rail.Check(ctx, s, q.Answer)
		x.hear(j.Out)
	}
	j.Took = time.Since(began)
	for _, kind := range q.Unseen {
		x.Looks = append(x.Looks, ringwall.Look{Control: "inference/sanitize", State: ringwall.Skipped, Why: kind})
	}
	x.Verdict = j.Verdict()
	return j, x.unlooked(j)
}

// look has the Prompt looked at, and returns what came of all of it and, where its
// texts are Apart, of each.
func (q *Question) look(ctx context.Context, g *guard.Guard, s guard.Session) (all guard.Result, each []guard.Result) {
	if !q.Apart {
		return g.Check(ctx, s, q.Prompt), nil
	}
	all.Verdict.Action = ringwall.Allow
	for i := range q.Prompt {
		res := g.Check(ctx, s, q.Prompt[i:i+1])
		each = append(each, res)
		all.Verdict = all.Verdict.And(res.Verdict)
		all.Findings = append(all.Findings, res.Findings...)
		all.Scores = all.Scores.Merge(res.Scores)
		for _, l := range res.Looks {
			if !slices.Contains(all.Looks, l) { // once, of however many texts
				all.Looks = append(all.Looks, l)
			}
		}
		for _, c := range res.Texts {
			all.Texts = append(all.Texts, guard.Changed{Index: i, Value: c.Value})
		}
	}
	return all, each
}

// hear takes what came of looking into the record.
func (x *exchange) hear(res guard.Result) {
	x.Findings = append(x.Findings, res.Findings...)
	x.Looks = append(x.Looks, res.Looks...)
	x.Scores = x.Scores.Merge(res.Scores)
}

// unlooked refuses where a control could not look and that blocks: an answer
// would say neither that there was something nor that there was nothing.
func (x *exchange) unlooked(j *Judgement) error {
	for _, w := range []struct {
		way ringwall.Direction
		res guard.Result
	}{{ringwall.Input, j.In}, {ringwall.Output, j.Out}} {
		for _, f := range w.res.Findings {
			if f.Unlooked() && j.Action(w.way, f) == ringwall.Block {
				return &ringwall.Refusal{
					Status: http.StatusServiceUnavailable, Code: "guard_unavailable", Public: "The texts could not be checked. Try again soon.",
					Err: fmt.Errorf("%w: %s could not look", ringwall.ErrUnavailable, f.Control),
				}
			}
		}
	}
	return nil
}

// find returns the guardrail that ref names.
func (x *exchange) find(ctx context.Context, ref Ref) (Guardrail, error) {
	if x.world.Guardrails == nil {
		return Guardrail{}, errors.New("the world has no guardrails to choose from")
	}
	rail, err := x.world.Guardrails.Find(ctx, ref)
	switch {
	case errors.Is(err, ErrNoGuardrail):
		return Guardrail{}, unknownGuardrail(ref.String(), err)
	case err != nil:
		return Guardrail{}, &ringwall.Refusal{
			Status: http.StatusServiceUnavailable, Code: "guard_unavailable", Public: "The guardrail cannot be used at the moment.",
			Err: fmt.Errorf("%w: %w", ringwall.ErrUnavailable, err),
		}
	}
	return rail, nil
}

// asking lets an Inquirer be read and refused as dialects are.
type asking struct{ Inquirer }

// Signature implements Signed, for APIs that do.
func (a asking) Signature(r *http.Request) (Signature, error) {
	if e, ok := a.Inquirer.(errand); ok {
		return signatureOf(e.Errands, r)
	}
	return signatureOf(a.Inquirer, r)
}

func signatureOf(api any, r *http.Request) (Signature, error) {
	if s, ok := api.(Signed); ok {
		return s.Signature(r)
	}
	return nil, nil
}

// Read implements Dialect.
func (a asking) Read(r *http.Request, body []byte) (Request, error) {
	q, err := a.Inquirer.Read(r, body)
	if err != nil {
		return nil, err
	}
	return inquiry{q}, nil
}

var errNoModel = errors.New("bug: an inquiry asks no model")

// Answer implements Dialect.
func (asking) Answer(Request, []byte) (Answer, error) { return nil, errNoModel }

// Relay implements Dialect.
func (asking) Relay(Request, Open) Relay {
	// bug: an inquiry asks no model
	panic(errNoModel)
}

// ContentType implements Dialect.
func (asking) ContentType(bool) string { return "application/json" }

// inquiry lets an Inquiry be read as requests are.
type inquiry struct{ Inquiry }

// Model implements Request.
func (inquiry) Model() string { return "" }

// Stream implements Request.
func (inquiry) Stream() bool { return false }

// Texts implements Request.
func (q inquiry) Texts() []ringwall.Text { return q.Question().Prompt }

// Unseen implements Request.
func (inquiry) Unseen() []string { return nil }

// Edit implements Request.
func (inquiry) Edit([]guard.Changed) []byte {
	// bug: an inquiry asks no model
	panic(errNoModel)
}

// WithModel implements Request.
func (inquiry) WithModel(string) {
	// bug: an inquiry asks no model
	panic(errNoModel)
}

// Header implements Request.
func (inquiry) Header() map[string]string { return nil }

var (
	_ Dialect = asking{}
	_ Signed  = asking{}
	_ Request = inquiry{}
)
