package audit_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
)

func TestRead(t *testing.T) {
	dir := threeSegments(t)
	for _, tt := range []struct {
		name string
		from uint64
		want string
	}{
		{"all", 0, "012345678"},
		{"from the first on", 1, "012345678"},
		{"from the middle of a segment on", 5, "45678"},
		{"from the beginning of a segment on", 7, "678"},
		{"after the last there is nothing", 10, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			for e, err := range audit.Read(t.Context(), dir, tt.from) {
				if err != nil {
					t.Fatal(err)
				}
				got += e.Event.ID
			}
			if got != tt.want {
				t.Errorf("Read from %d = %s, want %s", tt.from, got, tt.want)
			}
		})
	}
	for range audit.Read(t.Context(), dir, 0) {
		break // a reader may stop
	}
	for _, err := range audit.Read(t.Context(), dir+"/missing", 0) {
		if err == nil {
			t.Error("a directory that is not there was read")
		}
	}
}

func TestReadGoesOnAfterDamage(t *testing.T) {
	dir := threeSegments(t)
	edit(t, dir, 1, func(l []string) []string { l[1] = strings.Replace(l[1], `"id":"1"`, `"id":"7"`, 1); return l })
	edit(t, dir, 2, func(l []string) []string { l[2] = l[2][:40]; return l })
	edit(t, dir, 3, func(l []string) []string { return append(l, `{"seq":10,"prev`) })
	got := ""
	for e, err := range audit.Read(t.Context(), dir, 0) {
		switch {
		case errors.Is(err, audit.ErrDamaged):
			got += "-"
		case err != nil:
			t.Fatal(err)
		default:
			got += e.Event.ID
		}
	}
	if got != "0-234-678" {
		t.Errorf("Read = %s, want 0-234-678: a torn end is no entry yet", got)
	}
}

func TestExport(t *testing.T) {
	dir := t.TempDir()
	l := open(t, audit.Config{Dir: dir, SegmentBytes: 400})
	if _, err := l.Begin(t.Context(), ringwall.Event{ID: "a", Time: when, Model: "=cmd|' /C calc'!A0", Principal: ringwall.Principal{ID: "ann"}}); err != nil {
		t.Fatal(err)
	}
	if err := l.End(t.Context(), ringwall.Event{
		ID: "a", Time: when, Status: 403, Outcome: ringwall.Refused, Usage: &ringwall.Usage{InputTokens: 7},
		Verdict: &ringwall.Verdict{Reasons: []string{"one", "two"}},
	}); err != nil {
		t.Fatal(err)
	}

	t.Run("jsonl is what the segments hold", func(t *testing.T) {
		var b bytes.Buffer
		if err := audit.Export(t.Context(), &b, audit.JSONL, audit.Read(t.Context(), dir, 0)); err != nil {
			t.Fatal(err)
		}
		if want := slices.Concat(read(t, segmentPath(dir, 1)), read(t, segmentPath(dir, 2))); !bytes.Equal(b.Bytes(), want) {
			t.Errorf("exported:\n%s\nwant:\n%s", b.Bytes(), want)
		}
	})
	t.Run("csv has a row an entry, and no formulas", func(t *testing.T) {
		var b bytes.Buffer
		if err := audit.Export(t.Context(), &b, audit.CSV, audit.Read(t.Context(), dir, 0)); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(rows) != 3 {
			t.Fatalf("rows = %v, %v, want a header and two", rows, err)
		}
		at := func(row int, column string) string { return rows[row][slices.Index(rows[0], column)] }
		if m := at(1, "model"); m != "'=cmd|' /C calc'!A0" {
			t.Errorf("the model became %q", m)
		}
		if a, r, s, n := at(2, "action"), at(2, "reasons"), at(2, "status"), at(2, "input_tokens"); a != "block" || r != "one two" || s != "403" || n != "7" {
			t.Errorf("row = %v", rows[2])
		}
		if a := at(1, "action"); a != "" {
			t.Errorf("an entry without a verdict says %q", a)
		}
	})
	t.Run("what is damaged is counted", func(t *testing.T) {
		if got, err := l.Query(t.Context(), audit.Filter{}); err != nil || len(got) != 2 {
			t.Fatalf("Query() = %v, %v, want both", ids(got), err)
		}
		edit(t, dir, 1, func(l []string) []string { return []string{strings.Replace(l[0], "ann", "bob", 1)} })
		var b bytes.Buffer
		err := audit.Export(t.Context(), &b, audit.JSONL, audit.Read(t.Context(), dir, 0))
		if !errors.Is(err, audit.ErrDamaged) || !bytes.Equal(b.Bytes(), read(t, segmentPath(dir, 2))) {
			t.Errorf("Export() = %v, %q, want the sound entry and ErrDamaged", err, b.Bytes())
		}
		got, err := l.Query(t.Context(), audit.Filter{})
		if !errors.Is(err, audit.ErrDamaged) || !slices.Equal(ids(got), []string{"a-end"}) {
			t.Errorf("Query() = %v, %v, want the sound entry and ErrDamaged", ids(got), err)
		}
	})
	t.Run("an unknown format is refused", func(t *testing.T) {
		if err := audit.Export(t.Context(), &bytes.Buffer{}, "xls", audit.Read(t.Context(), dir, 0)); err == nil {
			t.Error("Export went well")
		}
	})
}
