"""Hashes of values and bytes: the canonical form that fingerprints and ids are made from.

The form is independent of hash seed, locale, time zone, platform and Python version. A value
without a stable form is refused rather than guessed at. Knows nothing of stages or files.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import BinaryIO

from resonare_pipeline.errors import FingerprintError

CHUNK_BYTES = 4 << 20  # large enough that hashing, not calling, is what costs, in a thread too


def _length_prefixed(tag: bytes, body: bytes) -> bytes:
    return tag + str(len(body)).encode() + b":" + body


def canonical(value: object) -> bytes:
    """Encode a value so that equal values, and only they, have equal bytes.

    Takes None, bool, int, finite float, str, bytes, enum members (as their values), lists and
    tuples (alike), sets of those, and mappings with string keys (in any order). Values of different
    types are different: True, 1, 1.0 and "1" have four forms, and so have 0.0 and -0.0 two.

    Raises:
        FingerprintError: For anything else, NaN and infinities included.
    """
    match value:
        case Enum():
            return canonical(value.value)
        case None | bool() | int() | float() | str() | bytes():
            return _canonical_scalar(value)
        case list() | tuple():
            return _length_prefixed(b"l", b"".join(map(canonical, value)))
        case set() | frozenset():
            return _length_prefixed(b"u", b"".join(sorted(map(canonical, value))))
        case Mapping():
            return _length_prefixed(b"m", b"".join(_canonical_items(value)))
        case _:
            raise FingerprintError(
                f"a value of type {type(value).__name__} has no stable form",
                expected="plain data: numbers, strings, bytes, lists, sets, mappings",
            )


def _canonical_items(mapping: Mapping[object, object]) -> list[bytes]:
    if not all(isinstance(key, str) for key in mapping):
        raise FingerprintError(
            "a mapping with a key that is no string has no stable form", expected="string keys"
        )
    items = sorted((canonical(key), canonical(item)) for key, item in mapping.items())
    return [part for item in items for part in item]


def _canonical_scalar(value: float | str | bytes | None) -> bytes:
    match value:
        case None:
            return b"n"
        case bool():
            return b"t" if value else b"f"
        case int():
            # Not decimal: Python refuses to print more than 4300 decimal digits.
            return _length_prefixed(b"i", f"{int(value):x}".encode())
        case float():
            if not math.isfinite(value):
                raise FingerprintError(f"{value} has no stable form", expected="a finite number")
            return _length_prefixed(b"d", value.hex().encode())
        case str():
            return _length_prefixed(b"s", value.encode("utf-8", "surrogatepass"))
        case bytes():
            return _length_prefixed(b"b", value)


def fingerprint(value: object) -> str:
    """Return the SHA-256 of the canonical form, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def short_hash(value: object, *, digits: int = 12) -> str:
    """Return the first hexadecimal digits of the fingerprint, for ids that people read."""
    return fingerprint(value)[:digits]


def digest_of_stream(stream: BinaryIO) -> str:
    """Return the SHA-256 of what is left in a binary stream."""
    hasher = hashlib.sha256()
    while chunk := stream.read(CHUNK_BYTES):
        hasher.update(chunk)
    return hasher.hexdigest()


def digest_of_parts(parts: Iterable[tuple[str, str]]) -> str:
    """Return one digest for named parts, whatever their order.

    Args:
        parts: (name, digest) pairs.

    Raises:
        FingerprintError: If two parts have one name.
    """
    named: dict[str, str] = {}
    for name, digest in parts:
        if name in named:
            raise FingerprintError("two parts have one name", where=name, expected="one part")
        named[name] = digest
    return fingerprint(named)
