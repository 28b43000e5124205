package telemetry

// Names of span attributes, from the OpenTelemetry semantic conventions v1.41.0
// (generative AI and general). Those that would hold the text of a prompt or an
// answer are left out on purpose.
const (
	AttrOperation     = "gen_ai.operation.name" // one of the Operation constants
	AttrProvider      = "gen_ai.provider.name"  // "openai", "anthropic", "aws.bedrock", …
	AttrOutputType    = "gen_ai.output.type"
	AttrConversation  = "gen_ai.conversation.id"
	AttrRequestModel  = "gen_ai.request.model" // as the client named it
	AttrRequestStream = "gen_ai.request.stream"
	AttrMaxTokens     = "gen_ai.request.max_tokens"
	AttrTemperature   = "gen_ai.request.temperature"
	AttrTopP          = "gen_ai.request.top_p"
	AttrChoices       = "gen_ai.request.choice.count"
	AttrResponseID    = "gen_ai.response.id"
	AttrResponseModel = "gen_ai.response.model" // that answered
	AttrFinishReasons = "gen_ai.response.finish_reasons"
	AttrFirstChunk    = "gen_ai.response.time_to_first_chunk" // seconds
	AttrInputTokens   = "gen_ai.usage.input_tokens"
	AttrOutputTokens  = "gen_ai.usage.output_tokens"
	AttrToolName      = "gen_ai.tool.name"
	AttrToolCallID    = "gen_ai.tool.call.id"

	AttrErrorType     = "error.type" // low in number: a status, a reason
	AttrServerAddress = "server.address"
	AttrServerPort    = "server.port"
	AttrHTTPMethod    = "http.request.method"
	AttrHTTPStatus    = "http.response.status_code"
	AttrHTTPRoute     = "http.route"
	AttrService       = "service.name"
	AttrVersion       = "service.version"
)

// Names of span attributes of our own.
const (
	AttrExchange  = "ringwall.exchange"
	AttrTenant    = "ringwall.tenant"
	AttrTrust     = "ringwall.trust"
	AttrGuardrail = "ringwall.guardrail"
	AttrAction    = "ringwall.action"
	AttrReasons   = "ringwall.reasons"
	AttrOutcome   = "ringwall.outcome"
)

// Values of [AttrOperation].
const (
	OperationChat       = "chat"
	OperationCompletion = "text_completion"
	OperationEmbeddings = "embeddings"
	OperationTool       = "execute_tool"
)
