package replay_test

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/toolcall/replay"
)

func TestRead(t *testing.T) {
	const one = `{"id":"a","suite":"s","prompt":"p","steps":[{"name":"t","args":{"x":1},"output":{"y":2},"error":null,"malicious":true,"origin":"injection"}]}` + "\n"
	tests := []struct{ name, in, want string }{
		{"a line", one, ""},
		{"empty lines between", "\n" + one + "\n \n" + one, ""},
		{"no JSON", one + "{", "line 2: "},
		{"no object", "[]", "line 1: want an object with id, suite, prompt and steps, not array"},
		{"no prompt", `{"id":"a","steps":[]}`, "line 1: /prompt: want a text, not missing"},
		{"no steps", `{"id":"a","prompt":"p"}`, "line 1: /steps: want a list of calls, not missing"},
		{"arguments that are none", `{"id":"a","prompt":"p","steps":[{"name":"t","args":[1]}]}`, "line 1: /steps/0/args: want an object, not array"},
		{"malice that is no matter of yes and no", `{"id":"a","prompt":"p","steps":[{"name":"t","malicious":"very"}]}`, "/steps/0/malicious: want true or false"},
		{"a member twice", `{"id":"a","id":"b","prompt":"p","steps":[]}`, "line 1: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var zipped bytes.Buffer
			z := gzip.NewWriter(&zipped)
			if _, err := z.Write([]byte(tt.in)); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			for _, in := range []string{tt.in, zipped.String()} {
				var last error
				for r, err := range replay.Read(strings.NewReader(in)) {
					if last = err; err == nil && (len(r.Steps) != 1 || r.Steps[0].Arguments != `{"x":1}` || r.Steps[0].Output != `{"y":2}` || !r.Attack()) {
						t.Errorf("got %+v", r)
					}
				}
				if tt.want == "" && last != nil || tt.want != "" && (last == nil || !strings.Contains(last.Error(), tt.want)) {
					t.Errorf("got %v, want %q", last, tt.want)
				}
			}
		})
	}
	for _, err := range replay.Read(strings.NewReader("\x1f\x8bnothing")) {
		if err == nil {
			t.Error("a broken file was read")
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"id":"a","prompt":"p","steps":[{"name":"t","args":"{}"}]}`))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, in []byte) {
		ended := false
		for r, err := range replay.Read(bytes.NewReader(in)) {
			if ended {
				t.Fatal("something came behind an error")
			}
			ended = err != nil
			if err == nil && (r.ID == "" && !bytes.Contains(in, []byte(`"id"`))) {
				t.Errorf("got %+v", r)
			}
		}
	})
}
