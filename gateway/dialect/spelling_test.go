package dialect_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
)

// Keys are one where encoding/json says so, which folds as strings.EqualFold does.
func FuzzFoldCase(f *testing.F) {
	f.Add("messages", "me\u017f\u017fageS")
	f.Add("K", "\u212a")
	f.Add("İ", "i")
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			return // refused before
		}
		if one := dialect.FoldCase(a) == dialect.FoldCase(b); one != strings.EqualFold(a, b) {
			t.Errorf("%q and %q: %v", a, b, one)
		}
	})
}

func TestFoldProto(t *testing.T) {
	for _, key := range []string{"systemInstruction", "system_instruction", "SystemInstruction", "system_Instruction_"} {
		if got := dialect.FoldProto(key); got != "systeminstruction" {
			t.Errorf("%s: %s", key, got)
		}
	}
}

func TestResultsFindTheirCalls(t *testing.T) {
	var calls dialect.Calls
	for _, c := range []*ringwall.ToolCall{{Name: "a"}, {Name: "b"}, {Name: "a"}, {Name: "c", ID: "own"}} {
		calls.Asked(c)
	}
	for _, tt := range []struct{ id, name, want string }{
		{"", "a", "call_1"}, {"", "a", "call_3"}, {"", "a", ""}, {"own", "", "own"}, {"own", "", ""}, {"", "", "call_2"}, {"", "", ""},
	} {
		r := &ringwall.ToolResult{ID: tt.id, Name: tt.name}
		if ok := calls.Answered(r); ok != (tt.want != "") || ok && r.ID != tt.want {
			t.Errorf("%+v: %+v", tt, r)
		}
	}
}
