package server_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/approval"
	"github.com/ringwall/ringwall/server"
)

// elements are all that the page is made of.
var elements = strings.Fields("html head meta title style body a header nav p bdi main h1 h2 span code strong dl dt dd section ul ol li details summary div form label input button time br small table caption thead tbody tr th td")

// Whatever an agent says, the page is made of our elements alone: nothing of it runs,
// loads, leads elsewhere or hides.
func FuzzApprovalCard(f *testing.F) {
	f.Add(`{"to":"<script>alert(1)</script>"}`, `"><img src=x onerror=y>`, "turn 1")
	f.Add(`{"</style><b>":"</code>"}`, "external", "' onmouseover='x")
	f.Add("{\"a\":\"\u202e\u200b\"}", "read", "javascript:x")
	f.Add("\xff{{", "</title>", "&#x202e;")
	f.Fuzz(func(t *testing.T, arguments, name, from string) {
		v := approval.Seen{Token: "t" + name}
		v.ID, v.State, v.Tool, v.Effect, v.Arguments, v.Digest, v.Reason, v.Rules = "ap_x", approval.Pending, name, from, arguments, name, from, []string{name}
		v.Conversation, v.Principal = from, ringwall.Principal{ID: name, Tenant: from, Via: "key", Key: name}
		v.Need = approval.Need{By: approval.ByRole, Roles: []string{"finance"}, Count: 2}
		v.Provenance = []ringwall.ArgumentUse{{Path: "/to", Sensitive: true, From: from, How: name}}
		v.Votes = []approval.Vote{{Principal: name, Approve: true}}
		page, err := server.ApprovalCard(&v, approval.Approver{Principal: v.Principal}, "wrong")
		if err != nil {
			t.Fatal(err)
		}
		forms := 0
		for z := html.NewTokenizer(bytes.NewReader(page)); ; {
			switch z.Next() {
			case html.EndTagToken, html.DoctypeToken:
			case html.ErrorToken:
				if !errors.Is(z.Err(), io.EOF) {
					t.Fatal(z.Err())
				}
				if forms != 2 {
					t.Fatalf("%d forms: %s", forms, page)
				}
				return
			case html.CommentToken:
				t.Fatalf("a comment: %s", z.Raw())
			case html.TextToken:
				if strings.ContainsFunc(z.Token().Data, func(r rune) bool { return r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf) }) {
					t.Fatalf("a character hides in %q", z.Raw())
				}
			case html.StartTagToken, html.SelfClosingTagToken:
				tag := z.Token()
				if !slices.Contains(elements, tag.Data) {
					t.Fatalf("an element %q", tag.Data)
				}
				for _, a := range tag.Attr {
					switch {
					case a.Key == "href" && a.Val != "#main" && a.Val != "/approvals/queue", a.Key == "src", a.Key == "style", strings.HasPrefix(a.Key, "on"):
						t.Fatalf("%s has %s=%q", tag.Data, a.Key, a.Val)
					case a.Key == "action":
						if forms++; a.Val != "/approvals/ap_x/card" {
							t.Fatalf("a form goes to %q", a.Val)
						}
					}
				}
			}
		}
	})
}
