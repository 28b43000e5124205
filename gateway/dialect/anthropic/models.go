package anthropic

import "github.com/ringwall/ringwall/internal/jsonedit"

// AppendModels implements gateway.Lister: one page has all models. When they were
// made nobody says.
func (Messages) AppendModels(dst []byte, names []string) []byte {
	dst = append(dst, `{"data":[`...)
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"type":"model","id":`...)
		dst = jsonedit.AppendQuote(dst, name)
		dst = append(dst, `,"display_name":`...)
		dst = jsonedit.AppendQuote(dst, name)
		dst = append(dst, `,"created_at":"1970-01-01T00:00:00Z"}`...)
	}
	dst = append(dst, `],"has_more":false,"first_id":`...)
	if len(names) == 0 {
		return append(dst, `null,"last_id":null}`...)
	}
	dst = jsonedit.AppendQuote(dst, names[0])
	dst = append(dst, `,"last_id":`...)
	dst = jsonedit.AppendQuote(dst, names[len(names)-1])
	return append(dst, '}')
}
