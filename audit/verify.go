package audit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/ringwall/ringwall"
)

// ProblemKind says what is wrong with a log.
type ProblemKind string

// Kinds of problems.
const (
	Altered          ProblemKind = "altered"           // the bytes of an entry are not those that were written
	BrokenChain      ProblemKind = "broken-chain"      // an entry is sound, but does not follow from the one before
	Removed          ProblemKind = "removed"           // entries are missing
	Reordered        ProblemKind = "reordered"         // entries stand elsewhere than they were written
	Duplicated       ProblemKind = "duplicated"        // entries stand there twice
	MissingSegment   ProblemKind = "missing-segment"   // a whole file is missing
	TruncatedSegment ProblemKind = "truncated-segment" // a file that is not the last has lost its end
	EndsBeforeHead   ProblemKind = "ends-before-head"  // entries are missing at the end of the log
	HeadMismatch     ProblemKind = "head-mismatch"     // the entries were written anew, or the head is of another log
	HeadMissing      ProblemKind = "head-missing"      // there is no head file
	HeadForged       ProblemKind = "head-forged"       // the head file was not written with the log's key
	KeyMissing       ProblemKind = "key-missing"       // the head file cannot be checked
	TornTail         ProblemKind = "torn-tail"         // the last line was not written whole; see Report.Torn
)

// Problem is one thing that is wrong, and where.
type Problem struct {
	Kind   ProblemKind `json:"kind"`
	First  uint64      `json:"first,omitempty"` // sequence numbers of the entries it is about
	Last   uint64      `json:"last,omitempty"`
	File   string      `json:"file"`
	Offset int64       `json:"offset"` // bytes into File: of the entry, or of where it should be
	Detail string      `json:"detail,omitempty"`
}

func (p Problem) String() string {
	about := ""
	switch {
	case p.First != 0 && p.First == p.Last:
		about = fmt.Sprintf(" entry %d", p.First)
	case p.First != 0:
		about = fmt.Sprintf(" entries %d to %d", p.First, p.Last)
	}
	s := fmt.Sprintf("%s:%s in %s at byte %d", p.Kind, about, p.File, p.Offset)
	if p.Detail != "" {
		s += ": " + p.Detail
	}
	return s
}

// Recovery is an entry of kind ringwall.Recovered: the log was opened after an
// unclean end, which Detail describes. An end that was cut off before the log
// was opened again is told of here, and nowhere else.
type Recovery struct {
	Seq    uint64 `json:"seq"`
	Detail string `json:"detail"`
}

// MaxProblems bounds each list of a Report.
const MaxProblems = 1000

// Report is what Verify found.
type Report struct {
	Segments   int        `json:"segments"`
	Bytes      int64      `json:"bytes"`
	Entries    uint64     `json:"entries"` // sound ones
	First      uint64     `json:"first"`   // sequence numbers
	Last       uint64     `json:"last"`
	Hash       Sum        `json:"hash"` // of the last entry
	Head       uint64     `json:"head"` // sequence number that the head file vouches for
	Problems   []Problem  `json:"problems,omitempty"`
	More       int        `json:"more,omitempty"` // problems beyond MaxProblems
	Torn       *Problem   `json:"torn,omitempty"` // a crash explains it: no problem, and mended by Open
	Recoveries []Recovery `json:"recoveries,omitempty"`
}

// OK reports whether nothing is wrong with the log.
func (r *Report) OK() bool { return len(r.Problems) == 0 && r.More == 0 }

// Verify checks every byte of the log in dir, in bounded memory, and names each
// problem. An error means that it could not look. It may be used while the log
// is written. progress, if not nil, is called now and then with the bytes
// checked and their total.
//
// What stands in a file is either as it was written or named: see the package's
// comment for what a chain can and cannot show.
func Verify(ctx context.Context, dir string, progress func(done, total int64)) (Report, error) {
	// The head first: a log that grows meanwhile may outgrow it, never fall short.
	h, headProblem := readHeadSeq(dir)
	segs, err := segments(dir)
	if err != nil {
		return Report{}, fmt.Errorf("verifying the audit log: %w", err)
	}
	v := verifier{head: h, next: 1}
	v.report.Head, v.report.Segments = h.Seq, len(segs)
	if headProblem != nil {
		v.problem(*headProblem)
	}
	if err := v.walk(ctx, dir, segs, progress); err != nil {
		return v.report, fmt.Errorf("verifying the audit log: %w", err)
	}
	v.end()
	return v.report, nil
}

// readHeadSeq returns what the head file of a log says, for Verify: the head,
// and which problem keeps it from being used.
func readHeadSeq(dir string) (head, *Problem) {
	k, err := readKeys(dir)
	if err != nil {
		return head{}, &Problem{Kind: KeyMissing, File: keyFile, Detail: fmt.Sprintf("the head file cannot be checked: %v", plain(err))}
	}
	h, err := readHead(dir, k)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return head{}, &Problem{Kind: HeadMissing, File: headFile, Detail: "entries missing at the end would not be noticed"}
	case err != nil:
		return head{}, &Problem{Kind: HeadForged, File: headFile, Detail: plain(err).Error()}
	}
	return h, nil
}

func (v *verifier) walk(ctx context.Context, dir string, segs []segment, progress func(done, total int64)) error {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	var total int64
	for _, s := range segs {
		total += s.size
	}
	const step = 4 << 20 // bytes between calls of progress
	shown := int64(0)
	progress(0, total)
	expected := uint64(1)
	for i, s := range segs {
		v.begin(s.number, expected, i == len(segs)-1)
		expected = s.number + 1
		err := readLines(dir, s.number, 0, func(line rawLine) (bool, error) {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			v.line(line)
			v.report.Bytes += line.size
			if v.report.Bytes-shown >= step {
				shown = v.report.Bytes
				progress(shown, max(total, shown))
			}
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	progress(v.report.Bytes, max(total, v.report.Bytes))
	return nil
}

// problem adds a problem to the report; one that goes on where the last one of
// its kind ended extends it.
func (v *verifier) problem(p Problem) {
	r := &v.report
	if n := len(r.Problems); n > 0 && p.First != 0 {
		last := &r.Problems[n-1]
		if last.Kind == p.Kind && last.File == p.File && last.Detail == p.Detail && last.Last+1 == p.First {
			last.Last = p.Last
			return
		}
	}
	if len(r.Problems) == MaxProblems {
		r.More++
		return
	}
	r.Problems = append(r.Problems, p)
}

// recovered adds an entry to the report's recoveries if it is one.
func (v *verifier) recovered(f *fields) {
	// Within a string the quotes would be escaped: these are no text of others.
	if !bytes.Contains(f.event, []byte(`,"kind":"`+ringwall.Recovered+`",`)) || len(v.report.Recoveries) == MaxProblems {
		return
	}
	var e struct {
		Detail string `json:"detail"`
	}
	_ = json.Unmarshal(f.event, &e) // its hash is right; without a detail it is a recovery all the same
	v.report.Recoveries = append(v.report.Recoveries, Recovery{f.seq, e.Detail})
}

// end judges what only the end of the log can tell.
func (v *verifier) end() {
	if v.lost != nil {
		next := v.next + v.lostLines
		v.closeLost(next)
		v.next = next
	}
	for _, p := range []*Problem{v.missing, v.cut} {
		if p != nil {
			v.problem(*p)
		}
	}
	for _, g := range v.gaps {
		v.problem(g)
	}
	if h := v.head; h.Seq >= v.next {
		v.problem(Problem{
			Kind: EndsBeforeHead, First: v.next, Last: h.Seq, File: v.file, Offset: v.offset,
			Detail: "the head file vouches for more",
		})
	}
	slices.SortStableFunc(v.report.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Offset, b.Offset))
	})
}
