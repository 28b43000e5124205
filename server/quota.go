package server

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/internal/circuit"
	"github.com/ringwall/ringwall/internal/telemetry"
	"github.com/ringwall/ringwall/internal/valkey"
	"github.com/ringwall/ringwall/provider/prices"
	"github.com/ringwall/ringwall/quota"
)

// accounts is what the server keeps of what callers use, from one world to the next.
type accounts struct {
	quota  *quota.Quota
	shared *quota.Shared  // nil: counters are in the process
	client *valkey.Client // of it
	loops  *quota.Loops

	warned    chan quota.Warning
	warnings  *telemetry.Counter
	refusals  *telemetry.Counter
	away      *telemetry.Gauge
	limitName telemetry.Label
}

// leaseMargin is how much longer than a request may take something is set aside for it.
const leaseMargin = time.Minute

// openQuota opens what counts, in Valkey where c names one.
func (s *Server) openQuota(ctx context.Context, c *config.Config) error {
	a := &s.accounts
	a.limitName = telemetry.Label{Name: "limit"}
	a.warned = make(chan quota.Warning, 64)
	a.warnings = s.metrics.Counter("ringwall_quota_warnings_total", "Limits of which more was used than the share to warn from, once a window and subject.", a.limitName)
	a.refusals = s.metrics.Counter("ringwall_quota_refused_total", "Requests for which a limit had no room.", a.limitName)
	a.away = s.metrics.Gauge("ringwall_quota_store_away", "1 while the shared store of quotas is away.")
	cfg := quota.Config{
		Lease: c.Limits.Request + leaseMargin, Answer: c.Quota.Answer, Log: s.log,
		Refused: func(e *quota.Exceeded) { a.refusals.Inc(e.Limit.Name) },
		Warn: func(w quota.Warning) {
			select {
			case a.warned <- w:
			default: // somebody is warned of so much already
			}
		},
	}
	client, err := c.Valkey.Open()
	if err != nil {
		return err
	}
	if client != nil {
		a.client = client
		a.shared = &quota.Shared{Client: client, Tell: func(to circuit.State) {
			if to != circuit.HalfOpen {
				a.away.Set(float64(to) / float64(circuit.Open)) // 0 when it is closed
			}
		}}
		if c.Quota.Away == "local" {
			a.shared.Local = c.Quota.Share
			s.log.Warn("while Valkey is away each replica grants a share of the limits by itself", "share", c.Quota.Share, "reason", "quota-away-local")
		}
		cfg.Shared = a.shared
		s.metrics.GaugeFunc("ringwall_quota_owed", "Settlements that wait for the shared store of quotas.", func() float64 {
			waiting, _ := a.shared.Owed()
			return float64(waiting)
		})
		s.metrics.GaugeFunc("ringwall_quota_dropped", "Settlements that were not handed on, because too many waited.", func() float64 {
			_, dropped := a.shared.Owed()
			return float64(dropped)
		})
	} else if cfg.Ledger, err = quota.OpenLedger(ctx, s.db); err != nil {
		return err
	}
	a.quota, err = quota.New(ctx, cfg)
	return err
}

// limit puts into w how much callers may use.
func (s *Server) limit(c *config.Config, w *gateway.World) error {
	limits, err := c.Quota.All()
	if err != nil {
		return err
	}
	if w.Quota, err = s.accounts.quota.Plan(limits); err != nil {
		return err
	}
	names := make([]string, len(limits))
	for i := range limits {
		names[i] = limits[i].Name
	}
	s.metrics.Declare("limit", names...)
	l := c.Quota.Loops
	loops := quota.LoopConfig{Window: l.Window, Repeats: l.Repeats, Depth: l.Depth, FanOut: l.FanOut}
	if old := s.accounts.loops; old == nil || !old.Keeps(loops) {
		s.accounts.loops = quota.NewLoops(loops)
	}
	w.Loops = s.accounts.loops
	w.Price = func(model string) (prices.Price, bool) { return PriceOf(c, model) }
	return nil
}

// PriceOf is what a model costs as clients name it, or as a provider does: of all that
// may serve it the most.
func PriceOf(c *config.Config, model string) (prices.Price, bool) {
	m, ok := c.Models[model]
	if !ok {
		return c.PriceList.Of(model)
	}
	var most prices.Price
	all, _ := m.All()
	for _, t := range all {
		p, ok := c.PriceList.Of(cmp.Or(t.Model, model))
		if !ok {
			return prices.Price{}, false
		}
		most.Input, most.Output = max(most.Input, p.Input), max(most.Output, p.Output)
		most.Cached, most.Caching = max(most.Cached, cmp.Or(p.Cached, p.Input)), max(most.Caching, cmp.Or(p.Caching, p.Input))
	}
	return most, len(all) > 0
}

// runQuota writes down what is used, and tells of limits that are nearly used up, until
// ctx ends.
func (s *Server) runQuota(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.accounts.quota.Run(ctx) }()
	for {
		select {
		case w := <-s.accounts.warned:
			s.accounts.warnings.Inc(w.Limit)
			s.log.Warn("a limit is nearly used up", "limit", w.Limit, "subject", w.Subject, "used", w.Used, "most", w.Most)
			s.note(ctx, ringwall.QuotaWarned, fmt.Sprintf("limit %s of %s: %d of %d used", w.Limit, w.Subject, w.Used, w.Most), "")
		case err := <-done:
			return err
		}
	}
}

// QuotaPrice is PriceOf, as quotas set it aside: the dearest way in which input is read.
func QuotaPrice(c *config.Config, model string) quota.Price {
	p, ok := PriceOf(c, model)
	return quota.PriceOf(max(p.Input, p.Cached, p.Caching), p.Output, ok)
}
