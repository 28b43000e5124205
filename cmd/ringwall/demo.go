package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/server/demo"
)

func demoCommand() *cobra.Command {
	var opt demo.Options
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show attacks succeed against a bare model and fail behind Ringwall",
		Long: `Runs everything in one process, offline: a gullible model, the gateway before it,
and the same requests to both. Exits with 0 only if every attack really succeeds
against the bare model and fails behind Ringwall, and every honest request passes
untouched. Unless --once is given it stays up, to be tried by hand.`,
		Example: `  ringwall demo --once
  ringwall demo --listen 127.0.0.1:8080`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opt.Data == "" {
				dir, err := os.MkdirTemp("", "ringwall-demo-")
				if err != nil {
					return fmt.Errorf("making the data directory: %w", err)
				}
				opt.Data = filepath.Join(dir, "data")
				if opt.Once {
					defer os.RemoveAll(dir)
				}
			}
			opt.Out, opt.Version = cmd.OutOrStdout(), version()
			err := demo.Run(cmd.Context(), opt)
			if errors.Is(err, demo.ErrFailed) {
				return &exit{exitFindings, err}
			}
			return err
		},
	}
	c.Flags().BoolVar(&opt.Once, "once", false, "end after the table")
	c.Flags().StringVar(&opt.Data, "data", "", "`DIR` of the records (default: a temporary one)")
	c.Flags().StringVar(&opt.Listen, "listen", "", "`ADDR`ess of the gateway (default: a free port on 127.0.0.1)")
	c.MarkFlagDirname("data")
	return c
}
