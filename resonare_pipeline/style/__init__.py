"""Personal style: what somebody's messages show of it, and examples that teach it.

Stages import the modules below; people import the Python interface from here. It works on pandas
data frames, whose import takes a second, so each name is looked up when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resonare_pipeline.errors import ValidationError
    from resonare_pipeline.style.analyzing import StyleAnalyzer
    from resonare_pipeline.style.anonymizing import anonymize_text
    from resonare_pipeline.style.creator import TrainingDataCreator
    from resonare_pipeline.style.enhancing import ConversationProcessor
    from resonare_pipeline.style.from_signal import create_training_data_from_signal
    from resonare_pipeline.style.validation import validate_example, validate_training_data

__all__ = [
    "ConversationProcessor",
    "StyleAnalyzer",
    "TrainingDataCreator",
    "ValidationError",
    "anonymize_text",
    "create_training_data_from_signal",
    "validate_example",
    "validate_training_data",
]

_HOMES = {
    "ConversationProcessor": "resonare_pipeline.style.enhancing",
    "StyleAnalyzer": "resonare_pipeline.style.analyzing",
    "TrainingDataCreator": "resonare_pipeline.style.creator",
    "ValidationError": "resonare_pipeline.errors",
    "anonymize_text": "resonare_pipeline.style.anonymizing",
    "create_training_data_from_signal": "resonare_pipeline.style.from_signal",
    "validate_example": "resonare_pipeline.style.validation",
    "validate_training_data": "resonare_pipeline.style.validation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
