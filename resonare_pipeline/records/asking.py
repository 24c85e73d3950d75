"""Who is asked for a record set's answers, under what conditions, and on whose account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.completions.accounts import UNATTENDED, Account
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.fingerprint import fingerprint
from resonare_pipeline.records.sets import RecordCompletionsSettings

CACHE_FILE = Path("data/completions.sqlite")  # below the project's folder

UNATTENDED_SETTING = "completions.max_unattended_cost_usd"
UNATTENDED_SECONDS = 25 * 3_600.0
"""A day, and an hour for what was under way when it was written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who is asked, and under what conditions.

    Attributes:
        environ: Keys and addresses.
        folder: The project's.
        unattended: Nobody has started this; a cap of its own holds then.
        campaign: What batches are for: the same for all runs of a set.
        patient: Somebody waits until all batches are answered.
        account: Name of the run, whose sets share a cap.
    """

    completions: CompletionsSettings
    stage: RecordCompletionsSettings
    environ: Mapping[str, str]
    folder: Path
    unattended: bool = False
    campaign: str = "records"
    patient: bool = False
    account: str = ""

    @property
    def accounts(self) -> tuple[Account, ...]:
        """What is spent together with other sets, and other runs."""
        settings = self.completions
        found = []
        if self.unattended:
            found.append(
                Account(
                    name=UNATTENDED,
                    cap_usd=settings.max_unattended_cost_usd,
                    setting=UNATTENDED_SETTING,
                    seconds=UNATTENDED_SECONDS,
                )
            )
        if settings.max_cost_usd is not None:
            name = f"run:{self.account}"
            cap = settings.max_cost_usd
            found.append(Account(name=name, cap_usd=cap, setting="completions.max_cost_usd"))
        return tuple(found)

    @property
    def capped(self) -> CompletionsSettings:
        """The settings with the least cap that holds."""
        return self.capped_by(self.accounts)

    def capped_by(self, accounts: Sequence[Account]) -> CompletionsSettings:
        """Return the settings with the least cap of some accounts."""
        caps = [account.cap_usd for account in accounts]
        return self.completions.model_copy(update={"max_cost_usd": min(caps, default=None)})

    def fresh_name(self, prompts: Artifact) -> str:
        """Return the name of the asking, if it is for fresh answers; else nothing."""
        if not self.stage.fresh_answers:
            return ""
        return fingerprint(["record_completions", prompts.digest, self.completions.identity()])

    def wanted(self, prompts: Artifact) -> str:
        """Name exactly what is asked for: these prompts, at this endpoint, in this way."""
        return fingerprint(["wanted", self.campaign, prompts.digest, self.completions.identity()])

    @property
    def default_db(self) -> Path:
        """Where the cache is, if no database is named."""
        return self.folder / CACHE_FILE
