package gullible

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// ModelName is the name under which the model is listed. It answers to any.
const ModelName = "gullible"

// ServeHTTP serves POST /v1/chat/completions, whole or as server-sent events,
// and GET /v1/models. Any or no key is accepted.
func (m *Model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	want := http.MethodGet
	switch r.URL.Path {
	case "/v1/chat/completions":
		want = http.MethodPost
	case "/v1/models", "/v1/models/" + ModelName:
	default:
		refuse(w, &Error{
			Status: http.StatusNotFound, Type: "invalid_request_error", Code: "unknown_url",
			Message: fmt.Sprintf("Unknown request URL: %s %s.", r.Method, r.URL.Path),
		})
		return
	}
	if r.Method != want {
		w.Header().Set("Allow", want)
		refuse(w, &Error{
			Status: http.StatusMethodNotAllowed, Type: "invalid_request_error", Code: "method_not_supported",
			Message: fmt.Sprintf("Not allowed to %s on %s.", r.Method, r.URL.Path),
		})
		return
	}
	switch r.URL.Path {
	case "/v1/chat/completions":
		m.chat(w, r)
	case "/v1/models":
		write(w, http.StatusOK, encode(struct {
			Object string   `json:"object"`
			Data   []listed `json:"data"`
		}{"list", []listed{self}}))
	default:
		write(w, http.StatusOK, encode(self))
	}
}

type listed struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

var self = listed{ModelName, "model", created, "ringwall"}

func (m *Model) chat(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			body = make([]byte, maxBody+1) // parse says what is wrong with that
		} else {
			refuse(w, invalid("", "We could not read the body of your request."))
			return
		}
	}
	q, err := parse(body)
	if err != nil {
		refuse(w, err)
		return
	}
	if !q.Stream {
		doc, err := m.Complete(r.Context(), body)
		if err != nil {
			refuse(w, err)
			return
		}
		write(w, http.StatusOK, doc)
		return
	}
	m.events(w, r, body)
}

// events writes a stream. Once it has begun, an error can only end it.
func (m *Model) events(w http.ResponseWriter, r *http.Request, body []byte) {
	flush := http.NewResponseController(w).Flush
	begun := false
	for data, err := range m.Stream(r.Context(), body) {
		if err != nil {
			if !begun {
				refuse(w, err)
			}
			return
		}
		if !begun {
			begun = true
			w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
			w.Header().Set("Cache-Control", "no-cache")
			w.WriteHeader(http.StatusOK)
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil {
			return
		}
		if err := flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return
		}
	}
	_, _ = io.WriteString(w, "data: [DONE]\n\n") // who left does not read it
}

// refuse writes an error; one that is not ours is the client's leaving.
func refuse(w http.ResponseWriter, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Status: http.StatusServiceUnavailable, Type: "server_error", Message: "The request was given up."}
		if errors.Is(err, context.Canceled) {
			e.Status = 499 // nobody reads it; the log of a proxy may
		}
	}
	write(w, e.Status, e.Body())
}

func write(w http.ResponseWriter, status int, doc []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(doc) // who left does not read it
}

// CheckListen reports whether the gullible model may be reached at addr, a
// host and port as net.Listen takes it. It refuses every address that is not
// loopback, names other than localhost included, because nobody knows where a
// name leads tomorrow. With insecure, which stands for the flag
// --i-know-this-is-insecure, every address that can be read is accepted.
func CheckListen(addr string, insecure bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("checking the listen address of the gullible model: %w", err)
	}
	if insecure || host == "localhost" {
		return nil
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("the gullible model obeys everyone and may listen on a loopback address only, not on %q: "+
		"use 127.0.0.1, or give --i-know-this-is-insecure", addr)
}
