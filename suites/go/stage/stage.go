// Package stage plays the APIs of providers of models, each as its own clients
// know it: OpenAI's (chat completions, responses, embeddings), Azure's, Anthropic's,
// Amazon Bedrock's, Google's and Ollama's.
//
// What is said is the same in all of them, a [Scene], whose name is that of the
// model. Before it answers, a provider checks what it was asked: who asks, and that
// every word, call, image and schema of the scene arrived. What it finds wrong it
// says in its answer, an error of status 418, and keeps as a complaint.
//
// Streams are cut every few bytes, through events, frames and characters.
package stage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// The keys that providers want to be shown.
const (
	Key    = "provider-key-of-the-suite"
	KeyID  = "AKIDEXAMPLE"
	Secret = "secret-of-the-suite"
	Region = "us-east-1"
)

// maxBody bounds what is read of a request.
const maxBody = 16 << 20

// api is how one provider is spoken with.
type api interface {
	// read returns the model that is asked, and what.
	read(r *http.Request, body []byte) (model string, a *Asked, err error)
	// authentic reports whether the request shows the provider's key.
	authentic(r *http.Request, body []byte) bool
	// whole and stream write an answer, a stream event by event.
	whole(model string, r Reply) []byte
	stream(model string, r Reply) (pieces [][]byte)
	content() (whole, stream string) // their types
	// failure is the body of an error.
	failure(status int, message string) []byte
	failureHeader(h http.Header, status int)
}

// Stage is all providers, each below a path of its own: "/platform" is OpenAI's,
// "/openai" Azure's, then "/responses", "/anthropic", "/bedrock", "/gemini" and
// "/ollama". Beside them it serves
//
//	GET /scenes                what is said, Scenes as a JSON object
//	GET /complaints            what was asked wrong, as a JSON array of strings
//	GET /asked/PROVIDER/SCENE  how often a provider was asked
//	GET /left/TEXT             waits until the client of an endless answer to TEXT has left
type Stage struct {
	mux *http.ServeMux

	mu         sync.Mutex
	complaints []string
	asked      map[string]int
	seen       map[string]bool          // texts of the scene "again"
	left       map[string]chan struct{} // by text, closed when the client has left
}

// New returns a Stage. It is safe for concurrent use.
func New() *Stage {
	s := &Stage{mux: http.NewServeMux(), asked: map[string]int{}, seen: map[string]bool{}, left: map[string]chan struct{}{}}
	for _, p := range []struct {
		at, name string
		api
	}{
		{"/platform", "openai", chat{}},
		{"", "azure", chat{azure: true}}, // which has no path of its own
		{"/responses", "responses", responses{}},
		{"/anthropic", "anthropic", anthropic{}},
		{"/bedrock", "bedrock", bedrock{}},
		{"/gemini", "gemini", gemini{}},
		{"/ollama", "ollama", ollama{}},
	} {
		s.mux.Handle(p.at+"/", http.StripPrefix(p.at, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.play(w, r, p.name, p.api)
		})))
	}
	s.mux.HandleFunc("POST /platform/v1/embeddings", s.embeddings)
	s.mux.HandleFunc("POST /openai/v1/embeddings", s.embeddings)
	s.mux.HandleFunc("POST /anthropic/v1/messages/count_tokens", s.count("anthropic", anthropic{}, `{"input_tokens":11}`))
	s.mux.HandleFunc("POST /bedrock/model/{model}/count-tokens", s.count("bedrock", bedrock{}, `{"inputTokens":11}`))
	s.mux.HandleFunc("POST /gemini/v1beta/models/{model}", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ":countTokens") {
			s.count("gemini", gemini{}, `{"totalTokens":11}`)(w, r)
			return
		}
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/gemini")
		s.play(w, r, "gemini", gemini{})
	})
	s.mux.HandleFunc("GET /scenes", func(w http.ResponseWriter, _ *http.Request) { say(w, Scenes) })
	s.mux.HandleFunc("GET /complaints", func(w http.ResponseWriter, _ *http.Request) { say(w, s.Complaints()) })
	s.mux.HandleFunc("GET /asked/{provider}/{model}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		say(w, s.asked[r.PathValue("provider")+"/"+r.PathValue("model")])
	})
	s.mux.HandleFunc("GET /left/{text}", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-s.leaves(r.PathValue("text")):
			say(w, true)
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
			w.WriteHeader(http.StatusGatewayTimeout)
		}
	})
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Stage) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Complaints are what was asked wrong until now.
func (s *Stage) Complaints() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.complaints...)
}

func say(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) // a client that is gone misses nothing
}

// count says how many tokens the words of a scene are, once it has looked at them.
func (s *Stage) count(name string, p api, answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		model, err := s.counts(w, r, name, p)
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			s.mu.Lock()
			s.complaints = append(s.complaints, fmt.Sprintf("%s %s: counting tokens: %v", name, model, err))
			s.mu.Unlock()
			p.failureHeader(w.Header(), http.StatusTeapot)
			w.WriteHeader(http.StatusTeapot)
			w.Write(p.failure(http.StatusTeapot, err.Error()))
			return
		}
		io.WriteString(w, answer)
	}
}

// counts looks at what is counted: a request, or one that stands in another.
func (s *Stage) counts(w http.ResponseWriter, r *http.Request, name string, p api) (model string, err error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return "", err
	}
	r.URL.Path, r.URL.RawPath = strings.TrimPrefix(r.URL.Path, "/"+name), ""
	if _, messages := p.(anthropic); !messages && !p.authentic(r, body) || messages && r.Header.Get("X-Api-Key") != Key {
		return "", errors.New("who asks shows another key")
	}
	var outer struct {
		Input struct {
			Converse    json.RawMessage
			InvokeModel *struct{ Body []byte } `json:"invokeModel"`
		}
		GenerateContentRequest json.RawMessage `json:"generateContentRequest"`
	}
	if err := json.Unmarshal(body, &outer); err != nil {
		return "", err
	}
	switch {
	case outer.Input.Converse != nil:
		body = outer.Input.Converse
	case outer.Input.InvokeModel != nil:
		body, p = outer.Input.InvokeModel.Body, invoke{}
	case outer.GenerateContentRequest != nil:
		body = outer.GenerateContentRequest
	}
	model, a, err := p.read(r, body)
	if err != nil {
		return "", err
	}
	a.MaxTokens = MaxTokens // which nobody counts
	scene, ok := Scenes[model]
	if !ok {
		return model, errors.New("there is no such scene")
	}
	want := scene.Asked
	a.Thinks, a.Schema, want.Thinks, want.Schema = false, nil, false, nil
	_, err = (&Scene{want, scene.Says}).reply(model, a)
	return model, err
}

// leaves is the end of the client of an endless answer to text.
func (s *Stage) leaves(text string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left[text] == nil {
		s.left[text] = make(chan struct{})
	}
	return s.left[text]
}

// play answers a request to one provider.
func (s *Stage) play(w http.ResponseWriter, r *http.Request, name string, p api) {
	if name == "bedrock" && strings.Contains(r.URL.Path, "/invoke") {
		p = invoke{}
	}
	if name == "ollama" && strings.HasSuffix(r.URL.Path, "/generate") {
		p = generate{}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fail := func(status int, message string) {
		w.Header().Set("Content-Type", "application/json")
		p.failureHeader(w.Header(), status)
		w.WriteHeader(status)
		w.Write(p.failure(status, message))
	}
	complain := func(model string, err error) {
		s.mu.Lock()
		s.complaints = append(s.complaints, fmt.Sprintf("%s %s: %v", name, model, err))
		s.mu.Unlock()
		fail(http.StatusTeapot, err.Error())
	}
	model, a, err := p.read(r, body)
	if err != nil {
		complain(r.URL.Path, err)
		return
	}
	s.mu.Lock()
	s.asked[name+"/"+model]++
	s.mu.Unlock()
	if !p.authentic(r, body) {
		complain(model, fmt.Errorf("who asks shows another key"))
		return
	}
	scene, ok := Scenes[model]
	if !ok {
		fail(http.StatusNotFound, "there is no scene "+model)
		return
	}
	reply, err := scene.reply(model, a)
	if err != nil {
		complain(model, err)
		return
	}
	text := ""
	if n := len(a.Turns); n > 0 {
		text = a.Turns[n-1].Text
	}
	whole, stream := p.content()
	switch model {
	case "busy":
		w.Header().Set("Retry-After", "7")
		fail(http.StatusTooManyRequests, "the provider's own words")
	case "broken":
		fail(http.StatusInternalServerError, "the provider's own words")
	case "silent":
		select {
		case <-r.Context().Done():
		case <-time.After(30 * time.Second):
		}
	case "chaos":
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<html><body>The provider's own words</body></html>")
	case "again":
		s.mu.Lock()
		first := !s.seen[name+text]
		s.seen[name+text] = true
		s.mu.Unlock()
		if first {
			fail(http.StatusServiceUnavailable, "the provider's own words")
			return
		}
		fallthrough
	default:
		if !a.Stream {
			w.Header().Set("Content-Type", whole)
			b := p.whole(model, reply)
			if model == "half" {
				b = b[:len(b)/2]
			}
			w.Write(b)
			return
		}
		w.Header().Set("Content-Type", stream)
		pieces := p.stream(model, reply)
		switch model {
		case "half":
			send(w, slices.Concat(pieces[:len(pieces)/2]...))
		case "endless":
			s.endless(w, r, text, pieces)
		default:
			send(w, slices.Concat(pieces...))
		}
	}
}

// send writes b a few bytes at a time, wherever that cuts it.
func send(w http.ResponseWriter, b []byte) {
	rc := http.NewResponseController(w)
	for piece := range slices.Chunk(b, 61) {
		w.Write(piece)
		rc.Flush() // a client that is gone misses nothing
	}
}

// endless says the pieces that hold text again and again. The first and the last
// quarter of all pieces begin and end an answer.
func (s *Stage) endless(w http.ResponseWriter, r *http.Request, text string, pieces [][]byte) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	defer close(s.leaves(text))
	rc := http.NewResponseController(w)
	for i := 0; ; i++ {
		if i >= len(pieces)/2 {
			i = len(pieces) / 2 // a piece of text
		}
		if _, err := w.Write(pieces[i]); err != nil || rc.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// embeddings answers as OpenAI does: a vector for each text.
func (s *Stage) embeddings(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Model string
		Input any
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&req); err != nil || r.Header.Get("Authorization") != "Bearer "+Key && r.Header.Get("Api-Key") != Key {
		http.Error(w, `{"error":{"message":"the provider's own words","type":"invalid_request_error"}}`, http.StatusBadRequest)
		return
	}
	if strings.Contains(quote(req.Input), "@") {
		http.Error(w, `{"error":{"message":"an address stands in a text","type":"invalid_request_error"}}`, http.StatusTeapot)
		return
	}
	n := 1
	if many, ok := req.Input.([]any); ok {
		n = len(many)
	}
	var data []string
	for i := range n {
		data = append(data, fmt.Sprintf(`{"object":"embedding","index":%d,"embedding":[0.25,-0.5,%d]}`, i, i))
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"object":"list","data":[%s],"model":%q,"usage":{"prompt_tokens":11,"total_tokens":11}}`, strings.Join(data, ","), req.Model)
}

// cut cuts a text into pieces of three characters.
func cut(s string) (pieces []string) {
	for piece := range slices.Chunk([]rune(s), 3) {
		pieces = append(pieces, string(piece))
	}
	return pieces
}

// quote writes a value as JSON, without the escapes that HTML needs.
func quote(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.Encode(v) // what scenes hold can be encoded
	return strings.TrimSuffix(b.String(), "\n")
}

// event is a server-sent event.
func event(name, data string) []byte {
	if name != "" {
		name = "event: " + name + "\n"
	}
	return []byte(name + "data: " + data + "\n\n")
}
