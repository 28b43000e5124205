package server

import (
	"net"
	"net/http"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/internal/admit"
	"github.com/ringwall/ringwall/internal/listen"
	"github.com/ringwall/ringwall/internal/telemetry"
)

// overload is what keeps the server up when more comes than it can serve.
type overload struct {
	gate     *admit.Gate
	listener *listen.Listener
	closed   *telemetry.Counter
	shed     *telemetry.Counter
	waited   *telemetry.Histogram
	inFlight *telemetry.Gauge
	queued   *telemetry.Gauge
	limit    *telemetry.Gauge
	working  *telemetry.Gauge
	bytes    *telemetry.Gauge
	open     *telemetry.Gauge
	writing  time.Duration
}

// classes are the names of the classes of package admit.
func classes() (names []string) {
	for c := range ringwall.Trust(admit.Classes) {
		names = append(names, c.String())
	}
	return names
}

func newOverload(m *telemetry.Metrics, c *config.Config) *overload {
	class := telemetry.Label{Name: "class", Values: classes()}
	o := &overload{
		closed:   m.Counter("ringwall_connections_closed_total", "Connections that were refused or closed because they were too much, by why.", telemetry.Label{Name: "reason", Values: listen.Reasons}),
		shed:     m.Counter("ringwall_shed_total", "Requests that were turned away because they were too much, by why and by trust.", telemetry.Label{Name: "reason", Values: admit.Reasons}, class),
		waited:   m.Histogram("ringwall_queue_seconds", "How long requests waited for the processor that had to.", []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}, class),
		inFlight: m.Gauge("ringwall_in_flight", "Requests under way, by trust.", class),
		queued:   m.Gauge("ringwall_queued", "Requests that wait for the processor, by trust.", class),
		limit:    m.Gauge("ringwall_work_limit", "Requests that may use the processor at a time, as found out."),
		working:  m.Gauge("ringwall_working", "Requests that use the processor or hold the right to."),
		bytes:    m.Gauge("ringwall_held_bytes", "Bytes of requests and answers that are held."),
		open:     m.Gauge("ringwall_connections", "Connections that are open and counted."),
		writing:  c.Limits.Write,
	}
	o.gate = admit.New(o.admission(c))
	return o
}

// admission is what c says of requests.
func (o *overload) admission(c *config.Config) admit.Config {
	bytes := int64(c.Overload.Memory)
	if bytes == 0 {
		bytes = max(admit.Bytes(), 4*int64(c.Limits.Body))
	}
	return admit.Config{
		Slots: c.Limits.Concurrent, Wait: c.Overload.Wait, Queue: c.Overload.Queue, Target: c.Overload.Target, Bytes: bytes,
		Shed:   func(why admit.Reason, class admit.Class) { o.shed.Inc(string(why), ringwall.Trust(class).String()) },
		Waited: func(class admit.Class, d time.Duration) { o.waited.Took(d, ringwall.Trust(class).String()) },
	}
}

// mostConnections is how many connections there are at most where nobody says.
const mostConnections = 16384

// connections is what c says of them.
func connections(c *config.Config) listen.Config {
	n := &c.Overload.Connections
	most := n.Max
	if most == 0 {
		most = min(mostConnections, openFiles()/2)
	}
	return listen.Config{Max: most, Address: n.Address, Idle: n.Idle, Rate: n.Rate, Exempt: n.Networks()}
}

// before returns l with its connections bounded.
func (o *overload) before(l net.Listener, c *config.Config) net.Listener {
	o.listener = listen.New(l, connections(c), func(why listen.Reason) { o.closed.Inc(string(why)) })
	return o.listener
}

// reload makes c bound what comes from now on.
func (o *overload) reload(c *config.Config) {
	o.gate.Set(o.admission(c))
	o.listener.Set(connections(c))
}

// serves bounds what one connection may do to s.
func (o *overload) serves(s *http.Server) {
	s.ConnState, s.ConnContext = o.listener.State, o.listener.Context
}

// counted tells the connection of a request how that ended.
func (o *overload) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor < 2 {
			h.ServeHTTP(w, r)
			return
		}
		c := listen.Of(r.Context())
		if c == nil {
			h.ServeHTTP(w, r)
			return
		}
		defer func() { c.Ended(r.Context().Err() != nil) }()
		h.ServeHTTP(w, r)
	})
}

// quick is for what never waits, health and metrics: who does not read it is left.
func (o *overload) quick(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(min(o.writing, 5*time.Second))) // what cannot is no connection
		h.ServeHTTP(w, r)
	})
}

// told has the gauges say how it is now, before h tells them.
func (o *overload) told(h http.Handler) http.Handler {
	return o.quick(seldom(func(w http.ResponseWriter, r *http.Request) {
		s := o.gate.State()
		for i, name := range classes() {
			o.inFlight.Set(float64(s.InFlight[i]), name)
			o.queued.Set(float64(s.Queued[i]), name)
		}
		o.limit.Set(float64(s.Limit))
		o.working.Set(float64(s.Working))
		o.bytes.Set(float64(s.Bytes))
		n, _ := o.listener.Open()
		o.open.Set(float64(n))
		h.ServeHTTP(w, r)
	}))
}
