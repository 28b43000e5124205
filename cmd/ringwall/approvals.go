package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringwall/ringwall/approval"
	"github.com/ringwall/ringwall/server"
)

func approvalsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "approvals",
		Short: "See what is held, and let it go or deny it",
		Long: `Shows what waits for a person, and approves or denies it, while the gateway runs or
not: it sees decisions at once. Whoever runs this command can read the database, and
counts as an operator of all tenants, and as one person.`,
	}
	c.AddCommand(approvalsList(), approvalsShow(), approvalsApprove(), approvalsDeny(), approvalsWatch())
	return c
}

// withApprovals opens the approvals for f.
func withApprovals(cmd *cobra.Command, p *place, f func(*approval.Store) error) error {
	cfg, err := p.load()
	if err != nil {
		return err
	}
	store, db, err := server.OpenApprovals(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	return errors.Join(f(store), db.Close())
}

// me is who runs the command, as the machine knows them.
func me() approval.Approver {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = or(u.Username, u.Uid)
	}
	return approval.Machine(name)
}

// said gives wrong calls their exit code.
func said(err error) error {
	for _, e := range []error{approval.ErrNotFound, approval.ErrDone, approval.ErrTwice, approval.ErrNotYours, approval.ErrNotTyped, approval.ErrUnread, approval.ErrPaused, approval.ErrCursor} {
		if errors.Is(err, e) {
			return usage(err)
		}
	}
	return err
}

func approvalsList() *cobra.Command {
	var p place
	var state, format string
	var f approval.Filter
	c := &cobra.Command{
		Use:   "list",
		Short: "List what waits, or what became of it, the newest first",
		Example: `  ringwall approvals list
  ringwall approvals list --state denied --tenant acme --format json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(oneOf("format", format, "text", "json"), oneOf("state", state, append([]string{"all"}, approval.States()...)...)); err != nil {
				return usage(err)
			}
			if f.Limit < 1 || f.Limit > 200 {
				return usage(errors.New("-n: want 1 to 200"))
			}
			if state != "all" {
				f.State = new(approval.State)
				if err := f.State.UnmarshalText([]byte(state)); err != nil {
					return usage(err)
				}
			}
			return withApprovals(cmd, &p, func(s *approval.Store) error {
				list, next, err := s.List(cmd.Context(), me(), f)
				if err != nil {
					return said(err)
				}
				if format == "json" {
					rows := make([]any, 0, len(list))
					for i := range list {
						rows = append(rows, server.ApprovalRow(&list[i]))
					}
					body := map[string]any{"approvals": rows}
					if next != "" {
						body["next"] = next
					}
					return json.NewEncoder(cmd.OutOrStdout()).Encode(body)
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "APPROVAL\tSTATE\tTOOL\tEFFECT\tASKED BY\tTENANT\tWHO\tUNTIL")
				for i := range list {
					a := &list[i]
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.ID, a.State, seen(a.Tool), seen(a.Effect), seen(a.Principal.ID), seen(a.Principal.Tenant), who(a), when(&a.Expires))
				}
				if err := w.Flush(); err != nil {
					return err
				}
				if next != "" {
					fmt.Fprintf(cmd.OutOrStdout(), "there are more: --after %s\n", next)
				}
				return nil
			})
		},
	}
	p.flags(c)
	c.Flags().StringVar(&state, "state", "pending", "all, "+strings.Join(approval.States(), ", "))
	c.Flags().StringVar(&f.Tenant, "tenant", "", "those of one `TENANT`")
	c.Flags().StringVar(&f.After, "after", "", "those behind a `PLACE` that the last list named")
	c.Flags().IntVarP(&f.Limit, "lines", "n", 50, "`NUMBER` of lines")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	complete(c, "state", append([]string{"all"}, approval.States()...)...)
	return c
}

// seen is a text of others as a terminal may show it.
func seen(text string) string { return approval.Plain(approval.Show(text)) }

// who has to approve.
func who(a *approval.Approval) string {
	text := a.Need.By
	if len(a.Need.Roles) > 0 {
		text += " " + strings.Join(a.Need.Roles, "|")
	}
	if a.Need.Count > 1 {
		text += fmt.Sprintf(" (%d of %d)", a.Need.Count-a.Left(), a.Need.Count)
	}
	return text
}

func approvalsShow() *cobra.Command {
	var p place
	var format string
	c := &cobra.Command{
		Use:     "show ID",
		Short:   "Show what exactly waits, and where its values come from",
		Example: "  ringwall approvals show ap_3QXK7M2VJ5WN6RTDYBHC",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			return withApprovals(cmd, &p, func(s *approval.Store) error {
				v, err := s.Look(cmd.Context(), args[0], me())
				if err != nil {
					return said(err)
				}
				if format == "json" {
					st, err := s.Stats(cmd.Context(), me())
					if err != nil {
						return err
					}
					return json.NewEncoder(cmd.OutOrStdout()).Encode(server.ApprovalDetail(&v, &st))
				}
				return printCard(cmd.OutOrStdout(), &v)
			})
		},
	}
	p.flags(c)
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

// printCard shows all of an approval. Characters that do not show themselves stand there
// by their names.
func printCard(out io.Writer, v *approval.Seen) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, value string) { fmt.Fprintf(w, "%s\t%s\n", name, value) }
	line("approval", v.ID+" ("+v.State.String()+")")
	line("tool", seen(v.Tool))
	line("effect", seen(v.Effect))
	line("asked by", strings.TrimSpace(seen(v.Principal.ID)+" "+seen(v.Principal.Tenant)))
	if v.Conversation != "" {
		line("conversation", seen(v.Conversation))
	}
	line("held by", seen(or(strings.Join(v.Rules, ", "), "no rule that is named")))
	line("to approve", who(&v.Approval))
	line("until", when(&v.Expires)+" UTC")
	if v.Reason != "" {
		line("reason", seen(v.Reason))
	}
	line("digest", seen(v.Digest))
	for _, vote := range v.Votes {
		word := "denied by"
		if vote.Approve {
			word = "approved by"
		}
		line(word, seen(vote.Principal)+" at "+when(&vote.At)+" UTC")
	}
	if err := w.Flush(); err != nil {
		return err
	}
	switch {
	case v.Bad != nil:
		fmt.Fprintf(out, "\n%s\n", v.Bad)
		return nil
	case v.Sealed:
		fmt.Fprintln(out, "\nThe arguments are not kept behind the end.")
		return nil
	}
	card := approval.CardOf(v)
	fmt.Fprintln(out, "\narguments:")
	for i := range card.Fields {
		f := &card.Fields[i]
		mark := " "
		if f.Sensitive {
			mark = "!"
		}
		fmt.Fprintf(out, "%s %s = %s%s\n", mark, approval.Plain(f.Path), approval.Plain(f.Head), approval.Plain(f.Rest))
		if f.Traced {
			from := approval.SourceWords(f.Source)
			if len(f.From) > 0 {
				from += " (" + approval.Plain(f.From) + ")"
			}
			fmt.Fprintf(out, "    from %s\n", from)
		}
		if f.First {
			fmt.Fprintln(out, "    for the first time")
		}
		for _, h := range f.Hosts {
			fmt.Fprintf(out, "    look closely: %s is %s in the network: %s\n", approval.Plain(h.Shown), h.ASCII, h.Why)
		}
	}
	fmt.Fprintf(out, "as they stand: %s\n", approval.Plain(card.Raw))
	for _, n := range card.Notices {
		fmt.Fprintf(out, "* %s\n", n)
	}
	return nil
}

func approvalsApprove() *cobra.Command {
	var p place
	var confirm string
	c := &cobra.Command{
		Use:   "approve ID",
		Short: "Let go once what waits",
		Long: `Shows what waits, and lets it go once you have typed what it is about: the amount, or
the tool's name; of what only reads or writes, the word approve. There is no flag that
says yes to everything: scripts say by --confirm what you would type.`,
		Example: `  ringwall approvals approve ap_3QXK7M2VJ5WN6RTDYBHC
  ringwall approvals approve ap_3QXK7M2VJ5WN6RTDYBHC --confirm 250.00`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApprovals(cmd, &p, func(s *approval.Store) error {
				by := me()
				v, err := s.Look(cmd.Context(), args[0], by)
				if err != nil {
					return said(err)
				}
				if v.May != nil {
					return usage(v.May)
				}
				if v.State != approval.Pending {
					return usage(fmt.Errorf("%w: it is %s", approval.ErrDone, v.State))
				}
				if err := printCard(cmd.OutOrStdout(), &v); err != nil {
					return err
				}
				typed, err := typedBy(cmd, &v, confirm)
				if err != nil {
					return err
				}
				if err := pause(cmd.Context(), s.Think()); err != nil {
					return err
				}
				a, err := s.Approve(cmd.Context(), args[0], approval.Decision{By: by, Token: v.Token, Typed: typed})
				if err != nil {
					return said(err)
				}
				if a.State == approval.Approved {
					fmt.Fprintf(cmd.OutOrStdout(), "%s is approved, and can be used once until %s UTC\n", a.ID, when(&a.Expires))
				} else {
					fmt.Fprintf(cmd.OutOrStdout(), "%s is approved by you; %d more have to\n", a.ID, a.Left())
				}
				return nil
			})
		},
	}
	p.flags(c)
	c.Flags().StringVar(&confirm, "confirm", "", "`TEXT` that you would type")
	return c
}

// typedBy asks a person at a terminal to type what v is about; others have said it.
func typedBy(cmd *cobra.Command, v *approval.Seen, confirm string) (string, error) {
	c := approval.Confirm(&v.Approval)
	want := or(c.Text, "approve")
	if confirm == "" {
		if !terminal(cmd.InOrStdin()) {
			return "", usage(errors.New("approvals approve: nobody is at a terminal: say by --confirm what it is about, as ringwall approvals show tells"))
		}
		fmt.Fprintf(cmd.OutOrStdout(), "\nTo approve, type %s: ", want)
		line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("reading what you type: %w", err)
		}
		confirm = strings.TrimSpace(line)
	}
	if confirm != want {
		return "", usage(fmt.Errorf("%w: want %s; nothing is approved", approval.ErrNotTyped, want))
	}
	return confirm, nil
}

func terminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func approvalsDeny() *cobra.Command {
	var p place
	var reason string
	c := &cobra.Command{
		Use:     "deny ID",
		Short:   "Deny what waits, or what is approved and not used yet",
		Example: "  ringwall approvals deny ap_3QXK7M2VJ5WN6RTDYBHC --reason 'not our account'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApprovals(cmd, &p, func(s *approval.Store) error {
				a, err := s.Deny(cmd.Context(), args[0], approval.Decision{By: me(), Reason: reason})
				if err != nil {
					return said(err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s is denied; the same call is denied until %s UTC\n", a.ID, when(&a.Expires))
				return nil
			})
		},
	}
	p.flags(c)
	c.Flags().StringVar(&reason, "reason", "", "`TEXT` for operators")
	return c
}

const watchEvery = time.Second

func approvalsWatch() *cobra.Command {
	var p place
	var n int
	var format string
	c := &cobra.Command{
		Use:     "watch",
		Short:   "Print what begins to wait, until it is interrupted",
		Example: "  ringwall approvals watch --format json | while read -r line; do notify \"$line\"; done",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			return withApprovals(cmd, &p, func(s *approval.Store) error {
				told := map[string]bool{}
				pending := approval.Pending
				for {
					list, _, err := s.List(cmd.Context(), me(), approval.Filter{State: &pending, Limit: 200})
					if err != nil {
						return watched(cmd.Context(), err)
					}
					now := map[string]bool{}
					for i := len(list) - 1; i >= 0; i-- {
						a := &list[i]
						if now[a.ID] = true; told[a.ID] {
							continue
						}
						if format == "json" {
							if err := json.NewEncoder(cmd.OutOrStdout()).Encode(server.ApprovalRow(a)); err != nil {
								return err
							}
						} else {
							fmt.Fprintf(cmd.OutOrStdout(), "%s  %s  %s  by %s  until %s\n", a.ID, seen(a.Tool), seen(a.Effect), seen(a.Principal.ID), when(&a.Expires))
						}
						if n--; n == 0 {
							return nil
						}
					}
					told = now
					if err := pause(cmd.Context(), watchEvery); err != nil {
						return watched(cmd.Context(), err)
					}
				}
			})
		},
	}
	p.flags(c)
	c.Flags().IntVarP(&n, "lines", "n", 0, "end behind this `NUMBER` of lines; 0: never")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", "text", "json")
	return c
}

// watched ends a watch: being interrupted is how it ends.
func watched(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
