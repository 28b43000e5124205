package builtin_test

import (
	"testing"

	"github.com/ringwall/ringwall/builtin"
	"github.com/ringwall/ringwall/control"
	"github.com/ringwall/ringwall/guard/guardrail"
)

// A detector must serve a control that the catalogue claims, and be makeable
// without options.
func TestDetectorsAreInTheCatalogue(t *testing.T) {
	spec := guardrail.Default()
	spec.Topic.Topics = []guardrail.Denied{{Name: "politics", Definition: "Elections and parties."}}
	spec.Grounding.Grounding = 0.5
	for id, make := range builtin.Detectors {
		if c, ok := control.Find(id); !ok || c.State == control.Planned {
			t.Errorf("control %s has a detector: %v, %v", id, ok, c.State)
		}
		if d, err := make(&spec); err != nil || d == nil {
			t.Errorf("detector %s: %v", id, err)
		}
	}
	for id, make := range builtin.Scanners {
		c, ok := control.Find(id)
		if !ok {
			t.Errorf("detector %s is in no layer of the catalogue", id)
		}
		if c.State == control.Planned {
			t.Errorf("control %s has a detector, but the catalogue says planned", id)
		}
		if s, err := make(&spec); err != nil || len(s) == 0 {
			t.Errorf("detector %s: %v", id, err)
		}
	}
}
