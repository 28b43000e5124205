package hook

import "testing"

// Whatever a hook answers is one of its three actions, or an error; and it replaces
// texts that there are, in order, each once.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"action":"allow"}`, `{"action":"block","reason":"our-rule"}`, `{"action":"replace","texts":[{"index":1,"text":"x"},{"index":0,"text":"y"}]}`,
		`{"action":"block","reason":"No Way"}`, `{"action":"allow","texts":[{"index":0}]}`, `{"action":"replace","texts":[{"index":0},{"index":0}]}`, `{"Action":"allow"}`, `[]`, `{}`, ``,
	} {
		f.Add([]byte(seed))
	}
	texts := []Text{{Index: 0}, {Index: 1}}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := read(body, texts)
		if err != nil {
			return
		}
		switch a.Action {
		case Allow:
		case Block:
			if !reasons.MatchString(a.Reason) {
				t.Errorf("reason %q", a.Reason)
			}
		case ReplaceText:
			for i, r := range a.Texts {
				if r.Index < 0 || r.Index > 1 || i > 0 && r.Index <= a.Texts[i-1].Index {
					t.Errorf("texts %+v", a.Texts)
				}
			}
		default:
			t.Errorf("action %q", a.Action)
		}
	})
}
