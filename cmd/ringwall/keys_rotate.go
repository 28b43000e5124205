package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/auth"
)

// narrowing are the flags that say what a key is good for.
type narrowing struct {
	scopes, roles, from []string
}

func (n *narrowing) flags(c *cobra.Command) {
	c.Flags().StringSliceVar(&n.scopes, "scope", nil, "`SCOPE` that the key is good for, again for more: ask-model, model:gpt-*, route:/v1/* (default: all that its caller may)")
	c.Flags().StringSliceVar(&n.roles, "role", nil, "`ROLE` of the caller, again for more")
	c.Flags().StringSliceVar(&n.from, "from", nil, "`CIDR` that the key may be shown from, again for more (default: anywhere)")
}

// into writes the flags into a key to be made.
func (n *narrowing) into(spec *auth.Spec) error {
	spec.Roles, spec.Scopes = n.roles, n.scopes
	if len(n.scopes) == 0 {
		spec.Scopes = nil
	}
	for _, s := range n.from {
		net, err := netip.ParsePrefix(s)
		if addr, wrong := netip.ParseAddr(s); err != nil && wrong == nil {
			net, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return usage(fmt.Errorf("--from: %q is no network: want an address or a range such as 10.0.0.0/8", s))
		}
		spec.From = append(spec.From, net)
	}
	return nil
}

// narrowed says in a word of a list what a key is good for.
func (r *keyRow) narrowed() string {
	var parts []string
	if len(r.Roles) > 0 {
		parts = append(parts, "as "+strings.Join(r.Roles, ","))
	}
	if len(r.Scopes) > 0 {
		parts = append(parts, strings.Join(r.Scopes, ","))
	}
	if len(r.From) > 0 {
		nets := make([]string, len(r.From))
		for i, n := range r.From {
			nets[i] = n.String()
		}
		parts = append(parts, "from "+strings.Join(nets, ","))
	}
	return cmp.Or(strings.Join(parts, " "), "-")
}

func keysRotate() *cobra.Command {
	var p place
	var r auth.Rotation
	var format string
	var aws bool
	c := &cobra.Command{
		Use:   "rotate PREFIX|NAME",
		Short: "Replace a key by a new one of the same caller; it is shown once",
		Long: `Replaces a key by a new one, which is shown once. The new key has the name, the tenant,
the trust, the roles, the scopes and the networks of the old one, and proves the same
principal: budgets, policies and placeholders stay. The old key goes on working for the
overlap, in which the new one is brought to where it is used.`,
		Example: `  ringwall keys rotate ci
  ringwall keys rotate rw_k7mq2xvd --overlap 1h --ttl 720h
  ringwall keys rotate batch --aws --overlap 0`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			if err := r.Check(); err != nil {
				return usage(err)
			}
			return withKeys(cmd, &p, func(keys *auth.Keys) error {
				if _, err := keys.Secret(""); aws && err != nil {
					return usage(fmt.Errorf("%w: write signing_key into the configuration", err))
				}
				text, k, old, err := keys.Rotate(cmd.Context(), args[0], r)
				switch {
				case errors.Is(err, auth.ErrNoSuchKey), errors.Is(err, auth.ErrReplaced):
					return usage(err)
				case err != nil:
					return err
				}
				if err := show(cmd, keys, text, k, format, aws); err != nil || format == "json" {
					return err
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "This key is shown once. It %s, and %s, whose place it takes, %s.\n", expiry(k), old.Prefix, expiry(old))
				return nil
			})
		},
	}
	p.flags(c)
	c.Flags().DurationVar(&r.Overlap, "overlap", auth.DefaultOverlap, "how long the old key goes on working; 0: it ends at once")
	c.Flags().DurationVar(&r.TTL, "ttl", 0, "how long the new key is valid (default: as long as the old one was made for)")
	c.Flags().BoolVar(&aws, "aws", false, "print the pair by which AWS's clients sign, instead of the key")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}
