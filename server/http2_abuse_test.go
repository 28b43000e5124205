package server_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/ringwall/ringwall/config"
)

// counted has connections from this machine bounded as all others are.
func counted(c *config.Config) { c.Overload.Connections.Exempt = nil }

// hostile is a client of HTTP/2 that does what it likes.
type hostile struct {
	*http2.Framer
	t    *testing.T
	conn net.Conn
	enc  *hpack.Encoder
	head bytes.Buffer
	next uint32
	deaf bool
	gone chan error // the server closed the connection
	read func(http2.Frame)
}

// newHostile connects to h. Frames that come are given to read, if it is there; with
// deaf nothing is read.
func newHostile(t *testing.T, h *house, deaf bool, read func(http2.Frame), settings ...http2.Setting) *hostile {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	x := &hostile{Framer: http2.NewFramer(c, c), t: t, conn: c, deaf: deaf, next: 1, gone: make(chan error, 1), read: read}
	x.enc = hpack.NewEncoder(&x.head)
	c.SetDeadline(time.Now().Add(40 * time.Second))
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := x.WriteSettings(settings...); err != nil {
		t.Fatal(err)
	}
	if !deaf {
		go func() {
			for {
				f, err := x.ReadFrame()
				if err != nil {
					x.gone <- err
					return
				}
				if x.read != nil {
					x.read(f)
				}
			}
		}()
	}
	return x
}

// headers returns the headers of a request, and of nothing else with none.
func (x *hostile) headers(more ...string) []byte {
	x.head.Reset()
	for i := 0; i < len(more); i += 2 {
		x.enc.WriteField(hpack.HeaderField{Name: more[i], Value: more[i+1]})
	}
	return x.head.Bytes()
}

// ask begins a request and returns its stream.
func (x *hostile) ask(end bool) (uint32, error) {
	id := x.next
	x.next += 2
	return id, x.WriteHeaders(http2.HeadersFrameParam{StreamID: id, EndHeaders: true, EndStream: end, BlockFragment: x.headers(
		":method", "POST", ":scheme", "http", ":path", "/v1/chat/completions", ":authority", "x", "content-type", "application/json")})
}

// flood calls f until the server closes the connection, and fails when it does not.
func (x *hostile) flood(most int, f func() error) (n int) {
	x.t.Helper()
	for n = range most {
		if f() != nil {
			return n
		}
	}
	if x.deaf { // all of it may stand in buffers: the end shows only to who reads
		go func() {
			if _, err := io.Copy(io.Discard, x.conn); !errors.Is(err, os.ErrDeadlineExceeded) {
				x.gone <- err
			}
		}()
	}
	select {
	case <-x.gone:
	case <-time.After(15 * time.Second):
		x.t.Errorf("%d times, and the connection stays open", most)
	}
	return n
}

// serving is how many goroutines serve connections: those of other tests' clients,
// stores and timers come and go.
func serving() int {
	all := make([]byte, 8<<20)
	return bytes.Count(all[:runtime.Stack(all, true)], []byte("created by net/http.(*Server).Serve"))
}

// calm waits until no more connections are served than before.
func calm(t *testing.T, before int) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	until(t, "the goroutines ended", func() bool { return serving() <= before })
}

func TestHTTP2Floods(t *testing.T) {
	var asked atomic.Int64
	u := newUpstream(t, nil)
	u.answer = func(w http.ResponseWriter, r *http.Request, body string) {
		asked.Add(1)
		says("fine", 3)(w, r, body)
	}
	h := stand(t, u, func(c *config.Config) {
		counted(c)
		c.Limits.Write = 500 * time.Millisecond
	})
	h.chat(question("hi", ""))
	http.DefaultClient.CloseIdleConnections()
	u.CloseClientConnections()
	before := serving()
	for _, tt := range []struct {
		name string
		deaf bool
		most int
		make func(x *hostile) func() error
	}{
		{"rapid reset (CVE-2023-44487)", false, 20000, func(x *hostile) func() error {
			return func() error {
				id, err := x.ask(true)
				return errors.Join(err, x.WriteRSTStream(id, http2.ErrCodeCancel))
			}
		}},
		{"resets in the middle of bodies", false, 20000, func(x *hostile) func() error {
			return func() error {
				id, err := x.ask(false)
				return errors.Join(err, x.WriteData(id, false, []byte(`{"model"`)), x.WriteRSTStream(id, http2.ErrCodeCancel))
			}
		}},
		{"CONTINUATION (CVE-2023-45288)", false, 20000, func(x *hostile) func() error {
			first := true
			return func() error {
				if first {
					first = false
					return x.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: x.headers(":method", "GET", ":scheme", "http", ":path", "/", ":authority", "x")})
				}
				return x.WriteContinuation(1, false, x.headers("x", strings.Repeat("y", 1000)))
			}
		}},
		{"CONTINUATION of nothing", false, 200000, func(x *hostile) func() error {
			first := true
			return func() error {
				if first {
					first = false
					return x.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: x.headers(":method", "GET")})
				}
				return x.WriteContinuation(1, false, nil)
			}
		}},
		{"PING", false, 200000, func(x *hostile) func() error { return func() error { return x.WritePing(false, [8]byte{}) } }},
		{"PING, and no answer is read", true, 200000, func(x *hostile) func() error { return func() error { return x.WritePing(false, [8]byte{}) } }},
		{"SETTINGS", false, 200000, func(x *hostile) func() error { return func() error { return x.WriteSettings() } }},
		{"SETTINGS, and no answer is read", true, 200000, func(x *hostile) func() error { return func() error { return x.WriteSettings() } }},
		{"PRIORITY", false, 200000, func(x *hostile) func() error {
			return func() error { return x.WritePriority(1, http2.PriorityParam{StreamDep: 3, Weight: 1}) }
		}},
		{"WINDOW_UPDATE", false, 200000, func(x *hostile) func() error { return func() error { return x.WriteWindowUpdate(0, 1) } }},
		{"windows that overflow", false, 10, func(x *hostile) func() error { return func() error { return x.WriteWindowUpdate(0, 1<<31-1) } }},
		{"RST_STREAM of what never was", false, 200000, func(x *hostile) func() error { return func() error { return x.WriteRSTStream(1, http2.ErrCodeCancel) } }},
		{"frames that nobody knows", false, 200000, func(x *hostile) func() error {
			return func() error { return x.WriteRawFrame(99, 0, 0, []byte("hello")) }
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newHostile(t, h, tt.deaf, nil)
			asked.Store(0)
			n := x.flood(tt.most, tt.make(x))
			x.conn.Close()
			h := *h
			h.t = t
			if resp, body := h.chat(question("hi", "")); resp.StatusCode != 200 {
				t.Errorf("another client read %d %s", resp.StatusCode, body)
			}
			http.DefaultClient.CloseIdleConnections()
			u.CloseClientConnections()
			calm(t, before)
			t.Logf("closed after %d frames or pairs; the model was asked %d times; as many connections are served as before", n, asked.Load()-1)
		})
	}
}

// A client that opens no window for the answer holds a request for as long as it may
// take to accept a piece.
func TestHTTP2WindowsThatStayShut(t *testing.T) {
	for name, setting := range map[string]http2.Setting{
		"nothing":       {ID: http2.SettingInitialWindowSize, Val: 0},
		"byte for byte": {ID: http2.SettingInitialWindowSize, Val: 1},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t, says(strings.Repeat("many words ", 2000), 1000))
			h := stand(t, u, func(c *config.Config) {
				counted(c)
				c.Limits.Write = 300 * time.Millisecond
				c.Limits.Concurrent = 1
			})
			reset := make(chan http2.ErrCode, 10)
			ended := make(chan bool, 10)
			x := newHostile(t, h, false, func(f http2.Frame) {
				switch f := f.(type) {
				case *http2.RSTStreamFrame:
					reset <- f.ErrCode
				case *http2.DataFrame:
					if f.StreamEnded() {
						ended <- true
					}
				}
			}, setting)
			id, err := x.ask(false)
			if err != nil {
				t.Fatal(err)
			}
			if err := x.WriteData(id, true, []byte(question("hi", `,"stream":true`))); err != nil {
				t.Fatal(err)
			}
			stop := make(chan struct{})
			defer close(stop)
			if setting.Val == 1 {
				go func() { // opens the window by one byte now and then
					for {
						select {
						case <-stop:
							return
						case <-time.After(50 * time.Millisecond):
							if x.WriteWindowUpdate(id, 1) != nil {
								return
							}
						}
					}
				}()
			}
			select {
			case <-reset:
			case <-ended:
				t.Error("the answer came whole")
			case <-x.gone:
			case <-time.After(10 * time.Second):
				t.Fatal("the stream is held for ever")
			}
			until(t, "the slot is free", func() bool {
				resp, _ := h.chat(question("hi", ""))
				return resp.StatusCode == 200
			})
		})
	}
}

func TestHTTP2StreamsOfAConnection(t *testing.T) {
	release := make(chan struct{})
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, body string) {
		<-release
		says("fine", 3)(w, r, body)
	})
	h := stand(t, u, func(c *config.Config) { counted(c); c.HTTP.Streams = 5 })
	most := make(chan uint32, 1)
	refused := make(chan http2.ErrCode, 100)
	x := newHostile(t, h, false, func(f http2.Frame) {
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if n, ok := f.Value(http2.SettingMaxConcurrentStreams); ok {
				most <- n
			}
		case *http2.RSTStreamFrame:
			refused <- f.ErrCode
		}
	})
	if n := <-most; n != 5 {
		t.Errorf("the server says %d streams", n)
	}
	if err := x.WriteSettingsAck(); err != nil { // only then it holds
		t.Fatal(err)
	}
	for range 6 {
		id, err := x.ask(false)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.WriteData(id, true, []byte(question("hi", ""))); err != nil {
			break
		}
	}
	select {
	case code := <-refused:
		if code != http2.ErrCodeProtocol { // it was told how many there may be (RFC 9113 §5.1.2)
			t.Errorf("the sixth stream: %v", code)
		}
	case <-x.gone:
		t.Error("the connection was closed")
	case <-time.After(10 * time.Second):
		t.Error("a sixth stream is served")
	}
	close(release)
}
