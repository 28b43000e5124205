package gullible

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// formulaWord is the longest stretch that looks like a formula.
var formulaWord = regexp.MustCompile(`(?i)\b(?:what(?:['’]?s| is)|how much is|calculate|compute|work out|solve)\s*:?\s*((?:[\d.()+*/^×÷·–-]|\s|%\s*of\b|\bx\b|\btimes\b|\bplus\b|\bminus\b|\bdivided by\b|,\d)+)|^\s*([\d.()+*/^×÷ -]+)=?\s*\??\s*$`)

// arithmetic works out the formula in a question, and returns both sides.
func arithmetic(text string) (formula, value string, ok bool) {
	formula = strings.TrimSpace(firstGroup(formulaWord, text))
	plain := strings.NewReplacer("×", "*", "·", "*", "÷", "/", "–", "-", "x", "*", "X", "*", "times", "*",
		"plus", "+", "minus", "-", "divided by", "/", ",", "", "% of", "/100*", "%of", "/100*").Replace(strings.ToLower(formula))
	if len(plain) > 200 || !strings.ContainsAny(plain, "+-*/^") || !strings.ContainsAny(plain, "0123456789") {
		return "", "", false
	}
	c := calculator{text: strings.ReplaceAll(plain, " ", "")}
	v, ok := c.sum(0)
	if !ok || c.at != len(c.text) || math.IsInf(v, 0) || math.IsNaN(v) {
		return "", "", false
	}
	return formula, strconv.FormatFloat(v, 'f', -1, 64), true
}

// calculator reads a formula from left to right.
type calculator struct {
	text string
	at   int
}

func (c *calculator) next(signs string) byte {
	if c.at < len(c.text) && strings.IndexByte(signs, c.text[c.at]) >= 0 {
		c.at++
		return c.text[c.at-1]
	}
	return 0
}

func (c *calculator) sum(depth int) (float64, bool) {
	v, ok := c.product(depth)
	for ok {
		sign := c.next("+-")
		if sign == 0 {
			break
		}
		var w float64
		if w, ok = c.product(depth); sign == '-' {
			w = -w
		}
		v += w
	}
	return v, ok
}

func (c *calculator) product(depth int) (float64, bool) {
	v, ok := c.power(depth)
	for ok {
		sign := c.next("*/")
		if sign == 0 {
			break
		}
		var w float64
		if w, ok = c.power(depth); sign == '/' {
			w = 1 / w
		}
		v *= w
	}
	return v, ok
}

func (c *calculator) power(depth int) (float64, bool) {
	if depth > 64 {
		return 0, false
	}
	if c.next("-") != 0 {
		v, ok := c.power(depth + 1)
		return -v, ok
	}
	v, ok := c.atom(depth)
	if ok && c.next("^") != 0 {
		var w float64
		w, ok = c.power(depth + 1)
		v = math.Pow(v, w)
	}
	return v, ok
}

func (c *calculator) atom(depth int) (float64, bool) {
	if c.next("(") != 0 {
		v, ok := c.sum(depth + 1)
		return v, ok && c.next(")") != 0
	}
	start := c.at
	for c.next("0123456789.") != 0 {
	}
	v, err := strconv.ParseFloat(c.text[start:c.at], 64)
	return v, err == nil
}
