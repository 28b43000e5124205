package responses

import (
	"strconv"
	"strings"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// place is where in an answer an event belongs: which item of its output, and which
// part of that.
type place struct {
	item, part int64  // -1: none
	list       string // of the parts: "content", "summary"
	id         string // of the item
}

// everywhere holds all places.
var everywhere = place{item: -1, part: -1, list: "all"}

// placeOf returns the place that an event about the item id names.
func placeOf(event jsonedit.Value, id string) place {
	p := place{item: -1, part: -1, id: id}
	if i, ok := event.Get("output_index").Int(); ok {
		p.item = i
	}
	if i, ok := event.Get("content_index").Int(); ok {
		p.part, p.list = i, "content"
	} else if i, ok := event.Get("summary_index").Int(); ok {
		p.part, p.list = i, "summary"
	}
	return p
}

// holds reports whether q stands at p or within it.
func (p place) holds(q place) bool {
	return p == everywhere || p.item == q.item && (p.part < 0 || p.part == q.part && p.list == q.list)
}

func (p place) itemPath() string {
	if p.item < 0 {
		return "/output/-"
	}
	return "/output/" + strconv.FormatInt(p.item, 10)
}

func (p place) partPath() string {
	if p.part < 0 {
		return p.itemPath() + "/part"
	}
	return p.itemPath() + "/" + p.list + "/" + strconv.FormatInt(p.part, 10)
}

// members are where the texts of events stand in their item or part.
var members = map[string]string{
	"response.output_text":                "text",
	"response.refusal":                    "refusal",
	"response.reasoning_text":             "text",
	"response.reasoning_summary_text":     "text",
	"response.function_call_arguments":    "arguments",
	"response.mcp_call_arguments":         "arguments",
	"response.custom_tool_call_input":     "input",
	"response.code_interpreter_call_code": "code",
}

// member returns where the text of events of that kind, without their last word,
// stands in its item or part.
func member(kind string) string {
	if m, known := members[kind]; known {
		return m
	}
	return strings.ReplaceAll(kind, ".", "_")
}

// path returns the JSON pointer of the member of that name at p.
func (p place) path(member string) string {
	if p.part >= 0 {
		return p.partPath() + "/" + member
	}
	return p.itemPath() + "/" + member
}

// appendEvent appends an event at p up to its last members.
func (p place) appendEvent(dst []byte, kind string) []byte {
	dst = append(dst, `{"type":"`+kind+`","item_id":`...)
	dst = jsonedit.AppendQuote(dst, p.id)
	dst = append(dst, `,"output_index":`...)
	dst = strconv.AppendInt(dst, max(p.item, 0), 10)
	if p.part >= 0 {
		dst = append(dst, `,"`+p.list+`_index":`...)
		dst = strconv.AppendInt(dst, p.part, 10)
	}
	return dst
}
