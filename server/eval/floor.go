package eval

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Floor is what a figure must be at least.
type Floor struct {
	Name string  `json:"name"`
	Want float64 `json:"want"`
	Got  Number  `json:"got"` // in a Report
	Met  bool    `json:"met"`
}

// ParseFloors reads "recall=0.95,precision=0.99".
func ParseFloors(text string) (fs []Floor, err error) {
	for part := range strings.SplitSeq(text, ",") {
		name, number, ok := strings.Cut(strings.TrimSpace(part), "=")
		want, err := strconv.ParseFloat(number, 64)
		if !ok || err != nil || want < 0 || want > 1 {
			return nil, fmt.Errorf("%w: %q is no floor: want FIGURE=NUMBER, the number from 0 to 1", ErrOptions, part)
		}
		fs = append(fs, Floor{Name: name, Want: want})
	}
	return fs, checkFloors(fs)
}

// spanFloors and binaryFloors are the figures that can have a floor.
var spanFloors = map[string]func(*SpanFigures) Number{
	"precision":            func(s *SpanFigures) Number { return Number(s.All.Precision.Value()) },
	"recall":               func(s *SpanFigures) Number { return Number(s.All.Recall.Value()) },
	"f1":                   func(s *SpanFigures) Number { return s.All.F1 },
	"strict-precision":     func(s *SpanFigures) Number { return Number(s.All.StrictPrecision.Value()) },
	"strict-recall":        func(s *SpanFigures) Number { return Number(s.All.StrictRecall.Value()) },
	"strict-f1":            func(s *SpanFigures) Number { return s.All.StrictF1 },
	"structured-precision": func(s *SpanFigures) Number { return Number(s.Structured.Precision.Value()) },
	"structured-recall":    func(s *SpanFigures) Number { return Number(s.Structured.Recall.Value()) },
	"names-f1":             func(s *SpanFigures) Number { return s.Loose.F1 },
	"covered":              func(s *SpanFigures) Number { return Number(s.All.Covered.Value()) },
	"clean":                func(s *SpanFigures) Number { return Number(s.All.Clean.Value()) },
}

var binaryFloors = map[string]func(*BinaryFigures) Number{
	"auc":          func(b *BinaryFigures) Number { return b.AUC },
	"ap":           func(b *BinaryFigures) Number { return b.AveragePrecision },
	"recall-at-1":  func(b *BinaryFigures) Number { return Number(b.At1.Recall.Value()) },
	"recall-at-01": func(b *BinaryFigures) Number { return Number(b.At01.Recall.Value()) },
	"precision":    func(b *BinaryFigures) Number { return Number(b.Precision.Value()) },
	"recall":       func(b *BinaryFigures) Number { return Number(b.Recall.Value()) },
	"f1":           func(b *BinaryFigures) Number { return b.F1 },
	"specificity":  func(b *BinaryFigures) Number { return Number(1 - b.FalseAlarms.Value()) },
	"over-defence": func(b *BinaryFigures) Number { return Number(b.OverDefence.Value()) },
	"evasion":      func(b *BinaryFigures) Number { return Number(b.Evaded.Value()) },
}

// FloorNames are the figures of a task that can have a floor.
func FloorNames(task Task) []string {
	if task == Spans {
		return slices.Sorted(maps.Keys(spanFloors))
	}
	return slices.Sorted(maps.Keys(binaryFloors))
}

func checkFloors(fs []Floor) error {
	all := append(FloorNames(Spans), FloorNames(Binary)...)
	for _, f := range fs {
		if !slices.Contains(all, f.Name) {
			return fmt.Errorf("%w: there is no figure %q: for spans there are %s, for whole texts %s", ErrOptions, f.Name,
				strings.Join(FloorNames(Spans), ", "), strings.Join(FloorNames(Binary), ", "))
		}
	}
	return nil
}

// hold compares the figures with their floors. A figure that is not known is under
// any floor.
func (r *Report) hold(floors []Floor) (out []Floor, err error) {
	for _, f := range floors {
		got := Number(math.NaN())
		if figure, ok := spanFloors[f.Name]; ok && r.Task == Spans {
			if r.Spans != nil {
				got = figure(r.Spans)
			}
		} else if figure, ok := binaryFloors[f.Name]; ok && r.Task == Binary {
			if r.Binary != nil {
				got = figure(r.Binary)
			}
		} else {
			return nil, fmt.Errorf("%w: there is no figure %q of task %s: there are %s", ErrOptions, f.Name, r.Task, strings.Join(FloorNames(r.Task), ", "))
		}
		out = append(out, Floor{f.Name, f.Want, got, float64(got) >= f.Want})
	}
	return out, nil
}

// Met reports whether all floors hold.
func (r *Report) Met() bool {
	return !slices.ContainsFunc(r.Floors, func(f Floor) bool { return !f.Met })
}
