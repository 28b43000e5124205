package control_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/control"
)

func TestEveryControlIsWhole(t *testing.T) {
	id := regexp.MustCompile(`^[a-z]+/[a-z]+(-[a-z]+)*$`)
	seen := map[string]bool{}
	for _, c := range control.All() {
		if !id.MatchString(c.ID) {
			t.Errorf("%q is not an id: want layer/lower-kebab-case", c.ID)
		}
		if seen[c.ID] {
			t.Errorf("%s stands twice: an id is one control's for ever", c.ID)
		}
		seen[c.ID] = true
		if len(c.Rooms) == 0 {
			t.Errorf("%s names no room: say which package does it, or will", c.ID)
		}
		if c.Does == "" || len(c.Does) > 180 || strings.ContainsAny(c.Does, "\n|") || strings.HasSuffix(c.Does, ".") {
			t.Errorf("%s: Does is %q: want one line of at most 180 bytes for people, without a full stop", c.ID, c.Does)
		}
		if strings.ContainsAny(c.Missing, "\n|") || strings.HasSuffix(c.Missing, ".") {
			t.Errorf("%s: Missing is %q: want one line without a full stop", c.ID, c.Missing)
		}
		for what, list := range map[string][]string{"room": c.Rooms, "threat": c.Threats, "proof": c.Proof} {
			sorted := slices.Sorted(slices.Values(list))
			if len(slices.Compact(sorted)) != len(list) {
				t.Errorf("%s names a %s twice: %v", c.ID, what, list)
			}
		}
		got, ok := control.Find(c.ID)
		if !ok || got.ID != c.ID || got.Does != c.Does {
			t.Errorf("Find(%q) = %+v, %t: want %+v", c.ID, got, ok, c)
		}
	}
}

func TestEveryControlStandsInItsLayer(t *testing.T) {
	for _, l := range control.Layers() {
		list := control.Catalogue(l)
		if len(list) == 0 {
			t.Errorf("layer %v has no controls", l)
		}
		for _, c := range list {
			if c.Layer() != l {
				t.Errorf("%s stands in layer %v: move it to layer %v", c.ID, l, c.Layer())
			}
		}
	}
}

func TestFindKnowsNoOther(t *testing.T) {
	for _, id := range []string{"", "inference", "inference/", "Inference/Secret", "inference/secrets"} {
		if c, ok := control.Find(id); ok {
			t.Errorf("Find(%q) = %+v: want nothing", id, c)
		}
	}
	if got := control.Catalogue(0); got != nil {
		t.Errorf("Catalogue(0) = %v: there is no layer zero", got)
	}
	if got := control.Catalogue(99); got != nil {
		t.Errorf("Catalogue(99) = %v: there is no such layer", got)
	}
	if got := (control.Control{ID: "workload/x"}).Layer(); got != 0 {
		t.Errorf("Layer of workload/x = %v: no id begins so", got)
	}
}

func TestTheTablesCannotBeChanged(t *testing.T) {
	for name, c := range map[string]control.Control{
		"All":       control.All()[0],
		"Catalogue": control.Catalogue(control.Infrastructure)[0],
		"Find":      find(t, control.All()[0].ID),
	} {
		c.Threats[0], c.Rooms[0] = "changed", "changed"
		if now := find(t, c.ID); now.Threats[0] == "changed" || now.Rooms[0] == "changed" {
			t.Errorf("a caller changed the table through %s", name)
		}
	}
}

func find(t *testing.T, id string) control.Control {
	t.Helper()
	c, ok := control.Find(id)
	if !ok {
		t.Fatalf("control %q is unknown", id)
	}
	return c
}

func TestNamesOfLayersAndStates(t *testing.T) {
	for _, l := range control.Layers() {
		b, _ := l.MarshalText()
		var back control.Layer
		if err := back.UnmarshalText(b); err != nil || back != l {
			t.Errorf("layer %v comes back as %v, %v", l, back, err)
		}
	}
	for _, s := range []control.State{control.Planned, control.Partial, control.Done} {
		b, _ := s.MarshalText()
		var back control.State
		if err := back.UnmarshalText(b); err != nil || back != s {
			t.Errorf("state %v comes back as %v, %v", s, back, err)
		}
	}

	l, s := control.Data, control.Done
	if err := l.UnmarshalText([]byte("network")); err == nil || l != control.Data {
		t.Errorf("unknown layer: %v, %v: want an error and no change", l, err)
	}
	if err := s.UnmarshalText([]byte("finished")); err == nil || s != control.Done {
		t.Errorf("unknown state: %v, %v: want an error and no change", s, err)
	}
	if got := control.Layer(0).String() + " " + control.Layer(9).Title() + " " + control.State(9).String(); got != "unknown(0) unknown(9) unknown(9)" {
		t.Errorf("names of what does not exist: %q", got)
	}
	if (control.Control{}).State != control.Planned {
		t.Error("a control whose state nobody set claims something")
	}
}

// sample has every shape that the printers meet.
var sample = []control.Control{
	{ID: "infra/trail", Does: "reads trails", Rooms: []string{"posture", "detect"}, Threats: []string{"LLM06"}},
	{
		ID: "inference/secret", Does: "finds a|b", Rooms: []string{"guard/secret"}, Threats: []string{"LLM02", "AML.T0057"},
		State: control.Partial, Proof: []string{"guard/secret.TestDetector"}, Missing: "half of the services",
	},
	{ID: "example/shop", Does: "sells & delivers", Rooms: []string{"example/shop"}, Threats: []string{"LLM01"}, State: control.Done},
}

func TestWriteText(t *testing.T) {
	const want = `STATE    CONTROL           ROOMS            WHAT RINGWALL DOES

Layer 1: infrastructure and network
planned  infra/trail       posture, detect  reads trails

Layer 4: application and inference
partial  inference/secret  guard/secret     finds a|b
                                            missing: half of the services

Threats and the example
done     example/shop      example/shop     sells & delivers

3 controls: 1 done, 1 partial, 1 planned.
`
	var b strings.Builder
	if err := control.WriteText(&b, sample); err != nil || b.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, b.String(), want)
	}
}

func TestWriteMarkdown(t *testing.T) {
	var b strings.Builder
	if err := control.WriteMarkdown(&b, sample); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\n3 controls: 1 done, 1 partial, 1 planned.\n",
		"\n## Layer 1: infrastructure and network\n\n1 control: 0 done, 0 partial, 1 planned.\n\n| state | control |",
		"\n| partial | inference/secret | finds a\\|b. *Missing: half of the services* | guard/secret | LLM02 AML.T0057 |\n",
		"\n## Threats and the example\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %q:\n%s", want, b.String())
		}
	}
}

func TestWriteJSON(t *testing.T) {
	var b strings.Builder
	if err := control.WriteJSON(&b, sample); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Controls []struct {
			Layer   control.Layer
			ID      string
			Does    string
			State   control.State
			Threats []string
			Missing *string
		}
	}
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	if len(got.Controls) != len(sample) {
		t.Fatalf("%d controls, want %d", len(got.Controls), len(sample))
	}
	for i, c := range got.Controls {
		want := sample[i]
		if c.ID != want.ID || c.Layer != want.Layer() || c.State != want.State || c.Does != want.Does || !slices.Equal(c.Threats, want.Threats) {
			t.Errorf("row %d is %+v, want %+v", i, c, want)
		}
	}
	if got.Controls[0].Missing != nil || got.Controls[1].Missing == nil {
		t.Error("missing stands with partial controls only")
	}
}

func TestAWriterThatFailsIsSaid(t *testing.T) {
	full := errors.New("disk full")
	w := writer(func([]byte) (int, error) { return 0, full })
	for name, err := range map[string]error{
		"text":     control.WriteText(w, sample),
		"markdown": control.WriteMarkdown(w, sample),
		"json":     control.WriteJSON(w, sample),
	} {
		if !errors.Is(err, full) {
			t.Errorf("%s: error %v, want one that wraps %q", name, err, full)
		}
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }
