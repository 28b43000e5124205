package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/redact"
	"github.com/ringwall/ringwall/server"
)

// A placeholder in a prompt or an answer is noticed by nobody, wherever it
// stands: it would be masked again, and its value never come back.
func TestPlaceholdersAreNothingToNotice(t *testing.T) {
	g, err := server.Guardrail(&config.Config{}, "")
	if err != nil {
		t.Fatal(err)
	}
	key, err := redact.ParseKey(strings.Repeat("7", 64))
	if err != nil {
		t.Fatal(err)
	}
	v, err := redact.Open(t.Context(), redact.Config{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	places := []string{
		"My %s is here.", "password: %s", "api_key = \"%s\"", `{"token":"%s","card":"%s"}`, "Bearer %s", "export SECRET=%s",
		"call me at %s", "phone %s, card %s, SSN %s", "https://x.example/?q=%s", "mailto:%s", "| name | %s |", "postgres://me:%s@db/x", "IBAN %s", "pin: %s", "born %s", "%s@example.org",
	}
	seen := map[string]bool{}
	for _, reason := range []string{
		"email", "phone", "credit-debit-card-number", "us-social-security-number", "name", "address", "github-pat", "aws-access-key", "private-key",
		"password", "ip-address", "international-bank-account-number", "api-key", "pin", "jwt", "driver-id", "us-passport-number", "url", "username",
	} {
		b := v.Book(ringwall.Principal{}, redact.Conversation{}, redact.Policy{})
		for i := range 60 {
			token := b.Token(ringwall.Finding{Reason: reason}, fmt.Appendf(nil, "%d", i))
			for _, place := range places {
				text := strings.ReplaceAll(place, "%s", token)
				for _, way := range []ringwall.Direction{ringwall.Input, ringwall.Output} {
					for _, f := range g.Check(t.Context(), guard.Session{Way: way}, []ringwall.Text{{Origin: ringwall.User, Value: text}}).Findings {
						if !touches(text, token, f.Where) {
							continue // what stands beside it may be something
						}
						if why := f.Reason + " in " + place; !seen[why] {
							seen[why] = true
							t.Errorf("%s is noticed in %q", f.Reason, text)
						}
					}
				}
			}
		}
	}
}

// touches reports whether a span has something of a token in it.
func touches(text, token string, where ringwall.Span) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], token)
		if i < 0 {
			return false
		}
		if at += i; where.Start < at+len(token) && where.End > at {
			return true
		}
		at += len(token)
	}
}
