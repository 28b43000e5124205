package quota_test

import (
	"context"
	"testing"
	"time"

	"github.com/ringwall/ringwall/quota"
)

func FuzzParseWindow(f *testing.F) {
	for _, s := range []string{"second", "minute", "hour", "day", "week", "month", "90s", "24h", "1500ms", "-1s", "1ns", "year", "", "1h1m1.001s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		w, err := quota.ParseWindow(s, time.UTC)
		if err != nil {
			return
		}
		again, err := quota.ParseWindow(w.String(), time.UTC)
		if err != nil || again != w {
			t.Errorf("%q is %+v, written %q, read %+v, %v", s, w, w, again, err)
		}
		l := quota.Limit{Name: "x", Measure: quota.Requests, Window: w}
		if err := l.Check(); err != nil {
			t.Error(err)
		}
	})
}

// FuzzNeverAboveTheLimit does what a text of bytes says: time passes, requests come,
// grow and end. Whenever something is granted, what was granted in the window and is
// not given back is within the limit; and nothing is refused that fits into the window
// and the slot that it may be late.
func FuzzNeverAboveTheLimit(f *testing.F) {
	f.Add([]byte{0, 10, 0, 200, 3, 255, 1, 0, 0, 90, 2, 40})
	f.Add([]byte{0, 255, 0, 255, 1, 7, 3, 100, 3, 100, 0, 50, 1, 1, 2, 9, 2, 9})
	f.Add([]byte{3, 20, 0, 99, 3, 20, 0, 99, 3, 20, 0, 99, 3, 20, 0, 99, 3, 20, 0, 99})
	f.Fuzz(func(t *testing.T, ops []byte) {
		const most, window = 500, time.Minute
		c := noon()
		l := limit("t", quota.Tokens, most)
		l.Window.Length = window
		q := newQuota(t, quota.Config{Now: c.Now})
		p := plan(t, q, l)
		type held struct {
			lease *quota.Lease
			n     int64
			more  []grant
			at    time.Time
			ended bool
		}
		var all []*held
		exact := true // all that is not used is given back
		in := func(span time.Duration) (sum int64) {
			for _, h := range all {
				if c.Now().Sub(h.at) < span {
					sum += h.n
				}
				for _, g := range h.more {
					if c.Now().Sub(g.at) < span {
						sum += g.n
					}
				}
			}
			return sum
		}
		for i := 0; i+1 < len(ops) && i < 400; i += 2 {
			n := int64(ops[i+1])
			switch ops[i] % 4 {
			case 0:
				lease, err := p.Reserve(context.Background(), &quota.Claim{Model: "m", Input: n})
				if err != nil {
					if exact && in(window+2*window/quota.Slots)+n <= most {
						t.Fatalf("refused %d where %d of %d are used", n, in(window+2*window/quota.Slots), most)
					}
					continue
				}
				all = append(all, &held{lease: lease, n: n, at: c.Now()})
				if sum := in(window); sum > most {
					t.Fatalf("%d of %d granted", sum, most)
				}
			case 1: // ends, with less or more than was set aside
				if len(all) == 0 {
					continue
				}
				h := all[int(n)%len(all)]
				if h.ended {
					h.lease.Settle(context.Background(), quota.Used{}) // once more changes nothing
					continue
				}
				h.ended = true
				was := h.n
				for _, g := range h.more {
					was += g.n
				}
				h.lease.Settle(context.Background(), tokens(was*n/200, 0))
				switch actual := was * n / 200; {
				case actual > was:
					h.more = append(h.more, grant{actual - was, c.Now()})
				default:
					// What is given back is at least not more than the difference.
					back := was - actual
					exact = exact && len(h.more) < 2 // of what was grown between nothing is
					for i := len(h.more) - 1; i >= 0 && back > 0; i-- {
						give := min(back, h.more[i].n)
						h.more[i].n -= give
						back -= give
					}
					h.n -= min(back, h.n)
				}
			case 2: // grows
				if len(all) == 0 {
					continue
				}
				h := all[len(all)-1]
				if got := h.lease.Grow(context.Background(), n); got > 0 {
					if h.ended || got > n {
						t.Fatalf("it grew by %d of %d, ended %v", got, n, h.ended)
					}
					h.more = append(h.more, grant{got, c.Now()})
					if sum := in(window); sum > most {
						t.Fatalf("%d of %d granted", sum, most)
					}
				}
			case 3:
				c.move(time.Duration(n) * 100 * time.Millisecond)
			}
		}
	})
}

type grant struct {
	n  int64
	at time.Time
}
