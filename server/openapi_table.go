package server

// described is what the document says of an API.
type described struct {
	tag, summary string
	docs         string   // where whoever made the API explains it; "" where it is ours
	fails        string   // the schema of errors
	needs        []string // members that a body has, where the API is not ours
	takes, gives string   // schemas of the body and of the answer, where they are ours
	streams      string   // media type of streamed answers, "" where there are none
	keys         []string // security schemes; nil: bearer; empty: none is needed
	status       string   // of what is done; "" is 200
}

const (
	openaiDocs  = "https://platform.openai.com/docs/api-reference/"
	amazonDocs  = "https://docs.aws.amazon.com/bedrock/latest/APIReference/"
	ollamaDocs  = "https://github.com/ollama/ollama/blob/main/docs/api.md"
	googleDocs  = "https://ai.google.dev/api/"
	eventStream = "text/event-stream"
	frames      = "application/vnd.amazon.eventstream"
)

var (
	openaiKeys    = []string{"bearer"}
	azureKeys     = []string{"bearer", "apiKey"}
	anthropicKeys = []string{"bearer", "xApiKey"}
	googleKeys    = []string{"bearer", "googleKey", "googleQuery"}
	amazonKeys    = []string{"bearer", "sigv4", "xApiKey"}
	safetyKeys    = []string{"bearer", "azureSubscription"}
	open          = []string{}
)

// apis is the table of what the document says of dialects, inquirers and errands, by
// their names.
var apis = map[string]described{
	"openai":                 {"Models", "Chat completions", openaiDocs + "chat", "ErrorOpenAI", []string{"messages"}, "", "", eventStream, openaiKeys, ""},
	"openai-responses":       {"Models", "Responses", openaiDocs + "responses", "ErrorOpenAI", []string{"model"}, "", "", eventStream, openaiKeys, ""},
	"openai-completions":     {"Models", "Completions", openaiDocs + "completions", "ErrorOpenAI", []string{"prompt"}, "", "", eventStream, openaiKeys, ""},
	"openai-embeddings":      {"Models", "Embeddings", openaiDocs + "embeddings", "ErrorOpenAI", []string{"input"}, "", "", "", openaiKeys, ""},
	"anthropic":              {"Models", "Messages", "https://docs.anthropic.com/en/api/messages", "ErrorAnthropic", []string{"model", "messages"}, "", "", eventStream, anthropicKeys, ""},
	"anthropic-count-tokens": {"Models", "Count the tokens of messages", "https://docs.anthropic.com/en/api/messages-count-tokens", "ErrorAnthropic", []string{"model", "messages"}, "", "", "", anthropicKeys, ""},
	"bedrock-converse":       {"Models", "Converse", amazonDocs + "API_runtime_Converse.html", "ErrorAmazon", []string{"messages"}, "", "", frames, amazonKeys, ""},
	"bedrock-invoke":         {"Models", "InvokeModel", amazonDocs + "API_runtime_InvokeModel.html", "ErrorAmazon", nil, "", "", frames, amazonKeys, ""},
	"bedrock-count-tokens":   {"Models", "CountTokens", amazonDocs + "API_runtime_CountTokens.html", "ErrorAmazon", []string{"input"}, "", "", "", amazonKeys, ""},
	"gemini":                 {"Models", "generateContent, streamGenerateContent and countTokens; the path ends in a model, a colon and one of them", googleDocs + "generate-content", "ErrorGoogle", []string{"contents"}, "", "", eventStream, googleKeys, ""},
	"ollama":                 {"Models", "Chat of Ollama", ollamaDocs, "ErrorOllama", []string{"model", "messages"}, "", "", "application/x-ndjson", openaiKeys, ""},
	"ollama-generate":        {"Models", "Generate of Ollama", ollamaDocs, "ErrorOllama", []string{"model", "prompt"}, "", "", "application/x-ndjson", openaiKeys, ""},

	"openai-moderations":   {"Guard", "Moderations of OpenAI", openaiDocs + "moderations", "ErrorOpenAI", nil, "Moderation", "ModerationAnswer", "", openaiKeys, ""},
	"bedrock-guardrail":    {"Guard", "ApplyGuardrail of Amazon Bedrock", amazonDocs + "API_runtime_ApplyGuardrail.html", "ErrorAmazon", nil, "ApplyGuardrail", "ApplyGuardrailAnswer", "", amazonKeys, ""},
	"bedrock-checks":       {"Guard", "InvokeGuardrailChecks of Amazon Bedrock", amazonDocs + "API_Operations_Amazon_Bedrock_Runtime.html", "ErrorAmazon", nil, "GuardrailChecks", "GuardrailChecksAnswer", "", amazonKeys, ""},
	"lakera-guard":         {"Guard", "Lakera Guard", "https://docs.lakera.ai/docs/api/guard", "ErrorCoded", nil, "Screening", "ScreeningAnswer", "", openaiKeys, ""},
	"azure-prompt-shield":  {"Guard", "Azure Prompt Shields", "https://learn.microsoft.com/en-us/rest/api/contentsafety/text-operations/detect-text-jailbreak", "ErrorCoded", nil, "Shielding", "ShieldingAnswer", "", safetyKeys, ""},
	"azure-content-safety": {"Guard", "Azure AI Content Safety", "https://learn.microsoft.com/en-us/rest/api/contentsafety/text-operations/analyze-text", "ErrorCoded", nil, "Harm", "HarmAnswer", "", safetyKeys, ""},
	"model-armor":          {"Guard", "Google Model Armor: sanitizeUserPrompt and sanitizeModelResponse; the path ends in a template, a colon and one of them", "https://cloud.google.com/model-armor/reference/rest", "ErrorGoogle", nil, "Sanitizing", "SanitizingAnswer", "", []string{"bearer", "googleKey"}, ""},
	"presidio-analyzer":    {"Guard", "Presidio's analyzer", "https://microsoft.github.io/presidio/api-docs/api-docs.html", "ErrorPlain", nil, "Analysis", "AnalysisAnswer", "", anthropicKeys, ""},
	"presidio-anonymizer":  {"Guard", "Presidio's anonymizer", "https://microsoft.github.io/presidio/api-docs/api-docs.html", "ErrorPlain", nil, "Anonymizing", "AnonymizingAnswer", "", anthropicKeys, ""},
	"llm-guard":            {"Guard", "LLM Guard", "https://protectai.github.io/llm-guard/api/overview/", "ErrorMessage", nil, "LLMGuardPrompt", "LLMGuardAnswer", "", openaiKeys, ""},
}

// otherRoutes is the table of what the document says of all other routes, by pattern. Those of
// the APIs above that differ from what is said there are here, too.
var otherRoutes = map[string]described{
	"POST /v2/guard/results":             {"Guard", "Lakera Guard: how sure each detector is", "https://docs.lakera.ai/docs/api/guard", "ErrorCoded", nil, "Screening", "ScreeningResults", "", openaiKeys, ""},
	"POST /analyze/output":               {"Guard", "LLM Guard, for answers", "https://protectai.github.io/llm-guard/api/overview/", "ErrorMessage", nil, "LLMGuardOutput", "LLMGuardAnswer", "", openaiKeys, ""},
	"GET /guardrails":                    {"Guardrails", "List guardrails", amazonDocs + "API_ListGuardrails.html", "ErrorAmazon", nil, "", "Guardrails", "", amazonKeys, ""},
	"POST /guardrails":                   {"Guardrails", "Make a guardrail", amazonDocs + "API_CreateGuardrail.html", "ErrorAmazon", nil, "GuardrailDocument", "GuardrailMade", "", amazonKeys, "202"},
	"GET /guardrails/{id}":               {"Guardrails", "Read a guardrail", amazonDocs + "API_GetGuardrail.html", "ErrorAmazon", nil, "", "GuardrailRead", "", amazonKeys, ""},
	"PUT /guardrails/{id}":               {"Guardrails", "Change a guardrail", amazonDocs + "API_UpdateGuardrail.html", "ErrorAmazon", nil, "GuardrailDocument", "GuardrailMade", "", amazonKeys, "202"},
	"POST /guardrails/{id}":              {"Guardrails", "Publish a version of a guardrail", amazonDocs + "API_CreateGuardrailVersion.html", "ErrorAmazon", nil, "GuardrailVersion", "GuardrailMade", "", amazonKeys, "202"},
	"DELETE /guardrails/{id}":            {"Guardrails", "Delete a guardrail, or a version of it", amazonDocs + "API_DeleteGuardrail.html", "ErrorAmazon", nil, "", "Nothing", "", amazonKeys, "202"},
	"GET /recognizers":                   {"Guard", "Presidio's recognizers", "", "ErrorPlain", nil, "", "Names", "", anthropicKeys, ""},
	"GET /supportedentities":             {"Guard", "Presidio's entities", "", "ErrorPlain", nil, "", "Names", "", anthropicKeys, ""},
	"GET /anonymizers":                   {"Guard", "Presidio's anonymizers", "", "ErrorPlain", nil, "", "Names", "", anthropicKeys, ""},
	"GET /deanonymizers":                 {"Guard", "Presidio's deanonymizers: there are none", "", "ErrorPlain", nil, "", "Names", "", anthropicKeys, ""},
	"POST /deanonymize":                  {"Guard", "Refused: nothing that was taken out is given back here", "", "ErrorPlain", nil, "Nothing", "", "", anthropicKeys, ""},
	"GET /v1/responses/{id}":             {"Models", "Read an answer that is kept", openaiDocs + "responses", "ErrorOpenAI", nil, "", "Nothing", "", openaiKeys, ""},
	"DELETE /v1/responses/{id}":          {"Models", "Forget an answer that is kept", openaiDocs + "responses", "ErrorOpenAI", nil, "", "Deleted", "", openaiKeys, ""},
	"GET /v1/responses/{id}/input_items": {"Models", "Read what an answer that is kept was an answer to", openaiDocs + "responses", "ErrorOpenAI", nil, "", "Nothing", "", openaiKeys, ""},
	"GET /v1/models":                     {"Models", "List models", "", "ErrorOpenAI", nil, "", "Models", "", []string{"bearer", "xApiKey", "googleKey"}, ""},
	"GET /openai/models":                 {"Models", "List models, for clients of Azure", "", "ErrorOpenAI", nil, "", "Models", "", azureKeys, ""},
	"GET /openai/v1/models":              {"Models", "List models, for clients of Azure", "", "ErrorOpenAI", nil, "", "Models", "", azureKeys, ""},
	"GET /v1beta/models":                 {"Models", "List models, for clients of Google", "", "ErrorGoogle", nil, "", "ModelsGoogle", "", googleKeys, ""},
	"GET /api/tags":                      {"Models", "List models, for clients of Ollama", "", "ErrorOllama", nil, "", "ModelsOllama", "", openaiKeys, ""},
	"GET /api/version":                   {"Models", "The version of Ollama whose API this is", "", "ErrorOllama", nil, "", "Version", "", open, ""},
	"GET /v1/models/{id...}":             {"Models", "Tell of a model", "", "ErrorOpenAI", nil, "", "Model", "", openaiKeys, ""},
	"GET /healthz":                       {"Health", "Whether the process lives", "", "ErrorOpenAI", nil, "", "Health", "", open, ""},
	"GET /readyz":                        {"Health", "Whether requests are served, and whether the configuration is the last one", "", "ErrorOpenAI", nil, "", "Readiness", "", open, ""},
	"GET /metrics":                       {"Health", "Metrics in the text form of Prometheus", "https://prometheus.io/docs/instrumenting/exposition_formats/", "ErrorOpenAI", nil, "", "", "", open, ""},
	"POST /admin/reload":                 {"Administration", "Take the configuration again", "", "ErrorOpenAI", nil, "", "Nothing", "", openaiKeys, ""},
	"GET /login":                         {"People", "Log a browser in: it is sent to the provider", "https://openid.net/specs/openid-connect-core-1_0.html", "ErrorOpenAI", nil, "", "", "", open, "303"},
	"GET /login/callback":                {"People", "Where the provider sends a browser back", "https://openid.net/specs/openid-connect-core-1_0.html", "ErrorOpenAI", nil, "", "", "", open, "303"},
	"POST /login/logout":                 {"People", "End the sessions of a person, whom the provider names", "https://openid.net/specs/openid-connect-backchannel-1_0.html", "ErrorOpenAI", nil, "", "Nothing", "", open, ""},
	"POST /logout":                       {"People", "Log a browser out", "", "ErrorOpenAI", nil, "", "", "", open, "303"},
	"GET /session":                       {"People", "Who is logged in", "", "ErrorOpenAI", nil, "", "Nothing", "", open, ""},
	"GET /approvals":                     {"Approvals", "List what waits for people, and what became of it; parameters state, tenant, after and limit", "", "ErrorOpenAI", nil, "", "Nothing", "", openaiKeys, ""},
	"GET /approvals/{id}":                {"Approvals", "Read what waits: its nonce is what approving takes", "", "ErrorOpenAI", nil, "", "Nothing", "", openaiKeys, ""},
	"POST /approvals/{id}/approve":       {"Approvals", "Approve it: nonce, and typed where it asks for that", "", "ErrorOpenAI", nil, "Nothing", "Nothing", "", openaiKeys, ""},
	"POST /approvals/{id}/deny":          {"Approvals", "Deny it: a reason need not be given", "", "ErrorOpenAI", nil, "Nothing", "Nothing", "", openaiKeys, ""},
	"GET /approvals/queue":               {"Approvals", "The page of what waits, for browsers", "", "ErrorOpenAI", nil, "", "", "", open, ""},
	"GET /approvals/{id}/card":           {"Approvals", "The page of one approval", "", "ErrorOpenAI", nil, "", "", "", open, ""},
	"POST /approvals/{id}/card":          {"Approvals", "What the form of that page sends", "", "ErrorOpenAI", nil, "", "", "", open, "303"},
	"GET /openapi.json":                  {"Health", "This document", "https://spec.openapis.org/oas/v3.1.1.html", "ErrorOpenAI", nil, "", "Nothing", "", open, ""},
}

// unlisted are the patterns that stand for everything else, at which there is nothing
// but errors.
var unlisted = []string{"/", "/contentsafety/"}
