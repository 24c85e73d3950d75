import datetime as dt
import hashlib
import io
import math
import random
import sys
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.errors import FingerprintError
from resonare_pipeline.fingerprint import (
    CHUNK_BYTES,
    canonical,
    digest_of_parts,
    digest_of_stream,
    fingerprint,
    short_hash,
)
from tests.interpreters import require_two, run_plainly


class Shape(StrEnum):
    ROUND = "round"


class Level(IntEnum):
    HIGH = 3


class Plain(Enum):
    PAIR = (1, "a")


TEXTS = st.text(alphabet=st.characters())  # lone surrogates included
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-3, max_value=3),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1.0, 2.0]),
    TEXTS,
    st.binary(max_size=8),
    st.sampled_from(["", "1", "True", "None", b"", b"1"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.frozensets(st.text(max_size=2) | st.integers(-2, 2), max_size=3),
        st.dictionaries(TEXTS, inner, max_size=4),
    ),
    max_leaves=12,
)


def twin(value: object) -> object:
    """Return an independent notion of what a value is: type and content, order where it counts."""
    match value:
        case list() | tuple():
            return ("sequence", tuple(map(twin, value)))
        case set() | frozenset():
            return ("set", frozenset(map(twin, value)))
        case dict():
            return ("mapping", frozenset((key, twin(item)) for key, item in value.items()))
        case float():
            return ("float", value, math.copysign(1, value))
        case _:
            return (type(value).__name__, value)


@given(VALUES, VALUES)
def test_canonical_of_two_values_is_equal_exactly_if_they_are(left: object, right: object) -> None:
    assert (canonical(left) == canonical(right)) == (twin(left) == twin(right))


@given(st.lists(SCALARS, max_size=6), st.data())
def test_canonical_of_any_regrouping_of_a_list_is_different(
    items: list[object], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(items)))
    nested = [items[:cut], items[cut:]]
    assert canonical(nested) != canonical(items)
    assert canonical([items]) != canonical(items)


@given(st.dictionaries(TEXTS, SCALARS, max_size=6), st.randoms(use_true_random=False))
def test_canonical_of_a_mapping_ignores_the_order_of_its_keys(
    mapping: dict[str, object], order: random.Random
) -> None:
    items = list(mapping.items())
    order.shuffle(items)
    assert canonical(dict(items)) == canonical(mapping)


def test_canonical_of_look_alikes_has_one_form_each() -> None:
    look_alikes = [
        True, 1, 1.0, "1", b"1", "True", [1], [[1]], {"1": 1}, {1}, None, "", b"", [], {}, set(),
        0, 0.0, -0.0, False, "\ud83d\ude00", "\U0001f600", "é", "e\u0301",
    ]  # fmt: skip
    assert len({canonical(value) for value in look_alikes}) == len(look_alikes)


def test_canonical_of_a_boundary_inside_strings_is_not_blurred() -> None:
    assert canonical(["ab", "c"]) != canonical(["a", "bc"])
    assert canonical(["s1:a"]) != canonical(["s", "1:a"])
    assert canonical({"a": "b"}) != canonical(["a", "b"])


@pytest.mark.parametrize("exponent", [100, 5_000, 50_000])
def test_canonical_of_huge_integers_tells_neighbours_apart(exponent: int) -> None:
    assert canonical(10**exponent) != canonical(10**exponent + 1)
    assert canonical(-(10**exponent)) != canonical(10**exponent)


@pytest.mark.parametrize(
    ("member", "value"), [(Shape.ROUND, "round"), (Level.HIGH, 3), (Plain.PAIR, [1, "a"])]
)
def test_canonical_of_an_enum_member_is_that_of_its_value(member: Enum, value: object) -> None:
    assert canonical(member) == canonical(value)
    assert canonical({"key": [member]}) == canonical({"key": [value]})


@pytest.mark.parametrize("kind", [OrderedDict, MappingProxyType])
def test_canonical_of_any_mapping_is_that_of_a_dict(kind: type) -> None:
    assert canonical(kind({"b": 1, "a": 2})) == canonical({"a": 2, "b": 1})


class Opaque:
    pass


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        float("-inf"),
        Opaque(),
        Opaque,
        print,
        lambda: None,
        {1: "a"},
        {None: 1},
        {("a",): 1},
        dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        dt.date(2024, 1, 1),
        1j,
        bytearray(b"a"),
        iter([1]),
        range(3),
        Path("a"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: {"deep": {"er": (v,)}}])
def test_fingerprint_of_what_has_no_stable_form_is_refused(
    value: object, wrap: Callable[[object], object]
) -> None:
    with pytest.raises(FingerprintError, match="no stable form"):
        fingerprint(wrap(value))


PINNED = {
    "None": "1b16b1df538ba12dc3f97edbb85caa7050d46c148134290feba80f8236c83db9",
    "True": "e3b98a4da31a127d4bde6e43033f66ba274cab0eb7eb1c70ec41402bf6273dd8",
    "0": "59a435212025b8a562b37453ac907b55b9a99d60a4936f61c793960b95db5b84",
    "-1": "3e7b7a727c1fbe0a6ab401b9967dcb87dcfaaa2d0c07b3b5dcf88c29e26b6cc8",
    "10**5000": "ea417c381d777c33fd7fe45fce7d4cbb2a587d818e75d01081f256e802ed059c",
    "0.1": "70b75a52f5aabe41d621a4096e6773cdab19e7960924efc45e7b5347fe1e7388",
    "-0.0": "5fe413cccf701dbe0e04a10062cab07dad6c8273ae220a40be3dd44952f2fbeb",
    "5e-324": "0ae3e6b63593aa1b8c4959b18b85971612946d5fe98c60b888a91c9037c7793c",
    '""': "fb912574cecad54c6a0bc75b46172350b6374929d602d5fbcb4ca0ec831fd532",
    '"é\\U0001f600"': "70b499c6eba4c1cb115a9705e132914e9901e712db3fbde7b23d37305509aed4",
    '"\\ud800"': "869f37431d583a9304f0a6eb2759f53da8659a91a5d8226a7bdd621fa6b36f48",
    'b"\\x00\\xff"': "87c84a96e9e6fc6d545727f0af23eaf6e7be3e33ad3d30630ba6b9b25dcecc69",
    "[]": "0db2e8105005bd716261bab87ab0dafb638c42e4ff9c41bec5c39a735053dfc8",
    '[1, [2, "x"], None]': "42dbc1e599bfd48c01c3ad09e2e815f50fa08cd420c2b9808406cd8e5b97582e",
    "{}": "b031601b41e2aea50c7aeabade325ef35f9d51ed280bc6ce0490e0895315ac44",
    '{"b": [1.0], "a": {}}': "6d5fb35ac185a7754708c29d04e23370bb6c3e5d205a42810782890a750ec1fa",
    "{1, 2, 30}": "15c7581542db274a9238208229e8f4957bde24b8b55b0ff92df91b0a993bc41a",
    'dict.fromkeys("zyxwcba")': "bb2358295dd9f64f5e04de7ac125acc8aae840673dba307ccb89cac15116ae1b",
    'set("abcdefgh")': "59c42e39ca786e3d8548f126bfd423bd14fd021a0a756f40b9b6c5fc0ec83ae5",
}
"""Source of a value → its fingerprint. A change of these makes every cache worthless."""

SCRIPT = """
import json, sys
from resonare_pipeline.fingerprint import fingerprint
sources = json.loads(sys.stdin.buffer.read())
print(json.dumps({source: fingerprint(eval(source)) for source in sources}))
"""


@pytest.mark.parametrize("source", PINNED)
def test_fingerprint_of_a_pinned_value_is_what_it_always_was(source: str) -> None:
    assert fingerprint(eval(source)) == PINNED[source]  # noqa: S307  # the table above


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONHASHSEED": "0"},
        {"PYTHONHASHSEED": "4711"},
        {"TZ": "Asia/Kathmandu"},
        {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "tr_TR.UTF-8", "PYTHONOPTIMIZE": "2"},
    ],
    ids=lambda env: "-".join(env),
)
def test_fingerprint_in_another_environment_is_the_same(env: dict[str, str]) -> None:
    assert run_plainly(sys.executable, SCRIPT, list(PINNED), env=env) == PINNED


def test_fingerprint_in_every_supported_python_is_the_same() -> None:
    for interpreter in require_two():
        assert run_plainly(interpreter, SCRIPT, list(PINNED)) == PINNED


def test_short_hash_is_the_head_of_the_fingerprint() -> None:
    assert fingerprint(["a"]).startswith(short_hash(["a"]))
    assert len(short_hash(["a"])) == 12
    assert len(short_hash(["a"], digits=20)) == 20


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1])
def test_digest_of_stream_of_any_size_is_the_sha256_of_its_bytes(size: int) -> None:
    content = b"x" * size
    assert digest_of_stream(io.BytesIO(content)) == hashlib.sha256(content).hexdigest()


def test_digest_of_parts_in_another_order_is_the_same() -> None:
    assert digest_of_parts([("a", "1"), ("b", "2")]) == digest_of_parts([("b", "2"), ("a", "1")])
    assert digest_of_parts([("a", "1"), ("b", "2")]) != digest_of_parts([("a", "2"), ("b", "1")])


def test_digest_of_parts_with_one_name_twice_is_refused() -> None:
    with pytest.raises(FingerprintError, match="a: two parts have one name"):
        digest_of_parts([("a", "1"), ("a", "2")])
