package server_test

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/approval"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/auth/login"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/policy"
	"github.com/ringwall/ringwall/toolcall"
)

// deciding is a house in which people log in and agents ask.
type deciding struct {
	*house
	t *testing.T
}

func standDeciding(t *testing.T, change func(*config.Config)) *deciding {
	t.Helper()
	i := newIssuer(t)
	h := stand(t, newUpstream(t, says("hello", 3)), func(c *config.Config) {
		c.OIDC = []config.OIDC{i.config("main")}
		c.Login.Issuer, c.Login.URL, c.Login.Client, c.Login.Home = "main", "http://127.0.0.1:1", "web", "/session"
		c.Approvals.Think = time.Millisecond
		if change != nil {
			change(c)
		}
	})
	return &deciding{h, t}
}

// person logs somebody in and returns the cookie.
func (d *deciding) person(id, tenant string, trust ringwall.Trust, roles ...string) string {
	d.t.Helper()
	text, _, err := d.Sessions().Begin(d.t.Context(), auth.Proof{
		Principal: ringwall.Principal{ID: id, Tenant: tenant, Trust: trust, Via: "session", Roles: roles, Proved: time.Now()}, Issuer: "main", Session: id, Issued: time.Now(),
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return login.Cookie + "=" + text
}

func (d *deciding) key(spec auth.Spec) string {
	d.t.Helper()
	text, _, err := d.Keys().Create(d.t.Context(), spec)
	if err != nil {
		d.t.Fatal(err)
	}
	return "Bearer " + text
}

// held asks for a call of alice's agent.
func (d *deciding) held(tool, effect, arguments string, uses ...ringwall.ArgumentUse) approval.Approval {
	d.t.Helper()
	a, err := d.Approvals().Ask(d.t.Context(), approval.Request{
		Principal:    ringwall.Principal{ID: "u_alice", Tenant: "acme", Trust: ringwall.Customer, Via: "token", Key: "t_agent"},
		Conversation: "conv-" + tool, Tool: tool, Effect: effect, Arguments: arguments, Rules: []string{"untrusted-argument"}, Provenance: uses,
		Digest: toolcall.Digest(ringwall.ToolCall{Name: tool, Arguments: arguments}), Exchange: "x1",
	})
	if err != nil || a.State != approval.Pending {
		d.t.Fatalf("%v, %v", a, err)
	}
	return a
}

// ask sends a request as a program with a credential, or as a browser with a cookie.
func (d *deciding) ask(method, path, who, body string, header ...string) (int, string, http.Header) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if strings.HasPrefix(who, login.Cookie) {
		r.Header.Set("Cookie", who)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	} else if who != "" {
		r.Header.Set("Authorization", who)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

const form = "application/x-www-form-urlencoded"

func TestApprovalsByAPI(t *testing.T) {
	d := standDeciding(t, nil)
	alice, bob := d.person("u_alice", "acme", ringwall.Customer), d.person("u_bob", "acme", ringwall.Staff)
	foreign := d.person("u_eve", "other", ringwall.Operator)
	agent := d.key(auth.Spec{Name: "agent", Tenant: "acme", Trust: ringwall.Operator})
	operator := d.key(auth.Spec{Name: "operator", Trust: ringwall.Operator, Scopes: []string{"approve"}})
	narrow := d.key(auth.Spec{Name: "narrow", Tenant: "acme", Trust: ringwall.Customer, Scopes: []string{"ask-model"}})
	const payment = `{"recipient":"DE89370400440532013000","amount":250}`
	a := d.held("send_money", "external", payment, ringwall.ArgumentUse{Path: "/recipient", Sensitive: true, Source: ringwall.SourceUntrusted, From: "turn 3, read_mail"})
	path := "/approvals/" + a.ID
	read := func(who string) (got struct {
		State, Nonce, Type, Arguments string
		May                           bool   `json:"may_decide"`
		Why                           string `json:"may_not_because"`
	},
	) {
		t.Helper()
		code, body, _ := d.ask("GET", path, who, "")
		if code != 200 || json.Unmarshal([]byte(body), &got) != nil {
			t.Fatalf("%d %s", code, body)
		}
		return got
	}
	seen := read(alice)
	if !seen.May || seen.Arguments != payment || !strings.Contains(seen.Type, "250") {
		t.Errorf("alice sees %+v", seen)
	}
	good := `{"nonce":"` + seen.Nonce + `","typed":"250"}`
	for _, tt := range []struct {
		name, method, path, who, body string
		status                        int
		want                          string
	}{
		{"nobody lists", "GET", "/approvals", "", "", 401, "invalid_api_key"},
		{"a narrow key lists", "GET", "/approvals", narrow, "", 403, "scope"},
		{"an operator of all tenants lists", "GET", "/approvals?state=pending", operator, "", 200, a.ID},
		{"somebody else lists", "GET", "/approvals", bob, "", 200, `{"approvals":[]}`},
		{"another tenant lists", "GET", "/approvals", foreign, "", 200, `{"approvals":[]}`},
		{"a state that is none", "GET", "/approvals?state=open", alice, "", 400, "pending"},
		{"a parameter that is none", "GET", "/approvals?sort=x", alice, "", 400, "There is no parameter"},
		{"a place that is none", "GET", "/approvals?after=x", alice, "", 400, "begin anew"},
		{"another tenant reads", "GET", path, foreign, "", 404, "not_found"},
		{"nothing", "GET", "/approvals/ap_nothing", alice, "", 404, "not_found"},
		{"another tenant approves", "POST", path + "/approve", foreign, good, 404, "not_found"},
		{"another tenant denies", "POST", path + "/deny", foreign, "", 404, "not_found"},
		{"an agent approves", "POST", path + "/approve", agent, good, 404, "not_found"},
		{"with the nonce of somebody else", "POST", path + "/approve", operator, good, 428, "read_first"},
		{"a narrow key approves", "POST", path + "/approve", narrow, good, 403, "scope"},
		{"nothing is said", "POST", path + "/approve", alice, "", 400, "invalid_body"},
		{"something else is said", "POST", path + "/approve", alice, `{"yes":true}`, 400, "invalid_body"},
		{"without reading", "POST", path + "/approve", alice, `{"typed":"250"}`, 428, "read_first"},
		{"with a nonce made up", "POST", path + "/approve", alice, `{"nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","typed":"250"}`, 428, "read_first"},
		{"without typing", "POST", path + "/approve", alice, `{"nonce":"` + seen.Nonce + `"}`, 422, "confirmation_required"},
		{"typing something else", "POST", path + "/approve", alice, `{"nonce":"` + seen.Nonce + `","typed":"send_money"}`, 422, "250"},
		{"as it should be", "POST", path + "/approve", alice, good, 200, `"state":"approved"`},
		{"again", "POST", path + "/approve", alice, good, 409, "not_pending"},
		{"think better of it", "POST", path + "/deny", operator, `{"reason":"oops"}`, 200, `"state":"denied"`},
		{"deny it again", "POST", path + "/deny", alice, "", 409, "not_pending"},
		{"another method", "DELETE", path, alice, "", 405, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, body, _ := d.ask(tt.method, tt.path, tt.who, tt.body)
			if code != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("%d %s, want %d %s", code, body, tt.status, tt.want)
			}
		})
	}
	b := d.held("wipe", "destructive", `{"volume":"v1"}`)
	if code, body, _ := d.ask("GET", "/approvals/"+b.ID, alice, ""); code != 200 || !strings.Contains(body, "somebody else than who asked") {
		t.Errorf("%d %s", code, body)
	}
	code, body, _ := d.ask("GET", "/approvals/"+b.ID, bob, "")
	nonce := regexp.MustCompile(`"nonce":"([^"]+)"`).FindStringSubmatch(body)
	if code != 200 || nonce == nil {
		t.Fatalf("%d %s", code, body)
	}
	if code, body, _ := d.ask("POST", "/approvals/"+b.ID+"/approve", bob, `{"nonce":"`+nonce[1]+`","typed":"wipe"}`, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); code != 403 {
		t.Errorf("from a foreign page: %d %s", code, body)
	}
	if code, body, _ := d.ask("POST", "/approvals/"+b.ID+"/approve", bob, `{"nonce":"`+nonce[1]+`","typed":"wipe"}`); code != 200 {
		t.Errorf("a second person: %d %s", code, body)
	}
	until(t, "the record", func() bool {
		var all strings.Builder
		files, _ := filepath.Glob(filepath.Join(d.config.Data, "audit", "*"))
		for _, f := range files {
			text, _ := os.ReadFile(f)
			all.Write(text)
		}
		return strings.Contains(all.String(), "approval-asked") && strings.Count(all.String(), "approval-approved") == 2 && strings.Contains(all.String(), "approval-denied") && !strings.Contains(all.String(), "DE8937")
	})
}

func TestApprovalsByPage(t *testing.T) {
	d := standDeciding(t, nil)
	alice := d.person("u_alice", "acme", ringwall.Customer)
	hostile := `{"recipient":"ÐΕ89\u202e0020 <script>alert(1)</script>","to":"ceo@pаypal.com","amount":"9,999.00","note":"` + strings.Repeat("x", 500) + `<img src=x>\u200b","'\"><b>":1}`
	a := d.held("send_<i>money", "external", hostile, ringwall.ArgumentUse{Path: "/recipient", Sensitive: true, Source: ringwall.SourceUntrusted, From: "turn 3, <b>read_mail"})
	path := "/approvals/" + a.ID + "/card"
	code, body, head := d.ask("GET", "/approvals/queue", alice, "")
	if code != 200 || !strings.Contains(body, a.ID) || !strings.Contains(head.Get("Content-Security-Policy"), "default-src 'none'") || strings.Contains(body, "<i>money") {
		t.Fatalf("%d %v %s", code, head, body)
	}
	if code, _, head := d.ask("GET", "/approvals", alice, "", "Accept", "text/html"); code != 303 || head.Get("Location") != "/approvals/queue" {
		t.Errorf("a browser at the API: %d %s", code, head.Get("Location"))
	}
	code, body, _ = d.ask("GET", path, alice, "")
	text := html.UnescapeString(body)
	for _, bad := range []string{"<script", "<img", "<b>", "<i>money", "\u202e", "\u200b", "checked", "autofocus", "javascript:"} {
		if strings.Contains(body, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, good := range []string{"U+202E right-to-left override", "U+200B zero width space", "xn--", "From untrusted text", "turn 3, ", "first time", "Show the rest: 512 characters", "9,999.00", `role="alert"`} {
		if good != `role="alert"` && !strings.Contains(text, good) {
			t.Errorf("the page has no %q", good)
		}
	}
	if code != 200 || t.Failed() {
		t.Fatalf("%d %s", code, body)
	}
	nonce := regexp.MustCompile(`name="nonce" value="([^"]+)"`).FindStringSubmatch(body)[1]
	post := func(values url.Values, header ...string) (int, string, http.Header) {
		return d.ask("POST", path, alice, values.Encode(), append([]string{"Content-Type", form}, header...)...)
	}
	if code, body, _ := post(url.Values{"decision": {"approve"}, "nonce": {nonce}}); code != 422 || !strings.Contains(body, `role="alert"`) || !strings.Contains(body, "9,999.00") {
		t.Errorf("without typing: %d", code)
	}
	if code, _, _ := post(url.Values{"nonce": {nonce}}); code != 400 {
		t.Errorf("without a decision: %d", code)
	}
	if code, _, _ := post(url.Values{"decision": {"approve"}, "nonce": {nonce}, "typed": {"9,999.00"}}, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); code != 403 {
		t.Errorf("from a foreign page: %d", code)
	}
	if code, _, head := post(url.Values{"decision": {"approve"}, "nonce": {nonce}, "typed": {"9,999.00"}}); code != 303 || head.Get("Location") != path {
		t.Errorf("approved: %d", code)
	}
	if code, body, _ := d.ask("GET", path, alice, ""); code != 200 || !strings.Contains(body, "it can be used once") {
		t.Errorf("afterwards: %d %s", code, body)
	}
	if code, body, _ := d.ask("GET", path, "", ""); code != 401 || !strings.Contains(body, "http://127.0.0.1:1/login?return=%2Fapprovals%2F") {
		t.Errorf("nobody: %d %s", code, body)
	}
	if code, _, _ := d.ask("GET", "/approvals/ap_x/card", alice, ""); code != 404 {
		t.Errorf("nothing: %d", code)
	}
}

func TestPoliciesDecideWhoApproves(t *testing.T) {
	d := standDeciding(t, func(c *config.Config) {
		b, err := policy.Parse([]policy.File{{Name: "p.cedar", Data: []byte(`
@id("small") permit (principal, action == Ringwall::Action::"approve", resource) when { resource.labels.contains("effect:write") };`)}}, policy.Options{})
		if err != nil {
			t.Fatal(err)
		}
		c.Policies = b
	})
	alice := d.person("u_alice", "acme", ringwall.Customer)
	for effect, want := range map[string]bool{"write": true, "external": false} {
		a := d.held("tool-"+effect, effect, `{}`)
		code, body, _ := d.ask("GET", "/approvals/"+a.ID, alice, "")
		if code != 200 || strings.Contains(body, `"may_decide":true`) != want || strings.Contains(body, `"nonce"`) != want {
			t.Errorf("%s: %d %s", effect, code, body)
		}
	}
}

func TestApprovingTakesAFreshLogin(t *testing.T) {
	d := standDeciding(t, func(c *config.Config) { c.Login.StepUp = config.StepUp{Trust: ringwall.Operator, ACR: []string{"mfa"}} })
	alice := d.person("u_alice", "acme", ringwall.Customer)
	a := d.held("send", "external", `{}`)
	v, err := d.Approvals().Look(t.Context(), a.ID, approval.Machine("m"))
	if err != nil || v.Token == "" {
		t.Fatal(err)
	}
	code, body, head := d.ask("POST", "/approvals/"+a.ID+"/approve", alice, `{"nonce":"x","typed":"send"}`)
	if code != 401 || !strings.Contains(head.Get("WWW-Authenticate"), `acr_values="mfa"`) || !strings.Contains(body, "insufficient_user_authentication") {
		t.Errorf("%d %s", code, body)
	}
}

// Without a key that replicas share nobody is asked, and that is said.
func TestNobodyIsAsked(t *testing.T) {
	d := standDeciding(t, func(c *config.Config) { c.Approvals.Off = true })
	alice := d.person("u_alice", "acme", ringwall.Customer)
	if d.Approvals() != nil {
		t.Error("there is a store")
	}
	for _, path := range []string{"/approvals", "/approvals/queue"} {
		if code, body, _ := d.ask("GET", path, alice, ""); code != 404 || !strings.Contains(body, "what is held is refused") {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
}
