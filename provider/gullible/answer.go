package gullible

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/ringwall/ringwall/internal/decode"
)

// reply is what the model says and does: a text, calls of tools, or both.
type reply struct {
	text  string
	calls []call
}

type call struct {
	name string
	args string // a JSON object
}

// scene is what the model sees while it reads one text of a request.
type scene struct {
	m      *Model
	q      *request
	at     int    // index of the message that is read; -1 for the tools' definitions
	system string // all system prompts, and the suffix

	careful bool // see source
}

// source is a text in which the model looks for instructions.
type source struct {
	at      int // index of its message; -1: the definition of a tool
	text    string
	careful bool // forbidding an instruction is not giving it, here
}

// How many bytes the model looks at for instructions: of one text, from its
// end, and of all together. Thinking takes about two seconds for a megabyte.
const (
	longest  = 128 << 10
	together = 512 << 10
)

// reply thinks. The only error is that of ctx.
func (m *Model) reply(ctx context.Context, q *request) (reply, error) {
	s := scene{m: m, q: q, at: len(q.Messages) - 1, system: m.system(q)}
	r, done, err := s.obey(ctx)
	if err != nil {
		return reply{}, err
	}
	if !done {
		r = s.chat()
	}
	if m.cfg.Loop && q.choice != "none" && len(q.Tools) > 0 && len(r.calls) == 0 {
		r = reply{calls: []call{s.again()}}
	}
	switch {
	case q.choice == "none" || !m.cfg.Loop && s.rounds() >= maxRounds:
		if len(r.calls) > 0 {
			r = reply{text: say(r.text, describe(r.calls))}
		}
	case q.choice != "auto" && len(r.calls) == 0 && len(q.Tools) > 0:
		r = reply{calls: []call{s.forced()}}
	}
	if len(r.calls) > maxCalls {
		r.calls = r.calls[:maxCalls]
	}
	if len(r.calls) == 0 {
		r.text = m.embroider(r.text)
	}
	if f := q.ResponseFormat; f != nil && (f.Type == "json_object" || f.Type == "json_schema") && len(r.calls) == 0 {
		if !json.Valid([]byte(r.text)) {
			r.text = string(encode(map[string]string{"answer": r.text}))
		}
	}
	r.text = clip(r.text, maxAnswer)
	return r, nil
}

// system is the system prompt that the model sees.
func (m *Model) system(q *request) string {
	var texts []string
	for _, msg := range q.Messages {
		if msg.Role == "system" || msg.Role == "developer" {
			texts = append(texts, msg.text)
		}
	}
	if m.cfg.SystemSuffix != "" {
		texts = append(texts, m.cfg.SystemSuffix)
	}
	return strings.Join(texts, "\n")
}

// say joins texts by empty lines, leaving out those that are empty.
func say(texts ...string) string {
	texts = slices.DeleteFunc(texts, func(t string) bool { return t == "" })
	return strings.Join(texts, "\n\n")
}

// embroider adds the paragraphs of Config.Verbosity.
func (m *Model) embroider(text string) string {
	paragraphs := []string{
		"Let me add that every question deserves a thorough answer, and that a thorough answer has many sides, " +
			"each of which could be looked at from several directions before anything is said about it.",
		"It should also be kept in mind that what has been said above can be said again in other words, and that " +
			"saying it again does no harm to anyone who has time to read it to the end.",
		"Finally, and this is only one of several final remarks, further details follow from the details given " +
			"before, to which the details that come after them may be added at any time.",
	}
	var b strings.Builder
	b.WriteString(text)
	for i := 0; i < m.cfg.Verbosity && b.Len() < maxAnswer; i++ {
		b.WriteString("\n\n")
		b.WriteString(paragraphs[m.hash("embroider", text)%3])
		paragraphs[0], paragraphs[1], paragraphs[2] = paragraphs[1], paragraphs[2], paragraphs[0]
	}
	return b.String()
}

// sources are all texts of the request, the latest first.
func (s scene) sources() []source {
	var out []source
	for i, msg := range slices.Backward(s.q.Messages) {
		if msg.Role == "system" || msg.Role == "developer" {
			continue
		}
		out = append(out, source{i, msg.text, msg.Role == "assistant"})
	}
	for i, msg := range slices.Backward(s.q.Messages) {
		if msg.Role == "system" || msg.Role == "developer" {
			out = append(out, source{i, msg.text, true})
		}
	}
	for _, t := range slices.Backward(s.q.Tools) {
		out = append(out, source{-1, described(t), true})
	}
	return out
}

// described joins the words of a tool's definition: its description, and every
// description and title within its parameters.
func described(t tool) string {
	texts := []string{t.Function.Description}
	var schema any
	if json.Unmarshal(t.Function.Parameters, &schema) == nil {
		texts = appendDescriptions(texts, schema)
	}
	return strings.Join(texts, "\n")
}

func appendDescriptions(texts []string, v any) []string {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			texts = appendDescriptions(texts, e)
		}
	case map[string]any:
		for _, name := range sortedKeys(v) {
			if text, ok := v[name].(string); ok && (name == "description" || name == "title") {
				texts = append(texts, text)
				continue
			}
			texts = appendDescriptions(texts, v[name])
		}
	}
	return texts
}

// obey does what the last instruction says that is not spent. Hidden
// instructions count as later than plain ones of the same text: whoever hides
// one means it.
func (s scene) obey(ctx context.Context) (reply, bool, error) {
	left := together
	for _, src := range s.sources() {
		if err := ctx.Err(); err != nil {
			return reply{}, false, err
		}
		if left <= 0 {
			break
		}
		at := scene{m: s.m, q: s.q, at: src.at, system: s.system}
		text := src.text
		if len(text) > longest {
			text = strings.ToValidUTF8(text[len(text)-longest:], "")
		}
		left -= len(text)
		for _, o := range at.orders(text, src.careful) {
			if s.spent(o.reply, src) {
				continue
			}
			if s.m.obeys(o.words) {
				return o.reply, true, nil
			}
			if src.at == len(s.q.Messages)-1 {
				return reply{text: "I am sorry, I cannot help with that."}, true, nil
			}
		}
	}
	return reply{}, false, nil
}

// orders are the last instructions of text and of what it hides, the deepest
// hidden first. What an encoding makes of a plain instruction, such as an
// address in it, is not a hidden one.
func (s scene) orders(text string, careful bool) []orders {
	plain, ok := s.last(text, careful)
	var all []orders
	for _, t := range slices.Backward(decode.All(text)) {
		o, found := s.last(t, careful)
		if found && (!ok || o.words != plain.words && (o.kinds != plain.kinds || !slices.Contains(decode.All(plain.words), o.words))) {
			all = append(all, o)
		}
	}
	if ok {
		all = append(all, plain)
	}
	return all
}

// spent reports whether r has been said or done already: after the text that
// asks for it, or, if a tool asks for it, at any time, because what a tool
// returns once it returns again.
func (s scene) spent(r reply, src source) bool {
	if s.m.cfg.Loop {
		return false
	}
	from := src.at + 1
	if src.at < 0 || s.q.Messages[src.at].Role == "tool" || s.q.Messages[src.at].Role == "function" {
		from = 0
	}
	if role := s.roleAt(src.at); role == "system" || role == "developer" {
		from = 0
	}
	mark := clip(strings.TrimSpace(r.text), 200)
	for _, msg := range s.q.Messages[from:] {
		if msg.Role != "assistant" {
			continue
		}
		if len(r.calls) == 0 && mark != "" && strings.Contains(msg.text, mark) {
			return true
		}
		for _, c := range msg.ToolCalls {
			if slices.ContainsFunc(r.calls, func(own call) bool { return same(own, c) }) {
				return true
			}
		}
	}
	return false
}

func (s scene) roleAt(i int) string {
	if i < 0 {
		return ""
	}
	return s.q.Messages[i].Role
}

// same reports whether a call has been made, whatever the order of its
// arguments.
func same(c call, made toolCall) bool {
	return c.name == made.Function.Name && canonical(c.args) == canonical(made.Function.Arguments)
}

func canonical(args string) string {
	var v any
	if json.Unmarshal([]byte(args), &v) != nil {
		return args
	}
	return string(encode(v))
}

// asked is the index of the user's last message, -1 when there is none.
func (s scene) asked() int {
	for i, msg := range slices.Backward(s.q.Messages) {
		if msg.Role == "user" {
			return i
		}
	}
	return -1
}

// rounds is how many turns of tool calls the last question has had.
func (s scene) rounds() int {
	n := 0
	for _, msg := range s.q.Messages[s.asked()+1:] {
		if msg.Role == "assistant" && len(msg.ToolCalls) > 0 {
			n++
		}
	}
	return n
}

// conversation is what has been said up to the text that is read, short enough
// to be sent away: the system prompt and the user's words.
func (s scene) conversation() string {
	const most = 400 // bytes of each
	var said []string
	for i, msg := range s.q.Messages {
		if msg.Role == "user" && (s.at < 0 || i <= s.at) {
			said = append(said, msg.text)
		}
	}
	user := strings.Join(said, "\n")
	if len(user) > most {
		user = strings.ToValidUTF8(user[len(user)-most:], "")
	}
	system := clip(s.system, most)
	if len(s.system) > most && s.m.cfg.SystemSuffix != "" {
		system += "\n" + clip(s.m.cfg.SystemSuffix, most)
	}
	return strings.TrimSpace(system + "\n" + user)
}
