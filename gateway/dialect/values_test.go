package dialect_test

import (
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/gateway/dialect/openai"
	"github.com/ringwall/ringwall/gateway/dialect/openai/responses"
)

func TestABudgetOfReasoningIsAnEffort(t *testing.T) {
	for _, test := range []struct {
		c                ringwall.Conversation
		chat, responding string
	}{
		{ringwall.Conversation{}, ``, ``},
		{ringwall.Conversation{Effort: "none"}, `"reasoning_effort":"none"`, `"reasoning":{"effort":"none"}`},
		{ringwall.Conversation{Thinking: 2048}, `"reasoning_effort":"low"`, `"reasoning":{"effort":"low"}`},
		{ringwall.Conversation{Thinking: 2049}, `"reasoning_effort":"medium"`, `"reasoning":{"effort":"medium"}`},
		{ringwall.Conversation{Thinking: 8193}, `"reasoning_effort":"high"`, `"reasoning":{"effort":"high"}`},
		{ringwall.Conversation{Thinking: 8193, Effort: "low"}, `"reasoning_effort":"low"`, `"reasoning":{"effort":"low"}`},
	} {
		for _, to := range []struct {
			codec dialect.Codec
			want  string
		}{{openai.Codec{}, test.chat}, {responses.Codec{}, test.responding}} {
			call, err := to.codec.WriteRequest(&test.c)
			if err != nil || !strings.Contains(string(call.Body), to.want) {
				t.Errorf("%+v: %s, %v; want %s", test.c, call.Body, err, to.want)
			}
		}
	}
}
