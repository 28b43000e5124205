package judge_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/judge"
)

// pipes serves handler over connections in memory, which a synctest bubble knows
// to wait for, and returns how to dial it.
func pipes(t *testing.T, handler http.HandlerFunc) func(context.Context, string, string) (net.Conn, error) {
	l := &listener{conns: make(chan net.Conn), done: make(chan struct{})}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: time.Hour, ErrorLog: quiet()}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Shutdown(context.Background()); <-ended }) // waits for the handlers
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		here, there := net.Pipe()
		select {
		case l.conns <- there:
			return here, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-l.done:
			return nil, errors.New("nobody listens")
		}
	}
}

type listener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *listener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

// reading has handler called once the request was read.
func reading(handler func(w http.ResponseWriter, r *http.Request, text string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var req chatRequest
		_ = json.NewDecoder(r.Body).Decode(&req)
		text := ""
		if len(req.Messages) > 0 {
			text = req.Messages[len(req.Messages)-1].Content
		}
		handler(w, r, text)
	}
}

func safe(w io.Writer) { _, _ = io.WriteString(w, completion("safe", nil)) }

func llama(dial func(context.Context, string, string) (net.Conn, error)) judge.Config {
	return judge.Config{Kind: judge.LlamaGuard, Controls: []string{content}, URL: "http://judge.test/v1", Model: "m", Dial: dial}
}

// ask asks j about text, and returns the result.
func ask(j *judge.Judge, text string) judge.Result {
	_, err := j.Judge(context.Background(), ringwall.Input, input(text))
	switch {
	case err == nil:
		return "answered"
	case judge.Of(err) == "":
		return judge.Result(err.Error())
	}
	return judge.Of(err)
}

// notes is an Observer that writes down what it hears.
type notes struct {
	mu  sync.Mutex
	all []string
}

func (n *notes) Judged(_ string, r judge.Result, _ time.Duration, _ error) {
	n.note("look " + string(r))
}

func (n *notes) Called(_ string, _ time.Duration, err error) { n.note(fmt.Sprint("call ", err == nil)) }
func (n *notes) Breaker(_ string, s judge.State)             { n.note("breaker " + s.String()) }

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// pemFile writes a certificate to a file.
func pemFile(t *testing.T, der []byte) string {
	name := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
