package pii

import "github.com/ringwall/ringwall/internal/checkdigit"

// Checks are given the characters of a value, in capitals and without signs, in
// the length of its form.

func num(c byte) int { return int(c - '0') }

// sumOf adds the digits of v, each times its weight.
func sumOf(v []byte, weights ...int) (sum int) {
	for i, w := range weights {
		sum += num(v[i]) * w
	}
	return sum
}

// value is the number that digits write.
func value(digits []byte) (n int) {
	for _, c := range digits {
		n = n*10 + num(c)
	}
	return n
}

func same(v []byte) bool {
	for _, c := range v {
		if c != v[0] {
			return false
		}
	}
	return true
}

func luhnText(v []byte) bool { return checkdigit.Luhn(v) && !same(v) }

// day reports whether there is such a day in some year.
func day(month, day int) bool {
	return 1 <= month && month <= 12 && 1 <= day && (day <= 29 || day == 30 && month != 2 || day == 31 && (month < 8) == (month%2 == 1))
}

// dmy and ymd read a day from six digits.
func dmy(v []byte) bool { return day(value(v[2:4]), value(v[:2])) }
func ymd(v []byte) bool { return day(value(v[2:4]), value(v[4:6])) }

// iso11 is ISO/IEC 7064 MOD 11,10.
func iso11(v []byte) bool { return checkdigit.Mod11And10(v) && !same(v) }

func deTax(v []byte) bool { return v[0] != '0' && iso11(v) }

// deTaxDigits reports whether one of the first ten digits stands there twice or
// thrice and no other does: so they are given out.
func deTaxDigits(v []byte) bool {
	var count [10]int
	for _, c := range v[:10] {
		count[num(c)]++
	}
	again := 0
	for _, n := range count {
		if n > 3 {
			return false
		}
		if n > 1 {
			again++
		}
	}
	return again == 1
}

// deTaxBare is deTax for numbers that nothing else tells.
func deTaxBare(v []byte) bool { return deTax(v) && deTaxDigits(v) }

func frNIR(v []byte) bool {
	if c := v[0]; c != '1' && c != '2' {
		return false
	}
	n := 0
	for i, c := range v[:13] {
		if i == 6 && v[5] == '2' && (c == 'A' || c == 'B') { // Corsica counts as 19 and 18
			n--
			c = '9' - (c - 'A')
		}
		if !isDigit(c) {
			return false
		}
		n = n*10 + num(c)
	}
	month := value(v[3:5])
	return isDigit(v[13]) && isDigit(v[14]) && (month <= 12 && month > 0 || month >= 20 && month <= 42 || month >= 50) && 97-n%97 == value(v[13:15])
}

const dniLetters = "TRWAGMYFPDXBNJZSQVHLCKE"

func esDNI(v []byte) bool { return dniLetters[value(v[:8])%23] == v[8] }

func esNIE(v []byte) bool {
	if v[0] < 'X' || v[0] > 'Z' {
		return false
	}
	return dniLetters[(int(v[0]-'X')*10_000_000+value(v[1:8]))%23] == v[8]
}

func itCodice(v []byte) bool {
	odd := [...]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}
	sum := 0
	for i, c := range v[:15] {
		x := int(c - 'A')
		if isDigit(c) {
			x = num(c)
		} else if i == 6 || i == 7 || i == 9 || i == 10 || i >= 12 && i < 15 {
			if !contains("LMNPQRSTUV", c) { // letters for digits where two people had one code
				return false
			}
		}
		if i%2 == 0 {
			x = odd[x]
		}
		sum += x
	}
	return contains("ABCDEHLMPRST", v[8]) && 'A'+byte(sum%26) == v[15]
}

// eleven returns the check digit 11 - sum mod 11, zero where that has two digits.
func eleven(sum int) int {
	if r := 11 - sum%11; r < 10 {
		return r
	}
	return 0
}

func brCPF(v []byte) bool {
	return !same(v) && eleven(sumOf(v, 10, 9, 8, 7, 6, 5, 4, 3, 2)) == num(v[9]) && eleven(sumOf(v, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)) == num(v[10])
}

func brCNPJ(v []byte) bool {
	return !same(v) && eleven(sumOf(v, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) == num(v[12]) && eleven(sumOf(v, 6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) == num(v[13])
}

func nlBSN(v []byte) bool { return !same(v) && sumOf(v, 9, 8, 7, 6, 5, 4, 3, 2, -1)%11 == 0 }

func plPESEL(v []byte) bool {
	return day(value(v[2:4])%20, value(v[4:6])) && sumOf(v, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)%10 == 0
}

func sePersonnummer(v []byte) bool {
	v = v[len(v)-10:]
	d := value(v[4:6])
	if d > 60 { // a coordination number
		d -= 60
	}
	return day(value(v[2:4]), d) && luhnText(v)
}

func fiHetu(v []byte) bool {
	n := len(v)
	for _, c := range v[:6] {
		if !isDigit(c) {
			return false
		}
	}
	return dmy(v) && "0123456789ABCDEFHJKLMNPRSTUVWXY"[(value(v[:6])*1000+value(v[n-4:n-1]))%31] == v[n-1]
}

func dkCPR(v []byte) bool { return dmy(v) }

func czRodne(v []byte) bool {
	month := value(v[2:4]) % 50
	if month > 20 {
		month -= 20
	}
	return day(month, value(v[4:6])) && (len(v) == 9 || value(v)%11 == 0 || value(v[:9])%11 == 10 && v[9] == '0')
}

func huTAJ(v []byte) bool { return !same(v) && sumOf(v, 3, 7, 3, 7, 3, 7, 3, 7)%10 == num(v[8]) }

func cnResident(v []byte) bool {
	for _, c := range v[:17] {
		if !isDigit(c) {
			return false
		}
	}
	year := value(v[6:10])
	return v[0] != '0' && 1850 < year && year < 2100 && ymd(v[8:14]) &&
		"10X98765432"[sumOf(v, 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)%11] == v[17]
}

// krRRN checks day and century alone: numbers given out since October 2020 have
// no check digit.
func krRRN(v []byte) bool { return ymd(v) && v[6] != '0' && v[6] != '9' }

func jpMyNumber(v []byte) bool {
	return !same(v) && eleven(sumOf(v, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) == num(v[11])
}

func inAadhaar(v []byte) bool { return v[0] > '1' && checkdigit.Verhoeff(v) && !same(v) }

func inPAN(v []byte) bool { return contains("ABCEFGHJKLPT", v[3]) }

func sgNRIC(v []byte) bool {
	sum := sumOf(v[1:], 2, 7, 6, 5, 4, 3, 2)
	switch v[0] {
	case 'S':
		return "JZIHGFEDCBA"[sum%11] == v[8]
	case 'T':
		return "JZIHGFEDCBA"[(sum+4)%11] == v[8]
	case 'F':
		return "XWUTRQPNMLK"[sum%11] == v[8]
	case 'G':
		return "XWUTRQPNMLK"[(sum+4)%11] == v[8]
	case 'M':
		return "KLJNPQRTUWX"[10-(sum+3)%11] == v[8]
	}
	return false
}
