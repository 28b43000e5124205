package dialecttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/sse"
)

// Told writes a conversation down, a line for each turn.
func Told(c *ringwall.Conversation) string {
	var b strings.Builder
	line := func(who string, parts []ringwall.Part) {
		b.WriteString(who + ":")
		for _, p := range parts {
			b.WriteString(" " + part(p))
		}
		b.WriteByte('\n')
	}
	if len(c.System) > 0 {
		line("system", c.System)
	}
	for _, t := range c.Turns {
		line([...]string{"user", "assistant", "system"}[t.Role], t.Parts)
	}
	b.WriteString("tools:")
	for _, t := range c.Tools {
		b.WriteString(" " + t.Name)
	}
	return b.String() + "\n"
}

func part(p ringwall.Part) string {
	switch p.Kind {
	case ringwall.PartCall:
		return "call " + p.Call.ID + " " + p.Call.Name + " " + p.Call.Arguments
	case ringwall.PartResult:
		s := "result " + p.Result.Name + " " + p.Result.ID
		if p.Result.Failed {
			s += " failed"
		}
		var inside []string
		for _, in := range p.Result.Parts {
			inside = append(inside, part(in))
		}
		return s + " [" + strings.Join(inside, " ") + "]"
	case ringwall.PartMedia:
		kind := [...]string{"image", "document", "audio", "video"}[p.Media.Kind]
		return strings.TrimSpace("media " + kind + " " + p.Media.Name + p.Media.URL + p.Media.Data)
	case ringwall.PartReasoning:
		return fmt.Sprintf("thought %q", p.Text)
	case ringwall.PartRedacted:
		return "redacted"
	case ringwall.PartText, ringwall.PartRefusal:
	}
	return fmt.Sprintf("%q", p.Text)
}

// Ruler makes rulings by chance, the same for the same call.
func Ruler(seed uint64) func([]ringwall.ToolCall) []gateway.Ruling {
	return func(calls []ringwall.ToolCall) (rulings []gateway.Ruling) {
		for _, c := range calls {
			h := fnv.New64a()
			fmt.Fprint(h, seed, c.Name, c.Arguments)
			switch h.Sum64() >> 8 % 5 {
			case 0:
				rulings = append(rulings, gateway.Ruling{})
			case 1, 2:
				rulings = append(rulings, gateway.Ruling{Note: "This \"call\" may not\nrun."})
			case 3:
				rulings = append(rulings, gateway.Ruling{Runs: true, Arguments: `{"changed":[1,"\u00e9"]}`})
			default:
				rulings = append(rulings, gateway.Ruling{Runs: true})
			}
		}
		return rulings
	}
}

// Open opens a channel that lets everything go, some bytes late.
func Open(string) gateway.Channel { return &Lagging{Lag: 8} }

// Events fails the test when frames are no server-sent events of JSON.
func Events(t testing.TB, frames []byte) {
	t.Helper()
	for ev, err := range sse.Events(bytes.NewReader(frames)) {
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(ev.Data) {
			t.Fatalf("sent what is no JSON: %q", ev.Data)
		}
	}
}

// Rules fails the test when of an answer, as d reads it, other calls are left than
// those that rulings let run.
func Rules(t testing.TB, d gateway.Dialect, req gateway.Request, body []byte, seed uint64) {
	t.Helper()
	a, err := d.Answer(req, body)
	if err != nil {
		return
	}
	c, ok := a.(gateway.Calling)
	if !ok {
		t.Fatal("an answer of this dialect asks for nothing")
	}
	if got := c.Edit(nil); !bytes.Equal(got, body) {
		t.Fatalf("nobody ruled, and it is another: %s", got)
	}
	calls := c.Calls()
	rulings := Ruler(seed)(calls)
	var want []string
	for i, r := range rulings {
		if r.Runs {
			arguments := calls[i].Arguments
			if r.Arguments != "" {
				arguments = `{"changed":[1,"\u00e9"]}`
			}
			want = append(want, calls[i].Name+arguments)
		}
	}
	c.Rule(rulings)
	for _, all := range [][]guard.Changed{nil, changed(a)} {
		out := c.Edit(all)
		if all != nil && len(out) == 0 { // two keys of one object became the same
			continue
		}
		again, err := d.Answer(req, out)
		if err != nil {
			t.Fatalf("it cannot be read again: %v\n%s", err, out)
		}
		if all != nil {
			if n := len(again.(gateway.Calling).Calls()); n != len(want) {
				t.Fatalf("%d calls are left of %d\n%s", n, len(want), out)
			}
			continue
		}
		var got []string
		for _, left := range again.(gateway.Calling).Calls() {
			got = append(got, left.Name+left.Arguments)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("left are %q, want %q\n%s", got, want, out)
		}
	}
}

// changed changes every text of what has some.
func changed(of interface{ Texts() []ringwall.Text }) []guard.Changed {
	all := []guard.Changed{}
	for i := range of.Texts() {
		all = append(all, guard.Changed{Index: i, Value: "masked"})
	}
	return all
}

// Offers fails the test when of a request other tools are offered than those that are
// kept.
func Offers(t testing.TB, seed uint64, body []byte, read func(body []byte) (gateway.Request, error)) {
	t.Helper()
	r, err := read(body)
	if err != nil {
		return
	}
	a, ok := r.(gateway.Acting)
	if !ok {
		t.Fatal("a request of this dialect offers nothing")
	}
	c, err := a.Conversation()
	if err != nil {
		return
	}
	keep := func(name string) bool {
		h := fnv.New64a()
		fmt.Fprint(h, seed, name)
		return h.Sum64()>>8%2 == 0
	}
	var want []string
	for _, tool := range c.Tools {
		if keep(tool.Name) {
			want = append(want, tool.Name)
		}
	}
	before := a.Edit(nil)
	a.Offer(keep)
	out := a.Edit(nil)
	if len(want) == len(c.Tools) && !bytes.Equal(out, before) {
		t.Fatalf("all are kept, and it is another: %s", out)
	}
	again, err := read(out)
	if err != nil {
		t.Fatalf("it cannot be read again: %v\n%s", err, out)
	}
	left, err := again.(gateway.Acting).Conversation()
	if err != nil {
		t.Fatalf("it cannot be told again: %v\n%s", err, out)
	}
	var got []string
	for _, tool := range left.Tools {
		got = append(got, tool.Name)
	}
	if len(want) == 0 && len(got) == 1 && got[0] == "unavailable" {
		got = nil
	}
	if !slices.Equal(got, want) {
		t.Fatalf("offered are %q, want %q\n%s", got, want, out)
	}
	if out := a.Edit(changed(a)); len(out) > 0 && !json.Valid(out) {
		t.Fatalf("with other texts it is no JSON: %s", out)
	}
}

// Gone fails the test when something of the calls that were refused stands in out: of
// their arguments the strings that stand nowhere else in what came, nor in those that
// were kept.
func Gone(t testing.TB, in, out []byte, refused, kept []string) {
	t.Helper()
	for _, arguments := range refused {
		if len(arguments) < 12 || bytes.Count(in, []byte(arguments)) > 1 || strings.Contains(strings.Join(kept, " "), arguments) {
			continue
		}
		quoted, _ := json.Marshal(arguments)
		if bytes.Contains(out, quoted) {
			t.Fatalf("the refused %q left: %q", arguments, out)
		}
	}
}
