package guardrail_test

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/guardrail"
)

func imported(t *testing.T, src string) (string, *guardrail.Spec, []string) {
	t.Helper()
	name, s, notes, err := guardrail.FromBedrock([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := guardrail.Parse("imported.yaml", s.YAML(false)); err != nil {
		t.Fatalf("what was imported is no guardrail: %v\n%s", err, s.YAML(false))
	}
	return name, s, notes
}

func exported(t *testing.T) string {
	t.Helper()
	src, err := os.ReadFile("testdata/get-guardrail.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

func TestFromBedrock(t *testing.T) {
	name, s, notes := imported(t, exported(t))
	if name != "shop-guardrail" || s.InputMessage != "Sorry, I cannot take that." || s.OutputMessage != "Sorry, I cannot say that." {
		t.Errorf("name %q, messages %q and %q", name, s.InputMessage, s.OutputMessage)
	}
	off, block, mask, flag := guardrail.Act{Off: true}, guardrail.Act{}, guardrail.Act{Action: ringwall.Mask}, guardrail.Act{Action: ringwall.Flag}
	for _, tt := range []struct {
		what      string
		got, want any
	}{
		{"types that are not named", s.PII.Input, off},
		{"an e-mail address", s.PII.Reasons["email"], mask},
		{"a blocked type", s.PII.Reasons["us-social-security-number"], block},
		{"a type with another action on the way in", s.PII.InReasons["phone"], flag},
		{"a type that is not looked for on the way out", s.PII.OutReasons["phone"], off},
		{"a credential", s.Secret.Reasons["aws-access-key"], block},
		{"other credentials", s.Secret.Input, off},
		{"a word", s.Word.Lists[0].Words, []string{"bluebird"}},
		{"a word with actions of its own", []any{s.Word.Lists[1].Words[0], *s.Word.Lists[1].Input, *s.Word.Lists[1].Output}, []any{"acme corp", flag, block}},
		{"profanity", []any{s.Word.Managed, s.Word.Reasons["profanity"]}, []any{[]string{"profanity"}, block}},
		{"a regex", []any{s.PII.Recognizers[0].Name, s.PII.Recognizers[0].Mask, s.PII.Recognizers[0].Patterns[0].Regex, *s.PII.Recognizers[0].Input}, []any{"booking-ref", "{Booking Ref}", `BK-\d{6}`, mask}},
		{"a topic", []any{s.Topic.Topics[0].Name, s.Topic.Topics[0].Title, *s.Topic.Topics[0].Input, *s.Topic.Topics[0].Output}, []any{"investment-advice", "Investment Advice", block, flag}},
		{"a filter", []any{s.Content.InStrength["hate"], s.Content.OutStrength["hate"], s.Content.Reasons["hate"]}, []any{guardrail.High, guardrail.Low, block}},
		{"filters that are not named", s.Content.Input, off},
		{"attacks", []any{s.Attack.Input, s.Attack.Strength, s.Attack.Output}, []any{block, guardrail.High, off}},
		{"grounding", []any{s.Grounding.Grounding, s.Grounding.Relevance}, []any{0.75, 0.0}},
		{"leaks, which Bedrock does not look for", s.Leak.Output, off},
	} {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.what, tt.got, tt.want)
		}
	}
	for _, want := range []string{"KMS", "IMAGE", "are off"} {
		if !slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, want) }) {
			t.Errorf("no note about %s in %q", want, notes)
		}
	}
}

// The three forms in which a guardrail is written are the same guardrail.
func TestFormsOfBedrock(t *testing.T) {
	get := `{"name":"g","blockedInputMessaging":"i","blockedOutputsMessaging":"o",
		"wordPolicy":{"words":[{"text":"x"}],"managedWordLists":[{"type":"PROFANITY"}]},
		"sensitiveInformationPolicy":{"piiEntities":[{"type":"EMAIL","action":"BLOCK"}],"regexes":[{"name":"r","pattern":"a","action":"NONE"}]},
		"contentPolicy":{"filters":[{"type":"HATE","inputStrength":"LOW","outputStrength":"NONE"}]},
		"contextualGroundingPolicy":{"filters":[{"type":"GROUNDING","threshold":0.5}]},
		"topicPolicy":{"topics":[{"name":"t","definition":"d","type":"DENY"}]}}`
	create := strings.NewReplacer(`Policy":`, `PolicyConfig":`, `"words":`, `"wordsConfig":`, `"managedWordLists":`, `"managedWordListsConfig":`, `"piiEntities":`, `"piiEntitiesConfig":`,
		`"regexes":`, `"regexesConfig":`, `"filters":`, `"filtersConfig":`, `"topics":`, `"topicsConfig":`).Replace(get)
	var tree map[string]any
	if err := json.Unmarshal([]byte(create), &tree); err != nil {
		t.Fatal(err)
	}
	formation, err := json.Marshal(map[string]any{"Resources": map[string]any{
		"Other": map[string]any{"Type": "AWS::S3::Bucket"},
		"Guard": map[string]any{"Type": "AWS::Bedrock::Guardrail", "Properties": capitals(tree)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, want, _ := imported(t, get)
	for what, src := range map[string]string{"CreateGuardrail": create, "CloudFormation": string(formation)} {
		if name, got, _ := imported(t, src); name != "g" || !got.Equal(want) {
			t.Errorf("%s is another guardrail: %v", what, guardrail.Diff(want, got))
		}
	}
}

func capitals(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = capitals(v[i])
		}
	case map[string]any:
		out := map[string]any{}
		for key, val := range v {
			out[strings.ToUpper(key[:1])+key[1:]] = capitals(val)
		}
		return out
	}
	return v
}

// What was imported is exported as it was.
func TestBedrockThereAndBack(t *testing.T) {
	name, s, _ := imported(t, exported(t))
	out, notes := s.Bedrock(name)
	again, back, _ := imported(t, string(out))
	if again != name || !back.Equal(s) {
		t.Errorf("%v\n%s", guardrail.Diff(s, back), out)
	}
	if len(notes) > 0 {
		t.Errorf("a guardrail of Bedrock has notes: %q", notes)
	}
	d := guardrail.Default()
	out, notes = d.Bedrock("näme with blanks")
	if _, _, _, err := guardrail.FromBedrock(out); err != nil || len(notes) == 0 || !strings.Contains(string(out), `"n-me-with-blanks"`) {
		t.Errorf("the default is exported as %s, with notes %q: %v", out, notes, err)
	}
}

func TestBedrockRefuses(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"no JSON", "name: x", "reading the Bedrock guardrail:"},
		{"a list", "[]", "want a JSON object"},
		{"another object", `{"policy":{}}`, "neither a name nor a blockedInputMessaging"},
		{"a member twice", `{"name":"a","name":"b"}`, "name"},
		{"an unknown member", `{"name":"a","wordPolicy":{"terms":[]}}`, `unknown field "terms"`},
		{"an unknown type", `{"name":"a","sensitiveInformationPolicy":{"piiEntities":[{"type":"SHOE_SIZE","action":"BLOCK"}]}}`, `unknown type of sensitive information "SHOE_SIZE": want one of [ADDRESS`},
		{"an unknown action", `{"name":"a","sensitiveInformationPolicy":{"piiEntities":[{"type":"EMAIL","action":"DROP"}]}}`, `type EMAIL: unknown input action "DROP"`},
		{"an unknown filter", `{"name":"a","contentPolicy":{"filters":[{"type":"RAGE","inputStrength":"LOW","outputStrength":"LOW"}]}}`, `unknown content filter "RAGE"`},
		{"an unknown strength", `{"name":"a","contentPolicy":{"filters":[{"type":"HATE","inputStrength":"MAX","outputStrength":"LOW"}]}}`, `unknown strength "MAX"`},
		{"a number for a text", `{"name":1,"blockedInputMessaging":"x"}`, "name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, _, err := guardrail.FromBedrock([]byte(tt.src))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func FuzzFromBedrock(f *testing.F) {
	src, err := os.ReadFile("testdata/get-guardrail.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(src)
	f.Add([]byte(`{"Type":"AWS::Bedrock::Guardrail","Properties":{"Name":"x"}}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		_, s, _, err := guardrail.FromBedrock(src)
		if err != nil {
			return
		}
		guardrail.Diff(s, s)
		if out, _ := s.Bedrock("x"); !json.Valid(out) {
			t.Fatalf("no JSON: %s", out)
		}
	})
}
