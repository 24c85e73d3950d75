"""What stages that count tokens have in common: the files that decide the counts."""

from resonare_pipeline.planning.graph import SettingsOf
from resonare_pipeline.tokenizers import TokenizerSettings, tokenizer_ingredients


def tokenizer_files(settings: SettingsOf) -> dict[str, str]:
    """Return file name → SHA-256 of the tokenizer that the settings name."""
    tokenizer = settings[TokenizerSettings]
    return tokenizer_ingredients(TokenizerSettings.model_validate(tokenizer))
