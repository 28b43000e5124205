package provenance

import (
	"strconv"

	"github.com/ringwall/ringwall"
)

// How says as what a value was found.
type How string

// As what, the plainest first.
const (
	HowNone     How = ""
	HowVerbatim How = "verbatim" // byte by byte
	HowFolded   How = "folded"   // in other case, white space, quotes, or another spelling of the same address
	HowNumber   How = "number"   // by value: 1,000.50 for 1000.5, "two hundred" for 200
	HowDate     How = "date"     // by value: May 26th for 2024-05-26, 5pm for 17:00
	HowParts    How = "parts"    // put together of what stands in several places
	HowDecoded  How = "decoded"  // it is an encoding of what stands there; never trusted
)

// Origin is where a value comes from. The zero Origin is that of a value that is in no
// text of the conversation.
type Origin struct {
	// Source is the most trusted source that has the value whole.
	Source ringwall.Source
	Turn   int    // index of the turn; -1: the operator's instructions
	Tool   string // whose output has it; "" for a text that is no output
	Path   string // JSON pointer to the field of the output that has it; "" for all of it
	How    How
	// Confirmed says that the assistant, in a turn that passed, asked about the value,
	// and the person answered yes, and nothing else, in the next. It does not raise
	// Source: whoever decides may count it.
	Confirmed bool
}

// From says where the value was found in words for a record: "turn 3, search_emails".
// It is "" for a value that was found nowhere.
func (o Origin) From() string {
	switch {
	case o.How == HowNone:
		return ""
	case o.Turn < 0:
		return "instructions"
	case o.Tool != "":
		return "turn " + strconv.Itoa(o.Turn) + ", " + o.Tool
	}
	return "turn " + strconv.Itoa(o.Turn)
}
