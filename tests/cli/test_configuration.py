from pathlib import Path

from assets.graph import GRAPH
from resonare_pipeline.cli.configuration import reference


def test_configuration_page_is_what_the_declarations_say() -> None:
    page = Path(__file__).parents[2] / "docs" / "configuration.md"
    assert page.read_text(encoding="utf-8") == reference(GRAPH.sections())


def test_every_setting_has_a_meaning_and_a_default() -> None:
    for section in GRAPH.sections():
        section()
        for name, field in section.model_fields.items():
            assert field.description, f"{section.section}.{name}"
