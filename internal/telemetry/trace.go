package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

const (
	scope         = "github.com/ringwall/ringwall"
	exportTimeout = 10 * time.Second // of one batch
)

// TraceConfig says where spans go.
type TraceConfig struct {
	// Endpoint is the URL of a collector that speaks OTLP over HTTP, as in
	// "http://localhost:4318"; its path is /v1/traces when it has none. Empty:
	// nothing is traced.
	Endpoint string

	Headers map[string]string // sent along; may hold credentials
	Service string            // default "ringwall"
	Version string            // of the program

	// SampleRatio is the share of traces that are kept, above 0 to 1; 0 means
	// all of them. A trace that a client began is judged by the same ratio: its
	// wish to be kept is a stranger's.
	SampleRatio float64

	Log *slog.Logger // told when spans cannot be delivered; default: silent
}

// NewTracer returns a tracer whose spans are delivered in batches, and a function
// that delivers what is left and ends it. Without an endpoint the tracer does
// nothing and costs nothing, and shutdown is there all the same.
//
// Nothing is sent before the first span has ended, so that a collector that is
// away is no error. It then holds up nobody: spans wait in a bounded queue, and
// are dropped when it is full.
func NewTracer(ctx context.Context, cfg TraceConfig) (t trace.Tracer, shutdown func(context.Context) error, err error) {
	if cfg.SampleRatio == 0 {
		cfg.SampleRatio = 1
	}
	if !(cfg.SampleRatio > 0 && cfg.SampleRatio <= 1) { // NaN is neither
		return nil, nil, fmt.Errorf("making a tracer: sample ratio %v: want more than 0 and at most 1", cfg.SampleRatio)
	}
	if cfg.Endpoint == "" {
		return silent{}, func(context.Context) error { return nil }, nil
	}
	endpoint, err := endpointURL(cfg.Endpoint)
	if err != nil {
		return nil, nil, fmt.Errorf("making a tracer: %w", err)
	}
	otlp, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(endpoint),
		otlptracehttp.WithHeaders(maps.Clone(cfg.Headers)),
		otlptracehttp.WithTimeout(exportTimeout),
	)
	if err != nil {
		return nil, nil, fmt.Errorf("making a tracer: %w", err)
	}
	exporter := &reporting{SpanExporter: otlp, log: cfg.Log}
	if exporter.log == nil {
		exporter.log = slog.New(slog.DiscardHandler)
	}
	sampler := sdk.TraceIDRatioBased(cfg.SampleRatio)
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(exporter, sdk.WithExportTimeout(exportTimeout)),
		sdk.WithSampler(sdk.ParentBased(sampler, sdk.WithRemoteParentSampled(sampler), sdk.WithRemoteParentNotSampled(sampler))),
		sdk.WithResource(resource.NewSchemaless(
			attribute.String(AttrService, cmp.Or(cfg.Service, "ringwall")),
			attribute.String(AttrVersion, cfg.Version),
		)),
	)
	return provider.Tracer(scope, trace.WithInstrumentationVersion(cfg.Version)), provider.Shutdown, nil
}

// endpointURL checks an endpoint and completes its path. Its errors do not
// repeat what may hold a password.
func endpointURL(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return "", errors.New("the endpoint is no URL")
	case u.User != nil:
		return "", errors.New("the endpoint holds credentials: put them into a header")
	case u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("the endpoint has a query or a fragment: want neither")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return "", fmt.Errorf("endpoint %q: want http://host:port or https://host:port", endpoint)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	return u.String(), nil
}

// reporting tells the log, and not the standard error output as the library
// would, that spans are lost; once, until they arrive again.
type reporting struct {
	sdk.SpanExporter
	log  *slog.Logger
	away atomic.Bool
}

func (r *reporting) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := r.SpanExporter.ExportSpans(ctx, spans)
	switch {
	case err != nil && !r.away.Swap(true):
		r.log.WarnContext(ctx, "spans are lost", KeyError, err, KeyCount, len(spans))
	case err == nil && r.away.Swap(false):
		r.log.InfoContext(ctx, "spans are delivered again")
	}
	return nil
}

// silent is a tracer that does nothing. The library's own makes a context for
// each span.
type silent struct{ noop.Tracer }

func (silent) Start(ctx context.Context, _ string, _ ...trace.SpanStartOption) (context.Context, trace.Span) {
	return ctx, noop.Span{}
}
