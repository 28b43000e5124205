package eval

import (
	"maps"
	"slices"
	"strings"

	"github.com/ringwall/ringwall"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/secret"
)

// targets are what counts as having found a label of a type: reasons of findings,
// or controls ("inference/secret"), of which any reason does.
type targets []string

func (t targets) fit(f ringwall.Finding) bool {
	return slices.Contains(t, f.Reason) || slices.Contains(t, f.Control)
}

// known are the types whose names are not those of our reasons, in kebab-case:
// Presidio's, Bedrock's and what data sets call them.
var known = map[string]targets{
	"person": {"name"}, "per": {"name"}, "first-name": {"name"}, "firstname": {"name"}, "given-name": {"name"}, "givenname": {"name"},
	"middle-name": {"name"}, "middlename": {"name"}, "last-name": {"name"}, "lastname": {"name"}, "surname": {"name"}, "full-name": {"name"},
	"email-address": {pii.Email}, "e-mail": {pii.Email}, "phone-number": {pii.Phone}, "telephone": {pii.Phone}, "telephonenum": {pii.Phone}, "fax-number": {pii.Phone},
	"street-address": {"address"}, "street": {"address"}, "postal-address": {"address"},
	"zip-code": {"zip-code", "postal-code"}, "zipcode": {"zip-code", "postal-code"}, "postcode": {"zip-code", "postal-code"},
	"gpe": {"location"}, "loc": {"location"}, "org": {"organization"}, "organisation": {"organization"},
	"dob": {"date-of-birth"}, "birth-date": {"date-of-birth"}, "birthdate": {"date-of-birth"},

	"credit-card": {pii.CreditCard}, "credit-card-number": {pii.CreditCard}, "creditcardnumber": {pii.CreditCard}, "card-number": {pii.CreditCard},
	"cvv": {pii.CardCVV}, "cvc": {pii.CardCVV}, "credit-card-cvv": {pii.CardCVV}, "card-expiry": {pii.CardExpiry}, "credit-card-expiry": {pii.CardExpiry},
	"iban": {pii.IBAN}, "iban-code": {pii.IBAN}, "bank-account": {pii.USAccount}, "bank-account-number": {pii.USAccount}, "account-number": {pii.USAccount}, "us-bank-number": {pii.USAccount},
	"us-routing-number": {pii.USRouting}, "routing-number": {pii.USRouting}, "aba-routing-number": {pii.USRouting},
	"swift": {pii.SWIFT}, "bic": {pii.SWIFT}, "swift-bic": {pii.SWIFT}, "swift-bic-code": {pii.SWIFT},
	"crypto": {pii.BitcoinAddress, pii.EthereumAddress, pii.CryptoAddress}, "crypto-wallet": {pii.BitcoinAddress, pii.EthereumAddress, "crypto-address"},

	"us-ssn": {pii.USSSN}, "ssn": {pii.USSSN}, "us-itin": {pii.USITIN}, "uk-nino": {pii.UKNINO}, "uk-nhs": {pii.UKNHS}, "uk-utr": {pii.UKUTR},
	"ca-sin": {pii.CASIN}, "es-nif": {"es-dni"}, "it-fiscal-code": {"it-codice-fiscale"}, "cn-id": {"cn-resident-id"}, "jp-mynumber": {"jp-my-number"},
	"cz-rc": {"cz-rodne-cislo"}, "sg-nric-fin": {"sg-nric"}, "fi-personal-identity-code": {"fi-hetu"}, "in-aadhar": {"in-aadhaar"},
	"medical-id": {pii.MedicalRecord}, "medical-record": {pii.MedicalRecord}, "mrn": {pii.MedicalRecord},
	"passport": {pii.Passport}, "us-passport": {pii.Passport}, "passport-number": {pii.Passport},
	"driver-license": {pii.DriverID}, "us-driver-license": {pii.DriverID}, "drivers-license": {pii.DriverID}, "driving-license": {pii.DriverID},
	"it-driver-license": {pii.DriverID}, "uk-driving-licence": {pii.DriverID},

	"ip": {pii.IPAddress}, "ipv4": {pii.IPAddress}, "ipv6": {pii.IPAddress}, "mac": {pii.MACAddress}, "vin": {pii.VIN},
	"gps": {"coordinates", "geo-coordinates"}, "user-name": {"username"}, "it-vehicle": {pii.LicensePlate}, "uk-vehicle-registration": {pii.LicensePlate},

	"password": {"password", secret.Control}, "secret": {secret.Control}, "credential": {secret.Control}, "api-key": {secret.Control},
	"token": {secret.Control}, "private-key": {secret.Control}, "jwt": {secret.Control}, "aws-access-key": {secret.Control}, "aws-secret-key": {secret.Control},
}

// loose are the reasons of what has no structure: names and places. Their figures
// are reported apart.
var loose = []string{"name", "address", "location", "organization"}

// key is the name of a type in kebab-case.
func key(typ string) string {
	return strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(typ))
}

// vocabulary says what the types of labels are for us.
type vocabulary struct {
	added   map[string]targets // by key
	reasons []string           // those that detectors say they have
	ignored map[string]bool    // by key
}

func newVocabulary(cfg *Config) *vocabulary {
	v := &vocabulary{added: map[string]targets{}, reasons: cfg.Reasons, ignored: map[string]bool{}}
	for _, typ := range slices.Sorted(maps.Keys(cfg.Map)) {
		v.added[key(typ)] = cfg.Map[typ]
	}
	for _, typ := range cfg.Ignore {
		v.ignored[key(typ)] = true
	}
	return v
}

func (v *vocabulary) ignores(typ string) bool { return v.ignored[key(typ)] }

// of returns what finds a label of a type. A type has the reason of its own name,
// so that Bedrock's types and our own need no row. One that is written as rules of
// credential scanners are (gitleaks: "github-fine-grained-pat") and is no reason of
// ours is a credential.
func (v *vocabulary) of(typ string) targets {
	k := key(typ)
	if t, ok := v.added[k]; ok {
		return t
	}
	if t, ok := known[k]; ok {
		if slices.Contains(t, k) || slices.Contains(t, secret.Control) {
			return t
		}
		return append(slices.Clone(t), k)
	}
	if k == typ && strings.Contains(k, "-") && !slices.Contains(v.reasons, k) && !slices.Contains(reserved, k) {
		return targets{secret.Control}
	}
	return targets{k}
}

// reserved are types of data in kebab-case that no detector may have: they are no
// rules of credential scanners.
var reserved = []string{"date-of-birth", "date-time", "employee-id", "medical-id", "account-number"}

// structured reports whether what t finds has a structure.
func (t targets) structured() bool {
	return !slices.ContainsFunc(t, func(r string) bool { return slices.Contains(loose, r) })
}

// scope is which findings count for the rows of a file.
type scope struct {
	controls []string
	reasons  []string // whatever control they are of
}

// scopeOf is the scope for labels of these types: the controls that look for
// them. A file without labels says nothing, so that all findings of data count.
func (v *vocabulary) scopeOf(types map[string]bool, controls []string) *scope {
	if len(controls) > 0 {
		return &scope{controls: controls}
	}
	s := &scope{}
	for _, typ := range slices.Sorted(maps.Keys(types)) {
		data := true
		for _, t := range v.of(typ) {
			if strings.Contains(t, "/") {
				s.controls = append(s.controls, t)
				data = false
			} else {
				s.reasons = append(s.reasons, t)
			}
		}
		if data {
			s.controls = append(s.controls, pii.Control)
		}
	}
	if len(s.controls) == 0 {
		s.controls = []string{pii.Control, secret.Control}
	}
	slices.Sort(s.controls)
	s.controls = slices.Compact(s.controls)
	return s
}

func (s *scope) has(f ringwall.Finding) bool {
	return slices.Contains(s.controls, f.Control) || slices.Contains(s.reasons, f.Reason)
}
