package pii_test

import (
	"slices"
	"testing"

	"github.com/ringwall/ringwall/guard/guardtest"
	"github.com/ringwall/ringwall/guard/pii"
	"github.com/ringwall/ringwall/guard/stream"
)

// Specimens of every identifier: published examples, or made for this test with
// check digits computed by hand. What is wrong differs in a check digit, or in
// what else tells it from any other number.
var specimens = []struct {
	reason string
	right  []string // texts that hold one
	wrong  []string // texts that do not
}{
	{pii.MACAddress, []string{"00:1b:44:11:3a:b7", "00-1B-44-11-3A-B7", "de-ad-be-ef-00-01", "001b.4411.3ab7"}, []string{"00:1b:44:11:3a", "00:1b:44-11:3a:b7", "00:00:00:00:00:00"}},
	{pii.IMEI, []string{"IMEI 490154203237518", "imei: 35-209900-176148-1"}, []string{"IMEI 490154203237519", "490154203237518"}},
	{pii.VIN, []string{"1M8GDM9AXKP042788", "VIN: 11111111111111111", "VIN WVWZZZ1JZXW000001"}, []string{"1M8GDM9A1KP042788", "WVWZZZ1JZXW000001"}},
	{pii.USITIN, []string{"912-70-1234", "ITIN 912701234"}, []string{"912-68-1234", "912701234"}},
	{pii.USRouting, []string{"routing 021000021", "ABA: 122105155"}, []string{"021000021"}},
	{pii.USAccount, []string{"account 123456789012", "acct no 12345678"}, []string{"123456789012"}},
	{pii.UKNHS, []string{"NHS number 943 476 5919", "NHS 9434765919"}, []string{"NHS number 9434765918", "9434765919"}},
	{pii.UKNINO, []string{"AB123456C", "AB 12 34 56 C"}, []string{"DA123456C", "AB123456E", "GB123456A"}},
	{pii.UKUTR, []string{"UTR 1955839661"}, []string{"UTR 2955839661", "1955839661"}},
	{pii.CASIN, []string{"SIN 130 692 544", "social insurance 130692544"}, []string{"SIN 130 692 543", "130692544"}},
	{pii.CAHealth, []string{"OHIP 1234-567-890-AB", "health card 1234 567 890"}, []string{"1234567890"}},
	{pii.SWIFT, []string{"BIC: DEUTDEFF", "SWIFT DEUTDEFF500", "DE89370400440532013000 (DEUTDEFF500)"}, []string{"BIC: wonderful", "DEUTDEFF500"}},
	{pii.Passport, []string{"passport 912345678", "Reisepass C01X00T47"}, []string{"912345678"}},
	{pii.DriverID, []string{"driver's license D1234567", "DL W619470902395"}, []string{"D1234567"}},
	{pii.LicensePlate, []string{"license plate AB12 CDE", "Kennzeichen B-KR 609"}, []string{"AB12 CDE"}},
	{pii.CardCVV, []string{"CVV 123", "security code: 1234"}, []string{"123", "code 1234"}},
	{pii.CardExpiry, []string{"exp 12/27", "expires 01/2028"}, []string{"12/27", "exp 13/27"}},
	{pii.PIN, []string{"PIN 1234", "pin code: 98765"}, []string{"1234"}},
	{pii.Age, []string{"she is 42 years old", "a 42-year-old", "aged 42"}, []string{"42 years", "42"}},
	{pii.BitcoinAddress, []string{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"}, []string{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdp"}},
	{pii.EthereumAddress, []string{"0x52908400098527886E0F7030069857D2E4169EE7"}, []string{"0x52908400098527886E0F7030069857D2E4169EE", "0x0000000000000000000000000000000000000000"}},
	{"de-tax-id", []string{"Steuer-ID 86095742719", "86 095 742 719"}, []string{"Steuer-ID 86095742718", "86095742719"}},
	{"fr-nir", []string{"255081416802538", "2 55 08 14 168 025 38", "NIR 1 85 05 78 006 084 91"}, []string{"255081416802539", "NIR 955081416802538"}},
	{"es-dni", []string{"12345678Z", "12345678-Z"}, []string{"12345678A"}},
	{"es-nie", []string{"X1234567L", "Y-1234567-X"}, []string{"X1234567A", "A1234567L"}},
	{"it-codice-fiscale", []string{"RSSMRA85T10A562S"}, []string{"RSSMRA85T10A562T"}},
	{"br-cpf", []string{"529.982.247-25", "52998224725"}, []string{"529.982.247-26", "111.111.111-11"}},
	{"br-cnpj", []string{"11.222.333/0001-81", "CNPJ 11222333000181"}, []string{"11.222.333/0001-82", "11222333000181"}},
	{"nl-bsn", []string{"BSN 111222333", "bsn: 123456782"}, []string{"BSN 111222334", "111222333"}},
	{"pl-pesel", []string{"PESEL 44051401359"}, []string{"PESEL 44051401358", "44051401359"}},
	{"se-personnummer", []string{"811228-9874", "personnummer 198112289874"}, []string{"811228-9873", "8112289874"}},
	{"fi-hetu", []string{"131052-308T", "131052A308T"}, []string{"131052-308U"}},
	{"dk-cpr", []string{"CPR 070761-4285", "cpr-nummer 0707614285"}, []string{"CPR 320761-4285", "0707614285"}},
	{"cz-rodne-cislo", []string{"736028/5163", "RČ 7360285163"}, []string{"736028/5164", "7360285163"}},
	{"sk-rodne-cislo", []string{"slovak 7360285163"}, []string{"slovak 7360285164"}},
	{"hu-taj", []string{"TAJ szám 123 456 788"}, []string{"123456788"}},
	{"cn-resident-id", []string{"11010519491231002X", "身份证号码:440524188001010014"}, []string{"110105194912310021", "110105194913310021"}},
	{"kr-rrn", []string{"750416-1350070", "주민등록번호 7504161350070"}, []string{"751316-1350070", "7504161350070"}},
	{"jp-my-number", []string{"マイナンバーは1234 5678 9018です", "個人番号 123456789018"}, []string{"123456789018"}},
	{"in-aadhaar", []string{"Aadhaar 2341 2341 2346"}, []string{"Aadhaar 2341 2341 2347", "234123412346"}},
	{"in-pan", []string{"ABCPE1234F"}, []string{"ABCXE1234F"}},
	{"sg-nric", []string{"S1234567D", "T1234567J"}, []string{"S1234567A"}},
	{"au-tfn", []string{"TFN 123 456 782"}, []string{"TFN 123 456 783", "123456782"}},
	{"au-medicare", []string{"Medicare 2123 45670 1"}, []string{"Medicare 2123 45671 1", "2123456701"}},
	{"nz-ird", []string{"IRD 49-091-850", "IRD 136 410 132"}, []string{"IRD 49-091-851", "49091850"}},
	{"ch-ahv", []string{"756.9217.0769.85", "7569217076985"}, []string{"756.9217.0769.84"}},
	{"at-svnr", []string{"SVNR 1237 010180"}, []string{"SVNR 1238 010180", "1237010180"}},
	{"be-nrn", []string{"85.07.30-033.28", "rijksregisternummer 85073003328"}, []string{"85.07.30-033.29", "85073003328"}},
	{"pt-nif", []string{"NIF 123456789", "contribuinte 501 442 600"}, []string{"NIF 123456780", "123456789"}},
	{"gr-amka", []string{"ΑΜΚΑ 01018012342"}, []string{"ΑΜΚΑ 01018012343", "01018012342"}},
	{"gr-afm", []string{"ΑΦΜ 094014201"}, []string{"ΑΦΜ 094014202", "094014201"}},
	{"ie-pps", []string{"PPS number 1234567T", "PPSN 1234567FA"}, []string{"PPS number 1234567A", "1234567T"}},
	{"tr-tckn", []string{"10000000146", "TC kimlik 10000000146"}, []string{"10000000147"}},
	{"za-id", []string{"South African 8001015009087"}, []string{"South African 8001015009088", "8001015009087"}},
	{"mx-curp", []string{"HEGG560427MVZRRL04"}, []string{"HEGG560427MVZRRL05"}},
	{"mx-rfc", []string{"RFC GODE561231GR8"}, []string{"RFC GODE561331GR8", "GODE561231GR8"}},
	{"ar-cuil", []string{"20-12345678-6", "CUIL 20123456786"}, []string{"20-12345678-5", "20123456786"}},
	{"cl-rut", []string{"12.345.678-5", "12345678-5"}, []string{"12.345.678-6"}},
	{"co-nit", []string{"NIT 860.034.313-7", "NIT 800197268-4"}, []string{"NIT 860.034.313-8"}},
	{"pe-ruc", []string{"RUC 20100070970"}, []string{"RUC 20100070971", "20100070970"}},
	{"ec-cedula", []string{"cédula 1710034065"}, []string{"cédula 1710034066", "1710034065"}},
	{"ro-cnp", []string{"1800101221144"}, []string{"1800101221145"}},
	{"bg-egn", []string{"ЕГН 7523169263"}, []string{"ЕГН 7523169264", "7523169263"}},
	{"hr-oib", []string{"OIB 69435151530"}, []string{"OIB 69435151531", "69435151530"}},
	{"si-emso", []string{"0101006500006"}, []string{"0101006500007"}},
	{"rs-jmbg", []string{"0101990710008"}, []string{"0101990710009"}},
	{"ee-isikukood", []string{"isikukood 37605030299"}, []string{"isikukood 37605030298", "37605030299"}},
	{"lt-asmens-kodas", []string{"asmens kodas 33309240064"}, []string{"asmens kodas 33309240065", "33309240064"}},
	{"lv-personas-kods", []string{"personas kods 161175-19997", "personas kods 32673312345"}, []string{"personas kods 161175-19998", "161175-19997"}},
	{"no-fodselsnummer", []string{"01010750160", "010107 50160"}, []string{"01010750161"}},
	{"is-kennitala", []string{"kennitala 120174-3399"}, []string{"kennitala 120174-3389", "120174-3399"}},
	{"il-teudat-zehut", []string{"תעודת זהות 123456782"}, []string{"תעודת זהות 123456783"}},
	{"ua-rnokpp", []string{"РНОКПП 3184710691", "ІПН 3184710691"}, []string{"РНОКПП 3184710692", "3184710691"}},
	{"ru-inn", []string{"ИНН 7707083893", "ИНН 500100732259"}, []string{"ИНН 7707083894", "7707083893"}},
	{"ru-snils", []string{"112-233-445 95", "СНИЛС 11223344595"}, []string{"112-233-445 96", "11223344595"}},
	{"th-id", []string{"1-1017-00230-70-8"}, []string{"1-1017-00230-70-7"}},
	{"my-nric", []string{"MyKad 800101-14-5678"}, []string{"MyKad 801301-14-5678", "800101-14-5678"}},
	{"id-nik", []string{"NIK 3171234501900001", "KTP 3171236501900001"}, []string{"NIK 3171237501900001"}},
	{"ph-tin", []string{"Philippines TIN 123-456-789-000"}, []string{"123-456-789-000"}},
	{"tw-id", []string{"Taiwan ID A123456789", "身分證 A123456789"}, []string{"身分證 A123456788", "A123456789"}},
	{"hk-id", []string{"HKID A123456(3)", "Hong Kong ID A123456(3)"}, []string{"HKID A123456(4)"}},
	{"ae-emirates-id", []string{"784-1980-1234567-8", "Emirates ID 784198012345678"}, []string{"784-1980-1234567-9", "784198012345678"}},
	{"sa-id", []string{"Iqama 2103456782"}, []string{"Iqama 2103456783", "2103456782"}},
	{"eg-national-id", []string{"Egyptian 29001011234567"}, []string{"Egyptian 29013011234567"}},
	{"kz-iin", []string{"ИИН 900101300017"}, []string{"ИИН 900101300018", "900101300017"}},
	{"pk-cnic", []string{"CNIC 35202-1234567-1"}, []string{"35202-1234567-1"}},
	{"vn-cccd", []string{"CCCD 001099012345"}, []string{"001099012345"}},
	{"ng-nin", []string{"NIN 12345678901"}, []string{"12345678901"}},
}

func TestIdentifiers(t *testing.T) {
	for _, s := range specimens {
		t.Run(s.reason, func(t *testing.T) {
			for _, text := range s.right {
				if got := reasons(t, text+", yes"); !slices.Contains(got, s.reason) {
					t.Errorf("%q: found %q", text, got)
				}
			}
			for _, text := range s.wrong {
				if got := reasons(t, text+", no"); slices.Contains(got, s.reason) {
					t.Errorf("%q: found %q", text, got)
				}
			}
		})
	}
}

// Every reason has a specimen.
func TestEveryIdentifierIsTested(t *testing.T) {
	for _, reason := range pii.Reasons[6:] {
		i := slices.IndexFunc(specimens, func(s struct {
			reason       string
			right, wrong []string
		},
		) bool {
			return s.reason == reason
		})
		if i < 0 && reason != pii.USSSN {
			t.Errorf("%s has no specimen", reason)
		}
	}
}

func reasons(t *testing.T, text string) (rs []string) {
	t.Helper()
	_, fs := guardtest.Mask(t, pii.Scanner{}, stream.Scope{}, text)
	for _, f := range fs {
		rs = append(rs, f.Reason)
	}
	return rs
}

// What looks like a number of somebody and is not stays.
func TestNumbersOfNobody(t *testing.T) {
	for _, text := range []string{
		"It replaces part 340-81-9502.", "model 945-64-4948", "Order 12345678 shipped on 2026-11-23.", "Order ID 123456782 and invoice 2026-000123", "ISBN 978-3-16-148410-0", "ISBN 0-306-40615-2", "build 20261123.4", "v2.10.4-rc.1",
		"1763912345", "1763912345678", "2026-11-23T14:30:00.123456Z", "$1,234,567.89", "€ 123.456.789,00", "52.520008, 13.404954", "48.8566 N 2.3522 E", "rows 100-200", "page 42 of 420",
		"550e8400-e29b-41d4-a716-446655440000", "sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709", "0x7fff5fbff8c0", "call f(12, 34, 56)", "for i in range(100000)", "RFC 9110", "ISO 8601:2004",
		"EAN 4006381333931", "tracking 1Z999AA10123456784", "10:30-11:45", "Section 4.2.1", "Q3 2026: 1 234 567 units", "error 404", "HTTP/1.1 200", "port 8080", "12/24 items", "3/4", "1-800", "A4", "B12", "MP3", "COVID-19", "GPT-4o", "F-16", "WW2",
		"UTF-8", "AES-256-GCM", "x86_64", "i7-13700K", "BMW 320", "E 42", "A 100", "CS 101", "SKU AB-12345", "part XR-9502-34", "flight LH 1234", "room 1204", "ticket JIRA-1234", "commit a1b2c3d", "1.5e-10", "100 000 000", "12 345", "123 456 789 users", "weights 12 34 56 78",
	} {
		if got := reasons(t, text); len(got) > 0 {
			t.Errorf("%q: found %q", text, got)
		}
	}
}

// A specimen is found wherever the text is cut.
func TestIdentifiersRun(t *testing.T) {
	c := guardtest.Case{Reasons: pii.Reasons}
	for _, s := range specimens {
		c.Bad = append(c.Bad, s.right...)
	}
	guardtest.Run(t, pii.Scanner{}, c)
}
