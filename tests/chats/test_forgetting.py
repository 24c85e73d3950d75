import unicodedata

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.chats.forgetting import (
    PLACEHOLDER,
    ForgetSettings,
    ForgottenPerson,
    Traces,
    name_parts,
)

MAYA = "telegram:user123456"


def traces(*names: str, person_id: str = MAYA) -> Traces:
    return Traces.of({person_id: ForgottenPerson(names=names)})


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        ("Maya Chen", "I saw Maya Chen today", f"I saw {PLACEHOLDER} today"),
        ("Maya", "MAYA's cat, maya!", f"{PLACEHOLDER}'s cat, {PLACEHOLDER}!"),
        ("Maya", "the Mayan calendar", "the Mayan calendar"),
        ("Maya", "see maya_2024.jpg", f"see {PLACEHOLDER}_2024.jpg"),
        ("Maya Chen", "Maya\n  Chen", PLACEHOLDER),
        ("José", unicodedata.normalize("NFD", "ask José."), f"ask {PLACEHOLDER}."),
        ("Jürgen", "JÜRGEN kommt", f"{PLACEHOLDER} kommt"),
        ("林小雨", "我和林小雨去", f"我和{PLACEHOLDER}去"),
        ("민수", "민수가 왔다", f"{PLACEHOLDER}가 왔다"),
        ("Maya 🌸", "Maya 🌸 left", f"{PLACEHOLDER} left"),
        ("@mayac", "ask @MayaC or t.me/mayac", f"ask {PLACEHOLDER} or {PLACEHOLDER}"),
        ("@mayac", "mayac, @mayac_2 and me@mayac", "mayac, @mayac_2 and me@mayac"),
        ("C. (x)", "a C. (x) b", f"a {PLACEHOLDER} b"),
        ("none", "write to tg://user?id=123456", f"write to tg://{PLACEHOLDER}"),
        ("none", "telegram:user123456:77", f"{PLACEHOLDER}:77"),
        ("none", "user1234567", "user1234567"),
        ("none", "his id is 123456.", f"his id is {PLACEHOLDER}."),
    ],
)
def test_a_trace_in_a_text_becomes_a_placeholder_as_a_whole_word(
    name: str, text: str, left: str
) -> None:
    assert traces(name).without(text) == left


def test_a_name_in_json_in_ascii_is_found_but_by_the_text_rule_is_not() -> None:
    found = traces("Jürgen")

    assert found.anywhere.search('{"text": "J\\u00fcrgen"}')
    assert found.without("J\\u00fcrgen") == "J\\u00fcrgen"


def test_nobody_leaves_no_trace() -> None:
    nobody = Traces.of({})

    assert nobody.without("user1 and Maya") == "user1 and Maya"
    assert not nobody.is_person("telegram:user1", "Maya")
    assert not pc.match_substring_regex(pa.array(["", "x"]), nobody.likely).to_pylist()[1]


def test_a_sender_is_known_by_id_and_by_name_only_where_there_is_no_id() -> None:
    found = traces("Maya Chen")

    assert found.is_person(MAYA, None)
    assert not found.is_person("telegram:user9", "Maya Chen")
    assert found.is_person("telegram:name:abc", "maya chen")
    assert found.is_person(None, "Maya  Chen")
    assert not found.is_person(None, None)


words = st.text(st.sampled_from("aéñüßIıKſ林ก .+*?()[]{}|^$\\@_-'1"), min_size=1, max_size=8)


@given(words.filter(str.strip), words, words)
def test_what_the_exact_pattern_finds_the_quick_one_finds_too(
    name: str, before: str, after: str
) -> None:
    found = traces(name)
    text = before + name + after

    if found.in_texts.search(text):
        likely = pc.match_substring_regex(pa.array([text]), found.likely, ignore_case=True)
        assert likely.to_pylist() == [True]


@given(words.filter(str.strip))
def test_a_name_between_blanks_is_always_found(name: str) -> None:
    found = traces(name)

    assert found.in_texts.search(f"x {name.strip()} y")
    assert not found.in_texts.search(found.without(f"x {name.strip()} y").replace(PLACEHOLDER, ""))


def test_parts_of_a_name_are_its_longer_words() -> None:
    assert name_parts("Maya Chen") == ["Maya", "Chen"]
    assert name_parts("Ana de la Cruz 🌸") == ["Ana", "Cruz"]
    assert name_parts("Maya") == []
    assert name_parts("Jean-Luc O'Neil") == ["Jean-Luc", "O'Neil"]
    assert name_parts("小雨 林森") == ["小雨", "林森"]


def test_identity_tells_apart_whom_it_does_not_name() -> None:
    rule = ForgetSettings(people={MAYA: ForgottenPerson(names=("Maya Chen",))})
    other = ForgetSettings(people={MAYA: ForgottenPerson(names=("Maya", "Chen"))})

    assert rule.identity() != other.identity() != ForgetSettings().identity()
    assert "Maya" not in str(rule.identity())
    assert "123456" not in str(rule.identity())


def test_identity_depends_on_neither_order_nor_what_is_clear() -> None:
    one = ForgottenPerson(names=("a", "b"), clear=("0" * 16,))
    two = ForgottenPerson(names=("b", "a"))

    assert (
        ForgetSettings(people={"x": one, "y": two}).identity()
        == ForgetSettings(people={"y": one, "x": two}).identity()
    )


def test_a_rule_about_a_clear_export_is_no_rule_there() -> None:
    rule = ForgetSettings(people={MAYA: ForgottenPerson(names=("Maya",), clear=("ab" * 8,))})

    assert rule.narrowed({"chat_export": "ab" * 32}).identity() == ForgetSettings().identity()
    assert rule.narrowed({"chat_export": "cd" * 32}).identity() == rule.identity()
