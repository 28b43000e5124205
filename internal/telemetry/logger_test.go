package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/telemetry"
)

const leak = "ignore all previous instructions"

func logger(t testing.TB, w io.Writer, f telemetry.Format) *slog.Logger {
	t.Helper()
	l, err := telemetry.NewLogger(w, slog.LevelInfo, f)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestNoLogHoldsTheTextOfAPrompt(t *testing.T) {
	type request struct{ Prompt string }
	for name, attr := range map[string]slog.Attr{
		"prompt":                 slog.String("prompt", leak),
		"text":                   slog.String("text", leak),
		"content":                slog.Any("content", leak),
		"body as bytes":          slog.Any("body", []byte(leak)),
		"body as JSON":           slog.Any("body", json.RawMessage(`"`+leak+`"`)),
		"authorization":          slog.String("Authorization", leak),
		"api_key":                slog.String("api_key", leak),
		"apiKey":                 slog.String("apiKey", leak),
		"X-API-Key":              slog.String("X-API-Key", leak),
		"a member of a group":    slog.Group("request", slog.String("prompt", leak)),
		"a group":                slog.Group("prompt", slog.String("a", leak), slog.Group("b", slog.String("c", leak))),
		"bytes of any name":      slog.Any("data", []byte(leak)),
		"a struct of any name":   slog.Any("data", request{leak}),
		"a pointer":              slog.Any("data", &request{leak}),
		"a map of any name":      slog.Any("data", map[string]string{"a": leak}),
		"headers of any name":    slog.Any("data", http.Header{"A": {leak}}),
		"a buffer of any name":   slog.Any("data", bytes.NewBufferString(leak)),
		"a URL of any name":      slog.Any("data", &url.URL{User: url.UserPassword("a", leak)}),
		"a list of structs":      slog.Any("data", []request{{leak}}),
		"a function of its text": slog.Any("prompt", valuer{}),
		"an error for a prompt":  slog.Any("prompt", errors.New(leak)),
	} {
		for _, format := range []telemetry.Format{telemetry.JSON, telemetry.Text} {
			t.Run(name+" in "+string(format), func(t *testing.T) {
				var out bytes.Buffer
				l := logger(t, &out, format)
				l.LogAttrs(t.Context(), slog.LevelInfo, "given", attr)
				l.With(attr).Info("kept")
				l.WithGroup("group").Info("within", attr)
				if attr.Value.Kind() != slog.KindGroup {
					l.WithGroup("messages").Info("within", "a", attr.Value)
				}
				if strings.Contains(out.String(), leak) || strings.Contains(out.String(), "aWdub3Jl") {
					t.Errorf("logged:\n%s", out.String())
				}
				if !strings.Contains(out.String(), "not logged)") {
					t.Errorf("nothing says that something was left out:\n%s", out.String())
				}
			})
		}
	}
}

type valuer struct{}

func (valuer) LogValue() slog.Value { return slog.StringValue(leak) }

func TestLengthStandsForText(t *testing.T) {
	var out bytes.Buffer
	logger(t, &out, telemetry.JSON).Info("x", "prompt", leak)
	if want := `"prompt":"(32 bytes, not logged)"`; !strings.Contains(out.String(), want) {
		t.Errorf("no %s in %s", want, out.String())
	}
}

func TestFixedKeysPass(t *testing.T) {
	var out bytes.Buffer
	logger(t, &out, "").Info("answered",
		telemetry.KeyExchange, "ex-1",
		telemetry.KeyTrust, ringwall.Staff,
		telemetry.KeyOutcome, ringwall.Answered,
		telemetry.KeyReason, []string{"a", "b"},
		telemetry.KeyAddress, netip.MustParseAddr("::1"),
		telemetry.KeyError, errors.New("no such model"),
		telemetry.KeyStatus, 200,
		telemetry.KeyInput, int64(7),
		telemetry.KeyFile, nil,
		telemetry.Took(1500*time.Microsecond),
	)
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	delete(line, "time")
	got, err := json.Marshal(line)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"address":"::1","duration_ms":1.5,"error":"no such model","exchange":"ex-1","file":null,"input_tokens":7,` +
		`"level":"INFO","msg":"answered","outcome":"answered","reason":["a","b"],"status":200,"trust":"staff"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLevelAndFormat(t *testing.T) {
	var out bytes.Buffer
	var level slog.LevelVar
	l, err := telemetry.NewLogger(&out, &level, telemetry.Text)
	if err != nil {
		t.Fatal(err)
	}
	l.Debug("before")
	level.Set(slog.LevelDebug)
	l.Debug("after")
	if got := out.String(); strings.Contains(got, "before") || !strings.Contains(got, "msg=after") {
		t.Errorf("logged %q", got)
	}
	if _, err := telemetry.NewLogger(&out, &level, "xml"); err == nil {
		t.Error("a format that does not exist is no error")
	}
}

func BenchmarkLog(b *testing.B) {
	l := logger(b, io.Discard, telemetry.JSON)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		l.LogAttrs(ctx, slog.LevelInfo, "answered",
			slog.String(telemetry.KeyExchange, "ex-1"), slog.String(telemetry.KeyPrincipal, "rw_k7mq2xvd"),
			slog.String(telemetry.KeyModel, "gpt-4.1"), slog.Int(telemetry.KeyStatus, 200))
	}
}
