package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall/server/bench"
)

// asTarget makes this program a target, as the command bench makes itself one.
const asTarget = "RINGWALL_BENCH_TARGET"

func TestMain(m *testing.M) {
	if os.Getenv(asTarget) == "" {
		os.Exit(m.Run())
	}
	t := bench.Target{In: os.Stdin, Out: os.Stdout}
	for i := 1; i+1 < len(os.Args); i += 2 {
		switch os.Args[i] {
		case "--kind":
			t.Kind = bench.Kind(os.Args[i+1])
		case "--upstream":
			t.Upstream = os.Args[i+1]
		case "--data":
			t.Data = os.Args[i+1]
		case "--dialect":
			t.Dialects = strings.Split(os.Args[i+1], ",")
		}
	}
	if err := bench.RunTarget(context.Background(), t); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestEveryCellIsMeasured(t *testing.T) {
	t.Setenv(asTarget, "1")
	var last, total int
	r, err := bench.Run(t.Context(), bench.Options{
		Target: []string{os.Args[0]}, Duration: 60 * time.Millisecond, Rounds: 1, Concurrency: 4, Rate: 100,
		Progress: func(done, of int, _ string) { last, total = done, of },
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 * len(bench.Scenarios) * 3; len(r.Cells) != want || last != want || total != want {
		t.Errorf("%d cells, progress %d of %d: want %d", len(r.Cells), last, total, want)
	}
	for _, c := range r.Cells {
		if c.Rate <= 0 || c.P50 <= 0 || c.P99 < c.P50 || c.Ratio <= 0 {
			t.Errorf("cell %+v: want a rate and latencies", c)
		}
		if c.Target == bench.Ringwall && c.Allocs < 1 {
			t.Errorf("cell %+v: want allocations", c)
		}
	}
	for _, s := range r.Starts {
		if s.Ready <= 0 {
			t.Errorf("start %+v: want a time", s)
		}
	}
	for _, g := range r.Goals {
		if !g.Measured && !strings.Contains(g.Name, "CPU") && !strings.Contains(g.Name, "memory") {
			t.Errorf("goal %q was not measured", g.Name)
		}
	}
	var text bytes.Buffer
	if err := r.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"unary-1k", "stream-8k", "direct", "time until ready", "fixed rate: 100 requests/s"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the tables do not say %q:\n%s", want, &text)
		}
	}
	if _, err := json.Marshal(r); err != nil {
		t.Errorf("the report has no JSON: %v", err)
	}
}

func TestDialectsAreHeldAgainstTheFirst(t *testing.T) {
	t.Setenv(asTarget, "1")
	r, err := bench.Run(t.Context(), bench.Options{
		Target: []string{os.Args[0]}, Duration: 50 * time.Millisecond, Rounds: 1, Concurrency: 4, Rate: 100,
		Dialects: []string{"all"},
	})
	if err != nil {
		t.Fatal(err)
	}
	names := bench.Dialects()
	if len(r.Added) != len(names) || len(r.Goals) != len(names)-1 || len(r.Cells) != 2*2*3*len(names) {
		t.Errorf("%d dialects, %d goals, %d cells", len(r.Added), len(r.Goals), len(r.Cells))
	}
	for i, a := range r.Added {
		if a.Dialect != names[i] || a.P50 == 0 || i == 0 && (a.StreamRatio != 1 && a.StreamRatio != -1) {
			t.Errorf("dialect %d: %+v", i, a)
		}
	}
	var text bytes.Buffer
	if err := r.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.Count(text.String(), name+" ") < 5 { // in the tables, and in what it adds
			t.Errorf("the tables do not say %q:\n%s", name, &text)
		}
	}
	if _, err := json.Marshal(r); err != nil {
		t.Errorf("the report has no JSON: %v", err)
	}
}

func TestWrongOptionsAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    bench.Options
	}{
		{"no target", bench.Options{}},
		{"too many connections", bench.Options{Target: []string{"x"}, Concurrency: 5000}},
		{"too long", bench.Options{Target: []string{"x"}, Duration: time.Hour}},
		{"an unknown scenario", bench.Options{Target: []string{"x"}, Only: []string{"binary"}}},
		{"an unknown dialect", bench.Options{Target: []string{"x"}, Dialects: []string{"morse"}}},
		{"an unknown mode", bench.Options{Target: []string{"x"}, Modes: []bench.Mode{"idle"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := bench.Run(t.Context(), tt.o); !errors.Is(err, bench.ErrOptions) {
				t.Errorf("Run: %v, want ErrOptions", err)
			}
		})
	}
	if _, err := bench.Run(t.Context(), bench.Options{Target: []string{"./no-such-program"}}); err == nil {
		t.Error("a target that is not there was measured")
	}
}
