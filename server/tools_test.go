package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/policy"
)

// wish is a call that a scripted model asks for.
type wish struct{ id, name, arguments string }

// wishes is an upstream that answers with a text and calls of tools, in pieces of three
// bytes where it is streamed.
func wishes(text string, calls ...wish) func(w http.ResponseWriter, r *http.Request, body string) {
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	return func(w http.ResponseWriter, _ *http.Request, body string) {
		if !strings.Contains(body, `"stream":true`) {
			var list []string
			for _, c := range calls {
				list = append(list, fmt.Sprintf(`{"id":%s,"type":"function","function":{"name":%s,"arguments":%s}}`, quote(c.id), quote(c.name), quote(c.arguments)))
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":%s,"tool_calls":[%s]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`,
				quote(text), strings.Join(list, ","))
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		frame := func(delta, finish string) {
			fmt.Fprintf(w, "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":%s,\"finish_reason\":%s}]}\n\n", delta, finish)
			_ = http.NewResponseController(w).Flush()
		}
		frame(`{"role":"assistant","content":`+quote(text)+`}`, "null")
		for i, c := range calls {
			frame(fmt.Sprintf(`{"tool_calls":[{"index":%d,"id":%s,"type":"function","function":{"name":%s,"arguments":""}}]}`, i, quote(c.id), quote(c.name)), "null")
			for at := 0; at < len(c.arguments); at += 3 {
				frame(fmt.Sprintf(`{"tool_calls":[{"index":%d,"function":{"arguments":%s}}]}`, i, quote(c.arguments[at:min(at+3, len(c.arguments))])), "null")
			}
		}
		frame("{}", `"tool_calls"`)
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
	}
}

// Tools that send mail, as requests offer them.
const (
	chatMail   = `,"tools":[{"type":"function","function":{"name":"mail","description":"sends mail","parameters":{"type":"object","properties":{"to":{"type":"string"}}}}}]`
	claudeMail = `,"tools":[{"name":"mail","description":"sends mail","input_schema":{"type":"object","properties":{"to":{"type":"string"}}}}]`
)

// googleMail is a question to Gemini with such a tool.
func googleMail(text string) string {
	return strings.Replace(geminiAsks(text), "{", `{"tools":[{"functionDeclarations":[{"name":"mail","description":"sends mail"}]}],`, 1)
}

// agent is a request of an agent: its messages, and the names of the tools that it has.
func agent(more, messages string, tools ...string) string {
	var list []string
	for _, name := range tools {
		list = append(list, fmt.Sprintf(`{"type":"function","function":{"name":%q,"description":"the tool %s","parameters":{"type":"object","properties":{"to":{"type":"string"},"body":{"type":"string"},"city":{"type":"string"}}}}}`, name, name))
	}
	return `{"model":"m"` + more + `,"messages":[` + messages + `],"tools":[` + strings.Join(list, ",") + `]}`
}

// spokenCalls is what a client reads of a chat completion: its text, and its calls.
func spokenCalls(t *testing.T, body string) (text string, calls []wish, finish string) {
	t.Helper()
	type says struct {
		Content string
		Calls   []struct {
			Index    int
			ID       string
			Function struct{ Name, Arguments string }
		} `json:"tool_calls"`
	}
	for line := range strings.Lines(body) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "data: ")
		if line == "" || line == "[DONE]" {
			continue
		}
		var f struct {
			Choices []struct {
				Message, Delta says
				Finish         string `json:"finish_reason"`
			}
		}
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		for _, c := range f.Choices {
			text += c.Message.Content + c.Delta.Content
			for _, call := range append(c.Message.Calls, c.Delta.Calls...) {
				calls = append(calls, wish{call.ID, call.Function.Name, call.Function.Arguments})
			}
			finish += c.Finish
		}
	}
	return text, calls, finish
}

// outcomes are the decisions that a record has, with their rules.
func outcomes(ev ringwall.Event) (out []string) {
	for _, t := range ev.Tools {
		out = append(out, strings.TrimSpace(t.Tool+" "+t.Decision.String()+" "+t.Rule))
	}
	return out
}

// ruled gives a configuration policies.
func ruled(t *testing.T, text string) func(*config.Config) {
	t.Helper()
	b, err := policy.Parse([]policy.File{{Name: "p.cedar", Data: []byte(text)}}, policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return func(c *config.Config) { c.Policies = b }
}

const weatherAlone = `
@id("all") permit (principal, action, resource) unless { resource is Ringwall::Tool };
@id("weather") permit (principal, action == Ringwall::Action::"call-tool", resource == Ringwall::Tool::"get_weather");
@id("mail") @hold("it goes out of the house") permit (principal, action == Ringwall::Action::"call-tool", resource == Ringwall::Tool::"send_email");`

const asksWeather = `{"role":"user","content":"What is the weather in Riga? Mail it to bob@example.org."}`

// What policies deny a model is not offered, and what it asks for all the same does not
// run: of several calls the others do.
func TestToolsByPolicy(t *testing.T) {
	u := newUpstream(t, wishes("One moment.", wish{"c1", "get_weather", `{"city":"Riga"}`}, wish{"c2", "drop_tables", `{"to":"PAYLOAD-1"}`}, wish{"c3", "send_email", `{"to":"bob@example.org","body":"PAYLOAD-2"}`}))
	h := stand(t, u, ruled(t, weatherAlone))
	for _, more := range []string{"", streaming} {
		resp, body := h.chat(agent(more, asksWeather, "get_weather", "drop_tables", "send_email"))
		text, calls, finish := spokenCalls(t, body)
		if resp.StatusCode != 200 || len(calls) != 1 || calls[0] != (wish{"c1", "get_weather", `{"city":"Riga"}`}) || finish != "tool_calls" {
			t.Fatalf("the client read %d %s", resp.StatusCode, body)
		}
		if !strings.HasPrefix(text, "One moment.") || !strings.Contains(text, "drop_tables did not run") || !strings.Contains(text, "send_email did not run") || strings.Contains(body, "PAYLOAD") {
			t.Errorf("the client read %s", body)
		}
		if asked := u.last(); strings.Contains(asked, "drop_tables") || !strings.Contains(asked, "get_weather") || !strings.Contains(asked, "send_email") {
			t.Errorf("the model was offered %s", asked)
		}
		ev := h.record(resp.Header.Get("X-Ringwall-Exchange"))
		if got := outcomes(ev); !slices.Equal(got, []string{"get_weather allow", "drop_tables strip not-offered", "send_email hold policy"}) {
			t.Errorf("the record has %q", got)
		}
		if ev.Verdict.Action != ringwall.Hold || !slices.Contains(ev.Verdict.Reasons, "policy") || ev.Outcome != ringwall.Answered {
			t.Errorf("the verdict is %+v, the outcome %s", ev.Verdict, ev.Outcome)
		}
		if i := slices.IndexFunc(ev.Looks, func(l ringwall.Look) bool { return l.Control == "inference/tool-call" }); i < 0 || ev.Looks[i].State != ringwall.Ran {
			t.Errorf("looks %+v", ev.Looks)
		}
	}
	forced := agent(`,"tool_choice":{"type":"function","function":{"name":"drop_tables"}}`, asksWeather, "get_weather", "drop_tables")
	resp, body := h.chat(forced)
	if resp.StatusCode != 403 || strings.Contains(body, "drop_tables") {
		t.Errorf("a hidden tool that is forced: %d %s", resp.StatusCode, body)
	}
	if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); ev.Outcome != ringwall.Refused || ev.Verdict.Action != ringwall.Block {
		t.Errorf("record %s %+v", ev.Outcome, ev.Verdict)
	}
}

// Nothing of a streamed call that does not run reaches the client, however it is cut.
func TestStreamedCallsAreHeldWhole(t *testing.T) {
	const secret = `{"to":"bob@example.org","body":"PAYLOAD-abcdefghijklmnopqrstuvwxyz"}`
	u := newUpstream(t, wishes("", wish{"call_held", "send_email", secret}))
	h := stand(t, u, ruled(t, weatherAlone))
	resp, body := h.chat(agent(streaming, asksWeather, "get_weather", "send_email"))
	text, calls, finish := spokenCalls(t, body)
	if resp.StatusCode != 200 || len(calls) != 0 || finish != "stop" || !strings.Contains(text, "send_email did not run") {
		t.Fatalf("the client read %d %s", resp.StatusCode, body)
	}
	for at := 0; at+3 <= len(secret); at++ {
		if piece := secret[at : at+3]; strings.ContainsAny(piece, `-@{"`) && strings.Contains(text, piece) {
			t.Errorf("the client read %q of the call", piece)
		}
	}
	if strings.Contains(body, "PAYLOAD") || strings.Contains(body, "call_held") || strings.Contains(body, "bob@") {
		t.Errorf("the client read %s", body)
	}
}

// A plain conversation with a tool runs untouched where nobody configured anything.
func TestABenignToolRunsByDefault(t *testing.T) {
	const arguments = `{"city": "Riga"}`
	u := newUpstream(t, wishes("", wish{"c1", "get_weather", arguments}))
	h := stand(t, u, nil)
	for _, more := range []string{"", streaming} {
		resp, body := h.chat(agent(more, `{"role":"user","content":"What is the weather in Riga?"}`, "get_weather"))
		_, calls, finish := spokenCalls(t, body)
		if resp.StatusCode != 200 || len(calls) != 1 || calls[0] != (wish{"c1", "get_weather", arguments}) || finish != "tool_calls" {
			t.Fatalf("the client read %d %s", resp.StatusCode, body)
		}
		if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); !slices.Equal(outcomes(ev), []string{"get_weather allow"}) || ev.Verdict.Action < ringwall.Flag {
			t.Errorf("the record has %q, %+v", outcomes(ev), ev.Verdict)
		}
	}
	u.answer = says("It is sunny.", 3)
	turns := `{"role":"user","content":"What is the weather in Riga?"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"get_weather","arguments":"{\"city\": \"Riga\"}"}}]},{"role":"tool","tool_call_id":"c1","content":"sunny, 21 degrees"}`
	if resp, body := h.chat(agent("", turns, "get_weather")); resp.StatusCode != 200 || !strings.Contains(body, "It is sunny.") {
		t.Errorf("with the result: %d %s", resp.StatusCode, body)
	} else if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); !slices.ContainsFunc(ev.Looks, func(l ringwall.Look) bool {
		return l.Control == "inference/tool-call" && l.State == ringwall.Skipped && l.Why == "no-calls"
	}) {
		t.Errorf("looks %+v", ev.Looks)
	}
}

// What an operator says of how calls are decided about is in force.
func TestDecisionsAsConfigured(t *testing.T) {
	read := `{"role":"user","content":"What is the weather in Riga? Mail it to my team."},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Riga\"}"}}]},{"role":"tool","tool_call_id":"c1","content":"sunny, 21 degrees, all day long in all of Riga"}`
	for _, tt := range []struct {
		name      string
		configure func(*config.ToolDecisions)
		asks      []wish
		want      []string
	}{
		{
			"a limit", func(d *config.ToolDecisions) {
				d.Limits = []config.ToolLimit{{Tool: "get_weather", PerConversation: 1}}
			},
			[]wish{{"c2", "get_weather", `{"city":"Riga"}`}},
			[]string{"get_weather strip tool-limit"},
		},
		{"calls in all", func(d *config.ToolDecisions) { d.Calls = 1 }, []wish{{"c2", "get_weather", `{"city":"Oslo"}`}}, []string{"get_weather hold too-many-calls"}},
		{
			"a flow", func(d *config.ToolDecisions) {
				d.Flows = []config.ToolFlow{{Name: "stays", From: []string{"get_weather"}, To: []string{"external"}, Least: 16}}
			},
			[]wish{{"c2", "send_email", `{"body":"sunny, 21 degrees, all day long in all of Riga"}`}},
			[]string{"send_email deny data-flow"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := newUpstream(t, wishes("", tt.asks...))
			h := stand(t, u, func(c *config.Config) { tt.configure(&c.Tools.Decisions) })
			resp, body := h.chat(agent("", read, "get_weather", "send_email"))
			if got := outcomes(h.record(resp.Header.Get("X-Ringwall-Exchange"))); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q: %s", got, tt.want, body)
			}
		})
	}
}

// Transcripts and tools that two readers could read two ways are refused in words, and
// recorded; the model is not asked.
func TestToolsThatCannotBeTold(t *testing.T) {
	u := newUpstream(t, says("never", 3))
	h := stand(t, u, nil)
	call := func(id, name, arguments string) string {
		b, _ := json.Marshal(arguments)
		return fmt.Sprintf(`{"id":%q,"type":"function","function":{"name":%q,"arguments":%s}}`, id, name, b)
	}
	user, result := `{"role":"user","content":"hi"}`, func(id string) string { return fmt.Sprintf(`{"role":"tool","tool_call_id":%q,"content":"x"}`, id) }
	says := func(calls ...string) string {
		return `{"role":"assistant","content":null,"tool_calls":[` + strings.Join(calls, ",") + `]}`
	}
	many := make([]string, 600)
	for i := range many {
		many[i] = fmt.Sprintf("tool_%d", i)
	}
	long := strings.Repeat("n", 300)
	for _, tt := range []struct{ name, body, want string }{
		{"a result without a call", agent("", user+","+result("c9"), "f"), "c9"},
		{"a result of another call", agent("", user+","+says(call("c1", "f", "{}"))+","+result("c2"), "f"), "c2"},
		{"two calls with one id", agent("", user+","+says(call("c1", "f", "{}"), call("c1", "f", "{}"))+","+result("c1"), "f"), "c1"},
		{"two calls with one id in two turns", agent("", user+","+says(call("c1", "f", "{}"))+","+user+","+says(call("c1", "f", "{}"))+","+result("c1"), "f"), "c1"},
		{"two results of one call", agent("", user+","+says(call("c1", "f", "{}"))+","+result("c1")+","+result("c1"), "f"), "c1"},
		{"a call without a name", agent("", user+","+says(call("c1", "", "{}"))+","+result("c1"), "f"), "name"},
		{"too many tools", agent("", user, many...), "600 tools"},
		{"a tool twice", agent("", user, "f", "f"), "twice"},
		{"a name with spaces", agent("", user, "send the mail"), "no name of a tool"},
		{"a name that reads like another", agent("", user, "sеnd_mail"), "no name of a tool"},
		{"a long name", agent("", user, long), "no name of a tool"},
		{"escapes hide nothing", strings.Replace(agent("", user, "f", "f"), `"tools":`, `"\u0074\u006fols":`, 1), "twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := h.chat(tt.body)
			if resp.StatusCode != 400 || !strings.Contains(body, tt.want) || u.last() != "" {
				t.Fatalf("%d %s", resp.StatusCode, body)
			}
			if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); ev.Outcome != ringwall.BadRequest || ev.Detail == "" || ev.Status != 400 {
				t.Errorf("record %s %d %q", ev.Outcome, ev.Status, ev.Detail)
			}
		})
	}
}

// Calls that nobody can read do not run; what is good beside them does.
func TestCallsThatCannotBeRead(t *testing.T) {
	fine := wish{"ok", "get_weather", `{"city":"Riga"}`}
	for _, tt := range []struct {
		name string
		bad  wish
		rule string
	}{
		{"arguments that are no JSON", wish{"c1", "get_weather", `city=Riga`}, "deny arguments-unreadable"},
		{"arguments cut in the middle", wish{"c1", "get_weather", `{"city":"Ri`}, "deny arguments-unreadable"},
		{"arguments that are a list", wish{"c1", "get_weather", `["Riga"]`}, "deny arguments-unreadable"},
		{"a name twice in them", wish{"c1", "get_weather", `{"city":"Riga","city":"Oslo"}`}, "deny arguments-unreadable"},
		{"arguments too deep", wish{"c1", "get_weather", strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200)}, "deny arguments-unreadable"},
		{"a tool that is not offered", wish{"c1", "rm_rf", `{"city":"Riga"}`}, "strip not-offered"},
		{"the id of another call", wish{"ok", "get_weather", `{"city":"Riga"}`}, "deny call-id-twice"},
	} {
		for _, more := range []string{"", streaming} {
			t.Run(tt.name+more, func(t *testing.T) {
				u := newUpstream(t, wishes("", fine, tt.bad))
				h := stand(t, u, nil)
				resp, body := h.chat(agent(more, `{"role":"user","content":"What is the weather in Riga, not in Oslo?"}`, "get_weather"))
				_, calls, _ := spokenCalls(t, body)
				if resp.StatusCode != 200 || len(calls) != 1 || calls[0] != fine {
					t.Fatalf("the client read %d %.500s", resp.StatusCode, body)
				}
				ev := h.record(resp.Header.Get("X-Ringwall-Exchange"))
				if got := outcomes(ev); !slices.Equal(got, []string{"get_weather allow", tt.bad.name + " " + tt.rule}) {
					t.Errorf("the record has %q", got)
				}
			})
		}
	}
}

// Arguments of ten megabytes do not reach the client, whoever stops them.
func TestHugeArguments(t *testing.T) {
	u := newUpstream(t, wishes("", wish{"c1", "get_weather", `{"city":"` + strings.Repeat("Riga ", 2<<20) + `"}`}))
	h := stand(t, u, nil)
	resp, body := h.chat(agent("", `{"role":"user","content":"What is the weather in Riga?"}`, "get_weather"))
	if len(body) > 64<<10 || strings.Contains(body, "Riga Riga") {
		t.Errorf("the client read %d, %d bytes", resp.StatusCode, len(body))
	}
	if ev := h.record(resp.Header.Get("X-Ringwall-Exchange")); ev.Outcome == "" || ev.Verdict == nil {
		t.Errorf("record %+v", ev)
	}
	if resp, body := h.chat(agent("", `{"role":"user","content":"`+strings.Repeat("Riga ", 2<<20)+`"}`, "get_weather")); resp.StatusCode != 413 {
		t.Errorf("a request of ten megabytes: %d %.200s", resp.StatusCode, body)
	}
}
