package pii

import (
	"slices"

	"github.com/ringwall/ringwall"
)

// Reasons of what a person is known by in more than one country, or to a bank, a
// machine or a road.
const (
	MACAddress      = "mac-address"
	SWIFT           = "swift-code"
	USRouting       = "us-bank-routing-number"
	USAccount       = "us-bank-account-number"
	USITIN          = "us-individual-tax-identification-number"
	Passport        = "us-passport-number"
	DriverID        = "driver-id"
	LicensePlate    = "license-plate"
	VIN             = "vehicle-identification-number"
	UKNHS           = "uk-national-health-service-number"
	UKNINO          = "uk-national-insurance-number"
	UKUTR           = "uk-unique-taxpayer-reference-number"
	CASIN           = "ca-social-insurance-number"
	CAHealth        = "ca-health-number"
	CardCVV         = "credit-debit-card-cvv"
	CardExpiry      = "credit-debit-card-expiry"
	PIN             = "pin"
	Age             = "age"
	IMEI            = "imei"
	BitcoinAddress  = "bitcoin-address"
	EthereumAddress = "ethereum-address"
)

const (
	high   = ringwall.High
	medium = ringwall.Medium
	low    = ringwall.Low
)

// general are the identifiers that belong to no country's register of persons,
// and those of Bedrock's types.
var general = []identifier{
	{reason: MACAddress, forms: "hh:hh:hh:hh:hh:hh|hh-hh-hh-hh-hh-hh|hhhh.hhhh.hhhh", check: mac, alone: whole, severity: low},
	{reason: IMEI, forms: "ddddddddddddddd|dd-dddddd-dddddd-d", check: imei, words: "imei", severity: medium},
	{reason: VIN, forms: "NNNNNNNNNNNNNNNNN", check: vin, alone: whole, loose: true, words: "vin|chassis|vehicle identification|fahrgestellnummer|vin number|fin", severity: medium},
	{reason: USITIN, forms: "ddd-dd-dddd", check: usITIN, alone: whole, words: "itin|individual taxpayer|taxpayer identification", kin: tax, severity: high},
	{reason: USITIN, forms: "ddddddddd", check: usITIN, words: "itin|individual taxpayer|taxpayer identification", severity: high},
	{reason: USRouting, forms: "ddddddddd|dddd-dddd-d", check: usRouting, words: "routing|aba|rtn|routing number|transit", loose: true, severity: medium},
	{reason: UKNHS, forms: "ddd_ddd_dddd", check: ukNHS, words: "nhs|nhs number|health service", kin: national | tax | health, severity: high},
	{reason: UKNINO, forms: "AAddddddA|AA-dddddd-A|AAdd-dd-ddA|AA-dd-dd-dd-A", check: ukNINO, alone: whole, words: "nino|national insurance|ni number|insurance number", kin: national | tax | health, severity: high},
	{reason: UKUTR, forms: "ddddd_ddddd", check: ukUTR, words: "utr|unique taxpayer|taxpayer reference|self assessment", kin: tax, severity: high},
	{reason: CASIN, forms: "ddd_ddd_ddd", check: caSIN, words: "sin|social insurance|nas|assurance sociale", kin: national | tax | health, severity: high},
	{reason: CAHealth, forms: "dddd_ddd_ddd|ddddddddddAA|dddd-ddd-ddd-AA|ddddddddd|AAAAdddddddd|AAAA-dddd-dddd|dddd-ddddd", words: "ohip|health card|phn|ramq|msp|medicare card|carte soleil|personal health|assurance maladie", severity: high},
	{reason: SWIFT, forms: "NNNNNNNN|NNNNNNNNNNN", check: bic, words: "bic|swift|swift code|bic code|swift bic", severity: medium},
	{
		reason: Passport, forms: "ddddddddd|Adddddddd|AAddddddd|AAdddddd|AAAdddddd|Addddddd|AAdddddddA|ddAAddddd|dddddddd|NNNNNNNNN",
		words: "passport|passport number|passport no|passeport|pasaporte|passaporto|reisepass|passnummer|ausweisnummer|paspoort|paspoortnummer|passaporte|pass nr|паспорт|护照|旅券|パスポート|여권|pasaport|paszport|passeport n", severity: high,
	},
	{
		reason: DriverID, forms: "Addddddd|Adddddddd|Adddddddddddd|Addddddddddddd|ddddddd|dddddddd|ddddddddd|dddddddddd|dddddddddddd|Addd-dddd-dddd|AAdddddd|AAddddddd|Addddddddddd|NNNNNNNNNNNNNNNN|NNNNNNNNNNN|AAAAAddddddAAdAA|ddddddddddd",
		words: "driver license|driver licence|drivers license|drivers licence|driving licence|driving license|licence number|dl|fuhrerschein|fuhrerscheinnummer|permis|permis de conduire|licencia|rijbewijs|patente|carta de conducao|license no|s license|s licence|driver lic|prawo jazdy|cnh|dln", severity: high,
	},
	{
		reason: LicensePlate, forms: "AAdd-AAA|AAddAAA|A-AA ddd|AA-AA ddd|AAA-AA ddd|A-AA dddd|AA-AA dddd|AAA-AA dddd|A-A ddd|A-A dddd|A-AA dd|AA-AA dd|AA-A ddd|AA-A dddd|AAA dddd|AAA-dddd|dAAAddd|AA-ddd-AA|dddd-AAA|AAA-ddd|AA-dd-dd|dd-AA-dd|A-ddd-AA|AAAddd|AAAdddd|ddd-AAA|AAdddAA",
		words: "plate|license plate|licence plate|number plate|registration|kennzeichen|matricula|immatriculation|plaque|targa|kenteken|plates|car reg|nummernschild|placa|车牌", severity: medium,
	},
	{
		reason: USAccount, forms: "dddddddd|ddddddddd|dddddddddd|ddddddddddd|dddddddddddd|ddddddd|dddddd|dddd-dddd-dd|dddd-dddd|dddddddddddddd|ddd-dddddd|dddddddddddddddd",
		words: "account|acct|account number|account no|bank account|checking|savings|konto|kontonummer|cuenta|compte|conto corrente|a c|conta", severity: high,
	},
	{reason: CardCVV, forms: "ddd|dddd", words: "cvv|cvc|cvv2|cvc2|csc|security code|card code|prufziffer|prufnummer|cryptogramme|codigo de seguridad|codigo de seguranca|kartenprufnummer|cid|cav|セキュリティコード|安全码", severity: high},
	{reason: CardExpiry, forms: "dd/dd|dd/dddd|dd-dd|dd-dddd", check: expiry, near: true, words: "exp|expires|expiry|expiration|valid thru|valid until|expiry date|exp date|gultig bis|gultig|expire|vence|vencimiento|validade|scadenza|valable|geldig|verfalldatum|ablaufdatum|caducidad|有効期限|有效期", severity: medium},
	{reason: PIN, forms: "dddd|ddddd|dddddd", words: "pin|pin code|pincode|pin number|pin is|geheimzahl|code pin|密码", severity: high},
}

// identifiers are all rows; what is more specific stands first.
var identifiers = func() []identifier {
	all := slices.Concat(general, countries)
	for i := range all {
		all[i].topic = ownTopics + i
	}
	return all
}()
