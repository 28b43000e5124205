package bench

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// environ gives this process what targets have.
func environ(tb testing.TB) {
	for _, e := range environment {
		name, value, _ := strings.Cut(e, "=")
		tb.Setenv(name, value)
	}
}

func TestEachDialectSaysTheSame(t *testing.T) {
	text := strings.Join(said, "")
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			frames := d.frames()
			body := bytes.Join(frames, nil)
			if got, ended, err := d.heard(body); got != text || !ended || err != nil {
				t.Errorf("heard %q, ended %t, %v", got, ended, err)
			}
			if got, ended, _ := d.heard(bytes.Join(frames[:len(frames)/2], nil)); got == text || ended {
				t.Error("half of the stream was taken for the whole")
			}
			with := 0
			for _, f := range frames {
				if got, _, _ := d.heard(f); got != "" {
					with++
				}
			}
			if with != Chunks {
				t.Errorf("%d frames have a piece of the text, want %d", with, Chunks)
			}
			if !strings.Contains(string(d.whole()), text[:50]) {
				t.Errorf("the whole answer says something else: %.300s", d.whole())
			}
		})
	}
}

// Ringwall asks the provider of each dialect in its own words: Bedrock by its paths,
// with requests that are signed, and nobody is shown the client's key.
func TestProvidersAreAskedInTheirDialect(t *testing.T) {
	environ(t)
	var asked *http.Request
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r
		for _, d := range dialects {
			if strings.HasPrefix(r.URL.Path, d.prefix) {
				w.Write(d.whole()) //nolint:errcheck // the test would see it
			}
		}
	}))
	defer up.Close()
	dir := t.TempDir()
	key, err := prepare(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	addr, serve, err := serveRingwall(t.Context(), Target{Upstream: up.URL, Data: dir, Dialects: Dialects()})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- serve() }()
	t.Cleanup(func() { <-served })
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			s := Scenario{Name: "unary-1k", Prompt: 1 << 10, Dialect: d.name}
			c, err := dial(t.Context(), addr, time.Now().Add(patience))
			if err != nil {
				t.Fatal(err)
			}
			defer c.c.Close()
			var body []byte
			c.body = &body
			if err := c.do(requests(s, addr, key)[0]); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			if !bytes.Equal(body, d.whole()) || asked.URL.Path != d.path[0] {
				t.Errorf("asked %s, answered %.200s", asked.URL.Path, body)
			}
			var shown strings.Builder
			asked.Header.Write(&shown) //nolint:errcheck // into memory
			if strings.Contains(shown.String(), key) {
				t.Error("the provider was shown the client's key")
			}
			if signed := strings.HasPrefix(asked.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIA"); signed != (d.provider == "bedrock") {
				t.Errorf("signed: %t", signed)
			}
		})
	}
}

func FuzzHeard(f *testing.F) {
	for i, d := range dialects {
		f.Add(i, bytes.Join(d.frames(), nil))
	}
	f.Fuzz(func(t *testing.T, i int, body []byte) {
		d := dialects[uint(i)%uint(len(dialects))]
		if text, _, _ := d.heard(body); len(text) > 3*len(body) { // bytes that are no UTF-8 become three
			t.Errorf("%d bytes of text came out of %d", len(text), len(body))
		}
	})
}
