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
from typing import Any, TypeGuard

from resonare_pipeline.errors import FingerprintError

KEPT_TEXTS = 1024  # summaries kept in memory: more than the project has modules

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_BLOCKS = frozenset({"body", "orelse", "finalbody"})
_SKIPPED = frozenset({"ctx", "kind", "type_comment"})


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
        and not (is_for_typing(statement) and not statement.orelse)
    ]


def is_for_typing(node: ast.AST) -> TypeGuard[ast.If]:
    """Tell whether a statement is an `if TYPE_CHECKING:`."""
    if not isinstance(node, ast.If):
        return False
    test = node.test
    if isinstance(test, ast.Attribute):
        return test.attr == "TYPE_CHECKING"
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _write(value: object, parts: list[str], imports: dict[Import, None]) -> None:
    if not isinstance(value, ast.AST):
        parts.append(_constant(value))
        return
    parts.append(f"({type(value).__name__}")
    if isinstance(value, ast.Import | ast.ImportFrom):
        imports.update((item, None) for _, item in imported(value))
    for name in value._fields:
        field = getattr(value, name, None)
        if isinstance(field, list):
            if items := _counting(value, name, field):
                parts.append(f" {name}=[")
                for item in items:
                    _write(item, parts, imports)
                parts.append("]")
        elif name not in _SKIPPED and (field is not None or isinstance(value, ast.Constant)):
            parts.append(f" {name}=")
            _write(field, parts, imports)
    parts.append(")")


def _counting(node: ast.AST, name: str, items: list[Any]) -> list[Any]:
    """Return what counts of a node's list: blocks and f-strings have more than one form."""
    if name in _BLOCKS:
        return [] if name == "body" and is_for_typing(node) else effective(items)
    return _joined(items) if isinstance(node, ast.JoinedStr) else items


def _joined(values: list[ast.expr]) -> list[ast.expr]:
    """Merge neighbouring literal parts of an f-string, which versions may cut differently."""
    merged: list[ast.expr] = []
    text = ""
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            text += value.value
            continue
        merged += [ast.Constant(text), value] if text else [value]
        text = ""
    return [*merged, ast.Constant(text)] if text else merged


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
