// Package house stands the real program up for the suites: a stub in the place
// of a model, and before it one gateway for each way that people run it. Suites
// in Go call [Start]; those in other languages run cmd/house, which prints the
// same [House] as JSON.
//
// Everything listens on loopback, on free ports, and keeps its data in one
// temporary directory, which goes away with [House.Stop].
package house

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Gateway is a running ringwall.
type Gateway struct {
	URL  string `json:"url"`  // base URL, with /v1
	Key  string `json:"key"`  // of a caller; "" where callers need none
	Data string `json:"data"` // directory of its records

	process *exec.Cmd
	exited  chan error
	log     *os.File
}

// House is the stub and the gateways before it.
type House struct {
	Ringwall string `json:"ringwall"` // the program
	Stub     string `json:"stub"`     // URL of the stub, without /v1

	// Open is `ringwall serve --upstream … --anonymous`.
	Open *Gateway `json:"open"`
	// Keys has callers show keys; every model is the stub's.
	Keys *Gateway `json:"keys"`
	// Restore is Keys with values restored.
	Restore *Gateway `json:"restore"`
	// Strict knows the one model "assistant", which the stub knows as
	// "stub-assistant", reads 64 KiB of a request and waits a second for an answer.
	Strict *Gateway `json:"strict"`
	// Claude is Keys where the stub speaks Anthropic's Messages API.
	Claude *Gateway `json:"claude"`

	dir  string
	http *http.Server
}

// startTimeout bounds the start of each gateway.
const startTimeout = 30 * time.Second

const (
	claude = `data: %s
listen: 127.0.0.1:0
providers:
  stub:
    type: anthropic
    base_url: %s
    retries: -1
default_provider: stub
`
	keys = `data: %s
listen: 127.0.0.1:0
providers:
  stub:
    base_url: %s/v1
    retries: -1
default_provider: stub
`
	strict = `data: %s
listen: 127.0.0.1:0
limits:
  body: 64KiB
providers:
  stub:
    base_url: %s/v1
    first: 1s
    retries: -1
models:
  assistant:
    provider: stub
    model: stub-assistant
`
)

// Start stands everything up. Binary is the program ringwall.
func Start(binary string) (*House, error) {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, fmt.Errorf("finding ringwall: %w", err)
	}
	dir, err := os.MkdirTemp("", "ringwall-suite-")
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	h := &House{Ringwall: binary, dir: dir}
	if err := h.start(); err != nil {
		return nil, errors.Join(err, h.Stop())
	}
	return h, nil
}

func (h *House) start() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening for the stub: %w", err)
	}
	h.Stub = "http://" + l.Addr().String()
	h.http = &http.Server{Handler: newStub(), ReadHeaderTimeout: 10 * time.Second}
	go h.http.Serve(l) // ends with Stop

	data := filepath.Join(h.dir, "open")
	h.Open = &Gateway{Data: data}
	if err := h.serve(h.Open, "--upstream", h.Stub+"/v1", "--anonymous", "--listen", "127.0.0.1:0", "--data", data); err != nil {
		return err
	}
	for _, g := range []struct {
		name, config string
		to           **Gateway
	}{
		{"keys", keys, &h.Keys},
		{"restore", keys + "restore: {enabled: true}\n", &h.Restore},
		{"strict", strict, &h.Strict},
		{"claude", claude, &h.Claude},
	} {
		data, file := filepath.Join(h.dir, g.name), filepath.Join(h.dir, g.name+".yaml")
		if err := os.WriteFile(file, fmt.Appendf(nil, g.config, data, h.Stub), 0o600); err != nil {
			return fmt.Errorf("writing a configuration: %w", err)
		}
		*g.to = &Gateway{Data: data}
		if err := h.serve(*g.to, "--config", file); err != nil {
			return err
		}
		key, err := exec.Command(h.Ringwall, "keys", "create", "suite", "--config", file).Output()
		if err != nil {
			return fmt.Errorf("making a key: %w", err)
		}
		(*g.to).Key = strings.TrimSpace(string(key))
	}
	return nil
}

// serve starts a gateway and waits for the line that says where it serves.
func (h *House) serve(g *Gateway, args ...string) (err error) {
	if g.log, err = os.Create(g.Data + ".log"); err != nil {
		return fmt.Errorf("making a log: %w", err)
	}
	g.process = exec.Command(h.Ringwall, append([]string{"serve"}, args...)...)
	g.process.Stderr = g.log
	// A key of the person who runs the suite is not for a stub.
	g.process.Env = append(os.Environ(), "OPENAI_API_KEY=")
	out, err := g.process.StdoutPipe()
	if err != nil {
		return fmt.Errorf("starting ringwall: %w", err)
	}
	if err := g.process.Start(); err != nil {
		return fmt.Errorf("starting ringwall: %w", err)
	}
	line := make(chan string, 1)
	g.exited = make(chan error, 1)
	go func() {
		r := bufio.NewReader(out)
		s, _ := r.ReadString('\n') // "" when it ended before
		line <- s
		io.Copy(io.Discard, r)
		g.exited <- g.process.Wait()
	}()
	select {
	case s := <-line:
		url, ok := strings.CutPrefix(strings.TrimSpace(s), "ringwall serves ")
		if !ok {
			log, _ := os.ReadFile(g.log.Name()) // what there is of it
			return fmt.Errorf("ringwall %s did not serve: it says %q: %s", strings.Join(args, " "), s, log)
		}
		g.URL = url
		return nil
	case <-time.After(startTimeout):
		return fmt.Errorf("ringwall %s did not serve in time", strings.Join(args, " "))
	}
}

// Stop ends everything and reports gateways that did not end well.
func (h *House) Stop() error {
	var errs []error
	for _, g := range []*Gateway{h.Open, h.Keys, h.Restore, h.Strict, h.Claude} {
		if g != nil {
			errs = append(errs, g.stop())
		}
	}
	if h.http != nil {
		errs = append(errs, h.http.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(h.dir))...)
}

func (g *Gateway) stop() error {
	if g.log != nil {
		defer g.log.Close()
	}
	if g.process == nil || g.process.Process == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	g.process.Process.Signal(syscall.SIGTERM) // one that is gone has ended
	select {
	case err := <-g.exited:
		if err != nil {
			return fmt.Errorf("ringwall ended: %w", err)
		}
		return nil
	case <-ctx.Done():
		g.process.Process.Kill()
		return errors.New("ringwall did not end in time and was killed")
	}
}
