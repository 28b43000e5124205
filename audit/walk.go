package audit

import (
	"fmt"
	"slices"
)

// verifier walks the lines of a log in the order of the files. It expects entry
// after entry; what is not the expected one tells what was done:
//
//	its number is higher    a gap: entries are missing, or will come later
//	it lies in a gap        the entry was moved here
//	it lies before          the entry stands here for the second time
//	the line is not sound   the entry was altered, and is taken for the expected one
//
// What one change does to the log shall be one problem, and the walk must find
// its way again behind it.
type verifier struct {
	report Report
	head   head

	file       string // being walked
	offset     int64  // after its last line
	last       bool   // it is the last one
	fresh      bool   // none of its entries has been seen
	before     string // the file before it
	beforeSize int64

	next   uint64 // the expected number
	ends   [2]Sum // the hash of the entry before is one of them; of an altered entry one cannot tell which
	unsure bool   // the hash of the entry before is not known

	lost      *Problem // lines that are no entries, just before
	lostLines uint64
	missing   *Problem  // segments that are missing just before
	cut       *Problem  // half a line at the end of the segment before
	gaps      []Problem // what is missing so far
}

// begin goes on with a segment; expected is the number that it should have.
func (v *verifier) begin(number, expected uint64, last bool) {
	v.before, v.beforeSize = v.file, v.offset
	v.file, v.offset, v.last, v.fresh = segmentName(number), 0, last, true
	if number > expected {
		v.missing = &Problem{Kind: MissingSegment, File: segmentName(expected)}
		if number > expected+1 {
			v.missing.Detail = "and all up to " + segmentName(number-1)
		}
	}
}

func (v *verifier) line(line rawLine) {
	v.offset = line.offset + line.size
	f, err := parseLine(line.text)
	switch {
	case !line.whole && v.last:
		v.report.Torn = &Problem{
			Kind: TornTail, First: v.next, Last: v.next, File: v.file, Offset: line.offset,
			Detail: fmt.Sprintf("%d bytes without an end", line.size),
		}
	case !line.whole:
		v.cut = &Problem{Kind: TruncatedSegment, File: v.file, Offset: line.offset}
	case err != nil:
		v.unreadable(line.offset)
	case !f.sound():
		v.altered(&f, line.offset)
	default:
		v.sound(&f, line.offset)
	}
}

// unreadable takes a line that is no entry: one or more were altered.
func (v *verifier) unreadable(offset int64) {
	if v.lost == nil {
		v.lost = &Problem{Kind: Altered, File: v.file, Offset: offset}
	}
	v.lostLines++
	v.unsure = true
}

// closeLost reports unreadable lines, once it is known which entry comes next.
func (v *verifier) closeLost(next uint64) {
	v.lost.Detail = fmt.Sprintf("lines that are no entries: %d", v.lostLines)
	if next > v.next {
		v.lost.First, v.lost.Last = v.next, next-1
	}
	v.problem(*v.lost)
	v.lost, v.lostLines = nil, 0
}

// altered takes an entry whose hash does not fit. Nothing in it can be trusted,
// its number neither; whether it is the expected one, its link to the one before
// tells too.
func (v *verifier) altered(f *fields, offset int64) {
	seq := f.seq
	if !v.unsure && v.follows(f) {
		seq = v.next
	}
	p := Problem{Kind: Altered, First: seq, Last: seq, File: v.file, Offset: offset, Detail: "its hash does not fit"}
	if seq < v.next {
		p.First, p.Last = 0, 0
		v.problem(p)
		return
	}
	v.reach(seq, offset)
	v.problem(p)
	v.ends = [2]Sum{f.hash, f.sum}
}

// sound takes an entry that is as it was written; whether it is where it was
// written is the question.
func (v *verifier) sound(f *fields, offset int64) {
	v.recovered(f)
	if f.seq == v.head.Seq && f.hash != v.head.Hash {
		v.problem(Problem{
			Kind: HeadMismatch, First: f.seq, Last: f.seq, File: v.file, Offset: offset,
			Detail: "the head file vouches for another entry of this number",
		})
	}
	if f.seq < v.next {
		v.late(f.seq, offset)
		return
	}
	v.report.Entries++
	if f.seq == v.next && v.lost == nil && !v.unsure && !v.follows(f) {
		v.problem(Problem{
			Kind: BrokenChain, First: f.seq, Last: f.seq, File: v.file, Offset: offset,
			Detail: "it does not follow from the entry before: one of the two was replaced",
		})
	}
	v.reach(f.seq, offset)
	v.ends = [2]Sum{f.hash, f.hash}
	if v.report.First == 0 {
		v.report.First = f.seq
	}
	v.report.Last, v.report.Hash = f.seq, f.hash
}

func (v *verifier) follows(f *fields) bool { return f.prev == v.ends[0] || f.prev == v.ends[1] }

// reach goes on to the entry with a number, not lower than the expected one,
// and reports or remembers what lies between.
func (v *verifier) reach(seq uint64, offset int64) {
	gap := Problem{Kind: Removed, File: v.file, Offset: offset}
	switch {
	case v.missing != nil:
		gap = *v.missing
	case v.cut != nil:
		gap = *v.cut
	case v.fresh && v.before != "":
		gap = Problem{Kind: TruncatedSegment, File: v.before, Offset: v.beforeSize, Detail: "or the next one lost its beginning"}
	}
	switch {
	case v.lost != nil:
		v.closeLost(seq)
		if v.missing != nil || v.cut != nil {
			v.problem(gap)
		}
	case seq > v.next:
		gap.First, gap.Last = v.next, seq-1
		v.remember(gap)
	case v.missing != nil || v.cut != nil:
		v.problem(gap)
	}
	v.missing, v.cut, v.fresh, v.unsure = nil, nil, false, false
	v.next = seq + 1
}

// remember keeps a gap until the end: its entries may stand further down.
func (v *verifier) remember(gap Problem) {
	if len(v.gaps) == MaxProblems {
		v.problem(gap)
		return
	}
	v.gaps = append(v.gaps, gap)
}

// late takes an entry whose turn is over.
func (v *verifier) late(seq uint64, offset int64) {
	p := Problem{Kind: Duplicated, First: seq, Last: seq, File: v.file, Offset: offset}
	for i, g := range v.gaps {
		if seq < g.First || seq > g.Last {
			continue
		}
		p.Kind, p.Detail = Reordered, "it stands behind later entries"
		v.report.Entries++
		left, right := g, g
		left.Last, right.First = seq-1, seq+1
		var parts []Problem
		for _, part := range []Problem{left, right} {
			if part.First <= part.Last {
				parts = append(parts, part)
			}
		}
		v.gaps = slices.Replace(v.gaps, i, i+1, parts...)
		break
	}
	v.problem(p)
}
