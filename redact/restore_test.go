package redact_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/redact"
)

func TestPlaceholdersAreStableAndTellNothing(t *testing.T) {
	v := memory(t)
	named := redact.Named(ann, "c1")
	token := func(v *redact.Vault, p ringwall.Principal, c redact.Conversation, f ringwall.Finding, text string) string {
		return v.Book(p, c, open).Token(f, []byte(text))
	}
	a := token(v, ann, named, email, "a@b.org")
	if len(a) != len("{EMAIL_4f2a91c0d3b1}") || !strings.HasPrefix(a, "{EMAIL_") || !strings.HasSuffix(a, "}") {
		t.Fatalf("the placeholder is %s", a)
	}
	other, err := redact.Open(t.Context(), redact.Config{Key: key(t, "8")})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, got string
		same      bool
	}{
		{"the same value again", token(v, ann, named, email, "a@b.org"), true},
		{"another process with the key", token(memory(t), ann, named, email, "a@b.org"), true},
		{"another principal of the tenant in it", token(v, bob, named, email, "a@b.org"), true},
		{"another value", token(v, ann, named, email, "c@b.org"), false},
		{"another case of it", token(v, ann, named, email, "A@b.org"), false},
		{"another conversation", token(v, ann, redact.Named(ann, "c2"), email, "a@b.org"), false},
		{"another tenant", token(v, eve, redact.Named(eve, "c1"), email, "a@b.org"), false},
		{"another key", token(other, ann, named, email, "a@b.org"), false},
		{"a derived conversation of that text", token(v, ann, redact.Derived(ann, "c1"), email, "a@b.org"), false},
		{"an anonymous caller who names it", token(v, ringwall.Principal{Tenant: "acme"}, redact.Named(ringwall.Principal{Tenant: "acme"}, "c1"), email, "a@b.org"), false},
		{"no conversation", token(v, ann, redact.Conversation{}, email, "a@b.org"), false},
		{"no conversation, again", token(v, ann, redact.Conversation{}, email, "a@b.org"), false},
	} {
		if (tt.got == a) != tt.same {
			t.Errorf("%s: %s beside %s", tt.name, tt.got, a)
		}
	}
	if b := token(v, ann, named, phone, "a@b.org"); b[len("{PHONE_"):] == a[len("{EMAIL_"):] {
		t.Errorf("another kind: %s beside %s", b, a)
	}
}

func TestWhatIsMaskedForGood(t *testing.T) {
	b := memory(t).Book(ann, redact.Conversation{}, open)
	for _, tt := range []struct{ name, reason, text string }{
		{"a value longer than a vault takes", "private-key", strings.Repeat("x", 16<<10+1)},
		{"a kind that is no word", "a b", "x"},
		{"a kind that is longer than one", strings.Repeat("a", 65), "x"},
		{"nothing", "email", ""},
	} {
		if got := b.Token(ringwall.Finding{Reason: tt.reason}, []byte(tt.text)); strings.Contains(got[1:], "_") && strings.ContainsAny(got, "0123456789") || !b.Empty() {
			t.Errorf("%s became %.80s", tt.name, got)
		}
	}
	small, err := redact.Open(t.Context(), redact.Config{Key: key(t, "7"), MaxEntries: 2})
	if err != nil {
		t.Fatal(err)
	}
	b = small.Book(ann, redact.Conversation{}, open)
	one, two, three := b.Token(email, []byte("1")), b.Token(email, []byte("2")), b.Token(email, []byte("3"))
	if three != "{EMAIL}" || b.Token(email, []byte("1")) != one || b.Restore(one+two+three, redact.Plain) != "12{EMAIL}" {
		t.Errorf("beyond the bound: %s %s %s", one, two, three)
	}
	if got := b.Report().String(); got != "restored email 2; vault full" {
		t.Errorf("the report says %q", got)
	}
}

func TestRestoresWhatTheModelWritesAnotherWay(t *testing.T) {
	b := memory(t).Book(ann, redact.Named(ann, "c"), open)
	in := strings.Trim(b.Token(ringwall.Finding{Reason: "us-social-security-number"}, []byte("V")), "{}")
	hex := in[strings.LastIndexByte(in, '_')+1:]
	for _, tt := range []struct{ name, text, want string }{
		{"as it was", "a {" + in + "} b", "a V b"},
		{"in lower case", "a {" + strings.ToLower(in) + "} b", "a V b"},
		{"in upper case", "a {" + strings.ToUpper(in) + "} b", "a V b"},
		{"without braces", "a " + in + ", b", "a V, b"},
		{"without braces, as all there is", in, "V"},
		{"without braces beside letters that set no space", "は" + in + "に", "はVに"},
		{"in Markdown", "**{" + strings.ReplaceAll(in, "_", `\_`) + "}**", "**V**"},
		{"in Markdown with escaped braces", `\{` + strings.ReplaceAll(in, "_", `\_`) + `\}`, "V"},
		{"in HTML", "<p>&#123;" + in + "&#125;</p>", "<p>V</p>"},
		{"in HTML by names", "&lbrace;" + strings.ReplaceAll(in, "_", "&lowbar;") + "&rcub;", "V"},
		{"in HTML in hexadecimal", "&#X7B;" + strings.ReplaceAll(in, "_", "&#x5F;") + "&#x7D;", "V"},
		{"in JSON", `"\u007b` + strings.ReplaceAll(in, "_", `\u005f`) + `\u007D"`, `"V"`},
		{"with spaces in it", "{ " + in + "  }", "V"},
		{"in two braces", "{{" + in + "}}", "{V}"},
		{"in brackets", "[" + in + "](x)", "[V](x)"},
		{"without its end", "{" + in + " x", "{V x"},
		{"one behind the other", "{" + in + "}{" + in + "}", "VV"},

		{"in the middle of a word", "x" + in, "x" + in},
		{"with a word at its end", in + "s", in + "s"},
		{"with one more digit", "{" + in + "0}", "{" + in + "0}"},
		{"with one digit less", "{" + in[:len(in)-1] + "}", "{" + in[:len(in)-1] + "}"},
		{"of another kind", "{EMAIL_" + hex + "}", "{EMAIL_" + hex + "}"},
		{"of no kind", "{_" + hex + "}", "{_" + hex + "}"},
		{"that was made up", "{US_SOCIAL_SECURITY_NUMBER_000000000000}", "{US_SOCIAL_SECURITY_NUMBER_000000000000}"},
		{"the mask of the kind", "{US_SOCIAL_SECURITY_NUMBER}", "{US_SOCIAL_SECURITY_NUMBER}"},
		{"with a line in it", "{\n" + in + "\n}", "{\nV\n}"},
		{"the beginning of one", "{US_SOCIAL", "{US_SOCIAL"},
		{"only marks", `{ \{ & &# &#12 \u00 {  } \`, `{ \{ & &# &#12 \u00 {  } \`},
	} {
		if got := b.Restore(tt.text, redact.Plain); got != tt.want {
			t.Errorf("%s: Restore(%q) = %q, want %q", tt.name, tt.text, got, tt.want)
		}
		r := b.Restorer(redact.Plain)
		var got []byte
		for i := range len(tt.text) {
			got = append(got, r.Write([]byte{tt.text[i]}, false)...)
		}
		if got = append(got, r.Write(nil, true)...); string(got) != tt.want {
			t.Errorf("%s, byte by byte: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestValuesAreNotLookedAtAgain(t *testing.T) {
	b := memory(t).Book(ann, redact.Conversation{}, open)
	one := b.Token(email, []byte("a@b.org"))
	two := b.Token(phone, []byte(one))
	if got := b.Restore(two+one, redact.Plain); got != one+"a@b.org" {
		t.Errorf("Restore() = %q", got)
	}
}

func TestAValueDoesNotEndAString(t *testing.T) {
	b := memory(t).Book(ann, redact.Conversation{}, open)
	p := b.Token(ringwall.Finding{Reason: "address"}, []byte("1 \"Main\"\\\nRoad"))
	if got := b.Restore(`{"to":"`+p+`",}`, redact.JSON); got != `{"to":"1 \"Main\"\\\nRoad",}` {
		t.Errorf("Restore() = %s", got)
	}
}

func TestWhoMayReadTheirOwn(t *testing.T) {
	staff := redact.Policy{Own: redact.From(ringwall.Staff)}
	for _, tt := range []struct {
		name   string
		p      ringwall.Principal
		policy redact.Policy
		form   redact.Form
		may    bool
	}{
		{"everybody, where everybody may", ann, open, redact.Plain, true},
		{"an anonymous caller, where everybody may", ringwall.Principal{}, open, redact.Plain, true},
		{"everybody, in arguments", ann, open, redact.Argument, true},
		{"nobody, where nothing is said", bob, redact.Policy{}, redact.Plain, false},
		{"a customer, where staff may", ann, staff, redact.Plain, false},
		{"staff, where staff may", bob, staff, redact.Plain, true},
		{"staff, in arguments, where nothing is said of them", bob, staff, redact.Argument, false},
		{"staff, in arguments that are no JSON", bob, staff, redact.JSON, false},
	} {
		b := memory(t).Book(tt.p, redact.Conversation{}, tt.policy)
		p := b.Token(email, []byte("a@b.org"))
		want, report := p+" "+p, "withheld email 2"
		if tt.may {
			want, report = "a@b.org a@b.org", "restored email 2"
		}
		if got := b.Restore(p+" "+p, tt.form); got != want || b.Report().String() != report {
			t.Errorf("%s: %s, %s", tt.name, got, b.Report())
		}
	}
}

// However a text is cut, it comes out as it does whole; each piece is final; and
// what waits is short.
func FuzzRestorer(f *testing.F) {
	f.Add("to \x01 and {\x02} {EMAIL_ \x03 \x04", uint64(1))
	f.Add("{{EMAIL_}\x01\x02\x01\\_\\u005f&#95;&lowbar", uint64(2))
	f.Add(strings.Repeat("{ EMAIL\\_", 40), uint64(3))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if len(text) > 1<<12 {
			return
		}
		b := memory(t).Book(ann, redact.Named(ann, "fuzz"), open)
		one := b.Token(email, []byte("a@b.org"))
		two := b.Token(phone, []byte(one))
		b.Token(ringwall.Finding{Reason: "email-two"}, []byte("x"))
		in := strings.NewReplacer("\x01", one, "\x02", two, "\x03", strings.Trim(one, "{}"), "\x04", strings.ReplaceAll(two, "_", `\_`)).Replace(text)
		want := b.Restore(in, redact.Plain)
		if strings.Contains(strings.ReplaceAll(want, one, ""), two) {
			t.Fatalf("Restore(%q) = %q leaves a placeholder", in, want)
		}
		cut(t, b, in, want, 6, rand.New(rand.NewPCG(seed, 1)))
	})
}

// cut restores a text in pieces of up to most bytes: what is sent is final, and in
// the end what the whole text gives.
func cut(t *testing.T, b *redact.Book, in, want string, most int, rng *rand.Rand) {
	t.Helper()
	r := b.Restorer(redact.Plain)
	var got []byte
	for i := 0; i < len(in); {
		n := min(1+rng.IntN(most), len(in)-i)
		got = append(got, r.Write([]byte(in[i:i+n]), false)...)
		if !strings.HasPrefix(want, string(got)) {
			t.Fatalf("of %q sent %q, want %q", in[:i+n], got, want)
		}
		i += n
	}
	if got = append(got, r.Write(nil, true)...); string(got) != want {
		t.Fatalf("of %q sent %q, want %q", in, got, want)
	}
}

// The same over many texts made of what placeholders are made of.
func TestEveryCuttingIsTheSame(t *testing.T) {
	b := memory(t).Book(ann, redact.Named(ann, "c"), open)
	one, two := b.Token(email, []byte("a@b.org")), b.Token(ringwall.Finding{Reason: "e-mail-two"}, []byte("x {y} _"))
	bits := []string{
		one, two, strings.ToLower(one), strings.Trim(two, "{}"), one[:9], two[3:], strings.ReplaceAll(one, "_", `\_`), strings.ReplaceAll(two, "_", "&#95;"),
		"{", "}", "{ ", " }", `\{`, `\}`, "&#123;", "&#x7D;", "&lbrace;", "&lowbar", `\u007b`, `\u00`, "_", `\_`, "EMAIL", "e", "E_MAIL_", " ", "  ", "é", "a",
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		in := ""
		for range 1 + rng.IntN(8) {
			in += bits[rng.IntN(len(bits))]
		}
		want := b.Restore(in, redact.Plain)
		for range 5 {
			cut(t, b, in, want, 9, rng)
		}
	}
}

// Little is held back: of prose nothing but what a kind begins with, and never
// more than a placeholder can be long.
func TestHoldsLittleBack(t *testing.T) {
	book, list := crowd(t, 100)
	for _, tt := range []struct {
		name, text string
		most       int
	}{
		{"prose", strings.Repeat(prose, 5), 6},
		{"placeholders", strings.Repeat(list[0]+" ", 50), len(list[0])},
		{"openings", strings.Repeat(`\{  `, 200), 5},
		{"near misses, as long as can be", strings.Repeat("&lbrace;  E&lowbar;M&lowbar;EMAIL&lowbar;"+list[0][7:17], 20), 200},
	} {
		r := book.Restorer(redact.Plain)
		held := 0
		for i := range len(tt.text) {
			held++
			if len(r.Write([]byte{tt.text[i]}, false)) > 0 {
				held = 0 // or the beginning of the next
			}
			if held > tt.most {
				t.Fatalf("%s: %d bytes are held at %d", tt.name, held, i)
			}
		}
	}
}

// Without placeholders in it, prose comes out as it went in, whatever a request
// put in.
func FuzzProseStays(f *testing.F) {
	f.Add("Email us at the EMAIL_ADDRESS, {EMAIL} or {name_of_person}.")
	f.Fuzz(func(t *testing.T, text string) {
		b := memory(t).Book(ann, redact.Named(ann, "fuzz"), open)
		p := b.Token(email, []byte("a@b.org"))
		if strings.Contains(strings.ToLower(text), p[len("{EMAIL_"):len(p)-1]) {
			return
		}
		if got := b.Restore(text, redact.Plain); got != text {
			t.Fatalf("Restore(%q) = %q", text, got)
		}
	})
}

const prose = "The email that you sent to the support team, dated yesterday, was answered at once; please phone us or name a time, {x}. "

// crowd is a book with n placeholders.
func crowd(tb testing.TB, n int) (*redact.Book, []string) {
	b := memory(tb).Book(ann, redact.Named(ann, "c"), open)
	list := make([]string, n)
	for i := range list {
		list[i] = b.Token(email, fmt.Appendf(nil, "a%d@b.org", i))
	}
	return b, list
}

func BenchmarkToken(b *testing.B) {
	v := memory(b)
	c := redact.Named(ann, "c")
	b.Run("first of an exchange", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v.Book(ann, c, open).Token(email, []byte("someone@example.org"))
		}
	})
	book := v.Book(ann, c, open)
	b.Run("again", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			book.Token(email, []byte("someone@example.org"))
		}
	})
}

func BenchmarkSeen(b *testing.B) {
	for _, tt := range []struct{ name, text string }{
		{"prose", strings.Repeat(prose, 9)},
		{"near misses", strings.Repeat("{EMAIL_4f2a91c0d3b} ", 51)},
		{"underlines", strings.Repeat("_", 1024)},
		{"snakes", strings.Repeat("abcdefabcdef_", 79)},
	} {
		b.Run(tt.name, func(b *testing.B) {
			d := seenBook(b)
			b.SetBytes(int64(len(tt.text)))
			b.ReportAllocs()
			for b.Loop() {
				d.Seen(tt.text)
			}
		})
	}
}

func BenchmarkRestorer(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		book, list := crowd(b, n)
		for _, tt := range []struct {
			name, text string
			piece      int
		}{
			{"prose whole", strings.Repeat(prose, 9), 1 << 20},
			{"prose in tokens", strings.Repeat(prose, 9), 4},
			{"a placeholder in 100 bytes, in tokens", strings.Repeat(prose[:80]+list[0], 10), 4},
			{"near misses in tokens", strings.Repeat(list[0][:16]+" ", 60), 4},
			{"openings byte by byte", strings.Repeat(`{ EMAIL\_`, 113), 1},
		} {
			b.Run(fmt.Sprintf("%d known/%s", n, tt.name), func(b *testing.B) {
				b.SetBytes(int64(len(tt.text)))
				b.ReportAllocs()
				for b.Loop() {
					r := book.Restorer(redact.Plain)
					for at := 0; at < len(tt.text); at += tt.piece {
						r.Write([]byte(tt.text[at:min(at+tt.piece, len(tt.text))]), false)
					}
					r.Write(nil, true)
				}
			})
		}
	}
}
