"""The archive of a book: its files by name, read within limits and never unpacked to disk.

Names are only ever looked up, so `../` and absolute names lead nowhere outside of the archive. Of
entries that share a name the last counts, as for every program that reads the directory of a ZIP.
"""

import posixpath
import zipfile
import zlib
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from resonare_pipeline.books.limits import LIMITS, Limits
from resonare_pipeline.books.trees import Node, find_all, parse_xml
from resonare_pipeline.errors import InputError

CONTAINER = "META-INF/container.xml"
ENCRYPTION = "META-INF/encryption.xml"
FONT_OBFUSCATION = frozenset(
    {"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"}
)  # EPUB 3.3, section 4.4, and Adobe's older one: both scramble fonts alone
ENCRYPTED_FLAG = 0x1  # APPNOTE.TXT 4.4.4


class Container:
    """A book's archive.

    Args:
        stream: The archive; it must allow seeking.
        where: Its name, for messages.

    Raises:
        InputError: If it is no ZIP archive, holds too much, or is protected.
    """

    def __init__(self, stream: BinaryIO, where: str, *, limits: Limits = LIMITS) -> None:
        self.where = where
        self.language = ""
        self._limits = limits
        self._left = limits.book_bytes
        self._elements = limits.elements
        try:
            self._archive = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise InputError(
                f"it is no ZIP archive: {error}",
                where=where,
                expected="a book as EPUB",
                remedy="Get the file again; a download may have broken off",
            ) from error
        entries = self._archive.infolist()
        if len(entries) > limits.entries:
            raise self._too_much(f"{len(entries)} files", f"at most {limits.entries}")
        self._entries = {name: info for info in entries for name in _spellings(info)}
        self._entries |= {info.filename: info for info in entries}
        self._folded = {name.casefold(): name for name in reversed(self._entries)}
        self.names = tuple(dict.fromkeys(info.filename for info in entries))
        self._refuse_protection()

    def find(self, base: str, href: str) -> str | None:
        """Return the name of the file that a reference means, or None if there is none here.

        Args:
            base: The file that the reference stands in.
            href: The reference; a fragment is ignored.
        """
        try:
            parts = urlsplit(href.strip())
        except ValueError:
            return None
        if parts.scheme or parts.netloc:
            return None
        for path in dict.fromkeys((unquote(parts.path), parts.path)):
            name = posixpath.normpath(posixpath.join(posixpath.dirname(base), path))
            found = name if name in self._entries else self._folded.get(name.casefold())
            if path and found is not None:
                return found
        return base if not parts.path else None

    def read(self, name: str) -> bytes:
        """Return a file's content.

        Raises:
            InputError: If it is missing, damaged, encrypted or too large.
        """
        info = self._entries.get(name)
        if info is None:
            raise InputError("it is missing", where=f"{self.where}: {name}")
        if info.flag_bits & ENCRYPTED_FLAG:
            raise self._protected(f"{name} is encrypted")
        most = min(self._limits.document_bytes, self._left)
        try:
            with self._archive.open(info) as stream:
                content = stream.read(most + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise InputError(
                f"it is damaged: {error}", where=f"{self.where}: {name}", remedy="Get it again"
            ) from error
        if len(content) > most:
            raise self._too_much(f"{name}, which unpacks to more", f"at most {most} bytes")
        self._left -= len(content)
        return content

    def tree(self, name: str, *, strict: bool = False) -> Node:
        """Return a file's elements.

        Args:
            strict: A file that is not well-formed is refused, and not read as a browser would.

        Raises:
            InputError: If it cannot be read.
        """
        content = self.read(name)
        place = f"{self.where}: {name}"
        tree = parse_xml(
            content,
            place,
            self._limits,
            most=self._elements,
            strict=strict,
            language=self.language,
        )
        self._elements -= tree.size
        return tree

    def package(self) -> str:
        """Return the name of the package document.

        Raises:
            InputError: If there is none.
        """
        if CONTAINER in self._entries:
            for root in find_all(self.tree(CONTAINER), "rootfile"):
                if found := self.find("", root.get("full-path")):
                    return found
        for name in self.names:
            if name.lower().endswith(".opf"):
                return name
        raise InputError(
            "it holds no package document",
            where=self.where,
            expected="an EPUB, with META-INF/container.xml and a file that ends in .opf",
        )

    def _refuse_protection(self) -> None:
        if ENCRYPTION not in self._entries:
            return
        methods = {
            method.get("Algorithm")
            for data in find_all(self.tree(ENCRYPTION), "EncryptedData")
            for method in find_all(data, "EncryptionMethod")
        }
        if others := sorted(methods - FONT_OBFUSCATION):
            raise self._protected(f"it is encrypted with {others[0] or 'an unnamed method'}")

    def _protected(self, found: str) -> InputError:
        return InputError(
            f"{found}, so its text is protected against copying",
            where=self.where,
            expected="a book without DRM",
            remedy="Get the book from a publisher who sells it without DRM",
        )

    def _too_much(self, found: str, expected: str) -> InputError:
        return InputError(f"it holds {found}", where=self.where, expected=expected)


def _spellings(info: zipfile.ZipInfo) -> list[str]:
    """Return the names that an entry may be meant by where it does not say how it is encoded."""
    names = [info.filename]
    try:
        raw = info.filename.encode("cp437")
        names.append(raw.decode("utf-8"))
    except UnicodeError:
        pass
    return [posixpath.normpath(name.replace("\\", "/")).lstrip("/") for name in names]
