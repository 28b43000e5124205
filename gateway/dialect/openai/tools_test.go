package openai_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/dialecttest"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/guard"
)

func acting(t testing.TB, body string) gateway.Acting {
	t.Helper()
	req, err := openai.Chat{}.Read(nil, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	a, ok := req.(gateway.Acting)
	if !ok {
		t.Fatal("the request is no gateway.Acting")
	}
	return a
}

func TestConversation(t *testing.T) {
	c, err := acting(t, `{"model":"m","user":"ann","stream":true,"logprobs":true,"n":2,"audio":{"voice":"alloy"},"messages":[
	  {"role":"system","content":"be kind"},
	  {"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"https://x/y.png"}},{"type":"file","file":{"file_id":"f"}},{"type":"novel","text":"words"},{"type":"novel"}]},
	  {"role":"assistant","content":"so","audio":{"id":"a1"},"tool_calls":[
	    {"id":"c1","type":"function","function":{"name":"get","arguments":"{\"a\": 1}"}},
	    {"id":"c2","type":"custom","custom":{"name":"run","input":"rm \"x\""}},
	    {"id":"c3","type":"novel","novel":{ "b" : [ ] }}]},
	  {"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"done"}]},
	  {"role":"tool","tool_call_id":"c1","content":"42"},
	  {"role":"assistant","content":null,"function_call":{"name":"old","arguments":"{}"}},
	  {"role":"function","name":"old","content":"7"},
	  {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"put","arguments":{"a": 1}}}]},
	  {"role":"tool","tool_call_id":"c1","content":"43"},
	  {"role":"developer","content":"be brief"}],
	 "tools":[{"type":"function","function":{"name":"get","description":"gets","parameters":{"type":"object"},"strict":true}},{"type":"custom","custom":{"name":"run"}},{"type":"code_interpreter"},7],
	 "functions":[{"name":"old"}],"web_search_options":{}}`).Conversation()
	if err != nil {
		t.Fatal(err)
	}
	if c.Model != "m" || c.User != "ann" || !c.Stream || len(c.System) != 1 || c.System[0].Text != "be kind" {
		t.Errorf("%+v", c)
	}
	var told []string
	for _, turn := range c.Turns {
		for _, p := range turn.Parts {
			s := fmt.Sprint(turn.Role, " ", p.Kind, " ", p.Text)
			switch {
			case p.Call != nil:
				s += fmt.Sprint(*p.Call)
			case p.Result != nil:
				s += fmt.Sprint(p.Result.ID, " ", p.Result.Name, " ", p.Result.Parts[0].Text)
			case p.Media != nil:
				s += p.Media.Name + p.Media.URL
			}
			told = append(told, s)
		}
	}
	want := []string{
		"0 0 look", "0 1 https://x/y.png", "0 1 file", "0 0 words", "0 1 novel",
		"1 0 so", "1 1 a1", `1 2 {c1 get {"a": 1}}`, `1 2 {c2 run {"input":"rm \"x\""}}`, `1 2 {c3 novel {"id":"c3","type":"novel","novel":{"b":[]}}}`,
		"0 3 c2 run done", "0 3 c1 get 42",
		"1 2 {function_call_1 old {}}", "0 3 function_call_1 old 7",
		`1 2 {c1 put {"a":1}}`, "0 3 c1 put 43", "2 0 be brief",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
	var tools []string
	for _, s := range c.Tools {
		tools = append(tools, s.Name)
	}
	if got, want := strings.Join(tools, " "), "get run code_interpreter  old web_search"; got != want {
		t.Errorf("tools %q, want %q", got, want)
	}
	if s := c.Tools[0]; s.Description != "gets" || string(s.Schema) != `{"type":"object"}` || !s.Strict || c.Tools[2].Schema != nil {
		t.Errorf("tools %+v", c.Tools)
	}
}

func TestConversationRefuses(t *testing.T) {
	call := `{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"get","arguments":"{}"}}]}`
	for name, tt := range map[string]struct{ messages, want string }{
		"a result without an id":        {call + `,{"role":"tool","content":"x"}`, "messages[1]: a result without the id of the call that it is for at line 1, column 135"},
		"a result without a call":       {`{"role":"tool","tool_call_id":"c1","content":"x"}`, `messages[0]: a result for the call "c1", which stands nowhere before it`},
		"a result before its call":      {`{"role":"tool","tool_call_id":"c1","content":"x"},` + call, `messages[0]: a result for the call "c1"`},
		"a call without a name":         {`{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"arguments":"{}"}}]}`, "messages[0].tool_calls[0]: a call without the name of its tool"},
		"a call without an id":          {`{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"get","arguments":"{}"}}]}`, "messages[0].tool_calls[0]: a call without an id"},
		"two calls of one id":           {`{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"a"}},{"id":"c","function":{"name":"b"}}]}`, `messages[0].tool_calls[1]: two calls of one turn have the id "c"`},
		"two messages that are a turn":  {call + "," + call, `messages[1].tool_calls[0]: two calls of one turn have the id "c1"`},
		"calls that are no list":        {`{"role":"assistant","tool_calls":{"0":{}}}`, "messages[0].tool_calls: a call without the name"},
		"a function's result, uncalled": {`{"role":"function","name":"f","content":"x"}`, `messages[0]: a result of the function "f"`},
		"a function without a name":     {`{"role":"assistant","function_call":{"arguments":"{}"}}`, "messages[0].function_call: a call without the name"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := acting(t, `{"model":"m","messages":[`+tt.messages+`]}`).Conversation()
			var r *ringwall.Refusal
			if !errors.As(err, &r) || r.Status != 400 || !strings.Contains(r.Public, tt.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func keeps(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

func TestOffer(t *testing.T) {
	const a, b, run = `{"type":"function","function":{"name":"a","description":"secret a"}}`, `{"type":"function","function":{"name":"b","description":"secret b"}}`, `{"type":"custom","custom":{"name":"run"}}`
	for name, tt := range map[string]struct {
		in, want string
		keep     []string
		forced   bool
	}{
		"all stay":            {`"tools":[` + a + `]`, `"tools":[` + a + `]`, []string{"a"}, false},
		"one goes":            {`"tools": [` + a + ` , ` + b + `],"tool_choice":"auto"`, `"tools":[` + b + `],"tool_choice":"auto"`, []string{"b"}, false},
		"all go":              {`"tool_choice":"auto","parallel_tool_calls":false,"tools":[` + a + `,` + run + `],"x":1`, `"x":1`, nil, false},
		"required":            {`"tools":[` + a + `],"tool_choice":"required"`, ``, nil, true},
		"required of another": {`"tools":[` + a + `,` + b + `],"tool_choice":"required"`, `"tools":[` + b + `],"tool_choice":"required"`, []string{"b"}, false},
		"named":               {`"tools":[` + a + `,` + b + `],"tool_choice":{"type":"function","function":{"name":"a"}}`, `"tools":[` + b + `],"tool_choice":"auto"`, []string{"b"}, true},
		"named, of its own":   {`"tools":[` + a + `,` + run + `],"tool_choice":{"type":"custom","custom":{"name":"run"}}`, `"tools":[` + a + `],"tool_choice":"auto"`, []string{"a"}, true},
		"another named":       {`"tools":[` + a + `,` + b + `],"tool_choice":{"type":"function","function":{"name":"b"}}`, `"tools":[` + b + `],"tool_choice":{"type":"function","function":{"name":"b"}}`, []string{"b"}, false},
		"of two allowed one": {
			`"tools":[` + a + `,` + b + `],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b"}}]}}`,
			`"tools":[` + b + `],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"b"}}]}}`,
			[]string{"b"},
			false,
		},
		"of those allowed none": {
			`"tools":[` + a + `,` + b + `],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"a"}}]}}`,
			`"tools":[` + b + `],"tool_choice":"none"`,
			[]string{"b"},
			true,
		},
		"functions":           {`"functions":[{"name":"a"},{"name":"b"}],"function_call":"auto"`, `"functions":[{"name":"b"}],"function_call":"auto"`, []string{"b"}, false},
		"a forced function":   {`"functions":[{"name":"a"},{"name":"b"}],"function_call":{"name":"a"}`, `"functions":[{"name":"b"}],"function_call":"auto"`, []string{"b"}, true},
		"all functions":       {`"functions":[{"name":"a"}],"function_call":"none"`, ``, nil, false},
		"the provider's own":  {`"tools":[{"type":"web_search"}],"web_search_options":{}`, ``, nil, false},
		"what is no tool":     {`"tools":[7,` + a + `]`, `"tools":[` + a + `]`, []string{"a"}, false},
		"a tool without name": {`"tools":[{"type":"function","function":{}}]`, ``, []string{"a"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			with := func(s string) string {
				if s != "" {
					s += ","
				}
				return s
			}
			req := acting(t, `{`+with(tt.in)+`"model":"m","messages":[{"role":"user","content":"hi"}]}`)
			if forced := req.Offer(keeps(tt.keep...)); forced != tt.forced {
				t.Errorf("forced is %v", forced)
			}
			dialecttest.Same(t, string(req.Edit(nil)), `{`+with(tt.want)+`"model":"m","messages":[{"role":"user","content":"hi"}]}`)
			req.WithModel("n")
			var changed []guard.Changed
			for i, text := range req.Texts() {
				if strings.Contains(text.Value, "secret") {
					changed = append(changed, guard.Changed{Index: i, Value: "masked"})
				}
			}
			want := strings.ReplaceAll(strings.ReplaceAll(tt.want, "secret a", "masked"), "secret b", "masked")
			dialecttest.Same(t, string(req.Edit(changed)), `{`+with(want)+`"model":"n","messages":[{"role":"user","content":"hi"}]}`)
		})
	}
}

func TestOfferLeavesEveryOtherByte(t *testing.T) {
	req := acting(t, "{ \"model\" :\"m\",\n \"x\": 1.50, \"tools\": [ {\"type\":\"function\",\"function\":{\"name\":\"a\"}} ,\n{\"type\":\"function\",\"function\":{\"name\":\"b\"}} ],\"messages\":[{\"role\":\"user\",\"content\":\"\\u0068i\"}] }")
	req.Offer(keeps("a", "b"))
	req.Offer(keeps("b"))
	req.Offer(keeps("a", "b")) // what is gone stays away
	want := "{ \"model\" :\"m\",\n \"x\": 1.50, \"tools\": [ {\"type\":\"function\",\"function\":{\"name\":\"b\"}} ],\"messages\":[{\"role\":\"user\",\"content\":\"\\u0068i\"}] }"
	if got := string(req.Edit(nil)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAzureActs(t *testing.T) {
	r := httptest.NewRequest("POST", "/", nil)
	r.SetPathValue("deployment", "d")
	req, err := openai.Azure{Dialect: openai.Chat{}}.Read(r, []byte(`{"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"a"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	a := req.(gateway.Acting)
	if c, err := a.Conversation(); err != nil || c.Model != "d" || c.Tools[0].Name != "a" {
		t.Errorf("%v %+v", err, c)
	}
	a.Offer(keeps())
	dialecttest.Same(t, string(a.Edit(nil)), `{"model":"d","messages":[{"role":"user","content":"hi"}]}`)
}

// FuzzOffer wants requests without tools that are read as well, and say none of them.
func FuzzOffer(f *testing.F) {
	f.Add(`{"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"b"}}, {"type":"x"}],"tool_choice":"required"}`, "b")
	f.Add(`{"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"b"}}]}},"model":"m","messages":[{"role":"assistant","function_call":{"name":"b"}}],"functions":[{"name":"b"},{"name":"a"}]}`, "a")
	f.Fuzz(func(t *testing.T, body, gone string) {
		req, err := openai.Chat{}.Read(nil, []byte(body))
		if err != nil {
			return
		}
		a := req.(gateway.Acting)
		before, _ := a.Conversation()
		a.Offer(func(name string) bool { return name != gone })
		out := a.Edit(nil)
		again, err := openai.Chat{}.Read(nil, out)
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
