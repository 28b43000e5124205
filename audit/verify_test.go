package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/audit"
)

// threeSegments makes a log of nine entries, three a segment, and returns its
// directory. All entries have the same length.
func threeSegments(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	l := open(t, audit.Config{Dir: dir, Fsync: audit.FsyncNever, SegmentBytes: 1000})
	for i := range 9 {
		if _, err := l.Begin(context.Background(), ringwall.Event{ID: fmt.Sprint(i), Time: when}); err != nil {
			t.Fatal(err)
		}
	}
	closeLog(t, l)
	for n := 1; n <= 3; n++ {
		if got := bytes.Count(read(t, segmentPath(dir, n)), []byte("\n")); got != 3 {
			t.Fatalf("segment %d has %d lines, want 3", n, got)
		}
	}
	return dir
}

// edit changes the lines of the n-th segment.
func edit(t testing.TB, dir string, n int, f func(lines []string) []string) {
	t.Helper()
	lines := strings.SplitAfter(string(read(t, segmentPath(dir, n))), "\n")
	write(t, segmentPath(dir, n), []byte(strings.Join(f(lines[:len(lines)-1]), "")))
}

func remove(t testing.TB, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// What follows knows the form of a line by itself, as an auditor's own tool would.

var form = regexp.MustCompile(`^\{"seq":([0-9]+),"prev":"([0-9a-f]{64})","event":(.*),"hash":"([0-9a-f]{64})"\}\n$`)

func prevOf(line string) string { return form.FindStringSubmatch(line)[2] }
func hashOf(line string) string { return form.FindStringSubmatch(line)[4] }

// seal links a line to the one before and gives it a hash that fits.
func seal(line, prev string) string {
	parts := form.FindStringSubmatch(line)
	body := fmt.Sprintf(`{"seq":%s,"prev":"%s","event":%s`, parts[1], prev, parts[3])
	return fmt.Sprintf("%s,\"hash\":\"%x\"}\n", body, sha256.Sum256([]byte(body)))
}

func TestTheFormOfALine(t *testing.T) {
	dir, prev, seq := threeSegments(t), strings.Repeat("0", 64), 0
	for n := 1; n <= 3; n++ {
		edit(t, dir, n, func(lines []string) []string {
			for _, line := range lines {
				seq++
				if parts := form.FindStringSubmatch(line); parts == nil || parts[1] != strconv.Itoa(seq) || seal(line, prev) != line {
					t.Fatalf("entry %d is %q", seq, line)
				}
				prev = hashOf(line)
			}
			return lines
		})
	}
	if r := verified(t, dir); r.Hash.String() != prev || r.Entries != 9 || r.Head != 9 || r.First != 1 {
		t.Errorf("report = %+v, want 9 entries that end with %s", r, prev)
	}
}

var when = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func file(n int) string { return fmt.Sprintf("segment-%012d.jsonl", n) }

func TestVerifyNamesWhatWasDone(t *testing.T) {
	dir := threeSegments(t)
	verified(t, dir)
	size := int64(len(read(t, segmentPath(dir, 1)))) / 3 // of one entry
	type problems = []audit.Problem
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, dir string)
		want problems // without their details
	}{
		{"a byte of an event is flipped", func(t *testing.T, dir string) {
			edit(t, dir, 2, func(l []string) []string { l[1] = strings.Replace(l[1], `"id":"4"`, `"id":"5"`, 1); return l })
		}, problems{{Kind: audit.Altered, First: 5, Last: 5, File: file(2), Offset: size}}},
		{"a digit of a number is flipped", func(t *testing.T, dir string) {
			edit(t, dir, 2, func(l []string) []string { l[1] = strings.Replace(l[1], `"seq":5`, `"seq":7`, 1); return l })
		}, problems{{Kind: audit.Altered, First: 5, Last: 5, File: file(2), Offset: size}}},
		{"the shape of a line is broken", func(t *testing.T, dir string) {
			edit(t, dir, 2, func(l []string) []string { l[1] = "}" + l[1][1:]; return l })
		}, problems{{Kind: audit.Altered, First: 5, Last: 5, File: file(2), Offset: size}}},
		{"two lines become one", func(t *testing.T, dir string) {
			edit(t, dir, 2, func(l []string) []string { l[0] = strings.TrimSpace(l[0]) + " "; return l })
		}, problems{
			{Kind: audit.Altered, First: 4, Last: 4, File: file(2), Offset: 0},
			{Kind: audit.Removed, First: 5, Last: 5, File: file(2), Offset: 2 * size}, // it is part of the other now
		}},
		{"one line becomes two", func(t *testing.T, dir string) {
			edit(t, dir, 2, func(l []string) []string { l[1] = l[1][:50] + "\n" + l[1][51:]; return l })
		}, problems{{Kind: audit.Altered, First: 5, Last: 5, File: file(2), Offset: size}}},
		{"the last entry is altered", func(t *testing.T, dir string) {
			edit(t, dir, 3, func(l []string) []string { l[2] = strings.Replace(l[2], `"id":"8"`, `"id":"7"`, 1); return l })
		}, problems{{Kind: audit.Altered, First: 9, Last: 9, File: file(3), Offset: 2 * size}}},
		{"the last entry is made unreadable", func(t *testing.T, dir string) {
			edit(t, dir, 3, func(l []string) []string { l[2] = "\x00" + l[2][1:]; return l })
		}, problems{{Kind: audit.Altered, First: 9, Last: 9, File: file(3), Offset: 2 * size}}},
		{"an entry is removed", func(t *testing.T, dir string) {
			edit(t, dir, 2, func(l []string) []string { return slices.Delete(l, 1, 2) })
		}, problems{{Kind: audit.Removed, First: 5, Last: 5, File: file(2), Offset: size}}},
		{"the first entry is removed", func(t *testing.T, dir string) {
			edit(t, dir, 1, func(l []string) []string { return l[1:] })
		}, problems{{Kind: audit.Removed, First: 1, Last: 1, File: file(1), Offset: 0}}},
		{"two entries change places", func(t *testing.T, dir string) {
			edit(t, dir, 2, func(l []string) []string { l[0], l[1] = l[1], l[0]; return l })
		}, problems{{Kind: audit.Reordered, First: 4, Last: 4, File: file(2), Offset: size}}},
		{"an entry is moved to the end", func(t *testing.T, dir string) {
			edit(t, dir, 3, func(l []string) []string { return append(l[1:], l[0]) })
		}, problems{{Kind: audit.Reordered, First: 7, Last: 7, File: file(3), Offset: 2 * size}}},
		{"an entry stands there twice", func(t *testing.T, dir string) {
			edit(t, dir, 2, func(l []string) []string { return slices.Insert(l, 2, l[0]) })
		}, problems{{Kind: audit.Duplicated, First: 4, Last: 4, File: file(2), Offset: 2 * size}}},
		{"a segment in the middle loses an entry at its end", func(t *testing.T, dir string) {
			edit(t, dir, 2, func(l []string) []string { return l[:2] })
		}, problems{{Kind: audit.TruncatedSegment, First: 6, Last: 6, File: file(2), Offset: 2 * size}}},
		{"a segment in the middle loses half an entry", func(t *testing.T, dir string) {
			edit(t, dir, 2, func(l []string) []string { l[2] = l[2][:90]; return l })
		}, problems{{Kind: audit.TruncatedSegment, First: 6, Last: 6, File: file(2), Offset: 2 * size}}},
		{"a segment in the middle is emptied", func(t *testing.T, dir string) {
			edit(t, dir, 2, func([]string) []string { return nil })
		}, problems{{Kind: audit.TruncatedSegment, First: 4, Last: 6, File: file(2), Offset: 0}}},
		{
			"a segment in the middle is missing", func(t *testing.T, dir string) { remove(t, segmentPath(dir, 2)) },
			problems{{Kind: audit.MissingSegment, First: 4, Last: 6, File: file(2)}},
		},
		{
			"the first segment is missing", func(t *testing.T, dir string) { remove(t, segmentPath(dir, 1)) },
			problems{{Kind: audit.MissingSegment, First: 1, Last: 3, File: file(1)}},
		},
		{
			"the last segment is missing", func(t *testing.T, dir string) { remove(t, segmentPath(dir, 3)) },
			problems{{Kind: audit.EndsBeforeHead, First: 7, Last: 9, File: file(2), Offset: 3 * size}},
		},
		{"the last entry is missing", func(t *testing.T, dir string) {
			edit(t, dir, 3, func(l []string) []string { return l[:2] })
		}, problems{{Kind: audit.EndsBeforeHead, First: 9, Last: 9, File: file(3), Offset: 2 * size}}},
		{"everything is missing", func(t *testing.T, dir string) {
			for n := 1; n <= 3; n++ {
				remove(t, segmentPath(dir, n))
			}
		}, problems{{Kind: audit.EndsBeforeHead, First: 1, Last: 9}}},
		{"two places at once", func(t *testing.T, dir string) {
			edit(t, dir, 1, func(l []string) []string { return slices.Delete(l, 1, 2) })
			edit(t, dir, 3, func(l []string) []string { l[1] = strings.Replace(l[1], `"id":"7"`, `"id":"1"`, 1); return l })
		}, problems{
			{Kind: audit.Removed, First: 2, Last: 2, File: file(1), Offset: size},
			{Kind: audit.Altered, First: 8, Last: 8, File: file(3), Offset: size},
		}},
		{"an entry is replaced by a sound one", func(t *testing.T, dir string) {
			edit(t, dir, 2, func(l []string) []string {
				l[1] = seal(strings.Replace(l[1], `"id":"4"`, `"id":"5"`, 1), prevOf(l[1]))
				return l
			})
		}, problems{{Kind: audit.BrokenChain, First: 6, Last: 6, File: file(2), Offset: 2 * size}}},
		{"all is written anew, hashes and all", func(t *testing.T, dir string) {
			prev := strings.Repeat("0", 64)
			for n := 1; n <= 3; n++ {
				edit(t, dir, n, func(l []string) []string {
					for i := range l {
						l[i] = seal(strings.Replace(l[i], `"id":"2"`, `"id":"5"`, 1), prev)
						prev = hashOf(l[i])
					}
					return l
				})
			}
		}, problems{{Kind: audit.HeadMismatch, First: 9, Last: 9, File: file(3), Offset: 2 * size}}},
		{
			"the head is removed", func(t *testing.T, dir string) { remove(t, dir+"/head") },
			problems{{Kind: audit.HeadMissing, File: "head"}},
		},
		{"the head is written by somebody without the key", func(t *testing.T, dir string) {
			write(t, dir+"/head", bytes.Replace(read(t, dir+"/head"), []byte(`"seq":9`), []byte(`"seq":8`), 1))
		}, problems{{Kind: audit.HeadForged, File: "head"}}},
		{
			"the head is garbage", func(t *testing.T, dir string) { write(t, dir+"/head", nil) },
			problems{{Kind: audit.HeadForged, File: "head"}},
		},
		{
			"the key is removed", func(t *testing.T, dir string) { remove(t, dir+"/audit.key") },
			problems{{Kind: audit.KeyMissing, File: "audit.key"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := threeSegments(t)
			tt.do(t, dir)
			r, err := audit.Verify(t.Context(), dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := slices.Clone(r.Problems)
			for i := range got {
				got[i].Detail = ""
			}
			if r.OK() || !slices.Equal(got, tt.want) {
				t.Errorf("problems:\n%v\nwant:\n%v", r.Problems, tt.want)
			}
		})
	}
}

func TestVerifyCallsATornTailNoProblem(t *testing.T) {
	dir := threeSegments(t)
	b := read(t, segmentPath(dir, 3))
	write(t, segmentPath(dir, 3), append(b, `{"seq":10`...))
	r := verified(t, dir)
	if r.Torn == nil || r.Torn.File != file(3) || r.Torn.Offset != int64(len(b)) || r.Entries != 9 {
		t.Errorf("report = %+v, torn %v", r, r.Torn)
	}
}

func TestVerifyBoundsItsReport(t *testing.T) {
	dir := t.TempDir()
	l := open(t, audit.Config{Dir: dir, Fsync: audit.FsyncNever})
	for range 4000 {
		begin(t, l, "x")
	}
	closeLog(t, l)
	edit(t, dir, 1, func(lines []string) []string {
		var kept []string
		for i := 0; i < len(lines); i += 2 {
			kept = append(kept, lines[i])
		}
		return kept
	})
	r, err := audit.Verify(t.Context(), dir, nil)
	if err != nil || len(r.Problems) != audit.MaxProblems || r.More != 1000 || r.OK() {
		t.Errorf("%d problems and %d more, %v, want %d and 1000", len(r.Problems), r.More, err, audit.MaxProblems)
	}
}

func TestALineWithoutEndIsNotReadIntoMemory(t *testing.T) {
	dir := threeSegments(t)
	endless := slices.Concat(read(t, segmentPath(dir, 2)), bytes.Repeat([]byte("x"), audit.MaxEvent+1<<20), []byte("\n"))
	write(t, segmentPath(dir, 2), endless)
	r, err := audit.Verify(t.Context(), dir, nil)
	if err != nil || len(r.Problems) != 1 || r.Problems[0].Kind != audit.Altered || r.Entries != 9 {
		t.Errorf("report = %+v, %v, want the one line that is no entry", r, err)
	}
}

func TestVerifyShowsProgressAndEndsWithItsContext(t *testing.T) {
	dir := threeSegments(t)
	var done, total int64
	r, err := audit.Verify(t.Context(), dir, func(d, t int64) { done, total = d, t })
	if err != nil || done != total || done != r.Bytes || done == 0 {
		t.Errorf("progress ended with %d of %d, %v, want all of %d", done, total, err, r.Bytes)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := audit.Verify(ctx, dir, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Verify with a cancelled context = %v", err)
	}
	if _, err := audit.Verify(t.Context(), dir+"/missing", nil); err == nil {
		t.Error("a directory that is not there was found in order")
	}
}

// Whatever is done to a segment, Verify says so; only a torn end is told apart.
func FuzzNoChangeGoesUnnoticed(f *testing.F) {
	dir := threeSegments(f)
	size := len(read(f, segmentPath(dir, 1)))
	f.Add(uint8(1), uint16(0), uint16(1), []byte("["))
	f.Add(uint8(2), uint16(size/3), uint16(size/3), []byte(nil))
	f.Add(uint8(3), uint16(size), uint16(0), []byte(`{"seq":10,`))
	f.Add(uint8(3), uint16(size), uint16(0), []byte("{}\n"))
	f.Add(uint8(1), uint16(size-3), uint16(1), []byte("\n"))
	f.Add(uint8(2), uint16(10), uint16(1), []byte("A"))
	f.Fuzz(func(t *testing.T, segment uint8, at, drop uint16, put []byte) {
		n := int(segment)%3 + 1
		path := segmentPath(dir, n)
		old := read(t, path)
		i := int(at) % (len(old) + 1)
		changed := slices.Concat(old[:i], put, old[min(i+int(drop), len(old)):])
		write(t, path, changed)
		defer write(t, path, old)
		r, err := audit.Verify(t.Context(), dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case bytes.Equal(changed, old):
			if !r.OK() || r.Torn != nil {
				t.Errorf("nothing was changed, and the report is %+v", r)
			}
		case r.OK():
			tail, same := bytes.CutPrefix(changed, old)
			if n != 3 || !same || bytes.Contains(tail, []byte("\n")) || r.Torn == nil {
				t.Errorf("%d bytes at %d of segment %d became %q, and nothing is wrong", drop, i, n, put)
			}
		}
		for e, err := range audit.Read(t.Context(), dir, 0) {
			if err != nil && !errors.Is(err, audit.ErrDamaged) {
				t.Fatal(err)
			}
			if err == nil && !bytes.Contains(slices.Concat(read(t, segmentPath(dir, 1)), read(t, segmentPath(dir, 2)), read(t, segmentPath(dir, 3))), e.Line) {
				t.Errorf("Read made up %q", e.Line)
			}
		}
	})
}
