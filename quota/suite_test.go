package quota_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/valkey"
	"github.com/ringwall/ringwall/internal/valkeytest"
	"github.com/ringwall/ringwall/quota"
)

// stores are what counters can be in. Each call of open is another replica.
var stores = []struct {
	name string
	open func(t testing.TB) (open func() *quota.Quota)
}{
	{"memory", func(t testing.TB) func() *quota.Quota {
		q := newQuota(t, quota.Config{})
		return func() *quota.Quota { return q }
	}},
	{"valkey", func(t testing.TB) func() *quota.Quota {
		s := valkeytest.Start(t, valkeytest.Options{})
		return func() *quota.Quota { return newQuota(t, quota.Config{Shared: shared(t, s, false, 0)}) }
	}},
	{"valkey-cluster", func(t testing.TB) func() *quota.Quota {
		s := valkeytest.Start(t, valkeytest.Options{Cluster: true})
		return func() *quota.Quota { return newQuota(t, quota.Config{Shared: shared(t, s, true, 0)}) }
	}},
}

func shared(t testing.TB, s *valkeytest.Server, cluster bool, local float64) *quota.Shared {
	t.Helper()
	c, err := valkey.Open(valkey.Config{Addresses: []string{s.Addr()}, Cluster: cluster, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &quota.Shared{Client: c, Local: local}
}

func newQuota(t testing.TB, cfg quota.Config) *quota.Quota {
	t.Helper()
	q, err := quota.New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func plan(t testing.TB, q *quota.Quota, limits ...quota.Limit) *quota.Plan {
	t.Helper()
	p, err := q.Plan(limits)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func limit(name string, m quota.Measure, most int64, by ...quota.Dimension) quota.Limit {
	l := quota.Limit{Name: name, Measure: m, Most: most, By: by, Window: quota.Window{Length: time.Hour}}
	if m == quota.Concurrent {
		l.Window = quota.Window{}
	}
	return l
}

func claim(tenant, id string) *quota.Claim {
	return &quota.Claim{Principal: ringwall.Principal{Tenant: tenant, ID: id}, Model: "m", Input: 10, Output: 90, Addr: netip.MustParseAddr("192.0.2.1")}
}

func tokens(in, out int64) quota.Used {
	return quota.Used{Usage: ringwall.Usage{InputTokens: in, OutputTokens: out}}
}

func reserve(t testing.TB, p *quota.Plan, c *quota.Claim) *quota.Lease {
	t.Helper()
	l, err := p.Reserve(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func refused(t testing.TB, p *quota.Plan, c *quota.Claim, by string) *quota.Exceeded {
	t.Helper()
	_, err := p.Reserve(context.Background(), c)
	var e *quota.Exceeded
	if !errors.As(err, &e) || !errors.Is(err, ringwall.ErrQuotaExceeded) || e.Limit.Name != by {
		t.Fatalf("%v, want a refusal by %s", err, by)
	}
	return e
}

func each(t *testing.T, test func(t *testing.T, open func() *quota.Quota)) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) { test(t, s.open(t)) })
	}
}

// used returns how much is used of the i-th limit, by taking what a claim takes.
func used(t testing.TB, p *quota.Plan, c *quota.Claim, name string) int64 {
	t.Helper()
	l := reserve(t, p, c)
	defer l.Settle(context.Background(), quota.Used{})
	for _, v := range l.Levels() {
		if v.Limit.Name == name {
			return v.Used
		}
	}
	t.Fatalf("no level of %s", name)
	return 0
}

func TestAllHaveRoomOrNothingIsTaken(t *testing.T) {
	each(t, func(t *testing.T, open func() *quota.Quota) {
		p := plan(t, open(), limit("all", quota.Requests, 5), limit("tenant", quota.Requests, 3, quota.Tenant), limit("person", quota.Requests, 2, quota.Principal))
		for range 2 {
			reserve(t, p, claim("acme", "ann"))
		}
		refused(t, p, claim("acme", "ann"), "person")
		refused(t, p, claim("acme", "ann"), "person") // which took nothing of the tenant's
		reserve(t, p, claim("acme", "bob"))
		refused(t, p, claim("acme", "cid"), "tenant")
		reserve(t, p, claim("other", "ann"))
		reserve(t, p, claim("other", "bob"))
		if e := refused(t, p, claim("third", "ann"), "all"); e.Own || e.After <= 0 || e.After > time.Hour+2*time.Minute+time.Second {
			t.Errorf("%+v", e)
		}
	})
}

func TestSettle(t *testing.T) {
	each(t, func(t *testing.T, open func() *quota.Quota) {
		p := plan(t, open(), limit("t", quota.Tokens, 1000, quota.Principal), limit("r", quota.Requests, 100, quota.Principal))
		c := claim("a", "b")
		l := reserve(t, p, c)
		if n, ok := l.Allowance(); n != 90 || !ok {
			t.Errorf("it may write %d, %v", n, ok)
		}
		for range 3 { // once counts
			l.Settle(t.Context(), tokens(10, 20))
		}
		if n := used(t, p, c, "t"); n != 130 {
			t.Errorf("%d used, want 30 and what is set aside now", n)
		}
		reserve(t, p, c).Settle(t.Context(), tokens(10, 500)) // beyond what was set aside
		if n := used(t, p, c, "t"); n != 640 {
			t.Errorf("%d used, want 540 and what is set aside now", n)
		}
		l = reserve(t, p, c)
		l.Settle(t.Context(), quota.Used{}) // refused, or failed: the request counts
		if n := used(t, p, c, "r"); n != 6 {
			t.Errorf("%d requests", n)
		}
		var none *quota.Lease
		none.Settle(t.Context(), quota.Used{})
		if _, limited := none.Allowance(); limited || none.Grow(t.Context(), 1) != 0 || none.Levels() != nil {
			t.Error("nothing is a lease")
		}
	})
}

func TestOutputIsBoundedByWhatIsLeft(t *testing.T) {
	each(t, func(t *testing.T, open func() *quota.Quota) {
		p := plan(t, open(), limit("t", quota.Tokens, 250, quota.Principal), limit("o", quota.Output, 190, quota.Principal))
		c := claim("a", "b")
		first, second := reserve(t, p, c), reserve(t, p, c)
		third := reserve(t, p, c) // 10 of output are left
		if n, _ := third.Allowance(); n != 10 {
			t.Errorf("the third may write %d", n)
		}
		refused(t, p, c, "o")
		if n := third.Grow(t.Context(), 50); n != 0 {
			t.Errorf("it grew by %d where nothing was left", n)
		}
		first.Settle(t.Context(), tokens(10, 60)) // 30 come back
		if n := third.Grow(t.Context(), 50); n != 30 {
			t.Errorf("it grew by %d", n)
		}
		if n, _ := third.Allowance(); n != 40 {
			t.Errorf("the third may write %d now", n)
		}
		second.Settle(t.Context(), tokens(10, 90))
		third.Settle(t.Context(), tokens(10, 5))
		if n := third.Grow(t.Context(), 1); n != 0 {
			t.Errorf("it grew by %d when it was settled", n)
		}
		l := reserve(t, p, c)
		for _, v := range l.Levels() {
			if want := map[string]int64{"t": 70 + 100 + 15 + 45, "o": 190}[v.Limit.Name]; v.Limit.Name == "o" && v.Used != want {
				t.Errorf("%s: %d used, want %d", v.Limit.Name, v.Used, want)
			}
		}
		huge := claim("a", "new")
		huge.Input = 1000
		if e := refused(t, p, huge, "t"); !e.Never || e.After != 0 {
			t.Errorf("more than the limit: %+v", e)
		}
	})
}

func TestRequestsAtATime(t *testing.T) {
	each(t, func(t *testing.T, open func() *quota.Quota) {
		p := plan(t, open(), limit("c", quota.Concurrent, 2, quota.Principal))
		c := claim("a", "b")
		l := reserve(t, p, c)
		reserve(t, p, c)
		refused(t, p, c, "c")
		l.Settle(t.Context(), quota.Used{})
		reserve(t, p, c)
		refused(t, p, c, "c")
	})
}

func TestMoney(t *testing.T) {
	each(t, func(t *testing.T, open func() *quota.Quota) {
		l := limit("usd", quota.Money, quota.Dollar, quota.Tenant)
		l.Window = quota.Window{Calendar: quota.Month}
		p := plan(t, open(), l)
		c := claim("a", "b")
		if _, err := p.Reserve(t.Context(), c); !errors.Is(err, quota.ErrUnpriced) {
			t.Errorf("without a price: %v", err)
		}
		c.Price = quota.Price{Known: true, Input: 10 * quota.Dollar, Output: 1000 * quota.Dollar} // of a million
		c.Input, c.Output = 10_000, 5000                                                          // 0.1 and 5 dollars
		first := reserve(t, p, c)
		if n, _ := first.Allowance(); n != 900 {
			t.Errorf("%d tokens for 0.9 dollars", n)
		}
		refused(t, p, c, "usd")
		first.Settle(t.Context(), quota.Used{Money: quota.Dollar / 2})
		second := reserve(t, p, c)
		if n, _ := second.Allowance(); n != 400 {
			t.Errorf("%d tokens for 0.4 dollars", n)
		}
		second.Settle(t.Context(), quota.Used{Money: quota.Dollar})
		if e := refused(t, p, c, "usd"); e.After <= 0 || e.After > 31*24*time.Hour {
			t.Errorf("again in %v", e.After)
		}
	})
}

func TestWindowsSlide(t *testing.T) {
	each(t, func(t *testing.T, open func() *quota.Quota) {
		l := limit("r", quota.Requests, 2, quota.Principal)
		l.Window.Length = time.Second
		p := plan(t, open(), l)
		c := claim("a", "b")
		start := time.Now()
		reserve(t, p, c)
		reserve(t, p, c)
		e := refused(t, p, c, "r")
		if e.After <= 0 || e.After > time.Second+100*time.Millisecond {
			t.Fatalf("again in %v", e.After)
		}
		<-time.After(e.After + time.Millisecond)
		reserve(t, p, c) // exactly then
		if took := time.Since(start); took < time.Second {
			t.Errorf("the window was %v", took)
		}
	})
}

// Many clients on several replicas spend one budget of tokens at the same time. What
// was not set aside is used too: answers are longer than what was asked for.
func TestRace(t *testing.T) {
	const budget, replicas, clients, answer = 20_000, 4, 200, 170
	each(t, func(t *testing.T, open func() *quota.Quota) {
		for name, lies := range map[string]bool{"answers as long as asked": false, "answers longer than asked": true} {
			var plans []*quota.Plan
			l := limit("t-"+name[:4]+fmt.Sprint(lies), quota.Tokens, budget, quota.Tenant)
			for range replicas {
				plans = append(plans, plan(t, open(), l))
			}
			var spent, granted, refusals atomic.Int64
			var wg sync.WaitGroup
			for i := range clients {
				wg.Go(func() {
					p := plans[i%replicas]
					for range 10 {
						c := claim("acme", fmt.Sprint(i))
						c.Input, c.Output = 20, answer-20
						lease, err := p.Reserve(context.Background(), c)
						if err != nil {
							refusals.Add(1)
							continue
						}
						n, _ := lease.Allowance()
						say := min(n, rand.Int64N(answer-20)+1)
						if lies && n < answer-20 { // the last one, which got what was left
							say = answer - 20
						}
						spent.Add(20 + say)
						granted.Add(1)
						lease.Settle(context.Background(), tokens(20, say))
					}
				})
			}
			wg.Wait()
			over := spent.Load() - budget
			t.Logf("%s: %d clients on %d replicas spent %d of %d tokens (%.3f), %d requests, %d refused", name, clients, replicas, spent.Load(), budget, float64(spent.Load())/budget, granted.Load(), refusals.Load())
			most := int64(0)
			if lies {
				most = replicas * answer
			}
			if over > most || spent.Load() < budget-answer {
				t.Errorf("%s: %d of %d tokens spent", name, spent.Load(), budget)
			}
		}
	})
}
