package toolcall_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/toolcall"
)

// What is pinned and written down is read back, and is how the definitions were.
func TestPinned(t *testing.T) {
	defs := []toolcall.Definition{
		{Name: "a", Title: "A: \"x\"", Description: "First line.\nSecond: with – signs\u200b and 'quotes'", Input: []byte(`{"type":"object","properties":{"to":{"description":"# no comment: \\ \"x\""}}}`)},
		{Name: "b", Server: "s", Input: nil},
	}
	f := toolcall.File{Tools: toolcall.Pinned(defs, []toolcall.Declaration{{Name: "a", Sensitive: []string{}, Payload: []string{"to"}}, {Name: "kept", Output: "trusted"}})}
	file := filepath.Join(t.TempDir(), "tools.yaml")
	if err := os.WriteFile(file, f.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	tools, read, err := toolcall.ReadFile(file)
	if err != nil || !slices.Equal(read, []string{file}) {
		t.Fatalf("%v: %v\n%s", read, err, f.Encode())
	}
	r := registry(t, tools...)
	for _, d := range defs {
		tool := r.Find(d.Name)
		if tool.Pin != d.Pin() {
			t.Errorf("%s has the pin %+v, want %+v", d.Name, tool.Pin, d.Pin())
		}
		if got := tool.Definition(); got.Description != d.Description || got.Title != d.Title || got.Pin().Model != d.Pin().Model {
			t.Errorf("%+v became %+v", d, got)
		}
	}
	if a := r.Find("a"); !a.Annotated || len(a.Sensitive) != 0 || !slices.Equal(a.Payload, []string{"to"}) {
		t.Errorf("what was declared is %+v", a)
	}
	if b := r.Find("b"); b.Annotated || b.Server != "s" {
		t.Errorf("what nobody declared is %+v", b)
	}
	if k := r.Find("kept"); !slices.Equal(k.Trusted, []string{""}) {
		t.Errorf("what was not pinned is %+v", k)
	}
}

func TestDifferences(t *testing.T) {
	was := toolcall.Definition{Name: "a", Description: "Sends a mail. It is polite.", Input: []byte(`{"properties":{"to":{"type":"string"},"x":{"type":"integer"}}}`)}
	now := was
	if got := toolcall.Differences(was, now); got != nil {
		t.Errorf("the same differs: %q", got)
	}
	now.Description = "Sends a mail.\u202e It is polite."
	now.Input = []byte(`{"properties":{"to":{"type":"string"},"bcc":{"type":"string"},"x":{"type":"integer"}}}`)
	want := []string{
		"description:", "  - Sends a mail. It is polite.", "  + Sends a mail.⟨U+202E⟩ It is polite.",
		"input schema:", `  +     "bcc": {`, `  +       "type": "string"`, `  +     },`,
	}
	if got := toolcall.Differences(was, now); !slices.Equal(got, want) {
		t.Errorf("Differences() =\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	now.Input = []byte(`{"enum":[` + strings.Repeat("1,\n", 60_000) + `1]}`)
	if got := toolcall.Differences(was, now); len(got) > 5000 {
		t.Errorf("%d lines differ", len(got))
	}
}

func TestVisible(t *testing.T) {
	for s, want := range map[string]string{
		"plain text\nof two lines":  "plain text\nof two lines",
		"a\u200bb\u202ec\U000e0041": "a⟨U+200B⟩b⟨U+202E⟩c⟨U+E0041⟩",
		"\x1b[0m\u00a0":             "⟨U+001B⟩[0m⟨U+00A0⟩",
		"pаypal":                    "pа⟨U+0430⟩ypal",
		"Grüße, 山田":                 "Grüße, 山田",
	} {
		if got := toolcall.Visible(s); got != want {
			t.Errorf("Visible(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestFaults(t *testing.T) {
	d := toolcall.Definition{Name: "send_email", Description: "Sends.", Input: []byte(`{"type":"object"}`)}
	good := toolcall.Tool{Name: d.Name, Description: d.Description, Input: d.Input, Pin: d.Pin(), Annotated: true}
	with := func(change func(t *toolcall.Tool)) toolcall.Tool {
		t := good
		change(&t)
		return t
	}
	bare := func(name string) toolcall.Tool {
		return toolcall.Tool{Name: name, Annotated: true, Input: d.Input, Pin: toolcall.Pin{Model: "x"}}
	}
	for _, tt := range []struct {
		name  string
		tools []toolcall.Tool
		want  []string
	}{
		{"nothing", []toolcall.Tool{good}, nil},
		{"all is missing", []toolcall.Tool{{Name: "x"}}, []string{"not-annotated", "no-schema", "not-pinned"}},
		{"another definition", []toolcall.Tool{with(func(t *toolcall.Tool) { t.Description = "Other." })}, []string{"pin-differs"}},
		{"a pattern that only a browser reads", []toolcall.Tool{with(func(t *toolcall.Tool) { t.Input = []byte(`{"pattern":"(?!x)"}`) })}, []string{"schema-unreadable", "pin-differs"}},
		{"a letter more", []toolcall.Tool{good, with(func(t *toolcall.Tool) { t.Name = "send_emall" })}, []string{"pin-differs", "look-alike"}},
		{"letters that changed places", []toolcall.Tool{good, with(func(t *toolcall.Tool) { t.Name = "send_emial" })}, []string{"pin-differs", "look-alike"}},
		{"twice", []toolcall.Tool{good, good}, []string{"twice"}},
		{"honest neighbours", []toolcall.Tool{bare("get_user"), bare("get_users"), bare("report_1"), bare("report_2"), bare("list_users")}, []string{"pin-differs", "pin-differs", "pin-differs", "pin-differs", "pin-differs"}},
	} {
		var got []string
		for _, f := range toolcall.Faults(tt.tools) {
			got = append(got, f.What)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Words of names belong to one kind, or it would depend on chance which.
func TestKindsOfArguments(t *testing.T) {
	for name, arguments := range map[string]string{
		"recipientEmail": `{"recipientEmail":"a@b.cc\r\nBcc: x@y.zz"}`,
		"callback_url":   `{"callback_url":"http://10.0.0.1/"}`,
		"webhookURL":     `{"webhookURL":"http://10.0.0.1/"}`,
		"filePaths":      `{"filePaths":["../x"]}`,
		"nested":         `{"endpoint":{"value":"10.0.0.1"}}`,
	} {
		if d := decide(t, toolcall.Config{}, toolcall.Case{}, "t", arguments); d.Rule == "" {
			t.Errorf("%s is taken for something else", name)
		}
	}
}
