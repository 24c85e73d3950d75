"""Tokenizers of several makes, saved once a module."""

import pytest

from resonare_pipeline.tokenizers import Tokenizer, TokenizerSettings, load_tokenizer
from tests.chats.cuts import TOKENIZERS, save_tokenizer


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tokenizer]:
    found = {"o200k": load_tokenizer(TokenizerSettings())}
    for name, (model, template) in TOKENIZERS.items():
        folder = tmp_path_factory.mktemp(name)
        save_tokenizer(folder, model, template)
        found[name] = load_tokenizer(TokenizerSettings(model_id=str(folder)))
    return found
