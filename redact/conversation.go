package redact

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"github.com/ringwall/ringwall"
)

// MaxID is the length in bytes of the longest id of a conversation.
const MaxID = 128

// ErrID says that an id of a conversation is none.
var ErrID = errors.New("redact: the id of a conversation is 1 to 128 visible ASCII characters")

// CheckID returns an error that wraps [ErrID] unless id is 1 to 128 visible
// ASCII characters.
func CheckID(id string) error {
	if len(id) == 0 || len(id) > MaxID {
		return ErrID
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return ErrID
		}
	}
	return nil
}

// Conversation says whose placeholders read alike: two exchanges of the same
// conversation give the same value the same placeholder. It is bound to the
// tenant, and nobody reaches another tenant's by any id. The zero Conversation
// is of one exchange alone.
type Conversation struct {
	bound []byte
}

// Named returns the conversation that the caller's application calls id. All
// principals of a tenant who name it share it; what they may read of each other
// is a Policy's business. Anonymous callers have conversations of their own:
// nobody who showed a key is in them.
func Named(p ringwall.Principal, id string) Conversation {
	if p.Trust == ringwall.Anonymous || p.ID == "" {
		return Conversation{bind("anonymous-named", p.Tenant, id)}
	}
	return Conversation{bind("named", p.Tenant, id)}
}

// Derived returns the conversation that begins with the given texts: a client
// that keeps nothing but its history sends them again with every turn. It is the
// caller's own.
func Derived(p ringwall.Principal, texts ...string) Conversation {
	kind := "derived"
	if p.Trust == ringwall.Anonymous || p.ID == "" {
		kind = "anonymous-derived"
	}
	return Conversation{bind(append([]string{kind, p.Tenant, p.ID}, texts...)...)}
}

// ID names the conversation; "" where the exchange is alone. Nothing that is said in it
// can be read from it.
func (c Conversation) ID() string { return hex.EncodeToString(c.bound) }

// alone returns a conversation that nobody finds again.
func alone() Conversation {
	var b [32]byte
	rand.Read(b[:])
	return Conversation{bind("alone", string(b[:]))}
}

// bind is one name for several parts: no two lists of parts have the same.
func bind(parts ...string) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}
