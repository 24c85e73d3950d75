"""Words that say what the number beside them is: an order, a phone, a card, an amount.

Facts of some twenty languages. A number without any such word is judged by its form alone.
"""

import re
from collections.abc import Iterable

from resonare_pipeline.privacy.alternation import alternation

_LOOK_BACK = 32  # characters before a number in which a word counts: some four words
_LOOK_AHEAD = 18  # characters behind it


def _words(whole: str, inside: str) -> re.Pattern[str]:
    """Compile words that stand by themselves, and others that may stand inside a word."""
    return re.compile(f"{alternation(whole, whole=True)}|{alternation(inside)}", re.IGNORECASE)


ORDER = _words(
    # English
    "orders? order_(?:no|id|number|code) invoices? tickets? tracking booking bookings reservation "
    "reference ref ids? isbns? issn doi ean upc asin sku serial s/?n imei case parcel shipment "
    "receipt article item product part po contract policy customer member membership account acct "
    "transaction txn payment claim flight confirmation conf version v commit issue bug pr build "
    "page "
    "pages row line lot batch model barcode zip zipcode postcode rfc uid uuid pid steam_id chat_id "
    "user_id timestamp unix epoch seed checksum crc md5 docket permit patent "
    # German
    "bestellung auftrag rechnung sendung paket kunde vorgang aktenzeichen az artikel beleg vertrag "
    # French
    "commande facture colis suivi dossier réservation référence réf billet contrat "
    # Spanish, Portuguese, Italian, Catalan
    "pedido factura paquete seguimiento envío reserva referencia expediente boleto "
    "encomenda fatura rastreio rastreamento protocolo reserva código ordine fattura spedizione "
    "prenotazione pratica pacco codice "
    # Dutch, Nordic
    "bestelling factuur pakket zending ordre faktura pakke sending ordernummer tilaus lasku "
    "paketti "
    "beställning paket försändelse "
    # Polish, Czech, Romanian, Hungarian
    "zamówienie zamówienia faktury przesyłka przesyłki paczka paczki rezerwacja rezerwacji "
    "objednávka objednávky zásilka zásilky faktura comandă comanda factură rendelés számla csomag "
    # Turkish, Indonesian, Vietnamese, Swahili
    "sipariş siparis fatura kargo takip rezervasyon pesanan invoice resi kode_booking faktur "
    "đơn_hàng hóa_đơn mã_đơn mã_vận_đơn vận_đơn "
    # Cyrillic
    "заказ[ауе]? заказов трек трек-номер счет[ау]? счёт[ау]? накладн(?:ая|ой|ую) артикул "
    "заявк[аиу] "
    "бронь брони бронировани[ея] посылк[аиу] отправлени[ея] договор[ау]? инн снилс огрн замовлення "
    "посилк[аи] рахунок ттн поръчка фактура поруџбина "
    # Hebrew, Arabic, Persian
    "הזמנה חשבונית משלוח טיפול فاتورة الفاتورة طلب الطلب طلبية الطلبية شحنة الشحنة تتبع التتبع حجز "
    "الحجز سفارش فاکتور مرسوله پیگیری رهگیری",
    # Compounds and scripts without spaces
    "bestellnummer bestellnr auftragsn rechnungsn sendungsn kundenn vorgangsn artikeln vertragsn "
    "seriennummer ordernum ordrenum fakturanum kollinummer tilausnum bestelnum factuurnum "
    "zendingsnum "
    "订单 訂單 单号 單號 发票 發票 快递 快遞 运单 编号 編號 案号 注文 伝票 請求書 追跡 予約番号 "
    "受付番号 整理番号 주문 "
    "송장 운송장 예약 인보이스 접수번호 คำสั่งซื้อ ใบแจ้งหนี้ ใบเสร็จ พัสดุ ऑर्डर इनवॉइस चालान बिल_नं "
    "booking_ref №_?",
)
"""Numbers of orders, invoices, parcels and the like."""

PHONE = _words(
    # English
    "call calls called phone phones tel telephone cell cellphone mobile whatsapp whats_?app "
    "viber sms "
    "text_(?:me|him|her|us|them) texted ring_(?:me|him|her|us) dial hotline landline fax "
    "reach_(?:me|us|him|her|them) "
    "mob ph callback voicemail telegram signal contact extension ext helpline "
    # German
    "anruf rufe? ruft angerufen anrufen telefon telefonisch handy mobil mobilnummer handynummer "
    "telefonnummer rufnummer festnetz durchwahl erreichbar erreichst erreichen "
    # French
    "appelle appelez appeler appelle-moi téléphone telephone portable tél joindre joignable "
    "rappelle "
    "rappelez fixe mobile "
    # Spanish, Portuguese, Italian, Catalan, Romanian
    "llama llamar llámame llamame llámanos llámale teléfono telefono móvil movil cel celular fono "
    "marca márcame liga ligar ligue telefone telemóvel telemovel zap chiama chiamami chiamare "
    "chiamatemi cellulare cell fisso recapito telefoni sună suna sunați mobil telefonul truca "
    # Dutch, Nordic, Finnish, Estonian, Baltic
    "bel bellen telefoon mobiel ring ringe mobilen mobilnr tlf tlfnr telefonnummer ringa puhelin "
    "soita soitto puhelinnumero helista skambink tālrunis zvani "
    # Polish, Czech, Hungarian, Croatian, Slovene
    "zadzwoń zadzwon dzwoń dzwon dzwonić telefonu komórka komórkę kom zavolej zavolejte volej "
    "volejte "
    "volať mobilu hívj hívjon hívd telefonom telefonszám nazovi zovi pokliči "
    # Turkish, Indonesian, Malay, Tagalog, Vietnamese, Swahili
    "ara arayın arayin arayabilirsin telefonum cep telefonu hubungi hp wa nelpon telp telepon "
    "telpon "
    "hubungin tawag tawagan gọi điện_thoại sđt dt đt zalo liên_hệ liên_lạc piga simu "
    # Cyrillic
    "позвони(?:те)? звони(?:те)? набери(?:те)? перезвони(?:те)? тел телефон[ауе]? моб "
    "мобильн(?:ый|ого) "
    "вотсап ватсап вайбер звонить дзвони подзвони зателефонуй(?:те)? телефону набирай обади "
    "обаждай "
    "позови зови телефонъ қоңырау "
    # Greek, Hebrew, Arabic, Persian
    "τηλέφωνο τηλ κινητό κάλεσε πάρε καλέστε טלפון נייד תתקשר תתקשרי להתקשר פלאפון תתקשרו اتصل "
    "اتصلي "
    "اتصلوا هاتف هاتفي الهاتف جوال جوالي الجوال موبايل واتساب تلفون تليفون كلمني تلفن تماس "
    "موبایل زنگ "
    "بزن همراه کال فون "
    # Hindi, Bengali, Urdu
    "फोन फ़ोन कॉल मोबाइल व्हाट्सएप ফোন কল মোবাইল",
    "电话 電話 手机 手機 拨打 撥打 打给 打給 致电 联系方式 携帯 ケータイ 전화 휴대폰 핸드폰 "
    "폰번호 연락처 연락 โทร เบอร์ "
    "มือถือ ทางโทรศัพท์ ទូរស័ព្ទ ဖုန်း ໂທ ტელეფონ დარეკ հեռախոս",
)
"""What people do with phones, and what they call them."""

NUMBER = _words(
    "numbers? num nr nummer numéro numero número numer číslo broj номер[ауе]? номерок numara "
    "numarası numaram numaran numurs numeris nomor nombor số नंबर নম্বর نمبر رقم رقمي رقمك الرقم "
    "شماره "
    "αριθμός מספר המספר number's namba nambari szám száma telefonszám",
    "号码 號碼 番号 번호",
)
"""Words for a number of any kind; they say phone where nothing says order."""

CARD = _words(
    "card cards visa mastercard amex maestro карт[аыуе]? kart kartı kartım karte kreditkarte carte "
    "tarjeta carta cartão karta kartę karty kartu kortti kort कार्ड بطاقة البطاقة thẻ כרטיס mir",
    "카드 カード 卡号 卡號 银行卡 信用卡",
)

_BEHIND = re.compile(
    r"(?:[.,]\d{1,3}(?!\d))?[ "
    r"\u00a0\u202f]?(?:[$€£¥₽₴₺₹₩₫₪₱%°]|(?:USD|EUR|GBP|RUB|UAH|PLN|CHF|JPY|CNY|INR|BRL|TRY|VND|KRW|IDR|Rp"
    r"|руб|р|грн|тг|тенге|zł|zl|kr|kč|ft|lei|tl|won|đồng|đ|vnd|dollars?|euros?|pounds?|rubles?|bucks|yen"
    r"|yuan|rupees?|rupiah|円|元|원|บาท|млн|млрд|тыс|mio|mrd|million|billion|millones|millions"
    r"|kg|g|km|m|cm|mm|m²|km²|mi|ft|lbs?|gb|mb|kb|tb|bytes?|байт|views?|просмотров|likes?|steps|pcs|шт"
    r"|people|inhabitants|einwohner|habitants|habitantes|abitanti|человек|жителей|osób|mieszkańców"
    r"|followers|подписчиков|units?|points?|pts|px|ms|sec|seconds|секунд)(?![^\W\d_]))",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"(?:[$€£¥₽₴₺₹₩₫₪₱§]|(?<![^\W_])(?:USD|EUR|GBP|RUB|CHF|JPY|CNY|INR|BRL|IDR|VND|KRW|Rp\.?|Rs\.?|R\$|kr\.?"
    r"|CNY|RMB|UAH|PLN|TRY|TL|PKR|NGN|KES))[ \u00a0\u202f]?$",
    re.IGNORECASE,
)


def _last(pattern: re.Pattern[str], text: str) -> int:
    """Return where the last match in a text ends, or -1."""
    return max((match.end() for match in pattern.finditer(text)), default=-1)


def before(text: str, start: int) -> str:
    """Return the words before a number, on its line."""
    return text[max(0, start - _LOOK_BACK) : start].rpartition("\n")[2]


def behind(text: str, end: int) -> str:
    """Return the words behind a number, on its line."""
    return text[end : end + _LOOK_AHEAD].partition("\n")[0]


def is_amount(text: str, start: int, end: int) -> bool:
    """Tell whether a currency or a unit stands beside a number."""
    return bool(_BEHIND.match(text, end) or _BEFORE.search(text, max(0, start - 6), start))


def is_order(text: str, start: int, stronger: Iterable[re.Pattern[str]]) -> bool:
    """Tell whether a word for orders stands before a number, and no stronger word behind that."""
    words = before(text, start)
    order = _last(ORDER, words)
    return order >= 0 and all(_last(pattern, words) < order for pattern in stronger)


def is_phone(text: str, start: int, end: int) -> bool:
    """Tell whether a word says that a number is a phone number."""
    words = before(text, start)
    if PHONE.search(words):
        return True
    if ORDER.search(words):
        return False
    return bool(NUMBER.search(words) or PHONE.search(behind(text, end)))


def follows_number_word(text: str, start: int) -> bool:
    """Tell whether a number of digits alone is said to be no card."""
    return is_order(text, start, (CARD,))
