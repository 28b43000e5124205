package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// conn is a kept connection that asks one request at a time. It understands as
// much of HTTP/1.1 as the answers need, and allocates nothing per request.
type conn struct {
	c    net.Conn
	buf  []byte
	r, w int     // what is buffered
	body *[]byte // where the body goes; nil: nowhere
}

// maxBody bounds an answer, or a chunk of one.
const maxBody = 64 << 20

func dial(ctx context.Context, addr string, until time.Time) (*conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &conn{c: c, buf: make([]byte, 32<<10)}, c.SetDeadline(until)
}

// do sends a request and reads its answer, which must have status 200.
func (c *conn) do(request []byte) error {
	if _, err := c.c.Write(request); err != nil {
		return err
	}
	status, err := c.line()
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("the answer is %.80q", status)
	}
	length, chunked := -1, false
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 || length > maxBody {
				return fmt.Errorf("the answer has a length of %.20q", value)
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(value, []byte("chunked"))
		}
	}
	switch {
	case chunked:
		return c.chunks()
	case length >= 0:
		return c.take(length)
	}
	return errors.New("the answer has no length")
}

func (c *conn) chunks() error {
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		n := 0
		for _, d := range line {
			switch {
			case '0' <= d && d <= '9':
				n = n<<4 | int(d-'0')
			case 'a' <= d && d <= 'f':
				n = n<<4 | int(d-'a'+10)
			default:
				return fmt.Errorf("a chunk begins with %.20q", line)
			}
			if n > maxBody {
				return errors.New("a chunk is too long")
			}
		}
		if err := c.take(n); err != nil {
			return err
		}
		if line, err = c.line(); err != nil {
			return err
		} else if len(line) > 0 {
			return errors.New("a chunk does not end where it says")
		}
		if n == 0 {
			return nil
		}
	}
}

// line returns the next line without its CRLF, valid until the next call.
func (c *conn) line() ([]byte, error) {
	for from := 0; ; {
		if i := bytes.IndexByte(c.buf[c.r+from:c.w], '\n'); i >= 0 {
			line := c.buf[c.r : c.r+from+i]
			c.r += from + i + 1
			return bytes.TrimSuffix(line, []byte{'\r'}), nil
		}
		from = c.w - c.r
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// take reads n bytes of the body.
func (c *conn) take(n int) error {
	for {
		m := min(n, c.w-c.r)
		if c.body != nil {
			*c.body = append(*c.body, c.buf[c.r:c.r+m]...)
		}
		c.r += m
		if n -= m; n == 0 {
			return nil
		}
		if err := c.fill(); err != nil {
			return err
		}
	}
}

func (c *conn) fill() error {
	if c.r == c.w {
		c.r, c.w = 0, 0
	} else if c.w == len(c.buf) {
		c.w = copy(c.buf, c.buf[c.r:c.w])
		c.r = 0
	}
	if c.w == len(c.buf) {
		return errors.New("a line of the answer is too long")
	}
	n, err := c.c.Read(c.buf[c.w:])
	c.w += n
	return err
}
