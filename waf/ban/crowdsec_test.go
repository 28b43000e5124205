package ban_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/waf/ban"
)

// listed is what cscli decisions list -o json prints: alerts with their decisions.
const listed = `[
 {"capacity":5,"created_at":"2026-03-01T11:59:00Z","decisions":[
   {"duration":"3h59m55s","id":1,"origin":"crowdsec","scenario":"crowdsecurity/http-probing","scope":"Ip","simulated":false,"type":"ban","value":"192.0.2.7"}],
  "events":null,"events_count":6,"id":1,"labels":null,"leakspeed":"10s","machine_id":"m","message":"Ip 192.0.2.7 performed 'crowdsecurity/http-probing'",
  "scenario":"crowdsecurity/http-probing","scenario_hash":"x","simulated":false,"source":{"as_name":"x","as_number":"64500","cn":"DE","ip":"192.0.2.7","scope":"Ip","value":"192.0.2.7"},"start_at":"2026-03-01T11:59:00Z"},
 {"decisions":[
   {"duration":"23h0m0.5s","id":2,"origin":"cscli","scenario":"manual 'ban' from 'localhost'","scope":"Range","type":"ban","value":"198.51.100.0/24"},
   {"duration":"1h","id":3,"origin":"cscli","scenario":"s","scope":"AS","type":"captcha","value":"64501"},
   {"duration":"1h","id":4,"origin":"cscli","scenario":"s","scope":"Country","type":"ban","value":"kp"},
   {"duration":"1h","id":5,"origin":"cscli","scenario":"s","scope":"username","type":"ban","value":"ann"},
   {"duration":"1h","id":6,"origin":"crowdsec","scenario":"s","scope":"Ip","type":"ban","value":"192.0.2.8","simulated":true},
   {"duration":"-5s","id":7,"origin":"crowdsec","scenario":"s","scope":"Ip","type":"ban","value":"192.0.2.9"},
   {"duration":"1h","id":8,"origin":"crowdsec","scenario":"s","scope":"Ip","type":"ban","value":"2001:db8::1"}]}]`

func TestParseDecisions(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	d, err := ban.ParseDecisions([]byte(listed), at)
	if err != nil || d.Skipped != 2 || len(d.Ended) != 0 {
		t.Fatalf("ParseDecisions() = %+v, %v", d, err)
	}
	var got []string
	for _, b := range d.Bans {
		got = append(got, fmt.Sprintf("%s %s", b.Subject, b.Until.Sub(at)))
	}
	if want := "192.0.2.7 3h59m55s; 198.51.100.0/24 23h0m0.5s; as:64501 1h0m0s; country:KP 1h0m0s; 2001:db8::1/128 1h0m0s"; strings.Join(got, "; ") != want {
		t.Errorf("bans %s\nwant %s", strings.Join(got, "; "), want)
	}
	if b := d.Bans[0]; b.Reason != "crowdsecurity/http-probing" || b.By != ban.CrowdSec {
		t.Errorf("ban %+v", b)
	}
	for _, tt := range []struct {
		name, src string
		bans      int // -1: an error
	}{
		{"nothing", "", 0},
		{"none, as cscli says it", "null", 0},
		{"none", "[]", 0},
		{"none of a stream", `{"deleted":null,"new":null}`, 0},
		{"the local API", `[{"duration":"1h","id":1,"origin":"CAPI","scenario":"s","scope":"Ip","type":"ban","value":"192.0.2.7"}]`, 1},
		{"an end instead of a duration", `[{"until":"2026-03-01T13:00:00Z","scope":"Ip","type":"ban","value":"192.0.2.7"}]`, 1},
		{"an error in JSON", `{"message":"access forbidden"}`, -1},
		{"text", "No active decisions", -1},
		{"cut", listed[:200], -1},
		{"no value", `[{"duration":"1h"}]`, -1},
		{"no duration", `[{"scope":"Ip","value":"192.0.2.7"}]`, -1},
		{"a duration that is none", `[{"scope":"Ip","value":"192.0.2.7","duration":"soon"}]`, -1},
		{"an address that is none", `[{"scope":"Ip","value":"192.0.2","duration":"1h"}]`, -1},
		{"all addresses", `[{"scope":"Range","value":"0.0.0.0/0","duration":"1h"}]`, -1},
	} {
		d, err := ban.ParseDecisions([]byte(tt.src), at)
		if (err != nil) != (tt.bans < 0) || err == nil && len(d.Bans) != tt.bans {
			t.Errorf("%s: %+v, %v", tt.name, d, err)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]string{
		"3h59m55s": "3h59m55s", "3h59m55.123456789s": "3h59m55.123456789s", "-5m": "-5m0s", "0s": "0s", "7d": "168h0m0s", "1d12h": "36h0m0s", "-1d": "-24h0m0s",
		"876000h": "876000h0m0s", "99999999h": "876000h0m0s", "4294967295d": "876000h0m0s", "8760000h30m0s": "876000h0m0s",
		"": "", "soon": "", "1": "", "1d1d": "", "d": "", "+1h": "", "--1h": "", "1h-1m": "", "1.5d": "", "1d-1h": "", "1y": "",
	} {
		d, err := ban.ParseDuration(text)
		if (err == nil) != (want != "") || err == nil && d.String() != want {
			t.Errorf("ParseDuration(%q) = %s, %v, want %q", text, d, err, want)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"3h59m55s", "-1d12h", "99999999999h", "1h1m1.5s", "0", "-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ban.ParseDuration(text)
		if err != nil {
			return
		}
		if again, err := ban.ParseDuration(d.String()); err != nil || again != d {
			t.Fatalf("%q is %s, and again %s, %v", text, d, again, err)
		}
		if plain, err := time.ParseDuration(text); err == nil && d != plain && plain.Abs() < 100*365*24*time.Hour {
			t.Fatalf("%q is %s, and for time %s", text, d, plain)
		}
	})
}

func FuzzParseDecisions(f *testing.F) {
	for _, s := range []string{listed, "null", `{"new":[{"scope":"Ip","value":"192.0.2.7","duration":"1h"}],"deleted":[{"scope":"Range","value":"::/1"}]}`, "[{}]", "{"} {
		f.Add([]byte(s))
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, src []byte) {
		d, err := ban.ParseDecisions(src, at)
		if err != nil {
			return
		}
		for _, b := range d.Bans {
			if s, err := ban.ParseSubject(b.Subject.String()); err != nil || s != b.Subject || !b.Until.After(at) {
				t.Fatalf("ban %+v, %v", b, err)
			}
		}
	})
}

func TestBouncerReadsAFile(t *testing.T) {
	w := newWorld(t, databases[0].dsn(t))
	file := filepath.Join(t.TempDir(), "decisions.json")
	b := &ban.Bouncer{Bans: w.bans, File: file}
	if err := b.Load(); err == nil {
		t.Error("a file that is not there was read")
	}
	write := func(src string, written time.Time) {
		t.Helper()
		if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, written, written); err != nil {
			t.Fatal(err)
		}
	}
	write(listed, w.clock.Now().Add(-2*time.Hour)) // what is left counts from then
	if err := b.Load(); err != nil {
		t.Fatal(err)
	}
	if !banned(w.bans, "192.0.2.7", ban.FromFile) || banned(w.bans, "192.0.2.7") {
		t.Error("the file's bans are not those of their source")
	}
	if _, yes := w.bans.Of(ringwall.Client{Country: "KP"}, ban.FromFile); yes {
		t.Error("a ban that ended an hour ago holds")
	}
	write("[", w.clock.Now())
	if err := b.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), file) || !banned(w.bans, "192.0.2.7", ban.FromFile) {
		t.Errorf("a broken file: %v", err)
	}
	write("[]", w.clock.Now().Add(time.Second))
	if err := b.Refresh(t.Context()); err != nil || banned(w.bans, "192.0.2.7", ban.FromFile) || b.Checked().IsZero() {
		t.Errorf("an empty list: %v", err)
	}
}

// lapi answers as CrowdSec's local API does: the whole list at startup, then what
// changed since the last time.
type lapi struct {
	t       *testing.T
	answers []string // by the next question; "" is a server that is away
	asked   []string
}

func (l *lapi) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Api-Key") != "hush" {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"message":"access forbidden"}`)
		return
	}
	if r.URL.Path != "/v1/decisions/stream" || r.URL.Query().Get("scopes") != "ip,range,country,as" || r.Header.Get("User-Agent") == "" {
		l.t.Errorf("asked %s", r.URL)
	}
	l.asked = append(l.asked, r.URL.Query().Get("startup"))
	next := l.answers[0]
	l.answers = l.answers[1:]
	if next == "" {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, next)
}

func TestBouncerAsksTheLocalAPI(t *testing.T) {
	w := newWorld(t, databases[0].dsn(t))
	one := `{"duration":"3h59m55.7s","id":1,"origin":"CAPI","scenario":"crowdsecurity/ssh-bf","scope":"Ip","type":"ban","value":"192.0.2.1"}`
	two := `{"duration":"1h","id":2,"origin":"cscli","scenario":"manual","scope":"Range","type":"ban","value":"192.0.2.128/25"}`
	three := `{"duration":"1h","id":3,"origin":"cscli","scenario":"manual","scope":"Ip","type":"ban","value":"192.0.2.3"}`
	api := &lapi{t: t, answers: []string{
		`{"deleted":[` + three + `],"new":[` + one + `]}`,
		`{"deleted":null,"new":[` + two + `]}`,
		`{"deleted":[` + strings.Replace(one, "3h59m55.7s", "-1m", 1) + `],"new":null}`,
		``,
		`{"deleted":[],"new":[` + three + `]}`,
		`{"deleted":[` + strings.Replace(three, `"ban"`, `"captcha"`, 1) + `],"new":[]}`,
	}}
	srv := httptest.NewServer(api)
	defer srv.Close()
	key := "wrong"
	b := &ban.Bouncer{Bans: w.bans, URL: srv.URL + "/", Key: func() (string, error) { return key, nil }}
	if err := b.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "does not take the bouncer's key") || strings.Contains(err.Error(), key) {
		t.Errorf("a wrong key: %v", err)
	}
	key = "hush"
	for i, want := range []string{"192.0.2.1", "192.0.2.1 192.0.2.200", "192.0.2.200", "! 192.0.2.200", "192.0.2.3", "192.0.2.3"} {
		err := b.Refresh(t.Context())
		want, bad := strings.CutPrefix(want, "! ")
		if (err != nil) != bad {
			t.Errorf("%d: %v", i, err)
		}
		var got []string
		for _, a := range []string{"192.0.2.1", "192.0.2.3", "192.0.2.200"} {
			if banned(w.bans, a, ban.FromLAPI) {
				got = append(got, a)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%d: banned are %v, want %s", i, got, want)
		}
	}
	if got := strings.Join(api.asked, " "); got != "true false false false true false" {
		t.Errorf("asked for the whole list: %s", got)
	}
	w.clock.move(4 * time.Hour)
	if banned(w.bans, "192.0.2.3", ban.FromLAPI) {
		t.Error("a ban outlives its duration")
	}
}
