package gemini_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/provider"
	"github.com/ringwall/ringwall/provider/gemini"
)

func TestAsks(t *testing.T) {
	var asked string
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = r.Method + " " + r.URL.String() + " " + r.Header.Get("X-Goog-Api-Key") + r.Header.Get("Authorization") + " " + string(b)
		switch {
		case r.URL.Query().Get("pageToken") == "2":
			io.WriteString(w, `{"models":[{"name":"models/b"}]}`)
		case r.Method == http.MethodGet:
			io.WriteString(w, `{"models":[{"name":"models/a"}],"nextPageToken":"2"}`)
		case strings.Contains(r.URL.Path, "missing"):
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"error":{"code":404,"message":"secret words","status":"NOT_FOUND"}}`)
		case strings.HasSuffix(r.URL.Path, ":generateContent"):
			io.WriteString(w, `{"candidates":[]}`)
		case strings.Contains(r.URL.Path, "cut"):
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\\\"finishReason\\\"\"}]}}]}\n\n")
		default:
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "data: {\"candidates\":[]}\r\n\r\ndata: {\"candidates\":[{\"finishReason\": \"STOP\"}]}\r\n\r\n")
		}
	}))
	defer up.Close()
	p, err := gemini.New(provider.Config{BaseURL: up.URL, Retries: -1}, func() (string, error) { return "k", nil })
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if out, err := p.Complete(t.Context(), ringwall.Call{API: "gemini", Model: "models/a/../b", Body: []byte(`{}`)}); err != nil || string(out) != `{"candidates":[]}` || asked != `POST /v1beta/models/a%2F..%2Fb:generateContent k {}` {
		t.Errorf("%s, %v, asked %s", out, err, asked)
	}
	var refusal *ringwall.Refusal
	if _, err := p.Complete(t.Context(), ringwall.Call{API: "gemini", Model: "missing"}); !errors.As(err, &refusal) || refusal.Code != "model_not_found" || strings.Contains(refusal.Public, "secret") {
		t.Errorf("%v", err)
	}
	for model, want := range map[string]int{"a": 2, "cut": 1} {
		n, failed := 0, error(nil)
		for _, err := range p.Events(t.Context(), ringwall.Call{Model: model, Stream: true, Body: []byte(`{}`)}) {
			if failed = err; err == nil {
				n++
			}
		}
		if n != want || (failed != nil) != (model == "cut") || !strings.HasPrefix(asked, "POST /v1beta/models/"+model+":streamGenerateContent?alt=sse k") {
			t.Errorf("%s: %d events, %v, asked %s", model, n, failed, asked)
		}
	}
	if names, err := p.Models(t.Context()); err != nil || !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("Models() = %v, %v", names, err)
	}
}

func TestBaseURLs(t *testing.T) {
	var path string
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		io.WriteString(w, `{"candidates":[]}`)
	}))
	defer up.Close()
	for base, want := range map[string]string{
		"/":                          "/v1beta/models/m:generateContent",
		"/v1":                        "/v1/models/m:generateContent",
		"/v1/projects/p/publishers/": "/v1/projects/p/publishers/models/m:generateContent",
	} {
		p, err := gemini.New(provider.Config{BaseURL: up.URL + base}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Complete(t.Context(), ringwall.Call{API: "gemini", Model: "m"}); err != nil || path != want {
			t.Errorf("%s: %s, %v", base, path, err)
		}
		p.Close()
	}
	if p, err := gemini.New(provider.Config{}, nil); err != nil {
		t.Errorf("New() = %v, %v", p, err)
	}
}
