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
	{"de-tax-id", []string{"Steuer-ID 86095742719", "86 095 742 719", "86095742719"}, []string{"Steuer-ID 86095742718", "12345678903"}},
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
	{"jp-my-number", []string{"マイナンバーは1234 5678 9018です", "個人番号 123456789018", "ご確認ください：1234 5678 9018"}, []string{"123456789018"}},
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
	{"pk-cnic", []string{"CNIC 35202-1234567-1"}, []string{"3520212345671"}},
	{"vn-cccd", []string{"CCCD 001099012345"}, []string{"001099012345"}},
	{"de-health-insurance-number", []string{"krankenversichertennummer V010123097"}, []string{"V010123097", "krankenversichertennummer V010123098"}},
	{"de-id-card-number", []string{"Personalausweis L01X00T47"}, []string{"L01X00T47"}},
	{"fr-tax-number", []string{"numero fiscal 2067434006057"}, []string{"2067434006057", "numero fiscal 2067434006058"}},
	{"fr-id-card-number", []string{"carte nationale 537283679833"}, []string{"537283679833"}},
	{"es-social-security-number", []string{"seguridad social 204331914681"}, []string{"204331914681", "seguridad social 204331914682"}},
	{"it-vat-number", []string{"partita iva 30881800962"}, []string{"30881800962", "partita iva 30881800963"}},
	{"it-id-card-number", []string{"carta d identita KR99716MJ"}, []string{"KR99716MJ"}},
	{"pt-citizen-card-number", []string{"cartao de cidadao 652972829VS6"}, []string{"cartao de cidadao 652972829VS7"}},
	{"pt-social-security-number", []string{"seguranca social 23820086092"}, []string{"23820086092", "seguranca social 23820086093"}},
	{"pl-nip", []string{"numer nip 935-754-99-58"}, []string{"numer nip 935-754-99-59"}},
	{"pl-id-card-number", []string{"dowod osobisty VRY078876"}, []string{"VRY078876", "dowod osobisty VRY078877"}},
	{"no-bank-account-number", []string{"kontonummer 8033.63.41721"}, []string{"kontonummer 8033.63.41722"}},
	{"hu-tax-number", []string{"adoazonosito 8933304983"}, []string{"8933304983", "adoazonosito 8933304984"}},
	{"hu-personal-id", []string{"szemelyi szam 7-430929-2515"}, []string{"7-430929-2515", "szemelyi szam 7-431329-2515"}},
	{"md-idnp", []string{"cod personal 0908936190580"}, []string{"0908936190580", "cod personal 0908936190581"}},
	{"by-personal-number", []string{"личный номер 1711005G294QM0"}, []string{"1711005G294QM0"}},
	{"al-nid", []string{"leternjoftim G77609366Q"}, []string{"G77609366Q"}},
	{"uz-pinfl", []string{"пинфл 40695732337398"}, []string{"40695732337398"}},
	{"tr-vkn", []string{"vergi no 3038275258"}, []string{"3038275258", "vergi no 3038275259"}},
	{"ru-passport-number", []string{"паспорт 08 81 512780"}, []string{"08 81 512780"}},
	{"in-voter-id", []string{"voter id RVB2060731"}, []string{"RVB2060731"}},
	{"jp-driver-license-number", []string{"運転免許 270351118241"}, []string{"270351118241"}},
	{"jp-health-insurance-number", []string{"被保険者番号 73802024"}, []string{"73802024"}},
	{"kr-driver-license-number", []string{"운전면허 29-50-911640-18"}, []string{"29-50-911640-18"}},
	{"kr-business-number", []string{"사업자등록 827-35-65512"}, []string{"사업자등록 827-35-65513"}},
	{"id-npwp", []string{"npwp 86.138.794.2-363.738"}, []string{"npwp 86.138.794.3-363.738"}},
	{"ph-sss", []string{"sss number 74-5134209-0"}, []string{"74-5134209-0"}},
	{"ph-philhealth", []string{"philhealth 22-973912258-0"}, []string{"22-973912258-0"}},
	{"au-abn", []string{"australian business number 87247870044"}, []string{"87247870044", "australian business number 87247870045"}},
	{"nz-nhi", []string{"nhi number MTJ3489"}, []string{"MTJ3489", "nhi number MTJ3480"}},
	{"nz-bank-account-number", []string{"account 19-7502-3462836-44"}, nil},
	{"us-employer-identification-number", []string{"employer identification 35-0399831"}, []string{"35-0399831"}},
	{"us-national-provider-identifier", []string{"provider identifier 1623673906"}, []string{"1623673906", "provider identifier 1623673907"}},
	{"us-dea-number", []string{"dea number AL0755427"}, []string{"AL0755427", "dea number AL0755428"}},
	{"us-medicare-beneficiary-identifier", []string{"medicare 7VH3-YV5-JJ09"}, []string{"medicare 7SH3-YV5-JJ09"}},
	{"br-rg", []string{"registro geral 87.647.619-H"}, []string{"87.647.619-H"}},
	{"br-cnh", []string{"carteira de habilitacao 32763745729"}, []string{"32763745729", "carteira de habilitacao 32763745720"}},
	{"br-pis", []string{"pis pasep 487.54911.23-8"}, []string{"pis pasep 487.54911.23-9"}},
	{"br-voter-id", []string{"titulo de eleitor 873757516501"}, []string{"873757516501"}},
	{"br-health-card", []string{"cartao sus 299709401168518"}, []string{"299709401168518", "cartao sus 299709401168519"}},
	{"ar-dni", []string{"documento nacional 32.987.367"}, []string{"32.987.367"}},
	{"pe-dni", []string{"dni 56909271"}, []string{"56909271"}},
	{"ar-cbu", []string{"cbu 6408482076891525228485"}, []string{"cbu 6408482076891525228486"}},
	{"mx-nss", []string{"seguro social 57834288193"}, []string{"57834288193", "seguro social 57834288194"}},
	{"mx-clabe", []string{"clabe interbancaria 222821120947981080"}, []string{"222821120947981080", "clabe interbancaria 222821120947981081"}},
	{"co-cedula", []string{"cedula de ciudadania 1.981.648.247"}, []string{"1.981.648.247"}},
	{"ve-cedula", []string{"cedula de identidad D-04939711"}, []string{"D-04939711"}},
	{"uy-ci", []string{"cedula de identidad 5.936.806-1"}, []string{"5.936.806-1", "cedula de identidad 5.936.806-2"}},
	{"do-cedula", []string{"cedula de identidad 682-1776493-2"}, []string{"682-1776493-2", "cedula de identidad 682-1776493-3"}},
	{"cr-cedula", []string{"cedula de identidad 9-7054-2871"}, []string{"9-7054-2871"}},
	{"gt-dpi", []string{"dpi 5701 99609 0444"}, []string{"5701 99609 0444"}},
	{"ng-bvn", []string{"bank verification 28287238261"}, []string{"28287238261"}},
	{"ke-id", []string{"kenyan id 06987327"}, []string{"06987327"}},
	{"ke-pin", []string{"kra pin Z651959139Z"}, []string{"Z651959139Z"}},
	{"ma-cin", []string{"carte nationale G378094"}, []string{"G378094"}},
	{"qa-qid", []string{"qatar id 54849401211"}, []string{"54849401211"}},
	{"kw-civil-id", []string{"civil id 232071886382"}, []string{"232071886382", "civil id 232071886383"}},
	{"ir-national-code", []string{"کد ملی 7508885449"}, []string{"7508885449", "کد ملی 7508885440"}},
	{"bd-nid", []string{"জাতীয় পরিচয় 9939840439"}, []string{"9939840439"}},
	{"lk-nic", []string{"sri lanka 523357101U"}, []string{"523357101U"}},
	// 15 070649 C 103 is the example of the pension insurance.
	{"de-social-security-number", []string{"15070649C103", "Rentenversicherungsnummer 15 070649 C 103"}, []string{"15070649C104"}},
	{"cn-social-credit-code", []string{"统一社会信用代码 91110000600037341L"}, []string{"统一社会信用代码 91110000600037342L", "91110000600037341L"}},
	{"gh-card", []string{"GHA-855415694-5", "Ghana Card GHA-725415694-1"}, []string{"GHA-85541569-5"}},
	{"lu-national-id", []string{"1893120105732"}, []string{"1893120105733", "1893120105742"}},
	{"in-gstin", []string{"27AAPFU0939F1ZV", "GST no 27AAPFU0939F1ZV"}, []string{"27AAPFU0939F1Z0"}},
	{"es-bank-account-number", []string{"1234-1234-16-1234567890"}, []string{"1234-1234-17-1234567890"}},
	{pii.CryptoAddress, []string{"TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", "ripple wallet rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh"}, []string{"TJRabPrwbZy45sbavfcjinPJC18kjpRTv9", "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh"}},
	{pii.BirthDate, []string{
		"born 1980-05-03", "DOB: 05/03/1980", "geboren am 3. Mai 1980", "geb. 03.05.1980", "né le 3 mai 1980", "née le 03/05/1980", "fecha de nacimiento: 3 de mayo de 1980", "nacido el 03-05-1980",
		"nato il 3 maggio 1980", "nascido em 3 de maio de 1980", "geboortedatum 3 mei 1980", "urodzony 3 maja 1980", "född 1980-05-03", "født 3. mai 1980", "syntynyt 3.5.1980", "narozen 3. května 1980",
		"született 1980. május 3", "născut la 3 mai 1980", "doğum tarihi 3 Mayıs 1980", "дата рождения: 3 мая 1980", "народився 3 травня 1980", "γεννήθηκε 3 Μαΐου 1980", "تاريخ الميلاد 3 مايو 1980", "תאריך לידה 3.5.1980",
		"जन्म तिथि 3 मई 1980", "生年月日：1980年5月3日", "출생 1980년 5월 3일", "出生日期 1980年5月3日", "ngày sinh 3 tháng 5 năm 1980", "tanggal lahir 3 Mei 1980", "วันเกิด 3 พฤษภาคม 2523",
		"May 3, 1980 is her birthday", "born on the 3rd of May 1980", "dob 3-May-1980", "birth date 19800503",
	}, []string{"1980-05-03", "signed on May 3, 1980", "born in 1980", "DOB 1980-13-41", "invoice of 03.05.1980", "born to run 3/4"}},
	{pii.Coordinates, []string{"52.52001, 13.40495", "-33.86882,151.20930", `52°31'12.0"N 13°24'18.0"E`, "48.8566° N, 2.3522° E", "GPS 48.85, 2.35", `"lat": 40.712, "lng": -74.006`}, []string{"0.12345, 0.56789, 0.11111", "1.50, 2.75", "91.12345, 200.54321", "20° C", "v1.2.3"}},
	{pii.UserName, []string{
		"username: jdoe42", "user name is jdoe42", "login=alice", "Benutzername: m.mueller", "nom d'utilisateur : pdurand", "nombre de usuario: jgarcia", "имя пользователя: ivan_petrov", "用户名：xiaoming88", "ユーザー名: tanaka_k",
		"Nutzerkonto jdoe_42", "angemeldet als m.mueller7", "my Twitter is @jdoe", "ssh carol77@example", `{"username":"jdoe"}`, "password for bob is hunter2!",
	}, []string{"username: required", "the user is happy", "user input", "@Override public", "user: hello there", "login page", "account 12345678a", "Konto AT6119043002", "username = request.args", "user story 12"}},
	{pii.Password, []string{
		"password: hunter2", "my password is Tr0ub4dor&3", "Passwort: Sommer2024!", "mot de passe : azerty123", "contraseña: gatito99", "senha: flamengo10", "wachtwoord: welkom01", "hasło: kotek123", "пароль: qwerty123",
		"パスワード：sakura2020", "密码：abc12345", "비밀번호: test1234", `"password":"letmein1"`,
	}, []string{"password: ********", "password is required", "password reset!", "the password must be 8 characters", "password: string", "password=${DB_PASSWORD}", "password = getpass()", "password: <your password>"}},
	{pii.URL, []string{"https://www.linkedin.com/in/ann-graham"}, []string{"https://example.com/page", "https://github.com/golang/go", "https://github.com/features"}},
	{pii.URLLogin, []string{"https://ann:s3cret@example.com/"}, []string{"https://example.com/", "https://ann@example.com/", "https://ann:<password>@example.com/"}},
	{pii.MedicalRecord, []string{"MRN 48121590", "MRN-6923404", "Patient ID: A-20391", "Patientennummer 4711882", "numéro de dossier 8812093", "病历号 20391188"}, []string{"48121590", "patient of 1980", "patients 120 of 300"}},
	{pii.EmployeeID, []string{"Employee ID E607851", "EMP-69919", "staff no. 40213", "Personalnummer 402138", "社員番号 A10293"}, []string{"40213", "employees 500", "employee of 2023"}},
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

// elsewhere are the reasons that pii_test.go is about.
var elsewhere = map[string]bool{pii.Email: true, pii.Phone: true, pii.USSSN: true, pii.IPAddress: true, pii.CreditCard: true, pii.IBAN: true}

// Every reason has a specimen.
func TestEveryIdentifierIsTested(t *testing.T) {
	for _, reason := range pii.Reasons {
		i := slices.IndexFunc(specimens, func(s struct {
			reason       string
			right, wrong []string
		},
		) bool {
			return s.reason == reason
		})
		if i < 0 && !elsewhere[reason] {
			t.Errorf("%s has no specimen", reason)
		}
	}
}

func reasons(t *testing.T, text string) (rs []string) {
	t.Helper()
	_, fs := guardtest.Mask(t, pii.Scanner{}, stream.Scope{}, text)
	for _, f := range fs {
		if f.Score >= 0.5 {
			rs = append(rs, f.Reason)
		}
	}
	return rs
}

// What looks like a number of somebody and is not stays.
func TestNumbersOfNobody(t *testing.T) {
	for _, text := range []string{
		"It replaces part 340-81-9502.", "model 945-64-4948", "Order 12345678 shipped on 2026-11-23.", "Order ID 123456782 and invoice 2026-000123", "ISBN 978-3-16-148410-0", "ISBN 0-306-40615-2", "build 20261123.4", "v2.10.4-rc.1",
		"1763912345", "1763912345678", "2026-11-23T14:30:00.123456Z", "$1,234,567.89", "€ 123.456.789,00", "[0.120008, 13.404954, 2.5]", "0.1234, 0.5678", "rows 100-200", "page 42 of 420",
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
