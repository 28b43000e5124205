package gateway

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/auth"
	"github.com/ringwall/ringwall/guard"
	"github.com/ringwall/ringwall/internal/db"
	"github.com/ringwall/ringwall/policy"
	"github.com/ringwall/ringwall/quota"
)

// plainAsk is a request of one text.
type plainAsk struct{ Request }

func (plainAsk) Texts() []ringwall.Text      { return nil }
func (plainAsk) Unseen() []string            { return nil }
func (plainAsk) MostTokens() int64           { return 256 }
func (plainAsk) Edit([]guard.Changed) []byte { return []byte(`{}`) }

// named is a dialect that has a name, too.
type named struct{ shown }

func (named) Name() string { return "openai" }

// What it costs to know the caller, to set aside what the request may use, to ask the
// starter policies whether it may, and to settle: with a narrowed key and four limits,
// two of them of tokens. It prints the median beside the mean; the aim is 60 µs.
func BenchmarkCallers(b *testing.B) {
	d, err := db.Open(b.Context(), db.Config{DSN: filepath.Join(b.TempDir(), "keys.db")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { d.Close() })
	keys, err := auth.Open(b.Context(), auth.Config{DB: d})
	if err != nil {
		b.Fatal(err)
	}
	key, _, err := keys.Create(b.Context(), auth.Spec{
		Name: "shop", Tenant: "nordwind", Trust: ringwall.Customer, Scopes: []string{"ask-model", "model:gpt-*"},
		From: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	})
	if err != nil {
		b.Fatal(err)
	}
	bundle, err := policy.Parse(policy.Example(), policy.Options{})
	if err != nil {
		b.Fatal(err)
	}
	q, err := quota.New(b.Context(), quota.Config{})
	if err != nil {
		b.Fatal(err)
	}
	hour := quota.Window{Length: time.Hour}
	plan, err := q.Plan([]quota.Limit{
		{Name: "all", Measure: quota.Requests, Most: 1 << 50, Window: hour},
		{Name: "month", Measure: quota.Tokens, Most: 1 << 50, By: []quota.Dimension{quota.Tenant}, Window: quota.Window{Calendar: quota.Month, Zone: time.UTC}},
		{Name: "key", Measure: quota.Requests, Most: 1 << 50, By: []quota.Dimension{quota.Key}, Window: hour},
		{Name: "model", Measure: quota.Tokens, Most: 1 << 50, By: []quota.Dimension{quota.Principal, quota.Model}, Window: hour},
	})
	if err != nil {
		b.Fatal(err)
	}
	g := &Gateway{cfg: Config{Auth: &auth.Callers{Keys: keys}, Now: time.Now}}
	world := &lease{World: &World{Policy: bundle, Quota: plan}}
	r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", nil)
	r.Header.Set("Authorization", "Bearer "+key)
	ctx := ringwall.WithClient(context.Background(), ringwall.Client{Addr: netip.MustParseAddr("192.0.2.7")})
	took := make([]time.Duration, 0, 1<<20)
	b.ReportAllocs()
	for b.Loop() {
		x := &exchange{g: g, d: named{}, r: r, w: httptest.NewRecorder(), world: world, req: plainAsk{}}
		x.Model, x.Provider, x.Route, x.Dialect = "gpt-5", "openai", "/v1/chat/completions", "openai"
		start := time.Now()
		if err := x.identify(ctx); err != nil {
			b.Fatal(err)
		}
		if err := x.afford(ctx); err != nil {
			b.Fatal(err)
		}
		if err := x.may(ctx, AskModel); err != nil {
			b.Fatal(err)
		}
		x.repay()
		if took = append(took, time.Since(start)); len(took) == cap(took) {
			took = took[:0]
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1000, "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1000, "p99-µs")
}
