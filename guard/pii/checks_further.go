package pii

import "github.com/ringwall/ringwall/internal/checkdigit"

// deSocial is the number of the German pension insurance (VKVV §2): the letter
// counts as two digits, and of each product the digits are added.
func deSocial(v []byte) bool {
	if d := value(v[2:4]); d <= 31 && !day(value(v[4:6]), d) {
		return false
	}
	letter := int(v[8]-'A') + 1
	digits := [12]int{num(v[0]), num(v[1]), num(v[2]), num(v[3]), num(v[4]), num(v[5]), num(v[6]), num(v[7]), letter / 10, letter % 10, num(v[9]), num(v[10])}
	sum := 0
	for i, w := range [12]int{2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1} {
		p := digits[i] * w
		sum += p/10 + p%10
	}
	return sum%10 == num(v[11])
}

// deHealth is the number on the German health card (§290 SGB V).
func deHealth(v []byte) bool {
	letter := int(v[0]-'A') + 1
	sum := letter/10 + (letter%10*2)/10 + (letter%10*2)%10
	for i, c := range v[1:9] {
		p := num(c) * (1 + i%2)
		sum += p/10 + p%10
	}
	return sum%10 == num(v[9])
}

// frTax: the last three of the thirteen digits are the first ten modulo 511.
func frTax(v []byte) bool { return v[0] < '4' && value(v[:10])%511 == value(v[10:]) }

// esSocial: the last two digits are the others modulo 97.
func esSocial(v []byte) bool {
	n := value(v[2:10])
	if n < 10_000_000 {
		n += value(v[:2]) * 10_000_000
	} else {
		n += value(v[:2]) * 100_000_000
	}
	return n%97 == value(v[10:]) && value(v[:2]) > 0 && value(v[:2]) <= 66
}

func esAccount(v []byte) bool {
	check := func(sum int) int {
		if r := 11 - sum%11; r < 10 {
			return r
		} else if r == 10 {
			return 1
		}
		return 0
	}
	return !same(v) && check(sumOf(v, 4, 8, 5, 10, 9, 7, 3, 6)) == num(v[8]) && check(sumOf(v[10:], 1, 2, 4, 8, 5, 10, 9, 7, 3, 6)) == num(v[9])
}

// ptCard is Luhn's sum with letters as 10 to 35.
func ptCard(v []byte) bool {
	sum := 0
	for i, c := range v {
		x := 0
		switch {
		case isDigit(c):
			x = num(c)
		case i == 9 || i == 10:
			x = int(c-'A') + 10
		default:
			return false
		}
		if i%2 == 0 {
			if x *= 2; x > 9 {
				x -= 9
			}
		}
		sum += x
	}
	return sum%10 == 0 && !same(v)
}

func ptSocial(v []byte) bool {
	return (v[0] == '1' || v[0] == '2') && 9-sumOf(v, 29, 23, 19, 17, 13, 11, 7, 5, 3, 2)%10 == num(v[10])
}

func plNIP(v []byte) bool { return !same(v) && sumOf(v, 6, 5, 7, 2, 3, 4, 5, 6, 7)%11 == num(v[9]) }

func plCard(v []byte) bool {
	sum := 0
	for i, w := range [9]int{7, 3, 1, 9, 7, 3, 1, 7, 3} {
		x := int(v[i]-'A') + 10
		if isDigit(v[i]) {
			x = num(v[i])
		}
		sum += x * w
	}
	return sum%10 == 0
}

func noAccount(v []byte) bool {
	return !same(v) && string(v[4:6]) != "00" && (11-sumOf(v, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11)%11 == num(v[10])
}

func huTax(v []byte) bool { return v[0] == '8' && sumOf(v, 1, 2, 3, 4, 5, 6, 7, 8, 9)%11 == num(v[9]) }

// huPersonal: of those born before 1997 the weights rise, after it they fall.
func huPersonal(v []byte) bool {
	return v[0] != '0' && v[0] != '9' && ymd(v[1:]) &&
		(sumOf(v, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)%11 == num(v[10]) || sumOf(v, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1)%11 == num(v[10]))
}

// luID has a check digit of Luhn and one of Verhoeff.
func luID(v []byte) bool {
	year := value(v[:4])
	var d [12]byte
	copy(d[:], v[:11])
	d[11] = v[12]
	return 1850 < year && year < 2100 && ymd(v[2:]) && luhnText(v[:12]) && checkdigit.Verhoeff(d[:])
}

func mdID(v []byte) bool {
	return (v[0] == '0' || v[0] == '1' || v[0] == '2') && sumOf(v, 7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1)%10 == num(v[12]) && !same(v)
}

func trVKN(v []byte) bool {
	sum := 0
	for i := range 9 {
		x := (num(v[i]) + 9 - i) % 10
		if x == 0 {
			continue
		}
		y := x << (9 - i) % 9
		if y == 0 {
			y = 9
		}
		sum += y
	}
	return !same(v) && (10-sum%10)%10 == num(v[9])
}

// inGSTIN is Luhn's sum in base 36.
func inGSTIN(v []byte) bool {
	sum := 0
	for i, c := range v {
		x := int(c-'A') + 10
		if isDigit(c) {
			x = num(c)
		}
		if i%2 == 1 && i < 14 {
			x *= 2
		}
		sum += x/36 + x%36
	}
	state := value(v[:2])
	return sum%36 == 0 && 1 <= state && state <= 38 && v[12] != '0' && contains("ABCEFGHJKLPT", v[5])
}

func krBusiness(v []byte) bool {
	return value(v[:3]) > 100 && string(v[3:5]) != "00" && (10-(sumOf(v, 1, 3, 7, 1, 3, 7, 1, 3, 5)+num(v[8])*5/10)%10)%10 == num(v[9])
}

// cnCredit is GB 32100-2015.
func cnCredit(v []byte) bool {
	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	sum := 0
	for i, w := range [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28} {
		x := indexOf(alphabet, v[i])
		if x < 0 {
			return false
		}
		sum += x * w
	}
	return alphabet[(31-sum%31)%31] == v[17]
}

func idNPWP(v []byte) bool { return luhnText(v[:9]) }

func auABN(v []byte) bool {
	return v[0] != '0' && (sumOf(v, 10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)-10)%89 == 0
}

// nzNHI checks the older form, HISO 10046; in the newer one the last sign is a
// letter.
func nzNHI(v []byte) bool {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	sum := 0
	for i := range 6 {
		x := indexOf(letters, v[i]) + 1
		switch {
		case isDigit(v[i]):
			x = num(v[i])
		case x == 0: // I and O are not given
			return false
		}
		sum += x * (7 - i)
	}
	if isDigit(v[6]) {
		r := sum % 11
		return r != 0 && (11-r)%10 == num(v[6])
	}
	return indexOf(letters, v[6]) >= 0 && !isDigit(v[5])
}

func usNPI(v []byte) bool {
	var d [15]byte
	copy(d[:], "80840")
	copy(d[5:], v)
	return (v[0] == '1' || v[0] == '2') && luhnText(d[:])
}

func usDEA(v []byte) bool {
	d := v[2:]
	return contains("ABCDEFGHJKLMPRSTUX", v[0]) && (sumOf(d, 1, 0, 1, 0, 1)+2*sumOf(d, 0, 1, 0, 1, 0, 1))%10 == num(d[6])
}

// usMBI has no check digit, but a form of its own without letters that look like
// digits (CMS, Medicare Beneficiary Identifier format).
func usMBI(v []byte) bool {
	for _, c := range v {
		if contains("SLOIBZ", c) {
			return false
		}
	}
	return v[0] != '0'
}

func brCNH(v []byte) bool {
	s1, s2 := sumOf(v, 9, 8, 7, 6, 5, 4, 3, 2, 1), sumOf(v, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	first, less := s1%11, 0
	if first >= 10 {
		first, less = 0, 2
	}
	second := s2%11 - less
	if second < 0 {
		second += 11
	}
	if second >= 10 {
		second = 0
	}
	return !same(v) && first == num(v[9]) && second == num(v[10])
}

func brPIS(v []byte) bool {
	return !same(v) && eleven(sumOf(v, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) == num(v[10])
}

func brCNS(v []byte) bool {
	return contains("12789", v[0]) && sumOf(v, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1)%11 == 0
}

func arCBU(v []byte) bool {
	return !same(v) && (10-sumOf(v, 7, 1, 3, 9, 7, 1, 3)%10)%10 == num(v[7]) && (10-sumOf(v[8:], 3, 9, 7, 1, 3, 9, 7, 1, 3, 9, 7, 1, 3)%10)%10 == num(v[21])
}

func mxCLABE(v []byte) bool {
	sum := 0
	for i, c := range v[:17] {
		sum += num(c) * [3]int{3, 7, 1}[i%3] % 10
	}
	return !same(v) && (10-sum%10)%10 == num(v[17])
}

func uyCI(v []byte) bool {
	return !same(v) && (10-sumOf(v, 2, 9, 8, 7, 6, 3, 4)%10)%10 == num(v[7])
}

func kwID(v []byte) bool {
	return contains("123", v[0]) && ymd(v[1:]) && 11-sumOf(v, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)%11 == num(v[11])
}

func irCode(v []byte) bool {
	r := sumOf(v, 10, 9, 8, 7, 6, 5, 4, 3, 2) % 11
	if r > 1 {
		r = 11 - r
	}
	return !same(v) && r == num(v[9])
}

// ukDriving is the form of a British driving licence: five letters of the name,
// the day of birth with 5 added to the month of women, initials.
func ukDriving(v []byte) bool {
	for i, c := range v[:5] {
		if !isLetter(c) && (c != '9' || i == 0) {
			return false
		}
	}
	return day((num(v[6])%5)*10+num(v[7]), value(v[8:10])) && contains("0156", v[6]) && (isLetter(v[11]) || v[11] == '9') && (isLetter(v[12]) || v[12] == '9')
}

func indexOf(s string, c byte) int {
	for i := range len(s) {
		if s[i] == c {
			return i
		}
	}
	return -1
}

// itVAT is Luhn's sum, with the office that gave the number out as its digits 8 to
// 10.
func itVAT(v []byte) bool {
	office := value(v[7:10])
	return luhnText(v) && v[0] < '9' && (1 <= office && office <= 100 || office == 120 || office == 121 || office == 888 || office == 999)
}
