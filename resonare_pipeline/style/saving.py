"""Training examples as files: one JSON document, or JSON lines; plain or compressed."""

import gzip
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from resonare_pipeline.artifacts.writing import writing_errors
from resonare_pipeline.errors import InputError
from resonare_pipeline.style.arguments import file_path
from resonare_pipeline.style.strategies import count_by_strategy
from resonare_pipeline.style.validation import is_collection, require_valid

FORMATS = ("json", "jsonl")


def save_examples(
    examples: Sequence[Mapping[str, Any]],
    output_path: str | os.PathLike[str],
    *,
    style_analysis: Mapping[str, Any] | None,
    file_format: str,
    validate: bool,
    compress: bool,
) -> Path:
    """Write examples; return where. A file appears whole or not at all.

    JSON is a document of `metadata` (counts), `style_analysis` and `examples`. JSON lines hold an
    example each, and the analysis goes beside them into `<name>.style.json`. A path that ends with
    .jsonl always gets JSON lines. Compressed files end with .gz.

    Raises:
        ValidationError: If an example is not valid and `validate` is set; nothing is written.
    """
    if file_format not in FORMATS:
        raise InputError(f"format is {file_format!r}", expected=f"one of {', '.join(FORMATS)}")
    path = file_path(output_path, "output_path")
    if not is_collection(examples):
        raise InputError(
            f"training_examples are {type(examples).__name__}", expected="a list of dicts"
        )
    examples = list(examples)
    if validate:
        require_valid(examples)
    as_lines = file_format == "jsonl" or path.name.removesuffix(".gz").endswith(".jsonl")
    if compress and path.suffix != ".gz":
        path = path.with_name(f"{path.name}.gz")
    compress = path.suffix == ".gz"
    if as_lines:
        _write(path, _lines(examples), compress=compress)
        if style_analysis is not None:
            beside = path.with_name(f"{_stem(path)}.style.json")
            _write(beside, iter([_json(style_analysis, indent=1)]), compress=False)
        return path
    document = {
        "metadata": {
            "total_examples": len(examples),
            "examples_by_type": count_by_strategy(examples),
        },
        "style_analysis": style_analysis,
        "examples": examples,
    }
    _write(path, iter([_json(document, indent=1)]), compress=compress)
    return path


def _stem(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).stem


def _lines(examples: Sequence[Mapping[str, Any]]) -> Iterator[bytes]:
    for example in examples:
        yield _json(example, indent=None)


def _json(value: object, *, indent: int | None) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    return f"{text}\n".encode()


def _write(path: Path, parts: Iterator[bytes], *, compress: bool) -> None:
    with writing_errors(path, remedy="Give a path in a folder that may be written to"):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                _fill(stream, parts, compress=compress)
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _fill(stream: BinaryIO, parts: Iterator[bytes], *, compress: bool) -> None:
    if not compress:
        stream.writelines(parts)
        return
    # No name and no time in the header: equal examples give equal bytes.
    with gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as packed:
        packed.writelines(parts)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
