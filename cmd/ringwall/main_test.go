package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ringwall/ringwall/gateway"
	"github.com/ringwall/ringwall/provider/gullible"
)

var update = flag.Bool("update", false, "rewrite the golden parts of testdata")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ringwall": main})
}

// The scripts say what a user does and sees. Beside the commands of package
// testscript they have those below.
func TestScripts(t *testing.T) {
	model := httptest.NewServer(gullible.New(gullible.Config{}))
	t.Cleanup(model.Close) // the scripts run side by side, after this function
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("UPSTREAM", model.URL+"/v1")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"port":    port,
			"capture": capture,
			"ready":   ready,
			"ask":     ask,
			"hup":     hup,
			"alter":   alter,
			"held":    held,
		},
	})
}

// patience is how long a script waits for something that ought to come at once.
const patience = 20 * time.Second

// poll asks done until it is true, and fails the script when that takes too
// long; done says what it saw last.
func poll(ts *testscript.TestScript, done func() (bool, string)) {
	end := time.After(patience)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		ok, saw := done()
		if ok {
			return
		}
		select {
		case <-again.C:
		case <-end:
			ts.Fatalf("it did not come in %v; the last that was seen: %s", patience, saw)
		}
	}
}

// exits CODE COMMAND… runs a command that must exit with CODE.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if e := (*exec.ExitError)(nil); errors.As(err, &e) {
		got = e.ExitCode()
	} else {
		ts.Check(err)
	}
	if neg || got != want {
		ts.Fatalf("%s exits with %d, want %d; on standard error: %s", strings.Join(args[1:], " "), got, want, ts.ReadFile("stderr"))
	}
}

// port NAME sets the variable NAME to a port that is free.
func port(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, number, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Check(l.Close())
	ts.Setenv(args[0], number)
}

// capture NAME sets the variable NAME to the first word of standard output.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	words := strings.Fields(ts.ReadFile("stdout"))
	if len(words) == 0 {
		ts.Fatalf("standard output is empty")
	}
	ts.Setenv(args[0], words[0])
}

// ready URL TEXT waits until GET URL answers 200 with TEXT in the body.
func ready(ts *testscript.TestScript, _ bool, args []string) {
	poll(ts, func() (bool, string) {
		resp, err := http.Get(args[0])
		if err != nil {
			return false, err.Error()
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return err == nil && resp.StatusCode == http.StatusOK && strings.Contains(string(body), args[1]), fmt.Sprintf("%s %s", resp.Status, body)
	})
}

// ask [-until] STATUS URL FILE [KEY] posts FILE, as the caller with KEY, and
// must be answered with STATUS: at once, or in a while. The answer becomes
// standard output, and EXCHANGE the id of its record.
func ask(ts *testscript.TestScript, _ bool, args []string) {
	until := args[0] == "-until"
	if until {
		args = args[1:]
	}
	body := ts.ReadFile(args[2])
	once := func() (bool, string) {
		req, err := http.NewRequest(http.MethodPost, args[1], strings.NewReader(body))
		ts.Check(err)
		if len(args) > 3 {
			req.Header.Set("Authorization", "Bearer "+args[3])
		}
		resp, err := http.DefaultClient.Do(req)
		ts.Check(err)
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		ts.Check(err)
		if args[0] != strconv.Itoa(resp.StatusCode) {
			return false, fmt.Sprintf("%s %s", resp.Status, answer)
		}
		ts.Setenv("EXCHANGE", resp.Header.Get(gateway.Header))
		ts.Stdout().Write(answer)
		return true, ""
	}
	if until {
		poll(ts, once)
	} else if ok, saw := once(); !ok {
		ts.Fatalf("want %s, answered: %s", args[0], saw)
	}
}

// hup sends SIGHUP to the commands in the background.
func hup(ts *testscript.TestScript, _ bool, _ []string) {
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(syscall.SIGHUP))
	}
}

// alter FILE OLD NEW writes NEW over the first OLD in FILE.
func alter(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	was := []byte(ts.ReadFile(args[0]))
	now := bytes.Replace(was, []byte(args[1]), []byte(args[2]), 1)
	if bytes.Equal(was, now) {
		ts.Fatalf("%s is not in %s", args[1], args[0])
	}
	ts.Check(os.WriteFile(name, now, 0o600))
}
