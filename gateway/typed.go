package gateway

import "net/http"

// Typed is a Request that says itself in which media type it is answered, where
// its dialect knows several.
type Typed interface {
	ContentType(stream bool) string
}

// contentType is that of the answer to x.
func (x *exchange) contentType(stream bool) string {
	if t, ok := x.req.(Typed); ok {
		return t.ContentType(stream)
	}
	return x.d.ContentType(stream)
}

// Splitter is a Dialect whose route several dialects share.
type Splitter interface {
	// Split returns the one that a request speaks.
	Split(r *http.Request) Dialect
}

// spoken returns the dialect that a request to d's route speaks.
func spoken(d Dialect, r *http.Request) Dialect {
	if s, ok := d.(Splitter); ok {
		return s.Split(r)
	}
	return d
}
