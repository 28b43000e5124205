package address_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringwall/ringwall/waf/address"
)

// v2 is a header of version 2 with what is behind its lengths.
func v2(command, family byte, body string) string {
	head := "\r\n\r\n\x00\r\nQUIT\n" + string([]byte{command, family})
	return head + string(binary.BigEndian.AppendUint16(nil, uint16(len(body)))) + body
}

const (
	four = "\xCB\x00\x71\x09\x0A\x00\x00\x01\x12\x34\x01\xBB" // 203.0.113.9 to 10.0.0.1
	tlv  = "\x04\x00\x03abc"
)

func six(from string) string {
	a := netip.MustParseAddr(from).As16()
	return string(a[:]) + string(a[:]) + "\x12\x34\x01\xBB"
}

// summed is a header of version 2 with a checksum that is right, or off by one.
func summed(off uint32) string {
	h := []byte(v2(0x21, 0x11, four+"\x03\x00\x04\x00\x00\x00\x00"))
	sum := crc32.Checksum(h, crc32.MakeTable(crc32.Castagnoli))
	binary.BigEndian.PutUint32(h[len(h)-4:], sum+off)
	return string(h)
}

// behind serves HTTP behind a Listener, and tells whom each request comes from.
func behind(t *testing.T, l *address.Listener) string {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Listener = tcp
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RemoteAddr)
	})}
	go s.Serve(l) //nolint:errcheck // it ends with the test
	t.Cleanup(func() { s.Close() })
	return tcp.Addr().String()
}

// says connects, writes, and returns the body of the answer; "" when the connection
// was closed without one.
func says(t *testing.T, addr, preface string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return "" // it was reset before we knew that it was there
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(c, preface+"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return resp.Status
	}
	return string(b)
}

func trust(yes bool) func(netip.Addr) bool { return func(netip.Addr) bool { return yes } }

func TestPreface(t *testing.T) {
	addr := behind(t, &address.Listener{Preface: true, Trusted: func(a netip.Addr) bool { return a.IsLoopback() }, Time: 200 * time.Millisecond})
	const own = "127.0.0.1:"
	for _, tt := range []struct{ name, preface, want string }{
		{"version 1", "PROXY TCP4 203.0.113.9 10.0.0.1 4660 443\r\n", "203.0.113.9:4660"},
		{"version 1, IPv6", "PROXY TCP6 2001:db8::7 ::1 4660 443\r\n", "[2001:db8::7]:4660"},
		{"version 1, mapped", "PROXY TCP6 ::ffff:203.0.113.9 ::1 4660 443\r\n", "203.0.113.9:4660"},
		{"version 1, unknown", "PROXY UNKNOWN\r\n", own},
		{"version 1, unknown with more", "PROXY UNKNOWN ffff::1 x y z\r\n", own},
		{"version 2", v2(0x21, 0x11, four), "203.0.113.9:4660"},
		{"version 2 with TLVs", v2(0x21, 0x11, four+tlv+tlv), "203.0.113.9:4660"},
		{"version 2, IPv6", v2(0x21, 0x21, six("2001:db8::7")), "[2001:db8::7]:4660"},
		{"version 2, mapped", v2(0x21, 0x21, six("::ffff:203.0.113.9")), "203.0.113.9:4660"},
		{"version 2, a health check", v2(0x20, 0x00, ""), own},
		{"version 2, local with addresses", v2(0x20, 0x11, four), own},
		{"version 2, a Unix socket", v2(0x21, 0x31, strings.Repeat("x", 216)), own},
		{"version 2, a checksum", summed(0), "203.0.113.9:4660"},

		{"no header", "", ""},
		{"version 1, too long", "PROXY TCP4 " + strings.Repeat("1", 200) + "\r\n", ""},
		{"version 1, a line feed alone", "PROXY TCP4 203.0.113.9 10.0.0.1 4660 443\n", ""},
		{"version 1, the other family", "PROXY TCP4 2001:db8::7 ::1 4660 443\r\n", ""},
		{"version 1, a leading zero", "PROXY TCP4 203.0.113.9 10.0.0.1 04660 443\r\n", ""},
		{"version 1, two spaces", "PROXY TCP4  203.0.113.9 10.0.0.1 4660 443\r\n", ""},
		{"version 1, no port", "PROXY TCP4 203.0.113.9 10.0.0.1 4660\r\n", ""},
		{"version 1, a zone", "PROXY TCP6 fe80::1%lo fe80::1%lo 1 2\r\n", ""},
		{"version 1 in small letters", "proxy TCP4 203.0.113.9 10.0.0.1 4660 443\r\n", ""},
		{"version 3", v2(0x31, 0x11, four), ""},
		{"another command", v2(0x22, 0x11, four), ""},
		{"another family", v2(0x21, 0x41, four), ""},
		{"too short for its addresses", v2(0x21, 0x11, four[:11]), ""},
		{"a TLV that is cut", v2(0x21, 0x11, four+tlv[:4]), ""},
		{"a TLV that reaches beyond", v2(0x21, 0x11, four+"\x04\x00\x09abc"), ""},
		{"too many TLVs", v2(0x21, 0x11, four+strings.Repeat(tlv, 1000)), ""},
		{"a wrong checksum", summed(1), ""},
		{"cut, and then nothing", v2(0x21, 0x11, four+strings.Repeat(tlv, 500))[:400], ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := says(t, addr, tt.preface); !strings.HasPrefix(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("the request comes from %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPrefaceOfOthersIsNotRead(t *testing.T) {
	addr := behind(t, &address.Listener{Preface: true, Trusted: trust(false)})
	for _, preface := range []string{"", "PROXY TCP4 127.0.0.1 10.0.0.1 4660 443\r\n", v2(0x21, 0x11, four)} {
		if got := says(t, addr, preface); got != "" {
			t.Errorf("%q is answered as from %s", preface, got)
		}
	}
	plain := behind(t, &address.Listener{Trusted: trust(true)})
	if got := says(t, plain, "PROXY TCP4 203.0.113.9 10.0.0.1 4660 443\r\n"); strings.HasPrefix(got, "203.") || strings.HasPrefix(got, "127.") {
		t.Errorf("without the protocol, a header is answered as from %s", got)
	}
}

// A proxy that sends nothing holds up nobody else, and not for long.
func TestSlowPreface(t *testing.T) {
	addr := behind(t, &address.Listener{Preface: true, Trusted: trust(true), Time: 100 * time.Millisecond})
	for range 4 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, "PROXY TC")
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		defer func() {
			if _, err := c.Read(make([]byte, 1)); err == nil || isTimeout(err) {
				t.Errorf("a connection without a whole header stays open: %v", err)
			}
		}()
	}
	if got := says(t, addr, "PROXY TCP4 203.0.113.9 10.0.0.1 4660 443\r\n"); got != "203.0.113.9:4660" {
		t.Errorf("others are answered as from %q", got)
	}
}

func isTimeout(err error) bool {
	n, ok := err.(net.Error) //nolint:errorlint // it is what Read returns
	return ok && n.Timeout()
}

func TestDroppedAtAccept(t *testing.T) {
	var asked atomic.Value
	l := &address.Listener{Trusted: trust(false), Drop: func(a netip.Addr) bool {
		asked.Store(a)
		return true
	}}
	if got := says(t, behind(t, l), ""); got != "" || asked.Load() != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("answered %q, and asked about %v", got, asked.Load())
	}
	l = &address.Listener{Trusted: trust(true), Drop: func(netip.Addr) bool { return true }}
	if got := says(t, behind(t, l), ""); got == "" {
		t.Error("a trusted proxy was dropped")
	}
	l = &address.Listener{Preface: true, Trusted: func(a netip.Addr) bool { return a.IsLoopback() }, Drop: func(a netip.Addr) bool { return a.String() == "203.0.113.9" }}
	addr := behind(t, l)
	if got := says(t, addr, v2(0x21, 0x11, four)); got != "" {
		t.Errorf("the address behind a proxy is answered: %s", got)
	}
	if got := says(t, addr, "PROXY TCP4 203.0.113.8 10.0.0.1 4660 443\r\n"); got != "203.0.113.8:4660" {
		t.Errorf("another one is not: %q", got)
	}
}
