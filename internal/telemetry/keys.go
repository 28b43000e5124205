package telemetry

// Keys of log attributes. A log line uses these and no others, so that whoever
// searches logs learns one list. Values are ids, names and measures, never the
// text of a prompt or an answer, and never a credential.
const (
	KeyExchange  = "exchange"    // id of the exchange
	KeyPrincipal = "principal"   // id of the caller
	KeyTenant    = "tenant"      // of the caller
	KeyTrust     = "trust"       // of the caller
	KeyVia       = "via"         // how the caller proved it
	KeyControl   = "control"     // id in package control
	KeyReason    = "reason"      // of a finding or a refusal, kebab-case
	KeySeverity  = "severity"    // of a finding
	KeyAction    = "action"      // of a verdict
	KeyOutcome   = "outcome"     // of an exchange
	KeyGuardrail = "guardrail"   // name and version
	KeyModel     = "model"       // as the client named it
	KeyProvider  = "provider"    // name in the configuration
	KeyDialect   = "dialect"     // of the client
	KeyRoute     = "route"       // path pattern
	KeyMethod    = "method"      // of HTTP
	KeyStatus    = "status"      // of HTTP, as the client read it
	KeyStream    = "stream"      // whether the answer was streamed
	KeyDuration  = "duration_ms" // milliseconds
	KeyBytes     = "bytes"       // how many
	KeyCount     = "count"       // how many
	KeyInput     = "input_tokens"
	KeyOutput    = "output_tokens"
	KeyError     = "error"      // for operators
	KeyComponent = "component"  // package that speaks
	KeyKeyPrefix = "key_prefix" // public part of an API key
	KeyFile      = "file"       // path
	KeyAddress   = "address"    // host and port
	KeyVersion   = "version"    // of the program
)
