// Package pgtest gives tests a real PostgreSQL: a server of their own, started
// from the programs that are installed, in a temporary directory, reached
// through a Unix socket, stopped when the tests end.
//
// A test package declares one [Server], stops it in TestMain, and asks it for a
// fresh database in each test:
//
//	var postgres pgtest.Server
//
//	func TestMain(m *testing.M) {
//		code := m.Run()
//		postgres.Stop()
//		os.Exit(code)
//	}
//
//	func TestX(t *testing.T) { d, err := db.Open(t.Context(), db.Config{DSN: postgres.Database(t)}) … }
//
// The server starts with the first database that is asked for. Where PostgreSQL
// is not installed, the test is reported as not run, and fails when CI=true is
// in the environment: a test that could not look must not count as passed.
package pgtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// startTimeout bounds initdb and the server's start, each.
const startTimeout = time.Minute

// errNotInstalled says that there is no PostgreSQL to start.
var errNotInstalled = errors.New("PostgreSQL (initdb, postgres) is neither in PATH nor in /usr/lib/postgresql/*/bin")

// Server is a PostgreSQL server for tests. The zero value is ready; it must not
// be copied. Database may be called from several tests at once.
type Server struct {
	once      sync.Once
	err       error
	dir       string // data and socket
	process   *os.Process
	exited    chan struct{} // closed once the server is gone
	databases atomic.Int64
}

// Database returns the DSN of a new, empty database, which is dropped when tb
// ends.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	s.once.Do(func() { s.err = s.start() })
	if errors.Is(s.err, errNotInstalled) && os.Getenv("CI") != "true" {
		tb.Skipf("not run: %v", s.err)
	}
	if s.err != nil {
		tb.Fatalf("not run: %v", s.err)
	}
	name := "test_" + strconv.FormatInt(s.databases.Add(1), 10)
	if err := s.exec("CREATE DATABASE " + name); err != nil {
		tb.Fatalf("creating a database: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			tb.Errorf("dropping the database: %v", err)
		}
	})
	return s.dsn(name)
}

// Stop ends the server, if it was started, and removes its files.
func (s *Server) Stop() {
	s.once.Do(func() { s.err = errors.New("the server was stopped before its first use") })
	if s.process != nil {
		_ = s.process.Signal(os.Interrupt) // "fast shutdown": sessions are ended
		<-s.exited
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

func (s *Server) dsn(database string) string {
	return "postgres://" + superuser + "@/" + database + "?host=" + url.QueryEscape(s.dir)
}

const superuser = "postgres"

func (s *Server) exec(query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.dsn("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, query)
	return errors.Join(err, conn.Close(ctx))
}

// start makes a cluster and runs a server on it.
func (s *Server) start() error {
	initdb, err := program("initdb")
	if err != nil {
		return err
	}
	server, err := program("postgres")
	if err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "pg-"); err != nil { // short: a socket's path has a limit
		return fmt.Errorf("making a directory for PostgreSQL: %w", err)
	}
	attr, err := processAttributes(s.dir)
	if err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	// No password: the socket lies in a directory that only its owner may enter.
	cmd := exec.CommandContext(ctx, initdb, "--pgdata="+data, "--username="+superuser,
		"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	cmd.SysProcAttr, cmd.Dir = attr, s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return s.run(server, data)
}

// run starts the server and waits until it is ready.
func (s *Server) run(server, data string) error {
	attr, err := processAttributes(s.dir)
	if err != nil {
		return err
	}
	dieWithParent(attr)
	cmd := exec.Command(server, "-D", data, "-k", s.dir, "-h", "",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "lc_messages=C", "-c", "max_connections=100")
	cmd.SysProcAttr, cmd.Dir = attr, s.dir
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return fmt.Errorf("starting PostgreSQL: %w", err)
	}
	s.exited = make(chan struct{})
	started, ready := make(chan error, 1), make(chan error, 1)
	go func() {
		// The kernel ends the server when the thread that started it ends: this
		// one stays until the server is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(s.exited)
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		var log []string
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "ready to accept connections") {
				ready <- nil
			}
			if len(log) < 100 {
				log = append(log, lines.Text())
			}
		}
		err = cmd.Wait()
		select {
		case ready <- fmt.Errorf("PostgreSQL ended: %v: %s", err, strings.Join(log, "\n")):
		default:
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("starting PostgreSQL: %w", err)
	}
	s.process = cmd.Process
	select {
	case err := <-ready:
		return err
	case <-time.After(startTimeout):
		return errors.New("PostgreSQL was not ready in time")
	}
}

// program finds one of PostgreSQL's programs: the newest of Debian's, which
// are not in PATH, or else the one in PATH.
func program(name string) (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is well-formed
	if len(found) > 0 {
		return slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }), nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", errNotInstalled
	}
	return path, nil
}

// version reads the 15 of /usr/lib/postgresql/15/bin/initdb.
func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // 0, the oldest, for anything else
	return n
}
