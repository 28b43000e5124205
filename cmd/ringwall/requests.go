package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/server"
)

func openapiCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "openapi",
		Short:   "Print the OpenAPI document of what the gateway serves",
		Long:    "Prints the OpenAPI 3.1 document of what the gateway serves, which GET /openapi.json gives as well.",
		Example: "  ringwall openapi > openapi.json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(server.OpenAPI())
			return err
		},
	}
}

func requestsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "requests",
		Short: "Try the rules that requests must meet",
	}
	c.AddCommand(requestsTest())
	return c
}

// tried is what requests test prints of a body.
type tried struct {
	File    string          `json:"file"`
	Action  string          `json:"action"` // taken, lowered or refused
	Status  int             `json:"status,omitempty"`
	Code    string          `json:"code,omitempty"`
	Message string          `json:"message,omitempty"`
	Lowered []string        `json:"lowered,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"` // as it goes on, where it was lowered
}

func requestsTest() *cobra.Command {
	var p place
	var route, format string
	c := &cobra.Command{
		Use:   "test --config FILE (BODY… | -)",
		Short: "Judge bodies of requests against the rules of a file",
		Long: `Judges bodies of requests, each in a file or one on standard input, as the
gateway does before it asks anybody: whether the API's own form is kept, and
whether the rules under requests in the configuration are met. Nothing is sent.

Exits with 1 when a body is refused.`,
		Example: `  ringwall requests test --config ringwall.yaml body.json
  ringwall requests test --config ringwall.yaml --route /v1/messages --format json - < body.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			cfg, err := p.load()
			if err != nil {
				return err
			}
			trial, err := server.NewTrial(cfg)
			if err != nil {
				return usage(err)
			}
			bad := false
			for _, name := range args {
				body, err := bodyIn(name, cmd.InOrStdin())
				if err != nil {
					return err
				}
				t, err := try(trial, name, route, body)
				if err != nil {
					return usage(fmt.Errorf("--route: %w", err))
				}
				bad = bad || t.Action == "refused"
				if err := t.print(cmd.OutOrStdout(), format == "json"); err != nil {
					return err
				}
			}
			if bad {
				return found()
			}
			return nil
		},
	}
	p.flags(c)
	c.Flags().StringVar(&route, "route", "/v1/chat/completions", "`PATH` to which the requests are sent")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

// bodyIn reads the body in a file, or on standard input.
func bodyIn(name string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("reading the body: %w", err)
		}
		defer f.Close()
		in = f
	}
	body, err := io.ReadAll(io.LimitReader(in, maxLine+1))
	if err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	if len(body) > maxLine {
		return nil, fmt.Errorf("%s is longer than %d bytes", name, maxLine)
	}
	return body, nil
}

func try(trial *server.Trial, name, route string, body []byte) (tried, error) {
	t := tried{File: name, Action: "taken"}
	goes, lowered, err := trial.Judge(route, body)
	var r *ringwall.Refusal
	switch {
	case errors.As(err, &r):
		t.Action, t.Status, t.Code, t.Message = "refused", r.Status, r.Code, r.Public
	case err != nil:
		return t, err
	case len(lowered) > 0:
		t.Action, t.Lowered, t.Body = "lowered", lowered, goes
	}
	return t, nil
}

func (t tried) print(w io.Writer, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(t)
	}
	line := t.File + ": " + t.Action
	switch t.Action {
	case "refused":
		line += fmt.Sprintf(": %d %s: %s", t.Status, t.Code, t.Message)
	case "lowered":
		line += ": " + strings.Join(t.Lowered, ", ")
	}
	_, err := fmt.Fprintln(w, line)
	return err
}
