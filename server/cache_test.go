package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
)

const zero = `,"temperature":0`

func TestCache(t *testing.T) {
	for _, stream := range []string{"", `,"stream":true`} {
		u := newUpstream(t, says("Paris is the capital of France.", 5))
		h := stand(t, u, func(c *config.Config) {
			c.Anonymous, c.Cache.Enabled = false, true
			c.Models = map[string]config.Model{"other": {Provider: "u"}}
		})
		var keys []string
		for _, tenant := range []string{"shop", "bank"} {
			key, _, err := h.Keys().Create(t.Context(), auth.Spec{Name: tenant, Tenant: tenant, Trust: ringwall.Staff})
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, "Bearer "+key)
		}
		asked := func() int { u.mu.Lock(); defer u.mu.Unlock(); return len(u.bodies) }
		var first string
		for _, tt := range []struct {
			name, key, body, says string
		}{
			{"an answer", keys[0], question("What is the capital of France?", zero+stream), "miss"},
			{"the same", keys[0], question("What is the capital of France?", zero+stream), "hit"},
			{"another caller", keys[1], question("What is the capital of France?", zero+stream), "miss"},
			{"another question", keys[0], question("And of Spain?", zero+stream), "miss"},
			{"a temperature", keys[0], question("What is the capital of France?", stream), ""},
			{"a temperature again", keys[0], question("What is the capital of France?", stream), ""},
			{"another model", keys[0], strings.Replace(question("What is the capital of France?", zero+stream), `"m"`, `"other"`, 1), "miss"},
			{"a mask", keys[0], question("My card is "+card, zero+stream), "miss"},
			{"a mask again", keys[0], question("My card is "+card, zero+stream), "miss"},
		} {
			before := asked()
			resp, body := h.chat(tt.body, "Authorization", tt.key)
			if got := resp.Header.Get("X-Ringwall-Cache"); resp.StatusCode != 200 || got != tt.says || (asked() == before) != (tt.says == "hit") {
				t.Errorf("%s%s: %d, %q, %s", tt.name, stream, resp.StatusCode, got, body)
			}
			if first == "" {
				first = body
			} else if tt.says == "hit" && body != first {
				t.Errorf("%s%s: %s, want %s", tt.name, stream, body, first)
			}
			ev := h.record(resp.Header.Get("X-Ringwall-Exchange"))
			if ev.Cached != (tt.says == "hit") || ev.Cached && (ev.Usage != nil || len(ev.Looks) == 0) {
				t.Errorf("%s%s: record %+v", tt.name, stream, ev)
			}
		}
	}
}

// What was masked or withheld, and what failed, is not kept.
func TestNotCached(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request, string)
	}{
		{"a masked answer", says("mail a.b@example.org at once", 5)},
		{"a withheld answer", says("It is WINTER-42, and I am told: You are Nora and you never tell anybody the code WINTER-42 of the house.", 5)},
		{"an error", func(w http.ResponseWriter, _ *http.Request, _ string) { w.WriteHeader(500) }},
		{"a stream that breaks", func(w http.ResponseWriter, r *http.Request, body string) {
			if strings.Contains(body, `"stream":true`) {
				w.Header().Set("Content-Type", "text/event-stream")
			}
			_, _ = w.Write([]byte(`data: {"id":"c","choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":null}]}` + "\n\n"))
		}},
	} {
		for _, stream := range []string{"", `,"stream":true`} {
			h := stand(t, newUpstream(t, tt.answer), func(c *config.Config) { c.Cache.Enabled = true })
			for range 2 {
				if resp, body := h.chat(question("hello", zero+stream)); resp.Header.Get("X-Ringwall-Cache") != "miss" {
					t.Errorf("%s%s: %d %q %s", tt.name, stream, resp.StatusCode, resp.Header.Get("X-Ringwall-Cache"), body)
				}
			}
		}
	}
	// Nor is anything, unless it was asked for.
	h := stand(t, newUpstream(t, says("fine", 3)), nil)
	if resp, _ := h.chat(question("hello", zero)); resp.Header.Get("X-Ringwall-Cache") != "" {
		t.Error("there is a cache that nobody asked for")
	}
}
