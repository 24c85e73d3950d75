"""Code identity: which source decides what a stage makes, and the hash of each piece of it.

Derived, never bumped by hand: the stage's own function with what it needs of its module, and every
project module that its names come from, transitively. Comments, docstrings and layout do not count
(`syntax` says how a tree is written down). No module is imported to be looked at.

Not seen, and therefore not to be used in stages: modules named only at run time
(`importlib.import_module("…")`), modules reached as an attribute of a package without an import of
their own, and values that a nested function takes from the function around it.
"""

import ast
import importlib.util
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Protocol

from resonare_pipeline.errors import FingerprintError
from resonare_pipeline.planning.scopes import find_definitions, global_names, module_bindings
from resonare_pipeline.planning.syntax import (
    Import,
    ModuleSummary,
    imported,
    summarise,
    undecorated,
    written,
)

PROJECT_PACKAGES = ("resonare_pipeline", "assets", "resources")

NEVER_COUNTED: Mapping[str, str] = {
    "resonare_pipeline.__init__": "offers functions to people; stages import the modules below it",
    "resonare_pipeline.artifacts": "how files are stored; what they hold is hashed as the digest",
    "resonare_pipeline.chats.links.asking": "how links are asked for; what they say is the world's",
    "resonare_pipeline.chats.links.connecting": "how links are asked for",
    "resonare_pipeline.chats.links.fetching": "how links are asked for",
    "resonare_pipeline.chats.links.guarding": "who may not be asked",
    "resonare_pipeline.chats.links.hosts": "how links are asked for",
    "resonare_pipeline.chats.links.inflating": "how links are asked for",
    "resonare_pipeline.chats.links.remembering": "where what links say is kept",
    "resonare_pipeline.chats.links.running": "how links are asked for",
    "resonare_pipeline.completions.accounts": "what may be paid, not what is answered",
    "resonare_pipeline.completions.answers": "reads what came; a request's key is what was asked",
    "resonare_pipeline.completions.asking": "how requests travel; their bodies are hashed",
    "resonare_pipeline.completions.batch_settings": "how requests travel; their bodies are hashed",
    "resonare_pipeline.completions.batches": "how requests travel; their bodies are hashed",
    "resonare_pipeline.completions.budget": "what may be paid, not what is answered",
    "resonare_pipeline.completions.cache": "where answers are kept, by the key of what was asked",
    "resonare_pipeline.completions.capping": "what may be paid, not what is answered",
    "resonare_pipeline.completions.engine": "how requests travel; their bodies are hashed",
    "resonare_pipeline.completions.environment": "places and keys; names of models are settings",
    "resonare_pipeline.completions.estimating": "what is expected, not what is answered",
    "resonare_pipeline.completions.gate": "when requests go out",
    "resonare_pipeline.completions.limits": "when requests go out",
    "resonare_pipeline.completions.lookup": "what the cache knows, by the key of what was asked",
    "resonare_pipeline.completions.media": "what is expected, not what is answered",
    "resonare_pipeline.completions.models": "what is said of a model that an endpoint lacks",
    "resonare_pipeline.completions.opening": "opens the engine and what it needs",
    "resonare_pipeline.completions.pricing": "what answers cost",
    "resonare_pipeline.completions.providers": "how requests travel; their bodies are hashed",
    "resonare_pipeline.completions.reach": "when a run ends in an error",
    "resonare_pipeline.errors": "what is said when nothing is made",
    "resonare_pipeline.fingerprint": "a changed form changes the fingerprints by itself",
    "resonare_pipeline.planning": "decides when a stage runs, not what it makes",
    "resonare_pipeline.progress": "display only",
    "resonare_pipeline.settings": "the values that it finds are hashed by themselves",
    "resonare_pipeline.style.__init__": "offers functions to people, as the package above does",
}
"""Modules, with all below them, that never count, and why; `__init__` is the package's own code."""


class Sources(Protocol):
    """Where source texts come from."""

    def __call__(self, module: str, /) -> str | None:
        """Return a module's source text, or None if it is no module of the project."""
        ...


@cache
def installed_sources(module: str, /) -> str | None:
    """Return the source text of a project module as it is installed, or None.

    A text is read once a process, as the module itself is: whoever edits a file must start anew.
    """
    root, *names = module.split(".")
    if root not in PROJECT_PACKAGES:
        return None
    spec = importlib.util.find_spec(root)
    for folder in (spec and spec.submodule_search_locations) or ():
        base = Path(folder, *names)
        for path in (base / "__init__.py", base.with_name(f"{base.name}.py")):
            if path.is_file():
                return importlib.util.decode_source(path.read_bytes())
    return None


def code_identity(
    function: Callable[..., object], *, sources: Sources = installed_sources
) -> dict[str, str]:
    """Return the hash of each piece of source that decides what a function does.

    Returns:
        `module:function` for the function itself, and the name of each module that counts → SHA-256
        of the syntax tree.

    Raises:
        FingerprintError: If a source cannot be found, or an import in it cannot be followed.
    """
    function = inspect.unwrap(function)
    if not isinstance(function, FunctionType):
        raise FingerprintError(
            f"a {type(function).__name__} has no source of its own", expected="a plain function"
        )
    name = f"{function.__module__}:{function.__qualname__}"
    try:
        digest, imports = _own_code(function, sources)
    except FingerprintError as error:
        raise _placed(error, name) from error
    return {name: digest} | dict(sorted(_modules(imports, name, sources).items()))


def _own_code(function: FunctionType, sources: Sources) -> tuple[str, list[Import]]:
    """Return the hash of a function and what it needs of its module, and all its imports."""
    text = sources(function.__module__)
    if text is None:
        text = _text_behind(function)
    path = [part for part in function.__qualname__.split(".") if part != "<locals>"]
    definitions = [undecorated(node) for node in find_definitions(text, path)]
    if not definitions:
        raise FingerprintError(
            "its source does not stand in its module", expected="a function made by def"
        )
    bindings = module_bindings(text)
    imports: list[Import] = []
    needed: dict[ast.stmt, None] = {}
    seen = {path[0]} if len(path) == 1 else set()
    names = {"*"}.union(*map(global_names, definitions)) - seen
    while names:
        name = names.pop()
        seen.add(name)
        for statement in bindings.get(name, ()):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                imports += [item for bound, item in imported(statement) if bound == name]
            elif statement not in needed:
                needed[statement] = None
                names |= global_names(statement) - seen
    in_order = sorted(needed, key=lambda statement: (statement.lineno, statement.col_offset))
    digest, inside = written([*definitions, *in_order])
    return digest, [*imports, *inside]


def _text_behind(function: FunctionType) -> str:
    """Return the source of a function that stands outside the project, such as in a test."""
    try:
        return importlib.util.decode_source(Path(function.__code__.co_filename).read_bytes())
    except OSError as error:
        raise FingerprintError(
            "its source cannot be read",
            expected="a function that stands in a file",
        ) from error


def _modules(imports: Iterable[Import], importer: str, sources: Sources) -> dict[str, str]:
    """Return the hash of every module that imports lead to."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    pending = dict.fromkeys(imports, importer)
    followed: set[Import] = set()
    while pending:
        item, importer = pending.popitem()
        followed.add(item)
        for module, text in _reached(item, importer, sources):
            if module in seen:
                continue
            seen.add(module)
            summary = _summary(module, text)
            if not summary.is_bare:
                found[module] = summary.digest
            pending |= {inner: module for inner in summary.imports if inner not in followed}
    return found


def _summary(module: str, text: str) -> ModuleSummary:
    try:
        return summarise(text)
    except FingerprintError as error:
        raise _placed(error, module) from error


def _placed(error: FingerprintError, where: str) -> FingerprintError:
    place = f"{where}: {error.where}" if error.where else where
    return FingerprintError(error.found, where=place, expected=error.expected, remedy=error.remedy)


def _reached(item: Import, importer: str, sources: Sources) -> Iterator[tuple[str, str]]:
    """Yield the project modules that count of those that an import runs, with their texts."""
    parts = item.module.split(".")
    path = [".".join(parts[: index + 1]) for index in range(len(parts))]
    targets = path[-1:] if item.name is None else [*path[-1:], f"{item.module}.{item.name}"]
    texts = {name: sources(name) for name in dict.fromkeys([*path, *targets]) if _counts(name)}
    if parts[0] in PROJECT_PACKAGES and all(
        name in texts and texts[name] is None for name in targets
    ):
        raise FingerprintError(
            f"it imports {item.module}, whose source cannot be found",
            where=importer,
            expected="a module of the project, as a file of Python source",
        )
    yield from ((name, text) for name, text in texts.items() if text is not None)


@cache
def _counts(module: str) -> bool:
    """Tell whether a module is not listed, nor stands below a package that is."""
    parts = module.split(".")
    above = (".".join(parts[: index + 1]) for index in range(len(parts)))
    return f"{module}.__init__" not in NEVER_COUNTED and NEVER_COUNTED.keys().isdisjoint(above)
