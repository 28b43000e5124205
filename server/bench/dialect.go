package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/internal/eventstream"
	"github.com/ringwall/ringwall/internal/strictyaml"
)

// dialect is an API that the bench speaks on both sides: as the client that asks,
// and as the provider that answers.
type dialect struct {
	name     string
	provider string // type of the provider that Ringwall has before it
	// path is where the model bench-NAME is asked, whole and streamed; all paths of
	// the dialect begin with its prefix.
	path    [2]string
	prefix  string
	headers string // of a request, with %s for the key
	body    string // of a request, with %q for the prompt and %t for whether a stream is asked for
	media   string // type of a streamed answer
	whole   func() []byte
	frames  func() [][]byte // of a streamed answer, as they go over the wire
	text    string          // where an event of a stream has a piece of the text; arrays on the way are gone through
	last    string          // what stands in the last event
}

const (
	bearer = "Authorization: Bearer %s\r\n"
	system = `"You are a helpful assistant."`
)

// dialects are those that can be measured. The first is what the others are held
// against.
var dialects = []*dialect{
	{
		name: "openai", provider: "openai", prefix: "/v1/chat/", headers: bearer,
		path:  [2]string{"/v1/chat/completions", "/v1/chat/completions"},
		body:  `{"model":"bench","messages":[{"role":"system","content":` + system + `},{"role":"user","content":%q}],"temperature":0.7,"stream":%t}`,
		media: "text/event-stream", whole: whole, frames: events(frames),
		text: "choices/delta/content", last: "[DONE]",
	},
	{
		name: "openai-responses", provider: "openai", prefix: "/v1/responses", headers: bearer,
		path:  [2]string{"/v1/responses", "/v1/responses"},
		body:  `{"model":"bench-openai-responses","instructions":` + system + `,"input":[{"role":"user","content":%q}],"temperature":0.7,"stream":%t}`,
		media: "text/event-stream", whole: wholeResponse, frames: events(responseEvents),
		text: "delta", last: `"type":"response.completed"`,
	},
	{
		name: "anthropic", provider: "anthropic", prefix: "/v1/messages", headers: "x-api-key: %s\r\nanthropic-version: 2023-06-01\r\n",
		path:  [2]string{"/v1/messages", "/v1/messages"},
		body:  `{"model":"bench-anthropic","max_tokens":1024,"system":` + system + `,"messages":[{"role":"user","content":%q}],"temperature":0.7,"stream":%t}`,
		media: "text/event-stream", whole: wholeMessage, frames: events(messageEvents),
		text: "delta/text", last: `"type":"message_stop"`,
	},
	{
		name: "bedrock-converse", provider: "bedrock", prefix: "/model/", headers: bearer,
		path:  [2]string{"/model/bench-bedrock-converse/converse", "/model/bench-bedrock-converse/converse-stream"},
		body:  `{"messages":[{"role":"user","content":[{"text":%q}]}],"system":[{"text":` + system + `}],"inferenceConfig":{"maxTokens":1024,"temperature":0.7}}`,
		media: eventstream.ContentType, whole: wholeConverse, frames: converseFrames,
		text: "contentBlockDelta/delta/text", last: `{"metadata":`,
	},
	{
		name: "gemini", provider: "gemini", prefix: "/v1beta/models/", headers: "x-goog-api-key: %s\r\n",
		path:  [2]string{"/v1beta/models/bench-gemini:generateContent", "/v1beta/models/bench-gemini:streamGenerateContent?alt=sse"},
		body:  `{"contents":[{"role":"user","parts":[{"text":%q}]}],"systemInstruction":{"parts":[{"text":` + system + `}]},"generationConfig":{"temperature":0.7}}`,
		media: "text/event-stream", whole: wholeContent, frames: events(contentEvents),
		text: "candidates/content/parts/text", last: `"finishReason":"STOP"`,
	},
	{
		name: "ollama", provider: "ollama", prefix: "/api/chat", headers: bearer,
		path:  [2]string{"/api/chat", "/api/chat"},
		body:  `{"model":"bench-ollama","messages":[{"role":"system","content":` + system + `},{"role":"user","content":%q}],"options":{"temperature":0.7},"stream":%t}`,
		media: "application/x-ndjson", whole: wholeChat, frames: chatLines,
		text: "message/content", last: `"done":true`,
	},
}

// Dialects returns the names of the dialects that can be measured. The first is
// what the others are held against.
func Dialects() (names []string) {
	for _, d := range dialects {
		names = append(names, d.name)
	}
	return names
}

// dialectOf returns the dialect of that name; of none it is the first.
func dialectOf(name string) *dialect {
	at := slices.IndexFunc(dialects, func(d *dialect) bool { return d.name == name })
	return dialects[max(at, 0)]
}

// dialects completes the names of the dialects that are asked for: all stands for
// each of them, and the first is always there, for the others are held against it.
func (o *Options) dialects() error {
	if len(o.Dialects) == 0 {
		return nil
	}
	asked := map[string]bool{dialects[0].name: true}
	for _, name := range o.Dialects {
		if name != "all" && !slices.Contains(Dialects(), name) {
			return fmt.Errorf("%w: there is no dialect %q: want all, or some of %s", ErrOptions, name, strings.Join(Dialects(), ", "))
		}
		asked[name] = true
	}
	o.Dialects = slices.DeleteFunc(Dialects(), func(name string) bool { return !asked[name] && !asked["all"] })
	return nil
}

// requests are the requests of a scenario as they go over the wire.
func requests(s Scenario, host, key string) [][]byte {
	d := dialectOf(s.Dialect)
	path := d.path[0]
	if s.Stream {
		path = d.path[1]
	}
	out := make([][]byte, variants)
	for i := range out {
		args := []any{prose(s.Prompt, uint64(i)), s.Stream}
		body := fmt.Sprintf(d.body, args[:strings.Count(d.body, "%")]...)
		out[i] = fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\n"+d.headers+"Content-Type: application/json\r\nAccept: */*\r\nUser-Agent: bench\r\nContent-Length: %d\r\n\r\n%s",
			path, host, key, len(body), body)
	}
	return out
}

// providers are how Ringwall reaches the stub in each dialect: a provider of its
// type, and a model that names it.
func providers(upstream string, names []string) (ps map[string]config.Provider, models map[string]config.Model) {
	ps, models = map[string]config.Provider{}, map[string]config.Model{}
	for _, name := range names {
		d := dialectOf(name)
		var p config.Provider
		strictyaml.Defaults(&p)
		p.Type, p.BaseURL = d.provider, upstream
		switch d.provider {
		case "openai":
			p.BaseURL, p.APIs = upstream+"/v1", []string{d.name}
		case "bedrock":
			p.Region = "eu-central-1"
		}
		ps[name], models["bench-"+name] = p, config.Model{Provider: name}
	}
	return ps, models
}

// environment keeps what is AWS's own out of the targets, and has requests to
// Bedrock signed: the key is the example of its documentation.
var environment = []string{
	"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AWS_SESSION_TOKEN=",
	"AWS_PROFILE=", "AWS_CONFIG_FILE=/nonexistent", "AWS_SHARED_CREDENTIALS_FILE=/nonexistent", "AWS_EC2_METADATA_DISABLED=true",
}

// heard returns the text of a streamed answer, and whether it came to its end.
func (d *dialect) heard(body []byte) (text string, ended bool, err error) {
	var b strings.Builder
	for _, data := range d.events(body) {
		ended = strings.Contains(data, d.last)
		if data == d.last {
			continue
		}
		var event any
		if err := json.Unmarshal([]byte(data), &event); err != nil {
			return "", false, fmt.Errorf("a frame cannot be read: %w", err)
		}
		pieces(&b, event, strings.Split(d.text, "/"))
	}
	return b.String(), ended, nil
}

// events returns the data of the events of a streamed answer.
func (d *dialect) events(body []byte) (out []string) {
	switch d.media {
	case eventstream.ContentType:
		for m, err := range eventstream.Messages(bytes.NewReader(body)) {
			if err != nil {
				return append(out, err.Error())
			}
			out = append(out, fmt.Sprintf("{%q:%s}", m.Text(":event-type"), m.Payload))
		}
	case "text/event-stream":
		for line := range bytes.Lines(body) {
			if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
				out = append(out, string(bytes.TrimSpace(data)))
			}
		}
	default:
		for line := range bytes.Lines(body) {
			out = append(out, string(bytes.TrimSpace(line)))
		}
	}
	return out
}

// pieces adds to b the strings at path, the first of which is a member of v.
func pieces(b *strings.Builder, v any, path []string) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			pieces(b, e, path)
		}
	case map[string]any:
		if len(path) > 0 {
			pieces(b, v[path[0]], path[1:])
		}
	case string:
		if len(path) == 0 {
			b.WriteString(v)
		}
	}
}
