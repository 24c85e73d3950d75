"""Texts of strangers as one plain line, and cut to a length.

What is written here ends up in conversations that models are trained on. So nothing is left that a
reader does not see, and nothing that a tokenizer or a chat template takes for the end of a turn.
These families are known: `<|…|>` (ChatML, Llama 3 and 4, Phi, Granite, Zephyr, Command R;
DeepSeek's with wide bars), `<s>`, `<bos>`, `<pad>`, `<unk>` and their ends, `[INST]` and `<<SYS>>`
(Llama 2, Mistral), `[TOOL_CALLS]` and its like (Mistral), `<start_of_turn>` (Gemma), `<think>` and
`<tool_call>` (Qwen, DeepSeek, Hermes), `[gMASK]` and `<sop>` (GLM).
"""

import re
import unicodedata

ELLIPSIS = "…"
_SPACES = re.compile(r"[\s\u0085\u2028\u2029\u3000]+")
# Controls, marks that turn the direction of writing, halves of pairs, signs for no text, and what
# nobody sees: spaces of no width, operators without a sign, selectors of variants, tags. Tags are
# kept where they make the flag of a part of a country (Unicode, UTS #51, ED-14a).
_HARMFUL = re.compile(
    "(\U0001f3f4[\U000e0061-\U000e007a]{2}[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,3}"
    "\U000e007f)"
    "|[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffc\ufffe\uffff\ud800-\udfff"
    "\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)
# A sign may have a selector of its form and a joiner behind it. Rows of these could hide text.
_SHAPING = re.compile(
    "([\ufe00-\ufe0f](?:[\u200c\u200d]|(?![\u200c\u200d]))|[\u200c\u200d])"
    "[\ufe00-\ufe0f\u200c\u200d]+"
)
_BARS = re.compile(r"<[|\uff5c]+")
_LOWER_NAMES = (
    "s|bos|eos|pad|unk|mask|sop|eop|start_of_turn|end_of_turn|think|tool_call|tool_response"
)
_CAPITAL_NAMES = "INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|gMASK"
_TOKENS = re.compile(
    rf"<(/?(?:{_LOWER_NAMES}))>|<<(/?SYS)>>|\[(/?(?:{_CAPITAL_NAMES}))\]", re.IGNORECASE
)
_BRACKETS = str.maketrans("[]", "()")
_JOINED_TO = "\u200d"  # it makes one sign of the emoji on both its sides
_SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")
_SHARE_KEPT = 0.6  # a cut is not moved to a word's end if that costs more


def one_line(text: str) -> str:
    """Return a text with white space folded to single spaces, and only what a reader sees.

    Control tokens of chat templates are words then: `<|im_end|>` becomes `<im_end|>`, and `</s>`,
    `<<SYS>>` and `[INST]` become `(/s)`, `(SYS)` and `(INST)`.
    """
    # In this order: what is left out may have parted a token, and a bar may have parted `<s>`.
    shown = _SHAPING.sub(r"\1", _HARMFUL.sub(r"\1", text))
    seen = _BARS.sub("<", shown)
    return _SPACES.sub(" ", _TOKENS.sub(_as_word, seen)).strip()


def _as_word(token: re.Match[str]) -> str:
    return f"({token[1] or token[2] or token[3]})"


def in_brackets(text: str) -> str:
    """Return a text as one line whose own brackets are round, to stand in `[…]`."""
    return one_line(text).translate(_BRACKETS)


def cut(text: str, max_characters: int) -> str:
    """Return a text of at most some characters; one that is cut ends at a word, with an ellipsis.

    Where words are as long as the text, as in Chinese, it is cut at a character.
    """
    if len(text) <= max_characters:
        return text
    end = max(0, max_characters - len(ELLIPSIS))
    space = text.rfind(" ", 0, end + 1)
    if space >= end * _SHARE_KEPT:
        end = space
    while end and _belongs_together(text[end - 1], text[end]):
        end -= 1
    return text[:end].rstrip(" ,;:-–—") + ELLIPSIS if end else ""


def _belongs_together(left: str, right: str) -> bool:
    return (
        _JOINED_TO in (left, right)
        or bool(unicodedata.combining(right))
        or unicodedata.category(right) in ("Mn", "Me")
        or _SKIN_TONES[0] <= right <= _SKIN_TONES[1]
    )
