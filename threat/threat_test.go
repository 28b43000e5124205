package threat_test

import (
	"net/url"
	"regexp"
	"slices"
	"testing"

	"github.com/ringwall/ringwall/threat"
)

func TestLookup(t *testing.T) {
	tests := []struct {
		name, id string
		want     threat.Threat
		title    string
	}{
		{
			"a risk of an LLM application", "LLM01",
			threat.Threat{"LLM01", "Prompt Injection", threat.Risk, threat.OWASPLLM, "", "https://genai.owasp.org/llmrisk/llm01-prompt-injection/"},
			"Prompt Injection",
		},
		{
			"a risk whose name has many words", "LLM08",
			threat.Threat{"LLM08", "Vector and Embedding Weaknesses", threat.Risk, threat.OWASPLLM, "", "https://genai.owasp.org/llmrisk/llm082025-vector-and-embedding-weaknesses/"},
			"Vector and Embedding Weaknesses",
		},
		{
			"a risk of an agent", "ASI10",
			threat.Threat{"ASI10", "Rogue Agents", threat.Risk, threat.OWASPAgentic, "", "https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications-for-2026/"},
			"Rogue Agents",
		},
		{
			"a technique", "AML.T0054",
			threat.Threat{"AML.T0054", "LLM Jailbreak", threat.Technique, threat.ATLAS, "", "https://atlas.mitre.org/techniques/AML.T0054"},
			"LLM Jailbreak",
		},
		{
			"a sub-technique is shown with its parent's name", "AML.T0051.001",
			threat.Threat{"AML.T0051.001", "Indirect", threat.Technique, threat.ATLAS, "AML.T0051", "https://atlas.mitre.org/techniques/AML.T0051.001"},
			"LLM Prompt Injection: Indirect",
		},
		{
			"a tactic", "AML.TA0010",
			threat.Threat{"AML.TA0010", "Exfiltration", threat.Tactic, threat.ATLAS, "", "https://atlas.mitre.org/tactics/AML.TA0010"},
			"Exfiltration",
		},
		{
			"a mitigation", "AML.M0020",
			threat.Threat{"AML.M0020", "Generative AI Guardrails", threat.Mitigation, threat.ATLAS, "", "https://atlas.mitre.org/mitigations/AML.M0020"},
			"Generative AI Guardrails",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := threat.Lookup(test.id)
			if !ok || got != test.want {
				t.Errorf("Lookup(%q) = %+v, %t\nwant %+v", test.id, got, ok, test.want)
			}
			if got.Title() != test.title {
				t.Errorf("Title() = %q, want %q", got.Title(), test.title)
			}
		})
	}
}

func TestLookupKnowsNoOther(t *testing.T) {
	for _, id := range []string{"", "LLM00", "LLM11", "llm01", "LLM01:2025", "ASI11", "AML.T9999", "AML.T0051.003", "AML.T0051.", "T0051"} {
		if got, ok := threat.Lookup(id); ok {
			t.Errorf("Lookup(%q) = %+v: want nothing", id, got)
		}
	}
}

// The figures are those of the frameworks: ATLAS 5.6.0 says 16 tactics, 101
// techniques with 69 sub-techniques, 35 mitigations.
func TestAllIsComplete(t *testing.T) {
	type key struct {
		kind threat.Kind
		of   threat.Framework
		sub  bool
	}
	want := map[key]int{
		{threat.Risk, threat.OWASPLLM, false}:     10,
		{threat.Risk, threat.OWASPAgentic, false}: 10,
		{threat.Tactic, threat.ATLAS, false}:      16,
		{threat.Technique, threat.ATLAS, false}:   101,
		{threat.Technique, threat.ATLAS, true}:    69,
		{threat.Mitigation, threat.ATLAS, false}:  35,
	}
	got := map[key]int{}
	for _, x := range threat.All() {
		got[key{x.Kind, x.Framework, x.Parent != ""}]++
	}
	for k, n := range want {
		if got[k] != n {
			t.Errorf("%+v: %d entries, want %d", k, got[k], n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("kinds of entries: %v, want %v", got, want)
	}
}

func TestEveryEntryIsWhole(t *testing.T) {
	shape := map[threat.Kind]*regexp.Regexp{
		threat.Risk:       regexp.MustCompile(`^(LLM|ASI)(0[1-9]|10)$`),
		threat.Tactic:     regexp.MustCompile(`^AML\.TA\d{4}$`),
		threat.Technique:  regexp.MustCompile(`^AML\.T\d{4}(\.\d{3})?$`),
		threat.Mitigation: regexp.MustCompile(`^AML\.M\d{4}$`),
	}
	seen := map[string]bool{}
	for _, x := range threat.All() {
		if seen[x.ID] {
			t.Errorf("%s stands twice", x.ID)
		}
		seen[x.ID] = true
		if !shape[x.Kind].MatchString(x.ID) {
			t.Errorf("%s is not the id of a %s", x.ID, x.Kind)
		}
		if x.Name == "" {
			t.Errorf("%s has no name", x.ID)
		}
		if u, err := url.Parse(x.URL); err != nil || u.Scheme != "https" {
			t.Errorf("%s: URL %q: want an https address", x.ID, x.URL)
		}
		if x.Parent != "" && !seen[x.Parent] {
			t.Errorf("%s comes before its parent %s, or the parent is missing", x.ID, x.Parent)
		}
		if got, ok := threat.Lookup(x.ID); !ok || got != x {
			t.Errorf("Lookup(%q) = %+v, %t: want %+v", x.ID, got, ok, x)
		}
	}
}

func TestTechniquesAreInTheOrderOfTheirIDs(t *testing.T) {
	var ids []string
	for _, x := range threat.All() {
		if x.Kind == threat.Technique {
			ids = append(ids, x.ID)
		}
	}
	if !slices.IsSorted(ids) {
		t.Error("techniques are not in the order of their ids: sort the table in atlas.go")
	}
}

func TestAllIsTheCallersOwn(t *testing.T) {
	threat.All()[0].Name = "changed"
	if got := threat.All()[0].Name; got != "Prompt Injection" {
		t.Errorf("a caller changed the table: first name is %q", got)
	}
}

func BenchmarkLookup(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := threat.Lookup("AML.T0051.001"); !ok {
			b.Fatal("AML.T0051.001 is unknown")
		}
	}
}
