package waf

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ringwall/ringwall/guard/normalize"
)

// What a body is too much of. Each is far beyond what people and programs send.
const (
	maxDepth = 128 // of nesting; the dialects read 64

	floodAtLeast = 1024 // characters that show nothing
	bombAtLeast  = 64 << 10
	block        = 8 << 10 // bytes of text that are weighed together
	fewShingles  = 20      // different pieces of four bytes in a block: a word or two, again and again; sentences are fillers

	maxMetadata = 64 << 10 // bytes of metadata that are read as text
)

// Body looks at the shape of a body: whether it is made to cost much, or hides
// instructions where no prompt is. Path is that of the address. It takes time that
// is linear in the body, and reads it as JSON without asking whether it is.
func (f *Firewall) Body(path string, body []byte) *Judgement {
	if f.Mode(Model) == Off || len(body) == 0 {
		return noJudgement
	}
	w := weigh(body)
	if w.depth <= maxDepth && !w.flood() && !w.bomb() && !w.instructs {
		return noJudgement
	}
	var matches []Match
	for _, rule := range [...]struct {
		id    string
		found bool
	}{{RuleNesting, w.depth > maxDepth}, {RuleFlood, w.flood()}, {RuleBomb, w.bomb()}, {RuleMetadata, w.instructs}} {
		if rule.found {
			matches = append(matches, f.hit(rule.id, "REQUEST_BODY"))
		}
	}
	f.excuse(matches, path)
	return f.judge(Model, matches, false)
}

// What is said of most requests, and where nobody looks.
var (
	noJudgement  = &Judgement{}
	offJudgement = &Judgement{Off: true}
)

// weight is what a body is made of.
type weight struct {
	depth     int  // of nesting, the deepest
	runes     int  // of texts
	unseen    int  // of them, that show nothing
	text      int  // bytes of texts that are no files
	monotone  int  // of them, in blocks that say one thing again and again
	instructs bool // metadata holds instructions

	shingles [4096 / 64]uint64 // of the block that is being weighed
	in       int               // bytes of it so far
	last     uint32            // four bytes before
}

func (w *weight) flood() bool { return w.unseen >= floodAtLeast && w.unseen > w.runes/2 }
func (w *weight) bomb() bool  { return w.monotone >= bombAtLeast && w.monotone > w.text/2 }

// files are keys whose values are files in base64: in them much may be the same.
var files = map[string]bool{"data": true, "bytes": true, "file_data": true, "images": true, "image": true, "b64_json": true, "blob": true, "signature": true, "encrypted_content": true}

// about are keys of what is kept about a request, and is no prompt.
var about = map[string]bool{"metadata": true, "requestMetadata": true, "labels": true, "user": true, "safety_identifier": true, "prompt_cache_key": true}

// weigh reads body once.
func weigh(body []byte) *weight {
	w := &weight{}
	depth, aside := 0, 0 // aside is the depth of what is kept about the request; 0: not in it
	var key []byte
	heavy := len(body) >= bombAtLeast
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '{', '[':
			depth++
			w.depth = max(w.depth, depth)
			if depth == 2 && aside == 0 && about[string(key)] {
				aside = depth
			}
		case '}', ']':
			if depth--; depth < aside {
				aside = 0
			}
		case '"':
			end := stringEnd(body, i+1)
			raw := body[i+1 : end]
			i = end
			if isKey(body, end+1) {
				key = raw
			}
			w.read(raw)
			if heavy && !files[string(key)] && !bytes.HasPrefix(raw, []byte("data:")) {
				w.weigh(raw)
			}
			if !w.instructs && (aside > 0 || depth == 1 && about[string(key)]) {
				w.instructs = instructs(text(raw))
			}
		}
	}
	return w
}

// stringEnd returns where the string ends that begins at i: at its quotation mark,
// or at the end of b.
func stringEnd(b []byte, i int) int {
	for {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return len(b)
		}
		end := i + n
		slashes := 0
		for slashes < n && b[end-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return end
		}
		i = end + 1
	}
}

// isKey reports whether a colon comes at i, behind space.
func isKey(b []byte, i int) bool {
	for ; i < len(b); i++ {
		switch b[i] {
		case ' ', '\t', '\r', '\n':
		case ':':
			return true
		default:
			return false
		}
	}
	return false
}

// read counts the characters of a string of JSON.
func (w *weight) read(raw []byte) {
	if bytes.IndexByte(raw, '\\') < 0 && ascii(raw) {
		w.runes += len(raw)
		return
	}
	for i := 0; i < len(raw); {
		c := raw[i]
		switch {
		case c == '\\' && i+1 < len(raw):
			r, n := escaped(raw[i:])
			i += n
			w.count(r)
		case c < utf8.RuneSelf:
			w.runes++
			i++
		default:
			r, n := utf8.DecodeRune(raw[i:])
			i += n
			w.count(r)
		}
	}
}

// ascii reports whether all of b is ASCII, eight bytes at a time.
func ascii(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&0x8080808080808080 != 0 {
			return false
		}
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (w *weight) count(r rune) {
	w.runes++
	if normalize.Ignorable(r) {
		w.unseen++
	}
}

// escaped reads the escape that b begins with: its character and its length.
func escaped(b []byte) (rune, int) {
	if b[1] != 'u' || len(b) < 6 {
		return ' ', 2
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	if err != nil {
		return ' ', 2
	}
	r := rune(n)
	if r >= 0xD800 && r < 0xDC00 && len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
		if low, err := strconv.ParseUint(string(b[8:12]), 16, 16); err == nil && low >= 0xDC00 && low < 0xE000 {
			return (r-0xD800)<<10 + rune(low) - 0xDC00 + 0x10000, 12
		}
	}
	return r, 6
}

// weigh adds a string to the block that is being weighed.
func (w *weight) weigh(raw []byte) {
	w.text += len(raw)
	for _, c := range raw {
		w.last = w.last<<8 | uint32(c)
		h := w.last * 0x9E3779B1 >> 20
		w.shingles[h/64] |= 1 << (h % 64)
		if w.in++; w.in == block {
			w.settle()
		}
	}
}

func (w *weight) settle() {
	n := 0
	for _, word := range w.shingles {
		n += bits.OnesCount64(word)
	}
	if n <= fewShingles {
		w.monotone += block
	}
	clear(w.shingles[:])
	w.in = 0
}

// text is a string of JSON as it is read, as far as it goes.
func text(raw []byte) string {
	raw = raw[:min(len(raw), maxMetadata)]
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw)
	}
	var b strings.Builder
	for i := 0; i < len(raw); {
		if raw[i] == '\\' && i+1 < len(raw) {
			r, n := escaped(raw[i:])
			b.WriteRune(r)
			i += n
			continue
		}
		b.WriteByte(raw[i])
		i++
	}
	return b.String()
}
