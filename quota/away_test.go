package quota_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/internal/circuit"
	"github.com/ringwall/ringwall/internal/valkeytest"
	"github.com/ringwall/ringwall/quota"
)

// running runs q until the test ends.
func running(t *testing.T, q *quota.Quota) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// until calls f every few milliseconds until it is true.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("not within 20 seconds: " + what)
		}
	}
}

// The server is taken away and given back while many clients on several replicas spend
// one budget. While it is away each replica grants its share of what it knows to be
// left: no more than twice the limit goes out, whatever they know.
func TestServerComesAndGoesUnderLoad(t *testing.T) {
	for _, keeps := range []bool{true, false} {
		t.Run(map[bool]string{true: "it remembers", false: "it forgets"}[keeps], func(t *testing.T) {
			const budget, replicas, clients, size = 300_000, 3, 30, 100
			s := valkeytest.Start(t, valkeytest.Options{Keep: keeps})
			var plans []*quota.Plan
			var stores []*quota.Shared
			for range replicas {
				sh := shared(t, s, false, 1.0/replicas)
				q := newQuota(t, quota.Config{Shared: sh})
				running(t, q)
				stores, plans = append(stores, sh), append(plans, plan(t, q, limit("t", quota.Tokens, budget)))
			}
			var spent, away atomic.Int64
			var gone atomic.Bool
			stop := make(chan struct{})
			var wg sync.WaitGroup
			for i := range clients {
				wg.Go(func() {
					for n := 0; ; n++ {
						select {
						case <-stop:
							return
						default:
						}
						l, err := plans[i%replicas].Reserve(context.Background(), claim("a", fmt.Sprint(i)))
						if err != nil {
							if !errors.Is(err, ringwall.ErrQuotaExceeded) {
								t.Error(err)
								return
							}
							continue
						}
						spent.Add(size)
						if gone.Load() {
							away.Add(size)
						}
						if n%7 > 0 { // some crash before they settle
							l.Settle(context.Background(), tokens(10, 90))
						}
					}
				})
			}
			until(t, "a fifth is spent", func() bool { return spent.Load() >= budget/5 })
			before := spent.Load()
			gone.Store(true)
			s.Stop()
			until(t, "the replicas notice", func() bool { return stores[0].State() != circuit.Closed })
			until(t, "they serve a share", func() bool { return spent.Load() >= before+budget/20 })
			gone.Store(false)
			s.Start()
			until(t, "the replicas notice that it is back", func() bool {
				for _, sh := range stores {
					if sh.State() != circuit.Closed {
						return false
					}
				}
				return true
			})
			until(t, "everything is handed on", func() bool {
				for _, sh := range stores {
					if n, _ := sh.Owed(); n > 0 {
						return false
					}
				}
				return true
			})
			until(t, "the budget is spent", func() bool {
				_, err := plans[0].Reserve(context.Background(), claim("a", "b"))
				return errors.Is(err, ringwall.ErrQuotaExceeded)
			})
			close(stop)
			wg.Wait()
			t.Logf("%d of %d tokens spent: %.3f; %d of them from when the server was taken away until it was back", spent.Load(), budget, float64(spent.Load())/budget, away.Load())
			if spent.Load() > 2*budget || spent.Load() < budget-replicas*size {
				t.Errorf("%d of %d spent", spent.Load(), budget)
			}
		})
	}
}

func TestAServerThatForgotIsTold(t *testing.T) {
	s := valkeytest.Start(t, valkeytest.Options{})
	var refusing *quota.Plan
	p := plan(t, newQuota(t, quota.Config{Shared: shared(t, s, false, 0)}), limit("t", quota.Requests, 10, quota.Principal))
	refusing = p
	c := claim("a", "b")
	for range 8 {
		reserve(t, p, c)
	}
	s.Stop()
	for range 5 {
		if _, err := refusing.Reserve(t.Context(), c); !errors.Is(err, ringwall.ErrUnavailable) {
			t.Fatalf("while it is away: %v", err)
		}
	}
	s.Start()
	granted := 8
	until(t, "it is back, and full", func() bool {
		_, err := p.Reserve(t.Context(), c)
		if err == nil {
			granted++
		}
		return errors.Is(err, ringwall.ErrQuotaExceeded)
	})
	if granted != 10 {
		t.Errorf("%d of 10 granted", granted)
	}
}

// A request at a time whose process crashed ends with its lease.
func TestLeasesExpire(t *testing.T) {
	s := valkeytest.Start(t, valkeytest.Options{})
	for name, cfg := range map[string]quota.Config{
		"memory": {Lease: time.Second},
		"valkey": {Lease: time.Second, Shared: shared(t, s, false, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(t, newQuota(t, cfg), limit("c", quota.Concurrent, 1, quota.Tenant))
			crashed := reserve(t, p, claim("a", "b"))
			refused(t, p, claim("a", "b"), "c")
			var next *quota.Lease
			until(t, "the lease is over", func() bool {
				l, err := p.Reserve(t.Context(), claim("a", "b"))
				next = l
				return err == nil
			})
			crashed.Settle(t.Context(), quota.Used{}) // it was no crash, only slow: it gives back nothing of another's
			refused(t, p, claim("a", "b"), "c")
			next.Settle(t.Context(), quota.Used{})
			reserve(t, p, claim("a", "b"))
		})
	}
}
