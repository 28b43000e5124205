package grounding

// currency notes a currency before a number or behind one.
func (r *reader) currency(name string) {
	r.closeNumber()
	if n := len(r.s.numbers); n > 0 && r.s.numbers[n-1].at == r.at && r.s.numbers[n-1].kind == plain {
		r.s.numbers[n-1].kind, r.s.numbers[n-1].unit = money, currencies[name]
		return
	}
	r.sign = currencies[name]
}

// add adds a number.
func (r *reader) add(n number) {
	if r.sign != "" {
		n.kind, n.unit = money, r.sign
	}
	n.about = n.about || r.about
	r.sign, r.about = "", false
	r.at++
	r.s.numbers = append(r.s.numbers, counted{n, r.at})
}

// figures reads a number that is written in digits, a date, a time or a code.
func (r *reader) figures(folded []byte, i int) int {
	r.closeNumber()
	n, end, ok := figures(folded, i)
	if end < len(folded) && folded[end] == ':' && end+2 < len(folded) && digit(folded[end+1]) && digit(folded[end+2]) && n.value < 25 {
		minutes := n.value*60 + float64(folded[end+1]-'0')*10 + float64(folded[end+2]-'0')
		for end += 3; end < len(folded) && (digit(folded[end]) || folded[end] == ':'); end++ {
		}
		r.add(number{value: minutes, other: minutes, kind: clock})
		return end
	}
	tail := end
	for tail < len(folded) && tail-end < 24 && (alnum(folded[tail]) || folded[tail] == '_') {
		tail++
	}
	suffix := string(folded[end:tail])
	switch {
	case !ok: // 2.10.4
		r.put(word{stem: string(folded[i:tail]), weight: 1.5, name: true, code: true})
		return tail
	case suffix == "":
		r.add(n)
		return end
	case suffix == "st" || suffix == "nd" || suffix == "rd" || suffix == "th":
		n.kind = ordinal
		r.add(n)
		return tail
	case suffix == "am" || suffix == "pm":
		r.add(number{value: n.value, other: n.value})
		r.half12(suffix == "pm")
		return tail
	case suffix == "s" && n.value >= 10: // the 1990s
		r.add(n)
		return tail
	}
	if times, known := scaleLetters[suffix]; known && (r.sign != "" || suffix != "m" && suffix != "b") {
		n.value, n.other, n.grain = n.value*times, n.value*times, max(n.grain, 1)*times
		if n.grain > times && n.value < 100*times {
			n.grain = times
		}
		r.add(n)
		return tail
	}
	if u, known := units[suffix]; known {
		r.add(number{value: n.value * u.times, other: n.other * u.times, kind: measure, unit: u.of, grain: n.grain * u.times, about: n.about})
		return tail
	}
	if _, known := currencies[suffix]; known {
		r.add(n)
		r.currency(suffix)
		return tail
	}
	r.put(word{stem: string(folded[i:tail]), weight: 1.5, name: true, code: true}) // 12b
	return tail
}

// half12 makes the last number a time of the afternoon or the morning.
func (r *reader) half12(afternoon bool) {
	n := &r.s.numbers[len(r.s.numbers)-1].number
	if n.kind != clock {
		n.value *= 60
		n.kind = clock
	}
	if hour := n.value / 60; afternoon && hour < 12 {
		n.value += 12 * 60
	} else if !afternoon && hour >= 12 && hour < 13 {
		n.value -= 12 * 60
	}
	n.other, n.grain = n.value, 0
}

// behind reads the word behind a number as what it counts; true: the word is
// used up.
func (r *reader) behind(n *number, form string) bool {
	switch form {
	case "percent", "percentage", "prozent", "pct":
		n.kind = percent
		return true
	case "am", "pm":
		r.half12(form == "pm")
		return true
	}
	if times, ok := scales[form]; ok {
		n.value, n.other, n.grain = n.value*times, n.value*times, max(n.grain, 1)*times
		if n.value < 100*times && n.grain > times {
			n.grain = times
		}
		return true
	}
	if n.kind != plain {
		return false
	}
	if c, ok := currencies[form]; ok {
		if c == "cents" {
			n.value, n.other, c = n.value/100, n.other/100, ""
		}
		n.kind, n.unit = money, c
		return true
	}
	if u, ok := units[form]; ok {
		n.kind, n.unit = measure, u.of
		n.value, n.other, n.grain = n.value*u.times, n.other*u.times, n.grain*u.times
		return true
	}
	return false
}

// number reads a word for a number, or a month beside one.
func (r *reader) number(form string, capital bool) bool {
	switch v, ok := counts[form]; {
	case ok && r.open && v < 10 && r.half >= 20 && r.half < 100:
		r.half += v // twenty-five
		return true
	case ok && r.open:
		r.half += v // a hundred and five
		return true
	case ok:
		r.open, r.half, r.whole = true, v, 0
		return true
	case form == "and" && r.open && r.half >= 100:
		return true
	}
	if times, ok := scales[form]; ok && r.open {
		if r.half *= times; times >= 1000 {
			r.whole, r.half = r.whole+r.half, 0
		}
		return true
	} else if ok && (form == "hundred" || form == "thousand" || form == "million" || form == "billion" || form == "dozen") {
		if n := len(r.s.numbers); n > 0 && r.s.numbers[n-1].at == r.at {
			return false // 3 million
		}
		r.open, r.half, r.whole = true, times, 0
		return true
	}
	if v, ok := ordinals[form]; ok {
		if r.open && v < 10 && r.half >= 20 {
			v, r.open = v+r.half, false
		}
		r.closeNumber()
		r.add(number{value: v, other: v, kind: ordinal})
		return true
	}
	if v, ok := months[form]; ok && (capital || len(form) > 4 && form != "march") {
		r.closeNumber()
		r.put(word{stem: "month-" + string(rune('a'+int(v))), form: form, weight: 1.5, name: true, code: true, calm: true})
		return true
	}
	return false
}

// closeNumber ends a number in words.
func (r *reader) closeNumber() {
	if !r.open {
		return
	}
	v := r.whole + r.half
	r.open = false
	r.add(number{value: v, other: v, grain: grain(v)})
}
