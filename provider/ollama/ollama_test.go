package ollama_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/provider"
	"github.com/ringwall/ringwall/provider/ollama"
)

func TestLines(t *testing.T) {
	long := strings.Repeat("x", 40<<10)
	for _, tt := range []struct {
		name, in string
		want     []string
		err      error
	}{
		{"nothing", "", nil, nil},
		{"two lines", "a\nb\n", []string{"a", "b"}, nil},
		{"no newline at the end", "a\nb", []string{"a", "b"}, nil},
		{"blank lines and carriage returns", "\r\na\r\n\n \nb\n", []string{"a", "b"}, nil},
		{"lines longer than the buffer", long + "\n" + long + "\n", []string{long, long}, nil},
		{"a line over the bound", "a\n" + strings.Repeat("x", 5<<20), []string{"a"}, ollama.ErrTooLong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(tt.in), iotest.HalfReader(strings.NewReader(tt.in))} {
				var got []string
				var failed error
				for ev, err := range ollama.Lines(r) {
					if failed = err; err == nil {
						got = append(got, string(ev.Data))
					}
				}
				if !slices.Equal(got, tt.want) || !errors.Is(failed, tt.err) {
					t.Errorf("%d lines, %v", len(got), failed)
				}
			}
		})
	}
}

// However a stream is cut, its lines are the same, and none is lost.
func FuzzLines(f *testing.F) {
	f.Add([]byte("{\"a\":1}\n\n{\"b\":2}\r\n{"))
	f.Add([]byte("\n\n \n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var want [][]byte
		for line := range bytes.SplitSeq(in, []byte{'\n'}) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				want = append(want, line)
			}
		}
		for _, r := range []io.Reader{bytes.NewReader(in), iotest.OneByteReader(bytes.NewReader(in))} {
			n := 0
			for ev, err := range ollama.Lines(r) {
				if err != nil || n == len(want) || !bytes.Equal(ev.Data, want[n]) || ev.More && n+1 == len(want) {
					t.Fatalf("line %d of %q is %q, %v", n, in, ev.Data, err)
				}
				n++
			}
			if n != len(want) {
				t.Fatalf("%d lines of %q", n, in)
			}
		}
	})
}

func TestAsks(t *testing.T) {
	var asked string
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = r.Method + " " + r.URL.String() + " " + r.Header.Get("Authorization") + " " + string(b)
		switch {
		case r.URL.Path == "/api/tags":
			io.WriteString(w, `{"models":[{"name":"llama3.2:3b"},{"name":"qwen3"}]}`)
		case bytes.Contains(b, []byte("missing")):
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"error":"model not found"}`)
		case bytes.Contains(b, []byte(`"stream":false`)):
			io.WriteString(w, `{"done":true}`)
		case bytes.Contains(b, []byte("cut")):
			w.Header().Set("Content-Type", "application/x-ndjson")
			io.WriteString(w, "{\"done\":false}\n")
		case bytes.Contains(b, []byte("broken")):
			w.Header().Set("Content-Type", "application/x-ndjson")
			io.WriteString(w, "{\"done\":fal\n")
		default:
			w.Header().Set("Content-Type", "application/x-ndjson")
			io.WriteString(w, "{\"done\":false}\n{\"done\":true}\n{\"behind\":1}\n")
		}
	}))
	defer up.Close()
	p, err := ollama.New(provider.Config{BaseURL: up.URL + "/", Retries: -1}, func() (string, error) { return "k", nil })
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if out, err := p.Complete(t.Context(), ringwall.Call{API: "ollama", Body: []byte(`{"stream":false}`)}); err != nil || string(out) != `{"done":true}` || asked != `POST /api/chat Bearer k {"stream":false}` {
		t.Errorf("%s, %v, asked %s", out, err, asked)
	}
	var refusal *ringwall.Refusal
	if _, err := p.Complete(t.Context(), ringwall.Call{API: "ollama-generate", Body: []byte(`"missing"`)}); !errors.As(err, &refusal) || refusal.Status != 400 || strings.Contains(refusal.Public, "not found") || !strings.HasPrefix(asked, "POST /api/generate") {
		t.Errorf("%v, asked %s", err, asked)
	}
	for body, want := range map[string]string{`{}`: "2 <nil>", `"cut"`: "1 unexpected EOF", `"broken"`: "0 error"} {
		n, failed := 0, error(nil)
		for ev, err := range p.Events(t.Context(), ringwall.Call{API: "ollama", Body: []byte(body)}) {
			if failed = err; err == nil && json.Valid(ev.Data) {
				n++
			}
		}
		end := fmt.Sprint(failed)
		if errors.Is(failed, io.ErrUnexpectedEOF) {
			end = "unexpected EOF"
		} else if failed != nil {
			end = "error"
		}
		if got := fmt.Sprintf("%d %s", n, end); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	if names, err := p.Models(t.Context()); err != nil || !slices.Equal(names, []string{"llama3.2:3b", "qwen3"}) {
		t.Errorf("Models() = %v, %v", names, err)
	}
}
