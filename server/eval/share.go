package eval

import (
	"encoding/json"
	"fmt"
	"math"
)

// Share is so many of so many.
type Share struct{ Hits, Of int64 }

// Value is the share, and NaN where there is nothing to have a share of.
func (s Share) Value() float64 { return float64(s.Hits) / float64(s.Of) }

// Wilson returns the 95 % interval of a share by Wilson's score (E. B. Wilson,
// 1927), which stays within 0 and 1 and holds for few cases and for shares near
// the ends. It is NaN where there is nothing to have a share of.
func (s Share) Wilson() (low, high float64) {
	const z = 1.959963984540054
	n, p := float64(s.Of), s.Value()
	middle := p + z*z/(2*n)
	wide := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	scale := 1 + z*z/n
	return math.Max(0, (middle-wide)/scale), math.Min(1, (middle+wide)/scale)
}

// MarshalJSON prints counts, share and interval.
func (s Share) MarshalJSON() ([]byte, error) {
	low, high := s.Wilson()
	return json.Marshal(struct {
		Hits  int64  `json:"hits"`
		Of    int64  `json:"of"`
		Value Number `json:"value"`
		Low   Number `json:"low"`
		High  Number `json:"high"`
	}{s.Hits, s.Of, Number(s.Value()), Number(low), Number(high)})
}

// String prints the share with its interval: "0.953 (0.941–0.962)".
func (s Share) String() string {
	if s.Of == 0 {
		return "–"
	}
	low, high := s.Wilson()
	return fmt.Sprintf("%s (%.3f–%.3f)", Number(s.Value()), low, high)
}

// Part is so many bytes of so many. It has no interval: bytes come in spans, not
// one by one.
type Part struct{ Hits, Of int64 }

// Value is the part, and NaN where there is nothing to have a part of.
func (p Part) Value() float64 { return float64(p.Hits) / float64(p.Of) }

// MarshalJSON prints counts and part.
func (p Part) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Hits  int64  `json:"hits"`
		Of    int64  `json:"of"`
		Value Number `json:"value"`
	}{p.Hits, p.Of, Number(p.Value())})
}

// String prints the part.
func (p Part) String() string { return Number(p.Value()).String() }

// Number is a figure that may not be known: NaN is null in JSON, and a dash.
type Number float64

// MarshalJSON rounds to six places.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(math.Round(float64(n)*1e6) / 1e6)
}

// String prints three places, and more where three would claim all or nothing.
func (n Number) String() string {
	v := float64(n)
	switch {
	case math.IsNaN(v):
		return "–"
	case v != 1 && v >= 0.9995 && v < 1, v != 0 && v < 0.0005:
		return fmt.Sprintf("%.5f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

// harmonic is the F1 of a precision and a recall, NaN where there is nothing to find.
func harmonic(precision, recall Share) Number {
	// Hits of both are the same pairs, so this is 2·P·R/(P+R) without 0/0.
	if recall.Of == 0 {
		return Number(math.NaN())
	}
	return Number(float64(precision.Hits+recall.Hits) / float64(precision.Of+recall.Of))
}
