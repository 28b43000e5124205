package control

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteText prints controls for a terminal: one aligned table, a heading where
// the layer changes, and at the end how many there are in each state. What is
// missing of a partial control stands in a line below it.
func WriteText(w io.Writer, list []Control) error {
	id, rooms := len("CONTROL"), len("ROOMS")
	for _, c := range list {
		id = max(id, len(c.ID))
		rooms = max(rooms, len(strings.Join(c.Rooms, ", ")))
	}
	var b strings.Builder
	line := func(state, control, in, does string) {
		fmt.Fprintf(&b, "%-7s  %-*s  %-*s  %s\n", state, id, control, rooms, in, does)
	}
	line("STATE", "CONTROL", "ROOMS", "WHAT RINGWALL DOES")
	for _, g := range groups(list) {
		fmt.Fprintf(&b, "\n%s\n", g.heading())
		for _, c := range g.controls {
			line(c.State.String(), c.ID, strings.Join(c.Rooms, ", "), c.Does)
			if c.Missing != "" {
				line("", "", "", "missing: "+c.Missing)
			}
		}
	}
	fmt.Fprintf(&b, "\n%s\n", count(list))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("printing controls: %w", err)
	}
	return nil
}

// WriteJSON prints controls as one object, {"controls": […]}, each with the
// name of its layer.
func WriteJSON(w io.Writer, list []Control) error {
	type row struct {
		Layer Layer `json:"layer"`
		Control
	}
	rows := make([]row, len(list))
	for i, c := range list {
		rows[i] = row{c.Layer(), c}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(map[string][]row{"controls": rows}); err != nil {
		return fmt.Errorf("printing controls: %w", err)
	}
	return nil
}

// WriteMarkdown prints controls as a page, one table for each layer: this is
// docs/controls.md.
func WriteMarkdown(w io.Writer, list []Control) error {
	var b strings.Builder
	fmt.Fprint(&b, `# Controls

Every protection that Ringwall claims, layer by layer: what it does, the packages that do it and the threats that it
answers (OWASP Top 10 for LLM Applications, OWASP Agentic Top 10, MITRE ATLAS). A control is *done* when tests prove all
that its row says, *partial* when they prove a part and the row names what is missing, and *planned* when nothing is
claimed. This page is printed from package control; a test fails when the two differ or when a claim has no proof.

`)
	fmt.Fprintf(&b, "%s\n", count(list))
	for _, g := range groups(list) {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", g.heading(), count(g.controls))
		fmt.Fprint(&b, "| state | control | what Ringwall does | rooms | threats |\n|---|---|---|---|---|\n")
		for _, c := range g.controls {
			does := cell(c.Does)
			if c.Missing != "" {
				does += ". *Missing: " + cell(c.Missing) + "*"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", c.State, c.ID, does, strings.Join(c.Rooms, ", "), strings.Join(c.Threats, " "))
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("printing controls: %w", err)
	}
	return nil
}

// group is a run of controls of one layer.
type group struct {
	layer    Layer
	controls []Control
}

func (g group) heading() string {
	t := g.layer.Title()
	if g.layer == Workload {
		return strings.ToUpper(t[:1]) + t[1:]
	}
	return fmt.Sprintf("Layer %d: %s", g.layer, t)
}

func groups(list []Control) []group {
	var gs []group
	for _, c := range list {
		if l := c.Layer(); len(gs) == 0 || gs[len(gs)-1].layer != l {
			gs = append(gs, group{layer: l})
		}
		last := &gs[len(gs)-1]
		last.controls = append(last.controls, c)
	}
	return gs
}

// count is a line such as "76 controls: 3 done, 10 partial, 63 planned."
func count(list []Control) string {
	n := map[State]int{}
	for _, c := range list {
		n[c.State]++
	}
	noun := "controls"
	if len(list) == 1 {
		noun = "control"
	}
	return fmt.Sprintf("%d %s: %d done, %d partial, %d planned.", len(list), noun, n[Done], n[Partial], n[Planned])
}

// cell keeps a text in one cell of a Markdown table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s)
}
