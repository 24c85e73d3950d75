"""What reading one export told beside messages."""

from dataclasses import dataclass, field

from resonare_pipeline.chats.reading.owner import Owner


@dataclass(slots=True, kw_only=True)
class Findings:
    """What one file, or one folder of files that belong together, told beside messages.

    Attributes:
        owner: Whom the export names as its owner.
        warnings: What a person should know of the reading.
    """

    owner: Owner | None = None
    warnings: list[str] = field(default_factory=list)
