"""What refuses to become a dataset, and what is said then."""

import pytest

from resonare_pipeline.errors import SettingsError, StageError
from resonare_pipeline.planning.making import make
from tests.datasets.exports import DATASET, DatasetProject, account, chat, many, talk


def test_nothing_ready_is_a_clear_error(project: DatasetProject) -> None:
    project.write("a", many(2))
    with pytest.raises(StageError, match=r"no source is ready.*chats/a"):
        make(project.open(), DATASET, None)
    assert not project.output.exists()


def test_absent_source_is_named_or_refused(project: DatasetProject) -> None:
    project.write("a", many(3))
    workspace = project.fill()
    project.write("broken", {"no": "export"})
    make(workspace, DATASET, None)
    assert project.summary().absent == ("chats/broken",)
    assert "absent: chats/broken" in project.summary().notes
    with pytest.raises(StageError, match=r"chats/broken.*require_all"):
        make(project.open(dataset__require_all="true"), DATASET, None)


def test_split_left_empty_is_a_clear_error_where_it_was_asked_for(project: DatasetProject) -> None:
    project.write("a", account(chat(100, "Friend", [talk("tea")])))
    project.make()
    assert project.summary().splits.keys() == {"train"}
    assert any("validation" in note for note in project.summary().notes)
    with pytest.raises(
        StageError, match=r"the split (train|validation) is empty: 1 chats.*fraction"
    ):
        project.make(dataset__validation_fraction="0.5")
    assert project.summary().splits.keys() == {"train"}


def test_train_left_empty_by_limits_says_what_took_it(project: DatasetProject) -> None:
    project.write("a", many(3))
    with pytest.raises(StageError, match=r"the split train is empty.*too_few_tokens 9"):
        project.make(dataset__min_tokens="100000")


def test_rows_without_metadata_are_refused_with_the_remedy(project: DatasetProject) -> None:
    project.write("a", many(3))
    with pytest.raises(StageError, match=r"line 1: a row that is no example.*include_metadata"):
        project.make(chat_conversations__include_metadata="false")


def test_fractions_that_leave_nothing_are_refused(project: DatasetProject) -> None:
    with pytest.raises(SettingsError, match="nothing to train on"):
        project.open(dataset__validation_fraction="0.6", dataset__test_fraction="0.5")
