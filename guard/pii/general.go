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
	CryptoAddress   = "crypto-address"
	BirthDate       = "date-of-birth"
	Coordinates     = "coordinates"
	UserName        = "username"
	Password        = "password"
	URL             = "url"
	URLLogin        = "url-with-credentials"
	MedicalRecord   = "medical-record-number"
	EmployeeID      = "employee-id"
)

const (
	high   = ringwall.High
	medium = ringwall.Medium
	low    = ringwall.Low
)

// general are the identifiers that belong to no country's register of persons,
// and those of Bedrock's types.
var general = []identifier{
	{reason: MACAddress, forms: "hh:hh:hh:hh:hh:hh|hh-hh-hh-hh-hh-hh|hhhh.hhhh.hhhh", check: mac, alone: whole, words: "mac|mac address|macaddr|hardware address|ethernet|hwaddr|physical address|bssid", severity: low},
	{reason: IMEI, forms: "ddddddddddddddd|dd-dddddd-dddddd-d", check: imei, words: "imei|imei number|imei no|imei nr|device id|串号|設備識別|端末識別番号|セリアル", severity: medium},
	{reason: VIN, forms: "NNNNNNNNNNNNNNNNN", check: vin, alone: whole, loose: true, words: "vin|chassis|chassis number|vehicle identification|fahrgestellnummer|vin number|vin no|fin|numero de chassis|numero de bastidor|bastidor|numero di telaio|telaio|chassisnummer|numer vin|podwozia|alvazszam*|sasi no|şasi no|runkonumero|understellsnummer|chassinummer|stelnummer|номер кузова|вин|车架号|車台番号|차대번호", severity: medium},
	{reason: USITIN, forms: "ddd-dd-dddd", check: usITIN, alone: whole, words: "itin|individual taxpayer|taxpayer identification", kin: tax, severity: high},
	{reason: USITIN, forms: "ddddddddd", check: usITIN, words: "itin|individual taxpayer|taxpayer identification", severity: high},
	{reason: USRouting, forms: "ddddddddd|dddd-dddd-d", check: usRouting, words: "routing|aba|rtn|routing number|routing no|aba number|transit|transit number", loose: true, severity: medium},
	{reason: UKNHS, forms: "ddd_ddd_dddd", check: ukNHS, words: "nhs|nhs number|health service", kin: national | tax | health, severity: high},
	{reason: UKNINO, forms: "AAddddddA|AA-dddddd-A|AAdd-dd-ddA|AA-dd-dd-dd-A", check: ukNINO, alone: whole, words: "nino|national insurance|ni number|insurance number", kin: national | tax | health, severity: high},
	{reason: UKUTR, forms: "ddddd_ddddd", check: ukUTR, words: "utr|unique taxpayer|taxpayer reference|self assessment", kin: tax, severity: high},
	{reason: CASIN, forms: "ddd_ddd_ddd", check: caSIN, words: "sin|social insurance|nas|assurance sociale", kin: national | tax | health, severity: high},
	{reason: CAHealth, forms: "dddd_ddd_ddd|ddddddddddAA|dddd-ddd-ddd-AA|ddddddddd|AAAAdddddddd|AAAA-dddd-dddd|dddd-ddddd", words: "ohip|health card|phn|ramq|msp|medicare card|carte soleil|personal health|assurance maladie", severity: high},
	{reason: SWIFT, forms: "NNNNNNNN|NNNNNNNNNNN", check: bic, words: "bic|swift|bic swift|swift bic|kod swift|kod bic|code swift|codigo swift|codice bic|swift code|bic code|swift bic", severity: medium},
	{
		reason: Passport, forms: "ddddddddd|Adddddddd|AAddddddd|AAdddddd|AAAdddddd|Addddddd|AAdddddddA|ddAAddddd|dddddddd|NNNNNNNNN",
		words: "passport|passports|paszport*|pasaport*|passeport*|passaport*|passport number|passport no|passport nr|passeport|passeports|numero de pasaporte|numero de passeport|numero passaporto|numero do passaporte|reisepassnummer|passi|passin|passinumero|cestovni pas|cislo pasu|utlevel*|pasaportul*|pasaport no|paspor|no paspor|ho chieu|διαβατηριο|διαβατηριου|جواز|جواز السفر|דרכון|पासपोर्ट|หนังสือเดินทาง|загранпаспорт|паспорта|паспортa|pasaporte|passaporto|reisepass|passnummer|ausweisnummer|paspoort|paspoortnummer|passaporte|pass nr|паспорт|护照|旅券|パスポート|여권|pasaport|paszport|passeport n", severity: high,
	},
	{reason: DriverID, forms: "NNNNNddddddNNNAA", check: ukDriving, alone: whole, severity: high},
	{
		reason: DriverID, forms: "NNNNNddddddNNNAA|Addddddd|Adddddddd|Adddddddddddd|AAdd ddddddddddd|AAddddddddddddd|AA-dddddddddddd|AAdd-dddddddddddd|A-ddddddd|Addd-dddd-dddd|Adddd-ddddd-ddddd|Addd-ddd-ddd-ddd|ddd-dd-dddd|ddd ddd ddd|dd-ddd-dddd|AANNNdddddAA|ddddddAAddd|AAddddddA|Add-dd-dddd|Addd-dddd-dddd-dd|ddNNdddddd|dddd dddddd|dd dd dddddd|ddddd/dd/dddd|Addddddddddddd|ddddddd|dddddddd|ddddddddd|dddddddddd|dddddddddddd|Addd-dddd-dddd|AAdddddd|AAddddddd|Addddddddddd|NNNNNNNNNNNNNNNN|NNNNNNNNNNN|AAAAAddddddAAdAA|ddddddddddd",
		words: "driver license|driver licence|drivers license|drivers licence|driving licence|driving license|licence number|dl|fuhrerschein|fuhrerscheinnummer|permis|permis de conduire|licencia|rijbewijs|patente|carta de conducao|license no|s license|s licence|driver lic|prawo jazdy|prawa jazdy|dln|drivers|driver id|driver licence number|driver license number|driving licence number|dl no|dl number|licence no|license number|licence de conduire|permis n|numero de permis|licencia de conducir|permiso de conducir|carnet de conducir|patente di guida|numero patente|rijbewijsnummer|korkort|korkortsnummer|korekort|førerkort|forerkort|forerkortnummer|kørekort|ajokortti|ajokortin|ridicsky prukaz|ridicskeho|jogositvany*|vezetoi engedely|permis de conducere|surucu belgesi|ehliyet|ehliyet no|водительское|водительского|водительских|права|посвідчення водія|водійське|αδεια οδηγησης|رخصة القيادة|رخصة|רישיון נהיגה|ड्राइविंग लाइसेंस|लाइसेंस|驾驶证|驾照|駕照|운전면허|giay phep lai xe|bang lai|surat izin mengemudi|sim|ใบขับขี่|carteira de motorista|carteira de habilitacao", severity: high,
	},
	{
		reason: LicensePlate, forms: "AAdd-AAA|AAddAAA|A-AA ddd|AA-AA ddd|AAA-AA ddd|A-AA dddd|AA-AA dddd|AAA-AA dddd|A-A ddd|A-A dddd|A-AA dd|AA-AA dd|AA-A ddd|AA-A dddd|AAA dddd|AAA-dddd|dAAAddd|AA-ddd-AA|dddd-AAA|AAA-ddd|AA-dd-dd|dd-AA-dd|A-ddd-AA|AAAddd|AAAdddd|ddd-AAA|AAdddAA|AAA-dd-dd|AAA dd A|dddd AAA|ddd AAA|AAA ddd|AAddddA|dA-A-dddd|AA dd AA dddd|AA-dd-AA-dddd|AAddAAdddd|dAAdddd|AAAdAdd|AAA-dAdd|AA ddddd|AAddddd|dd-ddd-dd|ddd-dd-ddd|AdddAAdd|AdddAA|AA dddd AA|AAddddAA|AAA dddA|AA-ddd|A ddd AA|A dddd AA|A-ddddd-A|AAAA ddd|ddAAddddd|AdddAAA|dd AA ddd|ddAAddd|dd A dddd",
		words: "plate|plate no|plate number|plates|license plates|tag number|registration number|reg number|reg no|vehicle registration|kfz kennzeichen|autokennzeichen|amtliches kennzeichen|numero de matricula|numero de placa|placas|numero di targa|numero d immatriculation|placa do carro|nummerplaat|tablica rejestracyjna|numer rejestracyjny|rejestracja|rejestracyjny|registreringsnummer|regnummer|nummerplade|rekisterinumero|rekisterikilpi|spz|rz|statni poznavaci|rendszam*|numar de inmatriculare|plaka|plakasi|госномер|номерной знак|номер машины|номерний знак|πινακιδα|لوحة|رقم اللوحة|לוחית|रजिस्ट्रेशन|ナンバー|車両番号|車號|车牌号|차량번호|번호판|bien so|plat nomor|nomor polisi|ป้ายทะเบียน|ทะเบียนรถ|license plate|licence plate|number plate|registration|kennzeichen|matricula|immatriculation|plaque|targa|kenteken|plates|car reg|nummernschild|placa|车牌", severity: medium,
	},
	{
		reason: USAccount, forms: "dddddddd|ddddddddd|dddddddddd|ddddddddddd|dddddddddddd|ddddddd|dddddd|dddd-dddd-dd|dddd-dddd|dddddddddddddd|ddd-dddddd|dddddddddddddddd",
		words: "account|accounts|acct|acct no|acct number|account nr|account num|bank acct|direct deposit|a c no|iban|bankkonto|kontonr|kontonummeret|tilinumero|tili|numer konta|numer rachunku|rachunek|rachunku|nr konta|cislo uctu|ucet|szamlaszam*|bankszamla*|cont bancar|numar de cont|hesap|hesap no|hesap numarasi|hesap numarası|banka hesabı|banka hesap|rekening|rekeningnummer|nomor rekening|no rekening|bankrekening|so tai khoan|tai khoan|счет|счёт|расчетный счет|номер счета|рахунок|λογαριασμος|λογαριασμου|حساب|الحساب|رقم الحساب|חשבון|מספר חשבון|खाता|खाता संख्या|口座|口座番号|账户|账号|賬戶|帐号|银行卡|계좌|계좌번호|บัญชี|เลขที่บัญชี|cuenta bancaria|numero de cuenta|conta bancaria|conta corrente|numero da conta|compte bancaire|numero de compte|conto|numero di conto|girokonto|account number|account no|bank account|checking|savings|konto|kontonummer|cuenta|compte|conto corrente|a c|conta", severity: high,
	},
	{reason: CardCVV, forms: "ddd|dddd", words: "cvv|cvc|cvn|cvv code|cvc code|cvv2|kontrollnummer|kartepruf|sicherheitscode|kod cvv|kod cvc|code de securite|codice di sicurezza|beveiligingscode|kod bezpieczenstwa|sakerhetskod|sikkerhedskode|turvakoodi|bezpecnostni kod|biztonsagi kod|cod de securitate|guvenlik kodu|код безопасности|код cvv|κωδικος ασφαλειας|رمز الأمان|קוד אבטחה|सीवीवी|보안코드|ma bao mat|cvv2|cvc2|csc|security code|card code|prufziffer|prufnummer|cryptogramme|codigo de seguridad|codigo de seguranca|kartenprufnummer|cid|cav|セキュリティコード|安全码", severity: high},
	{reason: CardExpiry, forms: "dd/dd|dd/dddd|dd-dd|dd-dddd", check: expiry, near: true, words: "exp|exps|expires|expire|card exp|card expiry|expiring|expires on|valid to|good thru|validity|verloopdatum|vervaldatum|waznosci|data waznosci|wazna do|giltig till|giltighet|gyldig til|udløber|udlober|voimassa|platnost|lejarat|valabila|valabil pana|son kullanma|срок действия|годен до|действительна до|термін дії|ληξη|λήξη|انتهاء|תוקף|समाप्ति|유효기간|만료|het han|berlaku|หมดอายุ|date d expiration|fecha de caducidad|fecha de vencimiento|data di scadenza|data de validade|caduca|expiry|expiration|valid thru|valid until|expiry date|exp date|gultig bis|gultig|expire|vence|vencimiento|validade|scadenza|valable|geldig|verfalldatum|ablaufdatum|caducidad|有効期限|有效期", severity: medium},
	{reason: PIN, forms: "dddd|ddddd|dddddd", words: "pin|pins|pin no|atm pin|card pin|my pin|pin kod|pin kodu|pin koodi|code secret|codigo pin|nip|codice pin|pincode|kod pin|пин|пин код|пинкод|пін код|רקם קוד|קוד סודי|الرقم السري|पिन|暗証番号|暗証|핀번호|비밀번호|密碼|ma pin|รหัส|รหัสพิน|pincode|pin number|pin is|geheimzahl|code pin|密码", severity: high},
}

// identifiers are all rows; what is more specific stands first.
var identifiers = func() []identifier {
	all := slices.Concat(general, countries, furtherCountries)
	for i := range all {
		id := &all[i]
		id.topic = ownTopics + i
		// What is written in English may be of anybody; other words are not those of
		// countries that speak it.
		id.abroad = id.kin &^ (national | tax | health)
		if !english[id.reason[:2]] {
			id.abroad |= id.kin * nationalAbroad
		}
	}
	return all
}()

// english are countries whose papers are in English.
var english = map[string]bool{"us": true, "uk": true, "ca": true, "au": true, "nz": true, "ie": true, "in": true, "sg": true}

// swiftTopic is the bit of the words for the code of a bank.
var swiftTopic = identifiers[slices.IndexFunc(identifiers, func(id identifier) bool { return id.reason == SWIFT })].topic
