"""`resonare trace`: one row's way back to its messages, as a tree or as JSON."""

import difflib
import json
import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from resonare_pipeline.artifacts.manifest import Manifest
from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.planning.example_rows import Row
from resonare_pipeline.planning.sources import RawFile, Source
from resonare_pipeline.planning.tracing import Step, Trace, plain, trace
from resonare_pipeline.planning.workspace import Workspace

HASH_DIGITS = 12
LONGEST_TEXT = 160  # characters of a message or turn
MOST_MESSAGES = 40
MOST_TURNS = 12
MOST_CHANGES = 8


def show_trace(
    workspace: Workspace, example_id: str, partition: str | None, *, as_json: bool
) -> int:
    """Print where a row comes from, and return the exit code."""
    found = trace(workspace, example_id, partition=partition)
    if as_json:
        sys.stdout.write(json.dumps(plain(found), ensure_ascii=False, default=str) + "\n")
        return 0
    Console().print(_tree(found), highlight=False)
    return 0


def _tree(found: Trace) -> Tree:
    tree = Tree(f"[bold]{escape(found.example_id)}[/]")
    if found.example is not None:
        _add_example(tree, found.example, found.row)
    _add_row(tree, found.row)
    if found.source is not None:
        _add_source(tree, found.source)
    made = tree.add("[bold]made by[/]")
    for step in found.steps:
        _add_step(made, step)
    for line in found.notes:
        tree.add(f"[red]note[/] {escape(line)}")
    return tree


def _add_example(tree: Tree, example: Row, row: Row) -> None:
    values = example.values
    split = example.file.rpartition("/")[2].partition("-")[0]
    branch = tree.add(
        f"[bold]dataset[/] {escape(split)}: row {example.number} of {escape(example.file)}, "
        f"{values.get('tokens')} tokens"
    )
    if row is example:
        return
    changes = list(_changes(row.values.get("messages") or [], values.get("messages") or []))
    branch.add(f"redaction changed {len(changes)} places" if changes else "nothing was redacted")
    for before, after in changes[:MOST_CHANGES]:
        branch.add(f"{escape(_cut(before))} [dim]→[/] {escape(_cut(after))}")
    if changes[MOST_CHANGES:]:
        branch.add(f"… {len(changes) - MOST_CHANGES} more")


def _changes(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Yield what stands where in a row and in what became of it, word by word."""
    for old, new in zip(before, after, strict=False):
        words, now = old["content"].split(" "), new["content"].split(" ")
        matcher = difflib.SequenceMatcher(a=words, b=now, autojunk=False)
        for kind, start, end, first, last in matcher.get_opcodes():
            if kind != "equal":
                yield " ".join(words[start:end]), " ".join(now[first:last])


def _add_row(tree: Tree, row: Row) -> None:
    where = f" of {row.partition}" if row.partition else ""
    branch = tree.add(
        f"[bold]{row.asset}[/]{escape(where)}: row {row.number} of {escape(row.file)}"
    )
    turns = row.values.get("messages") or []
    for turn in turns[:MOST_TURNS]:
        branch.add(f"[cyan]{escape(str(turn['role']))}[/] {escape(_cut(str(turn['content'])))}")
    if turns[MOST_TURNS:]:
        branch.add(f"… {len(turns) - MOST_TURNS} more turns")


def _add_source(tree: Tree, source: Source) -> None:
    block = source.block
    branch = tree.add(
        f"[bold]block[/] {escape(block['block_id'])}: {block['token_count']} tokens, "
        f"{len(source.messages)} messages"
    )
    for message in source.messages[:MOST_MESSAGES]:
        branch.add(_message(message, block["chat_id"]))
    if source.messages[MOST_MESSAGES:]:
        branch.add(f"… {len(source.messages) - MOST_MESSAGES} more messages")
    if source.chat is not None:
        chat = source.chat
        tree.add(
            f"[bold]chat[/] {escape(chat['chat_id'])}: {escape(str(chat['name']))}, "
            f"{escape(str(chat['kind']))}, {chat['message_count']} messages"
        )
    raw = tree.add("[bold]raw export[/]")
    for file in source.files:
        raw.add(_file(file))
    ids = source.source_ids
    shown = ", ".join(ids) if len(ids) <= MOST_MESSAGES else f"{ids[0]} … {ids[-1]} ({len(ids)})"
    raw.add(f"message ids in it: {escape(shown)}")


def _message(message: dict[str, Any], chat_id: str) -> str:
    own = message["message_id"].removeprefix(f"{chat_id}:")
    if "text" not in message:
        return f"[dim]{escape(own)}[/] [red]not in the store any more[/]"
    text, part = message["text"], message.get("part")
    if part:
        text = text[part[0] : part[1]]
    mark = f" [dim](characters {part[0]} to {part[1]})[/]" if part else ""
    who = message["sender_name"] or message["sender_id"] or "?"
    sent_at = message["sent_at"].replace("T", " ").removesuffix("Z")
    return f"[dim]{escape(own)} {sent_at}[/] [cyan]{escape(who)}[/]{mark} {escape(_cut(text))}"


def _file(file: RawFile) -> str:
    if not file.place:
        return f"{escape(file.name)}: [red]gone[/]"
    state = {
        True: "as it was read",
        False: "[red]changed since it was read[/]",
        None: "touched since it was read; the next run hashes it again",
    }[file.is_same]
    return f"{escape(file.place)}: {state}"


def _add_step(tree: Tree, step: Step) -> None:
    name = f"[bold]{step.stage}[/]{escape(f' of {step.partition}') if step.partition else ''}"
    if step.manifest is None:
        tree.add(f"{name} [red]not in the store any more[/]")
        return
    manifest = step.manifest
    state = "[green]current[/]" if step.current else f"[yellow]old[/]: {escape(step.why_not)}"
    branch = tree.add(
        f"{name} {manifest.fingerprint[:HASH_DIGITS]}, made {manifest.made_at[:19]}, {state}"
    )
    for asset, entry in manifest.outputs.items():
        left_out = sum(entry.dropped.values())
        branch.add(
            f"{asset}: {entry.rows:,} rows, {left_out:,} left out, "
            f"digest {entry.digest[:HASH_DIGITS]}"
            + (f", the files of {entry.alias_of}" if entry.alias_of else "")
        )
    branch.add(f"code {short_hash(manifest.ingredients.code)}{_checks(manifest)}")
    if manifest.ingredients.settings and not step.changed:
        branch.add("settings: all as by default")
    for key, value in step.changed.items():
        branch.add(f"{escape(key)} = {escape(_cut(json.dumps(value, ensure_ascii=False)))}")


def _checks(manifest: Manifest) -> str:
    if not manifest.checks:
        return ""
    passed = sum(check.passed for check in manifest.checks)
    return f", {passed} of {len(manifest.checks)} checks passed"


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
