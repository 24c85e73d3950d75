"""Who is asked for a record set's answers, under what conditions, and on whose account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.completions.accounts import Account
from resonare_pipeline.completions.capping import accounts_of, capped_by
from resonare_pipeline.completions.environment import CACHE_FILE
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.fingerprint import fingerprint
from resonare_pipeline.records.sets import RecordCompletionsSettings


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
        return accounts_of(self.completions, unattended=self.unattended, run=self.account)

    @property
    def capped(self) -> CompletionsSettings:
        """The settings with the least cap that holds."""
        return self.capped_by(self.accounts)

    def capped_by(self, accounts: Sequence[Account]) -> CompletionsSettings:
        """Return the settings with the least cap of some accounts."""
        return capped_by(self.completions, accounts)

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
