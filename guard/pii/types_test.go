package pii_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/stream"
)

// Bedrock's types of personal data, but for the two that are credentials of AWS
// and belong to inference/secret.
var bedrock = strings.Fields(`ADDRESS AGE CA_HEALTH_NUMBER CA_SOCIAL_INSURANCE_NUMBER CREDIT_DEBIT_CARD_CVV CREDIT_DEBIT_CARD_EXPIRY CREDIT_DEBIT_CARD_NUMBER DRIVER_ID EMAIL
	INTERNATIONAL_BANK_ACCOUNT_NUMBER IP_ADDRESS LICENSE_PLATE MAC_ADDRESS NAME PASSWORD PHONE PIN SWIFT_CODE UK_NATIONAL_HEALTH_SERVICE_NUMBER UK_NATIONAL_INSURANCE_NUMBER
	UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER URL USERNAME US_BANK_ACCOUNT_NUMBER US_BANK_ROUTING_NUMBER US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER US_PASSPORT_NUMBER
	US_SOCIAL_SECURITY_NUMBER VEHICLE_IDENTIFICATION_NUMBER`)

func TestTypes(t *testing.T) {
	kebab := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	seen := map[string]bool{}
	countries := map[string]bool{}
	var covered []string
	for _, ty := range pii.Types() {
		switch {
		case !kebab.MatchString(ty.Reason), ty.Title == "", seen[ty.Reason]:
			t.Errorf("%+v lacks a title or a reason of its own in kebab-case", ty)
		case ty.Country != "" && len(ty.Country) != 2, ty.Bedrock != "" && !slices.Contains(bedrock, ty.Bedrock):
			t.Errorf("%+v names a country or a type of Bedrock that is none", ty)
		}
		seen[ty.Reason] = true
		countries[ty.Country] = true
		covered = append(covered, ty.Bedrock)
		if ty.Bedrock != "" && stream.Token(ty.Reason) == "{"+ty.Bedrock+"}" {
			covered = append(covered, "")
		}
	}
	for _, b := range bedrock {
		if !slices.Contains(covered, b) {
			t.Errorf("no type covers Bedrock's %s", b)
		}
	}
	if n := len(countries) - 1; n < 60 {
		t.Errorf("types of %d countries, want those of 60", n)
	}
	for _, s := range specimens {
		if !seen[s.reason] {
			t.Errorf("%s is no type", s.reason)
		}
	}
}

// Whoever gets the list may change it.
func TestTypesAreACopy(t *testing.T) {
	pii.Types()[0].Reason = "x"
	if pii.Types()[0].Reason == "x" {
		t.Error("a caller changed the list")
	}
}

// The score says how a value was known.
func TestScore(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		least    float64
		most     float64
	}{
		{"named, with check digits", "PESEL 44051401359", 0.99, 1},
		{"an account number", "GB29NWBK60161331926819", 0.99, 1},
		{"a wallet with its check sum", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", 0.99, 1},
		{"a wallet without one", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", 0.85, 0.95},
		{"a form of its own", "078-05-1120", 0.85, 0.95},
		{"named alone", "passport 912345678", 0.8, 0.9},
		{"a weak check digit alone", "86095742719", 0.5, 0.7},
		{"a form and a weak check digit alone", "123 456 782", 0.3, 0.5},
		{"the address of a page", "see https://example.com/a", 0.2, 0.4},
		{"an old card or the number of goods", "4006381333931, and", 0, 0.5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := pii.Scanner{}.Begin(stream.Scope{})
			r := stream.New(stream.Config{Watches: []stream.Watch{{Control: pii.Control, Cursor: c}}, Decide: func(ringwall.Finding) ringwall.Action { return ringwall.Flag }})
			r.Text(tt.in)
			score := 0.0
			for _, f := range r.Findings() {
				score = max(score, f.Score)
			}
			if score < tt.least || score > tt.most {
				t.Errorf("%q has a score of %v, want %v to %v: %+v", tt.in, score, tt.least, tt.most, r.Findings())
			}
		})
	}
}

// Published check sums of EIP-55; with one letter in the other case they are none.
func TestEthereumCheckSum(t *testing.T) {
	for _, a := range []string{
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
	} {
		if got := likely(a+" is it", nil); got != "{ETHEREUM_ADDRESS} is it" {
			t.Errorf("%s became %q", a, got)
		}
		k := 2 + strings.IndexAny(a[2:], "abcdefABCDEF")
		wrong := a[:k] + string(a[k]^0x20) + a[k+1:]
		if got := likely(wrong+" is it", nil); got != wrong+" is it" {
			t.Errorf("%s became %q", wrong, got)
		}
	}
}

// What is held back of a text is bounded.
func TestHeldIsBounded(t *testing.T) {
	for _, text := range []string{
		"plain words and 14 numbers, some like 123456789 is and 2026-11-23 too ", "https://example.com/" + strings.Repeat("a/", 300), "username: " + strings.Repeat("a", 300), "born 3 de ", "52.52001, ",
		strings.Repeat("1234-", 100), strings.Repeat(" ", 300), strings.Repeat("12345678901 is my ", 20), "password for " + strings.Repeat("b", 300), strings.Repeat("AB-", 100), "name,ssn\n" + strings.Repeat("a", 500),
	} {
		c, _ := pii.Scanner{}.Begin(stream.Scope{})
		r := stream.New(stream.Config{Watches: []stream.Watch{{Control: pii.Control, Cursor: c}}, Decide: func(ringwall.Finding) ringwall.Action { return ringwall.Mask }})
		most := 0
		for i := range len(text) {
			r.Write([]byte{text[i]})
			most = max(most, r.Held())
		}
		if most > 300 {
			t.Errorf("%.40q: %d bytes were held back", text, most)
		}
	}
}
