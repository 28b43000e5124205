package audit

import (
	"errors"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/ringwall/ringwall"
)

// appendEvent appends e as JSON, byte for byte as encoding/json writes it with
// HTML escaping off and the time in UTC, but several times faster: this is on
// the way of every call. A test compares the two for every field of an Event.
//
// It differs in two things: a number that JSON has no form for becomes null,
// because a detector's NaN must not stop the record; and the text of a digest
// goes in only if keepText is set, whoever filled it.
func appendEvent(b []byte, e *ringwall.Event, keepText bool) ([]byte, error) {
	at := e.Time.UTC()
	if y := at.Year(); y < 0 || y > 9999 {
		return b, errors.New("the year of its time is not between 0 and 9999")
	}
	b = appendString(append(b, `{"id":`...), e.ID)
	b = appendString(append(b, `,"kind":`...), string(e.Kind))
	b = append(b, `,"time":"`...)
	b = at.AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","principal":`...)
	b = appendPrincipal(b, &e.Principal)
	b = appendOptional(b, `,"client":`, e.Client)
	b = appendOptional(b, `,"dialect":`, e.Dialect)
	b = appendOptional(b, `,"route":`, e.Route)
	b = appendOptional(b, `,"model":`, e.Model)
	b = appendOptional(b, `,"provider":`, e.Provider)
	b = appendOptional(b, `,"target":`, e.Target)
	b = appendList(b, `,"tries":`, e.Tries, appendTry)
	if e.Cached {
		b = append(b, `,"cached":true`...)
	}
	if e.Estimated {
		b = append(b, `,"estimated":true`...)
	}
	if e.Stream {
		b = append(b, `,"stream":true`...)
	}
	b = appendOptional(b, `,"guardrail":`, e.Guardrail)
	b = appendList(b, `,"policy":`, e.Policy, func(b []byte, s *string) []byte { return appendString(b, *s) })
	if e.Verdict != nil {
		b = appendVerdict(append(b, `,"verdict":`...), e.Verdict)
	}
	b = appendList(b, `,"findings":`, e.Findings, appendFinding)
	b = appendList(b, `,"looks":`, e.Looks, appendLook)
	b = appendList(b, `,"scores":`, e.Scores, appendScore)
	b = appendList(b, `,"texts":`, e.Texts, func(b []byte, d *ringwall.Digest) []byte {
		return appendDigest(b, d, keepText)
	})
	b = appendList(b, `,"tools":`, e.Tools, appendTool)
	if u := e.Usage; u != nil {
		b = strconv.AppendInt(append(b, `,"usage":{"input_tokens":`...), u.InputTokens, 10)
		b = strconv.AppendInt(append(b, `,"output_tokens":`...), u.OutputTokens, 10)
		b = appendCount(b, `,"cached_tokens":`, u.CachedTokens)
		b = appendCount(b, `,"caching_tokens":`, u.CachingTokens)
		b = appendCount(b, `,"reasoning_tokens":`, u.ReasoningTokens)
		b = append(b, '}')
	}
	if e.Status != 0 {
		b = strconv.AppendInt(append(b, `,"status":`...), int64(e.Status), 10)
	}
	if e.Duration != 0 {
		b = strconv.AppendInt(append(b, `,"duration":`...), int64(e.Duration), 10)
	}
	b = appendOptional(b, `,"outcome":`, string(e.Outcome))
	b = appendOptional(b, `,"detail":`, e.Detail)
	return append(b, '}'), nil
}

func appendPrincipal(b []byte, p *ringwall.Principal) []byte {
	b = append(b, '{')
	if p.ID != "" {
		b = append(appendString(append(b, `"id":`...), p.ID), ',')
	}
	if p.Tenant != "" {
		b = append(appendString(append(b, `"tenant":`...), p.Tenant), ',')
	}
	b = appendString(append(b, `"trust":`...), p.Trust.String())
	b = appendOptional(b, `,"via":`, p.Via)
	b = appendOptional(b, `,"key":`, p.Key)
	b = appendList(b, `,"roles":`, p.Roles, func(b []byte, s *string) []byte { return appendString(b, *s) })
	return append(b, '}')
}

func appendTry(b []byte, t *ringwall.Try) []byte {
	b = appendString(append(b, `{"provider":`...), t.Provider)
	b = appendOptional(b, `,"model":`, t.Model)
	b = appendString(append(b, `,"reason":`...), t.Reason)
	return append(b, '}')
}

func appendVerdict(b []byte, v *ringwall.Verdict) []byte {
	b = appendString(append(b, `{"action":`...), v.Action.String())
	b = appendList(b, `,"reasons":`, v.Reasons, func(b []byte, s *string) []byte { return appendString(b, *s) })
	return append(b, '}')
}

func appendFinding(b []byte, f *ringwall.Finding) []byte {
	b = appendString(append(b, `{"control":`...), f.Control)
	b = appendString(append(b, `,"reason":`...), f.Reason)
	b = appendString(append(b, `,"severity":`...), f.Severity.String())
	b = appendFloat(append(b, `,"score":`...), f.Score)
	b = strconv.AppendInt(append(b, `,"where":{"start":`...), int64(f.Where.Start), 10)
	b = strconv.AppendInt(append(b, `,"end":`...), int64(f.Where.End), 10)
	b = append(b, '}')
	b = appendOptional(b, `,"path":`, f.Path)
	b = appendOptional(b, `,"via":`, f.Via)
	b = appendOptional(b, `,"shadow":`, f.Shadow)
	b = appendOptional(b, `,"excepted":`, f.Excepted)
	b = appendOptional(b, `,"guardrail":`, f.Guardrail)
	return append(b, '}')
}

func appendLook(b []byte, l *ringwall.Look) []byte {
	b = appendString(append(b, `{"control":`...), l.Control)
	b = appendOptional(b, `,"by":`, l.By)
	b = appendString(append(b, `,"direction":`...), l.Way.String())
	b = appendString(append(b, `,"state":`...), string(l.State))
	b = appendOptional(b, `,"why":`, l.Why)
	b = appendOptional(b, `,"guardrail":`, l.Guardrail)
	return append(b, '}')
}

func appendScore(b []byte, s *ringwall.Score) []byte {
	b = appendString(append(b, `{"name":`...), s.Name)
	b = appendString(append(b, `,"direction":`...), s.Way.String())
	b = appendFloat(append(b, `,"score":`...), s.Value)
	return append(b, '}')
}

func appendTool(b []byte, t *ringwall.ToolUse) []byte {
	b = append(b, '{')
	if t.ID != "" {
		b = append(appendString(append(b, `"id":`...), t.ID), ',')
	}
	b = appendString(append(b, `"tool":`...), t.Tool)
	b = appendString(append(b, `,"effect":`...), t.Effect)
	b = appendString(append(b, `,"decision":`...), t.Decision.String())
	b = appendOptional(b, `,"rule":`, t.Rule)
	b = appendList(b, `,"also":`, t.Also, func(b []byte, s *string) []byte { return appendString(b, *s) })
	b = appendOptional(b, `,"approval":`, t.Approval)
	b = appendString(append(b, `,"digest":`...), t.Digest)
	b = appendList(b, `,"arguments":`, t.Arguments, appendArgument)
	return append(b, '}')
}

func appendArgument(b []byte, a *ringwall.ArgumentUse) []byte {
	b = appendString(append(b, `{"path":`...), a.Path)
	if a.Sensitive {
		b = append(b, `,"sensitive":true`...)
	}
	b = appendString(append(b, `,"source":`...), a.Source.String())
	b = appendOptional(b, `,"from":`, a.From)
	b = appendOptional(b, `,"how":`, a.How)
	return append(b, '}')
}

func appendDigest(b []byte, d *ringwall.Digest, keepText bool) []byte {
	b = appendString(append(b, `{"path":`...), d.Path)
	b = appendString(append(b, `,"direction":`...), d.Way.String())
	b = appendString(append(b, `,"origin":`...), d.Origin.String())
	b = strconv.AppendInt(append(b, `,"length":`...), int64(d.Length), 10)
	b = appendString(append(b, `,"hash":`...), d.Hash)
	if keepText {
		b = appendOptional(b, `,"text":`, d.Text)
	}
	return append(b, '}')
}

// appendOptional appends a member unless it is empty.
func appendOptional(b []byte, key, value string) []byte {
	if value == "" {
		return b
	}
	return appendString(append(b, key...), value)
}

// appendCount appends a member unless it is zero.
func appendCount(b []byte, key string, n int64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(append(b, key...), n, 10)
}

// appendList appends a member that is a list, unless it is empty.
func appendList[T any](b []byte, key string, list []T, item func([]byte, *T) []byte) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(append(b, key...), '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = item(b, &list[i])
	}
	return append(b, ']')
}

// appendFloat writes numbers as ECMAScript does, which encoding/json follows.
func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, "null"...)
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	b = strconv.AppendFloat(b, f, format, -1, 64)
	// e-09 is written e-9.
	if n := len(b); format == 'e' && n >= 4 && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' {
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

const hexDigits = "0123456789abcdef"

// appendString appends s in quotes. Bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0 // of what is still to be copied as it is
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			b = appendEscaped(b, c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(append(b, s[start:i]...), `\ufffd`...)
			start = i + size
		case r == '\u2028' || r == '\u2029': // ends of lines to JavaScript
			b = append(append(b, s[start:i]...), `\u202`...)
			b = append(b, hexDigits[r&0xF])
			start = i + size
		}
		i += size
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

func appendEscaped(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	return append(b, `\u00`+string([]byte{hexDigits[c>>4], hexDigits[c&0xF]})...)
}
