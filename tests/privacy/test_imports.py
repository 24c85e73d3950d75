"""The metadata of phone numbers take 40 ms to import, so they wait for the first number."""

import subprocess
import sys

PROGRAM = """
import sys
from resonare_pipeline.privacy.redaction import Redactor
from resonare_pipeline.privacy.settings import PrivacySettings
chosen = Redactor(PrivacySettings())
chosen.redact("hi, see you at 12:30, it costs 1,234.50 €")
print("phonenumbers" in sys.modules)
chosen.redact("+1 202 555 0143")
print("phonenumbers" in sys.modules)
"""


def test_phonenumbers_is_imported_with_the_first_number() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True"]
