package audit_test

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
)

// written puts an event into a log and returns its bytes from the segment.
func written(t testing.TB, l *audit.Log, e ringwall.Event) (audit.Entry, []byte) {
	t.Helper()
	if err := l.End(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	got, err := l.Query(t.Context(), audit.Filter{Limit: 1})
	if err != nil || len(got) != 1 {
		t.Fatalf("Query() = %d entries, %v", len(got), err)
	}
	_, rest, _ := bytes.Cut(got[0].Line, []byte(`,"event":`))
	return got[0], rest[:bytes.LastIndex(rest, []byte(`,"hash":`))]
}

// standard is an event as encoding/json writes it.
func standard(t testing.TB, e ringwall.Event) string {
	t.Helper()
	e.Time = e.Time.UTC()
	e.Kind = ringwall.ExchangeEnd
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// fill sets every field that v has, so that a field that is added to an Event
// and forgotten here does not stay unnoticed.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("a \"quoted\\\"\n\x01 <b>&\u2028 ä\xff text of " + v.Type().Name())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(-1234567)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(0.25)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 2, 3, 4, 5, 6, 700, time.FixedZone("x", 3600))))
			return
		}
		for _, field := range v.Fields() {
			fill(field)
		}
	default:
		panic("an Event has a field of a kind that this test does not know: " + v.Kind().String())
	}
}

func TestEveryFieldIsWritten(t *testing.T) {
	l := open(t, audit.Config{KeepText: true})
	var full ringwall.Event
	fill(reflect.ValueOf(&full).Elem())
	empty := ringwall.Event{ID: "x", Time: full.Time}
	for _, tt := range []struct {
		name string
		e    ringwall.Event
	}{{"all fields set", full}, {"none set", empty}} {
		t.Run(tt.name, func(t *testing.T) {
			entry, got := written(t, l, tt.e)
			want := standard(t, tt.e)
			if string(got) != want {
				t.Errorf("written:\n%s\nwant, as encoding/json has it:\n%s", got, want)
			}
			var back ringwall.Event
			if err := json.Unmarshal([]byte(want), &back); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(entry.Event, back) {
				t.Errorf("read back:\n%+v\nwant:\n%+v", entry.Event, back)
			}
		})
	}
}

func TestNumbersThatJSONDoesNotHave(t *testing.T) {
	l := open(t, audit.Config{})
	for _, score := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		e, _ := written(t, l, ringwall.Event{ID: "x", Findings: []ringwall.Finding{{Control: "c", Score: score}}})
		if e.Event.Findings[0].Score != 0 || e.Event.Findings[0].Control != "c" {
			t.Errorf("a score of %v came back as %+v", score, e.Event.Findings)
		}
	}
}

func FuzzEventsAreWrittenAsJSONWritesThem(f *testing.F) {
	f.Add("id", "detail \x00\x7f\u2029\xc3(", 1e-7, int64(0))
	f.Add("\"", "\\u0000\xed\xa0\x80", 1e21, int64(1<<40))
	f.Add("😀", "</script>", -123456.789e-10, int64(-1))
	l := open(f, audit.Config{Fsync: audit.FsyncNever})
	f.Fuzz(func(t *testing.T, id, detail string, score float64, n int64) {
		if id == "" || math.IsNaN(score) || math.IsInf(score, 0) {
			return
		}
		e := ringwall.Event{
			ID: id, Detail: detail, Time: time.Unix(n%(1<<37), n), Duration: time.Duration(n),
			Findings: []ringwall.Finding{{Reason: detail, Score: score}},
		}
		if _, got := written(t, l, e); string(got) != standard(t, e) {
			t.Errorf("written:\n%s\nwant:\n%s", got, standard(t, e))
		}
	})
}

const secret = "the patient's name is Erika Mustermann"

func TestTextStaysOutUnlessKept(t *testing.T) {
	for _, tt := range []struct {
		name string
		keep bool
	}{{"by default", false}, {"when it is kept", true}} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			l := open(t, audit.Config{Dir: dir, KeepText: tt.keep})
			d := l.Digest("/messages/0", ringwall.Input, ringwall.User, secret)
			forced := d
			forced.Text = secret // by a caller who does not know the setting
			if err := l.End(t.Context(), ringwall.Event{ID: "x", Texts: []ringwall.Digest{d, forced}}); err != nil {
				t.Fatal(err)
			}
			if kept := bytes.Contains(read(t, segmentPath(dir, 1)), []byte(secret)); kept != tt.keep || (d.Text != "") != tt.keep {
				t.Errorf("the text is in the log: %v, in the digest: %q", kept, d.Text)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	dir := t.TempDir()
	l := open(t, audit.Config{Dir: dir})
	d := l.Digest("/messages/0", ringwall.Input, ringwall.User, secret)
	want := ringwall.Digest{Path: "/messages/0", Way: ringwall.Input, Origin: ringwall.User, Length: len(secret), Hash: d.Hash}
	if d != want || len(d.Hash) != 32 {
		t.Errorf("Digest() = %+v, want %+v with 32 digits", d, want)
	}
	long := strings.Repeat("x", 10_000)
	for _, other := range []string{"", secret + "!", long, long + "x"} {
		if o := l.Digest("", ringwall.Input, ringwall.User, other); o.Hash == d.Hash || o.Length != len(other) {
			t.Errorf("Digest(%.10q) = %+v", other, o)
		}
	}
	elsewhere := open(t, audit.Config{})
	if o := elsewhere.Digest("", ringwall.Input, ringwall.User, secret); o.Hash == d.Hash {
		t.Error("another installation has the same hash: it is not keyed")
	}
	closeLog(t, l)
	l = open(t, audit.Config{Dir: dir})
	if o := l.Digest("/other", ringwall.Output, ringwall.Tool, secret); o.Hash != d.Hash {
		t.Error("the same text has another hash after the log was opened again")
	}
}
