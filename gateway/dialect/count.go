package dialect

import (
	"fmt"
	"strconv"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// ReadTokens reads an answer that counts the tokens of a prompt, which are a member
// of it.
func ReadTokens(body []byte, member string) (*ringwall.Reply, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(body, AnswerLimits); err != nil {
		return nil, err
	}
	n, ok := doc.Root().Get(member).Int()
	if !ok {
		return nil, fmt.Errorf("it has no %s", member)
	}
	return &ringwall.Reply{Usage: ringwall.Usage{InputTokens: n}}, nil
}

// WriteTokens writes what ReadTokens reads.
func WriteTokens(r *ringwall.Reply, member string) []byte {
	b := append(jsonedit.AppendQuote([]byte{'{'}, member), ':')
	return append(strconv.AppendInt(b, r.Usage.InputTokens, 10), '}')
}

// Pick writes an object again with those members that keep names.
func Pick(v jsonedit.Value, keep func(key string) bool) []byte {
	out := []byte{'{'}
	for key, m := range v.Members() {
		if !keep(key) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(jsonedit.AppendQuote(out, key), ':')
		out = append(out, m.Raw()...)
	}
	return append(out, '}')
}

// PickIn is Pick for a document and a list.
func PickIn(body []byte, keys ...string) ([]byte, error) {
	var doc jsonedit.Doc
	if err := doc.Parse(body, AnswerLimits); err != nil {
		return nil, err
	}
	names := NameSet(keys...)
	return Pick(doc.Root(), func(key string) bool { return names[key] }), nil
}
