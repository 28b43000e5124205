package bench

import (
	"fmt"
	"strings"

	"github.com/ringwall/ringwall/internal/eventstream"
)

// What the stub says in the dialects other than OpenAI's chat completions: the same
// text, in as many pieces, with the frames around it that the provider sends.

// padding is what providers fill events up with, so that their length tells
// nothing; events take a piece of it, longer and shorter in turns.
const padding = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123"

func pad(i int) string { return padding[:4+(i*7)%32] }

// events makes server-sent events of their data, each under the name of its type
// where it has one.
func events(data func() []string) func() [][]byte {
	return func() (out [][]byte) {
		for _, f := range data() {
			name := ""
			if rest, ok := strings.CutPrefix(f, `{"type":"`); ok {
				name = "event: " + rest[:strings.IndexByte(rest, '"')] + "\n"
			}
			out = append(out, fmt.Appendf(nil, "%sdata: %s\n\n", name, f))
		}
		return out
	}
}

// wholeConverse is an answer of Bedrock's Converse.
func wholeConverse() []byte {
	return fmt.Appendf(nil, `{"metrics":{"latencyMs":500},"output":{"message":{"content":[{"text":%q}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":250,"outputTokens":50,"totalTokens":300}}`,
		strings.Join(said, ""))
}

// converseFrames are the messages of Bedrock's ConverseStream.
func converseFrames() (out [][]byte) {
	frame := func(event, payload string) {
		out = append(out, eventstream.AppendEvent(nil, event, []byte(payload)))
	}
	frame("messageStart", `{"p":"`+pad(1)+`","role":"assistant"}`)
	for i, piece := range said {
		frame("contentBlockDelta", fmt.Sprintf(`{"contentBlockIndex":0,"delta":{"text":%q},"p":%q}`, piece, pad(i)))
	}
	frame("contentBlockStop", `{"contentBlockIndex":0,"p":"`+pad(2)+`"}`)
	frame("messageStop", `{"p":"`+pad(3)+`","stopReason":"end_turn"}`)
	frame("metadata", `{"metrics":{"latencyMs":500},"p":"`+pad(4)+`","usage":{"inputTokens":250,"outputTokens":50,"totalTokens":300}}`)
	return out
}

const tokensOfMessage = `{"input_tokens":250,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":%d,"service_tier":"standard"}`

// wholeMessage is an answer of Anthropic's Messages API.
func wholeMessage() []byte {
	return fmt.Appendf(nil, `{"id":"msg_bench00000000000000000","type":"message","role":"assistant","model":"bench-anthropic","content":[{"type":"text","text":%q}],"stop_reason":"end_turn","stop_sequence":null,"usage":`+tokensOfMessage+`}`,
		strings.Join(said, ""), 50)
}

// messageEvents are the events of Anthropic's Messages API.
func messageEvents() []string {
	out := []string{
		fmt.Sprintf(`{"type":"message_start","message":{"id":"msg_bench00000000000000000","type":"message","role":"assistant","model":"bench-anthropic","content":[],"stop_reason":null,"stop_sequence":null,"usage":`+tokensOfMessage+`}}`, 1),
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
		`{"type":"ping"}`,
	}
	for _, piece := range said {
		out = append(out, fmt.Sprintf(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%q}}`, piece))
	}
	return append(out,
		`{"type":"content_block_stop","index":0}`,
		`{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":50}}`,
		`{"type":"message_stop"}`)
}

// response is an answer of OpenAI's responses API, with or without its output.
func response(status, output, usage string) string {
	return `{"id":"resp_bench0000000000000000","object":"response","created_at":1760000000,"status":"` + status + `","error":null,"incomplete_details":null,"instructions":` + system +
		`,"max_output_tokens":null,"model":"bench-openai-responses","output":[` + output + `],"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{"effort":null,"summary":null},"store":true,"temperature":0.7,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":1.0,"truncation":"disabled","usage":` + usage + `,"user":null,"metadata":{}}`
}

const tokensOfResponse = `{"input_tokens":250,"input_tokens_details":{"cached_tokens":0},"output_tokens":50,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":300}`

// outputPart is what stands in the message of a response.
func outputPart(text string) string {
	return fmt.Sprintf(`{"type":"output_text","annotations":[],"logprobs":[],"text":%q}`, text)
}

// outputMessage is what stands in the output of a response.
func outputMessage(status, part string) string {
	return `{"id":"msg_bench0000000000000000","type":"message","status":"` + status + `","content":[` + part + `],"role":"assistant"}`
}

func wholeResponse() []byte {
	return []byte(response("completed", outputMessage("completed", outputPart(strings.Join(said, ""))), tokensOfResponse))
}

// responseEvents are the events of OpenAI's responses API, which say the whole text
// four times more at the end.
func responseEvents() (out []string) {
	event := func(kind, rest string) {
		out = append(out, fmt.Sprintf(`{"type":"response.%s","sequence_number":%d,%s}`, kind, len(out), rest))
	}
	const item, part = `"output_index":0,`, `"item_id":"msg_bench0000000000000000","output_index":0,"content_index":0,`
	event("created", `"response":`+response("in_progress", "", "null"))
	event("in_progress", `"response":`+response("in_progress", "", "null"))
	event("output_item.added", item+`"item":`+outputMessage("in_progress", ""))
	event("content_part.added", part+`"part":`+outputPart(""))
	for i, piece := range said {
		event("output_text.delta", part+fmt.Sprintf(`"delta":%q,"logprobs":[],"obfuscation":%q`, piece, pad(i)))
	}
	text := strings.Join(said, "")
	event("output_text.done", part+fmt.Sprintf(`"text":%q,"logprobs":[]`, text))
	event("content_part.done", part+`"part":`+outputPart(text))
	event("output_item.done", item+`"item":`+outputMessage("completed", outputPart(text)))
	event("completed", `"response":`+string(wholeResponse()))
	return out
}

// content is an answer of Gemini's API, or a piece of one.
func content(text, finish string) string {
	return fmt.Sprintf(`{"candidates":[{"content":{"parts":[{"text":%q}],"role":"model"},%s"index":0}],"usageMetadata":{"promptTokenCount":250,"candidatesTokenCount":50,"totalTokenCount":300,"promptTokensDetails":[{"modality":"TEXT","tokenCount":250}]},"modelVersion":"bench-gemini","responseId":"bench00000000000000000"}`,
		text, finish)
}

func wholeContent() []byte { return []byte(content(strings.Join(said, ""), `"finishReason":"STOP",`)) }

// contentEvents are the pieces of Gemini's stream.
func contentEvents() (out []string) {
	for _, piece := range said {
		out = append(out, content(piece, ""))
	}
	return append(out, content("", `"finishReason":"STOP",`))
}

// chat is an answer of Ollama's chat, or a line of one.
func chat(text, rest string) []byte {
	return fmt.Appendf(nil, `{"model":"bench-ollama","created_at":"2026-01-01T00:00:00.123456789Z","message":{"role":"assistant","content":%q},%s}`, text, rest)
}

const doneOfChat = `"done":true,"done_reason":"stop","total_duration":500000000,"load_duration":1000000,"prompt_eval_count":250,"prompt_eval_duration":1000000,"eval_count":50,"eval_duration":400000000`

func wholeChat() []byte { return chat(strings.Join(said, ""), doneOfChat) }

// chatLines are the lines of Ollama's stream.
func chatLines() (out [][]byte) {
	for _, piece := range said {
		out = append(out, append(chat(piece, `"done":false`), '\n'))
	}
	return append(out, append(chat("", doneOfChat), '\n'))
}
