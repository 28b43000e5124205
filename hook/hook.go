// Package hook asks services of the operator about exchanges: a [Hook] posts the texts
// of a request or an answer to a URL, signed, and is told to let them pass, to refuse
// them, or to put others in their places.
//
// What is posted is [Question] in JSON, what is answered [Answer]. The body is signed
// with a shared secret (HMAC with SHA-256, RFC 2104) over the time and the body, so that
// a service can tell a question of ours, and an old one:
//
//	Ringwall-Timestamp: 1767225600
//	Ringwall-Signature: v1=hex(HMAC-SHA256(secret, timestamp + "." + body))
//
// When a hook is asked, and what becomes of its answer, is the gateway's business. Start
// reading at [New].
package hook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Control is the id of the control that hooks keep.
const Control = "inference/sanitize"

// Stage says when a hook is asked.
type Stage string

// Stages.
const (
	BeforeInput  Stage = "before_input"  // with what the client says, before the guard looks
	AfterInput   Stage = "after_input"   // with what the model will read
	BeforeOutput Stage = "before_output" // with what the client will read
)

// Stages lists all stages.
func Stages() []Stage { return []Stage{BeforeInput, AfterInput, BeforeOutput} }

// Config configures a Hook. Zero fields mean the defaults.
type Config struct {
	Name     string                 // required
	URL      string                 // http or https; required
	Stages   []Stage                // required
	Secret   func() (string, error) // that signs; required
	Timeout  time.Duration          // default 2s
	FailOpen bool                   // go on when the hook gives no answer
	// Transport asks; default: connections of the Hook's own.
	Transport http.RoundTripper
}

// Hook is a service that is asked. It is safe for concurrent use.
type Hook struct {
	cfg    Config
	client *http.Client
}

// Question is what a hook is asked.
type Question struct {
	Hook      string             `json:"hook"`
	Stage     Stage              `json:"stage"`
	Exchange  string             `json:"exchange"`
	Principal ringwall.Principal `json:"principal"`
	Model     string             `json:"model"` // as the client names it
	Dialect   string             `json:"dialect"`
	Texts     []Text             `json:"texts"`
}

// Text is a text of a request or an answer.
type Text struct {
	Index  int             `json:"index"`
	Path   string          `json:"path"` // JSON pointer (RFC 6901)
	Origin ringwall.Origin `json:"origin"`
	Text   string          `json:"text"`
}

// Answer is what a hook answers.
type Answer struct {
	Action Action    `json:"action"`
	Reason string    `json:"reason"` // of block, in kebab-case; for records, never for clients
	Texts  []Replace `json:"texts"`  // of replace
}

// Action is what a hook wants.
type Action string

// Actions.
const (
	Allow       Action = "allow"
	Block       Action = "block"
	ReplaceText Action = "replace"
)

// Replace puts a text in the place of another.
type Replace struct {
	Index int    `json:"index"` // of the question
	Text  string `json:"text"`
}

// most is how many bytes an answer may have.
const most = 8 << 20

// New returns a Hook. It connects to nobody.
func New(cfg Config) (*Hook, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, fmt.Errorf("hook %s: want a URL http(s)://host[:port]/path without a user", cfg.Name)
	}
	if cfg.Name == "" || cfg.Secret == nil || len(cfg.Stages) == 0 {
		return nil, fmt.Errorf("hook %s: a name, a secret and stages are required", cfg.Name)
	}
	for _, s := range cfg.Stages {
		if !slices.Contains(Stages(), s) {
			return nil, fmt.Errorf("hook %s: there is no stage %q: there are %v", cfg.Name, s, Stages())
		}
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 2 * time.Second
	}
	rt := cfg.Transport
	if rt == nil {
		rt = &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: cfg.Timeout,
			MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: 64 << 10, DisableCompression: true,
		}
	}
	return &Hook{cfg: cfg, client: &http.Client{
		Transport: rt, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Name returns the name of the hook.
func (h *Hook) Name() string { return h.cfg.Name }

// At reports whether the hook is asked at a stage.
func (h *Hook) At(s Stage) bool { return slices.Contains(h.cfg.Stages, s) }

// FailOpen reports whether exchanges go on when the hook gives no answer.
func (h *Hook) FailOpen() bool { return h.cfg.FailOpen }

// Close closes idle connections.
func (h *Hook) Close() { h.client.CloseIdleConnections() }

// Ask asks the hook. An error means that it gave no answer that can be meant.
func (h *Hook) Ask(ctx context.Context, q Question) (a Answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Timeout)
	defer cancel()
	q.Hook = h.cfg.Name
	body, err := json.Marshal(q)
	if err != nil {
		return a, fmt.Errorf("asking hook %s: %w", h.cfg.Name, err)
	}
	secret, err := h.cfg.Secret()
	if err != nil {
		return a, fmt.Errorf("asking hook %s: reading its secret: %w", h.cfg.Name, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return a, fmt.Errorf("asking hook %s: %w", h.cfg.Name, err)
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "ringwall")
	req.Header.Set(TimestampHeader, at)
	req.Header.Set(SignatureHeader, Signature(secret, at, body))
	resp, err := h.client.Do(req)
	if err != nil {
		return a, fmt.Errorf("asking hook %s: %w", h.cfg.Name, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	switch {
	case err != nil:
		return a, fmt.Errorf("asking hook %s: %w", h.cfg.Name, err)
	case resp.StatusCode != http.StatusOK:
		return a, fmt.Errorf("asking hook %s: it answers with status %d", h.cfg.Name, resp.StatusCode)
	case len(answer) > most:
		return a, fmt.Errorf("asking hook %s: its answer has more than %d bytes", h.cfg.Name, most)
	}
	if a, err = read(answer, q.Texts); err != nil {
		return Answer{}, fmt.Errorf("asking hook %s: %w", h.cfg.Name, err)
	}
	return a, nil
}

// reasons are those that a record may hold.
var reasons = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// read reads an answer strictly: one that can be meant in two ways is none.
func read(body []byte, texts []Text) (a Answer, err error) {
	if err := new(jsonedit.Doc).Parse(body, jsonedit.Limits{Bytes: most, AllowNUL: true}); err != nil {
		return a, errors.New("its answer is no JSON, or says a thing twice")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if d.Decode(&a) != nil {
		return a, errors.New("its answer has a member that is not known, or of another type")
	}
	switch a.Action {
	case Allow:
		if len(a.Texts) > 0 {
			return a, errors.New("it allows and has texts")
		}
	case Block:
		if a.Reason == "" {
			a.Reason = "hook"
		}
		if len(a.Reason) > 64 || !reasons.MatchString(a.Reason) {
			return a, errors.New("its reason is not in kebab-case, or longer than 64 bytes")
		}
	case ReplaceText:
		seen := map[int]bool{}
		for _, r := range a.Texts {
			if !slices.ContainsFunc(texts, func(t Text) bool { return t.Index == r.Index }) || seen[r.Index] {
				return a, fmt.Errorf("it replaces text %d, which is none, or twice", r.Index)
			}
			seen[r.Index] = true
		}
		slices.SortFunc(a.Texts, func(x, y Replace) int { return x.Index - y.Index })
	default:
		return a, errors.New("its action is none of allow, block and replace")
	}
	return a, nil
}

// Headers of a question.
const (
	TimestampHeader = "Ringwall-Timestamp" // seconds since 1970
	SignatureHeader = "Ringwall-Signature"
)

// Signature returns that of a body that was sent at a time, as services check it.
func Signature(secret, timestamp string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(timestamp + "."))
	m.Write(body)
	return "v1=" + hex.EncodeToString(m.Sum(nil))
}
