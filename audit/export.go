package audit

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
)

// Format is a form in which entries are exported.
type Format string

// Formats.
const (
	JSONL Format = "jsonl" // the lines as they stand in the segments: they can still be verified
	CSV   Format = "csv"   // one row an entry, for spreadsheets
)

// Export writes entries, as [Read] yields them, to w. Damaged ones are left out
// and counted by an error wrapping ErrDamaged, after all others are written.
func Export(ctx context.Context, w io.Writer, format Format, entries iter.Seq2[Entry, error]) error {
	var write func(Entry) error
	finish := func() error { return nil }
	switch format {
	case JSONL:
		write = func(e Entry) error {
			_, err := w.Write(append(e.Line, '\n'))
			return err
		}
	case CSV:
		table := csv.NewWriter(w)
		write = func(e Entry) error { return table.Write(csvRow(&e)) }
		finish = func() error { table.Flush(); return table.Error() }
		if err := table.Write(csvHeader()); err != nil {
			return fmt.Errorf("exporting the audit log: %w", err)
		}
	default:
		return fmt.Errorf("exporting the audit log: unknown format %q: want %s or %s", format, JSONL, CSV)
	}
	damaged, err := copyEntries(ctx, write, entries)
	if err = errors.Join(err, finish()); err != nil {
		return fmt.Errorf("exporting the audit log: %w", err)
	}
	if damaged > 0 {
		return fmt.Errorf("exporting the audit log: %d left out: %w", damaged, ErrDamaged)
	}
	return nil
}

func copyEntries(ctx context.Context, write func(Entry) error, entries iter.Seq2[Entry, error]) (damaged int, err error) {
	for e, err := range entries {
		switch {
		case errors.Is(err, ErrDamaged):
			damaged++
			continue
		case err != nil:
			return damaged, err
		}
		if err := ctx.Err(); err != nil {
			return damaged, err
		}
		if err := write(e); err != nil {
			return damaged, err
		}
	}
	return damaged, nil
}

func csvHeader() []string {
	return []string{
		"seq", "time", "kind", "id", "principal", "tenant", "trust", "via", "dialect", "route", "model", "provider",
		"guardrail", "action", "reasons", "outcome", "status", "duration_ns", "input_tokens", "output_tokens", "detail", "hash",
	}
}

func csvRow(e *Entry) []string {
	v := &e.Event
	var action, reasons, input, output string
	if v.Verdict != nil {
		action, reasons = v.Verdict.Action.String(), strings.Join(v.Verdict.Reasons, " ")
	}
	if v.Usage != nil {
		input, output = strconv.FormatInt(v.Usage.InputTokens, 10), strconv.FormatInt(v.Usage.OutputTokens, 10)
	}
	return []string{
		strconv.FormatUint(e.Seq, 10), v.Time.Format(time.RFC3339Nano), cell(string(v.Kind)), cell(v.ID),
		cell(v.Principal.ID), cell(v.Principal.Tenant), v.Principal.Trust.String(), cell(v.Principal.Via),
		cell(v.Dialect), cell(v.Route), cell(v.Model), cell(v.Provider), cell(v.Guardrail), action, cell(reasons),
		cell(string(v.Outcome)), strconv.Itoa(v.Status), strconv.FormatInt(int64(v.Duration), 10),
		input, output, cell(v.Detail), e.Hash.String(),
	}
}

// cell keeps a text that a caller may have chosen, such as the name of a model,
// from being run as a formula by a spreadsheet.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
