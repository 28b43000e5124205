// Package tools has agents with the official clients of OpenAI, Anthropic and AWS ask
// for tools through the real program: what is held is answered in the words of each,
// approved by the command line, and runs once.
package tools

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// call is a call of a tool.
type call struct{ ID, Name, Arguments string }

// answers is what a client reads: its text, its calls, why it ended, and what came over
// the wire.
type answers struct {
	text  string
	calls []call
	stop  string
	held  string // the header with the approval
	raw   string
}

// model is a provider of chat completions that asks for the calls that a test wants, in
// pieces of three bytes where it is streamed.
type model struct {
	mu    sync.Mutex
	calls []call
}

func (m *model) wants(calls ...call) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = calls
}

// ServeHTTP implements http.Handler.
func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q struct{ Stream bool }
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &q)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	m.mu.Lock()
	calls := m.calls
	m.mu.Unlock()
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	if !q.Stream {
		var list []string
		for _, c := range calls {
			list = append(list, fmt.Sprintf(`{"id":%s,"type":"function","function":{"name":%s,"arguments":%s}}`, quote(c.ID), quote(c.Name), quote(c.Arguments)))
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"At once.","tool_calls":[%s]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`, strings.Join(list, ","))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	frame := func(delta, finish string) {
		fmt.Fprintf(w, "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":%s,\"finish_reason\":%s}]}\n\n", delta, finish)
		http.NewResponseController(w).Flush()
	}
	frame(`{"role":"assistant","content":"At once."}`, "null")
	for i, c := range calls {
		frame(fmt.Sprintf(`{"tool_calls":[{"index":%d,"id":%s,"type":"function","function":{"name":%s,"arguments":""}}]}`, i, quote(c.ID), quote(c.Name)), "null")
		for at := 0; at < len(c.Arguments); at += 3 {
			frame(fmt.Sprintf(`{"tool_calls":[{"index":%d,"function":{"arguments":%s}}]}`, i, quote(c.Arguments[at:min(at+3, len(c.Arguments))])), "null")
		}
	}
	frame("{}", `"tool_calls"`)
	io.WriteString(w, "data: [DONE]\n\n")
}

// gateway is a running ringwall.
type gateway struct {
	t           *testing.T
	binary, dir string
	url         string
}

const config = `data: %s
listen: 127.0.0.1:0
providers:
  stub: {base_url: %s/v1, retries: -1}
default_provider: stub
tools:
  unknown: deny
  known:
    - {name: get_weather, effect: read, sensitive: [], output: trusted}
    - {name: send_message, effect: external, sensitive: [to]}
policy: {dir: %s}
approvals: {think: 1s}
`

const policies = `@id("all") permit (principal, action, resource);
@id("messages") @hold("it goes out of the house")
permit (principal, action == Ringwall::Action::"call-tool", resource == Ringwall::Tool::"send_message");
`

// stand stands a gateway before a model.
func stand(t *testing.T) (*gateway, *model) {
	t.Helper()
	binary := os.Getenv("RINGWALL")
	if binary == "" {
		binary = "../../../bin/ringwall"
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		t.Fatal(err)
	}
	m := &model{}
	stub := httptest.NewServer(m)
	t.Cleanup(stub.Close)
	g := &gateway{t: t, binary: binary, dir: t.TempDir()}
	for name, text := range map[string]string{
		"ringwall.yaml":      fmt.Sprintf(config, filepath.Join(g.dir, "data"), stub.URL, filepath.Join(g.dir, "policy")),
		"policy/tools.cedar": policies,
	} {
		file := filepath.Join(g.dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(binary, "serve", "--config", filepath.Join(g.dir, "ringwall.yaml"))
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("ringwall ended: %v: %s", err, log.String())
		}
	})
	r := bufio.NewReader(out)
	line, _ := r.ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "ringwall serves ")
	if !ok {
		t.Fatalf("ringwall says %q", line)
	}
	g.url = strings.TrimSuffix(url, "/v1")
	go io.Copy(io.Discard, r) // ends with the program
	return g, m
}

// run runs a command of the program.
func (g *gateway) run(args ...string) string {
	g.t.Helper()
	cmd := exec.Command(g.binary, append(args, "--config", filepath.Join(g.dir, "ringwall.yaml"))...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		g.t.Fatalf("ringwall %s: %v: %s%s", strings.Join(args, " "), err, out, errs.String())
	}
	return strings.TrimSpace(string(out))
}

// wire remembers what came over the wire.
type wire struct {
	mu  sync.Mutex
	raw bytes.Buffer
	hdr http.Header
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.hdr = resp.Header.Clone()
	w.mu.Unlock()
	resp.Body = &tee{resp.Body, w}
	return resp, nil
}

type tee struct {
	io.ReadCloser
	w *wire
}

// Read implements io.Reader.
func (t *tee) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.w.mu.Lock()
	t.w.raw.Write(p[:n])
	t.w.mu.Unlock()
	return n, err
}

// take adds what came over the wire to a.
func (w *wire) take(a *answers) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a.raw, a.held = w.raw.String(), w.hdr.Get("X-Ringwall-Approval")
}
