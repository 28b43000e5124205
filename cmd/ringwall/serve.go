package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/internal/telemetry"
	"github.com/ringwall/ringwall/server"
)

// place are the flags that say which installation a command is about.
type place struct{ config, data string }

func (p *place) flags(c *cobra.Command) {
	c.Flags().StringVar(&p.config, "config", "", "configuration `FILE`")
	c.Flags().StringVar(&p.data, "data", "", "data `DIR` (default: the configuration's, or ringwall-data)")
	c.MarkFlagFilename("config", "yaml", "yml")
	c.MarkFlagDirname("data")
}

// load returns the configuration of the place.
func (p *place) load() (*config.Config, error) {
	c := config.Default()
	if p.config != "" {
		var err error
		if c, err = config.Load(p.config); err != nil {
			return nil, usage(err)
		}
	}
	if p.data != "" {
		c.Data = p.data
	}
	return server.Bound(c), nil
}

func serveCommand() *cobra.Command {
	var p place
	var upstream, listen string
	var anonymous bool
	c := &cobra.Command{
		Use:   "serve (--config FILE | --upstream URL)",
		Short: "Serve the gateway",
		Long: `Serves the gateway until it is told to stop (SIGTERM, SIGINT); requests that are
being answered may end. SIGHUP, or a change of the file, reloads the configuration.

Without a file, the default guardrail stands before one base URL that speaks
OpenAI's API. The provider's key is taken from OPENAI_API_KEY where it is set;
clients never see it.`,
		Example: `  ringwall serve --config ringwall.yaml
  ringwall serve --upstream http://127.0.0.1:11434/v1 --anonymous
  OPENAI_API_KEY=sk-… ringwall serve --upstream https://api.openai.com/v1 --listen 127.0.0.1:8080`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (p.config == "") == (upstream == "") {
				return usage(errors.New("serve: either --config or --upstream is needed: see ringwall serve --help"))
			}
			load := func() (*config.Config, error) {
				c, err := p.load()
				if err != nil {
					return nil, err
				}
				if upstream != "" {
					c.Providers = map[string]config.Provider{"upstream": config.Upstream(upstream, os.Getenv("OPENAI_API_KEY") != "")}
					c.Default = "upstream"
				}
				if listen != "" {
					c.Listen = listen
				}
				c.Anonymous = c.Anonymous || anonymous
				if listen == "" && p.config != "" && !anonymous {
					return c, nil
				}
				if err := c.Check(); err != nil {
					return nil, usage(err)
				}
				return c, nil
			}
			c, err := load()
			if err != nil {
				return err
			}
			log, err := logger(cmd.ErrOrStderr(), c)
			if err != nil {
				return err
			}
			opt := server.Options{Config: c, Log: log, Version: version()}
			if p.config != "" {
				opt.Reload, opt.File = load, p.config
			}
			s, err := server.New(cmd.Context(), opt)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "ringwall serves %s/v1\n", s.URL())
			return s.Run(cmd.Context())
		},
	}
	p.flags(c)
	c.Flags().StringVar(&upstream, "upstream", "", "base `URL` of one OpenAI-compatible API, up to and with /v1")
	c.Flags().StringVar(&listen, "listen", "", "`ADDR`ess to listen on (default 127.0.0.1:8080)")
	c.Flags().BoolVar(&anonymous, "anonymous", false, "let callers in without a key; on loopback only")
	return c
}

func logger(w io.Writer, c *config.Config) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		return nil, usage(fmt.Errorf("log level: %w", err))
	}
	return telemetry.NewLogger(w, level, telemetry.Format(c.Log.Format))
}
