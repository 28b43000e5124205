package bench

import (
	"net"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// answered has a conn read the given bytes as an answer, cut into single bytes
// where slow, and returns the body.
func answered(t *testing.T, raw string, slow bool) (body string, err error) {
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close(); there.Close() })
	go func() {
		there.Read(make([]byte, 10)) //nolint:errcheck // the request is of no interest
		var buf [1]byte
		r := iotest.OneByteReader(strings.NewReader(raw))
		if !slow {
			there.Write([]byte(raw)) //nolint:errcheck // the reader may have gone
			there.Close()
			return
		}
		for {
			if _, err := r.Read(buf[:]); err != nil {
				there.Close()
				return
			}
			if _, err := there.Write(buf[:]); err != nil {
				return
			}
		}
	}()
	var got []byte
	c := &conn{c: here, buf: make([]byte, 256), body: &got}
	here.SetDeadline(time.Now().Add(5 * time.Second)) //nolint:errcheck // a pipe takes it
	err = c.do([]byte("x"))
	return string(got), err
}

func TestAnswersAreRead(t *testing.T) {
	for _, tt := range []struct {
		name, raw, want string // want "": an error
	}{
		{"a length", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "hello"},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1a\r\n" + strings.Repeat("x", 26) + "\r\n0\r\n\r\n", "hello" + strings.Repeat("x", 26)},
		{"a body longer than the buffer", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + strings.Repeat("y", 1000), strings.Repeat("y", 1000)},
		{"another status", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nhello", ""},
		{"a body that is cut", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", ""},
		{"chunks that are cut", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", ""},
		{"no length", "HTTP/1.1 200 OK\r\n\r\nhello", ""},
		{"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n", ""},
		{"a head without end", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("z", 999), ""},
	} {
		for _, slow := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				got, err := answered(t, tt.raw, slow)
				if tt.want == "" && err == nil || tt.want != "" && (err != nil || got != tt.want) {
					t.Errorf("got %q, %v; want %q", got, err, tt.want)
				}
			})
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n")
	f.Fuzz(func(t *testing.T, raw string) {
		body, err := answered(t, raw, false)
		if err == nil && len(body) > len(raw) {
			t.Errorf("a body of %d bytes came out of %d", len(body), len(raw))
		}
	})
}

// BenchmarkExchange is a request on its way through everything, with the load and
// the stub in the same process: for profiles, not for figures.
func BenchmarkExchange(b *testing.B) {
	all := slices.Clone(Scenarios)
	for _, name := range Dialects()[1:] {
		all = append(all, Scenario{Name: "stream-1k", Prompt: 1 << 10, Stream: true, Dialect: name})
	}
	for _, s := range all {
		b.Run(s.String(), func(b *testing.B) {
			ctx := b.Context()
			environ(b)
			stub, serve, err := serveStub(ctx)
			if err != nil {
				b.Fatal(err)
			}
			go serve() //nolint:errcheck // ends with the context
			dir := b.TempDir()
			key, err := prepare(ctx, dir)
			if err != nil {
				b.Fatal(err)
			}
			addr, serve, err := serveRingwall(ctx, Target{Upstream: "http://" + stub, Data: dir, Dialects: Dialects()})
			if err != nil {
				b.Fatal(err)
			}
			served := make(chan error, 1)
			go func() { served <- serve() }()
			b.Cleanup(func() { <-served })
			c, err := dial(ctx, addr, time.Now().Add(time.Minute))
			if err != nil {
				b.Fatal(err)
			}
			defer c.c.Close()
			requests := requests(s, addr, key)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := c.do(requests[i%len(requests)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
