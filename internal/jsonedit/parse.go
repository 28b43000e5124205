package jsonedit

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// Limits bound a parse. Zero fields mean the defaults.
type Limits struct {
	Bytes    int  // of the document; default 16 MiB, at most 1 GiB
	Depth    int  // of nesting; default 64
	AllowNUL bool // accept \u0000 in strings, for documents that are not a client's
}

const (
	defaultBytes = 16 << 20
	maxBytes     = 1 << 30 // offsets are 32 bit
	defaultDepth = 64
	fewKeys      = 32 // up to here comparing keys is cheaper than a set
)

// Conditions of a refused document, for errors.Is.
var (
	ErrSyntax       = errors.New("not valid JSON")
	ErrTooLarge     = errors.New("document too large")
	ErrTooDeep      = errors.New("nested too deeply")
	ErrDuplicateKey = errors.New("duplicate key")
	ErrEncoding     = errors.New("invalid UTF-8")
	ErrSurrogate    = errors.New("lone surrogate")
	ErrNUL          = errors.New("NUL character")
)

// SyntaxError says where and why a document was refused.
type SyntaxError struct {
	Offset    int // byte, from 0
	Line, Col int // from 1; Col counts bytes
	What      string
	Err       error // one of the conditions above
}

func (e *SyntaxError) Error() string {
	s := fmt.Sprintf("line %d, column %d (byte %d): %v", e.Line, e.Col, e.Offset, e.Err)
	if e.What != "" {
		s += ": " + e.What
	}
	return s
}

func (e *SyntaxError) Unwrap() error { return e.Err }

// Parse reads src into d, which forgets what it held. The error is a
// *SyntaxError. d aliases src from then on.
func (d *Doc) Parse(src []byte, lim Limits) error {
	if lim.Bytes <= 0 {
		lim.Bytes = defaultBytes
	}
	lim.Bytes = min(lim.Bytes, maxBytes)
	if lim.Depth <= 0 {
		lim.Depth = defaultDepth
	}
	if d.nodes == nil { // once, and not by doubling
		d.nodes = make([]node, 0, min(16+len(src)/64, 128))
	}
	d.src, d.nodes, d.lim, d.at = src, d.nodes[:0], lim, 0
	clear(d.seen)
	if len(src) > lim.Bytes {
		d.nodes = d.nodes[:0]
		return &SyntaxError{Line: 1, Col: 1, Err: ErrTooLarge, What: fmt.Sprintf("%d bytes, at most %d are read", len(src), lim.Bytes)}
	}
	err := d.value(0, node{})
	if err == nil {
		if d.space(); d.at < len(src) {
			err = d.refuse(d.at, ErrSyntax, "more data behind the document")
		}
	}
	if err != nil {
		d.nodes = d.nodes[:0]
		return err
	}
	return nil
}

func (d *Doc) refuse(at int, err error, what string) error {
	head := d.src[:min(at, len(d.src))]
	return &SyntaxError{
		Offset: at,
		Line:   1 + bytes.Count(head, []byte{'\n'}),
		Col:    at - bytes.LastIndexByte(head, '\n'),
		What:   what, Err: err,
	}
}

func (d *Doc) space() {
	for d.at < len(d.src) {
		switch d.src[d.at] {
		case ' ', '\t', '\n', '\r':
			d.at++
		default:
			return
		}
	}
}

// value parses one value; n carries its key.
func (d *Doc) value(depth int, n node) error {
	d.space()
	if d.at >= len(d.src) {
		return d.refuse(d.at, ErrSyntax, "the document ends where a value should stand")
	}
	n.start = int32(d.at)
	i := len(d.nodes)
	switch c := d.src[d.at]; {
	case c == '"':
		n.kind = String
		_, end, escaped, err := d.str()
		if err != nil {
			return err
		}
		n.escaped, n.end = escaped, int32(end+1)
		d.nodes = append(d.nodes, n)
		return nil
	case c == '{' || c == '[':
		if depth >= d.lim.Depth {
			return d.refuse(d.at, ErrTooDeep, fmt.Sprintf("at most %d levels are read", d.lim.Depth))
		}
		n.kind = Object
		if c == '[' {
			n.kind = Array
		}
		d.nodes = append(d.nodes, n)
		d.at++
		if err := d.children(i, depth, c == '{'); err != nil {
			return err
		}
		d.nodes[i].end = int32(d.at)
		return nil
	case c == '-' || '0' <= c && c <= '9':
		n.kind = Number
		if err := d.number(); err != nil {
			return err
		}
	default:
		word, kind := "", Missing
		switch c {
		case 't':
			word, kind = "true", Bool
		case 'f':
			word, kind = "false", Bool
		case 'n':
			word, kind = "null", Null
		}
		if kind == Missing || !bytes.HasPrefix(d.src[d.at:], []byte(word)) {
			return d.refuse(d.at, ErrSyntax, "no value begins so")
		}
		n.kind = kind
		d.at += len(word)
	}
	n.end = int32(d.at)
	d.nodes = append(d.nodes, n)
	return nil
}

// children parses what stands between the brackets of node i and behind them.
func (d *Doc) children(i, depth int, keyed bool) error {
	closing := byte(']')
	if keyed {
		closing = '}'
	}
	last, count := int32(0), 0
	for {
		d.space()
		if d.at >= len(d.src) {
			return d.refuse(d.at, ErrSyntax, "the document ends inside "+d.nodes[i].kind.String())
		}
		if d.src[d.at] == closing && count == 0 {
			d.at++
			return nil
		}
		var n node
		if keyed {
			if d.src[d.at] != '"' {
				return d.refuse(d.at, ErrSyntax, "a key in quotes should stand here")
			}
			start, end, escaped, err := d.str()
			if err != nil {
				return err
			}
			n.keyStart, n.keyEnd, n.keyEscaped = int32(start), int32(end), escaped
			if d.duplicate(i, count, n) {
				return d.refuse(start-1, ErrDuplicateKey, fmt.Sprintf("%.64q stands twice in one object; readers differ on which one counts", unquote(d.src[start:end], escaped)))
			}
			if d.space(); d.at >= len(d.src) || d.src[d.at] != ':' {
				return d.refuse(d.at, ErrSyntax, "a colon should stand behind the key")
			}
			d.at++
		}
		child := int32(len(d.nodes))
		if err := d.value(depth+1, n); err != nil {
			return err
		}
		if count == 0 {
			d.nodes[i].full = true
		} else {
			d.nodes[last].next = child
		}
		last = child
		count++
		d.space()
		if d.at >= len(d.src) {
			return d.refuse(d.at, ErrSyntax, "the document ends inside "+d.nodes[i].kind.String())
		}
		switch d.src[d.at] {
		case closing:
			d.at++
			return nil
		case ',':
			d.at++
			if d.space(); d.at < len(d.src) && d.src[d.at] == closing {
				return d.refuse(d.at, ErrSyntax, "nothing stands behind the comma")
			}
		default:
			return d.refuse(d.at, ErrSyntax, "a comma or a closing bracket should stand here")
		}
	}
}

// duplicate reports whether the object at node i has a member with n's key
// among its count members.
func (d *Doc) duplicate(i, count int, n node) bool {
	if count < fewKeys {
		for m, left := i+1, count; left > 0; left-- {
			if d.sameKey(&d.nodes[m], &n) {
				return true
			}
			m = int(d.nodes[m].next)
		}
		return false
	}
	// A large object: hash each key together with its object, so that one set
	// serves the whole document.
	if d.seen == nil {
		d.seen = map[keyIn]struct{}{}
	}
	if count == fewKeys {
		for m, left := i+1, count; left > 0; left-- {
			d.seen[d.keyOf(i, &d.nodes[m])] = struct{}{}
			m = int(d.nodes[m].next)
		}
	}
	key := d.keyOf(i, &n)
	if _, ok := d.seen[key]; ok {
		return true
	}
	d.seen[key] = struct{}{}
	return false
}

func (d *Doc) sameKey(a, b *node) bool {
	ka, kb := d.src[a.keyStart:a.keyEnd], d.src[b.keyStart:b.keyEnd]
	if !a.keyEscaped && !b.keyEscaped {
		return bytes.Equal(ka, kb)
	}
	return unquote(ka, a.keyEscaped) == unquote(kb, b.keyEscaped)
}

func (d *Doc) keyOf(object int, n *node) keyIn {
	return keyIn{object, unquote(d.src[n.keyStart:n.keyEnd], n.keyEscaped)}
}

// plain are the bytes of a string that mean themselves and stand alone.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// str parses the string at d.at; start and end are those of its inside.
func (d *Doc) str() (start, end int, escaped bool, err error) {
	src, i := d.src, d.at+1
	start = i
	for {
		for i < len(src) && plain[src[i]] {
			i++
		}
		if i >= len(src) {
			return 0, 0, false, d.refuse(start-1, ErrSyntax, "the string is not closed")
		}
		switch c := src[i]; {
		case c == '"':
			d.at = i + 1
			return start, i, escaped, nil
		case c == '\\':
			escaped = true
			if i, err = d.escape(i); err != nil {
				return 0, 0, false, err
			}
		case c == 0:
			return 0, 0, false, d.refuse(i, ErrNUL, "a raw NUL byte stands in a string")
		case c < 0x20:
			return 0, 0, false, d.refuse(i, ErrSyntax, fmt.Sprintf("the control character %#02x must be escaped", c))
		default:
			r, w := utf8.DecodeRune(src[i:])
			if r == utf8.RuneError && w <= 1 {
				return 0, 0, false, d.refuse(i, ErrEncoding, fmt.Sprintf("the byte %#02x belongs to no character", c))
			}
			i += w
		}
	}
}

// escape checks the escape at i and returns the offset behind it.
func (d *Doc) escape(i int) (int, error) {
	src := d.src
	if i+1 >= len(src) {
		return 0, d.refuse(i, ErrSyntax, "the string is not closed")
	}
	switch src[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, nil
	case 'u':
		u := hex4(src[i+2:])
		switch {
		case u < 0:
			return 0, d.refuse(i, ErrSyntax, "four hexadecimal digits should stand behind \\u")
		case u == 0 && !d.lim.AllowNUL:
			return 0, d.refuse(i, ErrNUL, "\\u0000 stands in a string")
		case u >= 0xDC00 && u < 0xE000:
			return 0, d.refuse(i, ErrSurrogate, "a low surrogate without its high one")
		case u >= 0xD800 && u < 0xDC00:
			if !bytes.HasPrefix(src[i+6:], []byte(`\u`)) {
				return 0, d.refuse(i, ErrSurrogate, "a high surrogate without its low one")
			}
			if low := hex4(src[i+8:]); low < 0xDC00 || low >= 0xE000 {
				return 0, d.refuse(i, ErrSurrogate, "a high surrogate without its low one")
			}
			return i + 12, nil
		}
		return i + 6, nil
	}
	return 0, d.refuse(i, ErrSyntax, "no escape begins so")
}

// hex4 returns the value of the four hexadecimal digits at the start of b, or -1.
func hex4(b []byte) rune {
	if len(b) < 4 {
		return -1
	}
	var u rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		u = u<<4 | rune(c)
	}
	return u
}

func (d *Doc) number() error {
	start := d.at
	digits := func() bool {
		from := d.at
		for d.at < len(d.src) && '0' <= d.src[d.at] && d.src[d.at] <= '9' {
			d.at++
		}
		return d.at > from
	}
	peek := func(cs string) bool {
		if d.at < len(d.src) && bytes.IndexByte([]byte(cs), d.src[d.at]) >= 0 {
			d.at++
			return true
		}
		return false
	}
	peek("-")
	ok := peek("0") || digits()
	if ok && peek(".") {
		ok = digits()
	}
	if ok && peek("eE") {
		peek("+-")
		ok = digits()
	}
	if !ok {
		return d.refuse(start, ErrSyntax, "this is not a number")
	}
	return nil
}

func atoi(b []byte) (int64, bool) {
	neg := false
	if len(b) > 0 && b[0] == '-' {
		neg, b = true, b[1:]
	}
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' || n > (math.MaxInt64-9)/10 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if neg {
		n = -n
	}
	return n, len(b) > 0
}
