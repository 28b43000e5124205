package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/ringwall/ringwall/internal/telemetry"
)

// receiver is a collector: it accepts what OTLP over HTTP says, and nothing
// else.
type receiver struct {
	t      *testing.T
	spans  chan *otlp.ResourceSpans
	header chan http.Header
	status int
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		r.t.Error(err)
	}
	if req.Method != http.MethodPost || req.URL.Path != "/v1/traces" || req.Header.Get("Content-Type") != "application/x-protobuf" {
		r.t.Errorf("asked %s %s with %q", req.Method, req.URL, req.Header.Get("Content-Type"))
	}
	if r.status != 0 {
		w.WriteHeader(r.status)
		return
	}
	var in collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &in); err != nil {
		r.t.Errorf("not an ExportTraceServiceRequest: %v", err)
	}
	r.header <- req.Header.Clone()
	for _, s := range in.GetResourceSpans() {
		r.spans <- s
	}
	out, err := proto.Marshal(&collector.ExportTraceServiceResponse{})
	if err != nil {
		r.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(out)
}

func receive(t *testing.T, status int) (*receiver, string) {
	t.Helper()
	r := &receiver{t, make(chan *otlp.ResourceSpans, 100), make(chan http.Header, 100), status}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return r, server.URL
}

func TestSpansReachTheCollector(t *testing.T) {
	r, url := receive(t, 0)
	tracer, shutdown, err := telemetry.NewTracer(t.Context(), telemetry.TraceConfig{
		Endpoint: url, Headers: map[string]string{"X-Team": "shop"}, Version: "1.2.3",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, parent := tracer.Start(t.Context(), "chat gpt-4.1", trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String(telemetry.AttrOperation, telemetry.OperationChat),
		attribute.String(telemetry.AttrProvider, "openai"),
		attribute.Int64(telemetry.AttrInputTokens, 7),
		attribute.StringSlice(telemetry.AttrFinishReasons, []string{"stop"}),
	))
	_, child := tracer.Start(ctx, "guard input")
	child.SetStatus(codes.Error, "detector-unavailable")
	child.End()
	parent.End()
	if err := shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}

	if h := <-r.header; h.Get("X-Team") != "shop" {
		t.Errorf("headers: %v", h)
	}
	rs := <-r.spans
	if got := attributes(rs.GetResource().GetAttributes()); got["service.name"] != "ringwall" || got["service.version"] != "1.2.3" {
		t.Errorf("resource: %v", got)
	}
	scope := rs.GetScopeSpans()[0]
	if scope.GetScope().GetName() != "github.com/ringwall/ringwall" || len(scope.GetSpans()) != 2 {
		t.Fatalf("scope %v with %d spans", scope.GetScope(), len(scope.GetSpans()))
	}
	in, out := scope.GetSpans()[0], scope.GetSpans()[1]
	if in.GetName() != "guard input" || in.GetStatus().GetMessage() != "detector-unavailable" {
		t.Errorf("child: %v", in)
	}
	if !bytes.Equal(in.GetParentSpanId(), out.GetSpanId()) || !bytes.Equal(in.GetTraceId(), out.GetTraceId()) {
		t.Error("the spans are not of one trace")
	}
	got := attributes(out.GetAttributes())
	if out.GetKind() != otlp.Span_SPAN_KIND_SERVER || got["gen_ai.operation.name"] != "chat" || got["gen_ai.provider.name"] != "openai" ||
		got["gen_ai.usage.input_tokens"] != "7" || got["gen_ai.response.finish_reasons"] != "stop" {
		t.Errorf("parent: %v, %v", out.GetKind(), got)
	}
}

func TestEndpointKeepsItsPath(t *testing.T) {
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = r.URL.Path }))
	defer server.Close()
	tracer, shutdown, err := telemetry.NewTracer(t.Context(), telemetry.TraceConfig{Endpoint: server.URL + "/otlp/traces"})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracer.Start(t.Context(), "x")
	span.End()
	if err := shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if asked != "/otlp/traces" {
		t.Errorf("asked %q", asked)
	}
}

func TestSampleRatio(t *testing.T) {
	r, url := receive(t, 0)
	tracer, shutdown, err := telemetry.NewTracer(t.Context(), telemetry.TraceConfig{Endpoint: url, SampleRatio: 0.25})
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for i := range 400 {
		ctx := t.Context()
		if i%2 == 0 { // a client that wants its trace kept, under an id that is not
			ctx = trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
				TraceID: trace.TraceID{0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
				SpanID:  trace.SpanID{1}, TraceFlags: trace.FlagsSampled, Remote: true,
			}))
		}
		_, span := tracer.Start(ctx, "x")
		if span.IsRecording() {
			kept++
			if i%2 == 0 {
				t.Fatal("a client decided that its trace is kept")
			}
		}
		span.End()
	}
	if err := shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept < 15 || kept > 100 {
		t.Errorf("%d of 200 traces kept, want about 50", kept)
	}
	sent := 0
	for range len(r.spans) {
		for _, s := range (<-r.spans).GetScopeSpans() {
			sent += len(s.GetSpans())
		}
	}
	if sent != kept {
		t.Errorf("%d spans sent, %d kept", sent, kept)
	}
}

func TestCollectorThatRefusesHoldsUpNobody(t *testing.T) {
	_, url := receive(t, http.StatusBadRequest)
	var log bytes.Buffer
	tracer, shutdown, err := telemetry.NewTracer(t.Context(), telemetry.TraceConfig{
		Endpoint: url, Headers: map[string]string{"Authorization": "Bearer hidden"}, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for range 10_000 {
		_, span := tracer.Start(t.Context(), "x")
		span.End()
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("10000 spans took %v", took)
	}
	if err := shutdown(t.Context()); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if n := strings.Count(log.String(), "spans are lost"); n != 1 || strings.Contains(log.String(), "hidden") {
		t.Errorf("logged %d times:\n%s", n, log.String())
	}
}

func TestShutdownEndsWithItsContext(t *testing.T) {
	block := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-block }))
	defer server.Close()
	defer close(block)
	tracer, shutdown, err := telemetry.NewTracer(t.Context(), telemetry.TraceConfig{Endpoint: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracer.Start(t.Context(), "x")
	span.End()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown: %v", err)
	}
}

func TestWithoutEndpointNothingIsTraced(t *testing.T) {
	tracer, shutdown, err := telemetry.NewTracer(t.Context(), telemetry.TraceConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		got, span := tracer.Start(ctx, "x")
		if got != ctx || span.IsRecording() {
			t.Fatal("something is traced")
		}
		span.End()
	}); n > 0 {
		t.Errorf("%v allocations for nothing", n)
	}
	if err := shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestBadTraceConfigsAreRefused(t *testing.T) {
	for _, cfg := range []telemetry.TraceConfig{
		{SampleRatio: -0.1},
		{SampleRatio: 1.1},
		{SampleRatio: math.NaN()},
		{Endpoint: "localhost:4318"},
		{Endpoint: "grpc://localhost:4317"},
		{Endpoint: "http://"},
		{Endpoint: "http://a:hidden@localhost:4318"},
		{Endpoint: "http://a:hidden@local host"},
		{Endpoint: "http://localhost?key=hidden"},
	} {
		_, _, err := telemetry.NewTracer(t.Context(), cfg)
		if err == nil || !strings.HasPrefix(err.Error(), "making a tracer: ") {
			t.Errorf("%+v: %v", cfg, err)
		} else if strings.Contains(err.Error(), "hidden") {
			t.Errorf("the error repeats a credential: %v", err)
		}
	}
}

// The names are a contract with every dashboard: they are compared with the
// published ones.
func TestNamesAreThoseOfTheConventions(t *testing.T) {
	for ours, theirs := range map[string]attribute.Key{
		telemetry.AttrOperation:     semconv.GenAIOperationNameKey,
		telemetry.AttrProvider:      semconv.GenAIProviderNameKey,
		telemetry.AttrOutputType:    semconv.GenAIOutputTypeKey,
		telemetry.AttrConversation:  semconv.GenAIConversationIDKey,
		telemetry.AttrRequestModel:  semconv.GenAIRequestModelKey,
		telemetry.AttrRequestStream: semconv.GenAIRequestStreamKey,
		telemetry.AttrMaxTokens:     semconv.GenAIRequestMaxTokensKey,
		telemetry.AttrTemperature:   semconv.GenAIRequestTemperatureKey,
		telemetry.AttrTopP:          semconv.GenAIRequestTopPKey,
		telemetry.AttrChoices:       semconv.GenAIRequestChoiceCountKey,
		telemetry.AttrResponseID:    semconv.GenAIResponseIDKey,
		telemetry.AttrResponseModel: semconv.GenAIResponseModelKey,
		telemetry.AttrFinishReasons: semconv.GenAIResponseFinishReasonsKey,
		telemetry.AttrFirstChunk:    semconv.GenAIResponseTimeToFirstChunkKey,
		telemetry.AttrInputTokens:   semconv.GenAIUsageInputTokensKey,
		telemetry.AttrOutputTokens:  semconv.GenAIUsageOutputTokensKey,
		telemetry.AttrToolName:      semconv.GenAIToolNameKey,
		telemetry.AttrToolCallID:    semconv.GenAIToolCallIDKey,
		telemetry.AttrErrorType:     semconv.ErrorTypeKey,
		telemetry.AttrServerAddress: semconv.ServerAddressKey,
		telemetry.AttrServerPort:    semconv.ServerPortKey,
		telemetry.AttrHTTPMethod:    semconv.HTTPRequestMethodKey,
		telemetry.AttrHTTPStatus:    semconv.HTTPResponseStatusCodeKey,
		telemetry.AttrHTTPRoute:     semconv.HTTPRouteKey,
		telemetry.AttrService:       semconv.ServiceNameKey,
		telemetry.AttrVersion:       semconv.ServiceVersionKey,
	} {
		if ours != string(theirs) {
			t.Errorf("%s, want %s", ours, theirs)
		}
	}
	for ours, theirs := range map[string]attribute.KeyValue{
		telemetry.OperationChat:       semconv.GenAIOperationNameChat,
		telemetry.OperationCompletion: semconv.GenAIOperationNameTextCompletion,
		telemetry.OperationEmbeddings: semconv.GenAIOperationNameEmbeddings,
		telemetry.OperationTool:       semconv.GenAIOperationNameExecuteTool,
	} {
		if ours != theirs.Value.AsString() {
			t.Errorf("%s, want %s", ours, theirs.Value.AsString())
		}
	}
}

func BenchmarkSilentSpan(b *testing.B) {
	tracer, _, err := telemetry.NewTracer(b.Context(), telemetry.TraceConfig{})
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		_, span := tracer.Start(ctx, "x")
		span.End()
	}
}

// attributes are the values by name, as text.
func attributes(kvs []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, kv := range kvs {
		out[kv.GetKey()] = text(kv.GetValue())
	}
	return out
}

func text(v *common.AnyValue) string {
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_IntValue:
		return strconv.FormatInt(v.IntValue, 10)
	case *common.AnyValue_ArrayValue:
		var parts []string
		for _, e := range v.ArrayValue.GetValues() {
			parts = append(parts, text(e))
		}
		return strings.Join(parts, ",")
	}
	return ""
}
