package audit_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
)

// typical is the end of an exchange as the gateway records it: about 1.2 kB.
func typical() ringwall.Event {
	looks := []string{"inference/secret", "inference/pii", "inference/prompt-attack", "inference/topic"}
	e := ringwall.Event{
		ID: "01JH2Q5W8M3N4P5R6S7T8V9X0Y", Time: time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC),
		Principal: ringwall.Principal{ID: "key_7f3a9c", Tenant: "checkout", Trust: ringwall.Customer, Via: "key"},
		Dialect:   "openai", Route: "/v1/chat/completions", Model: "small", Provider: "upstream", Stream: true,
		Guardrail: "default@draft",
		Verdict:   &ringwall.Verdict{Action: ringwall.Mask, Reasons: []string{"email"}},
		Findings: []ringwall.Finding{{
			Control: "inference/pii", Reason: "email", Severity: ringwall.Medium, Score: 0.99,
			Where: ringwall.Span{Start: 17, End: 34}, Path: "/messages/1/content",
		}},
		Texts: []ringwall.Digest{
			{Path: "/messages/0/content", Origin: ringwall.System, Length: 412, Hash: "00112233445566778899aabbccddeeff"},
			{Path: "/messages/1/content", Origin: ringwall.User, Length: 88, Hash: "ffeeddccbbaa99887766554433221100"},
		},
		Usage: &ringwall.Usage{InputTokens: 321, OutputTokens: 123}, Status: 200, Duration: 1234567, Outcome: ringwall.Answered,
	}
	for _, c := range looks {
		e.Looks = append(e.Looks, ringwall.Look{Control: c, State: ringwall.Ran})
	}
	return e
}

func promise() ringwall.Event {
	e := typical()
	return ringwall.Event{ID: e.ID, Time: e.Time, Principal: e.Principal, Dialect: e.Dialect, Route: e.Route, Model: e.Model}
}

// BenchmarkBeginEnd is what one exchange costs: two entries.
func BenchmarkBeginEnd(b *testing.B) {
	for _, fsync := range []audit.Fsync{audit.FsyncNever, audit.FsyncInterval, audit.FsyncAlways} {
		b.Run(string(fsync), func(b *testing.B) {
			l := open(b, audit.Config{Fsync: fsync})
			first, last := promise(), typical()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.Begin(b.Context(), first); err != nil {
					b.Fatal(err)
				}
				if err := l.End(b.Context(), last); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkShareFsync shows what many callers pay when they share an fsync.
func BenchmarkShareFsync(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(strconv.Itoa(callers), func(b *testing.B) {
			l := open(b, audit.Config{})
			e := promise()
			b.SetParallelism(callers)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := l.Begin(b.Context(), e); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkDigest(b *testing.B) {
	l := open(b, audit.Config{})
	text := string(make([]byte, 2000))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		l.Digest("/messages/0", ringwall.Input, ringwall.User, text)
	}
}

// BenchmarkIndex is what an entry costs in the background.
func BenchmarkIndex(b *testing.B) {
	l := open(b, audit.Config{Fsync: audit.FsyncNever})
	first, last := promise(), typical()
	n := 0
	for b.Loop() {
		b.StopTimer()
		for range 500 {
			n++
			first.ID = "01JH2Q5W8M3N4P5R6S7T" + strconv.Itoa(n)
			last.ID = first.ID
			if _, err := l.Begin(b.Context(), first); err != nil {
				b.Fatal(err)
			}
			if err := l.End(b.Context(), last); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		if _, err := l.Query(b.Context(), audit.Filter{Limit: 1}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/entry")
}

func BenchmarkVerify(b *testing.B) {
	dir := b.TempDir()
	l := open(b, audit.Config{Dir: dir, Fsync: audit.FsyncNever})
	e := typical()
	for range 20_000 {
		if err := l.End(b.Context(), e); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(verified(b, dir).Bytes)
	b.ReportAllocs()
	for b.Loop() {
		verified(b, dir)
	}
}

// The way of every call may not become dearer unnoticed.
func TestBeginAllocates(t *testing.T) {
	l := open(t, audit.Config{Fsync: audit.FsyncNever})
	e := typical()
	got := testing.AllocsPerRun(500, func() {
		if err := l.End(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	})
	if got > 1 {
		t.Errorf("End allocates %v times, want at most once", got)
	}
}
