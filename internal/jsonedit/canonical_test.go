package jsonedit_test

import (
	"testing"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

func TestCanonicalNumbers(t *testing.T) {
	for _, tt := range []struct{ raw, want string }{
		{"0", "0"},
		{"-0", "0"},
		{"-0.0e5", "0"},
		{"1", "1"},
		{"1.0", "1"},
		{"10e-1", "1"},
		{"-100", "-1e2"},
		{"0.10", "1e-1"},
		{"1E+2", "1e2"},
		{"120.50", "1205e-1"},
		{"1e1234567890", "1e1234567890"},
		{"1e-5", "1e-5"},
		{"0.00001", "1e-5"},
	} {
		if got := string(jsonedit.AppendNumber(nil, tt.raw)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.raw, got, tt.want)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	f.Add(`{"b":[1.0,"\u0061"],"a":{"y":null,"x":true}}`)
	f.Add(`[1e400,-0,"<&>"]`)
	f.Fuzz(func(t *testing.T, in string) {
		var doc, again jsonedit.Doc
		if doc.Parse([]byte(in), jsonedit.Limits{}) != nil {
			return
		}
		form := doc.Root().AppendCanonical(nil)
		if err := again.Parse(form, jsonedit.Limits{}); err != nil {
			t.Fatalf("%s has the form %s: %v", in, form, err)
		}
		if twice := again.Root().AppendCanonical(nil); string(twice) != string(form) {
			t.Errorf("%s has the form %s, which has the form %s", in, form, twice)
		}
	})
}
