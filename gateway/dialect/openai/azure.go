package openai

import (
	"net/http"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Azure is a dialect of OpenAI's as the clients of Azure OpenAI speak it: the key may
// stand in the header api-key, and the deployment, which is the model, in the path,
// at its value {deployment}. What the body calls the model does not count then.
type Azure struct {
	gateway.Dialect
	Limits jsonedit.Limits // of requests
}

// Credential implements gateway.Dialect.
func (Azure) Credential(r *http.Request) (string, error) { return gateway.Shown(r, "Api-Key") }

// Read implements gateway.Dialect.
func (a Azure) Read(r *http.Request, body []byte) (gateway.Request, error) {
	name := r.PathValue("deployment")
	if name == "" {
		return a.Dialect.Read(r, body)
	}
	var doc jsonedit.Doc
	if err := doc.Parse(body, a.Limits); err != nil {
		return nil, dialect.Unparsed(err)
	}
	if root := doc.Root(); root.Kind() == jsonedit.Object && !root.Get("model").Is(name) {
		body = jsonedit.Splice(nil, body, []jsonedit.Edit{root.SetMember("model", jsonedit.AppendQuote(nil, name))})
	}
	return a.Dialect.Read(r, body)
}
