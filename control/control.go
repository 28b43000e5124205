// Package control is the catalogue: every protection that the program claims,
// the layer it belongs to, the threats it answers, the packages that do it, how
// far it is, and the tests that prove it.
//
// Layers own controls; packages own mechanisms. A mechanism may serve three
// layers, a control belongs to one. The literal tables in layer1.go to
// layer5.go and workload.go are the table of contents of the program: the
// command line and the console show them, docs/controls.md is printed from
// them, and a test of the house fails when they claim what is not there.
//
// Findings, metrics and playbooks speak in the ids of this package, so an id
// never changes and is never used again for another thing. What the ids of
// threats mean stands in package threat.
//
// Start reading at [Control], then layer4.go.
package control

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Layer is one of the five layers of defence, or the workload that they stand
// around.
type Layer uint8

// Layers, outermost first. There is no layer zero.
const (
	Infrastructure Layer = 1 + iota
	Model
	Data
	Inference
	Runtime
	Workload // what is defended: its threats, and the example
)

type layerNames struct{ name, title string }

var layers = [...]layerNames{
	Infrastructure: {"infra", "infrastructure and network"},
	Model:          {"model", "model"},
	Data:           {"data", "data"},
	Inference:      {"inference", "application and inference"},
	Runtime:        {"runtime", "runtime"},
	Workload:       {"workload", "threats and the example"},
}

// Layers returns the layers, outermost first.
func Layers() []Layer {
	return []Layer{Infrastructure, Model, Data, Inference, Runtime, Workload}
}

func (l Layer) known() bool { return l >= Infrastructure && l <= Workload }

// String is the short name: for the five layers the first part of their
// controls' ids, such as "infra".
func (l Layer) String() string {
	if !l.known() {
		return fmt.Sprintf("unknown(%d)", uint8(l))
	}
	return layers[l].name
}

// Title is the name for people: "infrastructure and network".
func (l Layer) Title() string {
	if !l.known() {
		return l.String()
	}
	return layers[l].title
}

// MarshalText encodes l as its short name.
func (l Layer) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText accepts the short names of the layers.
func (l *Layer) UnmarshalText(b []byte) error {
	for _, x := range Layers() {
		if x.String() == string(b) {
			*l = x
			return nil
		}
	}
	return fmt.Errorf("unknown layer %q: want one of %v", b, Layers())
}

// State says how far a control is. The zero value claims nothing.
type State uint8

// States, least first.
const (
	Planned State = iota // nothing is claimed
	Partial              // what is there is proved; Missing says what is not
	Done                 // all that Does says is proved
)

var states = [...]string{Planned: "planned", Partial: "partial", Done: "done"}

func (s State) String() string {
	if int(s) >= len(states) {
		return fmt.Sprintf("unknown(%d)", uint8(s))
	}
	return states[s]
}

// MarshalText encodes s as its name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText accepts the names of the states.
func (s *State) UnmarshalText(b []byte) error {
	i := slices.Index(states[:], string(b))
	if i < 0 {
		return fmt.Errorf("unknown state %q: want one of %v", b, states)
	}
	*s = State(i)
	return nil
}

// Control is one protection that the program claims.
type Control struct {
	ID      string   `json:"id"`                // "inference/secret"; never changes
	Does    string   `json:"does"`              // what Ringwall does, one line, for people
	Asks    string   `json:"asks,omitempty"`    // what the AWS article builds it from; "" when it does not ask
	Rooms   []string `json:"rooms"`             // packages that do it, relative to the module root
	Threats []string `json:"threats"`           // ids in package threat that it answers
	State   State    `json:"state"`             // how far it is
	Proof   []string `json:"proof,omitempty"`   // tests that prove it: "guard/secret.TestDetector"
	Missing string   `json:"missing,omitempty"` // of a partial control: what is not there yet, one line
}

// Layer is the layer that c belongs to: zero for a control whose id is not of
// the catalogue's kind.
func (c Control) Layer() Layer {
	prefix, _, _ := strings.Cut(c.ID, "/")
	switch prefix {
	case "threat", "example":
		return Workload
	}
	for _, l := range Layers() {
		if l != Workload && l.String() == prefix {
			return l
		}
	}
	return 0
}

// clone keeps the tables from being changed through a caller's copy.
func (c Control) clone() Control {
	c.Rooms = slices.Clone(c.Rooms)
	c.Threats = slices.Clone(c.Threats)
	c.Proof = slices.Clone(c.Proof)
	return c
}

// table is the literal list of a layer; nil for a layer that does not exist.
func table(l Layer) []Control {
	switch l {
	case Infrastructure:
		return infrastructure
	case Model:
		return model
	case Data:
		return data
	case Inference:
		return inference
	case Runtime:
		return runtime
	case Workload:
		return workload
	}
	return nil
}

// Catalogue returns the controls of a layer in reading order, none for a layer
// that does not exist. The slice is the caller's own.
func Catalogue(l Layer) []Control {
	list := slices.Clone(table(l))
	for i := range list {
		list[i] = list[i].clone()
	}
	return list
}

// All returns every control, layer by layer. The slice is the caller's own.
func All() []Control {
	var list []Control
	for _, l := range Layers() {
		list = append(list, Catalogue(l)...)
	}
	return list
}

// Find returns the control with exactly this id. It is safe for concurrent use.
func Find(id string) (Control, bool) {
	c, ok := byID()[id]
	return c.clone(), ok
}

var byID = sync.OnceValue(func() map[string]Control {
	m := make(map[string]Control)
	for _, c := range All() {
		m[c.ID] = c
	}
	return m
})
