package pii_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/stream"
)

// masked is what is left of text.
func masked(t *testing.T, text string) string {
	t.Helper()
	out, _ := guardtest.Mask(t, pii.Scanner{}, stream.Scope{}, text)
	return out
}

func TestScanner(t *testing.T) {
	guardtest.Run(t, pii.Scanner{}, guardtest.Case{
		Reasons: pii.Reasons,
		Bad: []string{
			"john@example.com", "078-05-1120", "4111111111111111", "GB82WEST12345698765432", "+49 151 23456789", "8.8.8.8", "2001:db8::1",
			"\u0664\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661",
			"４１１１ １１１１ １１１１ １１１１", "john\u200b@exam\u00adple.com", "ｊｏｈｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "0\u200b78-05-11\u206020",
		},
		Good: []string{
			"", "The meeting is at 14:30 on 2026-11-23.", "Order 1234567890123456 of 2026.", "1,234,567.89", "pi is 3.14159265358979323846",
			"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "550e8400-e29b-41d4-a716-446655440000", "std::string a::b::c",
			"@someone and @someone_else", "a @ b", "user@localhost", "v1.2.3.4", "version 10.34.6.0 fixes it", "1.2.3.4.5", "127.0.0.1", "0.0.0.0", "::1",
			"10:30:15", "2026-11-23T14:30:00Z", "05-06-2023 14:30", "978-3-16-148410-0", "rows 1-10 of 100", "$ 1 000 000 000", "(12)", "1+1=2", "a+123456789012",
		},
	})
}

func TestEmail(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"the end of a sentence", "Ask john@example.com.", "Ask {EMAIL}."},
		{"the middle of one", "Ask john@example.com, please", "Ask {EMAIL}, please"},
		{"an ellipsis", "john@example.com... thanks", "{EMAIL}... thanks"},
		{"quotes", `"john@example.com" and 'ann@example.org'`, `"{EMAIL}" and '{EMAIL}'`},
		{"angle brackets", "John <john@example.com>", "John <{EMAIL}>"},
		{"a scheme", "mailto:john@example.com?subject=x", "mailto:{EMAIL}?subject=x"},
		{"a tag and dots", "j.o.h-n_1+tag@mail.example.co.uk", "{EMAIL}"},
		{"a number before the at sign", "4111111111111111@example.com", "{EMAIL}"},
		{"a phone number before the at sign", "john+4915123456789@example.com", "{EMAIL}"},
		{"an address before the at sign", "10.20.30.40@example.com", "{EMAIL}"},
		{"Chinese around it", "请联系john@example.com谢谢", "请联系{EMAIL}谢谢"},
		{"accents around it", "señor josé@example.com", "señor {EMAIL}"},
		{"two at signs", "a@b@example.com", "a@{EMAIL}"},
		{"a list", "a@x.de;b@y.de,c@z.de", "{EMAIL};{EMAIL},{EMAIL}"},
		{"punycode", "post@example.xn--p1ai", "{EMAIL}"},
		{"a number behind it", "john@example.com.2026", "{EMAIL}.2026"},
		{"a dash behind it", "john@example.com- yes", "{EMAIL}- yes"},
		{"a longest local part", strings.Repeat("a", 64) + "@example.com", "{EMAIL}"},
		{"a local part that is too long", strings.Repeat("a", 65) + "@example.com", strings.Repeat("a", 65) + "@example.com"},
		{"no local part", "@example.com", "@example.com"},
		{"a dot before the at sign", "john.@example.com", "john.@example.com"},
		{"no dot in the domain", "john@example", "john@example"},
		{"an empty label", "john@.com", "john@.com"},
		{"a number as the last label", "john@1.2.3", "john@1.2.3"},
		{"a package with a version", "react@18.2.0 lodash@4.17.21", "react@18.2.0 lodash@4.17.21"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := masked(t, tt.in); got != tt.want {
				t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

// checked returns d with the digit behind it that makes Luhn's sum right.
func checked(d string) string {
	for c := '0'; c <= '9'; c++ {
		n, sum := d+string(c), 0
		for i := range n {
			v := int(n[i] - '0')
			if (len(n)-i)%2 == 0 {
				if v *= 2; v > 9 {
					v -= 9
				}
			}
			sum += v
		}
		if sum%10 == 0 {
			return n
		}
	}
	panic("no check digit fits")
}

func TestCard(t *testing.T) {
	for _, tt := range []struct {
		issuer  string
		begins  []string
		lengths []int
	}{
		{"Visa", []string{"4"}, []int{13, 16, 19}},
		{"Mastercard", []string{"51", "55", "2221", "2720"}, []int{16}},
		{"American Express", []string{"34", "37"}, []int{15}},
		{"Discover", []string{"6011", "644", "649", "65"}, []int{16, 19}},
		{"JCB", []string{"3528", "3589"}, []int{16, 17, 18, 19}},
		{"Diners Club", []string{"300", "305", "36", "38", "39"}, []int{14, 16, 19}},
		{"UnionPay", []string{"62"}, []int{16, 17, 18, 19}},
		{"Maestro", []string{"50", "56", "58", "63", "67"}, []int{13, 16, 18, 19}},
		{"Mir", []string{"2200", "2204"}, []int{16, 19}},
		{"RuPay", []string{"60", "81", "82"}, []int{16}},
	} {
		for _, begin := range tt.begins {
			for _, n := range tt.lengths {
				t.Run(fmt.Sprintf("%s %s with %d digits", tt.issuer, begin, n), func(t *testing.T) {
					good := checked(begin + strings.Repeat("0739184", 3)[:n-len(begin)-1])
					wrong := good[:n-1] + string('0'+(good[n-1]-'0'+1)%10)
					const token = "{CREDIT_DEBIT_CARD_NUMBER}"
					if got := masked(t, "card "+good+"."); got != "card "+token+"." {
						t.Errorf("%s became %q", good, got)
					}
					if got := masked(t, "card "+wrong+"."); strings.Contains(got, token) {
						t.Errorf("%s, whose check digit is wrong, became %q", wrong, got)
					}
					for _, sep := range []string{" ", "-"} {
						parted := good[:4] + sep + good[4:8] + sep + good[8:12] + sep + good[12:]
						if got := masked(t, "card "+parted+"."); got != "card "+token+"." {
							t.Errorf("%s became %q", parted, got)
						}
					}
				})
			}
		}
	}
	for _, tt := range []struct{ name, in, want string }{
		{"the date of expiry behind it", "4111 1111 1111 1111 12/27", "{CREDIT_DEBIT_CARD_NUMBER} 12/27"},
		{"the code behind it", "4111-1111-1111-1111, CVV 123", "{CREDIT_DEBIT_CARD_NUMBER}, CVV {CREDIT_DEBIT_CARD_CVV}"},
		{"a number before it", "2 4111 1111 1111 1111", "2 {CREDIT_DEBIT_CARD_NUMBER}"},
		{"a name before it", "card_4111111111111111", "card_{CREDIT_DEBIT_CARD_NUMBER}"},
		{"letters around it", "x4111111111111111x", "x4111111111111111x"},
		{"zeros", "0000 0000 0000 0000", "0000 0000 0000 0000"},
		{"decimals", "0.4111111111111111", "0.4111111111111111"},
		{"twenty digits", "41111111111111111111", "41111111111111111111"},
		{"a device's number", "501824382480041", "501824382480041"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := masked(t, tt.in); got != tt.want {
				t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestIBAN(t *testing.T) {
	// From the registry's examples.
	for _, iban := range []string{
		"AD1200012030200359100100", "AE070331234567890123456", "AT611904300234573201", "BE68539007547034", "BG80BNBG96611020345678", "BR9700360305000010009795493P1",
		"CH9300762011623852957", "CY17002001280000001200527600", "CZ6508000000192000145399", "DE89370400440532013000", "DK5000400440116243", "EE382200221020145685",
		"ES9121000418450200051332", "FI2112345600000785", "FR1420041010050500013M02606", "GB29NWBK60161331926819", "GR1601101250000000012300695", "HR1210010051863000160",
		"HU42117730161111101800000000", "IE29AIBK93115212345678", "IT60X0542811101000000123456", "LT121000011101001000", "LU280019400644750000", "LV80BANK0000435195001",
		"MT84MALT011000012345MTLCAST001S", "NL91ABNA0417164300", "NO9386011117947", "PL61109010140000071219812874", "PT50000201231234567890154", "RO49AAAA1B31007593840000",
		"SE4550000000058398257466", "SI56263300012039086", "SK3112000000198742637541", "TR330006100519786457841326",
	} {
		var parted strings.Builder
		for i := range iban {
			if i > 0 && i%4 == 0 {
				parted.WriteByte(' ')
			}
			parted.WriteByte(iban[i])
		}
		for _, form := range []string{iban, strings.ToLower(iban), parted.String()} {
			if got := masked(t, "to "+form+", please"); got != "to {INTERNATIONAL_BANK_ACCOUNT_NUMBER}, please" {
				t.Errorf("%q became %q", form, got)
			}
		}
		wrong := iban[:2] + fmt.Sprintf("%02d", (int(iban[2]-'0')*10+int(iban[3]-'0')+1)%97) + iban[4:]
		if got := masked(t, wrong); strings.Contains(got, "BANK_ACCOUNT") {
			t.Errorf("%q, whose check digits are wrong, became %q", wrong, got)
		}
	}
	for _, text := range []string{"XX89370400440532013000", "DE8937040044053201300", "DE893704004405320130001", "DE89 is a road"} {
		if got := masked(t, text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestSSN(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"hyphens", "078-05-1120", "{US_SOCIAL_SECURITY_NUMBER}"},
		{"spaces", "078 05 1120", "{US_SOCIAL_SECURITY_NUMBER}"},
		{"the end of a sentence", "It is 078-05-1120.", "It is {US_SOCIAL_SECURITY_NUMBER}."},
		{"named, without hyphens", "My SSN is 078051120.", "My SSN is {US_SOCIAL_SECURITY_NUMBER}."},
		{"called so by its long name", "Social Security No: 078051120", "Social Security No: {US_SOCIAL_SECURITY_NUMBER}"},
		{"area 000", "000-05-1120", "000-05-1120"},
		{"area 666", "666-05-1120", "666-05-1120"},
		{"area 900", "900-05-1120", "900-05-1120"},
		{"group 00", "078-00-1120", "078-00-1120"},
		{"serial 0000", "078-05-0000", "078-05-0000"},
		{"mixed separators", "078-05 1120", "078-05 1120"},
		{"nine digits of nobody", "078051120", "078051120"},
		{"a longer number", "078-05-11201", "078-05-11201"},
		{"a number that goes on", "078-05-1120-7", "078-05-1120-7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := masked(t, tt.in); got != tt.want {
				t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestPhone(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"international", "+49 151 23456789", "{PHONE}"},
		{"international in one", "+4915123456789", "{PHONE}"},
		{"the area in parentheses", "+44 (20) 7946-0958", "{PHONE}"},
		{"dots", "+33.1.42.68.53.00", "{PHONE}"},
		{"zeros for the plus", "0033 742107317", "{PHONE}"},
		{"a date behind it", "+49 151 23456789 2024-11-01", "{PHONE} 2024-11-01"},
		{"North American with a one", "1-415-555-0132", "{PHONE}"},
		{"North American in parentheses", "(415) 555-0132", "{PHONE}"},
		{"North American with dots", "415.555.0132", "{PHONE}"},
		{"at home in Britain", "Ring 020 7946 0958 now", "Ring {PHONE} now"},
		{"at home in France", "06 09 42 55 14", "{PHONE}"},
		{"at home in Germany", "030 1234567", "{PHONE}"},
		{"named", "Phone: 592-6827", "Phone: {PHONE}"},
		{"named in Danish", "telefon 29 35 54 52.", "telefon {PHONE}."},
		{"no country has zero", "+0 151 23456789", "+0 151 23456789"},
		{"too few digits", "+49 1234", "+49 1234"},
		{"ten digits in a row", "4155550132", "4155550132"},
		{"an area that begins with one", "115-555-0132", "115-555-0132"},
		{"six digits and four", "281242-8157", "281242-8157"},
		{"a range of years", "2019-2024", "2019-2024"},
		{"seven digits of nobody", "592-6827", "592-6827"},
		{"a date", "05-06-2023 12 30", "05-06-2023 12 30"},
		{"a sum", "0.25 0.50 0.75", "0.25 0.50 0.75"},
		{"closing signs", "+1)))))))))", "+1)))))))))"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := masked(t, tt.in); got != tt.want {
				t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestIPAddress(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"a host", "ping 8.8.8.8 now", "ping {IP_ADDRESS} now"},
		{"a private host", "10.0.0.7:8080", "{IP_ADDRESS}:8080"},
		{"a network", "192.168.0.0/16", "{IP_ADDRESS}/16"},
		{"the end of a sentence", "It is 8.8.8.8.", "It is {IP_ADDRESS}."},
		{"six, in full", "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "{IP_ADDRESS}"},
		{"six, shortened", "2001:db8::8a2e:370:7334", "{IP_ADDRESS}"},
		{"six in brackets", "[fe80::1]:443", "[{IP_ADDRESS}]:443"},
		{"six before a colon", "from 2001:db8::1: hello", "from {IP_ADDRESS}: hello"},
		{"six around four", "::ffff:192.0.2.1", "{IP_ADDRESS}"},
		{"the loopback", "127.0.0.1 and ::1", "127.0.0.1 and ::1"},
		{"a number too large", "256.1.1.1", "256.1.1.1"},
		{"a leading zero", "1.02.3.4", "1.02.3.4"},
		{"five numbers", "1.2.3.4.5", "1.2.3.4.5"},
		{"a version", "Version 4.32.2.32", "Version 4.32.2.32"},
		{"a class and its method", "Foo::Bar2 and x::1", "Foo::Bar2 and x::1"},
		{"a time", "12:34:56", "12:34:56"},
		{"a hardware address", "de:ad:be:ef:00:01", "{MAC_ADDRESS}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := masked(t, tt.in); got != tt.want {
				t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}
