package matrix

import (
	"slices"
	"testing"

	"google.golang.org/genai"
)

// The models are those of the configuration, in the words of who asks. Those of
// OpenAI and Anthropic are in the suite's other package; Bedrock's runtime lists none.
func TestModels(t *testing.T) {
	w := newWire()
	t.Run("gemini", func(t *testing.T) {
		c, err := geminiOf(t.Context(), w, talk{})
		if err != nil {
			t.Fatal(err)
		}
		page, err := c.Models.List(t.Context(), &genai.ListModelsConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(page.Items, func(m *genai.Model) bool { return m.Name == "models/gemini-plain" }) {
			t.Errorf("there are %d models and not that", len(page.Items))
		}
	})
	t.Run("ollama", func(t *testing.T) {
		c, err := ollamaOf(w)
		if err != nil {
			t.Fatal(err)
		}
		list, err := c.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, m := range list.Models {
			found = found || m.Name == "ollama-plain" && m.Model == m.Name
		}
		if version, err := c.Version(t.Context()); !found || err != nil || version == "" {
			t.Errorf("there are %d models and not that; version %q, %v", len(list.Models), version, err)
		}
	})
}
