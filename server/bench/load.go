package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// patience is how long answers may take after the end of a cell.
const patience = 20 * time.Second

// loader makes the load of one cell.
type loader struct {
	addr     string
	requests [][]byte
	dialect  *dialect
	stream   bool
	duration time.Duration
	// begin and finish are called at the ends of the time that counts.
	begin, finish func()
}

// load is what came of it.
type load struct {
	Requests int
	Took     time.Duration
	P50, P99 time.Duration
}

// verify asks once and checks that the answer is what the stub said, whole.
func (l *loader) verify(ctx context.Context) error {
	c, err := dial(ctx, l.addr, time.Now().Add(patience))
	if err != nil {
		return err
	}
	defer c.c.Close()
	var body []byte
	c.body = &body
	if err := c.do(l.requests[0]); err != nil {
		return fmt.Errorf("%w: %.300s", err, body)
	}
	if !l.stream {
		if !bytes.Equal(body, l.dialect.whole()) {
			return fmt.Errorf("the answer was changed: %.300s", body)
		}
		return nil
	}
	text, ended, err := l.dialect.heard(body)
	if err != nil {
		return err
	}
	if !ended || text != strings.Join(said, "") {
		return fmt.Errorf("the stream was changed: %.300q", text)
	}
	return nil
}

// connect opens n connections, which closing ends.
func (l *loader) connect(ctx context.Context, n int) (cs []*conn, closing func(), err error) {
	closing = func() {
		for _, c := range cs {
			c.c.Close()
		}
	}
	until := time.Now().Add(2*l.duration + patience)
	for range n {
		c, err := dial(ctx, l.addr, until)
		if err != nil {
			closing()
			return nil, nil, err
		}
		cs = append(cs, c)
	}
	return cs, closing, nil
}

// firstAnswer is how long a first answer is waited for.
const firstAnswer = 10 * time.Second

// warm is how long load is made before it counts.
func (l *loader) warm() time.Duration { return min(l.duration/4, 500*time.Millisecond) }

// saturate asks over n connections without pause.
func (l *loader) saturate(ctx context.Context, n int) (load, error) {
	cs, closing, err := l.connect(ctx, n)
	if err != nil {
		return load{}, err
	}
	defer closing()
	var counts, stop atomic.Bool
	var done atomic.Int64
	var wg sync.WaitGroup
	took := make([][]time.Duration, n)
	errs := make([]error, n)
	for i, c := range cs {
		wg.Go(func() {
			for k := i; !stop.Load(); k++ {
				from := time.Now()
				if errs[i] = c.do(l.requests[k%len(l.requests)]); errs[i] != nil {
					return
				}
				done.Add(1)
				if counts.Load() {
					took[i] = append(took[i], time.Since(from))
				}
			}
		})
	}
	wait(ctx, l.warm())
	l.begin()
	n0, from := done.Load(), time.Now()
	counts.Store(true)
	wait(ctx, l.duration)
	for more := l.duration; done.Load() == n0 && more < firstAnswer && ctx.Err() == nil; more += l.duration {
		wait(ctx, l.duration) // on a busy machine the first answer may take longer
	}
	counts.Store(false)
	requests, elapsed := done.Load()-n0, time.Since(from)
	l.finish()
	stop.Store(true)
	wg.Wait()
	if err := errors.Join(ctx.Err(), first(errs)); err != nil {
		return load{}, err
	}
	return result(int(requests), elapsed, slices.Concat(took...)), nil
}

// atRate asks at a fixed rate. Who waits for a connection waits on the clock:
// latency counts from the intended start.
func (l *loader) atRate(ctx context.Context, rate int) (load, error) {
	const most = 128 // connections
	cs, closing, err := l.connect(ctx, most)
	if err != nil {
		return load{}, err
	}
	defer closing()
	skip := int(l.warm().Seconds() * float64(rate))
	total := skip + max(1, int(l.duration.Seconds()*float64(rate)))
	took := make([]time.Duration, total)
	errs := make([]error, most)
	type ticket struct {
		i  int
		at time.Time
	}
	tickets := make(chan ticket, total)
	var wg sync.WaitGroup
	for i, c := range cs {
		wg.Go(func() {
			for t := range tickets {
				if errs[i] != nil {
					continue
				}
				errs[i] = c.do(l.requests[t.i%len(l.requests)])
				took[t.i] = time.Since(t.at)
			}
		})
	}
	runtime.LockOSThread()
	start := time.Now()
	var from time.Time
	for i := 0; i < total && ctx.Err() == nil; i++ {
		if i == skip {
			l.begin()
			from = time.Now()
		}
		at := start.Add(time.Duration(float64(i) / float64(rate) * 1e9))
		pause(time.Until(at))
		tickets <- ticket{i, at}
	}
	runtime.UnlockOSThread()
	close(tickets)
	wg.Wait()
	elapsed := time.Since(from)
	l.finish()
	if err := errors.Join(ctx.Err(), first(errs)); err != nil {
		return load{}, err
	}
	return result(total-skip, elapsed, took[skip:]), nil
}

func first(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func result(n int, elapsed time.Duration, took []time.Duration) load {
	slices.Sort(took)
	at := func(q float64) time.Duration {
		if len(took) == 0 {
			return 0
		}
		return took[min(len(took)-1, int(q*float64(len(took))))]
	}
	return load{Requests: n, Took: elapsed, P50: at(0.5), P99: at(0.99)}
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
