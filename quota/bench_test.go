package quota_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ringwall/ringwall/internal/valkeytest"
	"github.com/ringwall/ringwall/quota"
)

// four are the limits of a usual configuration.
func four() []quota.Limit {
	month := limit("month", quota.Tokens, 1<<50, quota.Tenant)
	month.Window = quota.Window{Calendar: quota.Month, Zone: time.UTC}
	return []quota.Limit{
		limit("all", quota.Requests, 1<<50), month, limit("key", quota.Requests, 1<<50, quota.Key), limit("model", quota.Tokens, 1<<50, quota.Principal, quota.Model),
	}
}

func BenchmarkReserveAndSettle(b *testing.B) {
	for _, callers := range []int{1, 10_000} {
		b.Run(fmt.Sprintf("memory/%d-callers", callers), func(b *testing.B) {
			bench(b, plan(b, newQuota(b, quota.Config{}), four()...), callers)
		})
	}
	b.Run("valkey/1-callers", func(b *testing.B) {
		s := valkeytest.Start(b, valkeytest.Options{})
		bench(b, plan(b, newQuota(b, quota.Config{Shared: shared(b, s, false, 0)}), four()...), 1)
	})
}

func bench(b *testing.B, p *quota.Plan, callers int) {
	claims := make([]*quota.Claim, callers)
	for i := range claims {
		claims[i] = claim("acme", fmt.Sprint("person-", i))
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			l, err := p.Reserve(context.Background(), claims[i%callers])
			if err != nil {
				b.Error(err)
				return
			}
			l.Settle(context.Background(), tokens(10, 50))
		}
	})
}

func BenchmarkLoops(b *testing.B) {
	l := quota.NewLoops(quota.LoopConfig{Repeats: 1 << 30})
	texts := conversation(20)
	b.ReportAllocs()
	for b.Loop() {
		l.Look("a", texts)
	}
}
