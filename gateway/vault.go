package gateway

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/guard/stream"
)

// vault remembers, for one exchange, what the placeholders in its request stand
// for, so that the answer can give the caller's own words back. It is forgotten
// with the exchange.
type vault struct {
	key     []byte
	values  map[string]string // by placeholder
	longest int
}

// token makes the placeholder of a masked text: its kind, and a keyed hash of
// what it stands for, so that equal values read alike and nothing can be
// computed back. "{EMAIL_4f2a91c0}".
func (v *vault) token(f ringwall.Finding, text []byte) string {
	if v.key == nil {
		v.key = make([]byte, 16)
		rand.Read(v.key)
		v.values = map[string]string{}
	}
	mac := hmac.New(sha256.New, v.key)
	mac.Write([]byte(f.Reason))
	mac.Write([]byte{0})
	mac.Write(text)
	kind, sum := stream.Token(f.Reason), mac.Sum(nil)
	for n := 4; ; n *= 2 { // longer where two values would read alike
		p := kind[:len(kind)-1] + "_" + hex.EncodeToString(sum[:n]) + "}"
		if other, taken := v.values[p]; taken && other != string(text) && n < len(sum) {
			continue
		}
		v.values[p] = string(text)
		v.longest = max(v.longest, len(p))
		return p
	}
}

func (v *vault) empty() bool { return len(v.values) == 0 }

// restore puts the values back into a whole text.
func (v *vault) restore(s string) string {
	r := v.restorer()
	return string(r.write([]byte(s), true))
}

// restoreAll puts the values back into the texts of an answer, changed or not.
func (v *vault) restoreAll(texts []ringwall.Text, changed []guard.Changed) []guard.Changed {
	if v.empty() {
		return changed
	}
	var out []guard.Changed
	for i, t := range texts {
		now := t.Value
		if len(changed) > 0 && changed[0].Index == i {
			now, changed = changed[0].Value, changed[1:]
		}
		if back := v.restore(now); back != t.Value {
			out = append(out, guard.Changed{Index: i, Value: back})
		}
	}
	return out
}

// restorer puts the values back into a text that is still coming. Only the
// beginning of a placeholder that there is waits for its rest.
type restorer struct {
	v        *vault
	kept     []byte
	restored bool
}

func (v *vault) restorer() *restorer { return &restorer{v: v} }

func (r *restorer) write(p []byte, final bool) []byte {
	r.kept = append(r.kept, p...)
	var out []byte
	for {
		i := bytes.IndexByte(r.kept, '{')
		if i < 0 {
			out = append(out, r.kept...)
			r.kept = r.kept[:0]
			return out
		}
		out = append(out, r.kept[:i]...)
		r.kept = slices.Delete(r.kept, 0, i)
		end := bytes.IndexByte(r.kept[:min(len(r.kept), r.v.longest)], '}')
		if end < 0 {
			if !final && r.begins() {
				return out
			}
			out = append(out, '{')
			r.kept = slices.Delete(r.kept, 0, 1)
			continue
		}
		if value, ok := r.v.values[string(r.kept[:end+1])]; ok {
			out = append(out, value...)
			r.kept = slices.Delete(r.kept, 0, end+1)
			r.restored = true
			continue
		}
		out = append(out, '{')
		r.kept = slices.Delete(r.kept, 0, 1)
	}
}

// begins reports whether a placeholder begins with all that was kept.
func (r *restorer) begins() bool {
	kept := string(r.kept)
	for p := range r.v.values {
		if strings.HasPrefix(p, kept) {
			return true
		}
	}
	return false
}
