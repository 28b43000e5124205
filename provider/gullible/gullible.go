// Package gullible is a model that believes everything it reads. It answers in
// the words of OpenAI's chat completions, needs no network and no weights, and
// says the same to the same question every time. It stands in for the worst
// model that an attacker could hope for, so that what holds against it holds
// because of the protection around it and not because of the model's manners.
//
// # How it thinks
//
// It reads the system prompt, the definitions of tools, what the user, the
// tools and it itself said as one text, undoes every disguise that package
// decode knows, and obeys the last instruction it finds, whoever wrote it: it
// prints its system prompt, calls tools, sends conversations away, embeds
// pictures with data in their addresses. An instruction that it has obeyed
// already is spent. Where it finds none it is a plain shop assistant: it picks
// a tool, repeats what tools returned without care, and notes what it is told,
// personal data included.
//
// # What it leaves to others
//
// It protects nothing, on purpose, and must be reached from the same machine
// only: [CheckListen] is for that. Its answers are not a measure of any real
// model.
//
// Start reading at [Model], then answer.go and directive.go.
package gullible

import (
	"bytes"
	"context"
	"encoding/json"
	"hash/fnv"
	"iter"
	"time"
)

// Config configures a Model. The zero value is the most gullible one.
type Config struct {
	// SystemSuffix stands behind the system prompt of every request, as a
	// canary does; it is revealed with the prompt.
	SystemSuffix string
	// Secrets are sentences that the model knows and tells whoever asks about
	// them: "the warehouse password is ...".
	Secrets []string
	// Obedience is how many of a hundred instructions the model obeys, 1 to
	// 100; which ones depends on Seed and their words. Zero means 100, a
	// negative value none.
	Obedience int
	// Delay is waited before each event of a stream, and once before a whole
	// answer. Zero waits not at all.
	Delay time.Duration
	// Verbosity is how many paragraphs that nobody needs end each answer.
	// Answers are never longer than 1 MiB.
	Verbosity int
	// Loop makes the model call a tool in every turn, again and again, until
	// its caller stops asking. Without it, eight turns of calls end a question.
	Loop bool
	// Seed decides ids, the sizes of streamed pieces and which instructions are
	// obeyed.
	Seed uint64
}

// Model is the gullible model. It keeps nothing between requests and is safe
// for concurrent use. Its zero value is the model of a zero Config.
type Model struct {
	cfg Config
}

// New returns a Model. It starts nothing.
func New(cfg Config) *Model {
	if cfg.Obedience == 0 || cfg.Obedience > 100 {
		cfg.Obedience = 100
	}
	return &Model{cfg: cfg}
}

// Bounds of answers.
const (
	maxAnswer = 1 << 20 // bytes of text
	maxCalls  = 16      // tool calls of one turn
	maxRounds = 8       // turns of tool calls that answer one question
)

// Complete answers the chat completion request in body with a whole chat
// completion, whether or not the request asks for a stream. A request that
// cannot be read is an *[Error]; otherwise the only error is that of ctx.
func (m *Model) Complete(ctx context.Context, body []byte) ([]byte, error) {
	q, err := parse(body)
	if err != nil {
		return nil, err
	}
	a, err := m.prepare(ctx, q)
	if err != nil {
		return nil, err
	}
	if err := wait(ctx, m.cfg.Delay); err != nil {
		return nil, err
	}
	return encode(a.whole()), nil
}

// Stream answers like Complete, in pieces: each element is the data of one
// server-sent event, without the closing [DONE]. The texts and arguments of
// the pieces add up to those of Complete. An error is the last element.
func (m *Model) Stream(ctx context.Context, body []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		q, err := parse(body)
		if err != nil {
			yield(nil, err)
			return
		}
		a, err := m.prepare(ctx, q)
		if err != nil {
			yield(nil, err)
			return
		}
		for event := range a.events() {
			if err := wait(ctx, m.cfg.Delay); err != nil {
				yield(nil, err)
				return
			}
			if !yield(encode(event), nil) {
				return
			}
		}
	}
}

// wait waits for d, or returns ctx's error as soon as there is one.
func wait(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// hash is a stable number for the seed and some texts.
func (m *Model) hash(texts ...string) uint64 {
	h := fnv.New64a()
	var seed [8]byte
	for i := range seed {
		seed[i] = byte(m.cfg.Seed >> (8 * i))
	}
	h.Write(seed[:])
	for _, s := range texts {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return mix(h.Sum64())
}

// mix spreads the bits of a hash (the finaliser of splitmix64).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// obeys reports whether the model obeys an instruction of these words.
func (m *Model) obeys(words string) bool {
	obedience := m.cfg.Obedience
	if obedience == 0 {
		obedience = 100
	}
	return int(m.hash("obedience", words)%100) < obedience
}

// encode writes one of our own structs, which always can be written. Markup
// stays as it is, as it does in the official API.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		// bug: every value given to encode is made of types that JSON has.
		panic("gullible: encoding an answer: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
