package quota

import "sync"

// habits is what is known of how models read and write, so that what is set aside is
// enough. It forgets nobody but all of them at once, when there are too many.
type habits struct {
	answer int64 // tokens that an answer is expected to have of which nothing is known

	mu     sync.Mutex
	models map[string]habit
}

// habit is how one model reads and writes.
type habit struct {
	read  float64 // what it read of long prompts, as a share of what was estimated; the most
	extra int64   // what it read of short ones beside what was estimated; the most
	wrote int64   // the longest answer that was longer than its request allowed, or said
	calls int64   // the most tool calls of an answer
}

const (
	mostHabits = 4096
	fade       = 0.995 // of what was seen once is left with the next answer
	long       = 256   // tokens of a long prompt
	around     = 16    // tokens that stand around a prompt, before more is known
)

// Expect returns what a request to a model is to set aside: for estimate tokens of
// input, and an answer that may have asked tokens; -1: the request does not say. Of a
// model that nobody has heard yet the longer answer is expected.
func (q *Quota) Expect(model string, estimate, asked int64) (input, output, calls int64) {
	h := &q.habits
	h.mu.Lock()
	known, ok := h.models[model]
	h.mu.Unlock()
	if !ok {
		known.read = 1.25
	}
	input = int64(float64(estimate)*known.read) + max(around, known.extra)
	switch {
	case asked == 0:
		return input, 0, known.calls
	case asked < 0 || !ok:
		return input, max(asked, known.wrote, h.answer), known.calls
	}
	return input, max(asked, known.wrote), known.calls
}

// Saw says what a model read and wrote, where Expect was told estimate and asked.
func (q *Quota) Saw(model string, estimate, asked int64, u Used) {
	read, wrote := u.Usage.InputTokens, u.Usage.OutputTokens
	if read <= 0 && wrote <= 0 {
		return
	}
	h := &q.habits
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.models == nil || len(h.models) >= mostHabits {
		h.models = map[string]habit{}
	}
	known, ok := h.models[model]
	if !ok {
		known.read = 1
	}
	known.read, known.extra = max(1, known.read*fade), int64(float64(known.extra)*fade)
	if estimate >= long {
		known.read = max(known.read, float64(read)/float64(estimate))
	} else {
		known.extra = max(known.extra, read-estimate)
	}
	known.wrote = int64(float64(known.wrote) * fade)
	if asked < 0 || wrote > asked {
		known.wrote = max(known.wrote, wrote)
	}
	known.calls = max(int64(float64(known.calls)*fade), u.ToolCalls)
	h.models[model] = known
}
