"""Caps: on whose account a run spends, and whether what it is about to ask for fits under them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from resonare_pipeline.completions.accounts import UNATTENDED, Account
from resonare_pipeline.completions.environment import Provider, endpoint_name
from resonare_pipeline.completions.estimating import Estimate, require_within_cap
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import BudgetError, SettingsError

UNATTENDED_SETTING = "completions.max_unattended_cost_usd"
UNATTENDED_SECONDS = 25 * 3_600.0
"""A day, and an hour for what was under way when it was written down."""


def accounts_of(
    settings: CompletionsSettings, *, unattended: bool, run: str
) -> tuple[Account, ...]:
    """Return what a run spends together with other runs, or with other stages of its own.

    Args:
        unattended: Nobody has started it; a cap of its own holds then.
        run: Its name.
    """
    found = []
    if unattended:
        found.append(
            Account(
                name=UNATTENDED,
                cap_usd=settings.max_unattended_cost_usd,
                setting=UNATTENDED_SETTING,
                seconds=UNATTENDED_SECONDS,
            )
        )
    if settings.max_cost_usd is not None:
        cap = settings.max_cost_usd
        found.append(Account(name=f"run:{run}", cap_usd=cap, setting="completions.max_cost_usd"))
    return tuple(found)


def capped_by(settings: CompletionsSettings, accounts: Sequence[Account]) -> CompletionsSettings:
    """Return settings with the least cap of some accounts."""
    caps = [account.cap_usd for account in accounts]
    return settings.model_copy(update={"max_cost_usd": min(caps, default=None)})


def require_caps(
    expected: Estimate,
    accounts: Sequence[Account],
    environ: Mapping[str, str],
    *,
    default_db: Path,
    batch: bool,
) -> None:
    """Refuse requests that would cost more than any account has left, before anything is sent.

    Raises:
        BudgetError: If they would.
        CacheError: If the sums cannot be read.
    """
    from resonare_pipeline.completions.opening import spent_usd  # and SQLAlchemy: 0.3 s

    used = spent_usd(accounts, environ, default_db=default_db)
    for account, so_far in zip(accounts, used, strict=True):
        try:
            require_within_cap(
                expected, account.cap_usd, batch=batch, used_usd=so_far, setting=account.setting
            )
        except BudgetError as error:
            if account.name != UNATTENDED:
                raise
            raise BudgetError(
                error.found,
                where=account.setting,
                expected="a run that somebody starts, for what costs more than that a day",
                remedy="Start it by hand, or raise the cap",
            ) from error


def require_model(settings: CompletionsSettings) -> None:
    """Make sure that a model is named where the endpoint has many.

    Raises:
        SettingsError: If none is.
    """
    own = endpoint_name(settings.provider, "")
    is_own = endpoint_name(settings.provider, settings.base_url) == own
    if settings.provider is not Provider.MOCK and is_own and not settings.model:
        raise SettingsError(
            f"no model is named, and {own} has many",
            where="completions.model",
            remedy="Set it in resonare.toml, or MODEL in .env",
        )
