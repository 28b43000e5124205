package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ringwall/ringwall/internal/sse"
)

// Stream is a streamed answer while it comes. It is owned by one goroutine.
type Stream struct {
	ctx    context.Context
	cancel context.CancelFunc
	body   io.ReadCloser
	idle   *time.Timer
	wait   time.Duration
}

// Open asks for an answer that comes as a stream of a media type. The caller closes
// the Stream.
func (c *Client) Open(ctx context.Context, r Request, media string) (*Stream, error) {
	resp, cancel, err := c.ask(ctx, r) //nolint:bodyclose // the Stream closes it
	if err != nil {
		return nil, err
	}
	s := c.stream(ctx, resp, cancel)
	if ct := resp.Header.Get("Content-Type"); !strings.HasPrefix(strings.ToLower(ct), media) {
		defer s.Close()                                  //nolint:errcheck // nothing was written
		head, _ := io.ReadAll(io.LimitReader(s, 16<<10)) // what can be read tells enough
		if err := c.errorIn(head); err != nil {
			return nil, err
		}
		return nil, unreadable(fmt.Errorf("reading the model's stream: it is %.80q, want %s", ct, media))
	}
	return s, nil
}

func (c *Client) stream(ctx context.Context, resp *http.Response, cancel context.CancelFunc) *Stream {
	return &Stream{ctx: ctx, cancel: cancel, body: resp.Body, idle: time.AfterFunc(c.cfg.Idle, cancel), wait: c.cfg.Idle}
}

// coming is a Stream of which each piece that is read is one that came.
type coming struct{ *Stream }

func (s coming) Read(p []byte) (int, error) {
	n, err := s.Stream.Read(p)
	if n > 0 {
		s.Came()
	}
	return n, err
}

// Read implements io.Reader.
func (s *Stream) Read(p []byte) (int, error) { return s.body.Read(p) }

// Came says that a piece of the answer came: the time to wait for the next begins.
func (s *Stream) Came() { s.idle.Reset(s.wait) }

// Fault says what ended the stream.
func (s *Stream) Fault(err error) error {
	return broke(fmt.Errorf("reading the model's stream: %w", timedOut(s.ctx, err)))
}

// broke makes an error of what came too little of a failure, if it is none yet.
func broke(err error) error {
	var f *Failure
	switch {
	case errors.As(err, &f), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, sse.ErrTooLong):
		return unreadable(err)
	}
	return &Failure{Reason: Unreachable, Err: err}
}

// Close stops the model.
func (s *Stream) Close() error {
	s.idle.Stop()
	s.cancel()
	return s.body.Close()
}

// timedOut tells our own time-outs from the end of the caller's context.
func timedOut(ctx context.Context, err error) error {
	if ctx.Err() == nil && errors.Is(err, context.Canceled) {
		return fmt.Errorf("nothing came for too long: %w", context.DeadlineExceeded)
	}
	return err
}

// held is a body whose pieces are counted while they are kept; hold is nil where nobody
// counts.
type held struct {
	io.Reader
	hold func(n int64) error
}

func (h held) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if n > 0 && h.hold != nil {
		if full := h.hold(int64(n)); full != nil {
			return n, full
		}
	}
	return n, err
}
