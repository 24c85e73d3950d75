"""Prompt templates: Jinja2 files of `prompts/`, in the working folder or as they are installed."""

import hashlib
from pathlib import Path

from resonare_pipeline.bundled import prompts_folder
from resonare_pipeline.errors import SettingsError


def find_template(name: str) -> Path:
    """Return where a template lies: the working folder's own, else the installed one.

    Args:
        name: Path below `prompts/`.
    """
    own = Path("prompts") / name
    return own if own.is_file() else prompts_folder() / name


def template_hash(name: str) -> str:
    """Return the SHA-256 of a template's file.

    Raises:
        SettingsError: If it cannot be read.
    """
    return hashlib.sha256(_source(name).encode()).hexdigest()


def render(name: str, **values: str) -> str:
    """Return a template's text with values in their places, without white space at its ends.

    Raises:
        SettingsError: If it cannot be read, is no template, or wants a value that is not given.
    """
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)  # no HTML
    try:
        text = environment.from_string(_source(name)).render(values)
    except TemplateError as error:
        raise SettingsError(
            f"cannot be rendered: {error}",
            where=str(find_template(name)),
            expected=f"a Jinja2 template with {', '.join(sorted(values)) or 'no value'}",
        ) from error
    return text.strip()


def _source(name: str) -> str:
    path = find_template(name)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the template cannot be read: {error}", where=str(path)) from error
