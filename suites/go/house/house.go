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
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ringwall/ringwall/suites/go/stage"
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
	// Scenes has a model PROVIDER-SCENE for each scene of each provider that package
	// stage plays. For Bedrock's InvokeModel each is also anthropic.claude-PROVIDER-SCENE,
	// and anthropic.claude-SCENE is Bedrock's.
	Scenes *Gateway `json:"scenes"`
	// Upstream is the URL of those providers.
	Upstream string `json:"upstream"`

	dir  string
	http []*http.Server
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

// scenes is the configuration of Scenes.
func scenes(data, url string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "data: %s\nlisten: 127.0.0.1:0\nguardrail: scenes\nguardrails:\n  scenes: {link: {output: block}}\nproviders:\n", data)
	for _, p := range Providers {
		config := strings.ReplaceAll(p.config, "URL", url)
		fmt.Fprintf(&b, "  %s: {%s, first: 20s, retries: -1}\n", p.Name, config)
		fmt.Fprintf(&b, "  %s-hasty: {%s, first: 1s, retries: -1}\n", p.Name, config)
	}
	b.WriteString("models:\n")
	for _, scene := range slices.Sorted(maps.Keys(stage.Scenes)) {
		for _, p := range Providers {
			provider := p.Name
			if scene == "silent" {
				provider += "-hasty" // nobody has to wait for long
			}
			fmt.Fprintf(&b, "  %s-%s: {provider: %s, model: %[2]s}\n", p.Name, scene, provider)
			fmt.Fprintf(&b, "  anthropic.claude-%s-%s: {provider: %s, model: %[2]s}\n", p.Name, scene, provider)
		}
		fmt.Fprintf(&b, "  anthropic.claude-%s: {provider: %s}\n", scene, map[bool]string{false: "bedrock", true: "bedrock-hasty"}[scene == "silent"])
	}
	return b.String()
}

// Providers are those of Scenes.
var Providers = []struct{ Name, config string }{
	{"openai", "type: openai, base_url: URL/platform/v1, api_key: \"env:SUITE_KEY\", apis: [openai, openai-embeddings]"},
	{"responses", "type: openai, base_url: URL/responses/v1, api_key: \"env:SUITE_KEY\", apis: [openai-responses]"},
	{"azure", "type: azure, base_url: URL, api_key: \"env:SUITE_KEY\", apis: [openai]"},
	{"anthropic", "type: anthropic, base_url: URL/anthropic, api_key: \"env:SUITE_KEY\""},
	{"bedrock", "type: bedrock, base_url: URL/bedrock, region: " + stage.Region}, // and AWS's credentials
	{"gemini", "type: gemini, base_url: URL/gemini/v1beta, api_key: \"env:SUITE_KEY\""},
	{"ollama", "type: ollama, base_url: URL/ollama"},
}

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
	var err error
	if h.Stub, err = h.listen(newStub()); err != nil {
		return err
	}
	if h.Upstream, err = h.listen(stage.New()); err != nil {
		return err
	}

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
		{"scenes", "", &h.Scenes},
	} {
		data, file := filepath.Join(h.dir, g.name), filepath.Join(h.dir, g.name+".yaml")
		text := scenes(data, h.Upstream)
		if g.config != "" {
			text = fmt.Sprintf(g.config, data, h.Stub)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
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

// listen serves until Stop, and returns where.
func (h *House) listen(handler http.Handler) (url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening for a stub: %w", err)
	}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	h.http = append(h.http, s)
	go s.Serve(l) // ends with Stop
	return "http://" + l.Addr().String(), nil
}

// serve starts a gateway and waits for the line that says where it serves.
func (h *House) serve(g *Gateway, args ...string) (err error) {
	if g.log, err = os.Create(g.Data + ".log"); err != nil {
		return fmt.Errorf("making a log: %w", err)
	}
	g.process = exec.Command(h.Ringwall, append([]string{"serve"}, args...)...)
	g.process.Stderr = g.log
	// Keys of the person who runs the suite are not for a stub.
	g.process.Env = append(os.Environ(), "OPENAI_API_KEY=", "SUITE_KEY="+stage.Key, "AWS_ACCESS_KEY_ID="+stage.KeyID, "AWS_SECRET_ACCESS_KEY="+stage.Secret, "AWS_SESSION_TOKEN=")
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
	for _, g := range []*Gateway{h.Open, h.Keys, h.Restore, h.Strict, h.Claude, h.Scenes} {
		if g != nil {
			errs = append(errs, g.stop())
		}
	}
	for _, s := range h.http {
		errs = append(errs, s.Close())
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
