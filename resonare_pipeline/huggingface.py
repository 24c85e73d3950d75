"""Tokenizers from a local folder or the Hugging Face Hub.

A Hub id is first turned into the folder of its files in the local cache; what is loaded is then
always a folder, and its files are what fingerprints hold. transformers is imported only to load
one. What may not live here: what is counted, and which tokenizer is chosen.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from resonare_pipeline.counting import openai_rule
from resonare_pipeline.errors import TokenizerError
from resonare_pipeline.fingerprint import digest_of_stream

# Files that decide counts. config.json names the model family, and with it the tokenizer's class.
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "additional_chat_templates/*.jinja",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "tekken.json",
    "*.model",
    "*.tiktoken",
    "config.json",
)
CODE_FILES = ("*.py",)  # only where the person trusts the repository's code
VOCABULARY_FILES = (
    "tokenizer.json",
    "vocab.json",
    "vocab.txt",
    "tekken.json",
    "*.model",
    "*.tiktoken",
)
EXPECTED = "a folder with a tokenizer's files (tokenizer.json or a vocabulary), or a Hub model id"


def tokenizer_folder(model_id: str, *, trust_remote_code: bool) -> Path:
    """Return the folder that holds a tokenizer's files, downloading them if need be.

    Files already in the local cache are used without asking the Hub again.

    Raises:
        TokenizerError: If there is no such folder or model, or it holds no tokenizer.
    """
    folder = Path(model_id).expanduser()
    if not folder.is_dir():
        if model_id.startswith((".", "/", "~")) or folder.exists() or model_id.count("/") > 1:
            raise TokenizerError("no such folder", where=model_id, expected=EXPECTED)
        folder = _hub_folder(model_id, trust_remote_code=trust_remote_code)
    if not _found(folder, VOCABULARY_FILES):
        raise TokenizerError(
            "the folder holds no tokenizer",
            where=str(folder),
            expected=EXPECTED,
            remedy="Name a folder that save_pretrained wrote, or leave tokenizer.model_id empty",
        )
    return folder


def _hub_folder(model_id: str, *, trust_remote_code: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    patterns = [*TOKENIZER_FILES, *(CODE_FILES if trust_remote_code else ())]
    try:
        try:
            folder = snapshot_download(model_id, allow_patterns=patterns, local_files_only=True)
            if _found(Path(folder), VOCABULARY_FILES):
                return Path(folder)
        except FileNotFoundError:
            pass  # nothing in the cache yet
        return Path(snapshot_download(model_id, allow_patterns=patterns))
    except HFValidationError as error:
        raise TokenizerError(str(error), where=model_id, expected=EXPECTED) from error
    except OSError as error:  # the Hub's and the network's errors are all of this kind
        raise TokenizerError(
            f"the tokenizer is neither in the local cache nor could it be fetched "
            f"({type(error).__name__})",
            where=model_id,
            expected=EXPECTED,
            remedy="Check the id, HF_TOKEN and the network, or leave tokenizer.model_id empty "
            "to count with o200k_base",
        ) from error


def _found(folder: Path, patterns: Sequence[str]) -> list[Path]:
    return sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})


def folder_ingredients(folder: Path, *, trust_remote_code: bool) -> dict[str, str]:
    """Return file name → SHA-256 of every file in a folder that can change a count."""
    patterns = [*TOKENIZER_FILES, *(CODE_FILES if trust_remote_code else ())]
    ingredients = {}
    for path in _found(folder, patterns):
        with path.open("rb") as stream:
            ingredients[path.relative_to(folder).as_posix()] = digest_of_stream(stream)
    return ingredients


def load_folder(model_id: str, *, trust_remote_code: bool) -> "HuggingFaceTokenizer":
    """Load the tokenizer in a folder or on the Hub.

    Raises:
        TokenizerError: If its files cannot be read as a tokenizer.
    """
    folder = tokenizer_folder(model_id, trust_remote_code=trust_remote_code)
    from transformers import AutoTokenizer  # a second of imports, so only when one is wanted

    try:
        loaded = AutoTokenizer.from_pretrained(
            str(folder), trust_remote_code=trust_remote_code, local_files_only=True
        )
    except Exception as error:  # the library raises every kind, bare Exception included
        raise TokenizerError(
            f"the tokenizer cannot be loaded: {error}",
            where=str(folder),
            expected="files written by save_pretrained",
            remedy="Fetch or save the tokenizer again; if it needs its own code and you trust it, "
            "set tokenizer.trust_remote_code",
        ) from error
    return HuggingFaceTokenizer(loaded, model_id)


class HuggingFaceTokenizer:
    """Counts with a tokenizer of transformers, and with its chat template where it has one."""

    portable = False  # its own threads are faster than processes that each load it

    def __init__(self, tokenizer: Any, name: str) -> None:
        self.name = name
        self._tokenizer = tokenizer
        self._backend: Any = getattr(tokenizer, "backend_tokenizer", None)
        if self._backend is not None:
            self._backend.no_truncation()  # a saved length limit would cap every count
            self._backend.no_padding()
        self._batched = self._backend is not None and self._batches_agree()

    def _batches_agree(self) -> bool:
        sample = [{"role": "user", "content": " A b\n\nc"}, {"role": "assistant", "content": "d! "}]
        if not self._tokenizer.chat_template:
            text = sample[0]["content"]
            return len(self._encode(text)) == self._encode_batch([text])[0]
        try:
            rendered = self._tokenizer.apply_chat_template(sample, tokenize=False)
            return self._encode_batch([rendered])[0] == self._exact(sample)
        except Exception:  # noqa: BLE001  # templates raise anything; counting will say what
            return False

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return ids

    def _encode_batch(self, texts: Sequence[str]) -> list[int]:
        encodings = self._backend.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding) for encoding in encodings]

    def _exact(self, messages: Sequence[Mapping[str, Any]]) -> int:
        return len(
            self._tokenizer.apply_chat_template(
                list(messages), tokenize=True, add_generation_prompt=False, return_dict=False
            )
        )

    def count_texts(self, texts: Sequence[str]) -> list[int]:
        """Count each text by itself, with no special tokens added."""
        if self._batched:
            return self._encode_batch(texts)
        return [len(self._encode(text)) for text in texts]

    def line_counts(self, lines: Sequence[str], separator: str) -> tuple[list[int], list[int]]:
        """Count lines alone, and with the separator that joins them to the next."""
        return self.count_texts(lines), self.count_texts([line + separator for line in lines])

    def count_conversations(
        self, conversations: Sequence[Sequence[Mapping[str, Any]]]
    ) -> list[int]:
        """Count whole conversations through the chat template, else by OpenAI's rule.

        Raises:
            TokenizerError: If the template refuses a conversation.
        """
        if not self._tokenizer.chat_template:
            return [openai_rule(messages, self.count_texts) for messages in conversations]
        if not conversations:
            return []
        try:
            if self._batched:
                rendered = self._tokenizer.apply_chat_template(
                    [list(messages) for messages in conversations],
                    tokenize=False,
                    add_generation_prompt=False,
                )
                return self._encode_batch(rendered)
            return [self._exact(messages) for messages in conversations]
        except Exception as error:  # templates raise what they like
            raise TokenizerError(
                f"its chat template refuses a conversation: {error}",
                where=self.name,
                expected="a template that takes the roles of this conversation shape, and the "
                "system role if there is a system prompt",
                remedy='Use conversation_shape = "alternating", leave system_prompt empty, or '
                "choose another tokenizer.model_id",
            ) from error

    def count_conversation(self, messages: Sequence[Mapping[str, Any]]) -> int:
        """Count one whole conversation; see `count_conversations`."""
        return self.count_conversations([messages])[0]

    def splits_between(self, before: str, after: str) -> bool:  # noqa: ARG002  # a Protocol's shape
        """Nothing is certain of a tokenizer that is not known; its counts are probed instead."""
        return False
