"""Which ids are proposed to be one person's, and how that is written down."""

import tomllib
from collections import Counter

from resonare_pipeline.linked_people import PeopleSettings
from resonare_pipeline.planning.proposals import Known, as_toml, propose


def one(person_id: str, *names: str, messages: int = 1, owner: bool = False) -> Known:
    return Known(
        id=person_id,
        names=Counter(dict.fromkeys(names, messages)),
        messages=messages,
        owner_of={"chats/x"} if owner else set(),
    )


def ids(*known: Known, same_phone: tuple[list[str], ...] = ()) -> list[tuple[str, ...]]:
    return [proposal.ids for proposal in propose(known, PeopleSettings(), same_phone)]


def test_one_name_in_two_sources_is_proposed_whatever_its_case_and_blanks() -> None:
    known = one("telegram:user1", "Anna  Lee"), one("signal:user7", "anna lee", messages=5)

    [proposal] = propose(known, PeopleSettings())

    assert proposal.ids == ("signal:user7", "telegram:user1")
    assert proposal.why == ("the same name, Anna  Lee",)
    assert not proposal.owner


def test_a_name_of_two_people_of_one_source_proposes_nothing() -> None:
    assert ids(one("telegram:user1", "Ann"), one("telegram:user2", "Ann")) == []
    assert (
        ids(one("telegram:user1", "A"), one("telegram:user2", "A"), one("signal:user7", "A")) == []
    )


def test_a_shared_phone_is_a_reason_of_its_own() -> None:
    known = one("telegram:user1", "Ann"), one("signal:user7", "Mum")

    assert ids(*known) == []
    [proposal] = propose(known, PeopleSettings(), [["signal:user7", "telegram:user1", "x:1"]])

    assert proposal.why == ("the same phone's number",)


def test_owners_of_exports_of_two_sources_are_proposed_as_oneself() -> None:
    known = one("telegram:user1", "Ann", owner=True), one("signal:user2", "Ann T.", owner=True)

    [proposal] = propose(known, PeopleSettings())

    assert proposal.owner
    assert ids(*known, one("telegram:user3", "Bob", owner=True)) == []


def test_who_is_linked_already_is_not_proposed_again() -> None:
    known = one("telegram:user1", "Ann"), one("signal:user7", "Ann")
    people = {"ann": {"ids": ["telegram:user1", "signal:7"]}}

    assert propose(known, PeopleSettings.model_validate({"people": people})) == []


def test_what_is_pasted_links_what_was_proposed() -> None:
    names = ['Zoë "Zee"\n\x7f\u2028 Ó', "Ann", "ann", "😀"]
    known = [
        person
        for number, name in enumerate(names, 1)
        for person in (one(f"telegram:user{number}", name), one(f"signal:user{number}", name))
    ]
    proposals = propose(known[:2] + known[6:], PeopleSettings()) + propose(
        known[2:4], PeopleSettings()
    )

    tables = tomllib.loads(as_toml(proposals, taken=["ann"]))

    people = PeopleSettings.model_validate({"people": tables["people"]})
    assert sorted(person.ids for person in people.people.values()) == sorted(
        proposal.ids for proposal in proposals
    )
    assert {person.name for person in people.people.values()} == {names[0], names[1], names[3]}
    assert "ann_2" in people.people
