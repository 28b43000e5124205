package gateway

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

// Lister is a Dialect that lists models in a way of its own.
type Lister interface {
	// AppendModels appends the list of the models of those names to dst.
	AppendModels(dst []byte, names []string) []byte
}
