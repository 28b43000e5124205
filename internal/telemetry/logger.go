package telemetry

import (
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"time"
)

// Format is how log lines are written.
type Format string

// Formats.
const (
	JSON Format = "json" // the default
	Text Format = "text" // for people at a terminal
)

// NewLogger returns a logger that writes lines from level on to w. Level may
// change while the program runs (*slog.LevelVar).
//
// Should a line carry what no log may hold, the guard takes it out: an attribute
// named prompt, text, content, body, authorization, api_key or the like, in any
// case and with any dashes, is replaced by its length, and so is each member of
// a group of such a name; bytes are replaced by their number, and structs, maps
// and pointers by their type, for nobody can tell what is inside, unless they
// are errors or have a text form (encoding.TextMarshaler). The guard is the
// second lock: whoever logs must not try it. It does not look into messages.
func NewLogger(w io.Writer, level slog.Leveler, format Format) (*slog.Logger, error) {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: guard}
	switch format {
	case "", JSON:
		return slog.New(slog.NewJSONHandler(w, options)), nil
	case Text:
		return slog.New(slog.NewTextHandler(w, options)), nil
	}
	return nil, fmt.Errorf("making a logger: unknown format %q: want json or text", format)
}

// Took is the attribute [KeyDuration] of d.
func Took(d time.Duration) slog.Attr {
	return slog.Float64(KeyDuration, float64(d.Microseconds())/1000)
}

// unlogged are the names, in lower case without dashes, of what is never
// logged.
var unlogged = map[string]bool{
	"prompt": true, "prompts": true, "text": true, "content": true, "contents": true,
	"message": true, "messages": true, "completion": true, "answer": true,
	"input": true, "output": true, "arguments": true, "body": true,
	"requestbody": true, "responsebody": true, "authorization": true,
	"proxyauthorization": true, "apikey": true, "xapikey": true, "bearer": true,
	"token": true, "accesstoken": true, "secret": true, "password": true,
	"cookie": true, "setcookie": true, "header": true, "headers": true,
}

func guard(groups []string, a slog.Attr) slog.Attr {
	if isUnlogged(a.Key) {
		a.Value = length(a.Value)
		return a
	}
	if slices.ContainsFunc(groups, isUnlogged) {
		a.Value = length(a.Value)
		return a
	}
	if a.Value.Kind() != slog.KindAny {
		return a
	}
	switch v := a.Value.Any().(type) {
	case nil, []string, error, encoding.TextMarshaler:
	default:
		if k := reflect.TypeOf(v).Kind(); k > reflect.Complex128 && k != reflect.String {
			a.Value = length(a.Value)
		}
	}
	return a
}

// length stands for a value that is not logged.
func length(v slog.Value) slog.Value {
	n := 0
	switch x := v.Any().(type) {
	case string:
		n = len(x)
	case []byte:
		n = len(x)
	case json.RawMessage:
		n = len(x)
	default:
		return slog.StringValue(fmt.Sprintf("(%T, not logged)", x))
	}
	return slog.StringValue(fmt.Sprintf("(%d bytes, not logged)", n))
}

// isUnlogged compares without case and without what joins words. It runs for
// each attribute of each line, and allocates nothing.
func isUnlogged(name string) bool {
	var plain [24]byte
	n := 0
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '_' || c == '-' || c == '.' || c == ' ':
			continue
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		if n == len(plain) {
			return false
		}
		plain[n] = c
		n++
	}
	return unlogged[string(plain[:n])]
}
