"""Who is taken for the owner of an export, and on what grounds."""

from collections.abc import Callable
from typing import Any

import pytest

from resonare_pipeline.errors import SettingsError

Make = Callable[..., Any]


@pytest.fixture
def group(make_chat: Make, make_message: Make) -> Any:
    return make_chat(
        make_message(1, from_id="user5", from_="Eva"),
        make_message(2, from_id="user4", from_="Dan"),
        make_message(3, from_id="user4", from_="Dan"),
        make_message(4, from_id="user5", from_="Eva"),
        make_message(5, from_id="channel1", from_="Chan"),
        make_message(6, from_id="channel1", from_="Chan"),
        make_message(7, from_id="channel1", from_="Chan"),
        type="private_supergroup",
    )


def test_owner_of_a_personal_chat_is_who_is_not_its_other_side(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    export = read(
        make_chat(
            make_message(1, from_id="user2"), make_message(2, from_id="user2"), make_message(3)
        ),
        owner="telegram:user2",
    )

    assert export.metadata["owner_basis"] == "other_than_chat"
    assert [row["is_owner"] for row in export.messages] == [False, False, True]
    assert export.metadata["warnings"] == []


def test_most_active_person_is_owner_ties_going_to_the_smaller_id(read: Make, group: Any) -> None:
    export = read(group)

    assert export.metadata["owner_id"] == "telegram:user4"
    assert export.metadata["owner_basis"] == "most_active"
    assert "telegram:user4" in export.metadata["warnings"][0]
    assert [row["is_owner"] for row in export.chats[0]["participants"]] == [False, True, False]


def test_channel_is_owner_where_nobody_else_writes(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    export = read(make_chat(make_message(1, from_id="channel1"), type="public_channel"))

    assert export.metadata["owner_id"] == "telegram:channel1"


def test_most_active_counts_a_message_in_two_files_once(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    one = make_chat(
        make_message(1, from_id="user5"),
        make_message(2, from_id="user5"),
        make_message(3, from_id="user6"),
        type="private_group",
    )
    more = [make_message(number, from_id="user6") for number in (4, 5)]

    export = read(one, one, make_chat(*more, type="private_group"))

    assert export.metadata["owner_id"] == "telegram:user6"


@pytest.mark.parametrize("owner", ["telegram:user5", "Eva"])
def test_owner_setting_is_an_id_or_a_name(owner: str, read: Make, group: Any) -> None:
    export = read(group, owner=owner)

    assert export.metadata["owner_id"] == "telegram:user5"
    assert export.metadata["owner_name"] == "Eva"
    assert export.metadata["owner_basis"] == "setting"


def test_owner_setting_that_names_nobody_lists_the_participants(read: Make, group: Any) -> None:
    with pytest.raises(SettingsError, match="none of the 3 participants") as caught:
        read(group, owner="Zoe")

    assert "telegram:user4" in str(caught.value)


def test_owner_setting_that_names_two_is_refused_with_their_ids(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    chat = make_chat(
        make_message(1, from_id="user5"), make_message(2, from_id="user6"), type="private_group"
    )

    with pytest.raises(SettingsError, match="telegram:user5, telegram:user6"):
        read(chat, owner="Ann")


def test_other_side_of_a_personal_chat_is_never_guessed_to_be_owner(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    export = read(make_chat(make_message(1, from_id="user2")))

    assert export.metadata["owner_id"] is None
    assert export.metadata["owner_basis"] == "none"
    assert export.metadata["warnings"]
