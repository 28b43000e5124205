package history

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// sum is what a text or a group says, in few bytes.
type sum [sha256.Size]byte

// group is what one side says before the other one does: clients merge and split
// turns and parts, and leave empty ones away.
type group struct {
	assistant bool
	parts     []ringwall.Part
	own       bool // parts are no turn's
	says      sum
	thought   sum  // of reasoning, which clients may leave away but not change
	thinks    bool // there is reasoning
	results   bool // of tools
	answered  bool // each result is for a call of the group before
}

// empty reports whether nothing is said in p.
func empty(p *ringwall.Part) bool {
	switch p.Kind {
	case ringwall.PartText, ringwall.PartRefusal:
		return strings.TrimSpace(p.Text) == ""
	case ringwall.PartReasoning:
		return p.Text == ""
	case ringwall.PartCall:
		return p.Call == nil
	case ringwall.PartResult:
		return p.Result == nil
	case ringwall.PartMedia:
		return p.Media == nil
	case ringwall.PartRedacted: // which only its provider reads
	}
	return true
}

// groupsOf groups the turns of a conversation. Of each turn it returns the index of
// its group; -1 of those that say nothing, and of the operator's.
func groupsOf(turns []ringwall.Turn) (groups []group, of []int) {
	of = make([]int, len(turns))
	for i := range turns {
		t := &turns[i]
		if of[i] = -1; t.Role == ringwall.RoleSystem || !slices.ContainsFunc(t.Parts, func(p ringwall.Part) bool { return !empty(&p) }) {
			continue
		}
		groups = add(groups, t.Role == ringwall.RoleAssistant, t.Parts)
		of[i] = len(groups) - 1
	}
	return groups, of
}

// add adds parts to the last group if it is of the same side, and else a group.
func add(groups []group, assistant bool, parts []ringwall.Part) []group {
	if n := len(groups); n > 0 && groups[n-1].assistant == assistant {
		last := &groups[n-1]
		if !last.own {
			last.own, last.parts = true, slices.Clip(last.parts)
		}
		last.parts = append(last.parts, parts...)
		return groups
	}
	return append(groups, group{assistant: assistant, parts: parts})
}

// Kinds of what a canonical form lists.
const (
	kindText byte = iota + 1
	kindCall
	kindCallText // arguments that are no JSON
	kindResult
	kindStray // a result for no call of the group before
	kindMedia
	kindThought
)

// canon hashes canonical forms: what is said, however a client writes it down. It
// streams what is said, and behind that a list of what it was and how long, which
// makes the form unambiguous.
type canon struct {
	h     hash.Hash
	list  []byte
	buf   []byte
	form  []byte // of arguments
	doc   jsonedit.Doc
	texts []string
}

func newCanon() *canon { return &canon{h: sha256.New()} }

func (c *canon) write(s string) {
	for len(s) > 0 {
		n := min(len(s), 16<<10)
		c.buf = append(c.buf[:0], s[:n]...)
		c.h.Write(c.buf)
		s = s[n:]
	}
}

// item lists what was written.
func (c *canon) item(kind byte, length int, meta ...uint64) {
	c.list = append(c.list, kind)
	c.list = binary.AppendUvarint(c.list, uint64(length))
	for _, m := range meta {
		c.list = binary.AppendUvarint(c.list, m)
	}
}

// sum ends a form.
func (c *canon) sum() sum {
	c.list = binary.BigEndian.AppendUint64(c.list, uint64(len(c.list)))
	c.h.Write(c.list)
	c.buf = c.h.Sum(c.buf[:0])
	c.h.Reset()
	c.list = c.list[:0]
	return sum(c.buf)
}

// text writes c.texts as one, with its ends trimmed and lines ended by newlines.
func (c *canon) text(kind byte, meta ...uint64) {
	texts := c.texts
	if slices.ContainsFunc(texts, func(s string) bool { return strings.IndexByte(s, '\r') >= 0 }) {
		all := strings.ReplaceAll(strings.Join(texts, ""), "\r\n", "\n")
		texts = append(texts[:0], strings.ReplaceAll(all, "\r", "\n"))
	}
	for len(texts) > 0 {
		if texts[0] = strings.TrimLeft(texts[0], space); texts[0] != "" {
			break
		}
		texts = texts[1:]
	}
	for n := len(texts); n > 0; n = len(texts) {
		if texts[n-1] = strings.TrimRight(texts[n-1], space); texts[n-1] != "" {
			break
		}
		texts = texts[:n-1]
	}
	length := 0
	for _, s := range texts {
		c.write(s)
		length += len(s)
	}
	c.item(kind, length, meta...)
	clear(c.texts)
	c.texts = c.texts[:0]
}

// space is what clients trim.
const space = " \t\r\n\v\f"

// group fills in the sums of g, which comes behind before, nil where it is the first.
func (c *canon) group(g, before *group) {
	calls, results := 0, 0
	for i := range g.parts {
		switch p := &g.parts[i]; p.Kind {
		case ringwall.PartText, ringwall.PartRefusal:
			c.texts = append(c.texts, p.Text)
		case ringwall.PartReasoning:
			g.thinks = g.thinks || p.Text != ""
		case ringwall.PartCall:
			calls++
		case ringwall.PartResult:
			results++
		case ringwall.PartMedia, ringwall.PartRedacted:
		}
	}
	c.text(kindText)
	if calls > 0 {
		for i := range g.parts {
			if p := &g.parts[i]; p.Kind == ringwall.PartCall && p.Call != nil {
				c.call(p.Call)
			}
		}
	}
	if results > 0 {
		g.results = true
		g.answered = c.results(g, before)
	}
	for i := range g.parts {
		if p := &g.parts[i]; p.Kind == ringwall.PartMedia && p.Media != nil {
			c.media(p.Media)
		}
	}
	side := byte(0)
	if g.assistant {
		side = 1
	}
	c.list = append(c.list, side)
	g.says = c.sum()
	if !g.thinks {
		return
	}
	for i := range g.parts {
		if p := &g.parts[i]; p.Kind == ringwall.PartReasoning {
			c.texts = append(c.texts, p.Text)
		}
	}
	c.text(kindThought)
	g.thought = c.sum()
}

func (c *canon) media(m *ringwall.Media) {
	c.write(m.URL)
	c.write(m.Data)
	c.item(kindMedia, len(m.URL), uint64(len(m.Data)), uint64(m.Kind))
}

// call writes the name and the arguments of a call. Its id is none of what it says:
// some APIs have none, and some clients give another. Results are bound to calls by
// their places.
func (c *canon) call(call *ringwall.ToolCall) {
	kind, form := c.arguments(call.Arguments)
	c.write(call.Name)
	c.h.Write(form)
	c.item(kind, len(call.Name), uint64(len(form)))
}

// maxArguments bounds arguments that are read as JSON; longer ones count byte by byte.
const maxArguments = 4 << 20

// arguments returns the canonical form of arguments, in c.form, and its kind.
func (c *canon) arguments(text string) (kind byte, form []byte) {
	trimmed := strings.Trim(text, space)
	if trimmed == "" || trimmed == "null" {
		trimmed = "{}"
	}
	err := c.doc.Parse([]byte(trimmed), jsonedit.Limits{Bytes: maxArguments, AllowNUL: true})
	if err != nil {
		c.form = append(c.form[:0], trimmed...)
		return kindCallText, c.form
	}
	c.form = c.doc.Root().AppendCanonical(c.form[:0])
	return kindCall, c.form
}
