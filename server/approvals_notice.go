package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/hook"
)

// notice is what a service is told of an approval. It holds no argument.
type notice struct {
	Kind     ringwall.Kind `json:"kind"` // approval-asked, approval-approved …
	Time     time.Time     `json:"time"`
	Approval string        `json:"approval"`
	By       string        `json:"by"` // who asked, decided, or used it
	Tenant   string        `json:"tenant,omitempty"`
	Tool     string        `json:"tool,omitempty"`
	Effect   string        `json:"effect,omitempty"`
	Digest   string        `json:"digest,omitempty"`
	Rule     string        `json:"rule,omitempty"`
	Page     string        `json:"page,omitempty"` // where a person decides
}

// notices are told one after the other.
const (
	mostNotices  = 256 // that wait to be told
	noticeTries  = 3
	noticeBehind = 2 * time.Second // between tries
)

// webhookKnown checks that the secret of the service can be read.
func webhookKnown(c *config.Config) error {
	if h := c.Approvals.Webhook; h.URL != "" {
		if _, err := h.Secret.Reveal(); err != nil {
			return fmt.Errorf("approvals.webhook: reading its secret: %w", err)
		}
	}
	return nil
}

// announce has a service told of an act, if there is one. It never waits: the page and
// the records tell what a service that is away misses.
func (s *Server) announce(ev *ringwall.Event) {
	c := s.current.Load()
	if c == nil || c.Approvals.Webhook.URL == "" {
		return
	}
	n := notice{Kind: ev.Kind, Time: ev.Time, Approval: ev.ID, By: ev.Principal.ID, Tenant: ev.Principal.Tenant}
	if len(ev.Tools) > 0 {
		t := &ev.Tools[0]
		n.Tool, n.Effect, n.Digest, n.Rule = t.Tool, t.Effect, t.Digest, t.Rule
		if c.Login.On() {
			n.Page = strings.TrimSuffix(c.Login.URL, "/") + "/approvals/" + url.PathEscape(ev.ID) + "/card"
		}
	} else {
		n.Approval = "" // it is about a person
	}
	select {
	case s.notices <- n:
	default:
		s.log.Warn("a service is not told of an approval: too many wait to be told", "approval", ev.ID)
	}
}

// tellNotices tells a service what is announced, until ctx ends.
func (s *Server) tellNotices(ctx context.Context) error {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	for {
		select {
		case <-ctx.Done():
			return nil
		case n := <-s.notices:
			if err := s.tellOf(ctx, client, &n); err != nil && ctx.Err() == nil {
				s.log.Warn("a service is not told of an approval", "approval", n.Approval, "error", err.Error())
			}
		}
	}
}

// tellOf tells of n, several times where that fails.
func (s *Server) tellOf(ctx context.Context, client *http.Client, n *notice) error {
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		err := post(ctx, client, &s.current.Load().Approvals.Webhook, body)
		if err == nil || try == noticeTries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(noticeBehind):
		}
	}
}

func post(ctx context.Context, client *http.Client, h *config.ApprovalHook, body []byte) error {
	if h.URL == "" {
		return nil // it was taken out meanwhile
	}
	secret, err := h.Secret.Reveal()
	if err != nil {
		return fmt.Errorf("reading the secret: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(hook.TimestampHeader, at)
	r.Header.Set(hook.SignatureHeader, hook.Signature(secret, at, body))
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 4096) // so that the connection can be used again
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("it answers %d", resp.StatusCode)
	}
	return nil
}
