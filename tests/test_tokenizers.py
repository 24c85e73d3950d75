"""Token counts: the shipped encoding, its additivity, and tokenizers from folders."""

import hashlib
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonare_pipeline import counting
from resonare_pipeline.counting import (
    count_text,
    joined_extra,
    o200k_encoding,
    splits_between,
    worker_count,
)
from resonare_pipeline.errors import TokenizerError
from resonare_pipeline.tokenizers import TokenizerSettings, load_tokenizer, tokenizer_ingredients

DEFAULT = TokenizerSettings()
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
)

AWKWARD = st.sampled_from(
    [
        *(" ", "  ", "\n", "\r\n", "\t", "/", "//", "'", "'s", "'S", "!", "?!", "...", "\u00a0"),
        *(">", ">>> ", "1", "123", "a", "Z", "\u0301", "\ufe0f", "\u200d", "😂", "日", "く", "।"),
        *("मैं", "ा", "ع", "ـ", "ǅ", "ª", "²", "Ⅷ", "_", "-", "\u2028", "\x0b", "\U0001fae8", "々"),
    ]
)
TEXT = st.lists(AWKWARD | st.text(max_size=3), max_size=8).map("".join)


def bytes_tokenizer(template: str | None = CHATML) -> Any:
    """Build an untrained tokenizer: one token a byte, special tokens apart."""
    import tokenizers as tk
    from tokenizers import models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate(alphabet)}
    tokenizer = tk.Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<|im_start|>", "<|im_end|>"]
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, additional_special_tokens=special)
    wrapped.chat_template = template
    return wrapped


def test_o200k_known_texts_have_their_published_tokens() -> None:
    # From OpenAI's cookbook, "How to count tokens with tiktoken".
    assert o200k_encoding().encode_ordinary("tiktoken is great!") == [83, 8251, 2488, 382, 2212, 0]
    assert count_text("antidisestablishmentarianism") == 6
    assert count_text("2 + 2 = 4") == 7
    assert count_text("お誕生日おめでとう") == 8


def test_o200k_equals_tiktokens_own_definition() -> None:
    from tiktoken_ext import openai_public  # type: ignore[import-untyped]  # publishes no types

    source = inspect.getsource(openai_public.o200k_base)
    encoding = o200k_encoding()
    assert counting.RANKS_SHA256 in source
    for branch in source.split('r"""')[1:]:
        assert branch.split('"""')[0] in counting.PATTERN
    assert encoding.n_vocab == 200_019
    assert encoding.max_token_value == 200_018


def test_o200k_text_like_a_special_token_is_ordinary_text() -> None:
    assert count_text("<|endoftext|>") > 1
    messages = [{"role": "user", "content": "<|endoftext|>"}]
    assert load_tokenizer(DEFAULT).count_conversation(messages) == 3 + 3 + 1 + count_text(
        "<|endoftext|>"
    )


def test_o200k_millions_of_blanks_are_counted() -> None:
    assert count_text("a" + " " * 1_200_000 + "b") > 5_000


def test_openai_rule_conversation_with_name_counts_name_and_one() -> None:
    tokenizer = load_tokenizer(DEFAULT)
    plain = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi there"}]
    assert tokenizer.count_conversation(plain) == 3 + (3 + 1 + 1) + (3 + 1 + 2)
    named = [{**plain[0], "name": "Ada"}, plain[1]]
    extra = tokenizer.count_conversation(named) - tokenizer.count_conversation(plain)
    assert extra == 1 + count_text("Ada")


@settings(max_examples=600, deadline=None)
@given(lines=st.lists(TEXT, min_size=1, max_size=5))
def test_o200k_lines_with_prefix_and_newline_add_up_exactly(lines: list[str]) -> None:
    lines = [">>> " + line for line in lines]
    alone, joined = load_tokenizer(DEFAULT).line_counts(lines, "\n")
    assert sum(joined[:-1]) + alone[-1] == count_text("\n".join(lines))


@settings(max_examples=600, deadline=None)
@given(before=TEXT, after=TEXT, separator=st.sampled_from(["\n", "\n\n", " \n", "\r\n", "--\n"]))
def test_splits_between_certain_borders_add_up(before: str, after: str, separator: str) -> None:
    before += separator
    if splits_between(before, after):
        assert count_text(before) + count_text(after) == count_text(before + after)


@settings(max_examples=600, deadline=None)
@given(line=TEXT, separator=st.sampled_from(["\n", "\n\n", " ", "\r\n", "\n- \n"]))
def test_joined_extra_any_line_equals_counting_both(line: str, separator: str) -> None:
    wanted = count_text(line + separator) - count_text(line)
    known: dict[str, int] = {}
    assert joined_extra(line, separator, known) == wanted
    assert joined_extra(line, separator, known) == wanted
    assert joined_extra("x" + line, separator, known) == (
        count_text("x" + line + separator) - count_text("x" + line)
    )


def test_splits_between_slash_after_newline_is_not_certain() -> None:
    assert not splits_between("no!\n", "/help")
    assert not splits_between("no", "help")
    assert splits_between("no!\n", ">>> help")


def test_tokenizer_ingredients_default_is_the_rank_files_hash() -> None:
    name, digest = next(iter(tokenizer_ingredients(DEFAULT).items()))
    assert name == "o200k_base.tiktoken"
    assert hashlib.sha256(counting.RANKS_PATH.read_bytes()).hexdigest() == digest


def test_tokenizer_ingredients_folder_changes_with_its_template_only(tmp_path: Path) -> None:
    bytes_tokenizer().save_pretrained(str(tmp_path))
    given_settings = TokenizerSettings(model_id=str(tmp_path))
    before = tokenizer_ingredients(given_settings)
    assert "tokenizer.json" in before
    (tmp_path / "README.md").write_text("no part of a count")
    assert tokenizer_ingredients(given_settings) == before
    bytes_tokenizer(CHATML + "bye").save_pretrained(str(tmp_path))
    after = tokenizer_ingredients(given_settings)
    assert {name for name in after if after[name] != before.get(name)} <= {
        "chat_template.jinja",
        "tokenizer_config.json",
    }
    assert after != before


def test_load_tokenizer_folder_counts_through_its_template(tmp_path: Path) -> None:
    original = bytes_tokenizer()
    original.save_pretrained(str(tmp_path))
    tokenizer = load_tokenizer(TokenizerSettings(model_id=str(tmp_path)))
    conversations = [
        [{"role": "user", "content": "Hé!"}, {"role": "assistant", "content": "<|im_end|> ok"}],
        [{"role": "system", "content": "x"}, {"role": "user", "content": "日本"}],
    ]
    wanted = [
        len(
            original.apply_chat_template(
                messages, tokenize=True, add_generation_prompt=False, return_dict=False
            )
        )
        for messages in conversations
    ]
    assert tokenizer.count_conversations(conversations) == wanted
    assert tokenizer.count_conversation(conversations[0]) == wanted[0]
    assert tokenizer.count_conversations([]) == []


def test_load_tokenizer_changed_template_is_loaded_again(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "hi"}]
    given_settings = TokenizerSettings(model_id=str(tmp_path))
    bytes_tokenizer().save_pretrained(str(tmp_path))
    before = load_tokenizer(given_settings).count_conversation(messages)
    bytes_tokenizer(CHATML + "bye").save_pretrained(str(tmp_path))
    assert load_tokenizer(given_settings).count_conversation(messages) == before + 3


def test_load_tokenizer_saved_length_limit_caps_no_count(tmp_path: Path) -> None:
    original = bytes_tokenizer()
    original.backend_tokenizer.enable_truncation(5)
    original.save_pretrained(str(tmp_path))
    tokenizer = load_tokenizer(TokenizerSettings(model_id=str(tmp_path)))
    assert tokenizer.count_texts(["a" * 50]) == [50]
    assert tokenizer.count_conversation([{"role": "user", "content": "a" * 50}]) > 50


def test_load_tokenizer_without_template_counts_by_openais_rule(tmp_path: Path) -> None:
    bytes_tokenizer(None).save_pretrained(str(tmp_path))
    tokenizer = load_tokenizer(TokenizerSettings(model_id=str(tmp_path)))
    assert tokenizer.count_conversation([{"role": "user", "content": "abc"}]) == 3 + 3 + 4 + 3


def test_load_tokenizer_refusing_template_says_what_to_do(tmp_path: Path) -> None:
    bytes_tokenizer("{{ raise_exception('never') }}").save_pretrained(str(tmp_path))
    tokenizer = load_tokenizer(TokenizerSettings(model_id=str(tmp_path)))
    with pytest.raises(TokenizerError, match=r"never.*conversation_shape"):
        tokenizer.count_conversation([{"role": "user", "content": "abc"}])


def test_load_tokenizer_missing_folder_names_it(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match=r"nowhere.*no such folder"):
        load_tokenizer(TokenizerSettings(model_id=str(tmp_path / "nowhere")))


def test_load_tokenizer_folder_without_files_says_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(TokenizerError, match=r"holds no tokenizer.*tokenizer\.json"):
        load_tokenizer(TokenizerSettings(model_id=str(tmp_path)))


def test_load_tokenizer_broken_file_names_the_folder(tmp_path: Path) -> None:
    bytes_tokenizer().save_pretrained(str(tmp_path))
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0", "model"')
    with pytest.raises(TokenizerError, match="cannot be loaded") as caught:
        load_tokenizer(TokenizerSettings(model_id=str(tmp_path)))
    assert caught.value.where == str(tmp_path)


def test_load_tokenizer_hub_id_offline_and_not_cached_is_a_tokenizer_error(tmp_path: Path) -> None:
    script = (
        "from resonare_pipeline.errors import TokenizerError\n"
        "from resonare_pipeline.tokenizers import TokenizerSettings, tokenizer_ingredients\n"
        "try:\n"
        "    tokenizer_ingredients(TokenizerSettings(model_id='someone/some-model'))\n"
        "except TokenizerError as error:\n"
        "    print(error)\n"
    )
    done = run_python(script, HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path))
    assert "someone/some-model" in done
    assert "neither in the local cache" in done


def test_importing_and_fingerprinting_loads_no_model_library(tmp_path: Path) -> None:
    bytes_tokenizer().save_pretrained(str(tmp_path))
    script = (
        "import json, sys\n"
        "from resonare_pipeline.tokenizers import TokenizerSettings, tokenizer_ingredients\n"
        "tokenizer_ingredients(TokenizerSettings())\n"
        f"tokenizer_ingredients(TokenizerSettings(model_id={str(tmp_path)!r}))\n"
        "print(json.dumps([m for m in ('transformers', 'tiktoken', 'tokenizers') "
        "if m in sys.modules]))\n"
    )
    assert json.loads(run_python(script)) == []


def run_python(script: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_o200k_altered_rank_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    altered = tmp_path / "ranks"
    altered.write_bytes(b"IQ== 0\n")
    monkeypatch.setattr(counting, "RANKS_PATH", altered)
    with pytest.raises(TokenizerError, match="altered"):
        o200k_encoding.__wrapped__()


def test_worker_count_few_texts_stay_in_this_process() -> None:
    assert worker_count(None, 10) == 0
    assert worker_count(None, 10_000_000) >= 1
    assert worker_count(0, 10_000_000) == 0
    assert worker_count(3, 10) == 3
