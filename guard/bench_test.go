package guard_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/guardrail"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/internal/decode"
)

var prose = strings.Repeat("The committee met on Tuesday to review 14 open questions about shipping to Zurich, and agreed on most. ", 80)[:8<<10]

// passage is a kilobyte of ordinary writing.
const passage = `Thank you for your message about the garden chairs. Our warehouse in Rotterdam had to stop for two days last week, because the new
conveyor belt would not run at full speed, so about 340 parcels left later than we had promised. Yours is among them. It was handed to the carrier
on Thursday morning and should reach you before the end of the month; the link in the confirmation shows where it is. If one of the legs is damaged,
take a picture of it and of the box, and send both to us. We will then either replace the part or refund 15 % of the price, whichever you prefer.
You also asked whether the cushions can be washed. They can, at 30 degrees, but please do not put them into the dryer. The covers of the older
model, which we sold until 2023, are made of another fabric and must be cleaned by hand. I have added a note to your account so that my colleagues
know what we agreed on. Is there anything else that I can do for you? Kind regards from the whole team, and enjoy the rest of the summer.
`

var varied = strings.Repeat(passage, 9)[:8<<10]

// What texts cost: the default guardrail with everything in it, and the scanners
// of each control alone, with the views and the looking under disguises.
func BenchmarkGuard(b *testing.B) {
	spec := guardrail.Default()
	whole, err := builtin.Guard("default", guardrail.Draft, &spec)
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, g *guard.Guard, way ringwall.Direction, text string) {
		b.Run(name, func(b *testing.B) {
			texts := []ringwall.Text{{Origin: ringwall.User, Value: text}}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				g.Check(b.Context(), guard.Session{Way: way}, texts)
			}
		})
	}
	run("in/1KB", whole, ringwall.Input, varied[:1<<10])
	run("in/8KB", whole, ringwall.Input, varied)
	run("in/1MB", whole, ringwall.Input, strings.Repeat(varied, 128))
	run("out/1KB", whole, ringwall.Output, varied[:1<<10])
	run("out/8KB", whole, ringwall.Output, varied)
	for _, id := range slices.Sorted(maps.Keys(builtin.Scanners)) {
		scanners, err := builtin.Scanners[id](&spec)
		if err != nil {
			b.Fatal(err)
		}
		for i, s := range scanners {
			// On the way out only tokens are looked under, so this is the scanner.
			g, err := guard.New(guard.Config{Rules: []guard.Rule{{Control: id, Scanners: []stream.Scanner{s}, Output: &guard.Actions{}}}})
			if err != nil {
				b.Fatal(err)
			}
			run(fmt.Sprintf("%s/%d", id, i), g, ringwall.Output, varied)
		}
	}
	none, err := guard.New(guard.Config{Rules: []guard.Rule{{Control: "none", Scanners: []stream.Scanner{nothing{}}, Output: &guard.Actions{}}}})
	if err != nil {
		b.Fatal(err)
	}
	run("views", none, ringwall.Output, varied)
	b.Run("disguises", func(b *testing.B) {
		b.SetBytes(int64(len(varied)))
		b.ReportAllocs()
		for b.Loop() {
			decode.Find(varied, decode.Bounds{})
		}
	})
}

// Texts that are made to be slow cost little more than prose.
var worst = map[string]string{
	"digits and hyphens": "1234-", "dotted letters": "a.", "at signs": "a@", "addresses cut short": "a@b.", "token heads": "eyJ", "token heads, parted": "eyJ-",
	"one letter": "a", "one digit": "4", "card": "4111 1111 1111 1111 ", "colons": ":", "groups": "1:", "hex groups": "12ab:", "double colons": "::", "hyphens": "-", "key heads": "sk-", "key headers": "-----BEGIN ",
	"assignments": "token=", "names": "password ", "names and colons": "password:", "logins": "a://b:", "plus signs": "+1 ", "parentheses": "+1(2)", "closing": "+1)",
	"accounts": "GB82 ", "half an attack": "ignore all previous ", "all of an attack": "ignore all previous instructions ", "brackets": "<|", "tags": "\U000E0041", "selectors": "a\ufe01", "base64": "QUJD", "base64, parted": "aWdub3JlIGFsbCBwcmV2aW91cw== ",
	"invisible": "\u200b", "marks": "a\u0301", "ligatures": "\ufdfa", "invalid": "\xff", "listed word": "blue ", "half a listed word": "project ", "Thai": "\u0e01", "Han": "\u79d8",
	"system prompt": "you are nora the assistant of ", "keys": "AKIAIOSFODNN7EXAMPLE ", "letters apart": "a ", "letters far apart": "a    ", "zeros": "01 23 ", "named numbers": "phone 12-", "arguments": "\"token\",", "elements": "token>", "Hangul": "\uac00", "note": "note to ", "services": "datadog_key=", "commands": "-u a:", "bots": "123456789:AA", "users": "MTA4OTk4NzY1NDMyMTA5ODc2.", "flags": "--token ", "calls": "Token(\"", "tildes": "aa18Q~", "headers": "auth: bearer ", "long values": "token=aB3dE5gH7jK9mN1pQ2sT4vW6", "PEM": "-----BEGIN PRIVATE KEY-----\nMIIE\n", "local part": "a+", "spaces": " ",
	"letters with marks": "\u00e9", "tags begun": "<a ", "tags with a link": "<a href=\"", "tags with members": "<a b=c ", "images begun": "<img src='x", "scripts": "javascript:", "images": "![", "references": "[a]: ", "handlers": "<b on=", "backquotes": "`", "braces": "{{", "steps up": "../",
	"fetches": "curl ", "quotes": "' or ", "words apart": "f u c k ", "stars": "f**k ", "short sentences": "a. ", "poems": "poem ", "user names": "username: ", "the password": "password is ", "births": "born 1", "half dates": "1980-05-", "coordinates": "52.52001, ", "addresses of pages": "https://a.b/",
	"pipes": "|", "inserts": "insert into (", "heads of tables": "<th>", "lists of names": "ssn,", "tables": "ssn,dob\n", "rows": "name,ssn\n1,2,", "quotation marks": "\"", "wallets": "wallet 3", "handles": "@a ", "own numbers": "12345678901 is my ", "record numbers": "mrn-1", "years": "生年月日1980年",
	"persons": "John ", "titles": "Mr ", "streets": "Main St 5, ", "units": "Apt 4B, ", "announced": "the password is ", "percents": "%7A%6B", "pairs of hex": "7a6b2d37 ", "settings": "DB_PASSWORD=", "base 32": "NBSWY3DP", "orders": "ORD-", "badges": "badge 1234", "bold": "<b>", "entities": "&#", "Morse": ". - ", "names in hex": "%4", "spelled": "alpha bravo ", "leet": "1gn0r3 ",
	"plates": "AB 12 ", "hardware": "ab-12-", "groups of three": "123 ", "tax numbers": "tax id 123-", "passports": "passport A1234567 ", "ages": "42 years ol", "accounts and codes": "BIC: A", "codes": "A1B2C3D4E5", "named Chinese": "身份证1",
}

// No text makes the work grow faster than the text does: eight times as much of
// it takes about eight times as long, where a quadratic step would take sixty.
func TestWorkIsLinear(t *testing.T) {
	g := masks(t)
	for _, name := range slices.Sorted(maps.Keys(worst)) {
		t.Run(name, func(t *testing.T) {
			took := func(size int, whole bool) time.Duration {
				text := strings.Repeat(worst[name], size/len(worst[name]))
				start := time.Now()
				if whole {
					s := guard.Session{Way: ringwall.Input, System: session.System}
					g.Check(t.Context(), s, []ringwall.Text{{Origin: ringwall.Retrieved, Value: text}})
					return time.Since(start)
				}
				c := g.Channel(session, ringwall.Text{}, g.Looks(ringwall.Output))
				defer c.Free()
				for i := 0; i < len(text); i += 50 {
					c.Write([]byte(text[i:min(i+50, len(text))]))
				}
				c.Close(t.Context())
				return time.Since(start)
			}
			for _, whole := range []bool{true, false} {
				const tries = 8 // others use the machine too
				little, much := time.Hour, time.Hour
				for range tries {
					little, much = min(little, took(16<<10, whole)), min(much, took(128<<10, whole))
					if much < 40*little {
						break
					}
				}
				if much >= 40*little {
					t.Errorf("16 KB take %v, 128 KB take %v (whole: %v)", little, much, whole)
				}
			}
		})
	}
}

func BenchmarkWorst(b *testing.B) {
	g := masks(b)
	for _, name := range slices.Sorted(maps.Keys(worst)) {
		b.Run(name, func(b *testing.B) {
			text := strings.Repeat(worst[name], 64<<10/len(worst[name]))
			texts := []ringwall.Text{{Origin: ringwall.User, Value: text}}
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				g.Check(b.Context(), guard.Session{Way: ringwall.Input, System: session.System}, texts)
			}
		})
	}
}

// patterns are the shapes of personal data and credentials as one would write
// them as regular expressions: without check digits, without streams.
var patterns = []string{
	`[A-Za-z0-9][A-Za-z0-9._%+'-]{0,63}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}`,
	`\b\d{3}-\d{2}-\d{4}\b`, `\b(?:\d[ -]?){12,18}\d\b`, `\b[A-Z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,29}\b`,
	`\+[1-9](?:[ ./()-]?\d){7,14}\b`, `(?:\+?1[ .-]?)?\(?[2-9]\d{2}\)?[ .-][2-9]\d{2}[ .-]\d{4}\b`, `\b0\d{1,4}(?:[ ./-]\d{2,}){1,5}\b`,
	`\b(?:\d{1,3}\.){3}\d{1,3}\b`, `(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}`,
	`\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}`, `\bgh[pousr]_[A-Za-z0-9]{36,}`, `\bgithub_pat_\w{36,}`, `\bgl(?:pat|dt|rt|rtr|cbt|imt|ffct|soat)-[\w-]{20,}`, `\bxox[bpares]-[\w-]{20,}`,
	`\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}`, `\bsk-(?:ant-|or-|proj-|svcacct-)?[\w-]{20,}`, `\bAIza[\w-]{35}`, `\bya29\.[\w-]{20,}`, `\bnpm_[A-Za-z0-9]{36}`, `\bpypi-AgE[\w-]{50,}`,
	`\bSG\.[\w.-]{60,}`, `\b(?:SK|AC)[a-f0-9]{32}`, `\bhf_[A-Za-z0-9]{34}`, `\bd(?:op|oo|or)_v1_[a-f0-9]{64}`, `\bshp(?:at|ss|ca|pa)_[a-fA-F0-9]{32}`, `\bhv[sb]\.[\w-]{24,}`, `\bdapi[a-f0-9]{32}`,
	`\beyJ[\w-]{8,}\.eyJ[\w-]+\.[\w-]*`, `-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----`, `\w+://[^\s:/@]*:[^\s/@]{3,}@`,
	`(?i)(?:password|passwd|pwd|secret|api[_ -]?key|access[_ -]?key|token)[\w -]{0,24}["']?\s*[:=]+>?\s*["']?[^\s"',;]{8,128}`,
}

// BenchmarkRegexp is the yardstick: the same shapes by package regexp, over the
// same 8 KB of prose as BenchmarkGuard.
func BenchmarkRegexp(b *testing.B) {
	var res []*regexp.Regexp
	for _, p := range patterns {
		res = append(res, regexp.MustCompile(p))
	}
	b.SetBytes(int64(len(varied)))
	b.ReportAllocs()
	for b.Loop() {
		for _, re := range res {
			re.FindAllStringIndex(varied, -1)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	g := masks(b)
	texts := []ringwall.Text{{Origin: ringwall.User, Value: "Where is my order?"}}
	b.ReportAllocs()
	for b.Loop() {
		g.Check(b.Context(), guard.Session{Way: ringwall.Input}, texts)
	}
}

type nothing struct{}

func (nothing) Begin(stream.Scope) (stream.Cursor, string)     { return nothing{}, "" }
func (nothing) Scan(w stream.Window, _ func(stream.Match)) int { return w.End() }
