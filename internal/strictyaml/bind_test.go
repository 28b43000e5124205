package strictyaml_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/ringwall/ringwall/internal/strictyaml"
)

type keeper string

func (k keeper) Reveal(ref string) (string, error) { return string(k) + " " + ref, nil }

func TestBind(t *testing.T) {
	secret := func(ref string) strictyaml.Secret {
		s, err := strictyaml.NewSecret(ref)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	type inner struct {
		Key  strictyaml.Secret
		Keys []strictyaml.Secret
	}
	type outer struct {
		inner
		In    inner
		Ptr   *inner
		Nil   *inner
		Map   map[string]inner
		Plain []string
	}
	t.Setenv("RINGWALL_TEST_KEY", "plain")
	v := &outer{
		In:  inner{Key: secret("vault:secret/a#k")},
		Ptr: &inner{Keys: []strictyaml.Secret{secret("aws-secret:b"), secret("env:RINGWALL_TEST_KEY")}},
		Map: map[string]inner{"x": {Key: secret("vault:secret/a#k")}}, Plain: []string{"p"},
	}
	if got := strictyaml.Elsewhere(v); !slices.Equal(got, []string{"aws-secret:b", "vault:secret/a#k"}) {
		t.Errorf("references: %q", got)
	}
	bound := strictyaml.Bind(v, keeper("of"))
	for _, tt := range []struct {
		name string
		s    strictyaml.Secret
		want string
	}{
		{"a field", bound.In.Key, "of vault:secret/a#k"},
		{"an element behind a pointer", bound.Ptr.Keys[0], "of aws-secret:b"},
		{"one that no service keeps", bound.Ptr.Keys[1], "plain"},
		{"an entry of a map", bound.Map["x"].Key, "of vault:secret/a#k"},
	} {
		if got, err := tt.s.Reveal(); got != tt.want || err != nil {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
	for _, s := range []strictyaml.Secret{v.In.Key, v.Ptr.Keys[0], v.Map["x"].Key} {
		if _, err := s.Reveal(); !errors.Is(err, strictyaml.ErrElsewhere) {
			t.Errorf("what was bound is a copy: %v", err)
		}
	}
	if !v.In.Key.Same(bound.In.Key) || v.In.Key.Same(v.Ptr.Keys[0]) {
		t.Error("places are the same by their references")
	}
}

func TestReferencesToServices(t *testing.T) {
	for ref, good := range map[string]bool{
		"aws-secret:app/openai":     true,
		"aws-secret:app/openai#key": true,
		"aws-secret:arn:aws:secretsmanager:eu-central-1:123456789012:secret:app/openai-AbCdEf#api key": false,
		"aws-secret:arn:aws:secretsmanager:eu-central-1:123456789012:secret:app/openai-AbCdEf#api_key": true,
		"aws-secret:arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:a-AbCdEf":          true,
		"aws-secret:arn:aws:s3:::bucket": false,
		"aws-secret:":                    false,
		"aws-secret:a#":                  false,
		"aws-secret:a#b#c":               false,
		"aws-secret:a b":                 false,
		"vault:secret/app#key":           true,
		"vault:secret/data/app/x#key":    true,
		"vault:secret/app":               false,
		"vault:secret#key":               false,
		"vault:/secret/app#key":          false,
		"vault:secret//app#key":          false,
		"vault:secret/../sys#key":        false,
		"vault:secret/app?version=1#key": false,
		"vault:secret/%2e%2e/app#key":    false,
	} {
		if _, err := strictyaml.NewSecret(ref); (err == nil) != good {
			t.Errorf("%s: %v", ref, err)
		}
	}
}
