package main

import (
	"fmt"
	"strconv"
	"strings"
)

var (
	nouns    = strings.Fields("Main Oak Maple Park Church High King Queen Station Mill Hill Cedar Pine Elm Washington Lake River View Victoria Sunset Spring Market Bridge Green North South West East Broad Center Union Lincoln Jefferson Jackson Madison Franklin Walnut Chestnut Willow Cherry Birch Highland Meadow Forest Ridge Valley Garden Prospect Pleasant Academy College School Railroad Depot Canal Harbor Ocean Bay Beach Rose Lily Holly Laurel Magnolia Juniper Hickory Sycamore Dogwood Heritage Liberty Independence Commerce Industrial Airport Fairview Westwood Eastgate Northgate Kings Queens Abbey Castle Manor Priory Windsor York Lancaster Albert George Wellington Nelson Trafalgar Waterloo Baker Regent Oxford Cambridge")
	suffixes = strings.Fields("St Street Ave Avenue Rd Road Dr Drive Ln Lane Blvd Boulevard Ct Court Pl Place Way Terrace Cir Circle Sq Square Pkwy Hwy Trail Crescent Close Grove Gardens Row St. Ave. Rd. Dr. Blvd. Loop Walk Mews Parade")
)

// names of streets by language, without their word for street.
var persons = map[string][]string{
	"de": strings.Fields("Haupt Bahnhof Goethe Schiller Linden Garten Schul Berg Kirch Wald Ring Mozart Beethoven Bismarck Kaiser König Rosen Birken Eichen Feld Wiesen Mühlen Markt Dorf Post Burg Schloss Park Ufer Industrie"),
	"nl": strings.Fields("Kerk Dorps School Molen Prinsen Keizers Heren Stations Wilhelmina Juliana Beatrix Nassau Oranje Linden Eiken Berken Markt Haven Spoor Nieuwe Hoog Lange Park"),
	"sv": strings.Fields("Stor Kungs Drottning Väster Öster Norr Söder Skol Kyrko Stations Björk Ek Ringar Sjö Skogs Park Hamn Tor"),
	"da": strings.Fields("Hoved Kirke Skole Vester Øster Nørre Sønder Algade Station Bøge Ege Birke Park Strand Skov Have"),
	"no": strings.Fields("Stor Kirke Skole Karl Drammens Strand Skog Bjørke Park Stasjons Kongens Dronningens Tordenskjolds"),
	"fi": strings.Fields("Manner Kirkko Koulu Asema Koivu Kuusi Mänty Ranta Puisto Kauppa Linnan Hämeen Aleksanterin Metsä"),
	"hu": strings.Fields("Petőfi Kossuth Rákóczi Széchenyi Ady Arany József Bem Dózsa Táncsics Jókai Munkácsy Bartók Deák Vörösmarty Szabadság Fő Béke Veres"),
	"fr": {"de la Paix", "Victor Hugo", "de la République", "du Général de Gaulle", "Jean Jaurès", "des Lilas", "de l'Église", "du Moulin", "Pasteur", "de Verdun", "Saint-Michel", "des Champs-Élysées", "Voltaire", "de Paris", "du Commerce", "Émile Zola", "de la Gare", "des Vignes", "Gambetta", "Jules Ferry"},
	"es": {"Mayor", "de Alcalá", "Real", "San José", "de la Constitución", "Gran Vía", "del Sol", "Goya", "Serrano", "de la Paz", "Cervantes", "Colón", "Reforma", "Insurgentes Sur", "5 de Mayo", "Juárez", "Hidalgo", "Libertador", "San Martín", "Bolívar", "Velázquez"},
	"it": {"Roma", "Garibaldi", "Giuseppe Verdi", "Dante Alighieri", "Mazzini", "Cavour", "della Repubblica", "XX Settembre", "del Corso", "Nazionale", "Vittorio Emanuele II", "San Marco", "Marconi", "Matteotti", "dei Mille", "Torino", "Milano", "Pasquale Scura"},
	"pt": {"das Flores", "Paulista", "XV de Novembro", "do Sol", "da Liberdade", "Augusta", "Sete de Setembro", "do Comércio", "São João", "Santos Dumont", "Dom Pedro II", "Tiradentes", "Getúlio Vargas", "do Ouvidor", "da República", "Brasil", "dos Andradas"},
	"pl": {"Długa", "Mickiewicza", "Kościuszki", "Słowackiego", "Polna", "Leśna", "Ogrodowa", "Lipowa", "Krótka", "Szkolna", "Kościelna", "Marszałkowska", "Piłsudskiego", "Jana Pawła II", "3 Maja", "Nowy Świat", "Warszawska", "Majakowskiego", "Sienkiewicza"},
	"cs": {"Dlouhá", "Národní", "Husova", "Palackého", "Masarykova", "Nádražní", "Školní", "Na Kopci", "Zahradní", "Lipová", "Krátká", "Polní", "Komenského", "Jiráskova", "Pod Lesem", "Za Humny"},
	"ro": {"Mihai Eminescu", "Libertății", "Victoriei", "Unirii", "Ștefan cel Mare", "Avram Iancu", "Florilor", "Trandafirilor", "Republicii"},
	"tr": {"Atatürk", "Cumhuriyet", "İstiklal", "Bağdat", "İnönü", "Gazi", "Fevzi Çakmak", "Mimar Sinan", "Barbaros", "Menekşe", "Papatya", "Lale"},
	"ru": {"Ленина", "Пушкина", "Гагарина", "Мира", "Советская", "Садовая", "Лесная", "Центральная", "Молодежная", "Школьная", "Кирова", "Тверская", "Победы", "Московская", "Набережная"},
	"uk": {"Хрещатик", "Шевченка", "Франка", "Лесі Українки", "Соборна", "Київська", "Садова", "Миру"},
	"ar": {"الملك فهد", "التحرير", "الجامعة", "النيل", "الهرم", "الملك عبد العزيز", "السلام", "الزهور"},
	"id": {"Sudirman", "Merdeka", "Thamrin", "Gatot Subroto", "Diponegoro", "Ahmad Yani", "Melati", "Mawar", "Kebon Jeruk"},
	"hr": {"Ilica", "Vukovarska", "Savska", "Zagrebačka", "Kralja Tomislava"},
}

// road returns a street with its number in the order of a country.
func (t *teacher) road(lang string) string {
	r := t.rng
	if lang == "negative" {
		lang = "en"
	}
	if !own(lang) && r.IntN(100) < 25 {
		lang = pick(r, latin)
	}
	if vs := t.of("road", lang); vs != nil && r.IntN(100) < 40 && lang != "zh" && lang != "fa" {
		return strings.ReplaceAll(pick(r, vs), "\n", ", ")
	}
	n := strconv.Itoa(1 + r.IntN(1+r.IntN(300)))
	if r.IntN(6) == 0 {
		n += pick(r, []string{"a", "b", "c", "A", "B", "/2", "/14", "-3", " bis", " B", "-5"})
	}
	ps := persons[lang]
	name := ""
	if len(ps) > 0 {
		name = pick(r, ps)
	}
	switch {
	case len(ps) > 0 && r.IntN(4) == 0 && lang != "de" && lang != "sv" && !own(lang):
		name = t.lastName(lang)
	case len(ps) == 0:
		name = t.lastName(lang)
	}
	word := func(ws ...string) string { return pick(r, ws) }
	switch lang {
	case "de":
		switch r.IntN(8) {
		case 0:
			return word("Am Markt", "An der Kirche", "Im Wiesengrund", "Unter den Linden", "Zum Sportplatz", "Auf dem Berg", "Am Bahnhof", "Am Alten Hof") + " " + n
		case 1:
			return t.lastName("de") + word("straße", "weg", "platz", "allee", "ring", "gasse", "str.") + " " + n
		case 2:
			return word("Alte", "Neue", "Lange", "Obere", "Berliner", "Münchner", "Kölner", "Hamburger", "Frankfurter") + " " + word("Straße", "Str.", "Allee", "Gasse") + " " + n
		}
		return name + word("straße", "straße", "str.", "weg", "platz", "allee", "gasse", "strasse", "ring", "damm") + " " + n
	case "nl":
		return name + word("straat", "weg", "laan", "plein", "gracht", "kade", "dijk", "singel", "park") + " " + n
	case "sv":
		return name + word("gatan", "vägen", "gränd", "torget", "gata", "stigen") + " " + n
	case "da":
		return name + word("gade", "vej", "stræde", "plads", "allé", "gården") + " " + n
	case "no":
		return name + word("gata", "veien", "gate", "vegen", "plass", "vei") + " " + n
	case "fi":
		return name + word("katu", "tie", "kuja", "polku", "intie", "nkatu") + " " + n
	case "hu":
		return name + " " + word("utca", "u.", "út", "tér", "körút", "útja", "Mihály út") + " " + n + word("", ".", ".")
	case "fr":
		return n + word(" ", ", ", " bis ") + word("rue", "rue", "avenue", "av.", "boulevard", "bd", "place", "chemin", "impasse", "allée", "quai", "route", "cours", "passage", "Rue", "Avenue") + " " + name
	case "es":
		return word("Calle", "calle", "C/", "c/", "Avenida", "Avda.", "Av.", "Plaza", "Paseo", "Camino", "Carretera", "Ronda", "Carrera", "Cl.") + " " + name + word(" ", ", ", ", nº ", " #") + n + word("", "", "", ", 3º B", ", 2º izq.", ", piso 4", " Int. 5", ", depto. 12")
	case "it":
		return word("Via", "via", "Viale", "Piazza", "Corso", "Largo", "Vicolo", "P.zza", "V.le") + " " + name + word(" ", ", ", ", n. ") + n + word("", "", ", int. 4", ", scala B")
	case "pt":
		return word("Rua", "rua", "R.", "Avenida", "Av.", "Travessa", "Praça", "Alameda", "Largo", "Estrada") + " " + name + word(", ", ", ", " ", ", nº ") + n + word("", "", ", apto 12", ", 3º andar", " - Bloco B")
	case "pl":
		return word("ul.", "ul.", "al.", "pl.", "os.", "ulica", "aleja", "") + " " + name + " " + n + word("", "/5", " m. 3", "/12")
	case "cs", "sk":
		return persons["cs"][r.IntN(len(persons["cs"]))] + " " + n + word("", "/"+t.number(90), "")
	case "ro":
		return word("Str.", "Strada", "Bd.", "Bulevardul", "Calea", "Aleea") + " " + name + word(" ", " nr. ", ", nr. ") + n + word("", ", bl. A3, ap. 12")
	case "tr":
		return word("", name+" Mahallesi ", name+" Mah. ") + pick(r, ps) + " " + word("Caddesi", "Cad.", "Sokak", "Sk.", "Bulvarı") + word(" No: ", " No:", " ") + n + word("", "/5", " Daire 3", " D:4")
	case "ru":
		return word("ул.", "улица", "пр.", "проспект", "пер.", "наб.", "ш.", "бульвар") + " " + name + ", " + word("д. ", "", "дом ", "д.") + n + word("", ", кв. 5", ", кв. 112", ", корп. 2", " стр. 3", ", офис 12")
	case "uk", "bg":
		return word("вул.", "вулиця", "бул.", "ул.", "просп.") + " " + persons["uk"][r.IntN(len(persons["uk"]))] + ", " + n + word("", ", кв. 7")
	case "el":
		return word("", "Οδός ", "Λεωφ. ") + t.lastName("el") + " " + n
	case "ar", "fa":
		if lang == "fa" {
			return word("خیابان", "بلوار", "کوچه") + " " + t.lastName("fa") + "، پلاک " + n
		}
		return n + " " + word("شارع", "طريق", "حي") + " " + name
	case "he":
		return word("רחוב ", "רח' ", "שדרות ", "") + t.lastName("he") + " " + n
	case "hi":
		return word("मकान नंबर ", "") + n + ", " + t.lastName("hi") + " " + word("मार्ग", "नगर", "रोड", "कॉलोनी")
	case "id":
		return word("Jl.", "Jalan", "Gang", "Jln.") + " " + name + word(" No. ", " No.", " ") + n + word("", " RT 03/RW 05")
	case "vi":
		return word("", "Số ") + n + word(" ", "/5 ") + word("đường", "Đường", "phố", "ngõ", "Phố") + " " + word("Lê Lợi", "Nguyễn Huệ", "Trần Hưng Đạo", "Hai Bà Trưng", "Lý Thường Kiệt", "Điện Biên Phủ") + word("", ", Phường 5, Quận 3", ", Quận 1")
	case "hr", "sl":
		return word("Ulica ", "Trg ", "") + pick(r, persons["hr"]) + " " + n
	case "zh":
		return word("建国", "人民", "中山", "解放", "和平", "长安", "南京", "新华", "文化", "学院", "朝阳", "幸福", "滨江", "科技") + word("路", "街", "大道", "东路", "西路", "北街", "南路", "巷", "中路") + n + word("号", "号", "弄3号") + word("", "", "2栋301室", "3号楼2单元502室", "A座12层", "5楼")
	case "ja":
		return word("西神田", "神南", "西新宿", "赤坂", "本郷", "恵比寿", "道玄坂", "丸の内", "銀座", "六本木", "本町", "中央", "栄", "緑町", "桜木町", "東新宿", "南青山", "北野", "大手町", "旭町") + word(n+"丁目"+t.number(20)+"番"+t.number(20)+"号", t.number(9)+"-"+t.number(30)+"-"+t.number(30), t.number(5)+"丁目"+t.number(30)+"-"+t.number(20)) + word("", "", " コーポ101", " ハイツ桜203号室")
	case "ko":
		return word("테헤란로", "세종대로", "강남대로", "중앙로", "봉은사로", "올림픽로", "한강로", "월드컵로", "독립문로") + word(" ", " ") + n + word("", "번길 "+t.number(30), "", " 101동 502호", " 3층")
	}
	num := strconv.Itoa(1 + r.IntN(1+r.IntN(9999)))
	if r.IntN(14) == 0 {
		num += word("A", "B", "b", " 1/2", "-12")
	}
	s := num + " "
	if r.IntN(5) == 0 {
		s += word("N ", "S ", "E ", "W ", "North ", "South ", "West ", "East ", "NE ", "SW ", "N. ")
	}
	switch r.IntN(10) {
	case 0, 1:
		s += t.lastName("en") + " " + pick(r, suffixes)
	case 2:
		s += word("1st", "2nd", "3rd", "4th", "5th", "12th", "21st", "42nd", "Fifth", "Seventh", "103rd") + " " + word("St", "Street", "Ave", "Avenue")
	case 3:
		s += word("Martin Luther King Jr", "Nelson Mandela", "John F. Kennedy", "Old Mill", "Rolling Hills", "Saint Andrews", "Lake Shore", "Santa Monica", "Mahatma Gandhi", "MG", "Van Ness") + " " + word("Blvd", "Drive", "Rd", "Avenue", "Way", "Road")
	case 4:
		s += word("Broadway", "The Avenue", "The Green", "Highway 12", "Route 66", "Kingsway", "Piccadilly", "Esplanade", "County Road 5", "Rosebank", "Langley Park")
	default:
		s += pick(r, nouns) + " " + pick(r, suffixes)
	}
	if r.IntN(14) == 0 {
		s += word(" NW", " SE", " North", " W", " NE")
	}
	if r.IntN(4) == 0 {
		s += word(", ", " ", ", ") + word("Apt ", "Apt. ", "Suite ", "Unit ", "#", "Ste ", "Floor ", "Flat ", "Apartment ", "Rm ") + word(t.number(900), t.number(30)+"B", "4B", "C")
	} else if r.IntN(25) == 0 {
		s = word("Flat ", "Unit ", "Apt ") + t.number(40) + ", " + s
	} else if r.IntN(30) == 0 {
		s = word("PO Box ", "P.O. Box ", "P. O. Box ", "Post Office Box ") + t.number(9999)
	}
	return s
}

// box returns a box at a post office.
func (t *teacher) box(lang string) string {
	words := []string{"PO Box ", "P.O. Box ", "P. O. Box ", "Post Office Box ", "PO BOX ", "GPO Box ", "POB ", "Postfach ", "Apartado ", "BP ", "Casella Postale ", "Caixa Postal ", "Postbus ", "Boîte postale "}
	if lang == "en" {
		words = words[:7]
	}
	s := pick(t.rng, words) + t.number(9999)
	if t.rng.IntN(3) == 0 {
		return s
	}
	if lang == "en" {
		return s + ", " + t.city(lang) + ", " + pick(t.rng, states) + " " + t.postcode("")
	}
	return s + ", " + t.postcode(lang) + " " + t.city(lang)
}

func (t *teacher) postcode(lang string) string {
	if lang == "negative" || lang == "en" {
		switch t.rng.IntN(6) {
		case 0:
			return pick(t.rng, []string{"SW1A 1AA", "M1 4BT", "EC2V 7HH", "B33 8TH", "CR2 6XH", "G12 8QQ", "LS1 5DA", "N1 9GU"})
		case 1:
			return pick(t.rng, []string{"K1A 0B1", "M5V 2T6", "V6B 1A1", "H3Z 2Y7"})
		case 2:
			return fmt.Sprintf("%05d-%04d", t.rng.IntN(99999), t.rng.IntN(9999))
		}
		return fmt.Sprintf("%05d", 1000+t.rng.IntN(98000))
	}
	if vs := t.of("postcode", lang); vs != nil {
		return pick(t.rng, vs)
	}
	return fmt.Sprintf("%05d", 1000+t.rng.IntN(98000))
}

// whole returns an address with its place.
func (t *teacher) whole(lang string) string {
	r := t.rng
	if lang == "negative" {
		lang = "en"
	}
	if !own(lang) && r.IntN(100) < 20 {
		lang = pick(r, latin)
	}
	if vs := t.of("address", lang); vs != nil && r.IntN(100) < 35 && lang != "fa" {
		s := pick(r, vs)
		if r.IntN(4) > 0 {
			s = strings.ReplaceAll(s, "\n", ", ")
		}
		return s
	}
	road := t.road(lang)
	sep := ", "
	if r.IntN(5) == 0 {
		sep = "\n"
	}
	town := t.city(lang)
	switch lang {
	case "en":
		switch r.IntN(6) {
		case 0:
			return road + sep + town
		case 1:
			return road + sep + town + " " + t.postcode("en")
		case 2:
			return road + sep + town + ", " + t.postcode("en") + pick(r, []string{"", ", UK", ", United Kingdom", ", Australia", ", Ireland"})
		case 3:
			return road + " " + town + " " + pick(r, states) + " " + t.postcode("en")
		}
		return road + sep + town + ", " + pick(r, states) + " " + t.postcode("en") + pick(r, []string{"", "", "", ", USA", ", United States", "\nUSA"})
	case "zh":
		return pick(r, []string{"北京市", "上海市", "广东省深圳市", "浙江省杭州市", "四川省成都市", "江苏省南京市", "湖北省武汉市", "陕西省西安市", "天津市", "广州市", "重庆市", "山东省青岛市"}) + pick(r, []string{"朝阳区", "海淀区", "浦东新区", "南山区", "西湖区", "武侯区", "天河区", "江宁区", "高新区", "和平区", ""}) + road
	case "ja":
		return pick(r, []string{"", "", "〒" + t.postcode("ja") + " "}) + pick(r, []string{"東京都", "東京都", "兵庫県神戸市", "広島県広島市", "宮城県仙台市", "静岡県浜松市", "新潟県新潟市", "大阪府大阪市", "神奈川県横浜市", "愛知県名古屋市", "北海道札幌市", "福岡県福岡市", "京都府京都市", "埼玉県さいたま市", "千葉県千葉市"}) + pick(r, []string{"中央区", "千代田区", "港区", "渋谷区", "世田谷区", "中野区", "品川区", "北区", "新宿区", "西区", "中区", "南区"}) + road
	case "ko":
		return pick(r, []string{"서울특별시 강남구 ", "서울시 마포구 ", "부산광역시 해운대구 ", "경기도 성남시 분당구 ", "대구광역시 수성구 ", "인천 남동구 ", "서울 종로구 ", "대전광역시 유성구 "}) + road
	case "ru", "uk":
		switch r.IntN(3) {
		case 0:
			return pick(r, []string{"г. ", "город ", ""}) + town + ", " + road
		case 1:
			return strconv.Itoa(100000+r.IntN(599999)) + ", г. " + town + ", " + road
		}
		return road + ", " + town
	case "tr":
		return road + sep + pick(r, []string{"34000 ", "06100 ", "35210 ", ""}) + pick(r, []string{"Kadıköy/İstanbul", "Çankaya/Ankara", "Konak / İzmir", "Beşiktaş, İstanbul", "Bursa", "Antalya"})
	case "pt":
		return road + sep + town + pick(r, []string{" - SP", "/RJ", ", CEP " + t.postcode("pt"), "", ", " + t.postcode("pt")})
	case "hu":
		if r.IntN(2) == 0 {
			return strconv.Itoa(1000+r.IntN(8999)) + " " + town + ", " + road
		}
	case "ar", "he", "hi", "id", "vi", "fa":
		return road + pick(r, []string{", ", "، "}) + town + pick(r, []string{"", " " + t.number(99999)})
	}
	code := t.postcode(lang)
	switch r.IntN(8) {
	case 0:
		return road + sep + town
	case 1:
		return road + sep + code + " " + town + sep + pick(r, t.lists.by["country"]["geonames"])
	case 2:
		return road + " " + code + " " + town
	}
	return road + sep + code + " " + town
}
