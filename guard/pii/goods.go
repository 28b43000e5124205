package pii

import (
	"bytes"
	"strings"

	"github.com/ringwall/ringwall/guard/normalize"
	"github.com/ringwall/ringwall/guard/stream"
)

// ofThing is ofGoods, and remembers its answer.
func (c *cursor) ofThing(w stream.Window, i int) bool {
	if at := w.Base + i + 1; c.asked != at {
		c.asked, c.thing = at, ofGoods(w.Folded, i)
	}
	return c.thing
}

// ofGoods reports whether the word before t[i] says that the number is that of a
// thing, or of a paper about things; between them may stand what numbers are
// called. t is folded.
func ofGoods(t []byte, i int) bool {
	end := i
	for range 3 {
		from := end
		for end > 0 && from-end < 4 && contains(" :#.=-_\"'>", t[end-1]) {
			end--
		}
		start := end
		for start > 0 && end-start < maxTerm && inWord(t[start-1]) {
			start--
		}
		if start == end {
			return false
		}
		word := t[start:end]
		if goods[string(word)] {
			return true
		}
		if word[len(word)-1] >= 0x80 {
			for _, g := range goodsAnywhere {
				if bytes.HasSuffix(word, g) {
					return true
				}
			}
		}
		if !numberWords[string(word)] {
			return false
		}
		end = start
	}
	return false
}

// goods are things, and the papers about them, that are numbered as people are.
var goods = words(`part parts model sku item items article serial sn order orders invoice invoices ticket tickets batch lot tracking track parcel shipment package consignment isbn issn ean upc gtin asin case extension ext
	meeting webinar conference zoom transaction txn trx booking reservation confirmation quote quotation receipt purchase po rma claim docket bug issue pr row line version build release commit revision rev trace span request req
	job pid tid process thread timestamp ts epoch doi pmid pmc arxiv usps ups fedex dhl gls dpd hermes tnt flight train seat gate catalog catalogue product prod stock inventory asset barcode barcodes chapter section clause page error
	bestellnummer bestellung rechnungsnummer rechnung auftragsnummer auftrag artikelnummer artikel seriennummer sendungsnummer sendung lieferschein vorgangsnummer aktenzeichen teilenummer chargennummer
	commande facture colis suivi reclamation devis pedido factura seguimiento albaran articulo referencia ordine fattura spedizione articolo encomenda fatura rastreio nota ordernummer bestelling bestelnummer factuur factuurnummer zending pakket
	zamowienia zamowienie faktura faktury przesylki paczki order-nr fakturanummer ordrenummer forsendelse paket kolli tilaus tilausnumero lasku laskunumero seuranta objednavka objednavky zasilka rendeles rendelesszam szamla szamlaszama csomag comanda colet siparis takip
	заказ заказа счет-фактура накладная отправления трек посылка замовлення накладна παραγγελια τιμολογιο طلب الطلب فاتورة الفاتورة שחנה הזמנה חשבונית ऑर्डर चालान pesanan faktur resi`)

// goodsAnywhere end words of scripts that put no spaces between them.
var goodsAnywhere = func() (list [][]byte) {
	for w := range strings.FieldsSeq("注文番号 注文 伝票番号 追跡番号 問い合わせ番号 受付番号 予約番号 整理番号 商品番号 製造番号 管理番号 请求番号 請求書番号 订单号 订单编号 订单 訂單編號 訂單 快递单号 运单号 单号 发票号 發票號碼 流水号 편 주문번호 송장번호 운송장번호 예약번호 접수번호 상품번호 หมายเลขคำสั่งซื้อ เลขพัสดุ") {
		list = append(list, []byte(normalize.Fold(w)))
	}
	return list
}()

// numberWords are what numbers are called.
var numberWords = words("number numbers num no nr nro id ids code ref reference nummer numero numer numara cislo szam номер # of n")

func words(list string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		m[normalize.Fold(w)] = true
	}
	return m
}
