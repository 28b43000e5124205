package decode

import (
	"encoding/binary"
	"strings"
)

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// base58Value is the digit of a byte, plus one; zero when it is none.
var base58Value = func() (v [256]uint8) {
	for i := range len(base58Alphabet) {
		v[base58Alphabet[i]] = uint8(i + 1)
	}
	return v
}()

// maxBase58 is the longest run that is read: the work grows with its square.
const maxBase58 = 4096

// readBase58 converts five digits at a time into 32-bit limbs.
func readBase58(out []byte, s string) ([]byte, bool) {
	if len(s) > maxBase58 {
		return nil, false
	}
	var buf [32]uint32
	limbs := buf[:0] // least significant first
	zeros := 0
	for zeros < len(s) && s[zeros] == '1' {
		zeros++
	}
	for i := zeros; i < len(s); {
		scale, add := uint64(1), uint64(0)
		for n := 0; n < 5 && i < len(s); i++ {
			if digit := base58Value[s[i]]; digit != 0 { // not a line break
				scale *= 58
				add = add*58 + uint64(digit-1)
				n++
			}
		}
		for j := range limbs {
			add += uint64(limbs[j]) * scale
			limbs[j] = uint32(add)
			add >>= 32
		}
		if add > 0 {
			limbs = append(limbs, uint32(add))
		}
	}
	for range zeros {
		out = append(out, 0)
	}
	for i := len(limbs) - 1; i >= 0; i-- {
		out = binary.BigEndian.AppendUint32(out, limbs[i])
	}
	lead := zeros
	for lead < len(out) && out[lead] == 0 {
		lead++
	}
	return append(out[:zeros], out[lead:]...), true
}

// encodeBase58 writes all of text as one number, most significant digit first.
func encodeBase58(text string) string {
	digits := make([]byte, 0, len(text)*7/5+1) // least significant first
	zeros := 0
	for zeros < len(text) && text[zeros] == 0 {
		zeros++
	}
	for i := zeros; i < len(text); i++ {
		carry := int(text[i])
		for j := range digits {
			carry += int(digits[j]) << 8
			digits[j] = byte(carry % 58)
			carry /= 58
		}
		for ; carry > 0; carry /= 58 {
			digits = append(digits, byte(carry%58))
		}
	}
	out := []byte(strings.Repeat("1", zeros))
	for i := len(digits) - 1; i >= 0; i-- {
		out = append(out, base58Alphabet[digits[i]])
	}
	return string(out)
}
