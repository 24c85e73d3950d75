import pytest
from pydantic import ValidationError

from resonare_pipeline.linked_people import PeopleSettings, whole_id, with_whole_ids


def people(**tables: object) -> PeopleSettings:
    return PeopleSettings.model_validate({"people": tables})


def test_short_ids_are_spelt_out_wherever_they_stand() -> None:
    assert whole_id("signal:7") == "signal:user7"
    assert with_whole_ids("ids = ('telegram:user1', 'signal:7', 'signal:user8')") == (
        "ids = ('telegram:user1', 'signal:user7', 'signal:user8')"
    )


def test_ids_are_taken_without_blanks_around_them_and_once() -> None:
    found = people(anna={"ids": [" telegram:user1", "signal:7 ", "signal:user7"]})

    assert found.people["anna"].ids == ("telegram:user1", "signal:user7")


@pytest.mark.parametrize("wrong", ["user1", "", "@anna", "Anna Lee", "telegram:", "signal: 7", "7"])
def test_what_no_sender_can_have_as_an_id_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError, match=r"no sender id.*resonare people"):
        people(anna={"ids": ["telegram:user1", wrong]})


def test_an_id_of_two_people_is_refused_however_it_is_spelt() -> None:
    with pytest.raises(ValidationError, match="signal:user7 is both anna and bea"):
        people(anna={"ids": ["signal:7"]}, bea={"ids": ["signal:user7"]})


def test_names_with_odd_characters_stay_on_one_line() -> None:
    tables = {
        "a\nb": {"ids": ["signal:1"]},
        "c": {"ids": ["signal:2"], "name": ' An\x00na:\n\t"Lee" '},
        "": {"ids": ["signal:3"], "name": " \n"},
    }
    found = PeopleSettings.model_validate({"people": tables}).by_id()

    assert [name for _, name in found.values()] == ["a b", 'An na: "Lee"', "signal:user3"]
