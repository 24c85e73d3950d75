"""What `enriched_messages` asks beside the messages: links, images, and which settings count."""

from functools import partial

from resonare_pipeline.chats.additions import Sources
from resonare_pipeline.chats.enriching import EnrichedMessagesSettings
from resonare_pipeline.chats.forgetting import ForgetSettings
from resonare_pipeline.chats.images.describing import TEMPLATE, Viewing
from resonare_pipeline.chats.images.finding import ImageFiles
from resonare_pipeline.chats.images.settings import ImagesSettings
from resonare_pipeline.chats.links.settings import LinksSettings
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.linked_people import PeopleSettings
from resonare_pipeline.planning.graph import SettingsOf, StageRun
from resonare_pipeline.privacy.settings import PrivacySettings
from resonare_pipeline.settings import Section
from resonare_pipeline.templates import template_hash

ENRICHING = (
    EnrichedMessagesSettings,
    PrivacySettings,
    PeopleSettings,
    LinksSettings,
    ImagesSettings,
    CompletionsSettings,
    ForgetSettings,
)
"""Sections that `enriched_messages` reads."""

_COUNTS_WITH = {
    PrivacySettings: ("redact",),
    LinksSettings: ("fetch_links",),
    ImagesSettings: ("describe_images",),
    CompletionsSettings: ("describe_images",),
    # What an export itself says of people who are left out is gone already.
    ForgetSettings: ("fetch_links", "describe_images"),
}


def _enriching(settings: SettingsOf) -> EnrichedMessagesSettings:
    return EnrichedMessagesSettings.model_validate(settings[EnrichedMessagesSettings])


def heeds(kind: type[Section], settings: SettingsOf) -> bool:
    """Tell whether a section decides what is written: those of what is switched off do not."""
    switches = _COUNTS_WITH.get(kind)
    return switches is None or any(getattr(_enriching(settings), one) for one in switches)


def shows_images(settings: SettingsOf) -> bool:
    """Tell whether the images of an export are an input."""
    return _enriching(settings).describe_images


def template_files(settings: SettingsOf) -> dict[str, str]:
    """Return template → SHA-256, of what a model is told beside an image."""
    return {TEMPLATE: template_hash(TEMPLATE)} if shows_images(settings) else {}


def sources_of(run: StageRun) -> "partial[Sources]":
    """Return what opens the sources of a run; nothing of it is read while none is asked."""
    return partial(_open_sources, run)


def _open_sources(run: StageRun) -> Sources:
    settings = run.get(EnrichedMessagesSettings)
    viewing = Viewing(
        images=run.get(ImagesSettings),
        completions=run.get(CompletionsSettings),
        open=run.raw.open,
        environ=run.environ,
        folder=run.folder,
        unattended=run.unattended,
        account=run.account,
    )
    return Sources(
        links=run.get(LinksSettings) if settings.fetch_links else None,
        viewing=viewing if settings.describe_images else None,
        images=ImageFiles(run.attachments, run.raw.entries),
        environ=run.environ,
        default_db=viewing.default_db,
    )
