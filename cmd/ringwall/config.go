package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/server"
)

func configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Explain and check the configuration file",
	}
	c.AddCommand(
		&cobra.Command{
			Use:     "example",
			Short:   "Print a file with every field, its meaning and its default",
			Example: "  ringwall config example > ringwall.yaml",
			RunE: func(cmd *cobra.Command, _ []string) error {
				_, err := cmd.OutOrStdout().Write(config.Example())
				return err
			},
		},
		&cobra.Command{
			Use:     "schema",
			Short:   "Print the JSON Schema of the file, for editors",
			Example: "  ringwall config schema > ringwall.schema.json",
			RunE: func(cmd *cobra.Command, _ []string) error {
				_, err := cmd.OutOrStdout().Write(config.Schema())
				return err
			},
		},
		&cobra.Command{
			Use:     "check FILE",
			Short:   "Say what is wrong with a file, with line and column; exit 2 if anything is",
			Example: "  ringwall config check ringwall.yaml",
			Args:    cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				c, err := config.Load(args[0])
				if err != nil {
					return usage(err)
				}
				if _, err := server.Guardrail(server.Offline(c), ""); err != nil {
					return usage(fmt.Errorf("%s: %w", args[0], err))
				}
				if _, err := server.Requests(c); err != nil {
					return usage(fmt.Errorf("%s: requests: %w", args[0], err))
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: in order\n", args[0])
				return nil
			},
		},
	)
	return c
}
