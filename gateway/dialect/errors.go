package dialect

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// Invalid refuses a request for what stands at v.
func Invalid(src []byte, v jsonedit.Value, path, format string, args ...any) *ringwall.Refusal {
	what := fmt.Sprintf(format, args...)
	where := ""
	if v.Exists() {
		start, _ := v.Span()
		line, col := 1, start+1
		for i, c := range src[:start] {
			if c == '\n' {
				line, col = line+1, start-i
			}
		}
		where = fmt.Sprintf(" at line %d, column %d", line, col)
	}
	if path != "" {
		what = path + ": " + what
	}
	return &ringwall.Refusal{
		Status: http.StatusBadRequest, Code: "invalid_request",
		Public: "The request cannot be read: " + what + where + ".",
		Err:    errors.New(what + where),
	}
}

// Unparsed refuses a request that is not JSON as everybody reads it.
func Unparsed(err error) *ringwall.Refusal {
	r := &ringwall.Refusal{
		Status: http.StatusBadRequest, Code: "invalid_json",
		Public: "The request body is refused: " + err.Error() + ".", Err: err,
	}
	if errors.Is(err, jsonedit.ErrTooLarge) {
		r.Status, r.Code = http.StatusRequestEntityTooLarge, "request_too_large"
	}
	return r
}
