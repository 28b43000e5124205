package server

import (
	"bytes"
	"net/http"
	"sync"
	"time"
)

// seldom answers with what h said, made anew not more often than a few times a second:
// what nobody needs a key for and costs milliseconds must not be a way to keep us busy.
// Who reads slowly holds a copy, and not h.
func seldom(h http.HandlerFunc) http.Handler { return &often{h: h, tokens: oftenAtOnce} }

const (
	oftenAtOnce = 20                     // times that h is asked without a pause
	oftenEach   = 100 * time.Millisecond // for one more
	oftenOld    = time.Second            // an answer is never older
	oftenKinds  = 4                      // of answers, by what a client accepts
)

type often struct {
	h http.HandlerFunc

	mu     sync.Mutex // one at a time
	tokens float64
	filled time.Time
	kinds  map[[2]string]*said
}

// said is an answer.
type said struct {
	header http.Header
	at     time.Time
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (s *said) Header() http.Header { return s.header }

// WriteHeader implements http.ResponseWriter.
func (s *said) WriteHeader(status int) { s.status = status }

// Write implements http.ResponseWriter.
func (s *said) Write(b []byte) (int, error) { return s.body.Write(b) }

// ServeHTTP implements http.Handler.
func (o *often) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := o.say(r)
	for name, values := range s.header {
		w.Header()[name] = values
	}
	w.WriteHeader(s.status)
	_, _ = w.Write(s.body.Bytes()) // who does not read it misses nothing
}

func (o *often) say(r *http.Request) *said {
	kind := [2]string{r.Header.Get("Accept"), r.Header.Get("Accept-Encoding")}
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	o.tokens = min(oftenAtOnce, o.tokens+float64(now.Sub(o.filled))/float64(oftenEach))
	o.filled = now
	last := o.kinds[kind]
	switch {
	case o.tokens >= 1:
		o.tokens--
	case last != nil && now.Sub(last.at) < oftenOld:
		return last
	case last == nil && len(o.kinds) >= oftenKinds:
		return &said{status: http.StatusServiceUnavailable, header: http.Header{"Retry-After": {"1"}}}
	}
	s := &said{at: now, header: http.Header{}, status: http.StatusOK}
	o.h(s, r)
	if o.kinds == nil || o.kinds[kind] == nil && len(o.kinds) >= oftenKinds {
		o.kinds = map[[2]string]*said{}
	}
	o.kinds[kind] = s
	return s
}
