package gemini

import (
	"fmt"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Codec translates generateContent. It implements dialect.Codec.
type Codec struct{}

var _ dialect.Codec = Codec{}

// ReadRequest implements dialect.Codec.
func (Codec) ReadRequest(call ringwall.Call) (*ringwall.Conversation, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(call.Body, dialect.AnswerLimits); err != nil {
		return nil, dialect.Unparsed(err)
	}
	c := &ringwall.Conversation{Model: call.Model, Stream: call.Stream}
	for key, v := range doc.Root().Members() {
		if v.Kind() == jsonedit.Null {
			continue
		}
		var err error
		switch dialect.FoldProto(key) {
		case "model", "labels", "servicetier", "store": // how it is served
		case "contents":
			err = readContents(c, v)
		case "systeminstruction":
			if v.Kind() == jsonedit.String {
				c.System = []ringwall.Part{{Text: v.Text()}}
				break
			}
			c.System, err = readParts(nil, v, false)
		case "tools":
			err = readTools(c, v)
		case "toolconfig":
			err = readChoice(c, v)
		case "generationconfig":
			err = readConfig(c, v)
		case "safetysettings":
			err = readSafety(v)
		default:
			err = dialect.Uncarried(key)
		}
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

func readContents(c *ringwall.Conversation, list jsonedit.Value) error {
	var calls dialect.Calls
	for _, v := range each(list, "") {
		role := ringwall.RoleUser
		if member(v, "role").Text() == "model" {
			role = ringwall.RoleAssistant
		}
		parts, err := readParts(&calls, v, role == ringwall.RoleAssistant)
		if err != nil {
			return err
		}
		c.Turns = dialect.AppendTurn(c.Turns, role, parts)
	}
	return nil
}

// readParts reads the parts of a content. Without calls there are none, nor their
// results.
func readParts(calls *dialect.Calls, content jsonedit.Value, says bool) (parts []ringwall.Part, err error) {
	for _, v := range each(member(content, "parts"), "") {
		p := ringwall.Part{Signature: member(v, "thoughtsignature").Text()}
		for key, m := range v.Members() {
			switch kind := dialect.FoldProto(key); {
			case kind == "thought", kind == "thoughtsignature":
			case kind == "text":
				if p.Text = m.Text(); member(v, "thought").True() {
					p.Kind = ringwall.PartReasoning
				}
			case kind == "inlinedata":
				mime := member(m, "mimetype").Text()
				p.Kind, p.Media = ringwall.PartMedia, &ringwall.Media{Kind: kindOf(mime), MIME: mime, Name: member(m, "displayname").Text(), Data: standard(member(m, "data").Text())}
			case kind == "filedata":
				mime := member(m, "mimetype").Text()
				p.Kind, p.Media = ringwall.PartMedia, &ringwall.Media{Kind: kindOf(mime), MIME: mime, URL: member(m, "fileuri").Text()}
			case kind == "functioncall" && calls != nil && says:
				p.Kind, p.Call = ringwall.PartCall, readCall(m)
				calls.Asked(p.Call)
			case kind == "functionresponse" && calls != nil && !says:
				p.Kind = ringwall.PartResult
				if p.Result, err = readResult(m); err != nil {
					return nil, err
				}
				if !calls.Answered(p.Result) {
					return nil, dialect.Uncarried(fmt.Sprintf("a functionResponse of %.40q, which no functionCall before it asks for", p.Result.Name))
				}
			default:
				return nil, dialect.Uncarried(fmt.Sprintf("a part with %.40q there", key))
			}
		}
		if p.Kind != ringwall.PartReasoning {
			p.Signature = ""
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// standard turns base64 of URLs into that of everything else (RFC 4648 §4, §5).
func standard(data string) string {
	data = strings.NewReplacer("-", "+", "_", "/").Replace(data)
	if n := len(data) % 4; n > 0 && !strings.HasSuffix(data, "=") {
		data += "===="[n:]
	}
	return data
}

func readCall(v jsonedit.Value) *ringwall.ToolCall {
	call := &ringwall.ToolCall{ID: member(v, "id").Text(), Name: member(v, "name").Text(), Arguments: "{}"}
	if args := dialect.Raw(member(v, "args")); args != nil {
		call.Arguments = string(args)
	}
	return call
}

// readResult reads what a tool returned: an object, which may hold the output or
// the error alone.
func readResult(v jsonedit.Value) (*ringwall.ToolResult, error) {
	r := &ringwall.ToolResult{ID: member(v, "id").Text(), Name: member(v, "name").Text()}
	response := member(v, "response")
	text, keys := string(dialect.Raw(response)), 0
	for key, m := range response.Members() {
		if keys++; (key == "output" || key == "error") && m.Kind() == jsonedit.String {
			text, r.Failed = m.Text(), key == "error"
		}
	}
	if keys != 1 {
		text, r.Failed = string(dialect.Raw(response)), false
	}
	r.Parts = []ringwall.Part{{Text: text}}
	more, err := readParts(nil, v, false)
	r.Parts = append(r.Parts, more...)
	return r, err
}

func readTools(c *ringwall.Conversation, list jsonedit.Value) error {
	for _, t := range each(list, "") {
		for key, v := range t.Members() {
			if dialect.FoldProto(key) != "functiondeclarations" {
				return dialect.Uncarried(fmt.Sprintf("the tool %.40q", key))
			}
			for _, f := range each(v, "") {
				spec := ringwall.ToolSpec{Name: member(f, "name").Text(), Description: member(f, "description").Text()}
				if spec.Schema = dialect.Raw(member(f, "parametersjsonschema")); spec.Schema == nil {
					spec.Schema = jsonSchema(member(f, "parameters"))
				}
				c.Tools = append(c.Tools, spec)
			}
		}
	}
	return nil
}

func readChoice(c *ringwall.Conversation, v jsonedit.Value) error {
	for key, v := range v.Members() {
		if dialect.FoldProto(key) != "functioncallingconfig" {
			return dialect.Uncarried(fmt.Sprintf("toolConfig.%.40s", key))
		}
		names := dialect.Strings(member(v, "allowedfunctionnames"))
		switch mode := member(v, "mode").Text(); {
		case len(names) > 1 || len(names) == 1 && mode != "ANY":
			return dialect.Uncarried("allowedFunctionNames, several functions out of more")
		case len(names) == 1:
			c.Choice = ringwall.ToolChoice{Mode: ringwall.ChoiceNamed, Name: names[0]}
		case mode == "ANY":
			c.Choice.Mode = ringwall.ChoiceRequired
		case mode == "NONE":
			c.Choice.Mode = ringwall.ChoiceNone
		case mode == "AUTO", mode == "VALIDATED":
			c.Choice.Mode = ringwall.ChoiceAuto
		case mode != "" && mode != "MODE_UNSPECIFIED":
			return dialect.Uncarried(fmt.Sprintf("functionCallingConfig.mode %.40q", mode))
		}
	}
	return nil
}

// readConfig reads generationConfig.
func readConfig(c *ringwall.Conversation, config jsonedit.Value) error {
	var schema []byte
	mime := ""
	for key, v := range config.Members() {
		if v.Kind() == jsonedit.Null {
			continue
		}
		s, carried := &c.Sampling, true
		switch dialect.FoldProto(key) {
		case "maxoutputtokens":
			s.MaxTokens = dialect.Int(v)
		case "temperature":
			s.Temperature = dialect.Float(v)
		case "topp":
			s.TopP = dialect.Float(v)
		case "topk":
			s.TopK = dialect.Int(v)
		case "seed":
			s.Seed = dialect.Int(v)
		case "presencepenalty":
			s.Presence = dialect.Float(v)
		case "frequencypenalty":
			s.Frequency = dialect.Float(v)
		case "stopsequences":
			s.Stop = dialect.Strings(v)
		case "responsemimetype":
			mime = v.Text()
			carried = mime == "application/json" || mime == "text/plain"
		case "responseschema":
			schema = jsonSchema(v)
		case "responsejsonschema":
			schema = dialect.Raw(v)
		case "candidatecount":
			n := dialect.Int(v)
			carried = n != nil && *n == 1
		case "responselogprobs":
			carried = !v.True()
		case "responsemodalities":
			kinds := dialect.Strings(v)
			carried = len(kinds) == 0 || len(kinds) == 1 && strings.EqualFold(kinds[0], "TEXT")
		case "thinkingconfig":
			readThinking(c, v)
		default:
			carried = false
		}
		if !carried {
			return dialect.Uncarried("generationConfig." + key)
		}
	}
	if schema != nil || mime == "application/json" {
		c.Format = &ringwall.Format{Schema: schema}
	}
	return nil
}

func readThinking(c *ringwall.Conversation, v jsonedit.Value) {
	c.Effort = strings.ToLower(member(v, "thinkinglevel").Text())
	switch n := dialect.Int(member(v, "thinkingbudget")); {
	case n == nil || *n < 0: // as much as the model likes
	case *n == 0:
		c.Effort = "none"
	default:
		c.Thinking = *n
	}
}

// readSafety refuses filters that are asked for, for there are none elsewhere.
func readSafety(list jsonedit.Value) error {
	for _, s := range each(list, "") {
		switch t := member(s, "threshold").Text(); t {
		case "", "OFF", "BLOCK_NONE", "HARM_BLOCK_THRESHOLD_UNSPECIFIED":
		default:
			return dialect.Uncarried("safetySettings with the threshold " + t)
		}
	}
	return nil
}
