package judge_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/judge"
)

// Those who ask the same share one call, at the same time and later, until the
// answer is too old; failures are not kept.
func TestCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		n := &notes{}
		cfg := llama(pipes(t, reading(func(w http.ResponseWriter, _ *http.Request, text string) {
			calls.Add(1)
			<-time.After(time.Second)
			if text == "broken" {
				w.WriteHeader(500)
				return
			}
			_, _ = io.WriteString(w, completion("unsafe\nS1", nil))
		})))
		cfg.CacheTTL, cfg.CacheEntries, cfg.Observer = time.Minute, 2, n
		j := made(t, cfg)
		same := func(text string) {
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() {
					fs, err := j.Judge(context.Background(), ringwall.Input, input(text))
					if err != nil || len(fs) != 1 {
						t.Errorf("%v, %v", fs, err)
					} else {
						fs[0].Reason = "changed" // belongs to who asked
					}
				})
			}
			all.Wait()
		}
		for _, step := range []struct {
			do   func()
			want int64
		}{
			{func() { same("a") }, 1},
			{func() { same("a") }, 1},
			{func() { same("b") }, 2},
			{func() { same("a") }, 2},
			{func() { same("c") }, 3}, // b makes room
			{func() { same("a") }, 3},
			{func() { same("b") }, 4},
			{func() { <-time.After(time.Minute); same("b") }, 5},
			{func() { ask(j, "broken"); ask(j, "broken") }, 7},
			{func() { _, _ = j.Judge(context.Background(), ringwall.Output, input("b")) }, 8},
		} {
			if step.do(); calls.Load() != step.want {
				t.Fatalf("%d calls, want %d", calls.Load(), step.want)
			}
		}
		if !slices.Contains(n.all, "look cached") || !slices.Contains(n.all, "look ran") {
			t.Errorf("heard %v", n.all)
		}
	})
}

// A call goes on while somebody waits for it.
func TestOneOfTwoLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := made(t, llama(pipes(t, reading(func(w http.ResponseWriter, _ *http.Request, _ string) {
			<-time.After(2 * time.Second)
			safe(w)
		}))))
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, context.Canceled)
		defer cancel()
		left, stayed := make(chan error), make(chan error)
		go func() { _, err := j.Judge(ctx, ringwall.Input, input("x")); left <- err }()
		synctest.Wait()
		go func() { _, err := j.Judge(context.Background(), ringwall.Input, input("x")); stayed <- err }()
		if err := <-left; judge.Of(err) != judge.Gone {
			t.Errorf("who left: %v", err)
		}
		if err := <-stayed; err != nil {
			t.Errorf("who stayed: %v", err)
		}
	})
}
