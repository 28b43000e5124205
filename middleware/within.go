package middleware

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// within is a RoundTripper that asks a handler in the same process. The answer comes
// while the handler writes it.
type within struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t within) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	in := r.WithContext(ctx)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.RequestURI = in.URL.RequestURI()
	pr, pw := io.Pipe()
	w := &writer{header: http.Header{}, body: pw, begun: make(chan struct{})}
	go func() {
		defer in.Body.Close()
		defer func() {
			if p := recover(); p != nil {
				w.err = fmt.Errorf("middleware: the handler panicked: %v", p)
				w.begin(0)
				pw.CloseWithError(w.err)
				return
			}
			w.begin(http.StatusOK)
			pw.CloseWithError(io.EOF)
		}()
		t.handler.ServeHTTP(w, in)
	}()
	select {
	case <-w.begun:
	case <-ctx.Done():
		cancel()
		pr.CloseWithError(ctx.Err())
		return nil, ctx.Err()
	}
	if w.status == 0 {
		cancel()
		return nil, w.err
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: &body{pr, cancel}, ContentLength: -1, Request: r,
	}, nil
}

// body ends the handler when nobody reads any more.
type body struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (b *body) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}

// writer is the http.ResponseWriter of a handler in the same process.
type writer struct {
	header http.Header
	body   *io.PipeWriter
	once   sync.Once
	begun  chan struct{} // closed when what is below is set
	status int           // 0: it panicked before it answered
	sent   http.Header
	err    error
}

// Header implements http.ResponseWriter.
func (w *writer) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	if status >= 200 { // those before are no answers
		w.begin(status)
	}
}

func (w *writer) begin(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.begun)
	})
}

// Write implements http.ResponseWriter.
func (w *writer) Write(b []byte) (int, error) {
	w.begin(http.StatusOK)
	return w.body.Write(b)
}

// Flush implements http.Flusher: what is written has been read.
func (w *writer) Flush() { w.begin(http.StatusOK) }
