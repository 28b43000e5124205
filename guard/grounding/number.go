package grounding

import (
	"math"
	"strings"
)

// kind is what a number counts.
type kind uint8

const (
	plain   kind = iota
	percent      // 20 %
	money        // $20
	ordinal      // 20th
	clock        // 20:15, in minutes
	measure      // 20 km, in the base unit of its dimension
)

// number is a number of a text. Two of them agree if they are the same however
// they are written.
type number struct {
	value float64
	other float64 // what else it may mean: 1.234 is 1234 in many countries; else value
	kind  kind
	unit  string  // of measure: its dimension; of money: the currency; of plain: the stem of the word behind it
	grain float64 // the last place that was written: 3.1 million is right to 100,000
	about bool    // "about", "almost": it need not be exact
}

// agrees reports whether the number of a claim is that of a source.
func (n number) agrees(src number) bool {
	switch {
	case n.kind == measure && src.kind == measure && n.unit != src.unit,
		n.kind == money && src.kind == money && n.unit != "" && src.unit != "" && n.unit != src.unit,
		(n.kind == percent) != (src.kind == percent) && n.kind != plain && src.kind != plain,
		(n.kind == clock) != (src.kind == clock),
		(n.kind == money || n.kind == measure) && (src.kind == money || src.kind == measure) && n.kind != src.kind,
		n.kind == percent && src.kind == plain:
		return false
	}
	return n.near(src.value) || n.near(src.other) || n.other != n.value && equal(n.other, src.value)
}

// near reports whether n says v, rounded as n is.
func (n number) near(v float64) bool {
	d := math.Abs(n.value - v)
	switch {
	case equal(n.value, v):
		return true
	case n.about:
		return d <= 0.06*math.Abs(v)
	}
	// Round numbers may have been rounded, those of few digits not.
	return n.grain > 0 && math.Abs(v) >= 20*n.grain && d <= n.grain/2*1.0001
}

func equal(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b), 1) }

// figures reads the number whose digits begin at i, and returns the index behind
// it. A group of digits and points that is no number, such as a version, has no
// ok; nor has a date, whose parts the caller reads one by one.
func figures(t []byte, i int) (n number, end int, ok bool) {
	j := i
	var points, commas, last int // how many there are, and where the last of both is
	for j < len(t) && j-i < 40 {
		switch {
		case digit(t[j]):
		case (t[j] == '.' || t[j] == ',' || t[j] == '\'') && j+1 < len(t) && digit(t[j+1]):
			if t[j] == '.' {
				points++
			} else {
				commas++
			}
			last = j
		default:
			goto read
		}
		j++
	}
read:
	s := string(t[i:j])
	places := j - last - 1
	decimal := byte(0)
	switch {
	case points+commas == 0:
	case points > 1 && commas == 0 && !grouped(s, '.'), commas > 1 && points == 0 && !grouped(s, ','):
		return number{}, j, false
	case points == 1 && commas == 0:
		decimal = '.'
	case commas == 1 && points == 0 && (places != 3 || s[0] == '0'):
		decimal = ','
	case points > 0 && commas > 0:
		decimal = t[last]
	}
	value, scale := 0.0, 0.0
	for _, b := range []byte(s) {
		switch {
		case digit(b):
			value = value*10 + float64(b-'0')
			scale *= 10
		case b == decimal:
			scale = 1
		}
	}
	n.grain = grain(value)
	if scale > 1 {
		value /= scale
		n.grain = 1 / scale
	}
	n.value, n.other = value, value
	if decimal == '.' && commas == 0 && places == 3 {
		n.other = value * 1000
	}
	return n, j, true
}

// grain is the last place of a whole number that is not 0.
func grain(v float64) float64 {
	if v < 100 {
		return 0 // 20 is 20, not 18
	}
	g := 1.0
	for g < 1e15 && math.Mod(v, g*10) == 0 {
		g *= 10
	}
	if g == 1 {
		return 0
	}
	return g
}

// grouped reports whether the groups behind the first have three digits each.
func grouped(s string, sep byte) bool {
	parts := strings.Split(s, string(sep))
	for _, p := range parts[1:] {
		if len(p) != 3 {
			return false
		}
	}
	return len(parts[0]) <= 3
}

func digit(b byte) bool { return '0' <= b && b <= '9' }

// counts are words for numbers.
var counts = map[string]float64{
	"zero": 0, "twice": 2, "thrice": 3, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
	"thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30,
	"forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
	"zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10, "zwölf": 12,
	"deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "huit": 8, "neuf": 9, "dix": 10, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9, "diez": 10,
}

// scales multiply the number before them.
var scales = map[string]float64{
	"dozen": 12, "hundred": 100, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "hundreds": 100,
	"mn": 1e6, "mio": 1e6, "bn": 1e9, "tn": 1e12, "millions": 1e6, "millionen": 1e6, "milliarden": 1e9, "tausend": 1e3, "mille": 1e3, "mil": 1e3, "millones": 1e6,
}

// letters are scales that are written right behind the digits.
var scaleLetters = map[string]float64{"k": 1e3, "m": 1e6, "b": 1e9, "bn": 1e9, "mn": 1e6, "tn": 1e12}

// ordinals are words for places in a row.
var ordinals = map[string]float64{
	"second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12, "twentieth": 20,
}

// months are months by their names in English, German, French and Spanish.
var months = func() map[string]float64 {
	m := map[string]float64{}
	for i, names := range []string{
		"january jan januar janvier enero", "february feb februar février fevrier febrero", "march mar märz marz mars marzo", "april apr avril abril",
		"mai mayo", "june jun juni juin junio", "july jul juli juillet julio", "august aug août aout agosto", "september sep sept septembre septiembre",
		"october oct oktober octobre octubre", "november nov novembre noviembre", "december dec dezember décembre diciembre",
	} {
		for name := range strings.FieldsSeq(names) {
			m[name] = float64(i + 1)
		}
	}
	return m
}()

// unit is a unit of measurement: so many of the base of its dimension.
type unit struct {
	of    string
	times float64
}

// units are units by their names; of those that are also words only the
// unmistakable.
var units = func() map[string]unit {
	m := map[string]unit{}
	for _, u := range []struct {
		of, names string
		times     float64
	}{
		{"length", "mm millimeter millimetre", 0.001},
		{"length", "cm centimeter centimetre", 0.01},
		{"length", "m meter metre", 1},
		{"length", "km kilometer kilometre", 1000},
		{"length", "mile mi", 1609.344},
		{"length", "ft foot feet", 0.3048},
		{"length", "inch inches", 0.0254},
		{"length", "yard yd", 0.9144},
		{"mass", "mg milligram milligramm", 1e-6},
		{"mass", "g gram gramm", 0.001},
		{"mass", "kg kilogram kilogramm kilo", 1},
		{"mass", "lb lbs", 0.45359237},
		{"mass", "oz ounce", 0.0283495},
		{"mass", "t tonne ton", 1000},
		{"time", "ms millisecond", 0.001},
		{"time", "sec second sekunde", 1},
		{"time", "min minute minuten", 60},
		{"time", "h hr hrs hour stunde stunden heure hora", 3600},
		{"time", "day tag tage tagen jour dia", 86400},
		{"time", "week woche wochen semaine semana", 604800},
		{"months", "month monat monate monaten mois mes meses", 1},
		{"months", "year yr yrs jahr jahre jahren an ans año años", 12},
		{"months", "decade", 120},
		{"months", "century centuries", 1200},
		{"volume", "ml milliliter millilitre", 0.001},
		{"volume", "l liter litre", 1},
		{"volume", "gallon", 3.785411784},
		{"data", "kb kilobyte", 1e3},
		{"data", "mb megabyte", 1e6},
		{"data", "gb gigabyte", 1e9},
		{"data", "tb terabyte", 1e12},
		{"power", "w watt", 1},
		{"power", "kw kilowatt", 1e3},
		{"power", "mw megawatt", 1e6},
		{"power", "gw gigawatt", 1e9},
		{"speed", "km/h kph", 1},
		{"speed", "mph", 1.609344},
		{"celsius", "celsius °c", 1},
		{"fahrenheit", "fahrenheit °f", 1},
		{"degrees", "degree °", 1},
	} {
		for name := range strings.FieldsSeq(u.names) {
			m[name] = unit{u.of, u.times}
			if len(name) > 2 && !strings.HasSuffix(name, "s") {
				m[name+"s"] = unit{u.of, u.times}
			}
		}
	}
	return m
}()

// currencies are currencies by sign, code and name.
var currencies = map[string]string{
	"$": "usd", "usd": "usd", "dollar": "usd", "dollars": "usd", "bucks": "usd", "€": "eur", "eur": "eur", "euro": "eur", "euros": "eur",
	"£": "gbp", "gbp": "gbp", "sterling": "gbp", "¥": "jpy", "jpy": "jpy", "yen": "jpy", "₹": "inr", "inr": "inr", "rupees": "inr", "chf": "chf", "francs": "chf",
	"cny": "cny", "yuan": "cny", "cents": "cents", "cent": "cents", "pesos": "mxn", "krw": "krw", "won": "",
}
