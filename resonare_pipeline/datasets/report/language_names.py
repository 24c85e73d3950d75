"""English names of languages by their ISO 639 codes, for people who read a page."""

_NAMES = """
af Afrikaans; am Amharic; an Aragonese; ar Arabic; as Assamese; az Azerbaijani; be Belarusian
bg Bulgarian; bn Bengali; br Breton; bs Bosnian; ca Catalan; cs Czech; cy Welsh; da Danish
de German; dz Dzongkha; el Greek; en English; eo Esperanto; es Spanish; et Estonian; eu Basque
fa Persian; fi Finnish; fo Faroese; fr French; fy Frisian; ga Irish; gl Galician; gu Gujarati
he Hebrew; hi Hindi; hr Croatian; ht Haitian Creole; hu Hungarian; hy Armenian; id Indonesian
is Icelandic; it Italian; ja Japanese; jv Javanese; ka Georgian; kk Kazakh; km Khmer; kn Kannada
ko Korean; ku Kurdish; ky Kyrgyz; la Latin; lb Luxembourgish; lo Lao; lt Lithuanian; lv Latvian
mg Malagasy; mk Macedonian; ml Malayalam; mn Mongolian; mr Marathi; ms Malay; mt Maltese
my Burmese; nb Norwegian Bokmål; ne Nepali; nl Dutch; nn Norwegian Nynorsk; no Norwegian
oc Occitan; or Odia; pa Punjabi; pl Polish; ps Pashto; pt Portuguese; qu Quechua; ro Romanian
ru Russian; rw Kinyarwanda; se Northern Sami; si Sinhala; sk Slovak; sl Slovenian; so Somali
sq Albanian; sr Serbian; sv Swedish; sw Swahili; ta Tamil; te Telugu; tg Tajik; th Thai; tl Tagalog
tr Turkish; ug Uyghur; uk Ukrainian; ur Urdu; uz Uzbek; vi Vietnamese; vo Volapük; wa Walloon
xh Xhosa; yi Yiddish; zh Chinese; zu Zulu; und not known; ace Acehnese; ary Moroccan Arabic
arz Egyptian Arabic; ba Bashkir; bcl Central Bikol; crh Crimean Tatar; ext Extremaduran
fuv Nigerian Fulfulde; gcf Guadeloupean Creole; gcr Guianese Creole; gd Scottish Gaelic
gom Goan Konkani; grc Ancient Greek; gug Paraguayan Guarani; guw Gun; ha Hausa
hbo Ancient Hebrew; ig Igbo; kab Kabyle; kik Kikuyu; lg Ganda; lij Ligurian; ln Lingala
ltg Latgalian; nso Northern Sotho; om Oromo; pcm Nigerian Pidgin; sa Sanskrit
sdh Southern Kurdish; sn Shona; st Southern Sotho; tk Turkmen; tt Tatar; uzs Southern Uzbek
vec Venetian; wuu Wu Chinese; yo Yoruba; yue Cantonese; zxx no language
"""

NAMES = {
    code: name
    for entry in _NAMES.replace("\n", ";").split(";")
    if entry.strip()
    for code, name in [entry.strip().split(" ", 1)]
}


def language_name(code: str) -> str:
    """Return a language's English name, or its code where that is unknown."""
    return NAMES.get(code, code)
