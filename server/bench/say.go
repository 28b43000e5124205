package bench

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Chunks are the pieces of text in a streamed answer.
const Chunks = 50

// variants are the different prompts of a scenario: one alone would be learned
// by the processor.
const variants = 16

const words = `the a of to and in for on with as by from at that this which when after before because every some new old quick careful
report table customer order invoice shipment warehouse region quarter average growth margin forecast budget meeting summary
question answer example function variable module server request response latency model context paragraph section document
write explain compare describe translate shorten list suggest check improve plan review consider include remove keep please
Monday Berlin Python January European team manager engineer nurse teacher student river mountain garden kitchen weather music
should could would has have is are was were will not only also more less than about under between during without`

// prose returns n bytes of text that reads like a prompt and holds nothing that
// a guardrail notices.
func prose(n int, seed uint64) string {
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // the same in each run
	all := strings.Fields(words)
	var b strings.Builder
	for at := 0; b.Len() < n; at++ {
		w := all[random.IntN(len(all))]
		switch random.IntN(24) {
		case 0:
			w = strconv.Itoa(random.IntN(900))
		case 1, 2:
			w += ","
		case 3:
			w += ".\n"
		}
		if at > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w)
	}
	return b.String()[:n]
}

// said is the text of every answer.
var said = cut()

func cut() []string {
	out := strings.SplitAfter(prose(610, 99), " ")
	for len(out) > Chunks { // the rest goes into the last
		n := len(out)
		out = append(out[:n-2], out[n-2]+out[n-1])
	}
	return out
}

// whole is a unary answer, about 900 bytes.
func whole() []byte {
	return fmt.Appendf(nil, `{"id":"chatcmpl-bench0000000000000000","object":"chat.completion","created":1760000000,"model":"bench","choices":[{"index":0,"message":{"role":"assistant","content":%q,"refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":250,"completion_tokens":50,"total_tokens":300},"service_tier":"default","system_fingerprint":"fp_bench"}`,
		strings.Join(said, ""))
}

// frames are the data of the events of a streamed answer.
func frames() (out []string) {
	frame := func(delta, finish string) {
		out = append(out, fmt.Sprintf(`{"id":"chatcmpl-bench0000000000000000","object":"chat.completion.chunk","created":1760000000,"model":"bench","service_tier":"default","system_fingerprint":"fp_bench","choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}]}`, delta, finish))
	}
	frame(`{"role":"assistant","content":"","refusal":null}`, "null")
	for _, piece := range said {
		frame(fmt.Sprintf(`{"content":%q}`, piece), "null")
	}
	frame(`{}`, `"stop"`)
	return append(out, "[DONE]")
}
