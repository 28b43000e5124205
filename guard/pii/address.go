package pii

import (
	"bytes"
	"crypto/sha256"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/stream"
)

var (
	bitcoin  = pattern{BitcoinAddress, ringwall.Medium, 0.99, nil}
	ethereum = pattern{EthereumAddress, ringwall.Medium, 0.95, nil}
)

// address reads the word t[i:e] as the address of a wallet.
func address(t []byte, i, e int) (start, end int, p pattern, look stream.Look) {
	v := t[i:e]
	switch n := len(v); {
	case n < 26:
	case n == 42 && v[0] == '0' && v[1]|0x20 == 'x':
		digits, letters := 0, 0
		for _, c := range v[2:] {
			switch {
			case isDigit(c):
				digits++
			case isHex(c):
				letters++
			default:
				return i, e, p, stream.No
			}
		}
		if digits > 0 && letters > 0 {
			return i, e, ethereum, stream.Yes
		}
	case n <= 35 && (v[0] == '1' || v[0] == '3'):
		if base58check(v) {
			return i, e, bitcoin, stream.Yes
		}
	case (n == 42 || n == 62) && (bytes.HasPrefix(v, []byte("bc1")) || bytes.HasPrefix(v, []byte("BC1"))):
		if bech32(v) {
			return i, e, bitcoin, stream.Yes
		}
	}
	return i, e, p, stream.No
}

// base58check reports whether v is 25 bytes of which the last four begin the
// double hash of the others, and the first is that of a Bitcoin address.
func base58check(v []byte) bool {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	var raw [25]byte
	for _, c := range v {
		carry := bytes.IndexByte([]byte(alphabet), c)
		if carry < 0 {
			return false
		}
		for k := len(raw) - 1; k >= 0; k-- {
			carry += int(raw[k]) * 58
			raw[k] = byte(carry)
			carry >>= 8
		}
		if carry != 0 {
			return false
		}
	}
	once := sha256.Sum256(raw[:21])
	twice := sha256.Sum256(once[:])
	return (raw[0] == 0 || raw[0] == 5) && bytes.Equal(twice[:4], raw[21:])
}

// bech32 checks a segregated witness address (BIP 173 and BIP 350).
func bech32(v []byte) bool {
	const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	sum := uint32(1)
	step := func(x byte) {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(x)
		for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 != 0 {
				sum ^= g
			}
		}
	}
	for _, x := range [...]byte{3, 3, 0, 2, 3} { // of "bc"
		step(x)
	}
	for _, c := range bytes.ToLower(v[3:]) {
		x := bytes.IndexByte([]byte(alphabet), c)
		if x < 0 {
			return false
		}
		step(byte(x))
	}
	return sum == 1 || sum == 0x2bc830a3
}
