package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/policy"
)

func policyKeygen() *cobra.Command {
	return &cobra.Command{
		Use:   "keygen FILE",
		Short: "Make a key to sign policies with, and print its public half",
		Long: `Writes an Ed25519 private key (PKCS #8, PEM) into a new file that only its owner can
read, and prints the public key for policy.approvers of the configuration.`,
		Example: "  ringwall policy keygen alice.pem",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			public, private, err := ed25519.GenerateKey(rand.Reader)
			if err != nil {
				return err
			}
			secret, err := x509.MarshalPKCS8PrivateKey(private)
			if err != nil {
				return err
			}
			der, err := x509.MarshalPKIXPublicKey(public)
			if err != nil {
				return err
			}
			f, err := os.OpenFile(args[0], os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if errors.Is(err, fs.ErrExist) {
				return usage(fmt.Errorf("%s is there already", args[0]))
			} else if err != nil {
				return err
			}
			if err := errors.Join(pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: secret}), f.Close()); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), base64.StdEncoding.EncodeToString(der))
			return err
		},
	}
}

// signer is who signs what.
type signer struct {
	bundlePlace
	name, key string
	all       bool
}

func (s *signer) flags(c *cobra.Command) {
	s.bundlePlace.flags(c)
	c.Flags().StringVar(&s.name, "name", "", "your `NAME` in policy.approvers of the configuration")
	c.Flags().StringVar(&s.key, "key", "", "`FILE` of your private key")
	c.Flags().BoolVar(&s.all, "all", false, "all policies that are protected")
	c.MarkFlagFilename("key", "pem")
}

// sign has f sign the policies that args name, DIR POLICY…, and writes the file of
// approvals.
func (s *signer) sign(cmd *cobra.Command, args []string, f func(a *policy.Approvals, p *policy.Policy, key ed25519.PrivateKey) error) error {
	if s.name == "" || s.key == "" {
		return usage(errors.New("who signs? Say --name NAME --key FILE"))
	}
	dir, opt, err := s.options(args)
	if err != nil {
		return err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return usage(fmt.Errorf("%s is no directory: approvals are kept beside the policies, in approvals.yaml", dir))
	}
	looking(&opt)
	b, err := policy.Load(dir, opt)
	if err != nil {
		return usage(err)
	}
	text, err := os.ReadFile(s.key)
	if err != nil {
		return usage(fmt.Errorf("reading the key: %w", err))
	}
	key, err := policy.ParsePrivateKey(text)
	if err != nil {
		return usage(fmt.Errorf("%s: %w", s.key, err))
	}
	if s.config != "" && !slices.ContainsFunc(opt.Approvers, func(a policy.Approver) bool { return a.Name == s.name && a.Key.Equal(key.Public()) }) {
		return usage(fmt.Errorf("%s: %s is not there with this key (policy.approvers)", s.config, s.name))
	}
	file := filepath.Join(dir, "approvals.yaml")
	var a policy.Approvals
	src, err := os.ReadFile(file)
	if err == nil {
		a, err = policy.ParseApprovals(policy.File{Name: file, Data: src})
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return usage(err)
	}
	policies, err := s.chosen(b, args[1:])
	if err != nil {
		return err
	}
	for _, p := range policies {
		if err := f(&a, p, key); err != nil {
			return usage(err)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s (%s:%d), sha256 %s:\n%s\n", p.ID, p.File, p.Line, p.Digest(), p.Text)
	}
	tmp := file + ".new"
	if err := os.WriteFile(tmp, a.Encode(), 0o644); err != nil { //nolint:gosec // signatures are no secret
		return err
	}
	if err := os.Rename(tmp, file); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "\nsigned by %s: %s\n", s.name, file)
	return err
}

// chosen returns the policies of those ids.
func (s *signer) chosen(b *policy.Bundle, ids []string) (out []*policy.Policy, err error) {
	if s.all == (len(ids) > 0) {
		return nil, usage(errors.New("which policies? Name them, or say --all"))
	}
	for _, p := range b.Policies() {
		if s.all && p.Protected {
			out = append(out, p)
		}
	}
	for _, id := range ids {
		p := b.Find(id)
		switch {
		case p == nil:
			return nil, usage(fmt.Errorf("there is no policy %q", id))
		case !p.Protected:
			return nil, usage(fmt.Errorf("policy %s is not @protected: it takes no approval", id))
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil, usage(errors.New("no policy is @protected"))
	}
	return out, nil
}

func policySign() *cobra.Command {
	var s signer
	c := &cobra.Command{
		Use:   "sign DIR [POLICY…]",
		Short: "Sign protected policies as their author; earlier approvals of them are void",
		Long: `Prints the policies and signs their texts as they stand. Others approve them then, by
ringwall policy approve; a letter that changes makes all signatures void.`,
		Example: "  ringwall policy sign policy staff-models --name alice --key alice.pem",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.sign(cmd, args, func(a *policy.Approvals, p *policy.Policy, key ed25519.PrivateKey) error {
				a.Sign(p, s.name, key)
				return nil
			})
		},
	}
	s.flags(c)
	return c
}

func policyApprove() *cobra.Command {
	var s signer
	c := &cobra.Command{
		Use:   "approve DIR [POLICY…]",
		Short: "Approve protected policies that somebody else wrote and signed",
		Long: `Prints the policies and signs that you agree to their texts as they stand. Who wrote a
policy cannot approve it.`,
		Example: "  ringwall policy approve policy --all --name bob --key bob.pem",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.sign(cmd, args, func(a *policy.Approvals, p *policy.Policy, key ed25519.PrivateKey) error {
				return a.Approve(p, s.name, key)
			})
		},
	}
	s.flags(c)
	return c
}
