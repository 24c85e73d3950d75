from resonare_pipeline.privacy.folding import fold
from resonare_pipeline.privacy.people import label_people
from resonare_pipeline.privacy.pseudonyms import PSEUDONYMS, RESERVE
from resonare_pipeline.privacy.settings import PrivacySettings

PLACEHOLDER = PrivacySettings()
PSEUDONYM = PrivacySettings(people="pseudonym")


def labels(names: list[str], settings: PrivacySettings) -> list[str]:
    return [p.label for p in label_people(((name, (name,)) for name in names), settings)]


def test_label_people_numbers_by_first_appearance_and_joins_keys() -> None:
    people = label_people([("a", ("Ann",)), ("b", ()), ("a", ("Annie",))], PLACEHOLDER)
    assert [(p.key, p.names, p.label) for p in people] == [
        ("a", ("Ann", "Annie"), "[PERSON_1]"),
        ("b", (), "[PERSON_2]"),
    ]


def test_label_people_more_people_behind_change_no_label() -> None:
    names = [f"name{number}" for number in range(30)]
    for settings in (PLACEHOLDER, PSEUDONYM):
        assert labels(names, settings)[:10] == labels(names[:10], settings)


def test_label_people_pseudonym_that_a_real_person_bears_changes_for_one_only() -> None:
    before = labels(["x", "y", "z"], PSEUDONYM)
    after = labels(["x", "y", "z", f"{before[1]} Smith"], PSEUDONYM)
    assert [one == other for one, other in zip(before, after, strict=False)] == [True, False, True]


def test_label_people_pseudonyms_beyond_the_list_carry_a_number() -> None:
    found = labels([f"{number}" for number in range(1000)], PSEUDONYM)
    assert len(set(found)) == 1000
    assert found[len(PSEUDONYMS)] == f"{PSEUDONYMS[0]}2"


def test_label_people_who_bear_every_pseudonym_get_placeholders() -> None:
    found = labels([*PSEUDONYMS, *RESERVE], PSEUDONYM)
    assert len(set(found)) == len(found)
    assert found[0] == "[PERSON_1]"


def test_label_people_kept_keep_their_first_name() -> None:
    assert labels(["Ann"], PrivacySettings(people="keep")) == ["Ann"]


def test_pseudonyms_fold_to_different_words() -> None:
    names = [*PSEUDONYMS, *RESERVE]
    assert len({fold(name) for name in names}) == len(names)
