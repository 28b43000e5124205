package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/config"
	"github.com/ringwall/ringwall/provider/prices"
)

// servedModel is a model of the configuration, and one who serves it.
type servedModel struct {
	Name     string        `json:"name"`
	Role     string        `json:"role"` // target or fallback
	Provider string        `json:"provider"`
	Model    string        `json:"model"` // as the provider calls it
	Weight   int           `json:"weight,omitempty"`
	Price    *prices.Price `json:"price"` // null: not known
}

func modelsCommand() *cobra.Command {
	var file, format string
	c := &cobra.Command{
		Use:   "models",
		Short: "List the models of a configuration, who serves them, their prices and limits",
		Long: `Lists the models that the configuration names: who serves each, in the order in
which they are asked, what that costs in US dollars for a million tokens, and how
many tokens the model reads and writes. Prices are those of the file that the
configuration names under prices, else public list prices of the day that is
printed, from the page that is named, which nobody has verified since; of a model
that is not well known there are none.`,
		Example: `  ringwall models --config ringwall.yaml
  ringwall models --config ringwall.yaml --format json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			c, err := config.Load(file)
			if err != nil {
				return usage(err)
			}
			if format == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"date": prices.Date(), "currency": "USD", "per_tokens": 1_000_000, "models": servedModels(c)})
			}
			return writeModels(cmd.OutOrStdout(), servedModels(c))
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "ringwall.yaml", "configuration `FILE`")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

func servedModels(c *config.Config) []servedModel {
	list := []servedModel{}
	for _, name := range slices.Sorted(maps.Keys(c.Models)) {
		m := c.Models[name]
		all, share := m.All()
		for i, t := range all {
			s := servedModel{Name: name, Role: "target", Provider: t.Provider, Model: t.Model, Weight: t.Weight}
			if i >= share {
				s.Role, s.Weight = "fallback", 0
			}
			if s.Model == "" {
				s.Model = name
			}
			if p, ok := c.PriceList.Of(s.Model); ok {
				s.Price = &p
			}
			list = append(list, s)
		}
	}
	return list
}

func writeModels(w io.Writer, list []servedModel) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tROLE\tPROVIDER\tMODEL\tINPUT\tCACHED\tOUTPUT\tCONTEXT\tLONGEST\tDATE\tSOURCE")
	for _, s := range list {
		role := s.Role
		if s.Weight > 0 {
			role = fmt.Sprintf("%s %d", s.Role, s.Weight)
		}
		p := s.Price
		if p == nil {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t-\t-\t-\t-\t-\t-\t-\n", s.Name, role, s.Provider, s.Model)
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, role, s.Provider, s.Model,
			dollars(p.Input), dollars(p.Cached), dollars(p.Output), tokens(p.Context), tokens(p.Longest),
			cmp.Or(p.Date, "-"), cmp.Or(p.Source, "-"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nUS dollars for a million tokens; - is not known. The list of the program is of %s, and unverified: write prices: FILE in the configuration to go by your own.\n", prices.Date())
	return err
}

func dollars(n float64) string {
	if n == 0 {
		return "-"
	}
	return "$" + strconv.FormatFloat(n, 'f', -1, 64)
}

func tokens(n int64) string {
	if n == 0 {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}
