package server

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the schemas
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/gateway/dialect/guardapi"
	"github.com/ringwall/ringwall/gateway/dialect/openai/responses"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

//go:embed openapi_schemas.json
var schemas []byte

// object is a JSON object; its members are written in the order of their names.
type object = map[string]any

// OpenAPI returns the OpenAPI 3.1 document of what the gateway serves. It says the same
// whatever the configuration is: what is there, not who may. It is made once.
var OpenAPI = sync.OnceValue(func() []byte {
	paths := object{}
	byShape := map[string]string{} // two paths that differ in the names of their parameters alone are one
	for _, pattern := range Routes() {
		method, path, named := strings.Cut(pattern, " ")
		if !named {
			method, path = "", pattern
		}
		path, params := templated(path)
		shape := shapeOf(path)
		if other, ok := byShape[shape]; ok {
			path, params = templated(other)
		}
		byShape[shape] = path
		item, _ := paths[path].(object)
		if item == nil {
			item = object{}
			if len(params) > 0 {
				item["parameters"] = params
			}
			paths[path] = item
		}
		if named {
			item[strings.ToLower(method)] = operation(method, path, pattern, describe(pattern))
			continue
		}
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			if _, taken := item[strings.ToLower(method)]; !taken {
				item[strings.ToLower(method)] = passed(method, path, pattern)
			}
		}
	}
	var parts object
	if err := json.Unmarshal(schemas, &parts); err != nil {
		// bug: the schemas are built in
		panic(fmt.Sprintf("the schemas of the OpenAPI document: %v", err))
	}
	doc := object{
		"openapi": "3.1.1", // https://spec.openapis.org/oas/v3.1.1.html
		"info": object{
			"title": "Ringwall", "version": "1",
			"description": "A gateway and firewall for traffic to models. Requests to models are in the words of the APIs of their providers, whose documentation each operation names; what a guardrail, a rule or a limit does to them is in Ringwall's own.",
			"license":     object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"servers": []object{{"url": "/"}},
		"tags": []object{
			{"name": "Models", "description": "APIs that ask models, looked at on the way there and back"},
			{"name": "Guard", "description": "APIs that ask the guard and no model"},
			{"name": "Guardrails", "description": "making guardrails, for operators"},
			{"name": "Passed on", "description": "parts of OpenAI's API at which nobody looks: they are refused, unless the configuration has them passed on"},
			{"name": "Approvals", "description": "letting go what is held, for people"},
			{"name": "People", "description": "logging in with a browser"},
			{"name": "Health", "description": "for those who run the gateway"},
			{"name": "Administration", "description": "what those do who run it"},
		},
		"paths": paths,
		"components": object{
			"schemas": parts, "responses": failures(parts), "securitySchemes": securitySchemes, "headers": answerHeaders, "parameters": object{
				"Guardrail": object{"name": gateway.GuardrailHeader, "in": "header", "schema": object{"type": "string"}, "description": "a guardrail that looks, too, by its name or as name@version"},
			},
		},
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(doc); err != nil {
		// bug: it is made of strings
		panic(fmt.Sprintf("writing the OpenAPI document: %v", err))
	}
	return b.Bytes()
})

var securitySchemes = object{
	"bearer":            object{"type": "http", "scheme": "bearer", "description": "a key that ringwall keys create prints"},
	"xApiKey":           object{"type": "apiKey", "in": "header", "name": "X-Api-Key"},
	"apiKey":            object{"type": "apiKey", "in": "header", "name": "Api-Key"},
	"googleKey":         object{"type": "apiKey", "in": "header", "name": "X-Goog-Api-Key"},
	"googleQuery":       object{"type": "apiKey", "in": "query", "name": "key"},
	"azureSubscription": object{"type": "apiKey", "in": "header", "name": "Ocp-Apim-Subscription-Key"},
	"sigv4":             object{"type": "apiKey", "in": "header", "name": "Authorization", "description": "AWS Signature Version 4, with the pair that ringwall keys create --aws prints"},
}

var answerHeaders = object{
	"Exchange": object{"schema": object{"type": "string"}, "description": "the id of the exchange, by which its record is found"},
	"Lowered":  object{"schema": object{"type": "string"}, "description": "JSON pointers to what a rule lowered in the request"},
	"Stream":   object{"schema": object{"type": "string"}, "description": "how a streamed answer waits for the guard"},
}

// Routes returns the patterns of everything that is served, sorted, but for what only
// says that there is nothing.
func Routes() []string {
	all := slices.Collect(maps.Keys(builtin.Dialects(jsonedit.Limits{})))
	all = slices.AppendSeq(all, maps.Keys(builtin.Inquirers(jsonedit.Limits{})))
	all = slices.AppendSeq(all, maps.Keys(guardapi.Control{}.Routes()))
	all = slices.Concat(all, guardapi.PresidioRoutes, responses.KeptRoutes, builtin.Unguarded)
	all = slices.AppendSeq(all, maps.Keys(otherRoutes))
	// Those with methods first: their words count where two are at one address.
	slices.SortFunc(all, func(a, b string) int {
		if x, y := strings.Contains(a, " "), strings.Contains(b, " "); x != y {
			if x {
				return -1
			}
			return 1
		}
		return strings.Compare(pathOf(a)+" "+a, pathOf(b)+" "+b)
	})
	return slices.Compact(all)
}

// describe finds what there is to say of a route.
func describe(pattern string) described {
	if d, ok := otherRoutes[pattern]; ok {
		return d
	}
	name := ""
	if d, ok := builtin.Dialects(jsonedit.Limits{})[pattern]; ok {
		name = d.Name()
	} else if q, ok := builtin.Inquirers(jsonedit.Limits{})[pattern]; ok {
		name = q.Name()
	}
	d := apis[name]
	switch path := pathOf(pattern); {
	case strings.HasPrefix(path, "/openai/"):
		d.summary, d.keys = d.summary+", for clients of Azure", azureKeys
	case d.fails == "ErrorOpenAI" && d.needs != nil && !slices.Contains(d.needs, "model"):
		d.needs = append([]string{"model"}, d.needs...)
	}
	return d
}

// templated writes the path of a pattern as OpenAPI does, with its parameters.
func templated(path string) (string, []object) {
	if strings.HasSuffix(path, "/") && path != "/" {
		path += "{rest}"
	}
	var params []object
	for _, part := range strings.Split(path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			name = strings.TrimSuffix(strings.TrimSuffix(name, "}"), "...")
			params = append(params, object{"name": name, "in": "path", "required": true, "schema": object{"type": "string"}})
		}
	}
	return strings.ReplaceAll(path, "...}", "}"), params
}

// shapeOf is a path without the names of its parameters.
func shapeOf(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

// statuses are what errors mean, wherever they come.
var statuses = map[int]string{
	400: "the request is not as the API, a rule or the guardrail demands", 401: "no key is shown, or one that is not valid", 403: "the caller may not",
	404: "there is no such thing", 405: "the address has no such method", 413: "the body is too large", 415: "the body is said to be no JSON, or is compressed", 429: "too much was asked for",
	500: "a fault of the gateway", 502: "the provider failed", 503: "overloaded, or something needed to serve safely is away", 504: "the provider did not answer in time",
}

// failure is the name of an error of a status, in the shape of a schema.
func failure(schema string, status int) string { return schema + "-" + strconv.Itoa(status) }

// failures are the errors of all statuses in all shapes.
func failures(schemas object) object {
	out := object{}
	for name := range schemas {
		if !strings.HasPrefix(name, "Error") {
			continue
		}
		for status, what := range statuses {
			out[failure(name, status)] = object{"description": what, "content": object{"application/json": object{"schema": ref("schemas", name)}}}
		}
	}
	return out
}

// operation is what the document says of a route.
func operation(method, path, pattern string, d described) object {
	op := object{"tags": []string{d.tag}, "summary": d.summary, "operationId": idOf(method, path), "x-ringwall-route": pattern}
	if d.docs != "" {
		op["externalDocs"] = object{"url": d.docs, "description": "the API as its maker documents it"}
	}
	security := []object{}
	for _, k := range d.keys {
		security = append(security, object{k: []string{}})
	}
	op["security"] = security
	answer, form := object{"type": "object"}, "application/json"
	if d.gives != "" {
		answer = ref("schemas", d.gives)
	}
	if pattern == "GET /metrics" {
		answer, form = object{"type": "string"}, "text/plain"
	}
	content := object{form: object{"schema": answer}}
	headers := object{gateway.Header: ref("headers", "Exchange")}
	if d.streams != "" {
		content[d.streams] = object{"schema": object{"type": "string"}}
		headers[gateway.LoweredHeader], headers[gateway.ReleaseHeader] = ref("headers", "Lowered"), ref("headers", "Stream")
	}
	done := d.status
	if done == "" {
		done = "200"
	}
	answers := object{done: object{"description": "what was asked for", "content": content, "headers": headers}}
	for status := range statuses {
		if len(d.keys) == 0 && status != http.StatusMethodNotAllowed && !(pattern == "GET /readyz" && status == http.StatusServiceUnavailable) {
			continue
		}
		answers[strconv.Itoa(status)] = ref("responses", failure(d.fails, status))
		if pattern == "GET /readyz" && status == http.StatusServiceUnavailable {
			answers["503"] = object{"description": "requests are not served any more", "content": object{"application/json": object{"schema": ref("schemas", d.gives)}}}
		}
	}
	op["responses"] = answers
	if method == http.MethodPost || method == http.MethodPut {
		body := object{"type": "object"}
		if d.takes != "" {
			body = ref("schemas", d.takes)
		} else if len(d.needs) > 0 {
			body["required"] = d.needs
		}
		op["requestBody"] = object{
			"required": true, "content": object{"application/json": object{"schema": body}},
			"description": "strict JSON (RFC 8259) in UTF-8, no key twice in an object, at most 64 levels deep, not compressed, at most as long as limits.body of the configuration says (4 MiB by default)",
		}
		if d.tag == "Models" || d.tag == "Guard" {
			op["parameters"] = []object{ref("parameters", "Guardrail")}
		}
	}
	return op
}

// passed is what the document says of a part of an API at which nobody looks.
func passed(method, path, pattern string) object {
	return object{
		"tags": []string{"Passed on"}, "summary": "Refused, or passed on unlooked where the configuration says so", "operationId": idOf(method, path), "x-ringwall-route": pattern,
		"externalDocs": object{"url": openaiDocs}, "security": []object{{"bearer": []string{}}},
		"responses": object{
			"200": object{"description": "the answer of the provider, at which nobody looked", "headers": object{gateway.UnguardedHeader: object{"schema": object{"type": "string"}}}},
			"401": ref("responses", failure("ErrorOpenAI", http.StatusUnauthorized)), "403": ref("responses", failure("ErrorOpenAI", http.StatusForbidden)),
			"404": ref("responses", failure("ErrorOpenAI", http.StatusNotFound)),
		},
	}
}

func ref(kind, name string) object { return object{"$ref": "#/components/" + kind + "/" + name} }

// idOf is the name of an operation in the code that is generated of the document.
func idOf(method, path string) string {
	words := strings.FieldsFunc(path, func(r rune) bool { return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9') })
	return strings.ToLower(method) + "-" + strings.Join(words, "-")
}

// documentTag is the entity tag of the document (RFC 9110 §8.8.3).
var documentTag = sync.OnceValue(func() string { return fmt.Sprintf(`"%x"`, sha256.Sum256(OpenAPI())) })

// openapi answers with the document.
func (s *Server) openapi(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", documentTag())
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(OpenAPI()))
}
