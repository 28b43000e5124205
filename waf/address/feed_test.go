package address_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/waf/address"
)

func TestParseFeed(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"plain text", "192.0.2.1\n2001:db8::/32\n", "192.0.2.1/32 2001:db8::/32"},
		{"Spamhaus' DROP, text", "; Spamhaus DROP List 2026/01/01 - (c) 2026\n; Expires: …\n192.0.2.0/24 ; SBL1\n198.51.100.0/24 ; SBL2\n", "192.0.2.0/24 198.51.100.0/24"},
		{"Spamhaus' DROP, JSON", `{"cidr":"192.0.2.0/24","sblid":"SBL1","rir":"ripencc"}` + "\n" + `{"type":"metadata","timestamp":1,"records":1,"copyright":"c"}` + "\n", "192.0.2.0/24"},
		{"FireHOL's netset", "#\n# firehol_level1\n#\n192.0.2.0/24\n198.51.100.7\n", "192.0.2.0/24 198.51.100.7/32"},
		{"AWS", `{"syncToken":"1","createDate":"2026","prefixes":[{"ip_prefix":"192.0.2.0/24","region":"eu-central-1","service":"S3","network_border_group":"x"}],"ipv6_prefixes":[{"ipv6_prefix":"2001:db8::/32","region":"r","service":"S3"}]}`, "192.0.2.0/24 2001:db8::/32"},
		{"a JSON list of texts", ` ["192.0.2.0/24","192.0.2.1"]`, "192.0.2.0/24 192.0.2.1/32"},
		{"a JSON list of objects", `[{"cidr":"192.0.2.0/24"}]`, "192.0.2.0/24"},
		{"CSV, a byte order mark, Windows' line ends", "\xEF\xBB\xBF192.0.2.1,bad,1\r\n192.0.2.2\tx\r\n", "192.0.2.1/32 192.0.2.2/32"},
		{"a range", "192.0.2.1-192.0.2.6\n", "192.0.2.1/32 192.0.2.2/31 192.0.2.4/31 192.0.2.6/32"},
		{"a range to the end", "255.255.255.254-255.255.255.255\n", "255.255.255.254/31"},
		{"a host within a network", "192.0.2.9/24\n", "192.0.2.0/24"},
		{"mapped", "::ffff:192.0.2.9\n", "192.0.2.9/32"},
		{"nothing", "# nothing\n\n", ""},

		{"a name", "192.0.2.1\nexample.org\n", `! line 2: "example.org" is neither`},
		{"a page of HTML", "<!DOCTYPE html><html>", "! line 1"},
		{"all", "0.0.0.0/0\n", "! line 1: a feed with all"},
		{"all of IPv6", "::/0", "! line 1: a feed with all"},
		{"all as a range", "0.0.0.0-255.255.255.255", "! line 1: a feed with all"},
		{"a range that ends before it begins", "192.0.2.6-192.0.2.1", "! line 1: 192.0.2.6-192.0.2.1 is no range"},
		{"a range of two kinds", "192.0.2.6-2001:db8::", "! line 1"},
		{"a cut JSON", `{"cidr":"192.0.2.0/24"}` + "\n" + `{"cidr":"192.`, "! line 2: reading its JSON"},
		{"an object without cidr", `{"ip":"192.0.2.0/24"}`, "! line 1"},
		{"an object that says what it is not", `{"error":"rate limited"}`, "! line 1"},
		{"a cut list", `["192.0.2.0/24"`, "! reading its JSON"},
		{"a list of numbers", `[1]`, "! entry 0"},
		{"bytes", "\xFF\xFE1\x00", "! it is no text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all, err := address.ParseFeed([]byte(tt.src))
			want, bad := strings.CutPrefix(tt.want, "! ")
			if bad {
				if err == nil || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("ParseFeed() = %v, %v, want %q", all, err, want)
				}
				return
			}
			if got := strings.Trim(fmt.Sprint(all), "[]"); err != nil || got != want {
				t.Errorf("ParseFeed() = %s, %v, want %s", got, err, want)
			}
		})
	}
}

// What is read is networks, and what is written of them is read again.
func FuzzParseFeed(f *testing.F) {
	for _, s := range []string{"192.0.2.1\n", "; x\n192.0.2.0/24 ; y\n", `{"cidr":"192.0.2.0/24"}`, `["::/1"]`, `{"prefixes":[{"ip_prefix":"192.0.2.0/24"}]}`, "192.0.2.1-192.0.2.99", "::1-::ff", "#", "\xEF\xBB\xBF1.1.1.1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		all, err := address.ParseFeed(src)
		if err != nil {
			return
		}
		var text strings.Builder
		for _, p := range all {
			if !p.IsValid() || p != p.Masked() || p.Addr().Is4In6() || p.Bits() == 0 {
				t.Fatalf("%q has %s", src, p)
			}
			fmt.Fprintln(&text, p)
		}
		again, err := address.ParseFeed([]byte(text.String()))
		if err != nil || !slices.Equal(all, again) {
			t.Fatalf("%v is read again as %v, %v", all, again, err)
		}
	})
}

func contains(f *address.Feed, addr string) bool { return f.Contains(netip.MustParseAddr(addr)) }

func TestFeedOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list")
	write := func(s string) {
		t.Helper()
		if err := os.WriteFile(file+".new", []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	f := &address.Feed{Name: "f", File: file}
	if _, err := f.Load(t.Context()); !errors.Is(err, fs.ErrNotExist) || contains(f, "192.0.2.1") {
		t.Errorf("without a file: %v", err)
	}
	write("192.0.2.1")
	if changed, err := f.Load(t.Context()); !changed || err != nil || !contains(f, "192.0.2.1") {
		t.Errorf("Load() = %v, %v", changed, err)
	}
	if changed, err := f.Load(t.Context()); changed || err != nil {
		t.Errorf("unchanged, Load() = %v, %v", changed, err)
	}
	write("nonsense")
	if _, err := f.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "reading the feed f: "+file+": line 1") || !contains(f, "192.0.2.1") {
		t.Errorf("nonsense: %v", err)
	}
	write("192.0.2.2")
	if changed, err := f.Load(t.Context()); !changed || err != nil || contains(f, "192.0.2.1") || !contains(f, "192.0.2.2") {
		t.Errorf("Load() = %v, %v", changed, err)
	}
}

func TestFeedByHTTPS(t *testing.T) {
	body, status, asked := "192.0.2.1\n", 200, []string{}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("If-None-Match"))
		tag := fmt.Sprintf(`"%x"`, body)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", tag)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	dir := t.TempDir()
	feed := func() *address.Feed {
		return &address.Feed{Name: "bad hosts", URL: srv.URL, Dir: dir, Client: srv.Client()}
	}
	f := feed()
	if err := f.Recall(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing was kept: %v", err)
	}
	load := func(want bool, why string) {
		t.Helper()
		changed, err := f.Load(t.Context())
		if changed != want || (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("Load() = %v, %v, want %v, %q", changed, err, want, why)
		}
		if !contains(f, "192.0.2.1") {
			t.Error("192.0.2.1 is gone")
		}
	}
	load(true, "")
	load(false, "")
	if !slices.Equal(asked, []string{"", `"3139322e302e322e310a"`}) {
		t.Errorf("asked with %q", asked)
	}
	for _, bad := range []string{"", "# none", "<html>", "0.0.0.0/0", strings.Repeat("#", address.MaxFeed) + "\n1.2.3.4"} {
		body = bad
		load(false, srv.URL)
	}
	body, status = "192.0.2.9", 503
	load(false, "503 Service Unavailable")
	checked := f.Checked()
	f = feed() // the next start
	if err := f.Recall(); err != nil || !contains(f, "192.0.2.1") {
		t.Errorf("Recall() = %v", err)
	}
	status = 200
	body = "192.0.2.1\n192.0.2.3"
	load(true, "")
	if !contains(f, "192.0.2.3") || f.Checked().Before(checked) {
		t.Error("the new list is not in force")
	}
	f = &address.Feed{Name: "x", URL: srv.URL}
	if _, err := f.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a server that nobody vouches for: %v", err)
	}
}

func TestCheckURL(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://example.org/list": true, "http://127.0.0.1:8080/list": true, "http://localhost/l": true, "http://[::1]/l": true,
		"http://example.org/list": false, "http://127.0.0.1.example.org/": false, "file:///etc/passwd": false, "https://u:p@example.org/": false, "https:///x": false, "list": false, "": false,
	} {
		if err := address.CheckURL(url); (err == nil) != ok {
			t.Errorf("CheckURL(%q) = %v", url, err)
		}
	}
}
