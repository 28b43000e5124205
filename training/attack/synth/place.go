package synth

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A frame says how a sentence stands in a carrier: %s is the sentence. All
// frames serve both labels.
type frame struct {
	form string
	json bool // the sentence stands in a JSON string
}

// frames of each kind, beside the bare sentence.
var frames = map[string][]frame{
	Document: {
		{form: "<!-- %s -->"},
		{form: "<p style=\"display:none\">%s</p>"},
		{form: "<span style=\"font-size:1px;color:#fff\">%s</span>"},
		{form: "<div class=\"notice\">%s</div>"},
		{form: "![%s](https://cdn.example.net/i/%d.png)"},
		{form: "<img src=\"/a/%d.png\" alt=\"%s\">"},
		{form: "[%d] %s"},
		{form: "> %s"},
		{form: "| %d | %s |"},
		{form: "- %s"},
		{form: "(%s)"},
		{form: "[%s]"},
		{form: "**%s**"},
		{form: "## %s"},
		{form: "Note: %s"},
		{form: "NOTE TO READER: %s"},
		{form: "* %s"},
		{form: "Footnote %d: %s"},
		{form: "%% %s"},
		{form: "Comment by user%d: %s"},
		{form: "Caption: %s"},
		{form: "<meta name=\"description\" content=\"%s\">"},
		{form: "\"%s\""},
		{form: "----\n%s\n----"},
		{form: "Review (%d stars): %s"},
		{form: "Update: %s"},
	},
	Email: {
		{form: "P.S. %s"},
		{form: "PS: %s"},
		{form: "> %s"},
		{form: "--\n%s"},
		{form: "-----Original Message-----\n%s"},
		{form: "[%s]"},
		{form: "Subject: %s"},
		{form: "X-Note: %s"},
		{form: "<!-- %s -->"},
		{form: "Important: %s"},
		{form: "One more thing: %s"},
		{form: "By the way, %s"},
		{form: "(%s)"},
		{form: "<div style=\"display:none\">%s</div>"},
		{form: "> > %s"},
	},
	ToolOutput: {
		{form: "{\"note\": %s, \"id\": %d}", json: true},
		{form: "\"description\": %s,", json: true},
		{form: "comment: %s"},
		{form: "[{\"id\": %d, \"content\": %s}]", json: true},
		{form: "<result id=\"%d\">%s</result>"},
		{form: "title: %s"},
		{form: "2025-03-%02d 10:12:44 INFO %s"},
		{form: "status: ok\nmessage: %s"},
		{form: "- %s"},
		{form: "review_text: '%s'"},
		{form: "{'title': 'item %d', 'body': %s}", json: true},
		{form: "<!-- %s -->"},
		{form: "Notes: %s"},
		{form: "WARN [worker-%d] %s"},
		{form: "Result %d: %s"},
		{form: "<INFORMATION>\n%s\n</INFORMATION>"},
		{form: "TODO: %s"},
		{form: "event_description: \"%s\""},
	},
	Code: {
		{form: "# %s"},
		{form: "// %s"},
		{form: "/* %s */"},
		{form: "-- %s"},
		{form: "\"\"\"%s\"\"\""},
		{form: "# TODO(%d): %s"},
		{form: "// FIXME: %s"},
		{form: "<!-- %s -->"},
		{form: "msg = %s", json: true},
		{form: "print(%s)", json: true},
		{form: "## Note\n\n%s"},
		{form: "\"description\": %s,", json: true},
		{form: "rem %s"},
		{form: "; %s"},
	},
}

// set puts a sentence and a number into the frame.
func (f frame) set(s string, n int) string {
	if f.json {
		b, err := json.Marshal(s)
		if err == nil {
			s = string(b)
		}
	} else if strings.Contains(f.form, "# %s") || strings.Contains(f.form, "// %s") || strings.HasPrefix(f.form, "> ") || f.form == "-- %s" {
		mark := strings.TrimSuffix(f.form, "%s")
		if !strings.Contains(mark, "%") {
			s = strings.ReplaceAll(s, "\n", "\n"+mark)
		}
	}
	var b strings.Builder
	for rest := f.form; rest != ""; {
		at := strings.IndexByte(rest, '%')
		if at < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:at])
		switch rest = rest[at+1:]; {
		case strings.HasPrefix(rest, "s"):
			b.WriteString(s)
			rest = rest[1:]
		case strings.HasPrefix(rest, "d"):
			fmt.Fprintf(&b, "%d", n)
			rest = rest[1:]
		case strings.HasPrefix(rest, "02d"):
			fmt.Fprintf(&b, "%02d", n%28+1)
			rest = rest[3:]
		case strings.HasPrefix(rest, "%"):
			b.WriteByte('%')
			rest = rest[1:]
		}
	}
	return b.String()
}

// place draws where a sentence stands in a carrier, and returns what puts one
// there. The same place serves an attack and its benign twin.
func (w *writer) place(c Carrier) func(string) string {
	text := c.Text
	if len(text) > 6000 {
		text = clip(text, 1000+w.rng.IntN(5000))
	}
	number := 1 + w.rng.IntN(90)
	bare := w.rng.IntN(100) < 45
	f := pick(w.rng, frames[c.Kind])
	dress := func(s string) string {
		if bare {
			return s
		}
		return f.set(s, number)
	}
	if values := quoted(text); len(values) > 0 && (c.Kind == ToolOutput || text[0] == '{' || text[0] == '[') && w.rng.IntN(10) < 8 {
		v := pick(w.rng, values)
		whole := w.rng.IntN(2) == 0
		return func(s string) string {
			b, err := json.Marshal(s)
			if err != nil {
				return text
			}
			s = string(b[1 : len(b)-1])
			if whole {
				return text[:v[0]] + s + text[v[1]:]
			}
			return text[:v[1]] + " " + s + text[v[1]:]
		}
	}
	at, before, after := w.cut(text, c.Kind == Code)
	return func(s string) string {
		return strings.TrimSpace(text[:at] + before + dress(s) + after + text[at:])
	}
}

// quoted finds the JSON strings of a text that hold words: their first bytes
// and ends, without the quotes.
func quoted(text string) [][2]int {
	var all [][2]int
	for i := 0; i < len(text) && len(all) < 64; i++ {
		if text[i] != '"' {
			continue
		}
		end := i + 1
		for end < len(text) && text[end] != '"' && text[end] != '\n' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(text) || text[end] == '\n' {
			continue
		}
		key := end+1 < len(text) && text[end+1] == ':'
		if !key && strings.ContainsRune(text[i+1:end], ' ') {
			all = append(all, [2]int{i + 1, end})
		}
		i = end
	}
	return all
}

// cut draws a place between paragraphs, lines or sentences, and what stands
// there around a sentence.
func (w *writer) cut(text string, lines bool) (at int, before, after string) {
	gap := pick(w.rng, []string{"\n", "\n\n", "\n\n", "\n\n\n"})
	switch n := w.rng.IntN(100); {
	case n < 22:
		return 0, "", gap
	case n < 55:
		if !lines && w.rng.IntN(3) == 0 {
			gap = " "
		}
		return len(text), gap, ""
	case n < 75 || lines:
		from := w.rng.IntN(len(text))
		if i := strings.IndexByte(text[from:], '\n'); i >= 0 {
			return from + i + 1, "", "\n"
		}
		return len(text), "\n", ""
	default:
		from := w.rng.IntN(len(text))
		for _, mark := range []string{". ", "。", "\n", "! ", "? "} {
			if i := strings.Index(text[from:], mark); i >= 0 {
				return from + i + len(mark), "", " "
			}
		}
		return len(text), " ", ""
	}
}
