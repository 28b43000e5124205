package calibrate

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Budget is the share of benign texts that may be flagged, above 0 and below 1.
// The zero Budget is none.
type Budget float64

// ParseBudget reads a share as "0.5%", "0.005" or "1/200".
func ParseBudget(s string) (Budget, error) {
	text := strings.TrimSpace(s)
	v, err := 0.0, error(nil)
	if part, of, ok := strings.Cut(text, "/"); ok {
		var n float64
		v, err = number(part)
		if err == nil {
			n, err = number(of)
			v /= n
		}
	} else if part, ok := strings.CutSuffix(text, "%"); ok {
		v, err = number(part)
		v = tidy(v / 100)
	} else {
		v, err = number(text)
	}
	if err != nil || !(v > 0 && v < 1) {
		return 0, fmt.Errorf("%q is no budget of false positives: want a share above 0 and below 1, such as 0.5%%, 0.005 or 1/200", s)
	}
	return Budget(v), nil
}

// number reads a plain number: digits and a point.
func number(s string) (float64, error) {
	s = strings.TrimSpace(s)
	if strings.Trim(s, "0123456789.e-") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(s, 64)
}

// tidy is v without the dust of a division: to fifteen digits.
func tidy(v float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64)
	if err != nil {
		return v
	}
	return out
}

// String writes b as a percentage where that is exact, else as a share; "none" for
// the zero Budget.
func (b Budget) String() string {
	if b == 0 {
		return "none"
	}
	percent := strconv.FormatFloat(tidy(float64(b)*100), 'f', -1, 64) + "%"
	if back, err := ParseBudget(percent); err == nil && back == b && len(percent) < 12 {
		return percent
	}
	return strconv.FormatFloat(float64(b), 'g', -1, 64)
}

// Of returns how many of n texts the budget allows on average.
func (b Budget) Of(n float64) float64 { return float64(b) * n }

// UnmarshalText reads what ParseBudget does, or none.
func (b *Budget) UnmarshalText(text []byte) (err error) {
	if string(text) == "none" {
		*b = 0
		return nil
	}
	*b, err = ParseBudget(string(text))
	return err
}

// MarshalText writes what UnmarshalText reads.
func (b Budget) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// Bounds returns the interval by Clopper and Pearson for a share of which hits of
// so many were counted: at the given confidence, 0.95 say, it holds the true one
// at least so often. Of nothing it is all from 0 to 1.
func Bounds(hits, of int64, confidence float64) (low, high float64) {
	if of <= 0 {
		return 0, 1
	}
	hits = min(max(hits, 0), of)
	tail := (1 - confidence) / 2
	k, n := float64(hits), float64(of)
	low, high = 0, 1
	if hits > 0 {
		low = quantile(tail, k, n-k+1)
	}
	if hits < of {
		high = quantile(1-tail, k+1, n-k)
	}
	return low, high
}

// quantile is where the beta distribution has so much of its weight below it.
func quantile(p, a, b float64) float64 {
	low, high := 0.0, 1.0
	for range 100 {
		mid := (low + high) / 2
		if beta(mid, a, b) < p {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// beta is the regularized incomplete beta function, by its continued fraction
// (NIST Digital Library of Mathematical Functions, 8.17.22), which converges
// quickly below (a+1)/(a+b+2); above it the mirror image does.
func beta(x, a, b float64) float64 {
	if x <= 0 {
		return 0
	}
	if x >= 1 {
		return 1
	}
	if x > (a+1)/(a+b+2) {
		return 1 - beta(1-x, b, a)
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab-la-lb+a*math.Log(x)+b*math.Log1p(-x)) / a
	const tiny = 1e-300
	nonzero := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	// Lentz's algorithm: c and d are the quotients of successive numerators and
	// denominators.
	c, d := 1.0, 1/nonzero(1-(a+b)*x/(a+1))
	value := d
	for m := 1.0; m < 10000; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d, c = 1/nonzero(1+even*d), nonzero(1+even/c)
		value *= d * c
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d, c = 1/nonzero(1+odd*d), nonzero(1+odd/c)
		step := d * c
		value *= step
		if math.Abs(step-1) < 1e-14 {
			break
		}
	}
	return front * value
}
