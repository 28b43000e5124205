package address

import (
	"errors"
	"testing"
)

// However a header is cut, it is read as a whole or not yet; and what is behind it
// changes nothing.
func FuzzPreface(f *testing.F) {
	for _, s := range []string{
		"PROXY TCP4 203.0.113.9 10.0.0.1 4660 443\r\n", "PROXY UNKNOWN\r\n", "PROXY TCP6 ::1 ::1 1 2\r\n", "GET / HTTP/1.1\r\n", "PROXY", "",
		signature2 + "\x21\x11\x00\x0C\xCB\x00\x71\x09\x0A\x00\x00\x01\x12\x34\x01\xBB", signature2 + "\x20\x00\x00\x00", signature2 + "\x21\x11\xFF\xFF",
		signature2 + "\x21\x11\x00\x13\xCB\x00\x71\x09\x0A\x00\x00\x01\x12\x34\x01\xBB\x03\x00\x04abcd",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		at, n, err := parsePreface(b)
		if err != nil {
			if n != 0 || at.IsValid() {
				t.Fatalf("an error with %s and %d bytes", at, n)
			}
			return
		}
		if n <= 0 || n > len(b) || n > maxV2 || at.IsValid() && at.Addr().Is4In6() {
			t.Fatalf("%s of %d bytes of %d", at, n, len(b))
		}
		if again, m, err := parsePreface(b[:n]); again != at || m != n || err != nil {
			t.Fatalf("alone it is %s of %d, %v", again, m, err)
		}
		for i := range n {
			if _, _, err := parsePreface(b[:i]); !errors.Is(err, errMore) {
				t.Fatalf("cut at %d of %d: %v", i, n, err)
			}
		}
	})
}
