import pytest

from resonare_pipeline.chats.forgetting import ForgottenPerson
from resonare_pipeline.errors import UnknownPersonError
from resonare_pipeline.planning.people import Person, naming, resolve


def known(**people: list[str]) -> dict[str, Person]:
    found = {}
    for key, names in people.items():
        person = Person(id=f"telegram:{key.replace('__', ':')}")
        person.names.update(names)
        found[person.id] = person
    return found


def test_a_person_is_meant_by_id_or_by_any_name() -> None:
    people = known(user1=["Ann Lee", "annie"], user2=["Bo"])

    assert resolve("telegram:user2", people, {}) == ("telegram:user2",)
    assert resolve("ANN  lee", people, {}) == ("telegram:user1",)
    assert resolve("annie", people, {}) == ("telegram:user1",)


def test_a_person_who_is_left_out_already_is_known_from_the_rule() -> None:
    ruled = {"telegram:user5": ForgottenPerson(names=("Eve",))}

    assert resolve("Eve", {}, ruled) == ("telegram:user5",)
    assert resolve("telegram:user5", {}, ruled) == ("telegram:user5",)


def test_an_id_made_of_a_name_gives_way_to_a_real_one() -> None:
    people = known(user1=["Ann"], name__abc=["Ann"])

    assert resolve("Ann", people, {}) == ("telegram:user1",)


def test_a_name_of_several_people_is_refused_with_their_ids() -> None:
    with pytest.raises(UnknownPersonError, match="telegram:user1, telegram:user2"):
        resolve("Ann", known(user1=["Ann"], user2=["Ann"]), {})


@pytest.mark.parametrize("wanted", ["Anm Lee", "Lee", "telegram:user11"])
def test_a_name_that_is_nearly_right_is_answered_with_close_ones(wanted: str) -> None:
    with pytest.raises(UnknownPersonError, match="Did you mean"):
        resolve(wanted, known(user1=["Ann Lee"]), {})


def test_a_name_that_is_like_none_says_where_names_come_from() -> None:
    with pytest.raises(UnknownPersonError, match="resonare run chats"):
        resolve("Zoltan", known(user1=["Ann Lee"]), {})


def test_all_names_and_their_parts_are_looked_for() -> None:
    found = naming(("telegram:user1",), known(user1=["Ann Lee", "A"]), more=["@ann", "Nannie"])

    assert set(found.names) == {"Ann Lee", "Ann", "Lee", "@ann", "Nannie"}
    assert found.short == ("A",)


def test_a_name_within_somebody_elses_is_not_looked_for() -> None:
    people = known(user1=["Ann Lee"], user2=["Bo Lee"], user3=["Anna"])

    found = naming(("telegram:user1",), people)

    assert found.names == ("Ann Lee", "Ann")
    assert found.shared == ("Lee",)


def test_the_same_person_without_an_id_is_nobody_else() -> None:
    people = known(user1=["Ann Lee"], name__abc=["Ann Lee"])

    assert naming(("telegram:user1",), people).shared == ()


def test_a_name_that_is_a_common_word_can_be_kept() -> None:
    found = naming(("telegram:user1",), known(user1=["Will Hope"]), kept=["will"])

    assert found.names == ("Will Hope", "Hope")


def test_names_in_the_rule_stand_for_those_in_the_exports() -> None:
    ruled = ForgottenPerson(names=("Annie",))

    found = naming(
        ("telegram:user1",), known(user1=["Ann Lee"]), ruled={"telegram:user1": ruled}, more=["Nan"]
    )

    assert found.names == ("Annie", "Nan")
