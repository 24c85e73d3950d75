"""How huggingface_hub behaves while it works for us: silent, and with a bound on its patience."""

import contextlib
import logging
import warnings
from collections.abc import Iterator

# How long the Hub may be silent: it answers at once when asked for what it has, and may think for
# minutes about a large commit. Without a bound a lost connection would be waited for without end.
LOOK_SECONDS = 30.0
SEND_SECONDS = 600.0


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep huggingface_hub to itself and bound how long it waits.

    Its log holds addresses that are signed: who has one may write there. Its bars would cross ours.
    Its telemetry tells huggingface.co, whatever Hub is meant, which program started it.
    """
    from huggingface_hub import constants
    from huggingface_hub.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
        get_session,
    )

    logger = logging.getLogger("huggingface_hub")
    level, had_bars = logger.level, not are_progress_bars_disabled()
    session = get_session()
    timeout, has_telemetry_off = session.timeout, constants.HF_HUB_DISABLE_TELEMETRY
    with warnings.catch_warnings():
        # httpx wishes for another argument than the one that huggingface_hub passes; and a wish of
        # the person's own for bars is warned about when they are turned off all the same.
        warnings.simplefilter("ignore")
        logger.setLevel(logging.CRITICAL)
        disable_progress_bars()
        session.timeout = SEND_SECONDS
        constants.HF_HUB_DISABLE_TELEMETRY = True
        try:
            yield
        finally:
            constants.HF_HUB_DISABLE_TELEMETRY = has_telemetry_off
            session.timeout = timeout
            logger.setLevel(level)
            if had_bars:
                enable_progress_bars()
