// Package checkdigit has the check digits that many numbers share. Each function
// is given ASCII digits, the check digit last, and reports whether it fits the
// others; they are pure, and nothing checks an empty text.
package checkdigit

// Luhn is the formula of ISO/IEC 7812-1, annex B: payment cards, IMEI.
func Luhn(v []byte) bool {
	sum := 0
	for i, c := range v {
		x := int(c - '0')
		if (len(v)-i)%2 == 0 {
			if x *= 2; x > 9 {
				x -= 9
			}
		}
		sum += x
	}
	return sum%10 == 0 && len(v) > 0
}

// Mod11And10 is the hybrid system MOD 11,10 of ISO/IEC 7064: German tax ids,
// Croatian OIB.
func Mod11And10(v []byte) bool {
	if len(v) == 0 {
		return false
	}
	p := 10
	for _, c := range v[:len(v)-1] {
		if p = (p + int(c-'0')) % 10; p == 0 {
			p = 10
		}
		p = p * 2 % 11
	}
	return (p+int(v[len(v)-1]-'0'))%10 == 1
}

// The operation of the dihedral group of ten elements, and the powers of the
// permutation that Verhoeff found (Error Detecting Decimal Codes, 1969).
var (
	dihedral = [10]string{
		"0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
		"5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
	}
	permuted = [8]string{
		"0123456789", "1576283094", "5803796142", "8916043527",
		"9453126870", "4286573901", "2793806415", "7046913258",
	}
)

// Verhoeff is Verhoeff's formula: Aadhaar.
func Verhoeff(v []byte) bool {
	c := byte('0')
	for i := range v {
		c = dihedral[c-'0'][permuted[i%8][v[len(v)-1-i]-'0']-'0']
	}
	return c == '0' && len(v) > 0
}
