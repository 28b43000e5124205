package redact

import (
	"fmt"
	"time"

	"github.com/ringwall/ringwall"
)

// Right says who may do something: callers of a trust and above. The zero Right
// is nobody's.
type Right struct{ atLeast uint8 } // trust + 1; 0: nobody

// Nobody is the zero Right.
var Nobody = Right{}

// From returns the Right of callers of trust t and above.
func From(t ringwall.Trust) Right { return Right{uint8(t) + 1} }

// Allows reports whether a caller of trust t has the right.
func (r Right) Allows(t ringwall.Trust) bool { return r.atLeast > 0 && uint8(t)+1 >= r.atLeast }

const nobody = "nobody"

// String returns the least trust that has the right, or "nobody".
func (r Right) String() string {
	if r.atLeast == 0 {
		return nobody
	}
	return ringwall.Trust(r.atLeast - 1).String()
}

// MarshalText implements encoding.TextMarshaler.
func (r Right) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText accepts "nobody" and the levels of trust.
func (r *Right) UnmarshalText(b []byte) error {
	*r = Right{}
	if string(b) == nobody {
		return nil
	}
	var t ringwall.Trust
	if t.UnmarshalText(b) != nil {
		return fmt.Errorf("want nobody, or the least trust that may: anonymous, verified, customer, staff or operator")
	}
	*r = From(t)
	return nil
}

// Policy says what is kept and who may read it. Its zero value keeps values for
// a day and gives them to nobody.
type Policy struct {
	TTL time.Duration // for how long a value is kept after it was last sent; default 24h
	// Own is who may read back what they sent themselves, in this exchange or an
	// earlier one of the conversation.
	Own Right
	// Others is who may read what other principals of the tenant sent in the same
	// conversation.
	Others Right
	// Tools puts values into the arguments of tool calls, too.
	Tools bool
}

// DefaultTTL is for how long a value is kept where a Policy says nothing.
const DefaultTTL = 24 * time.Hour

func (p Policy) ttl() time.Duration {
	if p.TTL <= 0 {
		return DefaultTTL
	}
	return p.TTL
}
