package gateway

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringwall/ringwall"
)

// trace begins the span of an exchange, under the caller's trace if it has one.
// Names and attributes are those of OpenTelemetry's GenAI conventions.
func (x *exchange) trace(ctx context.Context) (context.Context, trace.Span) {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(x.r.Header))
	return x.g.cfg.Tracer.Start(ctx, x.operation(), trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("gen_ai.operation.name", x.operation()),
		attribute.String("ringwall.exchange", x.ID),
	))
}

// operation is the GenAI operation of x. The conventions have no name for asking
// a guard.
func (x *exchange) operation() string {
	if _, ok := x.d.(asking); ok {
		return "guard"
	}
	return "chat"
}

func (x *exchange) endTrace() {
	x.span.SetName(strings.TrimSpace(x.operation() + " " + clip(x.Model, 64)))
	x.span.SetAttributes(
		attribute.String("gen_ai.provider.name", x.Provider),
		attribute.String("gen_ai.request.model", clip(x.Model, 256)),
		attribute.Int64("gen_ai.usage.input_tokens", x.Usage.InputTokens),
		attribute.Int64("gen_ai.usage.output_tokens", x.Usage.OutputTokens),
		attribute.Int("http.response.status_code", x.Status),
		attribute.String("ringwall.verdict", x.Verdict.Action.String()),
		attribute.String("ringwall.outcome", string(x.outcome)),
	)
	if n := len(x.Tools); n > 0 {
		stopped := 0
		for i := range x.Tools {
			if !x.Tools[i].Decision.Runs() {
				stopped++
			}
		}
		x.span.SetAttributes(attribute.Int("ringwall.tool_calls", n), attribute.Int("ringwall.tool_calls.stopped", stopped))
	}
	if x.outcome != ringwall.Answered {
		x.span.SetAttributes(attribute.String("error.type", string(x.outcome)))
		x.span.SetStatus(codes.Error, string(x.outcome))
	}
	x.span.End()
}
