package known_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/known"
	"github.com/ringwall/ringwall/guard/stream"
	"github.com/ringwall/ringwall/guard/stream/needle"
)

// Values of no meaning.
const (
	key      = "zk-7Qm2xV9dLr4TnB8wYc5HsJ1f"
	password = "h7!Lm2-vQx"
	word     = "sunshine"
	canary   = "rwc-k3n7qmx2p9dv5htgbz4wcyf6sja8er3u"
)

func scanner(t testing.TB) *known.Scanner {
	t.Helper()
	s, err := known.New(known.Config{Values: []known.Value{
		{Name: "billing", Text: key}, {Name: "vpn", Text: password}, {Name: "house", Text: word}, {Name: "prompt", Text: canary, Kind: known.CanaryToken},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScanner(t *testing.T) {
	spaced := func(s string) string { return strings.Join(strings.Split(s, ""), " ") }
	guardtest.Run(t, scanner(t), guardtest.Case{
		Reasons: []string{known.ReasonSecret, known.ReasonCanary},
		Bad: []string{
			key, "the key is " + strings.ToUpper(key) + ".", spaced(key), spaced(password), hex.EncodeToString([]byte(password)), base64.StdEncoding.EncodeToString([]byte("our key: " + key)),
			key[:13] + "\n" + key[13:], key[5:18], word, base64.StdEncoding.EncodeToString([]byte("the " + word + " word")), canary, strings.ToUpper(canary), canary[4:20], "f1JsH5cYw8BnT4rLd9Vx2mQ7-kz",
			"my\u200b " + password[:4] + "\u200b" + password[4:], `{"k": "h7\u0021Lm2-vQx"}`, "https://a.example/?k=h7%21Lm2-vQx",
		},
		Good: []string{
			"", "Sunshine", "sun shine", "the sun shines", "zk-7Qm2", key[:12], "rwc-", "rwc-k3n7", "h7Lm2", spaced(word), "enihsnus",
			"The committee met on Tuesday to review 14 open questions.", "550e8400-e29b-41d4-a716-446655440000", strings.Repeat("a", 300), strings.Repeat("QUJD", 80), strings.Repeat("0a1b", 80),
		},
	})
}

func TestFindings(t *testing.T) {
	s := scanner(t)
	for _, tt := range []struct {
		name, in, reason string
		least, most      float64
	}{
		{"all of a value is sure", "x " + key, known.ReasonSecret, 1, 1},
		{"a part is less so", "x " + key[:15] + " y", known.ReasonSecret, 0.7, 0.9},
		{"a longer part is surer", "x " + key[:22] + " y", known.ReasonSecret, 0.85, 0.99},
		{"a canary", canary, known.ReasonCanary, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, fs := guardtest.Mask(t, s, stream.Scope{}, tt.in)
			if len(fs) != 1 || fs[0].Reason != tt.reason || fs[0].Severity != ringwall.Critical || fs[0].Score < tt.least || fs[0].Score > tt.most {
				t.Errorf("found %+v, want one %s of %v to %v", fs, tt.reason, tt.least, tt.most)
			}
		})
	}
}

// In the operator's own instructions a canary is where it belongs, a secret is not.
func TestInstructions(t *testing.T) {
	s := scanner(t)
	for _, tt := range []struct {
		way    ringwall.Direction
		origin ringwall.Origin
		want   string
	}{
		{ringwall.Input, ringwall.System, "{KNOWN_SECRET} and " + canary},
		{ringwall.Input, ringwall.User, "{KNOWN_SECRET} and {CANARY}"},
		{ringwall.Output, ringwall.Assistant, "{KNOWN_SECRET} and {CANARY}"},
		{ringwall.Output, ringwall.System, "{KNOWN_SECRET} and {CANARY}"},
	} {
		if got, _ := guardtest.Mask(t, s, stream.Scope{Way: tt.way, Origin: tt.origin}, key+" and "+canary); got != tt.want {
			t.Errorf("%v, %v: %q, want %q", tt.way, tt.origin, got, tt.want)
		}
	}
	only, err := known.New(known.Config{Values: []known.Value{{Text: canary, Kind: known.CanaryToken}}})
	if err != nil {
		t.Fatal(err)
	}
	if c, why := only.Begin(stream.Scope{Way: ringwall.Input, Origin: ringwall.System}); c != nil || why != "empty-list" {
		t.Errorf("Begin = %v, %q", c, why)
	}
}

func TestNew(t *testing.T) {
	many := make([]known.Value, known.MaxValues+1)
	large := make([]known.Value, 600)
	for i := range large {
		large[i].Text = known.Text(strings.Repeat("x", known.MaxLength))
	}
	for _, tt := range []struct {
		name string
		cfg  known.Config
		want string
	}{
		{"a short value", known.Config{Values: []known.Value{{Name: "door", Text: "s3cr3t!"}}}, `value "door": want 8 to 4096 bytes`},
		{"a long value", known.Config{Values: []known.Value{{Text: key}, {Text: known.Text(strings.Repeat("x", 4097))}}}, "value 2: want 8 to 4096 bytes"},
		{"nothing but signs", known.Config{Values: []known.Value{{Text: canary, Kind: known.CanaryToken}, {Name: "signs", Text: "--------#"}}}, `value "signs": want at least 6 letters`},
		{"too many", known.Config{Values: many}, "at most 10000"},
		{"too much", known.Config{Values: large}, "more than 2097152 bytes"},
		{"no memory", known.Config{Values: []known.Value{{Text: key}}, MaxBytes: 100}, "too large"},
		{"a run that is too short", known.Config{Values: []known.Value{{Text: key}}, Run: 2}, "a run of 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := known.New(tt.cfg)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("%v, want %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), key) {
				t.Errorf("the error shows a value: %v", err)
			}
		})
	}
	_, err := known.New(known.Config{Values: []known.Value{{Text: key}}, MaxBytes: 100})
	if !errors.Is(err, needle.ErrTooLarge) {
		t.Errorf("%v is not ErrTooLarge", err)
	}
	s, err := known.New(known.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if c, why := s.Begin(stream.Scope{}); c != nil || why != "empty-list" {
		t.Errorf("Begin = %v, %q", c, why)
	}
}

func TestValuesDoNotShow(t *testing.T) {
	s := scanner(t)
	v := known.Value{Name: "billing", Text: key}
	cfg := known.Config{Values: []known.Value{v}}
	asJSON, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(s, v, cfg, v.Text), fmt.Sprintf("%+v %#v %v %q %x", s, s, s, s, s), fmt.Sprintf("%+v %#v %q %x %s", cfg, cfg, v, v, v.Text), string(asJSON)} {
		if low := strings.ToLower(shown); strings.Contains(low, "7qm2x") || strings.Contains(low, hex.EncodeToString([]byte("7Qm2"))) {
			t.Errorf("shows %q", shown)
		}
	}
}

func TestRun(t *testing.T) {
	for _, tt := range []struct {
		run      int
		in, want string
	}{
		{0, key[3:15], "{KNOWN_SECRET}"}, {16, key[3:15], key[3:15]}, {16, key[3:19], "{KNOWN_SECRET}"}, {-1, key[:26], key[:26]}, {-1, key, "{KNOWN_SECRET}"},
	} {
		s, err := known.New(known.Config{Values: []known.Value{{Text: key}}, Run: tt.run})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := guardtest.Mask(t, s, stream.Scope{}, tt.in); got != tt.want {
			t.Errorf("a run of %d: %q became %q, want %q", tt.run, tt.in, got, tt.want)
		}
	}
}

func TestCanary(t *testing.T) {
	a, err := known.Canary(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := known.Canary(rand.Reader)
	if err != nil || a == b || len(a) != 36 || !strings.HasPrefix(a, "rwc-") || a != strings.ToLower(a) {
		t.Errorf("canaries %q, %q, %v", a, b, err)
	}
	if _, err := known.Canary(bytes.NewReader(nil)); !errors.Is(err, io.EOF) {
		t.Errorf("without randomness: %v", err)
	}
	s, err := known.New(known.Config{Values: []known.Value{{Text: known.Text(a), Kind: known.CanaryToken}}})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := guardtest.Mask(t, s, stream.Scope{}, "see "+a+"."); got != "see {CANARY}." {
		t.Errorf("a canary became %q", got)
	}
}

// Ten thousand values fit, and are all found.
func TestManyValues(t *testing.T) {
	values := make([]known.Value, known.MaxValues)
	for i := range values {
		token, err := known.Canary(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		values[i].Text = known.Text("svc_" + token[4:])
	}
	s, err := known.New(known.Config{Values: values})
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Bytes(); n > 32<<20 {
		t.Errorf("the tables take %d bytes", n)
	}
	for i := 0; i < len(values); i += 97 {
		if got, _ := guardtest.Mask(t, s, stream.Scope{}, "a "+string(values[i].Text)+" b"); got != "a {KNOWN_SECRET} b" {
			t.Fatalf("value %d became %q", i, got)
		}
	}
	t.Logf("%d bytes for %d values", s.Bytes(), len(values))
}

func BenchmarkScan(b *testing.B) {
	s := scanner(b)
	text := strings.Repeat("The committee met on Tuesday to review 14 open questions about shipping to Zurich, and agreed on most. ", 80)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		guardtest.Mask(b, s, stream.Scope{}, text)
	}
}
