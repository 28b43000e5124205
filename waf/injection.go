package waf

import "github.com/corazawaf/libinjection-go"

// Kinds of injection.
const (
	KindSQL    = "sql-injection"
	KindScript = "cross-site-scripting"
)

// window is what is looked at in one piece: libinjection reads some 12 MB a second.
const window = 64 << 10

// Injection reports whether text holds code that breaks out of the value that it is
// given as: SQL or script, by libinjection, which reads it as a parser would and
// knows the shapes of attacks. It is meant for values (arguments of tools,
// parameters), not for prose. A text of more than 64 KiB is looked at in pieces that
// overlap. What makes the parser panic is taken for an injection.
func Injection(text string) (kind string, found bool) {
	if len(text) < 3 {
		return "", false
	}
	defer func() {
		if recover() != nil {
			kind, found = KindSQL, true
		}
	}()
	for {
		piece := text[:min(len(text), window)]
		if sql, _ := libinjection.IsSQLi(piece); sql {
			return KindSQL, true
		}
		if libinjection.IsXSS(piece) {
			return KindScript, true
		}
		if len(text) <= window {
			return "", false
		}
		text = text[window-1<<10:]
	}
}
