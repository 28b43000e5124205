// Package telemetry lets operators see the program work: metrics, traces and
// logs. What it emits holds ids, names and measures, never the text of a prompt
// or an answer and never a credential.
//
// # The data's way
//
//	Metrics ─▶ own registry ─▶ Handler ─▶ Prometheus
//	Tracer  ─▶ batches of spans ─▶ OTLP over HTTP ─▶ collector
//	Logger  ─▶ guard ─▶ JSON or text lines ─▶ a writer
//
// Nothing here is global: whoever emits is given a [Metrics], a trace.Tracer or
// a *slog.Logger. Telemetry never fails a request: a label value that nobody
// declared is counted as [Other], a span that cannot be delivered is dropped.
//
// Names of log attributes are the Key constants, names of span attributes the
// Attr constants, which are those of the OpenTelemetry conventions for
// generative AI. What to measure is left to the packages that work. Start
// reading at [NewMetrics], [NewTracer] and [NewLogger].
package telemetry
