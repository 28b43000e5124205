package jsonedit_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/ringwall/ringwall/internal/jsonedit"
)

func TestRemoveElems(t *testing.T) {
	for src, want := range map[string]string{
		`[0]`:                    `[]`,
		`[ 0 ]`:                  `[  ]`,
		`[0,1]`:                  `[1]`,
		`[1 , 0 , 2]`:            `[1 , 2]`,
		`[1, 0]`:                 `[1]`,
		`[0,0]`:                  `[]`,
		`[0, 0,3]`:               `[3]`,
		`[0,1,0]`:                `[1]`,
		`[1,0,0,2]`:              `[1,2]`,
		`[1,0,[2 ,0],0,{"a":0}]`: `[1,[2 ,0],{"a":0}]`,
	} {
		var d jsonedit.Doc
		if err := d.Parse([]byte(src), jsonedit.Limits{}); err != nil {
			t.Fatal(err)
		}
		got := jsonedit.Splice(nil, []byte(src), d.Root().RemoveElems(func(_ int, e jsonedit.Value) bool { return string(e.Raw()) == "0" }))
		if string(got) != want {
			t.Errorf("%s: got %s, want %s", src, got, want)
		}
	}
}

func TestAppend(t *testing.T) {
	for src, want := range map[string]string{`[]`: `[7]`, `[ ]`: `[ 7]`, `[1 , 2]`: `[1 , 2,7]`} {
		var d jsonedit.Doc
		if err := d.Parse([]byte(src), jsonedit.Limits{}); err != nil {
			t.Fatal(err)
		}
		if got := jsonedit.Splice(nil, []byte(src), []jsonedit.Edit{d.Root().Append([]byte("7"))}); string(got) != want {
			t.Errorf("%s: got %s, want %s", src, got, want)
		}
	}
}

// FuzzElems wants of removed elements what encoding/json says of those that are left,
// and compact literals as it writes them.
func FuzzElems(f *testing.F) {
	f.Add(`[1, {"a" : [ ]} ,"x\u006b", -1e3, null]`, uint64(5))
	f.Add(`[ ]`, uint64(0))
	f.Fuzz(func(t *testing.T, src string, gone uint64) {
		var d jsonedit.Doc
		if d.Parse([]byte(src), jsonedit.Limits{AllowNUL: true}) != nil {
			return
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(src)); err != nil || compact.String() != string(d.Root().AppendCompact(nil)) {
			t.Fatalf("%s\nwant %s (%v)", d.Root().AppendCompact(nil), compact.Bytes(), err)
		}
		var all, left []json.RawMessage
		if d.Root().Kind() != jsonedit.Array || json.Unmarshal([]byte(src), &all) != nil {
			return
		}
		out := jsonedit.Splice(nil, []byte(src), d.Root().RemoveElems(func(i int, _ jsonedit.Value) bool { return gone>>(i%64)&1 == 1 }))
		if err := json.Unmarshal(out, &left); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for i, e := range all {
			if gone>>(i%64)&1 == 1 {
				continue
			}
			if len(left) == 0 || !bytes.Equal(left[0], e) {
				t.Fatalf("element %d of %s is not in %s", i, src, out)
			}
			left = left[1:]
		}
		if len(left) > 0 {
			t.Fatalf("%s keeps too much", out)
		}
	})
}
