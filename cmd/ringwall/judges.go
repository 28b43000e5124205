package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	outside "github.com/ringwall/ringwall/guard/judge"
)

// complaints says why outside judges could not look, each thing once. It
// implements judge.Observer.
type complaints struct {
	w    io.Writer
	mu   sync.Mutex
	said map[string]bool
}

// Judged implements judge.Observer.
func (c *complaints) Judged(name string, _ outside.Result, _ time.Duration, err error) {
	if outside.Of(err) == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	line := fmt.Sprintf("judge %s could not look: %v", name, err)
	if !c.said[line] {
		if c.said == nil {
			c.said = map[string]bool{}
		}
		c.said[line] = true
		fmt.Fprintln(c.w, line)
	}
}

// Called implements judge.Observer.
func (c *complaints) Called(string, time.Duration, error) {}

// Breaker implements judge.Observer.
func (c *complaints) Breaker(string, outside.State) {}
