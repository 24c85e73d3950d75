import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.privacy.kinds import PLACEHOLDERS, Kind
from resonare_pipeline.privacy.people import label_people
from resonare_pipeline.privacy.redaction import Redacted, Redactor
from resonare_pipeline.privacy.settings import PrivacySettings

FOUND = (("telegram:user1", ("Maya Smith",)), ("telegram:user2", ("Jonas Weber",)))


def redactor(**settings: object) -> Redactor:
    chosen = PrivacySettings.model_validate(settings)
    return Redactor(chosen, label_people(FOUND, chosen))


def test_redact_text_without_items_is_the_same_and_counts_nothing() -> None:
    text = "see you at 12:30, it costs 1.234,50 € (v1.2.3)"
    assert redactor().redact(text) == Redacted(text, {}, False)


def test_redact_message_with_several_kinds_keeps_what_stands_around_them() -> None:
    text = "Maya's number is +1 202 555 0143, mail maya@example.com or ask @jonas_w!"
    done = redactor().redact(text)
    assert done.text == "[PERSON_1]'s number is [PHONE], mail [EMAIL] or ask [HANDLE]!"
    assert done.counts == {Kind.PERSON: 1, Kind.PHONE: 1, Kind.EMAIL: 1, Kind.HANDLE: 1}


@pytest.mark.parametrize(
    ("number", "settings"),
    [("555 1234", {}), ("5551234", {}), ("call 5551234", {"regions": ("US",)})],
)
def test_redact_seven_digits_are_no_phone_number(number: str, settings: dict[str, object]) -> None:
    assert redactor(**settings).redact(number).text == number


def test_redact_sixteen_digits_are_a_card_only_if_right_by_luhn() -> None:
    assert redactor().redact("4111 1111 1111 1111").text == "[CARD]"
    assert redactor().redact("4111 1111 1111 1112").text == "4111 1111 1111 1112"


def test_redact_kind_that_is_not_set_stays() -> None:
    chosen = redactor(kinds=("email",))
    assert chosen.redact("Maya: +1 202 555 0143 a@example.com").text == (
        "Maya: +1 202 555 0143 [EMAIL]"
    )


def test_redact_kept_people_stay_and_other_items_go() -> None:
    assert redactor(people="keep").redact("Maya: a@example.com").text == "Maya: [EMAIL]"


def test_redact_pseudonyms_are_consistent_and_stay_when_redacted_again() -> None:
    chosen = redactor(people="pseudonym")
    once = chosen.redact("Maya told Jonas that Maya Smith is late").text
    maya, jonas = (person.label for person in chosen.people)
    assert once == f"{maya} told {jonas} that {maya} is late"
    assert chosen.redact(once).text == once


def test_redact_sensitive_word_is_replaced_and_reported() -> None:
    chosen = redactor(sensitive_words=("project x", "秘密"))
    assert chosen.redact("About Project  X: 这是秘密。") == Redacted(
        "About [WORD]: 这是[WORD]。", {Kind.WORD: 2}, True
    )
    assert not chosen.redact("project xy").sensitive


def test_redact_sensitive_word_inside_another_item_is_reported() -> None:
    done = redactor(sensitive_words=("maya",)).redact("write to maya@example.com")
    assert done == Redacted("write to [EMAIL]", {Kind.EMAIL: 1}, True)


def test_redactor_pickled_does_the_same() -> None:
    chosen = redactor(regions=("US",))
    copy: Redactor = pickle.loads(pickle.dumps(chosen))  # noqa: S301  # our own bytes
    text = "Maya, call (202) 555-0143"
    assert copy.redact(text) == chosen.redact(text)


PIECES = st.sampled_from(
    [
        *PLACEHOLDERS.values(),
        *(
            "[PERSON_1]",
            "Maya",
            "maya",
            "Jonas",
            "Smith",
            " ",
            " ",
            "\n",
            ": ",
            ".",
            "@",
            "-",
            "'s",
        ),
        *("+1 202 555 0143", "0171 2345678", "12", "2024", "x@example.com", "https://t.me/", "/"),
        *("4111 1111 1111 1111", "password: ", "hunter2", "192.168.1.20", "call ", "order ", "+"),
        *(
            "GB82 WEST 1234 5698 7654 32",
            "https://u:p@example.com",
            "ghp_",
            "a1B2c3D4e5F6",
            "(",
            "[",
        ),
    ]
)


@given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=60))
def test_redact_redacted_text_stays_as_it_is(text: str) -> None:
    chosen = redactor(regions=("US", "DE"))
    once = chosen.redact(text).text
    assert chosen.redact(once) == Redacted(once, {}, False)
