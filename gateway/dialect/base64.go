package dialect

import (
	"strings"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

// IsBase64 reports whether the string v holds nothing that is not of base64, in
// either alphabet (RFC 4648 §4, §5): what does is no text that anybody reads.
func IsBase64(v jsonedit.Value) bool {
	literal := v.Raw()
	for _, c := range literal[1 : len(literal)-1] {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("+/-_=", c) >= 0:
		default:
			return false
		}
	}
	return true
}
