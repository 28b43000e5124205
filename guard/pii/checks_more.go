package pii

import "bytes"

func auTFN(v []byte) bool { return !same(v) && sumOf(v, 1, 4, 3, 7, 5, 8, 6, 9, 10)%11 == 0 }

func auMedicare(v []byte) bool {
	return '2' <= v[0] && v[0] <= '6' && sumOf(v, 1, 3, 7, 9, 1, 3, 7, 9)%10 == num(v[8])
}

func nzIRD(v []byte) bool {
	var d [9]byte
	copy(d[:], "000000000")
	copy(d[9-len(v):], v)
	check := (11 - sumOf(d[:], 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
	if check == 10 {
		check = (11 - sumOf(d[:], 7, 4, 3, 2, 5, 2, 7, 6)%11) % 11
	}
	n := value(d[:])
	return n > 10_000_000 && n < 150_000_000 && check == num(d[8])
}

func chAHV(v []byte) bool {
	return string(v[:3]) == "756" && sumOf(v, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1)%10 == 0
}

func atSVNR(v []byte) bool {
	return v[0] != '0' && dmy(v[4:]) && sumOf(v, 3, 7, 9, 0, 5, 8, 4, 2, 1, 6)%11 == num(v[3])
}

func beNRN(v []byte) bool {
	n, check := value(v[:9]), value(v[9:])
	month := value(v[2:4]) % 20
	return month <= 12 && value(v[4:6]) <= 31 && !same(v) && (97-n%97 == check || 97-(2_000_000_000+n)%97 == check)
}

func ptNIF(v []byte) bool {
	return v[0] != '0' && (v[0] != '4' || v[1] == '5') && !same(v) && eleven(sumOf(v, 9, 8, 7, 6, 5, 4, 3, 2)) == num(v[8])
}

func grAMKA(v []byte) bool { return dmy(v) && luhnText(v) }

func grAFM(v []byte) bool {
	return !same(v) && sumOf(v, 256, 128, 64, 32, 16, 8, 4, 2)%11%10 == num(v[8])
}

func iePPS(v []byte) bool {
	sum := sumOf(v, 8, 7, 6, 5, 4, 3, 2)
	if len(v) == 9 && v[8] != 'W' {
		sum += int(v[8]-'A'+1) * 9
	}
	return "WABCDEFGHIJKLMNOPQRSTUV"[sum%23] == v[7]
}

func trTCKN(v []byte) bool {
	odd, even := sumOf(v, 1, 0, 1, 0, 1, 0, 1, 0, 1), sumOf(v, 0, 1, 0, 1, 0, 1, 0, 1)
	return v[0] != '0' && ((odd*7-even)%10+10)%10 == num(v[9]) && (odd+even+num(v[9]))%10 == num(v[10])
}

func zaID(v []byte) bool { return ymd(v) && v[10] <= '2' && luhnText(v) }

func mxCURP(v []byte) bool {
	const values = "0123456789ABCDEFGHIJKLMN?OPQRSTUVWXYZ"
	sum := 0
	for i, c := range v[:17] {
		sum += bytes.IndexByte([]byte(values), c) * (18 - i)
	}
	return ymd(v[4:]) && contains("HMX", v[10]) && (10-sum%10)%10 == num(v[17])
}

func mxRFC(v []byte) bool { return ymd(v[4:]) }

func arCUIL(v []byte) bool {
	check := "09987654321"[sumOf(v, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11]
	return contains("235", v[0]) && check == v[10] && !same(v)
}

func clRUT(v []byte) bool {
	n := len(v) - 1
	sum := 0
	for k := range n {
		sum += num(v[n-1-k]) * (2 + k%6)
	}
	return "0K987654321"[sum%11] == v[n] && !same(v[:n])
}

func coNIT(v []byte) bool {
	r := sumOf(v, 41, 37, 29, 23, 19, 17, 13, 7, 3) % 11
	if r > 1 {
		r = 11 - r
	}
	return r == num(v[9])
}

func peRUC(v []byte) bool {
	head := value(v[:2])
	return (head == 10 || head == 15 || head == 16 || head == 17 || head == 20) && (11-sumOf(v, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11)%10 == num(v[10])
}

func ecCedula(v []byte) bool {
	head := value(v[:2])
	return 1 <= head && (head <= 24 || head == 30) && v[2] < '7' && luhnText(v)
}

func roCNP(v []byte) bool {
	return v[0] != '0' && ymd(v[1:]) && "01234567891"[sumOf(v, 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)%11] == v[12] && value(v[7:9]) <= 52
}

func bgEGN(v []byte) bool {
	return day(value(v[2:4])%20, value(v[4:6])) && sumOf(v, 2, 4, 8, 5, 10, 9, 7, 3, 6)%11%10 == num(v[9])
}

func jmbg(v []byte) bool {
	return dmy(v) && (v[4] == '9' || v[4] == '0') && eleven(sumOf(v, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) == num(v[12])
}

func siEMSO(v []byte) bool { return jmbg(v) && v[7] == '5' }
func rsJMBG(v []byte) bool { return jmbg(v) && v[7] != '5' }

func baltic(v []byte) bool {
	r := sumOf(v, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1) % 11
	if r == 10 {
		r = sumOf(v, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3) % 11 % 10
	}
	return v[0] != '0' && ymd(v[1:]) && r == num(v[10])
}

func lvKods(v []byte) bool {
	return (v[0] == '3' && v[1] >= '2') || dmy(v) && (1101-sumOf(v, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))%11%10 == num(v[10])
}

func noFodselsnummer(v []byte) bool {
	d := value(v[:2]) % 40
	return day(value(v[2:4])%40, d) && (11-sumOf(v, 3, 7, 6, 1, 8, 9, 4, 5, 2)%11)%11 == num(v[9]) && (11-sumOf(v, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11)%11 == num(v[10])
}

func isKennitala(v []byte) bool {
	return day(value(v[2:4]), value(v[:2])%40) && (v[9] == '9' || v[9] == '0') && (11-sumOf(v, 3, 2, 7, 6, 5, 4, 3, 2)%11)%11 == num(v[8])
}

func uaRNOKPP(v []byte) bool {
	return !same(v) && ((sumOf(v, -1, 5, 7, 9, 4, 6, 10, 5, 7)%11+11)%11)%10 == num(v[9])
}

func ruINN(v []byte) bool {
	if len(v) == 10 {
		return !same(v) && sumOf(v, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == num(v[9])
	}
	return !same(v) && sumOf(v, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == num(v[10]) && sumOf(v, 3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == num(v[11])
}

func ruSNILS(v []byte) bool {
	return !same(v) && sumOf(v, 9, 8, 7, 6, 5, 4, 3, 2, 1)%101%100 == value(v[9:])
}

func thID(v []byte) bool {
	return v[0] != '0' && v[0] != '9' && !same(v) && (11-sumOf(v, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11)%10 == num(v[12])
}

func myNRIC(v []byte) bool { return ymd(v) && value(v[6:8]) > 0 }

func idNIK(v []byte) bool {
	return day(value(v[8:10]), value(v[6:8])%40) && v[0] != '0' && string(v[12:]) != "0000"
}

func twID(v []byte) bool {
	// The letter stands for two digits.
	n := bytes.IndexByte([]byte("ABCDEFGHJKLMNPQRSTUVXYWZIO"), v[0]) + 10
	return contains("1289", v[1]) && (n/10+n%10*9+sumOf(v[1:], 8, 7, 6, 5, 4, 3, 2, 1, 1))%10 == 0
}

func hkID(v []byte) bool {
	n := len(v) - 1
	sum := 36 * 9 // one letter: a space before it
	if n == 8 {
		sum = int(v[0]-'A'+10) * 9
	}
	sum += int(v[n-7]-'A'+10) * 8
	sum += sumOf(v[n-6:], 7, 6, 5, 4, 3, 2)
	return "0A987654321"[sum%11] == v[n]
}

func aeID(v []byte) bool { return luhnText(v) }
func saID(v []byte) bool { return (v[0] == '1' || v[0] == '2') && luhnText(v) }
func egID(v []byte) bool { return (v[0] == '2' || v[0] == '3') && ymd(v[1:]) }

func kzIIN(v []byte) bool {
	r := sumOf(v, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) % 11
	if r == 10 {
		r = sumOf(v, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2) % 11
	}
	return ymd(v) && r == num(v[11])
}

func usITIN(v []byte) bool {
	g := value(v[3:5])
	return v[0] == '9' && (50 <= g && g <= 65 || 70 <= g && g <= 88 || 90 <= g && g <= 92 || g >= 94)
}

func plainSSN(v []byte) bool { return given(v[:3], v[3:5], v[5:]) }

func usRouting(v []byte) bool {
	h := value(v[:2])
	return (h <= 12 || 21 <= h && h <= 32 || 61 <= h && h <= 72 || h == 80) && !same(v) && sumOf(v, 3, 7, 1, 3, 7, 1, 3, 7, 1)%10 == 0
}

func ukNHS(v []byte) bool {
	check := (11 - sumOf(v, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11) % 11
	return !same(v) && check == num(v[9])
}

func ukNINO(v []byte) bool {
	if contains("DFIQUV", v[0]) || contains("DFIQUVO", v[1]) || v[8] > 'D' {
		return false
	}
	switch string(v[:2]) {
	case "BG", "GB", "NT", "TN", "ZZ":
		return false
	}
	return true
}

func ukUTR(v []byte) bool {
	return !same(v) && "21987654321"[sumOf(v[1:], 6, 7, 8, 9, 10, 5, 4, 3, 2)%11] == v[0]
}

func caSIN(v []byte) bool { return v[0] != '0' && v[0] != '8' && luhnText(v) }

func vin(v []byte) bool {
	weights := [17]int{8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2}
	const values = "12345678?12345?7?923456789" // of A to Z; I, O and Q are not used
	sum, digits := 0, 0
	for i, c := range v {
		x := c
		if isLetter(c) {
			x = values[c-'A']
			if c == 'I' || x == '?' {
				return false
			}
		} else {
			digits++
		}
		sum += num(x) * weights[i]
	}
	return digits > 2 && digits < 17 && "0123456789X"[sum%11] == v[8]
}

func imei(v []byte) bool { return luhnText(v) }

func mac(v []byte) bool { return !same(v) }

func expiry(v []byte) bool {
	m := value(v[:2])
	return 1 <= m && m <= 12
}

// bic checks the letters of a bank and of a country (ISO 9362).
func bic(v []byte) bool {
	for _, c := range v[:6] {
		if !isLetter(c) {
			return false
		}
	}
	return true
}
