package responses_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/gateway/dialect/openai/responses"
	"github.com/ringwall/ringwall/guard"
)

func acting(t testing.TB, body string) gateway.Acting {
	t.Helper()
	req, err := responses.Dialect{}.Read(nil, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return req.(gateway.Acting)
}

// told lists what a conversation says.
func told(c *ringwall.Conversation) (lines []string) {
	for _, turn := range c.Turns {
		for _, p := range turn.Parts {
			s := fmt.Sprint(turn.Role, " ", p.Kind, " ", p.Text)
			switch {
			case p.Call != nil:
				s += fmt.Sprint(*p.Call)
			case p.Result != nil:
				s += fmt.Sprint(p.Result.ID, " ", p.Result.Name)
				for _, p := range p.Result.Parts {
					s += " " + p.Text
				}
			case p.Media != nil:
				s += p.Media.Name + p.Media.URL
			}
			lines = append(lines, s)
		}
	}
	return lines
}

func TestConversation(t *testing.T) {
	c, err := acting(t, `{"model":"m","stream":true,"instructions":"be kind","input":[
	  {"role":"developer","content":"be brief"},
	  {"role":"user","content":[{"type":"input_text","text":"look"},{"type":"input_image","image_url":"https://x/y.png"},{"type":"input_file","file_id":"f"},{"type":"novel"}]},
	  {"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"hm"}]},
	  {"type":"message","role":"assistant","content":[{"type":"output_text","text":"so"}]},
	  {"type":"function_call","id":"f1","call_id":"c1","name":"get","arguments":"{\"a\": 1}"},
	  {"type":"custom_tool_call","call_id":"c2","name":"run","input":"x"},
	  {"type":"local_shell_call","id":"s","call_id":"c3","action":{"command":["ls"]}},
	  {"type":"function_call_output","call_id":"c1","output":"42"},
	  {"type":"custom_tool_call_output","call_id":"c2","output":[{"type":"input_text","text":"done"}]},
	  {"type":"shell_call_output","call_id":"c3","output":[{"stdout": "a"}]},
	  {"type":"mcp_call","id":"m1","name":"find","server_label":"s","arguments":"{}","output":"found"},
	  {"type":"web_search_call","id":"w","action":{"query":"q"}},
	  {"type":"function_call","call_id":"c1","name":"put","arguments":"{}"},
	  {"type":"function_call_output","call_id":"c1","output":"43"},
	  {"type":"mcp_approval_response","approval_request_id":"a","approve":true},
	  {"type":"new_thing","what":"x"},
	  {"role":"system","content":"stop"}],
	 "tools":[{"type":"function","name":"get","description":"gets","parameters":{"type":"object"},"strict":true},{"type":"custom","name":"run"},{"type":"web_search"},{"type":"mcp","server_label":"a"},{"type":"mcp","server_label":"b"},{"type":"computer_use_preview"},{"type":"namespace","name":"crm","tools":[{"type":"function","name":"put"}]}]}`).Conversation()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"0 0 look", "0 1 https://x/y.png", "0 1 input_file", "0 1 novel",
		"1 4 hm", "1 0 so", `1 2 {c1 get {"a": 1}}`, `1 2 {c2 run {"input":"x"}}`, `1 2 {c3 local_shell {"action":{"command":["ls"]}}}`,
		"0 3 c1 get 42", "0 3 c2 run done", `0 3 c3 local_shell {"stdout":"a"}`,
		"1 2 {m1 find {}}", "0 3 m1 find found",
		`1 2 {w web_search {"action":{"query":"q"}}}`, "1 2 {c1 put {}}", "0 3 c1 put 43",
		"0 1 mcp_approval_response", "1 1 new_thing", "2 0 stop",
	}
	if got := told(c); !slices.Equal(got, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if c.Model != "m" || !c.Stream || len(c.System) != 2 || c.System[0].Text != "be kind" || c.System[1].Text != "be brief" {
		t.Errorf("%+v", c)
	}
	var tools []string
	for _, s := range c.Tools {
		tools = append(tools, s.Name)
	}
	if got, want := strings.Join(tools, " "), "get run web_search mcp computer put"; got != want || string(c.Tools[0].Schema) != `{"type":"object"}` {
		t.Errorf("tools %q, want %q", got, want)
	}
}

func TestConversationGoesOn(t *testing.T) {
	req, err := responses.Dialect{}.Read(nil, []byte(`{"model":"m","previous_response_id":"r1","input":[{"type":"function_call_output","call_id":"a0","output":"42"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	c, err := req.(gateway.Acting).Conversation()
	if got := told(c); err != nil || !slices.Equal(got, []string{"0 3 a0  42"}) { // the provider has the call
		t.Errorf("%v %q", err, got)
	}
	asked := []byte(`{"type":"message","role":"user","content":"hi"}`)
	if err := req.(gateway.Continuing).Continue(gateway.Said{Asked: asked, Answer: []byte(response(listed(callA)))}); err != nil {
		t.Fatal(err)
	}
	c, err = req.(gateway.Acting).Conversation()
	if got := told(c); err != nil || !slices.Equal(got, []string{"0 0 hi", `1 2 {a0 get {"q": "ü\"x"}}`, "0 3 a0 get 42"}) {
		t.Errorf("%v %q", err, got)
	}
	if c, err := acting(t, `{"model":"m","input":"hi"}`).Conversation(); err != nil || !slices.Equal(told(c), []string{"0 0 hi"}) {
		t.Errorf("%v %q", err, told(c))
	}
}

func TestConversationRefuses(t *testing.T) {
	call := `{"type":"function_call","call_id":"c1","name":"get","arguments":"{}"}`
	for name, tt := range map[string]struct{ items, want string }{
		"a result without an id":  {call + `,{"type":"function_call_output","output":"x"}`, "input[1]: a result without the id of the call that it is for at line 1, column"},
		"a result without a call": {`{"type":"function_call_output","call_id":"c1","output":"x"}`, `input[0]: a result for the call "c1", which stands nowhere before it`},
		"a call without a name":   {`{"type":"function_call","call_id":"c1","arguments":"{}"}`, "input[0]: a call without the name of its tool"},
		"a call without an id":    {`{"type":"function_call","name":"get","arguments":"{}"}`, "input[0]: a call without an id"},
		"two calls of one id":     {call + "," + call, `input[1]: two calls of one turn have the id "c1"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := acting(t, `{"model":"m","input":[`+tt.items+`]}`).Conversation()
			var r *ringwall.Refusal
			if !errors.As(err, &r) || r.Status != 400 || !strings.Contains(r.Public, tt.want) {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := acting(t, `{"model":"m","input":[{"type":"item_reference","id":"f1"},{"type":"function_call_output","call_id":"c1","output":"x"}]}`).Conversation(); err != nil {
		t.Errorf("a result for a call that the provider keeps is refused: %v", err)
	}
}

func TestOffer(t *testing.T) {
	const a, b, run, search = `{"type":"function","name":"a","description":"secret a"}`, `{"type":"function","name":"b"}`, `{"type":"custom","name":"run"}`, `{"type":"web_search"}`
	for name, tt := range map[string]struct {
		in, want string
		keep     []string
		forced   bool
	}{
		"all stay":           {`"tools":[` + a + `]`, `"tools":[` + a + `]`, []string{"a"}, false},
		"one goes":           {`"tools":[` + a + ` , ` + b + `],"tool_choice":"auto"`, `"tools":[` + b + `],"tool_choice":"auto"`, []string{"b"}, false},
		"all go":             {`"tool_choice":"auto","parallel_tool_calls":false,"tools":[` + a + `,` + run + `,` + search + `],"x":1`, `"x":1`, nil, false},
		"required":           {`"tools":[` + a + `],"tool_choice":"required"`, ``, nil, true},
		"named":              {`"tools":[` + a + `,` + b + `],"tool_choice":{"type":"function","name":"a"}`, `"tools":[` + b + `],"tool_choice":"auto"`, []string{"b"}, true},
		"another named":      {`"tools":[` + a + `,` + b + `],"tool_choice":{"type":"function","name":"b"}`, `"tools":[` + b + `],"tool_choice":{"type":"function","name":"b"}`, []string{"b"}, false},
		"the provider's own": {`"tools":[` + a + `,` + search + `],"tool_choice":{"type":"web_search"}`, `"tools":[` + a + `],"tool_choice":"auto"`, []string{"a"}, true},
		"of two allowed one": {
			`"tools":[` + a + `,` + b + `],"tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"a"},{"type":"function","name":"b"}]}`,
			`"tools":[` + b + `],"tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"b"}]}`,
			[]string{"b"},
			false,
		},
		"of those allowed none": {
			`"tools":[` + a + `,` + b + `],"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"a"}]}`,
			`"tools":[` + b + `],"tool_choice":"none"`,
			[]string{"b"},
			false,
		},
		"of a namespace": {`"tools":[{"type":"namespace","name":"n","tools":[` + a + `,` + b + `]},{"type":"namespace","tools":[` + a + `]}]`, `"tools":[{"type":"namespace","name":"n","tools":[` + b + `]}]`, []string{"b"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			with := func(s string) string {
				if s != "" {
					s += ","
				}
				return s
			}
			req := acting(t, `{`+with(tt.in)+`"model":"m","input":"hi"}`)
			if forced := req.Offer(func(name string) bool { return slices.Contains(tt.keep, name) }); forced != tt.forced {
				t.Errorf("forced is %v", forced)
			}
			dialecttest.Same(t, string(req.Edit(nil)), `{`+with(tt.want)+`"model":"m","input":"hi"}`)
			req.WithModel("n")
			var changed []guard.Changed
			for i, text := range req.Texts() {
				if strings.Contains(text.Value, "secret") {
					changed = append(changed, guard.Changed{Index: i, Value: "masked"})
				}
			}
			dialecttest.Same(t, string(req.Edit(changed)), `{`+with(strings.ReplaceAll(tt.want, "secret a", "masked"))+`"model":"n","input":"hi"}`)
		})
	}
}

// FuzzOffer wants requests without tools that are read as well, and say none of them.
func FuzzOffer(f *testing.F) {
	f.Add(`{"model":"m","input":"hi","tools":[{"type":"function","name":"b"}, {"type":"x"}],"tool_choice":"required"}`, "b")
	f.Add(`{"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"b"}]},"model":"m","input":[],"tools":[{"type":"namespace","tools":[{"type":"function","name":"a"},{"type":"function","name":"b"}]}]}`, "a")
	f.Fuzz(func(t *testing.T, body, gone string) {
		req, err := responses.Dialect{}.Read(nil, []byte(body))
		if err != nil {
			return
		}
		a := req.(gateway.Acting)
		before, _ := a.Conversation()
		a.Offer(func(name string) bool { return name != gone })
		out := a.Edit(nil)
		again, err := responses.Dialect{}.Read(nil, out)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		after, err := again.(gateway.Acting).Conversation()
		if (err == nil) != (before != nil) {
			t.Fatalf("%v\n%s", err, out)
		}
		if before == nil {
			return
		}
		left := slices.DeleteFunc(before.Tools, func(s ringwall.ToolSpec) bool { return s.Name == gone })
		if !slices.EqualFunc(left, after.Tools, func(a, b ringwall.ToolSpec) bool { return a.Name == b.Name }) {
			t.Fatalf("%v\n%v\n%s", left, after.Tools, out)
		}
	})
}
