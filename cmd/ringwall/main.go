// Command ringwall guards model APIs. "ringwall help" lists what it can do.
//
// Each command is a file here: it reads flags, calls a room of the house and
// prints. Exit codes are the same everywhere: see [run].
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitClean    = 0
	exitFindings = 1 // what was looked for was found
	exitUsage    = 2 // the call, or a file that it names, is wrong
	exitUnable   = 3 // could not look
)

// exit is an error with an exit code of its own. With a nil err nothing is
// printed: the command has said what there is to say.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// found ends a command that found something.
func found() error { return &exit{code: exitFindings} }

// usage makes err one of the call.
func usage(err error) error { return &exit{exitUsage, err} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitClean
	}
	var e *exit
	if !errors.As(err, &e) {
		e = &exit{exitUnable, err}
	}
	if e.err != nil {
		fmt.Fprintln(stderr, "ringwall:", e.err)
	}
	return e.code
}

func root() *cobra.Command {
	c := &cobra.Command{
		Use:   "ringwall",
		Short: "A ring wall around generative-AI workloads",
		Long: `Ringwall stands between applications and models. Applications change one base
URL and get identity, guardrails on every input and output, and records.

Exit codes: 0 clean, 1 something was found, 2 the call is wrong, 3 could not look.`,
		Example: `  ringwall demo --once   # see attacks succeed without it and fail behind it
  ringwall serve --upstream http://127.0.0.1:11434/v1 --anonymous
  echo 'my card is 4111 1111 1111 1111' | ringwall check`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version(),
	}
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w: see %s --help", err, c.CommandPath()))
	})
	c.AddCommand(
		demoCommand(), serveCommand(), checkCommand(), evalCommand(), controlsCommand(), threatsCommand(),
		configCommand(), requestsCommand(), openapiCommand(), modelsCommand(), guardrailCommand(), policyCommand(), keysCommand(), sessionsCommand(), quotaCommand(), bansCommand(), networkCommand(), wafCommand(), toolsCommand(), approvalsCommand(), auditCommand(), benchCommand(), manCommand(),
		toolcallCommand(),
	)
	c.InitDefaultCompletionCmd()
	argumentsAreUsage(c)
	return c
}

// argumentsAreUsage gives wrong arguments the exit code of a wrong call.
func argumentsAreUsage(c *cobra.Command) {
	check := c.Args
	switch {
	case c.HasSubCommands() && !c.Runnable():
		check = noSuchCommand
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() } // or its arguments are not looked at
	case check == nil:
		check = cobra.NoArgs
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usage(fmt.Errorf("%w: see %s --help", err, c.CommandPath()))
		}
		return nil
	}
	for _, sub := range c.Commands() {
		argumentsAreUsage(sub)
	}
}

// noSuchCommand refuses an argument that is no command.
func noSuchCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	err := fmt.Errorf("there is no command %q", c.CommandPath()+" "+args[0])
	if like := c.SuggestionsFor(args[0]); len(like) > 0 {
		err = fmt.Errorf("%w, perhaps %s", err, like[0])
	}
	return err
}

// oneOf is an error unless value, that of a flag, is one of those known.
func oneOf(flag, value string, known ...string) error {
	if slices.Contains(known, value) {
		return nil
	}
	last := len(known) - 1
	return usage(fmt.Errorf("--%s: want %s or %s, not %q", flag, strings.Join(known[:last], ", "), known[last], value))
}

// version is what the build knows of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
