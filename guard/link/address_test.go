package link_test

import (
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/link"
	"github.com/ringwall/ringwall/guard/stream"
)

var secretText = base64.RawURLEncoding.EncodeToString([]byte("the customer's name is Ada Lovelace"))

func TestReasons(t *testing.T) {
	s := link.Scanner{Hosts: []string{"nordwind.com", "*.nordwind.com", "wikipedia.org"}, Deny: []string{"*.evil.example"}}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ reason, in string }{
		{link.Reason, "![a](https://e.example/?q=1)"},
		{link.Reason, "![a][x] and then\n\n[x]: https://e.example/?q=1"},
		{link.Reason, "[x]: https://e.example/?q=1\n\nlook: ![a][x]"},
		{link.Reason, "[x]: //e.example/?q=1\n\nlook: ![x]"},
		{link.Reason, "![" + strings.Repeat("long ", 100) + "](https://e.example/?q=1)"},
		{link.Reason, `<video controls poster='https://e.example/p.png?d=1'>`},
		{link.Reason, `<img srcset="a.png 1x, https://e.example/b.png?d=1 2x">`},
		{link.Reason, `<iframe src="https://e.example/?d=1"></iframe>`},
		{link.Reason, `<link rel=stylesheet href=//e.example/?d=1>`},
		{link.Reason, `<a ping="https://e.example/?d=1" href="https://wikipedia.org">`},
		{link.Reason, `<meta http-equiv="refresh" content="0; url=https://e.example/?d=1">`},
		{link.Reason, `<div style="background: url(https://e.example/?d=1)">`},
		{link.Reason, `body { background-image:url('//e.example/?d=1') }`},
		{link.Reason, `<img src="https:\\e.example\?d=1">`},
		{link.Reason, `<img src="https&colon;//e.example/?d=1">`},
		{link.Reason, `<img src="h&#x74;tps://e.example/?d=1">`},
		{link.Reason, `<img alt="a > b" src="https://e.example/?d=1">`},
		{link.Reason, "<img\nsrc\n=\n\"https://e.example/?d=1\"\n>"},
		{link.Reason, `<a x="<img src=https://e.example/?d=1>`},
		{link.Reason, `<a ` + strings.Repeat("x ", 3000) + `<img src="https://e.example/?d=1">`},
		{link.Reason, strings.Repeat("<a ", 2000) + `<img src="https://e.example/?d=1">`},
		{link.Reason, `<a <img src="https://e.example/?d=1">`},
		{link.Reason, `<a href="#" style="background:url('https://e.example/?d=1')">x</a>`},
		{link.ReasonData, "[more](https://e.example/?q=" + secretText + ")"},
		{link.ReasonData, "see https://e.example/" + secretText + " for more"},
		{link.ReasonData, "see https://e.example/x#" + hex.EncodeToString([]byte("my password is blue")) + "."},
		{link.ReasonData, "<https://e.example/?q=" + secretText + ">"},
		{link.ReasonData, "https://e.example/?n=Ada+Lovelace+lives+in+12+Park+Lane+and+her+card+ends+in+1111"},
		{link.ReasonData, "https://e.example/?n=Ada%20Lovelace%20lives%20in%2012%20Park%20Lane%20and%20her%20card%20ends%20in%201111"},
		{link.ReasonData, "https://" + strings.Repeat("a1", 20) + ".e.example/"},
		{link.ReasonData, "www.e.example/?q=" + secretText},
		{link.ReasonData, "https://e.example/?" + strings.Repeat("a=b&", 400)},
		{link.ReasonScript, "[x](javascript:alert(1))"},
		{link.ReasonScript, `<a href="jav&#x09;ascript:alert(1)">x</a>`},
		{link.ReasonScript, `<a href=" JaVaScRiPt:alert(1)">x</a>`},
		{link.ReasonScript, `<iframe src="vbscript:msgbox(1)">`},
		{link.ReasonScript, "[x]: javascript:alert(1)"},
		{link.ReasonDataURI, "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)"},
		{link.ReasonDataURI, `<object data="data:text/html,<script>alert(1)</script>">`},
		{link.ReasonDataURI, "open data:text/html;base64,PHNjcmlwdD4= in a tab"},
		{link.ReasonDenied, "https://cdn.evil.example/x.js"},
		{link.ReasonCredentials, "https://nordwind.com@e.example/login"},
		{link.ReasonCredentials, "[pay](https://www.nordwind.com%2f@e.example/)"},
		{link.ReasonRawIP, "http://2130706433/"},
		{link.ReasonRawIP, "[x](http://0x08.0x08.0x08.0x08/a)"},
		{link.ReasonRawIP, "http://010.010.010.010/"},
		{link.ReasonRawIP, "http://169.254.169.254/latest/meta-data/"},
		{link.ReasonRawIP, "![x](http://8.8.8.8/a.png)"},
		{link.ReasonLookalike, "https://nordwlnd.com/"},
		{link.ReasonLookalike, "https://n0rdwind.com/"},
		{link.ReasonLookalike, "https://nordwind-login.com/"},
		{link.ReasonLookalike, "https://nordwind.com.evil.io/"},
		{link.ReasonLookalike, "https://nordwind-com.evil.io/"},
		{link.ReasonLookalike, "https://www.nord-wind.com/"},
		{link.ReasonLookalike, "https://nоrdwind.com/"}, // a Cyrillic letter
		{link.ReasonLookalike, "https://xn--nrdwind-9fg.com/"},
		{link.ReasonLookalike, "https://paypa1.com/x"},
		{link.ReasonLookalike, "https://paypal.com.account.io/"},
		{link.ReasonLookalike, "https://secure-paypal.net/"},
		{link.ReasonLookalike, "https://rnicrosoft.com/"},
		{link.ReasonShortener, "https://bit.ly/3abcDEF"},
	} {
		_, fs := guardtest.Mask(t, s, stream.Scope{}, tt.in)
		if len(fs) == 0 || !slices.ContainsFunc(fs, func(f ringwall.Finding) bool { return f.Reason == tt.reason }) {
			t.Errorf("%q: found %+v, want %s", tt.in, fs, tt.reason)
		}
		for _, size := range []int{1, 3, 11} {
			same(t, s, tt.in, func() int { return size })
		}
	}
	guardtest.Run(t, s, guardtest.Case{Bad: []string{"![a](https://e.example/?q=1)"}, Good: []string{
		"", "See the [documentation](https://docs.python.org/3/library/os.html#os.path).", "https://pkg.go.dev/net/http@go1.22.0#Client.Do", "<https://www.rfc-editor.org/rfc/rfc9110#section-15.5.4>",
		"https://github.com/golang/go/commit/4f0c1e0b8f5a4b1d9a0b6b6f7d8c9e0a1b2c3d4e", "https://docs.google.com/document/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms/edit?usp=sharing",
		"https://www.amazon.de/dp/B08N5WRWNW?ref=ppx_yo2ov_dt_b_product_details&th=1", "https://de.wikipedia.org/wiki/Stra%C3%9Fenbahn_Z%C3%BCrich_(Schweiz)", "https://shop.example/search?q=red+running+shoes&page=2&sort=price",
		"| a | [x](https://a.example) |\n| b | [y](https://b.example/c?d=1) |", "a footnote[^1]\n\n[^1]: https://a.example/b", "[1]: https://a.example/b \"title\"", "mailto:ada@example.com or ada@example.com", "[mail](mailto:ada@example.com?subject=hi)",
		"```go\nresp, err := http.Get(\"https://api.github.com/repos/o/r/issues?state=open&per_page=100\")\n```", `const u = "https://api.shop.example/v1/orders?limit=10";`, "http://localhost:8080/metrics?x=1", "http://192.168.1.10/admin", "http://10.0.0.1:3000/?a=b",
		"[top](#top) [b](./b.md) [c](/c?d=1)", `<a href="#">x</a> <a href="javascript:void(0)">y</a> <img src="/a.png?v=3">`, "![logo](https://static.example/logo.png)", "![dot](data:image/png;base64,AAAA)", `<script src="https://cdn.jsdelivr.net/npm/vue@3/dist/vue.js?x"></script>`,
		"javascript: the good parts", "data: 1, 2, 3", "the url(s) of a page", "if a[i](x) < b", "https://nordwind.com/orders?token=" + secretText, "https://www.nordwind.com/", "https://nordwind.de/", "https://north.com", "https://user@bitbucket.org/team/repo.git",
		"https://hub.docker.com/layers/library/alpine/3.18/images/sha256-" + strings.Repeat("4f0c1e0b", 8), "https://s3.amazonaws.com/bucket/key?versionId=3HL4kqtJvjVBH40Nrjfkd", "http://8.8.8.8/", "https://web.archive.org/web/20200101000000/https://a.example/",
		"https://medium.com/@ada/how-i-learned-to-stop-worrying-and-love-the-compiler-a-very-long-story-about-types-4f0c1e0b8f5a", "https://a.example/uuid/3f2504e0-4f89-11d3-9a0c-0305e82c3301", "wss://stream.example/socket", "ftp://ftp.gnu.org/gnu/", "（https://a.example/路径）",
		"https://fonts.googleapis.com/css2?family=Inter", `<link href="https://fonts.googleapis.com/css2?family=Inter:wght@400&display=swap" rel="stylesheet">`, "see http://", "https:// and www. and <a", "https://münchen.de/",
	}})
}

func TestOnly(t *testing.T) {
	s := link.Scanner{Hosts: []string{"*.nordwind.com"}, Only: true}
	for _, tt := range []struct{ in, want string }{
		{"see https://other.example/x there", "see {LINK_HOST} there"},
		{"see [x](https://other.example/x) there", "see [x]({LINK_HOST}) there"},
		{"![x](https://other.example/x.png)", "{REMOTE_IMAGE}"},
		{"see https://www.nordwind.com/x?y=z there", "see https://www.nordwind.com/x?y=z there"},
		{"a@other.example, [x](#y)", "a@other.example, [x](#y)"},
	} {
		if got, _ := guardtest.Mask(t, s, stream.Scope{}, tt.in); got != tt.want {
			t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, host := range []string{"", "*.", "https://a.example", "a.*.example", "A.example", "a.example:80"} {
		if err := (link.Scanner{Hosts: []string{host}}).Check(); err == nil {
			t.Errorf("%q was taken", host)
		}
	}
}

// pieces are what addresses are made of.
var pieces = []string{
	"![", "](", "[x]", "[x]: ", "![x]", "https://", "http://e.example", "/?q=1", ")", "(", "<img src=", "<img ", "src=\"", "\"", ">", "<a href='", "'", "\n", "\n\n", " ", "javascript:", "alert(1)", "data:text/html,", "www.", "url(", ": ", "java", "h", "ht",
	"bit.ly/x", "a@b.c", "@", "<a ", "<a x='", strings.Repeat("<a b ", 30), "\\", "\\n", "é", "。", "&#x74;", "\t", strings.Repeat("a", 90), strings.Repeat("b1", 270), "e.example", ".", "|", "\u200b", "\xff", "<https://", "nordwind.com@", "2130706433",
}

func TestCutsMakeNoDifference(t *testing.T) {
	s := link.Scanner{Hosts: []string{"nordwind.com"}, Only: true}
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var b strings.Builder
		for range 1 + rng.IntN(14) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		for _, most := range []int{1, 5, 60} {
			same(t, s, b.String(), func() int { return 1 + rng.IntN(most) })
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func same(t *testing.T, s stream.Scanner, text string, next func() int) {
	t.Helper()
	want, all := guardtest.Mask(t, s, stream.Scope{}, text)
	cursor, _ := s.Begin(stream.Scope{})
	r := stream.New(stream.Config{Watches: []stream.Watch{{Cursor: cursor}}, Decide: func(ringwall.Finding) ringwall.Action { return ringwall.Mask }})
	var got strings.Builder
	for i := 0; i < len(text); {
		n := min(next(), len(text)-i)
		got.Write(r.Write([]byte(text[i : i+n])))
		if !strings.HasPrefix(want, got.String()) {
			t.Errorf("of %q\nsent %q, which does not begin\n%q", text[:i+n], got.String(), want)
			return
		}
		i += n
	}
	got.Write(r.Close())
	if got.String() != want || !slices.EqualFunc(all, r.Findings(), func(a, b ringwall.Finding) bool { return a.Where == b.Where && a.Reason == b.Reason }) {
		t.Errorf("of   %q\nsent %q\nwant %q", text, got.String(), want)
	}
}

func BenchmarkProse(b *testing.B) {
	text := []byte(strings.Repeat("The committee met on Tuesday to review 14 open questions about shipping to Zurich, and agreed on most. ", 80)[:8<<10])
	folded := []byte(strings.ToLower(string(text)))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		c, _ := link.Scanner{}.Begin(stream.Scope{})
		c.Scan(stream.Window{Clean: text, Folded: folded, Final: true}, func(stream.Match) {})
	}
}

func BenchmarkLinks(b *testing.B) {
	text := []byte(strings.Repeat("See the [documentation](https://docs.example/guide/a?b=c) and ![logo](https://static.example/logo.png), or https://nordwind.example/x. ", 70)[:8<<10])
	folded := []byte(strings.ToLower(string(text)))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		c, _ := link.Scanner{Hosts: []string{"nordwind.example"}}.Begin(stream.Scope{})
		c.Scan(stream.Window{Clean: text, Folded: folded, Final: true}, func(stream.Match) {})
	}
}
