package guardrail_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall/guard/guardrail"
)

const words = `{"name":"shop","blockedInputMessaging":"No.","blockedOutputsMessaging":"Never.","wordPolicyConfig":{"wordsConfig":[{"text":"bluebird"}]}}`

func openMade(t *testing.T, dir string) *guardrail.Made {
	t.Helper()
	m, err := guardrail.OpenMade(guardrail.Store{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var day = time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)

// What was made is there after a restart, draft and versions.
func TestMadeIsKept(t *testing.T) {
	dir := t.TempDir()
	m := openMade(t, dir)
	r, err := m.Create([]byte(words), "t", day)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := m.Create([]byte(words), "t", day); err != nil || again.ID != r.ID {
		t.Errorf("the same token made %+v, %v", again, err)
	}
	if _, err := m.Create([]byte(words), "u", day); !errors.Is(err, guardrail.ErrTaken) {
		t.Errorf("the same name: %v", err)
	}
	version, err := m.Publish(r.ID, "v", "first", day)
	if err != nil || version != "1" {
		t.Fatalf("%s %v", version, err)
	}
	if same, err := m.Publish(r.ID, "w", "again", day); err != nil || same != "1" {
		t.Errorf("the same draft: %s %v", same, err)
	}
	if _, err := m.Update(r.ID, []byte(strings.Replace(words, "bluebird", "redwing", 1)), day.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}

	m = openMade(t, dir)
	got, ok := m.Get(r.ID)
	if !ok || len(m.List()) != 1 || got.Name != "shop" || got.Spec.Word.Lists[0].Words[0] != "redwing" || len(got.Versions) != 1 || !got.Updated.Equal(day.Add(time.Hour)) {
		t.Errorf("%+v", got)
	}
	spec, err := guardrail.Store{Dir: dir}.Version(r.ID, "1")
	if err != nil || spec.Word.Lists[0].Words[0] != "bluebird" {
		t.Errorf("version 1: %+v %v", spec, err)
	}
	if err := m.DeleteVersion(r.ID, "1"); err != nil {
		t.Error(err)
	}
	if _, err := (guardrail.Store{Dir: dir}).Version(r.ID, "1"); !errors.Is(err, guardrail.ErrNoVersion) {
		t.Errorf("a deleted version: %v", err)
	}
	if version, err := m.Publish(r.ID, "", "", day); err != nil || version != "2" {
		t.Errorf("the next version is %s, %v", version, err)
	}
	if err := m.Delete(r.ID); err != nil {
		t.Error(err)
	}
	if len(openMade(t, dir).List()) != 0 {
		t.Error("it is there after its end")
	}
}

// A guardrail whose file is broken is not gone without a word.
func TestBrokenDraftIsAnError(t *testing.T) {
	for _, text := range []string{`{`, `{"id":"other","document":` + words + `}`, `{"id":"made","document":{"name":"x","colour":1}}`} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "made"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "made", "draft.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := guardrail.OpenMade(guardrail.Store{Dir: dir}); err == nil || !strings.Contains(err.Error(), "draft.json") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// What passes the checks can be read, given back, and read again as the same.
func FuzzCheckBedrock(f *testing.F) {
	f.Add([]byte(words))
	f.Add([]byte(`{"name":"a","description":"d","blockedInputMessaging":"n","blockedOutputsMessaging":"n","crossRegionConfig":{"guardrailProfileIdentifier":"eu"},
		"topicPolicyConfig":{"topicsConfig":[{"name":"A b","definition":"d","type":"DENY","examples":["e"]}],"tierConfig":{"tierName":"STANDARD"}},
		"contentPolicyConfig":{"filtersConfig":[{"type":"PROMPT_ATTACK","inputStrength":"LOW","outputStrength":"NONE","inputModalities":["TEXT"]}]},
		"sensitiveInformationPolicyConfig":{"piiEntitiesConfig":[{"type":"URL","action":"NONE","outputAction":"BLOCK"}],"regexesConfig":[{"name":"r","pattern":"a+","action":"ANONYMIZE"}]},
		"contextualGroundingPolicyConfig":{"filtersConfig":[{"type":"GROUNDING","threshold":0.5}]}}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		if guardrail.CheckBedrock(src) != nil {
			return
		}
		name, spec, _, err := guardrail.FromBedrock(src)
		if err != nil {
			return // it names something that Bedrock does not have
		}
		members, err := guardrail.BedrockMembers(src)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		again, same, _, err := guardrail.FromBedrock(got)
		if err != nil || again != name || !same.Equal(spec) {
			t.Errorf("%s is given back as %s, which is another: %v", src, got, err)
		}
		sound := true
		spec.Check("", func(string, string, ...any) { sound = false })
		if !sound {
			return // it is refused when it is made
		}
		if read, err := guardrail.Parse("version", spec.YAML(true)); err != nil || !read.Equal(spec) {
			t.Errorf("%s is read from its file as another: %v", src, err)
		}
	})
}
