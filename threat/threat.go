// Package threat holds the names of the dangers that the program speaks of, as
// data: the OWASP Top 10 for LLM Applications 2025, the OWASP Top 10 for
// Agentic Applications 2026, and the tactics, techniques and mitigations of
// MITRE ATLAS 5.6.0. Controls say which of them they answer, comments cite
// them, and the tests of the house refuse an id that is not here.
//
// The data's way is short: literal tables (owasp.go, atlas.go) are joined once,
// on first use, and from then on only read. The package describes nothing and
// judges nothing: which control answers which threat stands in package control,
// and the words of the frameworks stay with their authors, at [Threat.URL].
//
// Ids and names of MITRE ATLAS: Copyright 2021-2025 MITRE, Apache License 2.0
// (https://github.com/mitre-atlas/atlas-data). Names of the OWASP lists: the
// OWASP GenAI Security Project, CC BY-SA 4.0.
//
// Start reading at [Lookup].
package threat

import (
	"slices"
	"strings"
	"sync"
)

// Framework names the list that an id belongs to.
type Framework string

// Frameworks, in the order of [All].
const (
	OWASPLLM     Framework = "OWASP LLM Top 10 2025"
	OWASPAgentic Framework = "OWASP Agentic Top 10 2026"
	ATLAS        Framework = "MITRE ATLAS 5.6.0"
)

// Kind says what an id stands for. Only risks and techniques can be answered by
// a control: a tactic is an attacker's aim, a mitigation is an answer itself.
type Kind string

// Kinds, in the order of [All].
const (
	Risk       Kind = "risk" // an entry of an OWASP list
	Tactic     Kind = "tactic"
	Technique  Kind = "technique" // or a sub-technique: then Parent is its technique
	Mitigation Kind = "mitigation"
)

// Threat is one entry of a framework.
type Threat struct {
	ID        string    `json:"id"`   // "LLM01", "ASI01", "AML.T0051.001"
	Name      string    `json:"name"` // as the framework has it; see Title
	Kind      Kind      `json:"kind"`
	Framework Framework `json:"framework"`
	Parent    string    `json:"parent,omitempty"` // id of the technique; "" when it is not a sub-technique
	URL       string    `json:"url"`              // where its authors describe it
}

// Title is the name to show alone. The name of a sub-technique says little
// without its parent's: "LLM Prompt Injection: Indirect".
func (t Threat) Title() string {
	if p, ok := Lookup(t.Parent); ok {
		return p.Name + ": " + t.Name
	}
	return t.Name
}

// Lookup returns the entry with exactly this id. It is safe for concurrent use.
func Lookup(id string) (Threat, bool) {
	t, ok := byID()[id]
	return t, ok
}

// All returns every entry: OWASP LLM, OWASP Agentic, then the tactics of ATLAS
// in the order of its matrix, its techniques and its mitigations by id. The
// slice is the caller's own.
func All() []Threat { return slices.Clone(all()) }

// row is an entry as the tables write it.
type row struct{ id, name string }

var all = sync.OnceValue(func() []Threat {
	var list []Threat
	add := func(rows []row, k Kind, f Framework, url func(row) string) {
		for _, r := range rows {
			list = append(list, Threat{r.id, r.name, k, f, parent(r.id), url(r)})
		}
	}
	add(owaspLLM, Risk, OWASPLLM, llmURL)
	add(owaspAgentic, Risk, OWASPAgentic, agenticURL)
	add(atlasTactics, Tactic, ATLAS, atlasURL("tactics"))
	add(atlasTechniques, Technique, ATLAS, atlasURL("techniques"))
	add(atlasMitigations, Mitigation, ATLAS, atlasURL("mitigations"))
	return list
})

var byID = sync.OnceValue(func() map[string]Threat {
	m := make(map[string]Threat, len(all()))
	for _, t := range all() {
		m[t.ID] = t
	}
	return m
})

// parent cuts the number of a sub-technique: "AML.T0051" of "AML.T0051.001".
func parent(id string) string {
	if strings.Count(id, ".") < 2 {
		return ""
	}
	return id[:strings.LastIndexByte(id, '.')]
}

func atlasURL(folder string) func(row) string {
	return func(r row) string { return "https://atlas.mitre.org/" + folder + "/" + r.id }
}
