package matrix

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	runtime "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// invoker is Amazon Bedrock's InvokeModel and InvokeModelWithResponseStream, with
// the words of Anthropic's models.
var invoker = &dialect{
	name: "bedrock-invoke", title: "Amazon Bedrock InvokeModel", module: "github.com/aws/aws-sdk-go-v2/service/bedrockruntime", lacks: "JSON",
	ask: askInvoke, kind: kindOfBedrock, count: countInvoke,
	model: func(provider, scene string) string {
		if provider == "bedrock" {
			return "anthropic.claude-" + scene
		}
		return "anthropic.claude-" + provider + "-" + scene
	},
}

// invocation is the body that Anthropic's models take.
func invocation(t talk) ([]byte, error) {
	var m map[string]any
	if err := json.Unmarshal([]byte(written(messageOf(t))), &m); err != nil {
		return nil, err
	}
	delete(m, "model")
	m["anthropic_version"] = "bedrock-2023-05-31"
	return json.Marshal(m)
}

func askInvoke(ctx context.Context, w *wire, t talk) (heard, error) {
	c, err := bedrockOf(w, t)
	if err != nil {
		return heard{}, err
	}
	body, err := invocation(t)
	if err != nil {
		return heard{}, err
	}
	json := aws.String("application/json")
	if !t.Stream {
		in := &bedrockruntime.InvokeModelInput{ModelId: aws.String(t.model), Body: body, ContentType: json, Accept: json}
		if traced(t) {
			in.Trace = runtime.TraceEnabled
		}
		out, err := c.InvokeModel(ctx, in)
		if err != nil {
			return heard{}, err
		}
		return invoked(out.Body, nil)
	}
	in := &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(t.model), Body: body, ContentType: json, Accept: json}
	if traced(t) {
		in.Trace = runtime.TraceEnabled
	}
	out, err := c.InvokeModelWithResponseStream(ctx, in)
	if err != nil {
		return heard{}, err
	}
	s := out.GetStream()
	defer s.Close()
	var chunks [][]byte
	for ev := range s.Events() {
		t.came()
		chunk, ok := ev.(*runtime.ResponseStreamMemberChunk)
		if !ok {
			return heard{}, fmt.Errorf("an event that is %T", ev)
		}
		chunks = append(chunks, chunk.Value.Bytes)
	}
	if err := s.Err(); err != nil {
		return heard{}, err
	}
	return invoked(nil, chunks)
}

// invoked reads an answer, or the events of one, as Anthropic's client does.
func invoked(whole []byte, chunks [][]byte) (got heard, err error) {
	var m anthropic.Message
	var more struct {
		Action string          `json:"amazon-bedrock-guardrailAction"`
		Trace  json.RawMessage `json:"amazon-bedrock-trace"`
	}
	for _, chunk := range append(chunks, whole) {
		if len(chunk) == 0 {
			continue
		}
		if err := json.Unmarshal(chunk, &more); err != nil {
			return heard{}, err
		}
		if whole != nil {
			err = m.UnmarshalJSON(chunk)
		} else {
			var ev anthropic.MessageStreamEventUnion
			if err = ev.UnmarshalJSON(chunk); err == nil {
				err = m.Accumulate(ev)
			}
		}
		if err != nil {
			return heard{}, fmt.Errorf("the client does not take %s: %w", chunk, err)
		}
	}
	if got, err = messageHeard(&m); err != nil || more.Action != "INTERVENED" {
		return got, err
	}
	var trace struct {
		Guardrail struct {
			Input   map[string]any
			Outputs []any
		}
	}
	if err := json.Unmarshal(more.Trace, &trace); err != nil {
		return heard{}, fmt.Errorf("the trace %s: %w", more.Trace, err)
	}
	switch {
	case len(trace.Guardrail.Outputs) > 0:
		got.stop = withheld
	case len(trace.Guardrail.Input) > 0:
		got.stop = declined
	}
	return got, nil
}

func countInvoke(ctx context.Context, w *wire, t talk) (int64, error) {
	c, err := bedrockOf(w, t)
	if err != nil {
		return 0, err
	}
	body, err := invocation(t)
	if err != nil {
		return 0, err
	}
	out, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{
		ModelId: aws.String(t.model), Input: &runtime.CountTokensInputMemberInvokeModel{Value: runtime.InvokeModelTokensRequest{Body: body}},
	})
	if err != nil {
		return 0, err
	}
	return int64(*out.InputTokens), nil
}
