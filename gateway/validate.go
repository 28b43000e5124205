package gateway

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Rules say which requests are taken, beside what their dialects demand.
// Implementations are safe for concurrent use.
type Rules interface {
	// Check looks at a request. It returns the edits that lower what is too high, in
	// the order of the document, and JSON pointers to what they change. The error is a
	// *ringwall.Refusal that says where the request breaks a rule, and what to do.
	Check(in Input) (edits []jsonedit.Edit, lowered []string, err error)
}

// Input is a request as rules see it.
type Input struct {
	API    string // the dialect
	Route  string // the path of its route, as the table of routes has it
	Model  string // as the client names it; "" where none is asked
	Stream bool
	Texts  []ringwall.Text
	Body   []byte
	// Document is the body as it was parsed, or the part of it that asks the model;
	// the zero Value where no dialect parsed it.
	Document jsonedit.Value
}

// Parsed is a Request that shows the document that it was read from.
type Parsed interface {
	// Document returns the object that asks the model.
	Document() jsonedit.Value
}

// LoweredHeader is the header of an answer to a request of which something was
// lowered: JSON pointers, with commas between them.
const LoweredHeader = "X-Ringwall-Lowered"

// Bodies says of what type bodies may be said to be. JSON they are in any case.
type Bodies uint8

// What is taken. A body that says nothing of its type is taken by all of them.
const (
	// BodiesJSON takes JSON, and what curl and AWS's clients of InvokeModel say where
	// they are told nothing. From pages of browsers it takes no more than JSON: they
	// could send all else to a gateway on the user's machine without asking it first.
	BodiesJSON   Bodies = iota
	BodiesStrict        // JSON alone
	BodiesAny
)

// Types that clients give when they are told nothing.
const (
	curlsType = "application/x-www-form-urlencoded"
	awssType  = "application/octet-stream"
)

// check refuses a request whose body is said to be no JSON in UTF-8.
func (b Bodies) check(r *http.Request) error {
	said := r.Header.Get("Content-Type")
	if said == "" || b == BodiesAny {
		return nil
	}
	refuse := func(what string) error {
		return &ringwall.Refusal{
			Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type",
			Public: "The request body is taken as JSON alone: send Content-Type: application/json, " + what + ".",
			Err:    fmt.Errorf("the type of the body is said to be %.80q", said),
		}
	}
	kind, params, err := mime.ParseMediaType(said)
	if err != nil {
		return refuse("not one that cannot be read")
	}
	fits := kind == "application/json" || kind == "text/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json") ||
		strings.HasPrefix(kind, "application/x-amz-json-")
	if !fits && !(b == BodiesJSON && (kind == curlsType || kind == awssType) && !browser(r)) {
		return refuse(fmt.Sprintf("not %.80q", kind))
	}
	if set := params["charset"]; set != "" && !strings.EqualFold(set, "utf-8") && !strings.EqualFold(set, "us-ascii") {
		return refuse("in UTF-8")
	}
	return nil
}

// browser reports whether a page in a browser sent a request.
func browser(r *http.Request) bool {
	return r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Sec-Fetch-Mode") != ""
}

// once are the headers of which readers take one, and differ on which.
var once = []string{
	"Authorization", "Content-Type", "Content-Encoding", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", GuardrailHeader,
	"X-Amzn-Bedrock-Guardrailidentifier", "X-Amzn-Bedrock-Guardrailversion", "X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token",
}

// single refuses a request that says twice what counts once, before anybody acts on
// the one or the other.
func single(r *http.Request) error {
	for _, name := range once {
		if len(r.Header[name]) > 1 {
			return &ringwall.Refusal{
				Status: http.StatusBadRequest, Code: "duplicate_header",
				Public: "The header " + strings.ToLower(name) + " is given more than once: send it once.",
				Err:    errors.New("the header " + name + " is given more than once"),
			}
		}
	}
	return nil
}

// misframed reports whether a body could not be read because of how it is cut into
// chunks, and not because the client went away.
func misframed(r *http.Request, err error) bool {
	var of net.Error
	return err != nil && err != io.EOF && r.ProtoMajor == 1 && len(r.TransferEncoding) > 0 && r.Context().Err() == nil &&
		!errors.Is(err, io.ErrUnexpectedEOF) && !errors.As(err, &of)
}

// validate holds a request that was read against the rules, and lowers what they
// lower: it is then read again, as if the client had sent it so.
func (x *exchange) validate(body []byte) error {
	if x.world.Rules == nil {
		return nil
	}
	in := Input{API: x.Dialect, Route: x.Route, Model: x.Model, Stream: x.Stream, Texts: x.Prompt, Body: body}
	if p, ok := x.req.(Parsed); ok {
		in.Document = p.Document()
	}
	edits, lowered, err := x.world.Rules.Check(in)
	if err != nil || len(edits) == 0 {
		return err
	}
	src := body
	if in.Document.Exists() {
		src = in.Document.Source()
	}
	req, err := x.d.Read(x.r, jsonedit.Splice(make([]byte, 0, len(src)+64), src, edits))
	if err != nil {
		return err
	}
	x.req, x.Prompt = req, req.Texts()
	what := strings.Join(lowered, ", ")
	x.w.Header().Set(LoweredHeader, what)
	x.detail = "lowered " + what
	return nil
}
