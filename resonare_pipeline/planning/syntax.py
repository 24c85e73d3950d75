"""What a Python source text says, apart from how it is laid out.

A tree is written down by an own walk, which is the same for Python 3.11, 3.12 and 3.13 (`ast.dump`
is not): node names and fields, without positions, contexts, and what is None or empty. Statements
without effect (docstrings and other bare constants, `pass`) and the body of `if TYPE_CHECKING:` are
left out. Nothing is looked up or imported here, and only the standard library is used.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from resonare_pipeline.errors import FingerprintError

KEPT_TEXTS = 1024  # summaries kept in memory: more than the project has modules

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_BLOCKS = frozenset({"body", "orelse", "finalbody"})
_SKIPPED = frozenset({"ctx", "kind", "type_comment", "type_ignores"})


@dataclass(frozen=True, slots=True)
class Import:
    """A module that is imported, and the name taken from it (None: the module itself)."""

    module: str
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleSummary:
    """What counts of a module.

    Attributes:
        digest: Hash of the syntax tree.
        is_bare: No statement in it has an effect.
        imports: What is imported anywhere in it, functions included.
    """

    digest: str
    is_bare: bool
    imports: tuple[Import, ...]


def parse(text: str) -> ast.Module:
    """Return the syntax tree of a module.

    Raises:
        FingerprintError: If the text is no Python of the running version.
    """
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise FingerprintError(
            f"source code that cannot be parsed ({error})", expected="valid Python"
        ) from error


@lru_cache(maxsize=KEPT_TEXTS)
def summarise(text: str) -> ModuleSummary:
    """Return what counts of a module."""
    body = effective(parse(text).body)
    digest, imports = written(body)
    return ModuleSummary(digest=digest, is_bare=not body, imports=imports)


def written(nodes: Iterable[ast.AST]) -> tuple[str, tuple[Import, ...]]:
    """Return the hash of some trees, and what is imported anywhere in them."""
    parts: list[str] = []
    imports: dict[Import, None] = {}
    for node in nodes:
        _write(node, parts, imports)
    form = "".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(form).hexdigest(), tuple(imports)


def undecorated(node: Definition) -> Definition:
    """Return a definition without its decorators."""
    fields = dict(ast.iter_fields(node)) | {"decorator_list": []}
    return type(node)(**fields)


def imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Import]]:
    """Yield the names that an import statement binds, and what they stand for.

    Raises:
        FingerprintError: For a relative import, which says too little by itself.
    """
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0], Import(alias.name)
        return
    if node.level or node.module is None:
        raise FingerprintError(
            f"a relative import (line {node.lineno}) cannot be followed",
            expected="the full name of the module",
        )
    for alias in node.names:
        yield alias.asname or alias.name, Import(node.module, alias.name)


def effective(statements: list[ast.stmt]) -> list[ast.stmt]:
    """Return a block without the statements that do nothing when it runs."""
    return [
        statement
        for statement in statements
        if not isinstance(statement, ast.Pass)
        and not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        and not (is_for_typing(statement) and not statement.orelse)  # type: ignore[attr-defined]
    ]


def is_for_typing(node: ast.AST) -> bool:
    """Tell whether a statement is an `if TYPE_CHECKING:`."""
    if not isinstance(node, ast.If):
        return False
    test = node.test
    if isinstance(test, ast.Attribute):
        return test.attr == "TYPE_CHECKING"
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _write(node: ast.AST, parts: list[str], imports: dict[Import, None]) -> None:
    parts.append(f"({type(node).__name__}")
    if isinstance(node, ast.Constant):
        parts.append(f"{_constant(node.value)})")
        return
    if isinstance(node, ast.Import | ast.ImportFrom):
        imports.update((item, None) for _, item in imported(node))
    for name, value in _fields(node):
        parts.append(f" {name}=")
        if isinstance(value, list):
            parts.append("[")
            for item in value:
                _write_value(item, parts, imports)
            parts.append("]")
        else:
            _write_value(value, parts, imports)
    parts.append(")")


def _write_value(value: object, parts: list[str], imports: dict[Import, None]) -> None:
    if isinstance(value, ast.AST):
        _write(value, parts, imports)
    else:
        parts.append(_constant(value))


def _fields(node: ast.AST) -> Iterator[tuple[str, object]]:
    """Yield the fields that count, with blocks and f-strings in their plain form."""
    typing_only = is_for_typing(node)
    for name in node._fields:
        value = getattr(node, name, None)
        if name in _SKIPPED or (typing_only and name == "body"):
            continue
        if isinstance(value, list):
            if name in _BLOCKS:
                value = effective(value)
            elif isinstance(node, ast.JoinedStr):
                value = _joined(value)
        if value is not None and value != []:
            yield name, value


def _joined(values: list[ast.expr]) -> list[ast.expr]:
    """Merge neighbouring literal parts of an f-string, which versions cut differently."""
    merged: list[ast.expr] = []
    for value in values:
        if not isinstance(value, ast.Constant):
            merged.append(value)
        elif merged and isinstance(merged[-1], ast.Constant):
            merged[-1] = ast.Constant(f"{merged[-1].value}{value.value}")
        elif value.value != "":
            merged.append(value)
    return merged


def _constant(value: object) -> str:
    """Return type and value of a constant, each form ending where no other can go on."""
    match value:
        case str():
            return f"s{len(value)}:{value}"
        case None | bool():
            return f"{value};"
        case int():
            return f"i{value:x};"  # Python refuses to print more than 4300 decimal digits
        case float():
            return f"f{value.hex()};"
        case complex():
            return f"c{value.real.hex()},{value.imag.hex()};"
        case bytes():
            return f"b{value.hex()};"
        case _ if value is ...:
            return "...;"
        case _:
            raise FingerprintError(f"a constant of type {type(value).__name__} in source code")
