package quota

import (
	"bufio"
	"bytes"
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"time"

	"github.com/ringwall/ringwall"
)

// Record is a request of the past, as Simulate reads it: a line of JSON.
type Record struct {
	Time      time.Time `json:"time"`    // when it came; RFC 3339, not before that of the line before
	Seconds   float64   `json:"seconds"` // that it took
	Tenant    string    `json:"tenant"`
	Principal string    `json:"principal"`
	Key       string    `json:"key"`
	Roles     []string  `json:"roles"`
	IP        string    `json:"ip"`
	Model     string    `json:"model"`
	Route     string    `json:"route"`
	MaxTokens int64     `json:"max_tokens"` // that it allowed the answer; 0: it did not say
	Input     int64     `json:"input_tokens"`
	Output    int64     `json:"output_tokens"`
	Cached    int64     `json:"cached_tokens"`
	ToolCalls int64     `json:"tool_calls"`
}

// longestRecord is how long a line may be, in bytes.
const longestRecord = 64 << 10

// Records reads lines of JSON, strictly. An error says which line it is about, and is
// the last.
func Records(r io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(make([]byte, 4<<10), longestRecord)
		var last time.Time
		n := 0
		fail := func(err error) { yield(Record{}, fmt.Errorf("line %d: %w", n, err)) }
		for lines.Scan() {
			n++
			line := bytes.TrimSpace(lines.Bytes())
			if len(line) == 0 {
				continue
			}
			var rec Record
			d := json.NewDecoder(bytes.NewReader(line))
			d.DisallowUnknownFields()
			if err := d.Decode(&rec); err != nil {
				fail(err)
				return
			}
			switch {
			case d.More():
				fail(errors.New("there is more than one object"))
				return
			case rec.Time.IsZero():
				fail(errors.New("time is missing: want one such as 2026-03-01T12:00:00Z"))
				return
			case rec.Time.Before(last):
				fail(errors.New("it came before the line above: sort the lines by time"))
				return
			case min(rec.Input, rec.Output, rec.Cached, rec.ToolCalls, rec.MaxTokens) < 0 || rec.Seconds < 0 || rec.Seconds > 1e6,
				max(rec.Input, rec.Output, rec.Cached, rec.ToolCalls, rec.MaxTokens) > 1<<40:
				fail(errors.New("a number is less than nothing, or more than can be"))
				return
			}
			if rec.IP != "" {
				if _, err := netip.ParseAddr(rec.IP); err != nil {
					fail(fmt.Errorf("ip: %w", err))
					return
				}
			}
			last = rec.Time
			if !yield(rec, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			n++
			fail(err)
		}
	}
}

// Costs says what models cost.
type Costs interface {
	Price(model string) Price
	Cost(model string, u ringwall.Usage) int64
}

// Simulate holds the requests of the past against limits, as they came and went, and
// calls told with each: e is why it would have been refused, nil where it would not. A
// request that would have been refused uses nothing.
func Simulate(ctx context.Context, limits []Limit, answer int64, costs Costs, records iter.Seq2[Record, error], told func(r *Record, e *Exceeded) error) error {
	now := time.Time{}
	q, err := New(ctx, Config{Answer: answer, Lease: 24 * time.Hour, Now: func() time.Time { return now }})
	if err != nil {
		return err
	}
	plan, err := q.Plan(limits)
	if err != nil {
		return err
	}
	var open ends
	for rec, err := range records {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		for len(open) > 0 && !open[0].at.After(rec.Time) {
			e := heap.Pop(&open).(end)
			now = e.at
			e.lease.Settle(ctx, e.used)
		}
		now = rec.Time
		u := Used{Usage: ringwall.Usage{InputTokens: rec.Input, OutputTokens: rec.Output, CachedTokens: rec.Cached}, ToolCalls: rec.ToolCalls}
		u.Money = costs.Cost(rec.Model, u.Usage)
		c := &Claim{
			Principal: ringwall.Principal{Tenant: rec.Tenant, ID: rec.Principal, Key: rec.Key, Roles: rec.Roles},
			Model:     rec.Model, Route: rec.Route, Input: rec.Input, Output: rec.MaxTokens, Calls: rec.ToolCalls, Price: costs.Price(rec.Model),
		}
		if c.Output == 0 {
			c.Output = max(answer, rec.Output)
		}
		c.Addr, _ = netip.ParseAddr(rec.IP) // it was parsed already, or is empty
		lease, err := plan.Reserve(ctx, c)
		var full *Exceeded
		if err != nil && !errors.As(err, &full) {
			return err
		}
		if err == nil {
			heap.Push(&open, end{rec.Time.Add(time.Duration(rec.Seconds * float64(time.Second))), lease, u})
		}
		if err := told(&rec, full); err != nil {
			return err
		}
	}
	return nil
}

// end is when a request ended, and with what.
type end struct {
	at    time.Time
	lease *Lease
	used  Used
}

// ends is a heap of them, the first first.
type ends []end

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }

// Push implements heap.Interface.
func (e *ends) Push(x any) { *e = append(*e, x.(end)) }

// Pop implements heap.Interface.
func (e *ends) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}
