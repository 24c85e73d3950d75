"""Endpoints and keys, from the environment or `.env`, under every name that people know them by.

Keys live nowhere else: not in settings, fingerprints, caches or logs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, urlsplit

from resonare_pipeline.errors import SettingsError

CACHE_FILE = Path("data/completions.sqlite")
"""The cache, below the project's folder, where `RESONARE_DB` names no database."""


class Provider(StrEnum):
    """Who is asked, and so in which form."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    MOCK = "mock"


DEFAULT_BASE_URLS: Mapping[Provider, str] = {
    Provider.OPENAI: "https://api.openai.com/v1",
    Provider.ANTHROPIC: "https://api.anthropic.com",
    Provider.MOCK: "mock://",
}

KEY_NAMES: Mapping[Provider, tuple[str, ...]] = {
    Provider.OPENAI: ("API_KEY", "OPENAI_API_KEY"),
    Provider.ANTHROPIC: ("API_KEY", "ANTHROPIC_API_KEY"),
    Provider.MOCK: (),
}
"""Variables that hold a key, the first that is set wins."""

BASE_URL_NAMES: Mapping[Provider, tuple[str, ...]] = {
    Provider.OPENAI: ("BASE_URL", "OPENAI_BASE_URL", "OPENAI_API_BASE"),
    Provider.ANTHROPIC: ("BASE_URL", "ANTHROPIC_BASE_URL"),
    Provider.MOCK: (),
}

MODEL_NAMES: Mapping[Provider, tuple[str, ...]] = {
    Provider.OPENAI: ("MODEL", "OPENAI_MODEL"),
    Provider.ANTHROPIC: ("MODEL", "ANTHROPIC_MODEL"),
    Provider.MOCK: ("MODEL",),
}

PROVIDER_NAMES = ("DEFAULT_LLM_PROVIDER", "LLM_PROVIDER")
MAX_TOKENS_NAME = "OPENAI_MAX_TOKENS"
POLL_SECONDS_NAME = "RESONARE_BATCH_POLL_SECONDS"
PRICE_NAMES: Mapping[str, str] = {
    "input_usd_per_million": "OPENAI_PROMPT_RATE_PER_1K",
    "output_usd_per_million": "OPENAI_COMPLETION_RATE_PER_1K",
}
"""Setting → variable that holds the same per thousand tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where requests go.

    Attributes:
        name: Its part in keys of the cache.
        api_key: Never shown.
    """

    provider: Provider
    base_url: str = field(repr=False)
    name: str
    api_key: str = field(repr=False)

    @property
    def shown(self) -> str:
        """Its address as messages show it: without a query, which may hold a key."""
        scheme = urlsplit(self.base_url).scheme
        return f"{scheme}://{endpoint_name(self.provider, self.base_url)}"


def first_set(environ: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Return the first value that is not empty."""
    return next((environ[name].strip() for name in names if environ.get(name, "").strip()), "")


def settings_from_environment(
    environ: Mapping[str, str],
    *,
    weaker: Mapping[str, Any] = MappingProxyType({}),
    stronger: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, str]:
    """Return settings of `[completions]` that stand in variables with names of their own.

    Who is asked, wherever that is set, decides which names are read.

    Args:
        environ: Variables, those of `.env` included.
        weaker: What the settings file says.
        stronger: What overrides the environment.

    Raises:
        SettingsError: For a price that is no number.
    """
    named = first_set(environ, ("RESONARE_COMPLETIONS__PROVIDER", *PROVIDER_NAMES)).lower()
    decided = str(stronger.get("provider") or named or weaker.get("provider") or "").lower()
    provider = Provider(decided) if decided in list(Provider) else Provider.OPENAI
    found = {
        "provider": named,
        "model": first_set(environ, MODEL_NAMES[provider]),
        "base_url": first_set(environ, BASE_URL_NAMES[provider]),
        "batch_poll_seconds": environ.get(POLL_SECONDS_NAME, "").strip(),
    }
    if provider is Provider.OPENAI:
        found["max_tokens"] = environ.get(MAX_TOKENS_NAME, "").strip()
        for setting, name in PRICE_NAMES.items():
            found[setting] = _per_million(name, environ.get(name, "").strip())
    return {setting: value for setting, value in found.items() if value}


def _per_million(name: str, text: str) -> str:
    if not text:
        return ""
    try:
        return repr(round(float(text) * 1000, 9))
    except ValueError as error:
        raise SettingsError(
            f"{name} = {text!r} is no price", where="environment", expected="US dollars"
        ) from error


def _parts(base_url: str) -> tuple[SplitResult, int | None]:
    """Split an address, and read its port. An address may hold a password, so none is shown."""
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        raise _no_address() from None
    return parts, port


def _no_address() -> SettingsError:
    return SettingsError(
        "what is set is no address", where="BASE_URL", expected="http://… or https://…"
    )


def endpoint_name(provider: Provider, base_url: str) -> str:
    """Return the name of an endpoint: host, port if there is one, and path of its address.

    Raises:
        SettingsError: For what is no address.
    """
    parts, number = _parts(base_url or DEFAULT_BASE_URLS[provider])
    port = f":{number}" if number else ""
    return f"{(parts.hostname or provider).lower()}{port}{parts.path.rstrip('/')}"


def resolve_endpoint(
    environ: Mapping[str, str],
    *,
    provider: Provider,
    base_url: str = "",
    endpoint_id: str = "",
    looked_in: str = ".env",
    explicit: bool = False,
) -> Endpoint:
    """Find address and key of an endpoint.

    Args:
        environ: Variables, those of `.env` included.
        provider: Who is asked.
        base_url: As the settings say, which have read the environment already.
        endpoint_id: Its name, where it is not that of the address.
        looked_in: The file that was read beside the environment, for messages.
        explicit: The address must be set; no default will do.

    Raises:
        SettingsError: For what is missing, with all names that would do, or an unusable address.
    """
    if provider is Provider.MOCK:
        return Endpoint(provider=provider, base_url="mock://", name="mock", api_key="")
    key = first_set(environ, KEY_NAMES[provider])
    missing = []
    if explicit and not base_url:
        missing.append(" or ".join(BASE_URL_NAMES[provider][:2]))
    if not key:
        missing.append(" or ".join(KEY_NAMES[provider]))
    if missing:
        raise SettingsError(
            f"{' and '.join(missing)} is not set",
            where=f"environment and {looked_in}",
            expected="the address of an endpoint and a key for it",
            remedy="A server that needs no key takes API_KEY=dummy",
        )
    base_url = base_url or DEFAULT_BASE_URLS[provider]
    parts, _ = _parts(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _no_address()
    if parts.username is not None or parts.password is not None:
        raise SettingsError(
            "the address holds a user or a password",
            where="BASE_URL",
            expected="http://host/path, without user:password@",
            remedy="Set API_KEY instead",
        )
    name = endpoint_id or endpoint_name(provider, base_url)
    return Endpoint(provider=provider, base_url=base_url, name=name, api_key=key)
