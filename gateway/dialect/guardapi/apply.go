package guardapi

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Apply is Amazon Bedrock's ApplyGuardrail.
type Apply struct {
	dialect.AWS
	parser
}

// Name implements gateway.Inquirer.
func (Apply) Name() string { return "bedrock-guardrail" }

// Credential implements gateway.Inquirer.
func (Apply) Credential(r *http.Request) (string, error) { return gateway.Shown(r, "X-Api-Key") }

// AppendError implements gateway.Inquirer.
func (Apply) AppendError(dst []byte, h http.Header, r *ringwall.Refusal, id string) []byte {
	return awsError(dst, h, r, id)
}

// Qualifiers of a text of ApplyGuardrail.
const (
	groundingSource = "grounding_source"
	query           = "query"
	guardContent    = "guard_content"
)

// applied is a request of ApplyGuardrail.
type applied struct {
	question gateway.Question
	way      ringwall.Direction
	full     bool
	enforced bool // the request names no guardrail
	images   int
	total    int // characters of all texts
	guarded  int // of those that are looked at
	beside   int // of those that only grounding reads
}

// block is a text of a request.
type block struct {
	text       ringwall.Text
	qualifiers []string
}

func (b *block) is(q string) bool { return slices.Contains(b.qualifiers, q) }

// applyRoute is the route of [Apply].
const applyRoute = "POST /guardrail/{id}/version/{version}/apply"

// Unnamed reports whether r asks for ApplyGuardrail with an empty id or version, which
// Bedrock allows and patterns of routes do not match, and returns the pattern that it
// is meant for. It sets the values of the path.
func Unnamed(r *http.Request) (pattern string, ok bool) {
	parts := strings.Split(r.URL.EscapedPath(), "/")
	if r.Method != http.MethodPost || len(parts) != 6 || parts[1] != "guardrail" || parts[3] != "version" || parts[5] != "apply" || parts[2] != "" && parts[4] != "" {
		return "", false
	}
	for i, name := range map[int]string{2: "id", 4: "version"} {
		value, err := url.PathUnescape(parts[i])
		if err != nil {
			return "", false
		}
		r.SetPathValue(name, value)
	}
	return applyRoute, true
}

// bedrockRef reads the id or the ARN of a guardrail and its version.
func bedrockRef(id, version string) gateway.Ref {
	if _, behind, ok := strings.Cut(id, ":guardrail/"); ok && strings.HasPrefix(id, "arn:") {
		id = behind
	}
	if version == "DRAFT" {
		version = ""
	}
	return gateway.Ref{Name: id, Version: version}
}

// Read implements gateway.Inquirer.
func (a Apply) Read(r *http.Request, body []byte) (gateway.Inquiry, error) {
	root, err := a.object(body)
	if err != nil {
		return nil, err
	}
	id, version := r.PathValue("id"), r.PathValue("version")
	if id != "" && version == "" {
		return nil, dialect.Invalid(body, jsonedit.Value{}, "guardrailVersion", "want DRAFT or a number beside an identifier")
	}
	if id == "" { // the one that is applied anyway, whatever its version
		version = ""
	}
	q := &applied{question: gateway.Question{Guardrail: bedrockRef(id, version)}, enforced: id == ""}
	switch source := root.Get("source"); {
	case source.Is("INPUT"):
	case source.Is("OUTPUT"):
		q.way = ringwall.Output
	default:
		return nil, dialect.Invalid(body, source, "source", "want INPUT or OUTPUT")
	}
	switch scope := root.Get("outputScope"); {
	case scope.Is("FULL"):
		q.full = true
	case !scope.Exists(), scope.Kind() == jsonedit.Null, scope.Is("INTERVENTIONS"):
	default:
		return nil, dialect.Invalid(body, scope, "outputScope", "want INTERVENTIONS or FULL")
	}
	blocks, err := q.read(body, root.Get("content"))
	if err != nil {
		return nil, err
	}
	q.ask(blocks)
	if len(q.texts()) == 0 {
		return nil, dialect.Invalid(body, root.Get("content"), "content", "there is nothing to look at: sources and queries are what an answer is judged by")
	}
	return q, nil
}

// read reads the blocks of a request.
func (q *applied) read(body []byte, content jsonedit.Value) (blocks []block, err error) {
	if content.Kind() != jsonedit.Array {
		return nil, dialect.Invalid(body, content, "content", "want a list of blocks")
	}
	for i, b := range content.Elems() {
		path := "content[" + strconv.Itoa(i) + "]"
		t, image := b.Get("text"), b.Get("image")
		switch {
		case image.Kind() == jsonedit.Object && !t.Exists():
			if err := picture(body, image, path+".image"); err != nil {
				return nil, err
			}
			q.images++
		case t.Kind() == jsonedit.Object && !image.Exists():
			one := block{text: ringwall.Text{Path: "/content/" + strconv.Itoa(i) + "/text/text"}}
			if one.text.Value, err = required(body, t.Get("text"), path+".text.text"); err != nil {
				return nil, err
			}
			if err := list(body, t.Get("qualifiers"), path+".text.qualifiers"); err != nil {
				return nil, err
			}
			for _, v := range t.Get("qualifiers").Elems() {
				if name := v.Text(); name != groundingSource && name != query && name != guardContent {
					return nil, dialect.Invalid(body, v, path+".text.qualifiers", "want grounding_source, query or guard_content")
				}
				one.qualifiers = append(one.qualifiers, v.Text())
			}
			blocks = append(blocks, one)
		default:
			return nil, dialect.Invalid(body, b, path, "want either a text or an image")
		}
	}
	if len(blocks) == 0 {
		return nil, dialect.Invalid(body, content, "content", "there is no text: images alone are not looked at")
	}
	return blocks, nil
}

// picture checks an image, which nobody looks at.
func picture(body []byte, v jsonedit.Value, path string) error {
	if f := v.Get("format"); !f.Is("png") && !f.Is("jpeg") {
		return dialect.Invalid(body, f, path+".format", "want png or jpeg")
	}
	data := v.Get("source").Get("bytes")
	if _, err := base64.StdEncoding.DecodeString(data.Text()); err != nil || data.Text() == "" {
		return dialect.Invalid(body, data, path+".source.bytes", "want an image in base64")
	}
	return nil
}

// ask makes the question of blocks. Where some are marked as what is to be looked
// at, the others are not; sources and queries are what an answer is judged by, but
// on the way in a model may read them, so they are looked at.
func (q *applied) ask(blocks []block) {
	marked := slices.ContainsFunc(blocks, func(b block) bool { return b.is(guardContent) })
	for _, b := range blocks {
		n := utf8.RuneCountInString(b.text.Value)
		q.total += n
		aside := b.is(groundingSource) || b.is(query)
		switch {
		case marked && !b.is(guardContent) && (!aside || q.way == ringwall.Input):
			continue
		case q.way == ringwall.Input:
			b.text.Origin = ringwall.User
			if b.is(groundingSource) {
				b.text.Origin = ringwall.Retrieved
			}
			q.question.Prompt = append(q.question.Prompt, b.text)
		default:
			if b.is(groundingSource) {
				q.question.Sources = append(q.question.Sources, b.text.Value)
			}
			if b.is(query) {
				q.question.Query = strings.TrimPrefix(q.question.Query+"\n"+b.text.Value, "\n")
			}
			if aside && !b.is(guardContent) {
				q.beside += n
				continue
			}
			b.text.Origin = ringwall.Assistant
			q.question.Answer = append(q.question.Answer, b.text)
		}
		q.guarded += n
	}
	if q.images > 0 {
		q.question.Unseen = []string{"image-part"}
	}
}

// Question implements gateway.Inquiry.
func (q *applied) Question() gateway.Question { return q.question }

// texts are those that were looked at.
func (q *applied) texts() []ringwall.Text {
	if q.way == ringwall.Output {
		return q.question.Answer
	}
	return q.question.Prompt
}
