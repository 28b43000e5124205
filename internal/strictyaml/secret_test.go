package strictyaml_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/ringwall/ringwall/internal/strictyaml"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	s, err := strictyaml.NewSecret("env:RINGWALL_TEST_KEY")
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		Key  strictyaml.Secret
		Ptr  *strictyaml.Secret
		Keys map[string]strictyaml.Secret
	}
	h := holder{s, &s, map[string]strictyaml.Secret{"a": s}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T%v"} {
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", &s)
		fmt.Fprintf(&out, verb+"\n", h)
	}
	fmt.Fprintln(&out, s, s.String())
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(handler).Info("x", "key", s, "ptr", &s, "holder", h)
	}
	if err := json.NewEncoder(&out).Encode(h); err != nil {
		t.Fatal(err)
	}
	b, err := yaml.Dump(h)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	if strings.Contains(out.String(), "RINGWALL_TEST_KEY") || !strings.Contains(out.String(), "***") {
		t.Errorf("printed:\n%s", out.String())
	}
}

func TestSecretInTheFileIsRefusedUnseen(t *testing.T) {
	for name, value := range map[string]string{
		"the secret itself":        "sk-live-123",
		"the secret as a list":     "[sk-live-123]",
		"the secret as a map":      "{sk-live-123: x}",
		"a number":                 "12345678",
		"a relative file":          "file:sk-live-123",
		"a variable with a dollar": "$sk-live-123",
		"an odd variable":          "env:sk-live-123",
		"a quoted secret":          `"env:sk live 123"`,
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := decode("providers: {a: {key: " + value + "}}")
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), "123") || !strings.HasPrefix(err.Error(), "ringwall.yaml:1:22: providers.a.key: want a reference") {
				t.Errorf("the error reads %q", err)
			}
		})
	}
}

func TestReveal(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "file:" + path
	}
	t.Setenv("RINGWALL_TEST_KEY", "from the environment")
	t.Setenv("RINGWALL_TEST_EMPTY", "")
	for _, test := range []struct{ name, ref, want, err string }{
		{"a variable", "env:RINGWALL_TEST_KEY", "from the environment", ""},
		{"a file without its line break", write("a", "from a file\r\n"), "from a file", ""},
		{"an empty variable", "env:RINGWALL_TEST_EMPTY", "", "env:RINGWALL_TEST_EMPTY is empty"},
		{"an empty file", write("b", "\n"), "", "is empty"},
		{"a missing file", "file:" + filepath.Join(dir, "none"), "", "no such file"},
		{"a file that is too large", write("c", strings.Repeat("x", strictyaml.MaxSecret+1)), "", "more than 65536 bytes"},
		{"a directory", "file:" + dir, "", "is a directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := strictyaml.NewSecret(test.ref)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Reveal()
			if got != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	var unset strictyaml.Secret
	if _, err := unset.Reveal(); !errors.Is(err, strictyaml.ErrNoSecret) || !unset.IsZero() {
		t.Errorf("an unset secret: %v", err)
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]strictyaml.Size{
		"0": 0, "512B": 512, "10MB": 10e6, "64KiB": 64 << 10, "1500KB": 1.5e6, "8388607TiB": 8388607 << 40,
	} {
		var s, again strictyaml.Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s: %d, %v", text, s, err)
		}
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again != s {
			t.Errorf("%s prints as %s, which reads as %d, %v", text, s, again, err)
		}
	}
	for _, text := range []string{"", "B", "-1", "1.5MB", "1 MB", "1mb", "1K", "8388608TiB", "9223372036854775808", "0x10"} {
		var s strictyaml.Size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q reads as %d", text, s)
		}
	}
}
