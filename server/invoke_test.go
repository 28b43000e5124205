package server_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// InvokeModel in Anthropic's words before a model that speaks OpenAI's, by AWS's
// client, which has no key and signs all the same.
func TestInvokeBeforeOtherModels(t *testing.T) {
	u := newUpstream(t, says("mail a.b@example.org at once", 3))
	h := stand(t, u, nil)
	c := h.sdk("anonymous", "anonymous")
	const id = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	body := []byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":64,"messages":[{"role":"user","content":"my card is ` + card + `"}]}`)

	out, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(id), Body: body})
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Content []struct{ Text string }
		Stop    string `json:"stop_reason"`
	}
	if err := json.Unmarshal(out.Body, &m); err != nil || len(m.Content) != 1 || m.Content[0].Text != "mail {EMAIL} at once" || m.Stop != "end_turn" {
		t.Errorf("the client has %s, %v", out.Body, err)
	}
	if strings.Contains(u.last(), card) || !strings.Contains(u.last(), `"max_completion_tokens":64`) {
		t.Errorf("the model read %s", u.last())
	}

	stream, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(id), Body: body})
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for e := range stream.GetStream().Events() {
		if chunk, ok := e.(*types.ResponseStreamMemberChunk); ok {
			var ev struct{ Delta struct{ Text string } }
			if err := json.Unmarshal(chunk.Value.Bytes, &ev); err != nil {
				t.Error(err)
			}
			text += ev.Delta.Text
		}
	}
	if err := stream.GetStream().Err(); err != nil || text != "mail {EMAIL} at once" {
		t.Errorf("the stream says %q, %v", text, err)
	}
}
