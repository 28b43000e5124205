// Package valkeytest gives tests a real Valkey or Redis: a server of their own,
// started from the program that is installed, with a temporary directory, on a free
// port of the loopback interface, stopped when the test ends.
//
//	s := valkeytest.Start(t, valkeytest.Options{})
//	c, err := valkey.Open(valkey.Config{Addresses: []string{s.Addr()}})
//
// Stop and Start let a test take the server away and give it back. Where no server is
// installed, the test is reported as not run, and fails when CI=true is in the
// environment: a test that could not look must not count as passed.
package valkeytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// startTimeout bounds the server's start.
const startTimeout = 20 * time.Second

// Options say what server a test wants. The zero value is a single one that forgets
// everything when it stops.
type Options struct {
	Password string
	Keep     bool     // what was written is there again after Stop and Start
	Cluster  bool     // a cluster of one node, which has all slots
	Args     []string // more of the command line, such as TLS
}

// Server is a running server.
type Server struct {
	tb      testing.TB
	options Options
	dir     string
	port    int
	program string

	mu      sync.Mutex
	process *exec.Cmd
	log     *bytes.Buffer
	exited  chan struct{}
}

// Start starts a server, which is stopped when tb ends.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	s := &Server{tb: tb, options: o, dir: tb.TempDir()}
	for _, name := range []string{"valkey-server", "redis-server"} {
		if path, err := exec.LookPath(name); err == nil {
			s.program = path
			break
		}
	}
	if s.program == "" {
		const why = "not run: neither valkey-server nor redis-server is in PATH"
		if os.Getenv("CI") != "true" {
			tb.Skip(why)
		}
		tb.Fatal(why)
	}
	tb.Cleanup(s.Stop)
	var err error
	for range 5 { // somebody else may take the port that was free
		if s.port, err = free(); err != nil {
			tb.Fatal(err)
		}
		if err = s.start(); err == nil {
			return s
		}
	}
	tb.Fatal(err)
	return nil
}

// Addr is the address of the server, host:port. It stays when the server is stopped.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Stop ends the server at once, as the loss of its machine does. It does nothing when
// it is stopped already.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
}

func (s *Server) stop() {
	if s.process != nil {
		_ = s.process.Process.Kill() // it may have ended by itself
		<-s.exited
		s.process = nil
	}
}

// Start starts the server again, on the same address.
func (s *Server) Start() {
	s.tb.Helper()
	if err := s.start(); err != nil {
		s.tb.Fatal(err)
	}
}

func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	args := []string{
		"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir, "--save", "",
		"--daemonize", "no", "--logfile", "",
	}
	if s.options.Keep {
		args = append(args, "--appendonly", "yes", "--appendfsync", "always")
	}
	if s.options.Password != "" {
		args = append(args, "--requirepass", s.options.Password)
	}
	if s.options.Cluster {
		args = append(args, "--cluster-enabled", "yes", "--cluster-config-file", filepath.Join(s.dir, "nodes.conf"))
	}
	args = append(args, s.options.Args...)
	cmd := exec.CommandContext(context.Background(), s.program, args...) //nolint:gosec // a test says what of
	log := new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", s.program, err)
	}
	s.process, s.log, s.exited = cmd, log, make(chan struct{})
	go func() {
		defer close(s.exited)
		_ = cmd.Wait() // killed, or see ready
	}()
	if err := s.ready(); err != nil {
		s.stop()
		return err
	}
	return nil
}

// ready waits until the server answers.
func (s *Server) ready() error {
	late := time.After(startTimeout)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	dialler := net.Dialer{Timeout: time.Second}
	for {
		conn, err := dialler.DialContext(context.Background(), "tcp", s.Addr())
		if err == nil {
			_ = conn.Close()
			if err = s.ask(); err == nil {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-s.exited:
			return fmt.Errorf("%s ended: %s", s.program, s.log)
		case <-late:
			return fmt.Errorf("%s was not ready in time: %w", s.program, err)
		}
	}
}

// ask asks the server whether it serves, and gives a cluster its slots.
func (s *Server) ask() error {
	if len(s.options.Args) > 0 {
		return nil // it may speak TLS: that it listens must do
	}
	c, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{s.Addr()}, Password: s.options.Password, ForceSingleClient: true, DisableCache: true,
		PipelineMultiplex: 0, Dialer: net.Dialer{Timeout: time.Second},
	})
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := c.Do(ctx, c.B().Ping().Build()).Error(); err != nil || !s.options.Cluster {
		return err
	}
	slots, err := c.Do(ctx, c.B().ClusterSlots().Build()).ToArray()
	if err != nil {
		return err
	}
	if len(slots) == 0 {
		if err := c.Do(ctx, c.B().Arbitrary("CLUSTER", "ADDSLOTSRANGE", "0", "16383").Build()).Error(); err != nil {
			return err
		}
		return errors.New("the cluster has its slots only now")
	}
	return c.Do(ctx, c.B().Set().Key("ready").Value("1").Build()).Error()
}

// free returns a port that nobody listens on.
func free() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("finding a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
