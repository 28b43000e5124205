package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// child is a target in its own process. It speaks by lines: it tells its URL when
// it is ready, answers "stats", and ends when its standard input does, which it
// also does when this process dies.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	url string
}

// usage is what a process has used so far.
type usage struct {
	cpu     time.Duration
	Mallocs uint64 `json:"mallocs"`
	Bytes   uint64 `json:"bytes"`
}

// slowStart is how long a target may take to be ready, and to end.
const slowStart = 20 * time.Second

// spawn starts a target and returns how long it took to be ready.
func spawn(ctx context.Context, command, args []string) (*child, time.Duration, error) {
	//nolint:gosec // the command is this program itself
	cmd := exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], args...)...)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), environment...)
	c := &child{cmd: cmd}
	var err error
	if c.in, err = cmd.StdinPipe(); err != nil {
		return nil, 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, 0, err
	}
	c.out = bufio.NewReader(out)
	from := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, 0, err
	}
	kill := time.AfterFunc(slowStart, func() { cmd.Process.Kill() })
	line, err := c.out.ReadString('\n')
	took := time.Since(from)
	kill.Stop()
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ok {
		_ = c.end() // the reason to end it is told instead
		return nil, 0, fmt.Errorf("it did not say that it is ready, but %q", line)
	}
	c.url = url
	return c, took, nil
}

func (c *child) addr() string { return strings.TrimPrefix(c.url, "http://") }

// usage asks the child what it has used. The CPU time is read from outside.
func (c *child) usage() (u usage, err error) {
	if _, err := io.WriteString(c.in, "stats\n"); err != nil {
		return u, err
	}
	line, err := c.out.ReadString('\n')
	if err != nil {
		return u, err
	}
	if err := json.Unmarshal([]byte(line), &u); err != nil {
		return u, err
	}
	u.cpu = cpuTime(c.cmd.Process.Pid)
	return u, nil
}

func (c *child) peak() int64 { return peakMemory(c.cmd.Process.Pid) }

// end ends the child and waits for it.
func (c *child) end() error {
	kill := time.AfterFunc(slowStart, func() { c.cmd.Process.Kill() })
	defer kill.Stop()
	err := c.in.Close()
	io.Copy(io.Discard, c.out) //nolint:errcheck // until it closes its end
	return errors.Join(err, c.cmd.Wait())
}
