from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.planning.watching import (
    Look,
    Watch,
    decode_watch,
    encode_watch,
    forms_of,
    look,
    run_key,
    settle,
    sift,
)
from tests.planning.toy import GRAPH, TEXTS, Toy

FRESH = Watch(epoch="e")


def looks(*listings: dict[str, str]) -> list[Look]:
    """Look at listings one after another; whatever is ripe is asked for at once."""
    watch, found = FRESH, []
    for forms in listings:
        seen = look(watch, forms)
        found.append(seen)
        watch = settle(seen.watch, current=(), asked=seen.ripe)
    return found


def test_look_input_the_same_at_two_looks_is_ripe_once() -> None:
    assert [found.ripe for found in looks({"a": "1"}, {"a": "1"}, {"a": "1"})] == [(), ("a",), ()]


def test_look_file_that_grows_is_not_ripe_until_it_rests() -> None:
    found = looks({"a": "1"}, {"a": "2"}, {"a": "3"}, {"a": "3"})
    assert [one.ripe for one in found] == [(), (), (), ("a",)]
    assert [one.unsteady for one in found] == [("a",), ("a",), ("a",), ()]


def test_look_a_to_b_to_a_is_ripe_three_times_with_keys_of_its_own() -> None:
    watch, keys = FRESH, []
    for form in "1122111":
        found = look(watch, {"a": form})
        watch = settle(found.watch, current=(), asked=found.ripe)
        keys += [run_key(watch, TEXTS, key) for key in found.ripe]
    assert keys == ["texts/a#1@e", "texts/a#2@e", "texts/a#3@e"]


def test_look_input_missed_by_two_good_listings_is_retired() -> None:
    both, one = {"a": "1", "b": "1"}, {"b": "1"}
    found = looks(both, both, one, both, one, one)
    assert [seen.retired for seen in found] == [(), (), (), (), (), ("a",)]
    assert sorted(found[-1].watch.inputs) == ["b"]


def test_look_empty_listing_where_inputs_were_retires_nothing_ever() -> None:
    found = looks({"a": "1"}, {"a": "1"}, {}, {}, {}, {"a": "1"})
    assert [seen.retired for seen in found] == [()] * 6
    assert all("empty" in seen.doubt for seen in found[2:5])
    assert found[5].ripe == ()


def test_look_empty_listing_where_nothing_was_is_believed() -> None:
    assert look(FRESH, {}).doubt == ""


def test_look_doubtful_listing_changes_nothing() -> None:
    watch = look(FRESH, {"a": "1"}).watch
    found = look(watch, {"b": "1"}, doubt="no such folder")
    assert found == Look(watch=watch, doubt="no such folder")


def test_look_input_that_cannot_be_used_is_neither_ripe_nor_retired() -> None:
    found = looks({"a": "1"}, {"a": "1"}, {"a": ""}, {"a": ""}, {"a": "1"}, {"a": "1"})
    assert [seen.ripe for seen in found] == [(), ("a",), (), (), (), ()]
    assert [seen.retired for seen in found] == [()] * 6


def test_look_input_that_comes_back_after_retirement_gets_a_new_run_key() -> None:
    watch, keys = FRESH, []
    for forms in ({"a": "1"}, {"a": "1"}, {}, {}, {"a": "1"}, {"a": "1"}):
        found = look(watch, {"z": "0", **forms})
        watch = settle(found.watch, current=("z",), asked=[key for key in found.ripe if key == "a"])
        keys += [run_key(watch, TEXTS, key) for key in found.ripe if key == "a"]
    assert keys == ["texts/a#1@e", "texts/a#2@e"]


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from(["", "1", "2"])), max_size=12)
)
def test_look_whatever_is_listed_keys_are_asked_for_only_when_steady(
    listings: list[dict[str, str]],
) -> None:
    before: dict[str, str] = {}
    for forms, found in zip(listings, looks(*listings), strict=True):
        for key in found.ripe:
            assert forms[key] == before[key] != ""
        for key in found.retired:
            assert key not in forms
            del before[key]
        if not found.doubt:
            before |= forms


@given(st.dictionaries(st.text(max_size=5), st.text("0123456789abcdef", max_size=12), max_size=5))
def test_watch_survives_a_restart_as_text(forms: dict[str, str]) -> None:
    many = {str(number): "0" for number in range(1_000)}
    for watch in (look(FRESH, forms).watch, look(FRESH, forms | many).watch):
        assert decode_watch(encode_watch(watch), epoch="other") == watch


def test_watch_from_no_or_a_foreign_text_begins_anew() -> None:
    many = look(FRESH, {str(number): "0" for number in range(1_000)}).watch
    for text in (None, "", "not a watch", encode_watch(FRESH)[:-3], encode_watch(many)[:-9]):
        assert decode_watch(text, epoch="new") == Watch(epoch="new")


def test_watch_of_ten_thousand_inputs_is_a_short_text() -> None:
    forms = {f"export-{number:05}": f"{number * 7919:08x}" for number in range(10_000)}
    assert len(encode_watch(look(FRESH, forms).watch)) < 150_000


def test_forms_of_change_with_size_and_time_and_name(toy: Toy) -> None:
    before = forms_of(toy.open().list_raw(), TEXTS)
    toy.write("a.txt", "more words")
    toy.write("b/one.txt", "x")
    after = forms_of(toy.open().list_raw(), TEXTS)
    assert after["a"] != before["a"]
    assert after["b"]


def test_sift_parts_what_is_current_from_what_is_wanted(toy: Toy) -> None:
    toy.make(toy.open())
    toy.write("b.txt", "two")
    toy.write("c.txt", "three")
    toy.write("d.txt", "four")
    workspace = toy.open()
    found = sift(
        workspace,
        workspace.list_raw(),
        GRAPH.stages,
        ["a", "b", "c", "d"],
        busy={"b"},
        limit=1,
        seconds=60,
    )
    assert (found.current, found.wanted, found.left) == (("a",), ("c",), ("b", "d"))


def test_sift_out_of_time_leaves_all_for_the_next_look(toy: Toy) -> None:
    workspace = toy.open()
    listing = workspace.list_raw()
    found = sift(workspace, listing, GRAPH.stages, ["a"], busy=(), limit=9, seconds=-1)
    assert found.left == ("a",)
