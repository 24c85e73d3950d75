"""The dataset over real exports: what is in it, what is not, and what refuses to become one."""

import json
import re
from pathlib import Path

import datasets
import pyarrow.parquet as pq
import yaml

from assets.graph import GRAPH
from resonare_pipeline.rows import EXAMPLES
from tests.datasets.exports import DatasetProject, account, chat, many, talk


def test_dataset_holds_every_conversation_once_with_its_numbers(project: DatasetProject) -> None:
    project.write("a", many(30))
    project.write("b", many(10, first=500))
    project.make()
    summary = project.summary()
    assert summary.examples == 120 == len(project.all_rows())
    assert {name: s.read for name, s in summary.sources.items()} == {"chats/a": 90, "chats/b": 30}
    assert sum(split.examples for split in summary.splits.values()) == 120
    assert sum(split.roots for split in summary.splits.values()) == 40
    for split, numbers in summary.splits.items():
        rows = project.rows(split)
        assert numbers.tokens == sum(row["tokens"] for row in rows)
        assert numbers.trained_tokens == sum(row["trained_tokens"] for row in rows)
        assert numbers.turns == sum(len(row["messages"]) for row in rows)
    row = project.all_rows()[0]
    assert [m["role"] for m in row["messages"]] == ["user", "assistant"]
    assert [m["weight"] for m in row["messages"]] == [None, 1]
    assert 0 < row["trained_tokens"] < row["tokens"]
    assert row["language"] == "en"
    assert row["ended_at"] > row["started_at"]


def test_dataset_tokens_are_those_of_the_rows_as_they_stand(project: DatasetProject) -> None:
    from resonare_pipeline.counting import O200kTokenizer

    project.write("a", many(5))
    project.make()
    for row in project.all_rows():
        assert row["tokens"] == O200kTokenizer().count_conversation(row["messages"])


def test_dataset_holds_no_name_id_or_source_of_a_person(project: DatasetProject) -> None:
    project.write(
        "zelda-quill",
        account(
            chat(
                77001,
                "Zelda Quillfeather",
                [
                    [
                        "hi Olga, zelda here, call +49 30 901820 now",
                        "sure zelda, tell me more then",
                    ],
                    ["mail me at zelda@example.com tomorrow", "ok Zelda Quillfeather I will do so"],
                ],
            )
        ),
    )
    project.make()
    published = b"".join(
        path.read_bytes()
        for path in project.output.rglob("*")
        if path.is_file() and path.suffix in (".md", ".jsonl")
    )
    columns = json.dumps(project.all_rows(), default=str).encode()
    for text in (b"elda", b"uillfeather", b"Olga", b"77001", b"901820", b"zelda-quill", b"user1"):
        assert text not in published
        assert text not in columns
    assert {"person", "phone", "email"} <= set(project.summary().redactions)
    assert "[PERSON_" in project.texts()


def test_every_name_that_a_person_ever_had_is_redacted(project: DatasetProject) -> None:
    first, second = (
        [["hello all of you, it is late", "good night Annabel Oldname, sleep well"]],
        [["morning, Oldname is no more", "Newgirl Married is a fine name I think"]],
    )
    export = chat(100, "Annabel Oldname", [*first, *second])
    for message in export["messages"][2:]:
        if message["from_id"] == "user100":
            message["from"] = "Newgirl Married"
    project.write(
        "a", account(export, chat(200, "Other Friend", [["Annabel Oldname is ill", "oh"]]))
    )
    project.write(
        "b", account(chat(300, "Third Friend", [["have you seen Newgirl Married", "no"]]))
    )
    project.make()
    for name in ("Annabel", "Oldname", "Newgirl", "Married"):
        assert name not in project.texts()


def test_linked_people_have_one_label_whatever_their_exports_call_them(
    project: DatasetProject,
) -> None:
    lines = ["Wilhelmina said Zebulon called", "who is Wilhelmina, and who is Zebulon"]
    project.write("a", account(chat(301, "Wilhelmina Poe", [lines])))
    project.write("b", account(chat(302, "Zebulon Crane", [[*lines, "x", "y"]])))
    person = {"ids": ["telegram:user301", "telegram:user302"], "name": "Willa"}
    people = {"people__willa": json.dumps(person)}

    project.make()
    apart = project.texts()
    project.make(**people)
    together = project.texts()

    labels = re.compile(r"(\[PERSON_\d+\]) said (\[PERSON_\d+\]) called")
    assert all(first != second for first, second in labels.findall(apart))
    assert all(first == second for first, second in labels.findall(together))
    assert len(labels.findall(apart)) == len(labels.findall(together)) == 2


def test_a_link_of_one_export_alone_holds_in_the_dataset(project: DatasetProject) -> None:
    lines = ["Wilhelmina said Zebulon called", "who is Wilhelmina, and who is Zebulon"]
    project.write("a", account(chat(301, "Wilhelmina Poe", [lines])))
    project.write("b", account(chat(303, "Zebulon Crane", [[*lines, "x", "y"]])))
    (project.folder / "resonare.toml").write_text(
        '[people.willa]\nids = ["telegram:user301", "telegram:user302"]\n'
        '[partition."chats/b".people.willa]\nids = ["telegram:user301", "telegram:user303"]\n'
    )

    project.make()

    labels = re.findall(r"(\[PERSON_\d+\]) said (\[PERSON_\d+\]) called", project.texts())
    assert len(labels) == 2
    assert len({label for pair in labels for label in pair}) == 1


def test_no_hash_in_the_rows_confirms_a_guess_of_what_was_redacted(project: DatasetProject) -> None:
    from resonare_pipeline.fingerprint import short_hash

    project.write("a", many(3))
    project.make()
    made_of = {row["source_example_id"] for row in project.table("origins.parquet")}
    assert len(made_of) == 9
    assert {row["root_id"] for row in project.all_rows()} == {"root-1", "root-2", "root-3"}
    for row in project.all_rows():
        assert row["example_id"] not in made_of
        assert json.loads(row["provenance"]) == {"asset": "chat_conversations"}
        said = [[m["role"], m["content"]] for m in row["messages"]]
        assert short_hash([said, None]) != row["example_id"]
    assert not (project.output / "origins.parquet").exists()


def test_redaction_that_leaves_something_out_does_not_count_as_redacted(
    project: DatasetProject,
) -> None:
    project.write("a", many(3))
    project.write("b", many(3, first=500))
    project.make(privacy__people="keep")
    assert project.summary().redacted is False
    project.make(privacy__kinds="phone,email")
    assert project.summary().redacted is False
    (project.folder / "resonare.toml").write_text('[partition."chats/b".privacy]\nredact = false\n')
    project.make()
    assert project.summary().redacted is False
    assert "not redacted" in (project.output / "README.md").read_text()


def test_equal_example_left_out_of_one_source_is_taken_from_the_other(
    project: DatasetProject,
) -> None:
    project.write("a", many(12))
    project.write("b", many(12))
    (project.folder / "resonare.toml").write_text(
        '[partition."chats/a".mixture]\nmax_examples = 1\n'
    )
    project.make(dataset__validation_fraction="0")
    assert project.summary().examples == 36
    (project.folder / "resonare.toml").write_text('[partition."chats/a".mixture]\nweight = 0.0\n')
    project.make(dataset__validation_fraction="0")
    assert project.summary().examples == 36


def test_both_sides_of_one_chat_stand_in_one_split(project: DatasetProject) -> None:
    for number in range(100, 120):
        talks = [talk(f"matter {number} {part}") for part in range(2)]
        mine = chat(number, f"Friend{number}", talks)
        theirs = {**mine, "id": 1, "name": "Olga Owner"}
        project.write(f"mine-{number}", account(mine))
        project.write(
            f"theirs-{number}",
            {"personal_information": {"user_id": number}, "chats": {"list": [theirs]}},
        )
    project.make(dataset__validation_fraction="0.5", messages__owner="")
    topics = {
        split: {
            word
            for row in project.rows(split)
            for word in row["messages"][0]["content"].split()
            if word.isdecimal() and len(word) == 3
        }
        for split in ("train", "validation")
    }
    assert topics["train"]
    assert topics["validation"]
    assert not topics["train"] & topics["validation"]


def test_dataset_without_redaction_says_where_rows_come_from(project: DatasetProject) -> None:
    project.write("a", many(3))
    project.make(privacy__redact="false")
    row = project.all_rows()[0]
    assert row["source"] == "chats/a"
    assert row["root_id"].startswith("telegram:user1")
    assert json.loads(row["provenance"])["block_id"].startswith(row["root_id"])
    assert project.summary().redacted is False
    assert "not redacted" in (project.output / "README.md").read_text()


def test_adding_data_moves_no_example_to_another_split(project: DatasetProject) -> None:
    project.write("a", many(30))
    project.make()
    before = project.split_by_id()
    codes = {row["example_id"]: row["root_id"] for row in project.all_rows()}
    project.write("b", many(30, first=900, later=20))
    project.make()
    after = project.split_by_id()
    assert set(before) < set(after)
    assert {example: after[example] for example in before} == before
    later = {row["example_id"]: row["root_id"] for row in project.all_rows()}
    assert {example: later[example] for example in codes} == codes


def test_splits_share_no_root_and_no_turns(project: DatasetProject) -> None:
    same = [talk("the very same thing")]
    project.write("a", account(*(chat(n, f"Friend{n}", same) for n in range(100, 140))))
    project.write("b", many(30, first=900))
    made = project.make(dataset__test_fraction="0.2", dataset__validation_fraction="0.2")
    roots = {
        split: {r["root_id"] for r in project.rows(split)} for split in project.summary().splits
    }
    assert roots.keys() == {"train", "validation", "test"}
    assert not roots["train"] & (roots["validation"] | roots["test"])
    assert not roots["validation"] & roots["test"]
    assert project.summary().dropped == {"duplicate": 39}
    assert {check.name: check.passed for check in made.manifest.checks} == dict.fromkeys(
        ("no_leaks", "unique_rows", "counts", "openai_rules"), True
    )


def test_overlapping_exports_of_one_chat_give_each_example_once(project: DatasetProject) -> None:
    talks = [talk(f"matter {part}") for part in range(4)]
    project.write("old", account(chat(100, "Friend", talks[:3])))
    project.write("new", account(chat(100, "Friend", talks)))
    project.make()
    assert project.summary().examples == 4
    assert project.summary().dropped == {"duplicate": 3}


def test_dataset_respects_time(project: DatasetProject) -> None:
    project.write("a", many(40))
    border = "2020-09-18T00:00:00"
    project.make(dataset__train_before=border, dataset__validation_fraction="0.3")
    summary = project.summary()
    assert summary.dropped["outside_time"] == 120 - summary.examples > 0
    assert max(row["ended_at"] for row in project.rows("train")).isoformat() < border
    assert min(row["started_at"] for row in project.rows("validation")).isoformat() >= border


def test_weights_limits_and_inclusion_by_partition(project: DatasetProject) -> None:
    for key, first in (("a", 100), ("b", 300), ("c", 500), ("d", 700)):
        project.write(key, many(20, first=first))
    (project.folder / "resonare.toml").write_text(
        '[partition."chats/a".mixture]\nweight = 2.0\n'
        '[partition."chats/b".mixture]\nweight = 0.5\n'
        '[partition."chats/c".mixture]\nmax_examples = 7\n'
        '[partition."chats/d".mixture]\ninclude = false\n'
    )
    project.make(dataset__validation_fraction="0")
    sources = project.summary().sources
    assert sources.keys() == {"chats/a", "chats/b", "chats/c"}
    assert sources["chats/a"].examples == 120
    assert 15 <= sources["chats/b"].examples <= 45
    assert sources["chats/b"].dropped == {"unweighted": 60 - sources["chats/b"].examples}
    assert sources["chats/c"].examples == 7
    assert sources["chats/c"].dropped == {"over_limit": 53}
    assert {row["repeat"] for row in project.rows("train")} == {0, 1}


def test_length_limits_are_those_after_redaction(project: DatasetProject) -> None:
    project.write("a", account(chat(100, "Friend", [talk("tea"), talk("tea " * 50)])))
    project.make(dataset__max_tokens="60")
    assert project.summary().dropped == {"too_many_tokens": 1}
    assert all(row["tokens"] <= 60 for row in project.all_rows())


def test_seed_decides_order_and_nothing_else_moves(project: DatasetProject) -> None:
    project.write("a", many(30))
    project.make(dataset__validation_fraction="0")
    before = [row["example_id"] for row in project.rows("train")]
    project.make(dataset__validation_fraction="0", dataset__seed="5")
    after = [row["example_id"] for row in project.rows("train")]
    assert before != after
    assert sorted(before) == sorted(after)


def test_shards_are_cut_by_size_and_old_ones_vanish(project: DatasetProject) -> None:
    long = [["why " * 9_000, "because " * 30_000 + str(n)] for n in range(12)]
    project.write("a", account(chat(100, "Friend", long)))
    settings = {"blocks__max_tokens_per_block": "100000", "dataset__validation_fraction": "0"}
    project.make(**settings, dataset__shard_megabytes="1")
    shards = sorted(path.name for path in project.output.glob("data/*"))
    assert shards == [f"train-{n:05d}-of-{len(shards):05d}.parquet" for n in range(len(shards))]
    assert len(shards) == 4
    project.make(**settings)
    assert [p.name for p in project.output.glob("data/*")] == ["train-00000-of-00001.parquet"]


def test_hub_library_reads_the_dataset_back(project: DatasetProject, tmp_path: Path) -> None:
    project.write("a", many(40))
    project.make()
    read = datasets.load_dataset(str(project.output), cache_dir=str(tmp_path / "cache"))
    assert {name: len(read[name]) for name in read} == {
        name: split.examples for name, split in project.summary().splits.items()
    }
    assert read["train"][0]["messages"][0]["content"].startswith(">>> what do you think")
    files = {"train": str(project.output / "data/train-*.parquet")}
    again = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "other"))
    assert again["train"].column_names == EXAMPLES.names
    lines = (project.output / "jsonl/train.jsonl").read_text().splitlines()
    assert [json.loads(line)["example_id"] for line in lines] == again["train"]["example_id"][:]


def test_card_header_describes_the_files(project: DatasetProject) -> None:
    project.write("a", many(40))
    project.make(dataset__license="mit", dataset__name="Tea: talks")
    _, header_text, body = (project.output / "README.md").read_text().split("---\n", 2)
    header = yaml.safe_load(header_text)
    assert header["license"] == "mit"
    assert header["pretty_name"] == "Tea: talks"
    assert header["language"] == ["en"]
    assert header["size_categories"] == ["n<1K"]
    info = datasets.Features._from_yaml_list(header["dataset_info"]["features"])
    shard = next(iter(project.output.glob("data/train-*")))
    assert info.arrow_schema.names == EXAMPLES.names
    assert datasets.Features.from_arrow_schema(pq.read_schema(shard)) == info
    assert header["dataset_info"]["download_size"] == sum(
        path.stat().st_size for path in project.output.glob("data/*")
    )
    for entry in header["configs"][0]["data_files"]:
        assert list(project.output.glob(entry["path"]))
    assert "# Tea: talks" in body
    assert "chats/a" not in body


def test_openai_file_leaves_out_what_its_rules_forbid(project: DatasetProject) -> None:
    project.write("a", account(chat(100, "Friend", [[*talk("tea"), "and another question"]] * 1)))
    project.make(chat_conversations__conversation_shape="as_is")
    train = project.summary().splits["train"]
    assert (train.examples, train.openai_examples) == (1, 0)
    assert train.openai_left_out == {"answer_not_last": 1}
    assert (project.output / "openai/train.jsonl").read_bytes() == b""


def test_sensitive_words_are_replaced_or_drop_the_example(project: DatasetProject) -> None:
    project.write("a", account(chat(100, "Friend", [talk("tea"), talk("the Zebrafish deal")])))
    project.make(privacy__sensitive_words="zebrafish")
    assert "ebrafish" not in project.texts()
    assert project.summary().redactions["word"] == 2
    project.make(privacy__sensitive_words="zebrafish", privacy__sensitive_action="drop")
    assert project.summary().dropped == {"sensitive_word": 1}
    assert "ebrafish" not in (project.output / "README.md").read_text()


def test_every_stage_of_the_group_but_requested_ones_is_made_by_its_job() -> None:
    from resonare_pipeline.definitions import defs

    job = defs.resolve_job_def("dataset_job")
    made = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert made == {
        asset
        for stage in GRAPH.stages
        if stage.group == "dataset" and not stage.on_request
        for asset in stage.assets
    }
