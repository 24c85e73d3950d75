from pathlib import Path
from typing import Any

import pytest

from resonare_pipeline.completions.cache.places import cache_url
from resonare_pipeline.completions.environment import (
    Provider,
    endpoint_name,
    resolve_endpoint,
)
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import SettingsError
from resonare_pipeline.settings import load_settings


def load(folder: Path, environ: dict[str, str], **overrides: str) -> CompletionsSettings:
    named = {f"completions.{key}": value for key, value in overrides.items()}
    found = load_settings([CompletionsSettings], folder=folder, environ=environ, overrides=named)
    return found.section(CompletionsSettings)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"MODEL": "a", "OPENAI_MODEL": "b"}, {"model": "a"}),
        ({"OPENAI_MODEL": "b"}, {"model": "b"}),
        ({"BASE_URL": "http://h/v1"}, {"base_url": "http://h/v1"}),
        ({"OPENAI_BASE_URL": "http://h/v1"}, {"base_url": "http://h/v1"}),
        ({"DEFAULT_LLM_PROVIDER": "mock"}, {"provider": Provider.MOCK}),
        ({"DEFAULT_LLM_PROVIDER": "Anthropic"}, {"provider": Provider.ANTHROPIC}),
        (
            {"DEFAULT_LLM_PROVIDER": "anthropic", "OPENAI_MODEL": "a", "ANTHROPIC_MODEL": "b"},
            {"model": "b"},
        ),
        ({"DEFAULT_LLM_PROVIDER": "anthropic", "OPENAI_BASE_URL": "http://h"}, {"base_url": ""}),
        ({"OPENAI_MAX_TOKENS": "500"}, {"max_tokens": 500}),
        (
            {
                "OPENAI_PROMPT_RATE_PER_1K": "0.005",
                "OPENAI_COMPLETION_RATE_PER_1K": "0.015",
            },
            {"input_usd_per_million": 5.0, "output_usd_per_million": 15.0},
        ),
        ({"MODEL": "a", "RESONARE_COMPLETIONS__MODEL": "c"}, {"model": "c"}),
        ({"MODEL": " "}, {"model": ""}),
    ],
)
def test_each_name_that_people_know_is_understood(
    environ: dict[str, str], expected: dict[str, object], tmp_path: Path
) -> None:
    found = load(tmp_path, environ)
    assert {name: getattr(found, name) for name in expected} == expected


def test_the_environment_wins_over_the_file_and_an_override_over_both(tmp_path: Path) -> None:
    (tmp_path / "resonare.toml").write_text('[completions]\nmodel = "file"\n')
    assert load(tmp_path, {}).model == "file"
    assert load(tmp_path, {"MODEL": "env"}).model == "env"
    assert load(tmp_path, {"MODEL": "env"}, model="set").model == "set"


def test_a_provider_of_one_partition_decides_which_names_are_read_for_that(
    tmp_path: Path,
) -> None:
    (tmp_path / "resonare.toml").write_text(
        '[partition."records/one".completions]\nprovider = "anthropic"\n'
        '[partition."records/two".completions]\ntop_p = 0.5\n'
    )
    environ = {
        "OPENAI_MODEL": "a",
        "ANTHROPIC_MODEL": "b",
        "OPENAI_BASE_URL": "http://h/v1",
        "RESONARE_COMPLETIONS__TEMPERATURE": "0.5",
    }
    found = load_settings([CompletionsSettings], folder=tmp_path, environ=environ, overrides={})
    one, two, none = (
        found.section(CompletionsSettings, name)
        for name in ("records/one", "records/two", "records/none")
    )
    assert (one.model, one.base_url, one.temperature) == ("b", "", 0.5)
    assert (two.model, two.base_url, two.top_p) == ("a", "http://h/v1", 0.5)
    assert (none.model, none.top_p) == ("a", None)
    overrides = {"completions.provider": "openai"}
    found = load_settings(
        [CompletionsSettings], folder=tmp_path, environ=environ, overrides=overrides
    )
    assert found.section(CompletionsSettings, "records/one").model == "a"


def test_the_provider_decides_which_names_are_read_wherever_it_is_set(tmp_path: Path) -> None:
    environ = {"OPENAI_MODEL": "a", "ANTHROPIC_MODEL": "b", "OPENAI_BASE_URL": "http://h/v1"}
    assert load(tmp_path, environ, provider="anthropic").model == "b"
    (tmp_path / "resonare.toml").write_text('[completions]\nprovider = "anthropic"\n')
    found = load(tmp_path, environ)
    assert (found.model, found.endpoint_name()) == ("b", "api.anthropic.com")
    made = resolve_endpoint(
        environ | {"API_KEY": "k"}, provider=found.provider, base_url=found.base_url
    )
    assert made.name == found.endpoint_name() == found.identity()["endpoint_id"]
    assert load(tmp_path, environ | {"LLM_PROVIDER": "openai"}).model == "a"
    assert load(tmp_path, environ, provider="openai").base_url == "http://h/v1"


@pytest.mark.parametrize(
    "environ", [{"DEFAULT_LLM_PROVIDER": "gemini"}, {"OPENAI_PROMPT_RATE_PER_1K": "cheap"}]
)
def test_a_value_that_cannot_be_used_is_named(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gemini|OPENAI_PROMPT_RATE_PER_1K"):
        load(tmp_path, environ)


def test_parameters_are_sent_as_they_are_set(tmp_path: Path) -> None:
    (tmp_path / "resonare.toml").write_text(
        "[completions]\ntemperature = 0.2\nparameters = {top_k = 5, seed = 1}\n"
    )
    assert load(tmp_path, {}).request_parameters() == {"temperature": 0.2, "top_k": 5, "seed": 1}
    assert load(tmp_path, {}, parameters='{"n": 1}').request_parameters() == {
        "temperature": 0.2,
        "n": 1,
    }


@pytest.mark.parametrize(
    "text", ['{"model": "x"}', '{"messages": []}', '{"tools": []}', '{"stream": true}', '{"n": 2}']
)
def test_what_is_no_parameter_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"completions\.parameters"):
        load(tmp_path, {}, parameters=text)


def test_what_decides_answers_is_identity_and_what_does_not_is_not() -> None:
    plain = CompletionsSettings(model="m").identity()
    execution: list[dict[str, Any]] = [
        {"concurrency": 5},
        {"max_cost_usd": 1.0},
        {"timeout_seconds": 5.0},
        {"input_usd_per_million": 1.0},
        {"base_url": "https://api.openai.com/v1/"},
    ]
    for changes in execution:
        assert CompletionsSettings.model_validate({"model": "m"} | changes).identity() == plain
    identity: list[dict[str, Any]] = [
        {"model": "n"},
        {"temperature": 0.0},
        {"max_tokens": 5},
        {"parameters": {"seed": 1}},
        {"base_url": "http://127.0.0.1:8000/v1"},
        {"provider": "anthropic"},
        {"endpoint_id": "ours"},
    ]
    for changes in identity:
        assert CompletionsSettings.model_validate({"model": "m"} | changes).identity() != plain


def test_a_proxy_that_moves_keeps_its_name_if_it_is_told_to() -> None:
    one = CompletionsSettings(base_url="http://old:1/v1", endpoint_id="ours")
    other = CompletionsSettings(base_url="http://new:2/v1", endpoint_id="ours")
    assert one.identity() == other.identity()


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("", "api.openai.com/v1"),
        ("https://API.openai.com/v1/", "api.openai.com/v1"),
        ("http://127.0.0.1:8000/v1", "127.0.0.1:8000/v1"),
    ],
)
def test_an_endpoint_is_named_by_host_and_path(base_url: str, name: str) -> None:
    assert endpoint_name(Provider.OPENAI, base_url) == name


def test_a_key_is_found_by_its_names_and_never_shown() -> None:
    environ = {"OPENAI_API_KEY": "sk-secret", "ANTHROPIC_API_KEY": "sk-ant"}
    found = resolve_endpoint(environ, provider=Provider.OPENAI)
    assert (found.api_key, found.base_url) == ("sk-secret", "https://api.openai.com/v1")
    assert "sk-secret" not in repr(found)
    assert resolve_endpoint(environ, provider=Provider.ANTHROPIC).api_key == "sk-ant"
    assert resolve_endpoint({}, provider=Provider.MOCK).name == "mock"


@pytest.mark.parametrize(
    "base_url",
    ["localhost:8000", "me:secret@h/v1", "http://h:secret/v1", "http://[secret/v1", "http://"],
)
def test_an_address_that_is_none_is_refused_and_not_shown(base_url: str) -> None:
    with pytest.raises(SettingsError, match="is no address") as caught:
        resolve_endpoint({"API_KEY": "k"}, provider=Provider.OPENAI, base_url=base_url)
    assert "secret" not in str(caught.value)


def test_an_address_with_a_password_is_refused_and_its_query_is_not_shown() -> None:
    environ = {"API_KEY": "k"}
    with pytest.raises(SettingsError, match="holds a user or a password") as caught:
        resolve_endpoint(environ, provider=Provider.OPENAI, base_url="http://me:secret@h/v1")
    assert "secret" not in str(caught.value)
    asked = resolve_endpoint(environ, provider=Provider.OPENAI, base_url="http://h/v1?key=secret")
    assert asked.shown == "http://h/v1"
    assert "secret" not in repr(asked)


@pytest.mark.parametrize("text", ["postgresql://me:secret@h:port/d", "secret", "mysql://h/secret"])
def test_a_cache_that_has_no_place_is_refused_and_its_url_is_not_shown(text: str) -> None:
    with pytest.raises(SettingsError, match="RESONARE_DB") as caught:
        cache_url({"RESONARE_DB": text}, Path("unused.db"))
    assert "secret" not in str(caught.value)
