package matrix

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ringwall/ringwall/suites/go/house"
	"github.com/ringwall/ringwall/suites/go/stage"
)

// dialect is an API as its official client speaks it.
type dialect struct {
	name   string // as records call it
	title  string
	module string // of the client, in go.mod
	lacks  string // the features that the API or its client has no word for
	only   string // the one feature that it has, in the place of lacks
	ask    func(ctx context.Context, w *wire, t talk) (heard, error)
	count  func(ctx context.Context, w *wire, t talk) (int64, error) // nil: the API counts no tokens
	// kind is what sort of error the client takes err for.
	kind func(err error) kind
	// model names the model of a scene of a provider; nil: PROVIDER-SCENE.
	model func(provider, scene string) string
}

// dialects are all there are, in the order of docs/compatibility.md.
var dialects = []*dialect{chats, answers, prompts, claudes, converser, invoker, geminis, ollamas, generators, embedders}

// talk is what a client asks.
type talk struct {
	stage.Asked // its turns are those until now
	model       string
	ids         []string // of the calls of the last turn of the model
	retries     bool     // by the client
	signed      bool     // with a pair of AWS's, where the dialect has that
	piece       func()   // is called when a piece of a stream has come
}

// came says that a piece of a stream has come.
func (t *talk) came() {
	if t.piece != nil {
		t.piece()
	}
}

// heard is what a client has of an answer.
type heard struct {
	stage.Reply
	ids     []string // of the calls
	stop    stop
	in, out int64
}

// stop is why an answer ended, whatever a dialect calls it.
type stop string

const (
	ended    stop = "the end"
	calls    stop = "calls of tools"
	long     stop = "its length"
	withheld stop = "withheld"
	declined stop = "declined" // before the model was asked
)

// kind is a sort of error, as a client tells them apart by its own types.
type kind string

const (
	strange   kind = "no error of the API"
	refused   kind = "refused by name" // the gateway has no words for it on the other side
	policy    kind = "declined by policy"
	tooOften  kind = "asked too often"
	otherwise kind = "an error of the API"
)

// uncarried are the words of every refusal for want of words.
const uncarried = "cannot be carried"

// kindOf tells the kind of an error of the API by what all dialects say.
func kindOf(status int, message string) kind {
	switch {
	case status == http.StatusTooManyRequests:
		return tooOften
	case strings.Contains(message, uncarried):
		return refused
	}
	return otherwise
}

// wire shows a key of the gateway and keeps what came back last.
type wire struct {
	url   string // of the gateway, without /v1
	key   string
	plain bool   // sends by HTTP what is meant for HTTPS
	talk  string // names the conversation; "": nobody does

	mu     sync.Mutex
	header http.Header
	status int
	tries  int
	said   bytes.Buffer
}

// pool keeps connections for cells side by side.
var pool = &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}

func newWire() *wire { return &wire{url: strings.TrimSuffix(h.Scenes.URL, "/v1"), key: h.Scenes.Key} }

func (w *wire) client() *http.Client { return &http.Client{Transport: w} }

// RoundTrip implements [http.RoundTripper].
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if w.plain {
		r.URL.Scheme = "http"
	}
	if w.talk != "" {
		r.Header.Set("Ringwall-Conversation", w.talk)
	}
	if r.Body != nil {
		// Amazon's client closes the body as soon as there is an answer, which is
		// sometimes before the transport is done with it and drops the connection.
		body, err := io.ReadAll(r.Body)
		if err = errors.Join(err, r.Body.Close()); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	resp, err := pool.RoundTrip(r)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tries++
	if err == nil {
		w.header, w.status = resp.Header, resp.StatusCode
		w.said.Reset()
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(resp.Body, w), resp.Body}
	}
	return resp, err
}

// Write keeps what a client reads.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said.Write(p)
}

// errRefused is the answer to what the other side has no word for.
var errRefused = errors.New("the gateway refuses it by name")

// cell is a dialect before a provider.
type cell struct {
	*dialect
	provider string
}

// of is the beginning of a scene.
func (c cell) of(scene string, stream bool) talk {
	t := talk{Asked: stage.Scenes[scene].Asked, model: c.provider + "-" + scene}
	if c.model != nil {
		t.model = c.model(c.provider, scene)
	}
	t.MaxTokens, t.Stream = stage.MaxTokens, stream
	t.Turns = slices.Clone(t.Turns)
	return t
}

// say puts words of the test's own into the user's mouth.
func (t talk) say(text string) talk {
	t.Turns = []stage.Turn{{Role: "user", Text: text}}
	return t
}

// hear asks, and tells a refusal by name from other errors.
func (c cell) hear(ctx context.Context, t talk) (heard, *wire, error) {
	w := newWire()
	w.talk = fmt.Sprintf("%s/%s/%v", c.name, t.model, t.Stream)
	got, err := c.ask(ctx, w, t)
	if err != nil && c.kind(err) == refused {
		err = errRefused
	}
	if bytes.Contains(w.said.Bytes(), []byte("own words")) {
		err = errors.Join(err, errors.New("the provider's own words reach the client"))
	}
	return got, w, err
}

func TestMatrix(t *testing.T) {
	results := map[string]string{} // yes, no, refused by DIALECT/PROVIDER/FEATURE
	var mu sync.Mutex
	t.Run("of", func(t *testing.T) {
		for _, d := range dialects {
			for _, p := range house.Providers {
				for _, f := range features {
					if d.without(f) {
						continue
					}
					id := d.name + "/" + p.Name + "/" + f.name
					t.Run(id, func(t *testing.T) {
						t.Parallel()
						err := f.test(t.Context(), cell{d, p.Name})
						gap := gaps[id]
						is := "yes"
						switch {
						case errors.Is(err, errRefused):
							is = "refused"
						case err != nil:
							is = "no"
							if gap == "" {
								t.Error(err)
							}
						}
						if gap != "" && is != "no" {
							t.Errorf("it is %s: it is a gap no more", is)
						}
						mu.Lock()
						defer mu.Unlock()
						results[id] = is
					})
				}
			}
		}
	})
	for _, complaint := range complaints(t) {
		t.Error(complaint)
	}
	all := 0
	for _, d := range dialects {
		for _, f := range features {
			if !d.without(f) {
				all += len(house.Providers)
			}
		}
	}
	if len(results) == all && !t.Failed() {
		comparePage(t, results)
	}
}

// without reports whether there is no such thing in the dialect.
func (d *dialect) without(f feature) bool {
	if d.only != "" || f.name == embedders.only {
		return d.only != f.name
	}
	return slices.Contains(strings.Split(d.lacks, ", "), f.name)
}

// complaints are what the providers were asked wrong.
func complaints(t *testing.T) (all []string) {
	t.Helper()
	if err := fromStage(t.Context(), "/complaints", &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// fromStage asks the stage itself.
func fromStage(ctx context.Context, path string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.Upstream+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(v)
}

// left waits until the provider of an endless answer to text was left.
func left(ctx context.Context, text string) error {
	var gone bool
	return fromStage(ctx, "/left/"+url.PathEscape(text), &gone)
}
