"""Images that could not be described are tried again, and no others; and what a plan says."""

from datetime import timedelta

import pytest

from assets.graph import GRAPH
from resonare_pipeline.chats import additions
from resonare_pipeline.cli.plan_costs import expected_costs
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.plan import Entry, Plan, plan
from resonare_pipeline.planning.workspace import Workspace
from tests.chats.images.conftest import ASKING, photo
from tests.chats.telling import KEY, Album, png
from tests.fake_openai.running import Running
from tests.fake_openai.script import Fault, Rule, Script


def planned(workspace: Workspace) -> Plan:
    return plan(GRAPH, workspace.settings, workspace.list_raw(), workspace.store)


def enriched(workspace: Workspace) -> list[Entry]:
    return [planned(workspace).entry(GRAPH.makers["enriched_messages"], KEY)]


def test_what_is_missing_is_asked_for_again_later_and_nothing_else_is(
    album: Album, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(additions, "IMAGES_REST", timedelta(0))
    album.write([photo(n, f"p{n}") for n in range(4)], **{f"p{n}": png(n) for n in range(4)})
    server.use(Script(rules=(Rule(fault=Fault.SERVER, times=1),)))
    settings = {**ASKING, "images__allow_partial": "true", "completions__retries": "0"}
    workspace = album.open(**settings)
    first = album.made(workspace)
    entry = first.manifest.outputs["enriched_messages"]
    assert entry.retry_at is not None
    assert entry.metadata["images_to_be_tried_again"] == {"server": 1}
    sent = len(server.journal())
    # Elsewhere, where the cache of answers is another: what was paid for is not paid for again.
    (album.folder / "data" / "completions.sqlite").unlink()
    [expected] = expected_costs(workspace, planned(workspace), enriched(workspace))
    assert "at most 1 images" in expected.text
    again = album.made(workspace)
    assert (again.cache, again.manifest.fingerprint) == ("miss", first.manifest.fingerprint)
    assert len(server.journal()) == sent + 1
    assert all("[Image: " in text for text in album.texts(workspace))
    assert album.made(workspace).cache == "hit"


def test_a_later_try_that_fails_leaves_what_is_there(
    album: Album, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(additions, "IMAGES_REST", timedelta(0))
    album.write([photo(n, f"p{n}") for n in range(3)], **{f"p{n}": png(n) for n in range(3)})
    server.use(Script(rules=(Rule(fault=Fault.SERVER, times=1),)))
    settings = {**ASKING, "images__allow_partial": "true", "completions__retries": "0"}
    before = album.texts(album.open(**settings))
    album.environ(BASE_URL=server.url, MODEL="gpt-4o")  # no key any more
    made = album.made(album.open(**settings))
    assert made.cache == "hit"
    assert "could not be had" in made.reasons[0]
    assert album.texts(album.open(**settings)) == before


@pytest.mark.parametrize("redact", ["false", "true"])
def test_a_later_try_never_leaves_fewer_lines_than_there_were(
    album: Album, server: Running, monkeypatch: pytest.MonkeyPatch, redact: str
) -> None:
    monkeypatch.setattr(additions, "IMAGES_REST", timedelta(0))
    album.write([photo(n, f"p{n}") for n in range(3)], **{f"p{n}": png(n) for n in range(3)})
    server.use(Script(rules=(Rule(fault=Fault.SERVER, times=1),)))
    settings = {
        **ASKING,
        "images__allow_partial": "true",
        "completions__retries": "0",
        "enriched_messages__redact": redact,
    }
    before = album.texts(album.open(**settings))
    (album.folder / "data" / "completions.sqlite").unlink()
    server.use(Script(rules=(Rule(fault=Fault.FILTER),)))
    assert album.texts(album.open(**settings)) == before


def test_a_plan_tells_how_many_images_there_are_and_what_they_cost(
    album: Album,
) -> None:
    album.write([photo(1, "a"), photo(2, "b"), photo(3, "a"), photo(4, "none")], a=png(), b=png(2))
    workspace = album.open(**ASKING)
    [expected] = expected_costs(workspace, planned(workspace), enriched(workspace))
    assert expected.text == "chats/album: what it costs is known when messages is made"
    for name in ("chat_export", "messages"):
        make(workspace, GRAPH.makers[name], KEY)
    [expected] = expected_costs(workspace, planned(workspace), enriched(workspace))
    assert "at most 2 images" in expected.text
    assert expected.estimate is not None
    assert expected.estimate.cost_usd
    album.made(workspace)
    current = planned(workspace)
    assert expected_costs(workspace, current, list(current.entries.values())) == []
