"""Broken and hostile books: their text, or a clear error, within limits."""

import io
import zipfile

import pytest

from resonare_pipeline.books.cleaning.cleaning import clean
from resonare_pipeline.books.coverage import measure
from resonare_pipeline.books.limits import Limits
from resonare_pipeline.books.opening import open_book
from resonare_pipeline.errors import InputError
from tests.books.making import CONTAINER, archive, chapters, epub, opened, package, page

ENCRYPTED = (
    '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
    '<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#"><EncryptionMethod Algorithm="{}"/>'
    '<CipherData><CipherReference URI="OPS/{}"/></CipherData></EncryptedData></encryption>'
)


def text(content: bytes) -> str:
    return "\n\n".join(row["text"] for row in chapters(content).rows)


def encrypted(algorithm: str) -> bytes:
    found = ENCRYPTED.format(algorithm, "a.xhtml")
    return epub({"a.xhtml": "<p>x</p>"}, extra={"META-INF/encryption.xml": found})


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "no ZIP archive"),
        (b"%PDF-1.7", "no ZIP archive"),
        (epub({"a.xhtml": "<p>x</p>"})[:-30], "no ZIP archive"),
        (archive({"a.txt": "x"}), "no package document"),
        (archive({"META-INF/container.xml": CONTAINER}), "no package document"),
        (archive({"META-INF/container.xml": CONTAINER, "OPS/book.opf": ""}), "it is empty"),
        (archive({"META-INF/container.xml": CONTAINER, "OPS/book.opf": package([])}), "no text"),
        (epub({"a.xhtml": b""}), "none of its documents"),
        (encrypted("http://www.w3.org/2001/04/xmlenc#aes128-cbc"), "protected"),
        (encrypted("http://ns.adobe.com/adept/xmlenc#aes128-cbc-uncompressed"), "protected"),
    ],
)
def test_what_is_no_book_is_refused_with_a_sentence(content: bytes, found: str) -> None:
    with pytest.raises(InputError, match=found) as caught:
        opened(content)
    assert caught.value.where.startswith("book.epub")


@pytest.mark.parametrize(
    "algorithm", ["http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"]
)
def test_scrambled_fonts_are_no_protection(algorithm: str) -> None:
    assert text(encrypted(algorithm)) == "x"


def test_an_encrypted_entry_is_refused() -> None:
    content = bytearray(epub({"a.xhtml": "<p>x</p>"}))
    place = content.rindex(b"PK\x01\x02", 0, content.rindex(b"OPS/a.xhtml"))
    content[place + 8] |= 1
    with pytest.raises(InputError, match=r"OPS/a.xhtml is encrypted.*protected"):
        opened(bytes(content))


def test_a_bomb_is_unpacked_no_further_than_the_limit() -> None:
    limits = Limits(document_bytes=1 << 20, book_bytes=3 << 20)
    bomb = epub({"a.xhtml": page("<p>" + "0" * (8 << 20) + "</p>")})
    with pytest.raises(InputError, match="unpacks to more; expected at most 1048576 bytes"):
        open_book(io.BytesIO(bomb), "book.epub", limits=limits)
    many = epub({f"{n}.xhtml": page("<p>" + "0" * 900_000 + "</p>") for n in range(5)})
    with pytest.raises(InputError, match="unpacks to more"):
        open_book(io.BytesIO(many), "book.epub", limits=limits)


def test_images_are_never_unpacked() -> None:
    limits = Limits(document_bytes=1 << 20, book_bytes=1 << 20)
    book = epub({"a.xhtml": "<p>x</p>"}, extra={"OPS/a.png": b"0" * (8 << 20)})
    assert open_book(io.BytesIO(book), "book.epub", limits=limits).documents


def test_too_many_files_and_elements_are_refused() -> None:
    book = epub({"a.xhtml": "<p>x</p>" + "<b/>" * 2000})
    with pytest.raises(InputError, match="too many elements"):
        open_book(io.BytesIO(book), "book.epub", limits=Limits(elements=1000))
    with pytest.raises(InputError, match="it holds 4 files"):
        open_book(io.BytesIO(book), "book.epub", limits=Limits(entries=2))


def test_names_that_lead_out_of_the_archive_lead_nowhere() -> None:
    documents = {
        "../../../../etc/passwd": "<p>kept: only a name</p>",
        "a.xhtml": "<p>x<img src='/etc/passwd'/><img src='../../../../etc/hosts' alt='h'/></p>",
    }
    assert "root:" not in text(epub(documents))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_entries_with_one_name_the_last_counts() -> None:
    stream = io.BytesIO(epub({"a.xhtml": "<p>first</p>"}))
    with zipfile.ZipFile(stream, "a") as target:
        target.writestr("OPS/a.xhtml", page("<p>last</p>"))
    assert text(stream.getvalue()) == "last"


def test_names_that_do_not_say_that_they_are_utf_8_are_found() -> None:
    book = epub({"é.xhtml": "<p>x</p>"})
    plain = book.replace("é".encode(), b"__") if b"\xc3\xa9" in book else book
    assert text(book) == "x"
    raw = bytearray(plain)
    # The flag that says UTF-8 is taken from both headers; the bytes stay.
    for mark, offset in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        place = raw.find(mark)
        while place >= 0:
            raw[place + offset] &= 0xF7
            place = raw.find(mark, place + 4)
    with pytest.raises(InputError):
        opened(bytes(raw))
    kept = bytearray(book)
    for mark, offset in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        place = kept.find(mark)
        while place >= 0:
            kept[place + offset] &= 0xF7
            place = kept.find(mark, place + 4)
    assert text(bytes(kept)) == "x"


def test_addresses_may_be_escaped_or_of_another_case() -> None:
    files = epub({"a b.xhtml": "<p>x</p>"}, manifest="<item id='e' href='A%20B.xhtml'/>")
    assert text(files) == "x"


def test_external_entities_are_never_loaded_and_internal_ones_do_not_grow() -> None:
    head = (
        '<!DOCTYPE html [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
        '<!ENTITY file SYSTEM "file:///etc/passwd"><!ENTITY own "mine">]>'
    )
    body = "<html><body><p>x &own; &file; &b; y</p></body></html>"
    found = text(epub({"a.xhtml": head + body}))
    assert found.startswith("x mine")
    assert found.endswith("y")
    assert "root:" not in found
    assert "aaaaaaaaaaaa" not in found


def test_many_uses_of_a_long_entity_do_not_fill_memory() -> None:
    head = f'<!DOCTYPE html [<!ENTITY a "{"a" * 1000}">]>'
    body = f"<html><body><p>{'&a;' * 100_000}</p></body></html>"
    assert len(text(epub({"a.xhtml": head + body}))) <= 1 << 20


@pytest.mark.parametrize("tag", ["div", "b", "blockquote", "ul", "table", "sup"])
def test_deep_nesting_keeps_its_text(tag: str) -> None:
    for depth in (100, 5_000):
        body = f"<{tag}>" * depth + "deep" + f"</{tag}>" * depth + "<p>after</p>"
        found = text(epub({"a.xhtml": body}))
        assert found.count("deep") == 1
        assert found.endswith("after")


def test_a_million_empty_elements_are_passed_over() -> None:
    assert text(epub({"a.xhtml": "<p>x</p>" + "<b/>" * 1_000_000 + "<p>y</p>"})) == "x\n\ny"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("<html><body><p>a<p>b<br>c &nbsp;d</body>", "a\n\nb  \nc \u00a0d"),
        ("<html><head><title/></head><body><p>a & b < c</p><script/><p>d</p>", "a & b < c\n\nd"),
        ("<p>no html<ul><li>x", "no html\n\n- x"),
        ("<html><body><p>a\x00\x0bb</p></body></html>", "ab"),
        ("<html><body><p>&#0;&#x1F;a&#x92;s</p></body></html>", "a’s"),
        ('<?xml version="1.1"?><html><body><p>x</p></body></html>', "x"),
        ("<html><body><p>&eacute;&hellip;&foo;</p></body></html>", "é…&foo;"),
    ],
)
def test_broken_xhtml_is_read_as_a_browser_would(document: str, expected: str) -> None:
    assert text(epub({"a.xhtml": document.encode()})) == expected.replace("&foo;", "\\&foo;")


@pytest.mark.parametrize(
    "content",
    [
        '<?xml version="1.0" encoding="iso-8859-1"?><html><body><p>é</p></body></html>'.encode(
            "latin-1"
        ),
        "<html><body><p>é</p></body></html>".encode("cp1252"),
        "\ufeff<html><body><p>é</p></body></html>".encode("utf-16-le"),
        "<html><body><p>é</p></body></html>".encode("utf-16-be"),
        '<?xml version="1.0" encoding="nonsense"?><html><body><p>é</p></body></html>'.encode(),
        '<?xml version="1.0" encoding="utf-16"?><html><body><p>é</p></body></html>'.encode(),
        '<html><head><meta charset="windows-1252"/></head><body><p>é</p></body></html>'.encode(
            "cp1252"
        ),
    ],
)
def test_encodings_are_found_whatever_is_declared(content: bytes) -> None:
    assert text(epub({"a.xhtml": content})) == "é"


def test_one_damaged_document_leaves_the_others() -> None:
    content = bytearray(
        epub({"a.xhtml": "<p>" + "first " * 200 + "</p>", "b.xhtml": "<p>second</p>"})
    )
    place = content.index(b"OPS/a.xhtml") + len("OPS/a.xhtml")
    content[place + 4 : place + 12] = b"\xff" * 8
    assert text(bytes(content)) == "second"


def test_a_book_without_mimetype_nav_or_container_is_read() -> None:
    files = {"x/book.opf": package(["a.xhtml"], has_nav=False), "x/a.xhtml": page("<p>x</p>")}
    assert text(archive(files, mimetype=False)) == "x"


def test_what_grows_with_the_square_of_a_book_is_bounded() -> None:
    # Each of these took minutes or gigabytes where a pattern or a span was not bounded.
    quoted = "<blockquote>" * 60 + "<p>x</p>" + "</blockquote>" * 60
    table = "<table><tr><th>h</th></tr>" + "<tr><td rowspan='65000'>a</td></tr>" * 3000 + "</table>"
    wide = "<table><tr><th>h</th></tr>" + "<tr><td>b</td></tr>" * 3000
    wide += "<tr>" + "<td colspan='1000'>a</td>" * 20 + "</tr></table>"
    brackets = "<mo>(</mo>" * 2000 + "<mfrac><mi>x</mi><mi>y</mi></mfrac>" + "<mo>)</mo>" * 2000
    math = f"<math xmlns='http://www.w3.org/1998/Math/MathML'>{brackets}</math>"
    book = epub({"a.xhtml": quoted + table + wide + math + "<p>" + "&lt;https:" * 9000 + "</p>"})
    made = chapters(book)
    texts = [row["text"] for row in made.rows]
    assert sum(map(len, texts)) < 5_000_000
    found = measure(opened(book), made)
    assert (found.lost, found.doubled, found.formulas) == (0, 0, 1)
    assert clean(texts, [], "en").texts[0]


@pytest.mark.parametrize(
    ("language", "encoding", "text"),
    [
        ("ru", "cp1251", "Глава первая"),
        ("ru-RU", "cp1251", "Глава первая"),
        ("ja", "cp932", "吾輩は猫である"),
        ("ja", "euc_jp", "吾輩は猫である"),
        ("zh", "gb18030", "红楼梦第一回"),
        ("zh-TW", "big5", "紅樓夢第一回"),
        ("ko", "cp949", "첫 번째 장"),
        ("cs", "cp1250", "Příliš žluťoučký kůň"),
        ("el", "cp1253", "Κεφάλαιο πρώτο"),
        ("fr", "cp1252", "Le premier été"),
    ],
)
def test_a_document_that_declares_nothing_is_read_as_its_language_was_written(
    language: str, encoding: str, text: str
) -> None:
    page = f"<html><head><title>t</title></head><body><p>{text}</p></body></html>"
    content = epub({"a.xhtml": page.encode(encoding)}, language=language)
    assert text in chapters(content).rows[0]["text"]
