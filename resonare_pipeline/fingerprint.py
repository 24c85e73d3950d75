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

CHUNK_BYTES = 1 << 20  # large enough that hashing, not calling, is what costs


def _length_prefixed(tag: bytes, body: bytes) -> bytes:
    return tag + str(len(body)).encode() + b":" + body


def canonical(value: object) -> bytes:
    """Encode a value so that equal values, and only they, have equal bytes.

    Takes None, bool, int, finite float, str, bytes, enum members, lists and tuples (alike), sets
    of those, and mappings with string keys (in any order).

    Raises:
        FingerprintError: For anything else, NaN and infinities included.
    """
    match value:
        case None:
            return b"n"
        case bool():
            return b"t" if value else b"f"
        case Enum():
            return canonical(value.value)
        case int():
            return _length_prefixed(b"i", str(value).encode())
        case float():
            if not math.isfinite(value):
                raise FingerprintError(f"{value} has no stable form", expected="a finite number")
            return _length_prefixed(b"d", value.hex().encode())
        case str():
            return _length_prefixed(b"s", value.encode("utf-8", "surrogatepass"))
        case bytes():
            return _length_prefixed(b"b", value)
        case _:
            return _canonical_container(value)


def _canonical_container(value: object) -> bytes:
    match value:
        case list() | tuple():
            return _length_prefixed(b"l", b"".join(map(canonical, value)))
        case set() | frozenset():
            return _length_prefixed(b"u", b"".join(sorted(map(canonical, value))))
        case Mapping():
            if not all(isinstance(key, str) for key in value):
                raise FingerprintError(
                    "a mapping with a key that is no string has no stable form",
                    expected="string keys",
                )
            items = sorted((canonical(key), canonical(item)) for key, item in value.items())
            return _length_prefixed(b"m", b"".join(part for item in items for part in item))
        case _:
            raise FingerprintError(
                f"a value of type {type(value).__name__} has no stable form",
                expected="plain data: numbers, strings, bytes, lists, sets, mappings",
            )


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
    """
    return fingerprint(dict(parts))
