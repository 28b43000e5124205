package rule

import (
	"strings"

	"github.com/ringwall/ringwall/gateway/dialect"
	"github.com/ringwall/ringwall/internal/jsonedit"
)

// path leads to a member of members.
type path []string

// vocabulary says in which words an API asks for what rules are about. A number that
// an API has no word for has no path, and no request can ask for it.
type vocabulary struct {
	fold func(key, word string) bool // how keys are read; nil: to the letter

	tokens, choices, temperature, topP, stops, thinking, efforts, metadata []path

	fill   path           // where a number of tokens is put that a request does not say
	list   path           // the messages, prompts or items
	fields map[string]int // members of a body, as they are written; nil: nobody knows them

	turns  func(l *look)                         // notes whose turn it is
	tools  func(w *vocabulary, l *look) []tool   // that are named
	format func(w *vocabulary, l *look) answered // of the answer
	media  func(l *look, see func(kind string, v jsonedit.Value, path string) error) error
}

// tool is a tool that a request names.
type tool struct {
	name   string
	def    jsonedit.Value
	schema jsonedit.Value
	path   string
}

// answered is the form of an answer.
type answered struct {
	kind   string // text, json, schema, or the API's own word
	v      jsonedit.Value
	schema jsonedit.Value
	path   string
}

// member returns the member of v that a word names.
func (w *vocabulary) member(v jsonedit.Value, word string) jsonedit.Value {
	if w.fold == nil {
		return v.Get(word)
	}
	for key, m := range v.Members() {
		if w.fold(key, word) {
			return m
		}
	}
	return jsonedit.Value{}
}

func (w *vocabulary) get(v jsonedit.Value, p path) jsonedit.Value {
	for _, word := range p {
		v = w.member(v, word)
	}
	return v
}

// pointer is the JSON pointer of p, in the keys of the request where it has them.
func (w *vocabulary) pointer(v jsonedit.Value, p path) string {
	var b strings.Builder
	for _, word := range p {
		spelled, next := word, jsonedit.Value{}
		for key, m := range v.Members() {
			if key == word || w.fold != nil && w.fold(key, word) {
				spelled, next = key, m
				break
			}
		}
		b.WriteString("/" + dialect.Pointer(spelled))
		v = next
	}
	return b.String()
}

// anyCase reads keys as Go's encoding/json does, anySpelling as protocol buffers do.
func anyCase(key, word string) bool     { return same(key, word, false, dialect.FoldCase) }
func anySpelling(key, word string) bool { return same(key, word, true, dialect.FoldProto) }

// same compares without the heap, where all is ASCII.
func same(key, word string, glue bool, fold func(string) string) bool {
	i := 0
	for j := range len(key) {
		c := key[j]
		if c >= 0x80 {
			return fold(strings.Clone(key)) == fold(word)
		}
		if c == '_' && glue {
			continue
		}
		if i >= len(word) || c|0x20 != word[i]|0x20 && c != word[i] || (c|0x20 < 'a' || c|0x20 > 'z') && c != word[i] {
			// A letter that only folds to ASCII may stand behind.
			return i < len(word) && nonASCII(key[j:]) && fold(strings.Clone(key)) == fold(word)
		}
		i++
	}
	return i == len(word)
}

func nonASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return true
		}
	}
	return false
}

// known makes the set of the members of a body.
func known(names string) map[string]int {
	set := map[string]int{}
	for i, n := range strings.Fields(names) {
		set[n] = i
	}
	return set
}

// vocabularies is the table of words by the name of the dialect.
var vocabularies = map[string]*vocabulary{
	"openai": {
		tokens: []path{{"max_tokens"}, {"max_completion_tokens"}}, fill: path{"max_completion_tokens"}, choices: []path{{"n"}},
		temperature: []path{{"temperature"}}, topP: []path{{"top_p"}}, stops: []path{{"stop"}}, efforts: []path{{"reasoning_effort"}, {"reasoning", "effort"}},
		thinking: []path{{"reasoning", "max_tokens"}, {"thinking", "budget_tokens"}}, metadata: []path{{"metadata"}}, list: path{"messages"},
		turns: chatTurns, tools: chatTools, format: chatFormat, media: chatMedia,
		fields: known(`model messages stream stream_options max_tokens max_completion_tokens temperature top_p n stop presence_penalty frequency_penalty
			logit_bias logprobs top_logprobs seed tools tool_choice parallel_tool_calls functions function_call response_format reasoning_effort verbosity
			modalities audio prediction metadata store service_tier user safety_identifier prompt_cache_key prompt_cache_retention web_search_options`),
	},
	"openai-responses": {
		tokens: []path{{"max_output_tokens"}}, fill: path{"max_output_tokens"}, temperature: []path{{"temperature"}}, topP: []path{{"top_p"}},
		efforts: []path{{"reasoning", "effort"}}, metadata: []path{{"metadata"}}, list: path{"input"},
		turns: itemTurns, tools: chatTools, format: itemFormat, media: itemMedia,
		fields: known(`model input instructions stream stream_options max_output_tokens max_tool_calls temperature top_p top_logprobs tools tool_choice
			parallel_tool_calls text reasoning previous_response_id conversation prompt include metadata store background truncation service_tier user
			safety_identifier prompt_cache_key prompt_cache_retention context_management`),
	},
	"openai-completions": {
		tokens: []path{{"max_tokens"}, {"max_completion_tokens"}}, fill: path{"max_tokens"}, choices: []path{{"n"}, {"best_of"}}, temperature: []path{{"temperature"}},
		topP: []path{{"top_p"}}, stops: []path{{"stop"}}, list: path{"prompt"},
		fields: known(`model prompt stream stream_options max_tokens temperature top_p n best_of stop suffix echo logprobs logit_bias presence_penalty
			frequency_penalty seed user`),
	},
	"openai-embeddings":      {list: path{"input"}, fields: known(`model input encoding_format dimensions user`)},
	"anthropic":              anthropicWords(path{"max_tokens"}),
	"anthropic-count-tokens": anthropicWords(nil),
	"bedrock-converse":       converseWords(path{"inferenceConfig", "maxTokens"}),
	"gemini":                 geminiWords(path{"generationConfig", "maxOutputTokens"}),
	"gemini-count-tokens":    geminiWords(nil),
	"ollama": {
		fold: anyCase, tokens: []path{{"options", "num_predict"}}, fill: path{"options", "num_predict"}, temperature: []path{{"options", "temperature"}},
		topP: []path{{"options", "top_p"}}, stops: []path{{"options", "stop"}}, efforts: []path{{"think"}}, list: path{"messages"},
		turns: ollamaTurns, tools: chatTools, format: ollamaFormat, media: ollamaMedia,
		fields: known(`model messages tools format options stream keep_alive think truncate shift logprobs top_logprobs`),
	},
	"ollama-generate": {
		fold: anyCase, tokens: []path{{"options", "num_predict"}}, fill: path{"options", "num_predict"}, temperature: []path{{"options", "temperature"}},
		topP: []path{{"options", "top_p"}}, stops: []path{{"options", "stop"}}, efforts: []path{{"think"}}, list: path{"prompt"},
		format: ollamaFormat, media: ollamaMedia,
		fields: known(`model prompt suffix images format options system template stream raw keep_alive context think truncate shift logprobs top_logprobs`),
	},
}

// Words of families of models behind Bedrock's InvokeModel.
var (
	invokedClaude = invoked(anthropicWords(path{"max_tokens"}), "anthropic_version anthropic_beta amazon-bedrock-guardrailConfig")
	invokedNova   = invoked(converseWords(path{"inferenceConfig", "maxTokens"}), "schemaVersion amazon-bedrock-guardrailConfig")
	invokedTitan  = &vocabulary{
		tokens: []path{{"textGenerationConfig", "maxTokenCount"}}, fill: path{"textGenerationConfig", "maxTokenCount"},
		temperature: []path{{"textGenerationConfig", "temperature"}}, topP: []path{{"textGenerationConfig", "topP"}},
		stops: []path{{"textGenerationConfig", "stopSequences"}}, list: path{"inputText"},
		fields: known("inputText textGenerationConfig amazon-bedrock-guardrailConfig"),
	}
	invokedLlama = &vocabulary{
		tokens: []path{{"max_gen_len"}}, fill: path{"max_gen_len"}, temperature: []path{{"temperature"}}, topP: []path{{"top_p"}}, list: path{"prompt"},
		media:  ollamaMedia,
		fields: known("prompt max_gen_len temperature top_p images amazon-bedrock-guardrailConfig"),
	}
)

// invoked adds what bodies of InvokeModel hold, too.
func invoked(w *vocabulary, more string) *vocabulary {
	for name := range known(more) {
		w.fields[name] = len(w.fields)
	}
	return w
}

// anthropicWords are those of Anthropic's messages; without fill no answer is asked for.
func anthropicWords(fill path) *vocabulary {
	w := &vocabulary{
		fill: fill, temperature: []path{{"temperature"}}, topP: []path{{"top_p"}}, stops: []path{{"stop_sequences"}}, list: path{"messages"},
		thinking: []path{{"thinking", "budget_tokens"}}, efforts: []path{{"output_config", "effort"}}, metadata: []path{{"metadata"}},
		turns: blockTurns, tools: anthropicTools, format: anthropicFormat, media: blockMedia,
		fields: known(`model messages system max_tokens stream temperature top_p top_k stop_sequences tools tool_choice thinking metadata service_tier
			container context_management mcp_servers output_config output_format speed inference_geo cache_control`),
	}
	if fill != nil {
		w.tokens = []path{fill, {"max_tokens_to_sample"}}
	}
	return w
}

// converseWords are those of Bedrock's Converse, and of Nova's own, which are like
// them. What a model may be told in its own words counts, too.
func converseWords(fill path) *vocabulary {
	const own = "additionalModelRequestFields"
	w := &vocabulary{
		fill: fill, temperature: []path{{"inferenceConfig", "temperature"}, {own, "temperature"}, {own, "inferenceConfig", "temperature"}},
		topP:  []path{{"inferenceConfig", "topP"}, {"inferenceConfig", "top_p"}, {own, "top_p"}, {own, "topP"}, {own, "inferenceConfig", "topP"}},
		stops: []path{{"inferenceConfig", "stopSequences"}, {own, "stop_sequences"}, {own, "stop"}}, list: path{"messages"},
		thinking: []path{{own, "thinking", "budget_tokens"}, {own, "reasoning_config", "budget_tokens"}},
		efforts:  []path{{own, "reasoning_effort"}, {own, "output_config", "effort"}, {own, "reasoningConfig", "maxReasoningEffort"}},
		metadata: []path{{"requestMetadata"}},
		turns:    blockTurns, tools: converseTools, format: converseFormat, media: blockMedia,
		fields: known(`messages system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields additionalModelResponseFieldPaths
			promptVariables requestMetadata performanceConfig serviceTier outputConfig`),
	}
	if fill != nil {
		w.tokens = []path{
			fill,
			{"inferenceConfig", "max_new_tokens"},
			{own, "max_tokens"},
			{own, "maxTokens"},
			{own, "max_new_tokens"},
			{own, "max_gen_len"},
			{own, "max_tokens_to_sample"},
			{own, "maxTokenCount"},
			{own, "max_completion_tokens"},
			{own, "inferenceConfig", "maxTokens"},
			{own, "inferenceConfig", "max_new_tokens"},
		}
		w.choices = []path{{own, "n"}, {own, "num_generations"}, {own, "numResults"}}
	}
	return w
}

func geminiWords(fill path) *vocabulary {
	const config = "generationConfig"
	w := &vocabulary{
		fold: anySpelling, fill: fill, temperature: []path{{config, "temperature"}}, topP: []path{{config, "topP"}}, stops: []path{{config, "stopSequences"}},
		thinking: []path{{config, "thinkingConfig", "thinkingBudget"}}, efforts: []path{{config, "thinkingConfig", "thinkingLevel"}},
		metadata: []path{{"labels"}}, list: path{"contents"}, turns: geminiTurns, tools: geminiTools, format: geminiFormat, media: geminiMedia,
		fields: known(`model contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent labels store serviceTier`),
	}
	if fill != nil {
		w.tokens, w.choices = []path{fill}, []path{{config, "candidateCount"}}
	}
	return w
}

// wordsOf returns the words of an API and what they are about, nil where no model is
// asked. It reports whether they are known.
func wordsOf(api, model string, root jsonedit.Value) (*vocabulary, jsonedit.Value, bool) {
	switch api {
	case "bedrock-invoke":
		w := invokeWords(model, root)
		return w, root, w != nil
	case "bedrock-count-tokens": // the root is the request that is counted
		if !root.Get("messages").Exists() || root.Get("anthropic_version").Exists() {
			w := invokeWords(model, root)
			return counted(w), root, w != nil
		}
		return counted(vocabularies["bedrock-converse"]), root, true
	case "gemini-count-tokens":
		w := vocabularies[api]
		if inner := w.member(root, "generateContentRequest"); inner.Exists() {
			root = inner
		}
		return w, root, true
	}
	return vocabularies[api], root, true
}

// streams reports whether answers of an API can be streamed.
func streams(api string) bool {
	w := vocabularies[api]
	return api == "bedrock-invoke" || w != nil && w.fill != nil
}

// counted returns the words of a request of which tokens are counted: no answer is
// asked for.
func counted(w *vocabulary) *vocabulary {
	if w == nil {
		return nil
	}
	out := *w
	out.tokens, out.choices, out.fill = nil, nil, nil
	return &out
}

// invokeWords are those of the model that InvokeModel asks, told by its id and else by
// its body, as the dialect tells them; nil when nobody knows them.
func invokeWords(model string, root jsonedit.Value) *vocabulary {
	switch {
	case strings.Contains(model, "anthropic.claude"):
		return invokedClaude
	case strings.Contains(model, "amazon.nova"):
		return invokedNova
	case strings.Contains(model, "amazon.titan-text"), strings.Contains(model, "amazon.titan-tg1"):
		return invokedTitan
	case strings.Contains(model, "meta.llama"):
		return invokedLlama
	case root.Get("anthropic_version").Exists():
		return invokedClaude
	case root.Get("schemaVersion").Exists():
		return invokedNova
	}
	return nil
}

// Knows reports whether there are words of an API.
func Knows(api string) bool {
	return vocabularies[api] != nil || api == "bedrock-invoke" || api == "bedrock-count-tokens"
}
