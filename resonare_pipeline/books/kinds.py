"""What a part of a book is: front matter, body, back matter, notes or index."""

import re
from collections.abc import Iterable
from enum import StrEnum


class Kind(StrEnum):
    """What a part of a book is."""

    FRONT = "front"
    BODY = "body"
    BACK = "back"
    NOTES = "notes"
    INDEX = "index"


_TYPES: dict[Kind, str] = {
    Kind.FRONT: "frontmatter cover titlepage halftitlepage halftitle copyright-page copyright "
    "imprint dedication epigraph foreword preface preamble prologue-front acknowledgments "
    "acknowledgements toc loi lot loa lov seriespage title-page titlepage other-credits imprimatur "
    "errata abstract introduction-front cover-page",
    Kind.BODY: "bodymatter chapter part volume introduction prologue epilogue conclusion "
    "afterword-body division subchapter text start",
    Kind.BACK: "backmatter appendix bibliography biblioentry glossary colophon afterword "
    "contributors credits answers references",
    Kind.NOTES: "footnotes endnotes rearnotes notes",
    Kind.INDEX: "index",
}
_BY_TYPE = {name: kind for kind, names in _TYPES.items() for name in names.split()}
_TITLES: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"^(?:{words})\b", re.IGNORECASE))
    for kind, words in (
        (
            Kind.INDEX,
            r"(?:subject |name |author |general )?index|stichwortverzeichnis|sachregister|"
            r"personenregister|register|índice (?:analítico|alfabético)|предметный указатель|索引",
        ),
        (
            Kind.NOTES,
            r"(?:end|foot)?notes?$|notes to|anmerkungen|fußnoten|notas?$|примечания|註釈|注釈",
        ),
        (
            Kind.FRONT,
            r"(?:table of )?contents|cover|title ?page|half ?title|copyright|imprint|dedication|"
            r"foreword|preface|acknowledge?ments?|list of (?:figures|tables|illustrations)|"
            r"illustrations$|about this (?:book|edition)|inhalt(?:sverzeichnis)?$|vorwort|"
            r"impressum|widmung|titel(?:seite)?$|avant-propos|préface|remerciements|sommaire|"
            r"table des matières|prólogo|prefacio|índice$|prefazione|indice$|содержание|"
            r"оглавление|предисловие|目次|目录",
        ),
        (
            Kind.BACK,
            r"appendi(?:x|ces)|bibliograph(?:y|ical note)|references|further reading|glossary|"
            r"colophon|afterword|about the author|uncopyright|answers|solutions|"
            r"the full project gutenberg|anhang|literatur(?:verzeichnis)?$|glossar|nachwort|"
            r"annexes?|bibliographie|glossaire|apéndice|bibliografía|glosario|приложение|"
            r"библиография|付録|附录",
        ),
    )
)


def kind_of_types(types: Iterable[str]) -> Kind | None:
    """Return what `epub:type` says, given from the outermost element to the innermost."""
    found: Kind | None = None
    for name in types:
        kind = _BY_TYPE.get(name.rpartition(":")[2])
        is_finer = kind in (Kind.NOTES, Kind.INDEX) or found in (None, Kind.BODY)
        if kind is not None and is_finer:  # a chapter within the front matter is a part of it
            found = kind
    return found


def kind_of_title(title: str) -> Kind | None:
    """Return what a title says in one of the languages known here."""
    text = re.sub(r"^[\W\d_]+", "", title)
    return next((kind for kind, pattern in _TITLES if pattern.match(text)), None)
