package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/internal/pgtest"
	"github.com/ringwall/ringwall/internal/strictyaml"
	"github.com/ringwall/ringwall/provider/gullible"
	"github.com/ringwall/ringwall/redact"
	"github.com/ringwall/ringwall/server"
)

var postgres pgtest.Server

func TestMain(m *testing.M) {
	code := m.Run()
	postgres.Stop()
	os.Exit(code)
}

var placeholder = regexp.MustCompile(`\{[A-Z_]+_[0-9a-f]{12}\}`)

// echo answers with what the user said last; where tools are offered, by a call
// of one with it, twice: as JSON and as something near it.
func echo(w http.ResponseWriter, r *http.Request, body string) {
	var q struct {
		Stream   bool
		Messages []struct{ Role, Content string }
		Tools    []any
	}
	if err := json.Unmarshal([]byte(body), &q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	last := ""
	for _, m := range q.Messages {
		if m.Role == "user" {
			last = m.Content
		}
	}
	if len(q.Tools) == 0 {
		says(last, 3)(w, r, body)
		return
	}
	quoted, _ := json.Marshal(last)
	whole, _ := json.Marshal(`{"n":1,"to":` + string(quoted) + `}`)
	near, _ := json.Marshal(`{"to":` + string(quoted) + `,}`)
	calls := fmt.Sprintf(`"tool_calls":[{"index":0,"id":"t0","type":"function","function":{"name":"send","arguments":%s}},{"index":1,"id":"t1","type":"function","function":{"name":"send","arguments":%s}}]`, whole, near)
	if !q.Stream {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,%s},"finish_reason":"tool_calls"}]}`, calls)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{%s},\"finish_reason\":null}]}\n\n", calls)
	io.WriteString(w, "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n")
}

// said is what an answer says, whole or streamed: its text, or the arguments of
// its tool calls.
func said(t *testing.T, body string) string {
	t.Helper()
	type message struct {
		Content   string
		ToolCalls []struct {
			Function struct{ Arguments string }
		} `json:"tool_calls"`
	}
	var b strings.Builder
	for line := range strings.Lines(body) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "data: ")
		var f struct {
			Choices []struct{ Message, Delta message }
		}
		if line == "" || line == "[DONE]" {
			continue
		}
		if err := json.Unmarshal([]byte(line), &f); err != nil || len(f.Choices) == 0 {
			t.Fatalf("the client read %s", body)
		}
		for _, m := range []message{f.Choices[0].Message, f.Choices[0].Delta} {
			b.WriteString(m.Content)
			for _, c := range m.ToolCalls {
				b.WriteString(c.Function.Arguments)
			}
		}
	}
	return b.String()
}

// secret is a reference to text in a file.
func secret(t *testing.T, text string) strictyaml.Secret {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := strictyaml.NewSecret("file:" + file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func restoring(c *config.Config) { c.Restore.Enabled, c.Anonymous = true, false }

// caller makes a key and returns the header that shows it.
func (h *house) caller(name, tenant string, trust ringwall.Trust) []string {
	h.t.Helper()
	text, _, err := h.Keys().Create(h.t.Context(), auth.Spec{Name: name, Tenant: tenant, Trust: trust})
	if err != nil {
		h.t.Fatal(err)
	}
	return []string{"Authorization", "Bearer " + text}
}

// A client that keeps nothing but its history has ten turns, with a model that
// says what it is told to. The gateway is restarted in between, or there are two.
func TestTenTurnsKeepTheirPlaceholders(t *testing.T) {
	model := gullible.New(gullible.Config{})
	for _, tt := range []struct {
		name     string
		replicas bool
		database func(*testing.T, *config.Config)
	}{
		{"over restarts, with SQLite", false, func(*testing.T, *config.Config) {}},
		{"over two replicas, with PostgreSQL", true, func(t *testing.T, c *config.Config) {
			c.Database, c.Restore.Key = secret(t, postgres.Database(t)), secret(t, strings.Repeat("7", 64))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, body string) {
				again := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.Path, strings.NewReader(body))
				model.ServeHTTP(w, again)
			})
			var change func(*config.Config)
			h := stand(t, u, func(c *config.Config) {
				restoring(c)
				c.Restore.Trust = redact.From(ringwall.Staff)
				tt.database(t, c)
				shared := *c
				change = func(c *config.Config) { *c = shared }
			})
			second := h
			if tt.replicas {
				second = stand(t, u, func(c *config.Config) {
					own := c.Data
					change(c)
					c.Data = own
				})
			}
			staff, customer := h.caller("staff", "acme", ringwall.Staff), h.caller("customer", "acme", ringwall.Customer)
			until(t, "the other replica knows the keys", func() bool {
				a, _ := second.chat(question("hi", ""), staff...)
				b, _ := second.chat(question("hi", ""), customer...)
				return a.StatusCode == 200 && b.StatusCode == 200
			})
			for _, who := range []struct {
				name   string
				header []string
				may    bool
			}{{"staff", staff, true}, {"a customer", customer, false}} {
				history := []any{map[string]string{"role": "system", "content": "You are Nora, of the house."}}
				token := ""
				for turn := range 10 {
					gateway := h
					switch {
					case turn%2 == 1:
						gateway = second
					case !tt.replicas && turn%4 == 2:
						h.stop()
						h = stand(t, u, change)
						gateway, second = h, h
					}
					ask := fmt.Sprintf("Say exactly: turn %d, I wrote to me@example.net", turn)
					if turn > 0 && !who.may {
						ask = fmt.Sprintf("Say exactly: turn %d, I wrote to %s", turn, token)
					}
					history = append(history, map[string]string{"role": "user", "content": ask})
					body, _ := json.Marshal(map[string]any{"model": "m", "stream": turn%3 == 0, "messages": history})
					resp, text := gateway.chat(string(body), who.header...)
					answer := said(t, text)
					sent := placeholder.FindAllString(u.last(), -1)
					if len(sent) == 0 || strings.Contains(u.last(), "me@example.net") {
						t.Fatalf("%s, turn %d: %d, the model read %s", who.name, turn, resp.StatusCode, u.last())
					}
					if token == "" {
						token = sent[0]
					}
					if len(slices.Compact(sent)) != 1 || sent[0] != token {
						t.Fatalf("%s, turn %d: the placeholder %s became %v", who.name, turn, token, sent)
					}
					want := fmt.Sprintf("turn %d, I wrote to %s", turn, token)
					if who.may {
						want = fmt.Sprintf("turn %d, I wrote to me@example.net", turn)
					}
					if answer != want {
						t.Fatalf("%s, turn %d: the client read %q, want %q", who.name, turn, answer, want)
					}
					history = append(history, map[string]string{"role": "assistant", "content": answer})
				}
			}
		})
	}
}

// What earlier exchanges put in comes back by its placeholder alone, after a
// restart, until it expires, and to nobody else.
func TestRestoresWhatEarlierExchangesPutIn(t *testing.T) {
	u := newUpstream(t, echo)
	var data string
	h := stand(t, u, func(c *config.Config) {
		restoring(c)
		c.Restore.Others, data = redact.From(ringwall.Operator), c.Data
	})
	ann, bob := h.caller("ann", "acme", ringwall.Customer), h.caller("bob", "acme", ringwall.Staff)
	boss, eve := h.caller("boss", "acme", ringwall.Operator), h.caller("eve", "other", ringwall.Operator)
	in := func(caller []string, id string) []string {
		return append(slices.Clone(caller), "Ringwall-Conversation", id)
	}
	h.chat(question("write to me@example.net", ""), in(ann, "c1")...)
	token := placeholder.FindString(u.last())
	h.stop()
	h = stand(t, u, func(c *config.Config) {
		restoring(c)
		c.Restore.Others, c.Data = redact.From(ringwall.Operator), data
	})
	forged := "{EMAIL_" + strings.Repeat("0", 12) + "}"
	for _, tt := range []struct {
		name   string
		header []string
		text   string
		want   string
		record string
	}{
		{"the sender", in(ann, "c1"), "to " + token, "to me@example.net", "restored email 1"},
		{"the sender, as a model would write it", in(ann, "c1"), "to " + strings.ToLower(strings.Trim(token, "{}")), "to me@example.net", "restored email 1"},
		{"the sender, in another conversation", in(ann, "c2"), "to " + token, "to " + token, ""},
		{"the sender, in no conversation", ann, "to " + token, "to " + token, ""},
		{"another principal", in(bob, "c1"), "to " + token, "to " + token, "withheld email 1"},
		{"another principal who may", in(boss, "c1"), "to " + token, "to me@example.net", "restored email 1"},
		{"another tenant", in(eve, "c1"), "to " + token, "to " + token, ""},
		{"what nobody put in", in(ann, "c1"), "to " + forged, "to " + forged, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := *h
			h.t = t
			for _, more := range []string{"", `,"stream":true`} {
				resp, body := h.chat(question(tt.text, more), tt.header...)
				if got := said(t, body); got != tt.want {
					t.Errorf("the client read %q, want %q", got, tt.want)
				}
				ev := h.record(resp.Header.Get("X-Ringwall-Exchange"))
				if ev.Detail != tt.record {
					t.Errorf("the record says %q, want %q", ev.Detail, tt.record)
				}
				whole, err := json.Marshal(ev)
				if err != nil || strings.Contains(string(whole), "me@example") {
					t.Errorf("record %s, %v", whole, err)
				}
			}
		})
	}
	for _, change := range []string{
		"UPDATE redact_entries SET expires = expires + 1", // altered
		"UPDATE redact_entries SET expires = 1",           // and expired
	} {
		d, err := db.Open(t.Context(), db.Config{DSN: filepath.Join(data, "ringwall.db")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Exec(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		d.Close()
		if _, body := h.chat(question("to "+token, ""), in(ann, "c1")...); said(t, body) != "to "+token {
			t.Errorf("%s: the client read %s", change, body)
		}
	}
}

func TestRestoresInToolCalls(t *testing.T) {
	value := "me+\"x\"@example.net"
	plain := "me@example.net"
	for _, tt := range []struct {
		name   string
		change func(*config.Config)
		may    bool
	}{
		{"for who may", func(*config.Config) {}, true},
		{"for nobody else", func(c *config.Config) { c.Restore.Trust = redact.From(ringwall.Staff) }, false},
		{"for nobody, where tools are off", func(c *config.Config) { c.Restore.Tools = false }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := newUpstream(t, echo)
			h := stand(t, u, func(c *config.Config) { restoring(c); tt.change(c) })
			ann := h.caller("ann", "acme", ringwall.Customer)
			for _, more := range []string{"", `,"stream":true`} {
				_, body := h.chat(question("to "+plain+" or "+value, more+`,"tools":[{"type":"function","function":{"name":"send"}}]`), ann...)
				sent := regexp.MustCompile(`to \S+ or [^}]*\}`).FindString(u.last())
				if strings.Contains(u.last(), plain) {
					t.Fatalf("the model read %s", u.last())
				}
				got := said(t, body)
				// The second call is none: its arguments are no JSON.
				if restored := strings.Count(got, plain) == 1; restored != tt.may || !tt.may && strings.Count(got, placeholder.FindString(sent)) != 1 {
					t.Errorf("the client read %s", got)
				}
				var args struct{ To string }
				if err := json.NewDecoder(strings.NewReader(got[strings.IndexByte(got, '{'):])).Decode(&args); err != nil || tt.may && args.To != "to "+plain+" or "+value {
					t.Errorf("the arguments %s say %q, %v", got, args.To, err)
				}
			}
		})
	}
}

// What is masked in the middle of an argument leaves the rest of it as it was.
func TestMasksInStreamedToolCalls(t *testing.T) {
	const text = "please write to %s and then go home, for it is late"
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request, body string) {
		said := strings.Replace(body, "hi", fmt.Sprintf(text, "bob@example.org"), 1)
		echo(w, r, said)
	})
	h := stand(t, u, nil)
	for _, more := range []string{"", `,"stream":true`} {
		_, body := h.chat(question("hi", more+`,"tools":[{"type":"function","function":{"name":"send"}}]`))
		if got := said(t, body); strings.Count(got, fmt.Sprintf(text, "{EMAIL}")) != 1 {
			t.Errorf("the client read %s", got)
		}
	}
}

func TestConversationHeader(t *testing.T) {
	u := newUpstream(t, echo)
	h := stand(t, u, func(c *config.Config) { c.Restore.Enabled = true })
	for _, tt := range []struct {
		name   string
		header []string
		status int
	}{
		{"an id", []string{"Ringwall-Conversation", "a-1"}, 200},
		{"128 characters", []string{"Ringwall-Conversation", strings.Repeat("x", 128)}, 200},
		{"129 characters", []string{"Ringwall-Conversation", strings.Repeat("x", 129)}, 400},
		{"nothing", []string{"Ringwall-Conversation", ""}, 400},
		{"a space", []string{"Ringwall-Conversation", "a b"}, 400},
		{"letters beyond ASCII", []string{"Ringwall-Conversation", "é"}, 400},
	} {
		resp, body := h.chat(question("hi", ""), tt.header...)
		if resp.StatusCode != tt.status || tt.status == 400 && !strings.Contains(body, "invalid_conversation") {
			t.Errorf("%s: %d %s", tt.name, resp.StatusCode, body)
		}
	}
	// A name in the metadata does as well, and what is derived from the beginning
	// does not change with what follows.
	token := func(body string, header ...string) string {
		h.chat(body, header...)
		return placeholder.FindString(u.last())
	}
	const tail = `{"role":"assistant","content":"ok"},{"role":"user","content":"mail me@example.net"}]`
	begin := func(first, more string) string {
		return `{"model":"m"` + more + `,"messages":[{"role":"system","content":"S"},{"role":"user","content":"` + first + `"},`
	}
	same := token(begin("hello", "") + tail + "}")
	for _, tt := range []struct {
		name, got string
		same      bool
	}{
		{"another turn", token(begin("hello", "") + `{"role":"user","content":"and again me@example.net"}]}`), true},
		{"with tools", token(begin("hello", `,"tools":[{"type":"function","function":{"name":"x","description":"y"}}]`) + `{"role":"user","content":"me@example.net"}],"tool_choice":"none"}`), true},
		{"another beginning", token(begin("hallo", "") + tail + "}"), false},
		{"a name in the metadata", token(begin("hello", `,"metadata":{"conversation_id":"m1"}`) + tail + "}"), false},
		{"a name in the header", token(begin("hello", "")+tail+"}", "Ringwall-Conversation", "m1"), false},
	} {
		if tt.got == "" || (tt.got == same) != tt.same {
			t.Errorf("%s: %s beside %s", tt.name, tt.got, same)
		}
	}
	if a, b := token(begin("1", `,"metadata":{"conversation_id":"m1"}`)+tail+"}"), token(begin("2", "")+tail+"}", "Ringwall-Conversation", "m1"); a == "" || a != b {
		t.Errorf("the same name gives %s and %s", a, b)
	}
}

// Nobody can tell one caller without a key from another, so that none reads what
// another sent.
func TestAnonymousCallersReadTheirOwnExchangeAlone(t *testing.T) {
	u := newUpstream(t, echo)
	h := stand(t, u, func(c *config.Config) { c.Restore.Enabled, c.Restore.Others = true, redact.From(ringwall.Anonymous) })
	_, body := h.chat(question("to me@example.net", ""), "Ringwall-Conversation", "c1")
	token := placeholder.FindString(u.last())
	if said(t, body) != "to me@example.net" || token == "" {
		t.Errorf("the client read %s", body)
	}
	if _, body = h.chat(question("to "+token, ""), "Ringwall-Conversation", "c1"); said(t, body) != "to "+token {
		t.Errorf("another one read %s", body)
	}
}

func TestAVaultThatIsAwayLeaksNothing(t *testing.T) {
	u := newUpstream(t, echo)
	dsn := postgres.Database(t)
	h := stand(t, u, func(c *config.Config) {
		restoring(c)
		c.Database, c.Restore.Key = secret(t, dsn), secret(t, strings.Repeat("7", 64))
	})
	ann := append(h.caller("ann", "acme", ringwall.Customer), "Ringwall-Conversation", "c1")
	h.chat(question("to me@example.net", ""), ann...)
	token := placeholder.FindString(u.last())
	d, err := db.Open(context.Background(), db.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Exec(t.Context(), "DROP TABLE redact_entries"); err != nil {
		t.Fatal(err)
	}
	resp, body := h.chat(question("to "+token+" and you@example.net", ""), ann...)
	if got := said(t, body); got != "to "+token+" and you@example.net" || strings.Contains(u.last(), "you@example.net") {
		t.Errorf("the client read %q, the model %s", got, u.last())
	}
	if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); ev.Detail != "restored email 1; vault unavailable" || ev.Outcome != ringwall.Answered {
		t.Errorf("record %+v", ev)
	}
}

func TestWrongKeysAreRefused(t *testing.T) {
	u := newUpstream(t, echo)
	c := config.Default()
	c.Listen, c.Data, c.Default = "127.0.0.1:0", t.TempDir(), "u"
	c.Providers = map[string]config.Provider{"u": config.Upstream(u.URL+"/v1", false)}
	c.Restore.Enabled = true
	start := func() error {
		s, err := server.New(t.Context(), server.Options{Config: c})
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return s.Run(ctx)
	}
	if err := start(); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(c.Data, redact.KeyFile)
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key: %v, %v", info, err)
	}
	for _, tt := range []struct {
		name, says string
		spoil      func() error
	}{
		{"a key that others may read", "others can read it", func() error { return os.Chmod(key, 0o644) }},
		{"another key", "sealed with another key", func() error {
			return os.WriteFile(key, []byte(strings.Repeat("8", 64)), 0o600)
		}},
		{"half a key", "want 64 hexadecimal digits", func() error { return os.WriteFile(key, []byte("88"), 0o600) }},
		{"no key for what is there", "sealed with another key", func() error { return os.Remove(key) }},
	} {
		if err := tt.spoil(); err != nil {
			t.Fatal(err)
		}
		if err := start(); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err := os.Chmod(key, 0o600); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// Who may read is settled by a reload; whether there is a vault is not.
func TestReloadOfRestore(t *testing.T) {
	u := newUpstream(t, echo)
	file, data := filepath.Join(t.TempDir(), "ringwall.yaml"), t.TempDir()
	write := func(restore string) {
		text := fmt.Sprintf("listen: 127.0.0.1:0\ndata: %s\nanonymous: true\nproviders:\n  u: {base_url: %s/v1}\ndefault_provider: u\nrestore: {%s}\n", data, u.URL, restore)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("enabled: true")
	load := func() (*config.Config, error) { return config.Load(file) }
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	h := standOn(t, u, server.Options{Config: c, Reload: load, File: file})
	reads := func() string { _, body := h.chat(question("to me@example.net", "")); return said(t, body) }
	if got := reads(); got != "to me@example.net" {
		t.Errorf("the client read %q", got)
	}
	write("enabled: true, trust: nobody")
	until(t, "the caller reads placeholders", func() bool { return placeholder.MatchString(reads()) })
	write("enabled: false")
	until(t, "the file is refused", func() bool {
		_, text := h.get("/readyz")
		return strings.Contains(text, "restore.enabled") || strings.Contains(text, "refused")
	})
	if got := reads(); !placeholder.MatchString(got) {
		t.Errorf("the client read %q", got)
	}
}
