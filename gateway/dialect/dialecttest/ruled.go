package dialecttest

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/gateway"
)

// Lagging is a Channel that lets everything pass, some bytes late.
type Lagging struct {
	Lag       int
	held, out []byte
	settled   int
}

// Write implements gateway.Channel.
func (c *Lagging) Write(p []byte) []byte {
	c.held = append(c.held, p...)
	n := max(0, len(c.held)-c.Lag)
	for n > 0 && n < len(c.held) && c.held[n]&0xC0 == 0x80 {
		n--
	}
	c.out = append(c.out[:0], c.held[:n]...)
	c.held = append(c.held[:0], c.held[n:]...)
	c.settled += n
	return c.out
}

// Close implements gateway.Channel.
func (c *Lagging) Close(context.Context) []byte { return c.held }

// Blocked implements gateway.Channel.
func (c *Lagging) Blocked() bool { return false }

// Masked implements gateway.Channel.
func (c *Lagging) Masked() bool { return false }

// Settled implements gateway.Channel.
func (c *Lagging) Settled() int { return c.settled }

// Pieces cuts a text into pieces at random places, none of them inside a rune. There
// is at least one.
func Pieces(r *rand.Rand, s string) (out []string) {
	from := 0
	for i := range s {
		if i > from && r.IntN(4) == 0 {
			out, from = append(out, s[from:i]), i
		}
	}
	return append(out, s[from:])
}

// Rulings rules on calls by a seed: for the same calls always the same. Those that do
// not run leave a note that names them, or none.
func Rulings(seed uint64, calls []ringwall.ToolCall) (out []gateway.Ruling) {
	for _, c := range calls {
		h := fnv.New64a()
		h.Write([]byte(strconv.FormatUint(seed, 16) + c.ID + c.Name + c.Arguments))
		switch h.Sum64() >> 7 % 4 {
		case 0:
			out = append(out, gateway.Ruling{Runs: true})
		case 1:
			out = append(out, gateway.Ruling{Runs: true, Arguments: `{"masked":"` + c.ID + `"}`})
		case 2:
			out = append(out, gateway.Ruling{Note: "No \"" + strings.ToUpper(c.Name) + "\"."})
		default:
			out = append(out, gateway.Ruling{})
		}
	}
	return out
}
